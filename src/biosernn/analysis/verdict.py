"""What may be said of one contrast: helps, harms, no difference, cannot tell, not tested."""

from math import isnan

from biosernn.analysis.findings import Contrast, Verdict
from biosernn.study.primary import Outcome

SEEDS_NEEDED = 10
ALPHA = 0.05


def equivalence_bound(outcome: Outcome, total_steps: int) -> float:
    """Largest difference that counts as none: 20 steps of 400, or 0.10 of the runs solved.

    Examples
    --------
    >>> equivalence_bound("restricted_mean_steps", 400), equivalence_bound("solved", 400)
    (20.0, 0.1)

    """
    return total_steps / 20 if outcome == "restricted_mean_steps" else 0.10


def verdict(contrast: Contrast) -> tuple[Verdict, str]:
    """Verdict on a measured contrast, and the reason where it is `cannot tell` or `not tested`.

    *helps*: the 95 % interval excludes 0 on the good side (fewer steps, more solved) and Holm's
    p < 0.05; *harms* likewise. An exploratory contrast has no Holm p: its own p is taken, and the
    reason says that it is to be confirmed on new seeds.
    *no difference*: the 90 % interval lies within the bound and does not touch it, since its
    ends are not rejected (two one-sided tests). Nothing is
    claimed on fewer than 10 seeds; nor is *no difference* in steps where fewer than 10 pairs hold
    a run that reached the criterion, since pairs of censored runs are equal by construction.

    Nor is anything claimed where the recipe `tuned` chose another setting for the arm than for its
    null, but for the gap to the plain network, where each is to be at its best: the difference
    holds the settings too, and the error of their choice is in no interval.

    The interval knows only outcomes that occurred: where an arm fails in 7 % of its runs, almost
    a quarter of all sets of 20 seeds hold none, and *no difference* may then be said of 20 steps.

    References
    ----------
    Schuirmann 1987, doi 10.1007/BF01068419.

    Examples
    --------
    >>> from biosernn.analysis.findings import Interval
    >>> effect = Interval(-35.0, -50.0, -20.0, 0.95, "inverted sign-flip test", 20)
    >>> contrast = Contrast(
    ...     "6_6_2", "maze", "corrected", "clipped", "activity", "W*D*C", "shuffled-in-bins",
    ...     "restricted_mean_steps", 20, effect, effect, 20.0, 0.001, "sign-flip", 0.003, 0.1,
    ...     in_family=True, primary=True, verdict="cannot tell")
    >>> verdict(contrast)
    ('helps', '')

    """
    effect, equivalence, bound = contrast.effect, contrast.equivalence, contrast.bound
    if contrast.n == 0:
        return "not tested", contrast.reason
    if contrast.n < SEEDS_NEEDED:
        return "cannot tell", f"too few seeds: {contrast.n}, at least {SEEDS_NEEDED} needed"
    if isnan(effect.low):
        return "cannot tell", "every pair differs by the same amount: no interval is estimable"
    if contrast.settings and contrast.question != "plain":
        return "cannot tell", f"trained at different settings: {contrast.settings}"
    excludes_zero = effect.low > 0 or effect.high < 0
    exploratory = contrast.p_holm is None
    p = contrast.p if contrast.p_holm is None else contrast.p_holm
    if excludes_zero and p < ALPHA:
        good = (effect.estimate > 0) == (contrast.outcome == "solved")
        reason = "exploratory: to be confirmed on new seeds" if exploratory else ""
        return ("helps" if good else "harms"), reason
    steps = contrast.outcome == "restricted_mean_steps"
    if -bound < equivalence.low and equivalence.high < bound:
        if steps and contrast.reached < SEEDS_NEEDED:
            return "cannot tell", (
                f"only {contrast.reached} of {contrast.n} pairs hold a run that reached the "
                f"criterion, at least {SEEDS_NEEDED} needed"
            )
        return "no difference", ""
    if not excludes_zero:
        return "cannot tell", f"the interval holds 0 and reaches beyond ±{bound:g}"
    which = "p" if exploratory else "Holm's p"
    return "cannot tell", f"the interval excludes 0 but {which} is {p:.2g}"
