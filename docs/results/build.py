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
from biosernn.tasks.registry import TASKS
from biosernn.training.schedule import Schedule

HERE = Path(__file__).resolve().parent
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

FEWEST_PAIRS = 6
"""Seeds below which there is no 95 % interval."""

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
            means = runs.groupby("arm")["accuracy"].mean()
            rows.append(
                [
                    f"{study.name}: {cohort}, {_units(study)}, {protocol}, {recipe}",
                    *(f"{means[arm]:.3f}" for arm in (BIO, PLAIN)),
                    f"{number(100 * (means[BIO] - means[PLAIN]), 1, sign=True)}",
                    *(f"{effect(c)} ({effect_interval(c)}): {verdict_words(c)}" for c in contrasts),
                ]
            )
    if not rows:
        return []
    head = ["study", BIO, PLAIN, "points of accuracy", "runs solved", "steps"]
    return [
        f"## What holds of the {CLAIMED:g} %\n",
        f"{_plain(BIO)} against {_plain(PLAIN)}, the plain network in the same place, on the maze. "
        "Accuracy as the protocol defines it; a network without memory reaches 0.625, so that the "
        "claim is almost all of what there is to gain. Intervals are of 95 %, over seeds on the "
        "same neurons. Runs that several studies share are listed once.\n",
        *_markdown(head, rows),
        "**In short**, under the corrected protocol:\n",
        *(f"- {_plain(_gain(read, recipe))}" for recipe in RECIPES),
        "",
        "Why: steps to criterion of an arm minus its null (fewer is better), least and most over "
        "the fields, and in how many of them what was found. Only what a study named beforehand "
        "is more than exploratory. The fields are no independent repetitions: those of MICrONS "
        "lie in one mouse, and a seed has the same trials, order and noise in each (W0, which "
        "starts from no data and has no geometry, even the same run).\n",
        *_markdown(["question", "arm − null", *RECIPES], _causes(read)),
        *_beyond(read),
    ]


def _over_fields(read: Read, arm: str, null: str, recipe: str, outcome: str) -> list[Contrast]:
    """One contrast of the corrected protocol in every field, by the first study that ran it."""
    asked = (arm, null, "maze", "corrected", recipe, outcome)
    by_field: dict[str, Contrast] = {}
    for _, _, analysis in read:
        for c in analysis.contrasts:
            if c.n and (c.arm, c.null, c.task, c.protocol, c.recipe, c.outcome) == asked:
                by_field.setdefault(c.cohort, c)
    return list(by_field.values())


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
                    *(_again(by_arm.get(arm)) for arm in STEADY),
                    *(_signed(gap, low, high) for gap, low, high in ends),
                ]
            )
    if not rows:
        return []
    head = ["field, recipe", *(f"unsteady: {arm}" for arm in STEADY), *UNSEEN.values()]
    return [
        "Beyond the outcomes that were named, and so exploratory throughout. Unsteady: runs that "
        "were all right at a check and not at a later one. Then accuracy on trials of a kind that "
        f"was not trained, {_plain(BIO)} minus {_plain(PLAIN)} with 95 % intervals; a network that "
        "never learned answers without memory at any delay, so that this mixes whether it learned "
        "with what it learned.\n",
        *_markdown(head, rows),
    ]


def _again(runs: pd.DataFrame | None) -> str:
    return "–" if runs is None else f"{int(runs['collapsed'].sum())}/{len(runs)}"


def _signed(gap: float, low: float, high: float) -> str:
    ends = " to ".join(number(end, 2, sign=True) for end in (low, high))
    return f"{number(gap, 2, sign=True)} ({'not estimable' if isnan(low) else ends})"


