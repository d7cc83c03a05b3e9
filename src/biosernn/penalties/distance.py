"""The penalty on weights by distance."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from biosernn.graphs.absolute import absolute


def distance_penalty(
    weights: Float[Array, "n n"],
    distances: Float[Array | np.ndarray, "n n"],
    strength: float | Float[Array, ""],
) -> Float[Array, ""]:
    """λ Σ |W| ⊙ D: wiring costs its length.

    Parameters
    ----------
    weights
        (N, N); the dtype of the result is its own.
    distances
        (N, N) between the neurons; its diagonal is 0, so that self-weights cost nothing.
    strength
        λ.

    Returns
    -------
    A scalar, differentiable in the weights.

    References
    ----------
    Achterberg et al. 2023, doi 10.1038/s42256-023-00748-9.

    Examples
    --------
    >>> distance_penalty(jnp.array([[9.0, -2.0], [0.0, 9.0]]), 3 * (1 - jnp.eye(2)), 0.5)
    Array(3., dtype=float32)

    """
    cost = absolute(weights) * jnp.asarray(distances, weights.dtype)
    return jnp.asarray(strength, weights.dtype) * jnp.sum(cost)
