"""Cases of bad input: everything that can be wrong with the files of a released folder."""

import os
import pickle
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from made_up import FRAME_S, Calls, N, npy, objects, recording, release_files
from mutations import cuts, flips, other_files

FILES = release_files(recording())
CSV = "connectome_6_6_2.csv"
IDS = ("root_ids_6_6_2.npy", "target_ids_6_6_2.npy", "unit_ids_6_6_2.npy")
COLUMNS = dict(zip(IDS, ("root_id", "nucleus_id", "unit_id"), strict=True))
MATRICES = ("corr_matrix.npy", "sttc_matrix.npy", "precision_matrix.npy")
VECTORS = ("positions_6_6_2.npy", "spikes_6_6_2.npy")
PLAIN = (*IDS, *MATRICES)
KIND = dict.fromkeys((*IDS, VECTORS[0]), "<i8") | dict.fromkeys((*MATRICES, VECTORS[1]), "<f8")
ARRAYS = {
    name: recording()[name.removesuffix(".npy").removesuffix("_6_6_2").removesuffix("_matrix")]
    for name in KIND
}


@dataclass(frozen=True)
class Case:
    """Files that replace those of the folder, and the place that the refusal must begin with.

    Where nothing tells the damage from data, as there is no hash, it may be read, or must be.
    """

    name: str
    files: dict[str, bytes]
    place: str
    may_pass: bool = False
    must_pass: bool = False


def random(name: str) -> np.random.Generator:
    return np.random.default_rng(list(name.encode()))


def damaged_bytes() -> Iterator[Case]:
    for name, content in FILES.items():
        rng = random(name)
        for what, changed in cuts(content, rng):
            yield Case(f"{name} {what}", {name: changed}, name)
        for what, changed in flips(content, rng, 12):
            yield Case(f"{name} {what}", {name: changed}, name, may_pass=True)
        for what, changed in other_files(content):
            yield Case(f"{name} {what}", {name: changed}, name)


def swapped() -> Iterator[Case]:
    alike = {(a, b) for a in IDS for b in IDS} | {("precision_matrix.npy", "corr_matrix.npy")}
    for name in FILES:
        for other in FILES:
            if other != name:
                passes = (name, other) in alike
                yield Case(f"{name} that is {other}", {name: FILES[other]}, name, passes)
    for n, what in ((N, "another field"), (N - 1, "a smaller field"), (N + 4, "a larger field")):
        for name, content in release_files(recording(n, seed=2)).items():
            yield Case(f"{name} of {what}", {name: content}, name, may_pass=n == N)


def other_types() -> Iterator[Case]:
    types = (">i8", ">f8", "<i8", "<f8", "<f4", "<i4", "<u8", "<i2", "|b1", "<c16", "<f2", "<f16")
    types = (*types, "|S8", "<U4", "<M8[s]", "<m8[s]", "|V8", [("a", "<i8")], "|O")
    for start, name in enumerate(PLAIN):
        for dtype in types[start % 3 :: 3]:
            if dtype != KIND[name]:
                zeros = np.zeros(ARRAYS[name].shape, dtype)
                yield Case(f"{name} of {dtype}", {name: npy(zeros)}, name)
    for name in VECTORS:
        vectors = list(ARRAYS[name])
        yield Case(f"{name} of lists", {name: npy(objects([list(v) for v in vectors]))}, name)
        for dtype in types:
            if dtype != KIND[name]:
                mixed = [*vectors[:3], np.zeros(3, dtype), *vectors[4:]]
                yield Case(f"{name}, one of {dtype}", {name: npy(objects(mixed))}, name)


