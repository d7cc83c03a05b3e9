"""Global efficiency: the mean of the inverse distances between neurons."""

import numpy as np
from jaxtyping import Bool, Float

from biosernn.graphs.walks import two_step_walks


def global_efficiency(
    adjacency: Bool[np.ndarray, "n n"], walks: Float[np.ndarray, "n n"] | None = None
) -> float:
    """Mean over all pairs of 1 / (steps on the shortest path), 0 for pairs without a path.

    The neurons reached within 1, 2, 3, … steps are found one length after the other by matrix
    products, from the third on only for those that have not reached all others.

    Parameters
    ----------
    adjacency
        (N, N), symmetric, N ≥ 2; self-loops make no path shorter.
    walks
        `two_step_walks` of the same graph, where the caller has them already.

    References
    ----------
    Latora & Marchiori 2001, doi 10.1103/PhysRevLett.87.198701.

    Examples
    --------
    >>> path = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)
    >>> global_efficiency(path)  # (1 + 1 + 1/2) / 3
    0.8333333333333334

    """
    n = len(adjacency)
    walks = two_step_walks(adjacency) if walks is None else walks
    reached = (walks > 0) | adjacency
    np.fill_diagonal(reached, True)
    n_linked = np.count_nonzero(adjacency) - np.count_nonzero(adjacency.diagonal())
    total = n_linked + (np.count_nonzero(reached) - n - n_linked) / 2
    steps, length = adjacency.astype(walks.dtype), 3
    while len(reached := reached[~reached.all(axis=1)]):
        further = reached | (reached.astype(steps.dtype) @ steps > 0)
        n_new = np.count_nonzero(further) - np.count_nonzero(reached)
        if not n_new:
            break
        total += n_new / length
        reached, length = further, length + 1
    return float(total / (n * (n - 1)))
