"""Build the page of results and its figures from the tables of the study folders beside this file.

    python docs/results/build.py [FOLDER ...]

Each folder named is a finished study, whose tables are copied here first. Beyond them only the
follow-up's published tables are read, from `../shared` beside the checkout; where that is absent,
from the comparison with them that was built last. No number on the page is written by hand.
"""

import html
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import product
from math import isnan, sqrt
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from scipy import stats

from biosernn.analysis.analyse import analyse
from biosernn.analysis.family import QUESTIONS
from biosernn.analysis.findings import Analysis, Contrast
from biosernn.analysis.reproduction import SIGNIFICANT, Agreement, reproduction
from biosernn.analysis.sign_flip import sign_flip_limits
from biosernn.audit.animals import OF_ONE_MOUSE
from biosernn.protocol import RECIPES
from biosernn.report.agreement import agreement, agreement_frame, agreement_table
from biosernn.report.departures import departure_values, departures
from biosernn.report.forest import forest
from biosernn.report.setting import Setting, settings
from biosernn.report.survival import survival
from biosernn.report.tables import Table, arms_table, contrasts_table
from biosernn.report.words import effect, effect_interval, interval, number, verdict_words
from biosernn.study.spec import Study

HERE = Path(__file__).resolve().parent
DRAWS = HERE / "draws.csv"
SHARED = HERE.parents[2] / "shared" / "published"
TABLES = ("study.toml", "results.parquet", "timing.parquet", "provenance.json")
TOTAL_STEPS = 400
CLAIMED = 37.0
"""Per cent that the study claims; between the memoryless line and all right are 37.5 points."""

BIO, PLAIN = "W*D*C", "WD*C"

UNSEEN = {
    "accuracy_delay_20": "delay 20",
    "accuracy_delay_40": "delay 40",
    "accuracy_delay_80": "delay 80",
    "accuracy_noise_0.4": "noise 0.4",
}
"""What a trained network is tried on, of what it was not trained on."""

STEADY = (BIO, "shuffled-in-bins", "diagonal-only", PLAIN)
"""Arms whose steadiness after the criterion is shown."""

SELF_WEIGHTS = (
    BIO,
    "diagonal-only",
    "constant-diagonal",
    "off-diagonal",
    "off-diagonal-rescaled",
    "identity",
    PLAIN,
)
"""Arms that tell what the self-weights do."""

FEWEST_PAIRS = 6
"""Seeds below which there is no 95 % interval."""

Reach = dict[str, tuple[float, float]]

Read = Sequence[tuple[Study, pd.DataFrame, Analysis]]

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


def take(folder: Path, here: Path) -> None:
    """Copy a study's tables into a folder of its name."""
    to = here / json.loads((folder / "provenance.json").read_text())["name"]
    to.mkdir(exist_ok=True)
    for name in TABLES:
        shutil.copyfile(folder / name, to / name)


def page(folders: list[Path]) -> str:
    """Write every study's figures and return the page."""
    parts = [
        "# Results\n",
        "Studies that were run here, each by the command beside it. This page and its figures are "
        "built from the tables in `docs/results` by `make results`; nothing in it is typed by "
        "hand.\n",
    ]
    read = [_read(folder) for folder in folders]
    parts += _of_the_claim(read)
    for folder, (study, results, analysis) in zip(folders, read, strict=True):
        parts += _section(folder, study, results, analysis)
    return "\n".join(parts)


def _read(folder: Path) -> tuple[Study, pd.DataFrame, Analysis]:
    study = Study.read(folder / "study.toml")
    results = pd.read_parquet(folder / "results.parquet")
    return study, results, analyse(results, primary=study.decides, total_steps=TOTAL_STEPS)


