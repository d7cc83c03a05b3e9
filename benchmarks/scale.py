"""Time and memory against neurons, workers and runs; each measurement in a fresh process.

`python -m benchmarks.scale 64 128 256` takes fewer numbers of neurons; the largest took an hour
and a half on a slow machine.
"""

import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import psutil

from benchmarks.page import table, write_page
from benchmarks.plots import panels
from biosernn import Cohort, synthetic_cohort
from biosernn.study.execute import usable_cores
from biosernn.study.perform import perform
from biosernn.study.plan import Run, plan, resolve
from biosernn.study.presets import preset
from biosernn.study.record import Record
from biosernn.study.sample import sample
from biosernn.study.store import STUDY, Store
from biosernn.tasks.maze import maze
from biosernn.training.network import initial_weights
from biosernn.training.randomness import generator
from biosernn.training.schedule import Schedule
from biosernn.training.train import train

NEURONS = (64, 128, 256, 512, 1024, 2048, 4096)
TIMED_STEPS = 5
LIMIT_MIB = 2048
RUNS = ((10, 2, "seed"), (100, 10, "both"), (1_000, 100, "both"), (10_000, 1_000, "both"))
"""Runs of a study, with the seeds and recipes of five arms that make them."""

RUN_ARMS = ("W*D*C", "shuffled-in-bins", "diagonal-only", "WD*C", "W0")
RUNS_LIMIT_S, RUNS_LIMIT_MIB = 10, 1024
WORKER_UNITS, WORKER_SEEDS = 128, 4


@dataclass(frozen=True)
class ShortRun(Run):
    """A run of as many epochs, each of a single step: it keeps as many weights as a whole one."""

    @property
    def schedule(self) -> Schedule:
        """Ten checks, one after every step."""
        return Schedule(epochs=self.epochs, training_trials=Schedule().batch, check_every=1)


