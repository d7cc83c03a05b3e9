"""The released code's positions: axes and neurons mixed."""

import numpy as np
from jaxtyping import Float


def minmax_scrambled(positions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """Mix the positions as the released code does, and scale each axis to [0, 1].

    The (N, 3) positions are reshaped, not transposed, to (3, N), so that every "coordinate" mixes
    three neurons and three axes; the distances are unrelated to the true ones.

    Parameters
    ----------
    positions
        (N, 3) in **raw voxels** (4 x 4 x 40 nm): as the axes are mixed before they are scaled, the
        same positions in µm give something else.

    Returns
    -------
    (N, 3) in [0, 1].

    References
    ----------
    Released code of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> minmax_scrambled(np.array([[0, 8, 4], [5, 7, 6]]))
    array([[0., 0., 1.],
           [1., 1., 0.]])

    """
    mixed = np.reshape(np.asarray(positions, float), (3, -1), order="C")
    low = mixed.min(axis=1, keepdims=True)
    high = mixed.max(axis=1, keepdims=True)
    return ((mixed - low) / (high - low)).T
