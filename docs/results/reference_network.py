"""A network under the released code's matched penalty, in Keras and TensorFlow.

It runs in the environment of the benchmarks' reference and knows nothing of biosernn:

    python docs/results/reference_network.py GIVEN.npz FOUND.npz

GIVEN holds the start weights, the penalty's numbers and the trials in their order; FOUND gets the
recurrent weights after training, the last epoch's training accuracy and the penalty at the start.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

EPOCHS = 10
BATCH = 128
NOISE = 0.05
MATCH = 0.1
ISOLATED = 1e-10


class MatchedCommunicability(keras.regularizers.Regularizer):
    """Distances, and how far the sorted communicabilities are from a target's."""

    def __init__(self, strength: float, distances: np.ndarray, target: np.ndarray) -> None:
        self.strength = strength
        self.distances = tf.constant(distances, tf.float32)
        self.target = tf.constant(target, tf.float32)

    def __call__(self, weights: tf.Tensor) -> tf.Tensor:
        """Work the penalty out."""
        size = tf.abs(weights)
        root = tf.linalg.diag(tf.pow(tf.reduce_sum(size, axis=1) + ISOLATED, -0.5))
        exponential = tf.linalg.expm(root @ size @ root)
        communicability = tf.linalg.set_diag(exponential, tf.zeros(len(self.distances)))
        apart = tf.abs(self.target - tf.sort(tf.reshape(communicability, [-1])))
        wiring = self.strength * tf.reduce_sum(size * self.distances)
        return wiring + MATCH * tf.reduce_mean(apart)


def network(given: dict[str, np.ndarray]) -> keras.Model:
    """Noise, a simple relu recurrent layer and a softmax of its last state."""
    _, steps, channels = given["trials"].shape
    penalty = MatchedCommunicability(
        float(given["strength"]), given["distances"], given["target_sorted"]
    )
    model = keras.Sequential(
        [
            keras.Input((steps, channels)),
            keras.layers.GaussianNoise(NOISE, seed=int(given["seed"])),
            keras.layers.SimpleRNN(
                len(given["recurrent"]), activation="relu", recurrent_regularizer=penalty
            ),
            keras.layers.Dense(len(given["readout_bias"]), activation="softmax"),
        ]
    )
    names = ("input", "recurrent", "bias", "readout", "readout_bias")
    model.set_weights([given[name] for name in names])
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def main(given_path: str, found_path: str) -> None:
    """Train from what is given and keep what is found."""
    with np.load(given_path, allow_pickle=False) as file:
        given = dict(file)
    model = network(given)
    penalty_start = float(sum(model.losses))
    trials = tf.data.Dataset.from_tensor_slices((given["trials"], given["labels"])).batch(BATCH)
    history = model.fit(trials, epochs=EPOCHS, verbose=0)
    np.savez(
        found_path,
        recurrent=model.get_weights()[1],
        penalty_start=penalty_start,
        accuracy=history.history["accuracy"][-1],
        versions=np.array([keras.__version__, tf.__version__]),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
