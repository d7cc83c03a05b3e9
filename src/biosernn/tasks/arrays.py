"""A task of one's own, given as arrays or as an `.npz` file of them."""

import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from biosernn.errors import BadInput
from biosernn.sources.npy import plain_array
from biosernn.tasks.registry import TASKS
from biosernn.tasks.task import Task

ENDING = ".npz"
PARTS = ("inputs", "labels", "mask")
LARGEST_FILE = 100_000_000
"""Bytes, of the file and of each array in it."""

MOST_TRIALS = 10_000
MOST_STEPS = 200_000
"""Of all trials together; every unit's activity over them is held in memory."""

MOST_NUMBERS = 10_000_000
MOST_ANSWERS = 1_000
LONGEST_NAME = 80
REMEDY = "write it with numpy.savez(file, inputs=..., labels=...)"


def task_from_arrays(
    name: str, inputs: ArrayLike, labels: ArrayLike, mask: ArrayLike | None = None
) -> Task:
    """Make a task of distinct trials and their answers.

    Within reach without memory is what the most frequent answer to each input of the last step
    gets right; at most within reach, what the most frequent answer to each whole trial does. Both
    count every trial once.

    Parameters
    ----------
    name
        What it is called in studies and tables.
    inputs
        (trials, steps, channels), finite; cast to float32.
    labels
        (trials,) whole numbers from 0, the right answer of each.
    mask
        (trials,), whether a trial has a right answer; all have by default. The others are trained
        on too, and are in no criterion and not in the share solved.

    Raises
    ------
    BadInput
        If the arrays do not fit each other or hold what no task can.

    Examples
    --------
    Which of two came first, told after both are gone:

    >>> inputs = np.zeros((2, 9, 2))
    >>> inputs[0, 0, 0] = inputs[0, 3, 1] = inputs[1, 0, 1] = inputs[1, 3, 0] = 1
    >>> task = task_from_arrays("order", inputs, [0, 1])
    >>> task.n_outputs, task.memoryless, task.ceiling
    (2, 0.5, 1.0)

    """
    where = f"task {name!r}"
    usable = isinstance(name, str) and name.strip() == name and name.isprintable()
    if not (usable and 0 < len(name) <= LONGEST_NAME and name[0] != "." and not {*"/\\"} & {*name}):
        raise BadInput(where, "is no name", f"give up to {LONGEST_NAME} signs without / and \\")
    if name in TASKS:
        raise BadInput(where, "is the name of another task", "rename it")
    given = _numbers(where, "inputs", inputs, "biuf", 3)
    n_trials, n_steps, n_channels = given.shape
    if not (2 <= n_trials <= MOST_TRIALS and n_steps and n_channels):
        what = f"are {n_trials:,} trials of {n_steps:,} steps and {n_channels:,} channels"
        raise BadInput(f"{where} inputs", what, f"give 2 to {MOST_TRIALS:,} trials, none empty")
    if n_trials * n_steps > MOST_STEPS or given.size > MOST_NUMBERS:
        what = f"are {n_trials * n_steps:,} steps in all, {given.size:,} numbers"
        remedy = f"give at most {MOST_STEPS:,} steps and {MOST_NUMBERS:,} numbers"
        raise BadInput(f"{where} inputs", what, remedy)
    with np.errstate(over="ignore"):
        trials = given.astype(np.float32) + np.float32(0)
    if not np.isfinite(trials).all():
        at = ", ".join(map(str, np.argwhere(~np.isfinite(trials))[0]))
        raise BadInput(f"{where} inputs[{at}]", "is no finite number", "mend it or leave it out")
    answers = _numbers(where, "labels", labels, "biu", 1)
    _fits(where, "labels", answers, n_trials)
    odd = (answers < 0) | (answers >= MOST_ANSWERS)
    if odd.any():
        first = int(odd.argmax())
        remedy = f"number the answers from 0 to at most {MOST_ANSWERS - 1}"
        raise BadInput(f"{where} labels[{first}]", f"is {answers[first]}", remedy)
    answers = answers.astype(np.int32)
    if len(np.unique(answers)) < 2:
        raise BadInput(f"{where} labels", "are all the same", "give trials of two answers or more")
    return Task(
        name,
        trials,
        answers,
        n_outputs=int(answers.max()) + 1,
        memoryless=_most_frequent(trials[:, -1], answers),
        ceiling=_most_frequent(trials.reshape(n_trials, -1), answers),
        decidable=None if mask is None else _decidable(where, mask, n_trials),
    )


