"""A study from end to end: plan, execute, analyse, draw."""

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd

from biosernn.analysis.analyse import analyse
from biosernn.analysis.findings import Analysis
from biosernn.audit.audit import audit, failures
from biosernn.cohort.cohort import Cohort
from biosernn.errors import WorkFailed
from biosernn.report.page import ReportInputs, write_report
from biosernn.sources.reference import read_cohort
from biosernn.study.estimate import estimate
from biosernn.study.execute import execute, usable_cores, versions
from biosernn.study.functional import correlation, tiling_coefficient
from biosernn.study.plan import Run, plan, resolve, study_hash
from biosernn.study.presets import PRESETS, preset
from biosernn.study.spec import Study
from biosernn.study.store import REPORT, WRITABLE, Store
from biosernn.training.schedule import ENGINE


@dataclass(frozen=True, eq=False)
class Planned:
    """What a study would run, before it does.

    Attributes
    ----------
    study, cohorts, runs
        The resolved study, its cohorts, and every run.
    todo
        Runs that are not finished yet.
    workers
        Runs done at a time.
    seconds
        How long they will take, estimated.

    """

    study: Study
    cohorts: tuple[Cohort, ...]
    runs: tuple[Run, ...]
    todo: tuple[Run, ...]
    workers: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Finished:
    """A study that is done.

    Attributes
    ----------
    folder, report
        The study folder and the page in it.
    results, analysis
        One row a run, and what is concluded from them.

    """

    folder: Path
    report: Path
    results: pd.DataFrame
    analysis: Analysis


def find_study(named: str | Path | Study) -> Study:
    """Look up a preset by name, or read a study file.

    Examples
    --------
    >>> find_study("quick").name
    'quick'

    """
    if isinstance(named, Study):
        return named
    if isinstance(named, str) and (named in PRESETS or not named.endswith(".toml")):
        return preset(named)
    return Study.read(named)


def plan_study(
    study: str | Path | Study, out: str | Path | None = None, *, workers: int | None = None
) -> Planned:
    """Say what a study would run and for how long, without running it.

    Parameters
    ----------
    study
        A preset's name, a study file or a `Study`.
    out
        The study folder; runs that are finished there are not counted again.
    workers
        Runs done at a time; by default one per core.

    Examples
    --------
    >>> planned = plan_study("quick")
    >>> len(planned.runs), len(planned.todo)
    (120, 120)

    """
    study = find_study(study)
    cohorts = tuple(read_cohort(reference) for reference in study.cohort)
    study = resolve(study, cohorts)
    return _planned(study, cohorts, Store(out) if out is not None else None, workers)


def _planned(
    study: Study, cohorts: Sequence[Cohort], store: Store | None, workers: int | None
) -> Planned:
    workers = usable_cores() if workers is None else workers
    runs = plan(study, cohorts)
    finished = store.finished() if store is not None and store.runs.is_dir() else set()
    todo = tuple({run.id: run for run in runs if run.id not in finished}.values())
    return Planned(study, tuple(cohorts), runs, todo, workers, estimate(todo, workers))


def run(
    study: str | Path | Study,
    out: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    on_plan: Callable[[Planned, str], None] = lambda planned, study_hash: None,
) -> Finished:
    """Run a study, or go on with one, and write its report.

    Parameters
    ----------
    study
        A preset's name, a study file or a `Study`.
    out
        The study folder. Run again, the study goes on where it stopped; raising its seeds extends
        it; any other change is refused.
    workers
        Processes on this machine, one per core by default; 0 works in this process.
    scheduler
        Address of a Dask scheduler to use instead.
    on_progress
        Called with the numbers of finished and of all runs, at the start and after each run.
    on_plan
        Called with the plan and the study's hash before the first run.

    Returns
    -------
    Finished
        Where the report is, and what it says.

    Raises
    ------
    BadInput
        If the study, a cohort or the folder cannot be used.
    WorkFailed
        If a run fails or the disk is full; finished runs are kept.

    Examples
    --------
    >>> import tempfile
    >>> from biosernn.study.presets import preset
    >>> small = preset("quick").with_options(
    ...     cohort="synthetic:16", arms=["W*D*C", "WD*C"], seeds=2, epochs=1, recipe="seed"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     finished = run(small, folder, workers=0)
    >>> len(finished.results), finished.analysis.seeds
    (4, 2)

    """
    asked = find_study(study)
    cohorts = [read_cohort(reference) for reference in asked.cohort]
    asked = resolve(asked, cohorts)
    store = Store(out)
    store.check_empty()
    with store.owned():
        settled = store.open_study(asked, cohorts)
        planned = _planned(settled, cohorts, store, workers)
        provenance = _provenance(store, planned)
        store.write_provenance(provenance)
        on_plan(planned, provenance["study"])
        if planned.todo:
            total = len({run.id for run in planned.runs})
            done = count(total - len(planned.todo))
            on_progress(next(done), total)
            execute(
                store.folder,
                [run.id for run in planned.todo],
                workers=min(planned.workers, len(planned.todo)),
                scheduler=scheduler,
                on_done=lambda run_id: on_progress(next(done), total),
            )
        results = store.collect(settled, cohorts, planned.runs)
        return _report(store, settled, cohorts, planned.runs, results, provenance)


def report_study(folder: str | Path) -> Finished:
    """Analyse and draw a study folder anew from its finished runs.

    Raises
    ------
    BadInput
        If the folder holds no study.
    WorkFailed
        If none of its runs is finished.

    """
    store = Store(folder)
    study, cohorts = store.read()
    with store.owned():
        runs = plan(study, cohorts)
        results = store.collect(study, cohorts, runs)
        if results.empty:
            raise WorkFailed(store.folder, "has no finished run", "run it first")
        return _report(store, study, cohorts, runs, results, store.provenance())


