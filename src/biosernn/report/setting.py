"""One setting of a study: a cohort, task, protocol and strength, under all its recipes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
import pandas as pd

from biosernn.analysis.findings import Analysis, ArmSummary, Contrast, Survival
from biosernn.report.marks import memoryless

Cell = tuple[str, str]
"""Arm and recipe."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What is drawn together: all arms and recipes of one setting.

    Attributes
    ----------
    strength
        The penalty's strength where the study tries several, else None.
    memoryless
        Accuracy within reach of a network without memory; None where it is not known.
    summaries, survival
        One per arm and recipe, in the study's order.
    contrasts
        The setting's contrasts.
    runs
        The setting's rows of the results.

    """

    cohort: str
    task: str
    protocol: str
    strength: float | None
    memoryless: float | None
    summaries: dict[Cell, ArmSummary]
    survival: dict[Cell, Survival]
    contrasts: tuple[Contrast, ...]
    runs: pd.DataFrame

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, in the study's order."""
        return tuple(dict.fromkeys(arm for arm, _ in self.summaries))

    @property
    def recipes(self) -> tuple[str, ...]:
        """Names of the recipes, in the study's order."""
        return tuple(dict.fromkeys(recipe for _, recipe in self.summaries))

    @property
    def name(self) -> str:
        """The setting in words."""
        strength = "" if self.strength is None else f", λ = {self.strength:g}"
        return f"{self.cohort}, {self.task}, protocol {self.protocol}{strength}"

    @property
    def tested(self) -> tuple[Contrast, ...]:
        """The contrasts whose arms have seeds in common."""
        return tuple(contrast for contrast in self.contrasts if contrast.n)

    def n_runs(self, *recipes: str) -> str:
        """How many runs of how many seeds some or all recipes hold, in words."""
        runs = self.runs[self.runs["recipe"].isin(recipes or self.recipes)]
        seeds = runs.groupby(["arm", "recipe"])["seed"].nunique()
        each = f"{seeds.min()} to {seeds.max()}" if seeds.min() < seeds.max() else f"{seeds.max()}"
        return f"n = {len(runs)} runs ({each} seeds per arm and recipe)"

    def of(self, arm: str, recipe: str) -> pd.DataFrame:
        """The runs of one arm under one recipe."""
        return self._of.get((arm, recipe), self.runs.iloc[:0])

    @cached_property
    def _of(self) -> dict[Cell, pd.DataFrame]:
        return dict(iter(self.runs.groupby(["arm", "recipe"], sort=False)))  # type: ignore[arg-type]

    def curve(self, curves: pd.DataFrame, metric: str) -> dict[Cell, pd.DataFrame]:
        """One metric's curves by arm and recipe, each with the steps down and the runs across."""
        chosen = curves[curves["metric"] == metric]
        run = chosen["run"].astype("category").cat
        steps, at = np.unique(chosen["step"], return_inverse=True)
        values = np.full((len(steps), len(run.categories)), np.nan)
        known = np.zeros(values.shape, dtype=bool)
        values[at, run.codes], known[at, run.codes] = chosen["value"], True
        cells = {}
        for (arm, recipe), ids in self.runs.groupby(["arm", "recipe"], sort=False)["run"]:
            columns = run.categories.get_indexer(pd.Index(ids.unique()).sort_values())
            columns = columns[columns >= 0]
            columns = columns[known[:, columns].any(axis=0)]
            rows = known[:, columns].any(axis=1)
            if len(columns):
                cells[str(arm), str(recipe)] = pd.DataFrame(
                    values[np.ix_(rows, columns)],
                    index=pd.Index(steps[rows], name="step"),
                    columns=run.categories[columns].rename("run"),
                )
        return cells


def median_run(runs: pd.DataFrame) -> pd.Series:
    """Median over the runs at every step, of those that have a number there.

    Examples
    --------
    >>> median_run(pd.DataFrame([[1.0, 3.0, 9.0], [4.0, np.nan, 2.0]])).tolist()
    [3.0, 3.0]

    """
    ranked = np.sort(runs.to_numpy(float), axis=1)
    n, row = (~np.isnan(ranked)).sum(axis=1), np.arange(len(ranked))
    middle = (ranked[row, (n - 1) // 2] + ranked[row, n // 2]) / 2
    return pd.Series(middle, index=runs.index)


def settings(
    analysis: Analysis, results: pd.DataFrame, own_tasks: Mapping[str, float] = MappingProxyType({})
) -> tuple[Setting, ...]:
    """Every setting of a study, in its order; the primary contrast's first.

    An arm that was run at a single strength belongs to every strength of the others.

    Parameters
    ----------
    analysis, results
        The study's.
    own_tasks
        Accuracy within reach without memory in tasks that are the study's own, by name.

    """
    found = []
    for place in dict.fromkeys((s.cohort, s.task, s.protocol) for s in analysis.arms):
        by_arm: dict[str, dict[float, None]] = {}
        for summary in analysis.arms:
            if _place(summary) == place:
                by_arm.setdefault(summary.arm, {})[summary.strength] = None
        strengths = max(by_arm.values(), key=len)
        reach = own_tasks.get(place[1], memoryless(place[1]))
        several = len(strengths) > 1
        for strength in strengths:
            found.append(_setting(analysis, results, place, strength, by_arm, several, reach))
    primary = next((c for c in analysis.contrasts if c.primary), None)
    if primary is not None:
        found.sort(key=lambda s: (s.cohort, s.task, s.protocol) != _place(primary))
    return tuple(found)


def _setting(
    analysis: Analysis,
    results: pd.DataFrame,
    place: tuple[str, str, str],
    strength: float,
    by_arm: dict[str, dict[float, None]],
    several: bool,
    reach: float | None,
) -> Setting:
    def inside(record: ArmSummary | Survival) -> bool:
        alone = len(by_arm.get(record.arm, {})) == 1
        return _place(record) == place and (alone or record.strength == strength)

    def order(summary: ArmSummary) -> int:
        return list(by_arm).index(summary.arm)

    runs = results[(results[["cohort", "task", "protocol"]] == list(place)).all(axis=1)]
    alone = runs["arm"].map({arm: len(tried) == 1 for arm, tried in by_arm.items()})
    return Setting(
        *place,
        strength=strength if several else None,
        memoryless=reach,
        summaries={(s.arm, s.recipe): s for s in sorted(filter(inside, analysis.arms), key=order)},
        survival={(s.arm, s.recipe): s for s in analysis.survival if inside(s)},
        contrasts=tuple(
            c
            for c in analysis.contrasts
            if _place(c) == place and (not several or c.n == 0 or c.strength == strength)
        ),
        runs=runs[alone.astype(bool) | (runs["strength"] == strength)],
    )


def _place(record: ArmSummary | Survival | Contrast) -> tuple[str, str, str]:
    return record.cohort, record.task, record.protocol
