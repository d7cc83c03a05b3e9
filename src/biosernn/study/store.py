"""The study folder: each file written whole, owned by one process at a time."""

import fcntl
import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from biosernn.cohort.cohort import Cohort
from biosernn.errors import BadInput, WorkFailed
from biosernn.protocol import TUNED, Recipe
from biosernn.sources.npy import plain_array
from biosernn.study.plan import Group, Run, study_hash
from biosernn.study.record import Record
from biosernn.study.spec import OWN_TASKS, Study
from biosernn.tasks.arrays import ENDING, write_task
from biosernn.training.schedule import ENGINE
from biosernn.whole_file import WRITABLE, whole_file

STUDY = "study.toml"
PROVENANCE = "provenance.json"
RESULTS = "results.parquet"
CURVES = "curves.parquet"
TIMING = "timing.parquet"
SWEEP = "sweep.parquet"
REPORT = "report.html"
BEGUN = ".begun"
"""In `runs/`: a study was being laid out here, so that cohort files without a study are its own."""

COHORT_FILE = re.compile(r"cohort(-[0-9]+)?\.h5")
HALF_WRITTEN = re.compile(
    r"\.(cohort(-[0-9]+)?\.h5|study\.toml|provenance\.json|(results|curves|timing|sweep)\.parquet"
    r"|report\.html|begun|[0-9a-f]{20}\.npz)\.[0-9a-f]+\.tmp"
)
HALF_WRITTEN_TASK = re.compile(r"\..+\.npz\.[0-9a-f]+\.tmp")
RUNS_A_PIECE = 200
"""Runs whose curves are in memory at once while the tables are written."""

CURVE = pa.schema(
    {
        "run": pa.dictionary(pa.int32(), pa.string()),
        "step": pa.int32(),
        "metric": pa.dictionary(pa.int32(), pa.string()),
        "value": pa.float64(),
    }
)


