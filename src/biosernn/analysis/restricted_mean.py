"""Restricted mean steps to criterion: bootstrap interval over seeds, sign-flip permutation test.

A run that never reaches the criterion counts with all its steps, so the mean is that of min(steps,
total), and a difference of two such means is bounded by the total.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from biosernn.analysis.findings import Interval

DRAWS = 10_000
KEY = 20_260_614


def restricted_mean(steps: ArrayLike, level: float = 0.95) -> Interval:
    """Mean of `steps` (n,), censored runs at the total, with its BCa bootstrap interval over seeds.

    Given the differences of paired runs it is the paired difference of restricted means. Where all
    values are equal a bootstrap would have no width: the interval is then not estimable (NaN).

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

    Examples
    --------
    >>> restricted_mean_difference([100, 120, 90, 400], [150, 140, 400, 400]).estimate
    -95.0

    """
    return restricted_mean(np.asarray(arm, dtype=float) - np.asarray(null, dtype=float), level)


def sign_flip(differences: ArrayLike) -> tuple[float, str]:
    """Two-sided p that paired `differences` (n,) are symmetric about 0, and how it was obtained.

    All sign patterns are enumerated where there are at most 10,000 (n <= 13), else 10,000 drawn.

    References
    ----------
    Fisher 1935, The Design of Experiments, section 21; Phipson & Smyth 2010, doi
    10.2202/1544-6115.1585.

    Examples
    --------
    >>> sign_flip([-30, -45, -10, -25, -5, -60])
    (0.03125, 'sign-flip permutation, exact')

    """
    differences = np.asarray(differences, dtype=float)
    if len(differences) == 1:
        return 1.0, "sign-flip permutation, exact"
    test = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=DRAWS,
        rng=np.random.default_rng(KEY),
    )
    exact = 2 ** len(differences) <= DRAWS
    return float(test.pvalue), f"sign-flip permutation, {'exact' if exact else f'{DRAWS:,} draws'}"
