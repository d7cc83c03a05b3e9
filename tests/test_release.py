"""The released recordings: read rightly, or refused, and never executed."""

import csv
import hashlib
import io
import json
import os
import pickle
import pickletools
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from biosernn.cohort.checks import COLUMNS
from biosernn.cohort.cohort import Cohort
from biosernn.cohort.show import show
from biosernn.errors import BadInput
from biosernn.similarity.bins import bin_counts
from biosernn.similarity.pearson import pearson
from biosernn.similarity.sttc import sttc
from biosernn.sources.object_array import read_object_array
from biosernn.sources.reference import read_cohort
from biosernn.sources.release import read_release
from biosernn.sources.set_order import connectome_file_order, file_order_counts, set_order
from made_up import FRAME_S, Calls, N, npy, objects, recording, release_files

FIELDS = ("4_7_8", "5_3_6", "5_6_8", "5_7_8", "6_2_8", "6_4_8", "6_6_2", "6_6_4", "7_3_8", "7_4_2")


@pytest.fixture(scope="module", params=FIELDS)
def field(request: pytest.FixtureRequest, shared: Path) -> tuple[Path, dict[str, Any], Cohort]:
    """A real folder, what a right reader finds in it, and what this reader found."""
    folder = shared / "data" / "release" / request.param
    expected = json.loads((shared / "data" / "expected.json").read_text())["fields"]
    return folder, expected[request.param], read_release(folder)


def file_counts(folder: Path) -> np.ndarray:
    """The connectome's numbers, in the file's own order."""
    with open(next(folder.glob("connectome_*.csv")), newline="") as stream:
        return np.array([[int(cell) for cell in row[1:]] for row in list(csv.reader(stream))[1:]])


def test_wiring_is_aligned(field: tuple[Path, dict[str, Any], Cohort]) -> None:
    _, expected, cohort = field
    counts = cohort.synapse_counts()
    digest = hashlib.sha256(np.ascontiguousarray(counts, "<i8").tobytes()).hexdigest()
    assert digest == expected["aligned_connectome_sha256_le_int64_c"]
    edges = zip(cohort.wiring.pre, cohort.wiring.post, cohort.wiring.n_syn, strict=True)
    assert [list(map(int, edge)) for edge in edges][:10] == expected["first_edges_pre_post_count"]
    rows = connectome_file_order(cohort.neurons["root_id"])
    assert rows[:8].tolist() == expected["csv_row_of_neuron_first8"]
    connected = counts > 0
    sizes, times = np.unique(cohort.wiring.n_syn, return_counts=True)
    assert {
        "n_connected_unordered_pairs": int(np.triu(connected | connected.T).sum()),
        "n_reciprocal_pairs": int(np.triu(connected & connected.T).sum()),
        "n_with_output": int(connected.any(axis=1).sum()),
        "n_with_input": int(connected.any(axis=0).sum()),
        "n_isolated": int((~(connected | connected.T).any(axis=0)).sum()),
        "max_out_degree": int(connected.sum(axis=1).max()),
        "max_in_degree": int(connected.sum(axis=0).max()),
        "synapse_count_histogram": dict(zip(map(str, sizes), times.tolist(), strict=True)),
        "synapses_removed_root_zero": cohort.provenance["synapses_removed_root_id_zero"],
        "synapses_removed_self_loops": int(cohort.neurons["n_autapses"].sum()),
        "root_id_zero_at": cohort.provenance["neurons_of_root_id_zero"],
    }.items() <= expected.items()


def test_file_order_gives_back_the_file(field: tuple[Path, dict[str, Any], Cohort]) -> None:
    folder, _, cohort = field
    np.testing.assert_array_equal(file_order_counts(cohort), file_counts(folder))


def test_show_agrees(field: tuple[Path, dict[str, Any], Cohort]) -> None:
    folder, expected, cohort = field
    summary = show(cohort)
    for key in ("n_neurons", "n_edges", "n_synapses"):
        assert summary[key] == expected[key]
    assert summary["n_autapses"] == 0
    assert summary["density"] == pytest.approx(expected["density"], rel=1e-14)
    distance = expected["median_distance_um"]
    assert summary["median_distance_all_um"] == pytest.approx(distance["all_pairs"], rel=1e-12)
    assert summary["median_distance_connected_um"] == pytest.approx(
        distance["connected_aligned_directed_edges"], rel=1e-12
    )
    for name, reference in (("corr", "corr_offdiag"), ("sttc", "sttc_offdiag_lower")):
        assert summary[name] == pytest.approx(expected[reference], rel=1e-11)
    spikes = expected["spikes"]
    assert summary["n_spikes"] == (spikes and spikes["n_total"])
    assert summary["duration_s"] == (spikes and spikes["recording_s"])
    assert summary["missing"] == ([] if spikes else ["spikes"])
    assert summary["source"]["kind"] == "release"
    assert summary["source"]["name"] == cohort.name == folder.name
    assert summary["source"]["files"] == expected["sha256"]


