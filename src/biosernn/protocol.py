"""What is chosen for a whole study: the protocol and the training recipe.

A `Protocol` has one named field per departure of the released code from the seed study's text; each
field's default is the corrected choice, so that `dataclasses.replace` switches one departure alone.
"""

from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Literal, get_args

from biosernn.errors import BadInput


@dataclass(frozen=True)
class Protocol:
    """One field per departure of the released code from the published text.

    Attributes
    ----------
    threshold
        W_bio entries below 0.01: set to 0, or raised to it (`floor`) where they are not 0.
    l1_strength
        The L1 penalty's strength: λ, or always 1.
    matched_wiring_term
        The wiring term beside the communicability match: with the factor C, or distance only.
    isolated
        Neurons without weights in the communicability: contribute 0, or as released (NaN in the
        own-communicability penalty, strengths of 1e-10 in the matched one).
    positions
        True soma positions, or min-max scaled per axis after a reshape that mixes the axes.
    geometry_scale
        Distances scaled to mean pairwise distance 1, or left as they are.
    connectome_order
        Wiring aligned to the neurons, or in the order of the released file.
    bins
        Event counts in bins of one imaging frame, or of 200 ms.
    strength_match
        λ matched over penalty kinds on a common reference, or used as it is.
    draws
        Task data drawn per run and reshuffled every epoch, or one fixed draw in one fixed order.
    heldout
        The data that the learning curves are read on.
    accuracy
        The run's accuracy: noise-free on test data, or the last epoch's training accuracy.
    nulls
        Random graphs matched in density, or of 18 % density whatever the network's.

    Examples
    --------
    >>> from dataclasses import replace
    >>> replace(Protocol(), threshold="floor").departures()
    ('threshold',)
    >>> len(PUBLISHED.departures())
    13

    """

    threshold: Literal["zero", "floor"] = "zero"
    l1_strength: Literal["lambda", "one"] = "lambda"
    matched_wiring_term: Literal["with_c", "distance_only"] = "with_c"
    isolated: Literal["zero", "released"] = "zero"
    positions: Literal["true", "minmax_scrambled"] = "true"
    geometry_scale: Literal["mean_distance_one", "as_is"] = "mean_distance_one"
    connectome_order: Literal["aligned", "file"] = "aligned"
    bins: Literal["frames", "ms200"] = "frames"
    strength_match: Literal["common", "as_is"] = "common"
    draws: Literal["per_run", "shared_fixed"] = "per_run"
    heldout: Literal["validation", "test"] = "validation"
    accuracy: Literal["test", "last_training_epoch"] = "test"
    nulls: Literal["matched", "density_18"] = "matched"

    def __post_init__(self) -> None:
        for field in fields(self):
            allowed, value = get_args(field.type), getattr(self, field.name)
            if value not in allowed:
                raise BadInput(
                    f"protocol {field.name}", f"{value!r} is unknown", f"use {' or '.join(allowed)}"
                )

    def departures(self) -> tuple[str, ...]:
        """Names of the fields that differ from the corrected protocol."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) != f.default)


CORRECTED = Protocol()
PUBLISHED = Protocol(**{f.name: get_args(f.type)[1] for f in fields(Protocol)})
PROTOCOLS = {"corrected": CORRECTED, "published": PUBLISHED}


@dataclass(frozen=True)
class Recipe:
    """How the weights are stepped: Adam's learning rate and the data gradient's largest norm.

    Attributes
    ----------
    learning_rate
        Adam's step size.
    clip
        Largest 2-norm of the cross-entropy's gradient over all five arrays together (Pascanu et
        al. 2013, arXiv 1211.5063); infinite = never clipped. The penalty's gradient is added
        afterwards and never clipped.

    Examples
    --------
    >>> RECIPES["clipped"]
    Recipe(learning_rate=0.001, clip=1.0)

    """

    learning_rate: float = 1e-3
    clip: float = float("inf")

    def __post_init__(self) -> None:
        for name in ("learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise BadInput(f"recipe {name}", "must be above 0", "give a positive number")


RECIPES = {"seed": Recipe(), "clipped": Recipe(clip=1.0)}

TUNED = "tuned"
"""Name of the recipe that is chosen for each arm from `GRID`."""

GRID = tuple(
    Recipe(learning_rate, clip)
    for learning_rate in (1e-4, 3e-4, 1e-3, 3e-3)
    for clip in (float("inf"), 1.0)
)
"""What `tuned` chooses from, in the order that settles a tie."""


@cache
def protocol_named(name: str) -> Protocol:
    """Look a protocol up: `corrected`, `published`, or corrected with single departures.

    Parameters
    ----------
    name
        For example `corrected+threshold+bins`, each word after the first naming a field of
        `Protocol` that takes its published choice.

    Raises
    ------
    BadInput
        If a word is neither a protocol nor a field.

    Examples
    --------
    >>> protocol_named("corrected+threshold").threshold
    'floor'

    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    base, *switched = name.split("+")
    if base != "corrected":
        raise BadInput(f"protocol {name}", "is unknown", "use corrected, published or both")
    known = [field.name for field in fields(Protocol)]
    for number, field in enumerate(switched):
        if field not in known:
            raise BadInput(f"protocol {name}", f"{field!r} is no field", f"use {', '.join(known)}")
        if field in switched[:number]:
            raise BadInput(f"protocol {name}", f"{field!r} is there twice", "name each field once")
    return replace(CORRECTED, **{field: getattr(PUBLISHED, field) for field in switched})
