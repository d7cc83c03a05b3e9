"""A made-up cohort whose truth is known, for trying things out without a download.

Somata lie in a thin horizontal sheet as large as a recorded field, at two depths. Neurons connect
with a probability that falls off with distance, at 5 % more often than the 0.2 to 1 % of a recorded
field, so that there is wiring enough to find an effect of it. Activity is a Gaussian signal per
neuron, correlated as `latent_correlation` says; an event is a peak of that signal above a
threshold of the neuron's own, so two events of a neuron are at least two frames apart. As in the
released recordings, the correlation is that of counts in bins of 200 ms and STTC has a window of
100 ms; the precision is the plain inverse covariance of the same counts.
"""

import numpy as np
from jaxtyping import Float64, Int64
from threadpoolctl import threadpool_limits

from biosernn.cohort.cohort import Cohort
from biosernn.cohort.wiring import Wiring
from biosernn.errors import BadInput
from biosernn.geometry.distances import pairwise_distances
from biosernn.similarity.bins import bin_counts
from biosernn.similarity.pearson import pearson
from biosernn.similarity.sttc import sttc

VERSION = 1  # raised when the same seed gives another cohort
SMALLEST, LARGEST = 8, 2000
FIRST_ROOT_ID = 864691135000000000
SHEET_SD_UM = (227.0, 121.0)
LAYER_DEPTHS_UM = (400.0, 415.0)
LAYER_SD_UM = 3.0
DENSITY = 0.05
WIRING_LENGTH_UM = 75.0
FURTHER_SYNAPSES = 0.1
SHARE_OF_PLACE = 0.5
PLACE_LENGTH_UM = 150.0
SHARE_OF_WIRING = 0.3
WIRING_GAIN = 0.9
FRAME_RATE_HZ = 6.3009
N_FRAMES = 6000
THRESHOLDS = (0.8, 1.8)
AFTER_LAST_EVENT_S = 0.1
BIN_S = 0.2
STTC_WINDOW_S = 0.1


def synthetic_cohort(n: int, seed: int) -> Cohort:
    """Make up a cohort of known truth.

    Parameters
    ----------
    n
        Number of neurons, 8 to 2,000.
    seed
        Not negative; the same seed gives the same cohort.

    Returns
    -------
    Cohort
        With all parts; 16 minutes of activity at 6.3009 frames per second.

    Raises
    ------
    BadInput
        If the number or the seed is out of range.

    Examples
    --------
    >>> cohort = synthetic_cohort(16, seed=0)
    >>> cohort.name, cohort.corr.shape, cohort.missing
    ('synthetic:16', (16, 16), ())

    """
    if not SMALLEST <= n <= LARGEST:
        raise BadInput("synthetic", f"{n} neurons", f"ask for {SMALLEST} to {LARGEST}")
    if seed < 0:
        raise BadInput("synthetic", f"seed {seed} is negative", "use 0 or more")
    with threadpool_limits(1):  # with more, sums differ in their last bits
        return _cohort(n, seed)


def _cohort(n: int, seed: int) -> Cohort:
    rng = np.random.default_rng(seed)
    positions = _sheet(n, rng)
    distances = pairwise_distances(positions)
    counts = _synapse_counts(distances, rng)
    spikes = _events(latent_correlation(distances, counts), rng)
    duration = max(train[-1] for train in spikes) + AFTER_LAST_EVENT_S
    binned = bin_counts(spikes, BIN_S, duration)
    return Cohort(
        neurons={
            "nucleus_id": np.arange(1, n + 1),
            "root_id": FIRST_ROOT_ID + rng.choice(2**31, n, replace=False),
            "unit_id": np.arange(1, n + 1),
            "session": np.ones(n, dtype=np.int64),
            "scan": np.ones(n, dtype=np.int64),
            "field": np.ones(n, dtype=np.int64),
            "n_autapses": np.zeros(n, dtype=np.int64),
        },
        positions_um=positions,
        wiring=Wiring.from_counts(counts),
        corr=pearson(binned),
        sttc=sttc(spikes, STTC_WINDOW_S, interval=(0.0, duration)),
        precision=np.linalg.inv(np.cov(binned, bias=True)),
        spikes=spikes,
        interval_s=(0.0, duration),
        frame_rate_hz=FRAME_RATE_HZ,
        provenance={
            "kind": "synthetic",
            "name": f"synthetic:{n}" + (f" seed {seed}" if seed else ""),
            "version": VERSION,
            "seed": seed,
        },
    )


def latent_correlation(
    distances_um: Float64[np.ndarray, "n n"], counts: Int64[np.ndarray, "n n"]
) -> Float64[np.ndarray, "n n"]:
    """Correlate the signals behind the events: the truth that a synthetic cohort's activity has.

    Half of a signal's variance is shared with neurons nearby (exp(-distance / 150 µm)), three
    tenths with the neurons that it is connected with in either direction and, less, with theirs,
    and a fifth with none.

    Parameters
    ----------
    distances_um
        (N, N) distances between somata.
    counts
        (N, N) synapse counts.

    Returns
    -------
    ndarray
        (N, N), positive definite, diagonal 1.

    Examples
    --------
    >>> latent_correlation(np.full((2, 2), 1e3), np.array([[0, 1], [0, 0]])).round(3)
    array([[1.   , 0.299],
           [0.299, 1.   ]])

    """
    connected = (counts + counts.T > 0).astype(float)
    gain = WIRING_GAIN / np.sqrt(max(connected.sum(axis=1).mean(), 1.0))
    spread = np.eye(len(counts)) + gain * connected
    by_wiring = spread @ spread.T
    own = np.sqrt(by_wiring.diagonal())
    by_place = np.exp(-distances_um / PLACE_LENGTH_UM)
    shared = SHARE_OF_PLACE * by_place + SHARE_OF_WIRING * by_wiring / np.outer(own, own)
    np.fill_diagonal(shared, 1.0)
    return shared


def _sheet(n: int, rng: np.random.Generator) -> Float64[np.ndarray, "n 3"]:
    width, height = np.sqrt(12) * np.array(SHEET_SD_UM)
    depth = rng.choice(LAYER_DEPTHS_UM, n) + rng.normal(0.0, LAYER_SD_UM, n)
    return np.stack([rng.uniform(0.0, width, n), depth, rng.uniform(0.0, height, n)], axis=1)


def _synapse_counts(
    distances_um: Float64[np.ndarray, "n n"], rng: np.random.Generator
) -> Int64[np.ndarray, "n n"]:
    nearness = np.exp(-distances_um / WIRING_LENGTH_UM)
    np.fill_diagonal(nearness, 0.0)
    n = len(distances_um)
    probability = DENSITY * nearness * n * (n - 1) / nearness.sum()
    connected = rng.random((n, n)) < probability
    return connected * (1 + rng.poisson(FURTHER_SYNAPSES, (n, n)))


def _events(
    correlation: Float64[np.ndarray, "n n"], rng: np.random.Generator
) -> tuple[Float64[np.ndarray, " events"], ...]:
    n = len(correlation)
    signal = np.linalg.cholesky(correlation) @ rng.standard_normal((n, N_FRAMES))
    before, now, after = signal[:, :-2], signal[:, 1:-1], signal[:, 2:]
    threshold = rng.uniform(*THRESHOLDS, (n, 1))
    peaks = (now > before) & (now > after) & (now > threshold)
    return tuple((np.flatnonzero(row) + 2) / FRAME_RATE_HZ for row in peaks)
