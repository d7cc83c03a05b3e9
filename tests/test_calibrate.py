"""Simulated studies: their truth, their numbers against single ones, power and the command."""

import csv
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from biosernn import cli
from biosernn.analysis import calibrate as calibration
from biosernn.analysis.many import measure_many
from biosernn.analysis.multiplicity import holm
from biosernn.analysis.power import seeds_needed, seeds_sentence
from biosernn.analysis.restricted_mean import restricted_mean_difference
from biosernn.analysis.risk_difference import exact_mcnemar, risk_difference
from biosernn.analysis.scenario import (
    DIFFERENT,
    FAMILIES,
    NO_DIFFERENCE,
    POWER,
    Outcomes,
    Scenario,
    draw,
)
from biosernn.analysis.sign_flip import sign_flip, sign_flip_limits
from biosernn.analysis.verdict import verdict
from biosernn.study.presets import preset
from biosernn.study.primary import Primary

STEPS = "restricted_mean_steps"


def rng(key: int = 0) -> np.random.Generator:
    return np.random.default_rng(key)


# Scenarios


@pytest.mark.parametrize("correlation", [0.0, 0.9])
@pytest.mark.parametrize(("solved", "mean", "spread"), [(0.7, 100, 40), (0.95, 20, 16), (0, 9, 9)])
def test_drawn_runs_have_the_stated_distribution(
    solved: float, mean: float, spread: float, correlation: float
) -> None:
    outcomes = Outcomes(solved, mean, spread)
    ((arm, null),) = draw(Scenario(outcomes, outcomes, 20, correlation), 5000, rng())
    for steps in (arm, null):
        assert set(np.unique(steps)) <= {*range(5, 400, 5), 400}
        error = np.sqrt(outcomes.variance / steps.size) * (1 + 20 * correlation)
        assert steps.mean() == pytest.approx(outcomes.expected_steps, abs=5 * error + 1e-6)
        assert steps.var() == pytest.approx(outcomes.variance, rel=0.05)
        assert (steps < 400).mean() == pytest.approx(solved, abs=0.01)
    if solved:
        together = np.corrcoef(arm.ravel(), null.ravel())[0, 1]
        assert together == pytest.approx(0, abs=0.02) if not correlation else together > 0.5


def test_nulls_of_a_cohort_share_their_arm_and_cohorts_share_nothing() -> None:
    alike = Outcomes(0.5)
    first, second, other, _ = draw(Scenario(alike, alike, 5, nulls=2, cohorts=2), 3, rng())
    assert first[0] is second[0]
    assert not (first[1] == second[1]).all()
    assert not (first[0] == other[0]).all()


def test_scenarios_hold_the_boundary_cases_and_name_their_truth() -> None:
    shares = {scenario.arm.solved for scenario in NO_DIFFERENCE}
    assert {0, 1} < shares
    assert {scenario.n for scenario in NO_DIFFERENCE} == {10, 20}
    assert {s.steps for s in (*NO_DIFFERENCE, *FAMILIES)} == {0}
    assert [round(s.steps) for s in DIFFERENT[:7]] == [20, 20, 20, 20, 17, 24, 35]
    named = [Scenario(arm, null, 20).steps for arm, null in POWER.values()]
    assert [round(steps) for steps in named] == [-20, -19, -38, -45, 0]


# The numbers of many studies are those of each


