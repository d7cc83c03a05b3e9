"""A cohort's functional similarity as a protocol asks for it."""

from functools import lru_cache
from typing import Literal

import numpy as np

from biosernn.cohort.cohort import Cohort
from biosernn.similarity.bins import bin_counts, frame_counts
from biosernn.similarity.pearson import pearson
from biosernn.similarity.sttc import sttc

STTC_DT_S = 0.1
BIN_S = 0.2


@lru_cache(maxsize=32)
def correlation(cohort: Cohort, bins: Literal["frames", "ms200"]) -> tuple[np.ndarray | None, str]:
    """Pearson correlation of all pairs, and one sentence on where it comes from.

    Parameters
    ----------
    cohort
        With events it is recomputed, with traces computed, else taken as its source gives it.
    bins
        Event counts in bins of one imaging frame, or of 200 ms.

    Returns
    -------
    (N, N) float64 or None, and the sentence.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> matrix, how = correlation(synthetic_cohort(16, 0), "frames")
    >>> matrix.shape, how
    ((16, 16), 'synthetic:16: correlation of event counts per imaging frame')

    """
    name = cohort.name
    if cohort.spikes is not None and cohort.frame_rate_hz is not None and bins == "frames":
        counts = frame_counts(cohort.spikes, cohort.frame_rate_hz)
        return pearson(counts), f"{name}: correlation of event counts per imaging frame"
    if cohort.spikes is not None and cohort.interval_s is not None:
        start, end = cohort.interval_s
        counts = bin_counts([times - start for times in cohort.spikes], BIN_S, end - start)
        why = " (its events lie on no frame grid)" if bins == "frames" else ""
        return pearson(counts), f"{name}: correlation of event counts per 200 ms{why}"
    if cohort.traces is not None:
        return pearson(cohort.traces), f"{name}: correlation of traces"
    if cohort.corr is not None:
        return cohort.corr, f"{name} has no events: its correlation matrix is used as shipped"
    return None, f"{name} has no events and no correlation matrix"


def rebinned(cohort: Cohort) -> bool:
    """Whether a cohort's correlation hangs on a protocol's bins: of events on a frame grid alone.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> rebinned(synthetic_cohort(16, 0))
    True

    """
    return cohort.spikes is not None and cohort.frame_rate_hz is not None


@lru_cache(maxsize=32)
def tiling_coefficient(cohort: Cohort) -> tuple[np.ndarray | None, str]:
    """STTC of all pairs, as its source gives it, else from events at ±0.1 s; and a sentence.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> tiling_coefficient(synthetic_cohort(16, 0))[0].shape
    (16, 16)

    """
    if cohort.sttc is not None:
        return cohort.sttc, f"{cohort.name}: STTC as its source gives it"
    if cohort.spikes is not None and cohort.interval_s is not None:
        matrix = sttc(cohort.spikes, STTC_DT_S, cohort.interval_s)
        return matrix, f"{cohort.name}: STTC of its events at ±{STTC_DT_S} s"
    return None, f"{cohort.name} has no events and no STTC matrix"
