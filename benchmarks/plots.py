"""The plots of the benchmarks, in the look of the report."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from biosernn.report.style import (
    BLUE,
    FAINT,
    INK,
    LOOK,
    ORANGE,
    PAPER,
    QUIET,
    VERMILLION,
    canvas,
    legend,
    panel,
    to_svg,
)

COLOURS = (BLUE, ORANGE, FAINT, VERMILLION)
WIDTH, HEIGHT, MARGIN = 300, 190, 56


@matplotlib.rc_context(LOOK)
def bars(rows: Sequence[tuple[str, Sequence[float]]], parts: Sequence[str], across: str) -> str:
    """Horizontal bars, each of several parts, as an `<svg>`."""
    width, height = 720, 26 * len(rows) + 90
    figure, sheet = canvas(width, height)
    figure.set_facecolor(PAPER)
    entries = [({"color": c, "lw": 7}, part) for part, c in zip(parts, COLOURS, strict=False)]
    legend(sheet, 120, 14, width, entries)
    axes = panel(figure, 120, 32, width - 190, height - 80)
    for number, (_, values) in enumerate(rows):
        start = 0.0
        for value, colour in zip(values, COLOURS, strict=False):
            axes.barh(number, value, left=start, color=colour, height=0.6)
            start += value
        axes.text(start, number, f" {start:.3g}", va="center", color=INK)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel=across)
    return to_svg(figure, across, f"{across}: " + ", ".join(f"{n} {sum(v):.3g}" for n, v in rows))


Lines = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""By name, where and how much."""


@matplotlib.rc_context(LOOK)
def panels(drawn: Sequence[tuple[str, str, Lines, float | None]], label: str) -> str:
    """Lines on two logarithmic axes, panel beside panel, as an `<svg>`.

    Each panel is what stands below its axis, what is measured, its lines, and a limit or None.
    """
    columns = 2
    rows = -(-len(drawn) // columns)
    figure, _ = canvas(columns * (WIDTH + MARGIN) + 20, rows * (HEIGHT + 80))
    figure.set_facecolor(PAPER)
    for number, (across, up, lines, limit) in enumerate(drawn):
        row, column = divmod(number, columns)
        left, top = MARGIN + column * (WIDTH + MARGIN), 30 + row * (HEIGHT + 80)
        axes = panel(figure, left, top, WIDTH - 20, HEIGHT)
        axes.set(xscale="log", yscale="log", xlabel=across)
        axes.set_title(up, loc="left", fontsize=11)
        _draw(axes, lines, limit)
    return to_svg(figure, label, label)


def _draw(axes: Axes, lines: Lines, limit: float | None) -> None:
    style: dict[str, Any] = {"marker": "o", "ms": 4, "lw": 1.6}
    for (name, (at, values)), colour in zip(lines.items(), COLOURS, strict=False):
        axes.plot(at, values, color=colour, label=name, **style)
    if limit is not None:
        axes.axhline(limit, color=QUIET, lw=1, ls=(0, (4, 2)), label="limit")
    everywhere = np.unique(np.concatenate([np.asarray(at, float) for at, _ in lines.values()]))
    axes.set_xticks(everywhere, [f"{value:,.0f}" for value in everywhere], rotation=30)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    axes.legend(frameon=False, fontsize=10)
