"""The correlation that the checks look at."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float64

from biosernn.cohort.cohort import Cohort
from biosernn.similarity.bins import bin_counts, frame_counts
from biosernn.similarity.pearson import pearson

BIN_S = 0.2


def correlation(cohort: Cohort) -> Float64[np.ndarray, "n n"] | None:
    """Take the correlation as the source gives it, else that of the activity, else None.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> cohort = synthetic_cohort(8, seed=0)
    >>> correlation(cohort) is cohort.corr
    True

    """
    return cohort.corr if cohort.corr is not None else next(iter(recomputed(cohort).values()), None)


@lru_cache(maxsize=2)
def recomputed(cohort: Cohort) -> dict[str, Float64[np.ndarray, "n n"]]:
    """Correlate the activity in each way that the cohort allows.

    Returns
    -------
    dict
        Of (N, N), by what is correlated: counts of events in 200 ms, in single frames, traces.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> list(recomputed(synthetic_cohort(8, seed=0)))
    ['counts in 200 ms', 'counts in frames']

    """
    found = {}
    if cohort.spikes is not None and cohort.interval_s is not None:
        start, end = cohort.interval_s
        if end - start >= 2 * BIN_S:
            counts = bin_counts([train - start for train in cohort.spikes], BIN_S, end - start)
            found["counts in 200 ms"] = pearson(counts)
        if cohort.frame_rate_hz is not None and any(train.size for train in cohort.spikes):
            found["counts in frames"] = pearson(frame_counts(cohort.spikes, cohort.frame_rate_hz))
    if cohort.traces is not None:
        found["traces"] = pearson(cohort.traces)
    return found
