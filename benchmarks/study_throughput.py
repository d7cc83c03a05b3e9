"""A study against the same protocol in Keras and TensorFlow, on the same cores in one run.

The reference (reference.py) is timed inside its process, without the start of Python and the
import of TensorFlow; a study is timed as a command, with its start, its compilation (nothing is
cached beforehand), its tables and its report.
"""

import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks import ONE_THREAD
from benchmarks.page import FOLDER, table, write_page
from benchmarks.plots import bars
from biosernn import synthetic_cohort
from biosernn.graphs.topology import topology
from biosernn.protocol import RECIPES
from biosernn.study.estimate import estimate
from biosernn.study.execute import usable_cores
from biosernn.study.perform import start_weights
from biosernn.study.plan import Run, plan, resolve
from biosernn.study.presets import preset
from biosernn.study.sample import sample
from biosernn.study.store import Store
from biosernn.tasks.maze import maze
from biosernn.training.network import Weights
from biosernn.training.randomness import key
from biosernn.training.schedule import Schedule
from biosernn.training.train import SHARED_SEED, Outcome, train

REFERENCE = FOLDER.parent / ".venv-reference" / "bin" / "python"
ARMS = ("W*D*C", "WD*C")
UNITS = (128, 312)
STUDY_RUNS = {128: 100, 312: 20}
"""Runs of a study whose rate is measured, the start and compilation among them; 8 elsewhere."""

NULLS = 1000
NOISE_DRAWS = 3
"""Trainings with input noise, each with other noise on the same trials."""

AGREE_AFTER = 1
"""Epochs after which the losses without noise are held against each other."""

PATIENCE_S = 600

TOLERANCE = 1e-4
"""Largest relative difference of these losses."""


@dataclass(frozen=True, eq=False)
class Ours:
    """One arm trained here: seconds, and losses after each epoch without noise, at the end with."""

    seconds: list[float]
    without_noise: np.ndarray
    with_noise: np.ndarray


def _planned(units: int, seeds: int) -> tuple[Any, list[Run]]:
    asked = preset("quick").with_options(
        cohort=f"synthetic:{units}", units=units, arms=list(ARMS), seeds=seeds, recipe="seed"
    )
    cohort = synthetic_cohort(units, 0)
    study = resolve(asked, [cohort])
    return study, [*plan(study, [cohort])]


def _start(run: Run) -> tuple[Any, Any, Weights]:
    """Penalty and start weights of a run."""
    drawn = sample(synthetic_cohort(run.units, 0), run.units, run.seed, run.protocol)
    return *drawn.penalty(run.arm, run.strength), start_weights(run, drawn.initial(run.arm))


def _trials() -> dict[str, np.ndarray]:
    """Distinct trial of each trial that runs with shared draws are trained and tested on."""
    schedule = Schedule()
    sizes = {
        "training": schedule.training_trials,
        "validation": schedule.heldout_trials,
        "test": schedule.heldout_trials,
    }
    drawn = {
        name: jax.random.randint(key(SHARED_SEED, f"{name} trials"), (n,), 0, 8, "int32")
        for name, n in sizes.items()
    }
    return {name: np.asarray(numbers) for name, numbers in drawn.items()}


def _losses(outcome: Outcome) -> np.ndarray:
    """Mean cross-entropy of the eight mazes without noise, and penalty, at every check."""
    return np.stack([outcome.loss.mean(axis=1, dtype=float), outcome.penalty], axis=1)


def _share(barrier: Barrier) -> None:
    global _together
    _together = barrier


