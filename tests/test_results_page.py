"""The page of results, built from the tables of finished studies."""

import itertools
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from biosernn import run
from biosernn.analysis.risk_difference import risk_difference
from biosernn.study.presets import preset
from docs.results.build import page as page_of
from docs.results.tables import take
from study_folders import study_folder


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    place = tmp_path_factory.mktemp("results")
    study = preset("paper").with_options(
        cohort="synthetic:24", units=16, seeds=2, epochs=1, arms=["W*D*C", "WD*C", "W0"]
    )
    folder = run(study, place / "out", workers=0).folder
    here = place / "pages"
    here.mkdir()
    take(folder, here)
    (here / "index.md").write_text(page_of([here / "paper"]))
    return folder, here


@pytest.mark.slow
def test_the_page_has_the_numbers_of_the_tables(built):
    folder, here = built
    page = (here / "index.md").read_text()
    results = pd.read_parquet(folder / "results.parquet")
    claim = page.split("## What holds")[1]
    for (protocol, recipe), runs in results.groupby(["protocol", "recipe"]):
        means = runs.groupby("arm")["accuracy"].mean()
        place = f"| paper: synthetic:24, 16 units, {protocol}, {recipe}"
        row = next(line for line in claim.splitlines() if line.startswith(place))
        cells = [cell.strip().replace("−", "-") for cell in row.split("|")[2:7]]
        assert cells[:3] == ["2", f"{means['W*D*C']:.3f}", f"{means['WD*C']:.3f}"]
        gap, relative = (float(cell.split()[0]) for cell in cells[3:])
        assert gap == pytest.approx(100 * (means["W*D*C"] - means["WD*C"]), abs=0.05)
        assert relative == pytest.approx(100 * (means["W*D*C"] / means["WD*C"] - 1), abs=0.05)
    assert f"{len(results)} runs of 3 arms, 2 seeds, 16 units of synthetic:24" in page


@pytest.mark.slow
def test_a_study_goes_on_from_what_the_page_keeps(built, tmp_path):
    folder, here = built
    ours, kept = (pd.read_parquet(f"{at}/results.parquet") for at in (folder, here / "paper"))
    pd.testing.assert_frame_equal(kept, ours, check_exact=True)
    spent, left = (pd.read_parquet(f"{at}/timing.parquet") for at in (folder, here / "paper"))
    spent = spent.drop(columns=["started", "cpu_s"])
    pd.testing.assert_frame_equal(left, spent.round({"wall_s": 1}), check_exact=True)
    shutil.copytree(here / "paper", tmp_path / "moved")
    performed = []
    again = run(
        tmp_path / "moved" / "study.toml",
        tmp_path / "moved",
        workers=0,
        on_progress=lambda done, planned: performed.append(done),
    )
    assert not performed
    pd.testing.assert_frame_equal(again.results, ours, check_exact=True)


def test_what_the_page_keeps_of_a_study_is_the_study_s(tmp_path):
    study = of_two_arms("paper")
    results = made_up_runs(study)
    folder = study_folder(tmp_path, study, results)
    (here := tmp_path / "pages").mkdir()
    results.to_parquet(folder / "sweep.parquet")
    take(folder, here)
    for name in ("study.toml", "provenance.json"):
        assert (here / "paper" / name).read_bytes() == (folder / name).read_bytes()
    for name in ("results", "sweep", "timing"):
        one, other = (pd.read_parquet(f"{at}/{name}.parquet") for at in (folder, here / "paper"))
        pd.testing.assert_frame_equal(one, other, check_exact=True)


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


def made_up_runs(study):
    """Runs of a study without its condition, as many solved as chance has it."""
    rng = np.random.default_rng(0)
    rows = [
        {"cohort": cohort, "session": int(cohort[0]), "protocol": protocol, "recipe": recipe}
        | {"arm": arm.name, "seed": seed, "solved": rng.random() < 0.6}
        for cohort in study.cohort
        for protocol, recipe in study.conditions
        for arm in study.arms
        for seed in range(study.seeds)
    ]
    results = pd.DataFrame(rows).assign(
        task="maze", strength=0.3, status="done", collapsed=False, penalty_dominates=False
    )
    solved = results["solved"]
    return results.assign(
        run=[f"run-{number}" for number in range(len(results))],
        accuracy=np.where(solved, 1.0, 0.625),
        censored=~solved,
        steps_to_criterion=np.where(solved, 5 * rng.integers(8, 30, len(results)), 400),
    )


def of_two_arms(name, **asked):
    """A study under the corrected protocol, of 10 seeds unless asked otherwise."""
    asked = {"cohort": "6_6_2", "arms": ["W*D*C", "WD*C"], "seeds": 10} | asked
    return replace(preset("paper").with_options(protocol="corrected", **asked), name=name)


def cells(page, start):
    """The first table row that starts so, cell by cell."""
    line = next(line for line in page.splitlines() if line.startswith(f"| {start}"))
    return line.replace("\\", "")[2:-2].split(" | ")


def pictures(page, place):
    names = re.findall(r'(?:srcset|src)="([^"]+)"', page)
    assert all((place / name).read_text().startswith("<svg") for name in names)
    return names


