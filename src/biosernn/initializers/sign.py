"""Sign rules for initial weights."""

import numpy as np
from jaxtyping import Bool, Float


def nonnegative(weights: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """Negative weights set to 0, as the follow-up's non-negativity constraint does.

    Parameters
    ----------
    weights
        (N, N).

    Returns
    -------
    (N, N), none below 0.

    Examples
    --------
    >>> nonnegative(np.array([[1.0, -2.0], [-3.0, 4.0]]))
    array([[1., 0.],
           [0., 4.]])

    """
    return np.maximum(weights, 0)


def dale(
    weights: Float[np.ndarray, "n n"], excitatory: Bool[np.ndarray, "n"]
) -> Float[np.ndarray, "n n"]:
    """Dale's rule: all weights of a presynaptic neuron take the sign of its cell class.

    Parameters
    ----------
    weights
        (N, N), row = presynaptic.
    excitatory
        (N,), True where the neuron is excitatory, False where it is inhibitory.

    Returns
    -------
    (N, N) of the same absolute values; self-weights follow the rule too.

    Examples
    --------
    >>> dale(np.array([[1.0, -2.0], [-3.0, 4.0]]), np.array([True, False]))
    array([[ 1.,  2.],
           [-3., -4.]])

    """
    return np.where(np.asarray(excitatory)[:, None], np.abs(weights), -np.abs(weights))
