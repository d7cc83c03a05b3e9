"""STTC and coincidence against their definitions, check vectors, elephant and shifts in time."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosernn.errors import BadInput
from biosernn.similarity.coincidence import coincidence, shares_near
from biosernn.similarity.sttc import sttc, tiled_share

TICK = 2.0**-10


def share_twin(a, b, dt):
    return sum(any(s - dt <= t <= s + dt for s in b) for t in a) / len(a)


def tile_twin(train, dt, start, end):
    covered, reached = 0.0, start
    for s in train:
        opening, closing = max(s - dt, reached), min(s + dt, end)
        if closing > opening:
            covered += closing - opening
            reached = closing
    return covered / (end - start)


def sttc_twin(spikes, dt, interval):
    start, end = interval
    trains = [[t for t in train if start <= t <= end] for train in spikes]
    out = np.eye(len(trains))
    for i, a in enumerate(trains):
        for j, b in enumerate(trains):
            if i != j and a and b:
                terms = []
                for first, second in ((a, b), (b, a)):
                    p, t = share_twin(first, second, dt), tile_twin(second, dt, start, end)
                    terms.append(1.0 if p * t == 1 else (p - t) / (1 - p * t))
                out[i, j] = sum(terms) / 2
    return out


def coincidence_twin(spikes, dt, interval):
    start, end = interval
    trains = [[t for t in train if start <= t <= end] for train in spikes]
    out = np.eye(len(trains))
    for i, a in enumerate(trains):
        for j, b in enumerate(trains):
            if i != j and a and b:
                out[i, j] = (share_twin(a, b, dt) + share_twin(b, a, dt)) / 2
    return out


def trains_of(times):
    return st.lists(st.lists(times, max_size=12).map(sorted), min_size=1, max_size=5)


ticks = st.integers(0, 400)
tick_recordings = st.tuples(
    trains_of(ticks), st.integers(1, 90), st.tuples(ticks, ticks).map(sorted)
).filter(lambda r: r[2][0] < r[2][1])
real_trains = trains_of(st.floats(0, 100))
real_windows = st.floats(1e-3, 30)


def seconds(recording, shift=0):
    trains, dt, (start, end) = recording
    spikes = [(np.array(t, dtype=float) + shift) * TICK for t in trains]
    return spikes, dt * TICK, ((start + shift) * TICK, (end + shift) * TICK)


k = np.arange(1, 201)


@pytest.mark.parametrize(
    ("a", "b", "interval", "dt", "value"),
    [
        (0.37 * k, 0.41 * k + 0.003, (0, 100), 0.05, 0.042016806722689),
        (0.37 * k, 0.41 * k + 0.003, (0, 100), 0.15, 0.231316725978648),
        (0.5 * k, (0.5 * k)[::2] + 0.01, (0, 101), 0.05, 0.7109375),
        (k, k + 0.5, (0, 201), 0.1, -0.199004975124378),
        (k**2 / 450, (k**2 + 3 * k) / 460, (0, 90), 0.02, 0.194829792187733),
    ],
)
def test_check_vectors(a, b, interval, dt, value):
    assert sttc([a, b], dt, interval)[0, 1] == pytest.approx(value, rel=0, abs=1e-14)


@given(tick_recordings)
def test_tiling_follows_the_definition_on_a_grid_of_ties(recording):
    spikes, dt, interval = seconds(recording)
    np.testing.assert_allclose(
        sttc(spikes, dt, interval), sttc_twin(spikes, dt, interval), rtol=0, atol=1e-14
    )


@given(real_trains, real_windows)
def test_tiling_follows_the_definition_at_any_times(spikes, dt):
    interval = (10.0, 90.0)
    np.testing.assert_allclose(
        sttc(spikes, dt, interval), sttc_twin(spikes, dt, interval), rtol=0, atol=1e-12
    )


@given(tick_recordings)
def test_coincidence_follows_the_definition(recording):
    spikes, dt, interval = seconds(recording)
    similarity = coincidence(spikes, dt, interval)
    np.testing.assert_allclose(
        similarity, coincidence_twin(spikes, dt, interval), rtol=0, atol=1e-15
    )
    np.testing.assert_array_equal(similarity, sttc(spikes, dt, interval, method="coincidence"))
    np.testing.assert_array_equal(similarity, similarity.T)


@given(real_trains, real_windows)
def test_tiling_is_symmetric_and_within_one(spikes, dt):
    coefficient = sttc(spikes, dt, (0.0, 100.0))
    np.testing.assert_array_equal(coefficient, coefficient.T)
    np.testing.assert_array_equal(np.diag(coefficient), 1)
    assert np.abs(coefficient).max() <= 1


@pytest.mark.parametrize("method", ["tiling", "coincidence"])
@given(recording=tick_recordings, shift=st.integers(-(2**40), 2**40))
def test_a_shift_in_time_changes_nothing(method, recording, shift):
    np.testing.assert_array_equal(
        sttc(*seconds(recording), method=method), sttc(*seconds(recording, shift), method=method)
    )


@pytest.mark.parametrize("dt", [0.01, 0.1, 2.0])
def test_agrees_with_elephant(dt):
    """Elephant widens its window by 1e-5 of the time, so no pair may lie that close beyond dt."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from elephant.spike_train_correlation import spike_time_tiling_coefficient
        from neo import SpikeTrain
        from quantities import s
    rng = np.random.default_rng(7)
    spikes = [np.unique(rng.integers(0, 95 * 128, n)) / 128 for n in (150, 40, 300, 1)]
    assert all(
        not np.any((np.abs(np.subtract.outer(a, b)) > dt) & np.isclose(a[:, None], b, atol=dt))
        for a in spikes
        for b in spikes
    )
    trains = [SpikeTrain(train * s, t_start=0, t_stop=95) for train in spikes]
    theirs = [[spike_time_tiling_coefficient(a, b, dt=dt * s) for b in trains] for a in trains]
    np.testing.assert_allclose(sttc(spikes, dt, (0, 95)), theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["tiling", "coincidence"])
