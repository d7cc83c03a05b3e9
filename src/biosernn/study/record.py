"""What is kept of a run."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Record:
    """The outcomes, curves and weights of one run.

    Attributes
    ----------
    row
        Its outcomes, one number, text or truth value a name.
    steps
        Steps of the curves, (checks,).
    curves
        Metric by name, each (checks,); NaN where a check has no value.
    weights
        The five arrays by name, each at the start and after each epoch, (epochs + 1, ...).

    """

    row: dict[str, float | int | bool | str]
    steps: np.ndarray
    curves: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]
