"""Coregistered neurons and the synapses among them, from a CAVE server."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from biosernn.cohort.checks import LONGEST_NAME, MOST_NEURONS
from biosernn.cohort.cohort import Cohort
from biosernn.cohort.wiring import Wiring
from biosernn.errors import BadInput, WorkFailed, one_line
from biosernn.sources.cache import cache_folder
from biosernn.sources.cave_client import connected
from biosernn.sources.cave_query import FAULT, CaveTables, Progress, Rows

DATASTACK = "minnie65_public"
VERSION = 1300
COREGISTRATION = "coregistration_manual_v4"
NUCLEI = "nucleus_detection_v0"
SYNAPSES = "synapses_pni_2"
CELL_TYPES = "aibs_metamodel_celltypes_v661"
PROOFREADING = "proofreading_status_and_strategy"
NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
POSITION = ("pt_position_x", "pt_position_y", "pt_position_z")
UNIT = ("session", "scan", "unit_id")
LARGEST_FILE = 2**22
YES, NO = ("t", "true"), ("f", "false", "")


def import_cave(
    *,
    session: int | None = None,
    scan: int | None = None,
    field: int | None = None,
    units: str | Path | None = None,
    roots: str | Path | None = None,
    version: int = VERSION,
    datastack: str = DATASTACK,
    server: str | None = None,
    token_env: str | None = None,
    proofread_only: bool = False,
    cache: str | Path | None = None,
    on_progress: Progress | None = None,
) -> Cohort:
    """Read neurons, their positions and the synapses among them as one materialization has them.

    Parameters
    ----------
    session, scan, field
        The neurons of a scan, or of one field of it, that were coregistered by hand.
    units
        Instead, a file of coregistered units, a line each: session, scan and unit id with commas.
    roots
        Instead, a file of root ids of that version, a line each; their units are not known (0).
    version
        Of the materialization, never the latest by chance.
    datastack, server
        Where; caveclient's own server by default.
    token_env
        Name of the environment variable that holds the token; by default caveclient's own file is
        read.
    proofread_only
        Keep only neurons whose axon is proofread, so that an absent connection was looked for.
    cache
        Folder of the answers so far; by default `cave` in the folder `BIOSERNN_CACHE`, or in the
        system's place for caches.
    on_progress
        Is told the table, how many of how many chunks are there, and the rows so far.

    Returns
    -------
    Cohort
        By nucleus id, without activity. Its columns beside the ids are `n_autapses`;
        `axon_proofread`, where 0 says that missing outputs are unknown, not absent; `cell_type`,
        0 or a number that `cell_types` in the provenance gives a name. The last two are left out
        where the server lacks the table. A neuron of root id 0 is kept, its connections unknown.
        What was left out is named in the provenance under `dropped`: of a nucleus or a unit matched
        twice all but the closest match, nuclei without a position, and those that share a root.

    Raises
    ------
    BadInput
        If caveclient is not installed, neurons, server, datastack, version or token are not given
        as they must be, or something that a file names would be left out.
    WorkFailed
        If the server fails or answers otherwise than asked. What was answered before is kept.

    References
    ----------
    .. [1] Dorkenwald et al. 2025, Connectome Annotation Versioning Engine,
       doi 10.1038/s41592-024-02426-z.
    .. [2] MICrONS Consortium 2025, doi 10.1038/s41586-025-08790-w.

    Examples
    --------
    >>> import_cave(session=6)
    Traceback (most recent call last):
    biosernn.errors.BadInput: choice of neurons: is not clear; give --session and --scan ...

    """
    choice = _choice(session, scan, field, units, roots)
    if not NAME.fullmatch(datastack):
        raise BadInput(f"datastack {datastack!r}", "is no name", f"give one, as {DATASTACK}")
    folder = Path(cache) if cache else cache_folder() / "cave"
    with connected(datastack, version, server, token_env) as client:
        tables = CaveTables(client, (client.server, datastack, version), folder, on_progress)
        nuclei = client.info.get("soma_table") or NUCLEI
        synapses = client.info.get("synapse_table") or SYNAPSES
        absent = [table for table in (CELL_TYPES, PROOFREADING) if not tables.has(table)]
        if proofread_only and PROOFREADING in absent:
            raise BadInput(f"table {PROOFREADING}", "is not there", "leave out --proofread-only")
        dropped: dict[str, list[object]] = {}
        neurons = _neurons(tables, nuclei, choice, _resolution_nm(client.info), dropped)
        if choice.file and dropped:
            raise BadInput(choice.file, _words(dropped), "take them out, or look them up anew")
        if PROOFREADING not in absent:
            neurons["axon_proofread"] = _axon_proofread(tables, neurons["root_id"])
        before = len(neurons["root_id"])
        if proofread_only:
            neurons = _taken(neurons, neurons["axon_proofread"] == 1)
        n = len(neurons["root_id"])
        if not 2 <= n <= MOST_NEURONS:
            remedy = f"choose 2 to {MOST_NEURONS:,}"
            raise BadInput(choice.name, f"has {n} neurons at version {version}", remedy)
        cell_types: dict[str, int] = {}
        if CELL_TYPES not in absent:
            neurons["cell_type"], cell_types = _cell_types(tables, neurons["nucleus_id"])
        wiring, neurons["n_autapses"] = _wiring(tables, synapses, neurons["root_id"])
        return Cohort(
            positions_um=neurons.pop("positions_um"),
            neurons=neurons,
            wiring=wiring,
            provenance={
                "kind": "cave",
                "name": choice.name,
                "version": version,
                "datastack": datastack,
                "server": client.server,
                "tables": tables.asked,
                "tables_absent": absent,
                "cell_types": cell_types,
                "nuclei_of_root_id_zero": neurons["nucleus_id"][neurons["root_id"] == 0].tolist(),
                "dropped": dropped,
                "dropped_not_proofread": before - n,
            },
        )


@dataclass(frozen=True)
class _Choice:
    """Which neurons: those of scans, some units of scans, or those of some roots."""

    name: str
    file: Path | None = None
    scan: tuple[int, int, int | None] | None = None
    units: tuple[tuple[int, ...], ...] = ()
    roots: tuple[int, ...] = ()


def _choice(
    session: int | None,
    scan: int | None,
    field: int | None,
    units: str | Path | None,
    roots: str | Path | None,
) -> _Choice:
    numbers = session, scan, field
    scanned = session is not None and scan is not None
    ways = scanned, units is not None, roots is not None
    if ways.count(True) != 1 or (numbers != (None, None, None) and not scanned):
        remedy = "give --session and --scan (and --field), or --units, or --roots"
        raise BadInput("choice of neurons", "is not clear", remedy)
    if session is not None and scan is not None:
        name = "_".join(str(number) for number in numbers if number is not None)
        return _Choice(name, scan=(session, scan, field))
    file = Path(str(units or roots))
    name = one_line(file.stem)[:LONGEST_NAME]
    if units is not None:
        return _Choice(name, file, units=_table(file, UNIT))
    return _Choice(name, file, roots=tuple(root for (root,) in _table(file, ("root_id",))))


def _table(file: Path, columns: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """Read a file of whole numbers above 0 between commas; its first line may be their names."""
    try:
        with open(file, "rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
        lines = content.decode("ascii").splitlines()
    except OSError as error:
        raise BadInput(file, f"cannot be read ({error.strerror})", "name another") from error
    except UnicodeDecodeError as error:
        raise BadInput(file, "is no plain text", "write ids into it, one a line") from error
    if len(content) > LARGEST_FILE:
        raise BadInput(file, f"is larger than {LARGEST_FILE >> 20} MiB", "name fewer")
    rows: dict[tuple[int, ...], int] = {}
    named = lines[:1] == [",".join(columns)]
    for number, line in enumerate(lines[named:], 1 + named):
        cells = tuple(int(cell) for cell in re.findall("[0-9]{1,19}", line))
        if line != ",".join(map(str, cells)) or len(cells) != len(columns):
            what = f"is not {','.join(columns)} in plain digits"
            raise BadInput(f"{file}, line {number}", what, "correct it")
        if cells in rows or not 0 < min(cells) <= max(cells) < 2**63:
            what = "holds a 0 or an id of more than 63 bits"
            if cells in rows:
                what = f"says what line {rows[cells]} says"
            raise BadInput(f"{file}, line {number}", what, "take it out")
        rows[cells] = number
    if not rows:
        raise BadInput(file, "holds no ids", "write them into it, one a line")
    return tuple(rows)


def _neurons(
    tables: CaveTables,
    table: str,
    choice: _Choice,
    resolution_nm: tuple[float, ...],
    dropped: dict[str, list[object]],
) -> Rows:
    """Find the chosen neurons' ids and positions, by nucleus id."""
    columns = {"pt_root_id": "id"} | dict.fromkeys(POSITION, "number")
    if choice.roots:
        rows = tables.rows(table, columns, {"pt_root_id": choice.roots}, resolution_nm)
        stale = np.setdiff1d(choice.roots, rows["pt_root_id"])
        _note(dropped, "roots of no nucleus at this version", stale)
        known = {name: np.zeros_like(rows["id"]) for name in (*UNIT, "field")}
    else:
        matches = _matches(tables, choice, dropped)
        ids = matches.pop("nucleus_id")
        rows = tables.rows(table, columns, {"id": ids.tolist()}, resolution_nm)
        _note(dropped, "nuclei without a position", np.setdiff1d(ids, rows["id"]))
        place = np.searchsorted(ids, rows["id"])
        known = {name: column[place] for name, column in matches.items()}
    positions = np.stack([rows[axis] for axis in POSITION], axis=1) * resolution_nm / 1000
    neurons = {"nucleus_id": rows["id"], "root_id": rows["pt_root_id"], "positions_um": positions}
    neurons = _taken(neurons | known, np.argsort(rows["id"]))
    roots, counts = np.unique(neurons["root_id"], return_counts=True)
    shared = np.isin(neurons["root_id"], roots[(counts > 1) & (roots > 0)])
    _note(dropped, "nuclei that share a root", neurons["nucleus_id"][shared])
    return _taken(neurons, ~shared)


