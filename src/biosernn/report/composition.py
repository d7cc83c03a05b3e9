"""What an arm's start weights are made of, and the colour that says so in every figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from biosernn.report.style import BLUE, GREEN, PURPLE, QUIET, VERMILLION

Arms = Mapping[str, Mapping[str, object]]
"""By name, the fields of each arm: `init`, `geometry`, `communicability`, `diagonal`."""


@dataclass(frozen=True)
class Kind:
    """A kind of start weights, in words and as a colour."""

    heading: str
    colour: str


WHOLE = Kind("Self-weights and off-diagonal from W_bio", BLUE)
SELF = Kind("Self-weights from W_bio, off-diagonal not", VERMILLION)
BETWEEN = Kind("Off-diagonal from W_bio, self-weights not", GREEN)
WIRED = Kind("Off-diagonal from the measured wiring", PURPLE)
NEITHER = Kind("Neither from W_bio", QUIET)
KINDS = (WHOLE, SELF, BETWEEN, WIRED, NEITHER)


@dataclass(frozen=True)
class Composition:
    """What stands on the diagonal and off it, in words, and the kind that this makes."""

    self_weights: str
    off_diagonal: str
    kind: Kind


_BY_INIT = {
    "bio": Composition("bio", "bio", WHOLE),
    "relabelled": Composition("bio", "bio, relabelled", WHOLE),
    "corr-only": Composition("bio", "correlation", WHOLE),
    "sttc-only": Composition("bio", "STTC", WHOLE),
    "precision-sttc": Composition("bio", "precision × STTC", WHOLE),
    "diagonal-only": Composition("bio", "absent", SELF),
    "shuffled-in-bins": Composition("bio", "shuffled in bins", SELF),
    "shuffled": Composition("bio", "shuffled", SELF),
    "moment-matched": Composition("bio", "drawn", SELF),
    "wiring": Composition("bio", "wiring", WIRED),
    "wiring-rewired": Composition("bio", "wiring shuffled", SELF),
    "wiring-distance-rewired": Composition("bio", "wiring shuffled", SELF),
    "off-diagonal": Composition("absent", "bio", BETWEEN),
    "off-diagonal-rescaled": Composition("absent", "bio, rescaled", BETWEEN),
    "constant-diagonal": Composition("constant", "bio", BETWEEN),
    "rotated": Composition("mixed by QᵀWQ", "mixed by QᵀWQ", NEITHER),
    "identity": Composition("constant", "absent", NEITHER),
    "lognormal": Composition("drawn", "drawn", NEITHER),
    "orthogonal": Composition("orthogonal", "orthogonal", NEITHER),
}
_GEOMETRY = {"shuffled": "positions shuffled", "none": "no geometry"}


def composition(arm: Mapping[str, object]) -> Composition:
    """Tell what an arm's start weights are made of from its `init` and `diagonal`.

    Examples
    --------
    >>> composition({"init": "shuffled-in-bins"}).off_diagonal
    'shuffled in bins'
    >>> composition({"init": "bio", "diagonal": "drop"}).self_weights
    'absent'

    """
    init = str(arm.get("init", "unknown"))
    made_of = _BY_INIT.get(init, Composition(init, init, NEITHER))
    if made_of.self_weights == "bio" and str(arm.get("diagonal", "keep")).startswith("drop"):
        kind = {WHOLE: BETWEEN, SELF: NEITHER}.get(made_of.kind, made_of.kind)
        return Composition("absent", made_of.off_diagonal, kind)
    return made_of


def in_words(arm: Mapping[str, object]) -> str:
    """Self-weights, off-diagonal, and the geometry where it is not the real one.

    Examples
    --------
    >>> in_words({"init": "bio", "geometry": "shuffled"})
    'bio · bio · positions shuffled'

    """
    made_of, geometry = composition(arm), str(arm.get("geometry", "real"))
    parts = [made_of.self_weights, made_of.off_diagonal]
    if made_of.kind is NEITHER and parts[0] == parts[1]:
        parts = parts[:1]
    if geometry != "real":
        parts.append(_GEOMETRY.get(geometry, geometry))
    return " · ".join(parts)


def grouped(names: Sequence[str], arms: Arms) -> dict[Kind, list[str]]:
    """Sort arms by kind, keeping their order within each; kinds without an arm are left out."""
    kinds: dict[Kind, list[str]] = {kind: [] for kind in KINDS}
    for name in names:
        kinds[composition(arms.get(name, {})).kind].append(name)
    return {kind: members for kind, members in kinds.items() if members}


def colour(name: str, arms: Arms) -> str:
    """Colour of an arm by its name."""
    return composition(arms.get(name, {})).kind.colour
