"""Event counts and Pearson's correlation against their definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from biosernn.errors import BadInput
from biosernn.similarity.bins import bin_counts, frame_counts
from biosernn.similarity.pearson import pearson

trains = st.lists(st.lists(st.floats(-5, 120), max_size=12).map(sorted), min_size=1, max_size=4)
matrices = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=8),
    elements=st.integers(-9, 9).map(float),
)


def pearson_twin(activity):
    out = np.eye(len(activity))
    for i, a in enumerate(activity):
        for j, b in enumerate(activity):
            if i != j and len(set(a)) > 1 and len(set(b)) > 1:
                mean_a, mean_b = math.fsum(a) / len(a), math.fsum(b) / len(b)
                shared = math.fsum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
                own_a = math.fsum((x - mean_a) ** 2 for x in a)
                own_b = math.fsum((y - mean_b) ** 2 for y in b)
                out[i, j] = shared / math.sqrt(own_a * own_b)
    return out


@given(matrices)
def test_pearson_follows_the_definition(activity):
    np.testing.assert_allclose(pearson(activity), pearson_twin(activity), rtol=0, atol=1e-14)


@given(matrices, st.integers(-60, 60), st.integers(-1000, 1000))
def test_pearson_is_symmetric_within_one_and_blind_to_unit_and_offset(activity, power, offset):
    correlation = pearson(activity)
    np.testing.assert_array_equal(correlation, correlation.T)
    np.testing.assert_array_equal(np.diag(correlation), 1)
    assert np.abs(correlation).max() <= 1
    rescaled = pearson((activity + offset) * 10.0**power)
    np.testing.assert_allclose(rescaled, correlation, rtol=0, atol=1e-11)


def test_pearson_does_not_overflow_or_underflow():
    activity = np.array([[0, 1, 0, 1, 1], [1, 1, 0, 0, 1.0]])
    for unit in (1e-200, 1e200):
        np.testing.assert_allclose(pearson(unit * activity), pearson(activity), atol=1e-15)


def test_a_neuron_that_never_varies_is_0_off_the_diagonal():
    activity = [[0.1] * 7, [1, 0, 1, 1, 0, 0, 1], [0.0] * 7]
    np.testing.assert_array_equal(pearson(activity), np.eye(3))


@pytest.mark.parametrize(
    ("activity", "where"),
    [
        ([[1, 2], [np.nan, 1]], "neuron 1"),
        ([[1, 2], [3, 4], [np.inf, 1]], "neuron 2"),
        ([[1, 2], [3, 4, 5]], "neuron 1"),
        ([[1, 2], 3], "neuron 1"),
        ([[1], [2]], "neuron 0"),
        ([[1, 2], ["a", "b"]], "neuron 1"),
        ([1, 2, 3], "neuron 0"),
        (np.zeros((2, 3, 4)), "neuron 0"),
        ([], "activity"),
    ],
)
def test_unusable_activity_is_refused_by_name(activity, where):
    with pytest.raises(BadInput, match=f"^{where}: "):
        pearson(activity)


@given(trains, st.floats(0.01, 30))
def test_bins_follow_the_definition(spikes, width):
    duration = 90.0
    counts = bin_counts(spikes, width, duration)
    assert counts.shape == (len(spikes), math.floor(duration / width))
    for row, train in zip(counts, spikes, strict=True):
        bins = [math.floor(t / width) for t in train]
        for b in range(counts.shape[1]):
            assert row[b] == bins.count(b)


def test_events_beyond_the_last_whole_bin_are_dropped():
    np.testing.assert_array_equal(
        bin_counts([[0.0, 0.25, 1.0, 1.1, 1e300], []], width_s=0.25, duration_s=1.2),
        [[1, 1, 0, 0], [0, 0, 0, 0]],
    )


@pytest.mark.parametrize(
    ("width", "duration", "where"),
    [
        (0.0, 1.0, "width_s"),
        (-0.2, 1.0, "width_s"),
        (np.nan, 1.0, "width_s"),
        (0.2, 0.0, "duration_s"),
        (0.2, np.inf, "duration_s"),
        (2.0, 1.0, "width_s"),
    ],
)
def test_unusable_bins_are_refused(width, duration, where):
    with pytest.raises(BadInput, match=f"^{where}: "):
        bin_counts([[0.1]], width, duration)


@given(
    st.lists(st.lists(st.integers(1, 40_000), max_size=30).map(sorted), min_size=1).filter(any),
    st.sampled_from([6.3009, 10.0, 29.97]),
)
def test_every_event_falls_into_its_frame(frames, rate):
    counts = frame_counts([np.array(f, dtype=float) / rate for f in frames], rate)
    assert counts.shape == (len(frames), max(max(f) for f in frames if f))
    for row, frame in zip(counts, frames, strict=True):
        np.testing.assert_array_equal(np.repeat(np.arange(1, row.size + 1), row), frame)


@pytest.mark.parametrize(
    ("spikes", "rate", "where"),
    [
        ([[1.0], [0.01, 1.0]], 6.3009, "neuron 1"),
        ([[1.0], [2.0, 1.0]], 6.3009, "neuron 1"),
        ([[], []], 6.3009, "spikes"),
        ([[1.0]], 0.0, "frame_rate_hz"),
        ([[1.0]], np.nan, "frame_rate_hz"),
    ],
)
def test_unusable_frames_are_refused(spikes, rate, where):
    with pytest.raises(BadInput, match=f"^{where}: "):
        frame_counts(spikes, rate)
