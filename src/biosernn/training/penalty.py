"""Which penalty a program computes, and the numbers it computes it from."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from biosernn.penalties.distance import distance_penalty
from biosernn.penalties.distance_communicability import distance_communicability_penalty
from biosernn.penalties.l1 import l1
from biosernn.penalties.matched_communicability import matched_communicability_penalty


@dataclass(frozen=True)
class PenaltyKind:
    """Which penalty a program computes; its numbers are inputs of the program.

    Attributes
    ----------
    wiring
        Penalty on |W|: none, its sum, its distances, or distances x communicability.
    matched
        Whether the distance to a target's sorted communicabilities is added.
    isolated
        What a neuron without weights does: contribute 0, or as released.

    """

    wiring: Literal["none", "l1", "distance", "distance_communicability"] = "none"
    matched: bool = False
    isolated: Literal["zero", "released"] = "zero"


class PenaltyInputs(NamedTuple):
    """Numbers of the penalty; arrays that a kind does not use are empty."""

    strength: Float[Array, ""] | float
    distances: Float[Array, "..."] | np.ndarray = np.zeros(0)
    target_sorted: Float[Array, "..."] | np.ndarray = np.zeros(0)


def penalty(
    kind: PenaltyKind, recurrent: Float[Array, "units units"], inputs: PenaltyInputs
) -> Float[Array, ""]:
    """Penalty on the recurrent weights.

    Examples
    --------
    >>> w = jnp.array([[1.0, -2.0], [0.0, 3.0]])
    >>> float(penalty(PenaltyKind("l1"), w, PenaltyInputs(0.5)))
    3.0

    """
    strength, distances, target_sorted = inputs
    if kind.matched:
        with_c = kind.wiring == "distance_communicability"
        return matched_communicability_penalty(
            recurrent,
            distances,
            strength,
            target_sorted,
            "with_c" if with_c else "distance_only",
            kind.isolated,
        )
    if kind.wiring == "l1":
        return l1(recurrent, strength)
    if kind.wiring == "distance":
        return distance_penalty(recurrent, distances, strength)
    if kind.wiring == "distance_communicability":
        return distance_communicability_penalty(recurrent, distances, strength, kind.isolated)
    return jnp.zeros((), recurrent.dtype)
