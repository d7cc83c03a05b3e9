"""Effects, intervals, verdicts and the finding, each figure by a second route."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from biosernn.analysis.analyse import analyse
from biosernn.analysis.contrast import measure, paired_by_seed
from biosernn.analysis.findings import Analysis, Contrast
from biosernn.analysis.multiplicity import holm
from biosernn.analysis.proportion import wilson
from biosernn.analysis.restricted_mean import restricted_mean, restricted_mean_difference
from biosernn.analysis.risk_difference import exact_mcnemar, risk_difference
from biosernn.analysis.sign_flip import sign_flip, sign_flip_limits
from biosernn.analysis.survival import kaplan_meier
from biosernn.analysis.t_interval import t_interval
from biosernn.analysis.verdict import verdict
from biosernn.errors import BadInput
from biosernn.study.primary import Primary
from biosernn.training.criterion import area_under_curve, collapsed, steps_to_criterion

Z95, Z90 = 1.959963984540054, 1.6448536269514722


def runs(arm: str, steps: list[int], **columns: object) -> pd.DataFrame:
    """Rows of one arm, seed 0 onwards; a run of 400 steps is censored and unsolved."""
    steps = np.asarray(steps)
    row = {
        "cohort": "6_6_2",
        "session": 6,
        "arm": arm,
        "task": "maze",
        "seed": np.arange(len(steps)),
        "protocol": "corrected",
        "recipe": "clipped",
        "strength": 0.3,
        "status": "done",
        "accuracy": np.where(steps < 400, 1.0, 0.625),
        "solved": steps < 400,
        "steps_to_criterion": steps,
        "censored": steps == 400,
        "collapsed": False,
        "penalty_dominates": False,
    }
    return pd.DataFrame(row | columns)


def table(*arms: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(arms, ignore_index=True)


def noisy(centre: int, n: int = 20, key: int = 0, spread: int = 6) -> list[int]:
    draw = np.random.default_rng([key, centre]).integers(-spread, spread + 1, n)
    return list(centre + 5 * draw)


def contrast(arm: list[int], null: list[int], outcome: str = "restricted_mean_steps") -> Contrast:
    """One contrast as if it were the only member of its family."""
    frames = [
        frame.assign(steps=frame["steps_to_criterion"])
        for frame in (runs("arm", arm), runs("null", null))
    ]
    place = ("6_6_2", "maze", "corrected", "clipped")
    pairs = paired_by_seed(*frames)
    found = measure(place, "activity", "arm", "null", outcome, pairs, strength=0.3, total_steps=400)
    found = replace(found, p_holm=found.p)
    word, reason = verdict(found)
    return replace(found, verdict=word, reason=reason)


def only(analysis: Analysis, **fields: object) -> Contrast:
    (found,) = [c for c in analysis.contrasts if all(getattr(c, k) == v for k, v in fields.items())]
    return found


# Fractions


def score_limits(successes: int, n: int, z: float) -> tuple[float, float]:
    """Roots of n (p̂ − p)² = z² p (1 − p)."""
    share = successes / n
    roots = np.roots([n + z * z, -(2 * n * share + z * z), n * share * share])
    return tuple(np.sort(np.clip(roots.real, 0, 1)))


@pytest.mark.parametrize(("successes", "n"), [(0, 20), (1, 20), (13, 20), (20, 20), (2, 3)])
def test_wilson_by_its_quadratic_and_by_statsmodels(successes: int, n: int) -> None:
    from statsmodels.stats.proportion import proportion_confint

    found = wilson(successes, n)
    expected = proportion_confint(successes, n, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)
    assert (found.low, found.high) == pytest.approx(score_limits(successes, n, Z95), abs=1e-7)


def pairs_of(both: int, only_arm: int, only_null: int, neither: int) -> tuple[list, list]:
    arm = [True] * (both + only_arm) + [False] * (only_null + neither)
    null = [True] * both + [False] * only_arm + [True] * only_null + [False] * neither
    return arm, null


def newcombe(arm: list, null: list, z: float) -> tuple[float, float]:
    """Method 10 by its definition, from the vectors rather than the table."""
    arm, null = np.array(arm, float), np.array(null, float)
    n, p1, p2 = len(arm), arm.mean(), null.mean()
    (l1, u1), (l2, u2) = (score_limits(int(x.sum()), n, z) for x in (arm, null))
    spread = p1 * (1 - p1) * p2 * (1 - p2)
    phi = 0.0
    if spread > 0:
        covariance = np.mean(arm * null) - p1 * p2
        if covariance > 0:
            covariance = max(covariance - 1 / (2 * n), 0)
        phi = covariance / np.sqrt(spread)
    below = np.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    above = np.sqrt((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2)
    return p1 - p2 - below, p1 - p2 + above


@pytest.mark.parametrize(
    "counts",
    [(59, 6, 16, 80), (1, 1, 7, 12), (20, 0, 0, 0), (0, 0, 0, 20), (0, 20, 0, 0), (9, 0, 0, 11)],
)
@pytest.mark.parametrize(("level", "z"), [(0.95, Z95), (0.90, Z90)])
def test_risk_difference_by_the_definition(counts: tuple, level: float, z: float) -> None:
    arm, null = pairs_of(*counts)
    found = risk_difference(arm, null, level)
    assert found.estimate == pytest.approx(np.mean(arm) - np.mean(null))
    assert (found.low, found.high) == pytest.approx(newcombe(arm, null, z), abs=1e-7)


def test_risk_difference_reproduces_a_printed_example() -> None:
    """Cavo et al. 2012 as printed by the R package contingencytables."""
    found = risk_difference(*pairs_of(59, 6, 16, 80))
    printed = (-0.0621, -0.1186, -0.0046)
    assert (found.estimate, found.low, found.high) == pytest.approx(printed, abs=5e-5)


def test_risk_difference_of_uncorrelated_pairs_is_the_independent_interval() -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    found = risk_difference(*pairs_of(0, 15, 0, 5))
    expected = confint_proportions_2indep(15, 20, 0, 20, method="newcomb")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)


outcomes = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


@given(outcomes)
def test_risk_difference_changes_sign_with_its_sides(pairs: list) -> None:
    arm, null = zip(*pairs, strict=True)
    one, other = risk_difference(arm, null), risk_difference(null, arm)
    ends = (-other.estimate, -other.high, -other.low)
    assert (one.estimate, one.low, one.high) == pytest.approx(ends)
    assert -1 <= one.low <= one.estimate <= one.high <= 1
    assert one.low < one.high
    assert exact_mcnemar(arm, null) == exact_mcnemar(null, arm)


@pytest.mark.parametrize("counts", [(3, 6, 0, 1), (0, 4, 4, 2), (5, 0, 0, 5), (1, 9, 2, 0)])
def test_exact_mcnemar_is_a_binomial_test_of_the_discordant_pairs(counts: tuple) -> None:
    _, only_arm, only_null, _ = counts
    discordant = only_arm + only_null
    expected = stats.binomtest(only_arm, discordant).pvalue if discordant else 1.0
    assert exact_mcnemar(*pairs_of(*counts)) == pytest.approx(expected)


# Restricted mean steps


def bca(values: np.ndarray, level: float) -> tuple[float, float]:
    """Efron's interval in plain NumPy, on draws of its own."""
    rng = np.random.default_rng(1)
    n = len(values)
    means = np.sort(values[rng.integers(0, n, (100_000, n))].mean(axis=1))
    below, equal = np.mean(means < values.mean()), np.mean(means == values.mean())
    bias = stats.norm.ppf(below + equal / 2)
    jackknife = (values.sum() - values) / (n - 1)
    pull = jackknife.mean() - jackknife
    acceleration = np.sum(pull**3) / (6 * np.sum(pull**2) ** 1.5)
    z = bias + stats.norm.ppf([(1 - level) / 2, (1 + level) / 2])
    return tuple(np.quantile(means, stats.norm.cdf(bias + z / (1 - acceleration * z))))


