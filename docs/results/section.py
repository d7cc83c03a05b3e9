"""One study: how it was run, its figures and its tables."""

import json
from collections.abc import Iterable, Mapping
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from biosernn.analysis.findings import Analysis
from biosernn.audit.animals import OF_ONE_MOUSE
from biosernn.report.departures import departure_values, departures
from biosernn.report.first_screen import misplaced
from biosernn.report.forest import forest
from biosernn.report.kept import kept_table
from biosernn.report.setting import Setting, settings
from biosernn.report.strength_sweep import SOLVED, STEPS, strength_sweep, sweep_values
from biosernn.report.survival import survival
from biosernn.report.tables import arms_table, contrasts_table, sessions_table
from biosernn.report.tuning import tuning, tuning_values
from biosernn.report.words import interval, number, verdict_words
from biosernn.study.spec import Study
from docs.results.markdown import folded, literal, markdown, picture, signed, table
from docs.results.reproduced import reproduced
from docs.results.tables import BIO, SWEEP, TIMING, units


def section(folder: Path, study: Study, results: pd.DataFrame, analysis: Analysis) -> list[str]:
    """One study's part of the page; its figures are written into its folder."""
    provenance = json.loads((folder / "provenance.json").read_text())
    timing = pd.read_parquet(folder / TIMING)
    versions = timing.drop(columns=["run", "wall_s", "machine", "device"]).items()
    made_by = [f"{name} {' or '.join(version.unique())}" for name, version in versions]
    seeds = ", ".join(
        f"{task} {low}" if low == high else f"{task} {low} to {high}"
        for task, low, high in _seeds(results)
    )
    found = settings(analysis, results)
    head = [
        f"## {study.name}\n",
        f"`{_command(study)}`: {_progress(study, len(results))} of {len(study.arms)} arms, "
        f"{study.seeds if len(study.tasks) == 1 else seeds} seeds, "
        f"{units(study)} of {', '.join(dict.fromkeys(results['cohort']))}; "
        f"{timing['wall_s'].sum() / 3600:.1f} hours of one {_worker(timing)}, "
        f"engine {provenance['engine']}, {', '.join(made_by)}.\n",
    ]
    if study.name == "grid":
        return head + reproduced(folder, study, results, found)
    if not departure_values(results, _arms(study)).empty:
        missing = provenance["cohorts"][0]["missing"]
        return head + _departures(
            folder, study, results, found[0], rebinned="spikes" not in missing
        )
    head.append(f"Finding: {literal(analysis.finding)}.\n")
    if results["cohort"].nunique() > 1:
        return head + _by_field(folder, provenance, analysis, found)
    if len(study.strength) > 1:
        return head + _by_strength(folder, study, analysis, found[0])
    return head + _by_setting(folder, study, found)


def _worker(timing: pd.DataFrame) -> str:
    """What performed the runs; a device's name ends with its number."""
    kinds = timing["device"].str.rsplit(" ", n=1).str[0].unique()
    return " or ".join("core" if kind == "cpu" else f"worker on an {kind}" for kind in kinds)


def _progress(study: Study, finished: int) -> str:
    arms = sum(1 if arm.strength is not None else len(study.strength) for arm in study.arms)
    each = len(study.cohort) * arms * len(study.conditions)
    planned = each * sum(map(study.seeds_of, study.tasks))
    return f"{finished:,} {'' if finished == planned else f'of {planned:,} '}runs"


def _seeds(results: pd.DataFrame) -> list[tuple[str, int, int]]:
    """The least and the most seeds that an arm has, for each task."""
    each = results.groupby(["task", "protocol", "recipe", "arm"], sort=False)["seed"].nunique()
    return [(str(task), int(n.min()), int(n.max())) for task, n in each.groupby("task", sort=False)]


def _by_setting(folder: Path, study: Study, found: Iterable[Setting]) -> list[str]:
    """Figures and tables of one setting after the other."""
    arms, parts = _arms(study), []
    for number_, setting in enumerate(found):
        parts.append(f"### {setting.name}\n")
        parts += [f"{note}\n" for note in misplaced(setting)]
        drawn = {"survival": survival(setting, arms, BIO)}
        if setting.tested:
            drawn = {"effects": forest(setting)} | drawn
        for name, svg in drawn.items():
            file = folder / f"{name}-{number_}.svg"
            file.write_text(svg, encoding="utf-8")
            parts.append(f"![{name}: {setting.name}]({folder.name}/{file.name})\n")
        parts += [*table(arms_table(setting)), *table(contrasts_table(setting))]
        kept = kept_table(setting)
        parts += [*folded(kept.caption, kept.as_frame()), *_chosen(folder, study, setting, number_)]
    return parts


def _by_field(
    folder: Path, provenance: dict, analysis: Analysis, found: tuple[Setting, ...]
) -> list[str]:
    """Every arm and every contrast, the fields beside each other."""
    one_mouse = all(cohort["source"]["kind"] in OF_ONE_MOUSE for cohort in provenance["cohorts"])
    parts = [f"{analysis.describes} n_mice {'= 1' if one_mouse else 'is not known'}.\n"]
    for number_, setting in enumerate(found):
        if setting.tested:
            parts.append(f"### {setting.name}\n")
            parts += picture(folder, f"effects-{number_}", setting.name, partial(forest, setting))
    parts += [
        "### The fields beside each other\n",
        *_beside(
            analysis,
            "cohort",
            {setting.cohort: setting.cohort for setting in found},
            "What starts from no data of the field and has no geometry (W0) is the same run in "
            "each.",
        ),
    ]
    by_session = sessions_table(analysis.pooled)
    return [*parts, *folded(by_session.caption, by_session.as_frame())]


