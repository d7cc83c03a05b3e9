"""What is measured on trained networks, against slow twins and cases whose answer is known."""

from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, rankdata, spearmanr

from biosernn import synthetic_cohort
from biosernn.graphs.communicability import communicability
from biosernn.graphs.null_wirings import null_wirings
from biosernn.graphs.rank_correlation import unit_ranks
from biosernn.graphs.slow_modes import slow_modes
from biosernn.graphs.weights_wiring import weights_wiring_correlation, weights_wiring_p
from biosernn.graphs.wiring_length import weight_distance_correlation, wiring_length
from biosernn.similarity.partial_mantel import partial_mantel
from biosernn.similarity.participation_ratio import participation_ratio
from biosernn.study import measures as measured
from biosernn.study.measures import (
    END,
    MAZE,
    activity_along_training,
    measures,
    measures_along_training,
)
from biosernn.study.perform import perform
from biosernn.study.plan import plan, resolve
from biosernn.study.presets import preset
from biosernn.study.sample import sample
from biosernn.tasks.go_no_go import go_no_go
from biosernn.tasks.maze import maze
from biosernn.training.forward import right_answers, states
from biosernn.training.needed import needed_weights
from biosernn.training.network import Weights, initial_weights, logits
from biosernn.training.silencing import silencing_cost
from biosernn.training.train import Outcome

SEEDS = st.integers(0, 2**32 - 1)


def network(rng, units=6, channels=3, outputs=4, scale=0.6):
    return Weights(
        rng.normal(size=(channels, units)),
        scale * rng.normal(size=(units, units)),
        rng.normal(size=units) / 4,
        rng.normal(size=(units, outputs)),
        rng.normal(size=outputs) / 4,
    )


def trials(rng, channels=3, outputs=4, steps=5, n=7):
    return rng.normal(size=(steps, n, channels)), rng.integers(outputs, size=n)


def slow_states(weights, inputs):
    """Entry by entry."""
    steps, n, channels = inputs.shape
    units = len(weights.bias)
    found = np.zeros((steps, n, units))
    for trial in range(n):
        before = [0.0] * units
        for step in range(steps):
            after = []
            for unit in range(units):
                total = weights.bias[unit]
                total += sum(
                    inputs[step, trial, c] * weights.input[c, unit] for c in range(channels)
                )
                total += sum(before[pre] * weights.recurrent[pre, unit] for pre in range(units))
                after.append(max(total, 0.0))
            found[step, trial] = before = after
    return found


def slow_right(weights, inputs, labels):
    scores = slow_states(weights, inputs)[-1] @ weights.readout + weights.readout_bias
    answers = [list(row).index(max(row)) for row in scores]
    return np.array([answer == label for answer, label in zip(answers, labels, strict=True)])


# The network without training


@given(SEEDS)
@settings(max_examples=15)
def test_states_and_answers_are_those_of_the_slow_twin(seed):
    rng = np.random.default_rng(seed)
    weights, (inputs, labels) = network(rng), trials(rng)
    there = slow_states(weights, inputs)
    rounding = 1e-14 * np.abs(there).max()  # of sums whose terms cancel
    np.testing.assert_allclose(states(weights, inputs), there, rtol=1e-12, atol=rounding)
    np.testing.assert_array_equal(
        right_answers(weights, inputs, labels), slow_right(weights, inputs, labels)
    )


def test_answers_are_those_of_the_compiled_network():
    rng = np.random.default_rng(0)
    task = maze()
    weights = initial_weights(0.9 * np.eye(16), 8, 4, rng, rng)
    inputs = task.inputs.transpose(1, 0, 2)
    on_device = Weights(*map(jax.numpy.asarray, weights))
    compiled = np.asarray(logits(on_device, jax.numpy.asarray(inputs)))
    right = compiled.argmax(axis=1) == task.labels
    assert 0 < right.sum() < 8
    np.testing.assert_array_equal(right_answers(weights, inputs, task.labels), right)


