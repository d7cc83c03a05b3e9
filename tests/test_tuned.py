"""The recipe `tuned`: a sweep on seeds of its own, one choice an arm, and runs that follow it."""

import json
import math
import os
import shutil
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosernn import BadInput, Study, WorkFailed, run, synthetic_cohort
from biosernn.protocol import GRID, RECIPES, Recipe
from biosernn.run import Finished, plan_study, report_study, rerun_study
from biosernn.study.arms import ARMS
from biosernn.study.compare import Differences, compare
from biosernn.study.plan import SWEEP_SEEDS, Run, plan, resolve, sweep
from biosernn.study.presets import preset
from biosernn.study.primary import Primary
from biosernn.study.tuning import choose, performable

TUNED = preset("quick").with_options(
    cohort="synthetic:16", units=8, arms=["W0"], seeds=2, epochs=1, recipe=["clipped", "tuned"]
)
TABLES = ("results", "curves", "sweep")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return run(TUNED, tmp_path_factory.mktemp("tuned") / "s", workers=0)


def assert_same(one: Path, other: Path) -> None:
    for name in TABLES:
        a, b = (pd.read_parquet(folder / f"{name}.parquet") for folder in (one, other))
        pd.testing.assert_frame_equal(a, b, check_exact=True)


def choices(folder: Path) -> list[dict]:
    return json.loads((folder / "provenance.json").read_text())["tuned"]


# The plan


def test_the_grid_is_four_learning_rates_with_and_without_clipping() -> None:
    assert {(recipe.learning_rate, recipe.clip) for recipe in GRID} == {
        (rate, clip) for rate in (1e-4, 3e-4, 1e-3, 3e-3) for clip in (math.inf, 1.0)
    }
    assert len(GRID) == 8
    assert set(RECIPES.values()) <= set(GRID)


def test_every_arm_task_protocol_and_strength_has_a_sweep_on_seeds_of_its_own() -> None:
    cohort = synthetic_cohort(24, 0)
    study = resolve(
        preset("quick").with_options(
            arms=["W*D*C", "WD*C", "W0"],
            tasks=["maze", "go_no_go"],
            seeds={"maze": 4, "go_no_go": 2},
            strength=[0.1, 0.3],
            protocol="both",
            recipe=["seed", "tuned"],
        ),
        [cohort],
    )
    tried = sweep(study, [cohort])
    counts = Counter((r.task, r.protocol_name, r.arm.name, r.strength, r.setting) for r in tried)
    assert set(counts.values()) == {len(SWEEP_SEEDS)}
    assert len(counts) == 2 * 2 * (2 + 2 + 1) * 8
    assert {r.recipe_name for r in tried} == {"tuned"}
    assert not {r.seed for r in tried} & set(range(10_000))
    assert len({r.id for r in tried}) == len(tried)


def test_a_study_without_tuned_has_no_sweep() -> None:
    cohort = synthetic_cohort(24, 0)
    study = resolve(preset("quick").with_options(recipe="both"), [cohort])
    assert study.conditions == (("corrected", "seed"), ("corrected", "clipped"))
    assert sweep(study, [cohort]) == ()
    assert {r.setting for r in plan(study, [cohort])} == {None}


def test_more_seeds_leave_the_sweep_as_it_is() -> None:
    cohort = synthetic_cohort(24, 0)
    one, more = (resolve(TUNED.with_options(seeds=n), [cohort]) for n in (2, 9))
    assert sweep(one, [cohort]) == sweep(more, [cohort])


def test_a_chosen_run_is_the_run_of_a_recipe_of_the_same_numbers() -> None:
    cohort = synthetic_cohort(16, 0)
    study = resolve(TUNED, [cohort])
    group = (0, "maze", "corrected", 0.3, "W0")
    runs = plan(study, [cohort], {group: RECIPES["clipped"]})
    ids = {name: [r.id for r in runs if r.recipe_name == name] for name in ("clipped", "tuned")}
    assert ids["clipped"] == ids["tuned"]
    assert len(runs) == 4
    unchosen = [r.id for r in plan(study, [cohort]) if r.recipe_name == "tuned"]
    can_be_performed = {r.id for r in performable(study, [cohort])}
    assert not can_be_performed.intersection(unchosen)
    for setting in GRID:
        asked = plan(study, [cohort], {group: setting})
        assert {r.id for r in asked} <= can_be_performed


