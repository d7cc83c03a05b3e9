"""The audit says whether a cohort may be trusted, and catches what is put wrong on purpose."""

import html
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import spearmanr

from biosernn.audit import alignment, connection_probability
from biosernn.audit.aliasing import shifted_correlation
from biosernn.audit.audit import Audit, audit, failures
from biosernn.audit.check import Check
from biosernn.audit.connection_probability import fit_exponential_decay
from biosernn.audit.correlation_distance import spearman_against_distance
from biosernn.audit.degrees import degrees
from biosernn.audit.functional import recomputed
from biosernn.audit.like_to_like import BIN_UM, like_to_like
from biosernn.audit.page import render, write_audit
from biosernn.audit.self_weights import diagonal_share
from biosernn.audit.text import lines, summary
from biosernn.cohort.checks import COLUMNS
from biosernn.cohort.cohort import Cohort
from biosernn.cohort.wiring import Wiring
from biosernn.errors import BadInput, WorkFailed
from biosernn.geometry.distances import pairwise_distances
from biosernn.initializers.bio import compose_bio_weights
from biosernn.similarity.bins import bin_counts, frame_counts
from biosernn.sources.release import read_release
from biosernn.sources.set_order import file_order_counts
from biosernn.sources.synthetic import synthetic_cohort
from chromium import find_browser

FIELDS = ["4_7_8", "5_3_6", "5_6_8", "5_7_8", "6_2_8", "6_4_8", "6_6_2", "6_6_4", "7_3_8", "7_4_2"]
WITH_SPIKES = ["4_7_8", "5_3_6", "5_6_8", "5_7_8", "6_2_8", "6_4_8", "7_3_8"]


@lru_cache(maxsize=40)
def audited(cohort: Cohort, other: Cohort | None = None) -> Audit:
    return audit(cohort, other)


def found(cohort: Cohort, name: str, other: Cohort | None = None) -> Check:
    return next(check for check in audited(cohort, other).checks if name in check.name)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return synthetic_cohort(64, seed=0)


@pytest.fixture(scope="module")
def recordings(shared: Path) -> dict[str, Cohort]:
    return {field: read_release(shared / "data" / "release" / field) for field in FIELDS}


@pytest.fixture(scope="module")
def expected(shared: Path) -> dict:
    return json.loads((shared / "data" / "expected.json").read_text())["fields"]


# Recordings


@pytest.mark.parametrize("field", FIELDS)
def test_every_recording_is_aligned(field: str, recordings: dict, expected: dict) -> None:
    one = recordings[field]
    check = alignment.check(one)
    medians = expected[field]["median_distance_um"]
    ratio = medians["connected_aligned_directed_edges"] / medians["all_pairs"]
    assert check.verdict == "ok"
    assert check.value == pytest.approx(100 * ratio, rel=1e-12)
    assert failures(audited(one)) == []


@pytest.mark.parametrize("field", FIELDS)
def test_the_order_of_the_file_fails(field: str, recordings: dict, expected: dict) -> None:
    one = recordings[field]
    known = one.neurons["root_id"] != 0
    counts = file_order_counts(one) * np.outer(known, known)
    raw = replace(one, wiring=Wiring.from_counts(counts))
    check = alignment.check(raw)
    medians = expected[field]["median_distance_um"]
    assert check.verdict == "fail"
    if field in ("6_6_2", "5_7_8"):
        assert failures(audit(raw)) == [f"{check.name}: {check.meaning}"]
    if known.all():
        ratio = medians["connected_raw_order_directed_edges"] / medians["all_pairs"]
        assert check.value == pytest.approx(100 * ratio, rel=1e-12)


@pytest.mark.parametrize("field", FIELDS)
def test_shuffled_positions_fail(field: str, recordings: dict) -> None:
    one = recordings[field]
    verdicts = []
    for seed in range(5):
        places = np.random.default_rng(seed).permutation(one.positions_um)
        verdicts.append(alignment.check(replace(one, positions_um=places)).verdict)
    assert verdicts == ["fail"] * 5


