"""The recipe `tuned`: learning rate and clipping, chosen for each arm on seeds of their own."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from biosernn.cohort.cohort import Cohort
from biosernn.protocol import GRID, TUNED, Recipe
from biosernn.study.plan import SWEEP_SEEDS, Group, Run, plan, sweep
from biosernn.study.spec import Study


def choose(tried: Sequence[Run], rows: Mapping[str, Mapping[str, Any]]) -> dict[Group, Recipe]:
    """Choose the setting of least mean steps to criterion for each arm whose sweep is finished.

    A run that never reaches the criterion, a diverged one too, counts with all its steps. A tie
    goes to the setting that solved more often, then to the larger area under the curve, then to the
    first in `GRID`.

    Parameters
    ----------
    tried
        From `biosernn.study.plan.sweep`.
    rows
        Outcomes of the finished ones, by id.

    Returns
    -------
    dict
        By cohort, task, protocol, strength and arm; a group that lacks a run is left out.

    Examples
    --------
    >>> from biosernn.study.arms import ARMS
    >>> tried = [
    ...     Run(0, "", ARMS["W0"], "maze", 10_000, "corrected", TUNED, 16, 0.3, 10, setting)
    ...     for setting in GRID
    ... ]
    >>> same = {"steps_to_criterion": 400, "solved": False, "area_under_curve": 0.5}
    >>> rows = {run.id: same for run in tried} | {tried[5].id: same | {"solved": True}}
    >>> list(choose(tried, rows).values())
    [Recipe(learning_rate=0.001, clip=1.0)]

    """
    groups: dict[Group, dict[Recipe, list[Run]]] = {}
    for run in tried:
        groups.setdefault(run.group, {}).setdefault(run.recipe, []).append(run)

    def rank(runs: Sequence[Run]) -> tuple[float, float, float]:
        found = [rows[run.id] for run in runs]
        steps = sum(row["steps_to_criterion"] for row in found)
        area = math.fsum(row["area_under_curve"] for row in found)
        return steps, -sum(row["solved"] for row in found), -area

    return {
        group: min(GRID, key=lambda setting: rank(settings[setting]))
        for group, settings in groups.items()
        if all(run.id in rows for runs in settings.values() for run in runs)
    }


def performable(study: Study, cohorts: Sequence[Cohort]) -> tuple[Run, ...]:
    """Every run that a study can come to need, whatever its sweep chooses.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> from biosernn.study.plan import resolve
    >>> from biosernn.study.presets import preset
    >>> cohort = synthetic_cohort(16, 0)
    >>> study = resolve(preset("quick").with_options(recipe="tuned", arms=["W0"]), [cohort])
    >>> len(performable(study, [cohort])) == 8 * (5 + 10)
    True

    """
    every = list(sweep(study, cohorts))
    for run in plan(study, cohorts):
        settings = GRID if run.recipe_name == TUNED else (run.setting,)
        every += [replace(run, setting=setting) for setting in settings]
    return tuple(every)


def choices_table(
    chosen: Mapping[Group, Recipe], cohorts: Sequence[Cohort]
) -> list[dict[str, str | float]]:
    """What was chosen for which arm, as provenance keeps it.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> chosen = {(0, "maze", "corrected", 0.3, "W0"): Recipe()}
    >>> choices_table(chosen, [synthetic_cohort(16, 0)])[0]["clip"]
    'none'

    """
    return [
        {
            "cohort": cohorts[cohort].name,
            "task": task,
            "protocol": protocol,
            "strength": strength,
            "arm": arm,
            "learning_rate": recipe.learning_rate,
            "clip": recipe.clip if math.isfinite(recipe.clip) else "none",
        }
        for (cohort, task, protocol, strength, arm), recipe in chosen.items()
    ]


def tuning_note() -> str:
    """One sentence on how the recipe was chosen.

    Examples
    --------
    >>> tuning_note().split(":")[0]
    'recipe tuned'

    """
    rates = ", ".join(f"{rate:g}" for rate in dict.fromkeys(r.learning_rate for r in GRID))
    return (
        f"recipe {TUNED}: learning rate ({rates}) and clip (none, 1) are chosen for each arm by "
        f"the mean steps to criterion on {len(SWEEP_SEEDS)} seeds of their own, whose runs are in "
        "sweep.parquet and in no number here"
    )
