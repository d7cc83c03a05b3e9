"""The study: what is asked, before any cohort is opened."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tomli_w

from biosernn.errors import BadInput
from biosernn.protocol import RECIPES, protocol_named
from biosernn.study.arms import ARMS, Arm, finite_number, read_arm
from biosernn.study.primary import Primary
from biosernn.tasks.registry import TASKS

LARGEST_FILE = 1_000_000
"""Bytes; a study file above this is refused unread."""

MOST_DOTS = 300
"""In one line; the memory that a dotted key takes grows with the square of its parts."""

MOST_COHORTS = 100


@dataclass(frozen=True)
class Study:
    """What is asked: cohorts, arms, tasks, conditions and the contrast that decides.

    Attributes
    ----------
    name
        The preset it started from.
    cohort
        References of the cohorts, in the words of the command line.
    tasks, arms
        What is trained, and which networks.
    seeds
        Repetitions of every arm, 2 to 10,000.
    units
        Neurons drawn per seed; None is the whole cohort.
    units_at_most
        Whether a smaller cohort is used whole instead of being refused.
    strength
        λ, one or several.
    epochs
        Passes through the training trials.
    protocols
        Names as in `biosernn.protocol.protocol_named`.
    recipes
        Names in `RECIPES`; None is both under corrected protocols and `seed` under `published`.
    primary
        The contrast that decides.
    primary_is_own
        Whether a file names it, so that its arms and recipe must be there.

    Examples
    --------
    >>> study = Study("mine", ("synthetic",), ("maze",), (ARMS["W*D*C"],), 10)
    >>> study.conditions
    (('corrected', 'seed'), ('corrected', 'clipped'))

    """

    name: str
    cohort: tuple[str, ...]
    tasks: tuple[str, ...]
    arms: tuple[Arm, ...]
    seeds: int
    units: int | None = None
    units_at_most: bool = False
    strength: tuple[float, ...] = (0.3,)
    epochs: int = 10
    protocols: tuple[str, ...] = ("corrected",)
    recipes: tuple[str, ...] | None = None
    primary: Primary = field(default_factory=Primary)
    primary_is_own: bool = False

    def __post_init__(self) -> None:
        for key in ("cohort", "tasks", "arms", "strength", "protocols", "recipes"):
            _distinct(key, getattr(self, key))
        for task in self.tasks:
            if task not in TASKS:
                raise BadInput("tasks", f"{task!r} is unknown", f"use {', '.join(TASKS)}")
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise BadInput("arms", "two arms share a name", "give each its own")
        _whole("seeds", self.seeds, 2, 10_000)
        _whole("epochs", self.epochs, 1, 1_000)
        if self.units is not None:
            _whole("units", self.units, 8, 100_000)
        for value in self.strength:
            if finite_number("strength", value) < 0:
                raise BadInput("strength", f"{value} is below 0", "give 0 or more")
        for name in self.protocols:
            protocol_named(name)
        for name in self.recipes or ():
            if name not in RECIPES:
                raise BadInput(
                    "recipe", f"{name!r} is unknown", f"use {', '.join(RECIPES)} or both"
                )
        if len(self.cohort) > MOST_COHORTS:
            raise BadInput("cohort", f"names {len(self.cohort)}", f"name at most {MOST_COHORTS}")
        if self.primary_is_own:
            self._check_primary(names)

    def _check_primary(self, names: list[str]) -> None:
        for side in (self.primary.arm, self.primary.null):
            if side not in names:
                raise BadInput(
                    "primary contrast", f"{side!r} is not among the arms", "add it to arms"
                )
        if self.primary.protocol not in self.protocols:
            raise BadInput(
                "primary protocol",
                f"{self.primary.protocol!r} is not run",
                "name a protocol of the study",
            )
        if (self.primary.protocol, self.primary.recipe) not in self.conditions:
            raise BadInput(
                "primary recipe",
                f"{self.primary.recipe!r} under {self.primary.protocol!r} is not run",
                "name a recipe and a protocol of the study",
            )

    @property
    def conditions(self) -> tuple[tuple[str, str], ...]:
        """Every (protocol, recipe) that is run."""
        return tuple(
            (protocol, recipe)
            for protocol in self.protocols
            for recipe in self.recipes or (("seed",) if protocol == "published" else tuple(RECIPES))
        )

    @classmethod
    def read(cls, path: str | Path) -> "Study":
        """Read a study file.

        Parameters
        ----------
        path
            A TOML file with one table, `[study]`; what it leaves out comes from its preset.

        Raises
        ------
        BadInput
            If it is no TOML file, is empty, has an unknown key or an impossible value.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "mine.toml"
        ...     _ = path.write_text('[study]\\npreset = "quick"\\nseeds = 20\\n')
        ...     Study.read(path).seeds
        20

        """
        table = _read_table(Path(path))
        from biosernn.study.presets import preset

        try:
            base = preset(_text("preset", table.pop("preset", "quick")))
            return base.with_options(**_options(table))
        except BadInput as fault:
            raise BadInput(f"{path}: {fault.where}", fault.what, fault.remedy) from None
        except ValueError as fault:
            raise BadInput(path, f"holds an impossible value: {fault}", "mend it") from None

    def with_options(self, **options: Any) -> "Study":
        """Replace some choices, given in a study file's words; None leaves a choice as it is.

        Raises
        ------
        BadInput
            If a value is impossible.

        Examples
        --------
        >>> study = Study("mine", ("synthetic",), ("maze",), (ARMS["W*D*C"],), 10)
        >>> study.with_options(recipe="seed", units=16).conditions
        (('corrected', 'seed'),)

        """
        changes: dict[str, Any] = {}
        for key, value in options.items():
            if value is None:
                continue
            if key in ("seeds", "epochs"):
                changes[key] = value
            elif key == "units":
                changes |= {"units": value, "units_at_most": False}
            elif key in ("cohort", "tasks"):
                changes[key] = tuple(_text(key, item) for item in _several(value))
            elif key == "arms":
                changes["arms"] = tuple(read_arm("arms", given) for given in _several(value))
            elif key == "strength":
                changes["strength"] = tuple(finite_number(key, item) for item in _several(value))
            elif key == "protocol":
                both = ("corrected", "published") if value == "both" else _several(value)
                changes["protocols"] = tuple(_text(key, item) for item in both)
            elif key == "recipe":
                both = tuple(RECIPES) if value == "both" else _several(value)
                changes["recipes"] = tuple(_text(key, item) for item in both)
            elif key != "primary":
                raise BadInput(key, "is no key of a study", f"use {', '.join(KEYS)}")
        if "protocols" in changes:
            protocol = self.primary.protocol
            if protocol not in changes["protocols"]:
                protocol = changes["protocols"][0]
            changes["primary"] = replace(self.primary, protocol=protocol)
        study = replace(self, **changes)
        if options.get("primary") is None:
            return study
        return replace(study, primary=_read_primary(options["primary"], study), primary_is_own=True)

    def table(self) -> dict[str, Any]:
        """The study as the table of a study file, complete but for what is not set."""
        written: dict[str, Any] = {
            "preset": self.name,
            "cohort": list(self.cohort),
            "tasks": list(self.tasks),
            "arms": [arm.name if ARMS.get(arm.name) == arm else arm.table() for arm in self.arms],
            "seeds": self.seeds,
            "strength": list(self.strength),
            "epochs": self.epochs,
            "protocol": list(self.protocols),
        }
        if self.units is not None:
            written["units"] = self.units
        if self.recipes is not None:
            written["recipe"] = list(self.recipes)
        if self.primary_is_own:
            written["primary"] = {
                "outcome": self.primary.outcome,
                "contrast": [self.primary.arm, self.primary.null],
                "recipe": self.primary.recipe,
                "protocol": self.primary.protocol,
            }
        return written

    def toml(self) -> str:
        """The study as a study file that `read` takes."""
        return tomli_w.dumps({"study": self.table()})


KEYS = (
    "preset",
    "cohort",
    "tasks",
    "arms",
    "seeds",
    "units",
    "strength",
    "epochs",
    "protocol",
    "recipe",
    "primary",
)


def _read_table(path: Path) -> dict[str, Any]:
    if path.exists() and not path.is_file():
        raise BadInput(path, "is no file", "give a study file")
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as fault:
        raise BadInput(path, fault.strerror or "cannot be read", "give a study file") from None
    if len(raw) > LARGEST_FILE:
        raise BadInput(path, "is larger than 1 MB", "give a study file")
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if line.count(b".") > MOST_DOTS:
            raise BadInput(f"{path}: line {number}", "is nested too deeply", "shorten it")
    try:
        content = tomllib.loads(raw.decode())
    except UnicodeDecodeError:
        raise BadInput(path, "is not UTF-8 text", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as fault:
        raise BadInput(path, f"is not TOML: {fault}", "mend that line") from None
    except RecursionError:
        raise BadInput(path, "is nested too deeply", "give a study file") from None
    except ValueError as fault:
        raise BadInput(path, f"holds an impossible value: {fault}", "mend it") from None
    if not content:
        raise BadInput(path, "is empty", "write a table [study]")
    for key in content:
        if key != "study":
            raise BadInput(f"{path}: {key}", "is unknown", "write all keys in the table [study]")
    table = content["study"]
    if not isinstance(table, dict) or not table:
        raise BadInput(f"{path}: study", "is no table with keys", "write a table [study]")
    for key in table:
        if key not in KEYS:
            raise BadInput(f"{path}: {key}", "is an unknown key", f"use {', '.join(KEYS)}")
    return table


def _options(table: dict[str, Any]) -> dict[str, Any]:
    for key in ("seeds", "units", "epochs"):
        if key in table:
            _whole(key, table[key], 0, 2**31)
    return table


def _read_primary(given: object, study: Study) -> Primary:
    keys = ("outcome", "contrast", "recipe", "protocol")
    if not isinstance(given, dict):
        raise BadInput("primary", "is no table", "write { outcome = ..., contrast = [arm, null] }")
    for key in given:
        if key not in keys:
            raise BadInput(f"primary {key}", "is an unknown key", f"use {', '.join(keys)}")
    contrast = given.get("contrast", [Primary.arm, Primary.null])
    if not (isinstance(contrast, list | tuple) and len(contrast) == 2):
        raise BadInput("primary contrast", "is no pair", 'write ["W*D*C", "shuffled-in-bins"]')
    protocol = given.get("protocol", study.primary.protocol)
    run = [recipe for name, recipe in study.conditions if name == protocol]
    usual = Primary.recipe if Primary.recipe in run or not run else run[0]
    arm, null, recipe = (
        _text(f"primary {key}", value)
        for key, value in (
            ("contrast", contrast[0]),
            ("contrast", contrast[1]),
            ("recipe", given.get("recipe", usual)),
        )
    )
    return Primary(given.get("outcome", Primary.outcome), arm, null, recipe, protocol)


def _several(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadInput(key, f"{value!r} is no name", "give a text in quotes")
    return value


def _distinct(key: str, values: tuple[Any, ...] | None) -> None:
    if values is None:
        return
    if not values:
        raise BadInput(key, "is empty", "name at least one")
    if len(set(values)) < len(values):
        raise BadInput(key, "names the same twice", "name each once")


def _whole(key: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(key, f"{value!r} is no whole number", f"give one from {least:,} to {most:,}")
    if not least <= value <= most:
        raise BadInput(key, f"is {value}", f"give a whole number from {least:,} to {most:,}")
