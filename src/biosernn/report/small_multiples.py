"""A grid of small panels on common axes, one per arm."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biosernn.report.composition import Arms, colour, grouped
from biosernn.report.framed import Framed
from biosernn.report.style import (
    NARROW,
    SMALL,
    TEXT,
    WIDE,
    canvas,
    fit,
    legend,
    legend_end,
    mark_arm,
    of_arm,
    panel,
)


def small_multiples(
    names: Sequence[str],
    arms: Arms,
    entries: Sequence[tuple[dict[str, Any], str]],
    *,
    across: str,
    up: str,
    narrow: bool,
) -> tuple[Figure, dict[str, Axes]]:
    """Open a figure with one panel per arm, its name above in the colour of its start weights.

    Parameters
    ----------
    names
        The arms, which are sorted by their kind.
    arms
        What each is made of.
    entries
        The legend: line styles and their labels.
    across, up
        What the two axes show.
    narrow
        Two panels abreast, for a phone, instead of four.

    """
    names = [name for members in grouped(names, arms).values() for name in members]
    columns, width, tall = (2, NARROW, 104) if narrow else (4, WIDE, 116)
    columns = max(1, min(columns, len(names)))
    rows = -(-len(names) // columns)
    top = legend_end(4, 10, width, entries) + 14
    figure, sheet = canvas(width, top + 20 + rows * (tall + 34) + 32)
    legend(sheet, 4, 10, width, entries)
    sheet.text(4, top + 8, f"{up} ↑", va="center", fontsize=SMALL, style="italic")
    left, gap, size = (32, 20, SMALL) if narrow else (36, 26, TEXT)
    wide = min(300, (width - left - 10 - gap * (columns - 1)) / columns)
    panels: dict[str, Axes] = {}
    for index, name in enumerate(names):
        row, column = divmod(index, columns)
        x, y = left + column * (wide + gap), top + 38 + row * (tall + 34)
        axes = panel(figure, x, y, wide, tall, Framed)
        mark_arm(axes, name)
        with of_arm(sheet, name):
            sheet.plot(x + 5, y - 11, marker="s", ms=10, mew=0, color=colour(name, arms))
            words = fit(name, wide, size)
            sheet.text(x + 16, y - 10, words, va="center", weight="bold", fontsize=size)
        axes.labelled = (index + columns >= len(names), column == 0)
        panels[name] = axes
    bottom = top + 20 + rows * (tall + 34) + 24
    sheet.text(left, bottom, f"{across} →", va="center", fontsize=SMALL, style="italic")
    return figure, panels
