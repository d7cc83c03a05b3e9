"""The files of one released field, each read once, whole, and never from elsewhere."""

import hashlib
import os
import re
from pathlib import Path

import numpy as np

from biosernn.errors import BadInput
from biosernn.sources.npy import read_npy
from biosernn.sources.object_array import read_object_array

LARGEST_FILE = 2**26  # sixteen times the largest of the release
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
REMEDY = "fetch the file again"
_FIELD = "([0-9]{1,6}_[0-9]{1,6}_[0-9]{1,6})"
FIELD_FILE = re.compile(
    rf"connectome_{_FIELD}\.csv|(?:positions|root_ids|target_ids|unit_ids|spikes)_{_FIELD}\.npy"
)


class ReleaseFolder:
    """A folder of one field.

    Parameters
    ----------
    directory
        Named anyhow; the field is read from the names of its files.

    Attributes
    ----------
    field
        `<session>_<scan>_<field>`.
    sha256
        Hash by name of every file read so far.

    Raises
    ------
    BadInput
        If it holds the files of no field, or of several.

    """

    def __init__(self, directory: str | Path) -> None:
        self.path = Path(directory)
        self.sha256: dict[str, str] = {}
        if not self.path.is_dir():
            raise BadInput(self.path, "is no folder", "name a released folder")
        try:
            names = os.listdir(self.path)
        except OSError as error:
            raise BadInput(self.path, f"cannot be read ({error.strerror})", "allow it") from error
        matches = map(FIELD_FILE.fullmatch, names)
        fields = sorted({match[1] or match[2] for match in matches if match})
        if len(fields) != 1:
            found = f"the fields {', '.join(fields[:5])}" if fields else "no released field"
            raise BadInput(self.path, f"holds {found}", "name a folder of one field's files")
        self.field = fields[0]

    def has(self, name: str) -> bool:
        """Whether there is anything of that name, fit to be read or not."""
        return os.path.lexists(self.path / name)

    def content(self, name: str) -> bytes:
        """Read a file that must be there."""
        path = self.path / name
        if not self.has(name):
            raise BadInput(path, "is missing", "fetch it too")
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.path)):
            raise BadInput(
                path, "is a link that leads out of its folder", "put the file itself here"
            )
        if not path.is_file():
            raise BadInput(path, "is not a file", REMEDY)
        if path.stat().st_size > LARGEST_FILE:
            raise BadInput(path, f"is larger than {LARGEST_FILE >> 20} MiB", REMEDY)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BadInput(path, f"cannot be read ({error.strerror})", "allow it") from error
        if not content:
            raise BadInput(path, "is empty", REMEDY)
        if content.startswith(LFS_POINTER):
            raise BadInput(path, "is a Git LFS pointer, not the data", "run `git lfs pull`")
        self.sha256[name] = hashlib.sha256(content).hexdigest()
        return content

    def numbers(self, name: str, dtype: str, shape: tuple[int | None, ...]) -> np.ndarray:
        """Read an array of plain numbers."""
        return read_npy(self.content(name), dtype, shape, self.path / name)

    def vectors(self, name: str, dtype: str, n: int) -> tuple[np.ndarray, ...]:
        """Read an object array of n vectors."""
        return read_object_array(self.content(name), dtype, n, self.path / name)
