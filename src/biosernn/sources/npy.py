"""NumPy's `.npy` files, taken apart without trusting them."""

import io
import math
import warnings
from functools import lru_cache

import numpy as np
from numpy.lib import format as npy_format

from biosernn.errors import BadInput

REMEDY = "fetch the file again"


def read_npy(data: bytes, dtype: str, shape: tuple[int | None, ...], where: object) -> np.ndarray:
    """Read a `.npy` file of plain numbers.

    Parameters
    ----------
    data
        The file's content.
    dtype
        What it must hold, as `<i8`.
    shape
        The shape that it must have, None = any length.
    where
        The file's name, for errors.

    Returns
    -------
    ndarray
        Read-only, of that dtype and shape.

    Raises
    ------
    BadInput
        If the file is anything else, or longer or shorter than it claims.

    Examples
    --------
    >>> stream = io.BytesIO()
    >>> np.save(stream, np.array([3, 4]))
    >>> read_npy(stream.getvalue(), "<i8", (None,), "root_ids.npy")
    array([3, 4])

    """
    found, payload = npy_parts(data, dtype, where)
    if len(found) != len(shape) or any(
        s not in (None, f) for s, f in zip(shape, found, strict=True)
    ):
        wanted = tuple("any" if length is None else length for length in shape)
        raise BadInput(where, f"has shape {found}, not {wanted}", REMEDY)
    if len(payload) != math.prod(found) * np.dtype(dtype).itemsize:
        raise BadInput(where, f"is longer or shorter than its shape {found}", REMEDY)
    return np.frombuffer(payload, dtype).reshape(found)


def plain_array(data: bytes) -> np.ndarray:
    """Read the plain numbers of a `.npy` file of format 1.0, read-only, of any dtype and order.

    Raises
    ------
    ValueError
        If it is anything else, or longer or shorter than it claims.

    Examples
    --------
    >>> stream = io.BytesIO()
    >>> np.save(stream, np.array([[3, 4]]))
    >>> plain_array(stream.getvalue())
    array([[3, 4]])

    """
    shape, in_fortran_order, dtype, start = _header(data)
    if dtype.hasobject:
        raise ValueError(f"it holds {dtype}, no numbers")
    if len(data) - start != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"it is longer or shorter than its shape {shape}")
    array = np.frombuffer(data, dtype, offset=start)
    return array.reshape(shape[::-1]).T if in_fortran_order else array.reshape(shape)


def npy_parts(data: bytes, dtype: str, where: object) -> tuple[tuple[int, ...], bytes]:
    """Part a `.npy` file of format 1.0 and a given dtype, in C order, into its shape and the rest.

    Examples
    --------
    >>> stream = io.BytesIO()
    >>> np.save(stream, np.array([3, 4]))
    >>> npy_parts(stream.getvalue(), "<f8", "corr_matrix.npy")
    Traceback (most recent call last):
    biosernn.errors.BadInput: corr_matrix.npy: holds <i8 in C order, not <f8 in C order; ...

    """
    try:
        shape, fortran_order, found, start = _header(data)
    except Exception as error:  # a hostile header fails in many ways
        raise BadInput(where, f"is not a .npy file ({str(error)[:80]})", REMEDY) from error
    if found != np.dtype(dtype) or fortran_order:
        order = "Fortran" if fortran_order else "C"
        raise BadInput(where, f"holds {found.str} in {order} order, not {dtype} in C order", REMEDY)
    return shape, data[start:]


Header = tuple[tuple[int, ...], bool, np.dtype, int]
"""Shape, whether in Fortran order, dtype, and how many bytes say so."""


def _header(data: bytes) -> Header:
    return _parsed(data[: 10 + int.from_bytes(data[8:10], "little")])


@lru_cache(maxsize=64)
def _parsed(head: bytes) -> Header:
    """Headers of thousands of files are a few, and Python takes long to parse one."""
    stream = io.BytesIO(head)
    with warnings.catch_warnings(action="error"):
        version = npy_format.read_magic(stream)
        if version != (1, 0):
            raise ValueError(f"format {version[0]}.{version[1]}, not 1.0")
        return *npy_format.read_array_header_1_0(stream), stream.tell()
