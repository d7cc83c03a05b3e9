"""What is measured on a run's weights and activity, beyond how it learnt."""

import numpy as np
from jaxtyping import Bool, Float
from threadpoolctl import threadpool_limits

from biosernn.graphs.communicability import communicability
from biosernn.graphs.degree_preserving import degree_preserving_graphs
from biosernn.graphs.erdos_renyi import matched_graphs
from biosernn.graphs.greedy_modularity import greedy_communities
from biosernn.graphs.modularity import modularity
from biosernn.graphs.slow_modes import slow_mode_count, slow_modes
from biosernn.graphs.small_worldness import small_worldness
from biosernn.graphs.threshold import thresholded_graph
from biosernn.graphs.weights_wiring import weights_wiring_correlation, weights_wiring_p
from biosernn.graphs.wiring_length import weight_distance_correlation, wiring_length
from biosernn.similarity.partial_mantel import partial_mantel
from biosernn.similarity.participation_ratio import participation_ratio
from biosernn.similarity.pearson import pearson
from biosernn.study.plan import NULL_GRAPHS, Run
from biosernn.study.sample import Sample
from biosernn.tasks.maze import maze
from biosernn.tasks.task import Task
from biosernn.training.forward import right_answers, states
from biosernn.training.needed import needed_weights
from biosernn.training.network import Weights
from biosernn.training.randomness import generator
from biosernn.training.silencing import silencing_cost
from biosernn.training.train import Outcome

NULL_MATRICES = 199
"""Relabelled correlation matrices, and wirings dealt out anew: the least p is 1/200."""

RANDOM_SETS = 20
"""Sets of random units that the slow ones are held against."""

NOISE_DRAWS = 20
"""Noisy versions of every distinct trial."""

DELAYS = (5, 10, 20, 40, 80)
NOISES = (0.0, 0.1, 0.2, 0.3, 0.4)

NEEDED = ("needed_share", "needed_small_worldness", "needed_modularity")
SLOW = ("slow_modes", "slow_units", "silencing_slow_units", "silencing_random_units")
FUNCTIONAL = ("participation_ratio", "functional_kept_end", "functional_kept_p")
WIRING = ("weights_wiring", "weights_wiring_beyond_p")
MAZE = (
    *(f"accuracy_delay_{delay}" for delay in DELAYS),
    *(f"accuracy_noise_{noise}" for noise in NOISES),
)
END = (*NEEDED, "small_worldness_degrees", *SLOW, *FUNCTIONAL, *WIRING, *MAZE)


def measures_along_training(
    drawn: Sample, recurrent: Float[np.ndarray, "times units units"]
) -> dict[str, Float[np.ndarray, " times"]]:
    """Measure lengths, communicability, slow modes and likeness to the wiring along training.

    Parameters
    ----------
    drawn
        The neurons; their true distances count, in µm, whatever the protocol or arm.
    recurrent
        Recurrent weights at several times.

    Returns
    -------
    By name, (times,); NaN where weights are not finite.

    Examples
    --------
    >>> from biosernn.protocol import Protocol
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> drawn = Sample(synthetic_cohort(16, 0), 16, 0, Protocol())
    >>> measured = measures_along_training(drawn, drawn.bio[None])
    >>> measured["slow_modes"].shape
    (1,)

    """
    distances, wiring, units = drawn.true_distances, drawn.measured_wiring, len(recurrent[0])
    finite = np.isfinite(recurrent).all(axis=(1, 2))
    pairs = units * (units - 1)
    with threadpool_limits(1):
        each = [
            (
                wiring_length(weights, distances),
                communicability(weights).sum() / pairs,
                slow_mode_count(weights),
                np.nan if wiring is None else weights_wiring_correlation(weights, wiring),
            )
            for weights in (recurrent[time].astype(np.float64) for time in np.flatnonzero(finite))
        ]
        lengths, communicabilities, slow, wired = np.array(each).reshape(-1, 4).T
        measured = {
            "wiring_length": lengths,
            "weight_distance": weight_distance_correlation(recurrent[finite], distances),
            "mean_communicability": communicabilities,
            "slow_modes": slow,
            "weights_wiring": wired,
        }
    found = {name: np.full(len(recurrent), np.nan) for name in measured}
    for name, values in measured.items():
        found[name][finite] = values
    return found


