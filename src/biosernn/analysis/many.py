"""Contrasts of many studies at once, with the numbers that each would get by itself.

The permutation draws with a fixed key, so studies of one size share their draws.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from biosernn.analysis.contrast import measure
from biosernn.analysis.findings import Contrast, Interval
from biosernn.analysis.sign_flip import sign_flip, sign_flip_limits
from biosernn.study.primary import Outcome


def measure_many(
    arm: NDArray[np.float64], null: NDArray[np.float64], outcome: Outcome, total_steps: int
) -> list[Contrast]:
    """Measure every study's contrast as `measure` does, but for the correlation of its steps.

    Parameters
    ----------
    arm, null
        Steps (studies, n), paired by seed; a run of `total_steps` has not reached the criterion.
    outcome
        What is compared.
    total_steps
        Steps of a whole run.

    Examples
    --------
    >>> found, = measure_many(np.array([[90.0, 100]]), np.array([[120.0, 110]]),
    ...                       "restricted_mean_steps", 400)
    >>> found.effect.estimate, found.p, found.verdict
    (-20.0, 0.5, 'cannot tell')

    """

    def one(index: int) -> Contrast:
        steps = pd.DataFrame({"steps_arm": arm[index], "steps_null": null[index]})
        for side in ("arm", "null"):
            steps[f"censored_{side}"] = steps[f"steps_{side}"] == total_steps
            steps[f"solved_{side}"] = ~steps[f"censored_{side}"]
        place = ("simulated", "maze", "corrected", "clipped")
        return measure(
            place, "primary", "arm", "null", outcome, steps, strength=0.3, total_steps=total_steps
        )

    solved, null_solved = arm < total_steps, null < total_steps
    if outcome == "solved":
        counts = np.stack([solved & null_solved, solved, null_solved]).sum(axis=2)
        _, first, which = np.unique(counts, axis=1, return_index=True, return_inverse=True)
        kinds = [one(index) for index in first]
        return [kinds[kind] for kind in which]
    differences, n = arm - null, arm.shape[1]
    ends = {level: np.stack(sign_flip_limits(differences, level)) for level in (0.95, 0.90)}
    p = sign_flip(differences)
    reached = (solved | null_solved).sum(axis=1)
    alike = np.ptp(differences, axis=1) == 0
    patterns = {kind: one(int(np.argmax(alike == kind))) for kind in np.unique(alike)}

    def interval(index: int, level: float) -> Interval:
        low, high = ends[level][:, index]
        mean, method = float(differences[index].mean()), patterns[alike[index]].effect.method
        return Interval(mean, float(low), float(high), level, method, n)

    return [
        replace(
            patterns[alike[index]],
            effect=interval(index, 0.95),
            equivalence=interval(index, 0.90),
            p=float(p[index]),
            pair_correlation=np.nan,
            reached=int(reached[index]),
        )
        for index in range(len(arm))
    ]
