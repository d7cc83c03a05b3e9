"""One run: from initial weights and keys to learning curves and trained weights, as one program."""

from functools import partial
from typing import Literal, NamedTuple

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
    drawn_right, drawn_loss
        As `right` and `loss`, of the first held-out trials as drawn, with the noise that belongs
        to them, (checks, 640); of a task whose trials have none, (checks, 0).
    test_trials, test_right, test_loss
        Distinct trial, answer and cross-entropy of every test trial as drawn, after training,
        (2560,); of a task whose trials have no noise, (0,).
    by_epoch
        All weights at the start and after each epoch, (epochs + 1, ...) each.
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
    drawn_right: np.ndarray
    drawn_loss: np.ndarray
    test_trials: np.ndarray
    test_right: np.ndarray
    test_loss: np.ndarray
    by_epoch: Weights
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
    curves_on: Literal["validation", "test"] = "validation",
    row_sign: Float[np.ndarray, " units"] | None = None,
) -> Outcome:
    """Train one network in single precision on JAX's device, whatever JAX's own settings.

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
    curves_on
        The draw that `drawn_right` and `drawn_loss` are read on.
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
    >>> outcome.right.shape, outcome.by_epoch.recurrent.shape
    ((3, 8), (2, 8, 8))

    """
    row_sign = np.zeros(len(start.bias)) if row_sign is None else row_sign
    with jax.enable_x64(False), jax.default_matmul_precision("highest"):
        data_seed = SHARED_SEED if shared_draws else seed
        keys = {
            "training": key(data_seed, "training trials"),
            "validation": key(data_seed, "validation trials"),
            "test": key(data_seed, "test trials"),
            "order": key(seed, "order"),
            "noise": key(seed, "noise"),
        }
        no_noise = task.noise_sd is None
        noise_sd = np.zeros((0, 0)) if no_noise else task.noise_sd
        single = partial(jax.tree.map, lambda a: jnp.asarray(a, jnp.float32))
        curves, by_epoch = _program(
            kind,
            schedule,
            curves_on,
            jnp.asarray(task.inputs.transpose(1, 0, 2), jnp.float32),
            jnp.asarray(task.labels, jnp.int32),
            single(noise_sd),
            single(start),
            single(penalty_inputs),
            keys,
            single(StepSettings(recipe.learning_rate, recipe.clip, row_sign)),
            jnp.asarray(not shared_draws),
        )
        curves, by_epoch = jax.tree.map(np.asarray, (curves, by_epoch))
    steps = np.arange(0, schedule.steps + 1, schedule.check_every)
    return Outcome(
        steps=steps,
        by_epoch=by_epoch,
        start=jax.tree.map(np.asarray, start),
        end=Weights(*(array[-1] for array in by_epoch)),
        **curves,
    )