def other_shapes() -> Iterator[Case]:
    for name in PLAIN:
        array = ARRAYS[name]
        for what, changed in {
            "a scalar": array.flat[0],
            "nothing": array[:0],
            "a row less": array[:-1],
            "a row more": np.concatenate([array, array[:1] + 1000]),
            "an axis more": array[None],
            "an axis more at the end": array[..., None],
            "no axis too many": array.reshape(-1) if array.ndim > 1 else array.reshape(2, -1),
            "a column less": array[..., :-1],
            "in Fortran order": np.asfortranarray(array) if array.ndim > 1 else array[:3],
        }.items():
            yield Case(f"{name} with {what}", {name: npy(changed)}, name)
    for name in VECTORS:
        array = ARRAYS[name]
        for what, changed in {
            "nothing": array[:0],
            "a neuron less": array[:-1],
            "a neuron more": np.append(array, array[:1]),
            "an axis more": array[None],
            "no object": array[0],
        }.items():
            yield Case(f"{name} with {what}", {name: npy(changed)}, name)
        for what, vector in {
            "a scalar": np.array(1, KIND[name]),
            "a matrix": np.ones((1, 3), KIND[name]),
            "None": None,
            "a number": 3,
            "a text": "1 2 3",
            "an array of objects": objects([1, 2, 3]),
            "itself": array,
        }.items():
            changed = array.copy()
            changed[4] = vector
            yield Case(f"{name} with {what} in it", {name: npy(changed)}, name)
    changed = ARRAYS[VECTORS[0]].copy()
    for length in (0, 2, 4, 1000):
        changed[4] = np.arange(length)
        yield Case(
            f"positions of {length} numbers",
            {VECTORS[0]: npy(changed)},
            f"{VECTORS[0]}: positions_um, neuron 4",
        )


def impossible_numbers() -> Iterator[Case]:
    values = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf, "huge": 1e300, "1.01": 1.01}
    for name in MATRICES:
        part, rng = name.removesuffix("_matrix.npy"), random(name)
        for what, value in (values | {"-2": -2.0, "1e13": -1e13}).items():
            column, row = sorted(map(int, rng.choice(N, 2, replace=False)))
            changed = ARRAYS[name].copy()
            changed[row, column] = value
            if name != "sttc_matrix.npy":
                changed[column, row] = value
            fits = part == "precision" and np.abs(value) < 1e12
            yield Case(
                f"{what} in {name}",
                {name: npy(changed)},
                f"{name}: {part}[{column}, {row}]",
                must_pass=bool(fits),
            )
            changed = ARRAYS[name].copy()
            changed[column, row] = value
            yield Case(
                f"{what} above the diagonal of {name}",
                {name: npy(changed)},
                f"{name}: {part}[{column}, {row}]",
            )
        for value in (0.0, -1.0, np.nan, 2e12):
            changed = ARRAYS[name].copy()
            changed[6, 6] = value
            yield Case(
                f"{value} on the diagonal of {name}",
                {name: npy(changed)},
                f"{name}: {part}[6, 6]",
            )
    for value in (2**62, -(2**62), -(2**63), 2**63 - 1, 10**9):
        changed = ARRAYS[VECTORS[0]].copy()
        changed[7] = np.array([1, value, 3])
        yield Case(
            f"voxel {value}",
            {VECTORS[0]: npy(changed)},
            f"{VECTORS[0]}: positions_um[7, 1]",
        )
    for times in ([np.nan], [1, np.nan], [1, np.inf], [-np.inf, 1], [2, 1], [1, 1], [-1, 1], [0.0]):
        changed = ARRAYS[VECTORS[1]].copy()
        changed[7] = np.array(times, float) * FRAME_S
        yield Case(
            f"events at frames {times}",
            {VECTORS[1]: npy(changed)},
            f"{VECTORS[1]}: spikes, neuron 7[",
        )
    for times in ([1e6], [1e300], [5e-324], [1.7e308]):
        changed = ARRAYS[VECTORS[1]].copy()
        changed[7] = np.array(times)
        yield Case(f"events at {times} s", {VECTORS[1]: npy(changed)}, f"{VECTORS[1]}: ")


