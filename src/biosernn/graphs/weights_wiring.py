"""Whether strong weights lie where synapses were measured, beyond what distance explains."""

import numpy as np
from jaxtyping import Float

from biosernn.graphs.rank_correlation import unit_ranks

FEWEST_EDGES = 10
ROUNDING = 1e-12


def weights_wiring_correlation(
    weights: Float[np.ndarray, "n n"],
    synapse_counts: Float[np.ndarray, "n n"],
    distances: Float[np.ndarray, "n n"],
    rng: np.random.Generator,
    n_nulls: int,
    n_bins: int = 10,
) -> tuple[float, float]:
    """Spearman's correlation of |W| with synapse counts over ordered pairs, and its p.

    The nulls deal the counts out at random among the pairs of the same distance bin, so that what
    both owe to distance is in them too; degrees are not kept. The bins hold equally many *edges*,
    since most edges are short.

    Parameters
    ----------
    weights, synapse_counts
        (N, N), row = presynaptic; diagonals are not read.
    distances
        (N, N) between the neurons, in any unit of length.
    rng
        The source of the nulls.
    n_nulls, n_bins
        How many nulls, and bins of distance.

    Returns
    -------
    correlation, p
        p = (1 + nulls as large or larger) / (1 + nulls), one-sided. Both NaN where there are fewer
        than ten edges or all weights are equally strong.

    References
    ----------
    Spearman 1904, doi 10.2307/1412159; nulls by distance: Betzel & Bassett 2018,
    doi 10.1073/pnas.1720186115.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> counts, distances = rng.poisson(0.2, (30, 30)), rng.uniform(size=(30, 30))
    >>> correlation, p = weights_wiring_correlation(counts, counts, distances, rng, 99)
    >>> round(correlation, 6), p
    (1.0, 0.01)

    """
    pairs = ~np.eye(len(weights), dtype=bool)
    counts, lengths = np.asarray(synapse_counts)[pairs], distances[pairs]
    edges = np.flatnonzero(counts)
    of_weights, of_counts = unit_ranks(np.abs(weights)[pairs]), unit_ranks(counts)
    correlation = float(of_weights @ of_counts)
    if len(edges) < FEWEST_EDGES or np.isnan(correlation):
        return float("nan"), float("nan")
    limits = np.quantile(lengths[edges], np.arange(1, n_bins) / n_bins)
    bins = np.digitize(lengths, limits)
    # The centred ranks of |W| sum to 0: what a pair without synapses would add is left out.
    above_none = of_counts - of_counts.min()
    nulls = np.zeros(n_nulls)
    for number in range(n_bins):
        members = np.flatnonzero(bins == number)
        dealt = above_none[edges[bins[edges] == number]]
        for null in range(n_nulls):
            nulls[null] += dealt @ of_weights[rng.choice(members, len(dealt), replace=False)]
    return correlation, float(1 + np.sum(nulls >= correlation - ROUNDING)) / (1 + n_nulls)
