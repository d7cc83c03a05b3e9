"""Figures of a cohort: places, distances, connection probability, similarity, degrees."""

from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator, NullLocator
from scipy.stats import poisson

from biosernn.audit import alignment, connection_probability
from biosernn.audit.connection_probability import fit_exponential_decay
from biosernn.audit.degrees import degrees
from biosernn.audit.functional import correlation
from biosernn.audit.svg import BLUE, FAINT, GREEN, INK, LOOK, QUIET, VERMILLION, canvas, to_svg
from biosernn.cohort.cohort import Cohort
from biosernn.cohort.wiring import Wiring
from biosernn.geometry.distances import pairwise_distances

AXES, DEPTH = ("x", "y (depth)", "z"), 1
BINS = 12
MOST_LINES = 1500


@dataclass(frozen=True)
class Drawing:
    """A figure with its title and caption."""

    title: str
    svg: str
    caption: str


@matplotlib.rc_context(LOOK)
def drawings(cohort: Cohort) -> list[Drawing]:
    """Draw what the cohort's parts allow.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> [drawing.title for drawing in drawings(synthetic_cohort(32, seed=0))]
    ['Positions', 'Distance of connected pairs', 'Connection probability',
     'Correlation against distance', 'Degree distributions']

    """
    drawn = [positions(cohort)]
    if cohort.wiring is not None and len(cohort.wiring.pre):
        drawn += [distance_histogram(cohort), probability(cohort)]
    similarity = correlation(cohort)
    if similarity is not None:
        drawn.append(similarity_against_distance(cohort, similarity))
    if cohort.wiring is not None:
        drawn.append(degree_distributions(cohort.wiring, cohort.n_neurons))
    return drawn


