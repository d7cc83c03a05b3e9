"""The method as a flow chart: from recordings to start weights, training and the contrast."""

from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from biosernn.report.style import (
    BLUE,
    GREEN,
    INK,
    LOOK,
    NARROW,
    ORANGE,
    PAPER,
    PURPLE,
    QUIET,
    TEXT,
    VERMILLION,
    WIDE,
    canvas,
    to_svg,
    wrap,
)

Box = tuple[float, float, float, float]
"""Left, top, width and height."""


@dataclass(frozen=True)
class Step:
    """One box: its title, its words, its colour, and where it stands on a page and on a phone."""

    title: str
    words: str
    colour: str
    page: Box
    phone: Box


STEPS = {
    "activity": Step(
        "Activity",
        "calcium events of {neurons} neurons",
        BLUE,
        (4, 36, 206, 96),
        (2, 30, 112, 92),
    ),
    "somata": Step("Somata", "positions in µm", GREEN, (4, 156, 206, 96), (123, 30, 112, 92)),
    "synapses": Step(
        "Synapses", "counted in electron microscopy", PURPLE, (4, 276, 206, 96), (244, 30, 112, 92)
    ),
    "similarity": Step(
        "Similarity",
        "Pearson correlation and spike time tiling",
        BLUE,
        (252, 36, 206, 96),
        (2, 152, 112, 92),
    ),
    "distances": Step(
        "Distances D",
        "mean over pairs scaled to 1",
        GREEN,
        (252, 156, 206, 96),
        (123, 152, 112, 92),
    ),
    "measured": Step(
        "Measured C",
        "communicability, matched in arms with C*",
        PURPLE,
        (252, 276, 206, 96),
        (244, 152, 112, 92),
    ),
    "weights": Step(
        "Start weights W_bio",
        "lognormal ⊙ min–max(correlation) ⊙ min–max(STTC); spectral radius 0.95",
        BLUE,
        (500, 36, 206, 96),
        (2, 274, 172, 106),
    ),
    "penalty": Step(
        "Penalty",
        "λ Σ |W| ⊙ C ⊙ D on the recurrent weights W, C from W itself",
        GREEN,
        (500, 156, 206, 96),
        (184, 274, 172, 106),
    ),
    "null": Step(
        "Named null",
        "one part shuffled or rewired, all else kept; trained alike",
        ORANGE,
        (500, 276, 206, 96),
        (184, 512, 172, 84),
    ),
    "network": Step(
        "Recurrent network",
        "{units} relu units, maze in, answer out; cross-entropy + penalty, Adam",
        INK,
        (748, 36, 206, 96),
        (2, 410, 354, 72),
    ),
    "outcome": Step(
        "Outcome",
        "solved or not; steps to criterion",
        INK,
        (748, 156, 206, 96),
        (2, 512, 172, 84),
    ),
    "contrast": Step(
        "Contrast",
        "arm − null, paired by seed, with its interval",
        VERMILLION,
        (748, 276, 206, 96),
        (2, 626, 354, 58),
    ),
}
ARROWS = (
    ("activity", "similarity"),
    ("somata", "distances"),
    ("synapses", "measured"),
    ("similarity", "weights"),
    ("distances", "penalty"),
    ("measured", "penalty"),
    ("weights", "network"),
    ("penalty", "network"),
    ("network", "outcome"),
    ("outcome", "contrast"),
    ("null", "contrast"),
)


@matplotlib.rc_context(LOOK)
def flow_chart(neurons: int, units: str, *, narrow: bool = False) -> str:
    """Draw the method as an `<svg>`.

    Parameters
    ----------
    neurons
        Recorded neurons of the cohort.
    units
        Units of the network, in words.
    narrow
        Draw it for a phone.

    """
    figure, sheet = canvas(*((NARROW, 692) if narrow else (WIDE, 380)))
    boxes = {name: step.phone if narrow else step.page for name, step in STEPS.items()}
    if not narrow:
        for x, words in zip(
            (4, 252, 500, 748), ("Recorded", "Measured", "Built", "Trained"), strict=True
        ):
            sheet.text(x, 14, words, va="center", weight="bold", fontsize=TEXT, color=QUIET)
    for start, end in ARROWS:
        _arrow(sheet, boxes[start], boxes[end])
    for name, step in STEPS.items():
        words = step.words.format(neurons=neurons, units=units)
        _box(sheet, boxes[name], step.title, words, step.colour)
    label = "Flow chart: " + "; ".join(f"{a} leads to {b}" for a, b in ARROWS) + "."
    return to_svg(figure, f"flow {narrow}", label)


def _box(sheet: Axes, box: Box, title: str, words: str, colour: str) -> None:
    left, top, width, height = box
    sheet.add_patch(
        FancyBboxPatch(
            (left, top),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=5",
            facecolor=PAPER,
            edgecolor=colour,
            lw=1.6,
        )
    )
    sheet.text(left + 9, top + 16, title, va="center", weight="bold", fontsize=TEXT)
    sheet.text(left + 9, top + 30, wrap(words, width - 12), va="top", linespacing=1.25)


def _arrow(sheet: Axes, start: Box, end: Box) -> None:
    """Draw an arrow from the right side to the left where there is room, else downwards."""
    right, bottom = start[0] + start[2], start[1] + start[3]
    if end[0] >= right and end[1] < bottom:
        level = end[1] + (end[3] / 2 if end[1] == start[1] else end[3] - 20)
        tail, head = (right, start[1] + start[3] / 2), (end[0], level)
    else:
        middle = start[0] + start[2] / 2
        tail = (middle, bottom)
        head = (float(np.clip(middle, end[0] + 40, end[0] + end[2] - 40)), end[1])
    arrow = {"arrowstyle": "-|>", "color": QUIET, "lw": 1.4, "shrinkA": 1, "shrinkB": 1}
    sheet.annotate("", head, tail, arrowprops=arrow | {"mutation_scale": 11})
