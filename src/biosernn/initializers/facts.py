"""What is recorded of the initial weights of every run."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from biosernn.graphs.slow_modes import SLOW
from biosernn.initializers.diagonal import off_diagonal
from biosernn.initializers.radius import eigenvalues, spectral_radius


@dataclass(frozen=True)
class WeightFacts:
    """How much of a recurrent network's initial memory its self-weights carry.

    Attributes
    ----------
    largest_self_weight
        The largest entry of the diagonal.
    eigenvalues_above_08
        How many eigenvalues have a modulus above 0.8: the slow modes.
    spectral_radius
        The largest modulus of an eigenvalue.
    radius_without_diagonal
        The same with all self-weights set to 0.

    """

    largest_self_weight: float
    eigenvalues_above_08: int
    spectral_radius: float
    radius_without_diagonal: float


def weight_facts(weights: Float[np.ndarray, "n n"]) -> WeightFacts:
    """Self-weights, slow modes and spectral radii.

    Parameters
    ----------
    weights
        (N, N), the initial recurrent weights.

    Returns
    -------
    Four numbers.

    Examples
    --------
    >>> weight_facts(np.array([[0.9, 0.0], [5.0, 0.3]]))
    WeightFacts(largest_self_weight=0.9, eigenvalues_above_08=1, spectral_radius=0.9,
                radius_without_diagonal=0.0)

    """
    moduli = np.abs(eigenvalues(weights))
    return WeightFacts(
        largest_self_weight=float(np.diagonal(weights).max()),
        eigenvalues_above_08=int(np.sum(moduli > SLOW)),
        spectral_radius=float(moduli.max()),
        radius_without_diagonal=spectral_radius(off_diagonal(weights)),
    )
