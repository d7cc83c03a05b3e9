"""Measure how far another draw of the trials moves a network that never learns.

    NPROC=1 python docs/results/draws.py

Under the protocol published all runs of a study learn from one draw of trials, in one order, and
accuracy is counted on it. Here arm W, which never learns, is trained on other such draws; the page
of results reads the table that this writes, `draws.csv` beside this file.
"""

from pathlib import Path
from unittest.mock import patch

import pandas as pd

from biosernn.run import plan_study
from biosernn.study.perform import perform
from biosernn.study.presets import preset
from biosernn.training import train

DRAWS = 20
FIRST_DRAW = 1000
UNITS = 128
"""Of arm W the number hardly matters: what it answers does not hang on its input."""


def draws(cohort: str, units: int, n_draws: int) -> pd.DataFrame:
    """Accuracy of one network of arm W, of seed 0, on draws of each task's trials."""
    study = preset("grid").with_options(
        cohort=cohort, units=units, arms=["W"], seeds=2, protocol="published", recipe="seed"
    )
    planned = plan_study(study)
    rows = []
    for run in (run for run in planned.runs if run.seed == 0):
        for draw in range(FIRST_DRAW, FIRST_DRAW + n_draws):
            with patch.object(train, "SHARED_SEED", draw):
                row = perform(run, planned.cohorts[0]).row
            found = {"accuracy": row["accuracy"], "solved": row["solved"]}
            rows.append({"task": run.task, "draw": draw, **found})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    table = draws(str(here.parents[2] / "shared" / "data" / "release" / "6_6_2"), UNITS, DRAWS)
    table.to_csv(here / "draws.csv", index=False)
