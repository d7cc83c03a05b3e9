"""How activity's similarity falls with the distance between somata."""

import numpy as np
from jaxtyping import Float64
from scipy.stats import rankdata

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.audit.functional import correlation
from biosernn.cohort.cohort import Cohort
from biosernn.geometry.distances import pairwise_distances

KEY = 2
RELABELLINGS = 99
NAME = "correlation against distance"
THRESHOLD = f"ok: falls more steeply than in all {RELABELLINGS} relabellings of the neurons"
MEANING = {
    "ok": "Nearby neurons are more alike, so only a shuffle within distance bins is a null for "
    "function.",
    "caution": "Nearby neurons are not more alike: either activity does not depend on place here, "
    "or the activity and the positions are in different orders.",
}


def spearman_against_distance(
    similarity: Float64[np.ndarray, "n n"],
    distances: Float64[np.ndarray, "n n"],
    rng: np.random.Generator,
) -> tuple[float, Float64[np.ndarray, " relabellings"]]:
    """Spearman's rank correlation over all pairs, and that of relabelled neurons (Mantel's null).

    Parameters
    ----------
    similarity, distances
        (N, N), symmetric.
    rng
        The source of the relabellings.

    Returns
    -------
    The coefficient, and (R,) coefficients of the null; NaN where all pairs are equal.

    References
    ----------
    .. [1] Mantel, N. (1967). The detection of disease clustering and a generalized regression
       approach. Cancer Research 27, 209-220.

    Examples
    --------
    >>> distances = np.abs(np.subtract.outer(np.arange(6.0), np.arange(6.0)))
    >>> rho, null = spearman_against_distance(-distances, distances, np.random.default_rng(0))
    >>> round(rho, 6), null.shape, bool((null > rho).all())
    (-1.0, (99,), True)

    """
    n = len(distances)
    pairs = np.tril_indices(n, -1)
    farness = _standard_ranks(distances[pairs])
    ranks = np.zeros((n, n))
    ranks[pairs] = _standard_ranks(similarity[pairs])
    ranks += ranks.T
    null = np.empty(RELABELLINGS)
    for index in range(RELABELLINGS):
        order = rng.permutation(n)
        null[index] = ranks[order[pairs[0]], order[pairs[1]]] @ farness
    return float(ranks[pairs] @ farness), null


def _standard_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks of mean 0 and sum of squares 1."""
    ranks = rankdata(values)
    ranks -= ranks.mean()
    length = np.linalg.norm(ranks)
    return ranks / length if length > 0 else np.full_like(ranks, np.nan)


def check(cohort: Cohort) -> Check:
    """Correlate similarity with distance, against relabelled neurons."""
    similarity = correlation(cohort)
    if similarity is None:
        return not_known(NAME, THRESHOLD, "There is neither a correlation matrix nor activity.")
    distances = pairwise_distances(cohort.positions_um)
    rho, null = spearman_against_distance(similarity, distances, np.random.default_rng(KEY))
    if np.isnan(rho):
        return not_known(NAME, THRESHOLD, "All pairs are equally far apart, or equally alike.")
    verdict: Verdict = "ok" if rho < null.min() else "caution"
    return Check(
        NAME,
        verdict,
        rho,
        "Spearman’s ρ",
        THRESHOLD,
        MEANING[verdict],
        f"relabelled {null.min():.3f} to {null.max():.3f}",
    )