def test_ids_positions_and_precision_agree(field: tuple[Path, dict[str, Any], Cohort]) -> None:
    folder, expected, cohort = field
    named = {"root_id": "root_ids", "nucleus_id": "target_ids", "unit_id": "unit_ids"}
    for column, file in named.items():
        ids = np.load(folder / f"{file}_{folder.name}.npy", allow_pickle=False)
        np.testing.assert_array_equal(cohort.neurons[column], ids)
    for column, number in zip(("session", "scan", "field"), folder.name.split("_"), strict=True):
        assert (cohort.neurons[column] == int(number)).all()
    positions = cohort.positions_um
    assert positions.min(axis=0).tolist() == expected["positions_um_min_xyz"]
    assert positions.max(axis=0).tolist() == expected["positions_um_max_xyz"]
    voxels = np.rint(positions * 1000 / [4, 4, 40]).sum(axis=0)
    assert voxels.tolist() == expected["positions_voxel_sum_xyz"]
    lower = cohort.precision[np.tril_indices(cohort.n_neurons, -1)]
    assert (lower == 0).mean() == pytest.approx(expected["precision"]["share_zero_offdiag"])
    diagonal = cohort.precision.diagonal()
    for values, reference in ((lower, "offdiag_lower"), (diagonal, "diag")):
        found = {"mean": values.mean(), "min": values.min(), "max": values.max()}
        assert found == pytest.approx(expected["precision"][reference], rel=1e-11)


