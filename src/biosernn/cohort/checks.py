"""What a cohort's parts must be: each check gives its part as a read-only array or refuses it."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike, NDArray

from biosernn.errors import BadInput

COLUMNS = ("nucleus_id", "root_id", "unit_id", "session", "scan", "field")
COLUMN = re.compile(r"[a-z][a-z0-9_]{0,62}")
MOST_NEURONS = 20_000  # of all pairs of more, not even the distances fit a common memory
LARGEST = 1e12  # of a precision or a trace: more is a fault
FASTEST_HZ = 1e5
DEEPEST_PROVENANCE = 20
LONGEST_NAME = 200
FARTHEST_UM = 1e5  # a decimetre: more is another unit
LONGEST_S = 86_400.0  # a day: more is another unit
REMEDY = "correct it where the cohort was made"


def integers(
    where: str, values: ArrayLike, shape: tuple[int | None, ...]
) -> Int64[np.ndarray, "..."]:
    """Copy whole numbers into a read-only int64 array of a given shape, None = any length.

    Examples
    --------
    >>> integers("root_id", [864691135000000001.0], (None,))
    Traceback (most recent call last):
    biosernn.errors.BadInput: root_id: does not hold whole numbers; ...

    """
    array = _shaped(where, values, shape)
    if array.size and array.dtype.kind not in "iu":
        raise BadInput(where, "does not hold whole numbers", REMEDY)
    if array.size and array.max() > np.iinfo(np.int64).max:
        raise BadInput(where, "does not fit 64 bits with a sign", REMEDY)
    return _frozen(array, np.int64)


def reals(
    where: str, values: ArrayLike, shape: tuple[int | None, ...]
) -> Float64[np.ndarray, "..."]:
    """Copy finite numbers into a read-only float64 array of a given shape, None = any length.

    Examples
    --------
    >>> reals("corr", [[1.0, float("nan")], [0.0, 1.0]], (2, 2))
    Traceback (most recent call last):
    biosernn.errors.BadInput: corr[0, 1]: is not finite; ...

    """
    array = _shaped(where, values, shape)
    if array.dtype.kind not in "iuf":
        raise BadInput(where, "does not hold real numbers", REMEDY)
    if not np.isfinite(array).all():
        raise BadInput(f"{where}{_place(~np.isfinite(array))}", "is not finite", REMEDY)
    return _frozen(array, np.float64)


def neuron_columns(neurons: Mapping[str, ArrayLike]) -> dict[str, Int64[np.ndarray, " n"]]:
    """Check the neurons' ids: non-negative, and those that are known unique.

    Examples
    --------
    >>> neuron_columns({name: [1, 2] for name in COLUMNS})["unit_id"]
    array([1, 2])

    """
    for name in COLUMNS:
        if name not in neurons:
            raise BadInput(f"neurons/{name}", "is missing", "give the column, 0 = unknown")
    for name in neurons:
        if not COLUMN.fullmatch(name):
            raise BadInput(f"neurons/{name}", "is no name of a column", "use a to z, 0 to 9 and _")
    n = np.size(neurons["root_id"])
    if n > MOST_NEURONS:
        raise BadInput("neurons", f"number {n}", f"give at most {MOST_NEURONS}")
    columns = {name: integers(f"neurons/{name}", v, (n,)) for name, v in neurons.items()}
    if n < 2:
        raise BadInput("neurons", f"number {n}", "give at least two")
    for name, column in columns.items():
        _refuse(f"neurons/{name}", column < 0, "is negative")
    for name in ("nucleus_id", "root_id"):
        _refuse(f"neurons/{name}", _repeated(columns[name]), "is another neuron's too")
    units = np.stack([columns[name] for name in ("unit_id", "session", "scan")], axis=1)
    _refuse("neurons/unit_id", _repeated(units), "is another neuron's of the scan too")
    return columns


def soma_positions(values: ArrayLike, n: int) -> Float64[np.ndarray, "n 3"]:
    """Check (N, 3) positions in µm.

    Examples
    --------
    >>> soma_positions([[0, 0, 0], [0, 0, 2e6]], 2)
    Traceback (most recent call last):
    biosernn.errors.BadInput: positions_um[1, 2]: lies more than 100000 µm out; ...

    """
    positions = reals("positions_um", values, (n, 3))
    _refuse(
        "positions_um", np.abs(positions) > FARTHEST_UM, f"lies more than {FARTHEST_UM:.0f} µm out"
    )
    return positions


def similarity(values: ArrayLike, n: int, name: str) -> Float64[np.ndarray, "n n"]:
    """Check an (N, N) similarity: symmetric; `corr` and `sttc` within [-1, 1] and 1 to themselves.

    Examples
    --------
    >>> similarity([[1, 2], [2, 1]], 2, "corr")
    Traceback (most recent call last):
    biosernn.errors.BadInput: corr[0, 1]: is outside [-1, 1]; ...

    """
    matrix = reals(name, values, (n, n))
    diagonal = np.eye(n, dtype=bool)
    if name == "precision":
        _refuse(name, np.abs(matrix) > LARGEST, f"is beyond {LARGEST:g}")
        _refuse(name, diagonal & (matrix <= 0), "is not above 0 on the diagonal")
    else:
        _refuse(name, np.abs(matrix) > 1 + 1e-9, "is outside [-1, 1]")
        _refuse(name, diagonal & (np.abs(matrix - 1) > 1e-9), "is not 1 on the diagonal")
    asymmetry = np.abs(matrix - matrix.T)
    _refuse(name, asymmetry > 1e-9 * np.abs(matrix).max(), "differs from its mirror image")
    return matrix


def event_times(spikes: Sequence[ArrayLike], n: int) -> tuple[Float64[np.ndarray, " events"], ...]:
    """Check N vectors of strictly ascending event times.

    Examples
    --------
    >>> event_times([[0.5, 0.5], []], 2)
    Traceback (most recent call last):
    biosernn.errors.BadInput: spikes, neuron 0[1]: does not come after the event before; ...

    """
    if len(spikes) != n:
        raise BadInput("spikes", f"are of {len(spikes)} neurons, not {n}", REMEDY)
    trains = tuple(reals(f"spikes, neuron {i}", train, (None,)) for i, train in enumerate(spikes))
    for neuron, train in enumerate(trains):
        early = np.append(False, train[1:] <= train[:-1])
        _refuse(f"spikes, neuron {neuron}", early, "does not come after the event before")
    return trains


def continuous_signal(values: ArrayLike, n: int) -> Float64[np.ndarray, "n samples"]:
    """Check (N, T) samples of a signal.

    Examples
    --------
    >>> continuous_signal([[0, 1e300], [0, 1]], 2)
    Traceback (most recent call last):
    biosernn.errors.BadInput: traces[0, 1]: is beyond 1e+12; ...

    """
    traces = reals("traces", values, (n, None))
    _refuse("traces", np.abs(traces) > LARGEST, f"is beyond {LARGEST:g}")
    return traces


def recording_interval(interval_s: tuple[float, float]) -> tuple[float, float]:
    """Check the first and the last second of a recording.

    Examples
    --------
    >>> recording_interval((0, 6346.65))
    (0.0, 6346.65)

    """
    start, end = (float(t) for t in reals("interval_s", interval_s, (2,)))
    if not 0 < end - start <= LONGEST_S:
        raise BadInput(
            "interval_s",
            f"{start:g} to {end:g} s is not a stretch of at most a day",
            "give the first and the last second",
        )
    return start, end


def frame_rate(frame_rate_hz: float) -> float:
    """Check frames per second.

    Examples
    --------
    >>> frame_rate(6.3009)
    6.3009

    """
    rate = float(reals("frame_rate_hz", frame_rate_hz, ()))
    if not 0 < rate <= FASTEST_HZ:
        raise BadInput(
            "frame_rate_hz",
            f"{rate:g} is not above 0 and at most {FASTEST_HZ:g}",
            "give frames per second",
        )
    return rate


def events_fit(
    trains: Sequence[Float64[np.ndarray, " events"]],
    interval_s: tuple[float, float] | None,
    frame_rate_hz: float | None,
) -> None:
    """Refuse events outside the recording, and where there are frames, off them or before frame 1.

    Examples
    --------
    >>> events_fit([np.array([0.5, 1.25])], (0, 2), frame_rate_hz=2)
    Traceback (most recent call last):
    biosernn.errors.BadInput: spikes, neuron 0[1]: is on no frame of 2 Hz; ...

    """
    if interval_s is None:
        raise BadInput("interval_s", "is missing beside spikes", "give the recording's interval")
    start, end = interval_s
    for neuron, train in enumerate(trains):
        where = f"spikes, neuron {neuron}"
        _refuse(where, (train < start) | (train > end), "is outside the recording's interval")
        if frame_rate_hz is not None:
            frames = train * frame_rate_hz
            off = (np.abs(frames - np.rint(frames)) > 1e-3) | (np.rint(frames) < 1)
            _refuse(where, off, f"is on no frame of {frame_rate_hz:g} Hz")


def json_copy(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Copy a provenance as JSON gives it back, if it is flat enough and its name is one line.

    Examples
    --------
    >>> json_copy({"kind": "release", "removed": (1, 2)})
    {'kind': 'release', 'removed': [1, 2]}

    """
    try:
        copy = json.loads(json.dumps(dict(provenance), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput("provenance", f"cannot be written as JSON: {error}", REMEDY) from error
    name = copy.get("name", "")
    if not (isinstance(name, str) and name.isprintable() and len(name) <= LONGEST_NAME):
        raise BadInput("provenance name", "is no short name of one line", REMEDY)
    level: list[Any] = [copy]
    for _ in range(DEEPEST_PROVENANCE):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    if level:
        raise BadInput("provenance", f"is nested more than {DEEPEST_PROVENANCE} deep", REMEDY)
    return copy


def _shaped(where: str, values: ArrayLike, shape: tuple[int | None, ...]) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise BadInput(where, "has rows of unequal length", REMEDY) from error
    if array.ndim != len(shape) or any(
        wanted not in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
    ):
        wanted = tuple("any" if length is None else length for length in shape)
        raise BadInput(where, f"has shape {array.shape}, not {wanted}", REMEDY)
    return array


def _frozen(array: np.ndarray, dtype: type) -> np.ndarray:
    copy: np.ndarray = np.array(array, dtype=dtype, order="C")
    copy.setflags(write=False)
    return copy


def _repeated(ids: Int64[np.ndarray, " n ..."]) -> NDArray[np.bool_]:
    """Whose id, the first of the columns and what it is unique in, is known and another's too."""
    repeated = ids.reshape(len(ids), -1)[:, 0] != 0
    repeated[np.unique(ids, axis=0, return_index=True)[1]] = False
    return repeated


def _refuse(where: str, bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        raise BadInput(f"{where}{_place(bad)}", what, REMEDY)


def _place(bad: NDArray[np.bool_]) -> str:
    return f"[{', '.join(map(str, np.argwhere(bad)[0]))}]" if bad.ndim else ""
