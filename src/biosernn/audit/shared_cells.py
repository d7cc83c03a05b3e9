"""Which cells are in another cohort too, and whether both say the same of them."""

import numpy as np

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.cohort.cohort import Cohort

SAME_PLACE_UM = 1.0
MOST_DIFFERENT = 0.1
NAME = "cells shared with the other cohort"
THRESHOLD = (
    f"ok: none; fail: a shared cell lies elsewhere, or over {100 * MOST_DIFFERENT:g} % of the "
    "connected pairs differ in synapses"
)
MEANING = {
    "ok": "No cell is in both, so they are separate looks, though perhaps at one animal.",
    "caution": "Some cells are in both: the two cohorts are not independent.",
    "fail": "Cells in both have other places or other synapses: one of the two is out of order, "
    "or of another version of the segmentation.",
}


def check(cohort: Cohort, other: Cohort | None) -> Check:
    """Find cells of the same root id, and compare their places and the synapses between them."""
    if other is None:
        return not_known(NAME, THRESHOLD, "No other cohort was named.")
    roots, other_roots = cohort.neurons["root_id"], other.neurons["root_id"]
    if not (roots.any() and other_roots.any()):
        return not_known(NAME, THRESHOLD, "The root ids are not known.")
    shared, here, there = np.intersect1d(roots, other_roots, return_indices=True)
    here, there = here[shared != 0], there[shared != 0]
    apart = np.linalg.norm(cohort.positions_um[here] - other.positions_um[there], axis=1)
    moved = int((apart > SAME_PLACE_UM).sum())
    n_pairs = n_different = 0
    if cohort.wiring is not None and other.wiring is not None:
        ours = cohort.synapse_counts()[np.ix_(here, here)]
        theirs = other.synapse_counts()[np.ix_(there, there)]
        n_pairs = int(((ours > 0) | (theirs > 0)).sum())
        n_different = int((ours != theirs).sum())
    differs = moved > 0 or n_different > MOST_DIFFERENT * n_pairs
    verdict: Verdict = "fail" if differs else "caution" if len(here) else "ok"
    return Check(
        NAME,
        verdict,
        len(here),
        f"of {cohort.n_neurons} neurons",
        THRESHOLD,
        MEANING[verdict],
        f"{other.name}: {moved} of them lie elsewhere there; of {n_pairs} ordered pairs connected "
        f"in either, {n_different} differ in synapses",
    )
