"""One contrast: an arm minus its null over the seeds they share."""

import numpy as np
import pandas as pd

from biosernn.analysis.findings import Contrast, Interval
from biosernn.analysis.restricted_mean import restricted_mean_difference
from biosernn.analysis.risk_difference import exact_mcnemar, risk_difference
from biosernn.analysis.sign_flip import how_many, sign_flip
from biosernn.analysis.verdict import equivalence_bound
from biosernn.study.primary import Outcome

Place = tuple[str, str, str, str]
"""Cohort, task, protocol and recipe."""


def paired_by_seed(arm: pd.DataFrame, null: pd.DataFrame) -> pd.DataFrame:
    """Rows of the seeds that both have: steps, censored and solved of `_arm` and of `_null`.

    Examples
    --------
    >>> runs = pd.DataFrame({"seed": [0, 1], "steps": [90, 400],
    ...                      "censored": [False, True], "solved": [True, False]})
    >>> paired_by_seed(runs, runs.iloc[1:])["steps_arm"].tolist()
    [400]

    """
    columns = ["seed", "steps", "censored", "solved"]
    return pd.merge(arm[columns], null[columns], on="seed", suffixes=("_arm", "_null"))


def measure(
    place: Place,
    question: str,
    arm: str,
    null: str,
    outcome: Outcome,
    pairs: pd.DataFrame,
    *,
    strength: float,
    total_steps: int,
) -> Contrast:
    """Effect, intervals and p of one outcome over `pairs`, exploratory and without a verdict yet.

    Parameters
    ----------
    place
        Cohort, task, protocol and recipe of the runs.
    question, arm, null, outcome
        What is compared, and in what.
    pairs
        As `paired_by_seed` gives them, censored runs at `total_steps`.
    strength
        The penalty's strength λ asked for.
    total_steps
        Steps of a whole run.

    Examples
    --------
    >>> runs = pd.DataFrame({"seed": [0, 1], "steps": [90, 100],
    ...                      "censored": [False, False], "solved": [True, True]})
    >>> pairs = paired_by_seed(runs, runs.assign(steps=[120, 110]))
    >>> found = measure(("6_6_2", "maze", "corrected", "clipped"), "plain", "W*", "W0",
    ...                 "restricted_mean_steps", pairs, strength=0.3, total_steps=400)
    >>> found.effect.estimate, found.bound, found.n
    (-20.0, 20.0, 2)

    """
    if outcome == "restricted_mean_steps":
        of_arm, of_null = pairs["steps_arm"].to_numpy(), pairs["steps_null"].to_numpy()
        difference = restricted_mean_difference
        p = float(sign_flip((of_arm - of_null).astype(float)[None])[0])
        p_method = f"sign-flip permutation, {how_many(len(pairs))}"
    else:
        of_arm, of_null = pairs["solved_arm"].to_numpy(), pairs["solved_null"].to_numpy()
        difference = risk_difference
        p, p_method = exact_mcnemar(of_arm, of_null), "exact McNemar test"
    constant = len(np.unique(of_arm)) == 1 or len(np.unique(of_null)) == 1
    return Contrast(
        *place,
        question=question,
        arm=arm,
        null=null,
        outcome=outcome,
        n=len(pairs),
        effect=difference(of_arm, of_null, 0.95),
        equivalence=difference(of_arm, of_null, 0.90),
        bound=equivalence_bound(outcome, total_steps),
        p=p,
        p_method=p_method,
        p_holm=None,
        pair_correlation=np.nan if constant else float(np.corrcoef(of_arm, of_null)[0, 1]),
        in_family=False,
        primary=False,
        verdict="cannot tell",
        reached=int((~(pairs["censored_arm"] & pairs["censored_null"])).sum()),
        strength=strength,
    )


def not_tested(
    place: Place,
    question: str,
    arm: str,
    null: str,
    outcome: Outcome,
    reason: str,
    *,
    total_steps: int,
) -> Contrast:
    """The record of a contrast that the results do not hold, with the reason.

    Examples
    --------
    >>> place = ("6_6_2", "maze", "corrected", "clipped")
    >>> not_tested(place, "plain", "W*", "W0", "solved", "no runs of W*", total_steps=400).verdict
    'not tested'

    """
    nothing = Interval(np.nan, np.nan, np.nan, np.nan, "not tested", 0)
    return Contrast(
        *place,
        question=question,
        arm=arm,
        null=null,
        outcome=outcome,
        n=0,
        effect=nothing,
        equivalence=nothing,
        bound=equivalence_bound(outcome, total_steps),
        p=np.nan,
        p_method="not tested",
        p_holm=None,
        pair_correlation=np.nan,
        in_family=False,
        primary=False,
        verdict="not tested",
        reason=reason,
    )
