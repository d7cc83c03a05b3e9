"""The functional similarity of the cohort: correlation and STTC, ordered by cortical depth."""

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from biosernn.cohort.cohort import Cohort
from biosernn.report.style import (
    BLUE,
    LOOK,
    NARROW,
    PAPER,
    QUIET,
    SMALL,
    TEXT,
    VERMILLION,
    WIDE,
    canvas,
    panel,
    to_svg,
)
from biosernn.report.words import number

PIXELS = 320
TINTED = 24
"""Tints on either side of 0, so that a matrix takes little room."""

TINTS = LinearSegmentedColormap.from_list("tints", [VERMILLION, PAPER, BLUE]).with_extremes(
    bad="#c9ced6"
)
MEASURES = (("corr", "Pearson correlation"), ("sttc", "Spike time tiling coefficient"))


def shrink(matrix: np.ndarray, pixels: int = PIXELS) -> np.ndarray:
    """Average blocks of a matrix until it is at most `pixels` wide, leaving out what is NaN.

    Examples
    --------
    >>> shrink(np.array([[1.0, 3.0], [np.nan, 5.0]]), 1).tolist()
    [[3.0]]

    """
    if len(matrix) <= pixels:
        return matrix
    edges = np.linspace(0, len(matrix), pixels + 1).astype(int)[:-1]
    known = np.isfinite(matrix)
    sums, counts = np.where(known, matrix, 0.0), known.astype(float)
    for axis in (0, 1):
        sums, counts = (np.add.reduceat(values, edges, axis=axis) for values in (sums, counts))
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


@matplotlib.rc_context(LOOK)
def similarity_matrices(cohort: Cohort, *, narrow: bool = False) -> str:
    """Draw the cohort's similarity matrices that are known, without their diagonals, as an `<svg>`.

    Parameters
    ----------
    cohort
        With at least one of `corr` and `sttc`.
    narrow
        Draw it for a phone.

    """
    known = [(name, title) for name, title in MEASURES if getattr(cohort, name) is not None]
    order = np.argsort(cohort.positions_um[:, 1], kind="stable")
    side = 250 if narrow else 330
    width = NARROW if narrow else WIDE
    height = (side + 84) * (len(known) if narrow else 1)
    figure, sheet = canvas(width, height)
    told = []
    for index, (name, title) in enumerate(known):
        left, top = (44, 34 + index * (side + 84)) if narrow else (44 + index * 480, 34)
        matrix = getattr(cohort, name)[np.ix_(order, order)].astype(float)
        np.fill_diagonal(matrix, np.nan)
        values = matrix[np.isfinite(matrix)]
        limit = float(np.quantile(np.abs(values), 0.99)) or 1.0
        told.append(f"{title.lower()} mean {number(values.mean(), 3)}")
        axes = panel(figure, left, top, side, side)
        n = len(matrix)
        step = limit / TINTED
        picture = axes.imshow(
            np.round(shrink(matrix) / step) * step,
            cmap=TINTS,
            vmin=-limit,
            vmax=limit,
            interpolation="none",
            extent=(0, n, n, 0),
        )
        axes.set(xticks=(0, n), yticks=(0, n))
        axes.set_xlabel("neuron, from pia downwards", fontsize=SMALL, labelpad=-4)
        axes.set_ylabel("neuron, from pia downwards", fontsize=SMALL, labelpad=-16)
        axes.spines[:].set_visible(True)
        sheet.text(left, top - 16, title, va="center", weight="bold", fontsize=TEXT)
        bar = panel(figure, left + side + 10, top, 10, side)
        figure.colorbar(picture, cax=bar, extend="both", extendfrac=0.03)
        bar.set_yticks([-limit, 0, limit], [number(v) for v in (-limit, 0, limit)])
        sheet.text(
            left + side,
            top + side + 34,
            f"mean of {n * (n - 1) // 2:,} pairs: {number(values.mean(), 3)}",
            va="center",
            ha="right",
            color=QUIET,
        )
    label = f"Functional similarity of {cohort.n_neurons} neurons by depth: {', '.join(told)}."
    return to_svg(figure, f"similarity {narrow}", label)
