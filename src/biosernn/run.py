"""A study from end to end: plan, execute, analyse, draw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from biosernn.cohort.cohort import Cohort
from biosernn.errors import WorkFailed
from biosernn.sources.reference import read_cohort
from biosernn.study.compare import Differences, compare
from biosernn.study.estimate import estimate
from biosernn.study.execute import execute, usable_cores
from biosernn.study.plan import Run, plan, resolve
from biosernn.study.presets import PRESETS, preset
from biosernn.study.provenance import describe
from biosernn.study.spec import Study
from biosernn.study.store import REPORT, WRITABLE, Store

if TYPE_CHECKING:
    from biosernn.analysis.findings import Analysis

DRAWN = ("accuracy", "gradient_norm_data", "gradient_norm_penalty")
"""Metrics whose curves the report draws."""


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
    analysis: "Analysis"


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
        provenance = describe(
            settled,
            cohorts,
            planned.runs,
            store.provenance().get("sessions", []),
            goes_on=bool(planned.todo),
        )
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
) -> tuple[Finished, Differences]:
    """Run a study folder's study anew in another folder, and say what came out differently.

    Parameters
    ----------
    folder
        A study folder, from here or elsewhere; its study file, cohorts, tables and provenance are
        read.
    out
        The new study folder.
    workers, watch
        As `workers`, `on_progress` and `on_plan` of `run`.

    Returns
    -------
    finished, differences
        The new study, and what `compare` finds between the two.

    Raises
    ------
    BadInput
        If the folder holds no study, or one whose tables were never written.

    Examples
    --------
    >>> import tempfile
    >>> from biosernn.study.presets import preset
    >>> small = preset("quick").with_options(
    ...     cohort="synthetic:16", arms=["WD*C"], seeds=2, epochs=1, recipe="seed"
    ... )
    >>> with tempfile.TemporaryDirectory() as place:
    ...     first = run(small, f"{place}/first", workers=0)
    ...     rerun_study(first.folder, f"{place}/second", workers=0)[1].numbers
    ()

    """
    before = Store(folder)
    study, cohorts = before.read(any_engine=True)
    before.results(), before.metrics()
    paths = [str(before.cohort_path(number)) for number in range(len(cohorts))]
    finished = run(study.with_options(cohort=paths), out, workers=workers, **watch)
    return finished, compare(folder, out)


def _report(
    store: Store,
    study: Study,
    cohorts: Sequence[Cohort],
    runs: Sequence[Run],
    results: pd.DataFrame,
    provenance: dict[str, Any],
) -> Finished:
    from biosernn.analysis.analyse import analyse
    from biosernn.report.page import ReportInputs, write_report

    total = runs[0].schedule.steps
    analysis = analyse(results, primary=study.decides, total_steps=total)
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
        curves=store.curves(DRAWN),
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