def test_an_answer_that_is_not_finite_is_not_right():
    rng = np.random.default_rng(1)
    weights, (inputs, labels) = network(rng), trials(rng)
    boundless = weights._replace(recurrent=np.full((6, 6), 1e200), bias=np.ones(6))
    assert not right_answers(boundless, inputs, labels).any()


@given(SEEDS)
@settings(max_examples=15)
def test_silenced_units_are_as_good_as_removed(seed):
    rng = np.random.default_rng(seed)
    weights, (inputs, labels) = network(rng), trials(rng)
    silenced = rng.random((4, 6)) < 0.5
    whole = slow_right(weights, inputs, labels).mean()
    expected = []
    for chosen in silenced:
        left = Weights(
            weights.input[:, ~chosen],
            weights.recurrent[np.ix_(~chosen, ~chosen)],
            weights.bias[~chosen],
            weights.readout[~chosen],
            weights.readout_bias,
        )
        expected.append(whole - slow_right(left, inputs, labels).mean())
    np.testing.assert_allclose(silencing_cost(weights, inputs, labels, silenced), expected)


# Needed weights


@given(SEEDS)
@settings(max_examples=15)
def test_one_weight_more_would_cost_an_answer(seed):
    rng = np.random.default_rng(seed)
    weights, (inputs, labels) = network(rng, units=4), trials(rng)
    needed = needed_weights(weights, inputs, labels)

    def n_right(kept):
        thinned = weights._replace(recurrent=np.where(kept, weights.recurrent, 0))
        return slow_right(thinned, inputs, labels).sum()

    size = np.abs(weights.recurrent)
    assert n_right(needed) >= n_right(np.ones_like(needed))
    if needed.any():
        assert size[needed].min() > size[~needed].max(initial=0)
        assert n_right(needed & (size > size[needed].min())) < n_right(np.ones_like(needed))


def test_only_the_memory_is_needed():
    """Self-weights remember the first step's two inputs; small weights do nothing."""
    rng = np.random.default_rng(0)
    recurrent = np.diag([1.0, 0.9, 0.0, 0.0]) + 1e-6 * rng.normal(size=(4, 4))
    weights = Weights(
        np.eye(2, 4), recurrent, np.zeros(4), np.eye(4, 3), np.array([-0.1, -0.1, 0.0])
    )
    inputs = np.zeros((6, 3, 2))
    inputs[0, 0, 0] = inputs[0, 1, 1] = 1
    needed = needed_weights(weights, inputs, np.array([0, 1, 2]))
    np.testing.assert_array_equal(needed, np.diag([True, True, False, False]))


def test_nothing_is_needed_where_the_last_input_answers():
    rng = np.random.default_rng(0)
    weights, (inputs, _) = network(rng), trials(rng)
    memoryless = weights._replace(recurrent=np.zeros((6, 6)))
    labels = (states(memoryless, inputs)[-1] @ weights.readout + weights.readout_bias).argmax(1)
    assert not needed_weights(weights, inputs, labels).any()


# Wiring length and ranks


@given(SEEDS, st.booleans())
@settings(max_examples=15)
def test_ranks_correlate_as_spearman_s(seed, ties):
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=(2, 30))
    if ties:
        one, other = np.round(one), np.round(other)
    expected = spearmanr(one, other).statistic
    np.testing.assert_allclose(unit_ranks(one) @ unit_ranks(other), expected, atol=1e-12)


@given(SEEDS)
@settings(max_examples=15)
def test_wiring_length_and_its_fall_with_distance_are_those_of_the_slow_twins(seed):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(3, 7, 7))
    distances = np.abs(rng.normal(size=(7, 7)))
    np.fill_diagonal(distances, 0)
    for number, one in enumerate(weights):
        pairs = [(i, j) for i in range(7) for j in range(7) if i != j]
        strengths = [abs(one[pair]) for pair in pairs]
        lengths = [distances[pair] for pair in pairs]
        long = sum(s * d for s, d in zip(strengths, lengths, strict=True))
        np.testing.assert_allclose(wiring_length(weights, distances)[number], long)
        np.testing.assert_allclose(
            weight_distance_correlation(weights, distances)[number],
            spearmanr(strengths, lengths).statistic,
            atol=1e-12,
        )


