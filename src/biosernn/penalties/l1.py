"""The L1 penalty on the recurrent weights."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from biosernn.graphs.absolute import absolute


def l1(weights: Float[Array, "n n"], strength: float | Float[Array, ""]) -> Float[Array, ""]:
    """λ Σ|W|.

    Parameters
    ----------
    weights
        (N, N), self-weights included; the dtype of the result is its own.
    strength
        λ.

    Returns
    -------
    A scalar; its gradient is λ sign(W), with sign(0) = 0.

    Examples
    --------
    >>> l1(jnp.array([[1.0, -2.0], [0.0, 1.0]]), 0.5)
    Array(2., dtype=float32)

    """
    return jnp.asarray(strength, weights.dtype) * jnp.sum(absolute(weights))
