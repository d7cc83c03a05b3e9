"""W_bio against the reference implementation, and what each control keeps and destroys."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from threadpoolctl import threadpool_limits

from biosernn.errors import BadInput
from biosernn.initializers.bio import bio_weight_stages, bio_weights, compose_bio_weights
from biosernn.initializers.diagonal import (
    constant_diagonal,
    diagonal_only,
    off_diagonal,
    off_diagonal_rescaled,
)
from biosernn.initializers.distance_binned_shuffle import shuffled, shuffled_in_bins
from biosernn.initializers.facts import weight_facts
from biosernn.initializers.identity import scaled_identity
from biosernn.initializers.moment_matched import moment_matched
from biosernn.initializers.orthogonal import haar_orthogonal
from biosernn.initializers.radius import eigenvalues
from biosernn.initializers.relabelled import relabelled
from biosernn.initializers.rotation import rotated
from biosernn.initializers.sign import dale, nonnegative
from biosernn.initializers.wiring import wiring_weights
from biosernn.protocol import CORRECTED

STAGES = {  # the reference's name -> ours
    "sttc_sym": "sttc_sym",
    "corr_norm": "corr_norm",
    "sttc_norm": "sttc_norm",
    "product": "product",
    "mean_scaled": "mean_scaled",
    "floored": "thresholded",
    "final": "final",
}
square = st.integers(2, 8).flatmap(
    lambda n: arrays(float, (n, n), elements=st.floats(0, 1), unique=True)
)
seeds = st.integers(0, 999)


@pytest.fixture(scope="module")
def oracle(shared):
    with np.load(shared / "oracle/w_bio.npz", allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def similarities(shared):
    folder = shared / "data/release/6_6_2"
    return {
        name: np.load(folder / f"{name}_matrix.npy", allow_pickle=False)
        for name in ("corr", "sttc", "precision")
    }


@pytest.fixture(scope="module")
def w_bio(similarities):
    return bio_weights(similarities["corr"], similarities["sttc"], seed=312)


def some_similarity(n=12, seed=0):
    similarity = np.random.default_rng(seed).uniform(0, 0.3, (n, n))
    similarity = (similarity + similarity.T) / 2
    np.fill_diagonal(similarity, 1)
    return similarity


def sorted_spectrum(weights):
    return np.sort_complex(np.linalg.eigvals(weights))


def slow_w_bio(corr, sttc, lognormal, threshold="zero", diagonal="keep"):
    """Entry by entry, following the text."""
    n = len(lognormal)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j or diagonal != "drop-rescaled"]

    def minmax(matrix):
        if matrix is None:
            return dict.fromkeys(pairs, 1.0)
        values = [matrix[pair] for pair in pairs]
        return {pair: (matrix[pair] - min(values)) / (max(values) - min(values)) for pair in pairs}

    symmetric = None
    if sttc is not None:
        symmetric = {(i, j): sttc[max(i, j), min(i, j)] for i in range(n) for j in range(n)}
    first, second = minmax(corr), minmax(symmetric)
    weights = {pair: lognormal[pair] * first[pair] * second[pair] for pair in pairs}
    mean = sum(weights.values()) / n**2
    result = np.zeros((n, n))
    for pair, weight in weights.items():
        weight = weight / mean * 0.1
        if weight < 0.01 and weight != 0:
            weight = 0.01 if threshold == "floor" else 0
        result[pair] = weight
    result *= 0.95 / np.abs(np.linalg.eigvals(result)).max()
    return np.where(np.eye(n), 0, result) if diagonal == "drop" else result


def test_stages_of_eight_neurons_are_the_references(oracle):
    given_ = {name: oracle[f"n8/{name}"] for name in ("corr", "sttc", "lognormal")}
    stages = bio_weight_stages(**given_, seed=0, protocol="published")
    for name, ours in STAGES.items():
        rtol = 1e-11 if name == "final" else 1e-12
        np.testing.assert_allclose(getattr(stages, ours), oracle[f"n8/{name}"], rtol=rtol)
    np.testing.assert_allclose(stages.rho_before, oracle["n8/rho_before"], rtol=1e-11)
    assert stages.n_thresholded == oracle["n8/n_floored"]
    np.testing.assert_allclose(stages.final.astype(np.float32), oracle["n8/final_f32"], rtol=1e-6)
    for name, corr in (
        ("only_sttc", None),
        ("precision", oracle["n8/precision"]),
        ("constant_corr", np.full((8, 8), 0.3)),
    ):
        final = bio_weights(**{**given_, "corr": corr}, seed=0, protocol="published")
        np.testing.assert_allclose(final, oracle[f"n8/final_{name}"], rtol=1e-11)


@pytest.mark.parametrize("generator", ["default_rng", "randomstate"])
def test_stages_of_the_real_cohort_are_the_references(oracle, similarities, generator):
    for name in ("corr", "sttc"):
        content = np.ascontiguousarray(similarities[name]).tobytes()
        assert hashlib.sha256(content).hexdigest() == oracle[f"{name}_sha256"]
    lognormal = None
    if generator == "randomstate":
        lognormal = np.random.RandomState(312).lognormal(-0.5, 0.5, (312, 312))
    choices = {"seed": 312, "protocol": "published", "lognormal": lognormal}
    stages = bio_weight_stages(similarities["corr"], similarities["sttc"], **choices)
    sample = tuple(oracle["n312_sample_idx"].T)

    def check(matrix, place, rtol):
        np.testing.assert_allclose(matrix[sample], oracle[f"{place}/sample"], rtol=rtol)
        statistics = [matrix.sum(), (matrix**2).sum(), matrix.min(), matrix.max(), matrix.mean()]
        statistics.append((matrix == 0).sum())
        np.testing.assert_allclose(statistics, oracle[f"{place}/stats"], rtol=rtol)
        for axis, sums in ((1, "rowsum"), (0, "colsum")):
            if f"{place}/{sums}" in oracle:
                np.testing.assert_allclose(matrix.sum(axis), oracle[f"{place}/{sums}"], rtol=rtol)

    for name, ours in {"lognormal": "lognormal", **STAGES}.items():
        if (place := f"n312_{generator}_312/{name}") + "/stats" in oracle:
            check(getattr(stages, ours), place, 1e-11 if name == "final" else 1e-12)
    place = f"n312_{generator}_312"
    check(stages.final.astype(np.float32).astype(float), f"{place}/final_f32", 1e-6)
    np.testing.assert_allclose(stages.rho_before, oracle[f"{place}/rho_before"], rtol=1e-11)
    assert stages.n_thresholded == oracle[f"{place}/n_floored"]
    if generator == "default_rng":
        only_sttc = bio_weights(None, similarities["sttc"], **choices)
        check(only_sttc, f"{place}/final_only_sttc", 1e-11)
        precision = bio_weights(similarities["precision"], similarities["sttc"], **choices)
        check(precision, f"{place}/final_precision", 1e-11)


@pytest.mark.parametrize("threshold", ["zero", "floor"])
@pytest.mark.parametrize("diagonal", ["keep", "drop", "drop-rescaled"])
@pytest.mark.parametrize("absent", [(), ("corr",), ("sttc",), ("corr", "sttc")])
def test_w_bio_is_the_slow_twin(threshold, diagonal, absent):
    rng = np.random.default_rng(1)
    factors = {"corr": some_similarity(seed=2), "sttc": np.tril(some_similarity(seed=3))}
    factors |= dict.fromkeys(absent)
    lognormal = rng.lognormal(-0.5, 0.5, (12, 12))
    choices = {"threshold": threshold, "diagonal": diagonal}
    np.testing.assert_allclose(
        compose_bio_weights(**factors, lognormal=lognormal, **choices).final,
        slow_w_bio(**factors, lognormal=lognormal, **choices),
        rtol=1e-11,
    )


def test_corrected_threshold_sets_to_zero_what_the_published_one_raises(similarities):
    corrected = bio_weight_stages(similarities["corr"], similarities["sttc"], seed=312)
    published = bio_weight_stages(
        similarities["corr"],
        similarities["sttc"],
        seed=312,
        protocol=replace(CORRECTED, threshold="floor"),
    )
    changed = corrected.thresholded != published.thresholded
    assert changed.sum() == corrected.n_thresholded == published.n_thresholded
    assert 0.01 < changed.mean() < 0.03
    assert set(corrected.thresholded[changed]) == {0}
    assert set(published.thresholded[changed]) == {0.01}


def test_self_weights_of_the_real_cohort_stand_apart_and_set_the_radius(w_bio):
    assert 0.26 < np.diagonal(w_bio).mean() < 0.31
    assert off_diagonal(w_bio).sum() / (312 * 311) == pytest.approx(0.0013, abs=3e-4)
    facts = weight_facts(w_bio)
    assert facts.spectral_radius == pytest.approx(0.95, rel=1e-12)
    assert facts.largest_self_weight == w_bio.diagonal().max() > 0.9
    assert facts.eigenvalues_above_08 == np.sum(np.abs(np.linalg.eigvals(w_bio)) > 0.8) < 10
    assert 0.40 < facts.radius_without_diagonal < 0.46


def test_bits_of_the_spectrum_do_not_depend_on_the_number_of_threads():
    weights = np.random.default_rng(1).lognormal(size=(312, 312))
    with threadpool_limits(1):
        one_thread = np.linalg.eigvals(weights)
    with threadpool_limits(2):
        np.testing.assert_array_equal(eigenvalues(weights), one_thread)


def test_seed_gives_the_named_draw():
    stages = bio_weight_stages(some_similarity(), None, seed=5)
    drawn = np.random.default_rng(5).lognormal(-0.5, 0.5, (12, 12))
    np.testing.assert_array_equal(stages.lognormal, drawn)


def test_only_the_lower_triangle_of_sttc_counts():
    sttc = some_similarity(seed=4)
    upper_changed = np.tril(sttc) + np.triu(np.full((12, 12), 9.0), 1)
    np.testing.assert_array_equal(
        bio_weights(None, sttc, seed=1), bio_weights(None, upper_changed, seed=1)
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corr": np.ones((3, 4))}, r"corr: shape \(3, 4\) is not"),
        ({"corr": np.diag([1.0, np.nan, 1])}, "corr of neuron 1: not finite"),
        ({"sttc": np.eye(4)}, "2 different shapes"),
        ({"corr": None, "sttc": None}, "give at least one"),
        ({"lognormal": np.zeros((3, 3))}, "every weight is 0"),
        ({"lognormal": np.eye(3, k=1)}, "the spectral radius is 0"),
        ({"protocol": "released"}, "use corrected or published"),
        ({"diagonal": "zero"}, "use keep, drop or drop-rescaled"),
    ],
)
def test_unusable_similarities_are_refused(change, message):
    similarity = some_similarity(3)
    with pytest.raises(BadInput, match=message):
        bio_weights(**{"corr": similarity, "sttc": similarity, "seed": 1, **change})


@given(square)
def test_diagonal_controls_take_the_weights_apart(weights):
    n = len(weights)
    np.testing.assert_array_equal(diagonal_only(weights) + off_diagonal(weights), weights)
    assert not off_diagonal(weights).diagonal().any()
    constant = constant_diagonal(weights)
    np.testing.assert_array_equal(off_diagonal(constant), off_diagonal(weights))
    np.testing.assert_allclose(constant.diagonal(), np.trace(weights) / n, rtol=1e-12)


def test_rescaled_off_diagonal_has_the_radius_and_the_shape(w_bio):
    rescaled = off_diagonal_rescaled(w_bio)
    assert np.abs(np.linalg.eigvals(rescaled)).max() == pytest.approx(0.95, rel=1e-12)
    ratio = 0.95 / weight_facts(w_bio).radius_without_diagonal
    np.testing.assert_allclose(rescaled, ratio * off_diagonal(w_bio), rtol=1e-12)
    with pytest.raises(BadInput, match="spectral radius is 0"):
        off_diagonal_rescaled(np.eye(3))


@given(square, seeds, st.integers(1, 10))
def test_shuffles_keep_the_diagonal_and_each_bins_weights(weights, seed, n_bins):
    n, rng = len(weights), np.random.default_rng(seed)
    positions = rng.normal(size=(n, 3))
    distances = np.linalg.norm(positions[:, None] - positions, axis=-1)
    result = shuffled_in_bins(weights, distances, rng, n_bins)
    np.testing.assert_array_equal(result.diagonal(), weights.diagonal())
    pairs = sorted((distances[i, j], i, j) for i in range(n) for j in range(i))
    sizes = []
    for members in np.array_split(np.arange(len(pairs)), n_bins):
        entries = [entry for k in members for entry in (pairs[k][1:], pairs[k][:0:-1])]
        sizes.append(len(members))
        assert sorted(result[e] for e in entries) == sorted(weights[e] for e in entries)
    assert max(sizes) - min(sizes) <= 1
    result = shuffled(weights, rng)
    np.testing.assert_array_equal(result.diagonal(), weights.diagonal())
    np.testing.assert_array_equal(np.sort(result.ravel()), np.sort(weights.ravel()))


def test_binned_shuffle_keeps_the_fall_with_distance_that_a_plain_one_loses():
    rng = np.random.default_rng(0)
    positions = rng.uniform(size=(80, 3))
    distances = np.linalg.norm(positions[:, None] - positions, axis=-1)
    weights = np.exp(-4 * distances) * rng.uniform(0.5, 1.5, (80, 80))
    others = ~np.eye(80, dtype=bool)

    def correlation(a, b):
        return np.corrcoef(a[others], b[others])[0, 1]

    binned = shuffled_in_bins(weights, distances, rng)
    plain = shuffled(weights, rng)
    assert abs(correlation(plain, distances)) < 0.05
    assert correlation(binned, distances) == pytest.approx(
        correlation(weights, distances), abs=0.05
    )
    assert (binned[others] != weights[others]).mean() > 0.99


def test_moment_matched_weights_have_the_moments(w_bio):
    others = ~np.eye(312, dtype=bool)
    drawn = [moment_matched(w_bio, np.random.default_rng(seed)) for seed in range(20)]
    off = np.array([matrix[others] for matrix in drawn])
    assert off.mean() == pytest.approx(w_bio[others].mean(), rel=0.01)
    assert off.std() == pytest.approx(w_bio[others].std(), rel=0.1)
    assert off.min() > 0
    np.testing.assert_array_equal(drawn[0].diagonal(), w_bio.diagonal())
    with pytest.raises(BadInput, match="mean is not above 0"):
        moment_matched(np.eye(3), np.random.default_rng(0))


@given(square, seeds)
def test_relabelling_and_rotation_keep_the_spectrum(weights, seed):
    moved = relabelled(weights, np.random.default_rng(seed))
    assert sorted(moved.diagonal()) == sorted(weights.diagonal())
    assert sorted(moved.ravel()) == sorted(weights.ravel())
    turned = rotated(weights, np.random.default_rng(seed))
    for result in (moved, turned):
        np.testing.assert_allclose(
            np.linalg.svd(result, compute_uv=False),
            np.linalg.svd(weights, compute_uv=False),
            atol=1e-12,
        )
        np.testing.assert_allclose(np.poly(result), np.poly(weights), atol=1e-10)


def test_relabelled_and_rotated_w_bio_keep_its_spectrum():
    w_bio = bio_weights(some_similarity(48, 1), some_similarity(48, 2), seed=3)
    for control in (relabelled, rotated):
        result = control(w_bio, np.random.default_rng(1))
        assert not np.allclose(result, w_bio)
        np.testing.assert_allclose(sorted_spectrum(result), sorted_spectrum(w_bio), atol=1e-9)
    assert (rotated(w_bio, np.random.default_rng(1)) < 0).any()


def test_haar_orthogonal_is_orthogonal_and_has_no_preferred_direction():
    drawn = np.array([haar_orthogonal(4, np.random.default_rng(seed)) for seed in range(1000)])
    np.testing.assert_allclose(
        drawn @ drawn.transpose(0, 2, 1), np.tile(np.eye(4), (1000, 1, 1)), atol=1e-14
    )
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=5 * 0.5 / np.sqrt(1000))
    np.testing.assert_allclose((drawn**2).mean(axis=0), 0.25, atol=0.04)
    traces = np.trace(drawn, axis1=1, axis2=2)
    assert traces.var() == pytest.approx(1, abs=0.2)


def test_identity_has_gain_095():
    np.testing.assert_array_equal(scaled_identity(3), np.diag([0.95, 0.95, 0.95]))


@given(square, seeds)
def test_wiring_weights_lie_on_the_measured_edges(lognormal, seed):
    n = len(lognormal)
    counts = np.random.default_rng(seed).integers(0, 3, (n, n))
    diagonal = np.linspace(0.1, 0.9, n)
    weights = wiring_weights(counts, lognormal, diagonal)
    for i in range(n):
        for j in range(n):
            expected = diagonal[i] if i == j else lognormal[i, j] if counts[i, j] else 0
            assert weights[i, j] == expected


def test_sign_rules():
    weights = np.random.default_rng(0).normal(size=(6, 6))
    clipped = nonnegative(weights)
    np.testing.assert_array_equal(clipped[weights > 0], weights[weights > 0])
    assert not clipped[weights < 0].any()
    excitatory = np.array([True, False] * 3)
    ruled = dale(weights, excitatory)
    assert (ruled[excitatory] > 0).all()
    assert (ruled[~excitatory] < 0).all()
    np.testing.assert_array_equal(np.abs(ruled), np.abs(weights))
