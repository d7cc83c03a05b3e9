"""Positions shuffled among the neurons."""

import numpy as np
from jaxtyping import Float


def shuffled_positions(
    positions: Float[np.ndarray, "n 3"], rng: np.random.Generator
) -> Float[np.ndarray, "n 3"]:
    """Give each neuron the position of another, drawn without replacement.

    The set of distances stays; which pair of neurons has which distance does not.

    Parameters
    ----------
    positions
        (N, 3), one neuron a row.
    rng
        The source of the permutation.

    Returns
    -------
    (N, 3), the same rows in another order.

    Examples
    --------
    >>> shuffled_positions(np.eye(3), np.random.default_rng(1)).sum(axis=0)
    array([1., 1., 1.])

    """
    return rng.permutation(positions, axis=0)