def test_the_fields_of_a_study_stand_beside_each_other(tmp_path):
    study = of_two_arms("fields", cohort=["4_7_8", "5_3_6"])
    results = made_up_runs(study)
    page = page_of([study_folder(tmp_path, study, results)])
    assert "n_mice = 1." in page
    row = cells(page, r"WD\*C | maze, corrected, seed")
    pair = cells(page, r"W\*D\*C − WD\*C (plain) | maze, corrected, seed, fraction solved")
    for number, field in enumerate(study.cohort, start=2):
        here = results[(results["cohort"] == field) & (results["recipe"] == "seed")]
        bio, plain = (here[here["arm"] == arm] for arm in ("W*D*C", "WD*C"))
        steps = plain["steps_to_criterion"].mean()
        assert row[number] == f"{plain['solved'].sum()}/10, {steps:.1f}"
        gap, rest = pair[number].replace("−", "-").split(maxsplit=1)
        assert float(gap) == pytest.approx(bio["solved"].mean() - plain["solved"].mean())
        assert "n = 10" in rest
        assert rest.endswith(", exploratory")
    assert len(pictures(page, tmp_path)) == 4
    solved = results.pivot_table(
        index="cohort", columns=["recipe", "arm"], values="solved", aggfunc="mean"
    ).astype(float)
    by_field = (solved["seed", "W*D*C"] - solved["seed", "WD*C"]).to_numpy()
    folded = page.split("clustered by session</summary>")[1].split("</details>")[0]
    row = next(
        re.findall(r"<td>([^<]*)</td>", row)
        for row in folded.split("<tr>")
        if "<td>seed</td>" in row and "<td>solved</td>" in row
    )
    mean, interval = row[-2:]
    assert float(mean.replace("−", "-")) == pytest.approx(by_field.mean(), abs=0.005001)
    assert "not estimable: sessions known 2, needed 5" in interval


def test_runs_that_two_studies_share_are_counted_once(tmp_path):
    paper = of_two_arms("paper")
    results = made_up_runs(paper)
    folders = [
        study_folder(tmp_path, replace(paper, name=name), results) for name in ("paper", "again")
    ]
    once, twice = (page_of(folders[:n]).split("## paper")[0] for n in (1, 2))
    assert "(1 of 1)" in once
    assert "### Every study" in once
    assert once == twice
    others = results.assign(solved=results["solved"] ^ (results.index == 0))
    others.loc[1:3, "steps_to_criterion"] += 5
    folders.append(study_folder(tmp_path, replace(paper, name="elsewhere"), others))
    said = page_of([folders[0], folders[2]]).split("## paper")[0]
    assert f"of {len(results)} runs that several studies have, 3 differ" in said
    arm = results["arm"][0].replace("*", r"\*")
    bio, plain = (f"{int(arm == name)} of 20 of {name}" for name in (r"W\*D\*C", r"WD\*C"))
    assert f"in steps and 1 in whether they solved, {bio} and {plain}" in said
    parts = said.split("as others have them")
    assert ["| elsewhere: 6_6_2" in part for part in parts] == [False, True]


def test_the_answer_in_words_is_worked_out_by_another_route(tmp_path):
    study = of_two_arms("paper", seeds=9, recipe="clipped")
    results = made_up_runs(study)
    page = page_of([study_folder(tmp_path, study, results)])
    said = next(line for line in page.splitlines() if line.startswith("**Recipe clipped"))
    bio, plain = (results[results["arm"] == arm] for arm in ("W*D*C", "WD*C"))
    apart = bio["steps_to_criterion"].to_numpy() - plain["steps_to_criterion"].to_numpy()
    others = [np.delete(apart, seed).mean() for seed in range(9)]
    furthest = max(others, key=lambda mean: abs(mean - apart.mean()))
    words = said.split("**")[2].replace("−", "-")
    assert [float(x) for x in re.findall(r"[+-]?\d[\d.]*\b", words)] == pytest.approx(
        [
            100 * bio["solved"].mean(),
            100 * plain["solved"].mean(),
            100 * (bio["solved"].mean() - plain["solved"].mean()),
            400,
            apart.mean(),
            furthest,
            100 * (apart < 0).mean(),
        ],
        abs=0.501,
    )


def test_arms_without_a_common_seed_are_not_compared(tmp_path):
    study = of_two_arms("paper", recipe="seed")
    results = made_up_runs(study)
    apart = results[(results["arm"] == "W*D*C") == (results["seed"] < 5)]
    page = page_of([study_folder(tmp_path, study, apart)])
    assert "## What holds" not in page
    assert "10 of 20 runs" in page


