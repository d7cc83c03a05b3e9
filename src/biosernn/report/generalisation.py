"""Generalisation: a trained network's accuracy at delays and input noise that it never saw."""

from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from biosernn.report.composition import Arms, colour
from biosernn.report.marks import MOST_RUNS, dashes
from biosernn.report.setting import Setting
from biosernn.report.small_multiples import small_multiples
from biosernn.report.style import FAINT, INK, LOOK, QUIET, hover, lines, to_svg


@dataclass(frozen=True)
class Challenge:
    """What the trained networks are put to: the columns that hold it, and its name."""

    columns: str
    title: str
    across: str
    trained: float


DELAY = Challenge("accuracy_delay_", "Unseen delays", "delay in steps, log scale", 10)
NOISE = Challenge("accuracy_noise_", "Input noise", "noise on the input, sd", 0.05)


def levels(setting: Setting, challenge: Challenge) -> list[str]:
    """Levels of a challenge that at least one run of a setting has an accuracy at."""
    return [
        str(column).removeprefix(challenge.columns)
        for column in setting.runs.columns
        if str(column).startswith(challenge.columns) and setting.runs[column].notna().any()
    ]


def generalisation_values(setting: Setting, challenge: Challenge) -> pd.DataFrame:
    """Mean accuracy at every level, of all runs and of the solved ones, a row per arm and recipe.

    Diverged runs have no accuracy here and are not in the means.
    """
    rows = []
    for arm, recipe in setting.summaries:
        runs = setting.of(arm, recipe)
        for level in levels(setting, challenge):
            known = runs[runs[challenge.columns + level].notna()]
            accuracy = known[challenge.columns + level].astype(float)
            right = accuracy[known["solved"].astype(bool)]
            rows.append(
                {
                    "arm": arm,
                    "recipe": recipe,
                    challenge.across.split()[0]: float(level),
                    "accuracy_mean": accuracy.mean(),
                    "n_runs": len(accuracy),
                    "accuracy_mean_solved": right.mean(),
                    "n_solved": len(right),
                }
            )
    return pd.DataFrame(rows)


@matplotlib.rc_context(LOOK)
def generalisation(
    setting: Setting, challenge: Challenge, arms: Arms, *, narrow: bool = False
) -> str:
    """Draw every run's accuracy along a challenge, one panel per arm, as an `<svg>`.

    Parameters
    ----------
    setting
        The arms and their runs, with the challenge's columns.
    challenge
        `DELAY` or `NOISE`.
    arms
        What each arm is made of.
    narrow
        Draw it for a phone.

    """
    found, floor = levels(setting, challenge), setting.memoryless
    numbers = np.array([float(level) for level in found])
    places = np.log2(numbers) if challenge is DELAY else numbers
    entries: list[tuple[dict[str, Any], str]] = [({"color": FAINT, "lw": 0.8}, "one run")]
    entries += [
        ({"color": INK, "lw": 2.2, "ls": dashes(recipe)}, f"mean, recipe {recipe}")
        for recipe in setting.recipes
    ]
    seen: dict[str, Any] = {"color": QUIET, "lw": 1, "ls": (0, (1, 2))}
    entries.append((seen, f"as trained, {challenge.trained:g}"))
    memory: dict[str, Any] = {"color": INK, "lw": 1, "ls": (0, (4, 2))}
    if floor is not None:
        entries.append((memory, f"best without memory, {floor:.3g}"))
    figure, panels = small_multiples(
        setting.arms, arms, entries, across=challenge.across, up="accuracy", narrow=narrow
    )
    spare = 0.06 * (places[-1] - places[0])
    told = []
    for name, axes in panels.items():
        axes.set(xlim=(places[0] - spare, places[-1] + spare), ylim=(0, 1.04), yticks=(0, 0.5, 1))
        axes.set_xticks(places, [f"{number:g}" for number in numbers])
        axes.axvline(np.interp(challenge.trained, numbers, places), **seen)
        if floor is not None:
            axes.axhline(floor, **memory)
        for recipe in setting.recipes:
            runs = setting.of(name, recipe)
            accuracy = runs[[challenge.columns + level for level in found]].to_numpy(float)
            accuracy = accuracy[np.isfinite(accuracy).all(axis=1)]
            if not len(accuracy):
                continue
            tint, means = colour(name, arms), accuracy.mean(axis=0)
            lines(axes, places, accuracy[:MOST_RUNS], color=tint, lw=0.6, alpha=0.3)
            axes.plot(places, means, color=tint, lw=2.2, ls=dashes(recipe))
            if not narrow:
                word = challenge.across.split()[0]
                said = [
                    f"{name}, recipe {recipe}, {word} {number:g}: mean accuracy {mean:.3f} of "
                    f"{len(accuracy)} runs"
                    for number, mean in zip(numbers, means, strict=True)
                ]
                hover(axes, places, means, said)
            told.append(f"{name} under {recipe} {means[-1]:.2f}")
    label = (
        f"{challenge.title} ({setting.name}). Mean accuracy at {numbers[-1]:g}: {', '.join(told)}."
    )
    return to_svg(figure, f"generalisation {challenge.columns} {setting.name} {narrow}", label)
