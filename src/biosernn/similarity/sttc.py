"""The spike time tiling coefficient."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from biosernn.errors import BadInput
from biosernn.similarity.activity import event_trains
from biosernn.similarity.coincidence import coincidence, shares_near


def sttc(
    spikes: Sequence[ArrayLike],
    dt: float,
    interval: tuple[float, float],
    method: Literal["tiling", "coincidence"] = "tiling",
) -> Float64[np.ndarray, "neurons neurons"]:
    """Measure how much more often than expected two neurons fire together, for every pair.

    ½ [(P_A - T_B) / (1 - P_A T_B) + (P_B - T_A) / (1 - P_B T_A)], where P_A is the share of A's
    events within ±dt of an event of B, T_A the share of the recording within ±dt of an event of
    A, and a term with P T = 1 is 1.

    Parameters
    ----------
    spikes
        N trains of ascending event times in seconds.
    dt
        Half-width of the window in seconds, inclusive; 0.1 in the released matrices.
    interval
        First and last second of the recording. Events outside are dropped, windows are cut there.
    method
        `tiling`, or `coincidence` for the other measure of that name, not corrected for rate.

    Returns
    -------
    ndarray
        (N, N), symmetric, within [-1, 1], diagonal 1; 0 elsewhere for a silent neuron.

    Raises
    ------
    BadInput
        If a train, dt, the interval or the method is unusable.

    References
    ----------
    .. [1] Cutts, C. S. and Eglen, S. J. (2014). Detecting pairwise correlations in spike trains: an
       objective comparison of methods and application to the study of retinal waves. Journal of
       Neuroscience 34, 14288-14303. doi 10.1523/JNEUROSCI.2767-14.2014.

    Examples
    --------
    >>> sttc([[1.0, 2.0, 3.0], [1.0, 2.0, 4.5], []], dt=0.25, interval=(0.0, 5.0))
    array([[1.        , 0.45833333, 0.        ],
           [0.45833333, 1.        , 0.        ],
           [0.        , 0.        , 1.        ]])

    """
    if method == "coincidence":
        return coincidence(spikes, dt, interval)
    if method != "tiling":
        raise BadInput("method", f"{method!r} is unknown", "use tiling or coincidence")
    trains = event_trains(spikes, interval)
    share = shares_near(trains, dt)
    tile = np.array([tiled_share(train, dt, interval) for train in trains])
    product = share * tile
    term = np.divide(share - tile, 1 - product, out=np.ones_like(share), where=product != 1)
    coefficient = (term + term.T) / 2
    silent = [train.size == 0 for train in trains]
    coefficient[silent, :] = 0.0
    coefficient[:, silent] = 0.0
    np.fill_diagonal(coefficient, 1.0)
    return coefficient


def tiled_share(
    train: Float64[np.ndarray, " events"], dt: float, interval: tuple[float, float]
) -> float:
    """Find which share of an interval lies within ±dt of an event.

    Parameters
    ----------
    train
        Ascending event times in seconds, all within the interval.
    dt
        Half-width of the window in seconds.
    interval
        First and last second; windows are cut there.

    Returns
    -------
    float
        Between 0 and 1, exactly 1 where no gap is left.

    Examples
    --------
    >>> tiled_share(np.array([0.0, 4.0, 4.5]), dt=0.5, interval=(0.0, 8.0))
    0.25

    """
    start, end = interval
    opening = np.append(train - dt, end)
    closing = np.concatenate(([start], train + dt))
    gaps = np.maximum(opening - closing, 0.0).sum()
    return max(1.0 - float(gaps / (end - start)), 0.0)
