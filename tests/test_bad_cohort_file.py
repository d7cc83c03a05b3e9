"""Bad input: a damaged cohort file is refused in one line, or what it holds is what it held."""

import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np
import pytest

from biosernn import Cohort
from command_line import Ended, assert_refused, commands, contents
from made_up import parts
from mutations import cuts, flips, other_files

Place = str | tuple[str, ...] | None
HASH = "does not hold the content that its hash was taken of"


def file_of(cohort: Cohort) -> bytes:
    with TemporaryDirectory() as folder:
        cohort.write(Path(folder) / "cohort.h5")
        return (Path(folder) / "cohort.h5").read_bytes()


FILE = file_of(Cohort(**parts()))
LONG = file_of(
    replace(
        Cohort(**parts()), provenance={"dropped": {f"{k}": "not proofread" for k in range(5000)}}
    )
)
ARRAYS = Cohort(**parts()).arrays
OTHER_ARRAYS = Cohort(**parts(seed=1)).arrays
FLOATS = [name for name, array in ARRAYS.items() if array.dtype.kind == "f"]
WHOLE = [name for name in ARRAYS if name not in FLOATS]


@dataclass(frozen=True)
class Case:
    """How a damaged file is made, and the place that the refusal must begin with.

    Without a place, it may also be read, where that gives just what was written.
    """

    name: str
    make: Callable[[], bytes]
    place: Place = None


def altered(change: Callable[[h5py.File], object], content: bytes = FILE) -> bytes:
    """A file after some change by way of HDF5, check sums and all."""
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        change(file)
    return stream.getvalue()


def without_check_sums() -> bytes:
    """The file as HDF5 wrote it of old."""
    stream = io.BytesIO()
    with h5py.File(io.BytesIO(FILE)) as file, h5py.File(stream, "w", libver="earliest") as old:
        for name, array in ARRAYS.items():
            old[name] = array
        for name in file.attrs:
            old.attrs[name] = file.attrs[name]
    return stream.getvalue()


def swap(name: str, values: Any, file: h5py.File, **how: Any) -> None:
    file.pop(name, None)
    file.create_dataset(name, data=values, **how)


def claim(name: str, shape: tuple[int, ...], file: h5py.File, **how: Any) -> None:
    """Declare an array without writing any of it."""
    del file[name]
    file.create_dataset(name, shape, ARRAYS[name].dtype, **how)


def put(name: str, target: Any, file: h5py.File) -> None:
    del file[name]
    file[name] = target


def attribute(name: str, value: Any, file: h5py.File) -> None:
    file.attrs[name] = value


def case(name: str, place: Place, change: Callable[..., object], *how: Any, **more: Any) -> Case:
    return Case(name, partial(altered, partial(change, *how, **more)), place)


def part(name: str) -> str:
    """What refusals of an array's content begin with."""
    return "spikes" if name.startswith("spikes/") else name.removeprefix("functional/")


def damaged_bytes() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for what, content in cuts(FILE, rng):
        yield Case(what, partial(bytes, content), "")
    for what, content in other_files(FILE):
        if not what.startswith(("twice", "with a")):
            yield Case(what, partial(bytes, content), "")
    for what, content in {
        "pickle": pickle.dumps(np.arange(3)),
        "HDF5's first bytes": FILE[:8],
        "HDF5's first bytes and noise": FILE[:8] + rng.bytes(5000),
        "noise after a kilobyte": FILE[:1024] + rng.bytes(len(FILE) - 1024),
        "twice": FILE * 2,
        "with a byte more": FILE + b"\0",
        "with a byte before": b"\0" + FILE,
        "after a block of the user's": bytes(512) + FILE,
    }.items():
        yield Case(what, partial(bytes, content))
    for what, content in flips(FILE, rng, 100):
        yield Case(what, partial(bytes, content))
    for what, content in flips(without_check_sums(), rng, 40):
        yield Case(f"{what}, no check sums", partial(bytes, content))
    with h5py.File(io.BytesIO(FILE)) as file:
        places = {n: file[n].id.get_chunk_info(0).byte_offset for n in ARRAYS}
    for name, start in places.items():
        for _ in range(2):
            place = start + int(rng.integers(ARRAYS[name].nbytes))
            flipped = bytearray(FILE)
            flipped[place] ^= 1 << int(rng.integers(8))
            what = f"byte {place - start} of {name}"
            yield Case(what, partial(bytes, flipped), f"/{name}: is damaged")


def damaged_long_provenance() -> Iterator[Case]:
    start = LONG.index(b"not proofread")
    for place in np.random.default_rng(1).integers(start, start + 100_000, size=12).tolist():
        flipped = bytearray(LONG)
        flipped[place] ^= 4
        yield Case(f"byte {place} of a long provenance", partial(bytes, flipped), "")


