"""Identity initial weights: every unit a slow integrator."""

import numpy as np
from jaxtyping import Float


def scaled_identity(n: int, gain: float = 0.95) -> Float[np.ndarray, "n n"]:
    """0.95 times the identity.

    Parameters
    ----------
    n
        The number of units.
    gain
        Every self-weight.

    Returns
    -------
    (N, N).

    References
    ----------
    Le, Jaitly & Hinton 2015, arXiv 1504.00941.

    Examples
    --------
    >>> scaled_identity(2)
    array([[0.95, 0.  ],
           [0.  , 0.95]])

    """
    return gain * np.eye(n)
