"""What an analysis finds: frozen records that the report draws and the tests recompute."""

from dataclasses import dataclass
from typing import Literal

from biosernn.study.primary import Outcome

Verdict = Literal["helps", "harms", "no difference", "cannot tell", "not tested"]


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval, and how that was obtained.

    Attributes
    ----------
    estimate, low, high
        The estimate and the ends of its interval; NaN where not estimable.
    level
        Coverage, 0.95 or 0.90.
    method
        The interval's name, such as "inverted sign-flip test, 10,000 draws".
    n
        How many runs, or pairs of runs, it rests on.

    """

    estimate: float
    low: float
    high: float
    level: float
    method: str
    n: int


@dataclass(frozen=True)
class ArmSummary:
    """One arm under one cohort, task, protocol and recipe.

    Attributes
    ----------
    n
        Planned and finished runs, diverged ones included.
    solved
        Fraction of runs with all trials right at the end, with its Wilson interval.
    mean_steps
        Restricted mean steps to criterion, with its interval over seeds.
    accuracy
        Mean accuracy as the protocol defines it, with its t interval, which ends at 0 and 1.
    n_solved, n_censored, n_diverged, n_collapsed, n_penalty_dominates
        Counts of runs; the last counts runs whose penalty's gradient exceeded the data's.
    solved_095
        Share of runs with accuracy of at least 0.95, as the published tables count.
    strength
        The penalty's strength λ asked for.

    """

    cohort: str
    task: str
    protocol: str
    recipe: str
    arm: str
    n: int
    solved: Interval
    mean_steps: Interval
    accuracy: Interval
    n_solved: int
    n_censored: int
    n_diverged: int
    n_collapsed: int
    n_penalty_dominates: int
    solved_095: float
    strength: float = float("nan")


@dataclass(frozen=True)
class Contrast:
    """One arm minus its null, paired by seed.

    Attributes
    ----------
    question
        What the pair asks: activity, self-timescales, geometry, wiring, scale, spectrum, plain.
    outcome
        `restricted_mean_steps` (fewer is better) or `solved` (more is better).
    effect
        Arm minus null with its 95 % interval.
    equivalence
        The same with its 90 % interval, held against `bound`.
    p, p_holm
        Unadjusted, and after Holm within the family; None where exploratory.
    pair_correlation
        Correlation of the paired outcomes over seeds; NaN where one side is constant.
    in_family, primary
        Whether the contrast belongs to the family fixed beforehand, and is its primary outcome.
    reason
        Why a contrast is `not tested` or `cannot tell`; empty otherwise.
    reached
        Pairs of which at least one run reached the criterion.
    strength
        The penalty's strength λ asked for.
    settings
        Learning rate and clip of the arm against its null's, where they differ; else empty.

    """

    cohort: str
    task: str
    protocol: str
    recipe: str
    question: str
    arm: str
    null: str
    outcome: Outcome
    n: int
    effect: Interval
    equivalence: Interval
    bound: float
    p: float
    p_method: str
    p_holm: float | None
    pair_correlation: float
    in_family: bool
    primary: bool
    verdict: Verdict
    reason: str = ""
    reached: int = 0
    strength: float = float("nan")
    settings: str = ""


@dataclass(frozen=True)
class Pooled:
    """One contrast of several cohorts, clustered by session.

    Attributes
    ----------
    cohorts
        Every cohort with its effect, those of no single known session too.
    sessions
        Every known session with the mean effect of its cohorts.
    effect
        Mean over sessions with its t interval, where there are enough of them; `n` sessions.

    """

    task: str
    protocol: str
    recipe: str
    question: str
    arm: str
    null: str
    outcome: Outcome
    strength: float
    cohorts: tuple[tuple[str, float], ...]
    sessions: tuple[tuple[int, float], ...]
    effect: Interval


@dataclass(frozen=True)
class Survival:
    """A Kaplan-Meier curve: the share of runs that have not reached the criterion at each step.

    Attributes
    ----------
    steps, not_yet
        Steps at which the curve may fall, 0 and the last included, and the share after each.
    n
        How many runs it rests on.
    strength
        The penalty's strength λ asked for.

    """

    cohort: str
    task: str
    protocol: str
    recipe: str
    arm: str
    steps: tuple[int, ...]
    not_yet: tuple[float, ...]
    n: int
    strength: float = float("nan")


@dataclass(frozen=True)
class Analysis:
    """All that is concluded from a study's results.

    Attributes
    ----------
    arms, contrasts, survival
        Every summary, contrast and curve, in the study's order.
    headline
        The first screen's contrasts: wiring, geometry, activity.
    plain_gap
        W*D*C minus WD*C as the difference in the fraction solved, one per recipe.
    finding
        The answer in one sentence.
    seeds, seeds_needed
        Seeds per arm, and how many the primary contrast needs at the least.
    describes
        What the intervals describe, and what not, in one sentence.
    pooled
        Contrasts over cohorts, where there are several; each exploratory.

    """

    arms: tuple[ArmSummary, ...]
    contrasts: tuple[Contrast, ...]
    survival: tuple[Survival, ...]
    headline: tuple[Contrast, ...]
    plain_gap: tuple[Contrast, ...]
    finding: str
    seeds: int
    seeds_needed: int
    describes: str = ""
    pooled: tuple[Pooled, ...] = ()
