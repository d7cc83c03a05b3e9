"""What trained networks keep of the recording and the wiring, and what their answers need."""

import numpy as np
import pandas as pd

from biosernn.analysis.t_interval import t_interval
from biosernn.report.setting import Setting
from biosernn.report.tables import Table
from biosernn.report.words import interval, number

MEANS = (
    ("functional_kept_start", 3, "Functional matrix, before"),
    ("functional_kept_end", 3, "after it"),
    ("weights_wiring_start", 3, "Weights and synapses, before"),
    ("weights_wiring", 3, "after training"),
    ("slow_modes", 1, "Slow modes"),
    ("silencing_slow_units", 2, "Lost without slow units"),
    ("silencing_random_units", 2, "without random ones"),
    ("needed_share", 2, "Weights needed"),
    ("participation_ratio", 1, "Participation ratio"),
)
"""Columns of the results whose mean is shown, with their digits and heads."""

TESTS = {
    "functional_kept_end": ("functional_kept_p", "beyond relabelled"),
    "weights_wiring": ("weights_wiring_beyond_p", "beyond degrees and distance"),
}
"""After which column which p is counted."""

LEVEL = 0.05


def kept_table(setting: Setting) -> Table:
    """Means over every arm's runs with 95 % t intervals, and runs whose p is at most 0.05.

    Runs in which a measure is not defined are not in its mean, nor in its count. Relabelled units
    are a null that what a straight line leaves of distance makes too narrow: arms that hold no data
    are the yardstick there. Few connections among a run's neurons show little by their absence.
    """
    heads, rows = ["Arm", "Recipe"], []
    for name, _, head in MEANS:
        heads += [head, *([TESTS[name][1]] if name in TESTS else [])]
    for arm, recipe in setting.summaries:
        runs, cells = setting.of(arm, recipe), [arm, recipe]
        for name, digits, _ in MEANS:
            cells.append(_mean(_defined(runs, name), digits))
            if name in TESTS:
                p = _defined(runs, TESTS[name][0])
                cells.append(f"{np.count_nonzero(p <= LEVEL)}/{len(p)}" if len(p) else "–")
        rows.append(tuple(cells))
    arms = tuple((arm,) for arm, _ in setting.summaries)
    caption = f"What trained networks keep and need: {setting.name}"
    return Table(caption, tuple(heads), tuple(rows), arms, setting.task)


def _defined(runs: pd.DataFrame, name: str) -> np.ndarray:
    """A column's values where it is defined; none where there is no such column."""
    return runs[name].dropna().to_numpy(float) if name in runs else np.empty(0)


def _mean(values: np.ndarray, digits: int) -> str:
    if not len(values):
        return "–"
    mean = number(float(values.mean()), digits)
    found = t_interval(values) if len(values) > 1 else None
    return mean if found is None or np.isnan(found.low) else f"{mean} ({interval(found, digits)})"