def impossible_ids() -> Iterator[Case]:
    for name in IDS:
        ids, column = ARRAYS[name], COLUMNS[name]
        for value in (-1, -(2**63), -(10**9)):
            changed = ids.copy()
            changed[5] = value
            yield Case(f"{name} {value}", {name: npy(changed)}, f"{name}: neurons/{column}[5]")
        changed = ids.copy()
        changed[5] = changed[2]
        yield Case(f"{name} repeated", {name: npy(changed)}, f"{name}: neurons/{column}[5]")
        changed = ids.copy()
        changed[[3, 8]] = 0
        unknown_root = name == IDS[0]
        yield Case(
            f"{name} twice zero",
            {name: npy(changed)},
            f"{name}: neurons/{column}[8]",
            must_pass=not unknown_root,
        )
        changed[8] = 2**63 - 1
        yield Case(f"{name} once zero, once huge", {name: npy(changed)}, name, must_pass=True)
        for what, values in {
            "floats": ids.astype(float),
            "floats with nan": np.append(ids[1:].astype(float), np.nan),
            "overflowing": np.append(ids[1:].astype("<u8"), np.uint64(2**63)),
            "text": ids.astype("S20"),
            "Python's own integers": ids.astype(object) * 10**30,
        }.items():
            yield Case(f"{name} that are {what}", {name: npy(values)}, name)


def impossible_counts() -> Iterator[Case]:
    lines = FILES[CSV].split(b"\n")
    rng = random(CSV)
    for count in (
        *(b"-1", b"-0", b"+1", b"0.5", b"1.0", b".5", b"1e3", b"1_0", b"0x1", b"01", b"1 ", b" 1"),
        *(b"10001", b"99999", b"9" * 18, b"9" * 30, b"two", b"nan", b"NaN", b"inf", b"-inf"),
        *(b"", b'"1"', b"'1'", b"=1+1", b"1;1", b"None", b"True", b"1\0", b"\xff", b"\x1b[31m"),
        *("٣".encode(), "１".encode(), "½".encode(), "−1".encode(), b"1,1", b"1\t", b"1\r"),
    ):
        row, column = (int(k) for k in rng.integers(N, size=2))
        cells = lines[row + 1].split(b",")
        cells[column + 1] = count
        changed = [*lines[: row + 1], b",".join(cells), *lines[row + 2 :]]
        place = f"{CSV}: wiring, line {row + 2}"
        yield Case(f"count {count!r}", {CSV: b"\n".join(changed)}, place)


def other_indexes() -> Iterator[Case]:
    whole, lines = FILES[CSV], FILES[CSV].splitlines()
    head, rows = lines[0], lines[1:]
    for what, header in {
        "no header": None,
        "an empty header": b"",
        "ids as header": b"," + b",".join(b"%d" % root for root in ARRAYS[IDS[0]]),
        "a header from 1": b"," + b",".join(b"%d" % k for k in range(1, N + 1)),
        "a header too short": head.rsplit(b",", 1)[0],
        "a header too long": head + b",10",
        "a header without its first comma": head[1:],
        "a named corner": b"index" + head,
        "a repeated index": head.replace(b",3", b",2"),
        "two indexes exchanged": head.replace(b",2,3", b",3,2"),
        "a quoted header": head.replace(b"3", b'"3"'),
        "a header of floats": head.replace(b"3", b"3.0"),
        "spaces in the header": head.replace(b",", b", "),
        "semicolons": head.replace(b",", b";"),
        "a byte order mark": b"\xef\xbb\xbf" + head,
        "a comment before it": b"# counts\n" + head,
    }.items():
        kept = [line for line in (header, *rows) if line is not None]
        yield Case(f"{CSV} with {what}", {CSV: b"\n".join(kept) + b"\n"}, f"{CSV}: wiring")
    for what, changed in {
        "two rows exchanged": [*rows[:3], rows[4], rows[3], *rows[5:]],
        "a row twice": [*rows[:3], rows[3], *rows[3:]],
        "a row's index twice": [*rows[:3], b"2" + rows[3][1:], *rows[4:]],
        "a row less": rows[:-1],
        "a row less within": rows[:4] + rows[5:],
        "a row without index": [*rows[:3], rows[3].split(b",", 1)[1], *rows[4:]],
        "rows without indexes": [row.split(b",", 1)[1] for row in rows],
        "an index of letters": [*rows[:3], b"three" + rows[3][1:], *rows[4:]],
        "a negative index": [*rows[:3], b"-" + rows[3], *rows[4:]],
        "a huge index": [*rows[:3], b"9" * 5000 + rows[3], *rows[4:]],
        "indexes from 1": [b"%d%s" % (i + 1, row[1:]) for i, row in enumerate(rows)],
        "ids as indexes": [
            b"%d%s" % (root, row[1:]) for root, row in zip(ARRAYS[IDS[0]], rows, strict=True)
        ],
        "an empty row": [*rows[:3], b"", *rows[3:]],
        "a cell less": [*rows[:3], rows[3][:-2], *rows[4:]],
        "a cell more": [*rows[:3], rows[3] + b",0", *rows[4:]],
        "a comma at the end": [*rows[:3], rows[3] + b",", *rows[4:]],
        "no rows": [],
    }.items():
        text = b"\n".join([head, *changed]) + b"\n"
        yield Case(f"{CSV} with {what}", {CSV: text}, f"{CSV}: wiring")
    for what, text in {
        "UTF-16": whole.decode().encode("utf-16"),
        "line ends of old": whole.replace(b"\n", b"\r"),
        "tabulators": whole.replace(b",", b"\t"),
        "a line that never ends": head + b"," * 10**7,
        "lines without number": head + b"\n" * 10**7,
    }.items():
        yield Case(f"{CSV} with {what}", {CSV: text}, f"{CSV}: wiring")


