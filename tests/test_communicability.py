"""The exponential and communicability against SciPy, the reference and each other."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import expm

from biosernn.errors import BadInput
from biosernn.graphs.communicability import (
    communicability,
    communicability_kernel,
    normalised_weights,
    target_communicability,
)
from biosernn.graphs.exponential import taylor_exponential

N = 6
KERNEL = jax.jit(communicability_kernel, static_argnames="isolated")
weights_with_zeros = arrays(
    float, (N, N), elements=st.floats(-2, 2).map(lambda w: w if abs(w) > 1e-3 else 0.0)
)


def slow_communicability(weights):
    """By definition, a neuron without outgoing weights left out."""
    absolute = np.abs(np.asarray(weights, float))
    strengths = absolute.sum(axis=1)
    kept = np.flatnonzero(strengths)
    scale = np.sqrt(np.outer(strengths[kept], strengths[kept]))
    result = np.zeros(absolute.shape)
    if len(kept):
        result[np.ix_(kept, kept)] = expm(absolute[np.ix_(kept, kept)] / scale)
    np.fill_diagonal(result, 0)
    return result


@pytest.fixture(scope="module")
def small(shared):
    with np.load(shared / "oracle/regularisers.npz", allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def real(shared):
    with np.load(shared / "oracle/regularisers_312.npz", allow_pickle=False) as file:
        return {key.removeprefix("n312/"): file[key] for key in file.files}


@pytest.mark.parametrize("degree", range(1, 25))
def test_taylor_exponential_is_the_sum_of_its_terms(degree):
    matrix = np.random.default_rng(degree).random((5, 5))
    slow = sum(np.linalg.matrix_power(matrix, k) / math.factorial(k) for k in range(degree + 1))
    with jax.enable_x64(True):
        fast = taylor_exponential(jnp.asarray(matrix), degree)
    np.testing.assert_allclose(fast, slow, rtol=1e-14)


@pytest.mark.parametrize(
    ("degree", "products"), [(1, 0), (4, 2), (9, 4), (12, 5), (16, 6), (20, 7)]
)
def test_taylor_exponential_takes_few_products(degree, products):
    program = jax.make_jaxpr(lambda m: taylor_exponential(m, degree))(jnp.eye(3))
    assert str(program).count("dot_general") == products
    assert str(program).count("HIGHEST") == 2 * products


def test_exponential_of_normalised_weights_is_at_rounding_in_both_precisions():
    weights = np.random.default_rng(0).lognormal(sigma=2, size=(128, 128))
    with jax.enable_x64(True):
        normalised = np.asarray(normalised_weights(jnp.asarray(weights)))
        double = taylor_exponential(jnp.asarray(normalised), 20)
    single = taylor_exponential(jnp.asarray(normalised, jnp.float32), 12)
    exact = expm(normalised)
    np.testing.assert_allclose(double, exact, rtol=2e-14)
    np.testing.assert_allclose(single, exact, rtol=1e-6)


@pytest.mark.parametrize(
    ("n", "kind"), [(n, kind) for n in (5, 16, 64) for kind in ("orth", "logn", "gauss")][:-1]
)
def test_communicability_is_the_references(small, n, kind):
    weights, reference = small[f"n{n}/{kind}/W"], small[f"n{n}/{kind}/comm"]
    np.testing.assert_allclose(communicability(weights), reference, rtol=1e-12)
    with jax.enable_x64(True):
        double = KERNEL(jnp.asarray(weights, jnp.float64))
    assert double.dtype == jnp.float64
    np.testing.assert_allclose(double, reference, rtol=1e-12)
    single = KERNEL(jnp.asarray(weights))
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, reference, rtol=1e-6)


@pytest.mark.parametrize("kind", ["orth", "logn"])
def test_communicability_of_312_neurons_is_the_references(real, kind):
    for result, rtol in (
        (communicability(real[f"{kind}/W"]), 1e-12),
        (np.asarray(KERNEL(jnp.asarray(real[f"{kind}/W"])), float), 1e-6),
    ):
        sample = result[tuple(real["sample_idx"].T)]
        np.testing.assert_allclose(sample, real[f"{kind}/comm_sample"], rtol=rtol)
        np.testing.assert_allclose(result.sum(axis=1), real[f"{kind}/comm_rowsum"], rtol=rtol)
        np.testing.assert_allclose(result.sum(axis=0), real[f"{kind}/comm_colsum"], rtol=rtol)
        norm = np.linalg.norm(result)
        np.testing.assert_allclose(norm, real[f"{kind}/comm_norm"], rtol=rtol)
        projected = real["proj_u"] @ result @ real["proj_v"]
        np.testing.assert_allclose(projected, real[f"{kind}/comm_uCv"], rtol=rtol)


@pytest.mark.parametrize("case", ["zerorow", "zerocol", "zeroboth", "zeroentry"])
def test_degenerate_communicability_is_the_references(small, case):
    weights = small[f"{case}/W"]
    with jax.enable_x64(True):
        offset = KERNEL(jnp.asarray(weights, jnp.float64), isolated="offset")
        undefined = KERNEL(jnp.asarray(weights, jnp.float64), isolated="nan")
    np.testing.assert_allclose(offset, small[f"{case}/commEps_exact"], rtol=1e-7)
    np.testing.assert_allclose(undefined, small[f"{case}/comm"], rtol=1e-12)
    np.testing.assert_allclose(communicability(weights), slow_communicability(weights), rtol=1e-12)


def test_single_precision_survives_strengths_of_1e_10(small):
    """Where TensorFlow's own float32 exponential is wrong by a factor of nine."""
    offset = KERNEL(jnp.asarray(small["zerorow/W"], jnp.float32), isolated="offset")
    np.testing.assert_allclose(offset, small["zerorow/commEps_exact"], rtol=1e-6)


