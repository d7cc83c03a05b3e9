"""A control with W_bio's spectrum, without its structure."""

import numpy as np
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from biosernn.initializers.orthogonal import haar_orthogonal


def rotated(
    weights: Float[np.ndarray, "n n"], rng: np.random.Generator
) -> Float[np.ndarray, "n n"]:
    """Qᵀ W Q with a random orthogonal Q: same eigenvalues and singular values; signs change.

    Parameters
    ----------
    weights
        (N, N), the final W_bio.
    rng
        The source of Q.

    Returns
    -------
    (N, N).

    Examples
    --------
    >>> turned = rotated(np.diag([1.0, 2.0]), np.random.default_rng(0))
    >>> np.linalg.eigvals(turned).round(9).tolist()
    [2.0, 1.0]

    """
    q = haar_orthogonal(len(weights), rng)
    with threadpool_limits(1):
        return q.T @ weights @ q
