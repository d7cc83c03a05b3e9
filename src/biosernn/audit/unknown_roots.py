"""How many neurons have no segment in the electron microscopy, or no other id."""

import numpy as np

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.cohort.cohort import Cohort

MOST = 0.1
NAME = "unknown roots"
THRESHOLD = f"ok: none of root id 0; fail: more than {100 * MOST:g} % of the neurons"
MEANING = {
    "ok": "Every neuron has a segment, so an absent connection was looked for.",
    "caution": "Connections of these neurons are unknown, not absent, yet count as absent.",
    "fail": "So many connections are unknown that the wiring is not this cohort's.",
}


def check(cohort: Cohort) -> Check:
    """Count neurons of root id 0; their connections are in no count."""
    if cohort.wiring is None:
        return not_known(NAME, THRESHOLD, "The wiring is not known, so no root is needed.")
    unknown = cohort.neurons["root_id"] == 0
    share = float(unknown.mean())
    verdict: Verdict = "ok" if share == 0 else "caution" if share <= MOST else "fail"
    others = ", ".join(
        f"{np.count_nonzero(cohort.neurons[name] == 0)} of {name.replace('_', ' ')} 0"
        for name in ("nucleus_id", "unit_id")
    )
    places = f" (neuron {', '.join(map(str, np.flatnonzero(unknown)[:10]))})" if share else ""
    return Check(
        NAME,
        verdict,
        100 * share,
        "% of the neurons",
        THRESHOLD,
        MEANING[verdict],
        f"{unknown.sum()} of {len(unknown)} neurons of root id 0{places}, {others}",
    )