@pytest.mark.parametrize("field", FIELDS)
def test_numbers_of_recordings(field: str, recordings: dict, expected: dict) -> None:
    one, truth = recordings[field], expected[field]
    assert found(one, "correlation against distance").verdict == "ok"
    assert found(one, "correlation against distance").value == pytest.approx(
        truth["spearman_corr_vs_distance"], abs=1e-12
    )
    everyone = like_to_like(
        one.corr, one.synapse_counts() > 0, pairwise_distances(one.positions_um)
    )
    likeness = truth["like_to_like"]
    assert everyone.connected == pytest.approx(likeness["mean_corr_connected"], rel=1e-12)
    assert everyone.unconnected == pytest.approx(likeness["mean_corr_unconnected"], rel=1e-12)
    assert everyone.excess == pytest.approx(
        likeness["mean_excess_within_25um_distance_bins"], abs=1e-14
    )
    assert found(one, "connections per").value == truth["n_edges"] / truth["n_neurons"]
    outgoing, incoming = degrees(one.wiring, one.n_neurons)
    assert outgoing.max() == truth["max_out_degree"]
    assert incoming.max() == truth["max_in_degree"]
    assert np.count_nonzero(outgoing) == truth["n_with_output"]
    assert f"{truth['n_isolated']} are isolated" in found(one, "connections per").detail
    assert found(one, "unknown roots").value == pytest.approx(
        100 * truth["n_root_id_zero"] / truth["n_neurons"]
    )


@pytest.mark.parametrize("field", WITH_SPIKES)
def test_bins_of_200_ms_hold_a_shared_artefact(field: str, recordings: dict) -> None:
    check = found(recordings[field], "aliasing")
    assert check.verdict == "caution"
    assert 0.006 < check.value < 0.0131
    assert check.value == pytest.approx(_artefact(recordings[field]), rel=0.02)


def _artefact(one: Cohort) -> float:
    """The covariance of two neurons at constant rates comes from the frames in a bin alone."""
    end = one.interval_s[1]
    counts = frame_counts(one.spikes, one.frame_rate_hz)
    times = np.arange(1, counts.shape[1] + 1) / one.frame_rate_hz
    frames = np.bincount(np.floor(times / 0.2).astype(int))[: int(end / 0.2)]
    probability = counts.mean(axis=1)
    spread = bin_counts(one.spikes, 0.2, end).std(axis=1)
    artefact = frames.var() * np.outer(probability, probability) / np.outer(spread, spread)
    return float(artefact[np.tril_indices(len(counts), -1)].mean())


@pytest.mark.parametrize("field", FIELDS)
def test_correlations_are_recomputed(field: str, recordings: dict, expected: dict) -> None:
    check = found(recordings[field], "recomputed")
    if field in WITH_SPIKES:
        assert check.verdict == "ok"
        assert check.value <= 2 * expected[field]["spikes"]["max_abs_err_corr"]
        assert "counts in 200 ms" in check.detail
    else:
        assert check.verdict == "not known"
        assert check.value is None


def test_a_lone_likeness_of_much_connected_cells_is_not_taken_for_wiring(recordings: dict) -> None:
    one = recordings["7_3_8"]
    likeness = like_to_like(
        one.corr, one.synapse_counts() > 0, pairwise_distances(one.positions_um)
    )
    assert likeness.p < 0.01
    assert likeness.p_centred > 0.4
    assert found(one, "like-to-like").verdict == "caution"
    assert found(recordings["6_6_4"], "like-to-like").verdict == "ok"


