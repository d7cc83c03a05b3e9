"""How unevenly connections are spread over the neurons."""

import numpy as np
from jaxtyping import Int64

from biosernn.audit.check import Check, not_known
from biosernn.cohort.cohort import Cohort
from biosernn.cohort.wiring import Wiring

MOST = 0.25
NAME = "neurons without outputs"
THRESHOLD = f"ok: at most {MOST:.0%} of the neurons have no presynaptic role"
MEANING = {
    "ok": "Most neurons are presynaptic to some other.",
    "caution": "Most likely their axons are not proofread, and then a row of zeros is a connection "
    "not yet found: keep to proofread rows, or to claims about measured edges.",
}


def degrees(
    wiring: Wiring, n: int
) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
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
    verdict = "ok" if share <= MOST else "caution"
    detail = ", ".join(
        f"{way} degree up to {degree.max()}, {np.count_nonzero(degree == 0)} of 0, "
        f"variance {degree.var():.2f} (as much as the mean, {degree.mean():.2f}, if by chance)"
        for way, degree in (("out", outgoing), ("in", incoming))
    )
    proofread = cohort.neurons.get("axon_proofread")
    if proofread is not None:
        detail += f"; {np.count_nonzero(proofread)} axons are proofread"
    return Check(NAME, verdict, share, "of the neurons", THRESHOLD, MEANING[verdict], detail)
