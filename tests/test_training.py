"""The network, its gradients and steps, against the reference's values and a plain NumPy twin."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import biosernn.training.train as train_module
from biosernn.geometry.distances import pairwise_distances
from biosernn.graphs.communicability import target_communicability
from biosernn.penalties.matched_communicability import sorted_target
from biosernn.protocol import Recipe
from biosernn.tasks.maze import maze
from biosernn.tasks.perceptual import perceptual
from biosernn.training.adam import adam_start
from biosernn.training.network import (
    Weights,
    cross_entropy,
    data_loss,
    initial_weights,
    last_state,
    logits,
)
from biosernn.training.penalty import PenaltyInputs, PenaltyKind, penalty
from biosernn.training.schedule import Schedule
from biosernn.training.step import StepSettings, global_norm, training_step
from biosernn.training.train import train

NAMES = ("Wi", "Wr", "b", "Wo", "bo")
CASES = {
    "none": PenaltyKind(),
    "L1": PenaltyKind("l1"),
    "WD": PenaltyKind("distance"),
    "WDC": PenaltyKind("distance_communicability"),
    "WDC_EMD": PenaltyKind("distance", matched=True, isolated="released"),
    "WD_nonneg": PenaltyKind("distance"),
}


@pytest.fixture(scope="module")
def oracle(shared):
    with np.load(shared / "oracle" / "rnn_step.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _penalty_inputs(case, oracle):
    if case == "none":
        return PenaltyInputs(0.0)
    if case == "L1":
        return PenaltyInputs(1.0)
    distances = pairwise_distances(oracle["coords"].T)
    if case != "WDC_EMD":
        return PenaltyInputs(0.3, distances)
    target = target_communicability(oracle["connectome"], isolated="released")
    return PenaltyInputs(0.3, distances, sorted_target(target, "released"))


def _start(case, oracle, dtype):
    arrays = [oracle[f"{name}0"] for name in NAMES]
    if case == "WD_nonneg":
        arrays[1] = oracle["WD_nonneg/Wr0"]
    return Weights(*(jnp.asarray(a, dtype) for a in arrays))


def _batch(oracle, number, dtype):
    inputs = jnp.asarray(oracle["x"][number].transpose(1, 0, 2), dtype)
    return inputs, jnp.asarray(oracle["y"][number].argmax(1))


def _trained(case, oracle, dtype):
    """Weights after 1, 5 and 20 steps, and the total loss before each."""
    kind, inputs = CASES[case], jax.tree.map(jnp.asarray, _penalty_inputs(case, oracle))
    inputs = jax.tree.map(lambda a: a.astype(dtype), inputs)
    sign = jnp.full(16, 1.0 if case == "WD_nonneg" else 0.0, dtype)
    settings = StepSettings(jnp.asarray(1e-3, dtype), jnp.asarray(jnp.inf, dtype), sign)
    step = jax.jit(training_step, static_argnums=0)
    weights = _start(case, oracle, dtype)
    moments, after, losses = adam_start(weights), {}, []
    for number in range(1, 21):
        before = penalty(kind, weights.recurrent, inputs)
        batch = _batch(oracle, number - 1, dtype)
        weights, moments, measured = step(kind, weights, moments, number, *batch, inputs, settings)
        losses.append(float(measured["training_loss"] + before))
        after[number] = weights
    return after, losses


def test_forward_matches_the_reference(oracle):
    with jax.enable_x64(True):
        weights, (inputs, labels) = _start("none", oracle, jnp.float64), _batch(oracle, 0, float)
        state = last_state(inputs, weights.input, weights.recurrent, weights.bias)
        scores = logits(weights, inputs)
        np.testing.assert_allclose(state, oracle["hidden_last"], rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(scores, oracle["logits"], rtol=1e-13, atol=1e-13)
        loss = float(cross_entropy(scores, labels).mean())
    assert loss == pytest.approx(float(oracle["none/loss_data"]), rel=1e-13)


@pytest.mark.parametrize("case", CASES)
def test_loss_and_gradients_match_the_reference(case, oracle):
    with jax.enable_x64(True):
        weights, batch = _start(case, oracle, jnp.float64), _batch(oracle, 0, float)
        inputs = _penalty_inputs(case, oracle)
        (loss, _), gradient = data_loss(weights, *batch)
        value, embedding = jax.value_and_grad(lambda w: penalty(CASES[case], w, inputs))(
            weights.recurrent
        )
        gradient = gradient._replace(recurrent=gradient.recurrent + embedding)
        assert float(loss) == pytest.approx(float(oracle[f"{case}/loss_data"]), rel=1e-13)
        assert float(value) == pytest.approx(float(oracle[f"{case}/loss_reg"]), rel=1e-12)
        for name, array in zip(NAMES, gradient, strict=True):
            expected = oracle[f"{case}/grad_{name}"]
            np.testing.assert_allclose(
                array, expected, rtol=0, atol=1e-12 * max(1, np.abs(expected).max())
            )


@pytest.mark.parametrize("case", CASES)
def test_adam_steps_match_the_reference(case, oracle):
    with jax.enable_x64(True):
        after, losses = _trained(case, oracle, jnp.float64)
        for number in (1, 5, 20):
            for name, array in zip(NAMES, after[number], strict=True):
                exact = oracle[f"{case}/exactadam_step{number}_{name}"]
                np.testing.assert_allclose(array, exact, rtol=0, atol=1e-12)
                keras = oracle[f"{case}/step{number}_{name}"]
                np.testing.assert_allclose(array, keras, rtol=0, atol=3e-7)
    trace = oracle[f"{case}/train_loss_trace"]
    assert losses[0] == pytest.approx(trace[0], rel=1e-12)
    # The trace belongs to Keras's rounded betas: 256 weights, each up to 1.3e-7 away by step 20,
    # move a penalty of slope 1 by up to 3.4e-5.
    np.testing.assert_allclose(losses, trace, rtol=0, atol=3.4e-5)


@pytest.mark.parametrize("case", CASES)
def test_single_precision_stays_within_the_reference_s_own_error(case, oracle):
    after, _ = _trained(case, oracle, jnp.float32)
    for name, array in zip(NAMES, after[20], strict=True):
        np.testing.assert_allclose(array, oracle[f"{case}/step20_{name}"], rtol=0, atol=2e-6)


def _slow_gradients(weights, inputs, labels):
    """Loss and gradients by backpropagation through time, one trial and one step at a time."""
    w_in, w, b, w_out, b_out = (np.asarray(a, np.float64) for a in weights)
    steps, batch, _ = inputs.shape
    gradient = [np.zeros_like(a) for a in (w_in, w, b, w_out, b_out)]
    loss = 0.0
    for trial in range(batch):
        states = [np.zeros(len(b))]
        for t in range(steps):
            states.append(np.maximum(inputs[t, trial] @ w_in + states[-1] @ w + b, 0))
        scores = states[-1] @ w_out + b_out
        p = np.exp(scores - scores.max())
        p /= p.sum()
        loss -= np.log(p[labels[trial]]) / batch
        p[labels[trial]] -= 1
        p /= batch
        gradient[3] += np.outer(states[-1], p)
        gradient[4] += p
        delta = w_out @ p
        for t in reversed(range(steps)):
            delta = delta * (states[t + 1] > 0)
            gradient[0] += np.outer(inputs[t, trial], delta)
            gradient[1] += np.outer(states[t], delta)
            gradient[2] += delta
            delta = w @ delta
    return loss, gradient


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(5)
    weights = initial_weights(rng.normal(0, 0.3, (12, 12)), 8, 4, rng, rng)
    inputs = maze(3, 2, 4).inputs.transpose(1, 0, 2) + rng.normal(0, 0.05, (9, 8, 8))
    return weights, inputs, maze().labels


def test_gradients_match_a_slow_twin(small):
    weights, inputs, labels = small
    loss, gradient = _slow_gradients(*small)
    with jax.enable_x64(True):
        double = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), weights)
        (value, _), computed = data_loss(double, jnp.asarray(inputs), jnp.asarray(labels))
        assert float(value) == pytest.approx(loss, rel=1e-13)
        for ours, slow in zip(computed, gradient, strict=True):
            np.testing.assert_allclose(ours, slow, rtol=0, atol=1e-14)


def test_relabelled_neurons_leave_loss_and_gradients_unchanged(small):
    weights, inputs, labels = small
    order = np.random.default_rng(6).permutation(12)
    with jax.enable_x64(True):
        w = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), weights)
        relabelled = Weights(
            w.input[:, order],
            w.recurrent[np.ix_(order, order)],
            w.bias[order],
            w.readout[order],
            w.readout_bias,
        )
        (loss, _), g = data_loss(w, jnp.asarray(inputs), jnp.asarray(labels))
        (same, _), h = data_loss(relabelled, jnp.asarray(inputs), jnp.asarray(labels))
        assert float(loss) == pytest.approx(float(same), rel=1e-12)
        expected = g.recurrent[np.ix_(order, order)]
        np.testing.assert_allclose(h.recurrent, expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(h.input, g.input[:, order], rtol=0, atol=1e-12)
        np.testing.assert_allclose(h.bias, g.bias[order], rtol=0, atol=1e-12)
        np.testing.assert_allclose(h.readout, g.readout[order], rtol=0, atol=1e-12)


def test_only_the_data_s_gradient_is_clipped(small):
    weights, inputs, labels = small
    weights = jax.tree.map(jnp.asarray, weights)
    batch = jnp.asarray(inputs, jnp.float32), jnp.asarray(labels)
    _, gradient = data_loss(weights, *batch)
    norm = np.sqrt(sum(float(jnp.vdot(g, g)) for g in gradient))
    heavy = PenaltyInputs(jnp.float32(100.0))
    free = StepSettings(1e-3, jnp.inf, jnp.zeros(12))
    _, unclipped, _ = training_step(
        PenaltyKind("l1"), weights, adam_start(weights), 1, *batch, heavy, free
    )
    tight = free._replace(clip=norm / 4)
    _, clipped, measured = training_step(
        PenaltyKind("l1"), weights, adam_start(weights), 1, *batch, heavy, tight
    )
    assert bool(measured["clipped"])
    assert float(measured["gradient_norm_data"]) == pytest.approx(norm, rel=1e-6)
    assert float(measured["gradient_norm_stepped"]) == pytest.approx(norm / 4, rel=1e-6)
    assert float(measured["gradient_norm_penalty"]) == pytest.approx(100 * 12, rel=1e-6)
    sign = np.sign(weights.recurrent)
    for moments, share in ((unclipped, 1), (clipped, 0.25)):
        expected = 0.1 * (share * np.asarray(gradient.recurrent) + 100 * sign)
        np.testing.assert_allclose(moments.first[1], expected, rtol=1e-5)
        np.testing.assert_allclose(
            moments.first[0], 0.1 * share * np.asarray(gradient.input), rtol=1e-4, atol=1e-9
        )


@pytest.fixture(scope="module")
def trained():
    rng = np.random.default_rng
    start = initial_weights(0.9 * np.eye(16), 8, 4, rng(0), rng(1))
    return start, _train(start)


SHORT = Schedule(epochs=2, training_trials=1280)


def _train(start, **changes):
    settings = {"seed": 3, "recipe": Recipe(), "schedule": SHORT} | changes
    return train(maze(), start, PenaltyKind(), PenaltyInputs(0.0), **settings)


def test_a_run_is_the_same_bits_under_either_precision_setting(trained):
    start, outcome = trained
    with jax.enable_x64(True):
        again = _train(start)
    for one, other in zip(jax.tree.leaves(outcome), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_products_are_asked_for_in_whole_single_precision(trained, monkeypatch):
    """A GPU's default for them is TF32, of ten bits; a processor has no other."""
    program, asked = train_module._program, []

    def observed(*inputs):
        asked.append(jax.config.jax_default_matmul_precision)
        return program(*inputs)

    monkeypatch.setattr(train_module, "_program", observed)
    _train(trained[0])
    assert asked == ["highest"]


