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
    """Leave of a study of several strengths what was run at the published one."""
    if len(study.strength) == 1:
        return study, results, analysis
    contrasts = tuple(c for c in analysis.contrasts if c.strength == STRENGTH)
    return (
        study,
        results[results["strength"] == STRENGTH],
        replace(analysis, contrasts=contrasts),
    )


def units(study: Study) -> str:
    """How many neurons a study's networks have, in words."""
    return "all neurons" if study.units is None else f"{study.units} units"