def test_like_connects_to_like(field: tuple[Path, dict[str, Any], Cohort]) -> None:
    _, expected, cohort = field
    lower = np.tril_indices(cohort.n_neurons, -1)

    def by_connection(matrix: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
        connected = (counts + counts.T > 0)[lower]
        return matrix[lower][connected].mean(), matrix[lower][~connected].mean()

    counts = cohort.synapse_counts()
    reference = expected["like_to_like"]
    for name in ("corr", "sttc"):
        connected, unconnected = by_connection(getattr(cohort, name), counts)
        assert connected == pytest.approx(reference[f"mean_{name}_connected"], rel=1e-10)
        assert unconnected == pytest.approx(reference[f"mean_{name}_unconnected"], rel=1e-10)
    scrambled, _ = by_connection(cohort.corr, file_order_counts(cohort))
    assert scrambled == pytest.approx(reference["mean_corr_connected_raw_order"], rel=1e-10)


def test_spikes_agree(field: tuple[Path, dict[str, Any], Cohort]) -> None:
    _, expected, cohort = field
    if expected["spikes"] is None:
        assert (cohort.spikes, cohort.interval_s, cohort.frame_rate_hz) == (None, None, None)
        return
    reference = expected["spikes"]
    lengths = [len(train) for train in cohort.spikes]
    frames = np.concatenate(cohort.spikes) * 6.3009
    assert cohort.frame_rate_hz == 6.3009
    assert cohort.interval_s == (0.0, reference["recording_s"])
    assert {
        "per_neuron_min": min(lengths),
        "per_neuron_max": max(lengths),
        "first_s": min(train[0] for train in cohort.spikes),
        "last_s": max(train[-1] for train in cohort.spikes),
        "min_interval_s": min(np.diff(train).min() for train in cohort.spikes),
        "last_frame_index": round(frames.max()),
        "max_frame_grid_deviation": np.abs(frames - np.rint(frames)).max(),
    }.items() <= reference.items()


def test_the_matrices_follow_from_the_spikes(shared: Path) -> None:
    cohort = read_release(shared / "data" / "release" / "6_2_8")
    duration = cohort.interval_s[1]
    correlation = pearson(bin_counts(cohort.spikes, 0.2, duration))
    np.testing.assert_allclose(cohort.corr, correlation, rtol=0, atol=2e-15)
    tiling = sttc(cohort.spikes, 0.1, interval=(0.0, duration))
    np.testing.assert_allclose(cohort.sttc, tiling, rtol=0, atol=5e-16)


def test_a_real_cohort_survives_its_file(shared: Path, tmp_path: Path) -> None:
    cohort = read_release(shared / "data" / "release" / "7_3_8")
    cohort.write(tmp_path / "7_3_8.h5")
    again = read_cohort(str(tmp_path / "7_3_8.h5"))
    assert again.content_sha256 == cohort.content_sha256
    assert show(again) == show(cohort)


# A folder of ten neurons, like a released one, to be altered.


def save(path: Path, values: Any) -> None:
    path.write_bytes(npy(values))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `recording` makes, as the files of field 6_6_2 in a folder of another name."""
    place = tmp_path / "recording"
    place.mkdir()
    for name, content in release_files(recording()).items():
        (place / name).write_bytes(content)
    return place


def test_a_made_up_folder_is_read(folder: Path) -> None:
    content, cohort = recording(), read_release(folder)
    assert cohort.name == "6_6_2"
    np.testing.assert_array_equal(cohort.synapse_counts(), content["counts"])
    np.testing.assert_allclose(
        cohort.positions_um, np.stack(list(content["positions"])) * [0.004, 0.004, 0.04], rtol=1e-15
    )
    for neuron, train in enumerate(cohort.spikes):
        np.testing.assert_array_equal(train, content["spikes"][neuron])
    for i in range(N):
        for j in range(i):
            assert cohort.sttc[i, j] == cohort.sttc[j, i] == content["sttc"][i, j]
    assert cohort.frame_rate_hz == 6.3009
    assert cohort.interval_s == (0.0, max(map(max, content["spikes"])) + 0.1)


def test_the_same_files_elsewhere_make_the_same_cohort(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "7_7_7"
    shutil.copytree(folder, other)
    assert read_release(other).provenance == read_release(folder).provenance
    assert read_release(other).content_sha256 == read_release(folder).content_sha256
    (other / "corr_matrix.npy").unlink()
    assert read_release(other).provenance["version"] != read_release(folder).provenance["version"]


def test_events_of_no_frame_leave_no_frame_rate(folder: Path) -> None:
    spikes = recording()["spikes"]
    spikes[3] = spikes[3] + 0.01
    save(folder / "spikes_6_6_2.npy", spikes)
    assert read_release(folder).frame_rate_hz is None


def test_a_silent_neuron_is_read(folder: Path) -> None:
    spikes = recording()["spikes"]
    spikes[3] = np.array([])
    save(folder / "spikes_6_6_2.npy", spikes)
    assert read_release(folder).spikes[3].size == 0


def test_synapses_of_root_id_zero_and_autapses_are_not_counted(folder: Path) -> None:
    content = recording()
    content["root_ids"][2] = 0
    content["counts"][4, 4] = 3
    content["counts"][2, 2] = 5
    for name, altered_file in release_files(content).items():
        (folder / name).write_bytes(altered_file)
    cohort = read_release(folder)
    kept = np.delete(np.delete(content["counts"], 2, axis=0), 2, axis=1)
    assert cohort.provenance["neurons_of_root_id_zero"] == [2]
    removed = cohort.provenance["synapses_removed_root_id_zero"]
    assert removed == content["counts"].sum() - kept.sum() > 5
    assert show(cohort)["n_autapses"] == 3
    assert show(cohort)["n_synapses"] == kept.sum() - 3
    assert not cohort.synapse_counts()[2].any()


@pytest.mark.parametrize("part", ["corr", "sttc", "precision", "spikes"])
def test_some_parts_may_be_missing(folder: Path, part: str) -> None:
    next(folder.glob(f"{part}_*")).unlink()
    cohort = read_release(folder)
    assert cohort.missing == (part,)
    assert len(cohort.provenance["files"]) == 8


@pytest.mark.parametrize("part", ["connectome", "positions", "root_ids", "target_ids", "unit_ids"])
def test_other_parts_may_not(folder: Path, part: str) -> None:
    path = next(folder.glob(f"{part}_*"))
    path.unlink()
    with pytest.raises(BadInput, match=f"^{path}: is missing"):
        read_release(folder)


NAMES = (
    "connectome_6_6_2.csv",
    "corr_matrix.npy",
    "positions_6_6_2.npy",
    "precision_matrix.npy",
    "root_ids_6_6_2.npy",
    "spikes_6_6_2.npy",
    "sttc_matrix.npy",
    "target_ids_6_6_2.npy",
    "unit_ids_6_6_2.npy",
)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_cut_or_lengthened_file_is_refused(folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    cuts = np.unique(np.linspace(0, len(whole) - 1, 40, dtype=int)).tolist()
    for content in [*(whole[:cut] for cut in cuts), whole + b"\0", whole + whole, whole + b"1\n"]:
        (folder / name).write_bytes(content)
        with pytest.raises(BadInput, match=f"^{folder / name}[:,]"):
            read_release(folder)


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_for_a_file_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    path, elsewhere = folder / name, tmp_path / name
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)
    with pytest.raises(BadInput, match=f"^{path}: is a link that leads out of its folder"):
        read_release(folder)
    path.unlink()
    path.symlink_to(name)
    with pytest.raises(BadInput, match=f"^{path}: is not a file"):
        read_release(folder)
    path.unlink()
    path.mkdir()
    with pytest.raises(BadInput, match=f"^{path}: is not a file"):
        read_release(folder)
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(BadInput, match=f"^{path}: is not a file"):
        read_release(folder)
    path.unlink()
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    with pytest.raises(BadInput, match=f"^{path}: is a Git LFS pointer"):
        read_release(folder)


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    shutil.move(folder / "corr_matrix.npy", folder / "corr.npy")
    (folder / "corr_matrix.npy").symlink_to("corr.npy")
    assert read_release(folder).corr is not None


def test_a_folder_of_no_or_two_fields_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(BadInput, match="nothing: holds no released field"):
        read_release(tmp_path / "nothing")
    shutil.copy(folder / "spikes_6_6_2.npy", folder / "spikes_6_6_4.npy")
    with pytest.raises(BadInput, match="recording: holds the fields 6_6_2, 6_6_4"):
        read_release(folder)
    with pytest.raises(BadInput, match="is no folder"):
        read_release(folder / "spikes_6_6_4.npy")


def altered(name: str, change: Callable[[Any], Any]) -> Callable[[Path], str]:
    """Rewrite an array of the folder after changing it."""

    def damage(folder: Path) -> str:
        path = next(folder.glob(f"{name}_*"))
        values = np.load(path, allow_pickle=True)
        result = change(values)
        save(path, values if result is None else result)
        return str(path)

    return damage


def put(name: str, index: Any, value: Any) -> Callable[[Path], str]:
    return altered(name, lambda values: values.__setitem__(index, value))


def rewritten(old: bytes, new: bytes) -> Callable[[Path], str]:
    """Replace the first of some bytes in the connectome."""

    def damage(folder: Path) -> str:
        path = folder / "connectome_6_6_2.csv"
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new, 1))
        return str(path)

    return damage


def header(content: bytes) -> Callable[[Path], str]:
    def damage(folder: Path) -> str:
        path = folder / "root_ids_6_6_2.npy"
        data = np.arange(1, N + 1).tobytes()
        path.write_bytes(b"\x93NUMPY" + content + data)
        return str(path)

    return damage


def npy_header(text: str, version: bytes = b"\1\0") -> Callable[[Path], str]:
    return header(version + struct.pack("<H", len(text) + 1) + text.encode("latin1") + b"\n")


DAMAGE: list[tuple[Callable[[Path], str], str]] = [
    (put("root_ids", 3, -1), r"root_id\[3\]: repeats another or is negative"),
    (altered("root_ids", lambda a: a.__setitem__(3, a[4])), r"root_id\[4\]: repeats"),
    (put("target_ids", 3, 102), r"nucleus_id\[3\]: is another neuron's"),
    (put("unit_ids", 3, 9), r"unit_id\[3\]: is another neuron's"),
    (put("unit_ids", 3, -9), r"unit_id\[3\]: is negative"),
    (altered("unit_ids", lambda a: a[:-1]), "names 9 neurons, where 10 are named elsewhere"),
    (altered("root_ids", lambda a: a[:1]), "names 1 neurons, where 10 are named elsewhere"),
    (altered("root_ids", lambda a: a[:0]), "names 0 neurons, where 10 are named elsewhere"),
    (altered("root_ids", lambda a: a.astype(float)), "holds <f8 in C order, not <i8"),
    (altered("root_ids", lambda a: a.astype(">i8")), "holds >i8 in C order, not <i8"),
    (altered("root_ids", lambda a: a.astype(object)), r"holds \|O in C order, not <i8"),
    (altered("root_ids", lambda a: a[:, None]), r"has shape \(10, 1\), not \('any',\)"),
    (npy_header("{'descr': '<i8', 'fortran_order': False, 'shape': (9,), }"), "longer or shorter"),
    (npy_header("{'descr': '<i8', 'fortran_order': False, 'shape': (-1,), }"), "longer or shorter"),
    (
        npy_header("{'descr': '<i8', 'fortran_order': False, 'shape': (10000000000000,), }"),
        "longer or shorter",
    ),
    (
        npy_header("{'descr': '<i8', 'fortran_order': False, 'shape': (10,), }", b"\2\0"),
        "format 2.0, not 1.0",
    ),
    (npy_header("{'descr': '<i8', 'fortran_order': False, 'shape': (10L,), }"), "not a .npy file"),
    (npy_header("{'descr': '<i8', 'fortran_order': False}"), "not a .npy file"),
    (npy_header("__import__('os').abort()"), "not a .npy file"),
    (npy_header("(" * 5000), "not a .npy file"),
    (npy_header("-" * 9000 + "1"), "not a .npy file"),
    (header(b"\1\0\xff"), "not a .npy file"),
    (put("corr", (1, 2), np.nan), r"corr\[1, 2\]: is not finite"),
    (put("corr", (1, 2), -np.inf), r"corr\[1, 2\]: is not finite"),
    (put("corr", (1, 2), 1.5), r"corr\[1, 2\]: is outside"),
    (put("corr", (1, 2), 0.9), r"corr\[1, 2\]: differs from its mirror image"),
    (put("corr", (2, 2), 0.9), r"corr\[2, 2\]: is not 1"),
    (altered("corr", lambda a: a[:-1]), r"has shape \(9, 10\), not \(10, 10\)"),
    (altered("corr", lambda a: a[:-1, :-1]), r"has shape \(9, 9\), not \(10, 10\)"),
    (altered("corr", lambda a: a.astype("<f4")), "holds <f4 in C order, not <f8"),
    (altered("corr", lambda a: np.asfortranarray(a)), "holds <f8 in Fortran order"),
    (put("sttc", (2, 1), np.nan), r"sttc\[1, 2\]: is not finite"),
    (put("sttc", (1, 2), np.nan), r"sttc\[1, 2\]: is above the diagonal and not 0"),
    (put("sttc", (1, 2), 0.1), r"sttc\[1, 2\]: is above the diagonal and not 0"),
    (put("sttc", (2, 1), -1.1), r"sttc\[1, 2\]: is outside"),
    (put("sttc", (2, 2), 0.0), r"sttc\[2, 2\]: is not 1"),
    (put("precision", (2, 1), 0.5), r"precision\[1, 2\]: differs from its mirror image"),
    (put("precision", (2, 2), 0.0), r"precision\[2, 2\]: is not above 0"),
    (put("precision", (2, 1), np.nan), r"precision\[2, 1\]: is not finite"),
    (put("positions", 4, np.array([1, 2])), "neuron 4: has not three coordinates"),
    (put("positions", 4, np.array([1, 2, 2**60])), r"positions_um\[4, 2\]: lies more than"),
    (put("positions", 4, np.array([1.0, 2.0, 3.0])), "no <i8 vector of neuron 4"),
    (put("positions", 4, np.array([1, 2, 3], ">i8")), "an unusual dtype"),
    (put("positions", 4, np.array([[1, 2, 3]])), "the pickle instruction TUPLE2"),
    (put("positions", 4, [1, 2, 3]), "no <i8 vector of neuron 4"),
    (put("positions", 4, None), "no <i8 vector of neuron 4"),
    (put("positions", 4, 1.5), "the pickle instruction BINFLOAT"),
    (altered("positions", lambda a: a[:-1]), r"has shape \(9,\), not \(10,\)"),
    (altered("positions", lambda a: np.stack(list(a))), r"holds <i8 in C order, not \|O"),
    (put("spikes", 4, np.array([FRAME_S, np.nan])), r"neuron 4\[1\]: is not finite"),
    (put("spikes", 4, np.array([FRAME_S, np.inf])), r"neuron 4\[1\]: is not finite"),
    (put("spikes", 4, np.array([3, 1]) * FRAME_S), r"neuron 4\[1\]: does not come after"),
    (put("spikes", 4, np.array([3, 3]) * FRAME_S), r"neuron 4\[1\]: does not come after"),
    (put("spikes", 4, np.array([-3, 3]) * FRAME_S), r"neuron 4\[0\]: is not after the start"),
    (put("spikes", 4, np.array([0, 3]) * FRAME_S), r"neuron 4\[0\]: is not after the start"),
    (put("spikes", 4, np.array([1e6])), "interval_s: 0 to 1e.06 s is not a stretch"),
    (put("spikes", 4, np.array([1e308])), "interval_s: 0 to 1e.308 s is not a stretch"),
    (put("spikes", 4, np.array([1, 2])), "no <f8 vector of neuron 4"),
    (altered("spikes", lambda a: objects([np.array([])] * N)), "spikes: hold no event"),
    (altered("spikes", lambda a: a[:-1]), r"has shape \(9,\), not \(10,\)"),
    (rewritten(b",0,1,2", b",0,2,1"), "line 1: is not the header of 10 neurons"),
    (rewritten(b",9\n", b"\n"), "line 1: is not the header of 10 neurons"),
    (rewritten(b",0,1", b"id,0,1"), "line 1: is not the header of 10 neurons"),
    (rewritten(b"\n3,", b"\n4,"), "line 5: is not row 3 with 10 counts"),
    (rewritten(b"\n3,", b"\n03,"), "line 5: holds something else than plain counts"),
    (rewritten(b"\n3,", b"\n3,0,"), "line 5: is not row 3 with 10 counts"),
    (rewritten(b"\n3,", b"\n\n3,"), "has 11 rows, not 10"),
    (rewritten(b"\n3,", b"\n3,0,0,0,0,0,0,0,0,0,0\n3,"), "has 11 rows, not 10"),
    (rewritten(b"\n3,", b"\n3,-"), "line 5: holds something else than plain counts"),
    (rewritten(b"\n3,", b"\n3, "), "line 5: holds something else than plain counts"),
    (rewritten(b"\n3,", b"\n3,1_"), "line 5: holds something else than plain counts"),
    (rewritten(b"\n3,0", b"\n3,0.5"), "line 5: holds something else than plain counts"),
    (rewritten(b"\n3,0", b"\n3,1e0"), "line 5: holds something else than plain counts"),
    (rewritten(b"\n3,0", b"\n3,nan"), "line 5: holds something else than plain counts"),
    (rewritten(b"\n3,0", b"\n3,"), "line 5: holds something else than plain counts"),
    (rewritten(b"\n3,0", "\n3,٣".encode()), "line 5: holds something else than plain counts"),
    (rewritten(b"\n3,0", b"\n3,99999"), "line 5: holds 99999 synapses of one pair"),
    (rewritten(b"\n3,0", b"\n3,99999999999999999999"), "line 5: holds something else"),
    (rewritten(b"\n3,0", b"\n3," + b"0," * 9999), "is larger than counts of 10 neurons can be"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_altered_files_are_refused(
    folder: Path, damage: Callable[[Path], str], message: str
) -> None:
    where = damage(folder)
    with pytest.raises(BadInput, match=message) as refusal:
        read_release(folder)
    text = str(refusal.value)
    assert "\n" not in text
    assert len(text) < 400
    assert text.startswith(f"{where}:")


def test_line_ends_of_another_system_are_read(folder: Path) -> None:
    path = folder / "connectome_6_6_2.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    np.testing.assert_array_equal(read_release(folder).synapse_counts(), recording()["counts"])


# Pickles.


def pickle_npy(pickled: bytes, n: int) -> bytes:
    """A `.npy` file of n objects with a given pickle."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "|O", "fortran_order": False, "shape": (n,)}
    )
    return stream.getvalue() + pickled


