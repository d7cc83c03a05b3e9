"""The spatial penalty as one object: distances, a strength and a kind of communicability."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from biosernn.errors import BadInput
from biosernn.penalties.distance import distance_penalty
from biosernn.penalties.distance_communicability import distance_communicability_penalty
from biosernn.penalties.matched_communicability import (
    matched_communicability_penalty,
    sorted_target,
)


@dataclass(frozen=True, eq=False)
class SpatialPenalty:
    """The cost of recurrent weights in space: called with W, it returns a scalar.

    The gradient (`jax.grad`) is finite everywhere unless `isolated` is `released`; that of |W| at
    0 is 0. The result has the dtype of W.

    Parameters
    ----------
    distances
        (N, N) between the neurons, used as given; `biosernn.geometry` scales them.
    strength
        λ, finite and at least 0.
    communicability
        `none`: λ Σ |W| ⊙ D. `own`: λ Σ |W| ⊙ C ⊙ D with the weights' own communicability C. An
        (N, N) array: the same, and 0.1 times the mean difference between this target's sorted
        entries and C's.
    matched_wiring_term
        With a target, the first term keeps its factor C, or is by distance only, as released.
    isolated
        Neurons without outgoing weights contribute 0, or what they do in the released code.

    Raises
    ------
    BadInput
        Where distances, strength, a choice or the shape of W cannot be used.

    References
    ----------
    Achterberg et al. 2023, doi 10.1038/s42256-023-00748-9; released code of arXiv 2606.14975.

    Examples
    --------
    >>> penalty = SpatialPenalty(np.array([[0.0, 2.0], [2.0, 0.0]]), strength=0.5)
    >>> penalty(jnp.array([[7.0, -1.0], [2.0, 7.0]]))
    Array(3., dtype=float32)

    """

    distances: Float[np.ndarray, "n n"]
    strength: float
    communicability: Literal["none", "own"] | Float[np.ndarray, "n n"] = "none"
    matched_wiring_term: Literal["with_c", "distance_only"] = "with_c"
    isolated: Literal["zero", "released"] = "zero"

    def __post_init__(self) -> None:
        object.__setattr__(self, "distances", _square("distances", self.distances))
        if not (self.distances >= 0).all():
            raise BadInput("distances", "not all >= 0", "give lengths")
        n = len(self.distances)
        if not (np.isfinite(self.strength) and self.strength >= 0):
            raise BadInput("strength", f"{self.strength} is not finite and >= 0", "give such a λ")
        if not isinstance(self.communicability, str):
            target = _square("communicability", self.communicability)
            if len(target) != n:
                raise BadInput("communicability", f"not ({n}, {n})", "match it to the distances")
            object.__setattr__(self, "communicability", target)
        elif self.communicability not in ("none", "own"):
            what = f"{self.communicability!r} is unknown"
            raise BadInput("communicability", what, "use none, own or an (N, N) array")
        for name, allowed in (
            ("matched_wiring_term", ("with_c", "distance_only")),
            ("isolated", ("zero", "released")),
        ):
            if getattr(self, name) not in allowed:
                what = f"{getattr(self, name)!r} is unknown"
                raise BadInput(name, what, f"use {' or '.join(allowed)}")

    def __call__(self, weights: Float[Array, "n n"]) -> Float[Array, ""]:
        """Penalty of the recurrent weights W, (N, N) with row = presynaptic."""
        weights = jnp.asarray(weights)
        if weights.shape != self.distances.shape:
            what = f"shape {weights.shape} is not that of the distances, {self.distances.shape}"
            raise BadInput("weights", what, "give distances between the same neurons")
        if isinstance(self.communicability, np.ndarray):
            return matched_communicability_penalty(
                weights,
                self.distances,
                self.strength,
                self._sorted_target,
                self.matched_wiring_term,
                self.isolated,
            )
        if self.communicability == "own":
            return distance_communicability_penalty(
                weights, self.distances, self.strength, self.isolated
            )
        return distance_penalty(weights, self.distances, self.strength)

    @cached_property
    def _sorted_target(self) -> Float[np.ndarray, "entries"]:
        return sorted_target(np.asarray(self.communicability), self.isolated)


def _square(name: str, matrix: object) -> np.ndarray:
    matrix = np.asarray(matrix, float)
    if matrix.ndim != 2 or len(matrix) != matrix.shape[1]:
        raise BadInput(name, f"shape {matrix.shape} is not (N, N)", "give a square matrix")
    if not np.isfinite(matrix).all():
        raise BadInput(name, "not all finite", "leave out the neurons at fault")
    return matrix
