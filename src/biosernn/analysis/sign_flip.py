"""The sign-flip permutation test of paired differences, and the interval that it does not reject.

The test asks whether differences are symmetric about 0. Shifted by δ it is rejected for every δ
outside an interval whose ends are means of subsets of the differences: flipping the signs of a
subset makes the sum larger where the subset's mean is below δ.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

DRAWS = 10_000
KEY = 20_260_614
ROUNDING = 1e-12
"""Of the largest difference: sums that near 0 are 0."""

TOGETHER = 500
"""Rows of differences at a time, each of which has 10,000 means of subsets."""


def sign_flip(differences: Float[np.ndarray, "studies n"]) -> Float[np.ndarray, " studies"]:
    """Two-sided p that each row of paired differences is symmetric about 0.

    All sign patterns are enumerated where there are at most 10,000 (n <= 13), else 10,000 drawn by
    a fixed key, which `sign_flip_limits` draws too: p is above 1 - level exactly where its interval
    holds 0.

    References
    ----------
    Fisher 1935, The Design of Experiments, section 21; Phipson & Smyth 2010, doi
    10.2202/1544-6115.1585.

    Examples
    --------
    >>> sign_flip(np.array([[-30.0, -45, -10, -25, -5, -60]]))
    array([0.03125])

    """
    of_subset, p = _subsets(differences.shape[1]), np.empty(len(differences))
    for rows in _some_at_a_time(np.arange(len(differences))):
        flipped = differences[rows] @ of_subset.T
        near = ROUNDING * np.abs(differences[rows]).max(axis=1, keepdims=True)
        tails = (flipped <= near).sum(axis=1), (flipped >= -near).sum(axis=1)
        p[rows] = np.minimum(1, 2 * (1 + np.minimum(*tails)) / (len(of_subset) + 1))
    return p


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
    for rows in _some_at_a_time(vary):
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


def _some_at_a_time(rows: Int[np.ndarray, " rows"]) -> list[Int[np.ndarray, " some"]]:
    return np.split(rows, range(TOGETHER, len(rows), TOGETHER))


@lru_cache(maxsize=4)
def _subsets(n: int) -> Float[np.ndarray, "subsets n"]:
    """Subsets that are not empty, 1 where a difference is in one."""
    if 2**n <= DRAWS:
        return (np.arange(1, 2**n)[:, None] >> np.arange(n) & 1).astype(float)
    drawn = np.random.default_rng(KEY).integers(0, 2, (DRAWS - 1, n))
    return drawn[drawn.any(axis=1)].astype(float)
