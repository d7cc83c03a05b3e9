"""One run of a plan, from its cohort to its record."""

import numpy as np
from jaxtyping import Float

from biosernn.cohort.cohort import Cohort
from biosernn.graphs.topology import topology
from biosernn.initializers.facts import weight_facts
from biosernn.initializers.radius import spectral_radius
from biosernn.study.measures import (
    activity_along_training,
    measures,
    measures_along_training,
)
from biosernn.study.plan import NULL_GRAPHS, Run
from biosernn.study.record import Record
from biosernn.study.sample import sample
from biosernn.tasks.task import Task
from biosernn.training.criterion import area_under_curve, collapsed, steps_to_criterion
from biosernn.training.network import Weights, initial_weights
from biosernn.training.randomness import generator
from biosernn.training.train import Outcome, train

TOPOLOGY = (
    "density",
    "modularity_greedy",
    "modularity_louvain",
    "n_communities",
    "small_worldness",
    "clustering",
    "efficiency",
    "assortativity",
    "entropy",
    "entropy_without_diagonal",
)


def perform(run: Run, cohort: Cohort) -> Record:
    """Build a run's initial weights and penalty, train it and read its outcomes.

    Parameters
    ----------
    run
        From `biosernn.study.plan.plan`.
    cohort
        The cohort that the run names.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> from biosernn.study.plan import plan, resolve
    >>> from biosernn.study.presets import preset
    >>> cohort = synthetic_cohort(16, 0)
    >>> study = resolve(preset("quick").with_options(epochs=1), [cohort])
    >>> perform(plan(study, [cohort])[0], cohort).row["status"]
    'done'

    """
    return recorded(run, cohort, trained(run, cohort))


def trained(run: Run, cohort: Cohort) -> Outcome:
    """Build a run's initial weights and penalty, and train it.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> from biosernn.study.arms import ARMS
    >>> run = Run(0, "", ARMS["W*D*C"], "maze", 0, "corrected", "seed", 16, 0.3, epochs=1)
    >>> trained(run, synthetic_cohort(16, 0)).end.recurrent.shape
    (16, 16)

    """
    drawn = sample(cohort, run.units, run.seed, run.protocol)
    kind, penalty_inputs = drawn.penalty(run.arm, run.strength)
    return train(
        run.trained_on,
        start_weights(run, drawn.initial(run.arm)),
        kind,
        penalty_inputs,
        seed=run.seed,
        recipe=run.recipe,
        schedule=run.schedule,
        shared_draws=run.protocol.draws == "shared_fixed",
        curves_on=run.protocol.heldout,
        row_sign=drawn.row_sign(run.arm),
    )


def recorded(run: Run, cohort: Cohort, outcome: Outcome) -> Record:
    """Read a run's outcomes off its training, or that of a run that was trained the same.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> from biosernn.study.arms import ARMS
    >>> cohort = synthetic_cohort(16, 0)
    >>> one = Run(0, "", ARMS["W0"], "maze", 0, "corrected", "seed", 16, 0.3, epochs=1)
    >>> other = replace(one, protocol_name="corrected+accuracy")
    >>> one.training == other.training
    True
    >>> recorded(other, cohort, trained(one, cohort)).row["status"]
    'done'

    """
    task = run.trained_on
    drawn = sample(cohort, run.units, run.seed, run.protocol)
    facts = weight_facts(drawn.initial(run.arm))
    row = {
        "strength_used": float(drawn.penalty(run.arm, run.strength)[1].strength),
        **_outcomes(run, task, outcome),
        "largest_self_weight": facts.largest_self_weight,
        "eigenvalues_above_0.8": facts.eigenvalues_above_08,
        "spectral_radius": facts.spectral_radius,
        "radius_without_diagonal": facts.radius_without_diagonal,
    }
    end = np.asarray(outcome.end.recurrent, np.float64)
    row["spectral_radius_end"] = spectral_radius(end) if np.isfinite(end).all() else float("nan")
    along = measures_along_training(drawn, outcome.by_epoch.recurrent)
    row |= {f"{name}_start": float(values[0]) for name, values in along.items()}
    by_epoch = _topology(run, outcome) | along
    row |= {name: float(values[-1]) for name, values in by_epoch.items()}
    row |= measures(run, drawn, task, outcome, row["status"] == "diverged")
    by_epoch |= activity_along_training(run, drawn, task, outcome)
    return Record(row, outcome.steps, _curves(run, outcome, by_epoch), outcome.by_epoch._asdict())


def start_weights(run: Run, recurrent: Float[np.ndarray, "units units"]) -> Weights:
    """Complete a run's recurrent weights by its input and readout weights.

    Examples
    --------
    >>> from biosernn.study.arms import ARMS
    >>> from biosernn.protocol import Recipe
    >>> run = Run(0, "", ARMS["W0"], "maze", 0, "corrected", "seed", 16, 0.3, 10, Recipe())
    >>> start_weights(run, np.eye(16)).input.shape
    (8, 16)

    """
    task = run.trained_on
    return initial_weights(
        recurrent,
        task.inputs.shape[2],
        task.n_outputs,
        generator(run.seed, "input weights"),
        generator(run.seed, "readout"),
    )


