"""The figures of a page, each in both widths and with its caption."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from biosernn.analysis.findings import Analysis
from biosernn.cohort.cohort import Cohort
from biosernn.report.comparison import comparison, drawn
from biosernn.report.composition import Arms
from biosernn.report.correlation_distance import correlation_distance
from biosernn.report.flow_chart import flow_chart
from biosernn.report.forest import forest
from biosernn.report.gradients import NORMS, gradients
from biosernn.report.ladder import ladder
from biosernn.report.learning_curves import MOST_LINES, learning_curves
from biosernn.report.marks import memoryless
from biosernn.report.setting import Setting
from biosernn.report.similarity_matrices import similarity_matrices
from biosernn.report.soma_map import soma_map
from biosernn.report.survival import survival
from biosernn.report.tables import methods_used
from biosernn.report.task_diagram import task_diagram


@dataclass(frozen=True)
class Plate:
    """A figure: its title, its caption, and its `<svg>` for a page and for a phone."""

    title: str
    caption: str
    page: str
    phone: str


def setting_plates(
    setting: Setting,
    curves: pd.DataFrame,
    arms: Arms,
    weights: Mapping[str, np.ndarray],
    analysis: Analysis,
) -> Iterator[Plate]:
    """Draw what one setting shows: ladder, effects, learning curves, survival and gradients."""
    where, n = setting.name, setting.n_runs()
    floor = memoryless(setting.task)
    line = "" if floor is None else f" Dashed: the best without memory, {floor:g}."
    yield _plate(
        "What carries the gain?",
        "Left, every arm’s start weights of the first seed: each of the 32 × 32 tints shows the "
        "weight of largest magnitude in its block, the diagonal self-weights alone. Right, the "
        "fraction of runs solved, the accuracy of every run (area: how many), the median run’s "
        "largest gradient of the cross-entropy before clipping, and the share of steps clipped. "
        "Colour says which parts come from W_bio. Its self-weights hold no neuron’s data: both "
        "similarity matrices have ones on the diagonal, so they are lognormal draws, far above the "
        f"rest.{line} {where}; {n}.",
        partial(ladder, setting, arms, weights),
    )
    tested = [c for c in setting.contrasts if c.n]
    if tested:
        yield _plate(
            "Every arm against its null",
            "Differences paired by seed with 95 % intervals. Thick: the family fixed beforehand, "
            "its p adjusted by Holm; thin: exploratory. Shaded: the bound within which a "
            "difference counts as none. Colours and signs are the verdicts’. "
            f"{_capital(methods_used(tested))}. "
            f"{where}; n beside each row.",
            partial(forest, setting),
        )
    accuracies = setting.curve(curves, "accuracy")
    for recipe in setting.recipes:
        if any(cell[1] == recipe for cell in accuracies):
            yield _plate(
                f"Learning curves, recipe {recipe}",
                "Noise-free accuracy on the distinct trials, weighted by their multiplicities in "
                f"the held-out draw, every run (at most {MOST_LINES} of an arm) and the median "
                f"run.{line} {where}; {setting.n_runs(recipe)}.",
                partial(learning_curves, setting, recipe, accuracies, arms),
            )
    reference = next((c.arm for c in analysis.contrasts if c.primary), setting.arms[0])
    yield _plate(
        "Steps to criterion",
        "Kaplan–Meier curves: the share of runs that have not yet had three successive checks with "
        "every trial right. Below, every run; right, how many never got there, diverged runs "
        f"included. {where}; {n}.",
        partial(survival, setting, arms, reference),
    )
    norms = {metric: setting.curve(curves, metric) for metric in NORMS}
    if norms["gradient_norm_data"]:
        yield _plate(
            "Gradients",
            "Norm of the cross-entropy’s gradient and of the penalty’s along training, median run. "
            "Where the penalty leads, an arm says little about its start weights. Clipping bounds "
            f"the step that is taken, not the norm drawn here. {where}; {n}.",
            partial(gradients, setting, norms, arms),
        )


def cohort_plates(setting: Setting, cohort: Cohort, arms: Arms, units: str) -> Iterator[Plate]:
    """Draw the seed's own figures from the data at hand."""
    if setting.task == "maze":
        yield _plate(
            "The task (the seed’s Fig. 1a)",
            "Left: one trial, eight input channels over 50 steps. Right: all eight mazes; the "
            "network stands in the middle, the star is the goal shown at first, arrows are the two "
            "moves offered at the end, the thick one is right. The moves alone decide five of the "
            "eight. Training and test hold the same eight inputs, so accuracy is trainability, not "
            "generalisation.",
            task_diagram,
        )
    n = cohort.n_neurons
    pairs = f"n = {n * (n - 1) // 2:,} pairs of {n} neurons of cohort {cohort.name}"
    if cohort.corr is not None or cohort.sttc is not None:
        yield _plate(
            "Functional similarity (the seed’s Fig. 1b)",
            "Ordered by cortical depth; diagonals, which are ones, left out (grey); colours end at "
            "the 99th percentile of magnitude. These are total correlations, mostly driven by "
            f"stimuli. The source’s matrices as shipped; {pairs}.",
            partial(similarity_matrices, cohort),
        )
        yield _plate(
            "Similarity against distance",
            "Grey: pairs, darker where more (logarithmic; the outermost 0.4 % not drawn). Dots: "
            "means of ten bins of equal count at their median distance, with quartiles. As "
            f"similarity falls with distance, its null shuffles within such bins; {pairs}.",
            partial(correlation_distance, cohort),
        )
    wiring = "No wiring is known."
    if cohort.wiring is not None:
        edges, synapses = len(cohort.wiring.pre), int(cohort.wiring.n_syn.sum())
        wiring = (
            f"Lines: {edges:,} directed connections of {synapses:,} synapses. The curves hold the "
            "distances of connected pairs against those of all. An axon that is not proofread says "
            "nothing of the connections it lacks."
        )
    yield _plate(
        "Somata and connections",
        f"{wiring} n = {n} neurons of cohort {cohort.name}.",
        partial(soma_map, cohort),
    )
    if setting.task == "maze" and drawn(setting):
        yield _plate(
            "Accuracy of the published arms (the seed’s Fig. 1c)",
            "Left: the seed’s claim of 37 %, most likely the points between 0.625, which a network "
            "without memory reaches, and 1.000; the seed study does not say. Right: this study’s "
            "means and runs; diamonds, the follow-up’s means (20 runs, 312 units, accuracy of the "
            f"last training epoch, with noise). {_capital(setting.name)}; {setting.n_runs()}.",
            partial(comparison, setting, arms),
        )
    yield _plate(
        "The method",
        "From recordings to start weights, training and contrast. The arms of "
        "one seed share every random draw that they can.",
        partial(flow_chart, n, units),
    )


def _plate(title: str, caption: str, draw: Callable[..., str]) -> Plate:
    return Plate(title, caption, draw(narrow=False), draw(narrow=True))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
