"""Accuracy of the published arms, as the papers drew it, beside what they reported."""

from typing import Any

import matplotlib
import numpy as np

from biosernn.report.composition import Arms, colour
from biosernn.report.marks import MOST_RUNS, PAPER_GAP, dot, memoryless
from biosernn.report.setting import Setting
from biosernn.report.style import (
    INK,
    LOOK,
    NARROW,
    SMALL,
    TEXT,
    WIDE,
    canvas,
    hover,
    legend,
    of_arm,
    panel,
    to_svg,
)

FOLLOW_UP = {
    "W*D*C": (0.917, 0.853, 0.981),
    "W!D*C": (0.950, 0.894, 1.006),
    "W*D*C*": (0.985, 0.954, 1.016),
    "W!D*C*": (0.963, 0.910, 1.016),
    "W*DC*": (0.963, 0.917, 1.009),
    "WD*C": (0.628, 0.626, 0.631),
    "WD*C*": (0.758, 0.672, 0.843),
    "WDC": (0.624, 0.622, 0.626),
    "WD*": (0.787, 0.700, 0.874),
    "WD": (0.628, 0.625, 0.630),
    "W": (0.625, 0.623, 0.627),
}
"""Mean and 95 % t interval of 20 runs on 6_6_2, 312 units: arXiv 2606.14975, Table 2."""

OURS = ("W*", "W0")


def drawn(setting: Setting) -> list[str]:
    """The setting's arms that the papers drew, and the two without a penalty."""
    return [arm for arm in (*FOLLOW_UP, *OURS) if arm in setting.arms]


@matplotlib.rc_context(LOOK)
def comparison(setting: Setting, arms: Arms, *, narrow: bool = False) -> str:
    """Draw the accuracy of the published arms as bars with every run, as an `<svg>`.

    Parameters
    ----------
    setting
        A setting of the maze with at least one of the published arms.
    arms
        What each arm is made of.
    narrow
        Draw it for a phone.

    """
    names = drawn(setting)
    width, top, below = (NARROW, 112, 74) if narrow else (WIDE, 74, 34)
    figure, sheet = canvas(width, top + 190 + below)
    entries = [(dot(r, INK) | {"ms": 5, "mew": 1}, f"a run, {r}") for r in setting.recipes]
    line: dict[str, Any] = {"color": INK, "lw": 1, "ls": (0, (4, 2))}
    published: dict[str, Any] = {"color": INK, "marker": "D", "ms": 5, "mfc": INK, "lw": 1.4}
    entries.append((published, "follow-up, 95 % interval"))
    entries.append((line, f"best without memory, {memoryless('maze'):g}"))
    legend(sheet, 4, 12, width, entries)
    sheet.text(4, top - 34, "accuracy ↑", va="center", fontsize=SMALL, style="italic")
    start, room = (152, NARROW - 158) if narrow else (270, WIDE - 276)
    claim = panel(figure, 40, top, 80 if narrow else 160, 190)
    ours = panel(figure, start, top, room if narrow else min(room, 130 * len(names)), 190)
    for axes, title in (
        (claim, "The claim" if narrow else "The seed’s claim"),
        (ours, "This study"),
    ):
        axes.set(ylim=(0, 1.08), yticks=(0, 0.25, 0.5, 0.75, 1))
        axes.set_title(title, loc="left", fontsize=TEXT, weight="bold", pad=8)
        axes.axhline(PAPER_GAP[0], **line)
    ours.tick_params(labelleft=False)
    claim.bar([0, 1], PAPER_GAP, width=0.7, color=["#c9ced6", "#c9ced6"])
    claim.set_xticks([0, 1], ["plain", "bio"])
    claim.annotate(
        "", (0.5, PAPER_GAP[1]), (0.5, PAPER_GAP[0]), arrowprops={"arrowstyle": "<->", "color": INK}
    )
    claim.text(0.42, 0.82, "37 %?", ha="right", va="center", weight="bold")
    share = 0.8 / len(setting.recipes)
    for x, name in enumerate(names):
        tint = colour(name, arms)
        for index, recipe in enumerate(setting.recipes):
            if (name, recipe) not in setting.summaries:
                continue
            at = x - 0.4 + share * (index + 0.5)
            accuracy = setting.of(name, recipe)["accuracy"].to_numpy(float)[:MOST_RUNS]
            mean = setting.summaries[name, recipe].accuracy.estimate
            with of_arm(ours, name):
                ours.bar(at, mean, width=share * 0.92, color=tint, alpha=0.28, lw=0)
                ours.plot([at - share * 0.46, at + share * 0.46], [mean, mean], color=tint, lw=2)
                spread = (np.arange(len(accuracy)) * 0.618 % 1 - 0.5) * share * 0.7
                small = dot(recipe, tint) | {"ms": 3.6, "mew": 0.8, "clip_on": False}
                ours.plot(at + spread, accuracy, **small)
                if not narrow:
                    found = f"mean accuracy {mean:.3f} of {setting.summaries[name, recipe].n} runs"
                    hover(ours, at, mean, f"{name}, recipe {recipe}: {found}")
        if name in FOLLOW_UP:
            middle, low, high = FOLLOW_UP[name]
            with of_arm(ours, name):
                ours.plot([x, x], [low, min(high, 1.06)], color=INK, lw=1.4)
                ours.plot(x, middle, **published)
    ours.set_xlim(-0.6, len(names) - 0.4)
    ours.set_xticks(range(len(names)), names, rotation=90 if narrow else 0)
    for axes in (claim, ours):
        axes.tick_params(axis="x", length=0)
    means = ", ".join(
        f"{arm} under {recipe} {setting.summaries[arm, recipe].accuracy.estimate:.3f}"
        for arm, recipe in setting.summaries
        if arm in names
    )
    label = (
        f"Mean accuracy of the published arms ({setting.name}): {means}. Beside it the seed's "
        "claim, read as 0.625 against 1.000."
    )
    return to_svg(figure, f"comparison {setting.name} {narrow}", label)