def _outcomes(run: Run, task: Task, outcome: Outcome) -> dict[str, float | int | bool | str]:
    finite = all(np.isfinite(array).all() for array in outcome.end)
    diverged = not (finite and np.isfinite(outcome.loss[-1]).all())
    decidable = slice(None) if task.decidable is None else task.decidable
    all_right = (outcome.right & np.isfinite(outcome.loss))[:, decidable].all(axis=1)
    total = int(outcome.steps[-1])
    if diverged:
        step, censored = total, True
    else:
        step, censored = steps_to_criterion(outcome.steps, all_right, total)
    heldout, _ = _heldout(run, outcome)
    if task.noise_sd is None:
        test, loss = (_weighted(v[-1], outcome.test_counts) for v in (outcome.right, outcome.loss))
    else:
        test, loss = outcome.test_right.mean(), outcome.test_loss.astype(np.float64).mean()
    checks_per_epoch = run.schedule.steps_per_epoch // run.schedule.check_every
    training = float(outcome.training_accuracy[-checks_per_epoch:].mean())
    ratio = _penalty_to_data(outcome, step)
    return {
        "status": "diverged" if diverged else "done",
        "accuracy": training if run.protocol.accuracy == "last_training_epoch" else float(test),
        "accuracy_best": float(heldout.max()),
        "accuracy_test": float(test),
        "accuracy_of_range": _of_range(task, float(test)),
        "accuracy_decidable": _decidable(task, outcome, float(test)),
        "accuracy_training": training,
        "solved": bool(all_right[-1]) and not diverged,
        "steps_to_criterion": step,
        "censored": censored,
        "area_under_curve": area_under_curve(outcome.steps, heldout),
        "collapsed": bool(collapsed(all_right)),
        "loss": float(loss),
        "penalty": float(outcome.penalty[-1]),
        "penalty_start": float(outcome.penalty[0]),
        "gradient_norm_data": float(outcome.gradient_norm_data.mean()),
        "gradient_norm_penalty": float(outcome.gradient_norm_penalty.mean()),
        "gradient_norm_data_max": float(outcome.gradient_norm_data_max.max()),
        "penalty_to_data": ratio,
        "penalty_dominates": ratio > 1,
        "clipped_share": float(outcome.clipped.mean()),
    }


def _penalty_to_data(outcome: Outcome, until: int) -> float:
    """Median ratio of the penalty's gradient norm to the data's as stepped with, while learning.

    Checks after the criterion are left out: a solved task has hardly a gradient of its own. 0 where
    there is no penalty, infinite where the data's gradient is 0 or no number.
    """
    learning = outcome.steps[1:] <= max(until, outcome.steps[1])
    penalty = outcome.gradient_norm_penalty[learning].astype(np.float64)
    data = outcome.gradient_norm_stepped[learning].astype(np.float64)
    ratio = np.divide(penalty, data, out=np.full(len(data), np.inf), where=data > 0)
    return float(np.median(np.where(penalty == 0, 0, ratio)))


def _curves(run: Run, outcome: Outcome, by_epoch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every metric at every check, NaN where it is not read; `by_epoch` at the ends of epochs."""
    ends = np.arange(len(outcome.by_epoch.recurrent)) * run.schedule.steps_per_epoch

    def since_last(values: np.ndarray) -> np.ndarray:
        return np.concatenate([[np.nan], values.astype(np.float64)])

    def at_ends(values: np.ndarray) -> np.ndarray:
        curve = np.full(len(outcome.steps), np.nan)
        curve[np.searchsorted(outcome.steps, ends)] = values
        return curve

    accuracy, loss = _heldout(run, outcome)
    return {
        "accuracy": accuracy,
        "loss": loss,
        "penalty": outcome.penalty.astype(np.float64),
        "training_loss": since_last(outcome.training_loss),
        "training_accuracy": since_last(outcome.training_accuracy),
        "gradient_norm_data": since_last(outcome.gradient_norm_data),
        "gradient_norm_stepped": since_last(outcome.gradient_norm_stepped),
        "gradient_norm_penalty": since_last(outcome.gradient_norm_penalty),
        "clipped_share": since_last(outcome.clipped),
        **{name: at_ends(values) for name, values in by_epoch.items()},
    }


def _topology(run: Run, outcome: Outcome) -> dict[str, np.ndarray]:
    """Graph measures of the recurrent weights at the start and after each epoch."""
    recurrent = outcome.by_epoch.recurrent
    rngs = generator(run.seed, "topology").spawn(len(recurrent))
    measured = [
        topology(weights.astype(np.float64), rng, run.protocol.nulls, NULL_GRAPHS)
        for weights, rng in zip(recurrent, rngs, strict=True)
    ]
    return {name: np.array([getattr(one, name) for one in measured]) for name in TOPOLOGY}


def _heldout(run: Run, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy and cross-entropy over held-out trials at each check."""
    if outcome.drawn_right.size:
        drawn = outcome.drawn_right, outcome.drawn_loss
        return drawn[0].mean(axis=1), drawn[1].astype(np.float64).mean(axis=1)
    test = run.protocol.heldout == "test"
    counts = outcome.test_counts if test else outcome.validation_counts
    return _weighted(outcome.right, counts), _weighted(outcome.loss, counts)


def _of_range(task: Task, test: float) -> float:
    """Share of the way from what is within reach without memory to what is at all."""
    range_ = task.ceiling - task.memoryless
    return (test - task.memoryless) / range_ if range_ else float("nan")


def _decidable(task: Task, outcome: Outcome, test: float) -> float:
    """Test accuracy on the trials that have a right answer."""
    if task.decidable is None:
        return test
    if task.noise_sd is None:
        counts = outcome.test_counts * task.decidable
        return float(_weighted(outcome.right[-1], counts)) if counts.any() else float("nan")
    return float(outcome.test_right[task.decidable[outcome.test_trials]].mean())


def _weighted(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean over trials, each distinct one as often as it occurs."""
    return values.astype(np.float64) @ counts / counts.sum()
