"""The page of results, built from the tables of finished studies."""

import runpy
from pathlib import Path

import pandas as pd
import pytest

from biosernn import run
from biosernn.study.presets import preset

BUILD = Path(__file__).parents[1] / "docs" / "results" / "build.py"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    place = tmp_path_factory.mktemp("results")
    study = preset("paper").with_options(
        cohort="synthetic:24", units=16, seeds=2, epochs=1, arms=["W*D*C", "WD*C", "W0"]
    )
    folder = run(study, place / "out", workers=0).folder
    build = runpy.run_path(str(BUILD))
    here = place / "pages"
    here.mkdir()
    build["take"](folder, here)
    (here / "index.md").write_text(build["page"]([here / "paper"]))
    return folder, here


@pytest.mark.slow
def test_the_page_has_the_numbers_of_the_tables(built):
    folder, here = built
    page = (here / "index.md").read_text()
    results = pd.read_parquet(folder / "results.parquet")
    claim = page.split("## What holds")[1]
    for (protocol, recipe), runs in results.groupby(["protocol", "recipe"]):
        means = runs.groupby("arm")["accuracy"].mean()
        row = next(
            line for line in claim.splitlines() if line.startswith(f"| {protocol}, {recipe}")
        )
        cells = [cell.strip() for cell in row.split("|")[2:5]]
        gap = 100 * (means["W*D*C"] - means["WD*C"])
        assert cells[:2] == [f"{means['W*D*C']:.3f}", f"{means['WD*C']:.3f}"]
        assert float(cells[2].replace("−", "-")) == pytest.approx(gap, abs=0.05)
    assert f"{len(results)} runs of 3 arms, 2 seeds, 16 units of synthetic:24" in page


@pytest.mark.slow
def test_every_figure_that_the_page_names_is_there(built):
    _, here = built
    named = [
        line.split("](")[1][:-1]
        for line in (here / "index.md").read_text().splitlines()
        if line.startswith("![")
    ]
    assert len(named) == 4
    for name in named:
        assert (here / name).read_text().startswith("<svg")


@pytest.mark.slow
def test_the_copied_tables_are_those_of_the_study(built):
    folder, here = built
    for copy in (here / "paper").glob("*.parquet"):
        assert copy.read_bytes() == (folder / copy.name).read_bytes()
    assert (here / "paper" / "study.toml").read_text() == (folder / "study.toml").read_text()
