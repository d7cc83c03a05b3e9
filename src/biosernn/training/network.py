"""The network: a simple relu recurrent layer and a dense readout of its last state."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int


class Weights(NamedTuple):
    """The five trained arrays; row i of `recurrent` is the presynaptic neuron i."""

    input: Float[Array, "channels units"]
    recurrent: Float[Array, "units units"]
    bias: Float[Array, " units"]
    readout: Float[Array, "units outputs"]
    readout_bias: Float[Array, " outputs"]


def initial_weights(
    recurrent: Float[np.ndarray, "units units"],
    n_channels: int,
    n_outputs: int,
    input_rng: np.random.Generator,
    readout_rng: np.random.Generator,
) -> Weights:
    """Complete recurrent weights with Glorot-uniform input and readout weights and zero biases.

    Returns
    -------
    Weights
        NumPy arrays, float32.

    References
    ----------
    Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural
    networks".

    Examples
    --------
    >>> rng = np.random.default_rng
    >>> initial_weights(np.eye(8), 8, 4, rng(0), rng(1)).readout.shape
    (8, 4)

    """
    units = len(recurrent)
    return Weights(
        _glorot_uniform(n_channels, units, input_rng),
        np.asarray(recurrent, np.float32),
        np.zeros(units, np.float32),
        _glorot_uniform(units, n_outputs, readout_rng),
        np.zeros(n_outputs, np.float32),
    )


def _glorot_uniform(
    fan_in: int, fan_out: int, rng: np.random.Generator
) -> Float[np.ndarray, "fan_in fan_out"]:
    limit = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)


@jax.custom_vjp
def last_state(
    inputs: Float[Array, "steps batch channels"],
    input_weights: Float[Array, "channels units"],
    recurrent: Float[Array, "units units"],
    bias: Float[Array, " units"],
) -> Float[Array, "batch units"]:
    """Hidden state after the last step: h_t = relu(x_t W_in + h_{t-1} W + b), h_0 = 0.

    The backward pass forms the gradient of W as one (steps x batch)-long product instead of
    summing it step by step, and takes no gradient for the inputs.

    Examples
    --------
    >>> x = jnp.ones((2, 1, 1))
    >>> last_state(x, jnp.ones((1, 2)), jnp.eye(2), jnp.zeros(2)).tolist()
    [[2.0, 2.0]]

    """
    return _states(inputs, input_weights, recurrent, bias)[-1]


def _states(
    inputs: Float[Array, "steps batch channels"],
    input_weights: Float[Array, "channels units"],
    recurrent: Float[Array, "units units"],
    bias: Float[Array, " units"],
) -> Float[Array, "steps batch units"]:
    steps, batch, channels = inputs.shape
    drive = inputs.reshape(steps * batch, channels) @ input_weights + bias

    def step(
        state: Float[Array, "batch units"], drive_t: Float[Array, "batch units"]
    ) -> tuple[Array, Array]:
        state = jnp.maximum(drive_t + state @ recurrent, 0)
        return state, state

    start = jnp.zeros((batch, len(bias)), drive.dtype)
    return lax.scan(step, start, drive.reshape(steps, batch, -1))[1]


def _last_state_forward(
    inputs: Array, input_weights: Array, recurrent: Array, bias: Array
) -> tuple[Array, tuple[Array, Array, Array]]:
    states = _states(inputs, input_weights, recurrent, bias)
    return states[-1], (inputs, recurrent, states)


def _last_state_backward(
    saved: tuple[Array, Array, Array], gradient: Float[Array, "batch units"]
) -> tuple[None, Array, Array, Array]:
    inputs, recurrent, states = saved
    steps, batch, units = states.shape
    transposed = recurrent.T

    def step(
        gradient: Float[Array, "batch units"], state: Float[Array, "batch units"]
    ) -> tuple[Array, Array]:
        gradient = jnp.where(state > 0, gradient, 0)
        return gradient @ transposed, gradient

    _, deltas = lax.scan(step, gradient, states, reverse=True)
    earlier, later = states[:-1].reshape(-1, units), deltas[1:].reshape(-1, units)
    flat = deltas.reshape(-1, units)
    return None, inputs.reshape(steps * batch, -1).T @ flat, earlier.T @ later, flat.sum(0)


last_state.defvjp(_last_state_forward, _last_state_backward)


def logits(
    weights: Weights, inputs: Float[Array, "steps batch channels"]
) -> Float[Array, "batch outputs"]:
    """Readout of the last state, before the softmax.

    Examples
    --------
    >>> w = Weights(jnp.ones((1, 2)), jnp.eye(2), jnp.zeros(2), jnp.ones((2, 1)), jnp.zeros(1))
    >>> logits(w, jnp.ones((3, 1, 1))).tolist()
    [[6.0]]

    """
    state = last_state(inputs, weights.input, weights.recurrent, weights.bias)
    return state @ weights.readout + weights.readout_bias


def cross_entropy(
    scores: Float[Array, "batch outputs"], labels: Int[Array, " batch"]
) -> Float[Array, " batch"]:
    """Categorical cross-entropy of each trial, in nats, from logits.

    Examples
    --------
    >>> round(float(cross_entropy(jnp.zeros((1, 4)), jnp.array([2]))[0]), 4)
    1.3863

    """
    chosen = jnp.take_along_axis(scores, labels[:, None], axis=1)[:, 0]
    return jax.nn.logsumexp(scores, axis=1) - chosen


@partial(jax.value_and_grad, has_aux=True)
def data_loss(
    weights: Weights, inputs: Float[Array, "steps batch channels"], labels: Int[Array, " batch"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Mean cross-entropy of a batch with the share of right answers; with gradients.

    Examples
    --------
    >>> w = Weights(jnp.ones((1, 2)), jnp.eye(2), jnp.zeros(2), jnp.ones((2, 2)), jnp.zeros(2))
    >>> (loss, right), gradient = data_loss(w, jnp.ones((3, 1, 1)), jnp.array([0]))
    >>> round(float(loss), 4), float(right)
    (0.6931, 1.0)

    """
    scores = logits(weights, inputs)
    right = jnp.mean((jnp.argmax(scores, axis=1) == labels).astype(scores.dtype))
    return jnp.mean(cross_entropy(scores, labels)), right
