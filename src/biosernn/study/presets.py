"""Studies by name, each a base that a study file or the command line can change."""

from dataclasses import fields

from biosernn.errors import BadInput
from biosernn.protocol import Protocol
from biosernn.study.arms import ARMS, PUBLISHED_ARMS
from biosernn.study.spec import Study

QUICK_ARMS = ("W*D*C", "shuffled-in-bins", "diagonal-only", "positions-shuffled", "WD*C", "W0")
PAPER_ARMS = (
    "W*D*C",
    "diagonal-only",
    "shuffled-in-bins",
    "off-diagonal-rescaled",
    "constant-diagonal",
    "positions-shuffled",
    "WD*C",
    "WDC",
    "W*",
    "W0",
    "wiring",
    "wiring-distance-rewired",
)
CONTROL_ARMS = ("W*D*C", "WD*C", "WDC", "W*", "W0", *list(ARMS)[13:])
QUIRK_ARMS = ("W*D*C", "WD*C", "WDC", "W", "W*D*C*", "WD*C*")

_DEPARTURES = tuple(field.name for field in fields(Protocol))
_CUMULATIVE = tuple("+".join(_DEPARTURES[:n]) for n in range(2, len(_DEPARTURES)))
_COHORT = ("microns:6_6_2",)


def _arms(names: tuple[str, ...]) -> tuple:
    return tuple(ARMS[name] for name in names)


PRESETS: dict[str, tuple[str, Study]] = {
    "quick": (
        "six arms on 48 synthetic neurons, a first look in about two minutes",
        Study("quick", ("synthetic:64",), ("maze",), _arms(QUICK_ARMS), 10, 48, True),
    ),
    "paper": (
        "the seed study's question with its controls, 128 units, both protocols",
        Study(
            "paper",
            _COHORT,
            ("maze",),
            _arms(PAPER_ARMS),
            20,
            128,
            True,
            protocols=("corrected", "published"),
        ),
    ),
    "grid": (
        "the thirteen arms of the follow-up's tables on three tasks, whole cohort",
        Study(
            "grid",
            _COHORT,
            ("maze", "go_no_go", "perceptual"),
            _arms((*PUBLISHED_ARMS, "W*", "W0")),
            20,
            task_seeds=(("go_no_go", 10), ("perceptual", 10)),
        ),
    ),
    "controls": (
        "every control of the initial weights and of the geometry, 128 units",
        Study("controls", _COHORT, ("maze",), _arms(CONTROL_ARMS), 20, 128, True),
    ),
    "quirks": (
        "each departure of the released code, alone and added up, 128 units",
        Study(
            "quirks",
            _COHORT,
            ("maze",),
            _arms(QUIRK_ARMS),
            20,
            128,
            True,
            protocols=(
                "corrected",
                *(f"corrected+{name}" for name in _DEPARTURES),
                *(f"corrected+{names}" for names in _CUMULATIVE),
                "published",
            ),
            recipes=("seed",),
        ),
    ),
}
"""What each preset asks, and the preset."""


def preset(name: str) -> Study:
    """Look a preset up.

    Raises
    ------
    BadInput
        If there is none of that name.

    Examples
    --------
    >>> preset("quick").seeds
    10

    """
    if name not in PRESETS:
        raise BadInput("preset", f"{name!r} is unknown", f"use one of {', '.join(PRESETS)}")
    return PRESETS[name][1]
