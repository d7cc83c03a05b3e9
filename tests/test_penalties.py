"""Penalties and their gradients against the reference implementation and against NumPy twins."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import expm

from biosernn.errors import BadInput
from biosernn.geometry.distances import pairwise_distances
from biosernn.geometry.grid import integer_lattice
from biosernn.geometry.scramble import minmax_scrambled
from biosernn.graphs.communicability import communicability, target_communicability
from biosernn.initializers.orthogonal import haar_orthogonal
from biosernn.penalties.distance import distance_penalty
from biosernn.penalties.distance_communicability import distance_communicability_penalty
from biosernn.penalties.l1 import l1
from biosernn.penalties.matched_communicability import (
    communicability_match,
    matched_communicability_penalty,
    sorted_target,
)
from biosernn.penalties.matching import matched_strength
from biosernn.penalties.spatial import SpatialPenalty

N = 6
KINDS = [
    {"communicability": "none"},
    {"communicability": "own"},
    {"communicability": "target"},
    {"communicability": "target", "matched_wiring_term": "distance_only"},
]


def some_distances(n, seed=0):
    return pairwise_distances(np.random.default_rng(seed).normal(size=(n, 3)))


def some_target(n, seed=1):
    return target_communicability(np.random.default_rng(seed).random((n, n)) < 0.4)


def penalty_of(kind, n=N, **choices):
    choices = {**kind, **choices}
    if choices["communicability"] == "target":
        choices["communicability"] = some_target(n)
    return SpatialPenalty(some_distances(n), 0.3, **choices)


PENALTIES = [penalty_of(kind) for kind in KINDS]
GRADIENTS = [jax.jit(jax.value_and_grad(penalty)) for penalty in PENALTIES]

WEIGHTS = arrays(
    float, (N, N), elements=st.floats(-2, 2).map(lambda w: w if abs(w) > 1e-3 else 0.0)
)
EXTREME_WEIGHTS = arrays(
    np.float32,
    (N, N),
    elements=st.floats(-1e3, 1e3, width=32) | st.sampled_from([0, -0.0, 1e-45, 1e-30, 1e-19, -1]),
)


def slow_penalty(weights, distances, strength, communicability="none", term="with_c"):
    """By definition, entry by entry; a neuron without outgoing weights is left out of C."""
    n, absolute = len(weights), np.abs(weights)
    strengths = absolute.sum(axis=1)
    normalised = np.zeros((n, n))
    for i in np.flatnonzero(strengths):
        for j in np.flatnonzero(strengths):
            normalised[i, j] = absolute[i, j] / np.sqrt(strengths[i] * strengths[j])
    exponential = expm(normalised)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    matched = not isinstance(communicability, str)
    with_c = term == "with_c" and (matched or communicability == "own")
    total = strength * sum(
        absolute[i, j] * distances[i, j] * (exponential[i, j] if with_c else 1) for i, j in pairs
    )
    if matched:
        target = sorted(communicability[i, j] for i, j in pairs)
        own = sorted(exponential[i, j] for i, j in pairs)
        total += 0.1 * sum(abs(a - b) for a, b in zip(target, own, strict=True)) / len(pairs)
    return total


@pytest.fixture(scope="module")
def small(shared):
    with np.load(shared / "oracle/regularisers.npz", allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def real(shared):
    with np.load(shared / "oracle/regularisers_312.npz", allow_pickle=False) as file:
        return {key.removeprefix("n312/"): file[key] for key in file.files}


def compiled(penalty, **choices):
    return jax.jit(jax.value_and_grad(partial(penalty, **choices)))


WD = compiled(distance_penalty)
WDC = compiled(distance_communicability_penalty)
RELEASED_WDC = compiled(distance_communicability_penalty, isolated="released")
RELEASED_EMD = compiled(
    matched_communicability_penalty, wiring_term="distance_only", isolated="released"
)
RELEASED_EMD_ONLY = compiled(communicability_match, isolated="released")
L1 = compiled(l1)


def in_precision(bits, function, weights, *arguments):
    """Value and gradient, computed in the weights' precision, as NumPy arrays."""
    with jax.enable_x64(bits == 64):
        value, gradient = function(jnp.asarray(weights, f"float{bits}"), *arguments)
        assert value.dtype == gradient.dtype == f"float{bits}"
        return np.asarray(value, float), np.asarray(gradient, float)


