"""What was published beside what a study found in its place, with the differences marked."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from biosernn.analysis.findings import Interval
from biosernn.analysis.reproduction import Agreement
from biosernn.report.marks import memoryless
from biosernn.report.style import (
    BLUE,
    INK,
    LOOK,
    NARROW,
    PAPER,
    QUIET,
    RULE,
    SMALL,
    TEXT,
    VERMILLION,
    WIDE,
    canvas,
    fit,
    hover,
    legend,
    of_arm,
    panel,
    to_svg,
)
from biosernn.report.tables import Table
from biosernn.report.words import interval, number, p_value

OUTCOMES = {
    "solved_095": "accuracy ≥ 0.95",
    "accuracy": "mean accuracy",
    "modularity_greedy": "modularity",
    "small_worldness": "small-worldness",
}
"""An outcome's name where that of its column will not do."""

ROW, HEAD, GAP = 26, 44, 26
OURS: dict[str, Any] = {"color": BLUE, "marker": "o", "ms": 6, "lw": 1.6}
THEIRS: dict[str, Any] = {"color": INK, "marker": "D", "ms": 5, "mfc": PAPER, "lw": 1.2}
FLOOR: dict[str, Any] = {"color": QUIET, "lw": 1, "ls": (0, (4, 2))}
SHADES = {False: 0.14, True: 0.4}
"""By whether a difference is one after Holm too."""


