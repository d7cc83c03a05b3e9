"""Whether the correlation matrix is that of the activity beside it."""

import numpy as np

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.audit.functional import recomputed
from biosernn.cohort.cohort import Cohort

SAME, RELATED = 1e-6, 0.5
NAME = "correlation recomputed"
THRESHOLD = (
    f"ok: recomputed to {SAME:g}; fail: agrees with what is recomputed by less than r = {RELATED:g}"
)
MEANING = {
    "ok": "The matrix is of these neurons in this order, and it is known how it was made.",
    "caution": "The matrix was made in another way than is known here; it is of these neurons.",
    "fail": "The matrix is not of this activity: other neurons, or another order.",
}


def check(cohort: Cohort) -> Check:
    """Correlate the activity anew and compare, over all pairs of different neurons."""
    anew = recomputed(cohort)
    if cohort.corr is None or not anew:
        why = "Without both the matrix and the activity, whether they match cannot be told."
        return not_known(NAME, THRESHOLD, why)
    pairs = np.tril_indices(cohort.n_neurons, -1)
    given = cohort.corr[pairs]
    differences = {how: float(np.abs(matrix[pairs] - given).max()) for how, matrix in anew.items()}
    how = min(differences, key=lambda name: differences[name])
    related = _pearson(anew[how][pairs], given)
    same = differences[how] <= SAME
    verdict: Verdict = "ok" if same else "caution" if related >= RELATED else "fail"
    return Check(
        NAME,
        verdict,
        differences[how],
        "largest difference",
        THRESHOLD,
        MEANING[verdict],
        f"nearest to that of {how}, r = {related:.3f} over {len(given)} pairs",
    )


def _pearson(one: np.ndarray, other: np.ndarray) -> float:
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
