"""Paired difference of the fractions of runs solved: Newcombe's interval and McNemar's test."""

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosernn.analysis.findings import Interval
from biosernn.analysis.proportion import wilson


def paired_table(arm: ArrayLike, null: ArrayLike) -> NDArray[np.int64]:
    """Count pairs (2, 2): rows arm solved or not, columns null solved or not.

    Examples
    --------
    >>> paired_table([True, True, False], [True, False, False])
    array([[1, 1],
           [0, 1]])

    """
    arm, null = np.asarray(arm, dtype=bool), np.asarray(null, dtype=bool)
    return np.array(
        [[np.sum((arm == a) & (null == b)) for b in (True, False)] for a in (True, False)]
    )


def risk_difference(arm: ArrayLike, null: ArrayLike, level: float = 0.95) -> Interval:
    """Fraction solved, `arm` minus `null`, both (n,) booleans paired by seed.

    The margins' Wilson limits are squared and added with the continuity-corrected correlation of
    the pairs, so the interval keeps an honest width where all runs solve, or none.

    References
    ----------
    Newcombe 1998, method 10,
    doi 10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C.

    Examples
    --------
    >>> interval = risk_difference([True] * 20, [True] * 20)
    >>> interval.estimate, round(interval.low, 3), round(interval.high, 3)
    (0.0, -0.161, 0.161)

    """
    (both, only_arm), (only_null, neither) = paired_table(arm, null).tolist()
    n = both + only_arm + only_null + neither
    margins = (both + only_arm) * (only_null + neither) * (both + only_null) * (only_arm + neither)
    concordance = both * neither - only_arm * only_null
    corrected = min(concordance, max(concordance - n / 2, 0))
    correlation = corrected / sqrt(margins) if margins else 0.0
    of_arm, of_null = wilson(both + only_arm, n, level), wilson(both + only_null, n, level)

    def distance(a: float, b: float) -> float:
        return sqrt(a * a - 2 * correlation * a * b + b * b)

    difference = of_arm.estimate - of_null.estimate
    below = distance(of_arm.estimate - of_arm.low, of_null.high - of_null.estimate)
    above = distance(of_arm.high - of_arm.estimate, of_null.estimate - of_null.low)
    return Interval(
        difference, difference - below, difference + above, level, "Newcombe 1998, method 10", n
    )


def exact_mcnemar(arm: ArrayLike, null: ArrayLike) -> float:
    """Two-sided p of as many solved with `arm` only as with `null` only; both (n,) booleans.

    References
    ----------
    McNemar 1947, doi 10.1007/BF02295996.

    Examples
    --------
    >>> exact_mcnemar([True] * 6 + [False], [False] * 7)
    0.03125

    """
    from statsmodels.stats.contingency_tables import mcnemar

    return float(mcnemar(paired_table(arm, null), exact=True).pvalue)