def test_a_run_follows_a_slow_twin(trained):
    """The same batches through the slow gradients and plain Adam give the same weights."""
    start, outcome = trained
    from biosernn.training.randomness import key

    drawn = jax.random.randint(key(3, "training trials"), (1280,), 0, 8, jnp.int32)
    order = np.asarray(jax.random.permutation(jax.random.fold_in(key(3, "order"), 0), drawn))
    weights = [np.asarray(a, np.float64) for a in start]
    first, second = ([np.zeros_like(a) for a in weights] for _ in range(2))
    task, losses = maze(), []
    for number in range(5):
        chosen = order[number * 128 : (number + 1) * 128]
        noise_key = jax.random.fold_in(key(3, "noise"), number)
        batch = task.inputs.transpose(1, 0, 2)[:, chosen]
        batch = batch + 0.05 * np.asarray(jax.random.normal(noise_key, batch.shape, jnp.float32))
        loss, gradient = _slow_gradients(weights, batch, task.labels[chosen])
        losses.append(loss)
        rate = 1e-3 * np.sqrt(1 - 0.999 ** (number + 1)) / (1 - 0.9 ** (number + 1))
        for i, g in enumerate(gradient):
            first[i] += 0.1 * (g - first[i])
            second[i] += 0.001 * (g * g - second[i])
            weights[i] = weights[i] - rate * first[i] / (np.sqrt(second[i]) + 1e-7)
    assert outcome.training_loss[0] == pytest.approx(np.mean(losses), rel=1e-5)
    scores = []
    for trial in task.inputs.astype(np.float64):
        state = np.zeros(16)
        for x in trial:
            state = np.maximum(x @ weights[0] + state @ weights[1] + weights[2], 0)
        scores.append(state @ weights[3] + weights[4])
    np.testing.assert_array_equal(outcome.right[1], np.argmax(scores, axis=1) == task.labels)


