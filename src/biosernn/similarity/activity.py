"""What counts as recorded activity: trains of event times, or one row of samples per neuron."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from biosernn.errors import BadInput


def event_trains(
    spikes: Sequence[ArrayLike], interval: tuple[float, float] | None = None
) -> list[Float64[np.ndarray, " events"]]:
    """Give every neuron's event times as a float64 vector, cut to an interval.

    Parameters
    ----------
    spikes
        N trains of ascending event times in seconds; a silent neuron's is empty.
    interval
        First and last second kept, both inclusive; everything when absent.

    Returns
    -------
    list of ndarray
        N vectors.

    Raises
    ------
    BadInput
        If there is no train, if one is not a vector of finite, ascending numbers, or if the
        interval is not an ordered pair of finite times.

    Examples
    --------
    >>> event_trains([[0.5, 1.0, 7.5], []], interval=(1.0, 5.0))
    [array([1.]), array([], dtype=float64)]

    """
    trains = [_finite_vector(neuron, times) for neuron, times in enumerate(spikes)]
    if not trains:
        raise BadInput("spikes", "hold no neuron", "give one train of event times per neuron")
    for neuron, train in enumerate(trains):
        if (train[1:] < train[:-1]).any():
            raise BadInput(f"neuron {neuron}", "its event times are not ascending", "sort them")
    if interval is None:
        return trains
    start, end = interval
    if not 0 < end - start < np.inf:
        raise BadInput(
            "interval",
            f"{start} to {end} s is not a stretch of time",
            "give (start, end), in order",
        )
    return [t[np.searchsorted(t, start) : np.searchsorted(t, end, "right")] for t in trains]


def activity_matrix(
    activity: np.ndarray | Sequence[ArrayLike],
) -> Float64[np.ndarray, "neurons samples"]:
    """Give counts or traces as one float64 row per neuron.

    Parameters
    ----------
    activity
        (N, T) event counts or fluorescence, in any unit.

    Returns
    -------
    ndarray
        (N, T), not copied where it already is float64.

    Raises
    ------
    BadInput
        If there is no row, or one holds fewer than two samples, another number of samples than
        the first, or anything but finite numbers.

    Examples
    --------
    >>> activity_matrix([[0, 1, 2], [3, 4, float("nan")]])
    Traceback (most recent call last):
    biosernn.errors.BadInput: neuron 1: holds a value that is not finite; ...

    """
    lengths = [len(_finite_vector(neuron, row)) for neuron, row in enumerate(activity)]
    if not lengths:
        raise BadInput("activity", "holds no neuron", "give one row of samples per neuron")
    for neuron, length in enumerate(lengths):
        if length < 2:
            raise BadInput(f"neuron {neuron}", f"has {length} samples", "give at least two")
        if length != lengths[0]:
            raise BadInput(
                f"neuron {neuron}",
                f"has {length} samples where neuron 0 has {lengths[0]}",
                "give all neurons the same samples",
            )
    return np.asarray(activity, dtype=np.float64)


def _finite_vector(neuron: int, values: ArrayLike) -> Float64[np.ndarray, " values"]:
    try:
        vector = np.asarray(values)
    except ValueError:
        vector = np.empty((), dtype=object)
    if vector.ndim != 1 or vector.dtype.kind not in "iuf":
        raise BadInput(f"neuron {neuron}", "is not a vector of real numbers", "give one")
    if not np.isfinite(vector).all():
        raise BadInput(f"neuron {neuron}", "holds a value that is not finite", "remove it")
    return vector.astype(np.float64, copy=False)
