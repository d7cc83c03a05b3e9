"""How many neurons never change their activity."""

import numpy as np
from jaxtyping import Bool

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.cohort.cohort import Cohort

MOST = 0.1
NAME = "silent or constant neurons"
THRESHOLD = f"ok: none; fail: more than {100 * MOST:g} % of the neurons"
MEANING = {
    "ok": "Every neuron's similarity to others rests on activity of its own.",
    "caution": "Their similarity to others is 0 by definition, not by measurement.",
    "fail": "So many similarities are 0 by definition that the activity is not this cohort's.",
}


def check(cohort: Cohort) -> Check:
    """Count neurons without an event, or with a constant trace, or similar to no other at all."""
    found = _silent(cohort)
    if found is None:
        why = "There are neither events nor traces nor matrices, so no activity is used."
        return not_known(NAME, THRESHOLD, why)
    silent, how = found
    share = float(silent.mean())
    verdict: Verdict = "ok" if share == 0 else "caution" if share <= MOST else "fail"
    places = f" (neuron {', '.join(map(str, np.flatnonzero(silent)[:10]))})" if share else ""
    return Check(
        NAME,
        verdict,
        100 * share,
        "% of the neurons",
        THRESHOLD,
        MEANING[verdict],
        f"{silent.sum()} of {len(silent)} neurons {how}{places}",
    )


def _silent(cohort: Cohort) -> tuple[Bool[np.ndarray, " n"], str] | None:
    if cohort.spikes is not None:
        return np.array([train.size == 0 for train in cohort.spikes]), "without an event"
    if cohort.traces is not None:
        return np.ptp(cohort.traces, axis=1) == 0, "of a constant trace"
    for name in ("corr", "sttc"):
        matrix = getattr(cohort, name)
        if matrix is not None:
            return (matrix != 0).sum(axis=1) <= 1, f"with {name} 0 to every other"
    return None
