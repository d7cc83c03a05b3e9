"""The seed study's protocol in Keras and TensorFlow, as its users write it.

It runs in an environment of its own (reference.txt) and knows nothing of biosernn:

    python benchmarks/reference.py GIVEN.npz FOUND.json

GIVEN holds the start weights, distances, strength and the maze of every trial; FOUND gets the
seconds of each part and the losses. TensorFlow uses all cores, as it does unasked.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import bct
import keras
import networkx as nx
import numpy as np
import scipy.stats
import tensorflow as tf

EPOCHS = 10
BATCH = 128
NOISE = 0.05
NULLS = 1000
GOALS = {7: 0, 9: 1, 17: 2, 19: 3}
MOVES = {"l": 0, "u": 1, "r": 2, "d": 3}
MAZES = (
    (9, "ul", "u"),
    (9, "rd", "r"),
    (19, "ld", "d"),
    (17, "rd", "d"),
    (17, "ul", "l"),
    (7, "ur", "u"),
    (19, "lr", "r"),
    (7, "lr", "l"),
)


class DistanceCommunicability(keras.regularizers.Regularizer):
    """The sum of |weight| x communicability x distance, times a strength."""

    def __init__(self, strength: float, distances: np.ndarray) -> None:
        self.strength = strength
        self.distances = tf.constant(distances, tf.float32)

    def __call__(self, weights: tf.Tensor) -> tf.Tensor:
        size = tf.abs(weights)
        root = tf.linalg.diag(tf.pow(tf.reduce_sum(size, axis=1), -0.5))
        exponential = tf.linalg.expm(root @ size @ root)
        communicability = tf.linalg.set_diag(exponential, tf.zeros(len(self.distances)))
        return self.strength * tf.reduce_sum(size * communicability * self.distances)


class Seconds(keras.callbacks.Callback):
    """Seconds of each epoch, and of the validation in it."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.epochs: list[float] = []
        self.validations: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.started = time.perf_counter()

    def on_test_begin(self, logs: dict | None = None) -> None:
        self.validating = time.perf_counter()

    def on_test_end(self, logs: dict | None = None) -> None:
        self.validations.append(time.perf_counter() - self.validating)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.epochs.append(time.perf_counter() - self.started)


class Kept(keras.callbacks.Callback):
    """All weights after each epoch."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.weights: list[list[np.ndarray]] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.weights.append(self.model.get_weights())


def maze_trials(order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Observations (trials, 50, 8) and one-hot answers (trials, 4), one trial after the other."""
    observations, answers = np.array([]), np.array([])
    for number in order:
        goal, choices, answer = MAZES[number]
        goal_vector, choice_vector, answer_vector = np.zeros(8), np.zeros(8), np.zeros(4)
        goal_vector[GOALS[goal]] = 1
        for move in choices:
            choice_vector[4 + MOVES[move]] = 1
        answer_vector[MOVES[answer]] = 1
        trial = np.concatenate(
            (np.tile(goal_vector, 20), np.zeros(10 * 8), np.tile(choice_vector, 20))
        )
        observations = np.append(observations, trial)
        answers = np.append(answers, answer_vector)
    return (
        observations.reshape(-1, 50, 8).astype("float32"),
        answers.reshape(-1, 4).astype("float32"),
    )


def network(given: dict[str, np.ndarray], noise: float) -> keras.Model:
    """The seed's network; input and readout weights are set to the given ones too."""
    recurrent, units = given["recurrent"], len(given["recurrent"])
    penalty = DistanceCommunicability(float(given["strength"]), given["distances"])
    model = keras.Sequential(
        [
            keras.Input((50, 8)),
            *([keras.layers.GaussianNoise(noise)] if noise else []),
            keras.layers.SimpleRNN(
                units,
                activation="relu",
                recurrent_initializer=lambda shape, dtype=None: tf.constant(recurrent, dtype),
                recurrent_regularizer=penalty,
            ),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    names = ("input", "recurrent", "bias", "readout", "readout_bias")
    model.set_weights([given[name] for name in names])
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def metrics(weights: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """Modularity, small-worldness, assortativity and entropy as the released code takes them."""
    size = np.abs(weights)
    strong = size > np.quantile(size, 0.9)
    graph = (strong | strong.T).astype(int)
    np.fill_diagonal(graph, 0)
    linked = nx.from_numpy_array(graph)
    communities = nx.community.greedy_modularity_communities(linked)
    clustering, efficiency = bct.clustering_coef_bu(graph).mean(), bct.efficiency_bin(graph)
    null_clustering, null_efficiency = [], []
    for _ in range(NULLS):
        draw = rng.random(graph.shape)
        null = ((draw + draw.T) / 2 > 0.7).astype(int)
        null_clustering.append(bct.clustering_coef_bu(null).mean())
        null_efficiency.append(bct.efficiency_bin(null))
    grid = np.linspace(weights.min(), weights.max(), 100)
    density = scipy.stats.gaussian_kde(weights.ravel())(grid)
    return {
        "modularity": nx.community.modularity(linked, communities),
        "small_worldness": (clustering / np.mean(null_clustering))
        / (np.mean(null_efficiency) / efficiency),
        "assortativity": nx.degree_assortativity_coefficient(linked),
        "entropy": scipy.stats.entropy(density / density.sum(), base=2),
    }


def losses(model: keras.Model, weights: list[np.ndarray]) -> tuple[float, float]:
    """Mean cross-entropy of the eight mazes without noise, and the penalty, at given weights."""
    model.set_weights(weights)
    observations, answers = maze_trials(np.arange(len(MAZES)))
    readout = model(observations)
    recurrent = next(layer for layer in model.layers if isinstance(layer, keras.layers.SimpleRNN))
    cross_entropy = keras.losses.categorical_crossentropy(answers, readout)
    penalty = recurrent.cell.recurrent_regularizer(recurrent.cell.recurrent_kernel)
    return float(tf.reduce_mean(cross_entropy)), float(penalty)


def timed(work: Callable, *arguments: object) -> tuple[object, float]:
    started = time.perf_counter()
    result = work(*arguments)
    return result, time.perf_counter() - started


def main(given_path: str, found_path: str) -> None:
    with np.load(given_path, allow_pickle=False) as file:
        given = dict(file)
    orders = [given[name] for name in ("training", "test", "validation")]
    (training, test, _), data_s = timed(lambda: [maze_trials(order) for order in orders])
    batches = [tf.data.Dataset.from_tensor_slices(d).batch(BATCH) for d in (training, test)]

    def fit(noise: float, callback: keras.callbacks.Callback) -> keras.Model:
        model = network(given, noise)
        model.fit(
            batches[0],
            epochs=EPOCHS,
            validation_data=batches[1],
            callbacks=[callback],
            verbose=0,
        )
        return model

    seconds = Seconds()
    model, fit_s = timed(fit, NOISE, seconds)
    end = model.get_weights()
    measured, metrics_s = timed(metrics, end[1], np.random.default_rng(0))
    cross_entropy, penalty = losses(model, end)
    kept = Kept()
    without_noise = fit(0.0, kept)
    found = {
        "data_s": data_s,
        "fit_s": fit_s,
        "metrics_s": metrics_s,
        "epochs_s": seconds.epochs,
        "validations_s": seconds.validations,
        "cross_entropy": cross_entropy,
        "penalty": penalty,
        "metrics": {name: float(value) for name, value in measured.items()},
        "without_noise": [losses(without_noise, weights) for weights in kept.weights],
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__},
    }
    Path(found_path).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
