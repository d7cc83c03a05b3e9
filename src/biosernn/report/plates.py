"""The figures of a page, each in both widths and with its caption."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from biosernn.analysis.findings import Analysis
from biosernn.cohort.cohort import Cohort
from biosernn.report.comparison import comparison, drawn
from biosernn.report.composition import Arms
from biosernn.report.correlation_distance import correlation_distance
from biosernn.report.departures import departure_values, departures
from biosernn.report.flow_chart import flow_chart
from biosernn.report.forest import forest
from biosernn.report.generalisation import (
    DELAY,
    NOISE,
    generalisation,
    generalisation_values,
    levels,
)
from biosernn.report.gradients import NORMS, gradients
from biosernn.report.inputs import Network
from biosernn.report.ladder import ladder
from biosernn.report.learning_curves import learning_curves
from biosernn.report.marks import MOST_RUNS
from biosernn.report.setting import Setting
from biosernn.report.similarity_matrices import similarity_matrices
from biosernn.report.soma_map import soma_map
from biosernn.report.strength_sweep import SOLVED, STEPS, strength_sweep, sweep_values
from biosernn.report.survival import survival
from biosernn.report.tables import Values, methods_used
from biosernn.report.task_diagram import task_diagram
from biosernn.report.topology import SHAPE, topology, topology_medians, topology_values
from biosernn.report.trained_network import STRONGEST, trained_network
from biosernn.report.tuning import tuning, tuning_values
from biosernn.report.weight_distance import weight_distance, weight_distance_values
from biosernn.report.weight_matrices import main_arms, weight_matrices
from biosernn.study.functional import rebinned
from biosernn.tasks.registry import TASKS
from biosernn.training.schedule import Schedule

CHALLENGED = {
    DELAY.columns: "Accuracy of the trained networks when the goal must be kept for another number "
    "of steps than in training; no noise.",
    NOISE.columns: "Accuracy of the trained networks under Gaussian noise on the input at every "
    "step, 20 draws of every distinct trial; in training its sd is 0.05.",
}

DRAWN = ("accuracy", "gradient_norm_data", "gradient_norm_penalty", *SHAPE)
"""Metrics whose curves are drawn."""


@dataclass(frozen=True)
class Plate:
    """A figure: its title, its caption, its `<svg>` for a page and for a phone, and its values."""

    title: str
    caption: str
    page: str
    phone: str
    values: Values | None = None


def _read_on(task: str) -> str:
    """What accuracy along training is of."""
    if task in TASKS and TASKS[task]().noise_sd is not None:
        trials = Schedule().curve_trials
        return f"Accuracy on the first {trials} held-out trials as drawn, each with its own noise"
    return (
        "Noise-free accuracy on the distinct trials, weighted by their multiplicities in the "
        "held-out draw"
    )


def setting_plates(
    setting: Setting,
    curves: pd.DataFrame,
    arms: Arms,
    weights: Mapping[str, np.ndarray],
    analysis: Analysis,
) -> Iterator[Plate]:
    """Draw what one setting shows: ladder, effects, learning curves, survival and gradients."""
    where, n = setting.name, setting.n_runs()
    floor = setting.memoryless
    line = "" if floor is None else f" Dashed: the best without memory, {floor:.3g}."
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
    if tested := setting.tested:
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
                f"{_read_on(setting.task)}, every run (at most {MOST_RUNS} of an arm) and the "
                f"median run.{line} {where}; {setting.n_runs(recipe)}.",
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
    for challenge in (DELAY, NOISE):
        if levels(setting, challenge):
            yield _plate(
                f"Generalisation: {challenge.title.lower()}",
                f"{CHALLENGED[challenge.columns]} Thin: every run (at most {MOST_RUNS} of "
                "an arm and recipe); thick: the mean, which holds runs that never learnt the task "
                f"too.{line} {where}; {n}, diverged ones left out.",
                partial(generalisation, setting, challenge, arms),
                Values(
                    f"{challenge.columns.removeprefix('accuracy_')}accuracy",
                    generalisation_values(setting, challenge),
                ),
            )
    shape = {metric: setting.curve(curves, metric) for metric in SHAPE}
    for recipe in setting.recipes:
        medians = topology_medians(setting, recipe, shape)
        if medians:
            yield _plate(
                f"Topology over training, recipe {recipe}",
                "The network at the start and after each epoch, median run of each arm. "
                "Modularity, small-worldness and assortativity: the graph of the strongest tenth "
                "of the weights; on weights that are noise its values are those of random graphs. "
                "Wiring length and the rank correlation of |W| with distance: true positions, "
                "whatever the arm’s geometry. Slow modes: eigenvalues of modulus above 0.8. "
                "Weights and synapses: their rank correlation, over all pairs. Participation "
                "ratio: dimensions of the units’ activity. Activity and recording: correlation of "
                "the units’ and the neurons’ correlations, distance taken out. "
                f"{where}; {setting.n_runs(recipe)}, each where it is defined.",
                partial(topology, setting, recipe, medians, arms),
                _first_and_last(topology_values(setting, recipe, shape)),
            )


def network_plates(
    setting: Setting, networks: Mapping[str, Network], arms: Arms
) -> Iterator[Plate]:
    """Draw one run of each arm before and after training."""
    names = main_arms(setting, networks)
    if not names:
        return
    network = networks[names[0]]
    n = len(network.start)
    which = (
        f"One run of each arm, seed {network.seed} under recipe {network.recipe}; {setting.name}; "
        f"n = {n} units"
    )
    yield _plate(
        "Recurrent weights before and after training",
        "Rows: presynaptic units, columns: postsynaptic, both ordered by cortical depth; the "
        "diagonal holds the self-weights. Weights below 10⁻⁴ in size have the faintest tint. "
        f"{which}.",
        partial(weight_matrices, setting, names, networks, arms),
    )
    finite = [a for a in setting.arms if a in networks and np.isfinite(networks[a].end).all()]
    values = weight_distance_values(finite, networks)
    yield _plate(
        "Weight against distance",
        "Mean |W| between different units in ten bins of equal count of the true distance between "
        "their somata, whatever the arm’s geometry; a bin without weights has no dot. ρ: "
        f"Spearman’s correlation of |W| with distance, before → after. {which}, "
        f"{n * (n - 1):,} ordered pairs.",
        partial(weight_distance, setting, values, networks, arms),
        Values("weight-distance", values),
    )
    yield _plate(
        "The trained network at its somata",
        f"The {STRONGEST} strongest weights between different units after training; thicker where "
        f"stronger, against the strongest of the same network. {which}.",
        partial(trained_network, setting, names, networks, arms),
    )


def strength_plates(analysis: Analysis, lead: Setting, arms: Arms) -> Iterator[Plate]:
    """Draw both outcomes along the penalty's strength, where a study tries several."""
    if lead.strength is None:
        return
    values = sweep_values(analysis, lead)
    recipes = "; ".join(f"{r}: {_spread(values[values['recipe'] == r])}" for r in lead.recipes)
    for outcome, interval in ((STEPS, "bootstrap over seeds"), (SOLVED, "Wilson")):
        yield _plate(
            f"{_capital(outcome.title)} against the penalty’s strength",
            f"With 95 % intervals ({interval}); strengths evenly spaced. {_capital(lead.cohort)}, "
            f"{lead.task}, protocol {lead.protocol}; runs per arm and strength: {recipes}.",
            partial(strength_sweep, lead, values, outcome, arms),
            Values("strength", values),
        )


