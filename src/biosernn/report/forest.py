"""Forest plot: every contrast of a setting with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from biosernn.analysis.findings import Contrast
from biosernn.report.marks import dot
from biosernn.report.setting import Setting
from biosernn.report.style import (
    INK,
    LOOK,
    NARROW,
    QUIET,
    RULE,
    SKY,
    TEXT,
    WIDE,
    canvas,
    fit,
    hover,
    legend,
    of_arm,
    to_svg,
)
from biosernn.report.words import (
    effect,
    effect_interval,
    p_value,
    verdict_colour,
    verdict_symbol,
)

Span = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Where the axes of the two outcomes stand, and how a row is divided."""

    width: int
    top: int
    row: int
    middle: int
    steps: Span
    solved: Span
    verdict: float | None  # right of the p value; None leaves only the verdict's sign


PAGE = Layout(WIDE, 66, 46, 23, (244, 444), (634, 784), 66)
PHONE = Layout(NARROW, 112, 88, 60, (20, 118), (202, 290), None)
OUTCOMES = (
    ("restricted_mean_steps", "Steps to criterion", ("arm sooner", "null sooner")),
    ("solved", "Fraction solved", ("null more", "arm more")),
)


@matplotlib.rc_context(LOOK)
def forest(setting: Setting, *, narrow: bool = False) -> str:
    """Draw a setting's contrasts in both outcomes, one row per pair, as an `<svg>`.

    Parameters
    ----------
    setting
        Its contrasts, of which one at least was tested; the others have no row.
    narrow
        Draw it for a phone.

    """
    at = PHONE if narrow else PAGE
    tested = setting.tested
    rows = list(dict.fromkeys((c.question, c.arm, c.null) for c in tested))
    middles = [at.top + index * at.row + at.middle for index in range(len(rows))]
    figure, sheet = canvas(at.width, at.top + at.row * len(rows) + 48)
    band = {"color": SKY, "lw": 10, "alpha": 0.4, "solid_capstyle": "butt"}
    legend(
        sheet,
        4,
        12,
        at.width,
        [
            *((dot(recipe, INK), f"recipe {recipe}") for recipe in setting.recipes),
            ({"color": INK, "lw": 4}, "family, p after Holm in bold"),
            ({"color": INK, "lw": 1.2}, "exploratory"),
            (band, "counts as none"),
        ],
    )
    if at.verdict is not None:
        _head(sheet, 4, at.top, "Arm − null, paired by seed")
    for index, (question, arm, null) in enumerate(rows):
        top = at.top + index * at.row
        sheet.plot([0, at.width], [top, top], color=RULE, lw=0.8)
        room = at.width - 8 if at.verdict is None else at.steps[0] - 24
        n = max(c.n for c in tested if (c.question, c.arm, c.null) == (question, arm, null))
        name = fit(f"{arm} − {null}", room, TEXT)
        with of_arm(sheet, arm, null):
            sheet.text(4, top + 15, name, va="center", weight="bold", fontsize=TEXT)
            sheet.text(4, top + 32, f"{question}, n = {n} pairs", va="center", color=QUIET)
    for span, (outcome, title, sides) in zip((at.steps, at.solved), OUTCOMES, strict=True):
        of_outcome = [c for c in tested if c.outcome == outcome]
        limit = _limit(of_outcome)
        _head(sheet, span[0] - (12 if narrow else 0), at.top, title)
        _axis(sheet, at, span, limit, middles, of_outcome, sides)
        for index, row in enumerate(rows):
            here = [c for c in of_outcome if (c.question, c.arm, c.null) == row]
            levels = middles[index] + 22 * ((np.arange(len(here)) + 0.5) / max(1, len(here)) - 0.5)
            for contrast, y in zip(here, levels, strict=True):
                with of_arm(sheet, contrast.arm, contrast.null):
                    _contrast(sheet, at, span, limit, contrast, y)
    told = "; ".join(
        f"{c.arm} minus {c.null} under {c.recipe}, {c.outcome.replace('_', ' ')}: "
        f"{c.effect.estimate:.3g}, {c.verdict}"
        for c in tested
        if c.in_family
    )
    label = f"Forest plot of {len(tested)} contrasts ({setting.name}). Family: {told or 'none'}."
    return to_svg(figure, f"forest {setting.name} {narrow}", label)


