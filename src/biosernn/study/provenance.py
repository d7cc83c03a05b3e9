"""What was run where, as a study folder records it."""

import platform
import time
from collections.abc import Mapping, Sequence
from typing import Any

from biosernn.audit.audit import audit, failures
from biosernn.cohort.cohort import Cohort
from biosernn.protocol import TUNED
from biosernn.study.cell_class import cell_signs
from biosernn.study.execute import versions
from biosernn.study.functional import correlation, tiling_coefficient
from biosernn.study.plan import Run, study_hash
from biosernn.study.spec import Study
from biosernn.study.tuning import tuning_note
from biosernn.training.schedule import ENGINE


def describe(
    study: Study,
    cohorts: Sequence[Cohort],
    runs: Sequence[Run],
    sessions: Sequence[dict[str, Any]],
    *,
    goes_on: bool,
    taken_over: int = 0,
) -> dict[str, Any]:
    """Say what is run where; JSON can hold it.

    Parameters
    ----------
    study, cohorts, runs
        The resolved study and its plan.
    sessions
        Earlier sessions of runs, each with its seeds, versions and machine.
    goes_on
        Whether runs are to be done now; if with another setting than last time, that is added.
    taken_over
        Runs of which the folder has the tables' rows and no files of its own.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> from biosernn.study.plan import plan, resolve
    >>> from biosernn.study.presets import preset
    >>> cohorts = [synthetic_cohort(64, 0)]
    >>> study = resolve(preset("quick"), cohorts)
    >>> made = describe(study, cohorts, plan(study, cohorts), [], goes_on=True)
    >>> made["units"], len(made["sessions"]), made["audit_failures"]
    (48, 1, [])

    """
    session = {
        "seeds": study.seeds,
        "versions": versions(),
        "machine": {"system": platform.platform(), "processor": platform.machine()},
    }
    same = sessions and all(sessions[-1].get(key) == value for key, value in session.items())
    if goes_on and not same:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        sessions = [*sessions, session | {"at": at}]
    own_tasks = [
        {
            "name": task.name,
            "content_sha256": task.content_sha256,
            "trials": len(task.labels),
            "answers": task.n_outputs,
            "memoryless": task.memoryless,
            "ceiling": task.ceiling,
        }
        for task in study.own_tasks
    ]
    return {
        "study": study_hash(study, cohorts),
        "name": study.name,
        "engine": ENGINE,
        "units": study.units,
        "seeds": study.seeds,
        "epochs": study.epochs,
        "strength": list(study.strength),
        "protocols": list(study.protocols),
        "recipes": sorted({recipe for _, recipe in study.conditions}),
        "sessions": list(sessions),
        "cohorts": [
            {
                "name": cohort.name,
                "neurons": cohort.n_neurons,
                "content_sha256": cohort.content_sha256,
                "missing": list(cohort.missing),
                "source": cohort.provenance,
            }
            for cohort in cohorts
        ],
        "audit_failures": [
            f"{cohort.name} fails its audit: {sentence}"
            for cohort in cohorts
            for sentence in failures(audit(cohort))
        ],
        "notes": [*_mixtures(sessions), *_taken_over(taken_over), *_notes(study, cohorts, runs)],
        **({"own_tasks": own_tasks} if own_tasks else {}),
        **({"taken_over": taken_over} if taken_over else {}),
    }


def _mixtures(sessions: Sequence[dict[str, Any]]) -> list[str]:
    """What was not the same in all sessions of runs."""
    mixed = [
        f"{name} {version}" for name, version in versions_of(sessions).items() if " and " in version
    ]
    return [f"its runs were made under different versions ({', '.join(mixed)})"] if mixed else []


def _taken_over(count: int) -> list[str]:
    if not count:
        return []
    return [
        f"{count:,} of its runs were taken over from tables: their outcomes are in every number, "
        "their weights in no figure, their curves where the tables held them"
    ]


def _notes(study: Study, cohorts: Sequence[Cohort], runs: Sequence[Run]) -> list[str]:
    """Sentences that a reader of the first screen must know."""
    notes: list[str] = []
    for cohort in cohorts:
        units = study.units or cohort.n_neurons
        bins = dict.fromkeys(run.protocol.bins for run in runs)
        notes += dict.fromkeys(correlation(cohort, choice)[1] for choice in bins)
        notes.append(tiling_coefficient(cohort)[1])
        if cohort.wiring is not None and any("wiring" in arm.needs for arm in study.arms):
            share = (units / cohort.n_neurons) ** 2
            edges = round(share * len(cohort.wiring.pre))
            notes.append(
                f"about {edges} measured connections of {cohort.name} join a seed's "
                f"{units} neurons" + (": expect little power for wiring" if edges < units else "")
            )
        signs = cell_signs(cohort)
        if signs is not None and any(arm.sign == "dale" for arm in study.arms):
            notes.append(
                f"by Dale's rule {(signs < 0).sum()} of {cohort.name}'s {len(signs)} neurons are "
                f"inhibitory and {(signs > 0).sum()} excitatory; {(signs == 0).sum()} of no known "
                "class count as excitatory"
            )
        if units < cohort.n_neurons:
            notes.append(
                f"each seed draws {units} of {cohort.name}'s {cohort.n_neurons} "
                "neurons, the same in all arms"
            )
    for task in study.own_tasks:
        trials, steps, channels = task.inputs.shape
        notes.append(
            f"task {task.name} is the study's own: {trials} trials of {steps} steps and {channels} "
            f"channels, {task.n_outputs} answers; {task.memoryless:.4g} is within reach without "
            f"memory (the most frequent answer to each last input), {task.ceiling:.4g} at most"
        )
    if any(recipe == TUNED for _, recipe in study.conditions):
        notes.append(tuning_note())
    return notes


def versions_of(sessions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Every version that sessions of runs had, by name.

    Examples
    --------
    >>> versions_of([{"versions": {"jax": "0.9"}}, {"versions": {"jax": "0.10"}}])["jax"]
    '0.9 and 0.10'

    """
    known: dict[str, dict[str, None]] = {}
    for session in sessions:
        for name, version in session["versions"].items():
            known.setdefault(name, {})[version] = None
    return {name: " and ".join(each) for name, each in known.items()}
