"""The one contrast that a study is made to decide, fixed before its first run."""

from dataclasses import dataclass
from typing import Literal, get_args

from biosernn.errors import BadInput

Outcome = Literal["restricted_mean_steps", "solved"]

STRENGTH = 0.3
"""λ of the published study, at which a sweep is tested where it holds it; else at its first."""


@dataclass(frozen=True)
class Primary:
    """An outcome, an arm, its null, and the runs that they are read on.

    Attributes
    ----------
    outcome
        `restricted_mean_steps` or `solved`.
    arm, null
        Names of the two arms.
    recipe, protocol
        The runs it is read on.

    Examples
    --------
    >>> Primary().null
    'shuffled-in-bins'

    """

    outcome: Outcome = "restricted_mean_steps"
    arm: str = "W*D*C"
    null: str = "shuffled-in-bins"
    recipe: str = "clipped"
    protocol: str = "corrected"

    def __post_init__(self) -> None:
        if self.outcome not in get_args(Outcome):
            raise BadInput(
                "primary outcome",
                f"{self.outcome!r} is unknown",
                f"use {' or '.join(get_args(Outcome))}",
            )