def _train_here(run: Run, core: int) -> Ours:
    """Train one arm on a core of its own, timed while all others train."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})
    kind, penalty_inputs, start = _start(run)
    work = partial(
        train, maze(), start, kind, penalty_inputs, recipe=RECIPES["seed"], shared_draws=True
    )
    quiet = work(seed=0, schedule=replace(Schedule(), noise=0.0))
    for name, counted in (("validation", quiet.validation_counts), ("test", quiet.test_counts)):
        np.testing.assert_array_equal(counted, np.bincount(_trials()[name], minlength=8))
    work(seed=0, schedule=Schedule())
    seconds, noisy = [], []
    for seed in range(NOISE_DRAWS):
        _together.wait(PATIENCE_S)
        started = time.perf_counter()
        outcome = work(seed=seed, schedule=Schedule())
        seconds.append(time.perf_counter() - started)
        noisy.append(_losses(outcome)[-1])
    every = Schedule().steps_per_epoch // Schedule().check_every
    return Ours(seconds, _losses(quiet)[every::every], np.array(noisy))


def _ours(runs: Sequence[Run]) -> tuple[dict[str, Ours], int]:
    """Every arm, and how many trained at the same time."""
    processes = min(usable_cores(), len(runs))
    spawn = multiprocessing.get_context("spawn")
    shared = {"initializer": _share, "initargs": (spawn.Barrier(processes),)}
    with ProcessPoolExecutor(processes, mp_context=spawn, **shared) as pool:
        cores = [number % processes for number in range(len(runs))]
        trained = list(pool.map(_train_here, runs, cores))
    return {run.arm.name: arm for run, arm in zip(runs, trained, strict=True)}, processes


def _reference(run: Run) -> dict[str, Any]:
    _, (strength, distances, _), start = _start(run)
    with tempfile.TemporaryDirectory() as place:
        given, found = Path(place) / "given.npz", Path(place) / "found.json"
        np.savez(
            given,
            distances=distances.astype(np.float32),
            strength=strength,
            **start._asdict(),
            **_trials(),
        )
        script = str(FOLDER / "reference.py")
        environment = _all_cores() | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
        command = [str(REFERENCE), script, str(given), str(found)]
        done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return json.loads(found.read_text())


def _all_cores() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ONE_THREAD}


def _study_seconds(units: int, seeds: int) -> tuple[int, float, float, float]:
    """Runs of a study, seconds foretold and taken by its command, and of 1,000 nulls for each."""
    study, runs = _planned(units, seeds)
    foretold_s = estimate(runs, usable_cores())
    with tempfile.TemporaryDirectory() as place:
        file, out = Path(place) / "study.toml", Path(place) / "out"
        file.write_text(study.toml())
        command = [str(Path(sys.executable).with_name("biosernn")), "run", str(file)]
        environment = _all_cores() | {"XDG_CACHE_HOME": place}
        started = time.perf_counter()
        subprocess.run(
            [*command, "--out", str(out)],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        study_s = time.perf_counter() - started
        paths = [str(Store(out).run_path(run.id)) for run in runs]
        started = time.perf_counter()
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(usable_cores(), mp_context=spawn) as pool:
            list(pool.map(_small_worldness, paths))
        nulls_s = time.perf_counter() - started
    return len(runs), foretold_s, study_s, nulls_s


def _small_worldness(path: str) -> float:
    with np.load(path, allow_pickle=False) as file:
        weights = file["weights_recurrent"][-1].astype(float)
    return topology(weights, np.random.default_rng(0), n_nulls=NULLS).small_worldness


def measure(sizes: Sequence[int]) -> tuple[list[str], str]:
    """The page's lines and its plot."""
    throughput, foretold, training, quiet, noisy, drawn = [], [], [], [], [], []
    for units in sizes:
        seeds = STUDY_RUNS.get(units, 8) // len(ARMS)
        n_runs, foretold_s, study_s, nulls_s = _study_seconds(units, seeds)
        foretold.append(
            [
                str(units),
                str(n_runs),
                f"{foretold_s:.0f}",
                f"{study_s:.0f}",
                f"{foretold_s / study_s - 1:+.0%}",
            ]
        )
        runs = _planned(units, 2)[1][: len(ARMS)]
        references = {run.arm.name: _reference(run) for run in runs}
        ours, processes = _ours(runs)
        each = (study_s + nulls_s) / n_runs
        parts = {
            part: statistics.mean(r[f"{part}_s"] for r in references.values())
            for part in ("data", "fit", "metrics")
        }
        total, without_data = sum(parts.values()), parts["fit"] + parts["metrics"]
        throughput.append(
            [
                str(units),
                *(f"{seconds:.1f}" for seconds in (total, *parts.values())),
                f"{n_runs}",
                f"{each:.2f}",
                f"{nulls_s / n_runs:.2f}",
                f"{3600 / total:.0f}",
                f"{3600 / each:.0f}",
                f"{total / each:.1f}",
                f"{without_data / each:.1f}",
            ]
        )
        drawn += [
            (f"Keras, {units}", [parts["data"], parts["fit"], parts["metrics"]]),
            (f"biosernn, {units}", [0, study_s / n_runs, nulls_s / n_runs]),
        ]
        epochs = [seconds for r in references.values() for seconds in r["epochs_s"][1:]]
        validations = [seconds for r in references.values() for seconds in r["validations_s"][1:]]
        own = [s / Schedule().epochs / processes for arm in ours.values() for s in arm.seconds]
        training.append(
            [
                str(units),
                f"{min(epochs):.2f}",
                f"{statistics.median(epochs):.2f}",
                f"{statistics.median(validations):.2f}",
                f"{min(own):.3f}",
                f"{statistics.median(own):.3f}",
                f"{min(epochs) / min(own):.1f}",
                f"{statistics.median(epochs) / statistics.median(own):.1f}",
            ]
        )
        for arm in ARMS:
            theirs = np.array(references[arm]["without_noise"])
            for epoch in (AGREE_AFTER, Schedule().epochs):
                mine, other = ours[arm].without_noise[epoch - 1], theirs[epoch - 1]
                differs = float(np.abs(mine / other - 1).max())
                judged = "yes" if differs < TOLERANCE else "no"
                quiet.append(
                    [
                        f"{arm}, {units}",
                        str(epoch),
                        *(
                            f"{value:.6f}"
                            for pair in zip(other, mine, strict=True)
                            for value in pair
                        ),
                        f"{differs:.1e}",
                        judged if epoch == AGREE_AFTER else f"({judged})",
                    ]
                )
            spread = ours[arm].with_noise
            noisy.append(
                [
                    f"{arm}, {units}",
                    f"{references[arm]['cross_entropy']:.4f}",
                    ", ".join(f"{value:.4f}" for value in spread[:, 0]),
                    f"{references[arm]['penalty']:.4f}",
                    ", ".join(f"{value:.4f}" for value in spread[:, 1]),
                ]
            )
    versions = references[ARMS[0]]["versions"]
    lines = [
        f"Reference: Keras {versions['keras']} on TensorFlow {versions['tensorflow']}, all cores, "
        "one run at a time. Both sides get the same trials, start weights, distances, λ and "
        f"10 epochs; runs of {' and '.join(ARMS)}, recipe seed, in equal parts.",
        "",
        "## Runs of a study",
        "",
        "Seconds a run: making 10,240 trials, ten epochs with compilation, graph metrics with "
        f"{NULLS:,} null graphs. Ours: the whole command divided by its runs (the run's own graph "
        f"measures, after every epoch, among them), and {NULLS:,} null graphs for the end weights.",
        "",
        *table(
            [
                "units",
                "reference, s",
                "of it data",
                "fit",
                "metrics",
                "runs of ours",
                "s a run",
                "of it nulls",
                "runs an hour, reference",
                "ours",
                "times",
                "times, reference without data",
            ],
            throughput,
        ),
        "",
        "## The estimate",
        "",
        "What `biosernn plan` foretells after measuring this machine, and what the command took.",
        "",
        *table(["units", "runs", "foretold, s", "took, s", "foretold is off by"], foretold),
        "",
        "## Training alone",
        "",
        "Seconds an epoch once compiled: of the reference with its validation, the first epoch "
        "left out; of ours a whole run's divided by its epochs and by the processes that train at "
        "the same time, one a core.",
        "",
        *table(
            [
                "units",
                "reference, best",
                "median",
                "of it validation",
                "ours, best",
                "median",
                "times, best",
                "median",
            ],
            training,
        ),
        "",
        "## Losses",
        "",
        "Without input noise and with the same batches in the same order both sides do the same "
        f"arithmetic in single precision. After {AGREE_AFTER} epoch they agree where cross-entropy "
        f"(of the eight mazes) and penalty differ by less than {TOLERANCE:g} of their value; after "
        "all ten the judgement is in brackets, since rounding grows along training.",
        "",
        *table(
            [
                "arm, units",
                "epochs",
                "cross-entropy, reference",
                "ours",
                "penalty, reference",
                "ours",
                "largest relative difference",
                "agree",
            ],
            quiet,
        ),
        "",
        f"With input noise each side draws its own; ours {NOISE_DRAWS} times:",
        "",
        *table(
            [
                "arm, units",
                "cross-entropy, reference",
                "ours",
                "penalty, reference",
                "ours",
            ],
            noisy,
        ),
    ]
    parts_drawn = ("making trials", "training and all else", f"{NULLS:,} null graphs")
    return lines, bars(drawn, parts_drawn, "seconds a run")


def main() -> None:
    if not REFERENCE.exists():
        sys.exit("the reference's environment is not there: run `make bench`, which makes it")
    sizes = [int(units) for units in sys.argv[1:]] or UNITS
    lines, svg = measure(sizes)
    write_page("study_throughput", "A study against Keras and TensorFlow", lines, svg)


if __name__ == "__main__":
    main()