def test_equal_weights_correlate_with_nothing():
    distances = np.random.default_rng(0).random((6, 6))
    assert np.isnan(weight_distance_correlation(np.eye(6), distances))


# Slow modes


@given(SEEDS)
@settings(max_examples=15)
def test_slow_modes_and_their_units_are_those_of_the_slow_twin(seed):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(8, 8)) / 2
    values, right = np.linalg.eig(weights)
    left = np.linalg.inv(right)
    units = set()
    for mode in range(8):
        if abs(values[mode]) > 0.8:
            factors = [abs(left[mode, unit] * right[unit, mode]) for unit in range(8)]
            units.add(factors.index(max(factors)))
    found = slow_modes(weights)
    assert found.count == sum(abs(values) > 0.8)
    assert set(found.units.tolist()) == units


@given(SEEDS)
@settings(max_examples=15)
def test_the_units_of_slow_modes_do_not_depend_on_the_scale_of_activity(seed):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(8, 8)) / 2
    scale = rng.uniform(0.1, 10, 8)
    scaled = slow_modes(weights * scale / scale[:, None])
    assert scaled.units.tolist() == slow_modes(weights).units.tolist()


def test_self_weights_alone_carry_their_own_modes():
    found = slow_modes(np.diag([0.5, -0.81, 0.8, 1.2]))
    assert (found.count, found.units.tolist()) == (2, [1, 3])
    assert (slow_modes(np.zeros((3, 3))).count, slow_modes(np.zeros((3, 3))).units.size) == (0, 0)


# Activity


@given(SEEDS)
@settings(max_examples=15)
def test_participation_ratio_is_that_of_the_covariance_s_eigenvalues(seed):
    rng = np.random.default_rng(seed)
    activity = rng.normal(size=(5, 5)) @ rng.exponential(size=(5, 40))
    values = np.linalg.eigvalsh(np.cov(activity))
    expected = values.sum() ** 2 / (values**2).sum()
    np.testing.assert_allclose(participation_ratio(activity), expected, rtol=1e-9)
    assert 1 <= participation_ratio(activity) <= 5


def test_participation_ratio_counts_independent_equal_dimensions():
    equal = np.kron(np.eye(4), [1.0, -1.0])
    assert participation_ratio(1e200 * equal) == pytest.approx(4)
    assert participation_ratio(np.outer(np.arange(1.0, 4), np.arange(9.0))) == pytest.approx(1)
    assert np.isnan(participation_ratio(np.ones((3, 5))))


def symmetric(rng, n=9):
    matrix = rng.normal(size=(n, n))
    return matrix + matrix.T


def slow_partial(matrix, other, control):
    """Correlation of what least squares on the control leaves of each, over pairs."""
    upper = np.triu_indices(len(matrix), 1)
    line = np.column_stack([np.ones(len(upper[0])), control[upper]])
    left = []
    for values in (matrix[upper], other[upper]):
        left.append(values - line @ np.linalg.lstsq(line, values, rcond=None)[0])
    return pearsonr(*left).statistic


@given(SEEDS)
@settings(max_examples=15)
def test_partial_mantel_is_that_of_the_slow_twin(seed):
    rng = np.random.default_rng(seed)
    control = symmetric(rng)
    matrix, other = symmetric(rng) + control, symmetric(rng) - 2 * control
    found, p = partial_mantel(matrix, other, control, np.random.default_rng(1), 19)
    np.testing.assert_allclose(found, slow_partial(matrix, other, control), atol=1e-9)
    relabel, nulls = np.random.default_rng(1), []
    for _ in range(19):
        order = relabel.permutation(9)
        nulls.append(slow_partial(matrix[np.ix_(order, order)], other, control))
    assert p == pytest.approx((1 + sum(null >= found for null in nulls)) / 20)