def _matches(tables: CaveTables, choice: _Choice, dropped: dict[str, list[object]]) -> Rows:
    """Find the chosen units and their nuclei, by nucleus id, each once with its closest match."""
    if choice.scan:
        session, scan, field = choice.scan
        within = {"session": (session,), "scan_idx": (scan,)}
        within |= {} if field is None else {"field": (field,)}
    else:
        sessions, scans, units = zip(*choice.units, strict=True)
        within = {"unit_id": units, "session": sessions, "scan_idx": scans}
    names = {"target_id": "nucleus_id", "session": "session", "scan_idx": "scan"}
    names |= {"field": "field", "unit_id": "unit_id"}
    columns = dict.fromkeys(names, "id") | {"residual": "number or none"}
    rows = tables.rows(COREGISTRATION, columns, within)
    closest = np.lexsort((rows["unit_id"], rows["residual"]))
    matches = {name: rows[column][closest] for column, name in names.items()}
    if choice.units:
        found = list(zip(*(matches[name].tolist() for name in UNIT), strict=True))
        matches = _taken(matches, np.array([unit in set(choice.units) for unit in found], bool))
        missing = sorted(set(choice.units) - set(found))
        _note(dropped, "units that are not coregistered", ["_".join(map(str, u)) for u in missing])
    for once, named, reason in (
        (("nucleus_id",), "unit_id", "units whose nucleus has a closer match"),
        (UNIT, "nucleus_id", "nuclei whose unit has a closer match"),
    ):
        ids = np.stack([matches[name] for name in once], axis=1)
        again = np.ones(len(ids), dtype=bool)
        again[np.unique(ids, axis=0, return_index=True)[1]] = False
        _note(dropped, reason, matches[named][again])
        matches = _taken(matches, ~again)
    return _taken(matches, np.argsort(matches["nucleus_id"]))