def activity_along_training(
    run: Run, drawn: Sample, task: Task, outcome: Outcome
) -> dict[str, Float[np.ndarray, " times"]]:
    """Measure how many dimensions activity has, and its likeness to the recorded one, by epoch.

    Parameters
    ----------
    run, drawn, task, outcome
        As in `measures`.

    Returns
    -------
    By name, (epochs + 1,), as at the end in `measures`; NaN where activity is not finite.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> from biosernn.study.arms import ARMS
    >>> from biosernn.study.perform import perform
    >>> run = Run(0, "", ARMS["W0"], "maze", 0, "corrected", "seed", 16, 0.3, epochs=1)
    >>> curve = perform(run, synthetic_cohort(16, 0)).curves["participation_ratio"]
    >>> int(np.isfinite(curve).sum())
    2

    """
    inputs = task.inputs.transpose(1, 0, 2).astype(np.float64)

    def measured(*weights: np.ndarray) -> tuple[float, float]:
        activity = _activity(_double(Weights(*weights)), inputs)
        return _dimensions(activity), _functional(run, drawn, activity, 0)[0]

    with threadpool_limits(1):
        dimensions, kept = np.transpose([*map(measured, *outcome.by_epoch)])
    return {"participation_ratio": dimensions, "functional_kept": kept}


def measures(
    run: Run, drawn: Sample, task: Task, outcome: Outcome, diverged: bool
) -> dict[str, float]:
    """Measure the trained network: what its answers need, its slow modes, its activity, its wiring.

    All is computed in float64 on one thread, from the task's distinct trials without noise unless
    said, and draws from the run's seed. Trials without a right answer are in no accuracy.

    Parameters
    ----------
    run, drawn, task, outcome
        The run, its neurons, what it was trained on and how that went.
    diverged
        Whether it diverged; all that is measured at the end is then NaN.

    Returns
    -------
    One number a column, as in the documentation's table; NaN where one is not defined.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> from biosernn.study.perform import perform
    >>> from biosernn.study.plan import plan, resolve
    >>> from biosernn.study.presets import preset
    >>> cohort = synthetic_cohort(16, 0)
    >>> study = resolve(preset("quick").with_options(epochs=1), [cohort])
    >>> row = perform(plan(study, [cohort])[0], cohort).row
    >>> [name for name in END if name not in row]
    []

    """
    with threadpool_limits(1):
        start, end = _double(outcome.start), _double(outcome.end)
        inputs = task.inputs.transpose(1, 0, 2).astype(np.float64)
        kept = {"functional_kept_start": _functional(run, drawn, _activity(start, inputs), 0)[0]}
        if diverged:
            return kept | dict.fromkeys(END, float("nan"))
        activity = _activity(end, inputs)
        rng = generator(run.seed, "end graphs")
        decidable = slice(None) if task.decidable is None else task.decidable
        answerable = inputs[:, decidable], task.labels[decidable]
        columns = (
            *_needed(end, *answerable, rng),
            _small_worldness_degrees(end, rng),
            *_slow(end, *answerable, generator(run.seed, "silencing")),
            _dimensions(activity),
            *_functional(run, drawn, activity, NULL_MATRICES),
            *_wiring(end, drawn, generator(run.seed, "wiring nulls")),
            *_generalisation(end, inputs, task, generator(run.seed, "input noise")),
        )
        return kept | dict(zip(END, columns, strict=True))


def _double(weights: Weights) -> Weights:
    return Weights(*(np.asarray(array, np.float64) for array in weights))


