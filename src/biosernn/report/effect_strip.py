"""One effect as a strip: its interval against no effect and the bound of equivalence."""

import html
from math import isfinite

from biosernn.analysis.findings import Contrast
from biosernn.report.style import INK, QUIET, RULE, SKY
from biosernn.report.words import effect, effect_interval, verdict_colour

WIDTH, HEIGHT = 240, 40


def effect_strip(contrast: Contrast) -> str:
    """Draw one contrast as an `<svg>`; the good side is on the right.

    The axis spans four times the bound of equivalence, or as much as the interval needs.
    """
    sign = -1 if contrast.outcome == "restricted_mean_steps" else 1
    value = contrast.effect
    ends = [sign * end for end in (value.estimate, value.low, value.high) if isfinite(end)]
    span = max([4 * contrast.bound, *(1.08 * abs(end) for end in ends)])

    def x(at: float) -> float:
        return round(WIDTH / 2 + at / span * (WIDTH / 2 - 8), 2)

    low, high, tint = x(-contrast.bound), x(contrast.bound), verdict_colour(contrast.verdict)
    shapes = [
        f'<rect x="{low}" y="4" width="{high - low:.2f}" height="20" fill="{SKY}" opacity="0.3"/>',
        f'<path d="M0 14H{WIDTH}" stroke="{RULE}"/>',
        f'<path d="M{x(0)} 1V27" stroke="{INK}"/>',
    ]
    if len(ends) == 3:
        shapes.append(f'<path d="M{x(ends[1])} 14H{x(ends[2])}" stroke="{tint}" stroke-width="5"/>')
    if ends:
        shapes.append(f'<circle cx="{x(ends[0])}" cy="14" r="6" fill="{tint}" stroke="{INK}"/>')
    words = f'y="38" font-size="11" fill="{QUIET}"'
    shapes.append(f'<text x="2" {words}>← harms</text>')
    shapes.append(f'<text x="{WIDTH - 2}" {words} text-anchor="end">helps →</text>')
    label = f"{contrast.question}: {effect(contrast)}, {effect_interval(contrast)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{html.escape(label)}" style="max-width:{WIDTH}px">{"".join(shapes)}</svg>'
    )
