"""What a report is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from biosernn.analysis.findings import Analysis
from biosernn.cohort.cohort import Cohort
from biosernn.report.composition import Arms


@dataclass(frozen=True, eq=False)
class ReportInputs:
    """A study's results, what was concluded from them, and what they were made from.

    Attributes
    ----------
    results
        One row a run.
    curves
        Columns run, step, metric and value.
    analysis
        What was concluded from the results.
    cohort
        The study's (first) cohort.
    weights
        By arm, the start weights (n, n) of its first seed.
    arms
        By arm, its fields: `init`, `geometry`, `communicability`, `diagonal`.
    provenance
        How the study was made: `study` (its hash), `name`, `units`, `planned` and `finished`
        runs, `sessions`, `notes` and `audit_failures` for the first screen, and all else that
        is to be listed.

    """

    results: pd.DataFrame
    curves: pd.DataFrame
    analysis: Analysis
    cohort: Cohort
    weights: Mapping[str, np.ndarray]
    arms: Arms
    provenance: Mapping[str, Any]
