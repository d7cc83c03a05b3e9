"""The figure of what each departure of the released code accounts for."""

import numpy as np
import pandas as pd
import pytest

from biosernn import run
from biosernn.report.departures import departure_values, departures
from biosernn.study.presets import preset

QUIRKS = preset("quirks")
ARMS = {arm.name: arm.table() for arm in QUIRKS.arms}


@pytest.fixture(scope="module")
def results():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "protocol": protocol,
            "recipe": "seed",
            "arm": arm.name,
            "seed": seed,
            "strength": 0.3,
            "solved": rng.random() < 0.6,
            "accuracy": rng.uniform(0.6, 1),
        }
        for protocol in QUIRKS.protocols
        for arm in QUIRKS.arms
        for seed in range(4)
    )


def test_the_values_are_those_of_the_preset_s_protocols(results):
    values = departure_values(results, ARMS)
    assert len(values) == 2 * 14 * len(QUIRKS.arms)
    alone = values.query("order == 'alone' and departure == 'bins' and arm == 'WDC'").iloc[0]
    runs = results.query("protocol == 'corrected+bins' and arm == 'WDC'")
    assert alone["solved"] == runs["solved"].mean()
    assert alone["accuracy"] == pytest.approx(runs["accuracy"].mean())
    assert alone["n_runs"] == 4
    last = values.query("order == 'added up' and departure == 'nulls' and arm == 'W'").iloc[0]
    assert (
        last["solved"] == results.query("protocol == 'published' and arm == 'W'")["solved"].mean()
    )
    third = values.query("order == 'added up' and departure == 'matched_wiring_term'").iloc[0]
    runs = results.query("protocol == 'corrected+threshold+l1_strength+matched_wiring_term'")
    assert third["solved"] == runs[runs["arm"] == third["arm"]]["solved"].mean()


def test_a_departure_that_an_arm_cannot_feel_makes_no_difference_for_certain(results):
    values = departure_values(results, ARMS).set_index(["order", "departure", "arm"])
    same = values["same_networks"]
    assert same["alone", "threshold", "WD*C"]
    assert same["alone", "nulls", "W*D*C"]
    assert same["added up", "threshold", "WDC"]
    assert not same["alone", "threshold", "W*D*C"]
    assert not same["added up", "nulls", "W*D*C"]
    change = ["difference", "difference_low", "difference_high"]
    assert (values.loc[same, change] == 0).all(axis=None)
    of_matrices = departure_values(results, ARMS, rebinned=False)
    only_bins = of_matrices.query("order == 'alone' and departure == 'bins'")
    assert only_bins["same_networks"].all()
    assert not same["alone", "bins", "W*D*C"]
    felt = values[~same]
    assert (felt["difference_low"] < felt["difference_high"]).all()


@pytest.mark.parametrize("narrow", [False, True])
def test_every_departure_is_named_in_the_figure(results, narrow):
    drawn = departures(departure_values(results, ARMS), ARMS, narrow=narrow)
    assert drawn.startswith("<svg")
    for words in ("connectome order", "+ connectome order", "W*D*C*", "fraction of runs solved"):
        assert words in drawn


def test_a_study_of_two_protocols_has_no_such_figure(results):
    both = results[results["protocol"].isin(["corrected", "published"])]
    assert departure_values(both, ARMS).empty
    assert departure_values(results[results["protocol"] != "corrected"], ARMS).empty


@pytest.mark.slow
def test_a_study_of_departures_shows_them_on_its_page(tmp_path):
    study = QUIRKS.with_options(
        cohort="synthetic:16",
        epochs=1,
        seeds=2,
        arms=["WD*C"],
        protocol=["corrected", "corrected+threshold", "corrected+draws"],
    )
    page = run(study, tmp_path / "out", workers=0).report.read_text()
    assert "What each departure accounts for" in page
