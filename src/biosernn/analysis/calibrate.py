"""How often verdicts and intervals err, on simulated studies whose truth is known."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from biosernn.analysis.findings import Contrast
from biosernn.analysis.many import measure_many
from biosernn.analysis.multiplicity import holm
from biosernn.analysis.scenario import (
    DIFFERENT,
    FAMILIES,
    NO_DIFFERENCE,
    POWER,
    SEEDS,
    TOTAL_STEPS,
    Scenario,
    draw,
)
from biosernn.analysis.verdict import ALPHA, verdict
from biosernn.study.primary import Outcome

MOST_FALSE_CLAIMS = 0.060
LEAST_COVERAGE, MOST_COVERAGE = 0.93, 0.97
KEY = 20_260_615
TOGETHER = 500
"""Studies at a time."""

STEPS: Outcome = "restricted_mean_steps"


@dataclass(frozen=True)
class Calibration:
    """What was said of one scenario's studies in one outcome, as shares of them.

    Attributes
    ----------
    group
        `no difference`, `family`, `different`, or the name of a curve of power.
    truth
        The true difference, arm minus null.
    helps, harms, no_difference
        Studies of which that is said; of a family, of one of its contrasts at the least.
    estimable
        Contrasts that have an interval.
    coverage, coverage_90
        Of those, how many 95 % and 90 % intervals hold the truth of their own cohort; NaN where
        none has an interval.

    """

    group: str
    scenario: Scenario
    outcome: Outcome
    studies: int
    truth: float
    helps: float
    harms: float
    no_difference: float
    claims: float
    estimable: float
    coverage: float
    coverage_90: float

    @property
    def claims_error(self) -> float:
        """Monte-Carlo standard error of `claims`."""
        return _error(self.claims, self.studies)

    @property
    def coverage_error(self) -> float:
        """Monte-Carlo standard error of `coverage`; nulls of one arm count as one."""
        return _error(self.coverage, self.estimable * self.studies * self.scenario.cohorts)


def calibrate(
    studies: int = 2000, *, on_progress: Callable[[int, int], None] | None = None
) -> list[Calibration]:
    """Simulate studies by a fixed key, and judge them as `analyse` does.

    Parameters
    ----------
    studies
        How many of each scenario.
    on_progress
        Told the scenarios done and all there are.

    """
    asked = list(_asked())
    found = []
    for index, (group, scenario, outcome) in enumerate(asked):
        rng = np.random.default_rng([KEY, index])
        found.append(calibration(group, scenario, outcome, studies, rng))
        if on_progress is not None:
            on_progress(index + 1, len(asked))
    return found


def _asked() -> Iterator[tuple[str, Scenario, Outcome]]:
    for scenario in NO_DIFFERENCE:
        yield "no difference", scenario, STEPS
        yield "no difference", scenario, "solved"
    for scenario in FAMILIES:
        yield "family", scenario, STEPS
    for scenario in DIFFERENT:
        yield "different", scenario, STEPS
    for name, (arm, null) in POWER.items():
        for n in SEEDS:
            yield name, Scenario(arm, null, n), STEPS


def calibration(
    group: str, scenario: Scenario, outcome: Outcome, studies: int, rng: np.random.Generator
) -> Calibration:
    """Simulate one scenario's studies and judge each by the family's rules.

    Examples
    --------
    >>> from biosernn.analysis.scenario import Outcomes
    >>> scenario = Scenario(Outcomes(1.0, mean=60), Outcomes(1.0), n=20)
    >>> found = calibration("mine", scenario, STEPS, 20, np.random.default_rng(0))
    >>> round(found.truth), found.helps, found.harms
    (-40, 1.0, 0.0)

    """
    truth = scenario.steps if outcome == STEPS else scenario.solved
    said: dict[str, int] = {"helps": 0, "harms": 0, "no difference": 0, "claims": 0}
    holds = {"effect": 0, "equivalence": 0}
    estimable = 0
    for first in range(0, studies, TOGETHER):
        pairs = draw(scenario, min(TOGETHER, studies - first), rng)
        family = [measure_many(arm, null, outcome, TOTAL_STEPS) for arm, null in pairs]
        for study in zip(*family, strict=True):
            words = judged(study)
            for word in words & said.keys():
                said[word] += 1
            said["claims"] += bool(words & {"helps", "harms"})
            for contrast in study:
                estimable += not np.isnan(contrast.effect.low)
                for name in holds:
                    interval = getattr(contrast, name)
                    holds[name] += bool(interval.low <= truth <= interval.high)
    return Calibration(
        group=group,
        scenario=scenario,
        outcome=outcome,
        studies=studies,
        truth=truth,
        helps=said["helps"] / studies,
        harms=said["harms"] / studies,
        no_difference=said["no difference"] / studies,
        claims=said["claims"] / studies,
        estimable=estimable / (studies * len(family)),
        coverage=holds["effect"] / estimable if estimable else np.nan,
        coverage_90=holds["equivalence"] / estimable if estimable else np.nan,
    )


def judged(family: Sequence[Contrast]) -> set[str]:
    """Verdicts of one study's family, after Holm's adjustment within it."""
    p = [contrast.p for contrast in family]
    if len(p) == 1:
        adjusted = p
    elif len(p) * min(p) >= ALPHA:
        adjusted = [1.0] * len(p)  # none stays below α; statsmodels takes 50 ms to say so
    else:
        adjusted = holm(p)
    pairs = zip(family, adjusted, strict=True)
    return {verdict(replace(contrast, p_holm=p_holm))[0] for contrast, p_holm in pairs}


def table(found: Sequence[Calibration]) -> pd.DataFrame:
    """One row a scenario and outcome, with every choice and the Monte-Carlo standard errors."""
    rows = []
    for row in found:
        scenario = asdict(row.scenario)
        sides = {
            f"{side}_{name}": value
            for side in ("arm", "null")
            for name, value in scenario.pop(side).items()
        }
        figures = {key: value for key, value in asdict(row).items() if key != "scenario"}
        errors = {"claims_error": row.claims_error, "coverage_error": row.coverage_error}
        rows.append({"group": figures.pop("group"), **sides, **scenario, **figures, **errors})
    return pd.DataFrame(rows)


def summary(found: Sequence[Calibration]) -> tuple[str, ...]:
    """Say whether false claims and the coverage of 95 % intervals pass, of arms alike and not.

    Covering too seldom fails. Covering too often is counted: differences of few pairs, and counts
    of runs, have too few values for an interval of just 95 %.
    """
    alike = [row for row in found if row.truth == 0 and row.group in ("no difference", "family")]
    differ = [row for row in found if row.truth != 0]
    worst = max(alike, key=lambda row: row.claims)
    claims = (
        f"false claims: at most {_percent(worst.claims, worst.claims_error)} of "
        f"{worst.studies:,} studies in {len(alike)} rows, 6.0 % allowed: "
        f"{_passes(worst.claims <= MOST_FALSE_CLAIMS)}"
    )
    return (
        claims,
        *(
            f"95 % intervals, {which}: {_coverage(rows)}"
            for which, rows in (("arms alike", alike), ("arms that differ", differ))
            if rows
        ),
    )


def _coverage(rows: Sequence[Calibration]) -> str:
    shown = [row for row in rows if not np.isnan(row.coverage)]
    least = min(shown, key=lambda row: row.coverage)
    below = sum(row.coverage < LEAST_COVERAGE for row in shown)
    above = sum(row.coverage > MOST_COVERAGE for row in shown)
    return (
        f"{below} of {len(shown)} rows cover less than 93 %, the least "
        f"{_percent(least.coverage, least.coverage_error)}, and {above} more than 97 %: "
        f"{_passes(not below)}"
    )


def markdown(found: Sequence[Calibration]) -> list[str]:
    """The tables in Markdown, shares in % ± their Monte-Carlo standard error."""
    lines = [
        "Arms alike. Solved: probability that a run is. Spread: of the steps of the runs that are.",
        "r: correlation of the pairs' causes. *False claims*: *helps* or *harms* is said.",
        "",
        "| solved | spread | r | seeds | steps: false claims | 95 % covers | 90 % covers | "
        "not estimable | solved: false claims | 95 % covers |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    alike = [row for row in found if row.group == "no difference"]
    for steps, solved in zip(alike[::2], alike[1::2], strict=True):
        scenario = steps.scenario
        spread = f"{scenario.arm.spread:g}" if scenario.arm.solved else "–"
        lines.append(
            f"| {scenario.arm.solved:g} | {spread} | {scenario.correlation:g} | {scenario.n} | "
            f"{_claims(steps)} | {_covers(steps)} | {_percent(steps.coverage_90)} | "
            f"{_percent(1 - steps.estimable)} | {_claims(solved)} | {_covers(solved)} |"
        )
    lines += [
        "",
        "Arms alike in three cohorts, two nulls each; a claim in any of the six, after Holm. "
        "Coverage is of each cohort's own difference.",
        "",
        "| solved | seeds | false claims | 95 % covers | 90 % covers |",
        "|---|---|---|---|---|",
    ]
    for row in (row for row in found if row.group == "family"):
        lines.append(
            f"| {row.scenario.arm.solved:g} | {row.scenario.n} | {_claims(row)} | {_covers(row)} | "
            f"{_percent(row.coverage_90)} |"
        )
    lines += [
        "",
        "Arms that differ, in steps.",
        "",
        "| arm solved | null solved | their steps | spread | seeds | true difference | *helps* | "
        "*harms* | *no difference* | 95 % covers | 90 % covers |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in (row for row in found if row.group == "different"):
        arm, null = row.scenario.arm, row.scenario.null
        lines.append(
            f"| {arm.solved:g} | {null.solved:g} | {arm.mean:.0f}, {null.mean:.0f} | "
            f"{arm.spread:g} | {row.scenario.n} | {row.truth:.1f} | "
            + " | ".join(
                _percent(share, _error(share, row.studies))
                for share in (row.helps, row.harms, row.no_difference)
            )
            + f" | {_covers(row)} | {_percent(row.coverage_90)} |"
        )
    lines += [
        "",
        "Power: studies that say *helps*; in the last row, *no difference*.",
        "",
        "| truth | " + " | ".join(f"{n} seeds" for n in SEEDS) + " |",
        "|---" * (1 + len(SEEDS)) + "|",
    ]
    for name, shares in power(found).items():
        studies = found[0].studies
        cells = (_percent(share, _error(share, studies)) for share in shares)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def power(found: Sequence[Calibration]) -> dict[str, list[float]]:
    """Share of studies that say what is true, by the truth's name, along `SEEDS`."""
    return {
        name: [row.helps if row.truth else row.no_difference for row in found if row.group == name]
        for name in POWER
    }


def _claims(row: Calibration) -> str:
    return _percent(row.claims, row.claims_error)


def _covers(row: Calibration) -> str:
    return _percent(row.coverage, row.coverage_error)


def _percent(share: float, error: float | None = None) -> str:
    if np.isnan(share):
        return "–"
    return f"{100 * share:.1f}" + ("" if error is None else f" ± {100 * error:.1f}")


def _passes(passes: bool) -> str:
    return "pass" if passes else "FAIL"


def _error(share: float, of: float) -> float:
    return float(np.sqrt(share * (1 - share) / of)) if of else np.nan