def _axon_proofread(
    tables: CaveTables, root_ids: Int64[np.ndarray, " n"]
) -> Int64[np.ndarray, " n"]:
    """Say 1 where the axon is proofread: what the table does not list is not."""
    known = root_ids[root_ids > 0].tolist()
    columns = {"pt_root_id": "id", "status_axon": "text"}
    rows = tables.rows(PROOFREADING, columns, {"pt_root_id": known})
    status = np.char.lower(rows["status_axon"])
    odd = ~np.isin(status, (*YES, *NO))
    if odd.any():
        what = f"holds {str(status[odd][0])!r}, neither true nor false"
        raise WorkFailed(f"table {PROOFREADING}: status_axon", what, FAULT)
    proofread = rows["pt_root_id"][np.isin(status, YES)]
    return np.isin(root_ids, proofread).astype(np.int64)


def _cell_types(
    tables: CaveTables, nucleus_ids: Int64[np.ndarray, " n"]
) -> tuple[Int64[np.ndarray, " n"], dict[str, int]]:
    """Number the cell types; a nucleus that has several is of none."""
    columns = {"target_id": "id", "cell_type": "text"}
    rows = tables.rows(CELL_TYPES, columns, {"target_id": nucleus_ids.tolist()})
    types: dict[int, set[str]] = {}
    for nucleus, cell_type in zip(rows["target_id"].tolist(), rows["cell_type"], strict=True):
        types.setdefault(nucleus, set()).add(one_line(cell_type))
    one = {nucleus: min(found) for nucleus, found in types.items() if len(found) == 1}
    numbers = {name: number for number, name in enumerate(sorted(set(one.values()) - {""}), 1)}
    column = [numbers.get(one.get(nucleus, ""), 0) for nucleus in nucleus_ids.tolist()]
    return np.array(column), numbers


