"""Slow modes of a recurrent weight matrix, and the units that carry them."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits

SLOW = 0.8


@dataclass(frozen=True, eq=False)
class SlowModes:
    """How many modes are slow, and where.

    Attributes
    ----------
    count
        Eigenvalues whose modulus is above 0.8; a conjugate pair counts as two.
    units
        The units that carry them, ascending; fewer where modes share one.

    """

    count: int
    units: Int[np.ndarray, " carriers"]


def slow_modes(weights: Float[np.ndarray, "n n"]) -> SlowModes:
    """Find the modes that fade by less than a fifth per step, and for each its main unit.

    A mode's main unit is the one with the largest participation factor |l_k r_k|, l and r being
    the mode's left and right eigenvectors: the product, unlike either alone, depends neither on
    the vectors' lengths nor on the scale of a unit's activity.

    Parameters
    ----------
    weights
        (N, N), finite. The modes are those of the linear network; what a relu lets through of them
        is for the silencing of their units to show.

    References
    ----------
    Pérez-Arriaga, Verghese & Schweppe 1982, doi 10.1109/TPAS.1982.317524.

    Examples
    --------
    >>> found = slow_modes(np.array([[0.9, 0.0, 0.0], [5.0, 0.3, 0.0], [0.0, 0.0, -0.95]]))
    >>> found.count, found.units.tolist()
    (2, [0, 2])

    """
    with threadpool_limits(1):
        values, left, right = scipy.linalg.eig(weights, left=True, right=True)
    slow = np.abs(values) > SLOW
    participation = np.abs(left[:, slow] * right[:, slow])
    return SlowModes(int(np.count_nonzero(slow)), np.unique(participation.argmax(axis=0)))


def slow_mode_count(weights: Float[np.ndarray, "n n"]) -> int:
    """Count the modes that fade by less than a fifth per step, without their units.

    Examples
    --------
    >>> slow_mode_count(np.diag([0.9, 0.3, -0.95]))
    2

    """
    return int(np.count_nonzero(np.abs(np.linalg.eigvals(weights)) > SLOW))