@pytest.mark.parametrize("level", [0.95, 0.90])
@pytest.mark.parametrize("key", [0, 1])
def test_restricted_mean_by_a_second_bootstrap(level: float, key: int) -> None:
    rng = np.random.default_rng(key)
    arm = np.where(np.arange(20) < 2, 400, 100 + 5 * rng.integers(0, 12, 20))
    found = restricted_mean(arm, level)
    assert found.estimate == np.mean(arm)
    width = found.high - found.low
    assert (found.low, found.high) == pytest.approx(bca(arm, level), abs=0.03 * width)


def not_rejected(differences: np.ndarray, level: float) -> tuple[float, float]:
    """Least and largest shift that the sign-flip test, on draws of its own, does not reject."""
    n = len(differences)
    signs = np.random.default_rng(1).choice([-1, 1], (20_000, n))
    if n < 12:
        signs = np.array(list(product((-1, 1), repeat=n)))
    kept = []
    for shift in np.arange(differences.min() - 0.25, differences.max() + 0.5, 0.5):
        left = differences - shift
        sums = signs @ left
        p = 2 * min(np.mean(sums >= left.sum() - 1e-9), np.mean(sums <= left.sum() + 1e-9))
        kept += [shift] if p > 1 - level else []
    return min(kept), max(kept)


