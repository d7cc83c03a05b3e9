"""A run's training against a plain matrix product, on one core.

The operations counted are those of `biosernn.study.estimate.operations`: forward, backward and
penalty; input noise, optimiser and everything else are in the time but not in the count.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np

from biosernn import synthetic_cohort
from biosernn.study.estimate import operations, recurrence_speed
from biosernn.study.perform import perform
from biosernn.study.plan import plan, resolve
from biosernn.study.presets import preset


def table() -> list[str]:
    sgemm = _sgemm()
    lines = [
        f"sgemm of 1024 x 1024: {sgemm / 1e9:.0f} GFLOP/s",
        "",
        "| units | arm | seconds a run | GFLOP/s | of sgemm | of the recurrence alone |",
        "|---|---|---|---|---|---|",
    ]
    for units in (48, 128, 312):
        cohort = synthetic_cohort(units, 0)
        asked = preset("quick").with_options(units=units, seeds=2, recipe="seed")
        study = resolve(asked.with_options(arms=["W0", "W*D*C"]), [cohort])
        alone = recurrence_speed(units)
        runs = plan(study, [cohort])
        for number, run in enumerate(runs):
            started = time.perf_counter()
            perform(run, cohort)
            seconds = time.perf_counter() - started
            if number < 2:
                continue
            speed = operations(run) / seconds
            lines.append(
                f"| {units} | {run.arm.name} | {seconds:.2f} | {speed / 1e9:.0f} "
                f"| {speed / sgemm:.0%} | {speed / alone:.0%} |"
            )
    return lines


def _sgemm() -> float:
    matrix = jnp.asarray(np.random.default_rng(0).standard_normal((1024, 1024), np.float32))
    product = jax.jit(lambda a: a @ a)
    product(matrix).block_until_ready()
    fastest = np.inf
    for _ in range(10):
        started = time.perf_counter()
        product(matrix).block_until_ready()
        fastest = min(fastest, time.perf_counter() - started)
    return 2 * 1024**3 / fastest
