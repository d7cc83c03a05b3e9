"""What a cohort is called on the command line and in study files."""

import os
import re

from biosernn.cohort.cohort import Cohort
from biosernn.errors import BadInput
from biosernn.sources.release import read_release
from biosernn.sources.synthetic import synthetic_cohort

SYNTHETIC = re.compile(r"synthetic(?::([0-9]{1,9}))?")
SYNTHETIC_NEURONS = 64


def read_cohort(ref: str) -> Cohort:
    """Read or make the cohort that a reference names.

    Parameters
    ----------
    ref
        `synthetic`, `synthetic:N` (N neurons, seed 0), the path of a cohort file, or that of a
        released folder.

    Returns
    -------
    Cohort

    Raises
    ------
    BadInput
        If it names none of these, or one that cannot be used.

    Examples
    --------
    >>> read_cohort("synthetic:16")
    <Cohort synthetic:16: 16 neurons>

    """
    if match := SYNTHETIC.fullmatch(ref):
        return synthetic_cohort(int(match[1] or SYNTHETIC_NEURONS), seed=0)
    if ref.startswith("microns:"):
        raise BadInput(
            f"cohort {ref}", "cannot be downloaded yet", "name the released folder itself"
        )
    if os.path.isdir(ref):
        return read_release(ref)
    if os.path.isfile(ref):
        return Cohort.read(ref, check_hash=True)
    raise BadInput(
        f"cohort {ref!r}",
        "is no file, no folder and no known name",
        "name a cohort file, a released folder or synthetic:N",
    )