def test_cells_shared_between_recordings(recordings: dict) -> None:
    one, other = recordings["7_3_8"], recordings["5_3_6"]
    check = found(one, "shared", other)
    assert check.value == len(set(one.neurons["root_id"]) & set(other.neurons["root_id"]) - {0})
    assert check.verdict == "caution"
    assert "of 2 ordered pairs connected in either, 0 differ" in check.detail
    assert found(one, "shared", recordings["6_6_2"]).verdict == "ok"
    moved = replace(other, positions_um=other.positions_um[::-1])
    assert found(one, "shared", moved).verdict == "fail"
    scrambled = replace(other, wiring=Wiring.from_counts(other.synapse_counts()[::-1, ::-1]))
    assert found(one, "shared", scrambled).verdict == "fail"


# A synthetic cohort, sound and spoilt


def test_a_synthetic_cohort_is_sound(cohort: Cohort) -> None:
    whole = audit(cohort)
    assert whole.verdict == "caution"
    assert failures(whole) == []
    assert {check.name for check in whole.checks if check.verdict == "caution"} == {
        "aliasing of bins and frames",
        "thickness of the sheet",
        "self-weights of W_bio",
        "animals",
    }


def test_the_decay_of_a_synthetic_cohort_is_found() -> None:
    off = []
    for seed in range(10):
        everything, connected = connection_probability.of_cohort(synthetic_cohort(96, seed))
        fit = fit_exponential_decay(everything, connected)
        off.append((fit.rate_per_um - 1 / 75) / fit.error_per_um)
    assert np.abs(off).max() < 3.5
    assert abs(np.mean(off)) < 3 / np.sqrt(len(off))


def with_neurons(cohort: Cohort, **columns: np.ndarray) -> Cohort:
    return replace(cohort, neurons=cohort.neurons | columns)


def without_roots(cohort: Cohort, n: int) -> Cohort:
    root_id = cohort.neurons["root_id"].copy()
    root_id[:n] = 0
    counts = cohort.synapse_counts()
    counts[:n] = counts[:, :n] = 0
    return with_neurons(replace(cohort, wiring=Wiring.from_counts(counts)), root_id=root_id)


def silenced(cohort: Cohort, n: int) -> Cohort:
    return replace(cohort, spikes=(np.zeros(0),) * n + cohort.spikes[n:])


def unlike_all(cohort: Cohort) -> Cohort:
    corr = cohort.corr.copy()
    corr[0] = corr[:, 0] = 0
    corr[0, 0] = 1
    return replace(cohort, corr=corr, spikes=None)


def reordered(cohort: Cohort, name: str) -> Cohort:
    order = np.random.default_rng(0).permutation(cohort.n_neurons)
    return replace(cohort, **{name: getattr(cohort, name)[np.ix_(order, order)]})


def scaled(cohort: Cohort) -> Cohort:
    corr = 0.9 * cohort.corr
    np.fill_diagonal(corr, 1)
    return replace(cohort, corr=corr)


def twin_place(cohort: Cohort) -> Cohort:
    places = cohort.positions_um.copy()
    places[1] = places[0]
    return replace(cohort, positions_um=places)


def twin_correlation(cohort: Cohort) -> Cohort:
    corr = cohort.corr.copy()
    corr[0, 1] = corr[1, 0] = 0.95
    return replace(cohort, corr=corr)


def axons_cut(cohort: Cohort) -> Cohort:
    counts = cohort.synapse_counts()
    counts[::2] = 0
    return replace(cohort, wiring=Wiring.from_counts(counts))


def thinned(cohort: Cohort) -> Cohort:
    keep = slice(None, None, 4)
    wiring = cohort.wiring
    return replace(cohort, wiring=Wiring(wiring.pre[keep], wiring.post[keep], wiring.n_syn[keep]))


def unwired(cohort: Cohort) -> Cohort:
    return replace(cohort, wiring=Wiring(*np.zeros((3, 0), int)))


def stretched(cohort: Cohort) -> Cohort:
    return replace(cohort, positions_um=cohort.positions_um * [1, 9, 1])


