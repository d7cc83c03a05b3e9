"""Studies: their files, plans and folders; the same numbers however they ran."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosernn import BadInput, Study, WorkFailed, run, synthetic_cohort
from biosernn.protocol import CORRECTED, PUBLISHED, Protocol, protocol_named
from biosernn.report import page
from biosernn.report.setting import settings
from biosernn.report.topology import SHAPE
from biosernn.run import plan_study, report_study, rerun_study
from biosernn.study.arms import ARMS, PUBLISHED_ARMS, Arm
from biosernn.study.compare import Differences, compare
from biosernn.study.plan import plan, resolve, study_hash
from biosernn.study.presets import PRESETS, preset
from biosernn.study.primary import Primary
from biosernn.study.provenance import describe
from biosernn.study.sample import Sample
from biosernn.study.store import Store
from biosernn.training.schedule import ENGINE

SMALL = preset("quick").with_options(
    cohort="synthetic:24", units=16, arms=["W*D*C", "WD*C", "W0"], seeds=2, epochs=1
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "small"
    return run(SMALL, folder, workers=0)


def _tables(folder):
    return [pd.read_parquet(folder / name) for name in ("results.parquet", "curves.parquet")]


def _same(one, other):
    for a, b in zip(_tables(one), _tables(other), strict=True):
        pd.testing.assert_frame_equal(a, b, check_exact=True)


# Study files


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "is empty"),
        ("[study]\n", "study: is no table with keys"),
        ("[other]\na = 1\n", "other: is unknown"),
        ("[study]\nsed = 3\n", "sed: is an unknown key"),
        ("[study]\nseeds = 1\n", "seeds: is 1"),
        ("[study]\nseeds = 10001\n", "seeds: is 10001"),
        ("[study]\nseeds = 2.5\n", "seeds: 2.5 is no whole number"),
        ("[study]\nseeds = true\n", "seeds: True is no whole number"),
        ('[study]\nseeds = "ten"\n', "seeds: 'ten' is no whole number"),
        ("[study]\nunits = 7\n", "units: is 7"),
        ("[study]\nepochs = 0\n", "epochs: is 0"),
        ("[study]\nstrength = -1\n", "strength: -1.0 is below 0"),
        ("[study]\nstrength = nan\n", "strength: is not a number"),
        ("[study]\nstrength = inf\n", "strength: inf is no finite number"),
        ("[study]\nstrength = []\n", "strength: is empty"),
        ("[study]\nstrength = [0.3, 0.3]\n", "strength: names the same twice"),
        ('[study]\nstrength = "0.3"\n', "strength: '0.3' is no finite number"),
        ("[study]\narms = []\n", "arms: is empty"),
        ('[study]\narms = ["W*D"]\n', "arms: 'W*D' is no arm"),
        ('[study]\narms = ["W0", "W0"]\n', "arms: names the same twice"),
        ("[study]\narms = [3]\n", "arms: 3 is no arm"),
        ('[study]\narms = [{name = "a", weight = 1}]\n', "arms: unknown key 'weight'"),
        ('[study]\narms = [{init = "bio"}]\n', "arms: an arm's table has no name"),
        ('[study]\narms = [{name = "a", init = "x"}]\n', "arm 'a' init: 'x' is unknown"),
        ('[study]\narms = [{name = "W0", init = "bio"}]\n', "arms: 'W0' names another arm"),
        (
            '[study]\narms = [{name = "a", geometry = "none"}]\n',
            "arm 'a' communicability: needs distances",
        ),
        ('[study]\narms = [{name = "a", strength = -0.1}]\n', "arm 'a' strength: is below 0"),
        ('[study]\ntasks = ["chess"]\n', "tasks: 'chess' is unknown"),
        ("[study]\ncohort = 3\n", "cohort: 3 is no name"),
        ('[study]\nprotocol = "best"\n', "protocol best: is unknown"),
        ('[study]\nprotocol = "published+bins"\n', "protocol published+bins: is unknown"),
        ('[study]\nprotocol = "corrected+bins+bins"\n', "'bins' is there twice"),
        ("[study]\nname = 3\n", "name: 3 is no name"),
        ('[study]\nunits = "most"\n', "units: 'most' is no whole number"),
        (
            '[study]\narms = [{name = "a", init = "shuffled", diagonal = "drop"}]\n',
            "arm 'a' diagonal: acts on W_bio alone",
        ),
        ('[study]\nprotocol = "corrected+x"\n', "protocol corrected+x: 'x' is no field"),
        ('[study]\nrecipe = "none"\n', "recipe: 'none' is unknown"),
        ('[study]\npreset = "slow"\n', "preset: 'slow' is unknown"),
        ('[study]\nprimary = "W0"\n', "primary: is no table"),
        ("[study]\nprimary = {mean = 1}\n", "primary mean: is an unknown key"),
        ('[study]\nprimary = {contrast = ["W0"]}\n', "primary contrast: is no pair"),
        ('[study]\nprimary = {outcome = "joy"}\n', "primary outcome: 'joy' is unknown"),
        (
            '[study]\nprimary = {contrast = ["W0", "box"]}\n',
            "primary contrast: 'box' is not among the arms",
        ),
        (
            '[study]\nrecipe = "seed"\nprimary = {recipe = "clipped"}\n',
            "primary recipe: 'clipped' under 'corrected' is not run",
        ),
        ("[study\n", "is not TOML"),
        ("a = " + "[" * 100_000, ""),
    ],
)
def test_a_wrong_study_file_is_refused_with_its_place(text, place, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        Study.read(path)
    assert str(refused.value).startswith(str(path))
    assert place in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_study_file_that_is_no_text_or_too_large_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="UTF-8"):
        Study.read(path)
    path.write_text("#" * 100_001)
    with pytest.raises(BadInput, match="100 kB"):
        Study.read(path)
    with pytest.raises(BadInput, match="No such file"):
        Study.read(tmp_path / "absent.toml")


@pytest.mark.parametrize("name", PRESETS)
def test_a_written_study_reads_as_itself(name, tmp_path):
    study = replace(preset(name), units_at_most=False)
    path = tmp_path / "study.toml"
    path.write_text(study.toml())
    assert Study.read(path) == study


def _texts():
    return st.text(min_size=1, max_size=8).filter(lambda t: t.strip() and t.isprintable())


@st.composite
def _studies(draw):
    arms = draw(st.lists(st.sampled_from(list(ARMS.values())), min_size=2, unique=True, max_size=5))
    own = Arm(
        draw(_texts().filter(lambda name: name not in ARMS)),
        diagonal=draw(st.sampled_from(["keep", "drop", "drop-rescaled"])),
        strength=draw(st.none() | st.floats(0, 1e6)),
    )
    protocols = draw(
        st.lists(
            st.sampled_from(["corrected", "published", "corrected+bins"]), min_size=1, unique=True
        )
    )
    study = Study(
        draw(_texts()),
        draw(st.lists(_texts(), min_size=1, max_size=3, unique=True)),
        ["maze"],
        [own, *arms],
        draw(st.integers(2, 10_000)),
        units=draw(st.none() | st.integers(8, 500)),
        strength=draw(st.lists(st.floats(0, 1e6), min_size=1, max_size=3, unique=True)),
        epochs=draw(st.integers(1, 1000)),
        protocols=protocols,
        recipes=draw(st.none() | st.sampled_from([["seed"], ["clipped"], ["clipped", "seed"]])),
    )
    if draw(st.booleans()):
        protocol, recipe = draw(st.sampled_from(study.conditions))
        outcome = draw(st.sampled_from(["restricted_mean_steps", "solved"]))
        primary = Primary(outcome, arms[0].name, own.name, recipe, protocol)
        study = replace(study, primary=primary)
    return study


@given(_studies())
def test_any_study_written_reads_as_itself(tmp_path_factory, study):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(study.toml().encode())
    assert Study.read(path) == study


@pytest.mark.slow
def test_a_study_made_in_python_runs_and_goes_on(finished, tmp_path):
    mine = Study(
        "mine", ["synthetic:24"], ["maze"], [ARMS["W*D*C"], ARMS["WD*C"]], 2, epochs=1,
        recipes=["seed"], primary=Primary("solved", "W*D*C", "WD*C", "seed"),
    )  # fmt: skip
    first = run(mine, tmp_path / "s", workers=0)
    assert set(first.results["units"]) == {24}
    assert len(run(mine, tmp_path / "s", workers=0).results) == 4


def test_options_leave_a_study_s_own_primary_as_it_is(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text('[study]\nprimary = {contrast = ["W*D*C", "WD*C"], protocol = "corrected"}\n')
    own = Study.read(path)
    with pytest.raises(BadInput, match="primary protocol: 'corrected' is not run"):
        own.with_options(protocol="published")
    both = {"arms": ["W0", "W*"], "primary": {"contrast": ["W*", "W0"], "recipe": "seed"}}
    assert own.with_options(**both).decides.null == "W0"
    assert preset("quick").with_options(protocol="published").decides.protocol == "published"


def test_cohorts_that_cannot_be_told_apart_are_refused():
    one = synthetic_cohort(24, 0)
    other = replace(synthetic_cohort(24, 1), provenance=one.provenance)
    with pytest.raises(BadInput, match="cohort: synthetic:24 is there twice"):
        resolve(SMALL, [one, one])
    with pytest.raises(BadInput, match="cohort: two of them are called synthetic:24"):
        resolve(SMALL, [one, other])


def test_what_is_not_ours_in_a_folder_stays(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "s")
    (tmp_path / "s" / ".notes.tmp").write_text("mine")
    left = tmp_path / "s" / "runs" / f".{'0' * 20}.npz.1f.tmp"
    left.write_text("half")
    run(SMALL, tmp_path / "s", workers=0)
    assert (tmp_path / "s" / ".notes.tmp").read_text() == "mine"
    assert not left.exists()


def test_a_preset_s_primary_that_is_left_out_is_kept_but_not_tested(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text('[study]\narms = ["W*D*C", "WD*C"]\n')
    study = Study.read(path)
    assert (study.decides.null, study.primary) == ("shuffled-in-bins", None)


def test_arms_are_those_of_the_published_tables():
    assert (
        *("W*D*C", "WD*C", "WDC", "WD*", "WD", "W"),
        *("W*D*C*", "WD*C*", "W*DC*", "W!D*C", "W!D*C*"),
    ) == PUBLISHED_ARMS
    assert len(preset("grid").arms) == 13
    assert (len(preset("paper").arms), len(preset("paper").conditions)) == (12, 3)


# Plans


def test_tasks_can_have_seeds_of_their_own(tmp_path):
    cohort = synthetic_cohort(24, 0)
    grid = preset("grid").with_options(cohort="synthetic:24", recipe="seed")
    counts = pd.Series([run.task for run in plan(resolve(grid, [cohort]), [cohort])]).value_counts()
    assert counts.to_dict() == {"maze": 13 * 20, "go_no_go": 130, "perceptual": 130}
    assert grid.with_options(tasks="go_no_go").seeds == 10
    assert {grid.with_options(seeds=30).seeds_of(task) for task in grid.tasks} == {30}
    path = tmp_path / "study.toml"
    path.write_text(grid.toml())
    assert Study.read(path) == grid
    path.write_text('[study]\npreset = "grid"\nseeds = {maze = 9, perceptual = 3}\n')
    with pytest.raises(BadInput, match="seeds: do not name each task once"):
        Study.read(path)


def test_the_paper_s_plan_has_720_runs():
    cohort = synthetic_cohort(200, 0)
    study = resolve(preset("paper"), [cohort])
    assert (len(plan(study, [cohort])), study.units) == (720, 128)


def test_units_of_a_preset_shrink_and_a_user_s_are_refused():
    cohort = synthetic_cohort(24, 0)
    assert resolve(preset("quick"), [cohort]).units == 24
    with pytest.raises(BadInput, match="units: 48 of the 24 neurons"):
        resolve(preset("quick").with_options(units=48), [cohort])


def test_an_arm_that_needs_what_the_cohort_lacks_is_refused():
    cohort = replace(synthetic_cohort(24, 0), wiring=None, precision=None)
    for arm, part in (("wiring", "wiring"), ("W*D*C*", "wiring"), ("precision-sttc", "precision")):
        study = preset("quick").with_options(arms=[arm])
        with pytest.raises(BadInput, match=f"has no {part}, which arm {arm[0]}"):
            resolve(study, [cohort])


def test_run_ids_hang_on_content_and_not_on_names():
    cohort = synthetic_cohort(24, 0)
    own = Arm("mine", init="orthogonal")
    study = resolve(SMALL.with_options(arms=["WD*C", own], strength=[0.3, 1.0]), [cohort])
    runs = plan(study, [cohort])
    by = {(r.arm.name, r.seed, r.recipe_name, r.strength): r.id for r in runs}
    assert by["WD*C", 0, "seed", 0.3] == by["mine", 0, "seed", 0.3]
    assert len({r.id for r in runs}) == len(runs) // 2
    other = plan(study, [synthetic_cohort(24, 1)])
    assert not {r.id for r in runs} & {r.id for r in other}
    assert study_hash(study, [cohort]) != study_hash(study, [synthetic_cohort(24, 1)])


def test_an_arm_without_penalty_is_run_once_for_all_strengths():
    cohort = synthetic_cohort(24, 0)
    study = resolve(SMALL.with_options(strength=[0.1, 0.3]), [cohort])
    counts = pd.Series([run.arm.name for run in plan(study, [cohort])]).value_counts()
    assert (counts["W0"], counts["W*D*C"]) == (4, 8)


# Samples


@pytest.mark.parametrize("geometry", ["real", "shuffled", "grid", "box"])
def test_corrected_geometries_differ_in_shape_alone(geometry):
    drawn = Sample(synthetic_cohort(40, 0), 32, 0, CORRECTED)
    distances = drawn.distances(geometry)
    assert distances[~np.eye(32, dtype=bool)].mean() == pytest.approx(1)
    matched = Arm("a", geometry=geometry)
    assert drawn.penalty(matched, 0.3)[1].strength == pytest.approx(0.3)


def test_arms_of_one_seed_share_neurons_and_the_lognormal_draw():
    drawn = Sample(synthetic_cohort(40, 0), 32, 3, CORRECTED)
    bio = drawn.initial(ARMS["W*D*C"])
    for name in ("diagonal-only", "shuffled-in-bins", "shuffled", "moment-matched", "wiring"):
        np.testing.assert_array_equal(np.diag(drawn.initial(ARMS[name])), np.diag(bio))
    np.testing.assert_array_equal(drawn.initial(ARMS["positions-shuffled"]), bio)
    np.testing.assert_array_equal(drawn.initial(ARMS["W*"]), bio)
    assert not np.array_equal(drawn.indices, Sample(drawn.cohort, 32, 4, CORRECTED).indices)


SWITCHES = {
    "threshold": lambda s: s.initial(ARMS["W*D*C"]),
    "l1_strength": lambda s: s.penalty(ARMS["W"], 0.3)[1].strength,
    "matched_wiring_term": lambda s: s.penalty(ARMS["W*D*C*"], 0.3)[0],
    "isolated": lambda s: s.penalty(ARMS["W*D*C*"], 0.3)[1].target_sorted,
    "positions": lambda s: s.distances("real"),
    "geometry_scale": lambda s: s.distances("grid"),
    "connectome_order": lambda s: s.counts,
    "bins": lambda s: s.bio,
    "strength_match": lambda s: s.penalty(ARMS["WD*"], 0.3)[1].strength,
}


@pytest.mark.parametrize("field", SWITCHES)
def test_each_field_of_the_protocol_switches_what_it_names(field):
    cohort = synthetic_cohort(40, 0)
    read = SWITCHES[field]
    corrected = read(Sample(cohort, 32, 0, CORRECTED))
    switched = read(Sample(cohort, 32, 0, protocol_named(f"corrected+{field}")))
    if isinstance(corrected, np.ndarray):
        assert corrected.shape != switched.shape or not np.allclose(corrected, switched)
    else:
        assert corrected != switched


OUTCOME_FIELDS = ("accuracy", "heldout", "draws", "nulls")
"""Tested on whole runs in test_protocol.py."""


def test_every_field_of_the_protocol_is_tested():
    assert {*SWITCHES, *OUTCOME_FIELDS} == set(PUBLISHED.departures())


# Study folders


def test_a_study_s_tables_hold_every_planned_run(finished):
    results, curves = _tables(finished.folder)
    assert len(results) == 3 * 2 * 2
    assert set(curves["run"]) == set(results["run"])
    assert set(curves.loc[curves["metric"] == "accuracy", "step"]) == set(range(0, 41, 5))
    assert finished.report.stat().st_size > 10_000
    provenance = json.loads((finished.folder / "provenance.json").read_text())
    assert provenance["sessions"][0]["seeds"] == 2
    assert str(finished.folder) not in (finished.folder / "results.parquet").read_bytes().decode(
        "latin1"
    )


def test_the_penalty_s_share_is_read_while_learning_and_after_clipping(finished):
    """From the curves: median of the ratio up to the criterion, the data's norm as stepped with."""
    results, curves = _tables(finished.folder)
    wide = curves.pivot(index=["run", "step"], columns="metric", values="value").reset_index()
    for row in results.itertuples():
        checks = wide[(wide["run"] == row.run) & (wide["step"] > 0)]
        checks = checks[checks["step"] <= max(row.steps_to_criterion, 5)]
        ratio = checks["gradient_norm_penalty"] / checks["gradient_norm_stepped"]
        assert row.penalty_to_data == pytest.approx(ratio.median(), rel=1e-6)
        assert row.penalty_dominates == (ratio.median() > 1)
        if row.recipe == "clipped":
            assert (checks["gradient_norm_stepped"] <= 1 + 1e-6).all()
    free = results["arm"] == "W0"
    assert (results.loc[free, "penalty_to_data"] == 0).all()
    assert (results.loc[~free, "penalty_to_data"] > 0).all()


