"""Go/no-go and perceptual trials against the reference's."""

import numpy as np
import pytest
from scipy.stats import norm

from biosernn.tasks.go_no_go import go_no_go
from biosernn.tasks.perceptual import COHERENCES, draw_trials, mean_trials, perceptual


@pytest.fixture(scope="module")
def oracle(shared):
    with np.load(shared / "oracle" / "tasks.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def test_go_no_go_trials_are_the_reference_s(oracle):
    np.testing.assert_array_equal(go_no_go().inputs, oracle["gonogo/inputs"])
    np.testing.assert_array_equal(go_no_go().labels, oracle["gonogo/labels"].argmax(1))


def test_go_and_no_go_end_alike():
    no_go, go = go_no_go().inputs
    np.testing.assert_array_equal(no_go[25:], go[25:])


def test_mean_perceptual_trials_are_the_reference_s(oracle):
    np.testing.assert_allclose(mean_trials(), oracle["pdm/mean_inputs_f32"], rtol=0, atol=1e-7)
    np.testing.assert_array_equal(COHERENCES, oracle["pdm/cohs"])


def test_drawn_perceptual_trials_are_the_reference_s(oracle):
    trials, sides, _ = draw_trials(2000, np.random.default_rng(0))
    np.testing.assert_allclose(trials[:8], oracle["pdm/trials_seed0_first8"], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(sides[:8], oracle["pdm/labels_seed0_first8"].argmax(1))
    mean, sd, side_0 = oracle["pdm/stats_seed0_2000"]
    stimulus = trials[:, 1:31, 1:]
    assert stimulus.mean() == pytest.approx(mean, abs=1e-6)
    assert stimulus.std() == pytest.approx(sd, abs=1e-6)
    assert (sides == 0).mean() == pytest.approx(side_0)


def test_an_ideal_observer_s_accuracy():
    trials, sides, coherences = draw_trials(4000, np.random.default_rng(1))
    answers = np.argmax(trials[:, 1:31, 1:].sum(1), axis=1)
    for k, coherence in enumerate(COHERENCES):
        d = coherence / 100 * np.sqrt(30) / (np.sqrt(2) * 0.1)
        of = coherences == k
        error = np.sqrt(norm.cdf(d) * norm.sf(d) / of.sum())
        assert (answers == sides)[of].mean() == pytest.approx(norm.cdf(d), abs=4 * error + 1e-9)


def test_the_perceptual_ceiling_is_the_ideal_observer_s():
    d = np.array(COHERENCES) / 100 * np.sqrt(30) / (np.sqrt(2) * 0.1)
    assert norm.cdf(d).mean() == pytest.approx(perceptual().ceiling, abs=5e-6)
    labels, decidable = perceptual().labels, perceptual().decidable
    stronger = perceptual().inputs[:, 1:31, 1:].mean(axis=1).argmax(axis=1)
    np.testing.assert_array_equal(stronger[decidable], labels[decidable])
