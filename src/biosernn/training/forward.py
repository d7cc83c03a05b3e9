"""The network without training: its states and answers, in plain NumPy."""

import numpy as np
from jaxtyping import Bool, Float, Int

from biosernn.training.network import Weights


def states(
    weights: Weights,
    inputs: Float[np.ndarray, "steps trials channels"],
    silenced: Bool[np.ndarray, "#trials units"] | None = None,
) -> Float[np.ndarray, "steps trials units"]:
    """Run the network, h_t = relu(x_t W_in + h_{t-1} W + b) from h_0 = 0.

    Parameters
    ----------
    weights
        NumPy arrays; their dtype is followed.
    inputs
        (steps, trials, channels).
    silenced
        Units that are held at 0, for each trial or for all.

    Returns
    -------
    (steps, trials, units), infinite or NaN where the activity outgrows the dtype.

    Examples
    --------
    >>> w = Weights(np.ones((1, 2)), np.eye(2), np.zeros(2), np.ones((2, 1)), np.zeros(1))
    >>> states(w, np.ones((3, 1, 1)), np.array([[False, True]]))[-1]
    array([[3., 0.]])

    """
    with np.errstate(over="ignore", invalid="ignore"):
        reached = inputs @ weights.input + weights.bias
        state = np.zeros_like(reached[0])
        for now in reached:
            now += state @ weights.recurrent
            np.maximum(now, 0, out=now)
            if silenced is not None:
                now[np.broadcast_to(silenced, now.shape)] = 0
            state = now
    return reached


def right_answers(
    weights: Weights,
    inputs: Float[np.ndarray, "steps trials channels"],
    labels: Int[np.ndarray, " trials"],
    silenced: Bool[np.ndarray, "#trials units"] | None = None,
) -> Bool[np.ndarray, " trials"]:
    """Whether the largest output of the last state is the label; not where one is not finite.

    Parameters
    ----------
    weights, inputs, silenced
        As in `states`.
    labels
        (trials,), the right output of each.

    Returns
    -------
    (trials,).

    Examples
    --------
    >>> readout = np.array([[1, 0], [0, 3]])
    >>> w = Weights(np.ones((1, 2)), np.eye(2), np.zeros(2), readout, np.zeros(2))
    >>> right_answers(w, np.ones((3, 2, 1)), np.array([0, 1]))
    array([False,  True])

    """
    with np.errstate(over="ignore", invalid="ignore"):
        scores = states(weights, inputs, silenced)[-1] @ weights.readout + weights.readout_bias
    return np.isfinite(scores).all(axis=1) & (scores.argmax(axis=1) == labels)
