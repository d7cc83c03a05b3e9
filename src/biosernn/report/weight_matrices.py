"""Recurrent weights before and after training, ordered by cortical depth."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.patches import Rectangle

from biosernn.report.composition import Arms, colour
from biosernn.report.inputs import Network
from biosernn.report.ladder import SIGNED, thumbnail
from biosernn.report.setting import Setting
from biosernn.report.style import (
    LOOK,
    NARROW,
    QUIET,
    TEXT,
    WIDE,
    canvas,
    fit,
    of_arm,
    to_svg,
)

MOST_ARMS = 6
PIXELS = 128
TINTS = 16
"""Steps of a tint on either side of 0, so that a matrix takes little room."""


def main_arms(setting: Setting, networks: Mapping[str, Network]) -> list[str]:
    """Arms whose networks are drawn: first those of the family and of the plain pair.

    Those whose weights are not finite after training are left out.
    """
    asked = [c for c in setting.contrasts if c.in_family]
    asked += [c for c in setting.contrasts if c.question == "plain"]
    first = [name for contrast in asked for name in (contrast.arm, contrast.null)]
    names = [
        name
        for name in dict.fromkeys((*first, *setting.arms))
        if name in networks and np.isfinite(networks[name].end).all()
    ]
    return sorted(names[:MOST_ARMS], key=setting.arms.index)


@matplotlib.rc_context(LOOK)
def weight_matrices(
    setting: Setting,
    names: Sequence[str],
    networks: Mapping[str, Network],
    arms: Arms,
    *,
    narrow: bool = False,
) -> str:
    """Draw each arm's weight matrix at the start and at the end side by side, as an `<svg>`.

    Parameters
    ----------
    setting
        The arms' setting.
    names
        The arms, from `main_arms`.
    networks
        A network of each.
    arms
        What each arm is made of.
    narrow
        Draw it for a phone.

    """
    columns, side, gap, width = (1, 160, 14, NARROW) if narrow else (3, 140, 8, WIDE)
    rows = -(-len(names) // columns)
    top, tall = 62, side + 62
    height = top + rows * tall - 28
    figure, sheet = canvas(width, height)
    sheet.text(4, 12, "weight  −1", va="center")
    tints = SIGNED(np.linspace(0, 1, 65))[None]
    sheet.imshow(tints, extent=(70, 160, 18, 6), aspect="auto")
    sheet.text(168, 12, "+1  (log scale, 0 white)", va="center")
    for index, name in enumerate(names):
        row, column = divmod(index, columns)
        left, y = 4 + column * (width - 8 + 24) / columns, top + row * tall
        order = np.argsort(networks[name].positions_um[:, 1], kind="stable")
        with of_arm(sheet, name):
            sheet.plot(left + 5, y - 27, marker="s", ms=10, mew=0, color=colour(name, arms))
            words = fit(name, 2 * side, TEXT)
            sheet.text(left + 16, y - 26, words, va="center", weight="bold", fontsize=TEXT)
            for number, when in enumerate(("start", "end")):
                x, matrix = left + number * (side + gap), getattr(networks[name], when)
                sheet.imshow(
                    np.round(thumbnail(matrix[np.ix_(order, order)], PIXELS) * TINTS) / TINTS,
                    extent=(x, x + side, y + side, y),
                    cmap=SIGNED,
                    vmin=-1,
                    vmax=1,
                    interpolation="none",
                    aspect="auto",
                )
                frame = Rectangle((x, y), side, side, facecolor="none", edgecolor=QUIET, lw=0.8)
                sheet.add_patch(frame)
                title = "before training" if when == "start" else "after training"
                sheet.text(x, y - 9, title, va="center", color=QUIET)
            sheet.text(left, y + side + 12, "from pia downwards →", va="center", color=QUIET)
    sheet.set(xlim=(0, width), ylim=(height, 0))
    n = len(networks[names[0]].start)
    told = ", ".join(
        f"{name} {_mean(networks[name].start)} to {_mean(networks[name].end)}" for name in names
    )
    label = (
        f"Recurrent weights of {n} units before and after training ({setting.name}), ordered by "
        f"depth. Mean absolute weight: {told}."
    )
    return to_svg(figure, f"weights {setting.name} {narrow}", label)


def _mean(weights: np.ndarray) -> str:
    return f"{np.abs(weights).mean():.2g}"
