"""The regulariser against the reference's values and the engine's, on either back end."""

import json

import jax
import numpy as np
import pytest
from back_end import MODES, assert_close, compiled, keras, precision

from biosernn.errors import BadInput
from biosernn.geometry.distances import pairwise_distances
from biosernn.geometry.scramble import minmax_scrambled
from biosernn.graphs.communicability import target_communicability
from biosernn.keras import SpatialRegularizer
from biosernn.penalties.spatial import SpatialPenalty

N = 6
RNG = np.random.default_rng(0)
DISTANCES = pairwise_distances(RNG.normal(size=(N, 3)))
TARGET = target_communicability(RNG.random((N, N)) < 0.4)
CHOICES = {
    "none": ("none",),
    "own": ("own",),
    "own, released": ("own", "with_c", "released"),
    "matched": (TARGET,),
    "matched, distance only": (TARGET, "distance_only"),
    "matched, released": (TARGET, "with_c", "released"),
    "matched, distance only, released": (TARGET, "distance_only", "released"),
}


@pytest.fixture(scope="module")
def oracle(shared):
    with np.load(shared / "oracle/regularisers.npz", allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def real(shared):
    with np.load(shared / "oracle/regularisers_312.npz", allow_pickle=False) as file:
        return {key.removeprefix("n312/"): file[key] for key in file.files}


def released_match(distances, connectome, strength=0.3):
    target = target_communicability(connectome, "released")
    return SpatialRegularizer(distances, strength, target, "distance_only", "released")


def tolerances(label, bits):
    """ORACLE.md's, of values and of gradients."""
    if bits == 64:
        return 1e-12, 1e-12
    return 1e-6, 2e-5 if "only" in label else 5e-6


@pytest.mark.parametrize(("size", "bits"), [(16, 64), (64, 32)])
@pytest.mark.parametrize("mode", MODES)
def test_values_and_gradients_are_the_references(oracle, size, mode, bits):
    near, grid = oracle[f"n{size}/dist"], oracle[f"n{size}/dist_grid"]
    cases = {
        "WD": SpatialRegularizer(near, 0.3),
        "WDgrid": SpatialRegularizer(grid, 0.3),
        "WDC": SpatialRegularizer(near, 0.3, "own"),
        "WDCgrid": SpatialRegularizer(grid, 0.3, "own"),
    }
    for name in ("dense", "sparse"):
        connectome = oracle[f"n{size}/target_{name}/connectome"]
        match = released_match(near, connectome, strength=0)
        cases[f"EMD_{name}"] = released_match(near, connectome)
        cases[f"EMDonly_{name}"] = lambda kernel, match=match: 10 * match(kernel)
    with precision(bits):
        for label, regularizer in cases.items():
            value_and_gradient = compiled(regularizer, mode)
            rtol, tolerance = tolerances(label, bits)
            for kind in ("orth", "logn"):
                place = f"n{size}/{kind}"
                value, gradient = value_and_gradient(oracle[f"{place}/W"].astype(f"float{bits}"))
                assert value.dtype == gradient.dtype == f"float{bits}"
                np.testing.assert_allclose(value, oracle[f"{place}/{label}/value"], rtol=rtol)
                assert_close(gradient, oracle[f"{place}/{label}/grad"], tolerance)


@pytest.mark.parametrize("bits", [64, 32])
@pytest.mark.parametrize("label", ["WDC", "EMD_real"])
def test_values_and_gradients_of_312_neurons_are_the_references(real, label, bits):
    near = pairwise_distances(minmax_scrambled(real["positions_raw"]))
    pre, post, count = real["connectome_coo"].T
    counts = np.zeros((312, 312))
    counts[pre, post] = count
    regularizer = (
        SpatialRegularizer(near, 0.3, "own") if label == "WDC" else released_match(near, counts)
    )
    rtol, tolerance = tolerances(label, bits)
    with precision(bits):
        value_and_gradient = compiled(regularizer, MODES[1])
        for kind in ("orth", "logn"):
            value, gradient = value_and_gradient(real[f"{kind}/W"].astype(f"float{bits}"))
            np.testing.assert_allclose(value, real[f"{kind}/{label}/value"], rtol=rtol)
            sample = gradient[tuple(real["sample_idx"].T)]
            assert_close(sample, real[f"{kind}/{label}/grad_sample"], tolerance)


def some_kernels():
    dense, sparse = RNG.normal(size=(2, N, N))
    sparse[RNG.random((N, N)) < 0.5] = 0
    isolated = sparse.copy()
    isolated[2] = 0
    return dense, sparse, isolated


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_is_the_engines(choice, mode):
    with precision(64):
        penalty = jax.jit(jax.value_and_grad(SpatialPenalty(DISTANCES, 0.3, *CHOICES[choice])))
        value_and_gradient = compiled(SpatialRegularizer(DISTANCES, 0.3, *CHOICES[choice]), mode)
        for kernel in some_kernels():
            expected, slope = (np.asarray(array) for array in penalty(kernel))
            value, gradient = value_and_gradient(kernel)
            np.testing.assert_allclose(value, expected, rtol=1e-12)
            scale = np.nanmax(np.abs(slope), initial=1)
            np.testing.assert_allclose(gradient, slope, rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("choice", [name for name in CHOICES if "released" not in name])
def test_gradient_is_finite_everywhere_and_absent_at_zero_weights(choice, mode):
    value_and_gradient = compiled(SpatialRegularizer(DISTANCES, 0.3, *CHOICES[choice]), mode)
    tiny = np.float32(RNG.choice([0, -0.0, 1e-45, 1e-30, 1e-19, -1, 1e3], (N, N)))
    for kernel in (*some_kernels(), np.zeros((N, N)), tiny):
        value, gradient = value_and_gradient(np.float32(kernel))
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
        np.testing.assert_array_equal(gradient[kernel == 0], 0)


@pytest.mark.parametrize("gates", [3, 4])
@pytest.mark.parametrize("choice", ["none", "own", "matched"])
def test_gates_are_penalised_each_for_itself(choice, gates):
    blocks = RNG.normal(size=(gates, N, N))
    with precision(64):
        penalty = jax.value_and_grad(SpatialPenalty(DISTANCES, 0.3, *CHOICES[choice]))
        values, slopes = zip(*(penalty(block) for block in blocks), strict=True)
        regularizer = SpatialRegularizer(DISTANCES, 0.3, *CHOICES[choice])
        value, gradient = compiled(regularizer, "jit")(np.concatenate(blocks, axis=1))
    np.testing.assert_allclose(value, np.sum(values), rtol=1e-12)
    assert_close(gradient, np.concatenate(slopes, axis=1), 1e-12)


@pytest.mark.parametrize("choice", CHOICES)
def test_configuration_gives_the_same_regularizer(choice):
    regularizer = SpatialRegularizer(DISTANCES, 0.3, *CHOICES[choice])
    text = json.dumps(keras.regularizers.serialize(regularizer))
    again = keras.regularizers.deserialize(json.loads(text))
    plain = SpatialRegularizer.from_config(json.loads(json.dumps(regularizer.get_config())))
    kernel = np.float32(some_kernels()[0])
    for other in (again, plain):
        assert other.get_config() == regularizer.get_config()
        assert float(other(kernel)) == float(regularizer(kernel))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((2, 3)), 0.3), r"distances: shape \(2, 3\)"),
        ((DISTANCES, -1.0), "strength: -1.0"),
        ((DISTANCES, 0.3, "measured"), "use none, own or"),
        ((DISTANCES, 0.3, np.zeros((3, 3))), r"communicability: not \(6, 6\)"),
        ((DISTANCES, 0.3, "own", "with_c", "nan"), "use zero or released"),
    ],
)
def test_unusable_arguments_are_refused(arguments, message):
    with pytest.raises(BadInput, match=message):
        SpatialRegularizer(*arguments)


@pytest.mark.parametrize("shape", [(5, 5), (6, 7), (5, 6), (6,), (6, 6, 1)])
def test_a_kernel_of_another_shape_is_refused(shape):
    with pytest.raises(BadInput, match=r"recurrent kernel: shape .* is not \(6, 6\) or some"):
        SpatialRegularizer(DISTANCES, 0.3)(np.ones(shape, np.float32))
