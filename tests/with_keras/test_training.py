"""Models with the parts, against the reference's steps and the engine's; saved and loaded."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from back_end import BACK_END, MODES, keras, precision

from biosernn.geometry.distances import pairwise_distances, unit_mean_distance
from biosernn.graphs.communicability import communicability, target_communicability
from biosernn.keras import BioInitializer, Dale, NonNegative, SpatialRegularizer
from biosernn.penalties.spatial import SpatialPenalty
from biosernn.sources.synthetic import synthetic_cohort
from biosernn.tasks.maze import maze
from biosernn.training.adam import adam_start
from biosernn.training.network import Weights
from biosernn.training.penalty import PenaltyInputs, PenaltyKind
from biosernn.training.step import StepSettings, training_step

NAMES = ("Wi", "Wr", "b", "Wo", "bo")
CASES = ("none", "L1", "WD", "WDC", "WDC_EMD", "WD_nonneg")
WAYS = [(case, MODES[1], bits) for case in CASES for bits in (64, 32)]
WAYS += [("WDC_EMD", mode, 32) for mode in MODES if mode != MODES[1]]


@pytest.fixture(scope="module")
def oracle(shared):
    with np.load(shared / "oracle/rnn_step.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def compiled_model(recurrent, mode=MODES[1], optimizer="adam"):
    model = keras.Sequential(
        [keras.layers.GaussianNoise(0.0), recurrent, keras.layers.Dense(4, "softmax")]
    )
    model.compile(
        optimizer,
        "categorical_crossentropy",
        run_eagerly=mode == "eager",
        jit_compile=mode == "jit",
    )
    return model


def fit(model, inputs, labels, batch):
    """Train on the batches in their order; the mean of their total losses."""
    history = model.fit(inputs, labels, batch_size=batch, shuffle=False, verbose=0)
    return history.history["loss"][0]


def regularizer_of(case, oracle):
    near = pairwise_distances(oracle["coords"].T)
    target = target_communicability(oracle["connectome"], "released")
    return {
        "none": None,
        "L1": keras.regularizers.L1(1.0),
        "WD": SpatialRegularizer(near, 0.3),
        "WDC": SpatialRegularizer(near, 0.3, "own"),
        "WDC_EMD": SpatialRegularizer(near, 0.3, target, "distance_only", "released"),
        "WD_nonneg": SpatialRegularizer(near, 0.3),
    }[case]


@pytest.mark.parametrize(("case", "mode", "bits"), WAYS)
def test_weights_after_20_steps_are_the_references(case, mode, bits, oracle):
    with precision(bits):
        recurrent = keras.layers.SimpleRNN(
            16,
            "relu",
            recurrent_regularizer=regularizer_of(case, oracle),
            recurrent_constraint=NonNegative() if case == "WD_nonneg" else None,
        )
        model = compiled_model(recurrent, mode)
        model.build((None, 50, 8))
        start = [oracle[f"{name}0"] for name in NAMES]
        if case == "WD_nonneg":
            start[1] = oracle["WD_nonneg/Wr0"]
        model.set_weights(start)
        if bits == 64 and case == "none":
            probabilities = keras.ops.convert_to_numpy(model(oracle["x"][0]))
            np.testing.assert_allclose(probabilities, oracle["probs"], rtol=0, atol=1e-13)
        done = 0
        for number in (1, 5, 20) if (BACK_END, mode) != ("jax", "eager") else (1,):
            inputs = oracle["x"][done:number].reshape(-1, 50, 8)
            labels = oracle["y"][done:number].reshape(-1, 4)
            loss = fit(model, inputs, labels, batch=32)
            expected = oracle[f"{case}/train_loss_trace"][done:number].mean()
            done = number
            # Keras's Adam rounds its betas to float32 on TensorFlow, where the reference ran.
            own, other = ("step", "exactadam_step")[:: 1 if BACK_END == "tensorflow" else -1]
            if bits == 32:
                np.testing.assert_allclose(loss, expected, rtol=1e-6)
            elif BACK_END == "tensorflow" or number == 1:
                np.testing.assert_allclose(loss, expected, rtol=1e-12)
            for name, array in zip(NAMES, model.get_weights(), strict=True):
                near, far = (oracle[f"{case}/{kind}{number}_{name}"] for kind in (own, other))
                if bits == 64:
                    np.testing.assert_allclose(array, near, rtol=0, atol=1e-12)
                    np.testing.assert_allclose(array, far, rtol=0, atol=3e-7)
                else:
                    np.testing.assert_allclose(array, near, rtol=0, atol=2e-6)


def noisy_mazes(batches, batch, seed=0):
    rng, task = np.random.default_rng(seed), maze()
    trials = rng.integers(8, size=batches * batch)
    inputs = task.inputs[trials] + rng.normal(0, 0.05, (len(trials), 50, 8))
    return inputs.astype(np.float32), task.labels[trials]


@pytest.mark.parametrize("rule", ["free", "dale"])
def test_the_seeds_model_follows_the_engine_for_20_steps(rule, monkeypatch):
    # On TensorFlow Keras rounds its betas to single precision: take some that this leaves exact.
    betas = {f"beta_{i}": float(np.float32(beta)) for i, beta in ((1, 0.9), (2, 0.999))}
    for name, beta in betas.items():
        monkeypatch.setattr(f"biosernn.training.adam.{name.upper()}", beta)
    cohort = synthetic_cohort(128, seed=0)
    distances = unit_mean_distance(pairwise_distances(cohort.positions_um))
    signs = np.resize([1, -1, 1, 0], 128) * (rule == "dale")
    inputs, labels = noisy_mazes(20, 128)
    with precision(64):
        recurrent = keras.layers.SimpleRNN(
            128,
            "relu",
            recurrent_initializer=BioInitializer(cohort.corr, cohort.sttc, seed=0),
            recurrent_regularizer=SpatialRegularizer(distances, 0.3, "own"),
            recurrent_constraint=Dale(signs) if rule == "dale" else None,
        )
        model = compiled_model(recurrent, optimizer=keras.optimizers.Adam(1e-3, **betas))
        model.build((None, 50, 8))
        weights = Weights(*(jnp.asarray(array) for array in model.get_weights()))
        fit(model, inputs, np.eye(4)[labels], batch=128)

        moments, settings = adam_start(weights), StepSettings(1e-3, jnp.inf, jnp.asarray(signs))
        step = jax.jit(training_step, static_argnums=0)
        for number in range(20):
            batch = slice(128 * number, 128 * (number + 1))
            weights, moments, _ = step(
                PenaltyKind("distance_communicability"),
                weights,
                moments,
                number + 1,
                jnp.asarray(inputs[batch].transpose(1, 0, 2), jnp.float64),
                jnp.asarray(labels[batch]),
                PenaltyInputs(0.3, jnp.asarray(distances)),
                settings,
            )
    for array, expected in zip(model.get_weights(), weights, strict=True):
        assert array.dtype == expected.dtype == np.float64
        np.testing.assert_allclose(array, expected, rtol=0, atol=1e-12)


LAYERS = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}
KINDS = {"SimpleRNN": "matched", "GRU": "own", "LSTM": "none"}
N = 12


def with_all_parts(name):
    """A layer with an initialiser, a regulariser and a constraint, and its penalty."""
    cohort = synthetic_cohort(N, seed=1)
    distances = unit_mean_distance(pairwise_distances(cohort.positions_um))
    kind = KINDS[name]
    if kind == "matched":
        kind = communicability(cohort.corr)
    recurrent = getattr(keras.layers, name)(
        N,
        recurrent_initializer=BioInitializer(cohort.corr, cohort.sttc, seed=1),
        recurrent_regularizer=SpatialRegularizer(distances, 0.3, kind),
        recurrent_constraint=Dale(np.resize([1, 1, 0], N)),
    )
    return recurrent, SpatialPenalty(distances, 0.3, kind)


@pytest.mark.parametrize("name", LAYERS)
def test_the_loss_of_a_layer_is_its_gates_penalty(name):
    recurrent, penalty = with_all_parts(name)
    recurrent.build((None, 50, 8))
    kernel = keras.ops.convert_to_numpy(recurrent.cell.recurrent_kernel)
    gates = np.split(kernel, LAYERS[name], axis=1)
    expected = sum(float(penalty(gate)) for gate in gates)
    assert expected > 0
    np.testing.assert_allclose(float(sum(recurrent.losses)), expected, rtol=1e-6)


TRAIN_ON = """
import sys
import numpy as np
import biosernn.keras
import keras
model = keras.models.load_model(sys.argv[1])
with np.load(sys.argv[2]) as file:
    model.fit(file["inputs"], file["labels"], batch_size=16, shuffle=False, verbose=0)
