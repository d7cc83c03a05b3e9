"""What it costs a network to lose some of its units."""

import numpy as np
from jaxtyping import Bool, Float, Int

from biosernn.training.forward import right_answers
from biosernn.training.network import Weights


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
    n_sets, n_trials = len(silenced), len(labels)
    right = right_answers(
        weights,
        np.tile(inputs, (1, n_sets, 1)),
        np.tile(labels, n_sets),
        np.repeat(silenced, n_trials, axis=0),
    )
    whole = right_answers(weights, inputs, labels).mean()
    return whole - right.reshape(n_sets, n_trials).mean(axis=1)
