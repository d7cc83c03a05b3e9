"""Weight against the distance between somata, before and after training."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from biosernn.geometry.distances import pairwise_distances
from biosernn.graphs.wiring_length import weight_distance_correlation
from biosernn.report.composition import Arms, colour
from biosernn.report.inputs import Network
from biosernn.report.setting import Setting
from biosernn.report.small_multiples import small_multiples
from biosernn.report.style import FAINT, INK, LOOK, PAPER, hover, log_ticks, to_svg
from biosernn.report.words import number

BINS = 10
WHEN = {"start": "before", "end": "after"}


def weight_distance_values(names: Sequence[str], networks: Mapping[str, Network]) -> pd.DataFrame:
    """Mean |W| in ten bins of equal count of the distance, a row per arm, time and bin."""
    rows = []
    for name in names:
        network = networks[name]
        between = ~np.eye(len(network.start), dtype=bool)
        distance = pairwise_distances(network.positions_um)[between]
        edges = np.quantile(distance, np.linspace(0, 1, BINS + 1))
        members = np.clip(np.searchsorted(edges, distance, side="right") - 1, 0, BINS - 1)
        for when, word in WHEN.items():
            strength = np.abs(np.asarray(getattr(network, when), np.float64)[between])
            rows += [
                {
                    "arm": name,
                    "training": word,
                    "distance_um": float(np.median(distance[members == k])),
                    "mean_absolute_weight": float(strength[members == k].mean()),
                    "n_pairs": int((members == k).sum()),
                }
                for k in range(BINS)
                if (members == k).any()
            ]
    return pd.DataFrame(rows)


@matplotlib.rc_context(LOOK)
def weight_distance(
    setting: Setting,
    values: pd.DataFrame,
    networks: Mapping[str, Network],
    arms: Arms,
    *,
    narrow: bool = False,
) -> str:
    """Draw mean |W| along distance at the start and at the end, one panel per arm, as an `<svg>`.

    Parameters
    ----------
    setting
        The arms' setting.
    values
        From `weight_distance_values`.
    networks
        A network of each arm in it.
    arms
        What each arm is made of.
    narrow
        Draw it for a phone.

    """
    before: dict[str, Any] = {"color": FAINT, "lw": 1.4, "marker": "o", "ms": 5, "mfc": PAPER}
    after: dict[str, Any] = {"lw": 1.8, "marker": "o", "ms": 5}
    figure, panels = small_multiples(
        list(dict.fromkeys(values["arm"])),
        arms,
        [(before, "before training"), (after | {"color": INK}, "after training")],
        across="distance between somata (µm)",
        up="mean |weight|, log scale",
        narrow=narrow,
    )
    known = values.loc[values["mean_absolute_weight"] > 0, "mean_absolute_weight"]
    ends = np.log10([known.min(), known.max()]) if len(known) else np.array([-1.0, 0.0])
    low, high = ends[0] - 0.1, ends[1] + 0.25 * (ends[1] - ends[0]) + 0.1
    told = []
    for name, axes in panels.items():
        axes.set(xlim=(0, values["distance_um"].max() * 1.08))
        axes.set(yscale="log", ylim=(10**low, 10**high))
        axes.locator_params(axis="x", nbins=4)
        log_ticks(axes.yaxis, low, high)
        for word, style in (("before", before), ("after", after | {"color": colour(name, arms)})):
            rows = values[(values["arm"] == name) & (values["training"] == word)]
            rows = rows[rows["mean_absolute_weight"] > 0]
            points = rows[["distance_um", "mean_absolute_weight"]].to_numpy(float)
            axes.plot(points[:, 0], points[:, 1], **style)
            if not narrow:
                said = [
                    f"{name} {word} training: mean |W| {y:.3g} at {x:.0f} µm" for x, y in points
                ]
                hover(axes, points[:, 0], points[:, 1], said)
        network = networks[name]
        distances = pairwise_distances(network.positions_um)
        ranks = [
            number(float(weight_distance_correlation(w.astype(np.float64), distances)), 2)
            for w in (network.start, network.end)
        ]
        words = f"ρ {ranks[0]} → {ranks[1]}"
        axes.text(0.99, 0.93, words, ha="right", va="center", transform=axes.transAxes)
        told.append(f"{name} {ranks[0]} before, {ranks[1]} after")
    label = (
        f"Weight against distance before and after training ({setting.name}). Rank correlation: "
        f"{'; '.join(told)}."
    )
    return to_svg(figure, f"weight distance {setting.name} {narrow}", label)