def _by_strength(folder: Path, study: Study, analysis: Analysis, lead: Setting) -> list[str]:
    """Every arm and every contrast, the penalty's strengths beside each other."""
    values = sweep_values(analysis, lead)
    parts = []
    for name, outcome in (("steps", STEPS), ("solved", SOLVED)):
        draw = partial(strength_sweep, lead, values, outcome, _arms(study))
        parts += picture(folder, f"strength-{name}", f"{name} along the strength", draw)
    columns = {strength: f"λ = {strength:g}" for strength in sorted(study.strength)}
    return [*parts, *_beside(analysis, "strength", columns)]


def _beside(
    analysis: Analysis,
    across: Literal["cohort", "strength"],
    columns: Mapping[Any, str],
    note: str = "",
) -> list[str]:
    """Tables of the arms and of the contrasts, the fields or strengths beside each other."""
    arms: dict[tuple[str, ...], dict[Any, str]] = {}
    pairs: dict[tuple[str, ...], dict[Any, str]] = {}
    for s in analysis.arms:
        row = arms.setdefault((s.arm, s.task, s.protocol, s.recipe), {})
        row[getattr(s, across)] = f"{s.n_solved}/{s.n}, {number(s.mean_steps.estimate, 1)}"
    for c in filter(lambda c: c.n, analysis.contrasts):
        steps = c.outcome == "restricted_mean_steps"
        digits = 1 if steps else 2
        name = f"{c.arm} − {c.null} ({c.question})"
        row = pairs.setdefault(
            (name, c.task, c.protocol, c.recipe, "steps" if steps else "fraction solved"), {}
        )
        status = "" if c.in_family else ", exploratory"
        row[getattr(c, across)] = (
            f"{number(c.effect.estimate, digits, sign=True)} "
            f"({interval(c.effect, digits, sign=True)}), n = {c.n}: {verdict_words(c)}{status}"
        )
    parts = []
    for title, rows in (
        (f"Runs solved, and mean steps to criterion. {note}".strip(), arms),
        ("Arm minus its null with its 95 % interval.", pairs),
    ):
        cells = [
            [key[0], ", ".join(key[1:]), *(row.get(one, "–") for one in columns)]
            for key, row in rows.items()
        ]
        parts += [f"{title}\n", *markdown(["", "", *columns.values()], cells)]
    return parts


def _chosen(folder: Path, study: Study, setting: Setting, number_: int) -> list[str]:
    """What the recipe `tuned` was chosen from; nothing where there is no sweep."""
    path = folder / SWEEP
    if not path.exists():
        return []
    values = tuning_values(pd.read_parquet(path), setting)
    if values.empty:
        return []
    rows = [
        [
            row.arm,
            f"{row.learning_rate:g}",
            f"{row.clip:g}" if isfinite(row.clip) else "none",
            f"{row.n_solved}/{row.n_runs}",
            f"{row.mean_steps:.1f}",
        ]
        for row in values[values["chosen"]].itertuples()
    ]
    return [
        *picture(
            folder,
            f"tuning-{number_}",
            "what tuned was chosen from",
            partial(tuning, setting, values, _arms(study)),
        ),
        f"Learning rate and clip chosen for each arm from {values['n_runs'].sum()} further runs, "
        "whose seeds are in no other number; solved and mean steps are of these.\n",
        *markdown(["arm", "learning rate", "clip", "solved", "mean steps"], rows),
    ]


def _departures(
    folder: Path, study: Study, results: pd.DataFrame, lead: Setting, *, rebinned: bool
) -> list[str]:
    """What each departure of the released code accounts for."""
    place = [lead.cohort, lead.task, lead.recipes[0]]
    here = (results[["cohort", "task", "recipe"]] == place).all(axis=1)
    values = departure_values(results[here], _arms(study), rebinned=rebinned)
    arms = list(dict.fromkeys(values["arm"]))
    led = results[here].groupby(["protocol", "arm"])["penalty_dominates"].mean()
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in values.to_dict("records"):
        said = f"{round(row['solved'] * row['n_runs'])}/{row['n_runs']}, {row['accuracy']:.3f}"
        if led[row["protocol"], row["arm"]] >= 0.5:
            said += "; penalty led"
        if row["departure"] != "corrected":
            change = (row[name] for name in ("difference", "difference_low", "difference_high"))
            said += "; the same" if row["same_networks"] else f"; {signed(*change)}"
        cells.setdefault((row["departure"], row["order"]), {})[row["arm"]] = said
    rows = [[*key, *(row.get(arm, "–") for arm in arms)] for key, row in cells.items()]
    compared = values[~values["same_networks"]].drop_duplicates(["protocol", "arm"])
    return [
        "The corrected protocol with one departure of the released code switched alone, and with "
        f"all up to it added up. {', '.join(place)}. They need not add up. Where the arm cannot "
        "feel the departure in training its networks are the corrected protocol's (hollow; *the "
        "same*): some departures change only what is read of them.\n",
        *picture(folder, "departures", "each departure", partial(departures, values, _arms(study))),
        "Runs solved, mean accuracy as each protocol defines it, and the fraction solved minus "
        "that of the corrected protocol, paired by seed, with 95 % intervals: exploratory, and not "
        f"adjusted for {len(compared)} comparisons. *Penalty led*: in at least half of the runs "
        "the penalty's gradient was larger than the data's, so that they say little about their "
        "start weights.\n",
        *markdown(["departure", "", *arms], rows),
    ]


def _command(study: Study) -> str:
    return f"biosernn run docs/results/{study.name}/study.toml"


def _arms(study: Study) -> dict[str, dict]:
    return {arm.name: arm.table() for arm in study.arms}
