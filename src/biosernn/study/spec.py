"""The study: what is asked, before any cohort is opened."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from biosernn.errors import BadInput
from biosernn.protocol import RECIPES, TUNED, protocol_named
from biosernn.study.arms import ARMS, Arm, finite_number, read_arm
from biosernn.study.primary import STRENGTH, Primary
from biosernn.tasks.arrays import ENDING, read_task, task_from_arrays
from biosernn.tasks.registry import TASKS
from biosernn.tasks.task import Task

LARGEST_FILE = 100_000
"""Bytes; a study file above this is refused unread."""

MOST_DOTS = 300
"""In one line; the memory that a dotted key takes grows with the square of its parts."""

MOST_COHORTS = 100

MOST_VALUES = 1_000
"""Of one key; each is compared with all."""

LONGEST_NAME = 80

OWN_TASKS = "tasks"
"""Folder of a study folder that keeps the arrays of a user's own tasks."""

WHOLE = "all"
"""Word of a study file for units: the whole cohort."""

USUAL = "usual"
"""Word of a study file for recipe: both, but `seed` alone under `published`."""


@dataclass(frozen=True)
class Study:
    """What is asked: cohorts, arms, tasks, conditions and the contrast that decides.

    Attributes
    ----------
    name
        What it is called; the preset it started from unless it is given another.
    cohort
        References of the cohorts, in the words of the command line.
    tasks, arms
        What is trained, and which networks. For a task's name there can stand a `Task` of one's own
        or the path of an `.npz` file, as `biosernn.tasks.arrays.read_task` takes it.
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
        Names in `RECIPES`, or `tuned`; None is all of `RECIPES` under corrected protocols and
        `seed` under `published`.
    task_seeds
        Tasks that are repeated less often, each with its number.
    own_tasks
        Those of the tasks that are a user's own.
    primary
        The contrast that decides, whose arms, recipe and protocol must be there; None is the usual
        one, which a study may leave out.

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
    strength: tuple[float, ...] = (STRENGTH,)
    epochs: int = 10
    protocols: tuple[str, ...] = ("corrected",)
    recipes: tuple[str, ...] | None = None
    primary: Primary | None = None
    task_seeds: tuple[tuple[str, int], ...] = ()
    own_tasks: tuple[Task, ...] = ()

    def __post_init__(self) -> None:
        name = _text("name", self.name)
        if not (name.isprintable() and len(name) <= LONGEST_NAME):
            raise BadInput("name", f"{name!r} is no short line", f"give up to {LONGEST_NAME} signs")
        for key in ("cohort", "tasks", "arms", "strength", "protocols", "recipes"):
            if getattr(self, key) is not None:
                word = {"protocols": "protocol", "recipes": "recipe"}.get(key, key)
                object.__setattr__(self, key, _distinct(word, _several(getattr(self, key))))
        for reference in self.cohort:
            _text("cohort", reference)
        self._open_tasks()
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise BadInput("arms", "two arms share a name", "give each its own")
        _whole("seeds", self.seeds, 2, 10_000)
        for task, seeds in self.task_seeds:
            _whole(f"seeds {task}", seeds, 2, self.seeds)
            if task not in self.tasks:
                raise BadInput(f"seeds {task}", "is no task of the study", "name its tasks")
        _whole("epochs", self.epochs, 1, 1_000)
        if self.units is not None:
            _whole("units", self.units, 8, 100_000)
        for value in self.strength:
            if finite_number("strength", value) < 0:
                raise BadInput("strength", f"{value} is below 0", "give 0 or more")
        for name in self.protocols:
            protocol_named(name)
        for name in self.recipes or ():
            if name not in (*RECIPES, TUNED):
                raise BadInput(
                    "recipe", f"{name!r} is unknown", f"use {', '.join(RECIPES)}, {TUNED} or both"
                )
        if len(self.cohort) > MOST_COHORTS:
            raise BadInput("cohort", f"names {len(self.cohort)}", f"name at most {MOST_COHORTS}")
        if self.primary is not None:
            self._check_primary(self.primary, names)

    def _open_tasks(self) -> None:
        """Read the tasks that are files; from here on `tasks` are names."""
        opened: list[str | Task] = [
            read_task(task) if isinstance(task, str) and task.endswith(ENDING) else task
            for task in self.tasks
        ]
        own = {task.name: task for task in self.own_tasks}
        own |= {task.name: _own(task) for task in opened if isinstance(task, Task)}
        names = _distinct("tasks", [task_name(task) for task in opened])
        for name in names:
            if name not in TASKS and name not in own:
                raise BadInput("tasks", f"{name!r} is unknown", f"use {', '.join(TASKS)}, or {NPZ}")
        by_content: dict[str, str] = {}
        for name in filter(own.__contains__, names):
            other = by_content.setdefault(own[name].content_sha256, name)
            if other != name:
                raise BadInput("tasks", f"{other} and {name} hold the same", "name one of them")
        object.__setattr__(self, "tasks", names)
        object.__setattr__(self, "own_tasks", tuple(own[name] for name in by_content.values()))

    def _check_primary(self, primary: Primary, names: list[str]) -> None:
        for side in (primary.arm, primary.null):
            if side not in names:
                raise BadInput(
                    "primary contrast", f"{side!r} is not among the arms", "add it to arms"
                )
        if primary.protocol not in self.protocols:
            raise BadInput(
                "primary protocol", f"{primary.protocol!r} is not run", "name one of the study's"
            )
        if (primary.protocol, primary.recipe) not in self.conditions:
            raise BadInput(
                "primary recipe",
                f"{primary.recipe!r} under {primary.protocol!r} is not run",
                "name a recipe and a protocol of the study",
            )

    @property
    def decides(self) -> Primary:
        """The contrast that decides: the study's own, else the usual one."""
        if self.primary is not None:
            return self.primary
        usual = Primary()
        if usual.protocol in self.protocols:
            return usual
        return replace(usual, protocol=self.protocols[0])

    def own_task(self, name: str) -> Task | None:
        """A user's own task by its name; None where the name is one of the package's tasks."""
        return next((task for task in self.own_tasks if task.name == name), None)

    def seeds_of(self, task: str) -> int:
        """Repetitions of every arm on a task."""
        return dict(self.task_seeds).get(task, self.seeds)

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
            A TOML file with one table, `[study]`; what it leaves out comes from its preset. Files
            of tasks are looked for from where it lies.

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
        path = Path(path)
        table = _read_table(path)
        from biosernn.study.presets import preset

        if "tasks" in table:
            table["tasks"] = [_beside(path, task) for task in _several(table["tasks"])]
        try:
            return preset(_text("preset", table.pop("preset", "quick"))).with_options(**table)
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
            if value is None or key == "primary":
                continue
            if key in ("name", "epochs"):
                changes[key] = value
            elif key == "seeds":
                changes |= _seeds(value, options.get("tasks") or self.tasks)
            elif key == "units":
                changes |= {"units": None if value == WHOLE else value, "units_at_most": False}
            elif key == "cohort":
                changes[key] = tuple(_text(key, item) for item in _several(value))
            elif key == "tasks":
                changes[key] = tuple(
                    item if isinstance(item, Task) else _text(key, item) for item in _several(value)
                )
            elif key == "arms":
                changes["arms"] = tuple(read_arm("arms", given) for given in _several(value))
            elif key == "strength":
                changes["strength"] = tuple(finite_number(key, item) for item in _several(value))
            elif key == "protocol":
                named = ("corrected", "published") if value == "both" else _several(value)
                changes["protocols"] = tuple(_text(key, item) for item in named)
            elif key == "recipe":
                named = tuple(RECIPES) if value == "both" else _several(value)
                usual = value == USUAL
                changes["recipes"] = None if usual else tuple(_text(key, item) for item in named)
            else:
                raise BadInput(key, "is no key of a study", f"use {', '.join(KEYS)}")
        if "tasks" in changes and "seeds" not in changes and self.task_seeds:
            left = {name: self.seeds_of(name) for name in map(task_name, changes["tasks"])}
            changes |= _seeds(left, changes["tasks"])
        given = options.get("primary")
        study = replace(self, primary=None, **changes)
        return replace(study, primary=self.primary if given is None else _primary(given, study))

    def table(self) -> dict[str, Any]:
        """Every choice of the study, as the table of a study file in its folder."""
        own = {task.name for task in self.own_tasks}
        written: dict[str, Any] = {
            "name": self.name,
            "cohort": list(self.cohort),
            "tasks": [f"{OWN_TASKS}/{t}{ENDING}" if t in own else t for t in self.tasks],
            "arms": [arm.name if ARMS.get(arm.name) == arm else arm.table() for arm in self.arms],
            "seeds": self.seeds if not self.task_seeds else self._each_task_s_seeds(),
            "units": WHOLE if self.units is None else self.units,
            "strength": list(self.strength),
            "epochs": self.epochs,
            "protocol": list(self.protocols),
            "recipe": USUAL if self.recipes is None else list(self.recipes),
        }
        if self.primary is not None:
            written["primary"] = {
                "outcome": self.primary.outcome,
                "contrast": [self.primary.arm, self.primary.null],
                "recipe": self.primary.recipe,
                "protocol": self.primary.protocol,
            }
        return written

    def _each_task_s_seeds(self) -> dict[str, int]:
        return {task: self.seeds_of(task) for task in self.tasks}

    def toml(self) -> str:
        """The study as a study file that `read` takes; a user's own tasks lie beside it."""
        return tomli_w.dumps({"study": self.table()})


