"""How soon and how lastingly a run learns, read from its noise-free checks."""

import numpy as np
from numpy.typing import ArrayLike

SUCCESSIVE = 3


def steps_to_criterion(steps: ArrayLike, all_right: ArrayLike, total: int) -> tuple[int, bool]:
    """Step of the first of three successive all-right checks, else `total` and censored.

    Parameters
    ----------
    steps
        Training steps of the checks (checks,), increasing.
    all_right
        Whether every trial was right at each check (checks,).
    total
        Steps of the whole run.

    Returns
    -------
    step, censored
        The step, and whether the criterion was never reached.

    Examples
    --------
    >>> steps_to_criterion([0, 5, 10, 15, 20], [False, True, True, True, False], 20)
    (5, False)
    >>> steps_to_criterion([0, 5, 10, 15, 20], [True, True, False, True, True], 20)
    (20, True)

    """
    start = _criterion(all_right)
    return (total, True) if start is None else (int(np.asarray(steps)[start]), False)


def collapsed(all_right: ArrayLike) -> bool:
    """Whether any check after the criterion was reached was not all right.

    Examples
    --------
    >>> collapsed([True, True, True, False, True])
    True
    >>> collapsed([True, False, True, True])
    False

    """
    start = _criterion(all_right)
    return start is not None and not np.all(np.asarray(all_right)[start:])


def area_under_curve(steps: ArrayLike, accuracy: ArrayLike) -> float:
    """Mean accuracy over training: the trapezoidal area divided by the steps it spans.

    Examples
    --------
    >>> area_under_curve([0, 5, 10], [0.25, 0.75, 1.0])
    0.6875

    """
    steps, accuracy = np.asarray(steps, dtype=float), np.asarray(accuracy, dtype=float)
    return float(np.trapezoid(accuracy, steps) / (steps[-1] - steps[0]))


def _criterion(all_right: ArrayLike) -> int | None:
    """Index of the first of three successive all-right checks."""
    right = np.asarray(all_right, dtype=bool)
    if len(right) < SUCCESSIVE:
        return None
    runs = np.lib.stride_tricks.sliding_window_view(right, SUCCESSIVE).all(axis=1)
    return int(np.argmax(runs)) if runs.any() else None
