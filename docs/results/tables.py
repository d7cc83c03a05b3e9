"""The tables of the studies that were run here, as they lie beside this file."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from biosernn.analysis.analyse import analyse
from biosernn.analysis.findings import Analysis
from biosernn.study.primary import STRENGTH
from biosernn.study.spec import Study

HERE = Path(__file__).resolve().parent
TABLES = ("study.toml", "results.parquet", "timing.parquet", "provenance.json")
SWEEP = "sweep.parquet"
TOTAL_STEPS = 400
BIO, PLAIN = "W*D*C", "WD*C"

Read = Sequence[tuple[Study, pd.DataFrame, Analysis]]


def take(folder: Path, here: Path) -> None:
    """Copy a study's tables into a folder of its name."""
    to = here / json.loads((folder / "provenance.json").read_text())["name"]
    to.mkdir(exist_ok=True)
    for name in TABLES:
        shutil.copyfile(folder / name, to / name)
    if (folder / SWEEP).exists():
        shutil.copyfile(folder / SWEEP, to / SWEEP)


def read(folder: Path) -> tuple[Study, pd.DataFrame, Analysis]:
    """Read a study, its runs and what they say."""
    study = Study.read(folder / "study.toml")
    results = pd.read_parquet(folder / "results.parquet")
    return study, results, analyse(results, primary=study.decides, total_steps=TOTAL_STEPS)


def at_the_published_strength(
    study: Study, results: pd.DataFrame, analysis: Analysis
) -> tuple[Study, pd.DataFrame, Analysis]:
    """Leave of a study of several strengths what is read at the published one, else at the first.

    An arm that was run at a single strength belongs to every one of the others.
    """
    if len(study.strength) == 1:
        return study, results, analysis
    at = STRENGTH if STRENGTH in study.strength else study.strength[0]
    alone = results.groupby("arm")["strength"].transform("nunique") == 1
    contrasts = tuple(c for c in analysis.contrasts if c.strength == at)
    return (
        study,
        results[alone | (results["strength"] == at)],
        replace(analysis, contrasts=contrasts),
    )


def units(study: Study) -> str:
    """How many neurons a study's networks have, in words."""
    return "all neurons" if study.units is None else f"{study.units} units"
