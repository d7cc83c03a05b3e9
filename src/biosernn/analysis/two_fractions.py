"""Difference of two independent fractions: Newcombe's interval and Fisher's test."""

from math import hypot

from scipy import stats

from biosernn.analysis.findings import Interval
from biosernn.analysis.proportion import wilson

Count = tuple[int, int]
"""Successes, and of how many."""


def fraction_difference(one: Count, other: Count, level: float = 0.95) -> Interval:
    """Fraction `one` minus fraction `other`, of honest width where all succeed, or none.

    References
    ----------
    Newcombe 1998, method 10,
    doi 10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.

    Examples
    --------
    >>> interval = fraction_difference((20, 20), (20, 20))
    >>> interval.estimate, round(interval.low, 3), round(interval.high, 3)
    (0.0, -0.161, 0.161)

    """
    a, b = wilson(*one, level), wilson(*other, level)
    difference = a.estimate - b.estimate
    below = hypot(a.estimate - a.low, b.high - b.estimate)
    above = hypot(a.high - a.estimate, b.estimate - b.low)
    method = "Newcombe 1998, independent fractions, method 10"
    return Interval(
        difference, difference - below, difference + above, level, method, one[1] + other[1]
    )


def fisher(one: Count, other: Count) -> float:
    """Two-sided exact p of equal fractions; it errs towards finding no difference.

    References
    ----------
    Fisher 1935, doi 10.2307/2342435.

    Examples
    --------
    >>> round(fisher((20, 20), (13, 20)), 4)
    0.0083

    """
    return float(stats.fisher_exact([[k, n - k] for k, n in (one, other)]).pvalue)