@matplotlib.rc_context(LOOK)
def agreement(found: Sequence[Agreement], *, narrow: bool = False) -> str:
    """Draw ours and theirs with 95 % intervals, a panel a task and outcome, as an `<svg>`.

    Parameters
    ----------
    found
        From `biosernn.reproduction`; panels and rows are in its order.
    narrow
        Draw it for a phone: two panels beside each other, not four.

    """
    panels = list(dict.fromkeys((one.task, one.outcome) for one in found))
    arms = list(dict.fromkeys(one.arm for one in found))
    columns, names, width = (2, 60, NARROW) if narrow else (4, 90, WIDE)
    tall = HEAD + ROW * len(arms) + 34
    rows = -(-len(panels) // columns)
    top = 50 if narrow else 32
    figure, sheet = canvas(width, top + rows * tall)
    band = {"color": VERMILLION, "lw": 10, "solid_capstyle": "butt"}
    entries = [
        (OURS, "this study"),
        (THEIRS, "published"),
        (band | {"alpha": SHADES[False]}, "≠ differs at 5 %"),
        (band | {"alpha": SHADES[True]}, "bold ≠: after Holm too"),
    ]
    if "accuracy" in {outcome for _, outcome in panels}:
        entries.append((FLOOR, "best without memory"))
    legend(sheet, 4, 12, width, entries)
    room = (width - names) / columns - GAP
    for index, (task, outcome) in enumerate(panels):
        down, across = divmod(index, columns)
        start = top + down * tall + HEAD
        left = names + across * (room + GAP)
        if across == 0:
            for row, arm in enumerate(arms):
                with of_arm(sheet, arm):
                    y = start + ROW * (row + 0.5)
                    sheet.text(4, y, fit(arm, names - 8, TEXT), va="center", fontsize=TEXT)
        sheet.text(left, start - 28, fit(task, room, TEXT), weight="bold", fontsize=TEXT)
        sheet.text(left, start - 12, fit(_name(outcome), room + GAP), fontsize=SMALL)
        axes = panel(figure, left, start, room, ROW * len(arms))
        here = {one.arm: one for one in found if (one.task, one.outcome) == (task, outcome)}
        _panel(axes, here, arms, narrow=narrow)
    told = [f"{one.arm}, {one.task}, {one.outcome}" for one in found if one.verdict == "differs"]
    label = (
        f"{len(found)} published means beside this study's; {len(told)} differ at 5 %: "
        f"{'; '.join(told) or 'none'}."
    )
    return to_svg(figure, f"agreement {panels} {narrow}", label)


def _panel(axes: Axes, here: dict[str, Agreement], arms: list[str], *, narrow: bool) -> None:
    shown = [side for one in here.values() for side in (one.ours, one.theirs)]
    ends = [end for s in shown for end in (s.low, s.high, s.estimate) if isfinite(end)] or [0, 1]
    outcome, task = next((one.outcome, one.task) for one in here.values())
    floor = memoryless(task) if outcome == "accuracy" else None
    if floor is not None:
        ends.append(floor)
        axes.axvline(floor, zorder=0, **FLOOR)
    margin = 0.06 * (max(ends) - min(ends) or 1)
    low, high = (0, 1) if outcome == "solved_095" else (min(ends) - margin, max(ends) + margin)
    axes.set(xlim=(low, high), ylim=(len(arms), 0), yticks=[])
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    for row, arm in enumerate(arms):
        axes.axhline(row, color=RULE, lw=0.8, zorder=0)
        if arm not in here:
            continue
        one = here[arm]
        with of_arm(axes, arm):
            if one.verdict == "differs":
                firm = one.verdict_holm == "differs"
                axes.axhspan(row, row + 1, color=VERMILLION, alpha=SHADES[firm], lw=0, zorder=0)
                weight = "bold" if firm else "normal"
                at = axes.get_yaxis_transform()
                axes.text(1.02, row + 0.5, "≠", transform=at, va="center", weight=weight)
            for side, style, y in ((one.ours, OURS, row + 0.3), (one.theirs, THEIRS, row + 0.7)):
                if isfinite(side.low):
                    axes.plot([side.low, side.high], [y, y], color=style["color"], lw=style["lw"])
                axes.plot(side.estimate, y, clip_on=False, **style)
                if not narrow and isfinite(side.estimate):
                    hover(axes, side.estimate, y, f"{arm}: {_values(one)}, {_difference(one)}")


def agreement_table(caption: str, found: Sequence[Agreement], reasons: Sequence[str] = ()) -> Table:
    """Every published mean with what was found, one row each.

    Parameters
    ----------
    caption
        Its heading.
    found
        From `biosernn.reproduction`.
    reasons
        For each of them what explains a difference; no such column where there are none.

    """
    columns = [
        *("Task", "Arm", "Outcome", "n", "Ours, published", "Difference (95 %)", "p", "Holm p"),
        "Within sampling error",
        *(("Reason",) if reasons else ()),
    ]
    rows = [_row(one) for one in found]
    if reasons:
        rows = [(*row, reason) for row, reason in zip(rows, reasons, strict=True)]
    return Table(caption, tuple(columns), tuple(rows), tuple((one.arm,) for one in found))


def agreement_frame(found: Sequence[Agreement]) -> pd.DataFrame:
    """Every number of the comparison, one row each."""
    rows = []
    for one in found:
        row: dict[str, object] = {}
        for name, value in vars(one).items():
            if isinstance(value, Interval):
                ends = {"n": value.n, "low": value.low, "high": value.high}
                row |= {name: value.estimate} | {f"{name}_{end}": at for end, at in ends.items()}
            else:
                row[name] = value
        rows.append(row)
    return pd.DataFrame(rows)


def _row(one: Agreement) -> tuple[str, ...]:
    undefined = f" ({one.n_undefined} not defined)" if one.n_undefined else ""
    return (
        one.task,
        one.arm,
        _name(one.outcome),
        f"{one.ours.n}, {one.theirs.n}{undefined}",
        _values(one),
        _difference(one),
        p_value(one.p),
        p_value(one.p_holm),
        _verdict(one),
    )


def _name(outcome: str) -> str:
    return OUTCOMES.get(outcome, outcome.replace("_", " "))


def _values(one: Agreement) -> str:
    return ", ".join(_value(side) for side in (one.ours, one.theirs))


def _value(side: Interval) -> str:
    if side.method.startswith("Wilson"):
        return f"{round(side.estimate * side.n)}/{side.n}"
    return number(side.estimate, 3)


def _difference(one: Agreement) -> str:
    value = one.difference
    return f"{number(value.estimate, 3, sign=True)} ({interval(value, 3, sign=True)})"


def _verdict(one: Agreement) -> str:
    if one.verdict == "differs":
        return "≠ no" if one.verdict_holm == "differs" else "≠ no; after Holm yes"
    return "yes" if one.verdict == "agrees" else f"not tested: {one.p_method}"
