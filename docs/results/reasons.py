"""Why ours and the published differ, as far as the draws of trials tell that were measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from pathlib import Path
from statistics import median

import pandas as pd
from scipy import stats

from biosernn.analysis.findings import Interval
from biosernn.analysis.reproduction import Agreement, reproduction
from biosernn.analysis.welch import welch
from biosernn.report.words import interval, number
from docs.results.draws import ALL_UNITS, MEASURES, OF_CHANCE
from docs.results.markdown import literal, markdown
from docs.results.tables import HERE

DRAWS = HERE / "draws.csv"
THE_DRAW = "the draw of trials"
REFERENCE = HERE / "reference.csv"
AS_OURS = "Keras as ours"
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


Reference = dict[tuple[str, str, str], tuple[Agreement, Interval]]
"""By task, arm and outcome, runs in Keras against the published mean, and minus ours."""


def read_reference(file: Path, results: pd.DataFrame, published: pd.DataFrame) -> Reference:
    """Read what `reference.py` trained; nothing where it trained nothing."""
    if not file.exists():
        return {}
    runs = pd.read_csv(file).assign(cohort="", protocol="", recipe="", strength=0.0)
    trained = set(zip(runs["task"], runs["arm"], strict=True))
    asked = [
        outcome in ("accuracy", *MEASURES) and (task, arm) in trained
        for task, arm, outcome in published[["task", "arm", "outcome"]].itertuples(index=False)
    ]
    found: Reference = {}
    for one in reproduction(runs, published[asked]):
        ours, theirs = (
            frame.loc[(frame["task"] == one.task) & (frame["arm"] == one.arm), one.outcome]
            for frame in (results, runs)
        )
        moments = [(float(v.mean()), float(v.std()), len(v)) for v in (theirs, ours)]
        found[one.task, one.arm, one.outcome] = one, welch(*moments)[0]
    return found


def reasons_of(
    compared: Sequence[Agreement], draws: Draws, reference: Reference | None = None
) -> list[str]:
    """What explains each difference; open unless the data at hand do.

    A draw moves all arms of a task that never learn alike: it explains a difference in accuracy
    that holds their middle one, both means being where draws leave such a network. It explains one
    in topology that is no larger than two draws of trials and of runs make it together. Of the rest
    it is told where Keras, from our start weights, differs from the published mean as ours does,
    and not from ours.
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

    def as_ours(one: Agreement) -> bool:
        found = (reference or {}).get((one.task, one.arm, one.outcome))
        if found is None:
            return False
        against, minus_ours = found
        same_side = against.difference.estimate * one.difference.estimate > 0
        return against.verdict == "differs" and same_side and minus_ours.low <= 0 <= minus_ours.high

    return [
        THE_DRAW if explained(one) else AS_OURS if as_ours(one) else "open"
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
    if not reference:
        return []
    rows = []
    for one in compared:
        if one.verdict != "differs" or (one.task, one.arm, one.outcome) not in reference:
            continue
        against, minus_ours = reference[one.task, one.arm, one.outcome]
        rows.append(
            [
                f"{one.task}, {one.arm}",
                SHORT.get(one.outcome, one.outcome),
                f"{against.ours.n}",
                *(f"{number(side.estimate, 3)}" for side in (against.ours, one.ours, one.theirs)),
                *(
                    f"{number(gap.estimate, 3, sign=True)} ({interval(gap, 3, sign=True)})"
                    for gap in (minus_ours, against.difference)
                ),
            ]
        )
    measured = pd.read_csv(file)
    versions = ", ".join(f"{name} {measured[name].iloc[-1]}" for name in ("keras", "tensorflow"))
    head = ["task, arm", "outcome", "n", "Keras", "ours", "published", "Keras − ours"]
    return [
        f"*{AS_OURS}*: trained here in {versions} from the start weights, penalty and trials of "
        "our own first seeds, with input noise of its own, the arm differs from the published mean "
        "as ours does, and not from ours (Welch, 5 %, few runs): what differs then lies in how the "
        "published runs were made and not in this engine. Trained by `python -m "
        "docs.results.reference`, [reference.csv](reference.csv).\n",
        *markdown([*head, "Keras − published"], rows),
    ]