def test_run_again_nothing_is_repeated(finished):
    files = {p: p.stat().st_mtime_ns for p in (finished.folder / "runs").iterdir()}
    run(SMALL, finished.folder, workers=0)
    assert {p: p.stat().st_mtime_ns for p in (finished.folder / "runs").iterdir()} == files


def test_the_report_draws_every_measure_that_is_followed_along_training(finished):
    page = finished.report.read_text()
    for title in SHAPE.values():
        assert f"{title} " in page, title


def test_two_workers_give_the_same_bits(finished, tmp_path):
    environment = dict(os.environ)
    again = run(SMALL, tmp_path / "again", workers=2)
    _same(finished.folder, again.folder)
    assert dict(os.environ) == environment


@pytest.mark.slow
def test_an_extended_study_is_the_larger_study(finished, tmp_path):
    run(SMALL, tmp_path / "grown", workers=0)
    larger = SMALL.with_options(seeds=3)
    grown = run(larger, tmp_path / "grown", workers=0)
    _same(grown.folder, run(larger, tmp_path / "whole", workers=0).folder)
    provenance = json.loads((grown.folder / "provenance.json").read_text())
    assert [session["seeds"] for session in provenance["sessions"]] == [2, 3]
    with pytest.raises(BadInput, match="holds 3 seeds of maze, and 2 are asked for"):
        run(SMALL, tmp_path / "grown", workers=0)