def test_a_million_runs_are_refused_with_the_sweep_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = TUNED.with_options(strength=[k / 2 for k in range(1000)], arms=["WD*C"] + [
        {"name": f"a{k}", "init": "identity"} for k in range(12)
    ])  # fmt: skip
    monkeypatch.setattr("biosernn.study.plan.MOST_RUNS", 500_000)
    with pytest.raises(BadInput, match="study: plans 572,000 runs") as refused:
        resolve(few, [synthetic_cohort(16, 0)])
    assert "\n" not in str(refused.value)


# The choice


def outcome(steps: int = 400, solved: bool = False, area: float = 0.5) -> dict:
    return {"steps_to_criterion": steps, "solved": solved, "area_under_curve": area}


@lru_cache
def tried() -> tuple[Run, ...]:
    cohort = synthetic_cohort(16, 0)
    return sweep(resolve(TUNED, [cohort]), [cohort])


def chosen_from(outcomes: dict[Recipe, list[dict]], order: list[int] | None = None) -> Recipe:
    rows = {r.id: outcomes.get(r.recipe, [outcome()] * 5)[r.seed - 10_000] for r in tried()}
    [recipe] = choose([tried()[k] for k in order or range(40)], rows).values()
    return recipe


def test_the_least_mean_steps_are_chosen() -> None:
    slower, sooner = [outcome(90, True, 0.9)] * 5, [outcome(80)] * 5
    assert chosen_from({GRID[1]: slower, GRID[6]: sooner}) == GRID[6]


def test_a_run_without_criterion_counts_with_all_its_steps() -> None:
    one_fails, all_slow = [outcome(100)] * 4 + [outcome(400)], [outcome(150)] * 5
    assert chosen_from({GRID[2]: one_fails, GRID[3]: all_slow}) == GRID[3]


def test_ties_go_to_more_solved_then_to_the_area_then_to_the_grid_s_order() -> None:
    solved, area = [outcome(solved=True)] + [outcome()] * 4, [outcome(area=0.9)] * 5
    assert chosen_from({GRID[4]: area, GRID[5]: solved}) == GRID[5]
    assert chosen_from({GRID[4]: area}) == GRID[4]
    assert chosen_from({}) == GRID[0]


@given(st.data())
def test_the_choice_is_the_obvious_one_in_any_order(data: st.DataObject) -> None:
    draws = st.builds(
        outcome, st.sampled_from([5, 10, 400]), st.booleans(), st.sampled_from([0.25, 0.5])
    )
    outcomes = {recipe: data.draw(st.lists(draws, min_size=5, max_size=5)) for recipe in GRID}
    left = list(GRID)
    for name, better in (("steps_to_criterion", min), ("solved", max), ("area_under_curve", max)):
        means = {recipe: np.mean([o[name] for o in outcomes[recipe]]) for recipe in left}
        left = [recipe for recipe in left if means[recipe] == better(means.values())]
    assert chosen_from(outcomes, data.draw(st.permutations(range(40)))) == left[0]


def test_an_arm_whose_sweep_lacks_a_run_has_no_choice() -> None:
    cohort = synthetic_cohort(16, 0)
    study = resolve(TUNED.with_options(arms=["W0", "WD*C"]), [cohort])
    tried = sweep(study, [cohort])
    rows = {r.id: outcome() for r in tried}
    del rows[next(r.id for r in tried if r.arm.name == "WD*C")]
    assert [group[-1] for group in choose(tried, rows)] == ["W0"]


# Study folders


def test_the_runs_follow_the_choice_that_the_sweep_shows(finished: Finished) -> None:
    tried = pd.read_parquet(finished.folder / "sweep.parquet")
    assert len(tried) == 40
    assert set(tried["seed"]) == set(SWEEP_SEEDS)
    means = tried.groupby(["learning_rate", "clip"]).agg(
        steps=("steps_to_criterion", "sum"), solved=("solved", "sum"),
        area=("area_under_curve", lambda values: math.fsum(values)),
    )  # fmt: skip
    best = means.sort_values(["steps", "solved", "area"], ascending=[True, False, False]).index[0]
    assert set(tried.loc[tried["chosen"], ["learning_rate", "clip"]].itertuples(index=False)) == {
        best
    }
    results = finished.results
    of_arm = results[results["recipe"] == "tuned"]
    assert len(of_arm) == 2
    assert set(of_arm[["learning_rate", "clip"]].itertuples(index=False)) == {best}
    clipped = results[results["recipe"] == "clipped"]
    assert set(clipped[["learning_rate", "clip"]].itertuples(index=False)) == {(1e-3, 1.0)}
    [choice] = choices(finished.folder)
    assert choice["learning_rate"] == best[0]
    assert choice["clip"] == (best[1] if math.isfinite(best[1]) else "none")
    assert choice["arm"] == "W0"


