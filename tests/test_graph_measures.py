"""Graph measures against the reference, networkx, the Brain Connectivity Toolbox and slow twins."""

import json
import math
import warnings
from collections import deque
from dataclasses import asdict, replace

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, entropy, gaussian_kde

from biosernn.errors import BadInput
from biosernn.graphs.assortativity import degree_assortativity
from biosernn.graphs.clustering import clustering_coefficients
from biosernn.graphs.degree_preserving import degree_preserving_graphs
from biosernn.graphs.efficiency import global_efficiency
from biosernn.graphs.entropy import weight_entropy
from biosernn.graphs.erdos_renyi import density_18_graphs, matched_graphs
from biosernn.graphs.greedy_modularity import greedy_communities
from biosernn.graphs.louvain import louvain_communities
from biosernn.graphs.modularity import modularity
from biosernn.graphs.small_worldness import small_worldness
from biosernn.graphs.threshold import thresholded_graph
from biosernn.graphs.topology import Topology, topology

with warnings.catch_warnings():
    warnings.simplefilter("ignore", SyntaxWarning)
    import bct

CASES = ("n32_signed", "n64_positive", "n312_lognormal")


@st.composite
def graphs(draw, self_loops=False):
    """From empty over fragments, chains and blocks to complete."""
    n = draw(st.integers(2, 24))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    within, between = draw(st.floats(0, 1)), draw(st.floats(0, 0.3))
    block = rng.integers(draw(st.integers(1, 4)), size=n)
    chance = np.where(block[:, None] == block, within, between)
    graph = np.triu(rng.random((n, n)) < chance, 0 if self_loops else 1)
    if draw(st.booleans()):
        graph |= np.eye(n, k=1, dtype=bool)
    return graph | graph.T


def rng():
    return np.random.default_rng(11)


def as_networkx(graph):
    return networkx.from_numpy_array(graph.astype(int))


def as_sets(communities):
    return {frozenset(np.flatnonzero(communities == c).tolist()) for c in np.unique(communities)}


def slow_clustering(graph):
    result = []
    for row in graph:
        neighbours = np.flatnonzero(row)
        k = len(neighbours)
        linked = sum(bool(graph[i, j]) for i in neighbours for j in neighbours)
        result.append(linked / (k * (k - 1)) if k > 1 else 0)
    return result


def slow_efficiency(graph):
    total = 0.0
    for start in range(len(graph)):
        distance, queue = {start: 0}, deque([start])
        while queue:
            node = queue.popleft()
            for other in np.flatnonzero(graph[node]).tolist():
                if other not in distance:
                    distance[other] = distance[node] + 1
                    queue.append(other)
        total += sum(1 / d for d in distance.values() if d)
    return total / (len(graph) * (len(graph) - 1))


def slow_modularity(graph, communities):
    degrees = graph.sum(axis=0)
    ends = degrees.sum()
    return sum(
        graph[i, j] / ends - degrees[i] * degrees[j] / ends**2
        for i in range(len(graph))
        for j in range(len(graph))
        if communities[i] == communities[j]
    )


def slow_entropy(values):
    grid = np.linspace(values.min(), values.max(), 100)
    return entropy(gaussian_kde(values)(grid), base=2)


@pytest.fixture(scope="module")
def reference(shared):
    values = json.loads((shared / "oracle/metrics.json").read_text())
    with np.load(shared / "oracle/metrics_inputs.npz", allow_pickle=False) as file:
        return values, dict(file)


@pytest.fixture(params=CASES)
def case(request, reference):
    values, inputs = reference
    arrays = {k.split("/")[1]: v for k, v in inputs.items() if k.startswith(request.param)}
    return values[request.param], arrays, thresholded_graph(arrays["W"])


def test_graph_and_its_measures_are_the_reference(case):
    expected, arrays, graph = case
    np.testing.assert_array_equal(graph, arrays["adjacency"])
    np.testing.assert_array_equal(graph.sum(axis=0), arrays["degree"])
    coefficients = clustering_coefficients(graph)
    np.testing.assert_array_equal(coefficients, arrays["clustering_coef"])
    assert coefficients.mean() == pytest.approx(expected["clustering"], rel=1e-12)
    assert global_efficiency(graph) == pytest.approx(expected["global_efficiency"], rel=1e-12)
    assert degree_assortativity(graph) == pytest.approx(expected["assortativity"], abs=1e-12)


def test_communities_are_the_reference(case):
    expected, arrays, graph = case
    greedy = greedy_communities(graph)
    assert as_sets(greedy) == as_sets(arrays["community"])
    assert modularity(graph, greedy) == pytest.approx(expected["modularity"], abs=1e-12)
    louvain = modularity(graph, louvain_communities(graph, seed=0))
    assert louvain == pytest.approx(expected["extra_louvain_modularity_seed0"], abs=1e-12)


