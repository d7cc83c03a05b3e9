"""Train the arms of matched communicability in Keras, from the start weights of our own runs.

    make .venv-reference/installed
    .venv/bin/python -m docs.results.reference

What differs from the published tables may lie in our engine or in how the follow-up's runs were
made. Here the reference's own libraries train on the grid's start weights, penalty and trials; the
input noise is theirs. The page of results reads the table that this writes, `reference.csv` beside
this file; runs that it holds are not trained again.
"""

import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
import pandas as pd

from biosernn.cohort.cohort import Cohort
from biosernn.graphs.topology import topology
from biosernn.run import plan_study
from biosernn.study.arms import Arm
from biosernn.study.perform import start_weights
from biosernn.study.plan import NULL_GRAPHS, Run
from biosernn.study.presets import preset
from biosernn.study.sample import sample
from biosernn.tasks.task import Task
from biosernn.training.penalty import PenaltyKind
from biosernn.training.randomness import generator, key
from biosernn.training.train import SHARED_SEED
from docs.results.draws import MEASURES

HERE = Path(__file__).resolve().parent
RUNS = HERE / "reference.csv"
PYTHON = HERE.parents[1] / ".venv-reference" / "bin" / "python"
COLUMNS = ("task", "arm", "seed", "penalty_start", "accuracy", *MEASURES, "keras", "tensorflow")
N_SEEDS = 4

COMPARED = HERE / "grid" / "reproduction.csv"
MATCHED = PenaltyKind("distance", True, "released")
"""The penalty that the network in Keras has."""


def differing(arms: Sequence[Arm]) -> list[tuple[str, str]]:
    """Task and arm of what differs from the published tables, least p first, arms matched alone."""
    compared = pd.read_csv(COMPARED)
    compared = compared[(compared["verdict"] == "differs") & (compared["outcome"] != "solved_095")]
    matched = {arm.name for arm in arms if arm.communicability == "matched"}
    compared = compared[compared["arm"].isin(matched)].sort_values("p", kind="stable")
    return list(dict.fromkeys(zip(compared["task"], compared["arm"], strict=True)))


def trials_in_order(task: Task, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, steps, channels) and labels (n,) that every run of shared draws is trained on."""
    with jax.enable_x64(False):
        draw = key(SHARED_SEED, "training trials")
        numbers = np.asarray(jax.random.randint(draw, (n,), 0, len(task.labels), "int32"))
        inputs = np.asarray(task.inputs, np.float32)[numbers]
        if task.noise_sd is not None:
            sd = np.asarray(task.noise_sd, np.float32)
            own = jax.vmap(lambda at: jax.random.fold_in(jax.random.fold_in(draw, 1), at))
            noise = jax.vmap(lambda k: jax.random.normal(k, sd.shape, "float32"))
            inputs = inputs + np.asarray(noise(own(np.arange(n, dtype=np.int32)))) * sd
    return inputs, task.labels[numbers]


def trained_in_keras(run: Run, cohort: Cohort) -> dict[str, str | int | float]:
    """Train a run's network in Keras and measure it as our own runs are measured."""
    drawn = sample(cohort, run.units, run.seed, run.protocol)
    start = start_weights(run, drawn.initial(run.arm))
    kind, numbers = drawn.penalty(run.arm, run.strength)
    if kind != MATCHED:
        raise ValueError(f"{run.arm.name} has the penalty {kind}, not {MATCHED}")
    trials, labels = trials_in_order(run.trained_on, run.schedule.training_trials)
    with tempfile.TemporaryDirectory() as place:
        given, found = f"{place}/given.npz", f"{place}/found.npz"
        np.savez(
            given,
            seed=run.seed,
            trials=trials,
            labels=labels,
            **start._asdict(),
            **numbers._asdict(),
        )
        script = str(HERE / "reference_network.py")
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
        command = [str(PYTHON), script, given, found]
        done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        with np.load(found, allow_pickle=False) as file:
            end, versions = file["recurrent"], file["versions"]
            read = {name: float(file[name]) for name in ("penalty_start", "accuracy")}
    rng = generator(run.seed, "topology").spawn(run.epochs + 1)[-1]
    measured = topology(end.astype(np.float64), rng, run.protocol.nulls, NULL_GRAPHS)
    return {
        "task": run.task,
        "arm": run.arm.name,
        "seed": run.seed,
        **read,
        **{name: getattr(measured, name) for name in MEASURES},
        "keras": str(versions[0]),
        "tensorflow": str(versions[1]),
    }


def main() -> None:
    """Train what the table lacks, every seed of all arms before the next."""
    if not PYTHON.exists():
        sys.exit("the reference's environment is not there: make .venv-reference/installed")
    done = pd.read_csv(RUNS) if RUNS.exists() else pd.DataFrame(columns=list(COLUMNS))
    held = set(zip(done["task"], done["arm"], done["seed"], strict=True))
    study = preset("grid").with_options(
        cohort=str(HERE.parents[2] / "shared" / "data" / "release" / "6_6_2"),
        seeds=N_SEEDS,
        protocol="published",
        recipe="seed",
    )
    planned = plan_study(study)
    runs = {(run.task, run.arm.name, run.seed): run for run in planned.runs}
    with RUNS.open("a", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        if not held:
            table.writeheader()
        for seed in range(N_SEEDS):
            for place in ((*pair, seed) for pair in differing(study.arms)):
                if place in held:
                    continue
                table.writerow(trained_in_keras(runs[place], planned.cohorts[0]))
                file.flush()
                print(*place, flush=True)


if __name__ == "__main__":
    main()