def shuffled_positions(cohort: Cohort) -> Cohort:
    places = np.random.default_rng(0).permutation(cohort.positions_um)
    return replace(cohort, positions_um=places)


def of(**provenance: object) -> Callable[[Cohort], Cohort]:
    return lambda cohort: replace(cohort, provenance=cohort.provenance | provenance)


def on_whole_bins(cohort: Cohort) -> Cohort:
    """Frames of 200 ms, all of them late in their bin."""
    spikes = tuple(np.rint(train * 6.3009) / 5.00001 for train in cohort.spikes)
    end = max(train[-1] for train in spikes) + 0.1
    return replace(cohort, spikes=spikes, frame_rate_hz=5.00001, interval_s=(0, end))


FAULTS: list[tuple[str, Callable[[Cohort], Cohort], str]] = [
    ("alignment", lambda c: reordered_wiring(c), "fail"),
    ("alignment", shuffled_positions, "fail"),
    ("alignment", lambda c: replace(c, wiring=Wiring([0], [1], [1])), "not known"),
    ("duplicates", twin_place, "fail"),
    ("duplicates", lambda c: replace(c, spikes=(c.spikes[1], *c.spikes[1:])), "fail"),
    ("duplicates", twin_correlation, "caution"),
    ("unknown roots", lambda c: without_roots(c, 2), "caution"),
    ("unknown roots", lambda c: without_roots(c, 20), "fail"),
    ("silent", lambda c: silenced(c, 2), "caution"),
    ("silent", lambda c: silenced(c, 20), "fail"),
    ("silent", lambda c: replace(c, spikes=None, traces=np.ones((64, 9))), "fail"),
    ("silent", unlike_all, "caution"),
    ("recomputed", lambda c: reordered(c, "corr"), "fail"),
    ("recomputed", scaled, "caution"),
    ("correlation against", lambda c: reordered(c, "corr"), "caution"),
    ("correlation against", shuffled_positions, "caution"),
    ("aliasing", on_whole_bins, "ok"),
    ("aliasing", lambda c: replace(c, frame_rate_hz=None), "not known"),
    ("thickness", stretched, "ok"),
    ("thickness", lambda c: replace(c, positions_um=c.positions_um * [1, 0, 0]), "fail"),
    ("thickness", lambda c: replace(c, positions_um=c.positions_um * 0), "fail"),
    ("self-weights", lambda c: replace(c, corr=None, sttc=None, spikes=None), "not known"),
    ("connections per", thinned, "caution"),
    ("connections per", unwired, "fail"),
    ("degree", axons_cut, "caution"),
    ("connection probability", shuffled_positions, "caution"),
    ("connection probability", unwired, "not known"),
    ("like-to-like", lambda c: reordered(c, "corr"), "caution"),
    ("animals", of(n_mice=5), "ok"),
    ("animals", of(kind="nwb"), "not known"),
    ("left out", of(synapses_removed=3), "caution"),
    ("left out", lambda c: c.subset(range(32)), "caution"),
    ("left out", lambda c: with_neurons(c, n_autapses=np.eye(1, 64, dtype=int)[0]), "caution"),
    ("left out", lambda c: replace(c, provenance={}), "not known"),
    ("origin", of(version=None), "caution"),
]


def reordered_wiring(cohort: Cohort) -> Cohort:
    return replace(cohort, wiring=Wiring.from_counts(file_order_counts(cohort)))


@pytest.mark.parametrize(("name", "spoil", "verdict"), FAULTS)
def test_what_is_put_wrong_is_caught(
    name: str, spoil: Callable[[Cohort], Cohort], verdict: str, cohort: Cohort
) -> None:
    spoilt = spoil(cohort)
    check = found(spoilt, name)
    assert check.verdict == verdict
    assert found(cohort, name).verdict != verdict
    assert (check.value is None) == (verdict == "not known")
    assert (f"{check.name}: {check.meaning}" in failures(audited(spoilt))) == (verdict == "fail")


