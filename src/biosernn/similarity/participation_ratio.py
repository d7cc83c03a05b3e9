"""Participation ratio: how many dimensions activity spreads over."""

import numpy as np
from jaxtyping import Float


def participation_ratio(activity: Float[np.ndarray, "n samples"]) -> float:
    """(Σ λ)² / Σ λ² over the eigenvalues λ of the neurons' covariance.

    It is computed from the covariance's trace and squared entries, without the eigenvalues.

    Parameters
    ----------
    activity
        (N, T), finite, in any unit.

    Returns
    -------
    Between 1 and min(N, T - 1); NaN where no neuron's activity varies.

    References
    ----------
    Gao et al. 2017, doi 10.1101/214262.

    Examples
    --------
    >>> round(participation_ratio(np.array([[0.0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 0]])), 6)
    2.0

    """
    varies = activity[np.ptp(activity, axis=1) > 0]
    if not len(varies):
        return float("nan")
    deviation = varies / np.abs(varies).max()
    deviation -= deviation.mean(axis=1, keepdims=True)
    covariance = deviation @ deviation.T
    return float(np.trace(covariance) ** 2 / np.square(covariance).sum())