def read(data: bytes, n: int = 2) -> list[list[float]]:
    return [vector.tolist() for vector in read_object_array(data, "<f8", n, "spikes.npy")]


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("module", [b"numpy._core.multiarray", b"numpy.core.multiarray"])
def test_numpys_own_pickles_are_read(protocol: int, module: bytes) -> None:
    vectors = [np.arange(100_000) * 0.5, np.array([])]
    pickled = pickle.dumps(objects(vectors), protocol=protocol)
    if protocol == 3:
        pickled = pickled.replace(b"numpy._core.multiarray", module)
    assert read(pickle_npy(pickled, 2)) == [vector.tolist() for vector in vectors]


def hostile_calls(witness: str) -> list[Any]:
    """Objects whose loading by NumPy would act."""
    return [
        Calls(os.system, f"touch {witness}"),
        Calls(exec, f"open({witness!r}, 'w').close()"),
        Calls(eval, f"open({witness!r}, 'w').close()"),
        Calls(open, witness, "w"),
        Calls(Path.touch, Path(witness)),
        Calls(np.save, witness, np.arange(2)),
        Calls(np.ndarray, (2,)),
        Calls(np.ndarray, (10**12,)),
        Calls(np.dtype, "f8"),
        Calls(np.dtype, f"f8, O{'8'}"),
        Calls(np.fromfile, witness),
        Calls(np.load, witness),
        Calls(os.getenv, "HOME"),
        Calls(bytes, 10**12),
    ]