ACTS = {
    "os.system": Calls(os.system, "touch witness"),
    "exec": Calls(exec, "open('witness', 'w').close()"),
    "eval": Calls(eval, "open('witness', 'w').close()"),
    "open": Calls(open, "witness", "w"),
    "Path.touch": Calls(Path.touch, Path("witness")),
    "numpy.save": Calls(np.save, "witness", np.arange(2)),
    "numpy.ndarray": Calls(np.ndarray, (2**34,)),
    "numpy.dtype": Calls(np.dtype, "f8"),
    "numpy.load": Calls(np.load, "corr_matrix.npy"),
    "bytearray": Calls(bytearray, 2**34),
    "getattr": Calls(getattr, np.ndarray, "tofile"),
    "a partial": Calls(pickle.loads, pickle.dumps(Calls(os.system, "touch witness"))),
}


def pickled(content: bytes, n: int = N) -> bytes:
    """An object array's file with a pickle of one's own."""
    header = f"{{'descr': '|O', 'fortran_order': False, 'shape': ({n},), }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + content


def hostile_pickles() -> Iterator[Case]:
    for name in VECTORS:
        rng = random(name)
        for what, act in ACTS.items():
            changed = list(ARRAYS[name])
            changed[rng.integers(N)] = act
            yield Case(f"{name} that calls {what}", {name: npy(objects(changed))}, name)
            whole = pickled(pickle.dumps(act, protocol=4))
            yield Case(f"{name} that is a call of {what}", {name: whole}, name)
        for what, content in {
            "marks": b"(" * 10**6 + b".",
            "tuples in tuples": b"N" + b"\x85" * 10**6 + b".",
            "lists in lists": b"]" * 10**6 + b"a" * (10**6 - 1) + b".",
            "few lists in lists": b"]" * 150 + b"a" * 149 + b".",
            "a memo of much": b"N" + b"q\0h\0h\0\x87" * 10**5 + b".",
            "a memo far out": b"Nr\xff\xff\xff\x7f.",
            "a frame too long": b"\x80\x04\x95" + b"\xff" * 7 + b"\x7fN.",
            "a frame of 4 GiB": b"\x80\x04\x95\0\0\0\0\1\0\0\0N.",
            "bytes too long": b"B\xff\xff\xff\x7fab.",
            "8-byte sizes": b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7fab.",
            "text of 8-byte size": b"\x80\x04\x8d\0\0\0\0\1\0\0\0ab.",
            "negative size": b"T\xff\xff\xff\xffab.",
            "a number of a million digits": b"L" + b"9" * 10**6 + b"L\n.",
            "a number of many bytes": b"\x8b\xff\xff\xff\x7fab.",
            "an unknown protocol": b"\x80\xffN.",
            "no end": b"N",
            "nothing on the stack": b".",
            "a persistent name": b"Pwitness\n.",
            "a registered extension": b"\x82\x01.",
            "another module": b"cos\nsystem\n(S'touch witness'\ntR.",
            "a module of many lines": b"\x8c\x09os\nposix\r\x8c\x06system\x93.",
            "a module of controls": b"\x8c\x05\x1b[31m\x8c\x06system\x93.",
            "a module beyond ASCII": "c\u202eос\nsystem\n.".encode(),
            "a module of no text": b"\x8c\x02\xff\xfe\x8c\x01a\x93.",
            "a long module": b"c" + b"x" * 10**6 + b"\ny\n.",
            "numpy's inside": b"cnumpy\ncore.multiarray.fromstring\n.",
            "an object made by name": b"(ios\nsystem\n.",
            "an array's own state": b"cnumpy\nndarray\n(K\x01K\x02tb.",
            "a dictionary": b"}.",
            "buffers out of band": b"\x80\x05\x97.",
        }.items():
            yield Case(f"{name} with {what}", {name: pickled(content)}, name)
    for name, part in zip(VECTORS, ("positions", "spikes"), strict=True):
        good = pickle.dumps(ARRAYS[name], protocol=4)
        for what, n in {"more": N + 1, "none": 0, "many": 10**15, "negative": -1}.items():
            yield Case(f"{part} that claim {what}", {name: pickled(good, n)}, name)
        yield Case(f"{part} with a further pickle", {name: pickled(good + good)}, name)
        same = [ARRAYS[name][0]] * N
        yield Case(f"{part} all one object", {name: npy(objects(same))}, name, may_pass=True)


