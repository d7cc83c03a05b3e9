"""A study from end to end: plan, execute, analyse, draw."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from biosernn.cohort.cohort import Cohort
from biosernn.errors import BadInput, WorkFailed
from biosernn.protocol import TUNED, Recipe, protocol_named
from biosernn.sources.reference import read_cohort
from biosernn.study.compare import Differences, compare
from biosernn.study.estimate import estimate
from biosernn.study.execute import execute, usable_cores
from biosernn.study.plan import Group, Run, plan, resolve, sweep
from biosernn.study.presets import PRESETS, preset
from biosernn.study.provenance import describe
from biosernn.study.spec import Study
from biosernn.study.store import REPORT, STUDY, Store
from biosernn.study.take_over import take_over
from biosernn.study.tuning import choices_table, choose
from biosernn.whole_file import whole_file

if TYPE_CHECKING:
    from biosernn.analysis.findings import Analysis
    from biosernn.report.inputs import Network
    from biosernn.report.setting import Setting


@dataclass(frozen=True, eq=False)
class Planned:
    """What a study would run, before it does.

    Attributes
    ----------
    study, cohorts, runs
        The resolved study, its cohorts, and every run.
    todo
        Runs that are not finished yet, the sweep's first.
    workers
        Runs done at a time.
    sweep
        Runs that the recipe `tuned` is chosen from, done before all others.
    chosen
        What is chosen so far.

    """

    study: Study
    cohorts: tuple[Cohort, ...]
    runs: tuple[Run, ...]
    todo: tuple[Run, ...]
    workers: int
    sweep: tuple[Run, ...]
    chosen: Mapping[Group, Recipe]

    @cached_property
    def seconds(self) -> float:
        """How long the runs to do will take, estimated."""
        return estimate(self.todo, self.workers)

    @property
    def total(self) -> int:
        """How many different runs there are, finished ones and the sweep's among them."""
        return len({run.id for run in (*self.sweep, *self.runs)})


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
    tried = sweep(study, cohorts)
    chosen = {} if store is None else choose(tried, store.rows(tried))
    runs = plan(study, cohorts, chosen)
    finished = store.finished() if store is not None and store.runs.is_dir() else set()
    every = (*tried, *runs)
    todo = tuple({run.id: run for run in every if run.id not in finished}.values())
    return Planned(study, tuple(cohorts), runs, todo, workers, tried, chosen)


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
        if store.holds_tables_alone:
            take_over(store, asked, cohorts)
        before = store.provenance()
        settled = store.open_study(asked, cohorts)
        planned = _planned(settled, cohorts, store, workers)
        provenance = describe(
            settled,
            cohorts,
            planned.runs,
            before.get("sessions", []),
            goes_on=bool(planned.todo),
            taken_over=before.get("taken_over", 0),
        )
        provenance |= _choices(planned)
        store.write_provenance(provenance)
        on_plan(planned, provenance["study"])
        tried = {run.id for run in planned.sweep}
        if first := [run for run in planned.todo if run.id in tried]:
            _execute(store, planned, first, scheduler, on_progress)
            planned = _planned(settled, cohorts, store, workers)
            provenance |= _choices(planned)
            store.write_provenance(provenance)
        if first or planned.todo:
            _execute(store, planned, planned.todo, scheduler, on_progress)
        results = _collect(store, planned)
        return _report(store, settled, cohorts, planned.runs, results, provenance)


def _execute(
    store: Store,
    planned: Planned,
    runs: Sequence[Run],
    scheduler: str | None,
    on_progress: Callable[[int, int], None],
) -> None:
    """Perform some of the runs to do."""
    done = count(planned.total - len(planned.todo))
    on_progress(next(done), planned.total)
    if runs:
        execute(
            store.folder,
            runs,
            workers=planned.workers,
            scheduler=scheduler,
            on_done=lambda run_id: on_progress(next(done), planned.total),
        )


def _choices(planned: Planned) -> dict[str, Any]:
    """What the recipe `tuned` stands for, for the provenance of a study that has it."""
    if not planned.sweep:
        return {}
    return {TUNED: choices_table(planned.chosen, planned.cohorts)}


def _collect(store: Store, planned: Planned) -> pd.DataFrame:
    store.collect_sweep(planned.cohorts, planned.sweep, store.rows(planned.sweep), planned.chosen)
    return store.collect(planned.study, planned.cohorts, planned.runs)


def report_study(folder: str | Path) -> Finished:
    """Analyse and draw a study folder anew from its finished runs.

    Raises
    ------
    BadInput
        If the folder holds no study, or only its tables.
    WorkFailed
        If none of its runs is finished.

    """
    store = Store(folder)
    if store.holds_tables_alone:
        raise BadInput(
            store.folder,
            "holds a study's tables without its runs",
            f"`biosernn run {store.folder / STUDY} --out {store.folder}` goes on from them",
        )
    study, cohorts = store.read()
    with store.owned():
        planned = _planned(study, cohorts, store, 0)
        if store.finished().isdisjoint(run.id for run in planned.runs):
            raise WorkFailed(store.folder, "has no finished run", "run it first")
        results = _collect(store, planned)
        return _report(store, study, cohorts, planned.runs, results, store.provenance())


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
        If the folder holds no study, or one whose tables were never written, or is `out` itself.

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
    if Path(out).resolve() == Path(folder).resolve():
        raise BadInput(f"--out {out}", "is the folder to be rerun", "choose another --out")
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
    from biosernn.report.page import ReportInputs, render
    from biosernn.report.plates import DRAWN
    from biosernn.report.setting import settings

    total = runs[0].schedule.steps
    analysis = analyse(results, primary=study.decides, total_steps=total)
    inputs = ReportInputs(
        results=results,
        curves=store.curves(DRAWN),
        analysis=analysis,
        cohort=cohorts[0],
        networks=_networks(store, study, cohorts, settings(analysis, results)[0]),
        arms={arm.name: arm.table() for arm in study.arms},
        provenance=provenance | {"finished": len(results), "planned": len(runs)},
        sweep=store.sweep(),
        own_tasks={task.name: task.memoryless for task in study.own_tasks},
    )
    path = store.folder / REPORT
    page = render(inputs).encode()
    with whole_file(path) as file:
        file.write(page)
    return Finished(store.folder, path, results, analysis)


def _networks(
    store: Store, study: Study, cohorts: Sequence[Cohort], lead: "Setting"
) -> dict[str, "Network"]:
    """By arm, one of the lead setting's runs whose weights are here, all of one seed and recipe.

    The recipe is the primary contrast's, the seed the first of which most arms are here.
    """
    from biosernn.report.inputs import Network
    from biosernn.study.sample import sample

    asked = study.decides.recipe
    recipe = asked if asked in lead.recipes else lead.recipes[0]
    cohort = next(cohort for cohort in cohorts if cohort.name == lead.cohort)
    units = study.units or cohort.n_neurons
    found: dict[str, Network] = {}
    of_recipe = lead.runs[lead.runs["recipe"] == recipe]
    for seed in sorted(map(int, of_recipe["seed"].unique())):
        rows = of_recipe[of_recipe["seed"] == seed]
        weights = {
            str(arm): of_run
            for arm, run_id in zip(rows["arm"], rows["run"], strict=True)
            if (of_run := store.recurrent_weights(run_id)) is not None
        }
        if len(weights) > len(found):
            drawn = sample(cohort, units, seed, protocol_named(lead.protocol))
            places = cohort.positions_um[drawn.indices]
            found = {arm: Network(*w, places, seed, recipe) for arm, w in weights.items()}
        if len(found) == len(lead.arms):
            break
    return found
