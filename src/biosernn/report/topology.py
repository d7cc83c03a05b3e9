"""The network's shape along training: its modules, its lengths, its slow modes, its wiring."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from biosernn.report.composition import Arms, colour, grouped
from biosernn.report.framed import Framed
from biosernn.report.setting import Cell, Setting, median_run
from biosernn.report.style import (
    INK,
    LOOK,
    NARROW,
    SMALL,
    WIDE,
    canvas,
    fit,
    hover,
    legend,
    legend_end,
    log_ticks,
    mark_arm,
    of_arm,
    panel,
    to_svg,
)

SHAPE = {
    "modularity_greedy": "modularity Q, greedy",
    "small_worldness": "small-worldness",
    "assortativity": "assortativity",
    "wiring_length": "wiring length Σ|W|D (µm)",
    "weight_distance": "weight–distance correlation",
    "mean_communicability": "mean communicability",
    "slow_modes": "slow modes",
    "weights_wiring": "weights and synapses",
    "participation_ratio": "participation ratio",
    "functional_kept": "activity and recording",
}
"""Metrics that are drawn, and their names in the field's words."""

AMOUNTS = ("wiring_length", "mean_communicability", "slow_modes")
"""Metrics that may span powers of ten."""

MARKERS = "os^DvP*X"
WIDE_RANGE = 30.0
"""Largest median over the smallest, all positive, from which an axis is logarithmic."""

Medians = dict[str, dict[str, pd.Series]]


def topology_medians(
    setting: Setting, recipe: str, shape: Mapping[str, Mapping[Cell, pd.DataFrame]]
) -> Medians:
    """Median over an arm's runs by metric and arm, along the steps; metrics without any left out.

    Runs in which a measure is not defined are not in its median.
    """
    found: Medians = {}
    for metric in SHAPE:
        cells = shape.get(metric, {})
        lines = {
            arm: median_run(cells[arm, recipe]).dropna()
            for arm in setting.arms
            if (arm, recipe) in cells
        }
        lines = {arm: line for arm, line in lines.items() if len(line)}
        if lines:
            found[metric] = lines
    return found


def topology_values(
    setting: Setting, recipe: str, shape: Mapping[str, Mapping[Cell, pd.DataFrame]]
) -> pd.DataFrame:
    """Quartiles of every metric at the ends of epochs, a row per arm, metric and step."""
    rows = [
        {
            "arm": arm,
            "recipe": recipe,
            "metric": metric,
            "step": step,
            **_quartiles(values[np.isfinite(values)]),
        }
        for metric in SHAPE
        for (arm, of), runs in shape.get(metric, {}).items()
        if of == recipe
        for step, values in zip(runs.index.tolist(), runs.to_numpy(float), strict=True)
    ]
    return pd.DataFrame(rows)


def _quartiles(values: np.ndarray) -> dict[str, float]:
    quartiles = np.quantile(values, [0.25, 0.5, 0.75]) if len(values) else [float("nan")] * 3
    names = ("lower_quartile", "median", "upper_quartile")
    return dict(zip(names, map(float, quartiles), strict=True)) | {"n_runs": len(values)}


@matplotlib.rc_context(LOOK)
def topology(
    setting: Setting, recipe: str, medians: Medians, arms: Arms, *, narrow: bool = False
) -> str:
    """Draw one recipe's measures along training, one panel per measure, as an `<svg>`.

    Parameters
    ----------
    setting
        The arms.
    recipe
        The recipe to draw.
    medians
        From `topology_medians`.
    arms
        What each arm is made of.
    narrow
        Draw it for a phone.

    """
    names = [arm for arm in setting.arms if any(arm in lines for lines in medians.values())]
    styles = _styles(names, arms)
    columns, width, tall = (1, NARROW, 130) if narrow else (3, WIDE, 160)
    entries = [(styles[name], fit(name, 240)) for name in styles]
    top = legend_end(4, 12, width, entries) + 40
    rows = -(-len(medians) // columns)
    figure, sheet = canvas(width, top + rows * (tall + 50) + 8)
    legend(sheet, 4, 12, width, entries)
    for name, *artists in zip(styles, sheet.lines, sheet.texts, strict=True):
        for artist in artists:
            mark_arm(artist, name)
    left, gap = 56, 68
    wide = (width - left - 12 - gap * (columns - 1)) / columns
    for index, (metric, lines) in enumerate(medians.items()):
        row, column = divmod(index, columns)
        x, y = left + column * (wide + gap), top + row * (tall + 50)
        axes = panel(figure, x, y, wide, tall, Framed)
        sheet.text(x - 40, y - 14, SHAPE[metric], va="center", weight="bold", fontsize=SMALL)
        last = max(float(line.index[-1]) for line in lines.values())
        axes.set_xlim(-0.03 * last, 1.03 * last)
        axes.set_xticks((0, last / 2, last))
        axes.locator_params(axis="y", nbins=5)
        if metric in AMOUNTS:
            _logarithmic(axes, lines)
        for name, line in lines.items():
            if axes.get_yscale() == "log":
                line = line[line > 0]
            with of_arm(axes, name):
                axes.plot(line.index, line, clip_on=False, **styles[name])
                if not narrow:
                    said = [
                        f"{name}, recipe {recipe}, step {step}: median {SHAPE[metric]} {value:.3g}"
                        for step, value in line.items()
                    ]
                    hover(axes, line.index, line, said)
        if row == rows - 1 or index + columns >= len(medians):
            sheet.text(x, y + tall + 28, "training step →", va="center", style="italic")
    told = "; ".join(
        f"{SHAPE[metric]} "
        + ", ".join(f"{n} {line.iloc[0]:.2g} to {line.iloc[-1]:.2g}" for n, line in lines.items())
        for metric, lines in medians.items()
    )
    label = f"Topology along training under recipe {recipe} ({setting.name}). Medians: {told}."
    return to_svg(figure, f"topology {setting.name} {recipe} {narrow}", label)


def _styles(names: Sequence[str], arms: Arms) -> dict[str, dict[str, Any]]:
    """The colour of an arm's kind, and a marker that tells it from others of its kind."""
    return {
        name: {
            "color": colour(name, arms),
            "lw": 1.6,
            "marker": MARKERS[number % len(MARKERS)],
            "ms": 5,
            "mec": INK,
            "mew": 0.4,
        }
        for members in grouped(names, arms).values()
        for number, name in enumerate(members)
    }


def _logarithmic(axes: matplotlib.axes.Axes, lines: Mapping[str, pd.Series]) -> None:
    values = np.concatenate([line.to_numpy(float) for line in lines.values()])
    values = values[values != 0]
    if values.size and values.min() > 0 and values.max() > WIDE_RANGE * values.min():
        low, high = np.log10([values.min(), values.max()])
        axes.set(yscale="log", ylim=(10 ** (low - 0.1), 10 ** (high + 0.1)))
        log_ticks(axes.yaxis, low - 0.1, high + 0.1)
