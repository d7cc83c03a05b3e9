"""Measure how far another draw of the trials moves networks, as far as the published tables ask.

    NPROC=1 python -m docs.results.draws

Under the protocol published all runs of a study learn from one draw of trials, in one order, and
accuracy is counted on it. Here networks are trained on other such draws: arm W, which never learns,
for the accuracy of chance; and the arms whose topology differs from the published one after Holm's
adjustment. The page of results reads the table that this writes, `draws.csv` beside this file.
"""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from biosernn.run import plan_study
from biosernn.study.perform import perform
from biosernn.study.presets import preset
from biosernn.training import train

FIRST_DRAW = 1000
OF_CHANCE = "W"
CHANCE_DRAWS = 20
CHANCE_UNITS = 128
"""Of arm W the number hardly matters: what it answers does not hang on its input."""

OF_TOPOLOGY = {
    "maze": ["W*DC*"],
    "go_no_go": ["WDC", "W*DC*"],
    "perceptual": ["WDC", "W*DC*", "W!D*C*"],
}
TOPOLOGY_DRAWS = 10
ALL_UNITS = 312
MEASURES = ("modularity_greedy", "small_worldness", "assortativity", "entropy")


def draws(
    cohort: str, task: str, arms: list[str], units: int, n_draws: int
) -> Iterator[dict[str, str | int | float | bool]]:
    """Outcomes of one network an arm, of seed 0, on draws of the task's trials."""
    study = preset("grid").with_options(
        cohort=cohort,
        tasks=[task],
        units=units,
        arms=arms,
        seeds=2,
        protocol="published",
        recipe="seed",
    )
    planned = plan_study(study)
    for run in (run for run in planned.runs if run.seed == 0):
        for draw in range(FIRST_DRAW, FIRST_DRAW + n_draws):
            with patch.object(train, "SHARED_SEED", draw):
                row = perform(run, planned.cohorts[0]).row
            found = {name: row[name] for name in ("accuracy", "solved", *MEASURES)}
            yield {"task": task, "arm": run.arm.name, "units": units, "draw": draw, **found}


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    cohort = str(here.parents[2] / "shared" / "data" / "release" / "6_6_2")
    rows = []
    for task, arms in OF_TOPOLOGY.items():
        rows += draws(cohort, task, [OF_CHANCE], CHANCE_UNITS, CHANCE_DRAWS)
        rows += draws(cohort, task, arms, ALL_UNITS, TOPOLOGY_DRAWS)
    pd.DataFrame(rows).to_csv(here / "draws.csv", index=False)
