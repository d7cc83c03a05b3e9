"""Controls that take the self-weights and the other weights apart."""

import numpy as np
from jaxtyping import Float

from biosernn.errors import BadInput
from biosernn.initializers.radius import spectral_radius


def diagonal_only(weights: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """Self-weights alone.

    Parameters
    ----------
    weights
        (N, N), the final W_bio.

    Returns
    -------
    (N, N), 0 off the diagonal.

    Examples
    --------
    >>> diagonal_only(np.array([[1, 2], [3, 4]]))
    array([[1, 0],
           [0, 4]])

    """
    return np.diag(np.diagonal(weights))


def off_diagonal(weights: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """Weights between different neurons alone, not rescaled.

    Parameters
    ----------
    weights
        (N, N), the final W_bio.

    Returns
    -------
    (N, N), 0 on the diagonal.

    Examples
    --------
    >>> off_diagonal(np.array([[1, 2], [3, 4]]))
    array([[0, 2],
           [3, 0]])

    """
    return weights - diagonal_only(weights)


def off_diagonal_rescaled(
    weights: Float[np.ndarray, "n n"], radius: float = 0.95
) -> Float[np.ndarray, "n n"]:
    """Weights between different neurons alone, rescaled to a spectral radius.

    Parameters
    ----------
    weights
        (N, N), the final W_bio.
    radius
        The spectral radius of the result.

    Returns
    -------
    (N, N), 0 on the diagonal.

    Raises
    ------
    BadInput
        Where the weights without the diagonal have a spectral radius of 0.

    Examples
    --------
    >>> off_diagonal_rescaled(np.array([[1, 2], [2, 4]]))
    array([[0.  , 0.95],
           [0.95, 0.  ]])

    """
    others = off_diagonal(weights)
    before = spectral_radius(others)
    if before == 0:
        raise BadInput("off-diagonal weights", "their spectral radius is 0", "use another control")
    return others * (radius / before)


def constant_diagonal(weights: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """Every self-weight set to their mean, the others unchanged.

    Parameters
    ----------
    weights
        (N, N), the final W_bio.

    Returns
    -------
    (N, N).

    Examples
    --------
    >>> constant_diagonal(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[2.5, 2. ],
           [3. , 2.5]])

    """
    mean = np.diagonal(weights).mean()
    return off_diagonal(weights) + mean * np.eye(len(weights))
