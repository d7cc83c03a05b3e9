"""Learning curves: the accuracy of every run on held-out trials along training."""

from collections.abc import Mapping
from typing import Any

import matplotlib
import pandas as pd

from biosernn.report.composition import Arms, colour
from biosernn.report.marks import MOST_RUNS
from biosernn.report.setting import Cell, Setting, median_run
from biosernn.report.small_multiples import small_multiples
from biosernn.report.style import INK, LOOK, PAPER, QUIET, hover, lines, to_svg

HOVERED = 10
"""Points of a curve that say their values when pointed at."""


@matplotlib.rc_context(LOOK)
def learning_curves(
    setting: Setting,
    recipe: str,
    accuracies: Mapping[Cell, pd.DataFrame],
    arms: Arms,
    *,
    narrow: bool = False,
) -> str:
    """Draw one recipe's learning curves, one panel per arm, as an `<svg>`.

    Parameters
    ----------
    setting
        The arms and their runs.
    recipe
        The recipe to draw.
    accuracies
        By arm and recipe, `accuracy` with the steps down and the runs across.
    arms
        What each arm is made of.
    narrow
        Draw it for a phone.

    """
    names = [arm for arm in setting.arms if (arm, recipe) in accuracies]
    floor = setting.memoryless
    entries: list[tuple[dict[str, Any], str]]
    entries = [({"color": QUIET, "lw": 0.8}, "one run"), ({"color": INK, "lw": 2.2}, "median run")]
    if floor is not None:
        line = {"color": INK, "lw": 1, "ls": (0, (4, 2))}
        entries.append((line, f"best without memory, {floor:.3g}"))
    figure, panels = small_multiples(
        names, arms, entries, across="training step", up="accuracy", narrow=narrow
    )
    last = max((float(runs.index[-1]) for runs in accuracies.values()), default=1.0)
    for name, axes in panels.items():
        runs, tint = accuracies[name, recipe], colour(name, arms)
        axes.set(xlim=(0, last), ylim=(0, 1.04), yticks=(0, 0.5, 1), xticks=(0, last / 2, last))
        every = runs.to_numpy()[:, :MOST_RUNS].T
        lines(axes, runs.index, every, color=tint, lw=0.8, alpha=0.5)
        middle = median_run(runs)
        axes.plot(runs.index, middle, color=PAPER, lw=4)
        axes.plot(runs.index, middle, color=tint, lw=2.2)
        told = middle[:: max(1, len(middle) // HOVERED)]
        if not narrow:
            said = [
                f"{name}, recipe {recipe}, step {step}: median accuracy {value:.3f} of "
                f"{runs.shape[1]} runs"
                for step, value in told.items()
            ]
            hover(axes, told.index, told, said)
        if floor is not None:
            axes.axhline(floor, **entries[-1][0])
        summary = setting.summaries[name, recipe]
        axes.text(
            0.99,
            0.04,
            f"{summary.n_solved}/{summary.n} solved",
            ha="right",
            transform=axes.transAxes,
        )
    solved = ", ".join(
        f"{name} {setting.summaries[name, recipe].n_solved} of {setting.summaries[name, recipe].n}"
        for name in names
    )
    label = f"Learning curves under recipe {recipe} ({setting.name}). Runs solved: {solved}."
    return to_svg(figure, f"curves {setting.name} {recipe} {narrow}", label)
