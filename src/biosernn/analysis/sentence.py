"""The answer in one sentence, and what its intervals describe."""

from collections.abc import Sequence
from math import isnan

import pandas as pd

from biosernn.analysis.by_session import SESSIONS_NEEDED
from biosernn.analysis.findings import Contrast, Interval
from biosernn.analysis.verdict import SEEDS_NEEDED


def finding_sentence(
    primary: Contrast,
    headline: Sequence[Contrast],
    plain_gap: Sequence[Contrast],
    seeds: int,
    cohort: str | None,
) -> str:
    """One line: the headline's verdicts, the primary's first, and the gap to the plain RNN.

    Parameters
    ----------
    primary
        The primary contrast, named first where it is not in the headline.
    headline
        Contrasts for wiring, geometry and activity, told from the last to the first.
    plain_gap
        Difference in the fraction solved to the plain RNN, one per recipe.
    seeds
        Seeds per arm; fewer than 10 are too few to tell.
    cohort
        Whose the contrasts are, where the study has several.

    """
    clauses = [] if cohort is None else [f"cohort {cohort} alone"]
    if seeds < SEEDS_NEEDED:
        clauses.append(f"too few to tell: {seeds} seeds, at least {SEEDS_NEEDED} needed")
    if primary.verdict == "not tested":
        clauses.append(f"primary not tested: {primary.reason}")
    elif primary not in headline:
        clauses.append(f"primary ({primary.arm} minus {primary.null}): {_conclusion(primary)}")
    clauses += [f"{c.question}: {_conclusion(c)}" for c in reversed(headline)]
    if plain_gap:
        gaps = (f"{c.recipe} {_signed(c)}" if c.n else f"{c.recipe} not tested" for c in plain_gap)
        clauses.append(f"gap to the plain RNN, fraction solved: {', '.join(gaps)}")
    return "; ".join(clauses)


def describes(results: pd.DataFrame) -> str:
    """What the intervals of `results` generalise to: training seeds, not fields or animals.

    Examples
    --------
    >>> describes(pd.DataFrame({"cohort": ["6_6_2", "6_6_2"], "session": [6, 6]}))
    'Each interval describes new training seeds on the same neurons (6_6_2), not other fields or
    animals.'

    """
    cohorts = results["cohort"].unique()
    if len(cohorts) == 1:
        return (
            f"Each interval describes new training seeds on the same neurons ({cohorts[0]}), "
            "not other fields or animals."
        )
    sessions = results.loc[results["session"] >= 0, "session"].nunique()
    if sessions >= SESSIONS_NEEDED:
        over = f"an interval over their {sessions} sessions stands in a table of its own"
    else:
        over = (
            f"no interval is given over their {sessions} known sessions, fewer than "
            f"{SESSIONS_NEEDED}"
        )
    return (
        "Each interval describes new training seeds on the same neurons of one cohort. The "
        f"{len(cohorts)} cohorts are shown one by one, and {over}. Fields share cells and "
        "sessions, and say nothing of other animals."
    )


def _conclusion(contrast: Contrast) -> str:
    if contrast.verdict == "not tested":
        return "not tested"
    unit = "steps" if contrast.outcome == "restricted_mean_steps" else "solved"
    within = f" within ±{contrast.bound:g} {unit}" if contrast.verdict == "no difference" else ""
    return (
        f"{contrast.verdict}{within} "
        f"({_signed(contrast)} {_ends(contrast.effect, contrast.outcome)} {unit}, n = {contrast.n})"
    )


def _signed(contrast: Contrast) -> str:
    digits = 1 if contrast.outcome == "restricted_mean_steps" else 2
    return f"{contrast.effect.estimate:+z.{digits}f}".replace("-", "−")


def _ends(interval: Interval, outcome: str) -> str:
    if isnan(interval.low):
        return "[not estimable]"
    digits = 1 if outcome == "restricted_mean_steps" else 2
    return f"[{interval.low:z.{digits}f}, {interval.high:z.{digits}f}]".replace("-", "−")