def assert_close(result, reference, tolerance):
    """Relative to the largest entry, as ORACLE.md measures gradients."""
    assert np.abs(result - reference).max() <= tolerance * np.abs(reference).max()


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize(
    ("size", "kind"), [(n, kind) for n in (5, 16, 64) for kind in ("orth", "logn", "gauss")][:-1]
)
def test_values_and_gradients_are_the_references(small, size, kind, bits):
    place = f"n{size}/{kind}"
    weights, near, grid = small[f"{place}/W"], small[f"n{size}/dist"], small[f"n{size}/dist_grid"]
    cases = [
        ("L1", L1, (1.0,)),
        ("WD", WD, (near, 0.3)),
        ("WDgrid", WD, (grid, 0.3)),
        ("WDC", WDC, (near, 0.3)),
        ("WDCgrid", WDC, (grid, 0.3)),
    ]
    for name in ("dense", "sparse"):
        target = target_communicability(small[f"n{size}/target_{name}/connectome"], "released")
        target = sorted_target(target, "released")
        cases += [
            (f"EMD_{name}", RELEASED_EMD, (near, 0.3, target)),
            (f"EMDonly_{name}", RELEASED_EMD_ONLY, (target,)),
        ]
    for label, function, arguments in cases:
        value, gradient = in_precision(bits, function, weights, *arguments)
        rtol = 1e-12 if bits == 64 else 1e-6
        np.testing.assert_allclose(value, small[f"{place}/{label}/value"], rtol=rtol)
        tolerance = 1e-12 if bits == 64 else 2e-5 if "only" in label else 5e-6
        assert_close(gradient, small[f"{place}/{label}/grad"], tolerance)


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("kind", ["orth", "logn"])
def test_values_and_gradients_of_312_neurons_are_the_references(shared, real, kind, bits):
    near = pairwise_distances(minmax_scrambled(real["positions_raw"]))
    grid = pairwise_distances(integer_lattice(312))
    pre, post, count = real["connectome_coo"].T
    counts = np.zeros((312, 312))
    counts[pre, post] = count
    target = sorted_target(target_communicability(counts, "released"), "released")
    full = shared / "oracle/regularisers_312_full_orth.npz"
    for label, function, arguments in (
        ("L1", L1, (1.0,)),
        ("WD", WD, (near, 0.3)),
        ("WDgrid", WD, (grid, 0.3)),
        ("WDC", WDC, (near, 0.3)),
        ("WDCgrid", WDC, (grid, 0.3)),
        ("EMD_real", RELEASED_EMD, (near, 0.3, target)),
        ("EMDonly_real", RELEASED_EMD_ONLY, (target,)),
    ):
        value, gradient = in_precision(bits, function, real[f"{kind}/W"], *arguments)
        rtol = 1e-12 if bits == 64 else 1e-6
        tolerance = 1e-12 if bits == 64 else 2e-5 if "only" in label else 5e-6
        kept = {key: real.get(f"{kind}/{label}/{key}") for key in ("value", "grad_sample")}
        np.testing.assert_allclose(value, kept["value"], rtol=rtol)
        assert_close(gradient[tuple(real["sample_idx"].T)], kept["grad_sample"], tolerance)
        for axis, sums in ((1, "rowsum"), (0, "colsum")):
            assert_close(gradient.sum(axis), real[f"{kind}/{label}/grad_{sums}"], tolerance)
        norm = np.linalg.norm(gradient)
        np.testing.assert_allclose(norm, real[f"{kind}/{label}/grad_norm"], rtol=tolerance)
        projected = real["proj_u"] @ gradient @ real["proj_v"]
        scale = norm * np.linalg.norm(real["proj_u"]) * np.linalg.norm(real["proj_v"])
        assert abs(projected - real[f"{kind}/{label}/grad_uGv"]) <= tolerance * scale
        if kind == "orth" and label in ("WDC", "EMDonly_real"):
            with np.load(full, allow_pickle=False) as file:
                assert_close(gradient, file[f"{label}/grad"], tolerance)