@pytest.mark.parametrize("level", [0.95, 0.90])
@pytest.mark.parametrize("n", [6, 8, 20])
def test_restricted_mean_difference_by_trying_every_shift(level: float, n: int) -> None:
    rng = np.random.default_rng(n)
    arm = 90 + 5 * rng.integers(0, 12, n)
    null = np.where(np.arange(n) < 2, 400, 100 + 5 * rng.integers(0, 12, n))
    found = restricted_mean_difference(arm, null, level)
    assert found.estimate == pytest.approx(np.mean(arm) - np.mean(null))
    width = found.high - found.low
    within = 0.5 if n < 12 else 0.03 * width
    ends = not_rejected(arm - null, level)
    assert (found.low, found.high) == pytest.approx(ends, abs=within)
    assert found.method == f"inverted sign-flip test, {'exact' if n < 12 else '10,000 draws'}"


def test_limits_of_normal_differences_are_nearly_those_of_student() -> None:
    differences = np.random.default_rng(0).normal(3, 10, (40, 30))
    expected = stats.ttest_1samp(differences, 0, axis=1).confidence_interval()
    found = np.array(sign_flip_limits(differences, 0.95))
    assert np.abs(found - [expected.low, expected.high]).max() < 0.5


@pytest.mark.parametrize(("n", "least"), [(5, 0.90), (6, 0.95)])
def test_few_pairs_have_limits_of_a_low_level_only(n: int, least: float) -> None:
    differences = np.arange(float(n))[None]
    assert not np.isnan(sign_flip_limits(differences, least)).any()
    assert np.isnan(sign_flip_limits(differences[:, 1:], least)).all()
    assert restricted_mean_difference(np.arange(4), np.zeros(4)).method == (
        "not estimable: 4 pairs are too few"
    )


steps = st.integers(0, 80).map(lambda check: 5 * check)


@settings(max_examples=20)
@given(st.lists(st.tuples(steps, steps), min_size=2, max_size=12))
def test_restricted_mean_difference_changes_sign_with_its_sides(pairs: list) -> None:
    arm, null = map(np.array, zip(*pairs, strict=True))
    one, other = restricted_mean_difference(arm, null), restricted_mean_difference(null, arm)
    ends = (-other.estimate, -other.high, -other.low)
    assert (one.estimate, one.low, one.high) == pytest.approx(ends, nan_ok=True)
    differences = (arm - null).astype(float)[None]
    assert sign_flip(differences) == sign_flip(-differences)


@settings(max_examples=20)
@given(st.lists(st.integers(-80, 80), min_size=2, max_size=9))
def test_sign_flip_by_enumeration(differences: list[int]) -> None:
    signs = np.array(list(product((-1, 1), repeat=len(differences))))
    null = signs @ np.array(differences)
    tails = np.mean(null >= sum(differences)), np.mean(null <= sum(differences))
    (p,) = sign_flip(np.array(differences, float)[None])
    assert p == pytest.approx(min(1.0, 2 * min(tails)))


def test_sign_flip_of_many_seeds_is_near_its_exact_distribution() -> None:
    differences = np.array([-4, 9, -7, -12, 3, -8, -5, -1, 6, -9, -2, 0, -6, 4, -3, -10, 2, -5])
    span = int(np.abs(differences).sum())
    chance = np.zeros(2 * span + 1)
    chance[span] = 1
    for size in np.abs(differences):
        chance = (np.roll(chance, size) + np.roll(chance, -size)) / 2
    exact = 2 * chance[: span + differences.sum() + 1].sum()
    (p,) = sign_flip(differences.astype(float)[None])
    assert p == pytest.approx(exact, abs=5 * np.sqrt(exact / 10_000))
    by_scipy = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=10_000, rng=1
    )
    assert p == pytest.approx(by_scipy.pvalue, abs=7 * np.sqrt(exact / 10_000))


