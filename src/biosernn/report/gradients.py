"""Gradients along training: the data's norm against the penalty's."""

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from biosernn.report.composition import Arms
from biosernn.report.learning_curves import HOVERED
from biosernn.report.marks import dashes
from biosernn.report.setting import Cell, Setting, median_run
from biosernn.report.small_multiples import small_multiples
from biosernn.report.style import BLACK, INK, LOOK, QUIET, VERMILLION, hover, log_ticks, to_svg

NORMS = {
    "gradient_norm_data": (BLACK, "data"),
    "gradient_norm_penalty": (VERMILLION, "penalty"),
}


@matplotlib.rc_context(LOOK)
def gradients(
    setting: Setting,
    norms: Mapping[str, Mapping[Cell, pd.DataFrame]],
    arms: Arms,
    *,
    narrow: bool = False,
) -> str:
    """Draw the median run's gradient norms, one panel per arm, as an `<svg>`.

    Parameters
    ----------
    setting
        The arms and their runs.
    norms
        `gradient_norm_data` and `gradient_norm_penalty`, each by arm and recipe with the steps
        down and the runs across.
    arms
        What each arm is made of.
    narrow
        Draw it for a phone.

    """
    entries: list[tuple[dict[str, Any], str]]
    entries = [({"color": c, "lw": 1.8}, f"{word} gradient") for c, word in NORMS.values()]
    entries += [
        ({"color": INK, "lw": 1.8, "ls": dashes(r)}, f"recipe {r}") for r in setting.recipes
    ]
    clip: dict[str, Any] = {"color": QUIET, "lw": 0.8}
    if "clipped" in setting.recipes:
        entries.append((clip, "clipped above 1"))
    figure, panels = small_multiples(
        setting.arms, arms, entries, across="training step", up="gradient norm", narrow=narrow
    )
    medians = [median_run(cell).to_numpy() for cells in norms.values() for cell in cells.values()]
    values = np.concatenate([[1.0], *medians])
    values = np.log10(values[(values > 0) & np.isfinite(values)])
    low, high = np.floor(max(values.min(), values.max() - 12)), np.ceil(values.max()) + 0.2
    ends = [float(runs.index[-1]) for cells in norms.values() for runs in cells.values()]
    last = max(ends, default=1.0)
    for name, axes in panels.items():
        axes.set(xlim=(0, last), yscale="log", ylim=(10**low, 10**high))
        axes.set_xticks((0, last / 2, last))
        log_ticks(axes.yaxis, low, high)
        if "clipped" in setting.recipes:
            axes.axhline(1, **clip)
        for metric, (tint, word) in NORMS.items():
            for recipe in setting.recipes:
                runs = norms[metric].get((name, recipe))
                if runs is not None:
                    middle = median_run(runs)
                    middle = middle.where(middle > 0)
                    axes.plot(middle.index, middle, color=tint, lw=1.8, ls=dashes(recipe))
                    known = middle.dropna()
                    known = known[:: max(1, len(known) // HOVERED)]
                    if not narrow:
                        said = [
                            f"{name}, recipe {recipe}, step {step}: median {word} gradient "
                            f"{value:.3g}"
                            for step, value in known.items()
                        ]
                        hover(axes, known.index, known, said)
        dominated = sum(
            summary.n_penalty_dominates
            for (arm, _), summary in setting.summaries.items()
            if arm == name
        )
        if dominated:
            total = sum(s.n for (arm, _), s in setting.summaries.items() if arm == name)
            axes.text(
                0.99,
                0.97,
                f"penalty leads in {dominated}/{total}",
                ha="right",
                va="top",
                transform=axes.transAxes,
                color=VERMILLION,
            )
    label = f"Gradient norms along training ({setting.name}), data against penalty."
    return to_svg(figure, f"gradients {setting.name} {narrow}", label)
