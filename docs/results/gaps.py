"""The bio-inspired against the plain network in the same place, wherever both ran on the maze."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan

import numpy as np
import pandas as pd

from biosernn.analysis.findings import Analysis, Contrast
from biosernn.analysis.sign_flip import sign_flip_limits
from biosernn.study.spec import Study
from docs.results.tables import BIO, PLAIN, Read

CLAIMED = 37.0
"""Per cent that the study claims; between the memoryless line and all right are 37.5 points."""

OUTCOMES = ("accuracy", "solved", "steps_to_criterion")


@dataclass(frozen=True, eq=False)
class Gap:
    """The two networks in one study, on one cohort, under one protocol and recipe.

    Attributes
    ----------
    runs
        A seed a row, of the seeds that both have; columns outcome and arm.
    solved, steps
        The contrasts.
    again
        Whether an earlier study has the same runs; they came out otherwise here.

    """

    study: Study
    cohort: str
    protocol: str
    recipe: str
    runs: pd.DataFrame
    solved: Contrast
    steps: Contrast
    again: bool

    @cached_property
    def _limits(self) -> np.ndarray:
        """95 % limits, (2, 2), of points of accuracy and of what is beyond the relative claim."""
        bio, plain = (self.runs["accuracy", arm] for arm in (BIO, PLAIN))
        beyond = bio - (1 + CLAIMED / 100) * plain
        return np.stack(sign_flip_limits(np.stack([100 * (bio - plain), beyond]), 0.95))

    @property
    def points(self) -> tuple[float, float, float]:
        """Points of accuracy between them, with the 95 % interval, paired."""
        mean = self.runs["accuracy"].mean()
        return 100 * (mean[BIO] - mean[PLAIN]), *self._limits[:, 0]

    @property
    def holds(self) -> tuple[bool | None, bool | None]:
        """Whether the claim holds in points, and relative; None where that is not estimable."""
        ends = zip(self._limits.T, (CLAIMED, 0), strict=True)
        points, relative = (None if isnan(low) else low <= at <= high for (low, high), at in ends)
        return points, relative

    @cached_property
    def steps_apart(self) -> pd.Series:
        """Steps to criterion of the bio-inspired network minus the plain one's, by seed."""
        steps = self.runs["steps_to_criterion"]
        return steps[BIO] - steps[PLAIN]

    @property
    def leading_seed(self) -> int:
        """The seed without which the mean difference in steps changes most."""
        return int((self.steps_apart - self.steps_apart.mean()).abs().idxmax())

    def steps_without(self, seed: int) -> float:
        """Mean difference in steps over the other seeds."""
        return float(self.steps_apart.drop(seed).mean())


def gaps(read: Read) -> list[Gap]:
    """Every place in which both ran under a whole protocol, runs of the same outcomes once."""
    found: list[Gap] = []
    known: dict[str, set[tuple]] = {}
    for study, results, analysis in read:
        whole = results["protocol"].isin(["corrected", "published"])
        pair = results[(results["task"] == "maze") & results["arm"].isin([BIO, PLAIN]) & whole]
        place = ["cohort", "protocol", "recipe"]
        for (cohort, protocol, recipe), runs in pair.groupby(place, sort=False):
            contrasts = [
                _contrast(analysis, cohort, protocol, recipe, outcome)
                for outcome in ("solved", "restricted_mean_steps")
            ]
            solved, steps = contrasts
            if solved is None or steps is None:
                continue
            came_out = dict(
                zip(runs["run"], runs[list(OUTCOMES)].itertuples(index=False), strict=True)
            )
            again = came_out.keys() <= known.keys()
            if again and all(tuple(out) in known[run] for run, out in came_out.items()):
                continue
            for run, out in came_out.items():
                known.setdefault(run, set()).add(tuple(out))
            by_seed = runs.pivot(index="seed", columns="arm", values=list(OUTCOMES))
            by_seed = by_seed.dropna().astype(float)
            found.append(Gap(study, cohort, protocol, recipe, by_seed, solved, steps, again))
    return found


def _contrast(
    analysis: Analysis, cohort: str, protocol: str, recipe: str, outcome: str
) -> Contrast | None:
    asked = (BIO, PLAIN, cohort, "maze", protocol, recipe, outcome)
    return next(
        (
            c
            for c in analysis.contrasts
            if c.n and (c.arm, c.null, c.cohort, c.task, c.protocol, c.recipe, c.outcome) == asked
        ),
        None,
    )


def first(found: Sequence[Gap]) -> list[Gap]:
    """Those whose runs no earlier study has."""
    return [gap for gap in found if not gap.again]