def test_a_sweep_is_in_no_number_of_the_study(finished: Finished) -> None:
    assert set(finished.results["seed"]) == {0, 1}
    assert len(finished.results) == 4
    assert {summary.n for summary in finished.analysis.arms} == {2}
    curves = pd.read_parquet(finished.folder / "curves.parquet")
    assert set(curves["run"]) == set(finished.results["run"])
    page = finished.report.read_text()
    assert "whose runs are in sweep.parquet and in no number here" in page


def test_the_page_shows_what_was_chosen_and_from_what(finished: Finished) -> None:
    [choice] = choices(finished.folder)
    [figure] = [f for f in finished.report.read_text().split("<figure>") if "chosen from" in f]
    bound = f"clipped at {choice['clip']:g}" if choice["clip"] != "none" else "not clipped"
    assert f"Chosen: W0 {choice['learning_rate']:g}, {bound}." in figure
    tried = pd.read_parquet(finished.folder / "sweep.parquet")
    titles = [text.split("</title>")[0] for text in figure.split("<title>")[1:]]
    for (rate, clip), runs in tried.groupby(["learning_rate", "clip"]):
        where = f"rate {rate:g}, " + ("clipped at 1:" if math.isfinite(clip) else "not clipped:")
        [said] = [title for title in titles if where in title]
        assert f"mean steps {runs['steps_to_criterion'].mean():.1f}, " in said
        assert f"{runs['solved'].sum()} of 5 runs solved" in said
        is_chosen = rate == choice["learning_rate"] and where.endswith(f"{bound}:")
        assert said.endswith(", chosen") == is_chosen


def test_run_again_nothing_is_repeated(finished: Finished) -> None:
    runs = finished.folder / "runs"
    before = {path: path.stat().st_mtime_ns for path in runs.iterdir()}
    run(TUNED, finished.folder, workers=0)
    assert {path: path.stat().st_mtime_ns for path in runs.iterdir()} == before


@pytest.mark.slow
def test_a_study_killed_in_its_sweep_or_after_it_goes_on(
    finished: Finished, tmp_path: Path
) -> None:
    for name, seeds in (("in", [*SWEEP_SEEDS]), ("after", [0])):
        shutil.copytree(finished.folder, tmp_path / name)
        tables = [pd.read_parquet(finished.folder / f"{t}.parquet") for t in ("sweep", "results")]
        rows = pd.concat(tables)
        lost = rows.loc[rows["seed"].isin(seeds), "run"].unique()[-2:]
        for run_id in lost:
            (tmp_path / name / "runs" / f"{run_id}.npz").unlink()
        for table in (*TABLES, "timing"):
            (tmp_path / name / f"{table}.parquet").unlink()
        planned = plan_study(TUNED, tmp_path / name)
        assert len({r.id for r in planned.todo if r.setting}) >= len(lost) - 1
        done, total = [], []

        def tell(now: int, of: int, done: list[int] = done, total: list[int] = total) -> None:
            done.append(now)
            total.append(of)

        run(TUNED, tmp_path / name, workers=0, on_progress=tell)
        assert done == sorted(done)
        assert done[-1] == total[-1]
        assert_same(finished.folder, tmp_path / name)


def test_a_study_goes_on_from_its_tables_with_its_sweep(finished: Finished, tmp_path: Path) -> None:
    folder = tmp_path / "moved"
    shutil.copytree(finished.folder, folder, ignore=shutil.ignore_patterns("runs", "*.h5"))
    done: list[int] = []
    run(TUNED, folder, workers=0, on_progress=lambda count, all_: done.append(count))
    assert not done
    assert_same(finished.folder, folder)
    assert choices(folder) == choices(finished.folder)


