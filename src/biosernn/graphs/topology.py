"""What is recorded of a run's weights as a graph."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float

from biosernn.errors import BadInput
from biosernn.graphs.assortativity import degree_assortativity
from biosernn.graphs.degree_preserving import degree_preserving_graphs
from biosernn.graphs.entropy import weight_entropy
from biosernn.graphs.erdos_renyi import density_18_graphs, matched_graphs
from biosernn.graphs.greedy_modularity import greedy_communities
from biosernn.graphs.louvain import louvain_communities
from biosernn.graphs.modularity import modularity
from biosernn.graphs.small_worldness import small_worldness
from biosernn.graphs.threshold import thresholded_graph

Nulls = Literal["matched", "density_18", "degree_preserving"]


@dataclass(frozen=True)
class Topology:
    """Measures of a weight matrix; NaN where one is not defined.

    All but the entropies are of the binary graph of the strongest tenth of |W|.

    Attributes
    ----------
    modularity_greedy, modularity_louvain
        Q of the communities found by either method.
    n_communities
        How many the greedy method finds.
    clustering, efficiency
        Mean clustering coefficient and global efficiency.
    small_worldness
        The two against those of the null graphs.
    assortativity
        Correlation of the degrees at the two ends of an edge.
    density
        Share of pairs of neurons that are linked.
    entropy, entropy_without_diagonal
        Of the weights' density, in bits, with self-weights and without.
    undefined
        Why values are NaN; empty where none is.

    """

    modularity_greedy: float = float("nan")
    modularity_louvain: float = float("nan")
    n_communities: float = float("nan")
    clustering: float = float("nan")
    efficiency: float = float("nan")
    small_worldness: float = float("nan")
    assortativity: float = float("nan")
    density: float = float("nan")
    entropy: float = float("nan")
    entropy_without_diagonal: float = float("nan")
    undefined: str = ""


def topology(
    weights: Float[np.ndarray, "n n"],
    rng: np.random.Generator,
    nulls: Nulls = "matched",
    n_nulls: int = 100,
) -> Topology:
    """Measure the graph of a weight matrix and the entropy of its weights.

    Parameters
    ----------
    weights
        (N, N), row = presynaptic.
    rng
        The source of the null graphs and of Louvain's order.
    nulls
        The random graphs of small-worldness: as many edges; a density of 0.18 with self-loops,
        whatever the graph's, as in the released code; or the same degrees.
    n_nulls
        How many of them, at least 1.

    Returns
    -------
    All NaN where the weights are not all finite. Of a graph with fewer edges than neurons, which
    is mostly in pieces, only the density and the entropies are given.

    Raises
    ------
    BadInput
        Where the weights are not square, or no such nulls are known.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = topology(rng.normal(size=(64, 64)), rng)
    >>> round(found.density, 2), round(found.small_worldness, 1), found.undefined
    (0.19, 0.9, '')
    >>> topology(np.triu(np.ones((64, 64)), 62), rng).undefined
    'the graph has fewer edges (3) than neurons (64)'

    """
    if not np.isfinite(weights).all():
        return Topology(undefined="the weights are not all finite")
    n = len(weights)
    graph = thresholded_graph(weights)
    n_edges = int(np.count_nonzero(graph)) // 2
    measures = {
        "density": n_edges / (n * (n - 1) / 2),
        "entropy": weight_entropy(weights),
        "entropy_without_diagonal": weight_entropy(weights, diagonal=False),
    }
    reasons = []
    if np.isnan(measures["entropy_without_diagonal"]):
        reasons.append("the weights off the diagonal are all the same")
    if n_edges < n:
        reasons.append(f"the graph has fewer edges ({n_edges}) than neurons ({n})")
        return Topology(**measures, undefined="; ".join(reasons))
    greedy = greedy_communities(graph)
    louvain = louvain_communities(graph, seed=int(rng.integers(2**32)))
    small_world = small_worldness(graph, _null_graphs(graph, rng, nulls, n_nulls))
    measures |= {
        "modularity_greedy": modularity(graph, greedy),
        "modularity_louvain": modularity(graph, louvain),
        "n_communities": float(greedy.max() + 1),
        "clustering": small_world.clustering,
        "efficiency": small_world.efficiency,
        "small_worldness": small_world.value,
        "assortativity": degree_assortativity(graph),
    }
    if np.isnan(measures["small_worldness"]):
        reasons.append("no null graph has a triangle")
    if np.isnan(measures["assortativity"]):
        reasons.append("all linked neurons have the same degree")
    return Topology(**measures, undefined="; ".join(reasons))


def _null_graphs(
    graph: Bool[np.ndarray, "n n"], rng: np.random.Generator, nulls: Nulls, n_nulls: int
) -> Iterator[Bool[np.ndarray, "n n"]]:
    if nulls == "matched":
        return matched_graphs(graph, rng, n_nulls)
    if nulls == "density_18":
        return density_18_graphs(len(graph), rng, n_nulls)
    if nulls == "degree_preserving":
        return degree_preserving_graphs(graph, rng, n_nulls)
    raise BadInput("nulls", f"{nulls!r} are unknown", f"use {' or '.join(get_args(Nulls))}")
