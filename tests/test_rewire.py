"""What rewirings keep and what they change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosernn.geometry.distances import pairwise_distances
from biosernn.graphs.rewire import degree_preserving_rewiring, distance_preserving_rewiring

graphs = st.tuples(st.integers(2, 12), st.floats(0, 0.6), st.integers(0, 999))


def some_graph(n, density, seed):
    """Distinct weights on random edges, and self-weights."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random((n, n)) < density, rng.lognormal(size=(n, n)), 0)


@pytest.fixture(scope="module")
def sheet(shared):
    """True positions in µm, and edges that fall with distance as those of 6_6_2 do."""
    with np.load(shared / "oracle/regularisers_312.npz", allow_pickle=False) as file:
        distances = pairwise_distances(file["n312/positions_raw"] * [0.004, 0.004, 0.04])
    chance = np.exp(-distances / 45)
    np.fill_diagonal(chance, 0)
    chance *= 316 / chance.sum()
    rng = np.random.default_rng(0)
    return np.where(
        rng.random(chance.shape) < chance, rng.lognormal(size=chance.shape), 0
    ), distances


def edge_lengths(weights, distances):
    return np.sort(distances[(weights != 0) & ~np.eye(len(weights), dtype=bool)])


def check_kept(rewired, weights):
    np.testing.assert_array_equal((rewired != 0).sum(axis=0), (weights != 0).sum(axis=0))
    np.testing.assert_array_equal(rewired.diagonal(), weights.diagonal())
    for before, after in zip(weights, rewired, strict=True):
        assert sorted(before) == sorted(after)


@given(graphs, st.integers(0, 99))
def test_degrees_and_the_weights_of_each_presynaptic_neuron_stay(graph, seed):
    weights = some_graph(*graph)
    check_kept(degree_preserving_rewiring(weights, np.random.default_rng(seed)), weights)


@given(graphs, st.integers(0, 99), st.integers(1, 10))
def test_edge_lengths_stay_within_their_bins(graph, seed, n_bins):
    weights, rng = some_graph(*graph), np.random.default_rng(seed)
    distances = pairwise_distances(rng.normal(size=(len(weights), 3)))
    rewired = distance_preserving_rewiring(weights, distances, rng, n_bins)
    check_kept(rewired, weights)
    before, after = edge_lengths(weights, distances), edge_lengths(rewired, distances)
    if len(before):
        limits = np.quantile(before, np.arange(1, n_bins) / n_bins)
        np.testing.assert_array_equal(np.digitize(after, limits), np.digitize(before, limits))


def test_every_graph_with_the_degrees_is_reached_alike():
    """Permutations without fixed points of four neurons: nine graphs, by the same chance."""
    ring = np.roll(np.eye(4), 1, axis=1)
    rng = np.random.default_rng(7)
    seen, counts = np.unique(
        [degree_preserving_rewiring(ring, rng).ravel() for _ in range(900)],
        axis=0,
        return_counts=True,
    )
    assert len(seen) == 9
    assert np.sum((counts - 100) ** 2 / 100) < 26.1  # the 0.999 quantile of χ² with 8 degrees


def test_plain_rewiring_stretches_the_edges_that_the_binned_one_keeps(sheet):
    weights, distances = sheet
    short = np.median(edge_lengths(weights, distances))
    plain = degree_preserving_rewiring(weights, np.random.default_rng(1))
    binned = distance_preserving_rewiring(weights, distances, np.random.default_rng(1))
    for rewired, most_kept in ((plain, 0.1), (binned, 0.4)):
        assert np.mean(rewired[weights != 0] != 0) < most_kept
    assert np.median(edge_lengths(plain, distances)) > 2 * short
    assert np.median(edge_lengths(binned, distances)) == pytest.approx(short, rel=0.02)
