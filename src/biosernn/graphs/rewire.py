"""Random graphs with the measured graph's degrees, and with its edge lengths too."""

import numpy as np
from jaxtyping import Float, Int


def degree_preserving_rewiring(
    weights: Float[np.ndarray, "n n"], rng: np.random.Generator
) -> Float[np.ndarray, "n n"]:
    """Rewire by directed double-edge swaps: every in- and out-degree stays.

    Two edges a→b and c→d become a→d and c→b, unless that makes a self-loop or a second edge
    between two neurons. 100 swaps are tried per edge (Milo et al.); of those on the wiring of
    field 6_6_2, 94 % are made, and 2 to 5 % of the edges end where they were. A weight travels
    with its presynaptic neuron, so that out-strengths stay too.

    Parameters
    ----------
    weights
        (N, N), row = presynaptic; an edge is an off-diagonal entry other than 0. The diagonal
        stays as it is.
    rng
        The source of the swaps.

    Returns
    -------
    (N, N), rewired.

    References
    ----------
    Maslov & Sneppen 2002, doi 10.1126/science.1065103; Milo et al. 2003, arXiv cond-mat/0312028.

    Examples
    --------
    >>> ring = np.roll(np.eye(6), 1, axis=1)
    >>> rewired = degree_preserving_rewiring(ring, np.random.default_rng(0))
    >>> rewired.sum(axis=0), rewired.sum(axis=1), bool((rewired != ring).any())
    (array([1., 1., 1., 1., 1., 1.]), array([1., 1., 1., 1., 1., 1.]), True)

    """
    return _swapped(weights, np.zeros(np.shape(weights), int), rng, tries_per_edge=100)


def distance_preserving_rewiring(
    weights: Float[np.ndarray, "n n"],
    distances: Float[np.ndarray, "n n"],
    rng: np.random.Generator,
    n_bins: int = 10,
) -> Float[np.ndarray, "n n"]:
    """Rewire by directed double-edge swaps that keep degrees and the histogram of edge lengths.

    As `degree_preserving_rewiring`, but a swap is made only where the two new edges lie in the
    same two bins of length as the two old ones. The bins hold equally many *edges*: most edges
    are short, and would share one bin of all distances. Few swaps qualify, so 1000 are tried per
    edge; on the wiring of field 6_6_2, 2 % are made, and a fifth of the edges end where they were.

    Parameters
    ----------
    weights
        (N, N), row = presynaptic; an edge is an off-diagonal entry other than 0. The diagonal
        stays as it is.
    distances
        (N, N) between the neurons, in any unit of length.
    rng
        The source of the swaps.
    n_bins
        How many bins of edge length.

    Returns
    -------
    (N, N), rewired.

    References
    ----------
    Betzel & Bassett 2018, doi 10.1073/pnas.1720186115.

    Examples
    --------
    >>> ring = np.roll(np.eye(6), 1, axis=1)
    >>> rewired = distance_preserving_rewiring(ring, 1 - np.eye(6), np.random.default_rng(0))
    >>> rewired.sum(axis=0), rewired.sum(axis=1), bool((rewired != ring).any())
    (array([1., 1., 1., 1., 1., 1.]), array([1., 1., 1., 1., 1., 1.]), True)

    """
    lengths = distances[_edges(weights)]
    if not len(lengths):
        return np.array(weights)
    limits = np.quantile(lengths, np.arange(1, n_bins) / n_bins)
    return _swapped(weights, np.digitize(distances, limits), rng, tries_per_edge=1000)


def _swapped(
    weights: np.ndarray, bins: Int[np.ndarray, "n n"], rng: np.random.Generator, tries_per_edge: int
) -> np.ndarray:
    """Swap the ends of pairs of edges where the pair's two bins stay the same."""
    edges = _edges(weights)
    pre, post = (ends.tolist() for ends in edges)
    linked = np.zeros(np.shape(weights), bool)
    linked[edges] = True
    linked, bins = linked.tolist(), bins.tolist()
    for _ in range(tries_per_edge):
        for first, second in rng.integers(len(pre), size=(len(pre), 2)).tolist():
            a, b, c, d = pre[first], post[first], pre[second], post[second]
            if a == d or c == b or linked[a][d] or linked[c][b]:
                continue
            old, new = (bins[a][b], bins[c][d]), (bins[a][d], bins[c][b])
            if new in (old, old[::-1]):
                linked[a][b] = linked[c][d] = False
                linked[a][d] = linked[c][b] = True
                post[first], post[second] = d, b
    rewired = np.diag(np.diagonal(weights))
    rewired[pre, post] = weights[edges]
    return rewired


def _edges(weights: np.ndarray) -> tuple[np.ndarray, ...]:
    return np.nonzero((weights != 0) & ~np.eye(len(weights), dtype=bool))