@pytest.mark.parametrize("case", ["zerorow", "zerocol", "zeroboth", "zeroentry"])
def test_degenerate_rows_and_columns_are_the_references(small, case):
    weights, near = small[f"{case}/W"], small["n5/dist"]
    target = target_communicability(small["n5/target_dense/connectome"], "released")
    target = sorted_target(target, "released")

    value, gradient = in_precision(64, RELEASED_EMD, weights, near, 0.3, target)
    np.testing.assert_allclose(value, small[f"{case}/EMD_dense/value_exact"], rtol=1e-7)
    assert_close(gradient, small[f"{case}/EMD_dense/grad"], 1e-7)
    value, gradient = in_precision(32, RELEASED_EMD, weights, near, 0.3, target)
    np.testing.assert_allclose(value, small[f"{case}/EMD_dense/value_exact"], rtol=1e-6)
    assert_close(gradient, small[f"{case}/EMD_dense/grad"], 5e-6)

    for bits in (64, 32):
        for label, function, arguments in (("L1", L1, (1.0,)), ("WD", WD, (near, 0.3))):
            value, gradient = in_precision(bits, function, weights, *arguments)
            rtol = 1e-12 if bits == 64 else 1e-6
            np.testing.assert_allclose(value, small[f"{case}/{label}/value"], rtol=rtol)
            assert_close(gradient, small[f"{case}/{label}/grad"], rtol)
        value, gradient = in_precision(bits, RELEASED_WDC, weights, near, 0.3)
        if case in ("zerorow", "zeroboth"):
            assert np.isnan(value)
            assert np.isnan(gradient[~np.eye(5, dtype=bool)]).all()
        else:
            np.testing.assert_allclose(value, small[f"{case}/WDC/value"], rtol=rtol)
            assert_close(gradient, small[f"{case}/WDC/grad"], 1e-12 if bits == 64 else 5e-6)
        value, gradient = in_precision(bits, WDC, weights, near, 0.3)
        twin = slow_penalty(np.asarray(weights, float), near, 0.3, "own")
        np.testing.assert_allclose(value, twin, rtol=rtol)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("which", range(len(KINDS)))
def test_penalty_is_the_slow_twin(which):
    penalty = PENALTIES[which]

    @settings(max_examples=50)
    @given(WEIGHTS)
    def check(weights):
        value, _ = in_precision(64, GRADIENTS[which], weights)
        twin = slow_penalty(
            weights, penalty.distances, 0.3, penalty.communicability, penalty.matched_wiring_term
        )
        np.testing.assert_allclose(value, twin, rtol=1e-9, atol=1e-13)

    check()


@pytest.mark.parametrize("which", range(len(KINDS)))
def test_gradient_is_the_difference_quotient_of_the_twin(which):
    penalty, rng = PENALTIES[which], np.random.default_rng(which)
    weights, direction = rng.normal(size=(2, N, N))

    def twin(step):
        return slow_penalty(
            weights + step * direction,
            penalty.distances,
            0.3,
            penalty.communicability,
            penalty.matched_wiring_term,
        )

    _, gradient = in_precision(64, GRADIENTS[which], weights)
    quotient = (twin(1e-6) - twin(-1e-6)) / 2e-6
    np.testing.assert_allclose(np.sum(gradient * direction), quotient, rtol=1e-7)


@pytest.mark.parametrize("which", range(len(KINDS)))
def test_gradient_is_finite_everywhere_and_absent_at_zero_weights(which):
    @given(EXTREME_WEIGHTS)
    def check(weights):
        value, gradient = in_precision(32, GRADIENTS[which], weights)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
        np.testing.assert_array_equal(gradient[weights == 0], 0)

    check()


@pytest.mark.parametrize("which", range(len(KINDS)))
def test_relabelling_neurons_leaves_the_penalty(which):
    penalty = PENALTIES[which]

    @settings(max_examples=50)
    @given(WEIGHTS, st.permutations(range(N)))
    def check(weights, order):
        moved = np.ix_(order, order)
        with jax.enable_x64(True):
            before = penalty(weights)
            after = replace(penalty, distances=penalty.distances[moved])(weights[moved])
            np.testing.assert_allclose(after, before, rtol=1e-12)

    check()