def other_arrays() -> Iterator[Case]:
    names = list(ARRAYS)
    for name, following in zip(names, names[1:] + names[:1], strict=True):
        yield case(f"no {name}", "", lambda name, f: f.pop(name), name)
        if not np.array_equal(ARRAYS[name], ARRAYS[following]):
            yield case(f"{name} that is {following}", "", swap, name, ARRAYS[following])
        if not np.array_equal(ARRAYS[name], OTHER_ARRAYS[name]):
            yield case(f"{name} of another cohort", HASH, swap, name, OTHER_ARRAYS[name])


def other_types() -> Iterator[Case]:
    types = (">i8", ">f8", "<i8", "<f8", "<f4", "<i4", "<u8", "<i2", "|b1", "<c16", "<f2", "<f16")
    types = (*types, "|S8", "|V8", [("a", "<i8")], h5py.vlen_dtype("<f8"), h5py.string_dtype())
    types = (*types, h5py.ref_dtype, h5py.regionref_dtype, h5py.enum_dtype({"a": 1}, "<i8"))
    for start, (name, array) in enumerate(ARRAYS.items()):
        for number, dtype in enumerate(types):
            if (number + start) % 4 == 0 and dtype != array.dtype.str:

                def retype(file: h5py.File, name: str = name, dtype: Any = dtype) -> None:
                    shape = file[name].shape
                    del file[name]
                    file.create_dataset(name, shape, dtype)

                yield case(f"{name} of type {number}", f"/{name}: ", retype)


def other_shapes() -> Iterator[Case]:
    for name, array in ARRAYS.items():
        for what, values in {
            "a scalar": array.flat[0],
            "no row": array[:0],
            "a row less": array[:-1],
            "a row more": np.concatenate([array, array[-1:]]),
            "an axis more": array[None],
            "an axis more at the end": array[..., None],
            "nothing": h5py.Empty(array.dtype),
        }.items():
            if (name, what) not in {("traces", "no row")}:
                yield case(f"{name} with {what}", "", swap, name, values)
    for name in ("neurons/root_id", "positions_um", "functional/sttc", "spikes/times_s", "traces"):
        for what, shape, how in (
            ("a lot", (10**13,), {}),
            ("a lot, in pieces", (10**13,), {"chunks": (1000,)}),
            ("a lot, filled", (10**13,), {"chunks": (1000,), "fillvalue": 1}),
            ("a lot, compressed", (10**9,), {"chunks": (10**6,), "compression": "gzip"}),
            ("a lot in every direction", (2**31,) * 2, {"chunks": (1, 1)}),
            ("one large piece", (10**6,), {"chunks": (10**6,), "compression": "gzip"}),
            ("room for more", (5,), {"chunks": (10**8,), "maxshape": (None,)}),
            ("another file", (5,), {"external": "/dev/zero"}),
        ):
            yield case(f"{name} that claims {what}", f"/{name}: ", claim, name, shape, **how)


def impossible_numbers() -> Iterator[Case]:
    rng = np.random.default_rng(2)
    for name in FLOATS:
        for value in (np.nan, np.inf, -np.inf, 1e300, -1e300):
            values = ARRAYS[name].copy()
            place = tuple(int(rng.integers(size)) for size in values.shape)
            values[place] = value
            if name.startswith("functional/"):
                values[place[::-1]] = value
            yield case(f"{value} in {name}", part(name), swap, name, values)
    for name in WHOLE:
        for value in (-1, -(2**63), 2**63 - 1):
            values = ARRAYS[name].copy()
            index = int(rng.integers(len(values)))
            values[index] = value
            place = HASH if name.startswith("neurons") and value > 0 else part(name)
            yield case(f"{value} in {name}", place, swap, name, values)
    for name in ("nucleus_id", "root_id", "unit_id"):
        values = ARRAYS[f"neurons/{name}"].copy()
        values[3] = values[0]
        yield case(f"{name} twice", f"neurons/{name}[3]", swap, f"neurons/{name}", values.copy())
        values[[0, 3]] = 0
        place = "wiring/pre[0]: " if name == "root_id" else HASH
        yield case(f"{name} zero", place, swap, f"neurons/{name}", values)
    for name, value in (("pre", 99), ("post", 99), ("n_syn", 0), ("n_syn", 10**6), ("n_syn", 3)):
        values = ARRAYS[f"wiring/{name}"].copy()
        values[2] = value
        place = HASH if value == 3 else f"wiring/{name}[2]"
        yield case(f"wiring/{name} {value}", place, swap, f"wiring/{name}", values)


