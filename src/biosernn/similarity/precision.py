"""The precision matrix: the inverse covariance, estimated with regularisation."""

import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from biosernn.errors import BadInput, WorkFailed
from biosernn.similarity.activity import activity_matrix


def precision(
    activity: np.ndarray | Sequence[ArrayLike],
    method: Literal["graphical_lasso", "ledoit_wolf"] = "graphical_lasso",
    alpha: float | None = None,
) -> Float64[np.ndarray, "neurons neurons"]:
    """Estimate the inverse covariance of the neurons' activity with scikit-learn.

    The released precision matrices are read, not recomputed. They agree with the cross-validated
    graphical lasso of 200 ms counts to about 2e-4 of their largest entry.

    Parameters
    ----------
    activity
        (N, T) event counts or traces; the result is in the inverse square of their unit.
    method
        `graphical_lasso` sets small entries to 0; `ledoit_wolf` shrinks towards equal variances.
    alpha
        The graphical lasso's penalty, in the square of the activity's unit. When absent it is
        chosen by cross-validation over five successive stretches of the recording.

    Returns
    -------
    ndarray
        (N, N), symmetric.

    Raises
    ------
    BadInput
        If the activity is unusable, there are fewer than two neurons, one's activity never varies,
        there are too few samples to cross-validate, the method is unknown or alpha is not above 0.
    WorkFailed
        If the graphical lasso does not converge.

    References
    ----------
    .. [1] Friedman, J., Hastie, T. and Tibshirani, R. (2008). Sparse inverse covariance estimation
       with the graphical lasso. Biostatistics 9, 432-441. doi 10.1093/biostatistics/kxm045.
    .. [2] Ledoit, O. and Wolf, M. (2004). A well-conditioned estimator for large-dimensional
       covariance matrices. Journal of Multivariate Analysis 88, 365-411.
       doi 10.1016/S0047-259X(03)00096-4.

    Examples
    --------
    >>> activity = np.array([[0, 1, 0, 1, 1, 0], [0, 1, 0, 1, 0, 1]])
    >>> precision(activity, alpha=0.0625).round(3)
    array([[ 4.028, -0.336],
           [-0.336,  4.028]])

    """
    from sklearn.covariance import GraphicalLasso, GraphicalLassoCV, LedoitWolf
    from sklearn.exceptions import ConvergenceWarning

    if method not in ("graphical_lasso", "ledoit_wolf"):
        raise BadInput("method", f"{method!r} is unknown", "use graphical_lasso or ledoit_wolf")
    if alpha is not None and not 0 < alpha < np.inf:
        raise BadInput("alpha", f"must be above 0 and finite, got {alpha}", "leave it out")
    samples = activity_matrix(activity)
    if len(samples) < 2:
        raise BadInput("activity", "holds a single neuron", "give at least two")
    for neuron in np.flatnonzero(np.ptp(samples, axis=1) == 0):
        raise BadInput(f"neuron {neuron}", "its activity never varies", "leave it out")
    if method == "ledoit_wolf":
        return LedoitWolf().fit(samples.T).precision_
    if alpha is None and samples.shape[1] < 5:
        raise BadInput("activity", "has too few samples to cross-validate", "give alpha")
    lasso = GraphicalLassoCV() if alpha is None else GraphicalLasso(alpha=alpha)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the gap below is what counts
            lasso.fit(samples.T)
    except FloatingPointError as error:
        raise WorkFailed("graphical lasso", str(error), "raise alpha or use ledoit_wolf") from error
    gap = abs(lasso.costs_[-1][1])
    if gap > lasso.tol:
        raise WorkFailed("graphical lasso", f"stopped at a dual gap of {gap:.1g}", "raise alpha")
    return lasso.precision_
