"""The control W!: the same weights, among other neurons."""

import numpy as np
from jaxtyping import Float


def relabelled(
    weights: Float[np.ndarray, "n n"], rng: np.random.Generator
) -> Float[np.ndarray, "n n"]:
    """Neurons relabelled: rows and columns permuted alike.

    Spectrum and diagonal values stay; only the pairing of weights with positions is lost.

    Parameters
    ----------
    weights
        (N, N), the final W_bio.
    rng
        The source of the permutation.

    Returns
    -------
    (N, N).

    Examples
    --------
    >>> relabelled(np.array([[1, 2], [3, 4]]), np.random.default_rng(3))
    array([[4, 3],
           [2, 1]])

    """
    order = rng.permutation(len(weights))
    return weights[np.ix_(order, order)]
