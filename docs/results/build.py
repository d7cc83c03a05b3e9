"""Build the page of results and its figures from the tables of the study folders beside this file.

    python docs/results/build.py [FOLDER ...]

Each folder named is a finished study, whose tables are copied here first. Nothing else is read, and
no number on the page is written by hand.
"""

import json
import shutil
import sys
from pathlib import Path

import pandas as pd

from biosernn.analysis.analyse import analyse
from biosernn.analysis.findings import Analysis, Contrast
from biosernn.report.forest import forest
from biosernn.report.setting import settings
from biosernn.report.survival import survival
from biosernn.report.tables import Table, arms_table, contrasts_table
from biosernn.report.words import effect, effect_interval, number, verdict_words
from biosernn.study.spec import Study

HERE = Path(__file__).parent
TABLES = ("study.toml", "results.parquet", "timing.parquet", "provenance.json")
TOTAL_STEPS = 400
CLAIMED = 37.0
"""Per cent that the study claims; between the memoryless line and all right are 37.5 points."""

BIO, PLAIN = "W*D*C", "WD*C"


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
    for folder, (_, results, analysis) in zip(folders, read, strict=True):
        if folder.name == "paper":
            parts += _of_the_claim(results, analysis)
    for folder, (study, results, analysis) in zip(folders, read, strict=True):
        parts += _section(folder, study, results, analysis)
    return "\n".join(parts)


def _read(folder: Path) -> tuple[Study, pd.DataFrame, Analysis]:
    study = Study.read(folder / "study.toml")
    results = pd.read_parquet(folder / "results.parquet")
    return study, results, analyse(results, primary=study.decides, total_steps=TOTAL_STEPS)


def _of_the_claim(results: pd.DataFrame, analysis: Analysis) -> list[str]:
    """What holds of the 37 per cent, by protocol and recipe."""
    rows = []
    for (protocol, recipe), runs in results.groupby(["protocol", "recipe"], sort=False):
        means = runs.groupby("arm")[["accuracy", "solved"]].mean()
        gap = 100 * (means["accuracy"][BIO] - means["accuracy"][PLAIN])
        contrasts = [
            _one(analysis, str(protocol), str(recipe), outcome)
            for outcome in ("solved", "restricted_mean_steps")
        ]
        rows.append(
            [
                f"{protocol}, {recipe}",
                *(f"{means['accuracy'][arm]:.3f}" for arm in (BIO, PLAIN)),
                f"{number(gap, 1, sign=True)}",
                *(f"{effect(c)} ({effect_interval(c)}): {verdict_words(c)}" for c in contrasts),
            ]
        )
    head = ["protocol, recipe", BIO, PLAIN, "points of accuracy", "runs solved", "steps"]
    return [
        f"## What holds of the {CLAIMED:g} %\n",
        f"{_plain(BIO)} against {_plain(PLAIN)}, the plain network in the same place. Accuracy as "
        "the protocol defines it; a network without memory reaches 0.625, so that the claim is "
        "almost all of what there is to gain. Intervals are of 95 %, over seeds on the same "
        "neurons.\n",
        *_markdown(head, rows),
        "Why, under either recipe:\n",
        *(f"- {_plain(line)}" for line in _reasons(analysis)),
        "",
    ]


def _reasons(analysis: Analysis) -> list[str]:
    """One line for every contrast of the corrected protocol that asks for the cause."""
    asked = ("activity", "geometry", "wiring", "self-timescales", "plain")
    return [
        f"{c.question}, recipe {c.recipe}: {c.arm} minus {c.null}: {effect(c)} "
        f"({effect_interval(c)}, n = {c.n}), {verdict_words(c)}"
        f"{'' if c.in_family else ' (exploratory)'}."
        for question in asked
        for c in analysis.contrasts
        if c.question == question
        and c.n
        and c.protocol == "corrected"
        and c.outcome == "restricted_mean_steps"
    ]


def _one(analysis: Analysis, protocol: str, recipe: str, outcome: str) -> Contrast:
    return next(
        c
        for c in analysis.contrasts
        if (c.arm, c.null, c.protocol, c.recipe, c.outcome)
        == (BIO, PLAIN, protocol, recipe, outcome)
    )


def _section(folder: Path, study: Study, results: pd.DataFrame, analysis: Analysis) -> list[str]:
    provenance = json.loads((folder / "provenance.json").read_text())
    timing = pd.read_parquet(folder / "timing.parquet")
    units = "all neurons" if study.units is None else f"{study.units} units"
    versions = provenance["sessions"][-1]["versions"]
    parts = [
        f"## {study.name}\n",
        f"`{_command(study)}`: {len(results):,} runs of {len(study.arms)} arms, {study.seeds} "
        f"seeds, {units} of {', '.join(dict.fromkeys(results['cohort']))}; "
        f"{timing['wall_s'].sum() / 3600:.1f} hours of one core, engine {provenance['engine']}, "
        f"{', '.join(f'{name} {version}' for name, version in versions.items())}.\n",
        f"Finding: {_plain(analysis.finding)}.\n",
    ]
    arms = {arm.name: arm.table() for arm in study.arms}
    for number_, setting in enumerate(settings(analysis, results)):
        parts.append(f"### {setting.name}\n")
        for name, svg in (
            ("effects", forest(setting)),
            ("survival", survival(setting, arms, BIO)),
        ):
            file = folder / f"{name}-{number_}.svg"
            file.write_text(svg, encoding="utf-8")
            parts.append(f"![{name}: {setting.name}]({folder.name}/{file.name})\n")
        parts += [*_table(arms_table(setting)), *_table(contrasts_table(setting))]
    return parts


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
    folders = sorted(path.parent for path in HERE.glob("*/results.parquet"))
    (HERE / "index.md").write_text(page(folders), encoding="utf-8")


if __name__ == "__main__":
    main()
