"""The grid against the follow-up's published tables, arm by arm.

Beyond the study's own tables only the published ones are read, from `../shared` beside the
checkout; where that is absent, from the comparison with them that was built last.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import product
from math import sqrt
from pathlib import Path

import pandas as pd
from scipy import stats

from biosernn.analysis.reproduction import SIGNIFICANT, Agreement, reproduction
from biosernn.report.agreement import agreement, agreement_frame, agreement_table
from biosernn.report.setting import Setting
from biosernn.report.tables import arms_table
from biosernn.study.spec import Study
from docs.results.markdown import folded, literal, markdown, picture, table
from docs.results.reasons import (
    DRAWS,
    REFERENCE,
    THE_DRAW,
    of_the_draw,
    of_the_reference,
    read_draws,
    read_reference,
    reasons_of,
)
from docs.results.tables import HERE

SHARED = HERE.parents[2] / "shared" / "published"
UNCONSTRAINED = "unconstrained (Table 2)"
THEIR_TASKS = {"Task1": "maze", "Task2": "go_no_go", "Task3": "perceptual"}
THEIR_OUTCOMES = {
    "Accuracy": "accuracy",
    "Modularity": "modularity_greedy",
    "SmallWorldness": "small_worldness",
    "Assortativity": "assortativity",
    "Entropy": "entropy",
}
HALF_UNIT = 0.0005
"""Of the last printed digit."""
PUBLISHED = ["task", "arm", "outcome", "n", "mean", "sd", "mean_error", "sd_error"]


def read_published(folder: Path) -> pd.DataFrame:
    """Read the follow-up's table of unconstrained arms: one row a mean, with its rounding.

    Standard deviations are worked out from the printed intervals. Of the maze the single runs are
    known: its accuracies are theirs, and so is the share of at least 0.95.
    """
    content = json.loads((folder / "published_results.json").read_text())
    n, runs = content["n_runs"], content["task1_raw_accuracy"]
    to_sd = sqrt(n) / stats.t.ppf(0.975, n - 1)
    rows = []
    for (theirs, task), (name, outcome) in product(THEIR_TASKS.items(), THEIR_OUTCOMES.items()):
        for arm, printed in content["arms"][UNCONSTRAINED][theirs].items():
            mean, half = (
                printed[name]["mean"],
                (printed[name]["ci_hi"] - printed[name]["ci_lo"]) / 2,
            )
            moments = (n, mean, half * to_sd, HALF_UNIT, HALF_UNIT * to_sd)
            if (task, outcome) == ("maze", "accuracy"):
                known = pd.Series(runs[arm])
                share = (len(known), (known >= 0.95).mean(), float("nan"), 0, 0)
                rows.append((task, arm, "solved_095", *share))
                moments = (len(known), known.mean(), known.std(), 0, 0)
            rows.append((task, arm, outcome, *moments))
    return pd.DataFrame(rows, columns=PUBLISHED)


def published_tables(folder: Path) -> pd.DataFrame | None:
    """The published tables, or what the last comparison holds of them."""
    if SHARED.is_dir():
        return read_published(SHARED)
    kept = folder / "reproduction.csv"
    if kept.exists():
        return pd.read_csv(kept)[PUBLISHED]
    return None


def reproduced(
    folder: Path, study: Study, results: pd.DataFrame, found: Iterable[Setting]
) -> list[str]:
    """Ours against the published tables, arm by arm."""
    published = published_tables(folder)
    if published is None:
        return ["Not compared: the published tables are not at hand.\n"]
    chosen = results[(results["protocol"] == "published") & (results["recipe"] == "seed")]
    compared = reproduction(chosen, published)
    frame = agreement_frame(compared).drop(columns=["task", "arm", "outcome"])
    found_here = frame.select_dtypes("float").map(lambda value: float(f"{value:.9g}"))
    kept = pd.concat([published, frame.assign(**found_here)], axis=1)
    kept.to_csv(folder / "reproduction.csv", index=False)
    differing = [one for one in compared if one.verdict == "differs"]
    tested = [one for one in compared if one.verdict != "not tested"]
    firm = sum(one.verdict_holm == "differs" for one in compared)
    draws = read_draws(DRAWS, chosen)
    reference = read_reference(REFERENCE, chosen, published)
    reasons = reasons_of(compared, draws, reference)
    still_open = [
        o for o, reason in zip(differing, reasons, strict=True) if reason.startswith("open")
    ]
    learning = [one for one in compared if one.outcome in ("solved_095", "accuracy")]
    topology = [one for one in compared if one not in learning]
    parts = [
        "Protocol published, recipe seed, held against the tables of the follow-up "
        "(arXiv 2606.14975, 20 runs an arm). Fractions by Fisher's exact test, which errs towards "
        "no difference; means by Welch's t from the published means and intervals, no difference "
        "being found that their rounding could have made. Accuracy is bimodal, so that its t test "
        "is rough. Runs that diverged count, "
        f"{int((chosen['status'] == 'diverged').sum())} of {len(chosen)} here; where that leaves "
        "a measure undefined, n says so.\n",
        f"**{len(differing)} of {len(tested)} comparisons differ at 5 %, {firm} of them after "
        "Holm's adjustment over all.** Chance alone would make about "
        f"{SIGNIFICANT * len(tested):.0f} differ at 5 %, or fewer, were they independent. Where "
        "none is found the two agree within sampling error, which is not that they are equal: the "
        "interval of the difference says how large a one would be missed.\n",
        *markdown(*_tally(compared)),
        *picture(folder, "learning", "accuracy, ours and published", partial(agreement, learning)),
        *picture(folder, "topology", "topology, ours and published", partial(agreement, topology)),
        f"### Where they differ: {len(still_open)} of {len(differing)} open\n",
        *([of_the_draw(draws)] if reasons.count(THE_DRAW) else []),
        *of_the_reference(REFERENCE, reference, compared),
        _where_the_penalty_leads(chosen),
        _where_open(study, *([o for o in some if o in topology] for some in (still_open, tested))),
        *table(agreement_table("", differing, reasons)),
        "### Every comparison\n",
        f"All numbers: [reproduction.csv]({folder.name}/reproduction.csv).\n",
        *folded("Accuracy", agreement_table("", learning).as_frame()),
        *folded("Topology", agreement_table("", topology).as_frame()),
        *(line for s in found for line in folded(f"Arms: {s.name}", arms_table(s).as_frame())),
    ]
    return parts


def _tally(compared: Iterable[Agreement]) -> tuple[list[str], list[list[str]]]:
    """In how many arms no difference is found, and in how many ours is lower, by outcome."""
    frame = agreement_frame(list(compared))
    frame = frame[frame["verdict"] != "not tested"]
    outcomes, tasks = (list(dict.fromkeys(frame[name])) for name in ("outcome", "task"))
    rows = []
    for task in tasks:
        here = [frame[(frame["task"] == task) & (frame["outcome"] == o)] for o in outcomes]
        rows.append([task, *(_agreeing(h) if len(h) else "–" for h in here)])
    return ["arms that agree", *(o.replace("_", " ") for o in outcomes)], rows


def _agreeing(compared: pd.DataFrame) -> str:
    agree, lower = compared["verdict"] == "agrees", compared["difference"] < 0
    return f"{agree.sum()} of {len(compared)}; ours lower in {lower.sum()}"


def _where_the_penalty_leads(results: pd.DataFrame) -> str:
    """Which arms learn from their penalty more than from the data, and how they do."""
    led = results.groupby(["task", "arm"], sort=False)[["penalty_dominates", "solved"]].sum()
    n = results.groupby(["task", "arm"], sort=False).size()
    arms = [
        arm
        for arm in dict.fromkeys(results["arm"])
        if (led["penalty_dominates"].xs(arm, level="arm") == n.xs(arm, level="arm")).all()
    ]
    free = [arm for arm in ("W*", "W0") if arm in set(results["arm"])]
    without = "; ".join(
        f"{arm} "
        + ", ".join(f"{task} {led.loc[(task, arm), 'solved']}/{n[task, arm]}" for task in _tasks(n))
        for arm in free
    )
    return (
        "In every run of these arms the penalty's gradient exceeds the data's while they learn, so "
        f"that they say little about their start weights: {literal(', '.join(arms)) or 'none'}. "
        f"Solved without a penalty: {literal(without) or 'not run'}.\n"
    )


def _tasks(by_task_and_arm: pd.Series) -> list[str]:
    return list(dict.fromkeys(task for task, _ in by_task_and_arm.index))


def _where_open(study: Study, still: Sequence[Agreement], tested: Sequence[Agreement]) -> str:
    """Which penalties the arms have whose topology differs for no known reason."""
    kinds = {arm.name: (arm.geometry, arm.communicability) for arm in study.arms}
    many, open_ = (Counter(kinds[one.arm] for one in found) for found in (tested, still))
    told = ", ".join(
        f"{geometry} and {communicability} {open_[geometry, communicability]} of {n}"
        for (geometry, communicability), n in many.items()
    )
    lower = sum(one.difference.estimate < 0 for one in still)
    return (
        f"Topology: of the {len(still)} that are open ours is lower in {lower}, which speaks for "
        "few causes rather than as many. By the geometry and communicability of the arm's penalty: "
        f"{told}.\n"
    )
