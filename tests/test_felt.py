"""Which choices a run can feel: runs of one id or training are the same computation."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosernn.protocol import PUBLISHED
from biosernn.run import plan_study, run
from biosernn.sources.synthetic import synthetic_cohort
from biosernn.study import perform as performing
from biosernn.study.arms import ARMS, Arm
from biosernn.study.felt import READ
from biosernn.study.functional import rebinned
from biosernn.study.perform import perform, start_weights
from biosernn.study.plan import Run
from biosernn.study.presets import preset
from biosernn.study.sample import Sample
from biosernn.study.store import Store
from biosernn.tasks.registry import TASKS

COHORT = synthetic_cohort(24, 0)
WITHOUT_EVENTS = replace(COHORT, spikes=None)
FIELDS = tuple(PUBLISHED.departures())
FURTHER = (
    Arm("by distance alone", "orthogonal", communicability="none"),
    Arm("wiring, matched", "wiring", communicability="matched"),
    Arm("on the grid, no penalty", geometry="grid", strength=0.0),
    Arm("without sign, grid", "sttc-only", "grid", sign="nonnegative"),
    Arm("no diagonal", geometry="none", communicability="none", diagonal="drop"),
)
PROTOCOLS = st.sets(st.sampled_from(FIELDS)).map(lambda names: "+".join(["corrected", *names]))


def made(arm, protocol, strength=0.3, task="maze", cohort=COHORT):
    return Run(
        *(0, cohort.content_sha256, arm, task, 0, protocol, "seed", 16, strength, 1),
        rebinned=rebinned(cohort),
    )


def content(run, *, in_training):
    """All that goes into a run's training or, besides, into what is read of it."""
    protocol = run.protocol
    drawn = Sample(COHORT if run.rebinned else WITHOUT_EVENTS, run.units, run.seed, protocol)
    kind, numbers = drawn.penalty(run.arm, run.strength)
    if not kind.matched and kind.wiring != "distance_communicability":
        kind = replace(kind, isolated="zero")
    arrays = [*start_weights(run, drawn.initial(run.arm)), *numbers, drawn.row_sign(run.arm)]
    words = [kind, protocol.draws]
    if run.trained_on.noise_sd is not None or not in_training:
        words.append(protocol.heldout)
    if not in_training:
        arrays += [drawn.initial(run.arm), drawn.recorded_correlation]
        words += [protocol.accuracy, protocol.nulls]
    return words, [None if array is None else np.asarray(array).tobytes() for array in arrays]


@settings(deadline=None, max_examples=60)
@given(
    arm=st.sampled_from((*ARMS.values(), *FURTHER)),
    protocols=st.tuples(PROTOCOLS, PROTOCOLS),
    strength=st.sampled_from((0.0, 0.3)),
    task=st.sampled_from(tuple(TASKS)),
    cohort=st.sampled_from((COHORT, WITHOUT_EVENTS)),
)
def test_runs_of_one_id_or_training_are_computed_from_the_same(
    arm, protocols, strength, task, cohort
):
    one, other = (made(arm, protocol, strength, task, cohort) for protocol in protocols)
    if one.id == other.id:
        assert content(one, in_training=False) == content(other, in_training=False)
    if one.training == other.training:
        assert content(one, in_training=True) == content(other, in_training=True)


@pytest.mark.parametrize("arm", [*ARMS.values(), *FURTHER], ids=lambda arm: arm.name)
def test_each_departure_that_leaves_an_id_leaves_its_content(arm):
    for name, strength, base in product(FIELDS, (0.0, 0.3), ("corrected", "published")):
        departed = f"corrected+{name}"
        if base == "published":
            departed = "+".join(["corrected", *(field for field in FIELDS if field != name)])
        one, other = made(arm, base, strength), made(arm, departed, strength)
        if one.id == other.id:
            assert content(one, in_training=False) == content(other, in_training=False), name
        if one.training == other.training:
            assert content(one, in_training=True) == content(other, in_training=True), name


