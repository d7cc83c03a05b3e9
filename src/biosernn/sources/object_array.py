"""Pickled NumPy arrays of number vectors, read without letting the pickle do anything.

A pickle is a program. Before it runs, every instruction must be one that NumPy's own object arrays
need, of which none reaches outside the pickle but a global name; each of the four names that occur
stands for a function below that takes NumPy's arguments, checks them and makes a plain record.
"""

import io
import pickle
import pickletools
from typing import Any

import numpy as np

from biosernn.errors import BadInput
from biosernn.sources.npy import npy_parts

# fmt: off
OPCODES = {
    "PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET",
    "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "EMPTY_LIST", "APPEND", "APPENDS",
    "TUPLE", "TUPLE1", "TUPLE3", "NONE", "NEWFALSE", "NEWTRUE", "BININT", "BININT1", "BININT2",
    "BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES",
}
# fmt: on
OPCODES_PER_VECTOR = 32  # NumPy writes 23
ORDER = {"O8": "|", "i8": "<", "f8": "<"}
REMEDY = "fetch the file again; nothing in it was executed"


class _Refused(Exception):
    """What a pickle holds is not what NumPy writes."""


class _Dtype:
    """Stands for `numpy.dtype`."""

    __slots__ = ("code", "complete")

    def __init__(self, code: str) -> None:
        self.code, self.complete = code, False

    def __setstate__(self, state: Any) -> None:
        rest = (None, None, None, -1, -1, 63 if self.code == "O8" else 0)
        if state != (3, ORDER[self.code], *rest):
            raise _Refused("an unusual dtype")
        self.complete = True


class _Array:
    """Stands for `numpy.ndarray`: a vector's length, dtype and payload."""

    __slots__ = ("code", "length", "payload")

    def __init__(self) -> None:
        self.code: str | None = None
        self.length: int = 0
        self.payload: Any = None

    def __setstate__(self, state: Any) -> None:
        version, shape, dtype, fortran_order, payload = state
        if version != 1 or fortran_order is not False or self.code is not None:
            raise _Refused("an unusual array")
        if type(dtype) is not _Dtype or not dtype.complete:
            raise _Refused("an array without dtype")
        if type(shape) is not tuple or len(shape) != 1 or type(shape[0]) is not int:
            raise _Refused("an array that is no vector")
        if type(payload) is not (list if dtype.code == "O8" else bytes):
            raise _Refused(f"an array of dtype {dtype.code} with another content")
        self.code, self.length, self.payload = dtype.code, shape[0], payload


def _ndarray() -> None:
    raise _Refused("a call of numpy.ndarray")


def _reconstruct(kind: object, shape: object, code: object) -> _Array:
    if kind is not _ndarray or shape != (0,) or code != b"b":
        raise _Refused("an unusual call of numpy's _reconstruct")
    return _Array()


def _dtype(code: object, align: object, copy: object) -> _Dtype:
    if type(code) is not str or code not in ORDER or align is not False or copy is not True:
        raise _Refused("an unusual call of numpy.dtype")
    return _Dtype(code)


STAND_INS = {
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "dtype"): _dtype,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in STAND_INS:
            raise _Refused(f"the name {module[:40]}.{name[:40]}")
        return STAND_INS[module, name]


def read_object_array(data: bytes, dtype: str, n: int, where: object) -> tuple[np.ndarray, ...]:
    """Read a `.npy` file that holds a vector of number vectors.

    Parameters
    ----------
    data
        The file's content.
    dtype
        What each vector must hold, `<i8` or `<f8`.
    n
        How many vectors it must hold.
    where
        The file's name, for errors.

    Returns
    -------
    tuple of ndarray
        N read-only vectors.

    Raises
    ------
    BadInput
        If there is anything in the file but N such vectors.

    Examples
    --------
    NumPy writes such a file with a pickle in it; reading makes nothing but arrays of it:

    >>> stream = io.BytesIO()
    >>> events = np.empty(2, dtype=object)
    >>> events[:] = [np.array([0.5, 1.0]), np.array([])]
    >>> np.save(stream, events)
    >>> read_object_array(stream.getvalue(), "<f8", 2, "spikes.npy")
    (array([0.5, 1. ]), array([], dtype=float64))

    """
    shape, pickled = npy_parts(data, "|O", where)
    if shape != (n,):
        raise BadInput(where, f"has shape {shape}, not ({n},)", REMEDY)
    try:
        _check_opcodes(pickled, n)
        return _vectors(_Unpickler(io.BytesIO(pickled)).load(), n, dtype, len(pickled))
    except _Refused as refused:
        raise BadInput(where, f"holds {refused}", REMEDY) from refused
    except Exception as error:  # a hostile pickle fails in many ways
        raise BadInput(where, f"is no array of vectors ({str(error)[:80]})", REMEDY) from error


def _check_opcodes(pickled: bytes, n: int) -> None:
    most = OPCODES_PER_VECTOR * (n + 2)
    end = 0
    for count, (opcode, argument, position) in enumerate(pickletools.genops(pickled)):
        if opcode.name not in OPCODES:
            raise _Refused(f"the pickle instruction {opcode.name}")
        memo = int(argument or 0) if opcode.name == "LONG_BINPUT" else 0
        if max(count, memo) > most:
            raise _Refused(f"more pickle instructions than {n} vectors need")
        end = int(position or 0) + 1
    if end != len(pickled):
        raise _Refused("something after its pickle")


def _vectors(array: Any, n: int, dtype: str, most_bytes: int) -> tuple[np.ndarray, ...]:
    if (
        type(array) is not _Array
        or array.code != "O8"
        or not n == array.length == len(array.payload)
    ):
        raise _Refused(f"no array of {n} vectors")
    for index, vector in enumerate(array.payload):
        if type(vector) is not _Array or f"<{vector.code}" != dtype:
            raise _Refused(f"no {dtype} vector of neuron {index}")
        if len(vector.payload) != 8 * vector.length:
            raise _Refused(f"a vector of neuron {index} that is not as long as it claims")
    if sum(len(vector.payload) for vector in array.payload) > most_bytes:
        raise _Refused("the same vector many times")
    return tuple(np.frombuffer(vector.payload, dtype) for vector in array.payload)