def other_attributes() -> Iterator[Case]:
    values = (7, -1, 0.5, np.nan, "text", b"bytes", [], [1, 2], [1.0, 2.0, 3.0], np.zeros((2, 2)))
    values = (*values, np.inf, [np.nan, 1.0], [0.0, 1e9], [4.0, 0.0], b"x" * 60_000, b"\xff")
    places = {
        "format": ("is an HDF5 file, but", "attribute format: "),
        "format_version": ("has format version", "attribute format_version: "),
        "content_sha256": ("does not hold", "attribute content_sha256: "),
        "provenance_sha256": ("provenance: ", "attribute provenance_sha256: "),
        "provenance": ("provenance: ", "attribute provenance: "),
        "interval_s": ("interval_s", "attribute interval_s: ", "spikes, neuron"),
        "frame_rate_hz": ("frame_rate_hz", "attribute frame_rate_hz: ", "spikes, neuron", HASH),
    }
    for name, place in places.items():
        if name != "provenance_sha256":
            yield case(f"no {name}", place, lambda name, f: f.attrs.pop(name), name)
        for number, value in enumerate(values):
            yield case(f"{name} of value {number}", place, attribute, name, value)
    for what, text in {
        "depth": b"[" * 10**5,
        "depth within": b'{"a":' * 50 + b"1" + b"}" * 50,
        "a long number": b'{"a": ' + b"9" * 10**5 + b"}",
        "no number": b'{"a": NaN}',
        "another name": b'{"name": "a\\nb"}',
        "a name of half a sign": b'{"name": "\\ud800"}',
        "a number as name": b'{"name": 3}',
        "a longer text": json.dumps({"a": "b" * 50_000}).encode(),
        "no end": b'{"a": ',
    }.items():
        yield case(f"provenance of {what}", "provenance", attribute, "provenance", np.bytes_(text))


def virtual(name: str, file: h5py.File) -> None:
    layout = h5py.VirtualLayout(ARRAYS[name].shape, ARRAYS[name].dtype)
    layout[:] = h5py.VirtualSource("/dev/zero", "a", shape=ARRAYS[name].shape)
    del file[name]
    file.create_virtual_dataset(name, layout)


def many(prefix: str, number: int, file: h5py.File) -> None:
    for k in range(number):
        file[f"{prefix}{k}"] = np.arange(5)


def other_structures() -> Iterator[Case]:
    for name in ("neurons", "positions_um", "wiring", "functional", "spikes", "functional/corr"):
        for what, link in {
            "a link within": h5py.SoftLink("/traces"),
            "a link to itself": h5py.SoftLink(f"/{name}"),
            "a link to nothing": h5py.SoftLink("/nothing"),
            "a link to another file": h5py.ExternalLink("/dev/zero", "/"),
            "a type": np.dtype("<f8"),
        }.items():
            yield case(f"{name} that is {what}", f"/{name}: ", put, name, link)
        yield case(f"the whole as {name}", "/", lambda name, f: put(name, f["/"], f), name)
    for name in ("neurons", "wiring", "functional", "spikes", "more"):
        yield case(f"{name} that is an array", "/", swap, name, np.arange(5))
        yield case(
            f"{name} within {name}", f"/{name}", lambda n, f: f.create_group(f"{n}/{n}"), name
        )
    for name in ("functional/corr", "neurons/root_id", "spikes/times_s"):
        yield case(f"virtual {name}", f"/{name}: ", virtual, name)
        for how in ({"compression": "gzip"}, {"compression": "lzf"}, {"shuffle": True}):
            place = f"/{name}: is compressed"
            yield case(
                f"{name} with {how}", place, swap, name, np.zeros(10**6, ARRAYS[name].dtype), **how
            )
    for name in ("a b", "a\nb", "\x1b[31m", "木", "\u202e", "x" * 60_000, "..", "A", "1"):
        for where in ("", "neurons/", "functional/"):
            text = f"a column {ascii(name)[:20]} in /{where}"
            yield case(
                text,
                None if name == ".." else "/" if not where else "",
                swap,
                f"{where}{name}",
                np.arange(5),
            )
    yield case("many columns", "/neurons", many, "neurons/c", 200)
    yield case("many arrays", "/", many, "c", 200)
    yield case("a deep group", "/more", lambda f: f.create_group("/".join(["more"] * 500)))
    yield case("many attributes", None, lambda f: [attribute(f"a{k}", k, f) for k in range(2000)])
    yield case("a further attribute", None, attribute, "more", "text")


CASES = [
    case
    for cases in (
        damaged_bytes(),
        damaged_long_provenance(),
        other_arrays(),
        other_types(),
        other_shapes(),
        impossible_numbers(),
        other_attributes(),
        other_structures(),
    )
    for case in cases
]


