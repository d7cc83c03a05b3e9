"""The sign-flip permutation test of paired differences, and the interval that it does not reject.

The test asks whether differences are symmetric about 0. Shifted by δ it is rejected for every δ
outside an interval whose ends are means of subsets of the differences: flipping the signs of a
subset makes the sum larger where the subset's mean is below δ.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import stats

DRAWS = 10_000
KEY = 20_260_614
BATCH = 1000
"""Draws in memory at once; the numbers do not hang on it."""

TOGETHER = 500
"""Rows of differences at a time, each of which has 10,000 means of subsets."""


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
        batch=BATCH,
        rng=np.random.default_rng(KEY),
    )
    return float(test.pvalue), f"sign-flip permutation, {how_many(len(differences))}"


def sign_flip_limits(
    differences: Float[np.ndarray, "studies n"], level: float
) -> tuple[Float[np.ndarray, " studies"], Float[np.ndarray, " studies"]]:
    """Ends of the interval of each row's centre of symmetry, which is its mean where it has one.

    All subsets are taken where there are at most 10,000 (n <= 13), else 9,999 drawn by a fixed key.
    NaN where all differences of a row are equal, or too few for the level (under 6 for 95 %).

    References
    ----------
    Hartigan 1969, doi 10.1080/01621459.1969.10501057.

    Examples
    --------
    >>> sign_flip_limits(np.array([[-30.0, -45, -10, -25, -5, -60]]), 0.90)
    (array([-45.]), array([-10.]))

    """
    low, high = np.full((2, len(differences)), np.nan)
    of_subset = _subsets(differences.shape[1])
    between = len(of_subset) + 1
    outside = int(between * (1 - level) / 2 + 1e-9)
    if not outside:
        return low, high
    vary = np.flatnonzero(np.ptp(differences, axis=1))
    for rows in np.split(vary, range(TOGETHER, len(vary), TOGETHER)):
        means = differences[rows] @ of_subset.T / of_subset.sum(axis=1)
        ends = outside - 1, between - 1 - outside
        means.partition(ends, axis=1)
        low[rows], high[rows] = means[:, ends].T
    return low, high


def how_many(n: int) -> str:
    """Whether `n` differences are flipped in every way, or how often by chance.

    Examples
    --------
    >>> how_many(13), how_many(14)
    ('exact', '10,000 draws')

    """
    return "exact" if 2**n <= DRAWS else f"{DRAWS:,} draws"


@lru_cache(maxsize=4)
def _subsets(n: int) -> Float[np.ndarray, "subsets n"]:
    """Subsets that are not empty, 1 where a difference is in one."""
    if 2**n <= DRAWS:
        return (np.arange(1, 2**n)[:, None] >> np.arange(n) & 1).astype(float)
    drawn = np.random.default_rng(KEY).integers(0, 2, (DRAWS - 1, n))
    return drawn[drawn.any(axis=1)].astype(float)