def test_entropy_is_the_reference(case):
    expected, arrays, _ = case
    found = weight_entropy(arrays["W"])
    assert found == pytest.approx(expected["entropy_bits"], abs=1e-6)
    assert found == pytest.approx(expected["entropy_bits_float64_input"], abs=1e-12)


def test_small_worldness_is_the_reference_given_the_same_nulls(case):
    expected, _, graph = case
    rng, n = np.random.RandomState(1), len(graph)
    draws = (rng.rand(n, n) for _ in range(1000))
    found = small_worldness(graph, ((draw + draw.T) / 2 > 0.7 for draw in draws))
    assert found.value == pytest.approx(expected["verbatim"]["small_worldness_seed1"], rel=1e-12)


def test_small_worldness_is_the_reference_with_own_nulls(case):
    expected, _, graph = case
    expected = expected["small_worldness"]
    nulls = density_18_graphs(len(graph), np.random.default_rng(0), 1000)
    found = small_worldness(graph, nulls)
    tolerance = {32: 0.020, 64: 0.027, 312: 0.006}[len(graph)]
    assert found.value == pytest.approx(expected["mean"], abs=tolerance)
    for name in ("clustering", "efficiency"):
        spread = expected[f"null_{name}_sd"] * math.sqrt(1 / 1000 + 1 / 4000)
        mean = getattr(found, f"null_{name}")
        assert mean == pytest.approx(expected[f"null_{name}_mean"], abs=5 * spread)


@given(graphs(self_loops=True))
def test_clustering_is_the_toolbox_self_loops_included(graph):
    found = clustering_coefficients(graph)
    np.testing.assert_array_equal(found, bct.clustering_coef_bu(graph.astype(int)))
    np.testing.assert_array_equal(found, slow_clustering(graph))


@given(graphs(self_loops=True))
def test_efficiency_is_the_toolbox_self_loops_included(graph):
    found = global_efficiency(graph)
    assert found == pytest.approx(bct.efficiency_bin(graph.astype(int)), rel=1e-14)
    assert found == pytest.approx(slow_efficiency(graph), rel=1e-14)
    assert found == global_efficiency(graph & ~np.eye(len(graph), dtype=bool))


def test_values_of_many_nulls_are_the_toolbox():
    for null in density_18_graphs(312, np.random.default_rng(5), 5):
        counts = null.astype(float)
        np.testing.assert_array_equal(clustering_coefficients(null), bct.clustering_coef_bu(counts))
        assert global_efficiency(null) == pytest.approx(bct.efficiency_bin(counts), rel=1e-14)


@given(graphs())
def test_greedy_communities_are_those_of_networkx(graph):
    found = greedy_communities(graph)
    expected = networkx.community.greedy_modularity_communities(as_networkx(graph))
    assert as_sets(found) == set(map(frozenset, expected))
    assert sorted(set(found)) == list(range(len(expected)))


@settings(max_examples=30)
@given(graphs(), st.integers(0, 99))
def test_louvain_communities_are_those_of_networkx(graph, seed):
    expected = networkx.community.louvain_communities(as_networkx(graph), seed=seed)
    assert as_sets(louvain_communities(graph, seed)) == set(map(frozenset, expected))


@given(graphs(), st.integers(1, 5), st.integers(0, 99))
def test_modularity_is_its_definition_and_that_of_networkx(graph, n_communities, seed):
    communities = np.random.default_rng(seed).integers(n_communities, size=len(graph))
    found = modularity(graph, communities)
    if not graph.any():
        assert math.isnan(found)
        return
    assert found == pytest.approx(slow_modularity(graph, communities), abs=1e-12)
    of_networkx = networkx.community.modularity(as_networkx(graph), as_sets(communities))
    assert found == pytest.approx(of_networkx, abs=1e-12)


@given(graphs())
def test_assortativity_is_a_correlation_and_that_of_networkx(graph):
    found, degrees = degree_assortativity(graph), graph.sum(axis=0)
    pre, post = np.nonzero(graph)
    if len(np.unique(degrees[pre])) < 2:
        assert math.isnan(found)
        return
    assert found == pytest.approx(np.corrcoef(degrees[pre], degrees[post])[0, 1], abs=1e-12)
    of_networkx = networkx.degree_assortativity_coefficient(as_networkx(graph))
    assert found == pytest.approx(of_networkx, abs=1e-10)