def test_recordings_are_of_one_mouse(cohort: Cohort) -> None:
    assert found(cohort, "animals").value == 0
    assert found(of(kind="release")(cohort), "animals").measured == "1 mouse"


def test_self_weights_are_fewer_where_similarity_is_high(cohort: Cohort) -> None:
    alike = np.full((64, 64), 0.8)
    np.fill_diagonal(alike, 1)
    alike[0, 1] = alike[1, 0] = 0
    assert found(replace(cohort, corr=alike, sttc=None), "self-weights").verdict == "ok"


def test_of_a_cohort_of_places_little_is_known() -> None:
    places = np.random.default_rng(0).normal(size=(30, 3)) * [90, 80, 70]
    bare = Cohort({name: np.arange(1, 31) for name in COLUMNS}, places)
    known = {check.name for check in audit(bare).checks if check.verdict != "not known"}
    assert known == {"duplicates", "thickness of the sheet", "origin"}
    assert audit(bare).verdict == "caution"
    assert "Positions" in render(audit(bare), bare)


def test_traces_stand_in_for_matrices() -> None:
    rng = np.random.default_rng(0)
    traces = rng.normal(size=(30, 200)) + rng.normal(size=200)
    columns = {name: np.arange(1, 31) for name in COLUMNS}
    one = Cohort(columns, rng.normal(size=(30, 3)) * 100, traces=traces)
    pairs = np.tril_indices(30, -1)
    rho = spearmanr(
        np.corrcoef(traces)[pairs], pairwise_distances(one.positions_um)[pairs]
    ).statistic
    assert found(one, "correlation against").value == pytest.approx(rho, abs=1e-12)
    assert found(replace(one, corr=np.corrcoef(traces)), "recomputed").verdict == "ok"


# Each number by another way


@pytest.mark.parametrize("seed", [0, 1])
def test_likeness_at_matched_distance_by_dealing_out_connections(seed: int) -> None:
    one = synthetic_cohort(40, seed)
    counts, distances = one.synapse_counts(), pairwise_distances(one.positions_um)
    similarity = np.random.default_rng(seed).normal(size=(40, 40))
    similarity += similarity.T + 0.15 * (counts + counts.T > 0)
    likeness = like_to_like(similarity, counts > 0, distances)
    centred = np.zeros((40, 40))
    for i in range(40):
        for j in range(40):
            means = [np.mean([similarity[k, m] for m in range(40) if m != k]) for k in (i, j)]
            centred[i, j] = similarity[i, j] - means[0] - means[1]
    rng = np.random.default_rng(9)
    for values, p in ((similarity, likeness.p), (centred, likeness.p_centred)):
        at_least = 0
        bins: dict[int, list[tuple[bool, float]]] = {}
        for i in range(40):
            for j in range(i):
                linked = bool(counts[i, j] or counts[j, i])
                bins.setdefault(int(distances[i, j] / BIN_UM), []).append((linked, values[i, j]))
        observed = sum(value for members in bins.values() for linked, value in members if linked)
        for _ in range(3000):
            total = 0.0
            for members in bins.values():
                n_linked = sum(linked for linked, _ in members)
                if n_linked:
                    total += rng.permutation([value for _, value in members])[:n_linked].sum()
            at_least += total >= observed - 1e-9
        share = at_least / 3000
        assert p == pytest.approx(share, abs=0.005 + 3 * np.sqrt(share * (1 - share) / 3000))


