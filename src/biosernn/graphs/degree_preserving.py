"""Random undirected graphs with the degrees of a given one."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int

TRIES_PER_EDGE = 10
ENTRIES_AT_ONCE = 2**20
"""Largest number of matrix entries of the graphs that are rewired together."""


def degree_preserving_graphs(
    adjacency: Bool[np.ndarray, "n n"], rng: np.random.Generator, n_graphs: int
) -> Iterator[Bool[np.ndarray, "n n"]]:
    """Rewire by undirected double-edge swaps, many at once: every degree stays.

    In each round a random number of disjoint pairs of edges is drawn. A pair a–b, c–d becomes
    a–d, c–b, unless that makes a self-loop or any of the four edges is also an edge of the graph
    or one that another pair would make. Which pairs are swapped would be the same after the swap,
    so that a round leads from one graph to another as often as back, and all graphs with the
    degrees come up alike. Ten swaps are tried per edge.

    Parameters
    ----------
    adjacency
        (N, N), symmetric, without self-loops.
    rng
        The source of the swaps.
    n_graphs
        How many.

    Yields
    ------
    (N, N), symmetric, without self-loops.

    References
    ----------
    Maslov & Sneppen 2002, doi 10.1126/science.1065103; Milo et al. 2003, arXiv cond-mat/0312028.

    Examples
    --------
    >>> ring = np.roll(np.eye(6), 1, axis=1) + np.roll(np.eye(6), -1, axis=1) > 0
    >>> (graph,) = degree_preserving_graphs(ring, np.random.default_rng(0), 1)
    >>> graph.sum(axis=0), bool((graph != ring).any())
    (array([2, 2, 2, 2, 2, 2]), True)

    """
    n = len(adjacency)
    at_once = max(1, ENTRIES_AT_ONCE // n**2)
    row, column = np.nonzero(np.triu(adjacency))
    for first in range(0, n_graphs, at_once):
        n_rewired = min(at_once, n_graphs - first)
        edges = _rewired(np.tile(row * n + column, (n_rewired, 1)), n, rng)
        for ends in edges:
            graph = np.zeros((n, n), bool)
            graph[ends // n, ends % n] = graph[ends % n, ends // n] = True
            yield graph


def _rewired(
    edges: Int[np.ndarray, "graphs edges"], n: int, rng: np.random.Generator
) -> Int[np.ndarray, "graphs edges"]:
    """Swap ends within every row of edges, each being one end times n plus the other."""
    n_graphs, n_edges = edges.shape
    graph = np.arange(n_graphs)[:, None]

    def places(ends: Int[np.ndarray, "graphs edges"]) -> Int[np.ndarray, "graphs edges"]:
        one, other = np.divmod(ends, n)
        return (graph * n + np.minimum(one, other)) * n + np.maximum(one, other)

    n_tried = 0
    while n_edges > 1 and n_tried < TRIES_PER_EDGE * n_edges:
        n_pairs = int(rng.integers(1, n_edges // 2 + 1))
        n_tried += n_pairs
        edges = rng.permuted(edges, axis=1)
        drawn = edges[:, : 2 * n_pairs]
        (a, b), (c, d) = np.divmod(drawn[:, :n_pairs], n), np.divmod(drawn[:, n_pairs:], n)
        turned = rng.random(c.shape) < 0.5
        c, d = np.where(turned, d, c), np.where(turned, c, d)
        swapped = np.concatenate([a * n + d, c * n + b], axis=1)
        before, after = places(edges), places(swapped)
        counts = np.bincount(np.concatenate([before, after], axis=1).ravel())
        lone = (counts[before[:, : 2 * n_pairs]] == 1) & (counts[after] == 1)
        made = (a != d) & (c != b) & lone[:, :n_pairs] & lone[:, n_pairs:]
        edges[:, : 2 * n_pairs] = np.where(np.tile(made, 2), swapped, drawn)
    return edges