@given(st.integers(2, 20), st.floats(0, 30), st.sampled_from([1e-150, 1.0, 1e150]), st.integers(0))
def test_entropy_is_that_of_scipy_whatever_the_unit(n, outlier, unit, seed):
    weights = np.random.default_rng(seed).normal(size=(n, n)) + outlier * np.eye(n)
    off_diagonal = weights[~np.eye(n, dtype=bool)]
    assert weight_entropy(unit * weights) == pytest.approx(slow_entropy(weights.ravel()), abs=1e-9)
    without = weight_entropy(unit * weights, diagonal=False)
    assert without == pytest.approx(slow_entropy(off_diagonal), abs=1e-9)


def test_self_weights_drive_the_entropy():
    weights = np.random.default_rng(0).normal(0, 0.05, (128, 128))
    large = weights + np.diag(np.linspace(0.2, 0.9, 128))
    assert weight_entropy(large) < weight_entropy(weights) - 1
    assert weight_entropy(large, diagonal=False) == weight_entropy(weights, diagonal=False)


@given(st.integers(2, 20), st.floats(0, 1), st.integers(0, 99))
def test_thresholded_graph_by_its_definition(n, zeros, seed):
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random((n, n)) < zeros, 0, rng.normal(size=(n, n)))
    limit = np.quantile(np.abs(weights), 0.9)
    graph = thresholded_graph(weights)
    for i, j in np.ndindex(n, n):
        strong = abs(weights[i, j]) > limit or abs(weights[j, i]) > limit
        assert graph[i, j] == (strong and i != j)


@pytest.mark.parametrize("weights", [np.ones((2, 3)), np.ones(4), np.ones((1, 1))])
def test_only_square_weights_have_a_graph(weights):
    with pytest.raises(BadInput, match=r"is not \(N, N\) with N ≥ 2; give a square matrix"):
        thresholded_graph(weights)
    with pytest.raises(BadInput, match="not all finite"):
        thresholded_graph(np.full((3, 3), np.nan))


def check_simple(null, n):
    assert null.shape == (n, n)
    assert null.dtype == bool
    np.testing.assert_array_equal(null, null.T)
    assert not null.diagonal().any()


@given(graphs(), st.integers(0, 99))
def test_nulls_keep_the_number_of_edges_or_every_degree(graph, seed):
    rng = np.random.default_rng(seed)
    for null in matched_graphs(graph, rng, 3):
        check_simple(null, len(graph))
        assert null.sum() == graph.sum()
    for null in degree_preserving_graphs(graph, rng, 3):
        check_simple(null, len(graph))
        np.testing.assert_array_equal(null.sum(axis=0), graph.sum(axis=0))


def regular_hexagon():
    ring = np.roll(np.eye(6, dtype=bool), 1, axis=1)
    return ring | ring.T


@pytest.mark.parametrize(
    ("graph", "nulls", "n_possible", "limit"),
    [
        # 70 = 60 hexagons and 10 pairs of triangles; 210 = 10 over 4; the 0.999 quantiles of χ²
        (regular_hexagon(), degree_preserving_graphs, 70, 111.1),
        (np.kron(np.eye(3), [[0, 1], [1, 0]]) > 0, degree_preserving_graphs, 15, 36.1),
        (np.pad(np.ones((1, 4), bool), ((0, 4), (1, 0))), matched_graphs, 210, 276.3),
    ],
)
def test_every_possible_null_comes_up_alike(graph, nulls, n_possible, limit):
    graph = graph | graph.T
    found = [null.ravel() for null in nulls(graph, np.random.default_rng(3), 50 * n_possible)]
    seen, counts = np.unique(found, axis=0, return_counts=True)
    assert len(seen) == n_possible
    assert np.sum((counts - 50) ** 2 / 50) < limit


def test_degree_preserving_nulls_forget_the_edges_of_the_graph():
    graph = thresholded_graph(np.random.default_rng(0).normal(size=(64, 64)))
    nulls = degree_preserving_graphs(graph, rng(), 99)
    kept = [(null & graph).sum() / graph.sum() for null in nulls]
    degrees = graph.sum(axis=0)
    by_chance = np.outer(degrees, degrees)[graph].mean() / degrees.sum()
    assert np.mean(kept) == pytest.approx(by_chance, rel=0.05)


def expected_clustering_of_the_18_percent_nulls(n):
    """By the number k of neighbours other than the neuron itself, with a self-loop and without."""
    p, loop = 0.18, 0.3
    k = np.arange(1, n)
    linked = k * (k - 1) * p + k * loop
    without = np.where(k > 1, linked / np.maximum(k * (k - 1), 1), 0)
    with_loop = (linked + 2 * k + 1) / (k * (k + 1))
    return binom.pmf(k, n - 1, p) @ ((1 - loop) * without + loop * with_loop)