def _activity(weights: Weights, inputs: np.ndarray) -> Float[np.ndarray, "units samples"]:
    """Every unit's activity over all steps of all trials."""
    return states(weights, inputs).reshape(-1, len(weights.bias)).T


def _dimensions(activity: Float[np.ndarray, "units samples"]) -> float:
    return participation_ratio(activity) if np.isfinite(activity).all() else float("nan")


def _needed(
    end: Weights, inputs: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[float, float, float]:
    needed = needed_weights(end, inputs, labels)
    share = float(needed.mean())
    graph = (needed | needed.T) & ~np.eye(len(needed), dtype=bool)
    if _too_few(graph):
        return share, float("nan"), float("nan")
    small_world = small_worldness(graph, matched_graphs(graph, rng, NULL_GRAPHS)).value
    return share, small_world, modularity(graph, greedy_communities(graph))


def _small_worldness_degrees(end: Weights, rng: np.random.Generator) -> float:
    graph = thresholded_graph(end.recurrent)
    if _too_few(graph):
        return float("nan")
    return small_worldness(graph, degree_preserving_graphs(graph, rng, NULL_GRAPHS)).value


def _too_few(graph: Bool[np.ndarray, "n n"]) -> bool:
    """Whether a graph has fewer edges than neurons and is mostly in pieces."""
    return bool(np.count_nonzero(graph) // 2 < len(graph))


def _slow(
    end: Weights, inputs: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    found, units = slow_modes(end.recurrent), len(end.bias)
    n_slow = len(found.units)
    if not n_slow:
        return 0.0, 0.0, float("nan"), float("nan")
    silenced = np.zeros((1 + RANDOM_SETS, units), bool)
    silenced[0, found.units] = True
    for chosen in silenced[1:]:
        chosen[rng.choice(units, n_slow, replace=False)] = True
    costs = silencing_cost(end, inputs, labels, silenced)
    return float(found.count), float(n_slow), float(costs[0]), float(costs[1:].mean())


def _functional(
    run: Run, drawn: Sample, activity: Float[np.ndarray, "units samples"], n_relabelled: int
) -> tuple[float, float]:
    """Likeness of the units' correlation to the recorded one; silent units are left out."""
    recorded = drawn.recorded_correlation
    if recorded is None or not np.isfinite(activity).all():
        return float("nan"), float("nan")
    varies = np.flatnonzero(np.ptp(activity, axis=1) > 0)
    if len(varies) < 2:
        return float("nan"), float("nan")
    chosen = np.ix_(varies, varies)
    rng = generator(run.seed, "functional nulls")
    model = pearson(activity[varies])
    return partial_mantel(model, recorded[chosen], drawn.true_distances[chosen], rng, n_relabelled)


def _wiring(end: Weights, drawn: Sample, rng: np.random.Generator) -> tuple[float, float]:
    if drawn.measured_wiring is None:
        return float("nan"), float("nan")
    found = end.recurrent, drawn.measured_wiring
    p = weights_wiring_p(*found, drawn.true_distances, rng, NULL_MATRICES)
    return weights_wiring_correlation(*found), p


def _generalisation(
    end: Weights, inputs: np.ndarray, task: Task, rng: np.random.Generator
) -> tuple[float, ...]:
    """Accuracy at other delays and under input noise, the same draws at every level."""
    if task.name != "maze":
        return (float("nan"),) * len(MAZE)
    delayed = [maze(delay_steps=delay).inputs.transpose(1, 0, 2) for delay in DELAYS]
    found = [right_answers(end, other, task.labels).mean() for other in delayed]
    many, labels = np.tile(inputs, (1, NOISE_DRAWS, 1)), np.tile(task.labels, NOISE_DRAWS)
    noise = rng.normal(size=many.shape)
    found += [right_answers(end, many + sd * noise, labels).mean() for sd in NOISES]
    return tuple(map(float, found))