@pytest.mark.parametrize(
    "changed", [{"epochs": 2}, {"units": 12}, {"cohort": "synthetic:32"}, {"recipe": "seed"}]
)
def test_another_study_s_folder_is_refused(changed, finished):
    before = (finished.folder / "study.toml").read_bytes()
    with pytest.raises(BadInput, match="holds another study"):
        run(SMALL.with_options(**changed), finished.folder, workers=0)
    assert (finished.folder / "study.toml").read_bytes() == before


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(BadInput, match=r"holds 'thesis.tex' and no study"):
        run(SMALL, tmp_path, workers=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["thesis.tex"]


def test_two_at_once_are_refused(finished):
    store = Store(finished.folder)
    with store.owned(), pytest.raises(WorkFailed, match="another biosernn works"):
        run(SMALL, finished.folder, workers=0)


def test_a_damaged_run_file_is_named(finished, tmp_path):
    run(SMALL, tmp_path / "s", workers=0)
    path = next((tmp_path / "s" / "runs").iterdir())
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(WorkFailed, match=path.name):
        report_study(tmp_path / "s")
    path.unlink()
    again = run(SMALL, tmp_path / "s", workers=0)
    _same(finished.folder, again.folder)


def test_a_plan_counts_what_is_done(finished, tmp_path):
    assert not plan_study(SMALL, finished.folder).todo
    assert len(plan_study(SMALL.with_options(seeds=3), finished.folder).todo) == 6
    assert plan_study(SMALL, tmp_path / "absent").seconds > 0
    assert not (tmp_path / "absent").exists()


@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 2])
def test_the_command_gives_the_same_bits_on_any_number_of_cores(cores, finished, tmp_path):
    if len(os.sched_getaffinity(0)) < cores:
        pytest.skip(f"needs {cores} cores")
    study = tmp_path / "mine.toml"
    study.write_text(SMALL.toml())
    environment = {name: value for name, value in os.environ.items() if name != "NPROC"}
    on_cores = (
        "import os, sys; "
        f"os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:{cores}]); "
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    arguments = [*COMMAND[1:], str(study), "--out", str(tmp_path / "out"), "--workers", "0"]
    subprocess.run(
        [sys.executable, "-c", on_cores, *arguments],
        check=True,
        capture_output=True,
        env=environment | {"JAX_ENABLE_X64": str(cores - 1)},
    )
    _same(finished.folder, tmp_path / "out")


COMMAND = [sys.executable, "-m", "biosernn.cli", "run"]


def test_protocols_by_name():
    assert protocol_named("corrected") == Protocol()
    assert protocol_named("published") == PUBLISHED
    everything = "+".join(("corrected", *PUBLISHED.departures()))
    assert protocol_named(everything) == PUBLISHED


def test_a_cohort_file_is_a_cohort_for_a_study(finished, tmp_path):
    synthetic_cohort(24, 0).write(tmp_path / "c.h5")
    again = run(SMALL.with_options(cohort=str(tmp_path / "c.h5")), tmp_path / "again", workers=0)
    _same(finished.folder, again.folder)
    assert Path(finished.report).name == "report.html"


def test_a_rerun_elsewhere_is_the_same_and_says_what_is_not(finished, tmp_path):
    again, differences = rerun_study(finished.folder, tmp_path / "again", workers=0)
    assert differences == Differences((), ())
    _same(finished.folder, again.folder)
    provenance = json.loads((again.folder / "provenance.json").read_text())
    provenance["sessions"][0]["versions"]["jax"] = "0.0.1"
    (again.folder / "provenance.json").write_text(json.dumps(provenance))
    results = pd.read_parquet(again.folder / "results.parquet")
    results.loc[0, "loss"] += 1
    results.loc[1, "modularity_greedy"] = np.nan
    results[results.index != 2].to_parquet(again.folder / "results.parquet")
    differences = compare(again.folder, finished.folder)
    assert differences.versions == (f"jax: 0.0.1 and {jax.__version__}",)
    assert differences.numbers[:3] == (
        "results: 1 runs are only in the second",
        "results: loss differs in 1 of 11 runs",
        "results: modularity_greedy differs in 1 of 11 runs",
    )
    assert all("are only in the second" in line for line in differences.numbers[3:])


def test_a_folder_is_not_rerun_into_itself(finished):
    with pytest.raises(BadInput, match="is the folder to be rerun; choose another --out"):
        rerun_study(finished.folder, finished.folder / ".." / "small", workers=0)


def test_a_report_leaves_tables_whose_runs_are_elsewhere(finished, tmp_path):
    left_out = shutil.ignore_patterns("runs", ".lock", "cohort.h5")
    shutil.copytree(finished.folder, tmp_path / "s", ignore=left_out)
    before = {path.name: path.read_bytes() for path in (tmp_path / "s").iterdir()}
    with pytest.raises(BadInput, match="holds a study's tables without its runs; `biosernn run"):
        report_study(tmp_path / "s")
    assert {path.name: path.read_bytes() for path in (tmp_path / "s").iterdir()} == before


def test_the_networks_drawn_are_of_the_setting_that_their_caption_names(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(page, "render", lambda inputs: seen.append(inputs) or "")
    study = SMALL.with_options(arms=["W*D*C", "WD*C"], recipe="seed", strength=[0.0, 0.3])
    finished = run(study, tmp_path / "s", workers=0)
    lead = settings(finished.analysis, finished.results)[0]
    assert lead.strength == 0.3
    drawn = seen[0].networks
    assert set(drawn) == {"W*D*C", "WD*C"}
    for arm, network in drawn.items():
        place = (finished.results[["arm", "seed", "strength"]] == [arm, 0, 0.3]).all(axis=1)
        kept = Store(finished.folder).recurrent_weights(finished.results[place]["run"].item())
        np.testing.assert_array_equal(network.end, kept[1])
        assert (network.seed, network.recipe) == (0, "seed")


def test_a_study_of_whole_cohorts_draws_every_neuron_of_each():
    cohorts = [synthetic_cohort(16, 0), synthetic_cohort(24, 0)]
    study = resolve(SMALL.with_options(cohort=["a", "b"], units="all"), cohorts)
    made = describe(study, cohorts, plan(study, cohorts), [], goes_on=False)
    assert made["units"] is None
    assert not any("each seed draws" in note for note in made["notes"])


def test_a_study_without_tables_is_not_rerun(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "s")
    (tmp_path / "s" / "results.parquet").unlink()
    with pytest.raises(BadInput, match=r"results.parquet: is not there; `biosernn report"):
        rerun_study(tmp_path / "s", tmp_path / "again", workers=0)
    assert not (tmp_path / "again").exists()


def test_another_engine_s_folder_is_refused_and_can_be_rerun(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "s")
    provenance = json.loads((tmp_path / "s" / "provenance.json").read_text())
    provenance["engine"] -= 1
    (tmp_path / "s" / "provenance.json").write_text(json.dumps(provenance))
    files = sorted((tmp_path / "s").rglob("*"))
    for refused in (partial(run, SMALL, workers=0), lambda folder: report_study(folder)):
        with pytest.raises(BadInput, match=f"was made by engine {ENGINE - 1}"):
            refused(tmp_path / "s")
    assert sorted((tmp_path / "s").rglob("*")) == files
    differences = rerun_study(tmp_path / "s", tmp_path / "again", workers=0)[1]
    assert differences == Differences((f"engine: {ENGINE - 1} and {ENGINE}",), ())


def test_runs_of_several_versions_are_told_apart(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "s")
    path = tmp_path / "s" / "provenance.json"
    provenance = json.loads(path.read_text())
    provenance["sessions"][0]["versions"]["numpy"] = "1.99.0"
    path.write_text(json.dumps(provenance))
    next((tmp_path / "s" / "runs").glob("*.npz")).unlink()
    page = run(SMALL, tmp_path / "s", workers=0).report.read_text()
    assert f"under different versions (numpy 1.99.0 and {np.__version__})" in page
    timing = pd.read_parquet(tmp_path / "s" / "timing.parquet")
    assert set(timing["numpy"]) == {np.__version__}
    assert not {"numpy", "machine"} & set(pd.read_parquet(tmp_path / "s" / "results.parquet"))


@pytest.mark.slow
@pytest.mark.parametrize("units", [128, 139, 312])
def test_a_run_alone_is_the_run_in_a_study(units, tmp_path):
    """The same bits alone, in a study of other arms, in another order and in a worker."""
    cohort = "synthetic:312"
    arms = ["W*D*C", "WD*C*"]
    asked = SMALL.with_options(cohort=cohort, units=units, recipe="clipped")
    study = run(asked.with_options(arms=arms), tmp_path / "study", workers=2)
    alone = run(asked.with_options(arms=["WD*C*"]), tmp_path / "alone", workers=0)
    last = run(asked.with_options(arms=arms[::-1]), tmp_path / "last", workers=0)
    both = study.results.merge(last.results, on="run", suffixes=("", "_last"))
    assert len(both) == 4
    for results, folder in ((alone.results, alone.folder), (last.results, last.folder)):
        for run_id in results["run"]:
            files = [np.load(at / "runs" / f"{run_id}.npz") for at in (study.folder, folder)]
            for name in set(files[0].files) - {"timing"}:
                np.testing.assert_array_equal(files[0][name], files[1][name])
            for file in files:
                file.close()


def test_a_study_on_a_cohort_that_fails_its_audit_says_so_first(finished, tmp_path):
    good = synthetic_cohort(64, 0)
    order = np.random.default_rng(0).permutation(64)
    replace(good, positions_um=good.positions_um[order]).write(tmp_path / "shuffled.h5")
    study = SMALL.with_options(cohort=str(tmp_path / "shuffled.h5"), arms=["WD*C"], recipe="seed")
    page = run(study, tmp_path / "out", workers=0).report.read_text()
    assert 0 < page.index("Not to be trusted") < page.index("The three answers")
    assert "Not to be trusted" not in finished.report.read_text()


TRAVELLING = ("study.toml", "provenance.json", "results.parquet", "timing.parquet")


def _tables_alone(folder, to, *also):
    to.mkdir()
    for name in (*TRAVELLING, *also):
        shutil.copyfile(folder / name, to / name)
    return to


def test_a_study_goes_on_from_its_tables(finished, tmp_path):
    folder = _tables_alone(finished.folder, tmp_path / "moved", "curves.parquet")
    progress = []
    again = run(SMALL, folder, workers=0, on_progress=lambda done, all_: progress.append(done))
    assert not progress
    _same(finished.folder, folder)
    for name in ("timing.parquet", "results.parquet", "curves.parquet"):
        assert (folder / name).read_bytes() == (finished.folder / name).read_bytes()
    assert "were taken over from tables" in again.report.read_text()


def test_a_study_is_extended_from_its_results_alone(finished, tmp_path):
    folder = _tables_alone(finished.folder, tmp_path / "moved")
    run(replace(SMALL, seeds=3), folder, workers=0)
    run(replace(SMALL, seeds=3), tmp_path / "whole", workers=0)
    moved, whole = _tables(folder), _tables(tmp_path / "whole")
    pd.testing.assert_frame_equal(moved[0], whole[0], check_exact=True)
    third = whole[0].query("seed == 2")["run"]
    assert set(moved[1]["run"].unique()) == set(third)
    before = [path.stat().st_mtime_ns for path in sorted((folder / "runs").glob("*.npz"))]
    run(replace(SMALL, seeds=3), folder, workers=0)
    assert [p.stat().st_mtime_ns for p in sorted((folder / "runs").glob("*.npz"))] == before
    assert Store(folder).provenance()["taken_over"] == len(finished.results)
    again = _tables_alone(folder, tmp_path / "again")
    run(replace(SMALL, seeds=3), again, workers=0)
    assert Store(again).provenance()["taken_over"] == len(whole[0])


def test_a_study_goes_on_from_tables_in_which_its_runs_had_other_ids(finished, tmp_path):
    folder = _tables_alone(finished.folder, tmp_path / "moved")
    for name in ("results", "timing", "curves"):
        table = pd.read_parquet(finished.folder / f"{name}.parquet")
        table["run"] = "formerly " + table["run"].astype(str)
        table.to_parquet(folder / f"{name}.parquet")
    progress = []
    run(SMALL, folder, workers=0, on_progress=lambda done, all_: progress.append(done))
    assert not progress
    _same(finished.folder, folder)
    for name in ("timing", "curves"):
        pd.testing.assert_frame_equal(
            *(pd.read_parquet(at / f"{name}.parquet") for at in (folder, finished.folder)),
            check_exact=True,
            check_categorical=False,
        )


@pytest.mark.parametrize("column", ["arm", "run"])
def test_a_table_that_does_not_say_which_run_a_row_is_of_is_refused(finished, tmp_path, column):
    folder = _tables_alone(finished.folder, tmp_path / "moved")
    pd.read_parquet(folder / "results.parquet").drop(columns=column).to_parquet(
        folder / "results.parquet"
    )
    with pytest.raises(BadInput, match=rf"results\.parquet: has no column '{column}'"):
        run(SMALL, folder, workers=0)


def test_a_report_needs_no_curves(finished, tmp_path):
    folder = _tables_alone(finished.folder, tmp_path / "moved")
    again = run(SMALL, folder, workers=0)
    assert again.analysis.finding == finished.analysis.finding
    assert pd.read_parquet(folder / "curves.parquet").empty


def test_tables_of_another_study_are_refused_and_left(finished, tmp_path):
    folder = _tables_alone(finished.folder, tmp_path / "moved")
    with pytest.raises(BadInput, match=r"provenance\.json: is of another study"):
        run(SMALL.with_options(strength=0.1), folder, workers=0)
    assert not list(folder.glob("cohort*.h5"))
    assert not list((folder / "runs").iterdir())
    pd.testing.assert_frame_equal(run(SMALL, folder, workers=0).results, finished.results)


def test_damaged_tables_are_named_and_taken_over_once_restored(finished, tmp_path):
    folder = _tables_alone(finished.folder, tmp_path / "moved")
    whole = (folder / "results.parquet").read_bytes()
    (folder / "results.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WorkFailed, match=r"results\.parquet: is damaged"):
        run(SMALL, folder, workers=0)
    (folder / "results.parquet").write_bytes(whole)
    pd.testing.assert_frame_equal(run(SMALL, folder, workers=0).results, finished.results)


def test_a_take_over_that_was_killed_goes_on(finished, tmp_path, monkeypatch):
    folder = _tables_alone(finished.folder, tmp_path / "moved")
    write, written = Store.write_run, []

    def dies(self, run_id, record, timing):
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(run_id)
        write(self, run_id, record, timing)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write_run", dies)
        with pytest.raises(KeyboardInterrupt):
            run(SMALL, folder, workers=0)
    progress = []
    run(SMALL, folder, workers=0, on_progress=lambda done, all_: progress.append(done))
    assert not progress
    pd.testing.assert_frame_equal(Store(folder).results(), finished.results)
    assert Store(folder).provenance()["taken_over"] == len(finished.results)


def test_a_user_s_own_cohort_file_is_never_overwritten(tmp_path):
    path = tmp_path / "mine" / "cohort.h5"
    path.parent.mkdir()
    synthetic_cohort(32, 5).write(path)
    before = path.read_bytes()
    with pytest.raises(BadInput, match=r"holds 'cohort.h5' and no study"):
        run(SMALL, path.parent, workers=0)
    assert path.read_bytes() == before


def test_a_study_killed_while_it_was_laid_out_is_laid_out_again(finished, tmp_path):
    run(SMALL, tmp_path / "s", workers=0)
    (tmp_path / "s" / "study.toml").unlink()
    for name in ("results", "curves", "timing"):
        (tmp_path / "s" / f"{name}.parquet").unlink()
    for name in ("report.html", "provenance.json"):
        (tmp_path / "s" / name).unlink()
    _same(finished.folder, run(SMALL, tmp_path / "s", workers=0).folder)
