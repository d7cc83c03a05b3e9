"""What one check finds of a cohort."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Verdict = Literal["ok", "caution", "fail", "not known"]


@dataclass(frozen=True)
class Check:
    """One thing looked at, judged by a fixed threshold.

    Attributes
    ----------
    name
        What is looked at.
    verdict
        `ok`; `caution`: usable, but it limits what a study can claim; `fail`: a study on this
        cohort says nothing; `not known`: the cohort lacks what it takes to tell.
    value, unit
        What was measured; None where it is not known.
    threshold
        Where the verdicts part.
    meaning
        One sentence on what it means for a study.
    detail
        The numbers behind it.

    Examples
    --------
    >>> Check("silent neurons", "ok", 0.0, "% of the neurons", "none", "All of them fire.").measured
    '0 % of the neurons'

    """

    name: str
    verdict: Verdict
    value: float | None
    unit: str
    threshold: str
    meaning: str
    detail: str = ""

    @property
    def measured(self) -> str:
        """The value with its unit."""
        if self.value is None:
            return "–"
        if np.isinf(self.value):
            return f"∞ {self.unit}"
        number = f"{self.value:,.0f}" if abs(self.value) >= 100 else f"{self.value:.3g}"
        return f"{number} {self.unit}"


def not_known(name: str, threshold: str, why: str) -> Check:
    """Give the check that cannot be made.

    Examples
    --------
    >>> not_known("silent neurons", "none", "There are no events.").measured
    '–'

    """
    return Check(name, "not known", None, "", threshold, why)
