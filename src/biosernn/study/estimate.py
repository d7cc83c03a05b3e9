"""How long a study will take on this machine."""

import time
from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from biosernn.graphs.topology import topology
from biosernn.study.arms import Arm
from biosernn.study.plan import NULL_GRAPHS, Run

START_S = 6.0
COMPILE_S = 5.0
AROUND = 1.9
"""All that is measured on a run, against the graph measures of its weights after every epoch."""

SLOWER = 1.12
"""The program against the recurrence alone, measured with all cores busy (make bench)."""

EXPONENTIAL_PRODUCTS = 15
"""Matrix products in the value and gradient of the communicability."""


def estimate(runs: Sequence[Run], workers: int) -> float:
    """Seconds that runs will take, from a second's measurement of this machine's arithmetic.

    A run's floating-point operations are counted and divided by the measured speed of the
    network's recurrence at the same size. What is measured on its weights is reckoned from the
    measured seconds of one weight matrix's graph measures. Starting the workers and compiling each
    program once a worker are added. Runs that share a training are trained once.

    Parameters
    ----------
    runs
        Runs still to do.
    workers
        How many are done at a time.

    Examples
    --------
    >>> estimate([], 2)
    0.0

    """
    if not runs:
        return 0.0
    sizes = {run.units for run in runs}
    speed = {units: recurrence_speed(units) for units in sizes}
    graphs = {units: topology_seconds(units) for units in sizes}
    seconds = {run.training: SLOWER * operations(run) / speed[run.units] for run in runs}
    for run in runs:
        seconds[run.training] += AROUND * graphs[run.units] * (run.epochs + 1)
    each = seconds.values()
    programs = {(run.units, run.epochs, _program(run.arm, run.strength)) for run in runs}
    workers = max(1, min(workers, len(each)))
    return START_S + COMPILE_S * len(programs) + max(sum(each) / workers, max(each))


def operations(run: Run) -> float:
    """Floating-point operations of one run: forward, backward and penalty.

    Examples
    --------
    >>> from biosernn.study.arms import ARMS
    >>> run = Run(0, "", ARMS["W0"], "maze", 0, "corrected", "seed", 128, 0.3, 10)
    >>> round(operations(run) / 1e9)
    269

    """
    trials, steps, channels = run.trained_on.inputs.shape
    schedule, units = run.schedule, run.units
    step = 6 * schedule.batch * steps * units * (units + channels)
    check = 2 * trials * steps * units * (units + channels)
    if _program(run.arm, run.strength)[0] in ("own", "matched"):
        step += 2 * EXPONENTIAL_PRODUCTS * units**3
    return float(schedule.steps * (step + check / schedule.check_every))


def _program(arm: Arm, strength: float) -> tuple[str, bool]:
    penalised = (strength if arm.strength is None else arm.strength) > 0
    return (arm.communicability if penalised else "free", arm.geometry == "none")


def recurrence_speed(units: int, seconds: float = 0.3) -> float:
    """Floating-point operations a second of the recurrence on one core, measured.

    Examples
    --------
    >>> recurrence_speed(16, seconds=0.01) > 0
    True

    """
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((units, units), np.float32) / np.float32(units)
    state = np.abs(rng.standard_normal((128, units), np.float32))
    drive = state.copy()
    fastest, end = np.inf, time.perf_counter() + seconds
    with threadpool_limits(1):
        while fastest == np.inf or time.perf_counter() < end:
            started = time.perf_counter()
            for _ in range(10):
                np.maximum(drive + state @ weights, 0)
            fastest = min(fastest, (time.perf_counter() - started) / 10)
    return 2 * 128 * units * units / fastest


def topology_seconds(units: int) -> float:
    """Seconds of the graph measures of one weight matrix on one core, measured.

    Examples
    --------
    >>> topology_seconds(16) > 0
    True

    """
    rng = np.random.default_rng(0)
    weights, fastest = rng.standard_normal((units, units)), np.inf
    with threadpool_limits(1):
        for _ in range(2):
            started = time.perf_counter()
            topology(weights, rng, n_nulls=NULL_GRAPHS)
            fastest = min(fastest, time.perf_counter() - started)
    return fastest
