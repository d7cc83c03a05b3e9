"""All checks of a cohort, and whether it may be trusted."""

from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from biosernn.audit import (
    aliasing,
    alignment,
    animals,
    connection_probability,
    correlation_distance,
    degrees,
    dropped,
    duplicates,
    edges,
    like_to_like,
    origin,
    recomputed_correlation,
    self_weights,
    shared_cells,
    sheet,
    silent,
    unknown_roots,
)
from biosernn.audit.check import Check, Verdict
from biosernn.cohort.cohort import Cohort

WORST_FIRST: tuple[Verdict, ...] = ("fail", "caution", "ok", "not known")


@dataclass(frozen=True)
class Audit:
    """What all checks find.

    Attributes
    ----------
    checks
        In a fixed order.

    """

    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict among what is known."""
        return min((check.verdict for check in self.checks), key=WORST_FIRST.index)

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many checks came to each verdict."""
        verdicts = [check.verdict for check in self.checks]
        return {verdict: verdicts.count(verdict) for verdict in WORST_FIRST}


def audit(cohort: Cohort, other: Cohort | None = None) -> Audit:
    """Look at everything that decides whether a cohort may be trusted.

    Parameters
    ----------
    cohort
        With whatever parts are known.
    other
        A second cohort, to look for shared cells.

    Returns
    -------
    Audit
        The same cohort always gets the same; every null has a fixed key.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> found = audit(synthetic_cohort(64, seed=0))
    >>> found.checks[0].name, found.checks[0].verdict, failures(found)
    ('alignment of the wiring', 'ok', [])

    """
    with threadpool_limits(1):  # with more, sums differ in their last bits
        return Audit(_checks(cohort, other))


def _checks(cohort: Cohort, other: Cohort | None) -> tuple[Check, ...]:
    return (
        alignment.check(cohort),
        duplicates.check(cohort),
        unknown_roots.check(cohort),
        silent.check(cohort),
        recomputed_correlation.check(cohort),
        correlation_distance.check(cohort),
        aliasing.check(cohort),
        sheet.check(cohort),
        self_weights.check(cohort),
        edges.check(cohort),
        degrees.check(cohort),
        connection_probability.check(cohort),
        like_to_like.check(cohort),
        shared_cells.check(cohort, other),
        animals.check(cohort),
        dropped.check(cohort),
        origin.check(cohort),
    )


def failures(audit: Audit) -> list[str]:
    """Give a sentence for each check that fails, for the first screen of a study.

    Examples
    --------
    >>> bad = Check("origin", "fail", 0, "", "", "It came from nowhere.")
    >>> failures(Audit((bad,)))
    ['origin: It came from nowhere.']

    """
    return [f"{check.name}: {check.meaning}" for check in audit.checks if check.verdict == "fail"]
