"""Small-worldness and topology of weight matrices, on one core."""

import time
import warnings
from collections.abc import Callable

import numpy as np

from benchmarks.page import write_page
from biosernn.graphs.degree_preserving import degree_preserving_graphs
from biosernn.graphs.erdos_renyi import density_18_graphs, matched_graphs
from biosernn.graphs.small_worldness import small_worldness
from biosernn.graphs.threshold import thresholded_graph
from biosernn.graphs.topology import topology


def measure() -> list[str]:
    """The page's lines."""
    graph = thresholded_graph(np.random.default_rng(0).normal(size=(312, 312)))
    rng = np.random.default_rng(1)
    toolbox = _toolbox_milliseconds(graph, 100, int)
    floats = _toolbox_milliseconds(graph, 100, float)
    lines = [
        "Small-worldness at 312 neurons; the toolbox's values are checked to be the same:",
        "",
        "| null graphs | by | ms a null graph | times faster than the toolbox |",
        "|---|---|---|---|",
        f"| 100 of density 0.18 | bctpy, integer matrices | {toolbox:.2f} | 1 |",
        f"| 100 of density 0.18 | bctpy, float matrices | {floats:.2f} | {toolbox / floats:.0f} |",
    ]
    for name, count, nulls in (
        ("of density 0.18", 1000, density_18_graphs(312, rng, 1000)),
        ("of matched density", 1000, matched_graphs(graph, rng, 1000)),
        ("of the same degrees", 100, degree_preserving_graphs(graph, rng, 100)),
    ):
        ms = _milliseconds(lambda nulls=nulls: small_worldness(graph, nulls)) / count
        lines.append(f"| {count} {name} | biosernn | {ms:.2f} | {toolbox / ms:.0f} |")
    lines += ["", "All of `topology` with 100 nulls of matched density:", ""]
    lines += ["| neurons | ms, median of 9 |", "|---|---|"]
    for n in (64, 128, 312):
        weights = rng.normal(size=(n, n))
        times = [_milliseconds(lambda weights=weights: topology(weights, rng)) for _ in range(9)]
        lines.append(f"| {n} | {np.median(times):.0f} |")
    return lines


def _toolbox_milliseconds(graph: np.ndarray, count: int, dtype: type) -> float:
    """Time a null graph takes the Brain Connectivity Toolbox, drawn as in the released code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        import bct

    rng = np.random.default_rng(2)
    nulls, values = [], []

    def measure() -> None:
        for _ in range(count):
            draw = rng.random(graph.shape)
            null = ((draw + draw.T) / 2 > 0.7).astype(dtype)
            nulls.append(null > 0)
            values.append((bct.clustering_coef_bu(null).mean(), bct.efficiency_bin(null)))

    milliseconds = _milliseconds(measure) / count
    found = small_worldness(graph, nulls)
    np.testing.assert_allclose(
        (found.null_clustering, found.null_efficiency), np.mean(values, axis=0), rtol=1e-13
    )
    return milliseconds


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    write_page("graph_measures", "Measures of graphs, on one core", measure())


if __name__ == "__main__":
    main()