def _of_the_claim(read: Read) -> list[str]:
    """What holds of the 37 per cent: in every study of both networks, by cohort and recipe."""
    rows, shown = [], set()
    holds: dict[str, list[bool | None]] = {"points": [], "relative": []}
    for study, results, analysis in read:
        pair = results[(results["task"] == "maze") & results["arm"].isin([BIO, PLAIN])]
        place = ["cohort", "protocol", "recipe"]
        for (cohort, protocol, recipe), runs in pair.groupby(place, sort=False):
            contrasts = [
                _one(analysis, cohort, protocol, recipe, outcome)
                for outcome in ("solved", "restricted_mean_steps")
            ]
            if not all(contrasts) or protocol not in ("corrected", "published"):
                continue
            if shown.issuperset(runs["run"]):
                continue
            shown.update(runs["run"])
            by_arm = runs.pivot(index="seed", columns="arm", values="accuracy").dropna()
            bio, plain = by_arm[BIO], by_arm[PLAIN]
            gap = 100 * (bio - plain)
            low, high = sign_flip_limits(gap.to_numpy(float)[None], 0.95)
            beyond = (bio - (1 + CLAIMED / 100) * plain).to_numpy(float)[None]
            holds["points"].append(_holds(gap.to_numpy(float)[None], CLAIMED))
            holds["relative"].append(_holds(beyond, 0))
            rows.append(
                [
                    f"{study.name}: {cohort}, {_units(study)}, {protocol}, {recipe}",
                    f"{len(gap)}",
                    *(f"{arm.mean():.3f}" for arm in (bio, plain)),
                    _signed(gap.mean(), low[0], high[0], digits=1),
                    f"{number(100 * (bio.mean() / plain.mean() - 1), 1, sign=True)} %",
                    *(_said(c) for c in contrasts),
                ]
            )
    if not rows:
        return []
    head = ["study", "n", BIO, PLAIN, "points of accuracy", "relative", "runs solved", "steps"]
    return [
        f"## What holds of the {CLAIMED:g} %\n",
        f"{_plain(BIO)} against {_plain(PLAIN)}, the plain network in the same place, on the maze. "
        "Accuracy as the protocol defines it. The study does not say what its per cent are of: "
        "points of accuracy, of which 37.5 lie between a network without memory (0.625) and all "
        "right, or a gain relative to the plain network's; both are given. Intervals are of 95 %, "
        "over n seeds on the same neurons, paired. Runs that several studies share are listed "
        "once.\n",
        *_markdown(head, rows),
        f"**{CLAIMED:g} points** of accuracy lie within {_of(holds['points'])} of these intervals; "
        f"a gain of **{CLAIMED:g} % relative** to the plain network is not rejected at 5 % in "
        f"{_of(holds['relative'])}. What is not estimable is not counted.\n",
        "**In short**, under the corrected protocol:\n",
        *(f"- {_plain(_gain(read, recipe))}" for recipe in RECIPES),
        "",
        "Why: steps to criterion of an arm minus its null (fewer is better), least and most over "
        "the fields, and in how many of them what was found. Only what a study named beforehand "
        "is more than exploratory, and no adjustment is over the fields. They are no independent "
        "repetitions: those of MICrONS lie in one mouse, and a seed has the same trials, order, "
        "noise and lognormal draws in each, so nearly the same self-weights (W0, which starts from "
        f"no data and has no geometry, is even the same run).{_alike(read)}\n",
        *_markdown(["question", "arm − null", *RECIPES], _causes(read)),
        *_of_the_self_weights(read),
        *_beyond(read),
    ]


def _holds(differences: np.ndarray, value: float) -> bool | None:
    """Whether the 95 % interval of the centre of (1, n) differences holds a value, if known."""
    low, high = sign_flip_limits(differences, 0.95)
    return None if isnan(low[0]) else bool(low[0] <= value <= high[0])


def _of(found: Iterable[bool | None]) -> str:
    known = [holds for holds in found if holds is not None]
    return f"{sum(known)} of {len(known)}"


def _over_fields(read: Read, arm: str, null: str, recipe: str, outcome: str) -> list[Contrast]:
    """One contrast of the corrected protocol in every field, by the first study that ran it."""
    asked = (arm, null, "maze", "corrected", recipe, outcome)
    by_field: dict[tuple[str, int | None], Contrast] = {}
    for study, _, analysis in read:
        for c in analysis.contrasts:
            if c.n and (c.arm, c.null, c.task, c.protocol, c.recipe, c.outcome) == asked:
                by_field.setdefault((c.cohort, study.units), c)
    return list(by_field.values())


