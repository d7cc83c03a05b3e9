"""One run: from initial weights and keys to learning curves and trained weights, as one program."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from biosernn.protocol import Recipe
from biosernn.tasks.task import Task
from biosernn.training.adam import Moments, adam_start
from biosernn.training.network import Weights, cross_entropy, logits
from biosernn.training.penalty import PenaltyInputs, PenaltyKind, penalty
from biosernn.training.randomness import key
from biosernn.training.schedule import Schedule
from biosernn.training.step import StepSettings, training_step

SHARED_SEED = 0x5EED
"""Seed of the one draw of task data that all runs share where a protocol asks for that."""


class Outcome(NamedTuple):
    """What one run returns; all arrays NumPy.

    Attributes
    ----------
    steps
        Steps at which the curves are read: 0, 5, ..., (checks,).
    right
        Whether each distinct trial is answered right without noise, (checks, trials); a readout
        that is not finite answers nothing.
    loss
        Cross-entropy of each distinct trial without noise, (checks, trials).
    penalty
        The penalty at each check, (checks,).
    training_loss, training_accuracy, clipped
        Means over the steps since the last check, (checks - 1,); as in Keras, a readout that is
        not a number counts there as the first answer.
    gradient_norm_data, gradient_norm_stepped, gradient_norm_penalty
        Likewise: of the data's gradient, of what clipping leaves of it, and of the penalty's.
    gradient_norm_data_max
        Largest norm among those steps, (checks - 1,).
    validation_counts, test_counts
        How often each distinct trial occurs, (trials,).
    recurrent
        Recurrent weights at the start and after each epoch, (epochs + 1, units, units).
    start, end
        All weights before and after training.

    """

    steps: np.ndarray
    right: np.ndarray
    loss: np.ndarray
    penalty: np.ndarray
    training_loss: np.ndarray
    training_accuracy: np.ndarray
    gradient_norm_data: np.ndarray
    gradient_norm_stepped: np.ndarray
    gradient_norm_penalty: np.ndarray
    clipped: np.ndarray
    gradient_norm_data_max: np.ndarray
    validation_counts: np.ndarray
    test_counts: np.ndarray
    recurrent: np.ndarray
    start: Weights
    end: Weights


def train(
    task: Task,
    start: Weights,
    kind: PenaltyKind,
    penalty_inputs: PenaltyInputs,
    *,
    seed: int,
    recipe: Recipe,
    schedule: Schedule,
    shared_draws: bool = False,
    row_sign: Float[np.ndarray, " units"] | None = None,
) -> Outcome:
    """Train one network in single precision, whatever JAX's own setting.

    Parameters
    ----------
    task
        Distinct trials and their labels.
    start
        Initial weights, cast to float32.
    kind, penalty_inputs
        The penalty on the recurrent weights.
    seed
        Seed of trials, their order and the input noise.
    recipe
        Learning rate and clipping.
    schedule
        Length of the training.
    shared_draws
        One draw of trials for every seed, in the same order in every epoch; otherwise each seed
        draws its own and reorders them every epoch.
    row_sign
        Sign that the weights of each presynaptic neuron are held to after every step: 1, -1, or 0
        where they are free, as all are by default.

    Returns
    -------
    Outcome
        Curves and weights.

    Examples
    --------
    >>> from biosernn.tasks.maze import maze
    >>> from biosernn.training.network import initial_weights
    >>> rng = np.random.default_rng
    >>> start = initial_weights(0.9 * np.eye(8), 8, 4, rng(0), rng(1))
    >>> short = Schedule(epochs=1, training_trials=1280)
    >>> no_penalty = PenaltyKind(), PenaltyInputs(0.0)
    >>> outcome = train(maze(), start, *no_penalty, seed=0, recipe=Recipe(), schedule=short)
    >>> outcome.right.shape, outcome.recurrent.shape
    ((3, 8), (2, 8, 8))

    """
    row_sign = np.zeros(len(start.bias)) if row_sign is None else row_sign
    with jax.enable_x64(False):
        data_seed = SHARED_SEED if shared_draws else seed
        keys = {
            "training": key(data_seed, "training trials"),
            "validation": key(data_seed, "validation trials"),
            "test": key(data_seed, "test trials"),
            "order": key(seed, "order"),
            "noise": key(seed, "noise"),
        }
        single = partial(jax.tree.map, lambda a: jnp.asarray(a, jnp.float32))
        curves, recurrent, end = _program(
            kind,
            schedule,
            jnp.asarray(task.inputs.transpose(1, 0, 2), jnp.float32),
            jnp.asarray(task.labels, jnp.int32),
            single(start),
            single(penalty_inputs),
            keys,
            single(StepSettings(recipe.learning_rate, recipe.clip, row_sign)),
            jnp.asarray(not shared_draws),
        )
        curves, recurrent, end = jax.tree.map(np.asarray, (curves, recurrent, end))
    steps = np.arange(0, schedule.steps + 1, schedule.check_every)
    return Outcome(
        steps=steps, recurrent=recurrent, start=jax.tree.map(np.asarray, start), end=end, **curves
    )


@partial(jax.jit, static_argnums=(0, 1), compiler_options={"xla_cpu_multi_thread_eigen": False})
def _program(
    kind: PenaltyKind,
    schedule: Schedule,
    inputs: Float[Array, "steps trials channels"],
    labels: Int[Array, " trials"],
    start: Weights,
    penalty_inputs: PenaltyInputs,
    keys: dict[str, Array],
    settings: StepSettings,
    reorder: Array,
) -> tuple[dict[str, Array], Array, Weights]:
    n_trials = len(labels)
    drawn = _draw(keys["training"], schedule.training_trials, n_trials)
    steps_per_epoch, every = schedule.steps_per_epoch, schedule.check_every
    checks_per_epoch = steps_per_epoch // every

    def check(weights: Weights) -> dict[str, Array]:
        scores = logits(weights, inputs)
        answered = jnp.isfinite(scores).all(axis=1)
        return {
            "right": answered & (jnp.argmax(scores, axis=1) == labels),
            "loss": cross_entropy(scores, labels),
            "penalty": penalty(kind, weights.recurrent, penalty_inputs),
        }

    def step(carry: tuple[Weights, Moments], at: tuple[Array, Array]) -> tuple[tuple, dict]:
        weights, moments = carry
        number, chosen = at
        noise_key = jax.random.fold_in(keys["noise"], number)
        batch = inputs[:, chosen]
        batch += schedule.noise * jax.random.normal(noise_key, batch.shape, batch.dtype)
        weights, moments, measured = training_step(
            kind, weights, moments, number + 1, batch, labels[chosen], penalty_inputs, settings
        )
        return (weights, moments), measured

    def until_check(carry: tuple[Weights, Moments], at: tuple[Array, Array]) -> tuple[tuple, dict]:
        carry, measured = lax.scan(step, carry, at)
        means = {name: jnp.mean(values, dtype=inputs.dtype) for name, values in measured.items()}
        means["gradient_norm_data_max"] = jnp.max(measured["gradient_norm_data"])
        return carry, means | check(carry[0])

    def epoch(carry: tuple[Weights, Moments], number: Array) -> tuple[tuple, tuple]:
        shuffled = jax.random.permutation(jax.random.fold_in(keys["order"], number), drawn)
        order = jnp.where(reorder, shuffled, drawn)[: steps_per_epoch * schedule.batch]
        numbers = number * steps_per_epoch + jnp.arange(steps_per_epoch, dtype=jnp.int32)
        at = (
            numbers.reshape(checks_per_epoch, every),
            order.reshape(checks_per_epoch, every, schedule.batch),
        )
        carry, curves = lax.scan(until_check, carry, at)
        return carry, (curves, carry[0].recurrent)

    carry = (start, adam_start(start))
    epochs = jnp.arange(schedule.epochs, dtype=jnp.int32)
    (end, _), (curves, recurrent) = lax.scan(epoch, carry, epochs)
    curves = {name: values.reshape(-1, *values.shape[2:]) for name, values in curves.items()}
    for name, first in check(start).items():
        curves[name] = jnp.concatenate([first[None], curves[name]])
    for name in ("validation", "test"):
        trials = _draw(keys[name], schedule.heldout_trials, n_trials)
        curves[f"{name}_counts"] = jnp.bincount(trials, length=n_trials)
    return curves, jnp.concatenate([start.recurrent[None], recurrent]), end


def _draw(key: Array, n: int, n_trials: int) -> Int[Array, " n"]:
    return jax.random.randint(key, (n,), 0, n_trials, jnp.int32)
