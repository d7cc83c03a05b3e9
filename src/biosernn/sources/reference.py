"""What a cohort is called on the command line and in study files."""

import os
import re

from biosernn.cohort.cohort import Cohort
from biosernn.errors import BadInput
from biosernn.sources.microns import is_fetched, read_microns
from biosernn.sources.release import read_release
from biosernn.sources.synthetic import synthetic_cohort

SYNTHETIC = re.compile(r"synthetic(?::([0-9]{1,9}))?")
SYNTHETIC_NEURONS = 64
MICRONS = "microns:"


def read_cohort(ref: str) -> Cohort:
    """Read or make the cohort that a reference names.

    Parameters
    ----------
    ref
        `synthetic`, `synthetic:N` (N neurons, seed 0), `microns:6_6_2` or another field of the
        authors' release, the path of a cohort file, or that of a released folder.

    Returns
    -------
    Cohort

    Raises
    ------
    BadInput
        If it names none of these, or one that cannot be used.
    WorkFailed
        If a released field is not in the cache and cannot be fetched.

    Examples
    --------
    >>> read_cohort("synthetic:16")
    <Cohort synthetic:16: 16 neurons>

    """
    if match := SYNTHETIC.fullmatch(ref):
        return synthetic_cohort(int(match[1] or SYNTHETIC_NEURONS), seed=0)
    if ref.startswith(MICRONS):
        return read_microns(ref.removeprefix(MICRONS))
    if os.path.isdir(ref):
        return read_release(ref)
    if os.path.isfile(ref):
        return Cohort.read(ref, check_hash=True)
    raise BadInput(
        f"cohort {ref!r}",
        "is no file, no folder and no known name",
        "name a cohort file, a released folder, microns:6_6_2 or synthetic:N",
    )


def is_at_hand(ref: str) -> bool:
    """Whether reading what a reference names needs no network.

    Examples
    --------
    >>> is_at_hand("synthetic:16")
    True

    """
    return not ref.startswith(MICRONS) or is_fetched(ref.removeprefix(MICRONS))