def test_what_two_matrices_owe_to_distance_is_no_likeness():
    rng = np.random.default_rng(0)
    control = symmetric(rng, 30)
    matrix, other = (control + symmetric(rng, 30) / 2 for _ in range(2))
    apart, p_apart = partial_mantel(matrix, other, control, rng, 199)
    plain, p_plain = partial_mantel(matrix, other, symmetric(rng, 30), rng, 199)
    assert (plain > 0.7, p_plain) == (True, 0.005)
    assert (abs(apart) < 0.1, p_apart > 0.05) == (True, True)


def test_partial_mantel_is_not_defined_where_nothing_is_left():
    rng = np.random.default_rng(0)
    control, other = symmetric(rng), symmetric(rng)
    for matrix in (np.ones((9, 9)), 3 * control + 2):
        assert np.isnan(partial_mantel(matrix, other, control, rng, 9)).all()
        assert np.isnan(partial_mantel(other, matrix, control, rng, 9)).all()
    four = (symmetric(rng, 4) for _ in range(3))
    assert np.isnan(partial_mantel(*four, rng, 9)).all()


def test_partial_mantel_s_p_is_uniform_where_there_is_no_likeness():
    rng = np.random.default_rng(0)
    p = [partial_mantel(*(symmetric(rng, 12) for _ in range(3)), rng, 19)[1] for _ in range(400)]
    counts = np.bincount(np.rint(np.multiply(p, 20)).astype(int), minlength=21)[1:]
    assert ((counts - 20) ** 2 / 20).sum() < 43.8  # chi squared, 19 degrees of freedom, p = 0.001


# Weights against wiring


def sparse_wiring(rng, n=40, range_um=40.0, rate=1.5):
    positions = rng.uniform(0, 200, (n, 3))
    distances = np.linalg.norm(positions[:, None] - positions, axis=2)
    counts = rng.poisson(np.exp(-distances / range_um) * rate)
    np.fill_diagonal(counts, 0)
    return counts, distances


