"""The look of the audit's figures, and the way to an inline SVG.

One unit of a figure is one CSS pixel, and a figure is as wide as a phone: on a larger screen there
are several in a row, so its text is never scaled below what can be read.
"""

import html
import io
import re
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

WIDTH, HEIGHT = 356, 268

# Okabe & Ito 2008, told apart under every common colour blindness.
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
INK, QUIET, FAINT = "#1b1e23", "#565c66", "#c3c9d1"

LOOK: dict[Any, Any] = {
    "font.size": 11,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": QUIET,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 72,
    "figure.facecolor": "none",
    "legend.fontsize": 10.5,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "svg.fonttype": "none",
    "xtick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
}
FONTS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"


def canvas() -> tuple[Figure, Axes]:
    """Open a figure with one pair of axes."""
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72))
    FigureCanvasSVG(figure)
    left, right, bottom, top = 58, 20, 46, 12
    width, height = WIDTH - left - right, HEIGHT - bottom - top
    place = (left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT)
    return figure, figure.add_axes(place)


def to_svg(figure: Figure, name: str, label: str) -> str:
    """Draw a figure as an `<svg role="img">` that can stand inside a page beside others.

    Parameters
    ----------
    figure
        From `canvas`.
    name
        Salt of its ids, different for every figure of a page.
    label
        What a reader who cannot see it is told.

    """
    buffer = io.StringIO()
    with matplotlib.rc_context(LOOK | {"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    body = buffer.getvalue()
    body = body[body.index("<svg") :]
    body = body[body.index(">") + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r" ?font-family: [^;\"]*;?", "", body)
    body = body.replace("xlink:href=", "href=")
    used = set(re.findall(r"(?:url\(#|href=\"#)([\w-]+)", body))
    body = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{html.escape(label)}" font-family="{FONTS}" stroke-linejoin="round">{body}'
    )
