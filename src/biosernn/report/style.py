"""The look that all figures share: colours, sizes, marks, and the way to an inline SVG.

One unit of a figure is one CSS pixel. Every figure has two widths, for a page and for a phone, so
that its text is never scaled below what can be read.
"""

import html
import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from typing import Any
from urllib.parse import quote, unquote

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

WIDE, NARROW = 960, 358

# Okabe & Ito 2008, told apart under every common colour blindness.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
INK, QUIET, FAINT, RULE, PAPER = "#1b1e23", "#565c66", "#9299a3", "#d8dce2", "#ffffff"

TEXT, SMALL = 12.0, 11.0

LOOK: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": SMALL,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": QUIET,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.labelsize": SMALL,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 72,
    "figure.facecolor": "none",
    "image.composite_image": False,
    "lines.solid_capstyle": "round",
    "path.simplify": True,
    "svg.fonttype": "none",
    "xtick.color": QUIET,
    "xtick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "xtick.major.size": 3,
    "xtick.major.width": 0.8,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
    "ytick.labelsize": SMALL,
    "ytick.major.size": 3,
    "ytick.major.width": 0.8,
}
FONTS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"
RASTER_DPI = 144


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Open a figure whose axes cover it, in pixels from the upper left corner."""
    figure = Figure(figsize=(width / 72, height / 72))
    FigureCanvasSVG(figure)
    sheet = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    sheet.set_axis_off()
    return figure, sheet


def panel(
    figure: Figure, left: float, top: float, width: float, height: float, kind: type[Axes] = Axes
) -> Any:
    """Add axes of a kind to a figure, placed in pixels from the upper left corner."""
    across, down = figure.get_size_inches() * 72
    place = left / across, 1 - (top + height) / down, width / across, height / down
    return figure.add_axes(place, axes_class=kind)


def fit(text: str, width: float, size: float = SMALL) -> str:
    """Shorten a text to a width in pixels, keeping both its ends.

    Examples
    --------
    >>> fit("shuffled-in-bins", 200), fit("positions-shuffled-among-neurons", 90)
    ('shuffled-in-bins', 'positio…eurons')

    """
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    room = max(3, int(width / (0.56 * size)))
    if len(text) <= room:
        return text
    return text[: room // 2] + "…" + text[len(text) - (room - 1) // 2 :]


def wrap(text: str, width: float, size: float = SMALL) -> str:
    """Break a text at its spaces into lines of at most a width in pixels."""
    room, lines = max(8, int(width / (0.56 * size))), [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def legend(
    sheet: Axes,
    left: float,
    top: float,
    right: float,
    entries: Sequence[tuple[dict[str, Any], str]],
) -> None:
    """Write samples with their labels, row after row from `top`.

    Each entry is the style of a `Line2D`, drawn over a short line, and its label.
    """
    for (x, y), (line, label) in zip(_in_rows(left, top, right, entries), entries, strict=True):
        sheet.plot([x, x + 11, x + 22], [y] * 3, markevery=[1], clip_on=False, **line)
        sheet.text(x + 28, y, label, va="center", fontsize=SMALL)


def legend_end(
    left: float, top: float, right: float, entries: Sequence[tuple[dict[str, Any], str]]
) -> float:
    """Say where the last row of such a legend is."""
    return _in_rows(left, top, right, entries)[-1][1]


def _in_rows(
    left: float, top: float, right: float, entries: Sequence[tuple[dict[str, Any], str]]
) -> list[tuple[float, float]]:
    """Where each entry of a legend begins."""
    x, places = left, []
    for _, label in entries:
        length = 30 + 0.56 * SMALL * len(label)
        if x > left and x + length > right:
            x, top = left, top + 18
        places.append((x, top))
        x += length + 14
    return places


@contextmanager
def of_arm(axes: Axes, arm: str, null: str = "") -> Iterator[None]:
    """Mark all that is added to axes meanwhile as an arm's, for the page's filter.

    Parameters
    ----------
    axes
        To which marks are added.
    arm, null
        The arm, and the null that it is held against where there is one.

    """
    before = set(axes.get_children())
    yield
    for artist in axes.get_children():
        if artist not in before:
            mark_arm(artist, arm, null)


def mark_arm(artist: Artist, arm: str, null: str = "") -> None:
    """Mark one artist, or axes with all that they hold, as an arm's.

    The names are kept in the artist's id, from which `to_svg` takes them.
    """
    artist.set_gid("note:" + quote(json.dumps({"arm": arm, "null": null}), safe=""))


def hover(axes: Axes, x: Any, y: Any, words: str | Sequence[str]) -> None:
    """Lay an unseen spot over a point, or over each of several, that says its values there."""
    said = [words] if isinstance(words, str) else list(words)
    axes.add_artist(_Spots(np.column_stack(np.broadcast_arrays(x, y)), said))


class _Spots(Artist):
    """Circles with a title, one for every finite point (n, 2) of an axes' data."""

    zorder = 9

    def __init__(self, points: np.ndarray, words: list[str]) -> None:
        super().__init__()
        self.points, self.words = points, words

    def draw(self, renderer: Any) -> None:
        """Write them; only the renderer of SVG can."""
        writer = renderer.writer
        renderer.open_group("spots", gid=self.get_gid())
        places = self.get_transform().transform(self.points)
        for (x, y), said in zip(places, self.words, strict=True):
            if np.isfinite(x) and np.isfinite(y):
                place = {"cx": f"{x:.1f}", "cy": f"{renderer.height - y:.1f}"}
                writer.start("circle", place | {"r": "7", "opacity": "0"})
                writer.element("title", text=fit(said, 1e5))
                writer.end("circle")
        renderer.close_group("spots")


