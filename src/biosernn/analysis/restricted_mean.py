"""Restricted mean steps to criterion, of an arm and as a paired difference, with intervals.

A run that never reaches the criterion counts with all its steps, so the mean is that of min(steps,
total), and a difference of two such means is bounded by the total.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from biosernn.analysis.findings import Interval
from biosernn.analysis.sign_flip import DRAWS, KEY, how_many, sign_flip_limits

BATCH = 1000
"""Draws in memory at once; the numbers do not hang on it."""


def restricted_mean(steps: ArrayLike, level: float = 0.95) -> Interval:
    """Mean of `steps` (n,), censored runs at the total, with its BCa bootstrap interval over seeds.

    Where all values are equal a bootstrap would have no width: the interval is then not estimable
    (NaN).

    References
    ----------
    Royston & Parmar 2013, doi 10.1186/1471-2288-13-152; Efron 1987, doi
    10.1080/01621459.1987.10478410.

    Examples
    --------
    >>> interval = restricted_mean([100, 150, 400, 400])
    >>> interval.estimate, interval.low, interval.high
    (262.5, 125.0, 400.0)
    >>> restricted_mean([400, 400, 400]).method
    'not estimable: all values are equal'

    """
    steps = np.asarray(steps, dtype=float)
    mean, n = float(steps.mean()), len(steps)
    if np.ptp(steps) == 0:
        return Interval(mean, np.nan, np.nan, level, "not estimable: all values are equal", n)
    ends = stats.bootstrap(
        (steps,),
        np.mean,
        n_resamples=DRAWS,
        batch=BATCH,
        confidence_level=level,
        method="BCa",
        rng=np.random.default_rng(KEY),
    ).confidence_interval
    return Interval(
        mean,
        float(ends.low),
        float(ends.high),
        level,
        f"BCa bootstrap over seeds, {DRAWS:,} draws",
        n,
    )


def restricted_mean_difference(arm: ArrayLike, null: ArrayLike, level: float = 0.95) -> Interval:
    """Restricted mean steps, `arm` minus `null`, both (n,) paired by seed; negative is sooner.

    The interval holds every difference that the sign-flip test of the pairs does not reject. It
    describes differences that lie as far to one side of their mean as to the other; a failure too
    rare to be among the seeds is not in it.

    References
    ----------
    Royston & Parmar 2013, doi 10.1186/1471-2288-13-152; Hartigan 1969, doi
    10.1080/01621459.1969.10501057.

    Examples
    --------
    >>> restricted_mean_difference([100, 120, 90, 400], [150, 140, 400, 400]).estimate
    -95.0

    """
    differences = np.asarray(arm, dtype=float) - np.asarray(null, dtype=float)
    n = len(differences)
    (low,), (high,) = sign_flip_limits(differences[None], level)
    if np.ptp(differences) == 0:
        method = "not estimable: all values are equal"
    elif np.isnan(low):
        method = f"not estimable: {n} pairs are too few"
    else:
        method = f"inverted sign-flip test, {how_many(n)}"
    return Interval(float(differences.mean()), float(low), float(high), level, method, n)