def studies(n: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for scenario in (
        Scenario(Outcomes(0.9), Outcomes(0.7), n),
        Scenario(Outcomes(0.0), Outcomes(0.05), n),
        Scenario(Outcomes(1.0, 60), Outcomes(1.0), n, correlation=0.9),
    ):
        ((arm, null),) = draw(scenario, 5, rng(n))
        yield arm, null


@pytest.mark.parametrize("n", [10, 13, 14, 20])
def test_intervals_and_p_are_those_of_single_studies_to_the_bit(n: int) -> None:
    for arm, null in studies(n):
        differences, p = arm - null, sign_flip(arm - null)
        for level in (0.95, 0.90):
            low, high = sign_flip_limits(differences, level)
            for row, pair in enumerate(zip(arm, null, strict=True)):
                alone = restricted_mean_difference(*pair, level)
                np.testing.assert_array_equal([low[row], high[row]], [alone.low, alone.high])
        assert p.tolist() == [sign_flip(values[None])[0] for values in differences]


@pytest.mark.parametrize("outcome", [STEPS, "solved"])
def test_verdicts_are_those_of_analyse(outcome: str) -> None:
    """Each study as a table of results, read by the whole of `analyse`."""
    import pandas as pd

    from biosernn.analysis.analyse import analyse

    for arm, null in studies(12):
        for index, found in enumerate(measure_many(arm, null, outcome, 400)[:2]):
            runs = [
                pd.DataFrame({"steps_to_criterion": steps[index].astype(int), "arm": name})
                for name, steps in (("mine", arm), ("null", null))
            ]
            results = pd.concat([frame.assign(seed=range(12)) for frame in runs]).assign(
                cohort="6_6_2", session=6, task="maze", protocol="corrected", recipe="clipped",
                strength=0.3, status="done", accuracy=1.0, collapsed=False, penalty_dominates=False,
            )  # fmt: skip
            results["censored"] = results["steps_to_criterion"] == 400
            results["solved"] = ~results["censored"]
            primary = Primary(outcome=outcome, arm="mine", null="null")
            contrasts = analyse(results.reset_index(drop=True), primary=primary).contrasts
            (alone,) = (c for c in contrasts if c.primary)
            assert str(found.effect) == str(alone.effect)
            assert str(found.equivalence) == str(alone.equivalence)
            assert (found.p, found.reached) == (alone.p, alone.reached)
            assert verdict(replace(found, p_holm=found.p)) == (alone.verdict, alone.reason)


def test_a_family_is_judged_as_by_holm() -> None:
    ((arm, null),) = draw(Scenario(Outcomes(1.0, 80), Outcomes(1.0), 12), 24, rng())
    contrasts = measure_many(arm, null, STEPS, 400)
    seen = set()
    for family in zip(contrasts[::2], contrasts[1::2], strict=True):
        adjusted = holm([c.p for c in family])
        expected = {verdict(replace(c, p_holm=p))[0] for c, p in zip(family, adjusted, strict=True)}
        assert calibration.judged(family) == expected
        seen |= expected
    assert {"helps", "cannot tell"} <= seen


def test_counts_by_plain_numpy() -> None:
    """Shares of one scenario, from Newcombe's intervals and McNemar's p study by study."""
    scenario = Scenario(Outcomes(0.95), Outcomes(0.5), 20)
    found = calibration.calibration("mine", scenario, "solved", 40, rng(3))
    ((arm, null),) = draw(scenario, 40, rng(3))
    helps = covered = 0
    for a, b in zip(arm < 400, null < 400, strict=True):
        interval = risk_difference(a, b)
        helps += interval.low > 0 and exact_mcnemar(a, b) < 0.05
        covered += interval.low <= 0.95 - 0.5 <= interval.high
    assert (found.helps, found.coverage) == (helps / 40, covered / 40)
    assert (found.harms, found.claims, found.estimable) == (0, found.helps, 1)
    assert found.claims_error == pytest.approx(np.sqrt(found.helps * (1 - found.helps) / 40))


def test_boundary_cases_claim_nothing() -> None:
    for outcome in (STEPS, "solved"):
        failing, *_ = NO_DIFFERENCE
        found = calibration.calibration("mine", failing, outcome, 10, rng())
        assert (found.claims, found.no_difference) == (0, 0)
        assert found.estimable == (0 if outcome == STEPS else 1)
        assert np.isnan(found.coverage) == (outcome == STEPS)


# Power


@pytest.mark.parametrize("contrasts", [1, 3])
def test_seeds_needed_have_the_power_by_students_t(contrasts: int) -> None:
    """Against the noncentral t for finding it, and the two one-sided tests for ruling it out."""
    n = seeds_needed(20, 45, contrasts=contrasts)

    def found(n: int) -> float:
        limit = stats.t.isf(0.025 / contrasts, n - 1)
        return float(stats.nct.sf(limit, n - 1, 20 / (45 / np.sqrt(n))))

    def ruled_out(n: int) -> float:
        half = stats.t.isf(0.05, n - 1) * 45 / np.sqrt(n)
        return float(1 - 2 * stats.norm.sf((20 - half) / (45 / np.sqrt(n))))

    assert min(found(n), ruled_out(n)) == pytest.approx(0.80, abs=0.015)
    assert min(found(n - 3), ruled_out(n - 3)) < 0.80


def test_seeds_needed_are_found_in_simulated_studies() -> None:
    arm, null = POWER["20 steps sooner, every run solved"]
    n = seeds_needed(20, np.sqrt(2 * null.variance))
    found = calibration.calibration("mine", Scenario(arm, null, n), STEPS, 400, rng())
    assert found.helps == pytest.approx(0.80, abs=4 * np.sqrt(0.8 * 0.2 / 400))


def test_a_plan_says_how_many_seeds() -> None:
    quick = preset("quick")
    alone, three = seeds_sentence(quick, 1), seeds_sentence(quick, 3)
    assert alone.startswith("seeds for ±20 steps, 80 % power: about 33 if every run reaches")
    assert alone.endswith("; 10 planned")
    assert alone != three
    solved = replace(quick, primary=replace(quick.decides, outcome="solved"))
    assert seeds_sentence(solved, 1).startswith("seeds for ±0.1 of the runs solved, 80 % power: ")
    without = replace(quick, arms=quick.arms[:1])
    assert seeds_sentence(without, 1).startswith("primary not tested: no W*D*C beside shuffled-in-")
    assert "no recipe clipped" in seeds_sentence(replace(quick, recipes=("seed",)), 1)


# The command


def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "NO_DIFFERENCE", NO_DIFFERENCE[-2:])
    monkeypatch.setattr(calibration, "FAMILIES", FAMILIES[-1:])
    monkeypatch.setattr(calibration, "DIFFERENT", DIFFERENT[:1])
    monkeypatch.setattr(calibration, "SEEDS", (10, 20))