def test_what_each_kind_of_arm_feels_by_name():
    def unfelt(arm, strength=0.3, cohort=COHORT):
        base, *departed = (
            made(ARMS[arm], protocol, strength, cohort=cohort).id
            for protocol in ("corrected", *(f"corrected+{name}" for name in FIELDS))
        )
        return {name for name, one in zip(FIELDS, departed, strict=True) if one == base}

    of_penalty = {"isolated", "positions", "geometry_scale", "strength_match"}
    l1, matched = {"l1_strength"}, {"matched_wiring_term", "connectome_order"}
    assert unfelt("W*D*C") == l1 | matched | {"strength_match"}
    assert unfelt("WD*C") == l1 | matched | {"strength_match", "threshold"}
    assert unfelt("W") == matched | {"isolated", "threshold"}
    assert unfelt("W0") == l1 | matched | of_penalty | {"threshold"}
    assert unfelt("W*D*C", 0.0) == unfelt("W*") == l1 | matched | of_penalty
    assert unfelt("wiring") == l1 | {"matched_wiring_term", "strength_match"}
    assert unfelt("W*D*C*") == l1 | {"strength_match"}
    assert unfelt("W*D*C*", cohort=WITHOUT_EVENTS) == l1 | {"strength_match", "bins"}
    assert (
        made(ARMS["W*D*C"], "corrected", 0.0).id == made(ARMS["W*"], "corrected+positions", 0.3).id
    )


def test_a_run_without_a_penalty_is_the_same_at_every_strength_and_geometry():
    ids = {made(ARMS[arm], "corrected", 0.0).id for arm in ("W*D*C", "W*DC*", "W*", "box")}
    assert len(ids) == 1
    assert made(ARMS["W*D*C"], "corrected", 0.3).id not in ids


def test_how_many_networks_the_preset_quirks_trains():
    runs = plan_study(preset("quirks").with_options(cohort="synthetic:128")).runs
    assert len(runs) == 3120
    assert len({run.id for run in runs}) == 2220
    assert len({run.training for run in runs}) == 1340
    of_matrices = [replace(run, rebinned=False) for run in runs]
    assert len({run.id for run in of_matrices}) == 1980
    assert len({run.training for run in of_matrices}) == 1260


TWINS = (
    "corrected",
    "corrected+matched_wiring_term",
    *(f"corrected+{name}" for name in sorted(READ)),
)
STUDY = preset("quick").with_options(
    cohort="synthetic:24", units=16, arms=["WD*C"], seeds=2, epochs=1, recipe="seed", protocol=TWINS
)


def test_runs_that_share_a_training_come_out_as_if_each_was_trained(tmp_path, monkeypatch):
    trained = []
    train = performing.train
    monkeypatch.setattr(
        performing, "train", lambda *a, **k: trained.append(k["seed"]) or train(*a, **k)
    )
    finished = run(STUDY, tmp_path / "study", workers=0)
    assert trained == [0, 1]
    assert len(finished.results) == 12
    assert finished.results["run"].nunique() == 10
    store = Store(tmp_path / "study")
    study, cohorts = store.read()
    for planned in plan_study(study.with_options(cohort="synthetic:24")).runs[:6]:
        alone = perform(planned, cohorts[0])
        row = finished.results.set_index(["protocol", "seed"]).loc[planned.protocol_name, 0]
        assert {n: v for n, v in alone.row.items() if v == v} == {
            n: row[n] for n, v in alone.row.items() if v == v
        }
        for stored, array in zip(
            store.recurrent_weights(planned.id), alone.weights["recurrent"][[0, -1]], strict=True
        ):
            np.testing.assert_array_equal(stored, array)
    assert len(trained) == 2 + 6


def test_a_lost_file_of_runs_that_share_a_training_is_made_again_alone(tmp_path):
    finished = run(STUDY, tmp_path / "study", workers=0)
    store = Store(tmp_path / "study")
    files = {path: path.stat().st_mtime_ns for path in store.runs.glob("*.npz")}
    lost = store.run_path(finished.results["run"].iloc[-1])
    lost.unlink()
    again = run(STUDY, tmp_path / "study", workers=0)
    assert {p for p in files if p.stat().st_mtime_ns != files[p]} == {lost}
    np.testing.assert_array_equal(
        again.results.drop(columns="run").to_numpy(str),
        finished.results.drop(columns="run").to_numpy(str),
    )


def test_every_field_of_a_protocol_is_felt_by_some_arm():
    for name in FIELDS:
        ids = {
            arm: (made(arm, "corrected").id, made(arm, f"corrected+{name}").id)
            for arm in ARMS.values()
        }
        assert any(before != after for before, after in ids.values()), name