NPZ = "a file NAME.npz of inputs and labels"

KEYS = (
    "preset",
    "name",
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
        raise BadInput(path, "is larger than 100 kB", "give a study file")
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


def _seeds(given: object, tasks: object) -> dict[str, Any]:
    """Seeds of a study and of the tasks that have fewer, from a number or one for each task."""
    if not isinstance(given, dict):
        return {"seeds": given, "task_seeds": ()}
    if {*given} != {*map(task_name, _several(tasks))}:
        raise BadInput("seeds", "do not name each task once", "write { maze = 20, ... }")
    for task, seeds in given.items():
        _whole(f"seeds {task}", seeds, 2, 10_000)
    most = max(given.values())
    fewer = tuple((task, seeds) for task, seeds in given.items() if seeds < most)
    return {"seeds": most, "task_seeds": fewer}


def _primary(given: object, study: Study) -> Primary:
    keys = ("outcome", "contrast", "recipe", "protocol")
    if not isinstance(given, dict):
        raise BadInput("primary", "is no table", "write { outcome = ..., contrast = [arm, null] }")
    for key in given:
        if key not in keys:
            raise BadInput(f"primary {key}", "is an unknown key", f"use {', '.join(keys)}")
    contrast = given.get("contrast", [Primary.arm, Primary.null])
    if not (isinstance(contrast, list | tuple) and len(contrast) == 2):
        raise BadInput("primary contrast", "is no pair", 'write ["W*D*C", "shuffled-in-bins"]')
    protocol = given.get("protocol", study.decides.protocol)
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


def task_name(task: object) -> Any:
    """The name of a task that is given by its name, its file or itself.

    Examples
    --------
    >>> task_name("maze"), task_name("data/mine.npz")
    ('maze', 'mine')

    """
    if isinstance(task, Task):
        return task.name
    return Path(task).stem if isinstance(task, str) and task.endswith(ENDING) else task


def _own(task: Task) -> Task:
    """A task as it will be read back from its file."""
    if task.noise_sd is not None:
        raise BadInput(f"task {task.name!r}", "has noise of its own", "give trials without it")
    return task_from_arrays(task.name, task.inputs, task.labels, task.decidable)


def _beside(study_file: Path, task: object) -> object:
    """A task's file, looked for from where the study file lies."""
    is_file = isinstance(task, str) and task.endswith(ENDING)
    return str(study_file.parent / str(task)) if is_file else task


def _several(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadInput(key, f"{value!r} is no name", "give a text in quotes")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadInput(key, f"{value!r} is no UTF-8 text", "rename it") from None
    return value


def _distinct(key: str, values: Sequence[Any]) -> tuple[Any, ...]:
    if not 0 < len(values) <= MOST_VALUES:
        what = "is empty" if not values else f"names {len(values):,}"
        raise BadInput(key, what, f"name 1 to {MOST_VALUES:,}")
    if any(value in values[:number] for number, value in enumerate(values)):
        raise BadInput(key, "names the same twice", "name each once")
    return tuple(values)


def _whole(key: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(key, f"{value!r} is no whole number", f"give one from {least:,} to {most:,}")
    if not least <= value <= most:
        raise BadInput(key, f"is {value}", f"give a whole number from {least:,} to {most:,}")
