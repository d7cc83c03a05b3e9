"""A fraction of runs with Wilson's score interval."""

from scipy import stats

from biosernn.analysis.findings import Interval


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Fraction `successes / n` with its score interval, of honest width at 0 and at 1 too.

    References
    ----------
    Wilson 1927, doi 10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> interval = wilson(20, 20)
    >>> interval.estimate, round(float(interval.low), 3), interval.high
    (1.0, 0.839, 1.0)

    """
    ends = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    return Interval(
        successes / n, float(ends.low), float(ends.high), level, "Wilson score interval", n
    )
