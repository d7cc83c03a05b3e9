"""Going on with a study from its tables, where its run files did not travel with them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from biosernn.cohort.cohort import Cohort
from biosernn.errors import BadInput
from biosernn.protocol import TUNED
from biosernn.study.plan import study_hash
from biosernn.study.record import Record
from biosernn.study.spec import Study
from biosernn.study.store import (
    CURVES,
    IDENTITY,
    NAMED,
    PROVENANCE,
    RESULTS,
    SETTING,
    SWEEP,
    TIMING,
    Store,
    identity,
    setting,
)
from biosernn.study.tuning import performable

REMEDY = "give another --out, or the tables of this study as biosernn wrote them"


def take_over(store: Store, study: Study, cohorts: Sequence[Cohort]) -> None:
    """Lay out a folder that holds a study's tables alone, each of their runs a finished one.

    A run's file then has the outcomes that the tables state, its curves where `curves.parquet` is
    there too, and no weights; the provenance says how many such runs there are.

    Parameters
    ----------
    store
        The folder: `study.toml`, `provenance.json` and `results.parquet`, as they were written.
    study, cohorts
        The resolved study that is asked for; it may have more seeds than the tables.

    Raises
    ------
    BadInput
        If the tables are of another study, of another engine's runs, or damaged.

    Examples
    --------
    >>> import shutil, tempfile
    >>> from biosernn.run import run
    >>> from biosernn.study.presets import preset
    >>> small = preset("quick").with_options(
    ...     cohort="synthetic:16", arms=["W*D*C", "WD*C"], seeds=2, epochs=1, recipe="seed"
    ... )
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = run(small, f"{place}/one", workers=0).folder
    ...     shutil.rmtree(folder / "runs")
    ...     again = run(small.with_options(seeds=3), folder, workers=0)
    >>> len(again.results)
    6

    """
    if store.provenance().get("study") != study_hash(study, cohorts):
        raise BadInput(store.folder / PROVENANCE, "is of another study or engine", REMEDY)
    taken = set()
    wanted = {
        _named(identity(run, cohorts[run.cohort]) | setting(run)): run.id
        for run in performable(study, cohorts)
    }
    with store.laying_out(cohorts):
        timings = {row.pop("run"): row for row in _rows(store, TIMING, ["run"])}
        curves = dict(_curves(store)) if (store.folder / CURVES).exists() else {}
        for row in (*_rows(store, RESULTS, IDENTITY), *_rows(store, SWEEP, IDENTITY)):
            run_id = wanted.get(_named(row))
            if run_id is None:
                continue
            there = store.run_path(run_id).exists()
            if there and store.recurrent_weights(run_id) is not None:
                continue
            taken.add(run_id)
            if there:
                continue
            outcomes = {k: v for k, v in row.items() if k not in (*IDENTITY, *SETTING, "chosen")}
            steps, values = curves.get(row["run"], (np.empty(0, np.int64), {}))
            timing = timings.get(row["run"], {})
            store.write_run(run_id, Record(outcomes, steps, values, {}), timing)
        store.write_provenance(store.provenance() | {"taken_over": len(taken)})


def _named(row: Mapping[str, Any]) -> tuple:
    """Which run a row is of, in names: an earlier biosernn may have given it another id."""
    return tuple(row[name] for name in (*NAMED, *SETTING * (row["recipe"] == TUNED)))


def _rows(store: Store, name: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """A table's rows; none where there is no such table."""
    path = store.folder / name
    if not path.exists():
        return []
    table = store.table(name).to_pandas()
    for column in columns:
        if column not in table:
            raise BadInput(path, f"has no column {column!r}", REMEDY)
    return table.to_dict("records")


def _curves(store: Store) -> Iterator[tuple[str, tuple[np.ndarray, dict[str, np.ndarray]]]]:
    """Every run's steps and curves, NaN where a check has no value."""
    table = store.table(CURVES).to_pandas()
    metrics = table["metric"].cat.categories
    for run_id, of_run in table.groupby("run", sort=False, observed=True):
        steps, check = np.unique(of_run["step"].to_numpy(), return_inverse=True)
        curves = np.full((len(metrics), len(steps)), np.nan)
        curves[of_run["metric"].cat.codes, check] = of_run["value"]
        yield str(run_id), (steps, dict(zip(metrics, curves, strict=True)))
