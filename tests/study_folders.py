"""Folders of made-up finished studies, as the page of results reads them."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from biosernn.study.spec import Study


def study_folder(place: Path, study: Study, results: pd.DataFrame) -> Path:
    """Write a study and its results as a folder of its name."""
    folder = place / study.name
    folder.mkdir()
    whole = results.assign(units=study.units or 312, strength_used=results["strength"])
    whole.to_parquet(folder / "results.parquet")
    (folder / "study.toml").write_text(study.toml())
    spent = {"run": ["1"], "wall_s": 3600.0, "python": "3", "machine": "", "device": "cpu 0"}
    pd.DataFrame(spent).to_parquet(folder / "timing.parquet")
    made: dict[str, Any] = {
        "name": study.name,
        "engine": 3,
        "cohorts": [
            {"name": name, "missing": [], "source": {"kind": "release"}} for name in study.cohort
        ],
    }
    (folder / "provenance.json").write_text(json.dumps(made))
    return folder
