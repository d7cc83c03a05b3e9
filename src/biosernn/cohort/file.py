"""The cohort file: one HDF5 file, written whole, checked when it is opened.

`/neurons/<column>` (N,), `/positions_um` (N, 3), `/wiring/{pre,post,n_syn[,size]}`,
`/functional/{corr,sttc,precision}` (N, N), `/spikes/{times_s,offsets}`, where neuron i's events are
`times_s[offsets[i]:offsets[i + 1]]`, and `/traces` (N, T), all int64 or float64, uncompressed, each
with Fletcher-32 check sums. What is not known is left out. Attributes of the file: `format`,
`format_version`, `content_sha256`, `provenance` (JSON), `provenance_sha256` and, where known,
`interval_s` and `frame_rate_hz`.
"""

import hashlib
import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Float64, Int64

from biosernn.cohort.checks import MOST_NEURONS
from biosernn.cohort.cohort import MATRICES, Cohort
from biosernn.cohort.wiring import Wiring
from biosernn.errors import BadInput
from biosernn.whole_file import check_place, whole_file

FORMAT = "biosernn cohort"
FORMAT_VERSION = 1
LARGEST_ATTRIBUTE = 2**22
MOST_MEMBERS = 100
LARGEST_HOLLOW = 2**26
HOLLOW = 100  # times larger than what it takes on the disk; compression there does not come near
WIRING = ("wiring/pre", "wiring/post", "wiring/n_syn")
SIZE = "wiring/size"
SPIKES = ("spikes/times_s", "spikes/offsets")
UNITS = {"positions_um": "um", WIRING[2]: "synapses", SIZE: "voxels", "spikes/times_s": "s"}
FUNCTIONAL = tuple(f"functional/{name}" for name in MATRICES)
REMEDY = "make the file again with `biosernn cohort import`"


def write_cohort(cohort: Cohort, path: str | Path) -> None:
    """Write a cohort file, whole or not at all.

    Parameters
    ----------
    cohort
        What is written.
    path
        The file; one that is there is replaced.

    Raises
    ------
    BadInput
        If the path names a folder or a device, or a file in a folder that does not exist.
    WorkFailed
        If the file cannot be written; what was there before is kept.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from biosernn.cohort.checks import COLUMNS
    >>> cohort = Cohort({name: [1, 2] for name in COLUMNS}, [[0, 0, 0], [30, 0, 40]])
    >>> with TemporaryDirectory() as folder:
    ...     write_cohort(cohort, f"{folder}/two.h5")
    ...     again = read_cohort_file(f"{folder}/two.h5", check_hash=True)
    >>> again.content_sha256 == cohort.content_sha256
    True

    """
    path = Path(path)
    check_place(path)
    with whole_file(path, "make room or write access there, or name another file") as file:
        file.write(_image(cohort))


def _image(cohort: Cohort) -> bytes:
    """The bytes of the cohort's file."""
    with h5py.File("cohort", "w", driver="core", backing_store=False, libver="v110") as file:
        for name, array in cohort.arrays.items():
            dataset = file.create_dataset(name, data=array, fletcher32=array.size > 0)
            if name in UNITS:
                dataset.attrs["units"] = np.bytes_(UNITS[name])
        file.attrs["format"] = np.bytes_(FORMAT)
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["content_sha256"] = np.bytes_(cohort.content_sha256)
        provenance = json.dumps(cohort.provenance, sort_keys=True).encode()
        file.attrs["provenance"] = np.bytes_(provenance)
        file.attrs["provenance_sha256"] = np.bytes_(hashlib.sha256(provenance).hexdigest())
        if cohort.interval_s is not None:
            file.attrs["interval_s"] = np.array(cohort.interval_s)
        if cohort.frame_rate_hz is not None:
            file.attrs["frame_rate_hz"] = cohort.frame_rate_hz
        file.flush()
        return file.id.get_file_image()


