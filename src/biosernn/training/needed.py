"""The recurrent weights that a network's answers need."""

import numpy as np
from jaxtyping import Bool, Float, Int

from biosernn.training.forward import right_answers
from biosernn.training.network import Weights


def needed_weights(
    weights: Weights,
    inputs: Float[np.ndarray, "steps trials channels"],
    labels: Int[np.ndarray, " trials"],
) -> Bool[np.ndarray, "units units"]:
    """All recurrent weights but the smallest whose joint removal costs no right answer.

    How many of the smallest |W| can go is found by bisection, so that one more would cost an
    answer. Where accuracy does not fall evenly there may be other such numbers. Weights of the
    same size go in the order of their place; self-weights are among them.

    Parameters
    ----------
    weights
        NumPy arrays; their dtype is followed.
    inputs, labels
        Trials without noise, (steps, trials, channels), and their answers.

    Returns
    -------
    (units, units). None is needed where the answers can be had without recurrence.

    References
    ----------
    Removal by size: Han et al. 2015, arXiv 1506.02626.

    Examples
    --------
    One unit remembers the first input, and the other weights do nothing:

    >>> w = Weights(np.eye(2), np.array([[1, 0.1], [0.2, 0]]), np.zeros(2), np.eye(2), np.ones(2))
    >>> w = w._replace(readout_bias=np.array([-0.5, 0.0]))
    >>> needed_weights(w, np.array([[[1.0, 0]], [[0, 0]]]), np.array([0]))
    array([[ True, False],
           [False, False]])

    """
    recurrent = weights.recurrent
    by_size = np.argsort(np.abs(recurrent), axis=None, kind="stable")

    def n_right(n_removed: int) -> int:
        left = recurrent.flatten()
        left[by_size[:n_removed]] = 0
        thinned = weights._replace(recurrent=left.reshape(recurrent.shape))
        return int(np.count_nonzero(right_answers(thinned, inputs, labels)))

    all_right = n_right(0)
    removable, too_many = 0, recurrent.size + 1
    while too_many - removable > 1:
        middle = (removable + too_many) // 2
        if n_right(middle) >= all_right:
            removable = middle
        else:
            too_many = middle
    needed = np.ones(recurrent.size, bool)
    needed[by_size[:removable]] = False
    return needed.reshape(recurrent.shape)
