"""The cohort, its summary and its file."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosernn.cohort.checks import COLUMNS
from biosernn.cohort.cohort import Cohort
from biosernn.cohort.show import show
from biosernn.cohort.wiring import Wiring
from biosernn.errors import BadInput, WorkFailed
from made_up import ROOT_IDS, SPIKES, parts

OPTIONAL = ("wiring", "corr", "sttc", "precision", "spikes", "traces", "frame_rate_hz")


@pytest.fixture
def cohort() -> Cohort:
    return Cohort(**parts())


@pytest.fixture
def path(cohort: Cohort, tmp_path: Path) -> Path:
    cohort.write(tmp_path / "five.h5")
    return tmp_path / "five.h5"


def test_a_file_gives_back_every_part(cohort: Cohort, path: Path) -> None:
    again = Cohort.read(path, check_hash=True)
    assert again.content_sha256 == cohort.content_sha256
    assert again.provenance == cohort.provenance
    assert (again.interval_s, again.frame_rate_hz) == (cohort.interval_s, cohort.frame_rate_hz)
    assert again.neurons["root_id"].tolist() == ROOT_IDS
    assert [train.tolist() for train in again.spikes] == [list(times) for times in SPIKES]
    assert again.arrays.keys() == cohort.arrays.keys()
    for name, array in cohort.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array, strict=True)


@given(absent=st.sets(st.sampled_from(OPTIONAL)))
def test_any_optional_parts_can_be_absent_from_a_file(
    tmp_path_factory: pytest.TempPathFactory, absent: set[str]
) -> None:
    cohort = Cohort(**{name: part for name, part in parts().items() if name not in absent})
    path = tmp_path_factory.mktemp("absent") / "some.h5"
    cohort.write(path)
    again = Cohort.read(path, check_hash=True)
    assert all(getattr(again, name) is None for name in absent)
    assert again.content_sha256 == cohort.content_sha256
    assert set(again.missing) == absent - {"traces", "frame_rate_hz"}


def test_a_long_provenance_survives_a_file(cohort: Cohort, tmp_path: Path) -> None:
    long = replace(cohort, provenance={"files": {f"file {k}": "0" * 64 for k in range(5000)}})
    long.write(tmp_path / "long.h5")
    assert Cohort.read(tmp_path / "long.h5").provenance == long.provenance


def test_empty_wiring_and_silent_neurons_survive_a_file(tmp_path: Path) -> None:
    silent = [np.array([])] * 5
    cohort = Cohort(**parts() | {"wiring": Wiring([], [], []), "spikes": silent})
    cohort.write(tmp_path / "silent.h5")
    again = Cohort.read(tmp_path / "silent.h5", check_hash=True)
    assert not again.synapse_counts().any()
    assert show(again)["n_spikes"] == 0
    assert show(again)["median_distance_connected_um"] is None


def test_the_same_cohort_makes_the_same_bytes(cohort: Cohort, path: Path, tmp_path: Path) -> None:
    cohort.write(tmp_path / "again.h5")
    assert (tmp_path / "again.h5").read_bytes() == path.read_bytes()


def test_the_hash_is_as_documented(cohort: Cohort) -> None:
    digest = hashlib.sha256()
    names = [f"neurons/{name}" for name in sorted([*COLUMNS, "n_autapses"])]
    names += ["positions_um", "wiring/pre", "wiring/post", "wiring/n_syn"]
    names += ["functional/corr", "functional/sttc", "functional/precision"]
    names += ["spikes/times_s", "spikes/offsets", "traces"]
    for name in names:
        array = cohort.arrays[name]
        kind = "<f8" if array.dtype.kind == "f" else "<i8"
        digest.update(f"{name} {kind} {array.shape}\n".encode() + array.astype(kind).tobytes())
    digest.update(b"interval_s (0.0, 4.0) frame_rate_hz 4.0")
    assert cohort.content_sha256 == digest.hexdigest()


@pytest.mark.parametrize("name", list(Cohort(**parts()).arrays))
def test_the_hash_follows_every_array(cohort: Cohort, name: str, path: Path) -> None:
    if name == "spikes/offsets":
        moved = (SPIKES[0][:2], [2.5], *SPIKES[2:])
        assert replace(cohort, spikes=moved).content_sha256 != cohort.content_sha256
        return
    new = {"wiring/pre": 4, "wiring/post": 4, "neurons/unit_id": 9, "spikes/times_s": 3.75}
    with h5py.File(path, "r+") as file:
        values = file[name][()]
        last = (-1,) * values.ndim
        least = 1 if values.dtype.kind == "i" else abs(values[last]) * 1e-12
        values[last] = new.get(name, values[last] + least)
        file[name][...] = values
    altered = Cohort.read(path)
    assert altered.content_sha256 != cohort.content_sha256
    with pytest.raises(BadInput, match=r"five\.h5: does not hold the content that its hash"):
        Cohort.read(path, check_hash=True)


def test_the_hash_follows_interval_and_frame_rate_but_not_provenance(cohort: Cohort) -> None:
    others = [
        replace(cohort, interval_s=(0.0, 4.5)),
        replace(cohort, frame_rate_hz=8.0),
        replace(cohort, frame_rate_hz=None),
        replace(cohort, corr=None),
        replace(cohort, sttc=cohort.corr, corr=cohort.sttc),
    ]
    assert len({other.content_sha256 for other in [cohort, *others]}) == 6
    assert replace(cohort, provenance={}).content_sha256 == cohort.content_sha256


def test_the_hash_does_not_follow_the_layout_of_the_file(cohort: Cohort, path: Path) -> None:
    with h5py.File(path, "r+") as file:
        for name, array in cohort.arrays.items():
            del file[name]
            file.create_dataset(name, data=array)
    assert Cohort.read(path, check_hash=True).content_sha256 == cohort.content_sha256


def test_a_cohort_cannot_be_altered(cohort: Cohort) -> None:
    given_parts = parts()
    made = Cohort(**given_parts)
    given_parts["corr"][0, 1] = given_parts["corr"][1, 0] = 0.99
    assert made.content_sha256 == cohort.content_sha256
    for array in (made.corr, made.positions_um, made.neurons["root_id"], *made.spikes):
        assert not array.flags.writeable
    with pytest.raises(AttributeError):
        made.corr = None  # type: ignore[misc]


@given(order=st.permutations(range(5)), size=st.integers(2, 5))
def test_a_subset_takes_the_same_neurons_everywhere(order: list[int], size: int) -> None:
    cohort, chosen = Cohort(**parts()), order[:size]
    part = cohort.subset(chosen)
    counts = part.synapse_counts()
    for i, whole_i in enumerate(chosen):
        assert part.neurons["root_id"][i] == ROOT_IDS[whole_i]
        assert part.spikes[i].tolist() == SPIKES[whole_i]
        np.testing.assert_array_equal(part.traces[i], cohort.traces[whole_i])
        np.testing.assert_array_equal(part.positions_um[i], cohort.positions_um[whole_i])
        for j, whole_j in enumerate(chosen):
            assert counts[i, j] == cohort.synapse_counts()[whole_i, whole_j]
            for name in ("corr", "sttc", "precision"):
                assert getattr(part, name)[i, j] == getattr(cohort, name)[whole_i, whole_j]
    assert part.provenance["subset_of"] == cohort.content_sha256
    assert (part.interval_s, part.frame_rate_hz) == (cohort.interval_s, cohort.frame_rate_hz)


@given(order=st.permutations(range(5)))
def test_reordering_there_and_back_changes_nothing(order: list[int]) -> None:
    cohort = Cohort(**parts())
    back = cohort.subset(order).subset(np.argsort(order))
    assert back.content_sha256 == cohort.content_sha256


@pytest.mark.parametrize("indices", [[0, 0], [0, 5], [-1, 0], [0.0, 1.0], [[0, 1]], [0], []])
def test_a_wrong_subset_is_refused(cohort: Cohort, indices: list[Any]) -> None:
    with pytest.raises(BadInput):
        cohort.subset(indices)


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=4, max_size=4).map(
        np.array
    )
)
def test_counts_and_wiring_say_the_same(counts: np.ndarray) -> None:
    wiring = Wiring.from_counts(counts)
    edges = [
        (i, j, counts[i, j]) for i in range(4) for j in range(4) if i != j and counts[i, j] > 0
    ]
    assert list(zip(wiring.pre, wiring.post, wiring.n_syn, strict=True)) == edges


def put(part: str, index: Any, value: Any) -> dict[str, Any]:
    """One part with one value altered."""
    altered = np.array(parts()[part])
    altered[index] = value
    return {part: altered}


def column(name: str, values: Any) -> dict[str, Any]:
    return {"neurons": parts()["neurons"] | {name: values}}


WRONG: list[tuple[Callable[[], dict[str, Any]], str]] = [
    (lambda: {"neurons": {"root_id": [1, 2]}}, "neurons/nucleus_id: is missing"),
    (lambda: column("root_id", [1.0, 2.0, 3.0, 4.0, 5.0]), "neurons/root_id: .* whole"),
    (lambda: column("root_id", ["1", "2", "3", "4", "5"]), "neurons/root_id: .* whole"),
    (lambda: column("root_id", [[1], [2], [3], [4], [5]]), "neurons/root_id: has shape"),
    (lambda: column("root_id", [7, 2, 3, 7, 5]), r"neurons/root_id\[3\]: is another neuron's"),
    (lambda: column("nucleus_id", [7, 2, 7, 8, 5]), r"neurons/nucleus_id\[2\]"),
    (lambda: column("unit_id", [7, 2, 3, 4, 7]), r"neurons/unit_id\[4\]: is another neuron's"),
    (lambda: column("unit_id", [1, -2, 3, 4, 7]), r"neurons/unit_id\[1\]: is negative"),
    (lambda: column("unit_id", np.full(5, 2**63, dtype="u8")), "neurons/unit_id: does not fit"),
    (lambda: column("scan", [1, 2, 3]), r"neurons/scan: has shape \(3,\), not \(5,\)"),
    (lambda: column("root_id", [0, 2, 3, 4, 5]), r"wiring/pre\[0\]: is a neuron of root id 0"),
    (lambda: column("root_id", [1, 2, 3, 4, 0]), r"wiring/post\[1\]: is a neuron of root id 0"),
    (lambda: {"positions_um": np.zeros((5, 2))}, "positions_um: has shape"),
    (lambda: {"positions_um": [[1, 2, 3], [1, 2]]}, "positions_um: has rows of unequal length"),
    (lambda: put("positions_um", (3, 1), np.nan), r"positions_um\[3, 1\]: is not finite"),
    (lambda: put("positions_um", (3, 1), 1e6), r"positions_um\[3, 1\]: lies more than 100000"),
    (lambda: {"wiring": Wiring([0], [5], [1])}, r"wiring/post\[0\]: is no neuron"),
    (lambda: put("corr", (1, 2), np.inf), r"corr\[1, 2\]: is not finite"),
    (lambda: put("corr", (1, 2), 1.1), r"corr\[1, 2\]: is outside"),
    (lambda: put("corr", (1, 2), 0.5), r"corr\[1, 2\]: differs from its mirror"),
    (lambda: put("sttc", (4, 4), 0.5), r"sttc\[4, 4\]: is not 1 on the diagonal"),
    (lambda: {"sttc": np.eye(4)}, r"sttc: has shape \(4, 4\), not \(5, 5\)"),
    (lambda: put("precision", (2, 2), -1.0), r"precision\[2, 2\]: is not above 0"),
    (lambda: {"precision": np.eye(5, dtype=complex)}, "precision: does not hold real"),
    (lambda: {"spikes": SPIKES[:4]}, "spikes: are of 4 neurons, not 5"),
    (lambda: {"spikes": ([0.5, 0.5], *SPIKES[1:])}, r"spikes, neuron 0\[1\]: does not come after"),
    (lambda: {"spikes": ([0.5, np.nan], *SPIKES[1:])}, r"spikes, neuron 0\[1\]: is not finite"),
    (lambda: {"spikes": ([0.5, 4.25], *SPIKES[1:])}, r"spikes, neuron 0\[1\]: is outside"),
    (lambda: {"spikes": ([0.5, 0.6], *SPIKES[1:])}, r"spikes, neuron 0\[1\]: is on no frame"),
    (lambda: {"spikes": ([0.0, 0.5], *SPIKES[1:])}, r"spikes, neuron 0\[0\]: is on no frame"),
    (lambda: {"interval_s": None}, "interval_s: is missing beside spikes"),
    (lambda: {"interval_s": (4.0, 0.0)}, "interval_s: 4 to 0 s"),
    (lambda: {"interval_s": (0.0, 1e5)}, "interval_s: 0 to 100000 s"),
    (lambda: {"interval_s": (0.0, np.nan)}, r"interval_s\[1\]: is not finite"),
    (lambda: {"interval_s": (0.0,)}, "interval_s: has shape"),
    (lambda: {"frame_rate_hz": 0.0}, "frame_rate_hz: 0 is not above 0"),
    (lambda: {"frame_rate_hz": np.nan}, "frame_rate_hz: is not finite"),
    (lambda: {"traces": np.zeros((4, 7))}, "traces: has shape"),
    (lambda: put("traces", (0, 6), np.nan), r"traces\[0, 6\]: is not finite"),
    (lambda: {"provenance": {"kind": {1, 2}}}, "provenance: cannot be written as JSON"),
    (lambda: {"provenance": {"kind": float("nan")}}, "provenance: cannot be written as JSON"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=[message for _, message in WRONG])
def test_impossible_parts_are_refused(wrong: Callable[[], dict[str, Any]], message: str) -> None:
    with pytest.raises(BadInput, match=f"^{message}"):
        Cohort(**parts() | wrong())


def test_one_neuron_is_no_cohort() -> None:
    with pytest.raises(BadInput, match="neurons: number 1"):
        Cohort({name: [1] for name in COLUMNS}, [[0, 0, 0]])


def test_ids_of_0_are_unknown_and_may_repeat() -> None:
    cohort = Cohort({name: [0, 0] for name in COLUMNS}, [[0, 0, 0], [1, 1, 1]])
    assert cohort.missing == ("wiring", "corr", "sttc", "precision", "spikes")
    with pytest.raises(BadInput, match="cohort unnamed: has no wiring"):
        cohort.synapse_counts()


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (([0, 0], [1, 1], [1, 1]), r"wiring/post\[1\]: is repeated"),
        (([0, 0], [2, 1], [1, 1]), r"wiring/post\[1\]: is repeated or out of order"),
        (([1, 0], [0, 1], [1, 1]), r"wiring/pre\[1\]: is out of order"),
        (([1, 1], [0, 1], [1, 1]), r"wiring/post\[1\]: is the presynaptic neuron itself"),
        (([-1, 1], [0, 2], [1, 1]), r"wiring/pre\[0\]: is negative"),
        (([0, 1], [-1, 2], [1, 1]), r"wiring/post\[0\]: is negative"),
        (([0, 1], [1, 2], [1, 0]), r"wiring/n_syn\[1\]: is below 1"),
        (([0, 1], [1, 2], [1, 10_001]), r"wiring/n_syn\[1\]: is above 10000"),
        (([0, 1], [1], [1, 1]), "wiring/post: has shape"),
        (([0.0], [1.0], [1.0]), "wiring/pre: does not hold whole numbers"),
    ],
)
def test_impossible_wiring_is_refused(edges: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(BadInput, match=f"^{message}"):
        Wiring(*edges)  # type: ignore[arg-type]


def test_show_counts_what_there_is(cohort: Cohort) -> None:
    summary = show(cohort)
    pairs = [(i, j) for i in range(5) for j in range(i)]

    def distance(i: int, j: int) -> float:
        return float(np.sqrt(((cohort.positions_um[i] - cohort.positions_um[j]) ** 2).sum()))

    connected = [distance(0, 1), distance(0, 4), distance(3, 2)]
    off_diagonal = [cohort.sttc[i, j] for i, j in pairs]
    assert summary == {
        "n_neurons": 5,
        "n_edges": 3,
        "n_synapses": 10,
        "n_autapses": 3,
        "density": 3 / 20,
        "median_distance_connected_um": pytest.approx(sorted(connected)[1], rel=1e-12),
        "median_distance_all_um": pytest.approx(
            np.median([distance(*pair) for pair in pairs]), rel=1e-12
        ),
        "corr": summary["corr"],
        "sttc": {
            "mean": pytest.approx(sum(off_diagonal) / 10, rel=1e-12),
            "min": min(off_diagonal),
            "max": max(off_diagonal),
        },
        "n_spikes": 8,
        "duration_s": 4.0,
        "content_sha256": cohort.content_sha256,
        "source": cohort.provenance,
        "missing": [],
    }
    assert json.loads(json.dumps(summary)) == summary


def test_show_says_what_is_missing() -> None:
    summary = show(Cohort({name: [1, 2] for name in COLUMNS}, [[0, 0, 0], [0, 3, 4]]))
    absent = [key for key, value in summary.items() if value is None]
    assert absent == [
        "n_edges",
        "n_synapses",
        "n_autapses",
        "density",
        "median_distance_connected_um",
        "corr",
        "sttc",
        "n_spikes",
        "duration_s",
    ]
    assert summary["median_distance_all_um"] == 5.0
    assert summary["missing"] == ["wiring", "corr", "sttc", "precision", "spikes"]


def test_a_failed_write_keeps_what_was_there(
    cohort: Cohort, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkFailed, match=r"five\.h5: cannot be written \(No space left"):
        replace(cohort, corr=None).write(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_file_replaces_another(cohort: Cohort, path: Path) -> None:
    replace(cohort, corr=None).write(path)
    assert Cohort.read(path, check_hash=True).corr is None
    assert list(path.parent.iterdir()) == [path]


def test_nowhere_to_write_is_refused(cohort: Cohort, tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "no" / "five.h5"):
        with pytest.raises(BadInput, match="is a folder or lies in none"):
            cohort.write(place)
    assert not list(tmp_path.iterdir())


def swap(file: h5py.File, name: str, array: np.ndarray, **how: Any) -> None:
    del file[name]
    file.create_dataset(name, data=array, **how)


def claim(
    file: h5py.File, name: str, shape: tuple[int, ...], dtype: Any = None, **how: Any
) -> None:
    """Declare an array without writing any of it."""
    dtype = dtype or file[name].dtype
    del file[name]
    file.create_dataset(name, shape, dtype, **how)


def link(file: h5py.File, name: str, to: Any) -> None:
    del file[name]
    file[name] = to


def virtual(file: h5py.File, name: str) -> None:
    layout = h5py.VirtualLayout((5, 5), "<f8")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "corr", shape=(5, 5))
    del file[name]
    file.create_virtual_dataset(name, layout)


DAMAGE: list[tuple[Callable[[h5py.File], None], str]] = [
    (lambda f: f.pop("positions_um"), "/positions_um: is missing"),
    (lambda f: f.pop("neurons/root_id"), "neurons/root_id: is missing"),
    (lambda f: f.pop("neurons"), "neurons/nucleus_id: is missing"),
    (lambda f: f.pop("wiring/post"), "/wiring/post: is missing"),
    (lambda f: f.pop("spikes/offsets"), "/spikes/offsets: is missing"),
    (lambda f: f.pop("spikes/times_s"), "/spikes/times_s: is missing"),
    (lambda f: f.create_dataset("corr", data=np.eye(5)), "/corr: is no part of a cohort"),
    (lambda f: f.create_group("neurons/more"), "/neurons/more: is not an array"),
    (lambda f: f.create_group("extra/deep"), "/extra/deep: is no part of a cohort"),
    (lambda f: swap(f, "functional/corr", np.eye(5, dtype="<f4")), "/functional/corr: .* float64"),
    (lambda f: swap(f, "functional/corr", np.eye(5, dtype=">f8")), "/functional/corr: .* float64"),
    (lambda f: swap(f, "neurons/root_id", np.arange(5.0)), "/neurons/root_id: .* int64"),
    (lambda f: claim(f, "neurons/root_id", (5,)), "/neurons/root_id: claims"),
    (
        lambda f: claim(f, "neurons/root_id", (5,), h5py.vlen_dtype("i8")),
        "/neurons/root_id: does not hold int64",
    ),
    (
        lambda f: swap(
            f, "neurons/root_id", np.array(["a"] * 5, dtype=object), dtype=h5py.string_dtype()
        ),
        "/neurons/root_id: does not hold int64",
    ),
    (lambda f: swap(f, "functional/corr", h5py.Empty("<f8")), "/functional/corr: does not hold"),
    (lambda f: swap(f, "functional/corr", np.eye(4)), r"corr: has shape \(4, 4\)"),
    (lambda f: swap(f, "neurons/scan", np.arange(4)), "neurons/scan: has shape"),
    (lambda f: swap(f, "spikes/offsets", np.array([0, 3, 3, 5, 8])), "spikes: are of 4 neurons"),
    (lambda f: swap(f, "spikes/offsets", np.array([0, 3, 3, 5, 6, 9])), "spikes/offsets: do not"),
    (lambda f: swap(f, "spikes/offsets", np.array([0, 5, 3, 5, 6, 8])), "spikes/offsets: do not"),
    (lambda f: swap(f, "spikes/offsets", np.array([1, 3, 3, 5, 6, 8])), "spikes/offsets: do not"),
    (
        lambda f: swap(f, "spikes/offsets", np.array([0, -(2**63), 2**62, 5, 6, 8])),
        "spikes/offsets: do not",
    ),
    (lambda f: swap(f, "spikes/offsets", np.array([], dtype=int)), "spikes: are not two vectors"),
    (lambda f: swap(f, "functional/corr", np.eye(5), compression="gzip"), "/functional/corr: is c"),
    (lambda f: swap(f, "functional/corr", np.eye(5), shuffle=True), "/functional/corr: is compr"),
    (lambda f: claim(f, "traces", (5, 10**13)), "/traces: claims"),
    (
        lambda f: claim(f, "traces", (5, 10**9), chunks=(5, 1000), compression="gzip"),
        "/traces: is compressed",
    ),
    (
        lambda f: claim(f, "traces", (5, 0), maxshape=(5, None), chunks=(5, 10**7)),
        "/traces: claims",
    ),
    (lambda f: claim(f, "traces", (5, 7), external="elsewhere.bin"), "/traces: is compressed or"),
    (lambda f: virtual(f, "functional/corr"), "/functional/corr: is compressed or"),
    (
        lambda f: link(f, "functional/corr", h5py.SoftLink("/functional/sttc")),
        "/functional/corr: is a",
    ),
    (
        lambda f: link(f, "functional/corr", h5py.ExternalLink("x.h5", "/y")),
        "/functional/corr: is a",
    ),
    (lambda f: link(f, "functional", h5py.ExternalLink("x.h5", "/y")), "/functional: is a link"),
    (lambda f: link(f, "functional/corr", np.dtype("<f8")), "/functional/corr: is not an array"),
    (lambda f: f.attrs.pop("format"), "is an HDF5 file, but not of a cohort"),
    (lambda f: f.attrs.create("format", np.bytes_("another")), "is an HDF5 file, but not of a"),
    (lambda f: f.attrs.create("format_version", 2), "has format version 2, where 1 is known"),
    (lambda f: f.attrs.create("format_version", 1.0), "attribute format_version: is of another"),
    (lambda f: f.attrs.pop("format_version"), "has format version None"),
    (lambda f: f.attrs.pop("provenance"), "provenance: is not JSON"),
    (lambda f: f.attrs.create("provenance", np.bytes_("[1]")), "provenance: is no JSON object"),
    (lambda f: f.attrs.create("provenance", np.bytes_("{")), "provenance: is not JSON"),
    (lambda f: f.attrs.create("provenance", np.bytes_("[" * 9999)), "provenance: is not JSON"),
    (lambda f: f.attrs.create("provenance", "{}"), "attribute provenance: is of another type"),
    (
        lambda f: f.attrs.create("interval_s", [0.0, 1.0, 2.0]),
        "attribute interval_s: is of another",
    ),
    (lambda f: f.attrs.pop("interval_s"), "interval_s: is missing beside spikes"),
    (lambda f: f.attrs.create("frame_rate_hz", 3.0), r"spikes, neuron 0\[0\]: is on no frame"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_a_file_of_another_structure_is_refused(
    path: Path, damage: Callable[[h5py.File], None], message: str
) -> None:
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(BadInput, match=rf"^{path}:? ?.*{message}"):
        Cohort.read(path)


def test_a_file_that_is_no_cohort_file_is_refused(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    for content in (b"", b"\x89HDF\r\n\x1a\n", b"not HDF5 at all", whole[:-1], whole[:2000]):
        path.write_bytes(content)
        with pytest.raises(BadInput, match=r"five\.h5: is "):
            Cohort.read(path)
    for nothing in (tmp_path, tmp_path / "nothing.h5"):
        with pytest.raises(BadInput, match="is no file"):
            Cohort.read(nothing)


def test_a_flipped_bit_in_an_array_is_found(path: Path) -> None:
    with h5py.File(path) as file:
        places = {
            name: file[name].id.get_chunk_info(0).byte_offset
            for name in ("functional/corr", "neurons/root_id", "spikes/times_s")
        }
    whole = path.read_bytes()
    for name, place in places.items():
        flipped = bytearray(whole)
        flipped[place + 9] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(BadInput, match=f"five.h5: /{name}: is damaged"):
            Cohort.read(path)


def test_no_flipped_byte_passes_unseen(cohort: Cohort, path: Path) -> None:
    rng = np.random.default_rng(0)
    whole = path.read_bytes()
    unseen = 0
    for place, value in zip(
        rng.integers(len(whole), size=400), rng.integers(256, size=400), strict=True
    ):
        flipped = bytearray(whole)
        flipped[place] = value
        path.write_bytes(flipped)
        try:
            again = Cohort.read(path, check_hash=True)
        except BadInput:
            continue
        unseen += 1
        assert again.content_sha256 == cohort.content_sha256
    assert unseen < 400
