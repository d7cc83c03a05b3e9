"""Contrasts of several cohorts together, clustered by the session that they were recorded in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from biosernn.analysis.findings import Contrast, Interval, Pooled
from biosernn.analysis.t_interval import t_interval

SESSIONS_NEEDED = 5
"""Clusters below which an interval over them says more of its assumptions than of the data."""


def by_session(contrasts: Sequence[Contrast], sessions: Mapping[str, int]) -> tuple[Pooled, ...]:
    """Pool every contrast that several cohorts have: a mean over sessions of means over cohorts.

    Cohorts of one session share an animal's state, and fields beside each other share cells, so
    that a session counts once however many cohorts it has.

    Parameters
    ----------
    contrasts
        Each of one cohort.
    sessions
        Session by cohort; below 0 where it is unknown or more than one, and the cohort left out.

    Returns
    -------
    tuple
        One for each contrast that two cohorts or more have, in the order of the first. Its t
        interval over sessions is not estimable with fewer than 5 of them.

    References
    ----------
    Aarts et al. 2014, doi 10.1038/nn.3648, on samples that are nested.

    Examples
    --------
    >>> by_session([], {})
    ()

    """
    groups: dict[tuple, list[Contrast]] = {}
    for c in contrasts:
        if c.n:
            same = (c.task, c.protocol, c.recipe, c.strength, c.question, c.arm, c.null, c.outcome)
            groups.setdefault(same, []).append(c)
    return tuple(_pooled(group, sessions) for group in groups.values() if len(group) > 1)


def _pooled(group: Sequence[Contrast], sessions: Mapping[str, int]) -> Pooled:
    effects: dict[int, list[float]] = {}
    for c in group:
        if sessions[c.cohort] >= 0:
            effects.setdefault(sessions[c.cohort], []).append(c.effect.estimate)
    first, each = group[0], [float(np.mean(of_session)) for of_session in effects.values()]
    if len(each) >= SESSIONS_NEEDED:
        over_sessions = replace(t_interval(each), method="t interval over sessions")
    else:
        mean = float(np.mean(each)) if each else np.nan
        reason = f"not estimable: sessions known {len(each)}, needed {SESSIONS_NEEDED}"
        over_sessions = Interval(mean, np.nan, np.nan, 0.95, reason, len(each))
    return Pooled(
        task=first.task,
        protocol=first.protocol,
        recipe=first.recipe,
        question=first.question,
        arm=first.arm,
        null=first.null,
        outcome=first.outcome,
        strength=first.strength,
        cohorts=tuple((c.cohort, c.effect.estimate) for c in group),
        sessions=tuple(zip(effects, each, strict=True)),
        effect=over_sessions,
    )
