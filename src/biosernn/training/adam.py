"""Adam as Keras does it."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7


class Moments(NamedTuple):
    """Running first and second moments of the gradient, each shaped like the weights."""

    first: tuple[Array, ...]
    second: tuple[Array, ...]


def adam_start(weights: tuple[Array, ...]) -> Moments:
    """Moments before the first step: zeros."""
    zeros = jax.tree.map(jnp.zeros_like, weights)
    return Moments(zeros, zeros)


def adam_step(
    weights: tuple[Array, ...],
    gradient: tuple[Array, ...],
    moments: Moments,
    step: Float[Array, ""],
    learning_rate: Float[Array, ""] | float,
) -> tuple[tuple[Array, ...], Moments]:
    """Take one step, ε being added to the root of the *uncorrected* second moment.

    Parameters
    ----------
    weights, gradient
        Trees of arrays of the same shapes.
    moments
        Moments after the step before.
    step
        Number of this step, 1 for the first, as a float of the weights' dtype.
    learning_rate
        Keras's `learning_rate`.

    Returns
    -------
    tuple
        The weights and the moments after the step.

    References
    ----------
    Kingma & Ba 2015, arXiv 1412.6980, in the arrangement of keras.optimizers.Adam.

    Examples
    --------
    >>> w = (jnp.array([1.0]),)
    >>> stepped, _ = adam_step(w, (jnp.array([2.0]),), adam_start(w), jnp.array(1.0), 1e-3)
    >>> round(float(stepped[0][0]), 6)
    0.999

    """
    rate = learning_rate * jnp.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    first = jax.tree.map(lambda m, g: m + (g - m) * (1 - BETA_1), moments.first, gradient)
    second = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - BETA_2), moments.second, gradient)
    stepped = jax.tree.map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON), weights, first, second
    )
    return stepped, Moments(first, second)
