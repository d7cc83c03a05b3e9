"""How many animals the cohort is of."""

import numpy as np

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.cohort.cohort import Cohort

FEWEST = 5
OF_ONE_MOUSE = ("release", "microns", "static", "cave", "datajoint")
NAME = "animals"
THRESHOLD = f"ok: at least {FEWEST} animals"
MEANING = {
    "ok": "Differences between animals can be estimated.",
    "caution": "Intervals describe seeds and cells, not animals: no finding generalises beyond "
    "this one.",
    "synthetic": "It is made up: no finding is about an animal.",
}


def count_mice(cohort: Cohort) -> int | None:
    """Take the number from the provenance, or 1 for the one mouse of MICrONS; None if not known."""
    kind = cohort.provenance.get("kind")
    n_mice = cohort.provenance.get(
        "n_mice", 0 if kind == "synthetic" else 1 if kind in OF_ONE_MOUSE else None
    )
    return n_mice if isinstance(n_mice, int) else None


def check(cohort: Cohort) -> Check:
    """How many animals stand behind the cohort, against the fewest that tell of others."""
    kind = cohort.provenance.get("kind")
    n_mice = count_mice(cohort)
    if n_mice is None:
        why = "The source does not say how many animals it is of: treat it as one."
        return not_known(NAME, THRESHOLD, why)
    looks = np.stack([cohort.neurons[name] for name in ("session", "scan", "field")])
    n_looks = np.unique(looks, axis=1).shape[1]
    verdict: Verdict = "ok" if n_mice >= FEWEST else "caution"
    return Check(
        NAME,
        verdict,
        n_mice,
        "mouse" if n_mice == 1 else "mice",
        THRESHOLD,
        MEANING["synthetic" if kind == "synthetic" else verdict],
        f"seen in {n_looks} imaging field" + "s" * (n_looks > 1),
    )