@pytest.mark.parametrize("n", [8, 13, 20])
def test_an_interval_holds_0_exactly_where_the_test_does_not_reject_it(n: int) -> None:
    differences = np.random.default_rng(n).normal(3, 7, (300, n)).round()
    p = sign_flip(differences)
    for level in (0.95, 0.90):
        low, high = sign_flip_limits(differences, level)
        assert (((low <= 0) & (high >= 0)) == (p > 1 - level + 1e-12)).all()
    assert 0.1 < np.mean(p <= 0.05) < 0.9


def test_t_interval_by_scipy() -> None:
    accuracy = [1.0, 0.625, 1.0, 0.875, 0.5]
    found = t_interval(accuracy)
    expected = stats.ttest_1samp(accuracy, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    bounded = t_interval(accuracy, bounds=(0, 1))
    assert (bounded.low, bounded.high) == (found.low, 1)


def test_intervals_without_spread_are_not_estimable() -> None:
    alike = restricted_mean_difference([90] * 20, [100] * 20)
    for found in (restricted_mean([400] * 20), t_interval([1.0] * 20), alike):
        assert np.isnan([found.low, found.high]).all()
        assert found.method.startswith("not estimable")


@given(st.lists(st.tuples(steps, st.booleans()), min_size=1, max_size=30))
def test_kaplan_meier_by_the_product_limit(drawn: list) -> None:
    at, censored = map(np.array, zip(*drawn, strict=True))
    found_steps, not_yet = kaplan_meier(at, censored, 400)
    assert found_steps == tuple(sorted({0, 400, *at.tolist()}))
    share, expected = 1.0, []
    for step in found_steps:
        reached = np.sum((at == step) & ~censored)
        share *= 1 - reached / max(np.sum(at >= step), 1)
        expected.append(share)
    assert not_yet == pytest.approx(expected)


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_steps_down(p: list[float]) -> None:
    expected, largest = [0.0] * len(p), 0.0
    for rank, index in enumerate(np.argsort(p, kind="stable")):
        largest = max(largest, min(1.0, (len(p) - rank) * p[index]))
        expected[index] = largest
    assert holm(p) == pytest.approx(expected)


# Learning curves


@given(st.lists(st.booleans(), min_size=1, max_size=81))
def test_criterion_by_a_plain_loop(right: list[bool]) -> None:
    checks = [5 * check for check in range(len(right))]
    starts = [k for k in range(len(right) - 2) if right[k] and right[k + 1] and right[k + 2]]
    expected = (checks[starts[0]], False) if starts else (400, True)
    assert steps_to_criterion(checks, right, 400) == expected
    assert collapsed(right) == (bool(starts) and not all(right[starts[0] :]))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=81))
def test_area_under_curve_is_a_weighted_mean(accuracy: list[float]) -> None:
    checks = 5 * np.arange(len(accuracy))
    weights = np.ones(len(accuracy))
    weights[[0, -1]] = 0.5
    expected = np.average(accuracy, weights=weights)
    assert area_under_curve(checks, accuracy) == pytest.approx(expected)


# Verdicts


def test_helps_and_harms_swap_with_the_sides() -> None:
    sooner, later = noisy(100), noisy(180, key=1)
    assert contrast(sooner, later).verdict == "helps"
    assert contrast(later, sooner).verdict == "harms"
    solving, failing = [100] * 18 + [400] * 2, [400] * 17 + [100] * 3
    assert contrast(solving, failing, "solved").verdict == "helps"
    assert contrast(failing, solving, "solved").verdict == "harms"


def test_close_arms_do_not_differ_and_wide_ones_cannot_tell() -> None:
    assert contrast(noisy(100), noisy(100, key=1)).verdict == "no difference"
    mixed = contrast([100, 400] * 10, [400, 400, 100, 100] * 5)
    assert mixed.verdict == "cannot tell"
    assert "beyond ±20" in mixed.reason


def test_fewer_than_ten_seeds_never_claim() -> None:
    assert contrast([100] * 8 + [105], [300] * 9).reason == "too few seeds: 9, at least 10 needed"
    assert contrast(noisy(100, 9), noisy(100, 9)).verdict == "cannot tell"
    assert contrast([100] * 9 + [105], [300] * 10).verdict == "helps"


