"""The binary graph of a weight matrix: its strongest weights, either direction an edge."""

import numpy as np
from jaxtyping import Bool, Float

from biosernn.errors import BadInput


def thresholded_graph(
    weights: Float[np.ndarray, "n n"], quantile: float = 0.9
) -> Bool[np.ndarray, "n n"]:
    """Undirected graph of the weights above a quantile of |W|.

    The quantile is taken over all N² entries, the diagonal included; two neurons are linked where
    either direction lies above it, and self-loops are dropped afterwards. So the top tenth of
    unrelated weights gives a density of 0.19, not 0.1.

    Parameters
    ----------
    weights
        (N, N), row = presynaptic.
    quantile
        Between 0 and 1.

    Returns
    -------
    (N, N), symmetric, with a diagonal of False.

    Raises
    ------
    BadInput
        Where the weights are not square and finite.

    References
    ----------
    Released code of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> weights = np.array([[5.0, 0.1, 0.2], [0.3, 0.0, -4.0], [0.1, 0.2, 0.0]])
    >>> thresholded_graph(weights, quantile=0.8).astype(int)
    array([[0, 0, 0],
           [0, 0, 1],
           [0, 1, 0]])

    """
    strengths = np.abs(np.asarray(weights, float))
    if strengths.ndim != 2 or not 1 < len(strengths) == strengths.shape[1]:
        what = f"shape {strengths.shape} is not (N, N) with N ≥ 2"
        raise BadInput("weights", what, "give a square matrix")
    if not np.isfinite(strengths).all():
        raise BadInput("weights", "not all finite", "leave out runs that diverged")
    strong = strengths > np.quantile(strengths, quantile)
    graph = strong | strong.T
    np.fill_diagonal(graph, False)
    return graph
