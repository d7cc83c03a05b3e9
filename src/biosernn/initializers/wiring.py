"""Initial weights on the measured edges."""

import numpy as np
from jaxtyping import Float


def wiring_weights(
    synapse_counts: Float[np.ndarray, "n n"],
    lognormal: Float[np.ndarray, "n n"],
    diagonal: Float[np.ndarray, "n"],
) -> Float[np.ndarray, "n n"]:
    """Lognormal weights where neurons are connected, and a given diagonal.

    Parameters
    ----------
    synapse_counts
        (N, N), row = presynaptic; only whether an entry is 0 matters.
    lognormal
        (N, N), the draw that W_bio uses.
    diagonal
        (N,) self-weights, W_bio's; autapses are not measured.

    Returns
    -------
    (N, N).

    Examples
    --------
    >>> wiring_weights(np.array([[0, 3], [0, 0]]), np.full((2, 2), 0.5), np.array([0.9, 0.8]))
    array([[0.9, 0.5],
           [0. , 0.8]])

    """
    weights = np.where(np.asarray(synapse_counts) != 0, lognormal, 0)
    np.fill_diagonal(weights, diagonal)
    return weights