def alone(work: Callable, *arguments: object) -> tuple:
    """Call in a fresh process, so that its peak memory is its own."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(work, *arguments).result()


def peak_mib() -> float:
    """The most memory that this process had, in MiB."""
    try:
        status = Path("/proc/self/status").read_text()
        return float(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def large_cohort(n: int) -> Cohort:
    """Positions and similarities that fall with distance, without recordings behind them."""
    rng = np.random.default_rng(0)
    positions = rng.normal(0, (227.0, 8.0, 121.0), (n, 3))
    nearness = np.exp(-np.linalg.norm(positions[:, None] - positions, axis=2) / 150)

    def similarity() -> np.ndarray:
        matrix = nearness * rng.uniform(0, 0.3, (n, n))
        matrix = (matrix + matrix.T) / 2
        np.fill_diagonal(matrix, 1)
        return matrix

    names = ("nucleus_id", "root_id", "unit_id", "session", "scan", "field")
    return Cohort(
        neurons={name: np.arange(1, n + 1) for name in names},
        positions_um=positions,
        corr=similarity(),
        sttc=similarity(),
        provenance={"kind": "made up", "name": f"made-up:{n}", "version": 1},
    )


def one_run(units: int) -> tuple[float, float, float]:
    """Seconds of a training step, seconds of a run around its training, and peak memory in MiB."""
    cohort = large_cohort(units)
    asked = preset("quick").with_options(arms=["W*D*C"], units=units, seeds=2, recipe="seed")
    whole = plan(resolve(asked, [cohort]), [cohort])[0]
    short = ShortRun(**{field.name: getattr(whole, field.name) for field in fields(Run)})
    started = time.perf_counter()
    perform(short, cohort)
    performed_s, peak = time.perf_counter() - started, peak_mib()
    drawn = sample(cohort, units, 0, short.protocol)
    kind, penalty_inputs = drawn.penalty(short.arm, short.strength)
    rngs = generator(0, "input weights"), generator(0, "readout")
    start = initial_weights(drawn.initial(short.arm), 8, 4, *rngs)
    few = Schedule(epochs=1, training_trials=TIMED_STEPS * Schedule().batch)

    def step_seconds() -> float:
        started = time.perf_counter()
        train(maze(), start, kind, penalty_inputs, seed=0, recipe=short.recipe, schedule=few)
        return (time.perf_counter() - started) / TIMED_STEPS

    step_seconds()
    step_s = min(step_seconds() for _ in range(max(1, 1024 // units)))
    return step_s, performed_s - short.schedule.steps * step_s, peak


def command(*arguments: str, cache: str = "") -> tuple[float, float, float, float]:
    """Seconds and peak MiB of a biosernn command until its first line, and until its end.

    The memory of all its processes is added up ten times a second, what they share in each.
    """
    program = str(Path(sys.executable).with_name("biosernn"))
    peak, ended = 0.0, threading.Event()
    started = time.perf_counter()
    environment = os.environ | ({"XDG_CACHE_HOME": cache} if cache else {})
    process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, env=environment)

    def watch() -> None:
        nonlocal peak
        own = psutil.Process(process.pid)
        while not ended.wait(0.1):
            with suppress(psutil.Error):
                family = [own, *own.children(recursive=True)]
                peak = max(peak, sum(each.memory_info().rss for each in family) / 2**20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.stdout.readline()
    first = time.perf_counter() - started, peak
    process.stdout.read()
    code = process.wait()
    seconds = time.perf_counter() - started
    ended.set()
    watcher.join()
    if code:
        sys.exit(f"biosernn {' '.join(arguments)} ended with {code}")
    return *first, seconds, peak


def workers_page() -> list[str]:
    """Runs an hour and memory with one worker and more, up to one a core."""
    study = preset("quick").with_options(
        cohort=f"synthetic:{WORKER_UNITS}",
        units=WORKER_UNITS,
        arms=["W*D*C", "WD*C"],
        seeds=WORKER_SEEDS,
        recipe="seed",
    )
    n_runs, rows, alone_s = 2 * WORKER_SEEDS, [], 0.0
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "study.toml"
        file.write_text(study.toml())
        for workers in range(1, usable_cores() + 1):
            out = f"{place}/{workers}"
            asked = ("run", str(file), "--out", out, "--workers", str(workers))
            *_, seconds, mib = command(*asked, cache=f"{out}-programs")
            alone_s = alone_s or seconds
            rows.append(
                [
                    str(workers),
                    f"{seconds:.1f}",
                    f"{3600 * n_runs / seconds:.0f}",
                    f"{alone_s / seconds:.2f}",
                    f"{mib:.0f}",
                ]
            )
    return [
        "## Workers",
        "",
        f"A study of {n_runs} runs of {WORKER_UNITS} units, the whole command, compiling "
        "included; memory of all its processes together, what they share counted in each.",
        "",
        *table(["workers", "seconds", "runs an hour", "times one worker", "peak MiB"], rows),
        "",
    ]


def made_runs(out: Path, seeds: int, recipe: str) -> None:
    """Lay out a study whose runs are all finished, made from one real run by chance."""
    cohort = synthetic_cohort(16, 0)
    asked = preset("quick").with_options(
        cohort="synthetic:16", arms=list(RUN_ARMS), seeds=seeds, recipe=recipe
    )
    study = resolve(asked, [cohort])
    store, runs = Store(out), plan(study, [cohort])
    store.runs.mkdir(parents=True)
    store.open_study(study, [cohort])
    record, rng = perform(runs[0], cohort), np.random.default_rng(0)
    for planned in runs:
        store.write_run(planned.id, _another(record, rng), {"started": 0.0, "wall_s": 1.0})


def _another(record: Record, rng: np.random.Generator) -> Record:
    """Another outcome of a run: other steps to the criterion, curves stretched along training."""
    failed, n_checks = bool(rng.random() < 0.2), len(record.steps)
    row = record.row | {
        "solved": not failed,
        "censored": failed,
        "accuracy": 0.625 if failed else 1.0,
        "steps_to_criterion": 400 if failed else 5 * int(rng.integers(10, 80)),
    }
    at = np.sort(rng.integers(0, n_checks, n_checks))
    return replace(record, row=row, curves={n: c[at] for n, c in record.curves.items()})


def exponent(at: Sequence[float], values: Sequence[float]) -> float:
    """Slope of the line through the logarithms, over the three largest."""
    return float(np.polyfit(np.log(at[-3:]), np.log(values[-3:]), 1)[0])


def above_smallest(values: Sequence[float]) -> np.ndarray:
    """What each is above the first, and never less than 1."""
    return np.maximum(np.array(values) - values[0], 1)


def measure(sizes: Sequence[int]) -> tuple[list[str], str]:
    """The page's lines and its plot."""
    by_size = np.array([alone(one_run, units) for units in sizes]).T
    step_s, around_s, run_mib = by_size
    training_s = step_s * Schedule().steps
    lines = [
        "Exponents are slopes of the logarithms over the three largest; those of memory are of "
        "what is above the smallest's, most of which is Python and its libraries.",
        "",
        "## Neurons",
        "",
        f"One W*D*C run on one core, dense. Training: {Schedule().steps} times a step's seconds "
        f"(of {TIMED_STEPS} steps with their check, once compiled). Around it: start weights, "
        "compilation, eigenvalues and graph measures. Memory: of a process that performs a run "
        f"whose {Schedule().epochs} epochs have one step each.",
        "",
        *table(
            ["neurons", "s a step", "training, s a run", "around it, s", "peak MiB"],
            [
                [f"{n}", f"{step:.4f}", f"{training:.1f}", f"{around:.1f}", f"{mib:.0f}"]
                for n, step, training, around, mib in zip(
                    sizes, step_s, training_s, around_s, run_mib, strict=True
                )
            ],
        ),
        "",
        f"Training grows as N^{exponent(sizes, training_s):.2f}, what is around it as "
        f"N^{exponent(sizes, around_s):.2f}, "
        f"memory as N^{exponent(sizes, above_smallest(run_mib)):.2f}.",
        "",
    ]
    lines += workers_page()
    counts = [n for n, *_ in RUNS]
    phases: dict[str, list[tuple[float, float]]] = {"plan": [], "resume": [], "report": []}
    sizes_mb = []
    for _, seeds, recipe in RUNS:
        place = tempfile.mkdtemp()
        try:
            out = Path(place) / "out"
            alone(made_runs, out, seeds, recipe)
            file = str(out / STUDY)
            *_, seconds, mib = command("plan", file, "--out", str(out))
            phases["plan"].append((seconds, mib))
            *first, seconds, mib = command("run", file, "--out", str(out))
            phases["resume"].append(tuple(first))
            phases["report"].append((seconds, mib))
            sizes_mb.append((out / "report.html").stat().st_size / 1e6)
        finally:
            shutil.rmtree(place)
    lines += [
        "## Runs",
        "",
        f"A study of {len(RUN_ARMS)} arms on 16 units whose runs are all finished. Plan: "
        "`biosernn plan`. Resume: `biosernn run` again, until the first run would begin. Report: "
        "the same on to its end, through tables, analysis and page.",
        "",
        *table(
            ["runs", *(f"{name}, {unit}" for name in phases for unit in ("s", "MiB")), "page, MB"],
            [
                [
                    f"{n:,}",
                    *(
                        f"{value:.{digits}f}"
                        for name in phases
                        for value, digits in zip(phases[name][number], (1, 0), strict=True)
                    ),
                    f"{sizes_mb[number]:.1f}",
                ]
                for number, n in enumerate(counts)
            ],
        ),
        "",
        "Exponents over the three largest: "
        + ", ".join(
            f"{name} {exponent(counts, [s for s, _ in found]):.2f} in time and "
            f"{exponent(counts, above_smallest([m for _, m in found])):.2f} in memory"
            for name, found in phases.items()
        )
        + ".",
    ]
    drawn = [
        (
            "neurons",
            "seconds a run",
            {"training": (sizes, training_s), "around it": (sizes, around_s)},
            None,
        ),
        ("neurons", "peak MiB of a run", {"one run": (sizes, run_mib)}, LIMIT_MIB),
        (
            "runs",
            "seconds of the command",
            {name: (counts, [s for s, _ in found]) for name, found in phases.items()},
            RUNS_LIMIT_S,
        ),
        (
            "runs",
            "peak MiB",
            {name: (counts, [m for _, m in found]) for name, found in phases.items()},
            RUNS_LIMIT_MIB,
        ),
    ]
    return lines, panels(drawn, "Time and memory against neurons and runs")


def main() -> None:
    sizes = [int(units) for units in sys.argv[1:]] or NEURONS
    lines, svg = measure(sizes)
    write_page("scale", "Time and memory against neurons, workers and runs", lines, svg)


if __name__ == "__main__":
    main()