def _head(sheet: Axes, x: float, top: float, words: str) -> None:
    sheet.text(x, top - 14, words, va="center", weight="bold", fontsize=TEXT)


def _contrast(
    sheet: Axes, at: Layout, span: Span, limit: float, contrast: Contrast, y: float
) -> None:
    tint = verdict_colour(contrast.verdict)
    low, high = contrast.effect.low, contrast.effect.high
    if isfinite(low):
        ends = _along(span, limit, np.clip([low, high], -limit, limit))
        width = 4 if contrast.in_family else 1.2
        sheet.plot(ends, [y, y], color=tint, lw=width, solid_capstyle="butt")
    x = _along(span, limit, np.clip(contrast.effect.estimate, -limit, limit))
    sheet.plot(x, y, **dot(contrast.recipe, tint))
    adjusted = contrast.p_holm is not None
    p = p_value(contrast.p if contrast.p_holm is None else contrast.p_holm)
    words = f"{verdict_symbol(contrast.verdict)} {contrast.verdict}"
    if at.verdict is None:
        p = f"{verdict_symbol(contrast.verdict)} {p}"
    else:
        sheet.text(span[1] + 12 + at.verdict, y, words, va="center")
        pair = f"{contrast.arm} − {contrast.null}, recipe {contrast.recipe}"
        hover(sheet, x, y, f"{pair}: {effect(contrast)}, {effect_interval(contrast)}, p {p}")
    sheet.text(span[1] + 12, y, p, va="center", weight="bold" if adjusted else "normal")


def _limit(contrasts: Sequence[Contrast]) -> float:
    """Half the axis: a round number that holds every interval."""
    ends = [abs(e) for c in contrasts for e in (c.effect.low, c.effect.high, c.effect.estimate)]
    known = [end for end in ends if isfinite(end)] + [2 * c.bound for c in contrasts]
    if not known:
        return 1.0
    unit = 10.0 ** np.floor(np.log10(max(known)))
    return float(unit * min(k for k in (1, 2, 4, 5, 10) if k * unit >= max(known) * 0.999))


def _axis(
    sheet: Axes,
    at: Layout,
    span: Span,
    limit: float,
    middles: Sequence[float],
    contrasts: Sequence[Contrast],
    sides: tuple[str, str],
) -> None:
    if contrasts:
        left, right = (_along(span, limit, end * contrasts[0].bound) for end in (-1, 1))
        for middle in middles:
            box = Rectangle((left, middle - 23), right - left, 46, facecolor=SKY, alpha=0.3, lw=0)
            sheet.add_patch(box)
    for value in (-limit, -limit / 2, 0, limit / 2, limit):
        x = _along(span, limit, value)
        line: dict[str, Any]
        line = {"color": INK, "lw": 1} if value == 0 else {"color": RULE, "lw": 0.8}
        centres = np.array(middles)
        at_x = np.full(len(centres), x)
        sheet.vlines(at_x, centres - 23, centres + 23, **line, capstyle="round", zorder=0.5)
    bottom = middles[-1] + at.row - at.middle
    for value in (-limit, 0, limit):
        words = f"{value:+g}".replace("-", "−") if value else "0"
        sheet.text(_along(span, limit, value), bottom + 12, words, va="center", ha="center")
    wide = 0 if at.verdict is None else 30
    sheet.text(span[0] - wide, bottom + 32, f"← {sides[0]}", va="center", fontsize=10.5)
    x = span[1] + (48 if at.verdict is None else wide)
    sheet.text(x, bottom + 32, f"{sides[1]} →", va="center", ha="right", fontsize=10.5)


def _along(span: Span, limit: float, value: Any) -> Any:
    return span[0] + (value + limit) / (2 * limit) * (span[1] - span[0])
