"""From a study to its runs: every arm, task, strength, condition and seed, in a stated order."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache, cached_property
from typing import Any

from biosernn.cohort.cohort import Cohort
from biosernn.errors import BadInput
from biosernn.protocol import GRID, RECIPES, TUNED, Protocol, Recipe, protocol_named
from biosernn.study.arms import CELL_CLASSES, Arm
from biosernn.study.cell_class import cell_classes_sha256, cell_signs
from biosernn.study.felt import felt, felt_in_training
from biosernn.study.functional import rebinned
from biosernn.study.spec import Study
from biosernn.tasks.registry import TASKS
from biosernn.tasks.task import Task
from biosernn.training.schedule import ENGINE, Schedule

MOST_RUNS = 1_000_000

SWEEP_SEEDS = range(10_000, 10_005)
"""Seeds that `tuned` is chosen on; a study's own end below."""

NULL_GRAPHS = 20
"""Random graphs that each small-worldness of a run is held against."""

Group = tuple[int, str, str, float, str]
"""Cohort, task, protocol, strength and arm: what `tuned` is chosen for, once for all seeds."""


@dataclass(frozen=True)
class Run:
    """One network to train: all that its numbers depend on.

    Attributes
    ----------
    cohort, cohort_sha256
        Its cohort's place in the study, and the hash of that cohort's content.
    arm, task, seed, units, strength, epochs
        As in the study.
    protocol_name, recipe_name
        As in the study.
    setting
        Of the recipe `tuned`: what is tried or was chosen; None as long as nothing is.
    own_task
        The task, where it is a user's own.
    cell_classes
        Of an arm that keeps Dale's rule: the hash of which neurons are inhibitory.
    rebinned
        Whether the protocol's bins change the cohort's correlation.

    """

    cohort: int
    cohort_sha256: str
    arm: Arm
    task: str
    seed: int
    protocol_name: str
    recipe_name: str
    units: int
    strength: float
    epochs: int
    setting: Recipe | None = None
    own_task: Task | None = None
    cell_classes: str = ""
    rebinned: bool = True

    @property
    def trained_on(self) -> Task:
        """The task that the name stands for."""
        return self.own_task or _built_in(self.task)

    @property
    def group(self) -> Group:
        """What it shares a chosen recipe with."""
        return self.cohort, self.task, self.protocol_name, self.strength, self.arm.name

    @property
    def protocol(self) -> Protocol:
        """The protocol that the name stands for."""
        return protocol_named(self.protocol_name)

    @property
    def recipe(self) -> Recipe:
        """The recipe that the name stands for, or that is set."""
        return self.setting or RECIPES[self.recipe_name]

    @property
    def schedule(self) -> Schedule:
        """How long it trains."""
        return Schedule(epochs=self.epochs)

    @cached_property
    def id(self) -> str:
        """Hash of what the run's numbers depend on, names and what it cannot feel left aside."""
        return self._hash(*felt(self.arm, self.protocol, self.strength, rebinned=self.rebinned))

    @cached_property
    def training(self) -> str:
        """Hash of what its training depends on: of runs that differ only in what is read, one."""
        return self._hash(
            *felt_in_training(
                self.arm,
                self.protocol,
                self.strength,
                noisy_trials=self.trained_on.noise_sd is not None,
                rebinned=self.rebinned,
            )
        )

    def _hash(self, by_arm: Arm, by_protocol: Protocol) -> str:
        arm = _fields(by_arm)
        del arm["name"], arm["strength"]
        unchosen = self.recipe_name == TUNED and self.setting is None
        content = {
            "cohort": self.cohort_sha256,
            "arm": arm,
            "task": self.task if self.own_task is None else self.own_task.content_sha256,
            "seed": self.seed,
            "protocol": _fields(by_protocol),
            "recipe": TUNED if unchosen else _fields(self.recipe),
            "units": self.units,
            "strength": by_arm.strength,
            "schedule": _fields(self.schedule),
            "engine": ENGINE,
        }
        if self.cell_classes:
            content["cell_classes"] = self.cell_classes
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]


@cache
def _built_in(task: str) -> Task:
    return TASKS[task]()


def _fields(chosen: Arm | Protocol | Recipe | Schedule) -> dict[str, Any]:
    """What a flat choice holds; `asdict` copies every value and takes longer than the hash."""
    return {field.name: getattr(chosen, field.name) for field in fields(chosen)}