def positions(cohort: Cohort) -> Drawing:
    """Map somata and connections, seen along the thinnest axis."""
    places, extent = cohort.positions_um, np.ptp(cohort.positions_um, axis=0)
    across, up = sorted(np.argsort(extent, kind="stable")[-2:])
    figure, axes = canvas()
    if cohort.wiring is not None:
        some = slice(None, None, 1 + len(cohort.wiring.pre) // MOST_LINES)
        pre, post = cohort.wiring.pre[some], cohort.wiring.post[some]
        ends = places[np.stack([pre, post], axis=1)][:, :, [across, up]]
        axes.add_collection(LineCollection(list(ends), colors=VERMILLION, lw=0.7, alpha=0.55))
    axes.scatter(places[:, across], places[:, up], s=9, color=INK, lw=0, zorder=3)
    axes.set_aspect("equal", adjustable="datalim")
    if up == DEPTH:
        axes.invert_yaxis()
    axes.locator_params(nbins=5)
    axes.set(xlabel=f"{AXES[across]} (µm)", ylabel=f"{AXES[up]} (µm)")
    n_lines = 0 if cohort.wiring is None else len(cohort.wiring.pre)
    caption = (
        f"{cohort.n_neurons} somata and {n_lines} connections seen along {AXES[3 - across - up]}"
        + (", some of them drawn." if n_lines >= MOST_LINES else ".")
    )
    return Drawing("Positions", to_svg(figure, "positions", caption), caption)


def distance_histogram(cohort: Cohort) -> Drawing:
    """Compare the distances of connected, all and relabelled pairs."""
    title = "Distance of connected pairs"
    found = alignment.of_cohort(cohort)
    distances = connection_probability.of_cohort(cohort)
    everything, connected = (found.all_um, found.connected_um) if found else distances
    edges = np.linspace(0, max(everything.max(), 1.0) * (1 + 1e-9), 25)
    figure, axes = canvas()
    if found is not None:
        null = np.stack([np.histogram(row, edges)[0] for row in found.relabelled_um])
        low, high = np.quantile(null / len(connected), [0.025, 0.975], axis=0)
        axes.stairs(
            high, edges, baseline=low, fill=True, color=FAINT, lw=0, label="relabelled, 95 %"
        )
    for values, tint, name in (
        (everything, BLUE, "all pairs"),
        (connected, VERMILLION, "connected"),
    ):
        share = np.histogram(values, edges)[0] / len(values)
        axes.stairs(share, edges, color=tint, lw=1.8, label=name)
        axes.axvline(np.median(values), color=tint, lw=1, ls=(0, (3, 2)))
    axes.set(xlim=(0, edges[-1]), xlabel="distance between somata (µm)", ylabel="share of pairs")
    axes.set_ylim(bottom=0)
    axes.locator_params(nbins=5)
    axes.legend(loc="upper right")
    caption = (
        f"{len(connected)} connections (median {np.median(connected):.0f} µm), all pairs (median "
        f"{np.median(everything):.0f} µm)"
        + (" and what relabelling the neurons gives." if found else ".")
    )
    return Drawing(title, to_svg(figure, "distances", caption), caption)


def probability(cohort: Cohort) -> Drawing:
    """Show the probability of a directed connection by distance, with the fitted decay."""
    everything, connected = connection_probability.of_cohort(cohort)
    edges = np.quantile(everything, np.linspace(0, 1, BINS + 1) ** 2)
    n_pairs, n_connected = (np.histogram(d, edges)[0] for d in (everything, connected))
    kept = n_pairs > 0
    middles = np.histogram(everything, edges, weights=everything)[0][kept] / n_pairs[kept]
    n_pairs, n_connected = n_pairs[kept], n_connected[kept]
    share, (low, high) = n_connected / n_pairs, _wilson(n_connected, n_pairs)
    figure, axes = canvas()
    axes.vlines(middles, low, high, color=INK, lw=1.2)
    axes.plot(middles, share, "o", color=INK, ms=4, label="measured, 95 %")
    fit = fit_exponential_decay(everything, connected)
    caption = "Probability of a directed connection in bins of distance, with Wilson intervals"
    if fit is not None and fit.rate_per_um > 0:
        grid = np.linspace(middles[0], everything.max(), 200)
        axes.plot(
            grid,
            fit.at_zero * np.exp(-fit.rate_per_um * grid),
            color=VERMILLION,
            lw=1.8,
            zorder=0,
            label=f"p = {fit.at_zero:.2g} exp(-d / {fit.length_um:.0f} µm)",
        )
        caption += f", and the decay fitted by maximum likelihood, {fit}"
    axes.set(xlabel="distance between somata (µm)", ylabel="connection probability")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.locator_params(nbins=5)
    axes.legend(loc="upper right")
    return Drawing("Connection probability", to_svg(figure, "probability", caption), f"{caption}.")


def similarity_against_distance(cohort: Cohort, similarity: np.ndarray) -> Drawing:
    """Show the mean correlation by distance, over all pairs and over the connected ones."""
    pairs = np.tril_indices(cohort.n_neurons, -1)
    distance, values = pairwise_distances(cohort.positions_um)[pairs], similarity[pairs]
    edges = np.quantile(distance, np.linspace(0, 1, BINS + 1))
    members = np.clip(np.searchsorted(edges, distance, side="right") - 1, 0, BINS - 1)
    figure, axes = canvas()
    _means(axes, distance, values, members, BLUE, "all pairs, with quartiles", quartiles=True)
    caption = "Correlation of activity in bins of distance that hold equally many pairs"
    if cohort.wiring is not None and len(cohort.wiring.pre):
        counts = cohort.synapse_counts()
        linked = (counts + counts.T > 0)[pairs]
        _means(axes, distance[linked], values[linked], members[linked], VERMILLION, "connected")
        caption += "; bars on the connected pairs are standard errors, where there are five or more"
    axes.axhline(0, color=QUIET, lw=0.6)
    axes.set(xlabel="distance between somata (µm)", ylabel="correlation")
    axes.set_xlim(left=0)
    axes.locator_params(nbins=5)
    axes.legend(loc="upper right")
    title = "Correlation against distance"
    return Drawing(title, to_svg(figure, "correlation", caption), f"{caption}.")


def _means(
    axes: matplotlib.axes.Axes,
    distance: np.ndarray,
    values: np.ndarray,
    members: np.ndarray,
    tint: str,
    name: str,
    quartiles: bool = False,
) -> None:
    middles, means = [], []
    for index in range(BINS):
        inside = values[members == index]
        if len(inside) < 5:
            continue
        middles.append(distance[members == index].mean())
        means.append(inside.mean())
        error = inside.std(ddof=1) / np.sqrt(len(inside))
        ends = np.quantile(inside, [0.25, 0.75]) if quartiles else means[-1] + error * np.r_[-1, 1]
        axes.plot([middles[-1]] * 2, ends, color=tint, lw=1.2)
    axes.plot(middles, means, marker="o", ms=4, lw=1.4, color=tint, label=name)


def degree_distributions(wiring: Wiring, n: int) -> Drawing:
    """Show the share of neurons with at least so many outgoing or incoming connections."""
    figure, axes = canvas()
    outgoing, incoming = degrees(wiring, n)
    steps = np.arange(max(outgoing.max(), incoming.max()) + 1)
    for degree, tint, name in ((outgoing, VERMILLION, "outgoing"), (incoming, BLUE, "incoming")):
        share = np.array([(degree >= k).mean() for k in steps])
        axes.step(steps[share > 0], share[share > 0], where="post", color=tint, lw=1.8, label=name)
    expected = poisson.sf(steps - 1, outgoing.mean())
    shown = expected >= 0.5 / n
    axes.plot(steps[shown], expected[shown], color=GREEN, lw=1.2, ls=(0, (2, 2)), label="Poisson")
    axes.set_yscale("log")
    ticks = [tick for tick in (1, 0.1, 0.01, 0.001) if tick >= 0.5 / n]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0.5 / n, 1.3)
    axes.set(xlabel="connections of a neuron, at least", ylabel="share of neurons")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="upper right")
    caption = (
        f"{wiring.pre.size / n:.2f} connections per neuron; a Poisson distribution of that mean is "
        "what chance alone would give"
    )
    return Drawing("Degree distributions", to_svg(figure, "degrees", caption), f"{caption}.")


def _wilson(successes: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's 95 % interval of proportions."""
    z = connection_probability.NORMAL_95
    share = successes / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return np.maximum(middle - half, 0), middle + half
