"""The initialiser gives W_bio, to every gate one of its own."""

import json
from dataclasses import replace

import numpy as np
import pytest
from back_end import keras, precision

from biosernn.errors import BadInput
from biosernn.initializers.bio import bio_weights
from biosernn.keras import BioInitializer
from biosernn.protocol import CORRECTED, PUBLISHED
from biosernn.sources.release import read_release

N = 12


def similarity(seed):
    matrix = np.random.default_rng(seed).uniform(0, 0.4, (N, N))
    return np.tril(matrix, -1) + np.tril(matrix, -1).T + np.eye(N)


CORR, STTC = similarity(1), similarity(2)


def called(initializer, shape, dtype=None):
    return keras.ops.convert_to_numpy(initializer(shape, dtype))


@pytest.mark.parametrize("protocol", ["corrected", "published", replace(CORRECTED, bins="ms200")])
@pytest.mark.parametrize("diagonal", ["keep", "drop", "drop-rescaled"])
@pytest.mark.parametrize("absent", [(), ("corr",), ("sttc",)])
def test_the_kernel_is_w_bio(protocol, diagonal, absent):
    given = {"corr": CORR, "sttc": STTC} | dict.fromkeys(absent)
    given |= {"seed": 3, "protocol": protocol, "diagonal": diagonal}
    expected = bio_weights(**given)
    np.testing.assert_array_equal(called(BioInitializer(**given), (N, N)), np.float32(expected))
    with precision(64):
        np.testing.assert_array_equal(called(BioInitializer(**given), (N, N)), expected)


def test_the_kernel_is_the_references(shared):
    cohort = read_release(shared / "data/release/6_6_2")
    with np.load(shared / "oracle/w_bio.npz", allow_pickle=False) as file:
        expected, sample = file["n312_default_rng_312/final_f32/sample"], file["n312_sample_idx"]
    initializer = BioInitializer(cohort.corr, cohort.sttc, seed=312, protocol="published")
    kernel = called(initializer, (312, 312))
    np.testing.assert_allclose(kernel[tuple(sample.T)], expected, rtol=1e-6)


@pytest.mark.parametrize(("layer", "gates"), [("SimpleRNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_every_gate_has_a_w_bio_of_its_own(layer, gates):
    initializer = BioInitializer(CORR, STTC, seed=3)
    layer = getattr(keras.layers, layer)(N, recurrent_initializer=initializer)
    layer.build((None, 5, 8))
    kernel = keras.ops.convert_to_numpy(layer.cell.recurrent_kernel)
    draws = np.random.default_rng(3).lognormal(-0.5, 0.5, (gates, N, N))
    for block, draw in zip(np.split(kernel, gates, axis=1), draws, strict=True):
        expected = bio_weights(CORR, STTC, seed=0, lognormal=draw)
        np.testing.assert_array_equal(block, np.float32(expected))


@pytest.mark.parametrize("protocol", [CORRECTED, PUBLISHED, replace(CORRECTED, threshold="floor")])
@pytest.mark.parametrize("corr", [CORR, None])
def test_configuration_gives_the_same_initializer(protocol, corr):
    initializer = BioInitializer(corr, STTC, seed=4, protocol=protocol, diagonal="drop")
    text = json.dumps(keras.initializers.serialize(initializer))
    again = keras.initializers.deserialize(json.loads(text))
    plain = BioInitializer.from_config(json.loads(json.dumps(initializer.get_config())))
    for other in (again, plain):
        assert other.protocol == protocol
        assert other.get_config() == initializer.get_config()
        np.testing.assert_array_equal(called(other, (N, N)), called(initializer, (N, N)))


@pytest.mark.parametrize(
    ("change", "shape", "message"),
    [
        ({"protocol": "released"}, (N, N), "use corrected, published or both"),
        ({"diagonal": "zero"}, (N, N), "use keep, drop or drop-rescaled"),
        ({"sttc": np.eye(4)}, (N, N), "2 different shapes"),
        ({"corr": np.full((N, N), np.nan)}, (N, N), "corr of neuron 0: not finite"),
        ({}, (16, 16), r"recurrent kernel: shape \(16, 16\) is not \(12, 12\)"),
        ({}, (N, N + 1), "recurrent kernel: shape"),
        ({"corr": None, "sttc": None}, (N, N), "corr, sttc: neither is given"),
    ],
)
def test_what_does_not_fit_is_refused(change, shape, message):
    given = {"corr": CORR, "sttc": STTC, "seed": 1, **change}
    with pytest.raises(BadInput, match=message):
        BioInitializer(**given)(shape)
