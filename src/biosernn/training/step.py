"""One step of training: the data's gradient, clipped, plus the penalty's, through Adam."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from biosernn.training.adam import Moments, adam_step
from biosernn.training.network import Weights, data_loss
from biosernn.training.penalty import PenaltyInputs, PenaltyKind, penalty


class StepSettings(NamedTuple):
    """Numbers that every step of a run uses.

    Attributes
    ----------
    learning_rate, clip
        As in `biosernn.protocol.Recipe`.
    row_sign
        Sign that each presynaptic neuron's weights are held to: 1, -1, or 0 for free, (units,).

    """

    learning_rate: Float[Array, ""] | float
    clip: Float[Array, ""] | float
    row_sign: Float[Array, " units"] | np.ndarray


def global_norm(gradient: tuple[Array, ...]) -> Float[Array, ""]:
    """2-norm over all arrays together, finite wherever it can be represented.

    The arrays are divided by a power of two, which changes no digit.

    Examples
    --------
    >>> float(global_norm((jnp.array([3e30]), jnp.array([[4e30]]))) / 1e30)
    5.0

    """
    largest = jnp.max(jnp.stack([jnp.max(jnp.abs(g)) for g in gradient]))
    unit = jnp.ldexp(jnp.ones_like(largest), jnp.frexp(largest)[1] - 1)
    return unit * jnp.sqrt(sum(jnp.vdot(g / unit, g / unit) for g in gradient))


def training_step(
    kind: PenaltyKind,
    weights: Weights,
    moments: Moments,
    number: Int[Array, ""] | int,
    inputs: Float[Array, "steps batch channels"],
    labels: Int[Array, " batch"],
    penalty_inputs: PenaltyInputs,
    settings: StepSettings,
) -> tuple[Weights, Moments, dict[str, Array]]:
    """Step the weights once by c ∇(cross-entropy) + ∇(penalty), c = min(1, clip / norm).

    The norm is one over all five arrays; the penalty is never clipped. Afterwards recurrent
    weights of a sign that is not allowed become 0.

    Parameters
    ----------
    kind, penalty_inputs
        The penalty on the recurrent weights.
    weights, moments
        Before the step; its dtype is followed.
    number
        1 for the first step.
    inputs, labels
        The batch.
    settings
        Learning rate, clipping and signs.

    Returns
    -------
    tuple
        Weights and moments after the step, and what was measured before it: loss, share of right
        answers, the norms of the data's gradient before and after clipping and of the penalty's,
        and whether the data's was clipped.

    References
    ----------
    Pascanu et al. 2013, arXiv 1211.5063.

    Examples
    --------
    >>> from biosernn.training.adam import adam_start
    >>> w = Weights(jnp.ones((1, 2)), jnp.eye(2), jnp.zeros(2), jnp.ones((2, 2)), jnp.zeros(2))
    >>> settings = StepSettings(1e-3, jnp.inf, jnp.zeros(2))
    >>> x, y = jnp.ones((3, 1, 1)), jnp.array([0])
    >>> _, _, measured = training_step(
    ...     PenaltyKind("l1"), w, adam_start(w), 1, x, y, PenaltyInputs(0.5), settings
    ... )
    >>> round(float(measured["gradient_norm_penalty"]), 3)
    0.707

    """
    (loss, right), gradient = data_loss(weights, inputs, labels)
    norm = global_norm(gradient)
    scale = jnp.where(norm > settings.clip, settings.clip / norm, 1)
    embedding = jax.grad(partial(penalty, kind))(weights.recurrent, penalty_inputs)
    total = jax.tree.map(lambda g: scale * g, gradient)
    total = total._replace(recurrent=total.recurrent + embedding)
    number = jnp.asarray(number).astype(inputs.dtype)
    stepped, moments = adam_step(weights, total, moments, number, settings.learning_rate)
    weights = Weights(*stepped)
    forbidden = settings.row_sign[:, None] * weights.recurrent < 0
    weights = weights._replace(recurrent=jnp.where(forbidden, 0, weights.recurrent))
    return (
        weights,
        moments,
        {
            "training_loss": loss,
            "training_accuracy": right,
            "gradient_norm_data": norm,
            "gradient_norm_stepped": scale * norm,
            "gradient_norm_penalty": global_norm((embedding,)),
            "clipped": scale < 1,
        },
    )
