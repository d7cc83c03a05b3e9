"""How flat the cohort is."""

import numpy as np

from biosernn.audit.check import Check, Verdict
from biosernn.cohort.cohort import Cohort
from biosernn.geometry.extents import principal_extents

THINNEST = 0.25
NAME = "thickness of the sheet"
THRESHOLD = (
    f"ok: the least extent is at least {100 * THINNEST:g} % of the middle one; "
    "fail: all neurons lie on a line or at a point"
)
MEANING = {
    "ok": "The geometry has three dimensions.",
    "caution": "An imaging field is a sheet: its geometry is of two dimensions, and its nulls must "
    "have the same extents.",
    "fail": "There is no geometry to speak of: positions are missing or in another unit.",
}


def check(cohort: Cohort) -> Check:
    """Compare the standard deviations of the positions along their principal axes."""
    extents = principal_extents(cohort.positions_um)
    spread = extents / np.sqrt(12)
    flat = extents[1] <= 1e-3 * extents[0] or extents[0] == 0
    ratio = 0.0 if flat else float(extents[2] / extents[1])
    verdict: Verdict = "fail" if flat else "ok" if ratio >= THINNEST else "caution"
    return Check(
        NAME,
        verdict,
        100 * ratio,
        "% of the middle extent",
        THRESHOLD,
        MEANING[verdict],
        "standard deviations " + " × ".join(f"{side:.0f}" for side in spread) + " µm",
    )