@partial(jax.jit, static_argnums=(0, 1, 2), compiler_options={"xla_cpu_multi_thread_eigen": False})
def _program(
    kind: PenaltyKind,
    schedule: Schedule,
    curves_on: str,
    inputs: Float[Array, "steps trials channels"],
    labels: Int[Array, " trials"],
    noise_sd: Float[Array, "_ _"],
    start: Weights,
    penalty_inputs: PenaltyInputs,
    keys: dict[str, Array],
    settings: StepSettings,
    reorder: Array,
) -> tuple[dict[str, Array], Weights]:
    n_trials, noisy = len(labels), noise_sd.size > 0
    trials = {
        name: _draw(keys[name], n, n_trials)
        for name, n in (
            ("training", schedule.training_trials),
            ("validation", schedule.heldout_trials),
            ("test", schedule.heldout_trials),
        )
    }
    steps_per_epoch, every = schedule.steps_per_epoch, schedule.check_every
    checks_per_epoch = steps_per_epoch // every

    def as_drawn(name: str, numbers: Int[Array, " n"]) -> Float[Array, "steps n channels"]:
        """Trials of a draw by their numbers, each with the noise that is its own."""
        chosen = inputs[:, trials[name][numbers]]
        if not noisy:
            return chosen
        own = jax.vmap(partial(jax.random.fold_in, jax.random.fold_in(keys[name], 1)))(numbers)
        noise = jax.vmap(lambda k: jax.random.normal(k, noise_sd.shape, inputs.dtype))(own)
        return chosen + (noise * noise_sd).transpose(1, 0, 2)

    def answers(
        weights: Weights, trials: Float[Array, "steps n channels"], labels: Int[Array, " n"]
    ) -> tuple[Array, Array]:
        scores = logits(weights, trials)
        answered = jnp.isfinite(scores).all(axis=1)
        right = answered & (jnp.argmax(scores, axis=1) == labels)
        return right, cross_entropy(scores, labels)

    def of_draw(weights: Weights, name: str, n: int) -> tuple[Array, Array]:
        if not noisy:
            return jnp.zeros(0, bool), jnp.zeros(0, inputs.dtype)
        numbers = jnp.arange(n, dtype=jnp.int32)
        return answers(weights, as_drawn(name, numbers), labels[trials[name][numbers]])

    def check(weights: Weights) -> dict[str, Array]:
        right, loss = answers(weights, inputs, labels)
        drawn_right, drawn_loss = of_draw(weights, curves_on, schedule.curve_trials)
        return {
            "right": right,
            "loss": loss,
            "drawn_right": drawn_right,
            "drawn_loss": drawn_loss,
            "penalty": penalty(kind, weights.recurrent, penalty_inputs),
        }

    def step(carry: tuple[Weights, Moments], at: tuple[Array, Array]) -> tuple[tuple, dict]:
        weights, moments = carry
        number, chosen = at
        noise_key = jax.random.fold_in(keys["noise"], number)
        batch = as_drawn("training", chosen)
        batch += schedule.noise * jax.random.normal(noise_key, batch.shape, batch.dtype)
        right = labels[trials["training"][chosen]]
        weights, moments, measured = training_step(
            kind, weights, moments, number + 1, batch, right, penalty_inputs, settings
        )
        return (weights, moments), measured

    def until_check(carry: tuple[Weights, Moments], at: tuple[Array, Array]) -> tuple[tuple, dict]:
        carry, measured = lax.scan(step, carry, at)
        means = {name: jnp.mean(values, dtype=inputs.dtype) for name, values in measured.items()}
        means["gradient_norm_data_max"] = jnp.max(measured["gradient_norm_data"])
        return carry, means | check(carry[0])

    def epoch(carry: tuple[Weights, Moments], number: Array) -> tuple[tuple, tuple]:
        drawn = jnp.arange(schedule.training_trials, dtype=jnp.int32)
        shuffled = jax.random.permutation(jax.random.fold_in(keys["order"], number), drawn)
        order = jnp.where(reorder, shuffled, drawn)[: steps_per_epoch * schedule.batch]
        numbers = number * steps_per_epoch + jnp.arange(steps_per_epoch, dtype=jnp.int32)
        at = (
            numbers.reshape(checks_per_epoch, every),
            order.reshape(checks_per_epoch, every, schedule.batch),
        )
        carry, curves = lax.scan(until_check, carry, at)
        return carry, (curves, carry[0])

    carry = (start, adam_start(start))
    epochs = jnp.arange(schedule.epochs, dtype=jnp.int32)
    (end, _), (curves, by_epoch) = lax.scan(epoch, carry, epochs)
    curves = jax.tree.map(lambda values: lax.collapse(values, 0, 2), curves)
    for name, first in check(start).items():
        curves[name] = jnp.concatenate([first[None], curves[name]])
    for name in ("validation", "test"):
        curves[f"{name}_counts"] = jnp.bincount(trials[name], length=n_trials)
    curves["test_trials"] = trials["test"] if noisy else trials["test"][:0]
    curves["test_right"], curves["test_loss"] = of_draw(end, "test", schedule.heldout_trials)
    return curves, jax.tree.map(
        lambda first, later: jnp.concatenate([first[None], later]), start, by_epoch
    )


def _draw(key: Array, n: int, n_trials: int) -> Int[Array, " n"]:
    return jax.random.randint(key, (n,), 0, n_trials, jnp.int32)
