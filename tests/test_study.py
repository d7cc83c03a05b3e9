"""Studies: their files, plans and folders; the same numbers however they ran."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from biosernn import BadInput, Study, WorkFailed, run, synthetic_cohort
from biosernn.protocol import CORRECTED, PUBLISHED, Protocol, protocol_named
from biosernn.run import plan_study, report_study, rerun_study
from biosernn.study.arms import ARMS, PUBLISHED_ARMS, Arm
from biosernn.study.plan import plan, resolve, study_hash
from biosernn.study.presets import PRESETS, preset
from biosernn.study.sample import Sample
from biosernn.study.store import Store

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
    path.write_text("#" * 1_000_001)
    with pytest.raises(BadInput, match="1 MB"):
        Study.read(path)
    with pytest.raises(BadInput, match="No such file"):
        Study.read(tmp_path / "absent.toml")


@pytest.mark.parametrize("name", PRESETS)
def test_a_written_study_reads_as_itself(name, tmp_path):
    study = replace(preset(name), units_at_most=False)
    path = tmp_path / "study.toml"
    path.write_text(study.toml())
    read = Study.read(path)
    assert replace(read, units_at_most=False) == study


def test_a_preset_s_primary_that_is_left_out_is_kept_but_not_tested(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text('[study]\narms = ["W*D*C", "WD*C"]\n')
    study = Study.read(path)
    assert (study.primary.null, study.primary_is_own) == ("shuffled-in-bins", False)


def test_arms_are_those_of_the_published_tables():
    assert (
        *("W*D*C", "WD*C", "WDC", "WD*", "WD", "W"),
        *("W*D*C*", "WD*C*", "W*DC*", "W!D*C", "W!D*C*"),
    ) == PUBLISHED_ARMS
    assert len(preset("grid").arms) == 13
    assert (len(preset("paper").arms), len(preset("paper").conditions)) == (12, 3)


# Plans


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


@pytest.fixture(scope="module")
def published_sample(shared):
    from biosernn import read_release

    return Sample(read_release(shared / "data" / "release" / "6_6_2"), 312, 0, PUBLISHED)


def test_starting_penalties_are_the_published_ones(published_sample):
    from biosernn.training.penalty import penalty

    expected = {"W": 4401, "WD": 8656, "WD*": 730, "WDC": 63, "WD*C": 5.4}
    for name, value in expected.items():
        kind, inputs = published_sample.penalty(ARMS[name], 0.3)
        with jax.enable_x64(True):
            computed = float(
                penalty(kind, jnp.asarray(published_sample.initial(ARMS[name])), inputs)
            )
        assert computed == pytest.approx(value, rel=0.05), name


def test_published_coordinates_are_the_reference_s(published_sample, shared):
    with np.load(shared / "oracle" / "regularisers_312.npz", allow_pickle=False) as oracle:
        coordinates = oracle["n312/coords"]
    expected = np.sqrt(((coordinates[:, :, None] - coordinates[:, None]) ** 2).sum(0))
    np.testing.assert_allclose(published_sample.distances("real"), expected, atol=1e-12)


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


def test_every_field_of_the_protocol_is_tested():
    assert {*SWITCHES, *OUTCOME_FIELDS} == set(PUBLISHED.departures())


def test_the_outcome_s_fields_of_the_protocol(finished):
    results = {}
    for fields in ("corrected", *(f"corrected+{f}" for f in OUTCOME_FIELDS)):
        cohort = synthetic_cohort(48, 0)
        study = resolve(SMALL.with_options(protocol=fields, units=48), [cohort])
        from biosernn.study.perform import perform

        results[fields] = perform(plan(study, [cohort])[0], cohort)
    corrected = results["corrected"]
    assert results["corrected+accuracy"].row["accuracy"] == corrected.row["accuracy_training"]
    assert corrected.row["accuracy"] == corrected.row["accuracy_test"]
    on_test = results["corrected+heldout"].curves["accuracy"]
    assert on_test[-1] == corrected.row["accuracy_test"]
    assert on_test[-1] != corrected.curves["accuracy"][-1]
    assert results["corrected+draws"].row["loss"] != corrected.row["loss"]
    other_nulls = results["corrected+nulls"].row
    assert np.isfinite(other_nulls["small_worldness"])
    changed = {name for name, value in corrected.row.items() if other_nulls[name] != value}
    assert changed == {"small_worldness"}


# Study folders


def test_a_study_s_tables_hold_every_planned_run(finished):
    results, curves = _tables(finished.folder)
    assert len(results) == 3 * 2 * 2
    assert set(curves["run"]) == set(results["run"])
    assert set(curves.loc[curves["metric"] == "accuracy", "step"]) == set(range(0, 41, 5))
    assert finished.report.stat().st_size > 10_000
    provenance = json.loads((finished.folder / "provenance.json").read_text())
    assert provenance["extensions"][0]["seeds"] == 2
    assert str(finished.folder) not in (finished.folder / "results.parquet").read_bytes().decode(
        "latin1"
    )


def test_run_again_nothing_is_repeated(finished):
    files = {p: p.stat().st_mtime_ns for p in (finished.folder / "runs").iterdir()}
    run(SMALL, finished.folder, workers=0)
    assert {p: p.stat().st_mtime_ns for p in (finished.folder / "runs").iterdir()} == files


def test_two_workers_give_the_same_bits(finished, tmp_path):
    again = run(SMALL, tmp_path / "again", workers=2)
    _same(finished.folder, again.folder)


def test_an_extended_study_is_the_larger_study(finished, tmp_path):
    run(SMALL, tmp_path / "grown", workers=0)
    larger = SMALL.with_options(seeds=3)
    grown = run(larger, tmp_path / "grown", workers=0)
    _same(grown.folder, run(larger, tmp_path / "whole", workers=0).folder)
    provenance = json.loads((grown.folder / "provenance.json").read_text())
    assert [e["seeds"] for e in provenance["extensions"]] == [2, 3]
    kept = run(SMALL, tmp_path / "grown", workers=0)
    assert len(kept.results) == len(grown.results)


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


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_in_the_same_tables(finished, tmp_path):
    """SIGKILL, SIGTERM and SIGINT in turn, each after another span, until the study is done."""
    study = tmp_path / "mine.toml"
    study.write_text(SMALL.toml())
    arguments = [*COMMAND, str(study), "--out", str(tmp_path / "out"), "--workers", "2"]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    for number, span in enumerate((2.0, 5.0, 8.0, 9.0, 10.0, 11.0)):
        process = subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        time.sleep(span)
        process.send_signal((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[number % 3])
        process.wait(timeout=60)
        if number % 3:
            assert process.returncode in (0, 130)
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env=environment, timeout=300)
    _same(finished.folder, tmp_path / "out")
    assert not list((tmp_path / "out" / "runs").glob(".*.tmp"))


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
    assert differences == []
    _same(finished.folder, again.folder)
    provenance = json.loads((again.folder / "provenance.json").read_text())
    provenance["versions"]["jax"] = "0.0.1"
    (again.folder / "provenance.json").write_text(json.dumps(provenance))
    results = pd.read_parquet(again.folder / "results.parquet")
    results.loc[0, "loss"] += 1
    results.to_parquet(again.folder / "results.parquet")
    differences = rerun_study(again.folder, tmp_path / "third", workers=0)[1]
    assert [line.split()[0] for line in differences] == ["jax", "results:"]
    assert differences[1] == "results: loss differs in 1 rows"


@pytest.mark.slow
@pytest.mark.parametrize("units", [64, 128, 139, 312])
def test_a_run_alone_is_the_run_in_a_study(units, tmp_path):
    """The same bits alone, in a study of other arms, in another order and in a worker."""
    cohort = "synthetic:312"
    arms = ["W*D*C", "WD*C*", "W0"]
    asked = SMALL.with_options(cohort=cohort, units=units, recipe="clipped")
    study = run(asked.with_options(arms=arms), tmp_path / "study", workers=2)
    alone = run(asked.with_options(arms=["WD*C*"]), tmp_path / "alone", workers=0)
    last = run(asked.with_options(arms=arms[::-1]), tmp_path / "last", workers=0)
    both = study.results.merge(last.results, on="run", suffixes=("", "_last"))
    assert len(both) == 6
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
