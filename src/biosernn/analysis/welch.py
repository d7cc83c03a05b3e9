"""Difference of two independent means by Welch's method, from means and standard deviations."""

from math import isfinite, sqrt

from scipy import stats

from biosernn.analysis.findings import Interval

NEITHER_VARIES = "not estimable: neither varies"

Moments = tuple[float, float, int]
"""Mean, standard deviation (of n − 1) and number of values."""


def welch(
    one: Moments, other: Moments, level: float = 0.95, rounding: float = 0.0
) -> tuple[Interval, float]:
    """Mean of `one` minus that of `other` with its t interval, and two-sided p of no difference.

    Parameters
    ----------
    one, other
        The two sets of values.
    level
        Coverage of the interval.
    rounding
        By how much the difference may be off because a mean was rounded: the interval is wider by
        it on either side, and p is of a difference smaller by it.

    Returns
    -------
    The interval and p; not estimable and NaN with fewer than two values, or where neither varies.

    References
    ----------
    Welch 1947, doi 10.1093/biomet/34.1-2.28.

    Examples
    --------
    >>> interval, p = welch((0.95, 0.1, 20), (0.85, 0.15, 20))
    >>> round(interval.low, 3), round(interval.high, 3), round(p, 3)
    (0.018, 0.182, 0.018)

    """
    difference, n = one[0] - other[0], one[2] + other[2]
    shares = [sd**2 / count for _, sd, count in (one, other)]
    if min(one[2], other[2]) < 2 or not isfinite(difference + sum(shares)):
        return Interval(difference, *_UNKNOWN, level, "not estimable: too few values", n), _NAN
    if not any(shares):
        return Interval(difference, *_UNKNOWN, level, NEITHER_VARIES, n), _NAN
    error = sqrt(sum(shares))
    freedom = sum(shares) ** 2 / sum(
        share**2 / (count - 1) for share, (_, _, count) in zip(shares, (one, other), strict=True)
    )
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * error + rounding
    p = float(2 * stats.t.sf(max(0.0, abs(difference) - rounding) / error, freedom))
    return Interval(difference, difference - half, difference + half, level, "Welch's t", n), p


_NAN = float("nan")
_UNKNOWN = (_NAN, _NAN)
