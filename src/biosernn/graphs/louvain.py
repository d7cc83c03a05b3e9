"""Communities by the Louvain method."""

import numpy as np
from jaxtyping import Bool, Int


def louvain_communities(adjacency: Bool[np.ndarray, "n n"], seed: int) -> Int[np.ndarray, " n"]:
    """Move neurons, then whole communities, as long as modularity rises (networkx).

    Parameters
    ----------
    adjacency
        (N, N), symmetric, without self-loops.
    seed
        Of the order in which the neurons are visited.

    Returns
    -------
    (N,), the number from 0 of each neuron's community.

    References
    ----------
    Blondel et al. 2008, doi 10.1088/1742-5468/2008/10/P10008.

    Examples
    --------
    >>> two_triangles = np.kron(np.eye(2), 1 - np.eye(3)).astype(bool)
    >>> two_triangles[2, 3] = two_triangles[3, 2] = True
    >>> louvain_communities(two_triangles, seed=0)
    array([0, 0, 0, 1, 1, 1])

    """
    import networkx

    graph = networkx.empty_graph(len(adjacency))
    graph.add_edges_from(np.argwhere(np.triu(adjacency)).tolist())
    community = np.empty(len(adjacency), int)
    for number, members in enumerate(networkx.community.louvain_communities(graph, seed=seed)):
        community[list(members)] = number
    return community