def test_counts_and_curves_have_their_shapes(trained):
    _, outcome = trained
    assert outcome.validation_counts.sum() == outcome.test_counts.sum() == 2560
    assert not np.array_equal(outcome.validation_counts, outcome.test_counts)
    assert outcome.steps.tolist() == [0, 5, 10, 15, 20]
    assert outcome.by_epoch.recurrent.shape == (3, 16, 16)
    np.testing.assert_array_equal(outcome.by_epoch.recurrent[-1], outcome.end.recurrent)
    np.testing.assert_array_equal(outcome.by_epoch.recurrent[0], outcome.start.recurrent)


def test_shared_draws_are_the_same_for_every_seed(trained):
    start, outcome = trained
    one, other = (_train(start, seed=seed, shared_draws=True) for seed in (1, 2))
    np.testing.assert_array_equal(one.test_counts, other.test_counts)
    assert not np.array_equal(one.test_counts, outcome.test_counts)
    assert not np.array_equal(one.training_loss, other.training_loss)


def test_a_nonnegative_run_stays_nonnegative(trained):
    start, _ = trained
    outcome = _train(start, row_sign=np.ones(16))
    assert (outcome.by_epoch.recurrent >= 0).all()
    assert not np.array_equal(outcome.end.recurrent, outcome.start.recurrent)