def _alike(read: Read) -> str:
    """How a seed's steps go together between fields, in one sentence."""
    by_field: dict[tuple[str, str], pd.Series] = {}
    for _, results, _ in read:
        chosen = results[(results["task"] == "maze") & (results["protocol"] == "corrected")]
        for place, runs in chosen[chosen["arm"] == BIO].groupby(["recipe", "cohort"], sort=False):
            by_field.setdefault(place, runs.set_index("seed")["steps_to_criterion"])
    told = []
    for recipe in RECIPES:
        steps = pd.DataFrame({c: s for (r, c), s in by_field.items() if r == recipe})
        between = steps.corr().to_numpy()[np.triu_indices(len(steps.columns), 1)]
        if len(between):
            ends = " to ".join(dict.fromkeys(f"{f(between):.2f}" for f in (min, max)))
            told.append(f"{ends} under {recipe}")
    if not told:
        return ""
    return f" The steps of {_plain(BIO)} correlate between fields, over seeds: {', '.join(told)}."


def _of_the_self_weights(read: Read) -> list[str]:
    """What else the controls of the self-weights change, and what silencing slow units costs."""
    columns = ["spectral_radius", "silencing_slow_units", "silencing_random_units"]
    maze = [
        results[(results["task"] == "maze") & (results["protocol"] == "corrected")]
        for _, results, _ in read
        if set(columns) <= set(results.columns)
    ]
    if not maze:
        return []
    runs = pd.concat(maze).drop_duplicates(["run", "recipe"])
    arms = [arm for arm in SELF_WEIGHTS if arm in set(runs["arm"])]
    radius = runs.groupby("arm")["spectral_radius"].mean()
    reached = {
        (arm, recipe): f"{int(r['solved'].sum())}/{len(r)}, {r['steps_to_criterion'].mean():.0f}"
        for (arm, recipe), r in runs.groupby(["arm", "recipe"])
    }
    lost = runs[runs["solved"]].groupby("arm")[columns[1:]].median()
    return [
        "These controls change more than their names say, so none of them alone shows a cause. "
        "identity holds no data at all: each unit its own integrator. Over all runs of the fields: "
        "the spectral radius of the start weights (mean), runs solved and mean steps, and of the "
        "solved the accuracy lost when the trained network's slow units are silenced, and as many "
        "random ones (median).\n",
        *_markdown(
            [
                "arm",
                "spectral radius",
                *(f"solved and steps, {recipe}" for recipe in RECIPES),
                "slow units silenced",
                "random units",
            ],
            [
                [
                    arm,
                    f"{radius[arm]:.2f}",
                    *(reached.get((arm, recipe), "–") for recipe in RECIPES),
                    *(number(lost[name].get(arm, float("nan")), 2) for name in columns[1:]),
                ]
                for arm in arms
            ],
        ),
    ]


def _beyond(read: Read) -> list[str]:
    """What else tells the two networks apart: after the criterion, and on unseen trials."""
    rows, shown = [], set()
    for _, results, _ in read:
        if not set(UNSEEN) <= set(results.columns):
            continue
        chosen = results[(results["task"] == "maze") & (results["protocol"] == "corrected")]
        for place, runs in chosen.groupby(["cohort", "recipe"], sort=False):
            by_arm = dict(tuple(runs.set_index("seed").groupby("arm")))
            if place in shown or not {BIO, PLAIN} <= set(by_arm):
                continue
            gaps = (by_arm[BIO][list(UNSEEN)] - by_arm[PLAIN][list(UNSEEN)]).dropna()
            if len(gaps) < FEWEST_PAIRS:
                continue
            shown.add(place)
            each = gaps.to_numpy(float).T
            ends = zip(each.mean(axis=1), *sign_flip_limits(each, 0.95), strict=True)
            rows.append(
                [
                    ", ".join(map(str, place)),
                    f"{len(gaps)}",
                    *(_again(by_arm.get(arm)) for arm in STEADY),
                    *(_signed(gap, low, high) for gap, low, high in ends),
                ]
            )
    if not rows:
        return []
    head = ["field, recipe", "n", *(f"unsteady: {arm}" for arm in STEADY), *UNSEEN.values()]
    return [
        "Beyond the outcomes that were named, and so exploratory throughout. Unsteady: runs that "
        "were all right at a check and not at a later one. Then accuracy on trials of a kind that "
        f"was not trained, {_plain(BIO)} minus {_plain(PLAIN)} over n seeds with 95 % intervals, "
        "without runs that diverged; a network that never learned answers without memory at any "
        "delay, so that this mixes whether it learned with what it learned.\n",
        *_markdown(head, rows),
    ]