@pytest.mark.parametrize("every", [100, 400])
def test_all_solving_or_all_failing_cannot_tell(every: int) -> None:
    in_steps = contrast([every] * 20, [every] * 20)
    assert (in_steps.verdict, in_steps.p) == ("cannot tell", 1.0)
    assert np.isnan([in_steps.effect.low, in_steps.equivalence.high]).all()
    in_solved = contrast([every] * 20, [every] * 20, "solved")
    assert in_solved.verdict == "cannot tell"
    half_width = Z90**2 / (20 + Z90**2)
    assert in_solved.equivalence.high == pytest.approx(half_width)
    assert contrast([every] * 40, [every] * 40, "solved").verdict == "no difference"


def test_pairs_of_censored_runs_do_not_show_equivalence() -> None:
    found = contrast([400] * 20, [395] + [400] * 19)
    assert -20 < found.equivalence.low <= found.equivalence.high < 20
    assert found.verdict == "cannot tell"
    assert found.reason.startswith("only 1 of 20 pairs")


def test_a_difference_that_holm_does_not_keep_is_no_claim() -> None:
    found = contrast(noisy(100), noisy(180, key=1))
    word, why = verdict(replace(found, p_holm=0.06))
    assert word == "cannot tell"
    assert "but Holm's p is 0.06" in why
    word, why = verdict(replace(found, p_holm=None))
    assert (word, "exploratory" in why) == ("helps", True)
    assert verdict(replace(found, p_holm=None, p=0.06))[0] == "cannot tell"


def test_a_single_pair_has_no_small_p() -> None:
    assert sign_flip(np.array([[-30.0]])) == 1.0


def bimodal(rng: np.random.Generator, solve: float, n: int = 20) -> np.ndarray:
    """Steps of runs that either reach the criterion near step 120 or never do."""
    return np.where(rng.random(n) < solve, 120 + 5 * rng.integers(-8, 9, n), 400)


@pytest.mark.parametrize("solve", [0.1, 0.5, 0.9])
def test_arms_without_a_difference_are_seldom_said_to_differ(solve: float) -> None:
    """Of 60 true nulls 7 may be claimed: at 5 % more than that has a probability of 0.01."""
    rng = np.random.default_rng(3)
    words = [contrast(bimodal(rng, solve), bimodal(rng, solve)).verdict for _ in range(60)]
    assert sum(word in ("helps", "harms") for word in words) <= 7


def test_a_large_bimodal_difference_is_found() -> None:
    rng = np.random.default_rng(4)
    words = [contrast(bimodal(rng, 0.95), bimodal(rng, 0.3)).verdict for _ in range(20)]
    assert words.count("helps") >= 18
    assert "harms" not in words


# Whole studies


def study(n: int = 20, **columns: object) -> pd.DataFrame:
    """Both recipes; activity and geometry without effect, self-weights and the plain gap with."""
    fast = {
        "W*D*C": noisy(100, n),
        "shuffled-in-bins": noisy(100, n, key=1),
        "positions-shuffled": noisy(100, n, key=2),
        "diagonal-only": noisy(150, n, key=3),
        "WD*C": [*noisy(120, n - 2, key=4), 400, 400],
    }
    slow = fast | {"WD*C": [400] * n}
    return table(
        *(runs(arm, fast[arm], **columns) for arm in fast),
        *(runs(arm, slow[arm], recipe="seed", **columns) for arm in slow),
    )


def test_headline_figures_by_plain_pandas() -> None:
    results = study()
    analysis = analyse(results, primary=Primary())
    wiring, geometry, activity = analysis.headline
    clipped = results[results["recipe"] == "clipped"]
    wide = clipped.pivot(index="seed", columns="arm", values="steps_to_criterion")
    p = {}
    for found in (geometry, activity):
        difference = (wide[found.arm] - wide[found.null]).to_numpy(float)
        assert found.effect.estimate == pytest.approx(difference.mean())
        width = found.effect.high - found.effect.low
        for interval in (found.effect, found.equivalence):
            ends = not_rejected(difference, interval.level)
            assert (interval.low, interval.high) == pytest.approx(ends, abs=0.03 * width)
        signs = np.random.default_rng(9).choice([-1, 1], (100_000, 20))
        p[found.question] = np.mean(np.abs((signs * difference).mean(1)) >= abs(difference.mean()))
        assert found.p == pytest.approx(p[found.question], abs=0.02)
        correlation = np.corrcoef(wide[found.arm], wide[found.null])[0, 1]
        assert found.pair_correlation == pytest.approx(correlation)
        assert found.verdict == "no difference"
        assert found.in_family
    lower, higher = sorted((geometry, activity), key=lambda c: c.p)
    assert lower.p_holm == min(1, 2 * lower.p)
    assert higher.p_holm == max(lower.p_holm, higher.p)
    assert (activity.primary, geometry.primary) == (True, False)
    assert (wiring.verdict, wiring.n) == ("not tested", 0)
    assert wiring.reason == "no runs of wiring and wiring-distance-rewired"


