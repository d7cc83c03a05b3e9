"""A run's training against matrix products, on one core.

The operations counted are those of `biosernn.study.estimate.operations`: forward, backward and
penalty; input noise, optimiser, checks and everything else are in the time but not in the count.
"""

import time
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.page import table, write_page
from benchmarks.plots import panels
from biosernn import Cohort, synthetic_cohort
from biosernn.study.estimate import operations, recurrence_speed
from biosernn.study.plan import Run, plan, resolve
from biosernn.study.presets import preset
from biosernn.study.sample import sample
from biosernn.tasks.maze import maze
from biosernn.training.network import initial_weights
from biosernn.training.randomness import generator
from biosernn.training.train import train

UNITS = (64, 128, 192, 312)
ARMS = ("W0", "W*D*C")
REPEATS = 3


def measure() -> tuple[list[str], str]:
    """The page's lines and its plot."""
    rows, speeds = [], {name: [] for name in ("sgemm", "the recurrence's product", *ARMS)}
    for units in UNITS:
        cohort = synthetic_cohort(units, 0)
        asked = preset("quick").with_options(
            units=units, seeds=2, recipe="seed", arms=list(ARMS), cohort=f"synthetic:{units}"
        )
        runs = plan(resolve(asked, [cohort]), [cohort])[: len(ARMS)]
        sgemm, alone = _sgemm(), recurrence_speed(units, seconds=1.0)
        speeds["sgemm"].append(sgemm / 1e9)
        speeds["the recurrence's product"].append(alone / 1e9)
        for run in runs:
            seconds = _seconds(run, cohort)
            speed = operations(run) / seconds
            speeds[run.arm.name].append(speed / 1e9)
            rows.append(
                [
                    f"{run.arm.name}, {units}",
                    f"{seconds:.2f}",
                    f"{speed / 1e9:.0f}",
                    f"{sgemm / 1e9:.0f}",
                    f"{speed / sgemm:.0%}",
                    f"{alone / sgemm:.0%}",
                    f"{speed / alone:.0%}",
                ]
            )
    lines = [
        "Recipe seed, ten epochs, once compiled; the best of "
        f"{REPEATS}. sgemm: a product of 1,024 x 1,024 in XLA, the best of ten. The recurrence's "
        "product: a batch of 128 states times the recurrent weights, with its sum and relu, in "
        "NumPy; it is the ceiling of a network of that size whose batch is 128.",
        "",
        *table(
            [
                "arm, units",
                "seconds",
                "GFLOP/s",
                "sgemm",
                "training of sgemm",
                "ceiling of sgemm",
                "training of the ceiling",
            ],
            rows,
        ),
    ]
    drawn = {name: (UNITS, values) for name, values in speeds.items()}
    return lines, panels([("neurons", "GFLOP/s on one core", drawn, None)], "Speed of training")


def _seconds(run: Run, cohort: Cohort) -> float:
    drawn = sample(cohort, run.units, run.seed, run.protocol)
    kind, penalty_inputs = drawn.penalty(run.arm, run.strength)
    rngs = generator(run.seed, "input weights"), generator(run.seed, "readout")
    start = initial_weights(drawn.initial(run.arm), 8, 4, *rngs)
    work = partial(
        train, maze(), start, kind, penalty_inputs, seed=0, recipe=run.recipe, schedule=run.schedule
    )
    work()
    return min(_timed(work) for _ in range(REPEATS))


def _sgemm() -> float:
    matrix = jnp.asarray(np.random.default_rng(0).standard_normal((1024, 1024), np.float32))
    product = jax.jit(lambda a: a @ a)
    product(matrix).block_until_ready()
    return 2 * 1024**3 / min(_timed(lambda: product(matrix).block_until_ready()) for _ in range(10))


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    lines, svg = measure()
    write_page("training", "A run's training against matrix products, on one core", lines, svg)


if __name__ == "__main__":
    main()
