"""Communities by greedy maximisation of modularity."""

import numpy as np
from jaxtyping import Bool, Int


def greedy_communities(adjacency: Bool[np.ndarray, "n n"]) -> Int[np.ndarray, " n"]:
    """Merge the two linked communities that raise modularity most until none raises it.

    The partition is that of `networkx.community.greedy_modularity_communities`, equal gains
    included (the lowest-numbered pair first, the second's number staying), on a dense matrix of
    gains in the place of heaps.

    Parameters
    ----------
    adjacency
        (N, N), symmetric, without self-loops.

    Returns
    -------
    (N,), the number from 0 of each neuron's community.

    References
    ----------
    Clauset, Newman & Moore 2004, doi 10.1103/PhysRevE.70.066111.

    Examples
    --------
    >>> two_triangles = np.kron(np.eye(2), 1 - np.eye(3)).astype(bool)
    >>> two_triangles[2, 3] = two_triangles[3, 2] = True
    >>> greedy_communities(two_triangles)
    array([0, 0, 0, 1, 1, 1])

    """
    n = len(adjacency)
    community = np.arange(n)
    degrees = adjacency.sum(axis=0)
    if not degrees.any():
        return community
    edge = 2 / degrees.sum()
    share = degrees * edge * 0.5
    gain = np.where(adjacency, edge - 2 * np.outer(share, share), -np.inf)
    while True:
        gone, kept = divmod(int(gain.argmax()), n)
        if gain[gone, kept] < 0:
            return np.unique(community, return_inverse=True)[1]
        of_gone, of_kept = gain[gone], gain[kept]
        merged = np.where(
            np.isinf(of_gone),
            of_kept - 2 * share[gone] * share,
            np.where(np.isinf(of_kept), of_gone - 2 * share[kept] * share, of_kept + of_gone),
        )
        merged[[gone, kept]] = -np.inf
        gain[kept] = gain[:, kept] = merged
        gain[gone] = gain[:, gone] = -np.inf
        share[kept] += share[gone]
        share[gone] = 0
        community[community == gone] = kept