def resolve(study: Study, cohorts: Sequence[Cohort]) -> Study:
    """Settle the units on cohorts that are open: a preset's units shrink, a user's are refused.

    Raises
    ------
    BadInput
        If more units are asked for than a cohort has neurons, if an arm needs what a cohort lacks,
        if two cohorts cannot be told apart, or if there would be more than a million runs.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> from biosernn.study.presets import preset
    >>> resolve(preset("quick"), [synthetic_cohort(16, 0)]).units
    16

    """
    arms = sum(1 if arm.strength is not None else len(study.strength) for arm in study.arms)
    each = len(cohorts) * len(study.tasks) * arms
    tuned = sum(recipe == TUNED for _, recipe in study.conditions)
    runs = each * (study.seeds * len(study.conditions) + len(SWEEP_SEEDS) * len(GRID) * tuned)
    if runs > MOST_RUNS:
        raise BadInput("study", f"plans {runs:,} runs", f"ask for at most {MOST_RUNS:,}")
    for number, cohort in enumerate(cohorts):
        for other in cohorts[:number]:
            if cohort.content_sha256 == other.content_sha256:
                raise BadInput("cohort", f"{cohort.name} is there twice", "name each cohort once")
            if cohort.name == other.name:
                raise BadInput(
                    "cohort",
                    f"two of them are called {cohort.name}",
                    "run them as two studies",
                )
        known = _known(cohort)
        for arm in study.arms:
            for part in arm.needs:
                if part not in known:
                    raise BadInput(
                        f"cohort {cohort.name}",
                        f"has no {part}, which arm {arm.name} needs",
                        "leave the arm out or use another cohort",
                    )
    smallest = min(cohorts, key=lambda cohort: cohort.n_neurons)
    n = smallest.n_neurons
    if study.units is None:
        if n < 8:
            raise BadInput(smallest.name, f"has {n} neurons", "use a cohort of at least 8")
        return study
    if study.units > n and not study.units_at_most:
        raise BadInput(
            "units", f"{study.units} of the {n} neurons of {smallest.name}", f"ask for up to {n}"
        )
    return replace(study, units=min(study.units, n), units_at_most=False)


def _known(cohort: Cohort) -> set[str]:
    """Parts that a study can have of a cohort; activity stands for what is computed from it."""
    parts = ("corr", "sttc", "precision", "wiring")
    known = {part for part in parts if getattr(cohort, part) is not None}
    if cohort.spikes is not None:
        known |= {"corr", "sttc"}
    if cohort.traces is not None:
        known.add("corr")
    if cell_signs(cohort) is not None:
        known.add(CELL_CLASSES)
    return known


def plan(
    study: Study, cohorts: Sequence[Cohort], chosen: Mapping[Group, Recipe] | None = None
) -> tuple[Run, ...]:
    """Every run of a resolved study, seeds outermost so that a part of it is a smaller study.

    Parameters
    ----------
    study
        From `resolve`.
    cohorts
        In the order of the study's own list.
    chosen
        What the recipe `tuned` stands for, from `biosernn.study.tuning.choose`.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> from biosernn.study.presets import preset
    >>> cohort = synthetic_cohort(16, 0)
    >>> runs = plan(resolve(preset("quick"), [cohort]), [cohort])
    >>> len(runs), runs[0].arm.name, runs[0].recipe_name
    (120, 'W*D*C', 'seed')

    """
    chosen = chosen or {}
    return tuple(
        replace(run, setting=chosen.get(run.group)) if run.recipe_name == TUNED else run
        for seed in range(study.seeds)
        for run in _of_seed(study, cohorts, seed)
        if seed < study.seeds_of(run.task)
    )


def sweep(study: Study, cohorts: Sequence[Cohort]) -> tuple[Run, ...]:
    """The runs that `tuned` is chosen from: every setting of `GRID` on seeds of their own.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> from biosernn.study.presets import preset
    >>> cohort = synthetic_cohort(16, 0)
    >>> study = resolve(preset("quick").with_options(recipe="tuned", arms=["W0"]), [cohort])
    >>> len(sweep(study, [cohort])), len(plan(study, [cohort]))
    (40, 10)

    """
    return tuple(
        replace(run, setting=setting)
        for seed in SWEEP_SEEDS
        for run in _of_seed(study, cohorts, seed)
        if run.recipe_name == TUNED
        for setting in GRID
    )


def _of_seed(study: Study, cohorts: Sequence[Cohort], seed: int) -> Iterator[Run]:
    for number, cohort in enumerate(cohorts):
        for task in study.tasks:
            for protocol, recipe in study.conditions:
                for strength in study.strength:
                    for arm in study.arms:
                        if arm.strength is not None and strength != study.strength[0]:
                            continue
                        yield Run(
                            cohort=number,
                            cohort_sha256=cohort.content_sha256,
                            arm=arm,
                            task=task,
                            seed=seed,
                            protocol_name=protocol,
                            recipe_name=recipe,
                            units=study.units or cohort.n_neurons,
                            strength=strength,
                            epochs=study.epochs,
                            own_task=study.own_task(task),
                            cell_classes=cell_classes_sha256(cohort) if arm.sign == "dale" else "",
                            rebinned=rebinned(cohort),
                        )


def study_hash(study: Study, cohorts: Sequence[Cohort]) -> str:
    """Hash of everything asked, but for how many seeds; with the cohorts' content.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> from biosernn.study.presets import preset
    >>> cohorts = [synthetic_cohort(16, 0)]
    >>> more = replace(preset("quick"), seeds=50)
    >>> study_hash(preset("quick"), cohorts) == study_hash(more, cohorts)
    True

    """
    table = study.table()
    for key in ("name", "seeds", "cohort"):
        table.pop(key)
    content = {
        "study": table,
        "primary": asdict(study.decides),
        "cohorts": [cohort.content_sha256 for cohort in cohorts],
        "engine": ENGINE,
    }
    if study.own_tasks:
        content["own_tasks"] = {task.name: task.content_sha256 for task in study.own_tasks}
    if any(arm.sign == "dale" for arm in study.arms):
        content["cell_classes"] = [cell_classes_sha256(cohort) for cohort in cohorts]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]
