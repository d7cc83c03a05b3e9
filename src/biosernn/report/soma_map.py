"""Where the somata lie, which are connected, and over what distance."""

import matplotlib
import numpy as np
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import LinearSegmentedColormap

from biosernn.cohort.cohort import Cohort
from biosernn.geometry.distances import pairwise_distances
from biosernn.report.style import (
    BLUE,
    INK,
    LOOK,
    NARROW,
    PAPER,
    QUIET,
    SMALL,
    TEXT,
    VERMILLION,
    WIDE,
    canvas,
    panel,
    to_svg,
)

AXES = ("x", "y, depth", "z")
DEPTH = LinearSegmentedColormap.from_list("depth", ["#f0e442", "#009e73", "#0b3350"])
MOST_LINES = 2000


@matplotlib.rc_context(LOOK)
def soma_map(cohort: Cohort, *, narrow: bool = False) -> str:
    """Draw somata and measured connections, and the distances that these span, as an `<svg>`.

    Parameters
    ----------
    cohort
        Without wiring only the somata are drawn.
    narrow
        Draw it for a phone.

    """
    positions = cohort.positions_um
    across, up = sorted(np.argsort(np.ptp(positions, axis=0))[-2:])
    extent = np.ptp(positions, axis=0)
    room = (NARROW - 20, 240.0) if narrow else (520.0, 330.0)
    scale = min(room[0] / max(extent[across], 1), room[1] / max(extent[up], 1))
    tall = extent[up] * scale
    below = 96.0 if narrow else 86.0
    height = 34 + tall + below + (270 if narrow and cohort.wiring is not None else 0)
    if not narrow:
        height = max(height, 390)
    figure, sheet = canvas(NARROW if narrow else WIDE, height)
    left, top = 10.0, 34.0
    x = left + (positions[:, across] - positions[:, across].min()) * scale
    y = top + (positions[:, up] - positions[:, up].min()) * scale
    title = f"Somata seen along {AXES[3 - across - up]}"
    sheet.text(left - 6, 12, title, va="center", weight="bold", fontsize=TEXT)
    n_connections = 0
    if cohort.wiring is not None:
        pre, post = cohort.wiring.pre, cohort.wiring.post
        n_connections = len(pre)
        lines = np.stack([np.c_[x[pre], y[pre]], np.c_[x[post], y[post]]], axis=1)
        sheet.add_collection(
            LineCollection(
                list(lines),
                colors=VERMILLION,
                lw=0.9,
                alpha=0.6,
                rasterized=len(lines) > MOST_LINES,
            )
        )
    dots = sheet.scatter(x, y, c=positions[:, 1], s=24, cmap=DEPTH, lw=0.5, edgecolors=PAPER)
    dots.set_zorder(3)
    dots.set_rasterized(len(x) > MOST_LINES)
    _keys(figure, dots, left, top + tall + 26, scale)
    if cohort.wiring is not None:
        place = (52, top + tall + below + 34, 290, 180) if narrow else (620, 40, 320, 270)
        _distances(figure, cohort, place)
    label = f"Map of {cohort.n_neurons} somata with {n_connections} measured connections" + (
        "." if cohort.wiring is not None else "; the wiring is not known."
    )
    return to_svg(figure, f"soma {narrow}", label)


def _keys(
    figure: matplotlib.figure.Figure, dots: PathCollection, left: float, y: float, scale: float
) -> None:
    sheet = figure.axes[0]
    length = next(um for um in (500, 200, 100, 50, 20, 10, 5, 1) if um * scale < 120 or um == 1)
    sheet.plot([left, left + length * scale], [y, y], color=INK, lw=3, solid_capstyle="butt")
    sheet.text(left, y + 14, f"{length} µm", va="center")
    bar = panel(figure, left + 150, y - 5, 120, 10)
    figure.colorbar(dots, cax=bar, orientation="horizontal")
    bar.locator_params(nbins=3)
    bar.tick_params(labelsize=SMALL)
    sheet.text(left + 150, y + 36, "depth y (µm)", va="center")


def _distances(
    figure: matplotlib.figure.Figure, cohort: Cohort, place: tuple[float, float, float, float]
) -> None:
    """Draw the cumulative distances of the connected pairs against those of all."""
    distance = pairwise_distances(cohort.positions_um)
    every = distance[np.triu_indices(cohort.n_neurons, 1)]
    connected = distance[cohort.wiring.pre, cohort.wiring.post]  # type: ignore[union-attr]
    axes = panel(figure, *place)
    figure.axes[0].text(
        place[0],
        place[1] - 18,
        "Distance between somata",
        va="center",
        weight="bold",
        fontsize=TEXT,
    )
    grid = np.linspace(0, every.max(), 200)
    for values, tint, name in ((connected, VERMILLION, "connected"), (every, BLUE, "all pairs")):
        if not len(values):
            continue
        share = np.searchsorted(np.sort(values), grid, side="right") / len(values)
        axes.plot(grid, share, color=tint, lw=2)
        middle = float(np.median(values))
        axes.plot([middle], [0.5], marker="o", ms=6, color=tint)
        axes.text(
            0.98,
            0.2 if name == "connected" else 0.08,
            f"{name}: median {middle:.0f} µm, n = {len(values):,}",
            ha="right",
            transform=axes.transAxes,
            color=tint,
        )
    axes.axhline(0.5, color=QUIET, lw=0.6, ls=(0, (2, 3)))
    axes.set(xlim=(0, every.max()), ylim=(0, 1.02), yticks=(0, 0.5, 1))
    axes.set_xlabel("µm", fontsize=SMALL)
    axes.set_ylabel("share within", fontsize=SMALL)
