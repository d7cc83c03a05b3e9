"""Small-worldness: clustered as a lattice, connected as a random graph."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from biosernn.graphs.clustering import clustering_coefficients
from biosernn.graphs.efficiency import global_efficiency
from biosernn.graphs.walks import two_step_walks


@dataclass(frozen=True)
class SmallWorldness:
    """Small-worldness and what it is made of.

    Attributes
    ----------
    value
        (clustering / null_clustering) · (efficiency / null_efficiency); NaN where no null graph
        has a triangle.
    clustering, efficiency
        Mean clustering coefficient and global efficiency of the graph.
    null_clustering, null_efficiency
        Their means over the null graphs.

    """

    value: float
    clustering: float
    efficiency: float
    null_clustering: float
    null_efficiency: float


def small_worldness(
    adjacency: Bool[np.ndarray, "n n"], nulls: Iterable[Bool[np.ndarray, "n n"]]
) -> SmallWorldness:
    """Small-worldness of an undirected binary graph against random graphs.

    Parameters
    ----------
    adjacency
        (N, N), symmetric, without self-loops.
    nulls
        At least one graph of the same N; their clustering and efficiency are averaged each,
        before they are divided by.

    References
    ----------
    Humphries & Gurney 2008, doi 10.1371/journal.pone.0002051; with efficiencies in the place of
    path lengths as in the released code of arXiv 2606.14975.

    Examples
    --------
    >>> from biosernn.graphs.erdos_renyi import matched_graphs
    >>> ring = np.roll(np.eye(60), 1, axis=1) + np.roll(np.eye(60), 2, axis=1)
    >>> ring = ring + ring.T > 0
    >>> found = small_worldness(ring, matched_graphs(ring, np.random.default_rng(0), 20))
    >>> round(found.clustering, 2), round(found.null_clustering, 2), round(found.value, 1)
    (0.5, 0.07, 4.6)

    """
    clustering, efficiency = _clustering_and_efficiency(adjacency)
    null_clustering, null_efficiency = np.mean(
        [_clustering_and_efficiency(null) for null in nulls], axis=0
    ).tolist()
    return SmallWorldness(
        value=clustering / null_clustering * (efficiency / null_efficiency)
        if null_clustering
        else float("nan"),
        clustering=clustering,
        efficiency=efficiency,
        null_clustering=null_clustering,
        null_efficiency=null_efficiency,
    )


def _clustering_and_efficiency(adjacency: Bool[np.ndarray, "n n"]) -> tuple[float, float]:
    walks = two_step_walks(adjacency)
    return (
        float(clustering_coefficients(adjacency, walks).mean()),
        global_efficiency(adjacency, walks),
    )