def test_plain_gap_under_each_recipe() -> None:
    results = study()
    clipped, seed = analyse(results, primary=Primary()).plain_gap
    assert (clipped.recipe, seed.recipe) == ("clipped", "seed")
    for found in (clipped, seed):
        of = results[results["recipe"] == found.recipe]
        solved = of.pivot(index="seed", columns="arm", values="solved")
        expected = solved["W*D*C"].mean() - solved["WD*C"].mean()
        assert found.effect.estimate == pytest.approx(expected)
        ends = newcombe(solved["W*D*C"].tolist(), solved["WD*C"].tolist(), Z95)
        assert (found.effect.low, found.effect.high) == pytest.approx(ends, abs=1e-7)
        assert not found.in_family


def test_arm_summaries_count_runs() -> None:
    results = study()
    first = results.index[0]
    results.loc[first, "status"] = "diverged"
    results.loc[1, "collapsed"] = True
    results.loc[2, "penalty_dominates"] = True
    results.loc[3, "accuracy"] = 0.94
    summary = analyse(results, primary=Primary()).arms[0]
    assert summary.arm == "W*D*C"
    assert (summary.n, summary.n_solved, summary.n_censored, summary.n_diverged) == (20, 19, 1, 1)
    assert (summary.n_collapsed, summary.n_penalty_dominates, summary.solved_095) == (1, 1, 0.95)
    steps = np.where(np.arange(20) == 0, 400, results["steps_to_criterion"][:20])
    assert summary.mean_steps.estimate == pytest.approx(steps.mean())
    assert summary.solved == wilson(19, 20)


def test_exploratory_contrasts_say_so() -> None:
    analysis = analyse(study(), primary=Primary())
    found = only(analysis, null="diagonal-only", outcome="restricted_mean_steps", recipe="clipped")
    assert found.effect.high < 0
    assert (found.verdict, found.p_holm) == ("helps", None)
    assert "exploratory" in found.reason
    family = {(c.question, c.recipe, c.outcome) for c in analysis.contrasts if c.in_family}
    assert family == {
        (question, "clipped", "restricted_mean_steps") for question in ("activity", "geometry")
    }


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        ("arm != 'shuffled-in-bins'", "no runs of shuffled-in-bins"),
        ("recipe == 'seed'", "no runs under protocol corrected and recipe clipped"),
    ],
)
def test_without_the_primary_all_is_exploratory(kept: str, reason: str) -> None:
    analysis = analyse(study().query(kept), primary=Primary())
    primary = only(analysis, primary=True)
    assert (primary.verdict, primary.reason) == ("not tested", reason)
    assert not any(c.in_family for c in analysis.contrasts)
    assert analysis.headline[2] == primary
    assert analysis.finding.startswith(f"primary not tested: {reason}; activity: not tested; ")


def test_the_finding_is_one_plain_line() -> None:
    finding = analyse(study(), primary=Primary()).finding
    head, geometry, wiring, gap = finding.split("; ")
    assert head.startswith("activity: no difference within ±20 steps (")
    assert head.endswith("] steps, n = 20)")
    assert geometry.startswith("geometry: no difference")
    assert wiring == "wiring: not tested"
    assert gap == "gap to the plain RNN, fraction solved: clipped +0.10, seed +1.00"
    assert "-" not in finding
    assert finding.isprintable()


def test_the_finding_of_few_seeds_says_so_first() -> None:
    analysis = analyse(study(n=3), primary=Primary())
    assert analysis.finding.startswith("too few to tell: 3 seeds, at least 10 needed; activity: ")
    assert (analysis.seeds, analysis.seeds_needed) == (3, 10)
    assert {c.verdict for c in analysis.contrasts} == {"cannot tell"}


