"""The trained network at the places of its somata: its strongest weights."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.collections import LineCollection

from biosernn.report.composition import Arms, colour
from biosernn.report.inputs import Network
from biosernn.report.setting import Setting
from biosernn.report.soma_map import AXES
from biosernn.report.style import (
    BLUE,
    INK,
    LOOK,
    NARROW,
    PAPER,
    TEXT,
    VERMILLION,
    WIDE,
    canvas,
    fit,
    legend,
    legend_end,
    of_arm,
    to_svg,
)

STRONGEST = 100
"""Weights drawn of each network."""


def strongest(weights: np.ndarray) -> np.ndarray:
    """Rows and columns of the strongest weights between different units, the strongest last.

    Examples
    --------
    >>> strongest(np.array([[9.0, -2.0], [1.0, 9.0]])).tolist()
    [[1, 0], [0, 1]]

    """
    strength = np.where(np.eye(len(weights), dtype=bool), 0, np.abs(weights))
    order = np.argsort(strength, axis=None, kind="stable")[-STRONGEST:]
    order = order[strength.ravel()[order] > 0]
    return np.column_stack(np.unravel_index(order, strength.shape))


@matplotlib.rc_context(LOOK)
def trained_network(
    setting: Setting,
    names: Sequence[str],
    networks: Mapping[str, Network],
    arms: Arms,
    *,
    narrow: bool = False,
) -> str:
    """Draw the strongest weights of trained networks between their somata, as an `<svg>`.

    Parameters
    ----------
    setting
        The arms' setting.
    names
        The arms, from `main_arms`.
    networks
        A network of each; all have the same units.
    arms
        What each arm is made of.
    narrow
        Draw it for a phone.

    """
    positions = networks[names[0]].positions_um
    extent = np.maximum(np.ptp(positions, axis=0), 1)
    across, up = sorted(np.argsort(extent)[-2:])
    columns, width = (1, NARROW) if narrow else (3, WIDE)
    room = (width - 16 - 28 * (columns - 1)) / columns
    scale = min(room / extent[across], 230 / extent[up])
    tall = extent[up] * scale + 52
    entries = [
        ({"color": BLUE, "lw": 2}, "positive weight"),
        ({"color": VERMILLION, "lw": 2}, "negative"),
    ]
    top = legend_end(4, 12, width, entries) + (70 if narrow else 46)
    rows = -(-len(names) // columns)
    figure, sheet = canvas(width, top + rows * tall - 18)
    legend(sheet, 4, 12, width, entries)
    length = next(um for um in (200, 100, 50, 20, 10, 5, 2, 1) if um * scale < 90 or um == 1)
    x, y = (4, 34) if narrow else (260, 12)
    sheet.plot([x, x + length * scale], [y, y], color=INK, lw=3, solid_capstyle="butt")
    words = f"{length} µm, seen along {AXES[3 - across - up]}"
    sheet.text(x + length * scale + 8, y, words, va="center")
    told = []
    for index, name in enumerate(names):
        row, column = divmod(index, columns)
        left, upper = 8 + column * (room + 28), top + row * tall + 8
        weights = networks[name].end
        places = np.column_stack(
            [
                left + (positions[:, axis] - positions[:, axis].min()) * scale
                if axis == across
                else upper + (positions[:, axis] - positions[:, axis].min()) * scale
                for axis in (across, up)
            ]
        )
        chosen = strongest(weights)
        values = weights[chosen[:, 0], chosen[:, 1]]
        with of_arm(sheet, name):
            sheet.plot(left + 1, upper - 27, marker="s", ms=10, mew=0, color=colour(name, arms))
            words = fit(name, room - 16, TEXT)
            sheet.text(left + 12, upper - 26, words, va="center", weight="bold", fontsize=TEXT)
            if len(chosen):
                widths = 0.4 + 2.2 * np.abs(values) / np.abs(values).max()
                tints = np.where(values > 0, BLUE, VERMILLION)
                lines = LineCollection(places[chosen], colors=tints, lw=widths, alpha=0.65)
                sheet.add_collection(lines)
            dots = sheet.scatter(places[:, 0], places[:, 1], s=14, c=INK, lw=0.4, edgecolors=PAPER)
            dots.set_zorder(3)
        positive = int((values > 0).sum())
        told.append(f"{name} {positive} positive, {len(values) - positive} negative")
    label = (
        f"The {STRONGEST} strongest weights after training between the somata of {len(positions)} "
        f"units ({setting.name}): {'; '.join(told)}."
    )
    return to_svg(figure, f"trained {setting.name} {narrow}", label)