def holding(act: Any, place: str) -> bytes:
    """Pickle two vectors with something else in one of the places that NumPy's arrays have."""
    good = np.array([0.5])
    return pickle.dumps(
        {
            "instead": act,
            "first": objects([act, good]),
            "last": objects([good, act]),
            "shape": Calls(np.ndarray, act),
            "in a tuple": objects([(act,), good]),
        }[place],
        protocol=4,
    )


@pytest.mark.parametrize("place", ["instead", "first", "last", "shape", "in a tuple"])
def test_nothing_in_a_pickle_is_executed(tmp_path: Path, place: str) -> None:
    witness = tmp_path / "witness"
    for act in hostile_calls(str(witness)):
        with pytest.raises(BadInput, match="nothing in it was executed"):
            read(pickle_npy(holding(act, place), 2))
    assert not witness.exists()


def test_the_same_pickles_do_act_on_a_plain_unpickler(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    for act in hostile_calls(str(witness))[:3]:
        pickle.loads(holding(act, "last"))
        witness.unlink()


def test_a_hostile_folder_executes_nothing(folder: Path, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    for name in ("positions", "spikes"):
        vectors = recording()[name]
        vectors[0] = Calls(os.system, f"touch {witness}")
        save(folder / f"{name}_6_6_2.npy", vectors)
        with pytest.raises(BadInput, match=f"{name}_6_6_2.npy: holds the name posix.system"):
            read_release(folder)
        save(folder / f"{name}_6_6_2.npy", recording()[name])
    assert not witness.exists()
    for name in ("root_ids", "corr"):
        path = next(folder.glob(f"{name}_*"))
        whole = path.read_bytes()
        save(path, objects([Calls(os.system, f"touch {witness}")] * N))
        with pytest.raises(BadInput, match="in C order, not"):
            read_release(folder)
        path.write_bytes(whole)
    assert not witness.exists()


TWO = objects([np.arange(5.0), np.array([2.5])])
GOOD = pickle.dumps(TWO, protocol=4)
OLD = pickle.dumps(TWO, protocol=3)
SHAPE = b"K\x01K\x05\x85"


def laughing() -> bytes:
    """A shape of 3**30 numbers: a tuple thrice in a tuple, thrice in another, and so on."""
    many = pickle.dumps(objects([np.arange(5.0) for _ in range(30)]), protocol=3)
    return many.replace(SHAPE, b"K\x01N" + b"q\xffh\xffh\xff\x87" * 30, 1)


@pytest.mark.parametrize(
    ("pickled", "message"),
    [
        (b".", "is no array of vectors"),
        (b"", "is no array of vectors"),
        (GOOD[:-1], "is no array of vectors"),
        (GOOD + b".", "something after its pickle"),
        (GOOD + GOOD, "something after its pickle"),
        (b"N" * 200 + GOOD, "more pickle instructions than 2 vectors need"),
        (b"\x80\x04" + b"N" + b"\x85" * 100 + b".", "no array of 2 vectors"),
        (b"N" + b"r" + struct.pack("<I", 2**31) + b".", "more pickle instructions than 2 vectors"),
        (b"\x80\x04" + b"C\xff" + b".", "is no array of vectors"),
        (b"\x80\x04" + b"B" + struct.pack("<I", 2**31) + b".", "is no array of vectors"),
        (b"Pid\n.", "the pickle instruction PERSID"),
        (b"NQ.", "the pickle instruction BINPERSID"),
        (b"\x82\x01.", "the pickle instruction EXT1"),
        (b"(S'true'\nios\nsystem\n.", "the pickle instruction STRING"),
        (b"(ios\nsystem\n.", "the pickle instruction INST"),
        (b"cnumpy\nndarray\n)\x81.", "the pickle instruction EMPTY_TUPLE"),
        (b"cnumpy\nndarray\nN\x81.", "the pickle instruction NEWOBJ"),
        (b"cnumpy\nndarray\n}b.", "the pickle instruction EMPTY_DICT"),
        (b"cnumpy\nndarray\nNb.", "no array of 2 vectors"),
        (b"cnumpy\nndarray\nK\x00\x85R.", "is no array of vectors"),
        (b"cnumpy\nndarray\n.", "no array of 2 vectors"),
        (b"cnumpy\nfromfile\n.", "the name numpy.fromfile"),
        (b"cnumpy.ndarray\ntofile\n.", "the name numpy.ndarray.tofile"),
        (b"\x8c\x05numpy\x8c\x0endarray.tofile\x93.", "the name numpy.ndarray.tofile"),
        (b"c" + b"x" * 10**5 + b"\ny\n.", "the name x{40}.y;"),
        (b"c__builtin__\neval\n.", "the name __builtin__.eval"),
        (GOOD.replace(b"\x8c\x02f8", b"\x8c\x02i8"), "no <f8 vector of neuron 0"),
        (GOOD.replace(b"\x8c\x02f8", b"\x8c\x02c8"), "an unusual call of numpy.dtype"),
        (GOOD.replace(b"\x8c\x01<", b"\x8c\x01>"), "an unusual dtype"),
        (GOOD.replace(b"C\x01b", b"C\x01c", 1), "an unusual call of numpy's _reconstruct"),
        (OLD.replace(b"K\x00\x85", b"K\x09\x85", 1), "an unusual call of numpy's _reconstruct"),
        (OLD.replace(SHAPE, b"K\x01K\x04\x85"), "neuron 0 that is not as long as it claims"),
        (OLD.replace(SHAPE, b"K\x01J" + b"\xff" * 4 + b"\x85"), "neuron 0 that is not as long as"),
        (OLD.replace(SHAPE, b"K\x01\x88\x85"), "an array that is no vector"),
        (OLD.replace(SHAPE, b"K\x01C\x01\x05"), "an array that is no vector"),
        (OLD.replace(SHAPE, b"K\x02K\x05\x85"), "an unusual array"),
        (pickle.dumps(objects([np.arange(999.0)] * 2), protocol=4), "the same vector many times"),
        (
            pickle.dumps(objects([np.arange(9.0), np.ones(9)]), protocol=5),
            "the pickle instruction BYTEARRAY8",
        ),
        (pickle.dumps([np.arange(9.0)] * 2, protocol=4), "no array of 2 vectors"),
        (pickle.dumps(np.arange(2.0), protocol=4), "no array of 2 vectors"),
        (pickle.dumps(objects([objects([1, 2])] * 2), protocol=4), "no <f8 vector of neuron 0"),
    ],
)
def test_pickles_that_numpy_would_not_write_are_refused(pickled: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message) as refusal:
        read(pickle_npy(pickled, 2))
    assert len(str(refusal.value)) < 300


def test_a_shape_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(BadInput, match="an array that is no vector"):
        read(pickle_npy(laughing(), 30), 30)


@settings(max_examples=400)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4
    )
)
def test_altered_pickles_are_read_as_vectors_or_refused(changes: list[tuple[int, int]]) -> None:
    altered_pickle = bytearray(GOOD)
    for place, value in changes:
        altered_pickle[place] = value
    try:
        vectors = read_object_array(pickle_npy(bytes(altered_pickle), 2), "<f8", 2, "spikes.npy")
    except BadInput:
        return
    assert [vector.dtype for vector in vectors] == [np.dtype("<f8")] * 2
    assert [vector.shape for vector in vectors] == [(5,), (1,)]