@pytest.fixture(scope="module")
def command() -> Iterator[Callable[..., Ended]]:
    with commands("biosernn.cohort.file", "biosernn.cohort.show") as command:
        yield command


@pytest.fixture(scope="module")
def as_written(
    command: Callable[..., Ended], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("good")
    (folder / "good.h5").write_bytes(FILE)
    return json.loads(command("cohort", "show", "good.h5", "--json", cwd=folder).out)


@pytest.mark.parametrize("case", CASES, ids=[ascii(case.name)[1:-1] for case in CASES])
def test_a_bad_file_is_refused(
    command: Callable[..., Ended], as_written: dict[str, Any], tmp_path: Path, case: Case
) -> None:
    (tmp_path / "bad.h5").write_bytes(case.make())
    before = contents(tmp_path)
    ended = command("cohort", "show", "bad.h5", "--json", cwd=tmp_path)
    if ended.status == 0 and case.place is None:
        assert ended.err == ""
        assert json.loads(ended.out) == as_written
    else:
        line = assert_refused(ended)
        assert line.startswith("bad.h5: ")
        assert line.removeprefix("bad.h5: ").startswith(case.place or "")
    assert contents(tmp_path) == before


def test_a_hollow_file_is_refused(command: Callable[..., Ended], tmp_path: Path) -> None:
    def early(file: h5py.File) -> None:
        del file["traces"]
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple((5, 10**9))
        h5py.h5d.create(file.id, b"traces", h5py.h5t.IEEE_F64LE, space, layout)

    (tmp_path / "bad.h5").write_bytes(FILE)
    with h5py.File(tmp_path / "bad.h5", "r+") as file:
        early(file)
    if os.stat(tmp_path / "bad.h5").st_blocks > 10**6:
        pytest.skip("needs a file system on which files have holes")
    line = assert_refused(command("cohort", "show", "bad.h5", cwd=tmp_path))
    assert line.startswith("bad.h5: is hollow")


def test_many_neurons_or_trains_take_no_more_time_than_few(
    command: Callable[..., Ended], tmp_path: Path
) -> None:
    n = 20_000

    def each_in_a_scan_of_its_own(file: h5py.File) -> None:
        for name in [name for name in file if name not in ("neurons", "positions_um")]:
            del file[name]
        for name in file["neurons"]:
            swap(f"neurons/{name}", np.arange(1, n + 1), file)
        swap("neurons/unit_id", np.append(np.arange(1, n), n - 1), file)
        swap("neurons/scan", np.append(np.arange(1, n), n - 1), file)
        swap("neurons/session", np.append(np.arange(1, n), n - 1), file)
        swap("positions_um", np.zeros((n, 3)), file)

    (tmp_path / "bad.h5").write_bytes(altered(each_in_a_scan_of_its_own))
    line = assert_refused(command("cohort", "show", "bad.h5", cwd=tmp_path))
    assert line.startswith(f"bad.h5: neurons/unit_id[{n - 1}]: is another neuron's of the scan")
    bounds = np.zeros(8 * 10**6, dtype=np.int64)
    bounds[-1] = len(ARRAYS["spikes/times_s"])
    (tmp_path / "bad.h5").write_bytes(altered(partial(swap, "spikes/offsets", bounds)))
    line = assert_refused(command("cohort", "show", "bad.h5", cwd=tmp_path))
    assert line.startswith("bad.h5: spikes: ")


def test_what_is_no_file_is_no_cohort(command: Callable[..., Ended], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "device", "loop", "folder", "a\nb", "a b", "\x1b[31m", "µ", "\udcff"):
        line = assert_refused(command("cohort", "show", name, cwd=tmp_path))
        assert line.startswith(("cohort '", "folder: "))


@pytest.mark.parametrize(
    "name", ["a b", "µ ü 木", "a\nb", "\x1b[31mred", "\u202eabc", "\udcff"], ids=ascii
)
def test_any_name_of_a_file_is_printed_in_one_line(
    command: Callable[..., Ended], as_written: dict[str, Any], tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(FILE)
    assert json.loads(command("cohort", "show", name, "--json", cwd=tmp_path).out) == as_written
    (tmp_path / name).write_bytes(FILE[:-1])
    assert_refused(command("cohort", "show", name, "--json", cwd=tmp_path))


def test_the_audit_refuses_a_bad_file(tmp_path: Path) -> None:
    other = partial(swap, "functional/corr", OTHER_ARRAYS["functional/corr"])
    (tmp_path / "bad.h5").write_bytes(altered(other))
    before = contents(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "biosernn.cli", "cohort", "audit", "bad.h5", "--out", "audit.html"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    refused = assert_refused(Ended(done.returncode, done.stdout, done.stderr))
    assert refused.startswith(f"bad.h5: {HASH}")
    assert contents(tmp_path) == before
