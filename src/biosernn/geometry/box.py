"""Positions drawn in a box as large as the cohort."""

import numpy as np
from jaxtyping import Float

from biosernn.geometry.extents import principal_extents


def uniform_box(
    positions: Float[np.ndarray, "n 3"], rng: np.random.Generator
) -> Float[np.ndarray, "n 3"]:
    """Draw positions uniformly in a box with the cohort's principal extents.

    Parameters
    ----------
    positions
        (N, 3), the cohort's, in any unit of length.
    rng
        The source of the positions.

    Returns
    -------
    (N, 3) in the same unit, along the cohort's principal axes and about its centre.

    Examples
    --------
    >>> sheet = np.random.default_rng(0).normal(size=(100, 3)) * [200, 100, 5]
    >>> uniform_box(sheet, np.random.default_rng(1)).std(axis=0).round(-2)
    array([200., 100.,   0.])

    """
    return rng.uniform(-0.5, 0.5, np.shape(positions)) * principal_extents(positions)
