"""Erdős–Rényi random graphs, the nulls of small-worldness."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int


def matched_graphs(
    adjacency: Bool[np.ndarray, "n n"], rng: np.random.Generator, n_graphs: int
) -> Iterator[Bool[np.ndarray, "n n"]]:
    """Random graphs with as many neurons and edges as the given one: G(n, m).

    Parameters
    ----------
    adjacency
        (N, N), symmetric, without self-loops.
    rng
        The source of the graphs.
    n_graphs
        How many.

    Yields
    ------
    (N, N), symmetric, without self-loops.

    References
    ----------
    Erdős & Rényi 1959, Publ. Math. Debrecen 6: 290–297.

    Examples
    --------
    >>> path = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)
    >>> [int(graph.sum()) for graph in matched_graphs(path, np.random.default_rng(0), 3)]
    [4, 4, 4]

    """
    n = len(adjacency)
    upper, lower = _pairs(n, first_diagonal=1)
    n_edges = np.count_nonzero(adjacency) // 2
    for _ in range(n_graphs):
        linked = rng.choice(len(upper), n_edges, replace=False, shuffle=False)
        graph = np.zeros(n * n, bool)
        graph[upper[linked]] = graph[lower[linked]] = True
        yield graph.reshape(n, n)


def density_18_graphs(
    n: int, rng: np.random.Generator, n_graphs: int
) -> Iterator[Bool[np.ndarray, "n n"]]:
    """Random graphs of density 0.18 whose self-loops, of density 0.3, are left in.

    The released code links two neurons where the mean of two draws from U(0, 1) exceeds 0.7,
    which it does with probability 0.18, and each neuron to itself where one draw does.

    Parameters
    ----------
    n
        How many neurons.
    rng
        The source of the graphs.
    n_graphs
        How many.

    Yields
    ------
    (N, N), symmetric.

    References
    ----------
    Released code of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> graphs = np.array(list(density_18_graphs(20, np.random.default_rng(0), 2000)))
    >>> float(graphs[:, 0, 1].mean().round(2)), float(graphs.diagonal(0, 1, 2).mean().round(2))
    (0.18, 0.3)

    """
    upper, lower = _pairs(n, first_diagonal=0)
    chance = np.where(upper == lower, 0.3, 0.18).astype(np.float32)
    for _ in range(n_graphs):
        linked = rng.random(len(upper), dtype=np.float32) < chance
        graph = np.empty(n * n, bool)
        graph[upper] = graph[lower] = linked
        yield graph.reshape(n, n)


def _pairs(n: int, first_diagonal: int) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Places of all pairs in the flattened matrix, above the diagonal and below it."""
    row, column = np.triu_indices(n, first_diagonal)
    return row * n + column, column * n + row