np.savez(sys.argv[3], *model.get_weights())
"""


@pytest.mark.parametrize("name", LAYERS)
def test_a_saved_model_trains_on(name, tmp_path):
    inputs, labels = noisy_mazes(6, 16)
    labels = np.eye(4)[labels]
    model = compiled_model(with_all_parts(name)[0])
    fit(model, inputs[:48], labels[:48], batch=16)
    model.save(tmp_path / "model.keras")
    before = model.get_weights()
    fit(model, inputs[48:], labels[48:], batch=16)

    loaded = keras.models.load_model(tmp_path / "model.keras")
    for array, expected in zip(loaded.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, expected)
    fit(loaded, inputs[48:], labels[48:], batch=16)
    assert not np.array_equal(loaded.get_weights()[1], before[1])
    for array, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, expected)
    assert (loaded.get_weights()[1][np.resize([1, 1, 0], N) == 1] >= 0).all()


def test_a_saved_model_trains_on_in_a_new_process_with_the_other_back_end(tmp_path):
    inputs, labels = noisy_mazes(6, 16)
    labels = np.eye(4)[labels]
    model = compiled_model(with_all_parts("SimpleRNN")[0])
    fit(model, inputs[:48], labels[:48], batch=16)
    model.save(tmp_path / "model.keras")
    fit(model, inputs[48:], labels[48:], batch=16)

    np.savez(tmp_path / "rest.npz", inputs=inputs[48:], labels=labels[48:])
    files = [str(tmp_path / name) for name in ("model.keras", "rest.npz", "end.npz")]
    other = "jax" if BACK_END == "tensorflow" else "tensorflow"
    environment = os.environ | {"KERAS_BACKEND": other}
    subprocess.run([sys.executable, "-c", TRAIN_ON, *files], env=environment, check=True)
    with np.load(files[2]) as end:
        for name, expected in zip(end.files, model.get_weights(), strict=True):
            np.testing.assert_allclose(end[name], expected, rtol=0, atol=2e-6)
