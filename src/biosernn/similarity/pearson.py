"""Pearson's correlation of activity."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from biosernn.similarity.activity import activity_matrix


def pearson(
    activity: np.ndarray | Sequence[ArrayLike],
) -> Float64[np.ndarray, "neurons neurons"]:
    """Correlate the activity of every pair of neurons.

    These are total correlations: what neurons share because they see the same stimulus is in them.

    Parameters
    ----------
    activity
        (N, T) event counts or traces, in any unit.

    Returns
    -------
    ndarray
        (N, N), symmetric, diagonal 1; 0 off the diagonal for a neuron whose activity never varies.

    Raises
    ------
    BadInput
        If rows differ in length, hold fewer than two samples or a number that is not finite.

    References
    ----------
    .. [1] Pearson, K. (1895). Note on regression and inheritance in the case of two parents.
       Proceedings of the Royal Society of London 58, 240-242. doi 10.1098/rspl.1895.0041.

    Examples
    --------
    >>> pearson([[0, 1, 0, 1], [1, 0, 1, 0], [2, 2, 2, 2]])
    array([[ 1., -1.,  0.],
           [-1.,  1.,  0.],
           [ 0.,  0.,  1.]])

    """
    samples = activity_matrix(activity)
    spread = np.ptp(samples, axis=1)
    varies = spread > 0
    deviation = samples - samples.mean(axis=1, keepdims=True)
    deviation /= np.where(varies, spread, 1.0)[:, None]
    covariance = deviation @ deviation.T
    scale = np.sqrt(np.diag(covariance))
    both_vary = np.logical_and.outer(varies, varies)
    correlation = np.divide(
        covariance, np.outer(scale, scale), out=np.zeros_like(covariance), where=both_vary
    )
    np.fill_diagonal(correlation, 1.0)
    return np.clip(correlation, -1.0, 1.0)