def test_only_what_numpy_needs_is_allowed() -> None:
    from biosernn.sources.object_array import OPCODES

    lengths = [1, 300, 70_000, *range(1, 999), 0, 0]
    vectors = objects([np.arange(length, dtype=float) for length in lengths])
    pickles = [pickle.dumps(vectors, protocol=3), pickle.dumps(vectors, protocol=4)]
    pickles.append(pickle.dumps(vectors[:1], protocol=4))
    needed = {opcode.name for pickled in pickles for opcode, _, _ in pickletools.genops(pickled)}
    assert needed == OPCODES


# Set order.


ids = st.integers(0, 2**63 - 1) | st.integers(864691134885000000, 864691137200000000)
colliding = st.builds(lambda low, high: low + 8 * high, st.integers(0, 1), st.integers(0, 2**60))


@given(st.lists(ids | colliding, unique=True, max_size=400))
@example([0])
@example([2**61 - 1, 0, 2**62 - 2])
@example([k << 40 for k in range(300)])
@example(list(range(300))[::-1])
def test_set_order_is_that_of_a_set(values: list[int]) -> None:
    assert [values[i] for i in set_order(values)] == list(set(values))


def test_set_order_of_many_ids() -> None:
    rng = np.random.default_rng(0)
    values = (864691135000000000 + rng.choice(10**12, 150_000, replace=False)).tolist()
    assert [values[i] for i in set_order(values)] == list(set(values))


