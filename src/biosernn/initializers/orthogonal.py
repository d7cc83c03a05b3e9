"""Orthogonal initial weights, as in the published baselines."""

import numpy as np
from jaxtyping import Float
from threadpoolctl import threadpool_limits


def haar_orthogonal(n: int, rng: np.random.Generator) -> Float[np.ndarray, "n n"]:
    """Draw an orthogonal matrix uniformly (Haar), gain 1.

    The Q of a Gaussian matrix's QR decomposition, with the signs that make R's diagonal positive;
    on one thread, so that the bits are always the same.

    Parameters
    ----------
    n
        The number of units.
    rng
        The source of the draw.

    Returns
    -------
    (N, N).

    References
    ----------
    Mezzadri 2007, arXiv math-ph/0609050.

    Examples
    --------
    >>> orthogonal = haar_orthogonal(3, np.random.default_rng(0))
    >>> bool(np.allclose(orthogonal @ orthogonal.T, np.eye(3)))
    True

    """
    with threadpool_limits(1):
        q, r = np.linalg.qr(rng.normal(size=(n, n)))
    return q * np.sign(np.diagonal(r))
