"""Coincidence of events: the share of two neurons' events that lie near one another."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from biosernn.errors import BadInput
from biosernn.similarity.activity import event_trains


def coincidence(
    spikes: Sequence[ArrayLike], dt: float, interval: tuple[float, float]
) -> Float64[np.ndarray, "neurons neurons"]:
    """Average, for every pair of neurons, the two shares of events that lie near the other's.

    ½ (overlap_i / total_i + overlap_j / total_j), where overlap_i counts neuron i's events within
    ±dt of an event of neuron j. It grows with the rates of both and is not the STTC.

    Parameters
    ----------
    spikes
        N trains of ascending event times in seconds.
    dt
        Half-width of the window in seconds, inclusive.
    interval
        First and last second of the recording; events outside are dropped.

    Returns
    -------
    ndarray
        (N, N), symmetric, within [0, 1], diagonal 1; 0 elsewhere for a silent neuron.

    Raises
    ------
    BadInput
        If a train, dt or the interval is unusable.

    References
    ----------
    .. [1] Shakiba, Rokni, Mohammadi, Dehghani. Neuro-constrained Bio-inspired Recurrent Neural
       Network.

    Examples
    --------
    >>> coincidence([[1.0, 2.0, 3.0, 4.0], [1.0625, 3.5]], dt=0.125, interval=(0.0, 5.0))
    array([[1.   , 0.375],
           [0.375, 1.   ]])

    """
    share = shares_near(event_trains(spikes, interval), dt)
    similarity = (share + share.T) / 2
    np.fill_diagonal(similarity, 1.0)
    return similarity


def shares_near(
    trains: list[Float64[np.ndarray, " events"]], dt: float
) -> Float64[np.ndarray, "neurons neurons"]:
    """Find which share of each neuron's events lies within ±dt of an event of each other neuron.

    Parameters
    ----------
    trains
        N vectors of ascending, finite event times in seconds.
    dt
        Half-width of the window in seconds, inclusive: s - dt <= t <= s + dt.

    Returns
    -------
    ndarray
        (N, N); entry (a, b) is the share of a's events near one of b's, 0 where a is silent.

    Raises
    ------
    BadInput
        If dt is not above 0 and finite.

    Examples
    --------
    >>> shares_near([np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0625, 3.5])], dt=0.125)
    array([[1.  , 0.25],
           [0.5 , 1.  ]])

    """
    if not 0 < dt < np.inf:
        raise BadInput("dt", f"must be above 0 and finite, got {dt}", "give seconds")
    n_neurons, n_events = len(trains), np.array([train.size for train in trains])
    times = np.concatenate(trains)
    order = np.argsort(times, kind="stable")
    times = times[order]
    neuron = np.repeat(np.arange(n_neurons), n_events)[order]
    first, stop = np.empty_like(order), np.empty_like(order)
    first[order] = np.searchsorted(times, times - dt, "left")
    stop[order] = np.searchsorted(times, times + dt, "right")
    near = np.empty((n_neurons, n_neurons))
    ends = np.cumsum(n_events)
    for b, (begin, end) in enumerate(zip(ends - n_events, ends, strict=True)):
        opening, closing = first[begin:end], stop[begin:end]
        opening[1:] = np.maximum(opening[1:], closing[:-1])  # count an event in two windows once
        length = closing - opening
        skipped = opening - (np.cumsum(length) - length)
        covered = np.repeat(skipped, length) + np.arange(length.sum())
        near[:, b] = np.bincount(neuron[covered], minlength=n_neurons)
    return near / np.maximum(n_events, 1)[:, None]