@given(st.lists(ids, unique=True, min_size=1, max_size=50))
def test_rows_are_where_a_set_has_them(values: list[int]) -> None:
    rows = connectome_file_order(np.array(values, dtype=np.int64))
    order = list(set(values))
    assert [order[row] for row in rows] == values


@pytest.mark.parametrize(("values", "place"), [([1, 2, 1], 2), ([0, 0], 1), ([3, -1, 2], 1)])
def test_rows_of_repeated_or_negative_ids_are_not_known(values: list[int], place: int) -> None:
    with pytest.raises(BadInput, match=rf"neurons/root_id\[{place}\]: repeats another or is neg"):
        connectome_file_order(values)


def test_file_order_needs_distinct_root_ids() -> None:
    cohort = Cohort({name: [0, 0] for name in COLUMNS}, [[0, 0, 0], [1, 1, 1]])
    with pytest.raises(BadInput, match=r"neurons/root_id\[1\]: repeats"):
        file_order_counts(cohort)


# References.


def test_references_name_folders_files_and_made_up_cohorts(folder: Path, tmp_path: Path) -> None:
    cohort = read_cohort(str(folder))
    cohort.write(tmp_path / "synthetic.h5")
    assert read_cohort(str(tmp_path / "synthetic.h5")).content_sha256 == cohort.content_sha256
    assert read_cohort("synthetic").n_neurons == 64
    assert read_cohort("synthetic:32").n_neurons == 32


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("microns:1_2_3", "is no released field; name one of 4_7_2"),
        ("microns:all", "is not one cohort"),
        ("synthetic:", "is no file, no folder and no known name"),
        ("synthetic:x", "is no file"),
        ("synthetic:-8", "is no file"),
        ("synthetic:٦٤", "is no file"),
        ("synthetic:7", "7 neurons; ask for 8 to 2000"),
        ("synthetic:999999999", "ask for 8 to 2000"),
        ("no/such/file.h5", "is no file"),
        ("", "is no file"),
        ("a\0b", "is no file"),
        ("x" * 5000, "is no file"),
    ],
)
def test_other_references_are_refused(ref: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_cohort(ref)