def test_a_sweep_that_differs_is_found(finished: Finished, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(finished.folder, other)
    table = pd.read_parquet(other / "sweep.parquet")
    table.loc[3, "accuracy"] += 0.125
    table.to_parquet(other / "sweep.parquet")
    found = compare(finished.folder, other).numbers
    assert found == (f"sweep: accuracy differs in 1 of {len(table)} runs",)
    (other / "sweep.parquet").unlink()
    assert compare(finished.folder, other).numbers == ("sweep: is only in one of them",)


def test_an_unfinished_sweep_is_reported_without_its_arms(
    finished: Finished, tmp_path: Path
) -> None:
    shutil.copytree(finished.folder, tmp_path / "s")
    tried = pd.read_parquet(finished.folder / "sweep.parquet")
    (tmp_path / "s" / "runs" / f"{tried['run'][0]}.npz").unlink()
    partial = report_study(tmp_path / "s")
    assert set(partial.results["recipe"]) == {"clipped"}
    left = pd.read_parquet(tmp_path / "s" / "sweep.parquet")
    assert (len(left), left["chosen"].any()) == (39, False)
    for run_id in finished.results["run"]:
        (tmp_path / "s" / "runs" / f"{run_id}.npz").unlink(missing_ok=True)
    with pytest.raises(WorkFailed, match="has no finished run"):
        report_study(tmp_path / "s")


def test_more_seeds_keep_the_choice(finished: Finished, tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path / "s")
    grown = run(TUNED.with_options(seeds=3), tmp_path / "s", workers=0)
    assert choices(grown.folder) == choices(finished.folder)
    assert len(grown.results) == 6
    a, b = (pd.read_parquet(at / "sweep.parquet") for at in (finished.folder, grown.folder))
    pd.testing.assert_frame_equal(a, b, check_exact=True)


@pytest.mark.slow
def test_a_rerun_is_the_same(finished: Finished, tmp_path: Path) -> None:
    again, differences = rerun_study(finished.folder, tmp_path / "again", workers=0)
    assert differences == Differences((), ())
    assert_same(finished.folder, again.folder)


@pytest.mark.slow
def test_two_workers_and_another_order_give_the_same_bits(
    finished: Finished, tmp_path: Path
) -> None:
    other = replace(TUNED, recipes=("tuned", "clipped"))
    again = run(other, tmp_path / "again", workers=2)
    by = ["run", "recipe"]
    a, b = (r.sort_values(by).reset_index(drop=True) for r in (finished.results, again.results))
    pd.testing.assert_frame_equal(a, b, check_exact=True)
    one, two = (pd.read_parquet(at / "sweep.parquet") for at in (finished.folder, again.folder))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_a_study_without_tuned_has_neither_its_columns_nor_its_table(tmp_path: Path) -> None:
    plain = run(TUNED.with_options(recipe="seed"), tmp_path / "s", workers=0)
    assert not {"learning_rate", "clip"} & set(plain.results.columns)
    assert "What tuned was chosen from" not in plain.report.read_text()
    assert sorted(os.listdir(plain.folder)) == [
        ".lock", "cohort.h5", "curves.parquet", "provenance.json", "report.html",
        "results.parquet", "runs", "study.toml", "timing.parquet",
    ]  # fmt: skip
    assert "tuned" not in json.loads((plain.folder / "provenance.json").read_text())


# Words


def test_a_study_file_and_a_primary_can_name_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[study]\nrecipe = ["clipped", "tuned"]\n'
        'primary = {contrast = ["W*D*C", "WD*C"], recipe = "tuned"}\n'
    )
    study = Study.read(path)
    assert study.recipes == ("clipped", "tuned")
    assert study.primary == Primary(null="WD*C", recipe="tuned")
    path.write_text(study.toml())
    assert Study.read(path) == replace(study, units_at_most=False)


@pytest.mark.parametrize("word", ["Tuned", "tuned ", "tune", "seed,tuned"])
def test_a_wrong_word_is_refused(word: str) -> None:
    with pytest.raises(BadInput, match="use seed, clipped, tuned or both"):
        TUNED.with_options(recipe=word)


def test_the_plan_counts_both_stages(finished: Finished, tmp_path: Path) -> None:
    planned = plan_study(TUNED, tmp_path / "absent")
    assert (len(planned.sweep), len(planned.runs), len(planned.todo)) == (40, 4, 44)
    assert planned.seconds > 0
    assert not plan_study(TUNED, finished.folder).todo
    assert len(ARMS) * 40 == len(plan_study(preset("quick").with_options(
        arms=list(ARMS), recipe="tuned", cohort="synthetic:16")).sweep)  # fmt: skip
