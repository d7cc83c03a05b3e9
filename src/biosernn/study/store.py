"""The study folder: each file written whole, owned by one process at a time."""

import fcntl
import json
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from biosernn.cohort.cohort import Cohort
from biosernn.errors import BadInput, WorkFailed
from biosernn.study.plan import Run, study_hash
from biosernn.study.record import Record
from biosernn.study.spec import Study

STUDY = "study.toml"
PROVENANCE = "provenance.json"
RESULTS = "results.parquet"
CURVES = "curves.parquet"
TIMING = "timing.parquet"
REPORT = "report.html"
WRITABLE = "make room or write access there and run it again"
BEGUN = ".begun"
"""In `runs/`: a study was being laid out here, so that cohort files without a study are its own."""

COHORT_FILE = re.compile(r"cohort(-[0-9]+)?\.h5|\..*\.tmp")


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Write a file under a temporary name, and give it its own once it is on the disk.

    Raises
    ------
    WorkFailed
        If the disk is full or the folder cannot be written; what stood there before stays.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder) / "a") as file:
    ...         _ = file.write(b"1")
    ...     (Path(folder) / "a").read_text()
    '1'

    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as fault:
        what = fault.strerror or str(fault)
        raise WorkFailed(path, what, WRITABLE) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


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
            if p.name not in ("runs", ".lock") and not (begun and COHORT_FILE.fullmatch(p.name))
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
            with whole_file(self.runs / BEGUN):
                pass
            for number, cohort in enumerate(cohorts):
                cohort.write(self.cohort_path(number))
            self._write_study(study)
            return study
        stored, stored_cohorts = self.read()
        if study_hash(stored, stored_cohorts) != asked:
            raise BadInput(
                self.folder,
                f"holds another study ({_difference(stored, study)})",
                "choose another --out; only seeds can be raised",
            )
        if study.seeds > stored.seeds:
            self._write_study(study)
            return study
        return stored

    def _write_study(self, study: Study) -> None:
        with whole_file(self.folder / STUDY) as file:
            file.write(study.toml().encode())

    def cohort_path(self, number: int) -> Path:
        """File of one of the study's cohorts."""
        return self.folder / ("cohort.h5" if number == 0 else f"cohort-{number}.h5")

    def read(self) -> tuple[Study, list[Cohort]]:
        """Read the study and its cohorts, each held against its hash.

        Raises
        ------
        BadInput
            If the folder holds no study, or a file of it is damaged.

        """
        if not (self.folder / STUDY).is_file():
            raise BadInput(self.folder, "holds no study", "give a folder that biosernn run wrote")
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

    def write_run(self, run_id: str, record: Record, timing: dict[str, float]) -> None:
        """Write one run's file."""
        arrays: dict[str, Any] = {
            "row": _json_bytes(record.row),
            "timing": _json_bytes(timing),
            "steps": record.steps,
            "curve_names": _json_bytes(list(record.curves)),
            "curves": np.stack(list(record.curves.values())),
        }
        arrays |= {f"weights_{name}": array for name, array in record.weights.items()}
        with whole_file(self.run_path(run_id)) as file:
            np.savez(file, **arrays)

    def start_weights(self, run_id: str) -> np.ndarray:
        """Initial recurrent weights of a finished run, (units, units) float32."""
        with _opened(self.run_path(run_id)) as file:
            return file["weights_recurrent"][0]

    def collect(self, study: Study, cohorts: Sequence[Cohort], runs: Sequence[Run]) -> pd.DataFrame:
        """Write the tables of all finished runs, in the plan's order; returns the results.

        The tables hold neither time nor place nor name of a machine; `timing.parquet` does.
        """
        finished = self.finished()
        rows, timings, steps, values, names, ids = [], [], [], [], [], []
        curves_of: set[str] = set()
        labels = [_labels(cohort) for cohort in cohorts]
        for run in runs:
            if run.id not in finished:
                continue
            with _opened(self.run_path(run.id)) as file:
                row = json.loads(file["row"].tobytes())
                rows.append(_identity(run, labels[run.cohort]) | row)
                if run.id in curves_of:
                    continue
                curves_of.add(run.id)
                timings.append({"run": run.id} | json.loads(file["timing"].tobytes()))
                curves = file["curves"]
                names.append(np.repeat(json.loads(file["curve_names"].tobytes()), curves.shape[1]))
                steps.append(np.tile(file["steps"], len(curves)))
                values.append(curves.ravel())
                ids.append(np.repeat(run.id, curves.size))
        results = pd.DataFrame(rows)
        self._write_table(RESULTS, pa.Table.from_pandas(results, preserve_index=False))
        self._write_table(TIMING, pa.Table.from_pylist(timings))
        if rows:
            kept = ~np.isnan(np.concatenate(values))
            columns = {"run": ids, "step": steps, "metric": names, "value": values}
            table = pa.table({key: np.concatenate(parts)[kept] for key, parts in columns.items()})
            for name in ("run", "metric"):
                column = table.column(name).dictionary_encode()
                table = table.set_column(table.schema.get_field_index(name), name, column)
            self._write_table(CURVES, table)
        return results

    def _write_table(self, name: str, table: pa.Table) -> None:
        with whole_file(self.folder / name) as file:
            parquet.write_table(table.replace_schema_metadata(None), file, compression="zstd")

    def results(self) -> pd.DataFrame:
        """The results as they were last collected."""
        return self._table(RESULTS)

    def curves(self) -> pd.DataFrame:
        """The learning curves as they were last collected."""
        return self._table(CURVES)

    def _table(self, name: str) -> pd.DataFrame:
        try:
            return pd.read_parquet(self.folder / name)
        except (OSError, ValueError) as fault:
            raise WorkFailed(
                self.folder / name, f"is damaged: {fault}", "run `biosernn report` on its folder"
            ) from None

    def provenance(self) -> dict[str, Any]:
        """The provenance as it was last written; empty where none is."""
        path = self.folder / PROVENANCE
        if not path.exists():
            return {}
        try:
            provenance = json.loads(path.read_text())
            provenance.get("extensions", [{"seeds": 0}])[-1]["seeds"]
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise BadInput(path, "is no provenance", "delete it and run again") from None
        return provenance

    def write_provenance(self, provenance: dict[str, Any]) -> None:
        """Write the provenance."""
        with whole_file(self.folder / PROVENANCE) as file:
            file.write(json.dumps(provenance, indent=1).encode())


def _labels(cohort: Cohort) -> dict[str, Any]:
    sessions = set(cohort.neurons.get("session", np.array([])).tolist())
    return {"cohort": cohort.name, "session": sessions.pop() if len(sessions) == 1 else -1}


def _identity(run: Run, labels: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": run.id,
        **labels,
        "arm": run.arm.name,
        "task": run.task,
        "seed": run.seed,
        "protocol": run.protocol_name,
        "recipe": run.recipe_name,
        "units": run.units,
        "strength": run.strength,
    }


def _difference(stored: Study, asked: Study) -> str:
    """Name the keys in which two studies differ."""
    a, b = stored.table(), asked.table()
    differ = [key for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)]
    differ = [key for key in differ if key not in ("seeds", "cohort")]
    return f"other {', '.join(differ)}" if differ else "other cohort or engine"


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if any(member.compress_type != zipfile.ZIP_STORED for member in file.zip.infolist()):
                raise ValueError("it is compressed")
            yield file
    except Exception as fault:  # a damaged archive fails in many ways
        raise WorkFailed(
            path, f"is damaged: {fault}", "delete it and run again; it is then redone"
        ) from None


def _json_bytes(value: object) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)
