"""Axes with two spines, ticks and labels that are written straight into an SVG.

Matplotlib keeps an artist for every tick, its mark and its label, which takes longer to make and
draw than all else in a small panel.
"""

from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedFormatter, FixedLocator

from biosernn.report.style import INK, QUIET, SMALL

TICK, BELOW, BESIDE, LOWER = 3.0, 14.8, 6.5, 4.1
"""Pixels: a tick's length; a label's base line below the axis, its gap beside it and its drop."""


class Framed(Axes):
    """Axes that look like matplotlib's; labels are left out where `labelled` says so, x then y."""

    labelled = (True, True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_axis_off()
        self.add_artist(_Frame())

    def set_xticks(self, ticks: Any, labels: Any = None, **_: Any) -> Any:
        """Put ticks at places along x, with labels of one's own or the places themselves."""
        _fix(self.xaxis, ticks, labels)

    def set_yticks(self, ticks: Any, labels: Any = None, **_: Any) -> Any:
        """Put ticks at places along y, with labels of one's own or the places themselves."""
        _fix(self.yaxis, ticks, labels)


def _fix(axis: Axis, ticks: Any, labels: Any) -> None:
    axis.set_major_locator(FixedLocator(ticks))
    if labels is not None:
        axis.set_major_formatter(FixedFormatter(labels))


class _Frame(Artist):
    """Spines, ticks and labels of the axes that it stands in."""

    zorder = 2.5

    def draw(self, renderer: Any) -> None:
        """Write them; only the renderer of SVG can."""
        axes: Any = self.axes
        writer = renderer.writer
        (left, bottom), (right, top) = axes.bbox.get_points()
        bottom, top = renderer.height - bottom, renderer.height - top
        line = f"fill: none; stroke: {QUIET}; stroke-width: 0.8"
        spines = f"M{left:.1f} {top:.1f} V{bottom:.1f} H{right:.1f}"
        writer.element("path", d=spines, style=f"{line}; stroke-linecap: square")
        across = [(left + share * (right - left), label) for share, label in _ticks(axes.xaxis)]
        up = [(bottom + share * (top - bottom), label) for share, label in _ticks(axes.yaxis)]
        marks = [f"M{x:.1f} {bottom:.1f} v{TICK:g}" for x, _ in across]
        marks += [f"M{left:.1f} {y:.1f} h{-TICK:g}" for y, _ in up]
        writer.element("path", d=" ".join(marks), style=line)
        font = f"font-size: {SMALL:g}px; fill: {INK}"
        for x, label in across if axes.labelled[0] else ():
            place = {"x": f"{x:.1f}", "y": f"{bottom + BELOW:.1f}"}
            writer.element("text", label, place | {"style": f"{font}; text-anchor: middle"})
        for y, label in up if axes.labelled[1] else ():
            place = {"x": f"{left - BESIDE:.1f}", "y": f"{y + LOWER:.1f}"}
            writer.element("text", label, place | {"style": f"{font}; text-anchor: end"})


def _ticks(axis: Axis) -> list[tuple[float, str]]:
    """Where along an axis its ticks are, as a share of its length, and their labels."""
    places = axis.get_majorticklocs()
    labels = axis.get_major_formatter().format_ticks(places.tolist())
    low, high = axis.get_transform().transform(axis.get_view_interval())
    shares = (axis.get_transform().transform(places) - low) / (high - low)
    return [
        (share, label)
        for share, label in zip(shares.tolist(), labels, strict=True)
        if -1e-6 <= share <= 1 + 1e-6
    ]