@pytest.mark.parametrize("target", ["dense", "sparse"])
@pytest.mark.parametrize("n", [5, 16, 64])
def test_released_target_is_the_references(small, n, target):
    result = target_communicability(small[f"n{n}/target_{target}/connectome"], isolated="released")
    reference = small[f"n{n}/target_{target}/comm_sorted"]
    np.testing.assert_allclose(np.sort(result.ravel()), reference, rtol=1e-12, atol=1e-6)


def test_released_target_of_the_real_wiring_is_the_references(real):
    pre, post, count = real["connectome_coo"].T
    counts = np.zeros((312, 312))
    counts[pre, post] = count
    assert np.sum(counts.sum(axis=1) == 0) == 166
    result = target_communicability(counts, isolated="released")
    expected = np.zeros(312**2)
    nonzero = real["target_real/comm_sorted_nonzero"]
    expected[: len(nonzero)] = nonzero
    np.testing.assert_allclose(np.sort(result.ravel()), np.sort(expected), rtol=1e-12, atol=1e-6)
    corrected = target_communicability(counts)
    assert corrected.max() < 2
    np.testing.assert_allclose(corrected, slow_communicability(counts), rtol=1e-12, atol=1e-15)


@given(weights_with_zeros)
def test_kernel_and_public_function_are_the_slow_twin(weights):
    slow = slow_communicability(weights)
    np.testing.assert_allclose(communicability(weights), slow, rtol=1e-9, atol=1e-13)
    with jax.enable_x64(True):
        kernel = KERNEL(jnp.asarray(weights))
    np.testing.assert_allclose(kernel, slow, rtol=1e-9, atol=1e-13)


@given(weights_with_zeros, st.permutations(range(N)))
def test_communicability_follows_relabelling(weights, order):
    moved = np.ix_(order, order)
    np.testing.assert_allclose(
        communicability(weights[moved]), communicability(weights)[moved], rtol=1e-12
    )


def test_strengths_of_very_different_size_cost_no_digits():
    weights = np.array([[0, 1.0, 1.0], [1e-20, 0, 2e-20], [1.0, 1.0, 0]])
    root = np.sqrt([2.0, 3e-20, 2.0])
    transitions = np.array([[0, 0.5, 0.5], [1 / 3, 0, 2 / 3], [0.5, 0.5, 0]])
    exact = expm(transitions) * root[:, None] / root
    np.fill_diagonal(exact, 0)
    np.testing.assert_allclose(communicability(weights), exact, rtol=1e-13)
    with jax.enable_x64(True):
        np.testing.assert_allclose(KERNEL(jnp.asarray(weights)), exact, rtol=1e-13)


def test_public_function_gives_float64_and_refuses_what_it_cannot_use():
    assert communicability(np.ones((3, 3), np.float32)).dtype == np.float64
    assert communicability(jnp.ones((3, 3))).dtype == np.float64
    with pytest.raises(BadInput, match=r"shape \(2, 3\)"):
        communicability(np.ones((2, 3)))
    with pytest.raises(BadInput, match="not all finite"):
        communicability(np.full((2, 2), np.nan))
