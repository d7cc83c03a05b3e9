"""Numbers, effects and verdicts in words."""

from math import isfinite

from biosernn.analysis.findings import Contrast, Interval, Verdict
from biosernn.report.style import BLUE, FAINT, GREEN, QUIET, VERMILLION

SYMBOLS: dict[Verdict, str] = {
    "helps": "▲",
    "harms": "▼",
    "no difference": "=",
    "cannot tell": "?",
    "not tested": "–",
}
COLOURS: dict[Verdict, str] = {
    "helps": GREEN,
    "harms": VERMILLION,
    "no difference": BLUE,
    "cannot tell": QUIET,
    "not tested": FAINT,
}
ASKED = {
    "wiring": "Do measured connections beat connections rewired at the same degrees and distances?",
    "geometry": "Do the neurons’ true positions beat the same positions dealt out at random?",
    "activity": "Does functional similarity beat the same values shuffled within distance bins?",
    "self-timescales": "Do the self-weights alone carry the effect?",
    "scale": "Is it more than the size and spread of the weights?",
    "spectrum": "Is it more than the eigenvalues and singular values?",
    "plain": "Is it better than a network of orthogonal start weights?",
}


def verdict_symbol(verdict: Verdict) -> str:
    """Sign of a verdict, so that colour never says it alone."""
    return SYMBOLS[verdict]


def verdict_colour(verdict: Verdict) -> str:
    """Colour of a verdict."""
    return COLOURS[verdict]


def verdict_words(contrast: Contrast) -> str:
    """Verdict of a contrast, with the bound where it is `no difference`."""
    if contrast.verdict != "no difference":
        return contrast.verdict
    unit = "steps" if contrast.outcome == "restricted_mean_steps" else "of the runs"
    return f"no difference within ±{contrast.bound:g} {unit}"


def number(value: float, digits: int = 2, *, sign: bool = False) -> str:
    """Round a number, with a true minus; a dash where there is none.

    Examples
    --------
    >>> number(-3.14159, 1), number(0.5, sign=True), number(float("nan"))
    ('−3.1', '+0.50', '–')

    """
    if not isfinite(value):
        return "–"
    return f"{value:{'+' if sign else ''}z.{digits}f}".replace("-", "−")


def p_value(p: float) -> str:
    """Write a p value to two digits.

    Examples
    --------
    >>> p_value(0.03449), p_value(0.00001), p_value(1.0), p_value(float("nan"))
    ('0.034', '< 0.001', '1', '–')

    """
    if not isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def interval(value: Interval, digits: int, *, sign: bool = False) -> str:
    """Write the ends of an interval.

    Examples
    --------
    >>> interval(Interval(0.5, 0.25, 0.75, 0.95, "Wilson", 10), 2)
    '0.25 to 0.75'

    """
    if not isfinite(value.low):
        return "not estimable"
    return f"{number(value.low, digits, sign=sign)} to {number(value.high, digits, sign=sign)}"


def effect(contrast: Contrast) -> str:
    """Write the effect of a contrast in its unit: steps, or points of the runs solved."""
    if contrast.outcome == "restricted_mean_steps":
        steps = contrast.effect.estimate
        if not isfinite(steps):
            return "–"
        word = "sooner" if steps < 0 else "later"
        return f"{number(abs(steps), 1)} steps {word}" if steps else "0 steps"
    points = number(100 * contrast.effect.estimate, 0, sign=True)
    return f"{'0' if points == '+0' else points} points solved"


def effect_interval(contrast: Contrast) -> str:
    """Write the interval of a contrast in steps, or in points of the runs solved."""
    steps = contrast.outcome == "restricted_mean_steps"
    scale, digits, unit = (1, 1, "steps") if steps else (100, 0, "points")
    value = contrast.effect
    if not isfinite(value.low):
        return "interval not estimable"
    ends = [number(scale * end, digits, sign=True) for end in (value.low, value.high)]
    return f"{100 * value.level:.0f} % interval {ends[0]} to {ends[1]} {unit}"
