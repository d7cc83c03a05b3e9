"""Simulated studies whose truth is known: runs that solve the task early, or never."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import stats

TOTAL_STEPS = 400
CHECK_EVERY = 5
CHECKS = np.arange(CHECK_EVERY, TOTAL_STEPS, CHECK_EVERY)
"""Steps at which the criterion may be reached."""


@dataclass(frozen=True)
class Outcomes:
    """How one arm's runs come out.

    Attributes
    ----------
    solved
        Probability that a run reaches the criterion; else it counts with all its steps.
    mean, spread
        Of the steps of the runs that reach it: a normal distribution, rounded to the checks.

    Examples
    --------
    >>> round(Outcomes(solved=1.0).expected_steps), round(Outcomes(solved=0.9).expected_steps)
    (100, 130)
    >>> round(float(Outcomes(solved=0.95).variance ** 0.5), 1)
    69.8

    """

    solved: float
    mean: float = 100.0
    spread: float = 25.0

    @property
    def expected_steps(self) -> float:
        """Restricted mean steps, exactly."""
        steps, chance = self._distribution()
        return round(float(chance @ steps), 6)

    @property
    def variance(self) -> float:
        """Variance of a run's restricted steps, exactly."""
        steps, chance = self._distribution()
        return float(chance @ (steps - chance @ steps) ** 2)

    def _distribution(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        between = (CHECKS[1:] + CHECKS[:-1]) / 2
        below = stats.norm.cdf(between, self.mean, self.spread)
        chance = np.diff(below, prepend=0, append=1)
        return np.append(CHECKS, TOTAL_STEPS), np.append(self.solved * chance, 1 - self.solved)


@dataclass(frozen=True)
class Scenario:
    """A study to simulate: an arm against one null or more, paired by seed.

    Attributes
    ----------
    arm, null
        Their runs; several nulls are alike.
    n
        Seeds.
    correlation
        Of the pairs: a seed that makes one arm fail, or learn late, tends to do so in the other.
    nulls, cohorts
        The family that Holm's adjustment spans is each null against the arm in each cohort.

    Examples
    --------
    >>> scenario = Scenario(Outcomes(1.0, mean=80), Outcomes(0.95), n=20)
    >>> round(scenario.steps), round(scenario.solved, 2)
    (-35, 0.05)

    """

    arm: Outcomes
    null: Outcomes
    n: int
    correlation: float = 0.0
    nulls: int = 1
    cohorts: int = 1

    @property
    def steps(self) -> float:
        """True difference of restricted mean steps, arm minus null."""
        return round(self.arm.expected_steps - self.null.expected_steps, 6)

    @property
    def solved(self) -> float:
        """True difference of the fractions solved, arm minus null."""
        return self.arm.solved - self.null.solved


def draw(
    scenario: Scenario, studies: int, rng: np.random.Generator
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Steps of the arm and of a null, each (studies, n), for every contrast of the family.

    Examples
    --------
    >>> scenario = Scenario(Outcomes(0.0), Outcomes(1.0, spread=1e-9), n=3)
    >>> draw(scenario, 1, np.random.default_rng(0))
    [(array([[400., 400., 400.]]), array([[100., 100., 100.]]))]

    """
    size = (studies, scenario.n)
    pairs = []
    for _ in range(scenario.cohorts):
        of_seed = rng.standard_normal((2, *size))

        def runs(outcomes: Outcomes, of_seed: NDArray[np.float64] = of_seed) -> NDArray[np.float64]:
            r = scenario.correlation
            chance, late = np.sqrt(r) * of_seed + np.sqrt(1 - r) * rng.standard_normal((2, *size))
            at = CHECK_EVERY * np.round((outcomes.mean + outcomes.spread * late) / CHECK_EVERY)
            reached = stats.norm.cdf(chance) < outcomes.solved
            return np.where(reached, np.clip(at, CHECKS[0], CHECKS[-1]), TOTAL_STEPS)

        arm = runs(scenario.arm)
        pairs += [(arm, runs(scenario.null)) for _ in range(scenario.nulls)]
    return pairs


def _alike(outcomes: Outcomes, **more: float) -> Scenario:
    return Scenario(outcomes, outcomes, **more)  # type: ignore[arg-type]


def _failing(fails: float, spread: float, difference: float | None) -> Scenario:
    """An arm that fails now and then against a null that does not, 20 seeds.

    Its other runs are as much sooner or later as makes the difference; None: they are no later.
    """
    mean = 50.0
    lost = fails * (TOTAL_STEPS - mean)
    later = 0.0 if difference is None else (difference - lost) / (1 - fails)
    return Scenario(Outcomes(1 - fails, mean + later, spread), Outcomes(1.0, mean, spread), 20)


NO_DIFFERENCE = (
    *(_alike(Outcomes(0.0), n=n) for n in (10, 20)),
    *(
        _alike(Outcomes(solved, spread=spread), n=n, correlation=correlation)
        for solved, spread, correlation, n in product(
            (0.05, 0.3, 0.7, 0.95, 1.0), (16.0, 40.0), (0.0, 0.9), (10, 20)
        )
    ),
)
"""Arms alike, each contrast by itself: the boundary cases of no run and of every run solved too."""

FAMILIES = tuple(
    _alike(Outcomes(solved), n=n, nulls=2, cohorts=3)
    for solved, n in product((0.7, 0.95, 1.0), (10, 20))
)
"""Arms alike, two nulls against one arm in three cohorts: a claim in any of the six counts."""

DIFFERENT = (
    *(_failing(fails, 16.0, 20.0) for fails in (0.0, 0.05, 0.07, 0.10)),
    *(_failing(fails, 25.0, None) for fails in (0.05, 0.07, 0.10)),
    *(Scenario(Outcomes(0.95), Outcomes(solved), n) for solved, n in product((0.6, 0.8), (10, 20))),
)
"""Arms that differ, in failing above all."""

SEEDS = (10, 20, 40, 80)
POWER = {
    "20 steps sooner, every run solved": (Outcomes(1.0, mean=80), Outcomes(1.0)),
    "95 % solved, these 20 steps sooner": (Outcomes(0.95, mean=80), Outcomes(0.95)),
    "95 % solved, these 40 steps sooner": (Outcomes(0.95, mean=60), Outcomes(0.95)),
    "95 % solved, not 80 %": (Outcomes(0.95), Outcomes(0.80)),
    "no difference, every run solved": (Outcomes(1.0), Outcomes(1.0)),
}
"""Named differences, the first four to be found and the last to be ruled out."""
