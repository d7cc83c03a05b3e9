"""Functional similarity of the released recordings, and the precision matrix."""

import json

import numpy as np
import pytest

from biosernn.errors import BadInput, WorkFailed
from biosernn.similarity.bins import bin_counts, frame_counts
from biosernn.similarity.pearson import pearson
from biosernn.similarity.precision import precision
from biosernn.similarity.sttc import sttc
from biosernn.sources.release import read_release

FIELDS = ["4_7_8", "5_3_6", "5_6_8", "5_7_8", "6_2_8", "6_4_8", "7_3_8"]


@pytest.mark.parametrize("field", FIELDS)
def test_the_shipped_matrices_are_reproduced(shared, field):
    cohort = read_release(shared / "data" / "release" / field)
    duration = max(train[-1] for train in cohort.spikes) + 0.1
    correlation = pearson(bin_counts(cohort.spikes, 0.2, duration))
    np.testing.assert_allclose(correlation, cohort.corr, rtol=0, atol=1e-12)
    coefficient = sttc(cohort.spikes, 0.1, (0.0, duration))
    np.testing.assert_allclose(coefficient, cohort.sttc, rtol=0, atol=1e-12)


def test_bins_of_one_frame_lower_the_mean_correlation(shared):
    cohort = read_release(shared / "data" / "release" / "5_7_8")
    counts = frame_counts(cohort.spikes, 6.3009)
    expected = json.loads((shared / "data" / "expected.json").read_text())["fields"]["5_7_8"]
    assert counts.shape == (139, expected["spikes"]["last_frame_index"])
    assert counts.max() == 1
    pairs = np.tril_indices(139, -1)
    assert cohort.corr[pairs].mean() == pytest.approx(0.03864, abs=5e-6)
    assert pearson(counts)[pairs].mean() == pytest.approx(0.02230, abs=5e-6)


@pytest.mark.slow
def test_the_shipped_precision_is_a_cross_validated_graphical_lasso(shared):
    cohort = read_release(shared / "data" / "release" / "6_4_8")
    counts = bin_counts(cohort.spikes, 0.2, max(train[-1] for train in cohort.spikes) + 0.1)
    inverse = precision(counts)
    np.testing.assert_array_equal(inverse == 0, cohort.precision == 0)
    np.testing.assert_allclose(inverse, cohort.precision, rtol=0, atol=1e-3)


@pytest.fixture
def counts():
    """Counts of six neurons: three driven by one source, two by another, one alone."""
    rng = np.random.default_rng(3)
    sources = rng.poisson(0.3, (3, 2000))
    return sources[[0, 0, 0, 1, 1, 2]] + rng.poisson(0.2, (6, 2000))


def off_diagonal(matrix):
    return matrix[~np.eye(len(matrix), dtype=bool)]


def test_graphical_lasso_meets_its_optimality_conditions(counts):
    alpha = 0.02
    inverse = precision(counts, alpha=alpha)
    difference = np.linalg.inv(inverse) - np.cov(counts, bias=True)
    present = off_diagonal(inverse) != 0
    assert 0 < present.sum() < present.size
    np.testing.assert_allclose(np.diag(difference), 0, atol=1e-4)
    np.testing.assert_allclose(
        off_diagonal(difference)[present],
        alpha * np.sign(off_diagonal(inverse)[present]),
        atol=1e-4,
    )
    assert np.abs(off_diagonal(difference)).max() <= alpha + 1e-4


def test_cross_validation_keeps_the_groups_and_is_repeatable(counts):
    inverse = precision(counts)
    group = np.array([0, 0, 0, 1, 1, 2])
    same = (group[:, None] == group) & ~np.eye(6, dtype=bool)
    different = group[:, None] != group
    assert inverse[same].max() < inverse[different].min()
    np.testing.assert_array_equal(inverse, precision(counts))


def test_ledoit_wolf_inverts_the_shrunk_covariance(counts):
    covariance = np.cov(counts, bias=True)
    n, t = counts.shape
    target = np.trace(covariance) / n * np.eye(n)
    centred = counts - counts.mean(axis=1, keepdims=True)
    spread = sum(((np.outer(x, x) - covariance) ** 2).sum() for x in centred.T) / t**2
    shrinkage = min(spread / ((covariance - target) ** 2).sum(), 1)
    shrunk = (1 - shrinkage) * covariance + shrinkage * target
    np.testing.assert_allclose(
        precision(counts, method="ledoit_wolf"), np.linalg.inv(shrunk), rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"alpha": 0.0}, "alpha"),
        ({"alpha": np.nan}, "alpha"),
        ({"method": "inverse"}, "method"),
        ({"activity": [[0, 1, 0, 1], [1, 1, 1, 1]]}, "neuron 1"),
        ({"activity": [[0, 1, 0, 1]]}, "activity"),
        ({"activity": [[0, 1, 0, 1], [1, 0, 0, 1]]}, "activity"),
        ({"activity": [[0, 1, 0, 1], [1, 1, 1, np.nan]]}, "neuron 1"),
    ],
)
def test_unusable_choices_are_refused(changed, where):
    with pytest.raises(BadInput, match=f"^{where}: "):
        precision(**({"activity": [[0, 1, 0, 1, 1], [1, 0, 0, 1, 0]]} | changed))


def test_a_graphical_lasso_without_a_solution_is_an_error():
    counts = np.random.default_rng(0).poisson(0.3, (30, 20))
    counts[1] = counts[0]
    with pytest.raises(WorkFailed, match=r"^graphical lasso: .*; raise alpha"):
        precision(counts, alpha=1e-9)
