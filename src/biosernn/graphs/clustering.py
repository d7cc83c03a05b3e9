"""Clustering: the share of a neuron's pairs of neighbours that are linked."""

import numpy as np
from jaxtyping import Bool, Float

from biosernn.graphs.walks import two_step_walks


def clustering_coefficients(
    adjacency: Bool[np.ndarray, "n n"], walks: Float[np.ndarray, "n n"] | None = None
) -> Float[np.ndarray, " n"]:
    """Clustering coefficient of every neuron of an undirected binary graph.

    Parameters
    ----------
    adjacency
        (N, N), symmetric. A self-loop makes a neuron its own neighbour, as in the Brain
        Connectivity Toolbox, and its coefficient may then exceed 1.
    walks
        `two_step_walks` of the same graph, where the caller has them already.

    Returns
    -------
    (N,) float64; 0 for a neuron with fewer than two neighbours.

    References
    ----------
    Watts & Strogatz 1998, doi 10.1038/30918; Rubinov & Sporns 2010,
    doi 10.1016/j.neuroimage.2009.10.003.

    Examples
    --------
    >>> triangle_with_a_tail = np.array(
    ...     [[0, 1, 1, 1], [1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]], bool
    ... )
    >>> clustering_coefficients(triangle_with_a_tail)
    array([0.33333333, 1.        , 1.        , 0.        ])

    """
    walks = two_step_walks(adjacency) if walks is None else walks
    steps = adjacency.astype(walks.dtype)
    degrees = steps.sum(axis=1, dtype=float)
    linked_neighbours = np.vecdot(steps, walks).astype(float)
    pairs = degrees * (degrees - 1)
    return np.divide(linked_neighbours, pairs, out=np.zeros(len(pairs)), where=pairs > 0)
