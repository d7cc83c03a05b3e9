"""Files that are there whole or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

from biosernn.errors import BadInput, WorkFailed

WRITABLE = "make room or write access there and run it again"


@contextmanager
def whole_file(path: Path, remedy: str = WRITABLE) -> Iterator[IO[bytes]]:
    """Write a file under a temporary name, and give it its own once it is on the disk.

    Raises
    ------
    BadInput
        If the name is too long.
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
    temporary = path.with_name(f".{path.name.lstrip('.')}.{uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as fault:
        kind = BadInput if fault.errno == errno.ENAMETOOLONG else WorkFailed
        raise kind(path, f"cannot be written ({fault.strerror or fault})", remedy) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def check_place(path: Path) -> None:
    """Refuse a name under which no file can be written.

    Raises
    ------
    BadInput
        If it is a folder's or a device's, or lies in no folder.

    Examples
    --------
    >>> check_place(Path("nowhere/audit.html"))
    Traceback (most recent call last):
    biosernn.errors.BadInput: nowhere/audit.html: is a folder or lies in none; ...

    """
    remedy = "name a file in a folder that exists"
    if os.path.isdir(path) or not os.path.isdir(path.parent):
        raise BadInput(path, "is a folder or lies in none", remedy)
    if os.path.exists(path) and not os.path.isfile(path):
        raise BadInput(path, "is no file", remedy)
