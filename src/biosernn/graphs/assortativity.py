"""Degree assortativity: whether well-linked neurons link to each other."""

import numpy as np
from jaxtyping import Bool


def degree_assortativity(adjacency: Bool[np.ndarray, "n n"]) -> float:
    """Pearson correlation of the degrees at the two ends of an edge.

    Parameters
    ----------
    adjacency
        (N, N), symmetric, without self-loops.

    Returns
    -------
    Between -1 and 1; NaN where all linked neurons have the same degree.

    References
    ----------
    Newman 2002, doi 10.1103/PhysRevLett.89.208701.

    Examples
    --------
    >>> path = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]], bool)
    >>> degree_assortativity(path)
    -0.5

    """
    degrees = adjacency.sum(axis=0)
    n_ends, squares, cubes = (int((degrees**power).sum()) for power in (1, 2, 3))
    products = int(degrees @ (adjacency @ degrees))
    variance = n_ends * cubes - squares**2
    return (n_ends * products - squares**2) / variance if variance else float("nan")