def test_alignment_by_hand(cohort: Cohort) -> None:
    result = alignment.of_cohort(cohort)
    distances = pairwise_distances(cohort.positions_um)
    edges = list(zip(cohort.wiring.pre, cohort.wiring.post, strict=True))
    rng, lower = np.random.default_rng(5), []
    for _ in range(200):
        place = rng.permutation(64)
        lower.append(np.median([distances[place[i], place[j]] for i, j in edges]))
    assert result.connected_um.tolist() == [distances[i, j] for i, j in edges]
    medians = result.relabelled_median_um
    np.testing.assert_array_equal(np.median(result.relabelled_um, axis=1), medians[:199])
    assert medians.mean() == pytest.approx(np.mean(lower), rel=0.01)
    assert medians.std() == pytest.approx(np.std(lower), rel=0.25)
    assert result.p == 1 / 1000


def test_chance_is_not_called_alignment() -> None:
    rng = np.random.default_rng(3)
    p = []
    for _ in range(60):
        counts = rng.random((20, 20)) < 0.1
        wiring = Wiring.from_counts(counts.astype(int))
        p.append(alignment.alignment(rng.normal(size=(20, 3)), wiring, rng).p)
    assert 0.35 < np.mean(p) < 0.65
    assert sum(value <= 0.1 for value in p) <= 15


def test_neurons_without_a_root_keep_their_place(cohort: Cohort) -> None:
    spoilt = without_roots(cohort, 40)
    far = spoilt.positions_um.copy()
    far[:40] += 5000
    result = alignment.of_cohort(replace(spoilt, positions_um=far))
    assert result.relabelled_um.max() < 2000 < result.all_um.max()


def test_the_decay_by_minimising_the_likelihood(cohort: Cohort) -> None:
    everything, connected = connection_probability.of_cohort(cohort)
    fit = fit_exponential_decay(everything, connected)

    def loss(parameters: np.ndarray) -> float:
        log_p = parameters[0] - parameters[1] * everything / 100
        return np.exp(log_p).sum() - (parameters[0] - parameters[1] * connected / 100).sum()

    best = minimize(loss, [-2, 1], method="BFGS", options={"gtol": 1e-5})
    assert best.x[1] / 100 == pytest.approx(fit.rate_per_um, rel=1e-5)
    assert np.exp(best.x[0]) == pytest.approx(fit.at_zero, rel=1e-5)
    hessian = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            ends = [
                a * b * loss(best.x + 1e-3 * (a * np.eye(2)[i] + b * np.eye(2)[j]))
                for a in (-1, 1)
                for b in (-1, 1)
            ]
            hessian[i, j] = sum(ends) / 4e-6
    error = np.sqrt(np.linalg.inv(hessian)[1, 1]) / 100
    assert error == pytest.approx(fit.error_per_um, rel=1e-3)


def test_a_decay_that_has_no_maximum_is_none() -> None:
    distances = np.array([1.0, 2.0, 3.0])
    assert fit_exponential_decay(distances, np.zeros(0)) is None
    assert fit_exponential_decay(distances, np.array([1.0])) is None
    assert fit_exponential_decay(distances, np.array([3.0])) is None


def test_self_weights_by_drawing_them(cohort: Cohort) -> None:
    shares = []
    for seed in range(60):
        lognormal = np.random.default_rng(seed).lognormal(-0.5, 0.5, (64, 64))
        weights = compose_bio_weights(cohort.corr, cohort.sttc, lognormal).product
        shares.append((np.trace(weights), weights.sum()))
    diagonal, total = np.mean(shares, axis=0)
    assert diagonal_share(cohort.corr, cohort.sttc) == pytest.approx(diagonal / total, rel=0.02)


def test_rank_correlation_by_scipy(cohort: Cohort) -> None:
    distances = pairwise_distances(cohort.positions_um)
    pairs = np.tril_indices(64, -1)
    rho, null = spearman_against_distance(cohort.corr, distances, np.random.default_rng(0))
    assert rho == pytest.approx(
        spearmanr(cohort.corr[pairs], distances[pairs]).statistic, abs=1e-12
    )
    rng, again = np.random.default_rng(0), []
    for _ in range(99):
        order = rng.permutation(64)
        moved = cohort.corr[np.ix_(order, order)]
        again.append(spearmanr(moved[pairs], distances[pairs]).statistic)
    np.testing.assert_allclose(null, again, atol=1e-12)