def read_task(path: str | Path) -> Task:
    """Read a task from an `.npz` file of `inputs`, `labels` and, if need be, `mask`.

    Parameters
    ----------
    path
        The file, compressed or not; the task is called as the file is.

    Raises
    ------
    BadInput
        If it is no such file, is larger than 100 MB, holds anything but these arrays of numbers, or
        what `task_from_arrays` refuses. Nothing in it is unpickled.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "order.npz"
    ...     np.savez(path, inputs=np.eye(2).reshape(2, 2, 1), labels=[0, 1])
    ...     read_task(path).name
    'order'

    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(path, "is no file", "name an .npz file of inputs and labels")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadInput(path, "is larger than 100 MB", "give fewer trials")
        with path.open("rb") as raw, zipfile.ZipFile(raw) as archive:
            arrays = _arrays(path, archive)
    except BadInput:
        raise
    except OSError as fault:
        raise BadInput(path, fault.strerror or "cannot be read", REMEDY) from None
    except Exception as fault:  # a damaged archive fails in many ways
        raise BadInput(path, f"is no .npz file ({fault})", REMEDY) from None
    for part in PARTS[:2]:
        if part not in arrays:
            raise BadInput(path, f"holds no {part}", REMEDY)
    try:
        return task_from_arrays(path.stem, **arrays)
    except BadInput as fault:
        raise BadInput(f"{path}: {fault.where}", fault.what, fault.remedy) from None


def write_task(task: Task, file: IO[bytes]) -> None:
    """Write a task's arrays as `read_task` takes them.

    Examples
    --------
    >>> import io
    >>> stream = io.BytesIO()
    >>> write_task(task_from_arrays("two", np.eye(2)[:, :, None], [0, 1]), stream)
    >>> len(stream.getvalue()) > 0
    True

    """
    arrays: dict[str, Any] = {"inputs": task.inputs, "labels": task.labels}
    if task.decidable is not None:
        arrays["mask"] = task.decidable
    np.savez(file, **arrays)


def _arrays(path: Path, archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
    members = archive.infolist()
    arrays: dict[str, np.ndarray] = {}
    for member in members[: len(PARTS) + 1]:
        part = member.filename.removesuffix(".npy")
        if part not in PARTS or part in arrays:
            remedy = f"keep {', '.join(PARTS)} alone, each once"
            raise BadInput(path, f"holds {member.filename!r}", remedy)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadInput(f"{path}: {part}", "is compressed in another way", REMEDY)
        with archive.open(member) as stream:
            data = stream.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise BadInput(f"{path}: {part}", "is larger than 100 MB", "give fewer trials")
        arrays[part] = _array(f"{path}: {part}", data)
    return arrays


def _array(where: str, data: bytes) -> np.ndarray:
    """An array of plain numbers from the bytes of its `.npy` file."""
    try:
        array = plain_array(data)
    except ValueError as fault:
        raise BadInput(where, f"cannot be read: {fault}", REMEDY) from None
    if array.dtype.kind not in "biuf":
        raise BadInput(where, f"holds {array.dtype}, no numbers", REMEDY)
    return array


def _numbers(where: str, part: str, values: ArrayLike, kinds: str, ndim: int) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError:
        raise BadInput(f"{where} {part}", "is no array", "give rows of the same length") from None
    if array.dtype.kind not in kinds:
        word = "numbers" if "f" in kinds else "whole numbers"
        raise BadInput(f"{where} {part}", f"holds {array.dtype}", f"give {word}")
    if array.ndim != ndim:
        axes = {1: "(trials,)", 3: "(trials, steps, channels)"}[ndim]
        raise BadInput(f"{where} {part}", f"has shape {array.shape}", f"give {axes}")
    return array


def _fits(where: str, part: str, array: np.ndarray, n_trials: int) -> None:
    if len(array) != n_trials:
        what = f"are {len(array):,} and the trials {n_trials:,}"
        raise BadInput(f"{where} {part}", what, "give one a trial")


def _decidable(where: str, mask: ArrayLike, n_trials: int) -> np.ndarray | None:
    given = _numbers(where, "mask", mask, "biu", 1)
    _fits(where, "mask", given, n_trials)
    if not np.isin(given, (0, 1)).all():
        raise BadInput(f"{where} mask", "holds more than 0 and 1", "give true or false a trial")
    if not given.any():
        raise BadInput(f"{where} mask", "is false everywhere", "leave a trial that counts")
    return None if given.all() else given.astype(bool)


def _most_frequent(
    seen: Float[np.ndarray, "trials numbers"], answers: Int[np.ndarray, " trials"]
) -> float:
    """Share that the most frequent answer to each distinct row gets right."""
    rows = np.unique(seen, axis=0, return_inverse=True)[1].ravel()
    pairs, counts = np.unique(np.stack([rows, answers]), axis=1, return_counts=True)
    best = np.zeros(rows.max() + 1, np.int64)
    np.maximum.at(best, pairs[0], counts)
    return float(best.sum() / len(answers))
