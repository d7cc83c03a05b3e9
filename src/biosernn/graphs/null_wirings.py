"""Where each connection may lie in wirings of the same degrees and the same lengths."""

import numpy as np
from jaxtyping import Float, Int

NEAREST = 30
"""Places on which a connection may fall, about as far apart as it is long."""

BALANCINGS = 50
"""Passes over the degrees, out and in."""


def null_wirings(
    pre: Int[np.ndarray, " edges"],
    post: Int[np.ndarray, " edges"],
    distances: Float[np.ndarray, "n n"],
    nearest: int = NEAREST,
) -> tuple[Int[np.ndarray, "edges near"], Float[np.ndarray, "edges near"]]:
    """Give every connection the pairs it may fall on, and how likely each is.

    The pairs are those whose distance ranks next to the connection's own, of all from a neuron that
    has connections to one that gets some. Their chances are the product of a factor of the
    presynaptic and one of the postsynaptic neuron, which are balanced until every neuron can expect
    as many connections, out and in, as it has. Degrees are so kept on average, and two connections
    may fall on one pair. Swaps of connections' ends would keep them exactly, but few swaps keep the
    lengths too.

    Parameters
    ----------
    pre, post
        The neurons that each connection joins, from pre to post.
    distances
        (N, N) between the neurons, in any unit of length.
    nearest
        How many pairs each connection may fall on, at most.

    Returns
    -------
    pairs, chances
        (edges, nearest) each: places in the flattened (N, N), and chances that sum to 1.

    References
    ----------
    Degrees times a function of distance: Expert et al. 2011, doi 10.1073/pnas.1018962108;
    balancing: Deming & Stephan 1940, doi 10.1214/aoms/1177731829.

    Examples
    --------
    >>> places = np.random.default_rng(0).uniform(size=(6, 3))
    >>> distances = np.linalg.norm(places[:, None] - places, axis=-1)
    >>> pairs, chances = null_wirings(np.array([0, 0]), np.array([1, 2]), distances, 30)
    >>> sorted({int(pair) for pair in pairs[chances > 0.1]})
    [1, 2]

    """
    n = len(distances)
    out, into = (np.bincount(ends, minlength=n).astype(float) for ends in (pre, post))
    between = np.flatnonzero(np.outer(out, into) * ~np.eye(n, dtype=bool))
    order = between[np.argsort(distances.ravel()[between], kind="stable")]
    rank = np.empty(n * n, int)
    rank[order] = np.arange(len(order))
    nearest = min(nearest, len(order))
    first = np.clip(rank[pre * n + post] - nearest // 2, 0, len(order) - nearest)
    pairs = order[first[:, None] + np.arange(nearest)]
    senders, receivers = np.divmod(pairs, n)
    sending, receiving = out.copy(), into.copy()

    def chances() -> Float[np.ndarray, "edges near"]:
        products = sending[senders] * receiving[receivers]
        return products / products.sum(axis=1, keepdims=True)

    for _ in range(BALANCINGS):
        for factor, ends, wanted in ((sending, senders, out), (receiving, receivers, into)):
            expected = np.bincount(ends.ravel(), chances().ravel(), n)
            factor *= np.divide(wanted, expected, out=np.zeros(n), where=expected > 0)
    return pairs, chances()
