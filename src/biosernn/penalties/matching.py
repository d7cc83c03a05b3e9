"""The strength at which one kind of penalty weighs as much as another."""

import math
from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from biosernn.graphs.communicability import communicability

DRAWS = 16


def matched_strength(
    strength: float,
    kind: Literal["l1", "distance", "distance_communicability"],
    distances: Float[np.ndarray, "n n"],
    reference_distances: Float[np.ndarray, "n n"],
) -> float:
    """λ_k = λ E[penalty of the reference](O) / E[penalty k](O), O an orthogonal Haar matrix.

    The reference is distance x communicability on the real positions. The law of O does not
    change when the neurons are relabelled, so that E[|O_ij| C_ij] is the same for all i ≠ j, and
    E[λ Σ|O| C D] = λ E[|O_ij| C_ij] ΣD. Distances thus enter through their sum alone. E|O_ij| =
    Γ(N/2) / (√π Γ((N+1)/2)) exactly; E[|O_ij| C_ij] is the mean over all off-diagonal entries of
    16 draws from a fixed key.

    Parameters
    ----------
    strength
        λ, the strength of the reference penalty.
    kind
        The penalty whose strength is wanted; a matched communicability counts by its wiring term.
    distances
        (N, N), that penalty's; unused for `l1`.
    reference_distances
        (N, N), of the real positions, in the same unit.

    Returns
    -------
    λ_k.

    Examples
    --------
    >>> distances = 1 - np.eye(8)
    >>> matched_strength(0.3, "distance_communicability", 2 * distances, distances)
    0.15

    """
    if kind == "distance_communicability":
        return float(strength * (np.sum(reference_distances) / np.sum(distances)))
    n = len(reference_distances)
    expected = _mean_weight(n) * (n**2 if kind == "l1" else np.sum(distances))
    return float(strength * _mean_communicating_weight(n) * np.sum(reference_distances) / expected)


def _mean_weight(n: int) -> float:
    """E|O_ij|: of one coordinate of a random point on the unit sphere."""
    return math.exp(math.lgamma(n / 2) - math.lgamma((n + 1) / 2)) / math.sqrt(math.pi)


@cache
def _mean_communicating_weight(n: int) -> float:
    """E[|O_ij| C_ij] for i ≠ j; signs do not matter, so QR's own serve."""
    rng = np.random.default_rng(20834365)
    total = 0.0
    with threadpool_limits(1):
        for _ in range(DRAWS):
            orthogonal, _upper = np.linalg.qr(rng.normal(size=(n, n)))
            total += np.sum(np.abs(orthogonal) * communicability(orthogonal))
    return float(total / (DRAWS * n * (n - 1)))
