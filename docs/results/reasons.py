"""Why ours and the published differ, as far as other draws of trials and runs in Keras tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from pathlib import Path
from statistics import median

import pandas as pd
from scipy import stats

from biosernn.analysis.findings import Interval
from biosernn.analysis.reproduction import Agreement, reproduction
from biosernn.analysis.t_interval import t_interval
from biosernn.report.words import number
from docs.results.draws import ALL_UNITS, MEASURES, OF_CHANCE
from docs.results.markdown import literal, markdown, signed
from docs.results.tables import HERE

DRAWS = HERE / "draws.csv"
THE_DRAW = "the draw of trials"
REFERENCE = HERE / "reference.csv"
NOT_THE_TRAINING = "open; not the training"
THE_TRAINING = "the training"
SAME_PENALTY = 1e-4
"""Largest relative difference of the penalty at the start, in Keras and here."""
SHORT = dict(
    zip(MEASURES, ("modularity", "small-worldness", "assortativity", "entropy"), strict=True)
)


@dataclass(frozen=True)
class Draws:
    """What another draw of the trials does.

    Attributes
    ----------
    chance
        Between which accuracies 95 % of further draws leave a network that never learns, by task.
    topology
        How large a difference 95 % of pairs of draws make in the mean of an arm's runs, by task,
        arm and measure.

    """

    chance: dict[str, tuple[float, float]]
    topology: dict[tuple[str, str, str], float]


def read_draws(file: Path, results: pd.DataFrame) -> Draws:
    """Read what `draws.py` measured; nothing where it measured nothing.

    The spread over draws is of single networks: the spread that runs have within one draw, as the
    study's own, is taken off it.
    """
    if not file.exists():
        return Draws({}, {})
    measured = pd.read_csv(file)
    chance = {}
    for task, runs in measured[measured["arm"] == OF_CHANCE].groupby("task", sort=False):
        n, values = len(runs), runs["accuracy"]
        half = float(stats.t.ppf(0.975, n - 1)) * values.std() * sqrt(1 + 1 / n)
        chance[str(task)] = (values.mean() - half, values.mean() + half)
    topology = {}
    whole = measured[(measured["arm"] != OF_CHANCE) & (measured["units"] == ALL_UNITS)]
    for (task, arm), runs in whole.groupby(["task", "arm"], sort=False):
        ours = results[(results["task"] == task) & (results["arm"] == arm)]
        for name in MEASURES:
            between = max(runs[name].var() - ours[name].var(), 0)
            at_most = float(stats.t.ppf(0.975, len(runs) - 1)) * sqrt(2 * between)
            topology[task, arm, name] = at_most
    return Draws(chance, topology)


@dataclass(frozen=True)
class InKeras:
    """An arm's outcome in Keras, from the start weights of our runs of the same seeds.

    Attributes
    ----------
    against
        It against the published mean.
    minus_ours
        It minus ours of the same seeds, paired.

    """

    against: Agreement
    minus_ours: Interval


Reference = Mapping[tuple[str, str, str], InKeras]
"""By task, arm and outcome."""


def read_reference(file: Path, results: pd.DataFrame, published: pd.DataFrame) -> Reference:
    """Read what `reference.py` trained; nothing where it trained nothing.

    Raises
    ------
    ValueError
        Where a run in Keras does not start from the penalty that ours starts from.

    """
    if not file.exists():
        return {}
    place = ["task", "arm", "seed"]
    runs = pd.read_csv(file)
    pairs = runs.merge(results, on=place, suffixes=("", "_ours"))
    apart = pairs["penalty_start"] / pairs["penalty_start_ours"] - 1
    if (apart.abs() > SAME_PENALTY).any():
        raise ValueError(f"{file}: penalties at the start differ by {apart.abs().max():.1e}")
    trained = set(zip(runs["task"], runs["arm"], strict=True))
    asked = [
        outcome in ("accuracy", *MEASURES) and (task, arm) in trained
        for task, arm, outcome in published[["task", "arm", "outcome"]].itertuples(index=False)
    ]
    same = runs.assign(cohort="", protocol="", recipe="", strength=0.0)
    found = {}
    for one in reproduction(same, published[asked]):
        here = pairs[(pairs["task"] == one.task) & (pairs["arm"] == one.arm)]
        gap = here[one.outcome] - here[f"{one.outcome}_ours"]
        if len(gap) > 1:
            found[one.task, one.arm, one.outcome] = InKeras(one, t_interval(gap))
    return found


def reasons_of(
    compared: Sequence[Agreement], draws: Draws, reference: Reference | None = None
) -> list[str]:
    """What explains each difference; open unless the data at hand do.

    A draw moves all arms of a task that never learn alike: it explains a difference in accuracy
    that holds their middle one, both means being where draws leave such a network. It explains one
    in topology that is no larger than two draws of trials and of runs make it together.

    Training is not the reason where the paired interval of Keras, from our start weights, minus
    ours lies within half of the difference; it is where Keras agrees with the published mean and
    not with ours.
    """
    never = [o for o in compared if o.outcome == "accuracy" and _by_chance(o, draws)]
    shift = {
        task: median(o.difference.estimate for o in never if o.task == task)
        for task in dict.fromkeys(o.task for o in never)
    }

    def explained(one: Agreement) -> bool:
        if one in never:
            return one.difference.low <= shift[one.task] <= one.difference.high
        of_draws = draws.topology.get((one.task, one.arm, one.outcome), 0)
        of_runs = (one.difference.high - one.difference.low) / 2
        return of_draws > 0 and abs(one.difference.estimate) <= hypot(of_draws, of_runs)

    def of_training(one: Agreement) -> str:
        found = (reference or {}).get((one.task, one.arm, one.outcome))
        if found is None:
            return "open"
        low, high = found.minus_ours.low, found.minus_ours.high
        if found.against.verdict == "agrees" and not low <= 0 <= high:
            return THE_TRAINING
        near = max(-low, high) < abs(one.difference.estimate) / 2
        return NOT_THE_TRAINING if near else "open"

    return [
        THE_DRAW if explained(one) else of_training(one)
        for one in compared
        if one.verdict == "differs"
    ]


def _by_chance(one: Agreement, draws: Draws) -> bool:
    low, high = draws.chance.get(one.task, (1, 0))
    return low <= one.ours.estimate <= high and low <= one.theirs.estimate <= high


def of_the_draw(draws: Draws) -> str:
    """What is meant by the draw of trials, and when it is the reason."""
    ends = ", ".join(f"{task} {a:.3f} to {b:.3f}" for task, (a, b) in draws.chance.items())
    measured = dict.fromkeys((task, arm) for task, arm, _ in draws.topology)
    spread = "; ".join(
        f"{task}, {literal(arm)}: "
        + (
            ", ".join(
                f"{SHORT[name]} {draws.topology[task, arm, name]:.3f}"
                for name in MEASURES
                if draws.topology[task, arm, name]
            )
            or "none"
        )
        for task, arm in measured
    )
    topology = (
        " In topology, measured in the arms that differ after Holm's adjustment, it is the reason "
        "where the difference is no larger than draws and runs make it together in 95 % of cases; "
        "draws alone, of one network an arm with the spread over runs taken off, make at most so "
        f"much ({spread}). A measure that is not named moves no more between draws "
        "than between runs; an arm that is not named was not measured."
    )
    return (
        f"*{THE_DRAW.capitalize()}*: under this protocol all runs of a study learn from one draw "
        "of trials, in one order, and accuracy is counted on it. Another draw moves all arms of a "
        "task that never learn together, which no interval over runs holds: so their differences "
        "are one event a task, not one each. It is the reason where both means lie where 95 % of "
        f"further draws would leave such a network ({ends}), and the difference's interval holds "
        f"the middle difference of those arms.{topology if spread else ''} Measured by `NPROC=1 "
        "python -m docs.results.draws`, [draws.csv](draws.csv).\n"
    )


def of_the_reference(file: Path, reference: Reference, compared: Sequence[Agreement]) -> list[str]:
    """What Keras does from our start weights, where ours and the published differ."""
    rows = []
    for one in compared:
        found = reference.get((one.task, one.arm, one.outcome))
        if one.verdict != "differs" or found is None:
            continue
        means = found.against.ours, one.ours, one.theirs
        rows.append(
            [
                f"{one.task}, {one.arm}",
                SHORT.get(one.outcome, one.outcome),
                f"{found.minus_ours.n}",
                *(number(mean.estimate, 3) for mean in means),
                *(
                    signed(gap.estimate, gap.low, gap.high, 3)
                    for gap in (found.minus_ours, found.against.difference)
                ),
            ]
        )
    if not rows:
        return []
    measured = pd.read_csv(file)
    versions = ", ".join(f"{name} {measured[name].iloc[-1]}" for name in ("keras", "tensorflow"))
    head = ["task, arm", "outcome", "n", "Keras", "ours", "published", "Keras − ours"]
    return [
        f"*{NOT_THE_TRAINING.capitalize()}*: trained here in {versions} from the start weights, "
        "penalty and trials of our own first seeds, with input noise of its own, the arm differs "
        "from ours of the same seeds, paired, by less than half of what ours differs from the "
        "published mean (95 % interval). Start weights, the penalty's numbers, the draw of trials "
        "and the graph measures are ours in both: these, or how the published runs were made, are "
        f"left. *{THE_TRAINING.capitalize()}* would be the reason where Keras agreed with the "
        "published mean and not with ours. Trained by `python -m docs.results.reference`, "
        "[reference.csv](reference.csv).\n",
        *markdown([*head, "Keras − published"], rows),
    ]