class Store:
    """A study folder.

    Parameters
    ----------
    folder
        Where it is or will be.

    Examples
    --------
    >>> Store(Path("out/quick")).folder.name
    'quick'

    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @property
    def runs(self) -> Path:
        """Folder of the run files."""
        return self.folder / "runs"

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Hold the folder; a second process is refused, a dead one holds nothing.

        What a dead one left half written is removed.

        Raises
        ------
        BadInput
            If there is a file where the folder should be.
        WorkFailed
            If the folder cannot be written, or another process works in it.

        """
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("a")
        except (FileExistsError, NotADirectoryError) as fault:
            raise BadInput(self.folder, str(fault.strerror), "choose another --out") from None
        except OSError as fault:
            raise WorkFailed(self.folder, fault.strerror or str(fault), WRITABLE) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WorkFailed(
                    self.folder,
                    "another biosernn works in this folder",
                    "wait for it or choose another --out",
                ) from None
            for left in (*self.folder.glob(".*.tmp"), *self.runs.glob(".*.tmp")):
                if HALF_WRITTEN.fullmatch(left.name):
                    left.unlink(missing_ok=True)
            for left in (self.folder / OWN_TASKS).glob(".*.tmp"):
                if HALF_WRITTEN_TASK.fullmatch(left.name):
                    left.unlink(missing_ok=True)
            yield

    def check_empty(self) -> None:
        """Refuse a folder that holds something else than a study."""
        try:
            if (self.folder / STUDY).exists() or not self.folder.exists():
                return
        except OSError as fault:
            raise BadInput(self.folder, str(fault.strerror), "choose another --out") from None
        if not self.folder.is_dir():
            raise BadInput(self.folder, "is no folder", "choose another --out")
        begun = (self.runs / BEGUN).exists()
        foreign = [
            p.name
            for p in self.folder.iterdir()
            if p.name not in ("runs", ".lock")
            and not HALF_WRITTEN.fullmatch(p.name)
            and not (begun and (p.name == OWN_TASKS or COHORT_FILE.fullmatch(p.name)))
        ]
        if foreign:
            raise BadInput(
                self.folder, f"holds {foreign[0]!r} and no study", "choose another --out"
            )

    def open_study(self, study: Study, cohorts: Sequence[Cohort]) -> Study:
        """Settle a resolved study in the folder, or extend the one that is there by more seeds.

        Raises
        ------
        BadInput
            If the folder holds another study.

        """
        self.check_empty()
        asked = study_hash(study, cohorts)
        if not (self.folder / STUDY).exists():
            self._begin()
            for left in self.folder.glob("cohort-*.h5"):
                if COHORT_FILE.fullmatch(left.name):
                    left.unlink()
            self._write_cohorts(cohorts)
            self._write_own_tasks(study)
            self._write_study(study)
            return study
        stored, stored_cohorts = self.read()
        if study_hash(stored, stored_cohorts) != asked:
            raise BadInput(
                self.folder,
                f"holds another study ({_difference(stored, study)})",
                "choose another --out; only seeds can be raised",
            )
        for task in study.tasks:
            held, asked_for = stored.seeds_of(task), study.seeds_of(task)
            if asked_for < held:
                raise BadInput(
                    self.folder,
                    f"holds {held} seeds of {task}, and {asked_for} are asked for",
                    f"say --seeds {held} or more; they can be raised, not lowered",
                )
        grown = replace(stored, seeds=study.seeds, task_seeds=study.task_seeds)
        if grown != stored:
            self._write_study(grown)
        return grown

    @property
    def holds_tables_alone(self) -> bool:
        """Whether a study is here that was not laid out here: its run files are elsewhere."""
        there = all((self.folder / name).exists() for name in (STUDY, RESULTS))
        return there and not (self.runs / BEGUN).exists()

    @contextmanager
    def laying_out(self, cohorts: Sequence[Cohort]) -> Iterator[None]:
        """Write the cohorts and what the body writes; only then the folder counts as laid out."""
        self._write_cohorts(cohorts)
        yield
        self._begin()

    def _begin(self) -> None:
        with whole_file(self.runs / BEGUN):
            pass

    def _write_cohorts(self, cohorts: Sequence[Cohort]) -> None:
        for number, cohort in enumerate(cohorts):
            cohort.write(self.cohort_path(number))

    def _write_own_tasks(self, study: Study) -> None:
        folder = self.folder / OWN_TASKS
        for left in folder.glob(f"*{ENDING}"):
            left.unlink()
        for task in study.own_tasks:
            try:
                folder.mkdir(exist_ok=True)
            except OSError as fault:
                raise WorkFailed(folder, fault.strerror or str(fault), WRITABLE) from None
            with whole_file(folder / f"{task.name}{ENDING}") as file:
                write_task(task, file)

    def _write_study(self, study: Study) -> None:
        with whole_file(self.folder / STUDY) as file:
            file.write(study.toml().encode())

    def cohort_path(self, number: int) -> Path:
        """File of one of the study's cohorts."""
        return self.folder / ("cohort.h5" if number == 0 else f"cohort-{number}.h5")

    def read(self, *, any_engine: bool = False) -> tuple[Study, list[Cohort]]:
        """Read the study and its cohorts, each held against its hash.

        Parameters
        ----------
        any_engine
            Whether to read a study whose runs another engine made.

        Raises
        ------
        BadInput
            If the folder holds no study, or a file of it is damaged, or another engine made it.

        """
        if not (self.folder / STUDY).is_file():
            raise BadInput(self.folder, "holds no study", "give a folder that biosernn run wrote")
        engine = self.provenance().get("engine", ENGINE)
        if engine != ENGINE and not any_engine:
            raise BadInput(
                self.folder,
                f"was made by engine {engine}, and this biosernn has engine {ENGINE}",
                "use the version in its provenance.json, or `biosernn rerun` it",
            )
        study = Study.read(self.folder / STUDY)
        cohorts = [
            Cohort.read(self.cohort_path(number), check_hash=True)
            for number in range(len(study.cohort))
        ]
        return study, cohorts

    def run_path(self, run_id: str) -> Path:
        """File of one run."""
        return self.runs / f"{run_id}.npz"

    def finished(self) -> set[str]:
        """Ids of the runs whose file is there."""
        return {entry.name[:-4] for entry in os.scandir(self.runs) if entry.name.endswith(".npz")}

    def write_run(self, run_id: str, record: Record, timing: dict[str, float | str]) -> None:
        """Write one run's file."""
        arrays: dict[str, Any] = {
            "row": _json_bytes(record.row),
            "timing": _json_bytes(timing),
            "steps": record.steps,
            "curve_names": _json_bytes(list(record.curves)),
            "curves": np.array([*record.curves.values()]).reshape(len(record.curves), -1)
            if record.curves
            else np.empty((0, 0)),
        }
        arrays |= {f"weights_{name}": array for name, array in record.weights.items()}
        with whole_file(self.run_path(run_id)) as file:
            np.savez(file, **arrays)

    def recurrent_weights(self, run_id: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Recurrent weights of a finished run at its start and end, (units, units) float32 each.

        None where the run was taken over from a table.
        """
        with _opened(self.run_path(run_id)) as file:
            if "weights_recurrent" not in file:
                return None
            stored = file["weights_recurrent"]
            return stored[0], stored[-1]

    def collect(self, study: Study, cohorts: Sequence[Cohort], runs: Sequence[Run]) -> pd.DataFrame:
        """Write the tables of all finished runs, in the plan's order; returns the results.

        The tables hold neither time nor place nor name of a machine; `timing.parquet` does.
        """
        finished = self.finished()
        done = [run for run in runs if run.id in finished]
        tuned = any(run.recipe_name == TUNED for run in runs)
        rows: list[dict[str, Any]] = []
        timings: dict[str, dict[str, Any]] = {}
        with (
            whole_file(self.folder / CURVES) as file,
            parquet.ParquetWriter(file, CURVE, compression="zstd") as writer,
        ):
            for start in range(0, len(done), RUNS_A_PIECE):
                piece: dict[str, Curves] = {}
                for run in done[start : start + RUNS_A_PIECE]:
                    with _opened(self.run_path(run.id)) as arrays:
                        asked = identity(run, cohorts[run.cohort])
                        asked |= setting(run) if tuned else {}
                        rows.append(asked | _json(arrays["row"]))
                        if run.id not in timings:
                            timings[run.id] = {"run": run.id} | _json(arrays["timing"])
                            curves = arrays["steps"], _json(arrays["curve_names"]), arrays["curves"]
                            piece[run.id] = curves
                if piece:
                    writer.write_table(_curves(piece))
        results = pd.DataFrame(rows)
        self._write_table(RESULTS, pa.Table.from_pandas(results, preserve_index=False))
        self._write_table(TIMING, pa.Table.from_pylist(list(timings.values())))
        return results

    def rows(self, runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
        """Outcomes of those runs that are finished, by id."""
        finished = self.finished() if self.runs.is_dir() else set()
        found = {}
        for run in runs:
            if run.id in finished:
                with _opened(self.run_path(run.id)) as arrays:
                    found[run.id] = _json(arrays["row"])
        return found

    def collect_sweep(
        self,
        cohorts: Sequence[Cohort],
        tried: Sequence[Run],
        rows: Mapping[str, dict[str, Any]],
        chosen: Mapping[Group, Recipe],
    ) -> None:
        """Write the table of the runs that `tuned` is chosen from; none where there are none."""
        table = [
            identity(run, cohorts[run.cohort])
            | setting(run)
            | {"chosen": chosen.get(run.group) == run.recipe}
            | rows[run.id]
            for run in tried
            if run.id in rows
        ]
        if table:
            self._write_table(SWEEP, pa.Table.from_pylist(table))

    def _write_table(self, name: str, table: pa.Table) -> None:
        with whole_file(self.folder / name) as file:
            parquet.write_table(table.replace_schema_metadata(None), file, compression="zstd")

    def results(self) -> pd.DataFrame:
        """The results as they were last collected."""
        return self.table(RESULTS).to_pandas()

    def sweep(self) -> pd.DataFrame:
        """The runs that `tuned` is chosen from as they were last collected; empty where none is."""
        there = (self.folder / SWEEP).exists()
        return self.table(SWEEP).to_pandas() if there else pd.DataFrame()

    def curves(self, metrics: Sequence[str]) -> pd.DataFrame:
        """The curves of some metrics as they were last collected."""
        return self.table(CURVES, filters=[("metric", "in", list(metrics))]).to_pandas()

    def metrics(self) -> list[str]:
        """Names of the metrics that the curves hold."""
        names = self.table(CURVES, columns=["metric"])["metric"]
        return [str(name) for name in names.unique().to_pylist()]

    def table(self, name: str, **choice: Any) -> pa.Table:
        """One of the tables as it was last written."""
        path = self.folder / name
        if not path.exists():
            raise BadInput(path, "is not there", f"`biosernn report {self.folder}` makes it")
        try:
            return parquet.read_table(path, partitioning=None, **choice)
        except (OSError, ValueError) as fault:
            raise WorkFailed(
                path, f"is damaged: {fault}", f"`biosernn report {self.folder}` makes it anew"
            ) from None

    def provenance(self) -> dict[str, Any]:
        """The provenance as it was last written; empty where none is."""
        path = self.folder / PROVENANCE
        if not path.exists():
            return {}
        try:
            provenance = json.loads(path.read_text())
            for session in provenance["sessions"]:
                int(session["seeds"]), dict(session["versions"])
        except (ValueError, LookupError, TypeError, RecursionError):
            raise BadInput(path, "is no provenance", "restore it or rerun the study") from None
        return provenance

    def write_provenance(self, provenance: dict[str, Any]) -> None:
        """Write the provenance."""
        with whole_file(self.folder / PROVENANCE) as file:
            file.write(json.dumps(provenance, indent=1).encode())


IDENTITY = (
    *("run", "cohort", "session", "arm", "task", "seed"),
    *("protocol", "recipe", "units", "strength"),
)
"""Columns that say which run a row is of."""

NAMED = tuple(name for name in IDENTITY if name not in ("run", "session"))
"""Those of them that are the same whatever biosernn made it."""

SETTING = ("learning_rate", "clip")
"""Columns that say what the recipe `tuned` stands for."""


def identity(run: Run, cohort: Cohort) -> dict[str, Any]:
    """Say which run a row is of.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> from biosernn.study.arms import ARMS
    >>> run = Run(0, "", ARMS["W0"], "maze", 0, "corrected", "clipped", 16, 0.3, 10)
    >>> tuple(identity(run, synthetic_cohort(16, 0))) == IDENTITY
    True

    """
    return {
        "run": run.id,
        "cohort": cohort.name,
        "session": _session(cohort),
        "arm": run.arm.name,
        "task": run.task,
        "seed": run.seed,
        "protocol": run.protocol_name,
        "recipe": run.recipe_name,
        "units": run.units,
        "strength": run.strength,
    }


@lru_cache
def _session(cohort: Cohort) -> int:
    """The session that all neurons of a cohort are from; -1 where there is no such one."""
    sessions = set(cohort.neurons.get("session", np.array([])).tolist())
    return sessions.pop() if len(sessions) == 1 else -1


def setting(run: Run) -> dict[str, float]:
    """What a run's recipe stands for.

    Examples
    --------
    >>> from biosernn.study.arms import ARMS
    >>> setting(Run(0, "", ARMS["W0"], "maze", 0, "corrected", "clipped", 16, 0.3, 10))
    {'learning_rate': 0.001, 'clip': 1.0}

    """
    return {name: getattr(run.recipe, name) for name in SETTING}


def _difference(stored: Study, asked: Study) -> str:
    """Name the keys in which two studies differ."""
    a, b = stored.table(), asked.table()
    differ = [key for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)]
    differ = [key for key in differ if key not in ("name", "seeds", "cohort")]
    if "tasks" not in differ and _contents(stored) != _contents(asked):
        differ.append("tasks")
    return f"other {', '.join(differ)}" if differ else "other cohort"


Curves = tuple[np.ndarray, list[str], np.ndarray]
"""A run's steps, names of metrics, and values, (metrics, steps)."""


def _contents(study: Study) -> list[str]:
    return [task.content_sha256 for task in study.own_tasks]


def _curves(of_runs: Mapping[str, Curves]) -> pa.Table:
    """Several runs' curves as a table, without the checks that have no value."""
    numbers: dict[str, int] = {}
    counts, steps, metrics, values = [], [], [], []
    for at, names, curves in of_runs.values():
        metric, check = np.nonzero(~np.isnan(curves))
        number = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int32)
        counts.append(len(check))
        steps.append(at[check])
        metrics.append(number[metric])
        values.append(curves[metric, check])
    of_run = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    columns = (
        pa.DictionaryArray.from_arrays(pa.array(of_run), list(of_runs)),
        pa.array(np.concatenate(steps).astype(np.int32)),
        pa.DictionaryArray.from_arrays(pa.array(np.concatenate(metrics)), list(numbers)),
        pa.array(np.concatenate(values)),
    )
    return pa.Table.from_arrays(columns, schema=CURVE)


class _Arrays:
    """The arrays of a run's file by name."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def __contains__(self, name: str) -> bool:
        return f"{name}.npy" in self._archive.namelist()

    def __getitem__(self, name: str) -> np.ndarray:
        return plain_array(self._archive.read(f"{name}.npy"))


@contextmanager
def _opened(path: Path) -> Iterator[_Arrays]:
    try:
        with zipfile.ZipFile(path) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise ValueError("it is compressed")
            yield _Arrays(archive)
    except Exception as fault:  # a damaged archive fails in many ways
        raise WorkFailed(
            path, f"is damaged: {fault}", "delete it and run again; it is then redone"
        ) from None


def _json(array: np.ndarray) -> Any:
    return json.loads(array.tobytes())


def _json_bytes(value: object) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)
