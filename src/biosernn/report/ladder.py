"""The ladder: one row per arm, its start weights beside what they bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from biosernn.analysis.findings import Interval
from biosernn.report.composition import Arms, grouped, in_words
from biosernn.report.marks import PAPER_GAP, dot
from biosernn.report.setting import Setting
from biosernn.report.style import (
    BLUE,
    INK,
    LOOK,
    NARROW,
    PAPER,
    QUIET,
    RULE,
    TEXT,
    VERMILLION,
    WIDE,
    canvas,
    fit,
    hover,
    legend,
    of_arm,
    power_of_ten,
    to_svg,
)
from biosernn.report.words import interval, number

Span = tuple[float, float]

PIXELS = 32
FAINTEST = -4.0  # log10 of the smallest weight with a tint of its own
SIGNED = LinearSegmentedColormap.from_list("signed", [VERMILLION, PAPER, BLUE])


@dataclass(frozen=True)
class Layout:
    """Where the columns stand: the thumbnail's left edge and size, the others' left and right.

    Without a column of its own the gradient stands in words below the row.
    """

    width: int
    top: int
    row: int
    middle: int
    thumbnail: Span
    solved: Span
    accuracy: Span
    gradient: Span | None


PAGE = Layout(WIDE, 96, 60, 30, (232, 48), (300, 440), (510, 680), (724, 808))
PHONE = Layout(NARROW, 150, 122, 70, (4, 52), (70, 166), (214, 350), None)


def thumbnail(weights: np.ndarray, pixels: int = PIXELS) -> np.ndarray:
    """Shrink a weight matrix to at most 32 x 32 tints between −1 and 1, the diagonal apart.

    A pixel shows the weight of largest magnitude in its block, on a logarithmic scale from 10⁻⁴ to
    1; those on the diagonal show self-weights alone, all others none.

    Examples
    --------
    >>> thumbnail(np.array([[1.0, 0.0], [-0.01, 0.0]])).tolist()
    [[1.0, 0.0], [-0.5, 0.0]]

    """
    n = len(weights)
    edges = np.linspace(0, n, min(n, pixels) + 1).astype(int)
    between = np.where(np.eye(n, dtype=bool), 0, weights)
    picture = _largest(_largest(between, edges, 0), edges, 1)
    np.fill_diagonal(picture, _largest(np.diag(weights), edges, 0))
    with np.errstate(divide="ignore"):
        tint = np.clip(1 - np.log10(np.abs(picture)) / FAINTEST, 0.06, 1)
    return np.where(picture == 0, 0.0, np.sign(picture) * tint)


def _largest(values: np.ndarray, edges: np.ndarray, axis: int) -> np.ndarray:
    high = np.maximum.reduceat(values, edges[:-1], axis=axis)
    low = np.minimum.reduceat(values, edges[:-1], axis=axis)
    return np.where(high >= -low, high, low)


@matplotlib.rc_context(LOOK)
def ladder(
    setting: Setting, arms: Arms, weights: Mapping[str, np.ndarray], *, narrow: bool = False
) -> str:
    """Draw the ladder of one setting as an `<svg>`.

    Parameters
    ----------
    setting
        The arms with their summaries and runs.
    arms
        What each arm is made of.
    weights
        Start weights (n, n) of the arms that are to have a thumbnail.
    narrow
        Draw it for a phone.

    """
    at = PHONE if narrow else PAGE
    groups = grouped(setting.arms, arms)
    height = at.top + at.row * len(setting.arms) + 28 * len(groups) + 24
    figure, sheet = canvas(at.width, height)
    _heading(sheet, at, setting)
    scale, floor = _gradient_scale(setting), setting.memoryless
    y = float(at.top)
    for kind, members in groups.items():
        sheet.add_patch(Rectangle((0, y + 3), at.width, 22, facecolor=kind.colour, alpha=0.2, lw=0))
        sheet.add_patch(Rectangle((0, y + 3), 6, 22, facecolor=kind.colour, lw=0))
        sheet.text(14, y + 14, kind.heading, va="center", weight="bold")
        if at.gradient is not None:
            _scales(sheet, at, y + 14, scale)
        y += 28
        for arm in members:
            with of_arm(sheet, arm):
                _row(sheet, at, setting, arm, kind.colour, arms.get(arm, {}), y, scale)
                _thumbnail(sheet, at, weights.get(arm), y + at.middle)
                if floor is not None:
                    x = _along(at.accuracy, floor)
                    ends = [y + at.middle - 27, y + at.middle + 27]
                    sheet.plot([x, x], ends, color=INK, lw=1.2, ls=(0, (4, 2)), zorder=1)
            y += at.row
    _scales(sheet, at, y + 12, scale)
    best = max(setting.summaries.values(), key=lambda s: s.solved.estimate)
    label = (
        f"Ladder of {len(setting.arms)} arms ({setting.name}): start weights, fraction of runs "
        f"solved, accuracy and largest gradient. Most solved: {best.arm} under recipe "
        f"{best.recipe}, {best.n_solved} of {best.n} runs."
    )
    return to_svg(figure, f"ladder {setting.name} {narrow}", label)


def _heading(sheet: Axes, at: Layout, setting: Setting) -> None:
    entries = [(dot(recipe, INK), f"recipe {recipe}") for recipe in setting.recipes]
    legend(sheet, 4, 12, at.width, entries)
    tints, (left, y) = SIGNED(np.linspace(0, 1, 65))[None], (at.width - 356, 12)
    if at.gradient is None:
        left, y = 4, 38
    sheet.text(left, y, "start weight  −1", va="center")
    sheet.imshow(tints, extent=(left + 98, left + 188, y + 6, y - 6), aspect="auto")
    sheet.text(left + 196, y, "+1  (log scale, 0 white)", va="center")
    columns = [(at.solved, "Fraction solved", "Wilson 95 % interval")]
    if at.gradient is None:
        columns = [
            ((4, 0), "Arm", ""),
            (at.solved, "Solved", "Wilson 95 %"),
            (at.accuracy, "Accuracy", "mean, t 95 %"),
        ]
        sheet.text(4, 62, "below each name: self-weights · off-diagonal", va="center", color=QUIET)
    else:
        columns += [
            ((4, 0), "Arm", "self-weights · off-diagonal"),
            (at.thumbnail, "Start", "weights"),
            (at.accuracy, "Accuracy of every run", "bar: mean, t 95 % interval"),
            (at.gradient, "Largest", "gradient"),
            ((at.gradient[1] + 18, 0), "Clipped", "steps"),
            ((at.gradient[1] + 80, 0), "Diverged", "runs"),
        ]
    for (x, _), title, detail in columns:
        sheet.text(x, at.top - 27, title, va="center", weight="bold", fontsize=TEXT)
        sheet.text(x, at.top - 11, detail, va="center", color=QUIET)
    if setting.task == "maze":
        low, high = (_along(at.accuracy, value) for value in PAPER_GAP)
        y = at.top - 43
        sheet.plot([low, low, high, high], [y + 5, y, y, y + 5], color=INK, lw=1.2)
        sheet.text(high, y - 9, "no memory to solved: the paper’s 37 %?", va="center", ha="right")


def _row(
    sheet: Axes,
    at: Layout,
    setting: Setting,
    arm: str,
    colour: str,
    made_of: Mapping[str, object],
    top: float,
    scale: Span,
) -> None:
    middle, wide = top + at.middle, at.gradient is not None
    room, line = (at.thumbnail[0] - 12, top + 16) if wide else (at.width - 8, top + 10)
    sheet.text(4, line, fit(arm, room, TEXT), va="center", weight="bold", fontsize=TEXT)
    sheet.text(4, line + 17, fit(in_words(made_of), room), va="center", color=QUIET)
    rules = [_along(span, value) for span in (at.solved, at.accuracy) for value in (0, 0.5, 1)]
    rule: dict[str, Any] = {"colors": RULE, "lw": 0.8, "capstyle": "round", "zorder": 0}
    sheet.vlines(rules, middle - 27, middle + 27, **rule)
    recipes = [recipe for recipe in setting.recipes if (arm, recipe) in setting.summaries]
    for y, recipe in zip(_stacked(middle, len(recipes)), recipes, strict=True):
        summary, runs = setting.summaries[arm, recipe], setting.of(arm, recipe)
        mark = dot(recipe, colour)
        _interval(sheet, at.solved, summary.solved, y, colour)
        sheet.plot(_along(at.solved, summary.solved.estimate), y, **mark)
        sheet.text(at.solved[1] + 9, y, f"{summary.n_solved}/{summary.n}", va="center")
        for accuracy, count in runs["accuracy"].round(2).value_counts().items():
            size = max(3.5, 14 * np.sqrt(count / len(runs)))
            sheet.plot(_along(at.accuracy, accuracy), y, **mark | {"ms": size, "alpha": 0.8})
        x = _along(at.accuracy, summary.accuracy.estimate)
        sheet.plot([x, x], [y - 10, y + 10], color=INK, lw=2)
        _interval(sheet, at.accuracy, summary.accuracy, y, INK)
        if at.gradient is not None:
            largest = runs["gradient_norm_data_max"].median()
            if largest > 0 and isfinite(largest):
                sheet.plot(_along(at.gradient, _on_scale(largest, scale)), y, **mark)
            clipped, diverged = _trouble(runs)
            x, tone = at.gradient[1], VERMILLION if diverged else INK
            named = f"{arm}, recipe {recipe}"
            for span, words, known, digits in (
                (at.solved, f"{summary.n_solved} of {summary.n} runs solved", summary.solved, 2),
                (at.accuracy, f"mean accuracy of {summary.n} runs", summary.accuracy, 3),
            ):
                found = f"{number(known.estimate, digits)}, 95 % {interval(known, digits)}"
                hover(sheet, _along(span, known.estimate), y, f"{named}: {words}, {found}")
            sheet.text(x + 58, y, clipped, va="center", ha="right")
            sheet.text(x + 124, y, f"{diverged}", va="center", ha="right", color=tone)
    if not wide:
        counts = [(recipe, _trouble(setting.of(arm, recipe))[1]) for recipe in recipes]
        words = ", ".join(f"{recipe} {count}" for recipe, count in counts if count)
        if words:
            words = f"diverged: {words}"
            sheet.text(at.width - 4, line + 17, words, va="center", ha="right", color=VERMILLION)
        sheet.text(4, middle + 40, _gradients(setting, arm, recipes), va="center", color=QUIET)
    sheet.plot([0, at.width], [top + at.row] * 2, color=RULE, lw=0.8, zorder=0)


def _stacked(middle: float, count: int) -> np.ndarray:
    return middle + 40 * ((np.arange(count) + 0.5) / count - 0.5) if count else np.array([])


def _thumbnail(sheet: Axes, at: Layout, weights: np.ndarray | None, middle: float) -> None:
    left, size = at.thumbnail
    corner, across = (left, middle - size / 2), (left, left + size)
    if weights is not None:
        sheet.imshow(
            thumbnail(np.asarray(weights)),
            extent=(*across, middle + size / 2, middle - size / 2),
            cmap=SIGNED,
            vmin=-1,
            vmax=1,
            interpolation="none",
            aspect="auto",
        )
    sheet.add_patch(Rectangle(corner, size, size, facecolor="none", edgecolor=QUIET, lw=0.8))


def _interval(sheet: Axes, span: Span, interval: Interval, y: float, colour: str) -> None:
    """Draw the part of an interval that lies between 0 and 1."""
    if isfinite(interval.low):
        ends = np.clip([interval.low, interval.high], 0, 1)
        sheet.plot(_along(span, ends), [y, y], color=colour, lw=1.6, solid_capstyle="butt")


def _trouble(runs: pd.DataFrame) -> tuple[str, int]:
    """Share of clipped steps in words, and how many runs diverged."""
    clipped = runs["clipped_share"].mean()
    return f"{100 * clipped:.0f} %" if clipped > 0 else "–", int(
        (runs["status"] == "diverged").sum()
    )


def _gradients(setting: Setting, arm: str, recipes: list[str]) -> str:
    lines = []
    for recipe in recipes:
        runs = setting.of(arm, recipe)
        clipped = _trouble(runs)[0]
        largest = runs["gradient_norm_data_max"].median()
        words = f"{recipe} {largest:,.0f}" if largest >= 10 else f"{recipe} {largest:.2g}"
        lines.append(words + (f" ({clipped} clipped)" if clipped != "–" else ""))
    return fit("gradient: " + ", ".join(lines), NARROW)


def _gradient_scale(setting: Setting) -> Span:
    """Powers of ten just around the arms' median largest gradients."""
    medians = setting.runs.groupby(["arm", "recipe"])["gradient_norm_data_max"].median()
    known = np.log10(medians[(medians > 0) & np.isfinite(medians)])
    if known.empty:
        return -1.0, 1.0
    low = float(np.floor(known.min()))
    return low, max(float(np.ceil(known.max())), low + 1)


def _scales(sheet: Axes, at: Layout, y: float, scale: Span) -> None:
    for span in (at.solved, at.accuracy):
        for value in (0, 0.5, 1):
            sheet.text(_along(span, value), y, f"{value:g}", va="center", ha="center")
    if at.gradient is not None:
        powers = np.arange(scale[0], scale[1] + 1)
        for power in powers[:: -(-len(powers) // 4)]:
            x = _along(at.gradient, _on_scale(10**power, scale))
            sheet.text(x, y, power_of_ten(10**power), va="center", ha="center")


def _on_scale(value: float, scale: Span) -> float:
    return float((np.log10(value) - scale[0]) / (scale[1] - scale[0]))


def _along(span: Span, share: Any) -> Any:
    return span[0] + share * (span[1] - span[0])
