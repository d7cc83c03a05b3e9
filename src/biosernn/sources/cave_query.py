"""Rows of CAVE's tables: asked for in chunks, in whole, checked and kept.

What a materialization holds never changes, so an answer is kept in a file named by the hash of its
query, and an import that was interrupted goes on from there.
"""

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from biosernn.errors import WorkFailed
from biosernn.sources.cave_client import AGAIN, CaveClient
from biosernn.whole_file import whole_file

VALUES_A_QUERY = 200
FAULT = "report it to those who run the server"
Columns = Mapping[str, str]
Rows = dict[str, np.ndarray]
Progress = Callable[[str, int, int, int], None]


@dataclass(frozen=True)
class Query:
    """Which rows of a table.

    Attributes
    ----------
    table
        Its name.
    columns
        What is wanted of a row: "id", exact to the last digit, "number", "number or none", or
        "text".
    within
        By column, the values that a row may have there.
    after, up_to
        The stretch of the table's own ids, without its first and with its last.
    resolution_nm
        In what positions are given.

    """

    table: str
    columns: Columns
    within: Mapping[str, Sequence[int]]
    after: int | None = None
    up_to: int | None = None
    resolution_nm: tuple[float, ...] | None = None


class CaveTables:
    """The tables of one version of a datastack.

    Parameters
    ----------
    client
        Who asks.
    name
        Of the server, the datastack and the version: what an answer depends on beside its query.
    cache
        A folder, made when needed.
    on_progress
        Is told the table, how many of how many chunks are there, and the rows so far.

    Attributes
    ----------
    asked
        The tables that rows were asked of, in turn.

    """

    def __init__(
        self,
        client: CaveClient,
        name: Sequence[object],
        cache: Path,
        on_progress: Progress | None = None,
    ) -> None:
        self._client, self._name, self._cache = client, list(name), cache
        self._on_progress = on_progress or (lambda *_: None)
        self.asked: list[str] = []

    def has(self, table: str) -> bool:
        """Whether there is a table of that name."""
        return self._client.has(table)

    def rows(
        self,
        table: str,
        columns: Columns,
        within: Mapping[str, Sequence[int]],
        resolution_nm: tuple[float, ...] | None = None,
    ) -> Rows:
        """Ask for all rows with the given values, the first column's in chunks.

        Returns
        -------
        dict
            By column, the rows' values: int64, float64 or text; `id` is always among them.

        Raises
        ------
        WorkFailed
            If an answer is not what was asked for; those before are kept.

        """
        self.asked.append(table)
        first, *others = within
        values = sorted(set(within[first]))
        starts = range(0, len(values), VALUES_A_QUERY)
        query = Query(table, {"id": "id", **columns}, {}, resolution_nm=resolution_nm)
        parts = [_none(query)]
        for done, start in enumerate(starts, 1):
            chunk = {first: values[start : start + VALUES_A_QUERY]}
            rest = {name: sorted(set(within[name])) for name in others}
            parts.append(self._kept(replace(query, within=chunk | rest)))
            self._on_progress(table, done, len(starts), sum(len(part["id"]) for part in parts))
        return _joined(parts)

    def _kept(self, query: Query) -> Rows:
        """Take an answer from the cache, or ask and keep it."""
        content = json.dumps([self._name, asdict(query)], sort_keys=True)
        path = self._cache / f"{hashlib.sha256(content.encode()).hexdigest()}.npz"
        damaged = OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error
        with suppress(*damaged), open(path, "rb") as file:
            kept = np.load(file, allow_pickle=False)
            return {name: kept[name] for name in query.columns}
        rows = self._whole(query)
        _write(path, rows)
        return rows

    def _whole(self, query: Query) -> Rows:
        """Ask, and where the answer is cut, for the two halves of the ids that came."""
        frame, cut = self._client.query(query.table, **_filters(query))
        rows = {name: _column(query, frame, name, kind) for name, kind in query.columns.items()}
        _refuse_others(query, rows)
        if not cut:
            return rows
        ids = np.sort(rows["id"])
        if len(ids) < 2:
            raise WorkFailed(
                f"table {query.table}", f"gives {len(ids)} rows of more at a time", FAULT
            )
        middle = int(ids[(len(ids) - 1) // 2])
        halves = replace(query, up_to=middle), replace(query, after=middle)
        return _joined([self._kept(half) for half in halves])


def _filters(query: Query) -> dict[str, Any]:
    """Say it in the words of caveclient's `query_table`."""
    columns = (re.sub("_position_[xyz]$", "_position", name) for name in query.columns)
    return {
        "select_columns": list(dict.fromkeys(columns)),
        "filter_in_dict": {name: list(values) for name, values in query.within.items()},
        "filter_greater_dict": None if query.after is None else {"id": query.after},
        "filter_less_equal_dict": None if query.up_to is None else {"id": query.up_to},
        "desired_resolution": query.resolution_nm and list(query.resolution_nm),
    }


def _column(query: Query, frame: Any, name: str, kind: str) -> np.ndarray:
    where = f"table {query.table}: {name}"
    if name not in frame:
        raise WorkFailed(where, "is not in the answer", FAULT)
    column = frame[name]
    if kind == "text":
        return column.astype(object).where(column.notna(), "").to_numpy(dtype=str)
    if not len(column):
        return np.empty(0, dtype=np.int64 if kind == "id" else np.float64)
    if kind != "id":
        if column.dtype.kind not in "iuf" or (kind == "number" and column.isna().any()):
            raise WorkFailed(where, f"comes as {column.dtype}, not all of it numbers", FAULT)
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if column.dtype.kind not in "iu" or column.isna().any():
        what = f"comes as {column.dtype}, in which ids lose digits or are absent"
        raise WorkFailed(where, what, FAULT)
    if not 0 <= column.min() <= column.max() <= np.iinfo(np.int64).max:
        raise WorkFailed(where, "holds an id below 0 or of more than 63 bits", FAULT)
    return column.to_numpy(dtype=np.int64)


def _refuse_others(query: Query, rows: Rows) -> None:
    """Refuse rows that were not asked for: a server may ignore a filter that it does not know."""
    asked = np.ones(len(rows["id"]), dtype=bool)
    for name, values in query.within.items():
        asked &= np.isin(rows[name], values)
    if query.after is not None:
        asked &= rows["id"] > query.after
    if query.up_to is not None:
        asked &= rows["id"] <= query.up_to
    if not asked.all():
        what = f"answers with {np.count_nonzero(~asked)} rows that were not asked for"
        raise WorkFailed(f"table {query.table}", what, FAULT)
    if len(np.unique(rows["id"])) < len(asked):
        raise WorkFailed(f"table {query.table}", "answers with a row twice", FAULT)


def _none(query: Query) -> Rows:
    dtypes = {"id": np.int64, "text": np.str_}
    kinds = query.columns.items()
    return {name: np.empty(0, dtype=dtypes.get(kind, np.float64)) for name, kind in kinds}


def _joined(parts: Sequence[Rows]) -> Rows:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _write(path: Path, rows: Rows) -> None:
    """Write a file of the cache, whole or not at all."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WorkFailed(path.parent, f"cannot be written ({error.strerror})", AGAIN) from error
    with whole_file(path, AGAIN) as file:
        np.savez(file, **rows)  # type: ignore[arg-type]