def lines(axes: Axes, x: Any, values: np.ndarray, *, color: str, lw: float, alpha: float) -> None:
    """Draw many thin lines over the same `x` (n,), a row of `values` (lines, n) each.

    They are broken where a value is not finite, and not clipped.
    """
    axes.add_artist(_Lines(np.asarray(x, float), values, color, lw, alpha))


class _Lines(Artist):
    """Paths of one style, written without an artist for each."""

    zorder = 2

    def __init__(
        self, x: np.ndarray, values: np.ndarray, color: str, lw: float, alpha: float
    ) -> None:
        super().__init__()
        self.x, self.values = x, values
        self.style = (
            f"fill: none; stroke: {to_hex(color)}; stroke-width: {lw:g}; "
            f"stroke-opacity: {alpha:g}; stroke-linecap: round"
        )

    def draw(self, renderer: Any) -> None:
        """Write them; only the renderer of SVG can."""
        points = np.stack(np.broadcast_arrays(self.x, self.values), axis=-1).reshape(-1, 2)
        places = self.get_transform().transform(points) * (1, -1) + (0, renderer.height)
        writer = renderer.writer
        renderer.open_group("lines", gid=self.get_gid())
        writer.start("g", style=self.style)
        for line in places.reshape(*self.values.shape, 2):
            writer.element("path", d=_polyline(line))
        writer.end("g")
        renderer.close_group("lines")


def _polyline(points: np.ndarray) -> str:
    """Write points (n, 2) as a path that is broken where one is not finite."""
    pen, path = "M", []
    for x, y in points.tolist():
        if isfinite(y):
            path.append(f"{pen}{x:.1f} {y:.1f}")
            pen = " "
        else:
            pen = "M"
    return "".join(path)


def log_ticks(axis: matplotlib.axis.Axis, low: float, high: float) -> None:
    """Label a logarithmic axis at whole powers of ten, at most five of them."""
    first, last = int(np.ceil(low)), int(np.floor(high))
    stride = max(1, -(-(last - first) // 4))
    axis.set_major_locator(FixedLocator([10.0**k for k in range(first, last + 1, stride)]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
    axis.set_minor_locator(NullLocator())


def power_of_ten(value: float) -> str:
    """Write a whole power of ten.

    Examples
    --------
    >>> power_of_ten(0.01), power_of_ten(1.0), power_of_ten(1e5)
    ('0.01', '1', '10⁵')

    """
    exponent = round(np.log10(value))
    if -2 <= exponent <= 3:
        return f"{10.0**exponent:g}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


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
        figure.savefig(buffer, format="svg", dpi=RASTER_DPI, metadata={"Date": None})
    body = buffer.getvalue()
    body = body[body.index("<svg") :]
    body = body[body.index(">") + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"<style.*?</style>", "", body, flags=re.S)
    body = body.replace("xlink:href=", "href=")
    body = re.sub(r"<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r"font: (?:(\w+) )?([\d.]+)px [^;\"]*", _font, body)
    body = re.sub(r" ?font-family: [^;\"]*;?", "", body)
    body = re.sub(r'( (?:d|x|y)=")([^"]*)', _rounded, body)
    body = re.sub(r'(?<= d=")[^"]*', _compact, body)
    body = re.sub(r' id="note:([^"]*)"', _attributes, body)
    used = set(re.findall(r"(?:url\(#|href=\"#)([\w-]+)", body))
    body = re.sub(r' id="([^"]*)"', lambda m: m[0] if m[1] in used else "", body)
    body = re.sub(r"\n\s*", "\n", body)
    width, height = (round(inches * 72) for inches in figure.get_size_inches())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{html.escape(fit(label, 1e5))}" style="max-width:{width}px" '
        f'font-family="{FONTS}" stroke-linejoin="round" stroke-linecap="butt">{body}'
    )


def _attributes(note: re.Match) -> str:
    said = json.loads(unquote(note[1])).items()
    return "".join(f' data-{key}="{html.escape(fit(name, 1e5))}"' for key, name in said if name)


def _font(match: re.Match) -> str:
    weight = f"font-weight: {match[1]}; " if match[1] else ""
    return f"{weight}font-size: {match[2]}px"


def _compact(match: re.Match) -> str:
    """Write a path on one line; of a polyline, whose L after M goes without saying, only M."""
    path = " ".join(match[0].split())
    return path if re.search("[CQ]", path) else path.replace(" L ", " ")


def shared_styles(page: str) -> tuple[str, str]:
    """Give elements of drawings that look the same a class, to save room.

    Parameters
    ----------
    page
        HTML with drawings from `to_svg`.

    Returns
    -------
    The page with classes in place of styles, and the style sheet that says what they mean.

    Examples
    --------
    >>> shared_styles('<path d="M 0 0" style="fill: none"/>')
    ('<path d="M 0 0" class="s0"/>', '.s0{fill: none}')

    """
    classes: dict[str, int] = {}

    def named(match: re.Match) -> str:
        return f'{match[1]} class="s{classes.setdefault(match[2], len(classes))}"'

    parts = r'(<(?:path|use|g|text|tspan|rect)(?: [\w-]+="[^"]*")*?) style="([^"]*)"'
    page = re.sub(parts, named, page)
    return page, "\n".join(f".s{number}{{{style}}}" for style, number in classes.items())


def _rounded(match: re.Match) -> str:
    return match[1] + re.sub(r"(\.\d)\d+", r"\1", match[2])
