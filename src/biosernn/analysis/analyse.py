"""From a study's results to summaries, contrasts, curves and one sentence."""

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite
from typing import Any, get_args

import pandas as pd

from biosernn.analysis.by_session import by_session
from biosernn.analysis.contrast import Place, measure, not_tested, paired_by_seed
from biosernn.analysis.family import (
    HEADLINE,
    contrast_pairs,
    family,
    named_pair,
    question_of,
)
from biosernn.analysis.findings import Analysis, ArmSummary, Contrast, Survival
from biosernn.analysis.multiplicity import holm
from biosernn.analysis.proportion import wilson
from biosernn.analysis.restricted_mean import restricted_mean
from biosernn.analysis.sentence import describes, finding_sentence
from biosernn.analysis.survival import kaplan_meier
from biosernn.analysis.t_interval import t_interval
from biosernn.analysis.verdict import SEEDS_NEEDED, verdict
from biosernn.errors import BadInput
from biosernn.study.primary import STRENGTH, Outcome, Primary

PLACE = ["cohort", "task", "protocol", "recipe"]
ARM = ["arm", "strength"]
IDENTITY = [*PLACE, *ARM, "seed"]
OUTCOMES = ["status", "accuracy", "solved", "steps_to_criterion", "censored", "collapsed"]


def analyse(results: pd.DataFrame, *, primary: Primary, total_steps: int = 400) -> Analysis:
    """Read a study's results against the family of contrasts fixed beforehand.

    Parameters
    ----------
    results
        One row a run in the study's order. A diverged run counts as not solved and censored.
    primary
        The contrast the study is made to decide. Where its arms, recipe or protocol are absent it
        is `not tested`, and every other contrast is exploratory.
    total_steps
        Steps of a whole run, with which a censored run counts.

    Returns
    -------
    Analysis
        The family spans all cohorts under the first task and at one strength, the published 0.3 or,
        where that was not run, the first; the headline and the gap to the plain RNN are the first
        cohort's.

    Raises
    ------
    BadInput
        Where `results` is empty, lacks a column or holds a run twice.

    Examples
    --------
    >>> results = pd.DataFrame({
    ...     "cohort": "6_6_2", "session": 6, "task": "maze", "protocol": "corrected",
    ...     "recipe": "clipped", "arm": ["W*D*C"] * 3 + ["WD*C"] * 3, "strength": 0.3,
    ...     "seed": [0, 1, 2] * 2, "status": "done", "accuracy": [1, 1, 1, 1, 0.625, 0.625],
    ...     "solved": [True] * 4 + [False] * 2, "censored": [False] * 4 + [True] * 2,
    ...     "steps_to_criterion": [90, 100, 95, 200, 400, 400], "collapsed": False,
    ...     "penalty_dominates": False})
    >>> analyse(results, primary=Primary(null="WD*C")).finding
    'too few to tell: 3 seeds, at least 10 needed; primary (W*D*C minus WD*C): cannot tell
    (−238.3 [not estimable] steps, n = 3); activity: not tested; ...'

    """
    _check(results)
    diverged = results["status"] == "diverged"
    censored = results["censored"].astype(bool) | diverged
    results = results.assign(
        solved=results["solved"].astype(bool) & ~diverged,
        censored=censored,
        steps=results["steps_to_criterion"].where(~censored, total_steps),
    )
    results = _tested_strength_first(results)
    arms: list[ArmSummary] = []
    survival: list[Survival] = []
    measured: list[Contrast] = []
    place: Place
    for place in _each(results, PLACE):
        runs = _where(results, PLACE, place)
        for arm, strength in _each(runs, ARM):
            of_arm = _where(runs, ARM, (arm, strength))
            arms.append(_summary(place, arm, strength, of_arm))
            steps, not_yet = kaplan_meier(of_arm["steps"], of_arm["censored"], total_steps)
            survival.append(
                Survival(
                    *place,
                    arm=arm,
                    steps=steps,
                    not_yet=not_yet,
                    n=len(of_arm),
                    strength=strength,
                )
            )
        measured += _contrasts(place, runs, primary, total_steps)
    cohort, task = results.iloc[0][["cohort", "task"]]
    contrasts = _judged(measured, primary, task)

    def find(recipe: str, question: str, arm: str, null: str, outcome: Outcome) -> Contrast:
        place = (cohort, task, primary.protocol, recipe)
        for c in contrasts:
            if (c.arm, c.null, c.outcome) == (arm, null, outcome) and _place(c) == place:
                return c
        present = set(_where(results, PLACE, place)["arm"])
        absent = " and ".join(name for name in (arm, null) if name not in present)
        if not present:
            reason = f"no runs under protocol {primary.protocol} and recipe {recipe}"
        else:
            reason = f"no runs of {absent}" if absent else f"{arm} and {null} share no seed"
        absentee = not_tested(place, question, arm, null, outcome, reason, total_steps=total_steps)
        asked = (primary.recipe, primary.arm, primary.null, primary.outcome)
        return replace(absentee, primary=(recipe, arm, null, outcome) == asked)

    decided = find(primary.recipe, question_of(primary), primary.arm, primary.null, primary.outcome)
    if decided.verdict == "not tested":
        contrasts.append(decided)
    headline = tuple(
        find(primary.recipe, question, *named_pair(question), primary.outcome)
        for question in HEADLINE
    )
    here = _where(results, PLACE[:3], (cohort, task, primary.protocol))
    plain_gap = tuple(
        find(recipe, "plain", *named_pair("plain"), "solved") for recipe in here["recipe"].unique()
    )
    seeds = min(summary.n for summary in arms)
    of_several = cohort if results["cohort"].nunique() > 1 else None
    return Analysis(
        arms=tuple(arms),
        contrasts=tuple(contrasts),
        survival=tuple(survival),
        headline=headline,
        plain_gap=plain_gap,
        finding=finding_sentence(decided, headline, plain_gap, seeds, of_several),
        seeds=seeds,
        seeds_needed=SEEDS_NEEDED,
        describes=describes(results),
        pooled=by_session(contrasts, dict(zip(results["cohort"], results["session"], strict=True))),
    )