def tuning_plates(sweep: pd.DataFrame, lead: Setting, arms: Arms) -> Iterator[Plate]:
    """Draw what the recipe `tuned` was chosen from, where a study has it."""
    values = tuning_values(sweep, lead)
    if values.empty:
        return
    yield _plate(
        "What tuned was chosen from",
        "Mean steps to criterion at every learning rate and clip of the sweep, a run that never "
        "gets there with all its steps; the least is chosen for each arm, a tie by more runs "
        "solved, then by the area under the learning curve. Seeds of its own, in no other figure. "
        f"{_capital(lead.name)}; runs per setting: {_spread(values)}; all in sweep.parquet.",
        partial(tuning, lead, values, arms),
        Values("tuning", values),
    )


def departure_plates(
    results: pd.DataFrame, lead: Setting, arms: Arms, cohort: Cohort
) -> Iterator[Plate]:
    """Draw what each departure of the released code accounts for, where a study switches them."""
    place = results[["cohort", "task", "recipe"]] == [lead.cohort, lead.task, lead.recipes[0]]
    values = departure_values(results[place.all(axis=1)], arms, rebinned=rebinned(cohort))
    if values.empty:
        return
    yield _plate(
        "What each departure accounts for",
        "Fraction of runs solved with 95 % intervals (Wilson), dotted lines where the corrected "
        "protocol stands. Left, one departure of the released code switched alone; right, added to "
        "all those above it, down to the published protocol. They need not add up. Hollow: the arm "
        "cannot feel the departure in training; these are the corrected protocol's networks, and "
        "some departures change only what is read of them. "
        f"{_capital(lead.cohort)}, {lead.task}, recipe {lead.recipes[0]}; "
        f"{_spread(values)} runs per arm and protocol.",
        partial(departures, values, arms),
        Values("departures", values),
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
            f"means and runs (at most {MOST_RUNS} of an arm and recipe); diamonds, the follow-up’s "
            "means (20 runs, 312 units, accuracy of the last training epoch, with noise). "
            f"{_capital(setting.name)}; {setting.n_runs()}.",
            partial(comparison, setting, arms),
        )
    yield _plate(
        "The method",
        "From recordings to start weights, training and contrast. The arms of "
        "one seed share every random draw that they can.",
        partial(flow_chart, n, units),
    )


def _plate(
    title: str, caption: str, draw: Callable[..., str], values: Values | None = None
) -> Plate:
    with _collected_once():
        return Plate(title, caption, draw(narrow=False), draw(narrow=True), values)


@contextmanager
def _collected_once() -> Iterator[None]:
    """Collect a figure's garbage, which is in cycles, when it is done, and look at nothing else."""
    enabled = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        if enabled:
            gc.enable()


def _first_and_last(frame: pd.DataFrame) -> Values:
    ends = frame["step"].isin([frame["step"].min(), frame["step"].max()])
    return Values("topology", frame, frame[ends])


def _spread(values: pd.DataFrame) -> str:
    least, most = values["n_runs"].min(), values["n_runs"].max()
    return f"n = {least}" if least == most else f"n = {least} to {most}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