def test_a_silent_neuron_is_0_off_the_diagonal(method):
    spikes = [[1.0, 2.0], [], [50.0], [1.0, 2.0]]
    coefficient = sttc(spikes, 0.1, (0.0, 10.0), method=method)
    np.testing.assert_array_equal(coefficient[1:3], [[0, 1, 0, 0], [0, 0, 1, 0]])
    assert coefficient[0, 3] == 1


def test_events_at_the_ends_of_the_interval_count_and_their_tiles_are_cut():
    spikes = [[0.0, 4.0, 8.0, 8.5], [-0.5, 0.0, 8.0]]
    assert sttc(spikes, 0.5, (0.0, 8.0))[0, 1] == sttc_twin(spikes, 0.5, (0.0, 8.0))[0, 1]
    assert tiled_share(np.array([0.0, 8.0]), 0.5, (0.0, 8.0)) == 0.125


def test_windows_that_cover_everything_give_1():
    assert tiled_share(np.arange(0, 10.05, 0.1), 0.051, (0.0, 10.0)) == 1
    np.testing.assert_array_equal(sttc([[1.0], [2.0]], 20.0, (0.0, 10.0)), 1)


def test_a_window_is_compared_by_its_ends():
    event, dt = 1.4142135623730951, 0.1
    end = event + dt
    assert end - event > dt
    np.testing.assert_array_equal(
        shares_near([np.array([event]), np.array([end])], dt)[:, 0], [1, 1]
    )


@pytest.mark.parametrize(
    ("spikes", "neuron"),
    [
        ([[1.0, 2.0], [2.0, 1.0]], 1),
        ([[1.0, np.nan]], 0),
        ([[1.0], [2.0], [np.inf]], 2),
        ([[[1.0, 2.0]]], 0),
        ([1.0, 2.0], 0),
        ([["a"]], 0),
        ([[1.0], [1j]], 1),
        ([[1.0], [1.0, [2.0]]], 1),
    ],
)
@pytest.mark.parametrize("method", ["tiling", "coincidence"])
def test_unusable_trains_are_refused_by_name(spikes, neuron, method):
    with pytest.raises(BadInput, match=f"^neuron {neuron}: "):
        sttc(spikes, 0.1, (0.0, 10.0), method=method)


@pytest.mark.parametrize("method", ["tiling", "coincidence"])
@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"dt": 0.0}, "dt"),
        ({"dt": -0.1}, "dt"),
        ({"dt": np.nan}, "dt"),
        ({"dt": np.inf}, "dt"),
        ({"interval": (10.0, 0.0)}, "interval"),
        ({"interval": (1.0, 1.0)}, "interval"),
        ({"interval": (0.0, np.inf)}, "interval"),
        ({"interval": (np.nan, 1.0)}, "interval"),
        ({"spikes": []}, "spikes"),
    ],
)
def test_unusable_choices_are_refused(changed, where, method):
    choices = {"spikes": [[1.0]], "dt": 0.1, "interval": (0.0, 10.0), "method": method}
    with pytest.raises(BadInput, match=f"^{where}: "):
        sttc(**(choices | changed))


def test_an_unknown_method_is_refused():
    with pytest.raises(BadInput, match=r"^method: "):
        sttc([[1.0]], 0.1, (0.0, 10.0), method="van_rossum")
