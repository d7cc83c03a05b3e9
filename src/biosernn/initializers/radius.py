"""The spectral radius of a weight matrix."""

import numpy as np
from jaxtyping import Complex, Float
from threadpoolctl import threadpool_limits


def eigenvalues(weights: Float[np.ndarray, "n n"]) -> Complex[np.ndarray, "n"]:
    """Eigenvalues, on one thread, so that the bits are always the same.

    Parameters
    ----------
    weights
        (N, N).

    Returns
    -------
    N complex numbers.

    Examples
    --------
    >>> eigenvalues(np.array([[0.0, -1.0], [1.0, 0.0]]))
    array([0.+1.j, 0.-1.j])

    """
    with threadpool_limits(1):
        return np.linalg.eigvals(weights).astype(complex)


def spectral_radius(weights: Float[np.ndarray, "n n"]) -> float:
    """Largest modulus of an eigenvalue.

    Parameters
    ----------
    weights
        (N, N).

    Returns
    -------
    0 or more.

    Examples
    --------
    >>> spectral_radius(np.array([[0.0, -1.0], [1.0, 0.0]]))
    1.0

    """
    return float(np.abs(eigenvalues(weights)).max())
