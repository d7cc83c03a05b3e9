"""A mean over runs with Student's t interval."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from biosernn.analysis.findings import Interval


def t_interval(
    values: ArrayLike,
    level: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """Mean of `values` (n,) with its t interval; not estimable where all values are equal.

    The interval ends where the mean must, at `bounds`, which leaves its coverage as it is.

    References
    ----------
    Student 1908, doi 10.1093/biomet/6.1.1.

    Examples
    --------
    >>> interval = t_interval([0.5, 1.0, 1.0, 0.625])
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.371, 1.191)
    >>> t_interval([0.5, 1.0, 1.0, 0.625], bounds=(0, 1)).high
    1.0

    """
    values = np.asarray(values, dtype=float)
    mean, n = float(values.mean()), len(values)
    if np.ptp(values) == 0:
        return Interval(mean, np.nan, np.nan, level, "not estimable: all values are equal", n)
    half = float(stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    low, high = np.clip([mean - half, mean + half], *bounds)
    return Interval(mean, float(low), float(high), level, "t interval over seeds", n)