def _wiring(
    tables: CaveTables, table: str, root_ids: Int64[np.ndarray, " n"]
) -> tuple[Wiring, Int64[np.ndarray, " n"]]:
    """Count the synapses between neurons, and apart from them those of a neuron on itself."""
    neurons = np.argsort(root_ids)
    neurons = neurons[root_ids[neurons] > 0]
    roots = root_ids[neurons]
    within = dict.fromkeys(("pre_pt_root_id", "post_pt_root_id"), roots.tolist())
    rows = tables.rows(table, dict.fromkeys(within, "id") | {"size": "number"}, within)
    ends = np.stack([neurons[np.searchsorted(roots, rows[name])] for name in within], axis=1)
    autapse = ends[:, 0] == ends[:, 1]
    between = ends[~autapse]
    pairs, pair, counts = np.unique(between, axis=0, return_inverse=True, return_counts=True)
    sizes = np.bincount(pair, rows["size"][~autapse], minlength=len(pairs))
    wiring = Wiring(pairs[:, 0], pairs[:, 1], counts, np.rint(sizes).astype(np.int64))
    return wiring, np.bincount(ends[autapse, 0], minlength=len(root_ids))


def _resolution_nm(info: dict[str, Any]) -> tuple[float, ...]:
    axes = [info.get(f"viewer_resolution_{axis}") for axis in "xyz"]
    if not all(isinstance(nm, int | float) and 0 < nm < 1e6 for nm in axes):
        raise WorkFailed("viewer_resolution of the datastack", f"is {axes}, no size in nm", FAULT)
    return tuple(float(nm) for nm in axes if nm is not None)


def _note(dropped: dict[str, list[object]], reason: str, ids: Iterable[object]) -> None:
    named = np.asarray(ids).tolist()
    if named:
        dropped[reason] = named


def _taken(rows: Rows, which: np.ndarray) -> Rows:
    return {name: column[which] for name, column in rows.items()}


def _words(dropped: dict[str, list[object]]) -> str:
    return "; ".join(
        f"{reason}: {', '.join(map(str, ids[:5]))}" + f" and {len(ids) - 5} more" * (len(ids) > 5)
        for reason, ids in dropped.items()
    )
