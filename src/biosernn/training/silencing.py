"""What it costs a network to lose some of its units."""

import numpy as np
from jaxtyping import Bool, Float, Int

from biosernn.training.forward import right_answers
from biosernn.training.network import Weights

MOST_STEPS = 200_000
"""Steps of all trials of all sets that are in memory at once."""


def silencing_cost(
    weights: Weights,
    inputs: Float[np.ndarray, "steps trials channels"],
    labels: Int[np.ndarray, " trials"],
    silenced: Bool[np.ndarray, "sets units"],
) -> Float[np.ndarray, " sets"]:
    """Loss of accuracy when each of several sets of units is held at 0.

    Parameters
    ----------
    weights
        NumPy arrays; their dtype is followed.
    inputs, labels
        Trials without noise, (steps, trials, channels), and their answers.
    silenced
        (sets, units).

    Returns
    -------
    (sets,): the accuracy of the whole network less that without the set; below 0 where silencing
    helps.

    Examples
    --------
    >>> w = Weights(np.eye(2), np.zeros((2, 2)), np.zeros(2), np.eye(2), np.zeros(2))
    >>> inputs, labels = np.array([[[1.0, 0], [0, 1]]]), np.array([0, 1])
    >>> silencing_cost(w, inputs, labels, np.array([[False, False], [False, True]]))
    array([0. , 0.5])

    """
    n_steps, n_trials = inputs.shape[:2]
    at_once = max(1, MOST_STEPS // (n_steps * n_trials))
    right = [
        right_answers(
            weights,
            np.tile(inputs, (1, len(some), 1)),
            np.tile(labels, len(some)),
            np.repeat(some, n_trials, axis=0),
        ).reshape(len(some), n_trials)
        for some in np.split(silenced, range(at_once, len(silenced), at_once))
    ]
    whole = right_answers(weights, inputs, labels).mean()
    return whole - np.concatenate(right).mean(axis=1)