def test_shifts_leave_no_more_than_the_bins_put_in() -> None:
    rng = np.random.default_rng(0)
    shared = rng.random(20000) < 0.1
    frames = [np.flatnonzero(shared | (rng.random(20000) < 0.1)) + 1 for _ in range(12)]
    spikes = tuple(train / 6.3009 for train in frames)
    one = Cohort(
        {name: np.arange(1, 13) for name in COLUMNS},
        rng.normal(size=(12, 3)),
        spikes=spikes,
        interval_s=(0, 20001 / 6.3009),
        frame_rate_hz=6.3009,
    )
    pairs = np.tril_indices(12, -1)
    left = shifted_correlation(spikes, 6.3009, rng)
    assert recomputed(one)["counts in 200 ms"][pairs].mean() > 0.4
    assert left == pytest.approx(_artefact(one), abs=0.004)


def test_what_hangs_together_by_networkx(cohort: Cohort) -> None:
    few = thinned(cohort)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(64))
    graph.add_edges_from(zip(few.wiring.pre, few.wiring.post, strict=True))
    sizes = sorted(map(len, nx.weakly_connected_components(graph)))
    words = f"{sizes.count(1)} are isolated, {sizes[-1]} hang together"
    assert words in found(few, "connections per").detail


@settings(max_examples=10)
@given(order=st.permutations(range(32)))
def test_the_order_of_the_neurons_does_not_matter(order: list[int]) -> None:
    one = synthetic_cohort(32, seed=0)
    drawn = ("aliasing of bins and frames", "what was left out")
    for before, after in zip(audit(one).checks, audit(one.subset(order)).checks, strict=True):
        assert before.name == after.name
        if before.name not in drawn:
            assert before.verdict == after.verdict
            assert before.measured == after.measured or before.value == pytest.approx(
                after.value, rel=1e-6, abs=1e-9
            )


# On a terminal and on a page


def test_a_line_a_check(cohort: Cohort) -> None:
    whole = audit(cohort)
    told = lines(whole)
    assert len(told) == len(whole.checks)
    for line, check in zip(told, whole.checks, strict=True):
        assert "\n" not in line
        assert line.split("  ")[0] == check.verdict
        assert check.name in line
        assert line.endswith(check.meaning)
        assert re.fullmatch(r"[A-Z].*\.", check.meaning)
    assert summary(whole).startswith("caution: ")
    assert summary(audit(shuffled_positions(cohort))).startswith("fail: ")


def test_the_worst_that_is_known_counts() -> None:
    def of_verdicts(*verdicts: str) -> str:
        return Audit(tuple(Check("", verdict, None, "", "", "") for verdict in verdicts)).verdict

    assert of_verdicts("ok", "not known", "ok") == "ok"
    assert of_verdicts("ok", "caution", "not known") == "caution"
    assert of_verdicts("caution", "fail", "ok") == "fail"
    assert of_verdicts("not known") == "not known"


def test_an_audit_is_the_same_again(cohort: Cohort) -> None:
    assert audit(cohort) == audit(synthetic_cohort(64, seed=0))


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_says_what_was_found(cohort: Cohort) -> None:
    named = replace(cohort, provenance=cohort.provenance | {"name": "<script>alert(1)</script>"})
    whole = audit(named)
    text = render(whole, named)
    page = Page(text)
    said = " ".join(" ".join(page.words).split())
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in said
    for check in whole.checks:
        assert check.meaning in said
        assert check.measured in said
    for word in (named.content_sha256, "python", "numpy", "biosernn"):
        assert word in said
    drawn = re.findall(r"<svg.*?</svg>", text, re.S)
    assert len(drawn) == 5
    for svg in drawn:
        assert ElementTree.fromstring(svg).get("role") == "img"
        assert "NaN" not in svg
        assert "nan" not in svg
    ids = Counter(value for name, value in page.attributes if name == "id")
    assert max(ids.values(), default=1) == 1
    assert not [
        v for name, v in page.attributes if name in ("href", "src") and not v.startswith("#")
    ]
    assert text == render(whole, named)
    assert len(text) < 500_000