def _again(runs: pd.DataFrame | None) -> str:
    return "–" if runs is None else f"{int(runs['collapsed'].sum())}/{len(runs)}"


def _signed(gap: float, low: float, high: float, digits: int = 2) -> str:
    ends = " to ".join(number(end, digits, sign=True) for end in (low, high))
    return f"{number(gap, digits, sign=True)} ({'not estimable' if isnan(low) else ends})"


def _gain(read: Read, recipe: str) -> str:
    """What the plain network's place changes, over the fields, in one sentence."""
    solved, steps = (
        _over_fields(read, BIO, PLAIN, recipe, outcome)
        for outcome in ("solved", "restricted_mean_steps")
    )
    if not solved:
        return f"Recipe {recipe}: not run."
    return (
        f"Recipe {recipe}: {BIO} solves {_least_to_most(solved, 100, 0)} points more runs than "
        f"{PLAIN}, {_verdicts(solved)}; its steps are {_least_to_most(steps, 1, 1)}, "
        f"{_verdicts(steps)}."
    )


def _least_to_most(found: Sequence[Contrast], times: float, digits: int) -> str:
    effects = [times * c.effect.estimate for c in found]
    ends = (number(end(effects), digits, sign=True) for end in (min, max))
    return " to ".join(dict.fromkeys(ends))


def _causes(read: Read) -> list[list[str]]:
    """Every question that was asked, with what was found over the fields."""
    rows = []
    for question, arm, null in QUESTIONS:
        cells = [
            _found(_over_fields(read, arm, null, recipe, "restricted_mean_steps"))
            for recipe in RECIPES
        ]
        if any(cells):
            rows.append([question, f"{arm} − {null}", *(cell or "–" for cell in cells)])
    return rows


def _found(contrasts: Sequence[Contrast]) -> str:
    if not contrasts:
        return ""
    return f"{_least_to_most(contrasts, 1, 1)}: {_verdicts(contrasts)}"


def _verdicts(contrasts: Sequence[Contrast]) -> str:
    words = Counter(map(verdict_words, contrasts))
    return ", ".join(f"{word} ({count} of {len(contrasts)})" for word, count in words.items())


def _said(contrast: Contrast) -> str:
    status = "" if contrast.in_family else ", exploratory"
    return f"{effect(contrast)} ({effect_interval(contrast)}): {verdict_words(contrast)}{status}"


def _one(
    analysis: Analysis, cohort: str, protocol: str, recipe: str, outcome: str
) -> Contrast | None:
    asked = (BIO, PLAIN, cohort, "maze", protocol, recipe, outcome)
    return next(
        (
            c
            for c in analysis.contrasts
            if c.n and (c.arm, c.null, c.cohort, c.task, c.protocol, c.recipe, c.outcome) == asked
        ),
        None,
    )


def _section(folder: Path, study: Study, results: pd.DataFrame, analysis: Analysis) -> list[str]:
    provenance = json.loads((folder / "provenance.json").read_text())
    timing = pd.read_parquet(folder / "timing.parquet")
    versions = provenance["sessions"][-1]["versions"]
    seeds = ", ".join(
        f"{task} {low}" if low == high else f"{task} {low} to {high}"
        for task, low, high in _seeds(results)
    )
    found = settings(analysis, results)
    head = [
        f"## {study.name}\n",
        f"`{_command(study)}`: {_progress(study, len(results))} of {len(study.arms)} arms, "
        f"{study.seeds if len(study.tasks) == 1 else seeds} seeds, "
        f"{_units(study)} of {', '.join(dict.fromkeys(results['cohort']))}; "
        f"{timing['wall_s'].sum() / 3600:.1f} hours of one core, engine {provenance['engine']}, "
        f"{', '.join(f'{name} {version}' for name, version in versions.items())}.\n",
    ]
    if study.name == "grid":
        return head + _reproduced(folder, study, results, found)
    if not departure_values(results).empty:
        return head + _departures(folder, study, results, found[0])
    head.append(f"Finding: {_plain(analysis.finding)}.\n")
    if results["cohort"].nunique() > 1:
        return head + _by_field(folder, provenance, analysis, found)
    return head + _by_setting(folder, study, found)