def null_wirings_twin(pre, post, distances, nearest):
    """Every connection's chances by loops over a full matrix, balanced to the last digit."""
    n = len(distances)
    possible = {(int(i), int(j)) for i in pre for j in post if i != j}
    pairs = sorted(possible, key=lambda pair: (distances[pair], pair))
    may_lie = np.zeros((len(pre), n, n), bool)
    for edge, ends in enumerate(zip(pre, post, strict=True)):
        first = min(max(pairs.index(ends) - nearest // 2, 0), len(pairs) - nearest)
        for pair in pairs[first : first + nearest]:
            may_lie[edge][pair] = True
    out, into = (np.bincount(ends, minlength=n) for ends in (pre, post))
    products = np.outer(out, into).astype(float)

    def chances():
        each = may_lie * products
        return each / each.sum(axis=(1, 2), keepdims=True)

    for _ in range(50):
        expected = chances().sum(axis=(0, 2))
        products *= np.divide(out, expected, out=np.zeros(n), where=expected > 0)[:, None]
        expected = chances().sum(axis=(0, 1))
        products *= np.divide(into, expected, out=np.zeros(n), where=expected > 0)
    return chances()


@pytest.mark.parametrize("nearest", [10, 30])
def test_null_wirings_have_the_chances_of_the_slow_twin_and_the_degrees(nearest):
    rng = np.random.default_rng(nearest)
    counts, distances = sparse_wiring(rng, 12, 80.0)
    pre, post = np.nonzero(counts)
    pairs, chances = null_wirings(pre, post, distances, nearest)
    full = np.zeros((len(pre), 12, 12))
    for edge, places in enumerate(pairs):
        full[edge].flat[places] = chances[edge]
    np.testing.assert_allclose(full, null_wirings_twin(pre, post, distances, nearest), atol=1e-12)
    np.testing.assert_allclose(full.sum(axis=(0, 2)), np.bincount(pre, minlength=12), atol=0.01)
    np.testing.assert_allclose(full.sum(axis=(0, 1)), np.bincount(post, minlength=12), atol=0.01)


def test_weights_against_wiring_are_spearman_s_held_against_those_of_wirings_laid_anew():
    rng = np.random.default_rng(0)
    counts, distances = sparse_wiring(rng)
    weights = rng.normal(size=counts.shape) + 0.4 * counts
    found = weights_wiring_correlation(weights, counts)
    p = weights_wiring_p(weights, counts, distances, rng, 400)
    between = ~np.eye(len(counts), dtype=bool)
    strengths, synapses = np.abs(weights)[between], counts[between]
    np.testing.assert_allclose(found, spearmanr(strengths, synapses).statistic, atol=1e-12)
    pre, post = np.nonzero(counts)
    pairs, chances = null_wirings(pre, post, distances)
    ranks = np.zeros(counts.shape)
    ranks[between] = rankdata(strengths)
    of_counts = np.zeros(counts.shape)
    of_counts[between] = rankdata(synapses)
    gain = of_counts[pre, post] - of_counts[between].min()
    observed, as_large = gain @ ranks[pre, post], 0
    for _ in range(400):
        laid = [rng.choice(places, p=chance) for places, chance in zip(pairs, chances, strict=True)]
        as_large += gain @ ranks.flat[laid] >= observed
    assert p == pytest.approx((1 + as_large) / 401, abs=0.11)


def falls_off(rng, distances):
    return np.exp(-distances / 20) * rng.lognormal(size=distances.shape)


def one_and_all(rng, distances):
    return np.ones((2, len(distances)))


def strong_neurons(rng, distances):
    return rng.lognormal(size=(2, len(distances)))


def the_middle(rng, distances):
    return np.exp(-distances.mean(axis=0) / 20) * np.ones((2, 1))


@pytest.mark.parametrize("sized", [{}, {"n": 100, "rate": 0.15}], ids=["dense", "sparse"])
@pytest.mark.parametrize("of_neurons", [one_and_all, strong_neurons, the_middle])
def test_what_weights_and_wiring_owe_to_distance_and_degrees_is_no_likeness(of_neurons, sized):
    rng, p = np.random.default_rng(0), []
    for _ in range(200):
        counts, distances = sparse_wiring(rng, **sized)
        senders, receivers = of_neurons(rng, distances)
        shares = np.outer(senders, receivers) / senders.mean() / receivers.mean()
        counts = rng.poisson(counts * shares)
        weights = falls_off(rng, distances) * shares
        p.append(weights_wiring_p(weights, counts, distances, rng, 19))
    assert np.mean(np.array(p) <= 0.05) <= 0.09  # 5 % of 200 studies, and 2.6 standard errors


def test_what_weights_owe_to_the_wiring_beyond_distance_is_found():
    rng = np.random.default_rng(0)
    counts, distances = sparse_wiring(rng)
    senders, receivers = strong_neurons(rng, distances)
    weights = falls_off(rng, distances) * np.outer(senders, receivers) * (1 + 9 * (counts > 0))
    assert weights_wiring_p(weights, counts, distances, rng, 199) == 0.005


def test_weights_against_wiring_need_ten_edges():
    rng = np.random.default_rng(0)
    distances = rng.random((8, 8))
    counts = np.zeros((8, 8), int)
    counts[0, 1:] = counts[1, [2, 3]] = 2

    def both(weights):
        p = weights_wiring_p(weights, counts, distances, rng, 9)
        return [weights_wiring_correlation(weights, counts), p]

    weights = rng.normal(size=(8, 8))
    assert np.isnan(both(weights)).all()
    counts[1, 4] = 1
    assert np.isfinite(both(weights)).all()
    assert np.isnan(both(np.eye(8))).all()


# A run's columns


@pytest.fixture(scope="module")
def cohort():
    return synthetic_cohort(24, 0)


@pytest.fixture(scope="module")
def run(cohort):
    options = {"units": 24, "arms": ["W*D*C", "WD*C"], "epochs": 2, "recipe": "clipped"}
    return plan(resolve(preset("quick").with_options(**options), [cohort]), [cohort])[0]


@pytest.fixture(scope="module")
def record(run, cohort):
    return perform(run, cohort)


def outcome_of(record):
    """What the measures read of an outcome, from the record that was kept of it."""
    by_epoch = Weights(**record.weights)
    start, end = (Weights(*(array[at] for array in by_epoch)) for at in (0, -1))
    empty = dict.fromkeys(Outcome._fields, np.zeros(0))
    return Outcome(**empty | {"by_epoch": by_epoch, "start": start, "end": end})


def test_a_run_s_columns_are_documented_and_there(record):
    table = (Path(__file__).resolve().parents[1] / "docs" / "conventions.md").read_text()
    starts = [f"{name}_start" for name in ("wiring_length", "mean_communicability")]
    for name in (*END, "functional_kept_start", "weight_distance_start", *starts):
        assert type(record.row[name]) is float
        assert f"`{name}`" in table, name


def test_measures_of_a_run_are_those_of_their_parts(run, cohort, record):
    drawn, row = sample(cohort, run.units, run.seed, run.protocol), record.row
    recurrent = record.weights["recurrent"].astype(float)
    distances = drawn.true_distances
    for at, suffix in ((0, "_start"), (-1, "")):
        length = np.abs(recurrent[at] * distances).sum()
        assert row[f"wiring_length{suffix}"] == pytest.approx(length)
        mean = communicability(recurrent[at])[~np.eye(24, dtype=bool)].mean()
        assert row[f"mean_communicability{suffix}"] == pytest.approx(mean)
    lengths = record.curves["wiring_length"]
    assert record.steps[np.isfinite(lengths)].tolist() == [0, 40, 80]
    assert (lengths[0], lengths[-1]) == (row["wiring_length_start"], row["wiring_length"])

    task, end = maze(), outcome_of(record).end
    inputs = task.inputs.transpose(1, 0, 2)
    moduli = np.abs(np.linalg.eigvals(recurrent[-1]))
    assert row["slow_modes"] == np.count_nonzero(moduli > 0.8)
    for delay in (5, 10, 20, 40, 80):
        delayed = maze(delay_steps=delay).inputs.transpose(1, 0, 2)
        assert delayed.shape[0] == 40 + delay
        right = right_answers(end, delayed, task.labels)
        assert row[f"accuracy_delay_{delay}"] == right.mean()
    accuracy = right_answers(end, inputs, task.labels).mean()
    assert row["accuracy_noise_0.0"] == row["accuracy_delay_10"] == accuracy
    assert 0 <= row["accuracy_noise_0.4"] <= 1

    for at, name in ((0, "start"), (1, "end")):
        activity = slow_states(outcome_of(record)[-2:][at], inputs).reshape(-1, 24)
        varies = np.ptp(activity, axis=0) > 0
        kept = np.ix_(varies, varies)
        expected = slow_partial(
            np.corrcoef(activity[:, varies].T), drawn.recorded_correlation[kept], distances[kept]
        )
        assert row[f"functional_kept_{name}"] == pytest.approx(expected, abs=1e-6)
    assert row["participation_ratio"] == pytest.approx(participation_ratio(activity.T), rel=1e-5)


def test_slow_modes_and_likeness_to_the_wiring_are_followed_along_training(run, cohort, record):
    drawn = sample(cohort, run.units, run.seed, run.protocol)
    pairs = ~np.eye(24, dtype=bool)
    expected = [
        (
            sum(abs(value) > 0.8 for value in np.linalg.eigvals(weights.astype(float))),
            spearmanr(np.abs(weights)[pairs], drawn.measured_wiring[pairs]).statistic,
        )
        for weights in record.weights["recurrent"]
    ]
    for name, values in zip(("slow_modes", "weights_wiring"), np.transpose(expected), strict=True):
        curve = record.curves[name]
        np.testing.assert_allclose(curve[np.isfinite(curve)], values, atol=1e-12)
        ends = record.row[f"{name}_start"], record.row[name]
        np.testing.assert_allclose(ends, values[[0, -1]], atol=1e-12)


def test_activity_is_followed_along_training(run, cohort, record):
    drawn = sample(cohort, run.units, run.seed, run.protocol)
    inputs, by_epoch = maze().inputs.transpose(1, 0, 2), Weights(**record.weights)
    dimensions, kept = (
        curve[np.isfinite(curve)]
        for curve in (record.curves[name] for name in ("participation_ratio", "functional_kept"))
    )
    assert len(dimensions) == len(kept) == len(by_epoch.recurrent) == 3
    for at, weights in enumerate(zip(*by_epoch, strict=True)):
        activity = slow_states(Weights(*weights), inputs).reshape(-1, 24)
        varies = np.ptp(activity, axis=0) > 0
        pairs = np.ix_(varies, varies)
        expected = slow_partial(
            np.corrcoef(activity[:, varies].T),
            drawn.recorded_correlation[pairs],
            drawn.true_distances[pairs],
        )
        assert kept[at] == pytest.approx(expected, abs=1e-6)
        assert dimensions[at] == pytest.approx(participation_ratio(activity.T), rel=1e-5)
    assert kept[0] == pytest.approx(record.row["functional_kept_start"], abs=1e-6)
    assert kept[-1] == record.row["functional_kept_end"]
    assert dimensions[-1] == record.row["participation_ratio"]


def test_measures_are_the_same_whatever_jax_s_precision(run, cohort, record):
    drawn = sample(cohort, run.units, run.seed, run.protocol)
    outcome, task = outcome_of(record), maze()
    with jax.enable_x64(True):
        again = measures(run, drawn, task, outcome, False) | {
            name: values[-1]
            for name, values in measures_along_training(drawn, outcome.by_epoch.recurrent).items()
        }
    assert again == pytest.approx({name: record.row[name] for name in again}, rel=0, nan_ok=True)


def test_draws_are_the_run_s_own(run, cohort, record):
    drawn = sample(cohort, run.units, run.seed, run.protocol)
    other = measures(replace(run, seed=run.seed + 1), drawn, maze(), outcome_of(record), False)
    same = {name for name in END if np.array_equal(other[name], record.row[name], equal_nan=True)}
    drawn_from = (
        *("needed_small_worldness", "small_worldness_degrees", "silencing_random_units"),
        *("functional_kept_p", "weights_wiring_beyond_p", *MAZE[6:]),
    )
    assert same >= set(END) - set(drawn_from)
    assert len(same) < len(END)


def test_a_run_that_diverged_has_no_measures_of_its_end(run, cohort, record):
    drawn, outcome = sample(cohort, run.units, run.seed, run.protocol), outcome_of(record)
    lost = outcome.by_epoch.recurrent.copy()
    lost[1:] = np.nan
    outcome = outcome._replace(
        by_epoch=outcome.by_epoch._replace(recurrent=lost),
        end=outcome.end._replace(recurrent=lost[-1]),
    )
    found = measures(run, drawn, maze(), outcome, True)
    assert np.isnan([found[name] for name in END]).all()
    assert found["functional_kept_start"] == record.row["functional_kept_start"]
    along = measures_along_training(drawn, lost)
    assert np.isfinite(along["wiring_length"]).tolist() == [True, False, False]
    for values in activity_along_training(run, drawn, maze(), outcome).values():
        assert np.isfinite(values).tolist() == [True, False, False]
    boundless = outcome.start._replace(recurrent=np.full((24, 24), 1e30, np.float32))
    found = measures(run, drawn, maze(), outcome._replace(start=boundless), True)
    assert np.isnan(found["functional_kept_start"])


def test_what_a_cohort_lacks_is_not_measured(run, cohort, record):
    bare = replace(cohort, wiring=None, corr=None, spikes=None, traces=None, interval_s=None)
    found = measures(
        run, sample(bare, 24, run.seed, run.protocol), maze(), outcome_of(record), False
    )
    nothing = ("functional_kept_start", "functional_kept_end", "functional_kept_p")
    for name in (*nothing, "weights_wiring", "weights_wiring_beyond_p"):
        assert np.isnan(found[name])
        assert name == "functional_kept_p" or np.isfinite(record.row[name])
    assert found["participation_ratio"] == record.row["participation_ratio"]


def test_other_tasks_have_no_delays_of_the_maze(run, cohort, record):
    outcome, task = outcome_of(record), go_no_go()
    end = outcome.end._replace(
        input=outcome.end.input[:3], readout=outcome.end.readout[:, :2], readout_bias=np.zeros(2)
    )
    outcome = outcome._replace(start=end, end=end)
    drawn = sample(cohort, run.units, run.seed, run.protocol)
    found = measures(run, drawn, task, outcome, False)
    assert np.isnan([found[name] for name in MAZE]).all()
    assert 0 <= found["needed_share"] <= 1


def test_trials_without_a_right_answer_are_in_no_accuracy(run, cohort, record):
    outcome, task = outcome_of(record), maze()
    slow = outcome.end.recurrent + np.diag(np.full(24, 0.9, np.float32))
    outcome = outcome._replace(end=outcome.end._replace(recurrent=slow))
    drawn = sample(cohort, run.units, run.seed, run.protocol)
    whole = measures(run, drawn, task, outcome, False)
    first = np.arange(8) < 4
    half = measures(run, drawn, replace(task, decidable=first), outcome, False)
    kept = replace(task, inputs=task.inputs[first], labels=task.labels[first])
    alone = measures(run, drawn, replace(kept, name="half"), outcome, False)
    names = ("needed_share", "silencing_slow_units", "silencing_random_units")
    assert [half[name] for name in names] == [alone[name] for name in names]
    assert [half[name] for name in names] != [whole[name] for name in names]


def test_graphs_with_too_few_edges_are_not_defined(run, cohort, record):
    outcome = outcome_of(record)
    drawn = sample(cohort, run.units, run.seed, run.protocol)
    end = outcome.end._replace(recurrent=np.diag(np.full(24, 0.5, np.float32)))
    found = measures(run, drawn, maze(), outcome._replace(end=end), False)
    undefined = ("needed_small_worldness", "needed_modularity", "small_worldness_degrees")
    slow = ("silencing_slow_units", "silencing_random_units", "weights_wiring")
    assert np.isnan([found[name] for name in (*undefined, *slow)]).all()
    assert (found["slow_modes"], found["slow_units"]) == (0, 0)


def test_noise_is_the_same_draw_at_every_level(run, cohort, record, monkeypatch):
    seen = []

    def spy(weights, inputs, labels, silenced=None):
        seen.append(inputs)
        return right_answers(weights, inputs, labels, silenced)

    monkeypatch.setattr(measured, "right_answers", spy)
    drawn = sample(cohort, run.units, run.seed, run.protocol)
    measures(run, drawn, maze(), outcome_of(record), False)
    none, least, *_, most = seen[-5:]
    np.testing.assert_allclose(4 * (least - none), most - none, atol=1e-12)
    assert np.std(least - none) == pytest.approx(0.1, rel=0.02)
