"""The size of a cohort along its principal axes."""

import numpy as np
from jaxtyping import Float


def principal_extents(positions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "3"]:
    """Sides of the box, uniformly filled, whose spread is that of the neurons.

    A uniform density on a side L has the standard deviation L/√12; L follows from the standard
    deviations of the positions along their principal axes.

    Parameters
    ----------
    positions
        (N, 3), in any unit of length.

    Returns
    -------
    Three sides, the longest first, in the same unit.

    Examples
    --------
    >>> principal_extents(np.array([[0.0, 0, -1], [0, 0, 1]])).round(3)
    array([3.464, 0.   , 0.   ])

    """
    centred = positions - np.mean(positions, axis=0)
    variances = np.linalg.eigvalsh(centred.T @ centred / len(centred))[::-1]
    return np.sqrt(12 * np.maximum(variances, 0))
