"""How much of W_bio lies on its diagonal, where no neuron's data are."""

import numpy as np
from jaxtyping import Float64

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.audit.functional import correlation
from biosernn.cohort.cohort import Cohort

MOST = 0.1
NAME = "self-weights of W_bio"
THRESHOLD = f"ok: at most {100 * MOST:g} % of the total weight is on the diagonal"
MEANING = {
    "ok": "W_bio is mostly made of similarities between neurons.",
    "caution": "Much of W_bio is self-weights, which no data set: only the arms without or with a "
    "constant diagonal can tell activity from slow self-excitation.",
}


def diagonal_share(
    corr: Float64[np.ndarray, "n n"] | None, sttc: Float64[np.ndarray, "n n"] | None
) -> float:
    """Expected share of W_bio's total weight in its diagonal.

    The ratio of sums of minmax(corr) ⊙ minmax(STTC): W_bio's lognormal factor has the same mean
    everywhere, and its scalings are common. Its threshold, which takes the smallest 1 to 3 % of
    the entries, is left out.

    Parameters
    ----------
    corr, sttc
        (N, N); where one is absent its factor is 1.

    Returns
    -------
    Between 0 and 1; 1 / N where all entries are equal.

    Examples
    --------
    >>> diagonal_share(np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]), None)
    0.75

    """
    product = _minmax(corr) * _minmax(sttc)
    return float(np.trace(product) / product.sum())


def _minmax(matrix: Float64[np.ndarray, "n n"] | None) -> np.ndarray:
    if matrix is None:
        return np.ones((1, 1))
    span = np.ptp(matrix)
    return (matrix - matrix.min()) / span if span > 0 else np.ones_like(matrix)


def check(cohort: Cohort) -> Check:
    """Take the share from the matrices as the source gives them."""
    corr, sttc = correlation(cohort), cohort.sttc
    if corr is None and sttc is None:
        return not_known(NAME, THRESHOLD, "There is no similarity to make W_bio of.")
    share = diagonal_share(corr, sttc)
    n = cohort.n_neurons
    ratio = share * (n - 1) / (1 - share) if share < 1 else np.inf
    verdict: Verdict = "ok" if share <= MOST else "caution"
    return Check(
        NAME,
        verdict,
        100 * share,
        "% of the expected weight",
        THRESHOLD,
        MEANING[verdict],
        f"a self-weight is {ratio:.0f} times a weight between two neurons; where all were equal "
        f"the share would be {1 / n:.3f}",
    )
