"""Positions and distances against the reference implementation and against plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from biosernn.errors import BadInput
from biosernn.geometry.box import uniform_box
from biosernn.geometry.distances import pairwise_distances, unit_mean_distance
from biosernn.geometry.extents import principal_extents
from biosernn.geometry.grid import integer_lattice, lattice
from biosernn.geometry.scramble import minmax_scrambled
from biosernn.geometry.shuffle import shuffled_positions

VOXEL_UM = np.array([0.004, 0.004, 0.04])
micrometres = arrays(
    float, st.tuples(st.integers(2, 12), st.just(3)), elements=st.floats(-1e3, 1e3)
)


@pytest.fixture(scope="module")
def small(shared):
    with np.load(shared / "oracle/regularisers.npz", allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def real(shared):
    with np.load(shared / "oracle/regularisers_312.npz", allow_pickle=False) as file:
        return {key.removeprefix("n312/"): file[key] for key in file.files}


@pytest.fixture(scope="module")
def sheet(real):
    """The cohort's true positions in µm."""
    return real["positions_raw"] * VOXEL_UM


@pytest.mark.parametrize("n", [5, 16, 64])
def test_distances_and_integer_lattice_are_the_references(small, n):
    np.testing.assert_allclose(
        pairwise_distances(small[f"n{n}/coords"].T), small[f"n{n}/dist"], rtol=1e-12
    )
    np.testing.assert_array_equal(integer_lattice(n), small[f"n{n}/grid_coords"].T)
    np.testing.assert_allclose(
        pairwise_distances(integer_lattice(n)), small[f"n{n}/dist_grid"], rtol=1e-12
    )


def test_real_scrambled_positions_and_lattice_are_the_references(real):
    scrambled = minmax_scrambled(real["positions_raw"])
    np.testing.assert_allclose(scrambled, real["coords"].T, rtol=1e-15, atol=0)
    np.testing.assert_array_equal(integer_lattice(312), real["grid_coords"].T)
    for positions, name in ((scrambled, "dist"), (integer_lattice(312), "dist_grid")):
        distances = pairwise_distances(positions)
        np.testing.assert_allclose(
            distances[tuple(real["sample_idx"].T)], real[f"{name}_sample"], rtol=1e-12
        )
        np.testing.assert_allclose(
            [distances.sum(), (distances**2).sum(), distances.max()],
            real[f"{name}_stats"],
            rtol=1e-12,
        )


def test_scrambled_distances_are_unrelated_to_true_ones_and_voxels_matter(real, sheet):
    upper = np.triu_indices(312, 1)
    true = pairwise_distances(sheet)[upper]
    from_voxels = pairwise_distances(minmax_scrambled(real["positions_raw"]))[upper]
    assert np.corrcoef(true, from_voxels)[0, 1] == pytest.approx(-0.003, abs=5e-4)
    assert not np.allclose(minmax_scrambled(sheet), real["coords"].T, atol=0.01)


def test_most_cubic_factorisation():
    assert integer_lattice(128).max(axis=0).tolist() == [7, 3, 3]
    assert integer_lattice(128).min() == 0
    assert integer_lattice(7).max(axis=0).tolist() == [6, 0, 0]


@given(micrometres)
def test_distances_by_loops(positions):
    n = len(positions)
    slow = np.array(
        [[np.sqrt(np.sum((positions[i] - positions[j]) ** 2)) for j in range(n)] for i in range(n)]
    )
    distances = pairwise_distances(positions)
    np.testing.assert_allclose(distances, slow, rtol=1e-12)
    np.testing.assert_array_equal(distances, distances.T)
    np.testing.assert_array_equal(np.diagonal(distances), 0)


def test_positions_of_another_shape_are_refused():
    with pytest.raises(BadInput, match=r"shape \(3, 5\) is not \(N, 3\)"):
        pairwise_distances(np.zeros((3, 5)))
    with pytest.raises(BadInput, match="neuron 1"):
        pairwise_distances(np.array([[0.0, 0, 0], [0, np.nan, 0]]))


def test_unit_mean_distance(sheet):
    distances = pairwise_distances(sheet)
    scaled = unit_mean_distance(distances)
    assert scaled[np.triu_indices(312, 1)].mean() == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(scaled * distances.max(), distances * scaled.max(), rtol=1e-12)
    with pytest.raises(BadInput, match="one point"):
        unit_mean_distance(np.zeros((4, 4)))


def test_the_cohort_is_a_sheet(sheet):
    np.testing.assert_allclose(principal_extents(sheet) / np.sqrt(12), [227, 121, 8], atol=1)


def test_lattice_keeps_the_sheet(sheet):
    points = lattice(sheet)
    assert len(np.unique(points, axis=0)) == 312
    np.testing.assert_allclose(points.std(axis=0)[:2], [227, 121], rtol=0.05)
    spacings = [np.diff(np.unique(points[:, axis].round(6))) for axis in (0, 1)]
    np.testing.assert_allclose(spacings[0].mean(), spacings[1].mean(), rtol=0.1)
    assert np.ptp(points[:, 2]) <= principal_extents(sheet)[2]


def test_box_keeps_the_sheet(sheet):
    box = uniform_box(sheet, np.random.default_rng(3))
    np.testing.assert_allclose(box.std(axis=0), [227, 121, 8], rtol=0.1)
    assert (np.abs(box) <= principal_extents(sheet) / 2).all()


@given(micrometres.filter(lambda p: np.ptp(p, axis=0).min() > 1))
def test_lattice_has_one_innermost_point_per_neuron(positions):
    points = lattice(positions)
    assert points.shape == positions.shape
    assert (np.abs(points) <= principal_extents(positions) / 2).all()
    distances = pairwise_distances(points)
    assert distances[~np.eye(len(points), dtype=bool)].min() > 0


@given(micrometres, st.integers(0, 99))
def test_shuffled_positions_are_the_same_places(positions, seed):
    shuffled = shuffled_positions(positions, np.random.default_rng(seed))
    assert sorted(map(tuple, shuffled)) == sorted(map(tuple, positions))
