"""The made-up cohort carries the truth that it states."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from biosernn.cohort.cohort import Cohort
from biosernn.cohort.show import show
from biosernn.errors import BadInput
from biosernn.geometry.distances import pairwise_distances
from biosernn.similarity.bins import bin_counts, frame_counts
from biosernn.similarity.pearson import pearson
from biosernn.similarity.sttc import sttc
from biosernn.sources.set_order import file_order_counts
from biosernn.sources.synthetic import latent_correlation, synthetic_cohort


@pytest.fixture(scope="module", params=[0, 1, 2])
def cohort(request: pytest.FixtureRequest) -> Cohort:
    return synthetic_cohort(128, seed=request.param)


def test_a_seed_makes_one_cohort() -> None:
    hashes = [synthetic_cohort(n, seed).content_sha256 for n in (16, 17) for seed in (0, 1)]
    again = [synthetic_cohort(n, seed).content_sha256 for n in (16, 17) for seed in (0, 1)]
    assert hashes == again
    assert len(set(hashes)) == 4


def test_the_number_of_threads_does_not_matter() -> None:
    code = (
        "from biosernn.sources.synthetic import synthetic_cohort as make;"
        "print(make(401, 0).content_sha256)"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(hashes) == 1


def test_it_leaves_global_random_state_alone() -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    synthetic_cohort(16, seed=0)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_it_has_every_part(cohort: Cohort, tmp_path: Path) -> None:
    assert cohort.missing == ()
    assert cohort.provenance["kind"] == "synthetic"
    cohort.write(tmp_path / "made.h5")
    assert Cohort.read(tmp_path / "made.h5", check_hash=True).provenance == cohort.provenance
    assert synthetic_cohort(64, seed=0).name == "synthetic:64"


def test_somata_lie_in_a_sheet_of_two_layers(cohort: Cohort) -> None:
    assert cohort.positions_um.std(axis=0) == pytest.approx([227, 8, 121], rel=0.2)
    from_layers = np.abs(cohort.positions_um[:, 1, None] - [400.0, 415.0])
    assert from_layers.min(axis=1).max() < 5 * 3
    assert (np.bincount(from_layers.argmin(axis=1)) > 0.3 * cohort.n_neurons).all()


def test_near_neurons_connect(cohort: Cohort) -> None:
    summary = show(cohort)
    assert 0.03 < summary["density"] < 0.07
    assert summary["n_autapses"] == 0
    near, far = summary["median_distance_connected_um"], summary["median_distance_all_um"]
    assert near < far / 2
    scrambled = file_order_counts(cohort) > 0
    distances = pairwise_distances(cohort.positions_um)
    assert np.median(distances[scrambled]) > far * 0.8


def test_correlation_falls_with_distance_and_rises_with_connection(cohort: Cohort) -> None:
    pairs = np.tril_indices(cohort.n_neurons, -1)
    distance = pairwise_distances(cohort.positions_um)[pairs]
    counts = cohort.synapse_counts()
    connected = (counts + counts.T > 0)[pairs]
    for similar in (cohort.corr[pairs], cohort.sttc[pairs]):
        assert np.corrcoef(similar, distance)[0, 1] < -0.5
        edges = np.quantile(distance, np.linspace(0, 0.5, 6))
        excess = [
            similar[within & connected].mean() - similar[within & ~connected].mean()
            for within in ((distance >= a) & (distance < b) for a, b in pairwise(edges))
        ]
        assert np.mean(excess) > 0.02


def test_events_carry_the_stated_correlation(cohort: Cohort) -> None:
    pairs = np.tril_indices(cohort.n_neurons, -1)
    truth = latent_correlation(pairwise_distances(cohort.positions_um), cohort.synapse_counts())
    assert np.linalg.eigvalsh(truth)[0] > 0
    assert (truth.diagonal() == 1).all()
    assert np.corrcoef(cohort.corr[pairs], truth[pairs])[0, 1] > 0.85


def test_the_stated_correlation_is_that_of_its_parts() -> None:
    distances = np.array([[0.0, 150.0, 300.0], [150.0, 0.0, 1e9], [300.0, 1e9, 0.0]])
    counts = np.array([[0, 2, 0], [0, 0, 1], [0, 0, 0]])
    gain = 0.9 / np.sqrt(4 / 3)
    rows = np.array([[1, gain, 0], [gain, 1, gain], [0, gain, 1]])
    rows /= np.sqrt((rows**2).sum(axis=1))[:, None]
    truth = latent_correlation(distances, counts)
    for i, j, place in ((0, 1, np.exp(-1)), (0, 2, np.exp(-2)), (1, 2, 0.0)):
        expected = 0.5 * place + 0.3 * rows[i] @ rows[j]
        assert truth[i, j] == pytest.approx(expected, rel=1e-12)
        assert truth[j, i] == pytest.approx(expected, rel=1e-12)


def test_events_are_peaks_on_the_frames(cohort: Cohort) -> None:
    counts = frame_counts(cohort.spikes, cohort.frame_rate_hz)
    assert counts.max() == 1
    assert not (counts[:, 1:] & counts[:, :-1]).any()
    for train in cohort.spikes:
        frames = np.rint(train * 6.3009)
        np.testing.assert_array_equal(train, frames / 6.3009)
    rates = np.array([len(train) for train in cohort.spikes]) / cohort.interval_s[1]
    assert 0.1 < rates.min() < rates.max() < 1.5


def test_matrices_follow_from_the_events(cohort: Cohort) -> None:
    duration = max(train[-1] for train in cohort.spikes) + 0.1
    assert cohort.interval_s == (0.0, duration)
    counts = bin_counts(cohort.spikes, 0.2, duration)
    np.testing.assert_allclose(cohort.corr, pearson(counts), rtol=0, atol=1e-14)
    tiling = sttc(cohort.spikes, 0.1, interval=(0.0, duration))
    np.testing.assert_allclose(cohort.sttc, tiling, rtol=0, atol=1e-14)
    identity = cohort.precision @ np.cov(counts, bias=True)
    np.testing.assert_allclose(identity, np.eye(cohort.n_neurons), rtol=0, atol=1e-10)


def test_the_bins_matter(cohort: Cohort) -> None:
    pairs = np.tril_indices(cohort.n_neurons, -1)
    in_frames = pearson(frame_counts(cohort.spikes, cohort.frame_rate_hz))[pairs]
    assert np.abs(in_frames - cohort.corr[pairs]).mean() > 0.005


@pytest.mark.parametrize(("n", "seed"), [(7, 0), (2001, 0), (-1, 0), (64, -1)])
def test_what_cannot_be_made_is_refused(n: int, seed: int) -> None:
    with pytest.raises(BadInput, match="synthetic"):
        synthetic_cohort(n, seed)
