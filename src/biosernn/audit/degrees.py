"""How unevenly connections are spread over the neurons."""

import numpy as np
from jaxtyping import Int64

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.cohort.cohort import Cohort
from biosernn.cohort.wiring import Wiring

MOST = 0.25
NAME = "degree distributions"
THRESHOLD = f"ok: at most {100 * MOST:g} % of the neurons have no output"
MEANING = {
    "ok": "Most neurons are presynaptic to some other, so rows of the wiring can be compared.",
    "caution": "Most likely their axons are not proofread, and then a row of zeros is a connection "
    "not yet found: keep to proofread rows, or to claims about measured edges.",
}


def degrees(wiring: Wiring, n: int) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    """Count each neuron's outgoing and incoming connections.

    Examples
    --------
    >>> degrees(Wiring([0, 0], [1, 2], [1, 4]), 3)
    (array([2, 0, 0]), array([0, 1, 1]))

    """
    return np.bincount(wiring.pre, minlength=n), np.bincount(wiring.post, minlength=n)


def check(cohort: Cohort) -> Check:
    """Count neurons without an outgoing connection, and describe both degree distributions."""
    if cohort.wiring is None:
        return not_known(NAME, THRESHOLD, "The wiring is not known.")
    outgoing, incoming = degrees(cohort.wiring, cohort.n_neurons)
    share = float((outgoing == 0).mean())
    verdict: Verdict = "ok" if share <= MOST else "caution"
    detail = "; ".join(
        f"{way} degree: {np.count_nonzero(degree == 0)} of 0, largest {degree.max()}, variance "
        f"{degree.var() / max(degree.mean(), 1e-9):.1f} times the mean (1 by chance)"
        for way, degree in (("out", outgoing), ("in", incoming))
    )
    proofread = cohort.neurons.get("axon_proofread")
    if proofread is not None:
        detail += f"; {np.count_nonzero(proofread)} axons are proofread"
    return Check(
        NAME,
        verdict,
        100 * share,
        "% of the neurons have no output",
        THRESHOLD,
        MEANING[verdict],
        detail,
    )
