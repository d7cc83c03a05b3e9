"""A study's runs held against published means, arm by arm."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite, sqrt
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from biosernn.analysis.findings import Interval
from biosernn.analysis.multiplicity import holm
from biosernn.analysis.proportion import wilson
from biosernn.analysis.t_interval import t_interval
from biosernn.analysis.two_fractions import fisher, fraction_difference
from biosernn.analysis.welch import NEITHER_VARIES, welch
from biosernn.errors import BadInput

Agrees = Literal["agrees", "differs", "not tested"]

SIGNIFICANT = 0.05
COLUMNS = ("task", "arm", "outcome", "n", "mean", "sd")


@dataclass(frozen=True)
class Agreement:
    """One published mean and what a study found in its place.

    Attributes
    ----------
    ours, theirs
        Mean or fraction, each with its 95 % interval.
    difference
        Ours minus theirs with its 95 % interval, which says how large a difference could be missed.
    n_undefined
        Runs of ours that are left out because the outcome is not defined in them.
    p, p_holm
        Of no difference, and after Holm among all that are compared at once; NaN without a test.
    verdict, verdict_holm
        Whether a difference was found at 5 %, by either p. *agrees* says that none was.

    """

    task: str
    arm: str
    outcome: str
    ours: Interval
    theirs: Interval
    difference: Interval
    n_undefined: int
    p: float
    p_method: str
    p_holm: float = float("nan")
    verdict: Agrees = "not tested"
    verdict_holm: Agrees = "not tested"


def reproduction(results: pd.DataFrame, published: pd.DataFrame) -> tuple[Agreement, ...]:
    """Hold every published mean against the study's runs of that task and arm.

    Parameters
    ----------
    results
        One row a run, of one cohort, protocol, recipe and strength. Diverged runs are among them.
    published
        One row a mean: task, arm, outcome, n, mean, sd. The outcome is a column of `results`, or
        `solved_095`: accuracy of at least 0.95. Of an outcome that is true or false the mean is a
        fraction and sd is not read. Optional columns mean_error and sd_error say by how much
        rounding may have moved either; no difference is found that it could have made.

    Returns
    -------
    One for each row of `published`, in its order. Fractions by Fisher's exact test, means by
    Welch's t. Where neither side varies there is no test: it *agrees* if the two are equal.

    Raises
    ------
    BadInput
        Where a column is missing, a mean is published twice, or `results` holds several settings.

    Examples
    --------
    >>> results = pd.DataFrame({
    ...     "cohort": "6_6_2", "protocol": "published", "recipe": "seed", "strength": 0.3,
    ...     "task": "maze", "arm": "WD*", "accuracy": [1, 1, 0.63, 0.62, 1, 0.63]})
    >>> published = pd.DataFrame({
    ...     "task": "maze", "arm": "WD*", "outcome": ["solved_095", "accuracy"],
    ...     "n": 20, "mean": [0.4, 0.787], "sd": [None, 0.186]})
    >>> for found in reproduction(results, published):
    ...     print(found.outcome, round(found.difference.estimate, 2), found.verdict)
    solved_095 0.1 agrees
    accuracy 0.03 agrees

    """
    _check(results, published)
    runs = results.assign(solved_095=results["accuracy"] >= 0.95)
    errors = published.reindex(columns=["mean_error", "sd_error"]).fillna(0.0)
    rows = published.assign(**errors).to_dict("records")
    return tuple(_judged([_one(runs, row) for row in rows]))


def _check(results: pd.DataFrame, published: pd.DataFrame) -> None:
    for column in COLUMNS:
        if column not in published.columns:
            raise BadInput("published", f"no column {column}", f"give {', '.join(COLUMNS)}")
    twice = published[published.duplicated(["task", "arm", "outcome"])]
    if len(twice):
        where = ", ".join(twice.iloc[0][["task", "arm", "outcome"]])
        raise BadInput("published", f"{where} is there twice", "keep one row a mean")
    for outcome in {*published["outcome"]} - {"solved_095"} | {"accuracy"}:
        if outcome not in results.columns:
            raise BadInput("results", f"no column {outcome}", "name a column of the results")
    for column in ("cohort", "protocol", "recipe", "strength"):
        if results[column].nunique() > 1:
            raise BadInput("results", f"several values of {column}", "choose the runs of one")


def _one(runs: pd.DataFrame, row: dict[Any, Any]) -> Agreement:
    here = runs[(runs["task"] == row["task"]) & (runs["arm"] == row["arm"])]
    values = here[row["outcome"]]
    defined = values[np.isfinite(values.astype(float))]
    place = row["task"], row["arm"], row["outcome"]
    n_undefined = len(values) - len(defined)
    if defined.empty or not isfinite(row["mean"]):
        reason = "no such run" if here.empty else "not defined"
        ours = Interval(float(defined.mean()), _NAN, _NAN, 0.95, reason, len(defined))
        theirs = Interval(row["mean"], _NAN, _NAN, 0.95, reason, row["n"])
        difference = Interval(_NAN, _NAN, _NAN, 0.95, reason, 0)
        return Agreement(*place, ours, theirs, difference, n_undefined, _NAN, reason)
    compared = _fractions if values.dtype == bool else _means
    return compared(place, defined, n_undefined, row)


def _fractions(
    place: tuple[str, str, str], values: pd.Series, n_undefined: int, row: dict[Any, Any]
) -> Agreement:
    a, b = (int(values.sum()), len(values)), (round(row["n"] * row["mean"]), row["n"])
    difference = fraction_difference(a, b)
    exact = "Fisher's exact test"
    return Agreement(*place, wilson(*a), wilson(*b), difference, n_undefined, fisher(a, b), exact)


def _means(
    place: tuple[str, str, str], values: pd.Series, n_undefined: int, row: dict[Any, Any]
) -> Agreement:
    mean, sd, n, rounding = row["mean"], row["sd"], row["n"], row["mean_error"]
    difference, p = welch(
        (float(values.mean()), float(values.std()), len(values)),
        (mean, sd + row["sd_error"], n),
        rounding=rounding,
    )
    half = float(stats.t.ppf(0.975, n - 1)) * sd / sqrt(n) if n > 1 else _NAN
    theirs = Interval(mean, mean - half, mean + half, 0.95, "t interval, from its sd", n)
    method = "Welch's t test" if isfinite(p) else difference.method
    found = Agreement(*place, t_interval(values), theirs, difference, n_undefined, p, method)
    if method != NEITHER_VARIES:
        return found
    word: Agrees = "agrees" if abs(difference.estimate) <= rounding else "differs"
    return replace(found, verdict=word, verdict_holm=word)


def _judged(found: list[Agreement]) -> Iterator[Agreement]:
    tested = [number for number, one in enumerate(found) if isfinite(one.p)]
    adjusted = holm([found[number].p for number in tested])
    p_holm = dict(zip(tested, adjusted, strict=True))
    for number, one in enumerate(found):
        if number in p_holm:
            p = p_holm[number]
            words = _word(one.p), _word(p)
            one = replace(one, p_holm=p, verdict=words[0], verdict_holm=words[1])
        yield one


def _word(p: float) -> Agrees:
    return "differs" if p < SIGNIFICANT else "agrees"


_NAN = float("nan")