def _progress(study: Study, finished: int) -> str:
    each = len(study.cohort) * len(study.arms) * len(study.conditions) * len(study.strength)
    planned = each * sum(map(study.seeds_of, study.tasks))
    return f"{finished:,} {'' if finished == planned else f'of {planned:,} '}runs"


def _units(study: Study) -> str:
    return "all neurons" if study.units is None else f"{study.units} units"


def _seeds(results: pd.DataFrame) -> list[tuple[str, int, int]]:
    """The least and the most seeds that an arm has, for each task."""
    each = results.groupby(["task", "protocol", "recipe", "arm"], sort=False)["seed"].nunique()
    return [(str(task), int(n.min()), int(n.max())) for task, n in each.groupby("task", sort=False)]


def _by_setting(folder: Path, study: Study, found: Iterable[Setting]) -> list[str]:
    """Figures and tables of one setting after the other."""
    arms, parts = _arms(study), []
    for number_, setting in enumerate(found):
        parts.append(f"### {setting.name}\n")
        drawn = {"survival": survival(setting, arms, BIO)}
        if setting.tested:
            drawn = {"effects": forest(setting)} | drawn
        for name, svg in drawn.items():
            file = folder / f"{name}-{number_}.svg"
            file.write_text(svg, encoding="utf-8")
            parts.append(f"![{name}: {setting.name}]({folder.name}/{file.name})\n")
        parts += [*_table(arms_table(setting)), *_table(contrasts_table(setting))]
    return parts


def _by_field(
    folder: Path, provenance: dict, analysis: Analysis, found: tuple[Setting, ...]
) -> list[str]:
    """Every arm and every contrast, the fields beside each other."""
    one_mouse = all(cohort["source"]["kind"] in OF_ONE_MOUSE for cohort in provenance["cohorts"])
    fields = list(dict.fromkeys(setting.cohort for setting in found))
    parts = [f"{analysis.describes} n_mice {'= 1' if one_mouse else 'is not known'}.\n"]
    for number_, setting in enumerate(found):
        if setting.tested:
            parts.append(f"### {setting.name}\n")
            parts += _picture(folder, f"effects-{number_}", setting.name, partial(forest, setting))
    parts.append("### The fields beside each other\n")
    arms: dict[tuple[str, ...], dict[str, str]] = {}
    pairs: dict[tuple[str, ...], dict[str, str]] = {}
    for s in analysis.arms:
        row = arms.setdefault((s.arm, s.task, s.protocol, s.recipe), {})
        row[s.cohort] = f"{s.n_solved}/{s.n}, {number(s.mean_steps.estimate, 1)}"
    for c in filter(lambda c: c.n, analysis.contrasts):
        steps = c.outcome == "restricted_mean_steps"
        digits = 1 if steps else 2
        status = "" if c.in_family else ", exploratory"
        name = f"{c.arm} − {c.null} ({c.question}{status})"
        row = pairs.setdefault(
            (name, c.task, c.protocol, c.recipe, "steps" if steps else "fraction solved"), {}
        )
        row[c.cohort] = (
            f"{number(c.effect.estimate, digits, sign=True)} "
            f"({interval(c.effect, digits, sign=True)}), n = {c.n}: {verdict_words(c)}"
        )
    for title, rows in (
        (
            "Runs solved, and mean steps to criterion. What starts from no data of the field and "
            "has no geometry (W0) is the same run in each.",
            arms,
        ),
        ("Arm minus its null with its 95 % interval.", pairs),
    ):
        cells = [
            [key[0], ", ".join(key[1:]), *(row.get(field, "–") for field in fields)]
            for key, row in rows.items()
        ]
        parts += [f"{title}\n", *_markdown(["", "", *fields], cells)]
    return parts


