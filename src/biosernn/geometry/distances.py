"""Distances between neurons, and their scale."""

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import pdist, squareform

from biosernn.errors import BadInput


def pairwise_distances(positions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n n"]:
    """Euclidean distances between all pairs of neurons.

    Parameters
    ----------
    positions
        (N, 3), one neuron a row, in any unit of length.

    Returns
    -------
    (N, N) in the same unit, exactly symmetric, its diagonal exactly 0.

    Raises
    ------
    BadInput
        Where the positions are not (N, 3) and finite.

    Examples
    --------
    >>> pairwise_distances(np.array([[0.0, 0, 0], [3, 4, 0]]))
    array([[0., 5.],
           [5., 0.]])

    """
    positions = np.asarray(positions, float)
    if positions.ndim != 2 or positions.shape[1] != 3:
        raise BadInput(
            "positions", f"shape {positions.shape} is not (N, 3)", "give one neuron a row"
        )
    if not np.isfinite(positions).all():
        neuron = np.flatnonzero(~np.isfinite(positions).all(axis=1))[0]
        raise BadInput(f"positions of neuron {neuron}", "not finite", "leave this neuron out")
    return squareform(pdist(positions))


def unit_mean_distance(distances: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """Distances scaled to a mean of 1 over all pairs of different neurons.

    What is left is the shape of the arrangement, without its size.

    Parameters
    ----------
    distances
        (N, N) with a diagonal of zeros.

    Returns
    -------
    (N, N), without unit.

    Raises
    ------
    BadInput
        Where all neurons lie at one point.

    Examples
    --------
    >>> unit_mean_distance(np.array([[0.0, 5.0], [5.0, 0.0]]))
    array([[0., 1.],
           [1., 0.]])

    """
    n = len(distances)
    total = np.sum(distances)
    if not total > 0:
        raise BadInput("distances", "all neurons lie at one point", "check the positions")
    return distances * (n * (n - 1) / total)
