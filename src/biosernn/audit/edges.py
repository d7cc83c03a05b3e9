"""Whether there is wiring enough to find an effect of it."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.cohort.cohort import Cohort

FEWEST = 2.0
NAME = "connections per neuron"
THRESHOLD = f"ok: at least {FEWEST:g}; fail: no connection at all"
MEANING = {
    "ok": "There is wiring enough for rewirings to differ from it.",
    "caution": "The wiring is sparse: expect no power to tell it from its rewirings.",
    "fail": "There is no connection, so the wiring arms mean nothing.",
}


def check(cohort: Cohort) -> Check:
    """Divide directed connections by neurons, and look at how they hang together."""
    if cohort.wiring is None:
        return not_known(NAME, THRESHOLD, "The wiring is not known.")
    n, pre, post = cohort.n_neurons, cohort.wiring.pre, cohort.wiring.post
    per_neuron = len(pre) / n
    graph = coo_array((np.ones(len(pre)), (pre, post)), shape=(n, n))
    sizes = np.bincount(connected_components(graph, connection="weak")[1])
    verdict: Verdict = "fail" if not len(pre) else "ok" if per_neuron >= FEWEST else "caution"
    return Check(
        NAME,
        verdict,
        per_neuron,
        "directed connections",
        THRESHOLD,
        MEANING[verdict],
        f"{len(pre)} connections of {cohort.wiring.n_syn.sum()} synapses among {n} neurons; "
        f"{np.count_nonzero(sizes == 1)} are isolated, {sizes.max()} hang together",
    )
