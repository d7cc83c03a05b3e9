"""How long a network's connections are, and whether its strong ones are short."""

import numpy as np
from jaxtyping import Float

from biosernn.graphs.rank_correlation import unit_ranks


def wiring_length(
    weights: Float[np.ndarray, "*nets n n"], distances: Float[np.ndarray, "n n"]
) -> Float[np.ndarray, "*nets"]:
    """Σ |W| ⊙ D: the length of all connections, each as often as it is strong.

    Parameters
    ----------
    weights
        (..., N, N), one matrix or more.
    distances
        (N, N) with a diagonal of 0, so that self-weights have no length.

    Returns
    -------
    (...), in the distances' unit.

    References
    ----------
    Achterberg et al. 2023, doi 10.1038/s42256-023-00748-9.

    Examples
    --------
    >>> distances = np.array([[0.0, 10.0], [10.0, 0.0]])
    >>> float(wiring_length(np.array([[5.0, -0.5], [0.25, 5.0]]), distances))
    7.5

    """
    return (np.abs(weights) * distances).sum(axis=(-2, -1))


def weight_distance_correlation(
    weights: Float[np.ndarray, "*nets n n"], distances: Float[np.ndarray, "n n"]
) -> Float[np.ndarray, "*nets"]:
    """Spearman's correlation of |W| with distance over all ordered pairs of different neurons.

    Ranks, since weights are heavy-tailed and their fall with distance is no straight line.

    Parameters
    ----------
    weights
        (..., N, N), one matrix or more.
    distances
        (N, N), in any unit.

    Returns
    -------
    (...) between -1 and 1; NaN where all weights off the diagonal are equally strong.

    References
    ----------
    Spearman 1904, doi 10.2307/1412159; the fall with distance: Ercsey-Ravasz et al. 2013,
    doi 10.1016/j.neuron.2013.07.036.

    Examples
    --------
    >>> distances = np.array([[0.0, 1.0, 3.0], [1.0, 0.0, 2.0], [3.0, 2.0, 0.0]])
    >>> float(weight_distance_correlation(1 / (1 + distances), distances).round(6))
    -1.0

    """
    pairs = ~np.eye(len(distances), dtype=bool)
    ranks = np.empty((*weights.shape[:-2], np.count_nonzero(pairs)))
    for net in np.ndindex(weights.shape[:-2]):
        ranks[net] = unit_ranks(np.abs(weights[net][pairs]))
    return ranks @ unit_ranks(distances[pairs])
