"""The released recordings of arXiv 2606.14975: one folder per imaging field.

The connectome is in another order than the neurons and is aligned; STTC comes as a lower triangle
and is mirrored; positions come in voxels.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from biosernn.cohort.checks import MOST_NEURONS, event_times
from biosernn.cohort.cohort import Cohort
from biosernn.cohort.wiring import MOST_SYNAPSES, Wiring
from biosernn.errors import BadInput
from biosernn.sources.release_folder import REMEDY, ReleaseFolder
from biosernn.sources.set_order import connectome_file_order

FRAME_RATE_HZ = 6.3009
LARGEST_FRAME_DEVIATION = 1e-6
VOXEL_NM = (4.0, 4.0, 40.0)
AFTER_LAST_EVENT_S = 0.1
LARGEST_CELL = len(",999999999")
ROW = re.compile(rb"(?:0|[1-9]\d{0,8})(?:,(?:0|[1-9]\d{0,8}))*")


def read_release(directory: str | Path) -> Cohort:
    """Read one field of the released recordings.

    Parameters
    ----------
    directory
        The folder of one field, named anyhow. The connectome, the soma positions and the three
        files of ids must be there; correlation, STTC, precision and spikes may be absent.

    Returns
    -------
    Cohort
        Matrices as released, STTC made symmetric. Connections of a neuron of root id 0, which has
        no segment, are removed; `provenance` says how many synapses that were, and gives the
        SHA-256 of every file. The recording ends 0.1 s after the last event; its frame rate is
        known where every event lies on the frames of 6.3009 Hz.

    Raises
    ------
    BadInput
        If a file is empty, cut or holds what no recording can, if a necessary one is absent, or if
        the folder holds no field or several. Nothing in a file is executed.

    References
    ----------
    .. [1] Released code and data of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> read_release("no/such/folder")
    Traceback (most recent call last):
    biosernn.errors.BadInput: no/such/folder: is no folder; name a released folder

    """
    folder = ReleaseFolder(directory)
    field = folder.field
    ids = {
        "root_id": f"root_ids_{field}.npy",
        "nucleus_id": f"target_ids_{field}.npy",
        "unit_id": f"unit_ids_{field}.npy",
    }
    files = {f"neurons/{column}": file for column, file in ids.items()} | {
        "positions_um": f"positions_{field}.npy",
        "wiring": f"connectome_{field}.csv",
        "corr": "corr_matrix.npy",
        "sttc": "sttc_matrix.npy",
        "precision": "precision_matrix.npy",
        "spikes": f"spikes_{field}.npy",
        "interval_s": f"spikes_{field}.npy",
    }
    neurons = {column: folder.numbers(file, "<i8", (None,)) for column, file in ids.items()}
    n = sorted(map(len, neurons.values()))[1]  # two of three outvote a file of another field
    for column, name in ids.items():
        if len(neurons[column]) != n:
            what = f"names {len(neurons[column])} neurons, where {n} are named elsewhere"
            raise BadInput(folder.path / name, what, REMEDY)
    if not 2 <= n <= MOST_NEURONS:
        raise BadInput(folder.path, f"holds {n} neurons", f"use a field of 2 to {MOST_NEURONS:,}")
    root_ids = neurons["root_id"]
    for name, number in zip(("session", "scan", "field"), field.split("_"), strict=True):
        neurons[name] = np.full(n, int(number))
    voxels = folder.vectors(files["positions_um"], "<i8", n)
    csv = folder.content(files["wiring"])
    matrices = {
        name: folder.numbers(files[name], "<f8", (n, n))
        for name in ("corr", "sttc", "precision")
        if folder.has(files[name])
    }
    spikes = folder.vectors(files["spikes"], "<f8", n) if folder.has(files["spikes"]) else None
    try:
        counts, removed = _aligned(_file_counts(csv, n), root_ids)
        if "sttc" in matrices:
            matrices["sttc"] = _mirrored(matrices["sttc"])
        return Cohort(
            neurons=neurons | {"n_autapses": counts.diagonal()},
            positions_um=_positions_um(voxels),
            wiring=Wiring.from_counts(counts),
            **matrices,
            spikes=spikes,
            interval_s=_interval(spikes) if spikes else None,
            frame_rate_hz=FRAME_RATE_HZ if spikes and _on_frames(spikes) else None,
            provenance={
                "kind": "release",
                "name": field,
                "version": _version(folder.sha256),
                "files": folder.sha256,
                "neurons_of_root_id_zero": np.flatnonzero(root_ids == 0).tolist(),
                "synapses_removed_root_id_zero": removed,
            },
        )
    except BadInput as error:
        part = next((p for p in files if error.where.startswith(p)), None)
        file = folder.path / files[part] if part else folder.path
        raise BadInput(f"{file}: {error.where}", error.what, REMEDY) from error


def _file_counts(csv: bytes, n: int) -> Int64[np.ndarray, "n n"]:
    """Read synapse counts in the order of the file, from a table with indexes on both sides."""
    if len(csv) > (n + 1) ** 2 * LARGEST_CELL:
        raise BadInput("wiring", f"is larger than counts of {n} neurons can be", REMEDY)
    lines = csv.replace(b"\r\n", b"\n").split(b"\n")
    if lines.pop():
        raise BadInput("wiring", "is cut: its last line has no end", REMEDY)
    if lines[:1] != [b"".join(b",%d" % column for column in range(n))]:
        raise BadInput("wiring, line 1", f"is not the header of {n} neurons", REMEDY)
    if len(lines) != n + 1:
        raise BadInput("wiring", f"has {len(lines) - 1} rows, not {n}", REMEDY)
    counts = np.empty((n, n), dtype=np.int64)
    for row, line in enumerate(lines[1:]):
        where = f"wiring, line {row + 2}"
        if not ROW.fullmatch(line):
            raise BadInput(where, "holds something else than plain counts", REMEDY)
        index, *cells = map(int, line.split(b","))
        if index != row or len(cells) != n:
            raise BadInput(where, f"is not row {row} with {n} counts", REMEDY)
        if max(cells) > MOST_SYNAPSES:
            raise BadInput(where, f"holds {max(cells)} synapses of one pair", REMEDY)
        counts[row] = cells
    return counts


def _aligned(
    file_counts: Int64[np.ndarray, "n n"], root_ids: Int64[np.ndarray, " n"]
) -> tuple[Int64[np.ndarray, "n n"], int]:
    """Put counts into the neurons' order without those of root id 0, and count what that takes."""
    rows = connectome_file_order(root_ids)
    counts = file_counts[np.ix_(rows, rows)]
    known = root_ids != 0
    kept = np.where(known[:, None] & known, counts, 0)
    return kept, int(counts.sum() - kept.sum())