def rerun_study(
    folder: str | Path, out: str | Path, *, workers: int | None = None, **watch: Any
) -> tuple[Finished, list[str]]:
    """Run a study folder's study anew in another folder, and say what came out differently.

    Parameters
    ----------
    folder
        A study folder, from here or elsewhere; its study file, cohorts, results and provenance
        are read.
    out
        The new study folder.
    workers, watch
        As `workers`, `on_progress` and `on_plan` of `run`.

    Returns
    -------
    finished, differences
        The new study, and one sentence for each version, run or column that differs; none where
        every number is the same.

    Raises
    ------
    BadInput
        If the folder holds no study.

    Examples
    --------
    >>> import tempfile
    >>> from biosernn.study.presets import preset
    >>> small = preset("quick").with_options(
    ...     cohort="synthetic:16", arms=["WD*C"], seeds=2, epochs=1, recipe="seed"
    ... )
    >>> with tempfile.TemporaryDirectory() as place:
    ...     first = run(small, f"{place}/first", workers=0)
    ...     rerun_study(first.folder, f"{place}/second", workers=0)[1]
    []

    """
    before = Store(folder)
    study, cohorts = before.read()
    paths = [str(before.cohort_path(number)) for number in range(len(cohorts))]
    finished = run(study.with_options(cohort=paths), out, workers=workers, **watch)
    earlier = before.provenance().get("versions", {})
    differences = [
        f"{name} was {earlier.get(name, 'not recorded')} and is {version}"
        for name, version in versions().items()
        if earlier.get(name) != version
    ]
    after = Store(out)
    for name, old, new in (
        ("results", before.results(), after.results()),
        ("curves", before.curves(), after.curves()),
    ):
        if set(old["run"]) != set(new["run"]):
            differences.append(f"{name}: other runs, {len(old):,} rows before and {len(new):,} now")
            continue
        for column in old.columns:
            if not old[column].equals(new[column]):
                unequal = (old[column] != new[column]) & ~(old[column].isna() & new[column].isna())
                differences.append(f"{name}: {column} differs in {unequal.sum():,} rows")
    return finished, differences


def _report(
    store: Store,
    study: Study,
    cohorts: Sequence[Cohort],
    runs: Sequence[Run],
    results: pd.DataFrame,
    provenance: dict[str, Any],
) -> Finished:
    total = runs[0].schedule.steps
    analysis = analyse(results, primary=study.primary, total_steps=total)
    first = {
        run.arm.name: run for run in reversed(runs) if run.protocol_name == runs[0].protocol_name
    }
    finished = store.finished()
    weights = {
        arm.name: store.start_weights(first[arm.name].id)
        for arm in study.arms
        if first[arm.name].id in finished
    }
    inputs = ReportInputs(
        results=results,
        curves=store.curves(),
        analysis=analysis,
        cohort=cohorts[0],
        weights=weights,
        arms={arm.name: arm.table() for arm in study.arms},
        provenance=provenance | {"finished": len(results), "planned": len(runs)},
    )
    path = store.folder / REPORT
    try:
        write_report(path, inputs)
    except OSError as fault:
        raise WorkFailed(path, fault.strerror or str(fault), WRITABLE) from None
    return Finished(store.folder, path, results, analysis)


def _provenance(store: Store, planned: Planned) -> dict[str, Any]:
    """What was run where, with each extension of the seeds in its order."""
    study, cohorts = planned.study, planned.cohorts
    extensions = store.provenance().get("extensions", [])
    if not extensions or extensions[-1]["seeds"] != study.seeds:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        extensions = [*extensions, {"seeds": study.seeds, "at": now}]
    return {
        "study": study_hash(study, cohorts),
        "preset": study.name,
        "engine": ENGINE,
        "units": planned.runs[0].units,
        "seeds": study.seeds,
        "epochs": study.epochs,
        "strength": list(study.strength),
        "protocols": list(study.protocols),
        "recipes": sorted({recipe for _, recipe in study.conditions}),
        "extensions": extensions,
        "cohorts": [
            {
                "name": cohort.name,
                "neurons": cohort.n_neurons,
                "content_sha256": cohort.content_sha256,
                "missing": list(cohort.missing),
                "source": cohort.provenance,
            }
            for cohort in cohorts
        ],
        "audit_failures": [
            f"{cohort.name} fails its audit: {sentence}"
            for cohort in cohorts
            for sentence in failures(audit(cohort))
        ],
        "notes": _notes(study, planned),
        "versions": versions(),
        "machine": {"system": platform.platform(), "processor": platform.machine()},
    }


def _notes(study: Study, planned: Planned) -> list[str]:
    """Sentences that a reader of the first screen must know."""
    notes: list[str] = []
    for cohort in planned.cohorts:
        bins = dict.fromkeys(run.protocol.bins for run in planned.runs)
        notes += dict.fromkeys(correlation(cohort, choice)[1] for choice in bins)
        notes.append(tiling_coefficient(cohort)[1])
        if cohort.wiring is not None and any("wiring" in arm.needs for arm in study.arms):
            share = (planned.runs[0].units / cohort.n_neurons) ** 2
            edges = round(share * len(cohort.wiring.pre))
            notes.append(
                f"about {edges} measured connections of {cohort.name} join a seed's "
                f"{planned.runs[0].units} neurons"
                + (": expect little power for wiring" if edges < planned.runs[0].units else "")
            )
        if planned.runs[0].units < cohort.n_neurons:
            notes.append(
                f"each seed draws {planned.runs[0].units} of {cohort.name}'s {cohort.n_neurons} "
                "neurons, the same in all arms"
            )
    return notes
