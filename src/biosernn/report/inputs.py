"""What a report is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from biosernn.analysis.findings import Analysis
from biosernn.cohort.cohort import Cohort
from biosernn.report.composition import Arms


@dataclass(frozen=True, eq=False)
class Network:
    """One run's recurrent weights before and after training, and where its units lie.

    Attributes
    ----------
    start, end
        (n, n), row = presynaptic; `end` is not finite where the run diverged.
    positions_um
        (n, 3), the true positions of the units' somata.
    seed, recipe
        Which run of its arm it is.

    """

    start: np.ndarray
    end: np.ndarray
    positions_um: np.ndarray
    seed: int
    recipe: str


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
    networks
        By arm, one run of it, all of the same seed, task, protocol and recipe.
    arms
        By arm, its fields: `init`, `geometry`, `communicability`, `diagonal`.
    provenance
        How the study was made: `study` (its hash), `name`, `units`, `planned` and `finished`
        runs, `sessions`, `notes` and `audit_failures` for the first screen, and all else that
        is to be listed.
    own_tasks
        Accuracy within reach without memory in each task of the study's own, by name.
    sweep
        One row a run that the recipe `tuned` was chosen from.

    """

    results: pd.DataFrame
    curves: pd.DataFrame
    analysis: Analysis
    cohort: Cohort
    networks: Mapping[str, Network]
    arms: Arms
    provenance: Mapping[str, Any]
    own_tasks: Mapping[str, float] = field(default_factory=dict)
    sweep: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Start weights (n, n) of every arm that has a network."""
        return {arm: network.start for arm, network in self.networks.items()}