def _departures(folder: Path, study: Study, results: pd.DataFrame, lead: Setting) -> list[str]:
    """What each departure of the released code accounts for."""
    place = [lead.cohort, lead.task, lead.recipes[0]]
    here = (results[["cohort", "task", "recipe"]] == place).all(axis=1)
    values = departure_values(results[here])
    arms = list(dict.fromkeys(values["arm"]))
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in values.to_dict("records"):
        said = f"{round(row['solved'] * row['n_runs'])}/{row['n_runs']}, {row['accuracy']:.3f}"
        if row["departure"] != "corrected":
            change = (row[name] for name in ("difference", "difference_low", "difference_high"))
            said += f"; {_signed(*change)}"
        cells.setdefault((row["departure"], row["order"]), {})[row["arm"]] = said
    rows = [[*key, *(row.get(arm, "–") for arm in arms)] for key, row in cells.items()]
    return [
        "The corrected protocol with one departure of the released code switched alone, and with "
        f"all up to it added up. {', '.join(place)}. They need not add up, and some change only "
        "what is reported.\n",
        *_picture(
            folder, "departures", "each departure", partial(departures, values, _arms(study))
        ),
        "Runs solved, mean accuracy as each protocol defines it, and the fraction solved minus "
        "that of the corrected protocol, paired by seed, with 95 % intervals: exploratory, and not "
        f"adjusted for {(results[here]['protocol'].nunique() - 1) * len(arms)} comparisons.\n",
        *_markdown(["departure", "", *arms], rows),
    ]


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


def _published(folder: Path) -> pd.DataFrame | None:
    """The published tables, or what the last comparison holds of them."""
    if SHARED.is_dir():
        return read_published(SHARED)
    kept = folder / "reproduction.csv"
    if kept.exists():
        return pd.read_csv(kept)[PUBLISHED]
    return None


def _reproduced(
    folder: Path, study: Study, results: pd.DataFrame, found: Iterable[Setting]
) -> list[str]:
    """Ours against the published tables, arm by arm."""
    published = _published(folder)
    if published is None:
        return ["Not compared: the published tables are not at hand.\n"]
    chosen = results[(results["protocol"] == "published") & (results["recipe"] == "seed")]
    compared = reproduction(chosen, published)
    frame = agreement_frame(compared).drop(columns=["task", "arm", "outcome"])
    pd.concat([published, frame], axis=1).to_csv(folder / "reproduction.csv", index=False)
    differing = [one for one in compared if one.verdict == "differs"]
    tested = [one for one in compared if one.verdict != "not tested"]
    firm = sum(one.verdict_holm == "differs" for one in compared)
    reach = read_draws(DRAWS) if DRAWS.exists() else {}
    reasons = _reasons(compared, reach)
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
        *_markdown(*_tally(compared)),
        *_picture(folder, "learning", "accuracy, ours and published", partial(agreement, learning)),
        *_picture(folder, "topology", "topology, ours and published", partial(agreement, topology)),
        f"### Where they differ: {reasons.count('open')} of {len(differing)} open\n",
        *([_of_the_draw(reach)] if reasons.count(THE_DRAW) else []),
        _where_the_penalty_leads(chosen),
        _where_open(study, *([o for o in some if o in topology] for some in (differing, tested))),
        *_table(agreement_table("", differing, reasons)),
        "### Every comparison\n",
        f"All numbers: [reproduction.csv]({folder.name}/reproduction.csv).\n",
        *_folded("Accuracy", agreement_table("", learning).as_frame()),
        *_folded("Topology", agreement_table("", topology).as_frame()),
        *(line for s in found for line in _folded(f"Arms: {s.name}", arms_table(s).as_frame())),
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


THE_DRAW = "the draw of trials"


def _reasons(compared: Sequence[Agreement], reach: Reach) -> list[str]:
    """What explains each difference; open unless the data at hand do.

    A draw moves all arms of a task that never learn alike: it explains a difference in accuracy
    that holds their middle one, both means being where draws leave such a network.
    """
    never = [o for o in compared if o.outcome == "accuracy" and _within(o, reach)]
    shift = {task: median(o.difference.estimate for o in never if o.task == task) for task in reach}
    return [
        THE_DRAW
        if one in never and one.difference.low <= shift[one.task] <= one.difference.high
        else "open"
        for one in compared
        if one.verdict == "differs"
    ]


def _within(one: Agreement, reach: Reach) -> bool:
    low, high = reach.get(one.task, (1, 0))
    return low <= one.ours.estimate <= high and low <= one.theirs.estimate <= high


