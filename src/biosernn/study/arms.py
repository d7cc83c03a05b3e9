"""Arms: what a network starts from and where it is embedded."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from biosernn.errors import BadInput

Init = Literal[
    "bio",
    "orthogonal",
    "relabelled",
    "diagonal-only",
    "off-diagonal",
    "off-diagonal-rescaled",
    "constant-diagonal",
    "shuffled-in-bins",
    "shuffled",
    "identity",
    "lognormal",
    "corr-only",
    "sttc-only",
    "precision-sttc",
    "moment-matched",
    "rotated",
    "wiring",
    "wiring-rewired",
    "wiring-distance-rewired",
]
Geometry = Literal["real", "shuffled", "grid", "box", "none"]
CommunicabilityChoice = Literal["none", "own", "matched"]
Sign = Literal["free", "nonnegative", "dale"]
Diagonal = Literal["keep", "drop", "drop-rescaled"]

CELL_CLASSES = "cell classes"
"""What Dale's rule needs of a cohort, in the words of an error."""


@dataclass(frozen=True)
class Arm:
    """Initial weights, geometry and communicability, with a name.

    Attributes
    ----------
    name
        As in tables and figures.
    init
        Where the initial recurrent weights come from.
    geometry
        Positions that the penalty's distances are taken between; `none` penalises |W| alone.
    communicability
        The factor C of the penalty: absent, the network's own, or also matched to the measured
        wiring's.
    strength
        λ of this arm, in place of the study's; 0 is no penalty.
    sign
        Weights free in sign, held at 0 or above, or by Dale's rule: at 0 or above where the
        presynaptic neuron is excitatory or of no known class, at 0 or below where it is inhibitory.
    diagonal
        Self-weights where `init` is bio: kept, set to 0, or left out before the scaling.

    Examples
    --------
    >>> Arm("mine", init="identity", geometry="grid").communicability
    'own'
    >>> Arm("mine", init="wiring").needs
    ('corr', 'sttc', 'wiring')

    """

    name: str
    init: Init = "bio"
    geometry: Geometry = "real"
    communicability: CommunicabilityChoice = "own"
    strength: float | None = None
    sign: Sign = "free"
    diagonal: Diagonal = "keep"

    def __post_init__(self) -> None:
        where = f"arm {self.name!r}"
        named = isinstance(self.name, str) and self.name.strip() and self.name.isprintable()
        if not (named and len(self.name) <= 80):
            raise BadInput("arm name", f"{self.name!r} is no name", "give up to 80 characters")
        for field, kind in (
            ("init", Init),
            ("geometry", Geometry),
            ("communicability", CommunicabilityChoice),
            ("sign", Sign),
            ("diagonal", Diagonal),
        ):
            value = getattr(self, field)
            if value not in get_args(kind):
                allowed = ", ".join(get_args(kind))
                raise BadInput(f"{where} {field}", f"{value!r} is unknown", f"use one of {allowed}")
        if self.diagonal != "keep" and self.init != "bio":
            raise BadInput(
                f"{where} diagonal",
                f"acts on W_bio alone, and init is {self.init}",
                'set init = "bio" or leave diagonal out',
            )
        if self.geometry == "none" and self.communicability != "none":
            raise BadInput(
                f"{where} communicability",
                "needs distances, and the geometry is none",
                'set communicability = "none" or name a geometry',
            )
        if self.strength is not None:
            value = finite_number(f"{where} strength", self.strength)
            object.__setattr__(self, "strength", value)
            if value < 0:
                raise BadInput(f"{where} strength", "is below 0", "give a number of 0 or above")

    @property
    def needs(self) -> tuple[str, ...]:
        """Parts of a cohort that the arm cannot do without."""
        factors = {
            "orthogonal": (),
            "identity": (),
            "lognormal": (),
            "corr-only": ("corr",),
            "sttc-only": ("sttc",),
            "precision-sttc": ("precision", "sttc"),
        }.get(self.init, ("corr", "sttc"))
        wired = self.init.startswith("wiring") or self.communicability == "matched"
        classed = self.sign == "dale"
        return (*factors, *("wiring",) * wired, *(CELL_CLASSES,) * classed)

    def table(self) -> dict[str, Any]:
        """Fields as a study file writes them, without what is not set."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def finite_number(where: str, value: object) -> float:
    """A finite int or float as a float; anything else is refused.

    Examples
    --------
    >>> finite_number("strength", 3)
    3.0

    """
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        raise BadInput(where, f"{value!r} is no finite number", "give a number such as 0.3")
    if value != value:
        raise BadInput(where, "is not a number", "give a number such as 0.3")
    return float(value)


_ORTHOGONAL: Init = "orthogonal"
_CONTROLS = get_args(Init)[3:]
_ARMS: tuple[Arm, ...] = (
    Arm("W*D*C"),
    Arm("WD*C", _ORTHOGONAL),
    Arm("WDC", _ORTHOGONAL, "grid"),
    Arm("WD*", _ORTHOGONAL, communicability="none"),
    Arm("WD", _ORTHOGONAL, "grid", "none"),
    Arm("W", _ORTHOGONAL, "none", "none"),
    Arm("W*D*C*", communicability="matched"),
    Arm("WD*C*", _ORTHOGONAL, communicability="matched"),
    Arm("W*DC*", geometry="grid", communicability="matched"),
    Arm("W!D*C", "relabelled"),
    Arm("W!D*C*", "relabelled", communicability="matched"),
    Arm("W*", geometry="none", communicability="none", strength=0.0),
    Arm("W0", _ORTHOGONAL, "none", "none", strength=0.0),
    *(Arm(name, name) for name in _CONTROLS),
    Arm("positions-shuffled", geometry="shuffled"),
    Arm("box", geometry="box"),
)
ARMS: dict[str, Arm] = {arm.name: arm for arm in _ARMS}
"""Every named arm; a further one is one line here."""

PUBLISHED_ARMS = tuple(ARMS)[:11]


def read_arm(where: str, given: object) -> Arm:
    """An arm from its name or its table in a study file.

    Raises
    ------
    BadInput
        If the name or a key is unknown, or a value impossible.

    Examples
    --------
    >>> read_arm("study.toml: arms", "WD*C").init
    'orthogonal'

    """
    known = [field.name for field in fields(Arm)]
    if isinstance(given, Arm):
        return given
    if isinstance(given, str):
        if given not in ARMS:
            raise BadInput(where, f"{given!r} is no arm", f"use one of {', '.join(ARMS)}")
        return ARMS[given]
    if not isinstance(given, dict):
        raise BadInput(where, f"{given!r} is no arm", "give a name or a table with name and init")
    for key in given:
        if key not in known:
            raise BadInput(where, f"unknown key {key!r}", f"use {', '.join(known)}")
    if "name" not in given:
        raise BadInput(where, "an arm's table has no name", 'add name = "..."')
    arm = Arm(**given)
    if arm.name in ARMS and arm != ARMS[arm.name]:
        raise BadInput(where, f"{arm.name!r} names another arm", "give yours a name of its own")
    return arm
