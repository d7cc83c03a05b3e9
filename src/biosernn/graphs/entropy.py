"""Entropy of the distribution of weights."""

import numpy as np
from jaxtyping import Float
from scipy.special import entr

GRID_POINTS = 100
FARTHEST = 9.0
"""Kernel widths beyond which a weight adds less than 3e-18 to the density."""


def weight_entropy(weights: Float[np.ndarray, "n n"], diagonal: bool = True) -> float:
    """Shannon entropy, in bits, of the signed weights' density.

    The density is a Gaussian kernel estimate with Scott's width at 100 points from the least to
    the largest weight, normalised to sum to 1. As those two set the points, the value mostly
    tells how far the outlying weights lie, which are self-weights where they start large.

    Parameters
    ----------
    weights
        (N, N), finite.
    diagonal
        Whether self-weights count.

    Returns
    -------
    Between 0 and log2(100) = 6.64, whatever the weights' unit; NaN where all weights are the same.

    References
    ----------
    Scott 1992, doi 10.1002/9780470316849; the grid as in the released code of arXiv 2606.14975.

    Examples
    --------
    >>> weights = np.random.default_rng(0).normal(size=(50, 50))
    >>> round(weight_entropy(weights), 2), round(weight_entropy(weights + 9 * np.eye(50)), 2)
    (5.9, 4.99)

    """
    values = np.asarray(weights, float)
    values = np.sort(values.ravel() if diagonal else values[~np.eye(len(values), dtype=bool)])
    if values[0] == values[-1]:
        return float("nan")
    values = values / np.abs(values[[0, -1]]).max()
    width = np.std(values, ddof=1) * len(values) ** -0.2
    points = np.linspace(values[0], values[-1], GRID_POINTS)
    starts, stops = np.searchsorted(values, [points - FARTHEST * width, points + FARTHEST * width])
    density = [
        np.exp(((values[start:stop] - point) / width) ** 2 / -2).sum()
        for start, stop, point in zip(starts, stops, points, strict=True)
    ]
    return float(entr(density / np.sum(density)).sum() / np.log(2))
