"""A control with W_bio's self-weights and scale, without its structure."""

import numpy as np
from jaxtyping import Float

from biosernn.errors import BadInput


def moment_matched(
    weights: Float[np.ndarray, "n n"], rng: np.random.Generator
) -> Float[np.ndarray, "n n"]:
    """Independent lognormal weights with the same off-diagonal mean and standard deviation.

    Zeros count in both moments. The diagonal stays.

    Parameters
    ----------
    weights
        (N, N), the final W_bio, of a positive mean off the diagonal.
    rng
        The source of the draws.

    Returns
    -------
    (N, N), non-negative off the diagonal.

    Raises
    ------
    BadInput
        Where the off-diagonal mean is not positive.

    Examples
    --------
    >>> moment_matched(np.array([[9.0, 2.0], [2.0, 9.0]]), np.random.default_rng(0))
    array([[9., 2.],
           [2., 9.]])

    """
    others = weights[~np.eye(len(weights), dtype=bool)]
    mean = others.mean()
    if not mean > 0:
        raise BadInput("off-diagonal weights", "their mean is not above 0", "use another control")
    variance_of_log = np.log1p(others.var() / mean**2)
    drawn = rng.lognormal(
        np.log(mean) - variance_of_log / 2, np.sqrt(variance_of_log), np.shape(weights)
    )
    return np.where(np.eye(len(weights), dtype=bool), weights, drawn)
