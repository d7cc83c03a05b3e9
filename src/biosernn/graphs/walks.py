"""How many walks of two steps join two neurons."""

import numpy as np
from jaxtyping import Bool, Float


def two_step_walks(adjacency: Bool[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """Number of walks of two steps between every two neurons of an undirected graph.

    Clustering and efficiency both start from it. The counts and their sums over a row are whole
    numbers below 2^24 up to 4096 neurons, so that single precision is exact there.

    Parameters
    ----------
    adjacency
        (N, N), symmetric; self-loops count as steps.

    Returns
    -------
    (N, N), float32 up to 4096 neurons and float64 beyond.

    Examples
    --------
    >>> path = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)
    >>> two_step_walks(path)
    array([[1., 0., 1.],
           [0., 2., 0.],
           [1., 0., 1.]], dtype=float32)

    """
    exact: type[np.floating] = np.float32 if len(adjacency) <= 4096 else np.float64
    steps = adjacency.astype(exact)
    return steps @ steps.T
