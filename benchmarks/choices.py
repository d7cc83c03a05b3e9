"""What each choice of the engine gains: the same work done the plain way, beside the engine's.

One thing is changed at a time, both ways are timed in turn on one core, and their results are held
against each other.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.page import table, write_page
from biosernn.graphs.communicability import communicability_kernel, normalised_weights
from biosernn.tasks.maze import maze
from biosernn.training import network
from biosernn.training.network import last_state
from biosernn.training.schedule import Schedule

UNITS = (128, 312)
BATCH = Schedule().batch
ROUNDS = 9

Timed = Callable[..., Any]


def by_autodiff(inputs: jax.Array, w_in: jax.Array, w: jax.Array, b: jax.Array) -> jax.Array:
    """The recurrence, its gradient left to JAX: W's is summed step by step."""
    drive = inputs @ w_in + b

    def step(state: jax.Array, drive_t: jax.Array) -> tuple[jax.Array, None]:
        return jnp.maximum(drive_t + state @ w, 0), None

    return lax.scan(step, jnp.zeros(drive.shape[1:], drive.dtype), drive)[0]


def _states_in_the_step(
    inputs: jax.Array, w_in: jax.Array, w: jax.Array, b: jax.Array
) -> jax.Array:
    def step(state: jax.Array, input_t: jax.Array) -> tuple[jax.Array, jax.Array]:
        state = jnp.maximum(input_t @ w_in + b + state @ w, 0)
        return state, state

    return lax.scan(step, jnp.zeros((inputs.shape[1], len(b)), inputs.dtype), inputs)[1]


@jax.custom_vjp
def input_in_the_step(inputs: jax.Array, w_in: jax.Array, w: jax.Array, b: jax.Array) -> jax.Array:
    """The recurrence with the engine's backward pass, the input's product taken in every step."""
    return _states_in_the_step(inputs, w_in, w, b)[-1]


def _forward(inputs: jax.Array, w_in: jax.Array, w: jax.Array, b: jax.Array) -> tuple:
    states = _states_in_the_step(inputs, w_in, w, b)
    return states[-1], (inputs, w, states)


input_in_the_step.defvjp(_forward, network._last_state_backward)


def by_expm(weights: jax.Array) -> jax.Array:
    """Communicability by JAX's own matrix exponential."""
    exponential = jax.scipy.linalg.expm(normalised_weights(weights))
    return jnp.where(jnp.eye(len(weights), dtype=bool), 0, exponential)


def _gradient_of(recurrence: Timed) -> Timed:
    """Loss of the last state with the gradients of the three weights."""

    def loss(weights: tuple, inputs: jax.Array) -> jax.Array:
        return jnp.square(recurrence(inputs, *weights)).sum()

    return jax.jit(jax.value_and_grad(loss))


def _penalty_of(communicability: Timed) -> Timed:
    def penalty(weights: jax.Array, distances: jax.Array) -> jax.Array:
        return (jnp.abs(weights) * communicability(weights) * distances).sum()

    return jax.jit(jax.value_and_grad(penalty))


def _in_turn(engine: Callable[[], Any], plain: Callable[[], Any]) -> tuple[float, float, float]:
    """Best milliseconds of each, timed in turn, and the largest relative difference of results."""
    ways = (engine, plain)
    results = [jax.block_until_ready(way()) for way in ways]
    best = [np.inf, np.inf]
    for _ in range(ROUNDS):
        for number, way in enumerate(ways):
            started = time.perf_counter()
            jax.block_until_ready(way())
            best[number] = min(best[number], 1e3 * (time.perf_counter() - started))
    pairs = zip(*map(jax.tree.leaves, results), strict=True)
    differs = max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs)
    return *best, differs


def _comparisons(units: int) -> list[tuple[str, Timed, Timed]]:
    """What is compared, the engine's way and the other."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> jax.Array:
        return jnp.asarray(rng.standard_normal(shape), jnp.float32)

    trials = jnp.asarray(maze().inputs.transpose(1, 0, 2), jnp.float32)
    batch = trials[:, rng.integers(0, trials.shape[1], BATCH)]
    batch += Schedule().noise * normal(*batch.shape)
    heldout = trials[:, rng.integers(0, trials.shape[1], 2 * Schedule().heldout_trials)]
    recurrent = 0.95 * jnp.asarray(np.linalg.qr(normal(units, units))[0])
    weights = 0.3 * normal(trials.shape[2], units), recurrent, jnp.zeros(units)
    distances = jnp.abs(normal(units, units))
    own, plain = _gradient_of(last_state), _gradient_of(by_autodiff)
    both = jax.tree.map(lambda a: jnp.stack([a, a]), weights)

    def one_by_one() -> Any:
        found = [own(weights, batch) for _ in range(2)]
        return jax.tree.map(lambda *a: jnp.stack(a), *found)

    def greatest_state(trials: jax.Array) -> jax.Array:
        return last_state(trials, *weights).max()

    check = jax.jit(greatest_state)
    return [
        (
            "gradient of the recurrence: W's in one product, against JAX's own",
            partial(own, weights, batch),
            partial(plain, weights, batch),
        ),
        (
            "products with the inputs: of all steps at once, against one a step",
            partial(own, weights, batch),
            partial(_gradient_of(input_in_the_step), weights, batch),
        ),
        (
            "communicability with its gradient: a Taylor polynomial, against expm",
            partial(_penalty_of(communicability_kernel), recurrent, distances),
            partial(_penalty_of(by_expm), recurrent, distances),
        ),
        (
            "a check: the distinct trials, against all that are held out",
            partial(check, trials),
            partial(check, heldout),
        ),
        (
            "two runs: one after the other, against both in one program (vmap)",
            one_by_one,
            partial(jax.jit(jax.vmap(own, (0, None))), both, batch),
        ),
    ]


def measure() -> list[str]:
    """The page's lines."""
    rows = []
    for units in UNITS:
        for name, engine, other in _comparisons(units):
            ours, theirs, differs = _in_turn(engine, other)
            rows.append(
                [
                    f"{name}, {units}",
                    f"{ours:.2f}",
                    f"{theirs:.2f}",
                    f"{theirs / ours:.2f}",
                    f"{differs:.0e}",
                ]
            )
    return [
        f"Milliseconds on one core, the best of {ROUNDS} in turn; where trials are taken, a batch "
        f"of {BATCH} of the maze. The engine's way first: above 1 it is the faster.",
        "",
        *table(["work, units", "engine's way", "other way", "times", "results differ by"], rows),
    ]


def main() -> None:
    write_page("choices", "What each choice of the engine gains", measure())


if __name__ == "__main__":
    main()
