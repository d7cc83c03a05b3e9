"""Absolute weights with the subgradient 0 at 0."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def absolute(weights: Float[Array, "..."]) -> Float[Array, "..."]:
    """|W| whose gradient is sign(W), 0 at 0; that of `jnp.abs` is 1 there (JAX 0.10).

    Parameters
    ----------
    weights
        Of any shape; the dtype of the result is their own.

    Returns
    -------
    Of the same shape, differentiable.

    Examples
    --------
    >>> import jax
    >>> jax.grad(lambda w: absolute(w).sum())(jnp.array([-2.0, 0.0, 3.0]))
    Array([-1.,  0.,  1.], dtype=float32)

    """
    return weights * jnp.sign(weights)
