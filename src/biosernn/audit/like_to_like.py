"""Whether connected neurons are more alike than their distance explains."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.stats import norm

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.audit.functional import correlation
from biosernn.cohort.cohort import Cohort
from biosernn.geometry.distances import pairwise_distances

BIN_UM = 25.0
LEVEL = 0.05
NAME = "like-to-like at matched distance"
THRESHOLD = (
    f"ok: above pairs of the same {BIN_UM:g} µm bin, p < {LEVEL:g}, also with each neuron’s mean "
    "correlation taken off"
)
MEANING = {
    "ok": "Connected neurons are more alike than others equally far apart: wiring and activity "
    "share a signal, so their effects are not separate evidence.",
    "caution": "Beyond distance, no likeness of connected neurons can be told: the functional "
    "weights do not stand for the wiring.",
}


@dataclass(frozen=True)
class LikeToLike:
    """Similarity of connected and of unconnected pairs.

    Attributes
    ----------
    connected, unconnected
        Means over unordered pairs, at whatever distance.
    excess
        Mean over connected pairs of their similarity above the mean of the unconnected pairs of
        the same distance bin.
    p
        One-sided, when connections are dealt out anew among the pairs of each bin.
    p_centred
        The same for similarity from which both neurons' mean similarity is taken off, since
        pairs share neurons, and a much connected one may be like everyone.

    """

    connected: float
    unconnected: float
    excess: float
    p: float
    p_centred: float


def like_to_like(
    similarity: Float64[np.ndarray, "n n"],
    connected: Bool[np.ndarray, "n n"],
    distances_um: Float64[np.ndarray, "n n"],
) -> LikeToLike | None:
    """Compare connected with unconnected pairs, at any distance and within bins of 25 µm.

    The null's mean and variance are exact (a stratified permutation); p is from the normal.

    Parameters
    ----------
    similarity
        (N, N), symmetric.
    connected
        (N, N), in either direction.
    distances_um
        (N, N).

    Returns
    -------
    LikeToLike, or None where no bin holds both kinds of pairs.

    References
    ----------
    .. [1] Ding, Z. et al. (2025). Functional connectomics reveals general wiring rule in mouse
       visual cortex. Nature 640, 459-469. doi 10.1038/s41586-025-08840-3.

    Examples
    --------
    >>> similarity = np.array([[1, 0.8, 0.1], [0.8, 1, 0.2], [0.1, 0.2, 1]])
    >>> connected = np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0]], bool)
    >>> found = like_to_like(similarity, connected, np.ones((3, 3)))
    >>> round(found.excess, 3)
    0.65

    """
    pairs = np.tril_indices(len(similarity), -1)
    linked = (connected | connected.T)[pairs]
    bins = (distances_um[pairs] // BIN_UM).astype(np.int64)
    n_pairs = np.bincount(bins)
    n_linked = np.bincount(bins, weights=linked, minlength=len(n_pairs))
    mixed = (n_linked > 0) & (n_linked < n_pairs)
    if not mixed.any():
        return None
    values = similarity[pairs]
    sums = np.bincount(bins, weights=values)
    linked_sums = np.bincount(bins, weights=values * linked)
    unlinked_means = (sums - linked_sums)[mixed] / (n_pairs - n_linked)[mixed]
    excess = (linked_sums[mixed] - n_linked[mixed] * unlinked_means).sum() / n_linked[mixed].sum()
    return LikeToLike(
        connected=float(values[linked].mean()),
        unconnected=float(values[~linked].mean()),
        excess=float(excess),
        p=_p(values, linked, bins),
        p_centred=_p(_centred(similarity)[pairs], linked, bins),
    )


def _p(values: np.ndarray, linked: np.ndarray, bins: np.ndarray) -> float:
    """P of the sum over linked pairs when links are permuted within bins."""
    n_pairs = np.maximum(np.bincount(bins), 1)
    n_linked = np.bincount(bins, weights=linked)
    mean = np.bincount(bins, weights=values) / n_pairs
    variance = np.bincount(bins, weights=(values - mean[bins]) ** 2) / n_pairs
    spread = n_linked * (n_pairs - n_linked) / np.maximum(n_pairs - 1, 1) * variance
    difference = values[linked].sum() - n_linked @ mean
    return float(norm.sf(difference / np.sqrt(spread.sum()))) if spread.sum() > 0 else 1.0


def _centred(similarity: np.ndarray) -> np.ndarray:
    n = len(similarity)
    own = (similarity.sum(axis=1) - similarity.diagonal()) / (n - 1)
    return similarity - own[:, None] - own


def _words(p: float) -> str:
    return f"p = {p:.2g}" if p >= 1e-9 else "p < 1e-9"


def check(cohort: Cohort) -> Check:
    """Compare connected pairs with unconnected ones equally far apart."""
    similarity = correlation(cohort)
    if similarity is None or cohort.wiring is None:
        return not_known(NAME, THRESHOLD, "It takes both the wiring and the activity.")
    known = np.flatnonzero(cohort.neurons["root_id"])
    block = np.ix_(known, known)
    distances = pairwise_distances(cohort.positions_um)[block]
    found = like_to_like(similarity[block], cohort.synapse_counts()[block] > 0, distances)
    if found is None:
        return not_known(NAME, THRESHOLD, "No distance has both connected and unconnected pairs.")
    verdict: Verdict = "ok" if max(found.p, found.p_centred) < LEVEL else "caution"
    return Check(
        NAME,
        verdict,
        found.excess,
        "excess correlation",
        THRESHOLD,
        MEANING[verdict],
        f"{_words(found.p)} against connections dealt out anew within bins, "
        f"{_words(found.p_centred)} with each neuron’s mean taken off; at any distance "
        f"{found.connected:.4f} connected, {found.unconnected:.4f} not",
    )
