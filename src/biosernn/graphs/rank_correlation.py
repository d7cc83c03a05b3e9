"""Spearman's rank correlation, for quantities with heavy tails."""

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata


def unit_ranks(values: Float[np.ndarray, "*rows n"]) -> Float[np.ndarray, "*rows n"]:
    """Rank along the last axis, ties sharing their mean rank; centred and scaled to length 1.

    The scalar product of two such vectors is Spearman's correlation.

    Parameters
    ----------
    values
        (..., n), in any unit.

    Returns
    -------
    (..., n) float64; NaN where all values are the same.

    References
    ----------
    Spearman 1904, doi 10.2307/1412159.

    Examples
    --------
    >>> ranks = unit_ranks(np.array([[3.0, 9.0, 7.0], [0.1, -5.0, -4.0]]))
    >>> float((ranks[0] @ ranks[1]).round(6))
    -1.0

    """
    ranks = rankdata(values, axis=-1)
    ranks -= (ranks.shape[-1] + 1) / 2
    length = np.sqrt(np.square(ranks).sum(axis=-1, keepdims=True))
    return ranks / np.where(length > 0, length, np.nan)