def test_the_worst_stands_first_on_the_page(cohort: Cohort) -> None:
    spoilt = shuffled_positions(cohort)
    text = render(audit(spoilt), spoilt)
    assert text.index("alignment of the wiring") < text.index("duplicates")
    assert text.index("Fail:") < text.index("<ul")


@pytest.mark.parametrize(
    "spoil",
    [
        shuffled_positions,
        unlike_all,
        unwired,
        lambda c: without_roots(c, 20),
        lambda c: replace(c, wiring=Wiring([0], [1], [1])),
        lambda c: replace(c, positions_um=c.positions_um * 0),
        lambda c: replace(c, wiring=None, corr=None, sttc=None, spikes=None, provenance={}),
    ],
)
def test_a_page_of_any_cohort(spoil: Callable[[Cohort], Cohort], cohort: Cohort) -> None:
    spoilt = spoil(cohort)
    for svg in re.findall(r"<svg.*?</svg>", render(audit(spoilt), spoilt), re.S):
        ElementTree.fromstring(svg)


def test_a_page_is_written_whole_or_not_at_all(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = audit(cohort)
    path = tmp_path / "audit.html"
    path.write_text("before")
    with pytest.raises(BadInput, match="is a folder or lies in none"):
        write_audit(tmp_path, whole, cohort)
    with pytest.raises(BadInput, match="is a folder or lies in none"):
        write_audit(tmp_path / "nowhere" / "audit.html", whole, cohort)
    with monkeypatch.context() as patched:
        patched.setattr("os.replace", _refuse)
        with pytest.raises(WorkFailed, match="cannot be written"):
            write_audit(path, whole, cohort)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    write_audit(path, whole, cohort)
    assert path.read_text(encoding="utf-8") == render(whole, cohort)
    assert list(tmp_path.iterdir()) == [path]


def _refuse(*_: object) -> None:
    raise OSError(28, "no space left")


MEASURE = """<script>
const seen = {outside: [], wide: document.documentElement.scrollWidth, small: []};
for (const svg of document.querySelectorAll("svg")) {
  const frame = svg.getBoundingClientRect();
  if (frame.width < 0.95 * svg.viewBox.baseVal.width) seen.small.push(frame.width);
  for (const text of svg.querySelectorAll("text")) {
    const a = text.getBoundingClientRect();
    if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.bottom > frame.bottom + 1)
      seen.outside.push(text.textContent);
  }
}
parent.postMessage(JSON.stringify(seen), "*");
</script></body>"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [1200, 390])
def test_a_browser_shows_it_whole(cohort: Cohort, tmp_path: Path, width: int) -> None:
    browser = find_browser()
    text = render(audit(cohort), cohort).replace("</body>", MEASURE)
    (tmp_path / "audit.html").write_text(text, encoding="utf-8")
    (tmp_path / "frame.html").write_text(
        "<title></title><script>onmessage = e => document.title = e.data</script>"
        f'<iframe src="audit.html" style="width:{width}px;height:900px;border:0"></iframe>'
    )
    options = (
        "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --hide-scrollbars --virtual-time-budget=9000 "
        f"--dump-dom --user-data-dir={tmp_path / 'profile'} --window-size={max(width, 500)},900"
    )
    shown = subprocess.run(
        [browser, *options.split(), (tmp_path / "frame.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seen = json.loads(html.unescape(re.search("<title>(.*?)</title>", shown.stdout)[1]))
    assert seen == {"outside": [], "wide": width, "small": []}