def read_draws(file: Path) -> Reach:
    """Between which accuracies 95 % of further draws leave a network that never learns, by task."""
    reach = {}
    for task, runs in pd.read_csv(file).groupby("task", sort=False):
        n, values = len(runs), runs["accuracy"]
        half = float(stats.t.ppf(0.975, n - 1)) * values.std() * sqrt(1 + 1 / n)
        reach[str(task)] = (values.mean() - half, values.mean() + half)
    return reach


def _of_the_draw(reach: Reach) -> str:
    ends = ", ".join(f"{task} {low:.3f} to {high:.3f}" for task, (low, high) in reach.items())
    return (
        f"*{THE_DRAW.capitalize()}*: under this protocol all runs of a study learn from one draw "
        "of trials, in one order, and accuracy is counted on it. Another draw moves all arms of a "
        "task that never learn together, which no interval over runs holds: so their differences "
        "are one event a task, not one each. It is the reason where both means lie where 95 % of "
        f"further draws would leave such a network ({ends}), and the difference's interval holds "
        "the middle difference of those arms. Measured on one network of arm W: `NPROC=1 python "
        "docs/results/draws.py`, [draws.csv](draws.csv).\n"
    )


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
        f"that they say little about their start weights: {_plain(', '.join(arms)) or 'none'}. "
        f"Solved without a penalty: {_plain(without) or 'not run'}.\n"
    )


def _tasks(by_task_and_arm: pd.Series) -> list[str]:
    return list(dict.fromkeys(task for task, _ in by_task_and_arm.index))


def _where_open(study: Study, differing: Sequence[Agreement], tested: Sequence[Agreement]) -> str:
    """Which penalties the arms have whose topology differs."""
    kinds = {arm.name: (arm.geometry, arm.communicability) for arm in study.arms}
    many, open_ = (Counter(kinds[one.arm] for one in found) for found in (tested, differing))
    told = ", ".join(
        f"{geometry} and {communicability} {open_[geometry, communicability]} of {n}"
        for (geometry, communicability), n in many.items()
    )
    lower = sum(one.difference.estimate < 0 for one in differing)
    return (
        f"Topology: of the {len(differing)} that differ ours is lower in {lower}, which speaks for "
        "few causes rather than as many. By the geometry and communicability of the arm's penalty: "
        f"{told}.\n"
    )


def _arms(study: Study) -> dict[str, dict]:
    return {arm.name: arm.table() for arm in study.arms}


def _picture(folder: Path, name: str, alt: str, draw: Callable[..., str]) -> list[str]:
    """Write a figure for a page and for a phone."""
    for ending, narrow in (("", False), ("-narrow", True)):
        (folder / f"{name}{ending}.svg").write_text(draw(narrow=narrow), encoding="utf-8")
    source = f"{folder.name}/{name}"
    return [
        f'<picture><source media="(max-width: 600px)" srcset="{source}-narrow.svg">'
        f'<img src="{source}.svg" alt="{html.escape(alt)}"></picture>\n'
    ]


def _folded(title: str, frame: pd.DataFrame) -> list[str]:
    table = frame.to_html(index=False, border=0)
    return [f"<details><summary>{html.escape(title)}</summary>\n{table}\n</details>\n"]


def _command(study: Study) -> str:
    return f"biosernn run docs/results/{study.name}/study.toml"


def _table(table: Table) -> list[str]:
    return _markdown(list(table.columns), [list(row) for row in table.rows])


def _markdown(head: list[str], rows: list[list[str]]) -> list[str]:
    cells = [head, ["---"] * len(head), *rows]
    lines = ("| " + " | ".join(map(_plain, row)) + " |" for row in cells)
    return [*lines, ""]


def _plain(text: str) -> str:
    """Text in which a star is a star."""
    return text.replace("*", r"\*")


def main() -> None:
    """Take the folders named, then build the page."""
    for folder in sys.argv[1:]:
        take(Path(folder), HERE)
    folders = [path.parent for path in HERE.glob("*/results.parquet")]
    folders.sort(key=lambda folder: (folder.name != "paper", folder.name))
    (HERE / "index.md").write_text(page(folders), encoding="utf-8")


if __name__ == "__main__":
    main()