def test_a_run_that_explodes_is_returned_as_it_is(trained):
    start, _ = trained
    outcome = _train(start._replace(recurrent=20 * np.eye(16, dtype=np.float32)))
    lost = ~np.isfinite(outcome.loss)
    assert lost[-1].all()
    assert not outcome.right[lost].any()


FLOATS = st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=9)


@given(FLOATS, st.integers(-8, 7))
def test_the_norm_is_finite_wherever_it_can_be(values, exponent):
    gradient = np.float32(values) * np.float32(10.0**exponent)
    expected = np.sqrt((gradient.astype(np.float64) ** 2).sum())
    found = float(global_norm((jnp.asarray(gradient), jnp.zeros(2))))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-37)


def test_recipes_differ_only_where_a_step_is_clipped(trained):
    start, outcome = trained
    loose = _train(start, recipe=replace(Recipe(), clip=1e6))
    np.testing.assert_array_equal(loose.end.recurrent, outcome.end.recurrent)
    tight = _train(start, recipe=replace(Recipe(), clip=1e-3))
    assert tight.clipped.all()
    assert not np.array_equal(tight.end.recurrent, outcome.end.recurrent)


@pytest.fixture(scope="module")
def noisy():
    """A perceptual net that does not learn, without input noise, and its start."""
    rng = np.random.default_rng
    start = initial_weights(0.9 * np.eye(12), 3, 2, rng(0), rng(1))
    still = Schedule(epochs=2, training_trials=1280, heldout_trials=64, curve_trials=32, noise=0.0)
    outcome = train(
        perceptual(),
        start,
        PenaltyKind(),
        PenaltyInputs(0.0),
        seed=3,
        recipe=Recipe(learning_rate=1e-30),
        schedule=still,
    )
    return start, outcome


