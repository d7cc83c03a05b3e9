"""Functional similarity against the distance between somata."""

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, LogNorm

from biosernn.cohort.cohort import Cohort
from biosernn.geometry.distances import pairwise_distances
from biosernn.report.similarity_matrices import MEASURES
from biosernn.report.style import (
    LOOK,
    NARROW,
    QUIET,
    SMALL,
    TEXT,
    VERMILLION,
    WIDE,
    canvas,
    panel,
    to_svg,
)

BINS = 10
GREYS = LinearSegmentedColormap.from_list("greys", ["#e6e9ee", "#3c4654"])


@matplotlib.rc_context(LOOK)
def correlation_distance(cohort: Cohort, *, narrow: bool = False) -> str:
    """Draw similarity against distance over all pairs, with bins of equal count, as an `<svg>`.

    Parameters
    ----------
    cohort
        With at least one of `corr` and `sttc`.
    narrow
        Draw it for a phone.

    """
    known = [(name, title) for name, title in MEASURES if getattr(cohort, name) is not None]
    pairs = np.triu_indices(cohort.n_neurons, 1)
    distance = pairwise_distances(cohort.positions_um)[pairs]
    edges = np.quantile(distance, np.linspace(0, 1, BINS + 1))
    members = np.clip(np.searchsorted(edges, distance, side="right") - 1, 0, BINS - 1)
    tall = 190 if narrow else 240
    height = (tall + 92) * (len(known) if narrow else 1)
    figure, sheet = canvas(NARROW if narrow else WIDE, height)
    told = []
    for index, (name, title) in enumerate(known):
        left, top = (52, 30 + index * (tall + 92)) if narrow else (56 + index * 490, 30)
        axes = panel(figure, left, top, 290 if narrow else 400, tall)
        values = getattr(cohort, name)[pairs]
        low, high = np.quantile(values, [0.002, 0.998])
        shown = (values >= low) & (values <= high)
        cloud = axes.hexbin(
            distance[shown], values[shown], gridsize=(48, 26), cmap=GREYS, norm=LogNorm(), lw=0
        )
        cloud.set_rasterized(True)
        middles, means = [], []
        for k in range(BINS):
            inside = members == k
            if inside.any():
                middles.append(np.median(distance[inside]))
                means.append(values[inside].mean())
                quartiles = np.quantile(values[inside], [0.25, 0.75])
                axes.plot([middles[-1]] * 2, quartiles, color=VERMILLION, lw=1.6)
        axes.plot(middles, means, color=VERMILLION, marker="o", ms=5, lw=1.6)
        axes.set_xlim(0, distance.max() * 1.02)
        axes.set_xlabel("distance between somata (µm)", fontsize=SMALL)
        axes.axhline(0, color=QUIET, lw=0.8)
        axes.locator_params(nbins=5)
        sheet.text(left, top - 14, title, va="center", weight="bold", fontsize=TEXT)
        told.append(f"{title.lower()} {means[0]:.3f} among the nearest, {means[-1]:.3f} farthest")
    label = f"Similarity against distance over {len(distance)} pairs of neurons: {', '.join(told)}."
    return to_svg(figure, f"distance {narrow}", label)