def biosernn(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["biosernn", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_the_command_writes_its_tables_and_the_plot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few(monkeypatch)
    for name in ("found.md", "found.csv"):
        out = ("--out", str(tmp_path / name))
        assert biosernn("calibrate", "--studies", "10", *out, monkeypatch=monkeypatch) == 0
    printed = capsys.readouterr()
    text = (tmp_path / "found.md").read_text()
    assert printed.out.startswith(text)
    assert printed.err.count("16 of 16 scenarios") == 2
    claims, alike, differ = printed.out.splitlines()[-3:]
    assert claims.startswith("false claims: at most ")
    assert claims.rsplit(": ", 1)[1] in ("pass", "FAIL")
    assert alike.startswith("95 % intervals, arms alike: ")
    assert differ.startswith("95 % intervals, arms that differ: ")
    rows = list(csv.DictReader((tmp_path / "found.csv").read_text().splitlines()))
    assert len(rows) == 16
    assert {float(row["studies"]) for row in rows} == {10}
    assert (tmp_path / "found.svg").read_text().count("<svg") == 1


def test_the_summary_says_what_fails() -> None:
    found = calibration.calibration("no difference", NO_DIFFERENCE[-1], STEPS, 10, rng())
    good = replace(found, claims=0.06, coverage=0.95)
    assert [line[-6:] for line in calibration.summary([good])] == [": pass", ": pass"]
    for bad, failing in (
        ({"claims": 0.061}, 0),
        ({"coverage": 0.92}, 1),
        ({"coverage": 0.92, "truth": 20.0, "claims": 0.9}, 2),
    ):
        lines = calibration.summary([good, replace(good, **bad)])
        assert [line[-4:] for line in lines].index("FAIL") == failing
        assert sum(line.endswith("pass") for line in lines) == len(lines) - 1
    wide = calibration.summary([good, replace(good, coverage=0.98)])[1]
    assert wide.endswith("less than 93 %, the least 95.0 ± 6.9, and 1 more than 97 %: pass")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--studies", "9"), "--studies: is 9; give 10 to 100,000"),
        (("--out", "found.txt"), "--out found.txt: is no FILE.md or FILE.csv; name one of them"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: tuple[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert biosernn("calibrate", *arguments, monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err == f"biosernn: {said}\n"
