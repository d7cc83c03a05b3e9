"""Power against the number of seeds, from simulated studies."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

from biosernn.report.style import (
    BLACK,
    BLUE,
    GREEN,
    LOOK,
    ORANGE,
    QUIET,
    VERMILLION,
    canvas,
    legend,
    panel,
    to_svg,
)


@matplotlib.rc_context(LOOK)
def power_curves(seeds: Sequence[int], curves: Mapping[str, Sequence[float]], studies: int) -> str:
    """Draw the share of studies that say what is true, one line a truth, as an `<svg>`.

    Parameters
    ----------
    seeds
        Seeds of a study, in order.
    curves
        By what is true, the share along `seeds`.
    studies
        Simulated studies behind each point.

    """
    figure, sheet = canvas(640, 400)
    axes = panel(figure, 60, 20, 560, 240)
    entries: list[tuple[dict[str, Any], str]] = []
    colours = (BLUE, VERMILLION, GREEN, ORANGE, BLACK)
    for (name, shares), colour, marker in zip(curves.items(), colours, "os^Dv", strict=False):
        line: dict[str, Any] = {"color": colour, "marker": marker, "ms": 5, "lw": 1.8}
        axes.plot(seeds, shares, clip_on=False, zorder=3, **line)
        entries.append((line, name))
    axes.axhline(0.8, color=QUIET, lw=0.8, ls=(0, (4, 2)))
    axes.set_xscale("log")
    axes.set(ylim=(0, 1), xlabel="seeds", ylabel="share of studies that say so")
    axes.set_xticks(seeds, [str(n) for n in seeds])
    axes.minorticks_off()
    legend(sheet, 60, 315, 620, entries)
    ends = "; ".join(
        f"{name}: {shares[0]:.2f} with {seeds[0]} seeds, {shares[-1]:.2f} with {seeds[-1]}"
        for name, shares in curves.items()
    )
    return to_svg(figure, "power", f"Power of {studies:,} simulated studies a point. {ends}.")