def _mirrored(lower: Float64[np.ndarray, "n n"]) -> Float64[np.ndarray, "n n"]:
    above = np.argwhere(np.triu(lower, 1))
    if len(above):
        raise BadInput(
            f"sttc[{above[0, 0]}, {above[0, 1]}]", "is above the diagonal and not 0", REMEDY
        )
    return lower + np.tril(lower, -1).T


def _positions_um(voxels: Sequence[Int64[np.ndarray, " axes"]]) -> Float64[np.ndarray, "n 3"]:
    for neuron, voxel in enumerate(voxels):
        if voxel.shape != (3,):
            raise BadInput(f"positions_um, neuron {neuron}", "has not three coordinates", REMEDY)
    return np.stack(voxels) * np.array(VOXEL_NM) / 1000


def _interval(spikes: Sequence[Float64[np.ndarray, " events"]]) -> tuple[float, float]:
    trains = event_times(spikes, len(spikes))
    if not any(train.size for train in trains):
        raise BadInput("spikes", "hold no event", REMEDY)
    for neuron, train in enumerate(trains):
        if train.size and train[0] <= 0:
            raise BadInput(f"spikes, neuron {neuron}[0]", "is not after the start", REMEDY)
    return 0.0, max(train[-1] for train in trains if train.size) + AFTER_LAST_EVENT_S


def _on_frames(spikes: Sequence[Float64[np.ndarray, " events"]]) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        frames = np.concatenate(spikes) * FRAME_RATE_HZ
        return bool((np.abs(frames - np.rint(frames)) <= LARGEST_FRAME_DEVIATION).all())


def _version(sha256: dict[str, str]) -> str:
    """One hash for all files of a folder, which nothing in them names a version of."""
    listing = "".join(f"{sha256[name]}  {name}\n" for name in sorted(sha256))
    return f"sha256:{hashlib.sha256(listing.encode()).hexdigest()}"
