"""What the beat between bins of time and imaging frames adds to every correlation."""

import numpy as np
from jaxtyping import Float64

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.audit.functional import BIN_S, recomputed
from biosernn.cohort.cohort import Cohort
from biosernn.similarity.bins import bin_counts
from biosernn.similarity.pearson import pearson

KEY = 3
SHIFTS = 3
MOST = 0.1
NAME = "aliasing of bins and frames"
THRESHOLD = f"ok: what circular shifts leave is at most {100 * MOST:g} % of the mean correlation"
MEANING = {
    "ok": "Bins of 200 ms hold no correlation of their own.",
    "caution": "Bins of 200 ms hold one frame or two, which all neurons share: use bins of one "
    "frame, or read the mean correlation as inflated.",
}


def shifted_correlation(
    spikes: tuple[Float64[np.ndarray, " events"], ...],
    frame_rate_hz: float,
    rng: np.random.Generator,
) -> float:
    """Mean correlation of counts in 200 ms after every neuron is shifted in a circle on its own.

    Shifts by whole frames take away what neurons share but for the pattern of the bins themselves.

    Parameters
    ----------
    spikes
        N trains of event times in seconds, on frames k / rate, k >= 1.
    frame_rate_hz
        Frames per second.
    rng
        The source of the shifts.

    Returns
    -------
    The mean over all pairs of different neurons.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> spikes = tuple((np.flatnonzero(rng.random(9000) < 0.2) + 1) / 6.3009 for _ in range(20))
    >>> round(shifted_correlation(spikes, 6.3009, rng), 2)
    0.03

    """
    frames = [np.rint(train * frame_rate_hz).astype(np.int64) - 1 for train in spikes]
    n_frames = 1 + max(int(train[-1]) for train in frames if train.size)
    shifts = rng.integers(n_frames, size=len(frames))
    shifted = [
        np.sort((train + shift) % n_frames + 1) / frame_rate_hz
        for train, shift in zip(frames, shifts, strict=True)
    ]
    correlation = pearson(bin_counts(shifted, BIN_S, (n_frames + 1) / frame_rate_hz))
    return float(correlation[np.tril_indices(len(frames), -1)].mean())


def check(cohort: Cohort) -> Check:
    """Compare the mean correlation with what circular shifts leave of it."""
    anew = recomputed(cohort)
    if cohort.spikes is None or not {"counts in 200 ms", "counts in frames"} <= set(anew):
        why = "Without events on frames it cannot be measured; matrices of 200 ms bins may hold it."
        return not_known(NAME, THRESHOLD, why)
    pairs = np.tril_indices(cohort.n_neurons, -1)
    binned, framed = (float(anew[f"counts in {how}"][pairs].mean()) for how in ("200 ms", "frames"))
    rate = cohort.frame_rate_hz or 0.0
    rng = np.random.default_rng(KEY)
    left = float(np.mean([shifted_correlation(cohort.spikes, rate, rng) for _ in range(SHIFTS)]))
    verdict: Verdict = "ok" if abs(left) <= MOST * abs(binned) else "caution"
    return Check(
        NAME,
        verdict,
        left,
        f"of a mean correlation of {binned:.4f}",
        THRESHOLD,
        MEANING[verdict],
        f"what is left of it when every neuron is shifted in a circle on its own; in bins of one "
        f"frame the mean correlation is {framed:.4f}",
    )