def _gain(read: Read, recipe: str) -> str:
    """How many more runs are solved than by the plain network, in one sentence."""
    found = _over_fields(read, BIO, PLAIN, recipe, "solved")
    if not found:
        return f"Recipe {recipe}: not run."
    above = sum(c.effect.low > 0 for c in found)
    return (
        f"Recipe {recipe}: {BIO} solves {_least_to_most(found, 100, 0)} points more runs than "
        f"{PLAIN} in {len(found)} field{'s' if len(found) > 1 else ''}; the 95 % interval is above "
        f"0 in {above} of them."
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
    words = Counter(map(verdict_words, contrasts))
    said = (f"{word} ({count} of {len(contrasts)})" for word, count in words.items())
    return f"{_least_to_most(contrasts, 1, 1)}: {', '.join(said)}"


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
        return head + _reproduced(folder, results, found)
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
        cells.setdefault((row["departure"], row["order"]), {})[row["arm"]] = said
    rows = [[*key, *(row.get(arm, "–") for arm in arms)] for key, row in cells.items()]
    return [
        "The corrected protocol with one departure of the released code switched alone, and with "
        f"all up to it added up. {', '.join(place)}. They need not add up, and some change only "
        "what is reported.\n",
        *_picture(
            folder, "departures", "each departure", partial(departures, values, _arms(study))
        ),
        "Runs solved, and mean accuracy as each protocol defines it.\n",
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


def _reproduced(folder: Path, results: pd.DataFrame, found: Iterable[Setting]) -> list[str]:
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
    reasons = [_reason(one) for one in differing]
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
        f"{SIGNIFICANT * len(tested):.0f} differ at 5 %. Where none is found the two agree within "
        "sampling error, which is not that they are equal: the interval of the difference says "
        "how large a one would be missed.\n",
        *_markdown(*_tally(compared)),
        *_picture(folder, "learning", "accuracy, ours and published", partial(agreement, learning)),
        *_picture(folder, "topology", "topology, ours and published", partial(agreement, topology)),
        f"### Where they differ: {reasons.count('open')} of {len(differing)} open\n",
        *([_of_the_draw()] if reasons.count(THE_DRAW) else []),
        *_table(agreement_table("", differing, reasons)),
        "### Every comparison\n",
        f"All numbers: [reproduction.csv]({folder.name}/reproduction.csv).\n",
        *_folded("Accuracy", agreement_table("", learning).as_frame()),
        *_folded("Topology", agreement_table("", topology).as_frame()),
        *(line for s in found for line in _folded(f"Arms: {s.name}", arms_table(s).as_frame())),
    ]
    return parts


def _tally(compared: Iterable[Agreement]) -> tuple[list[str], list[list[str]]]:
    """How many arms agree, by task and outcome."""
    frame = agreement_frame(list(compared))
    frame = frame[frame["verdict"] != "not tested"]
    outcomes, tasks = (list(dict.fromkeys(frame[name])) for name in ("outcome", "task"))
    rows = []
    for task in tasks:
        here = [frame[(frame["task"] == task) & (frame["outcome"] == o)] for o in outcomes]
        agree = [f"{(h['verdict'] == 'agrees').sum()} of {len(h)}" if len(h) else "–" for h in here]
        rows.append([task, *agree])
    return ["arms that agree", *(o.replace("_", " ") for o in outcomes)], rows


THE_DRAW = "the draw of trials"


def _reason(one: Agreement) -> str:
    """What explains a difference; open unless the data at hand do."""
    if one.outcome != "accuracy" or one.task not in TASKS:
        return "open"
    floor = TASKS[one.task]().memoryless
    near = all(abs(mean.estimate - floor) <= _reach(one.task) for mean in (one.ours, one.theirs))
    return THE_DRAW if near else "open"


def _reach(task: str) -> float:
    """How far one draw of trials may move the accuracy of a network that remembers nothing."""
    floor = TASKS[task]().memoryless
    return float(stats.norm.ppf(0.975)) * sqrt(floor * (1 - floor) / Schedule().training_trials)


def _of_the_draw() -> str:
    reach = ", ".join(f"{task} ±{_reach(task):.3f}" for task in TASKS)
    return (
        f"*{THE_DRAW.capitalize()}*: under this protocol all runs of a study learn from one draw "
        f"of {Schedule().training_trials:,} trials, and accuracy is counted on it. Both means are "
        "no further from what a network without memory reaches than 95 % of such draws take it "
        f"({reach}); another draw moves all runs together, which no interval over runs holds.\n"
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