def _check(results: pd.DataFrame) -> None:
    for column in [*IDENTITY, *OUTCOMES, "session", "penalty_dominates"]:
        if column not in results.columns:
            raise BadInput("results", f"no column {column}", "use the results of a study folder")
    if results.empty:
        raise BadInput("results", "no runs", "run the study first")
    twice = results[results.duplicated(IDENTITY)]
    if len(twice):
        arm, seed = twice.iloc[0][["arm", "seed"]]
        raise BadInput("results", f"{arm} with seed {seed} is there twice", "keep one row a run")


def _tested_strength_first(results: pd.DataFrame) -> pd.DataFrame:
    """Order the runs so that of a sweep's strengths the one that is tested comes first."""
    results = results.reset_index(drop=True)
    swept = results.groupby("arm")["strength"].transform("nunique") > 1
    if not swept.any() or not (results.loc[swept, "strength"] == STRENGTH).any():
        return results
    place = results.groupby(PLACE, sort=False).ngroup()
    arm = results.groupby("arm", sort=False).ngroup()
    later = swept & (results["strength"] != STRENGTH)
    order = pd.DataFrame({"place": place, "arm": arm, "later": later})
    return results.loc[order.sort_values([*order], kind="stable").index]


def _summary(place: Place, arm: str, strength: float, runs: pd.DataFrame) -> ArmSummary:
    n_solved = int(runs["solved"].sum())
    return ArmSummary(
        *place,
        arm=arm,
        n=len(runs),
        solved=wilson(n_solved, len(runs)),
        mean_steps=restricted_mean(runs["steps"]),
        accuracy=t_interval(runs["accuracy"], bounds=(0, 1)),
        n_solved=n_solved,
        n_censored=int(runs["censored"].sum()),
        n_diverged=int((runs["status"] == "diverged").sum()),
        n_collapsed=int(runs["collapsed"].sum()),
        n_penalty_dominates=int(runs["penalty_dominates"].sum()),
        solved_095=float((runs["accuracy"] >= 0.95).mean()),
        strength=strength,
    )


def _contrasts(
    place: Place, runs: pd.DataFrame, primary: Primary, total_steps: int
) -> Iterator[Contrast]:
    """Every contrast whose arms share a seed, one per strength.

    An arm that has a single strength is compared at it with each strength of the other.
    """
    for question, arm, null in contrast_pairs(primary):
        of_arm, of_null = runs[runs["arm"] == arm], runs[runs["arm"] == null]
        for strength in max(of_arm["strength"].unique(), of_null["strength"].unique(), key=len):
            sides = _at(of_arm, strength), _at(of_null, strength)
            pairs, (setting, other) = paired_by_seed(*sides), map(_setting, sides)
            if len(pairs):
                settings = "" if setting == other else f"{setting} against {other}"
                for outcome in get_args(Outcome):
                    found = measure(
                        place,
                        question,
                        arm,
                        null,
                        outcome,
                        pairs,
                        strength=strength,
                        total_steps=total_steps,
                    )
                    yield replace(found, settings=settings)


def _at(runs: pd.DataFrame, strength: float) -> pd.DataFrame:
    return runs[runs["strength"] == strength] if runs["strength"].nunique() > 1 else runs


def _setting(runs: pd.DataFrame) -> str:
    """What the recipe `tuned` chose, in words; nothing where no study chose."""
    if runs.empty or not {"learning_rate", "clip"} <= set(runs.columns):
        return ""
    rate, clip = runs[["learning_rate", "clip"]].iloc[0].astype(float)
    return f"learning rate {rate:g}, " + (f"clip {clip:g}" if isfinite(clip) else "no clip")


def _judged(contrasts: list[Contrast], primary: Primary, task: str) -> list[Contrast]:
    """Mark the family, adjust p within it and give every contrast its verdict."""
    asked = (task, primary.protocol, primary.recipe, primary.outcome)
    members: dict[tuple[str, str, str], int] = {}
    for index, c in enumerate(contrasts):
        read = (c.task, c.protocol, c.recipe, c.outcome)
        if read == asked and (c.arm, c.null) in family(primary):
            members.setdefault((c.cohort, c.arm, c.null), index)
    if not any((arm, null) == (primary.arm, primary.null) for _, arm, null in members):
        members = {}
    adjusted = holm([contrasts[index].p for index in members.values()])
    p_holm = dict(zip(members.values(), adjusted, strict=True))
    judged = []
    for index, c in enumerate(contrasts):
        inside = index in p_holm
        is_primary = inside and (c.arm, c.null) == (primary.arm, primary.null)
        c = replace(c, in_family=inside, primary=is_primary, p_holm=p_holm.get(index))
        word, reason = verdict(c)
        judged.append(replace(c, verdict=word, reason=reason))
    return judged


def _each(runs: pd.DataFrame, columns: list[str]) -> list[tuple[Any, ...]]:
    """Distinct values of the columns together, in order of appearance."""
    return list(runs[columns].drop_duplicates().itertuples(index=False, name=None))


def _where(runs: pd.DataFrame, columns: list[str], values: tuple) -> pd.DataFrame:
    return runs[(runs[columns] == list(values)).all(axis=1)]


def _place(c: Contrast) -> Place:
    return c.cohort, c.task, c.protocol, c.recipe
