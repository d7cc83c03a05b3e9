"""The tables of the studies that were run here, as they lie beside this file."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from biosernn.analysis.analyse import analyse
from biosernn.analysis.findings import Analysis
from biosernn.study.primary import STRENGTH
from biosernn.study.spec import Study
from biosernn.study.store import NAMED
from biosernn.training.schedule import Schedule

HERE = Path(__file__).resolve().parent
COPIED = ("study.toml", "provenance.json")
RESULTS, SWEEP, TIMING = "results.parquet", "sweep.parquet", "timing.parquet"
BIO, PLAIN = "W*D*C", "WD*C"

Read = Sequence[tuple[Study, pd.DataFrame, Analysis]]


def take(folder: Path, here: Path) -> None:
    """Keep in a folder of its name what a study's page is built from, and the study goes on from.

    The tables are as small as they become without loss; of the times only a run's length is kept,
    to a tenth of a second.
    """
    to = here / json.loads((folder / "provenance.json").read_text())["name"]
    to.mkdir(exist_ok=True)
    for name in COPIED:
        shutil.copyfile(folder / name, to / name)
    for name in filter(lambda name: (folder / name).exists(), (RESULTS, SWEEP)):
        _pack(pq.read_table(folder / name), to / name)
    spent = pd.read_parquet(folder / TIMING).drop(columns=["started", "cpu_s"], errors="ignore")
    spent["wall_s"] = spent["wall_s"].round(1)
    _pack(pa.Table.from_pandas(spent, preserve_index=False), to / TIMING)


def _pack(rows: pa.Table, to: Path) -> None:
    """Write a table, numbers that seldom repeat with their like bytes side by side."""
    split = [
        field.name
        for field, column in zip(rows.schema, rows.columns, strict=True)
        if pa.types.is_floating(field.type) and len(column.unique()) > len(column) / 4
    ]
    pq.write_table(
        rows,
        to,
        compression="brotli",
        compression_level=11,
        write_statistics=False,
        store_schema=False,
        use_byte_stream_split=split,
        use_dictionary=[name for name in rows.column_names if name not in split],
    )


def read(folder: Path) -> tuple[Study, pd.DataFrame, Analysis]:
    """Read a study, its runs and what they say.

    A run's id becomes what it is by name, the same in the tables of every biosernn; a strength
    counts where there is a penalty.
    """
    study = Study.read(folder / "study.toml")
    results = pd.read_parquet(folder / RESULTS)
    named = results[list(NAMED)].assign(
        strength=results["strength"].where(results["strength_used"] > 0, 0)
    )
    results["run"] = named.astype(str).agg("|".join, axis=1)
    steps = Schedule(epochs=study.epochs).steps
    return study, results, analyse(results, primary=study.decides, total_steps=steps)


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