def lying_headers() -> Iterator[Case]:
    for name in (IDS[0], MATRICES[2]):
        shape, kind = ARRAYS[name].shape, KIND[name]
        good = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
        body = ARRAYS[name].tobytes()
        for what, text in {
            "more than there is": good.replace("10", "11"),
            "a lot": good.replace("10", "1" + "0" * 15),
            "more than 64 bits": good.replace("10", "9" * 40),
            "more than can be read": good.replace("10", "9" * 9000),
            "less than none": good.replace("10", "-10"),
            "a fraction": good.replace("10", "10.0"),
            "True": good.replace("10", "True"),
            "a call": "__import__('os').system('touch witness')",
            "depth": "(" * 9000 + ")" * 9000,
            "no shape": good.replace("shape", "form"),
            "more keys": good.replace("}", "'more': 1}"),
            "another type": good.replace(kind, "O8"),
            "a text of many lines": good.replace(kind, "a\\nb"),
            "no type": good.replace(f"'{kind}'", "None"),
            "an unknown order": good.replace("False", "'C'"),
        }.items():
            header = text.encode() + b"\n"
            size = struct.pack("<H", len(header) % 2**16)
            content = b"\x93NUMPY\1\0" + size + header + body
            yield Case(f"{name} that claims {what}", {name: content}, name)
        for version in (b"\0\0", b"\2\0", b"\3\0", b"\xff\xff"):
            content = FILES[name].replace(b"NUMPY\1\0", b"NUMPY" + version, 1)
            yield Case(f"{name} of version {version!r}", {name: content}, name)


GENERATORS: tuple[Callable[[], Iterator[Case]], ...] = (
    damaged_bytes,
    swapped,
    other_types,
    other_shapes,
    impossible_numbers,
    impossible_ids,
    impossible_counts,
    other_indexes,
    hostile_pickles,
    lying_headers,
)
CASES = [case for generator in GENERATORS for case in generator()]
