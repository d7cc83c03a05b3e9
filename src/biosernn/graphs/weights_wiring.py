"""Whether strong weights lie where synapses were measured, beyond degrees and distance."""

import numpy as np
from jaxtyping import Float

from biosernn.graphs.null_wirings import null_wirings
from biosernn.graphs.rank_correlation import unit_ranks

FEWEST_EDGES = 10
ROUNDING = 1e-12


def weights_wiring_correlation(
    weights: Float[np.ndarray, "n n"], synapse_counts: Float[np.ndarray, "n n"]
) -> float:
    """Spearman's correlation of |W| with synapse counts over ordered pairs of different neurons.

    Parameters
    ----------
    weights, synapse_counts
        (N, N), row = presynaptic; diagonals are not read.

    Returns
    -------
    float
        NaN where there are fewer than ten edges or all weights are equally strong.

    References
    ----------
    Spearman 1904, doi 10.2307/1412159.

    Examples
    --------
    >>> counts = np.random.default_rng(0).poisson(0.2, (30, 30))
    >>> round(weights_wiring_correlation(counts, counts), 6)
    1.0

    """
    between = ~np.eye(len(weights), dtype=bool)
    sizes, counts = np.abs(weights)[between], np.asarray(synapse_counts)[between]
    few = np.count_nonzero(counts) < FEWEST_EDGES
    return float("nan") if few else float(unit_ranks(sizes) @ unit_ranks(counts))


def weights_wiring_p(
    weights: Float[np.ndarray, "n n"],
    synapse_counts: Float[np.ndarray, "n n"],
    distances: Float[np.ndarray, "n n"],
    rng: np.random.Generator,
    n_nulls: int,
) -> float:
    """One-sided p of `weights_wiring_correlation` against wirings of like degrees and lengths.

    The nulls lay every connection anew by `biosernn.graphs.null_wirings`, so that what weights and
    wiring both owe to distance and to neurons of many connections is in them too; how often
    connections are mutual is not.

    Parameters
    ----------
    weights, synapse_counts
        (N, N), row = presynaptic; diagonals are not read.
    distances
        (N, N) between the neurons, in any unit of length.
    rng
        The source of the nulls.
    n_nulls
        How many nulls.

    Returns
    -------
    float
        (1 + nulls as large or larger) / (1 + nulls); NaN where the correlation is.

    References
    ----------
    Nulls by degree and distance: Betzel & Bassett 2018, doi 10.1073/pnas.1720186115.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> counts, distances = rng.poisson(0.2, (30, 30)), rng.uniform(size=(30, 30))
    >>> weights_wiring_p(counts, counts, distances, rng, 99)
    0.01

    """
    correlation = weights_wiring_correlation(weights, synapse_counts)
    if np.isnan(correlation):
        return correlation
    between = ~np.eye(len(weights), dtype=bool)
    pre, post = np.nonzero(synapse_counts * between)
    pairs, chances = null_wirings(pre, post, distances)
    of_weights, of_counts = np.zeros(between.shape), np.zeros(between.shape)
    of_weights[between] = unit_ranks(np.abs(weights)[between])
    of_counts[between] = unit_ranks(np.asarray(synapse_counts)[between])
    # The centred ranks of |W| sum to 0: what a pair without synapses would add is left out.
    above_none = (of_counts - of_counts[between].min())[pre, post]
    nulls = np.zeros(n_nulls)
    for rank, places, chance in zip(above_none, pairs, chances, strict=True):
        nulls += rank * of_weights.ravel()[rng.choice(places, n_nulls, p=chance)]
    return float(1 + np.sum(nulls >= correlation - ROUNDING)) / (1 + n_nulls)