def _drawn_answers(start, name, numbers, size):
    """Right answers and cross-entropies of trials as drawn, in plain NumPy."""
    from biosernn.training.randomness import key

    task = perceptual()
    drawn = np.asarray(jax.random.randint(key(3, f"{name} trials"), (size,), 0, 10, jnp.int32))
    right, losses = [], []
    for number in numbers:
        own = jax.random.fold_in(jax.random.fold_in(key(3, f"{name} trials"), 1), number)
        noise = np.asarray(jax.random.normal(own, (41, 3), jnp.float32), np.float64)
        trial = task.inputs[drawn[number]] + noise * task.noise_sd
        state = np.zeros(12)
        for x in trial:
            state = np.maximum(x @ start.input + state @ start.recurrent + start.bias, 0)
        scores = state @ start.readout + start.readout_bias
        label = task.labels[drawn[number]]
        right.append(np.argmax(scores) == label)
        losses.append(np.log(np.exp(scores).sum()) - scores[label])
    return drawn, np.array(right), np.array(losses)


def test_noisy_trials_are_each_their_own(noisy):
    start, outcome = noisy
    drawn, right, losses = _drawn_answers(start, "test", range(64), 64)
    np.testing.assert_array_equal(outcome.test_trials, drawn)
    np.testing.assert_array_equal(outcome.test_right, right)
    np.testing.assert_allclose(outcome.test_loss, losses, rtol=1e-5)
    assert len(set(np.round(losses, 6))) > 60
    _, right, losses = _drawn_answers(start, "validation", range(32), 64)
    np.testing.assert_array_equal(outcome.drawn_right[-1], right)
    np.testing.assert_allclose(outcome.drawn_loss[-1], losses, rtol=1e-5)


def test_noisy_trials_are_the_same_in_every_epoch_in_another_order(noisy):
    start, outcome = noisy
    first, second = outcome.training_loss.reshape(2, 2)
    assert first.mean() == pytest.approx(second.mean(), rel=1e-5)
    assert first[0] != second[0]
    losses = _drawn_answers(start, "training", range(1280), 1280)[2]
    assert first.mean() == pytest.approx(losses.mean(), rel=1e-5)


def test_the_stimulus_noise_is_that_of_the_task():
    noise = perceptual().noise_sd
    assert noise.shape == (41, 3)
    assert not noise[:, 0].any()
    assert (noise[1:31, 1:] == np.float32(0.1)).all()
    assert not noise[0].any()
    assert not noise[31:].any()
