"""Event counts in bins of time or of one imaging frame."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int32
from numpy.typing import ArrayLike

from biosernn.errors import BadInput
from biosernn.similarity.activity import event_trains


def bin_counts(
    spikes: Sequence[ArrayLike], width_s: float, duration_s: float
) -> Int32[np.ndarray, "neurons bins"]:
    """Count each neuron's events in bins of equal width from time 0.

    Parameters
    ----------
    spikes
        N trains of ascending event times in seconds.
    width_s
        Width of a bin in seconds; 0.2 in the released matrices.
    duration_s
        Length of the recording in seconds; the last event of all neurons + 0.1 s there. The last,
        incomplete bin is left out.

    Returns
    -------
    ndarray
        (N, floor(duration / width)) counts; an event at t falls into bin floor(t / width), and
        events outside of all bins are dropped.

    Raises
    ------
    BadInput
        If a train is unusable, if the width or the duration is not above 0, or if not one bin
        fits.

    References
    ----------
    .. [1] Released code and data of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> bin_counts([[0.1, 0.3, 0.35], [0.5, 0.9]], width_s=0.25, duration_s=0.9)
    array([[1, 2, 0],
           [0, 0, 1]], dtype=int32)

    """
    for name, seconds in (("width_s", width_s), ("duration_s", duration_s)):
        if not 0 < seconds < np.inf:
            raise BadInput(name, f"must be above 0 and finite, got {seconds}", "give seconds")
    n_bins = math.floor(duration_s / width_s)
    if n_bins < 1:
        raise BadInput("width_s", f"no bin of {width_s} s fits {duration_s} s", "narrow the bins")
    trains = event_trains(spikes)
    counts = np.empty((len(trains), n_bins), dtype=np.int32)
    for row, train in zip(counts, trains, strict=True):
        bins = np.floor(train / width_s)
        bins = bins[(bins >= 0) & (bins < n_bins)].astype(np.intp)
        row[:] = np.bincount(bins, minlength=n_bins)
    return counts


def frame_counts(
    spikes: Sequence[ArrayLike], frame_rate_hz: float
) -> Int32[np.ndarray, "neurons frames"]:
    """Count each neuron's events in bins of exactly one imaging frame.

    Parameters
    ----------
    spikes
        N trains of ascending event times in seconds, on the frame grid t = k / rate.
    frame_rate_hz
        Frames per second; 6.3009 in the released recordings.

    Returns
    -------
    ndarray
        (N, n_frames) counts of frames k = rint(rate · t) from 1 to the last with an event; frame k
        is column k - 1.

    Raises
    ------
    BadInput
        If a train is unusable, if an event lies before frame 1, if there is no event at all, or
        if the rate is not above 0.

    Examples
    --------
    >>> frame_counts([[0.1, 0.3], [0.2]], frame_rate_hz=10)
    array([[1, 0, 1],
           [0, 1, 0]], dtype=int32)

    """
    if not 0 < frame_rate_hz < np.inf:
        raise BadInput(
            "frame_rate_hz", f"must be above 0 and finite, got {frame_rate_hz}", "give Hz"
        )
    frames = [np.rint(train * frame_rate_hz).astype(np.intp) for train in event_trains(spikes)]
    for neuron, frame in enumerate(frames):
        if frame.size and frame[0] < 1:
            raise BadInput(
                f"neuron {neuron}",
                "has an event before frame 1",
                "shift the times so that 1 / rate is the first",
            )
    n_frames = max((frame[-1] for frame in frames if frame.size), default=0)
    if n_frames == 0:
        raise BadInput("spikes", "hold no event", "leave out the frames and use bins of time")
    counts = np.empty((len(frames), n_frames), dtype=np.int32)
    for row, frame in zip(counts, frames, strict=True):
        row[:] = np.bincount(frame - 1, minlength=n_frames)
    return counts
