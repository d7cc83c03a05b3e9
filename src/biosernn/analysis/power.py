"""How many seeds tell a difference that was named beforehand from none."""

from math import ceil, sqrt

from scipy import stats

from biosernn.analysis.family import family
from biosernn.analysis.scenario import Outcomes
from biosernn.analysis.verdict import ALPHA, SEEDS_NEEDED, equivalence_bound
from biosernn.study.primary import Outcome
from biosernn.study.spec import Study
from biosernn.training.schedule import Schedule

POWER = 0.80


def seeds_needed(
    difference: float, deviation: float, *, contrasts: int = 1, power: float = POWER
) -> int:
    """Seeds with which a difference is found, and its absence too, each with `power`.

    Parameters
    ----------
    difference
        Found by a two-sided test where it is there; where there is none, the bound within which
        the 90 % interval must lie.
    deviation
        Standard deviation of the paired differences.
    contrasts
        Size of the family: Holm's first step holds p against 0.05 divided by it.
    power
        Chance of finding it.

    References
    ----------
    Guenther 1981, The American Statistician 35, 243 (the correction for Student's t); Schuirmann
    1987, doi 10.1007/BF01068419.

    Examples
    --------
    >>> seeds_needed(20, 35.4), seeds_needed(20, 35.4, contrasts=3)
    (29, 36)

    """
    ratio = (deviation / difference) ** 2
    chance = stats.norm.ppf(power)
    two_sided = stats.norm.isf(ALPHA / 2 / contrasts)
    one_sided = stats.norm.isf(ALPHA)
    found = (two_sided + chance) ** 2 * ratio + two_sided**2 / 2
    ruled_out = (one_sided + stats.norm.ppf((1 + power) / 2)) ** 2 * ratio + one_sided**2 / 2
    return max(SEEDS_NEEDED, ceil(found), ceil(ruled_out))


def seeds_sentence(study: Study, cohorts: int) -> str:
    """Say how many seeds a study's primary outcome needs for the difference of its bound.

    Parameters
    ----------
    study
        What is asked.
    cohorts
        How many it has; its family spans them.

    Examples
    --------
    >>> from biosernn.study.presets import preset
    >>> seeds_sentence(preset("quick"), 1)
    'seeds for ±20 steps, 80 % power: about 33 if every run reaches the criterion, about 234 if one
    in 20 does not; 10 planned'

    """
    primary = study.decides
    names = {arm.name for arm in study.arms}
    if not {primary.arm, primary.null} <= names:
        return f"primary not tested: no {primary.arm} beside {primary.null}"
    if (primary.protocol, primary.recipe) not in study.conditions:
        return f"primary not tested: no recipe {primary.recipe} under protocol {primary.protocol}"
    inside = sum({*pair} <= names for pair in family(primary)) * cohorts
    total = Schedule(epochs=study.epochs).steps
    bound = equivalence_bound(primary.outcome, total)
    needed = ", ".join(
        f"about {seeds_needed(bound, deviation, contrasts=inside):,} {condition}"
        for deviation, condition in _deviations(primary.outcome, total)
    )
    unit = "steps" if primary.outcome == "restricted_mean_steps" else "of the runs solved"
    planned = study.seeds_of(study.tasks[0])
    return f"seeds for ±{bound:g} {unit}, {100 * POWER:.0f} % power: {needed}; {planned} planned"


def _deviations(outcome: Outcome, total: int) -> list[tuple[float, str]]:
    """Standard deviations of the differences of uncorrelated pairs, each with what it supposes."""
    if outcome == "solved":
        variances = {share: 2 * share * (1 - share) for share in (0.95, 0.5)}
        words = {0.95: "if 19 of 20 runs are solved", 0.5: "if half are"}
        return [(sqrt(variances[share]), words[share]) for share in words]
    words = {1.0: "if every run reaches the criterion", 0.95: "if one in 20 does not"}
    return [(sqrt(2 * Outcomes(p, mean=total / 4).variance), words[p]) for p in words]