@given(WEIGHTS, st.sampled_from([0.1, 0.7, 3.0, 10.0]))
def test_own_communicability_makes_a_penalty_of_degree_one(weights, factor):
    once, gradient = in_precision(64, WDC, weights, some_distances(N), 0.3)
    scaled, _ = in_precision(64, WDC, factor * weights, some_distances(N), 0.3)
    np.testing.assert_allclose(scaled, factor * once, rtol=1e-12)
    np.testing.assert_allclose(np.sum(gradient * weights), once, rtol=1e-9)


def test_self_weights_cost_nothing_but_in_l1():
    weights = jnp.asarray(0.95 * np.eye(N))
    assert [float(penalty(weights)) for penalty in PENALTIES[:2]] == [0, 0]
    assert float(l1(weights, 1.0)) == pytest.approx(0.95 * N)


def test_single_choices_of_the_matched_penalty():
    weights, target = jnp.asarray(np.random.default_rng(3).normal(size=(N, N))), some_target(N)
    wiring = {
        "with_c": distance_communicability_penalty(weights, some_distances(N), 0.3),
        "distance_only": distance_penalty(weights, some_distances(N), 0.3),
    }
    for isolated in ("zero", "released"):
        match = communicability_match(weights, sorted_target(target, isolated), isolated)
        for term in wiring:
            penalty = SpatialPenalty(some_distances(N), 0.3, target, term, isolated)
            np.testing.assert_allclose(penalty(weights), wiring[term] + 0.1 * match, rtol=1e-6)
    assert len(sorted_target(target)) == N * (N - 1)
    assert len(sorted_target(target, "released")) == N**2


def test_released_choice_gives_no_number_where_a_row_is_zero():
    weights = np.ones((N, N))
    weights[2] = 0
    own = SpatialPenalty(some_distances(N), 0.3, "own", isolated="released")
    assert np.isnan(own(weights))
    matched = SpatialPenalty(
        some_distances(N), 0.3, some_target(N), "distance_only", isolated="released"
    )
    assert np.isfinite(matched(weights))
    assert matched(weights) > 100


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_result_has_the_dtype_of_the_weights(penalty, bits):
    with jax.enable_x64(True):
        weights = jax.ShapeDtypeStruct((N, N), f"float{bits}")
        value, gradient = jax.eval_shape(jax.value_and_grad(penalty), weights)
    assert value.dtype == gradient.dtype == f"float{bits}"
    assert value.shape == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"distances": np.zeros((2, 3))}, r"distances: shape \(2, 3\)"),
        ({"distances": np.full((2, 2), np.inf)}, "distances: not all finite"),
        ({"distances": -np.ones((2, 2))}, "distances: not all >= 0"),
        ({"strength": float("nan")}, "strength: nan"),
        ({"strength": -1.0}, "strength: -1.0"),
        ({"communicability": "measured"}, "use none, own or"),
        ({"communicability": np.zeros((3, 3))}, r"communicability: not \(2, 2\)"),
        ({"isolated": "nan"}, "use zero or released"),
        ({"matched_wiring_term": "c"}, "use with_c or distance_only"),
    ],
)
def test_unusable_choices_are_refused(change, message):
    with pytest.raises(BadInput, match=message):
        SpatialPenalty(**{"distances": np.zeros((2, 2)), "strength": 0.3, **change})


def test_weights_of_another_size_are_refused():
    with pytest.raises(BadInput, match=r"weights: shape \(3, 3\)"):
        PENALTIES[0](np.ones((3, 3)))


def test_matched_strength_equalises_the_expected_penalties():
    """Against the mean penalty of other orthogonal matrices than the function's own."""
    n, rng = 24, np.random.default_rng(5)
    real, other = some_distances(n, 6), 12 * some_distances(n, 7)
    drawn = [haar_orthogonal(n, rng) for _ in range(100)]
    own = np.mean([np.sum(np.abs(o) * communicability(o) * real) for o in drawn])
    for kind, mean in (
        ("l1", np.mean([np.abs(o).sum() for o in drawn])),
        ("distance", np.mean([np.sum(np.abs(o) * other) for o in drawn])),
        (
            "distance_communicability",
            np.mean([np.sum(np.abs(o) * communicability(o) * other) for o in drawn]),
        ),
    ):
        np.testing.assert_allclose(
            matched_strength(0.3, kind, other, real), 0.3 * own / mean, rtol=0.01
        )
    assert matched_strength(0.3, "distance_communicability", real, real) == 0.3
