"""Kaplan-Meier: the share of runs that have not reached the criterion at each step."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


def kaplan_meier(
    steps: ArrayLike, censored: ArrayLike, total: int
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Steps from 0 to `total` at which the curve may fall, and the share not yet there after each.

    Parameters
    ----------
    steps, censored
        Steps to criterion (n,), and whether each is only a lower bound (n,).
    total
        Steps of a whole run.

    References
    ----------
    Kaplan & Meier 1958, doi 10.1080/01621459.1958.10501452.

    Examples
    --------
    >>> kaplan_meier([50, 100, 400, 400], [False, False, True, True], 400)
    ((0, 50, 100, 400), (1.0, 0.75, 0.5, 0.5))

    """
    steps, censored = np.asarray(steps), np.asarray(censored, dtype=bool)
    data = stats.CensoredData(uncensored=steps[~censored], right=steps[censored])
    at = np.union1d([0, total], steps)
    not_yet = stats.ecdf(data).sf.evaluate(at)
    return tuple(int(step) for step in at), tuple(float(share) for share in not_yet)