def read_cohort_file(path: str | Path, check_hash: bool = False) -> Cohort:
    """Read a cohort file after checking its structure.

    Parameters
    ----------
    path
        The file.
    check_hash
        Also compare content and provenance with the hashes that were written beside them.

    Returns
    -------
    Cohort

    Raises
    ------
    BadInput
        If the file is absent, cut, damaged, of another format version, holds anything but plain
        arrays of the names and sizes above, or a content that no cohort can have.

    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(path, "is no file", "name a cohort file")
    size, blocks = path.stat().st_size, path.stat().st_blocks
    if blocks and size > max(LARGEST_HOLLOW, HOLLOW * 512 * blocks):
        raise BadInput(path, "is hollow: hardly any of it is on the disk", REMEDY)
    try:
        with h5py.File(path, "r") as file:
            _check_version(file, path)
            cohort = _cohort(file, path)
            if check_hash:
                _check_hashes(file, path, cohort)
    except BadInput:
        raise
    except (OSError, RuntimeError, LookupError, TypeError, ValueError) as error:
        what = "is damaged" if h5py.is_hdf5(path) else "is cut or is not an HDF5 file"
        raise BadInput(path, f"{what} ({error})", REMEDY) from error
    return cohort


def _check_hashes(file: h5py.File, path: Path, cohort: Cohort) -> None:
    if _attribute(file, path, "content_sha256", "S") != cohort.content_sha256.encode():
        raise BadInput(path, "does not hold the content that its hash was taken of", REMEDY)
    found = hashlib.sha256(_attribute(file, path, "provenance", "S")).hexdigest().encode()
    if _attribute(file, path, "provenance_sha256", "S") not in (None, found):
        raise BadInput(f"{path}: provenance", "is not what its hash was taken of", REMEDY)


def _check_version(file: h5py.File, path: Path) -> None:
    if _attribute(file, path, "format", "S") != FORMAT.encode():
        raise BadInput(path, "is an HDF5 file, but not of a cohort", "name a cohort file")
    version = _attribute(file, path, "format_version", "i")
    if version != FORMAT_VERSION:
        raise BadInput(
            path,
            f"has format version {version}, where {FORMAT_VERSION} is known",
            "update biosernn, or make the file again with it",
        )


def _cohort(file: h5py.File, path: Path) -> Cohort:
    arrays: dict[str, np.ndarray] = {}
    left = path.stat().st_size
    for name in _array_names(file, path):
        arrays[name] = _array(file, path, name, left)
        left -= arrays[name].nbytes
    interval_s = _attribute(file, path, "interval_s", "f", (2,))
    frame_rate_hz = _attribute(file, path, "frame_rate_hz", "f")
    provenance = _provenance(file, path)
    columns = {name: array for name, array in arrays.items() if name.startswith("neurons/")}
    try:
        return Cohort(
            neurons={name.removeprefix("neurons/"): column for name, column in columns.items()},
            positions_um=arrays["positions_um"],
            wiring=_wiring(arrays),
            **{name: arrays.get(f"functional/{name}") for name in MATRICES},
            spikes=_trains(*(arrays[name] for name in SPIKES)) if SPIKES[0] in arrays else None,
            traces=arrays.get("traces"),
            interval_s=interval_s,
            frame_rate_hz=frame_rate_hz,
            provenance=provenance,
        )
    except BadInput as error:
        raise BadInput(f"{path}: {error.where}", error.what, REMEDY) from error


def _provenance(file: h5py.File, path: Path) -> dict[str, Any]:
    text = _attribute(file, path, "provenance", "S") or b""
    try:
        provenance = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: provenance", f"is not JSON ({error})", REMEDY) from error
    if not isinstance(provenance, dict):
        raise BadInput(f"{path}: provenance", "is no JSON object", REMEDY)
    return provenance


def _array_names(file: h5py.File, path: Path) -> list[str]:
    """Name the arrays in the file, following no link and allowing no name that is not known."""
    names = []
    for name in _members(file, path):
        if _kind(file, path, name) is h5py.Group:
            names += [f"{name}/{member}" for member in _members(file[name], path)]
        else:
            names.append(name)
    for name in names:
        known = name in ("positions_um", "traces", *WIRING, SIZE, *SPIKES, *FUNCTIONAL)
        if not (known or name.startswith("neurons/")):
            raise BadInput(f"{path}: /{name}", "is no part of a cohort", REMEDY)
        if _kind(file, path, name) is not h5py.Dataset:
            raise BadInput(f"{path}: /{name}", "is not an array", REMEDY)
    if SIZE in names and WIRING[0] not in names:
        raise BadInput(f"{path}: /{WIRING[0]}", "is missing", REMEDY)
    for part in (("positions_um",), WIRING, SPIKES):
        absent = [name for name in part if name not in names]
        if absent and (len(absent) < len(part) or part == ("positions_um",)):
            raise BadInput(f"{path}: /{absent[0]}", "is missing", REMEDY)
    return names


def _members(group: h5py.Group, path: Path) -> list[str]:
    if len(group) > MOST_MEMBERS:
        raise BadInput(f"{path}: {group.name}", f"holds {len(group)} members", REMEDY)
    return list(group)


def _kind(file: h5py.File, path: Path, name: str) -> type:
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise BadInput(f"{path}: /{name}", "is a link to somewhere else", REMEDY)
    return file.get(name, getclass=True)


def _array(file: h5py.File, path: Path, name: str, most_bytes: int) -> np.ndarray:
    """Read an array, once it is sure that the file holds all that the array claims to be.

    `most_bytes` is what the arrays before it leave of the file, so that no part is read for many.
    """
    where = f"{path}: /{name}"
    dataset = file[name]
    whole = name.startswith("neurons/") or name in (*WIRING, SIZE, "spikes/offsets")
    expected = np.dtype("<i8" if whole else "<f8")
    if dataset.dtype != expected or dataset.shape is None:
        raise BadInput(where, f"does not hold {expected} numbers", REMEDY)
    layout = dataset.id.get_create_plist()
    filters = {layout.get_filter(k)[0] for k in range(layout.get_nfilters())}
    if dataset.is_virtual or dataset.external or not filters <= {h5py.h5z.FILTER_FLETCHER32}:
        raise BadInput(where, "is compressed or lies in another file", REMEDY)
    n_bytes = math.prod(dataset.shape) * expected.itemsize
    chunk_bytes = math.prod(dataset.chunks or ()) * expected.itemsize
    stored = dataset.id.get_storage_size()
    if n_bytes > stored or max(stored, chunk_bytes) > most_bytes:
        raise BadInput(where, f"claims {dataset.shape} numbers that are not in the file", REMEDY)
    try:
        return dataset[()]
    except OSError as error:
        raise BadInput(where, f"is damaged ({error})", REMEDY) from error


def _wiring(arrays: dict[str, np.ndarray]) -> Wiring | None:
    if WIRING[0] not in arrays:
        return None
    pre, post, n_syn = (arrays[name] for name in WIRING)
    return Wiring(pre, post, n_syn, arrays.get(SIZE))


def _trains(
    times: Float64[np.ndarray, " events"], offsets: Int64[np.ndarray, " bounds"]
) -> tuple[Float64[np.ndarray, " train"], ...]:
    if times.ndim != 1 or offsets.ndim != 1 or not 0 < offsets.size <= MOST_NEURONS + 1:
        raise BadInput("spikes", "are not two vectors, or are of too many neurons", REMEDY)
    ascending = (offsets[1:] >= offsets[:-1]).all()
    if offsets[0] != 0 or offsets[-1] != times.size or not ascending:
        raise BadInput("spikes/offsets", "do not part spikes/times_s into trains", REMEDY)
    return tuple(times[start:end] for start, end in pairwise(offsets))


def _attribute(
    file: h5py.File, path: Path, name: str, kind: str, shape: tuple[int, ...] = ()
) -> Any:
    """Read an attribute of plain numbers or characters; None where there is none."""
    if name not in file.attrs:
        return None
    attribute = file.attrs.get_id(name)
    if attribute.dtype.kind != kind or attribute.shape != shape:
        raise BadInput(f"{path}: attribute {name}", "is of another type or shape", REMEDY)
    if attribute.get_storage_size() > LARGEST_ATTRIBUTE:
        raise BadInput(f"{path}: attribute {name}", "is larger than 4 MiB", REMEDY)
    return file.attrs[name]
