"""Modularity: how much a graph's edges keep within its communities."""

import numpy as np
from jaxtyping import Bool, Int


def modularity(adjacency: Bool[np.ndarray, "n n"], communities: Int[np.ndarray, " n"]) -> float:
    """Newman's Q of a division into communities, at resolution 1.

    Parameters
    ----------
    adjacency
        (N, N), symmetric, without self-loops.
    communities
        (N,), the number from 0 of each neuron's community.

    Returns
    -------
    The share of edges within communities less the share expected of random edges with the same
    degrees; NaN where there are no edges.

    References
    ----------
    Newman & Girvan 2004, doi 10.1103/PhysRevE.69.026113.

    Examples
    --------
    >>> pairs = np.kron(np.eye(2), [[0, 1], [1, 0]]).astype(bool)
    >>> modularity(pairs, np.array([0, 0, 1, 1]))
    0.5

    """
    degrees = adjacency.sum(axis=0)
    n_ends = degrees.sum()
    if not n_ends:
        return float("nan")
    within = np.count_nonzero(adjacency & (communities[:, None] == communities))
    ends = np.bincount(communities, weights=degrees)
    return float(within / n_ends - ((ends / n_ends) ** 2).sum())