def test_self_loops_raise_the_clustering_of_the_18_percent_nulls():
    found = [clustering_coefficients(null).mean() for null in density_18_graphs(40, rng(), 2000)]
    expected = expected_clustering_of_the_18_percent_nulls(40)
    assert expected > 0.2
    assert np.mean(found) == pytest.approx(expected, abs=5 * np.std(found) / math.sqrt(2000))


@settings(max_examples=20)
@given(st.integers(0, 99), st.sampled_from(["matched", "density_18"]))
def test_topology_does_not_depend_on_the_order_of_neurons(seed, nulls):
    numbers = np.random.default_rng(seed)
    weights = numbers.normal(size=(30, 30))
    order = numbers.permutation(30)
    one = topology(weights, rng(), nulls, 5)
    other = topology(weights[np.ix_(order, order)], rng(), nulls, 5)
    for name, value in asdict(one).items():
        if name not in ("modularity_greedy", "modularity_louvain", "n_communities", "undefined"):
            assert getattr(other, name) == pytest.approx(value, rel=1e-9)
    np.testing.assert_array_equal(
        thresholded_graph(weights)[np.ix_(order, order)],
        thresholded_graph(weights[np.ix_(order, order)]),
    )


def test_topology_collects_the_measures():
    weights = np.random.default_rng(0).lognormal(size=(48, 48)) + 2 * np.eye(48)
    graph = thresholded_graph(weights)
    draws = rng()
    louvain = louvain_communities(graph, int(draws.integers(2**32)))
    small_world = small_worldness(graph, matched_graphs(graph, draws, 20))
    greedy = greedy_communities(graph)
    assert topology(weights, rng(), n_nulls=20) == Topology(
        modularity_greedy=modularity(graph, greedy),
        modularity_louvain=modularity(graph, louvain),
        n_communities=len(np.unique(greedy)),
        clustering=clustering_coefficients(graph).mean(),
        efficiency=global_efficiency(graph),
        small_worldness=small_world.value,
        assortativity=degree_assortativity(graph),
        density=np.mean(graph[np.triu_indices(48, 1)]),
        entropy=weight_entropy(weights),
        entropy_without_diagonal=weight_entropy(weights, diagonal=False),
    )


def test_unrelated_weights_look_random_to_matched_nulls_and_not_to_the_18_percent_ones():
    values = {}
    for nulls in ("matched", "degree_preserving", "density_18"):
        drawn = np.random.default_rng(2)
        runs = [topology(drawn.normal(size=(96, 96)), drawn, nulls, 20) for _ in range(8)]
        values[nulls] = np.mean([run.small_worldness for run in runs])
    assert values["matched"] == pytest.approx(1, abs=0.02)
    assert values["degree_preserving"] == pytest.approx(1, abs=0.02)
    # At these densities p almost all pairs are within two steps: efficiency (1 + p) / 2.
    expected = 0.19 / expected_clustering_of_the_18_percent_nulls(96) * 1.19 / 1.18
    assert values["density_18"] == pytest.approx(expected, abs=0.02)
    assert expected < 0.9


def test_planted_modules_are_found():
    block = np.repeat(np.arange(4), 16)
    within = block[:, None] == block
    weights = np.random.default_rng(0).random((64, 64)) * np.where(within, 1, 0.6)
    found = topology(weights, rng(), n_nulls=20)
    assert found.n_communities == 4
    assert found.modularity_greedy == found.modularity_louvain > 0.7
    assert found.small_worldness > 2


def test_topology_says_why_a_measure_is_not_defined():
    nothing = Topology(undefined="the weights are not all finite")
    for bad in (np.nan, np.inf):
        found = topology(np.where(np.eye(20) > 0, bad, 0.1), rng())
        assert str(found) == str(nothing)
    few = topology(np.diag(np.arange(20.0)), rng())
    assert few.undefined == (
        "the weights off the diagonal are all the same; "
        "the graph has fewer edges (0) than neurons (20)"
    )
    assert few.density == 0
    assert few.entropy > 0
    assert str(replace(few, entropy=math.nan)) == str(
        Topology(density=0.0, undefined=few.undefined)
    )
    ring = topology(np.roll(np.eye(40), 1, axis=1), rng(), "degree_preserving", 1)
    assert ring.undefined == (
        "no null graph has a triangle; all linked neurons have the same degree"
    )
    assert math.isnan(ring.small_worldness)
    assert math.isnan(ring.assortativity)
    assert ring.clustering == 0


def test_unknown_nulls_are_refused():
    with pytest.raises(BadInput, match="use matched or density_18 or degree_preserving"):
        topology(np.random.default_rng(0).normal(size=(20, 20)), rng(), "lattice")