def test_a_primary_of_ones_own_joins_the_family() -> None:
    primary = Primary(outcome="solved", arm="W*D*C", null="mine", recipe="seed")
    results = table(study(), runs("mine", [400] * 20, recipe="seed"))
    analysis = analyse(results, primary=primary)
    found = only(analysis, primary=True)
    assert (found.question, found.verdict, found.p_holm) == ("primary", "helps", 3 * found.p)
    assert analysis.finding.startswith("primary (W*D*C minus mine): helps (+1.00 [")
    assert {c.outcome for c in analysis.headline} == {"solved"}


def test_contrasts_pair_shared_seeds_whatever_the_order() -> None:
    results = study()
    expected = analyse(results, primary=Primary()).headline[2]
    shuffled = results.iloc[[0, *np.random.default_rng(0).permutation(np.arange(1, len(results)))]]
    found = analyse(shuffled, primary=Primary()).headline[2]
    assert found.effect.estimate == pytest.approx(expected.effect.estimate)
    assert found.pair_correlation == pytest.approx(expected.pair_correlation)
    lacking = results[~((results["arm"] == "shuffled-in-bins") & (results["seed"] < 5))]
    assert analyse(lacking, primary=Primary()).headline[2].n == 15


def test_each_cohort_is_shown_and_the_family_spans_them() -> None:
    results = table(study(), study(cohort="5_7_8", session=5))
    analysis = analyse(results, primary=Primary())
    cohorts = [c.cohort for c in analysis.contrasts if c.primary]
    assert cohorts == ["6_6_2", "5_7_8"]
    members = [c for c in analysis.contrasts if c.in_family]
    assert holm([c.p for c in members]) == [c.p_holm for c in members]
    assert len(members) == 4
    assert {c.cohort for c in (*analysis.headline, *analysis.plain_gap)} == {"6_6_2"}
    assert "2 cohorts are shown one by one" in analysis.describes
    assert "2 known sessions, fewer than 5" in analysis.describes


def test_strengths_are_compared_one_by_one() -> None:
    results = table(study(), study(strength=0.1).query("arm != 'shuffled-in-bins'"))
    analysis = analyse(results, primary=Primary())
    found = [
        (c.strength, c.in_family)
        for c in analysis.contrasts
        if (c.null, c.recipe, c.outcome)
        == ("positions-shuffled", "clipped", "restricted_mean_steps")
    ]
    assert found == [(0.3, True), (0.1, False)]
    assert [c.n for c in analysis.contrasts] == [20] * len(analysis.contrasts)


@pytest.mark.parametrize(
    ("strengths", "tested"), [((0.0, 0.3, 1.0), 0.3), ((0.3, 0.0), 0.3), ((0.1, 1.0), 0.1)]
)
def test_a_sweep_is_tested_at_the_published_strength_or_its_first(
    strengths: tuple[float, ...], tested: float
) -> None:
    results = pd.concat(study(strength=value) for value in strengths)
    assert results.index.has_duplicates
    analysis = analyse(results, primary=Primary())
    assert {c.strength for c in analysis.contrasts if c.in_family} == {tested}
    shown = [c for c in (*analysis.headline, *analysis.plain_gap) if c.n]
    assert len(shown) > 1
    assert {c.strength for c in shown} == {tested}
    assert analysis.arms[0].strength == tested


@pytest.mark.parametrize(("end", "word"), [(19.9, "no difference"), (20.0, "cannot tell")])
def test_a_difference_as_large_as_the_bound_is_not_ruled_out_by_touching_it(
    end: float, word: str
) -> None:
    found = contrast(noisy(100), noisy(100, key=1))
    for low, high in ((-end, 5.0), (-5.0, end)):
        equivalence = replace(found.equivalence, low=low, high=high)
        wide = replace(found.effect, low=-25.0, high=25.0)
        assert verdict(replace(found, equivalence=equivalence, effect=wide, p_holm=1.0))[0] == word


def test_the_bound_follows_the_length_of_the_runs() -> None:
    results = study().replace({"steps_to_criterion": {400: 800}})
    analysis = analyse(results, primary=Primary(), total_steps=800)
    assert analysis.headline[2].bound == 40
    assert analysis.survival[0].steps[-1] == 800


