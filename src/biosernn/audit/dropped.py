"""What was left out of the cohort, and why."""

from typing import Any

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.cohort.cohort import Cohort

NAME = "what was left out"
THRESHOLD = "ok: nothing"
MEANING = {
    "ok": "Its source says of nothing that it was left out.",
    "caution": "The cohort is not all that its source holds: see the detail for what and why.",
}


def check(cohort: Cohort) -> Check:
    """List the entries of the provenance that tell of something removed or dropped."""
    if not cohort.provenance:
        return not_known(NAME, THRESHOLD, "The cohort has no provenance.")
    left_out = {
        name: entry
        for name, entry in cohort.provenance.items()
        if ("removed" in name or "dropped" in name or name == "subset_of") and entry
    }
    told = [f"{name.replace('_', ' ')}: {_words(entry)}" for name, entry in left_out.items()]
    autapses = cohort.neurons.get("n_autapses")
    if autapses is None:
        told.append("synapses of neurons on themselves: not known")
    elif autapses.any():
        left_out["n_autapses"] = int(autapses.sum())
        told.append(f"synapses of neurons on themselves: {autapses.sum()}, no part of the wiring")
    verdict: Verdict = "caution" if left_out else "ok"
    detail = "; ".join(told) or "nothing"
    return Check(NAME, verdict, len(left_out), "kinds", THRESHOLD, MEANING[verdict], detail)


def _words(entry: Any) -> str:
    if isinstance(entry, dict):
        return ", ".join(f"{name} {_words(value)}" for name, value in entry.items())
    if isinstance(entry, list):
        return f"{len(entry)} ({', '.join(map(str, entry[:10]))}{', …' * (len(entry) > 10)})"
    return str(entry)