def test_what_is_beyond_the_named_outcomes_is_worked_out_by_another_route(tmp_path):
    study = of_two_arms("paper", seeds=12, recipe="seed")
    rng = np.random.default_rng(1)
    results = made_up_runs(study)
    unseen = ["accuracy_delay_20", "accuracy_delay_40", "accuracy_delay_80", "accuracy_noise_0.4"]
    results[unseen] = rng.random((len(results), 4))
    results["collapsed"] = rng.random(len(results)) < 0.5
    page = page_of([study_folder(tmp_path, study, results)])
    row = cells(page, "6_6_2, seed |")
    bio, plain = (results[results["arm"] == arm] for arm in ("W*D*C", "WD*C"))
    assert row[1:6] == [
        "12",
        f"{bio['collapsed'].sum()}/12",
        "–",
        "–",
        f"{plain['collapsed'].sum()}/12",
    ]
    for cell, name in zip(row[6:], unseen, strict=True):
        gap = bio[name].to_numpy() - plain[name].to_numpy()
        subsets = np.array([m for m in itertools.product((0, 1), repeat=12) if any(m)])
        means = np.sort(subsets @ gap / subsets.sum(axis=1))
        outside = int(0.025 * 2**12)
        said = [float(word) for word in re.findall(r"[+-][\d.]+", cell.replace("−", "-"))]
        assert said == pytest.approx(
            [gap.mean(), means[outside - 1], means[-outside]], abs=0.005001
        )


def test_a_study_of_departures_has_one_figure_and_one_table(tmp_path):
    study = preset("quirks").with_options(
        cohort="6_6_2",
        arms=["W*D*C", "WD*C"],
        seeds=3,
        protocol=["corrected", "corrected+threshold", "corrected+bins"],
    )
    results = made_up_runs(study)
    results["penalty_dominates"] = (results["protocol"] == "corrected+bins") & (
        results["arm"] == "WD*C"
    )
    page = page_of([study_folder(tmp_path, study, results)])
    for departure, protocol in (("corrected", "corrected"), ("bins", "corrected+bins")):
        here = results[results["protocol"] == protocol]
        for cell, arm in zip(
            cells(page, f"{departure} | alone")[2:], ("W*D*C", "WD*C"), strict=True
        ):
            runs, before = (
                frame[frame["arm"] == arm]["solved"].to_numpy()
                for frame in (here, results[results["protocol"] == "corrected"])
            )
            accuracy = here[here["arm"] == arm]["accuracy"].mean()
            said, *change = cell.split("; ")
            assert said == f"{runs.sum()}/3, {accuracy:.3f}"
            if departure == "corrected":
                assert not change
            elif arm == "WD*C":
                assert change == ["penalty led", "the same"]
            else:
                numbers = [float(x) for x in re.findall(r"[+-][\d.]+", change[0].replace("−", "-"))]
                expected = risk_difference(runs, before)
                assert numbers == pytest.approx(
                    [runs.mean() - before.mean(), expected.low, expected.high], abs=0.005001
                )
    assert "not adjusted for 2 comparisons" in page
    assert pictures(page, tmp_path) == ["quirks/departures-narrow.svg", "quirks/departures.svg"]
    assert "### " not in page.split("## quirks")[1]


def test_a_study_of_strengths_shows_them_beside_each_other_and_claims_at_the_published_one(
    tmp_path,
):
    study = of_two_arms("strengths", recipe="seed", strength=[0, 0.3, 3])
    each = [made_up_runs(study).assign(strength=strength) for strength in study.strength]
    results = pd.concat(each, ignore_index=True)
    results["run"] = [f"run-{number}" for number in range(len(results))]
    rng = np.random.default_rng(2)
    results["solved"] = rng.random(len(results)) < 0.5
    results["accuracy"] = np.where(results["solved"], 1.0, 0.625)
    page = page_of([study_folder(tmp_path, study, results)])
    solved = results.groupby(["strength", "arm"])["solved"].sum()
    row = cells(page, r"W\*D\*C | maze, corrected, seed")
    assert [cell.split(",")[0] for cell in row[2:]] == [
        f"{solved[strength, 'W*D*C']}/10" for strength in study.strength
    ]
    claim = cells(page, "strengths: 6_6_2, 128 units, corrected, seed")
    at_published = results[results["strength"] == 0.3].groupby("arm")["accuracy"].mean()
    assert claim[2:4] == [f"{at_published[arm]:.3f}" for arm in ("W*D*C", "WD*C")]
    assert len(pictures(page, tmp_path)) == 4


def test_a_tuned_study_shows_what_was_chosen_and_claims_under_tuned(tmp_path):
    study = of_two_arms("tuned", recipe="tuned")
    results = made_up_runs(study)
    folder = study_folder(tmp_path, study, results)
    sweep = pd.concat(
        results[results["seed"] < 5].assign(learning_rate=rate, clip=clip)
        for rate in (0.001, 0.01)
        for clip in (1.0, np.inf)
    )
    sweep["chosen"] = (sweep["learning_rate"] == 0.01) & (sweep["clip"] == 1.0)
    sweep.to_parquet(folder / "sweep.parquet")
    page = page_of([folder])
    tried = results[(results["seed"] < 5) & (results["arm"] == "WD*C")]
    assert cells(page, r"WD\*C | 0.01")[1:] == [
        "0.01",
        "1",
        f"{tried['solved'].sum()}/5",
        f"{tried['steps_to_criterion'].mean():.1f}",
    ]
    assert "**Recipe tuned, learning rate and clip chosen for each arm: in runs" in page
    assert "tuning-0.svg" in page
