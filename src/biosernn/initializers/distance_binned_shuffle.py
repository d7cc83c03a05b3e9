"""Controls that shuffle the weights between neurons, over all pairs or within distance bins."""

import numpy as np
from jaxtyping import Float

from biosernn.initializers.diagonal import diagonal_only


def shuffled(
    weights: Float[np.ndarray, "n n"], rng: np.random.Generator
) -> Float[np.ndarray, "n n"]:
    """Ordered off-diagonal entries permuted over all pairs; the diagonal stays.

    Parameters
    ----------
    weights
        (N, N), the final W_bio.
    rng
        The source of the permutation.

    Returns
    -------
    (N, N).

    Examples
    --------
    >>> shuffled(np.array([[9, 1], [2, 9]]), np.random.default_rng(3))
    array([[9, 2],
           [1, 9]])

    """
    return shuffled_in_bins(weights, np.zeros(np.shape(weights)), rng, n_bins=1)


def shuffled_in_bins(
    weights: Float[np.ndarray, "n n"],
    distances: Float[np.ndarray, "n n"],
    rng: np.random.Generator,
    n_bins: int = 10,
) -> Float[np.ndarray, "n n"]:
    """Ordered off-diagonal entries permuted within bins of distance; the diagonal stays.

    Functional similarity falls with distance, so a plain shuffle would remove that too.

    Parameters
    ----------
    weights
        (N, N), the final W_bio.
    distances
        (N, N) between the true positions, in any unit of length.
    rng
        The source of the permutations.
    n_bins
        How many bins, of equally many pairs (to one).

    Returns
    -------
    (N, N).

    Examples
    --------
    >>> distances = np.array([[0, 1, 8], [1, 0, 9], [8, 9, 0]])
    >>> weights = np.array([[7, 1, 3], [2, 7, 5], [4, 6, 7]])
    >>> shuffled_in_bins(weights, distances, np.random.default_rng(5), n_bins=3)
    array([[7, 2, 4],
           [1, 7, 5],
           [3, 6, 7]])

    """
    upper = np.triu_indices(len(weights), 1)
    by_distance = np.argsort(distances[upper], kind="stable")
    result = diagonal_only(weights)
    for members in np.array_split(by_distance, n_bins):
        i, j = upper[0][members], upper[1][members]
        pre, post = np.concatenate([i, j]), np.concatenate([j, i])
        result[pre, post] = rng.permutation(weights[pre, post])
    return result