def test_unusable_results_are_refused() -> None:
    results = study()
    with pytest.raises(BadInput, match="results: no column solved; use"):
        analyse(results.drop(columns="solved"), primary=Primary())
    with pytest.raises(BadInput, match="results: no runs; run the study first"):
        analyse(results.iloc[:0], primary=Primary())
    with pytest.raises(BadInput, match=r"W\*D\*C with seed 0 is there twice"):
        analyse(table(results, results.iloc[:1]), primary=Primary())
    with pytest.raises(BadInput, match="'speed' is unknown"):
        Primary(outcome="speed")


# Several cohorts


def of_cohorts(*sessions: int) -> tuple[pd.DataFrame, list[float]]:
    """A study of one cohort a session given, and the mean difference of each."""
    frames, effects = [], []
    for number, session in enumerate(sessions):
        steps = noisy(100, key=number), noisy(100 + 10 * number, key=20 + number)
        place = {"cohort": f"field {number}", "session": session}
        pairs = zip(("W*D*C", "shuffled-in-bins"), steps, strict=True)
        frames += [runs(arm, taken, **place) for arm, taken in pairs]
        effects.append(float(np.subtract(*steps).mean()))
    return table(*frames), effects


def test_cohorts_of_one_session_count_once() -> None:
    results, effects = of_cohorts(4, 4, 4, 5, 6, 7, 8)
    analysis = analyse(results, primary=Primary())
    assert analysis.finding.startswith("cohort field 0 alone; ")
    (pooled,) = [p for p in analysis.pooled if p.outcome == "restricted_mean_steps"]
    sessions = [np.mean(effects[:3]), *effects[3:]]
    half = stats.t.ppf(0.975, 4) * stats.sem(sessions)
    assert pooled.effect.n == 5
    assert pooled.effect.estimate == pytest.approx(np.mean(sessions))
    assert pooled.effect.high - pooled.effect.low == pytest.approx(2 * half)
    assert [effect for _, effect in pooled.cohorts] == pytest.approx(effects)
    assert dict(pooled.sessions)[4] == pytest.approx(np.mean(effects[:3]))
    assert "interval over their 5 sessions" in analysis.describes


def test_fewer_than_five_known_sessions_give_no_interval() -> None:
    results, effects = of_cohorts(4, 5, 6, 7, -1)
    pooled = analyse(results, primary=Primary()).pooled[0]
    assert pooled.effect.n == 4
    assert pooled.effect.estimate == pytest.approx(np.mean(effects[:4]))
    assert np.isnan(pooled.effect.low)
    assert "sessions known 4, needed 5" in pooled.effect.method
    assert len(pooled.cohorts) == 5


def test_a_single_cohort_is_not_pooled() -> None:
    assert not analyse(of_cohorts(4)[0], primary=Primary()).pooled


def test_arms_at_different_settings_are_compared_but_nothing_is_claimed_of_their_weights() -> None:
    rng, runs = np.random.default_rng(0), []
    for arm, steps, rate in (
        ("W*D*C", 50, 0.003),
        ("shuffled-in-bins", 70, 0.001),
        ("WD*C", 90, 0.001),
    ):
        runs.append(
            pd.DataFrame(
                {
                    "arm": arm,
                    "seed": range(20),
                    "steps_to_criterion": steps + 5 * rng.integers(0, 3, 20),
                    "learning_rate": rate,
                    "clip": np.inf if arm == "WD*C" else 1.0,
                }
            )
        )
    results = pd.concat(runs, ignore_index=True).assign(
        cohort="6_6_2",
        session=6,
        task="maze",
        protocol="corrected",
        recipe="tuned",
        strength=0.3,
        status="done",
        accuracy=1.0,
        solved=True,
        censored=False,
        collapsed=False,
        penalty_dominates=False,
    )
    primary = Primary(recipe="tuned")

    def steps(results: pd.DataFrame, null: str) -> Contrast:
        found = analyse(results, primary=primary, total_steps=400)
        return next(c for c in found.contrasts if c.null == null and c.n and c.outcome != "solved")

    apart = steps(results, "shuffled-in-bins")
    assert apart.effect.high < 0
    assert apart.verdict == "cannot tell"
    assert apart.reason == (
        "trained at different settings: learning rate 0.003, clip 1 against learning rate 0.001, "
        "clip 1"
    )
    assert steps(results, "WD*C").verdict == "helps"
    assert "no clip" in steps(results, "WD*C").settings
    alike = steps(results.assign(learning_rate=0.001), "shuffled-in-bins")
    assert (alike.verdict, alike.settings) == ("helps", "")
