"""CAVE through the caveclient that is installed, unpatched, against a server on loopback.

`test_cave.py` runs these in an environment of their own, since caveclient wants an older pandas.
Every way in which a server can mislead an import is put into the server, one after the other.
"""

import errno
import logging
import socket
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from biosernn import BadInput, Cohort
from biosernn.errors import WorkFailed
from biosernn.sources import cave_client, cave_query
from biosernn.sources.cave import import_cave
from cave_server import (
    ROOT,
    VOXEL_NM,
    CaveServer,
    N,
    answers,
    sends,
    serving,
    sleeps,
)
from command_line import assert_refused, commands, contents

TOKEN = "5ecre7" * 6
SYNAPSES, NUCLEI = "synapses_pni_2", "nucleus_detection_v0"
COREGISTRATION = "coregistration_manual_v4"
CELL_TYPES, PROOFREADING = "aibs_metamodel_celltypes_v661", "proofreading_status_and_strategy"
FIELD_2 = {"session": 6, "scan": 6, "field": 2}


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No host but this one, no waiting, a home of the test's own, and no browser."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        assert str(address[0]).startswith("127."), address
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr("webbrowser.open", lambda *_: pytest.fail("a browser was opened"))
    monkeypatch.setattr(cave_client, "BACKOFF_S", 0.0)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CAVE_TOKEN", TOKEN)
    for variable in ("BIOSERNN_CACHE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    yield
    assert not list((tmp_path / "home").iterdir())


@pytest.fixture
def cave() -> Iterator[CaveServer]:
    with serving(CaveServer(token=TOKEN)) as server:
        yield server


@pytest.fixture
def read(cave: CaveServer, tmp_path: Path) -> Callable[..., Cohort]:
    """`import_cave` from the server, its answers kept in the folder `cache`."""

    def import_from(**choice: Any) -> Cohort:
        known = {"server": cave.address, "token_env": "CAVE_TOKEN", "cache": tmp_path / "cache"}
        return import_cave(**known | (choice or FIELD_2))

    return import_from


def expected(cave: CaveServer, units: dict[int, int]) -> dict[str, Any]:
    """What the server's tables say of some nuclei and their units, row by row."""
    rows = {row["id"]: row for row in cave.tables[NUCLEI].to_dict("records")}
    nuclei = sorted(units)
    roots = [int(rows[nucleus]["pt_root_id"]) for nucleus in nuclei]
    synapses, autapses, sizes = Counter(), Counter(), Counter()
    for row in cave.tables[SYNAPSES].to_dict("records"):
        pre, post = row["pre_pt_root_id"], row["post_pt_root_id"]
        if pre and post and pre in roots and post in roots:
            ends = roots.index(pre), roots.index(post)
            (autapses if pre == post else synapses)[ends] += 1
            sizes[ends] += row["size"]
    return {
        "nucleus_id": nuclei,
        "root_id": roots,
        "unit_id": [units[nucleus] for nucleus in nuclei],
        "positions_um": [
            [rows[k][f"pt_position_{a}"] * nm / 1000 for a, nm in zip("xyz", VOXEL_NM, strict=True)]
            for k in nuclei
        ],
        "synapses": dict(synapses),
        "sizes": [sizes[ends] for ends in sorted(synapses)],
        "n_autapses": [autapses[i, i] for i in range(len(nuclei))],
    }


def units_of(cave: CaveServer, **wanted: int) -> dict[int, int]:
    """By nucleus the unit with the closest match."""
    closest: dict[int, tuple[float, int]] = {}
    for row in cave.tables[COREGISTRATION].to_dict("records"):
        if all(row[name] == value for name, value in wanted.items()):
            match = row["residual"], row["unit_id"]
            closest[row["target_id"]] = min(match, closest.get(row["target_id"], match))
    return {nucleus: unit for nucleus, (_, unit) in closest.items()}


def assert_as_expected(cohort: Cohort, truth: dict[str, Any]) -> None:
    for name in ("nucleus_id", "root_id", "unit_id", "n_autapses"):
        assert cohort.neurons[name].tolist() == truth[name], name
        assert cohort.neurons[name].dtype == np.int64
    np.testing.assert_allclose(cohort.positions_um, truth["positions_um"], rtol=1e-12)
    wiring = cohort.wiring
    assert wiring.size.tolist() == truth["sizes"]
    pairs = zip(wiring.pre.tolist(), wiring.post.tolist(), strict=True)
    assert dict(zip(pairs, wiring.n_syn.tolist(), strict=True)) == truth["synapses"]


def change(cave: CaveServer, table: str, **columns: Any) -> None:
    cave.tables[table] = cave.tables[table].assign(**columns)


def line_of(refused: pytest.ExceptionInfo) -> str:
    """The one line of an error, which does not show the token in full detail either."""
    assert TOKEN not in "".join(traceback.format_exception(refused.value))
    assert str(refused.value).isprintable()
    return str(refused.value)


def test_a_field(cave: CaveServer, read: Callable[..., Cohort]) -> None:
    cohort = read(**FIELD_2)
    truth = expected(cave, units_of(cave, session=6, scan_idx=6, field=2))
    assert len(truth["nucleus_id"]) == 8
    assert sum(truth["n_autapses"]) > 0
    assert_as_expected(cohort, truth)
    assert set(cohort.neurons["field"]) == {2}
    assert cohort.missing == ("corr", "sttc", "precision", "spikes")
    provenance = cohort.provenance
    assert (provenance["kind"], provenance["name"], provenance["version"]) == (
        "cave",
        "6_6_2",
        1300,
    )
    assert provenance["server"] == cave.address
    assert provenance["tables"] == [COREGISTRATION, NUCLEI, PROOFREADING, CELL_TYPES, SYNAPSES]
    assert provenance["dropped"] == {"units whose nucleus has a closer match": [3, 92]}


def test_no_connection_is_left_open(cave: CaveServer, read: Callable[..., Cohort]) -> None:
    read()
    cave.fault = answers(403, SYNAPSES)
    with pytest.raises(BadInput):
        read(session=6, scan=6)
    for _ in range(200):
        if not cave.connections:
            return
        time.sleep(0.01)
    pytest.fail(f"{len(cave.connections)} connections are open")


def test_a_scan_keeps_a_neuron_of_root_0_and_names_it(
    cave: CaveServer, read: Callable[..., Cohort]
) -> None:
    cohort = read(session=6, scan=6)
    truth = expected(cave, units_of(cave, session=6, scan_idx=6))
    assert_as_expected(cohort, truth)
    assert cohort.n_neurons == N
    zero = [
        nucleus
        for nucleus, root in zip(truth["nucleus_id"], truth["root_id"], strict=True)
        if not root
    ]
    assert len(zero) == 1
    assert cohort.provenance["nuclei_of_root_id_zero"] == zero
    asked = [values for query in cave.queries for values in all_values(query.body)]
    assert 0 not in asked


def all_values(body: dict[str, Any]) -> list[int]:
    filters = body.get("filter_in_dict", {})
    return [v for columns in filters.values() for values in columns.values() for v in values]


def test_ids_are_exact_from_the_server_to_the_file(
    cave: CaveServer, read: Callable[..., Cohort], tmp_path: Path
) -> None:
    read(session=6, scan=6).write(tmp_path / "c.h5")
    cohort = Cohort.read(tmp_path / "c.h5", check_hash=True)
    roots = cohort.neurons["root_id"]
    assert len(np.unique(roots.astype(np.float64))) < len(np.unique(roots))
    assert_as_expected(cohort, expected(cave, units_of(cave, session=6, scan_idx=6)))
    for query in cave.queries:
        assert all(type(value) is int for value in all_values(query.body))


def test_cell_types_and_proofreading(cave: CaveServer, read: Callable[..., Cohort]) -> None:
    cohort = read(session=6, scan=6)
    assert cohort.provenance["cell_types"] == {"23P": 1, "4P": 2, "BC": 3}
    names = {number: name for name, number in cohort.provenance["cell_types"].items()}
    found: dict[int, set[Any]] = {}
    for row in cave.tables[CELL_TYPES].to_dict("records"):
        found.setdefault(row["target_id"], set()).add(row["cell_type"])
    status = cave.tables[PROOFREADING].set_index("pt_root_id")["status_axon"].to_dict()
    for neuron, nucleus in enumerate(cohort.neurons["nucleus_id"].tolist()):
        types = found.get(nucleus, {None})
        sure = types.copy().pop() if len(types) == 1 else None
        assert names.get(cohort.neurons["cell_type"][neuron]) == sure
        proofread = status.get(cohort.neurons["root_id"][neuron], False)
        assert cohort.neurons["axon_proofread"][neuron] == proofread
    assert 0 < cohort.neurons["axon_proofread"].sum() < N


@pytest.mark.parametrize("words", [("t", "f"), ("True", "False")])
def test_proofreading_in_letters(
    cave: CaveServer, read: Callable[..., Cohort], words: tuple[str, str], tmp_path: Path
) -> None:
    as_before = read().neurons["axon_proofread"]
    status = cave.tables[PROOFREADING]["status_axon"]
    change(cave, PROOFREADING, status_axon=status.map(lambda yes: words[not yes]))
    assert (
        read(**FIELD_2, cache=tmp_path / "other").neurons["axon_proofread"].tolist()
        == as_before.tolist()
    )


def test_a_status_of_another_kind_is_refused(cave: CaveServer, read: Callable[..., Cohort]) -> None:
    change(cave, PROOFREADING, status_axon="extended")
    with pytest.raises(WorkFailed, match="status_axon: holds 'extended', neither true nor false"):
        read()


def test_without_the_optional_tables(cave: CaveServer, read: Callable[..., Cohort]) -> None:
    del cave.tables[CELL_TYPES], cave.tables[PROOFREADING]
    cohort = read()
    assert not {"cell_type", "axon_proofread"} & set(cohort.neurons)
    assert cohort.provenance["tables_absent"] == [CELL_TYPES, PROOFREADING]
    with pytest.raises(BadInput, match="is not there; leave out --proofread-only"):
        read(**FIELD_2, proofread_only=True)


def test_only_proofread_axons(cave: CaveServer, read: Callable[..., Cohort]) -> None:
    whole, cohort = read(session=6, scan=6), read(session=6, scan=6, proofread_only=True)
    proofread = whole.neurons["axon_proofread"] == 1
    assert cohort.neurons["nucleus_id"].tolist() == whole.neurons["nucleus_id"][proofread].tolist()
    assert set(cohort.neurons["axon_proofread"]) == {1}
    kept = cohort.synapse_counts()
    np.testing.assert_array_equal(kept, whole.synapse_counts()[np.ix_(proofread, proofread)])
    assert cohort.provenance["dropped_not_proofread"] == np.count_nonzero(~proofread)


def test_nuclei_that_share_a_root_or_lack_a_position_are_named(
    cave: CaveServer, read: Callable[..., Cohort]
) -> None:
    nuclei = cave.tables[NUCLEI]
    root = nuclei["pt_root_id"].copy()
    root[1] = root[0]
    change(cave, NUCLEI, pt_root_id=root)
    cave.tables[NUCLEI] = cave.tables[NUCLEI].drop(index=4)
    cohort = read()
    shared, unplaced = sorted(nuclei["id"][:2]), nuclei["id"][4]
    dropped = cohort.provenance["dropped"]
    assert dropped["nuclei that share a root"] == shared
    assert dropped["nuclei without a position"] == [unplaced]
    assert cohort.n_neurons == 5
    assert not {*shared, unplaced} & set(cohort.neurons["nucleus_id"].tolist())


def test_a_unit_matched_to_two_nuclei_is_that_of_the_closest(
    cave: CaveServer, read: Callable[..., Cohort]
) -> None:
    matches = cave.tables[COREGISTRATION].copy()
    matches.loc[1, "unit_id"], matches.loc[1, "residual"] = matches.loc[0, "unit_id"], 0.75
    cave.tables[COREGISTRATION] = matches
    cohort = read()
    assert matches.loc[1, "target_id"] not in cohort.neurons["nucleus_id"]
    named = cohort.provenance["dropped"]["nuclei whose unit has a closer match"]
    assert named == [matches.loc[1, "target_id"]]


def test_a_match_of_unknown_closeness_comes_last(
    cave: CaveServer, read: Callable[..., Cohort]
) -> None:
    residual = cave.tables[COREGISTRATION]["residual"]
    change(cave, COREGISTRATION, residual=residual.where(residual.index != 12))
    assert read().provenance["dropped"] == {"units whose nucleus has a closer match": [92, 91]}


def test_roots_of_a_file(cave: CaveServer, read: Callable[..., Cohort], tmp_path: Path) -> None:
    nuclei = cave.tables[NUCLEI].iloc[[9, 14, 0, 1]]
    file = tmp_path / "some roots.txt"
    file.write_text("root_id\n" + "".join(f"{root}\n" for root in nuclei["pt_root_id"]))
    cohort = read(roots=file)
    assert_as_expected(cohort, expected(cave, dict.fromkeys(nuclei["id"], 0)))
    assert cohort.name == "some roots"
    file.write_text(file.read_text().removeprefix("root_id\n"))
    assert read(roots=file).content_sha256 == cohort.content_sha256


def test_a_stale_root_is_named(
    cave: CaveServer, read: Callable[..., Cohort], tmp_path: Path
) -> None:
    roots = cave.tables[NUCLEI]["pt_root_id"][:3].tolist()
    file = tmp_path / "roots.txt"
    file.write_text("".join(f"{root}\n" for root in [*roots, ROOT + 4001]))
    with pytest.raises(BadInput) as refused:
        read(roots=file)
    wanted = f"roots.txt: roots of no nucleus at this version: {ROOT + 4001}; take them out"
    assert wanted in line_of(refused)


def test_units_of_a_file(cave: CaveServer, read: Callable[..., Cohort], tmp_path: Path) -> None:
    rows = cave.tables[COREGISTRATION].iloc[[0, 1, 8, 14]]
    file = tmp_path / "units.csv"
    lines = [f"{r.session},{r.scan_idx},{r.unit_id}\n" for r in rows.itertuples()]
    file.write_text("session,scan,unit_id\n" + "".join(lines))
    cohort = read(units=file)
    units = dict(zip(rows["target_id"], rows["unit_id"], strict=True))
    assert_as_expected(cohort, expected(cave, units))
    assert sorted(cohort.neurons["scan"]) == [6, 6, 6, 7]
    # unit 93 is of scan 7, unit 1 of scan 6
    file.write_text("".join([*lines, "6,6,93\n", "6,7,1\n"]))
    with pytest.raises(BadInput, match=r"that are not coregistered: 6_6_93, 6_7_1; take them out"):
        read(units=file)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "holds no ids"),
        (b"root_id\n", "holds no ids"),
        (b"0\n", "line 1: holds a 0"),
        (b"root_id\n12\n0\n", "line 3: holds a 0"),
        (b"12\n13\n12\n", "line 3: says what line 1 says"),
        (b"8.64691135e17\n", "line 1: is not root_id in plain digits"),
        (b"864691135000000001.0\n", "line 1: is not root_id in plain digits"),
        (b"12\n-13\n", "line 2: is not root_id in plain digits"),
        (b"12\n\n13\n", "line 2: is not root_id in plain digits"),
        (b"12,13\n", "line 1: is not root_id in plain digits"),
        (b"9223372036854775808\n", "of more than 63 bits"),
        (b"99999999999999999999\n", "line 1: is not root_id in plain digits"),
        (b"12\n\xff\n", "is no plain text"),
        (b"1\n" * 2**21 + b"2\n", "is larger than 4 MiB"),
    ],
)
def test_a_file_of_something_else(tmp_path: Path, content: bytes, what: str) -> None:
    file = tmp_path / "roots.txt"
    file.write_bytes(content)
    with pytest.raises(BadInput, match=what):
        import_cave(roots=file, server="http://127.0.0.1:9")


@pytest.mark.parametrize(("limit", "rows"), [(2, 30), (3, 30), (7, 200), (100, 900)])
def test_cut_answers_are_paged(
    cave: CaveServer, read: Callable[..., Cohort], tmp_path: Path, limit: int, rows: int
) -> None:
    cave.tables[SYNAPSES] = cave.tables[SYNAPSES][:rows]
    whole = read(session=6, scan=6, cache=tmp_path / "other")
    cave.limit = limit
    before = len(cave.queries)
    paged = read(session=6, scan=6)
    assert len(cave.queries) > before + 5
    assert paged.content_sha256 == whole.content_sha256


def test_a_server_that_gives_one_row_at_a_time(
    cave: CaveServer, read: Callable[..., Cohort]
) -> None:
    cave.limit = 1
    with pytest.raises(WorkFailed, match=f"{COREGISTRATION}: gives 1 rows of more at a time"):
        read()


def test_a_warning_of_something_else_is_no_cut(
    cave: CaveServer, read: Callable[..., Cohort], caplog: pytest.LogCaptureFixture
) -> None:
    cave.fault = sends(lambda body: body, "/query", Warning="Table Owner Notice on it: be kind")
    read()
    assert len(cave.queries) == 5
    assert "be kind" not in caplog.text


def test_chunks_and_progress(
    cave: CaveServer, read: Callable[..., Cohort], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = read(session=6, scan=6, cache=tmp_path / "other")
    monkeypatch.setattr(cave_query, "VALUES_A_QUERY", 3)
    told: list[tuple[str, int, int, int]] = []
    chunked = read(session=6, scan=6, on_progress=lambda *now: told.append(now))
    assert chunked.content_sha256 == whole.content_sha256
    synapses = [now for now in told if now[0] == SYNAPSES]
    assert [now[1:3] for now in synapses] == [(k, 4) for k in range(1, 5)]
    n_synapses = whole.wiring.n_syn.sum() + whole.neurons["n_autapses"].sum()
    assert synapses[-1][3] == n_synapses
    for query in cave.queries[-4:]:
        chunk = query.body["filter_in_dict"][SYNAPSES]
        assert len(chunk["pre_pt_root_id"]) <= 3
        assert len(chunk["post_pt_root_id"]) == 11


def test_an_interrupted_import_goes_on(
    cave: CaveServer,
    read: Callable[..., Cohort],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    whole = read(cache=tmp_path / "other", **FIELD_2)
    monkeypatch.setattr(cave_query, "VALUES_A_QUERY", 2)
    cave.asked.clear()

    def interrupt(table: str, done: int, total: int, rows: int) -> None:
        if (table, done) == (SYNAPSES, 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(**FIELD_2, on_progress=interrupt)
    before = [query.body for query in cave.queries]
    kept = contents(tmp_path / "cache")
    assert len(kept) == len(before)
    assert read().content_sha256 == whole.content_sha256
    after = [query.body for query in cave.queries[len(before) :]]
    assert len(after) == 2
    assert not [body for body in after if body in before]
    assert kept.items() <= contents(tmp_path / "cache").items()
    cave.asked.clear()
    assert read().content_sha256 == whole.content_sha256
    assert cave.queries == []


def test_what_is_kept_is_of_one_server_version_and_query(
    cave: CaveServer, read: Callable[..., Cohort], tmp_path: Path
) -> None:
    read()
    kept = len(contents(tmp_path / "cache"))
    with serving(CaveServer()) as other:
        read(**FIELD_2, server=other.address)
        assert len(other.queries) == kept == len(cave.queries)
    read(session=6, scan=6)
    assert len(cave.queries) == 2 * kept


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:-1]])
def test_a_damaged_answer_in_the_cache_is_asked_for_again(
    cave: CaveServer, read: Callable[..., Cohort], tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    whole = read()
    for path in (tmp_path / "cache").iterdir():
        path.write_bytes(damage(path.read_bytes()))
    cave.asked.clear()
    assert read().content_sha256 == whole.content_sha256
    assert len(cave.queries) == 5


def test_a_flipped_byte_in_the_cache_is_seen(
    cave: CaveServer, read: Callable[..., Cohort], tmp_path: Path
) -> None:
    whole = read()
    for path in (tmp_path / "cache").iterdir():
        content = bytearray(path.read_bytes())
        content[200] ^= 1  # within the first array
        path.write_bytes(content)
    assert read().content_sha256 == whole.content_sha256


def test_a_cache_that_cannot_be_written(
    cave: CaveServer, read: Callable[..., Cohort], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkFailed, match="cannot be written"):
        read(**FIELD_2, cache=tmp_path / "file" / "cache")


def test_an_answer_that_cannot_be_kept_leaves_nothing(
    cave: CaveServer, read: Callable[..., Cohort], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(stream: Any, **rows: np.ndarray) -> None:
        stream.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as on_a_full_disk:
        on_a_full_disk.setattr(np, "savez", full)
        with pytest.raises(WorkFailed, match=r"npz: cannot be written \(No space left"):
            read()
    assert not list((tmp_path / "cache").iterdir())
    assert read().n_neurons == 8


def test_a_caveclient_whose_requests_do_not_pass_the_gate(
    cave: CaveServer, read: Callable[..., Cohort], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cave_client.CaveClient, "_guard", lambda self, session: None)
    with pytest.raises(BadInput, match=r"caveclient: works in another way than 8\.2"):
        read()
    assert cave.queries == []


def stop_between_batches(body: bytes) -> bytes:
    """As much of a stream as holds its schema and some whole batches."""
    cut = body[: body.rindex(b"\xff\xff\xff\xff", 0, -8)]
    with pa.ipc.open_stream(cut) as stream:
        assert stream.read_all().num_rows
    return cut


def setting(**values: Any) -> Callable[[CaveServer], None]:
    def make(cave: CaveServer) -> None:
        for name, value in values.items():
            setattr(cave, name, value)

    return make


def twice(cave: CaveServer) -> None:
    cave.tables[SYNAPSES] = pd.concat([cave.tables[SYNAPSES]] * 2)


def no_place(cave: CaveServer) -> None:
    column = cave.tables[NUCLEI]["pt_position_y"]
    change(cave, NUCLEI, pt_position_y=column.where(column.index != 5))


def no_column(cave: CaveServer) -> None:
    cave.tables[SYNAPSES] = cave.tables[SYNAPSES].drop(columns="post_pt_root_id")
    cave.ignored = ("post_pt_root_id",)


def gaps(cave: CaveServer) -> None:
    column = cave.tables[COREGISTRATION]["unit_id"].astype("Int64")
    change(cave, COREGISTRATION, unit_id=column.where(column != 5))


def no_size(cave: CaveServer) -> None:
    change(cave, SYNAPSES, size=np.nan)


def negative(cave: CaveServer) -> None:
    change(cave, COREGISTRATION, unit_id=-cave.tables[COREGISTRATION]["unit_id"])


def words_for_numbers(cave: CaveServer) -> None:
    change(cave, NUCLEI, pt_position_x="far away")
    cave.resolution = False


def resolution(nm: str) -> Callable[[CaveServer], None]:
    return setting(fault=sends(lambda body: body, NUCLEI, dataframe_resolution=nm))


TOS = {"error": "missing_tos", "data": {"tos_form_url": "https://cave.example/tos/2"}}
ECHO = {"error": "missing_tos", "data": {"tos_form_url": f"https://cave.example/{TOKEN}"}}
HTML = {"Content-Type": "text/html"}
FAULTY = {
    "401 at once": (
        setting(fault=answers(401, "/info")),
        BadInput,
        "accept the token (401); put a",
    ),
    "401 at a query": (
        setting(fault=answers(401, SYNAPSES)),
        BadInput,
        "does not accept the token",
    ),
    "403": (
        setting(fault=answers(403, SYNAPSES)),
        BadInput,
        "does not allow this (403); ask there",
    ),
    "403 at once": (setting(fault=answers(403, "/info")), BadInput, "does not allow this (403)"),
    "terms of service": (
        setting(fault=answers(403, "query", TOS)),
        BadInput,
        "accept the terms of service at https://cave.example/tos/2 and",
    ),
    "terms at once": (
        setting(fault=answers(403, "/info", TOS)),
        BadInput,
        "tos/2 and run it again",
    ),
    "terms that echo": (setting(fault=answers(403, "/info", ECHO)), BadInput, "cave.example/… and"),
    "404": (setting(fault=answers(404, "/full/")), BadInput, "is not there (404); see --datastack"),
    "404 of a table": (
        setting(fault=answers(404, NUCLEI)),
        BadInput,
        f"table {NUCLEI}: is not there",
    ),
    "410": (setting(fault=answers(410, "query")), BadInput, "is not there (410)"),
    "400": (setting(fault=answers(400, "query")), WorkFailed, "answers with status 400"),
    "429": (setting(fault=answers(429, "query")), WorkFailed, "is asked too much (429), 7 times"),
    **{
        f"{status}": (setting(fault=answers(status, SYNAPSES)), WorkFailed, f"fails ({status}), 7")
        for status in (500, 502, 503, 504)
    },
    "500 at once": (setting(fault=answers(500, "/info")), WorkFailed, "fails (500), 7 times; run"),
    "206": (setting(fault=answers(206, SYNAPSES)), WorkFailed, "answers with status 206"),
    "a page": (
        setting(fault=answers(200, SYNAPSES, b"<html>", **HTML)),
        WorkFailed,
        "answers with text/html, not data.arrow",
    ),
    "a page at once": (
        setting(fault=answers(200, "/info", b"<html>", **HTML)),
        WorkFailed,
        "answers with text/html, not application/json",
    ),
    "no JSON": (setting(fault=answers(200, "/full", b"{")), WorkFailed, "cannot be read"),
    "other JSON": (
        setting(fault=answers(200, "/full", [1])),
        WorkFailed,
        "cannot read (TypeError)",
    ),
    "old server": (
        setting(fault=answers(200, "/materialize/version", "4.0.0")),
        WorkFailed,
        "cannot read (ServerIncompatibilityError)",
    ),
    "JSON for rows": (setting(fault=answers(200, "query", [])), WorkFailed, "not data.arrow"),
    "half a stream": (
        setting(fault=sends(lambda body: body[: len(body) // 2], SYNAPSES)),
        WorkFailed,
        "answers with a part of an Arrow stream",
    ),
    "half a stream that looks whole": (
        setting(fault=sends(stop_between_batches, SYNAPSES)),
        WorkFailed,
        "answers with a part of an Arrow stream",
    ),
    "a stream that breaks off": (
        setting(fault=sends(lambda body: body[: len(body) // 2], SYNAPSES, as_whole=True)),
        WorkFailed,
        "stops in the middle of an answer",
    ),
    "a damaged stream": (
        setting(fault=sends(lambda body: b"\xff" * 99 + body[99:], SYNAPSES)),
        WorkFailed,
        "cannot read (",
    ),
    "an empty answer": (setting(fault=sends(lambda _: b"", SYNAPSES)), WorkFailed, "a part of an"),
    "float ids": (
        setting(as_floats=("pre_pt_root_id",)),
        WorkFailed,
        "comes as float64, in which ids lose digits",
    ),
    "float units": (setting(as_floats=("unit_id",)), WorkFailed, "unit_id: comes as float64"),
    "ids with gaps": (gaps, WorkFailed, "unit_id: comes as Int64, in which ids lose digits or"),
    "no sizes": (no_size, WorkFailed, "size: comes as float64, not all of it numbers"),
    "negative ids": (negative, WorkFailed, "unit_id: holds an id below 0"),
    "words": (words_for_numbers, WorkFailed, "pt_position_x: comes as object, not all of it"),
    "no place": (no_place, WorkFailed, "pt_position_y: comes as float64, not all of it numbers"),
    "a column less": (no_column, WorkFailed, f"{SYNAPSES}: post_pt_root_id: is not in the answer"),
    "rows twice": (twice, WorkFailed, f"table {SYNAPSES}: answers with a row twice"),
    "partners not asked for": (
        setting(ignored=("post_pt_root_id",)),
        WorkFailed,
        f"table {SYNAPSES}: answers with",
    ),
    "fields not asked for": (
        setting(ignored=("field",)),
        WorkFailed,
        "rows that were not asked for",
    ),
    "pages not asked for": (
        setting(limit=7, ignored=("id above",)),
        WorkFailed,
        "rows that were not asked for",
    ),
    "first pages again": (
        setting(limit=7, ignored=("id up to",)),
        WorkFailed,
        "rows that were not asked for",
    ),
    "other positions": (
        resolution("8, 8, 40"),
        WorkFailed,
        "gives positions in [8.0, 8.0, 40.0] nm, not [4.0",
    ),
    "no resolution": (resolution("fine"), WorkFailed, "cannot read (ValueError)"),
    "another version": (
        setting(versions=(1181, 943)),
        BadInput,
        "one that minnie65_public has; use one of 1181, 943",
    ),
}


@pytest.mark.parametrize("name", FAULTY)
def test_faults_end_in_one_line_and_leave_the_cache_as_it_was(
    cave: CaveServer,
    read: Callable[..., Cohort],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    name: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    sound = vars(cave).copy()
    fault, kind, words = FAULTY[name]
    cave.tables = cave.tables.copy()
    fault(cave)
    with pytest.raises(kind) as refused:
        read()
    assert words in line_of(refused)
    assert TOKEN not in caplog.text + "".join(capfd.readouterr())
    kept = contents(tmp_path / "cache")
    assert not [path for path in kept if not path.endswith(".npz")]
    vars(cave).update(sound)
    assert_as_expected(read(), expected(cave, units_of(cave, session=6, scan_idx=6, field=2)))
    assert kept.items() <= contents(tmp_path / "cache").items()
    assert len(cave.queries) >= 5


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_fails_for_the_moment_is_asked_again(
    cave: CaveServer, read: Callable[..., Cohort], status: int
) -> None:
    cave.fault = answers(status, "/", times=6, **{"Retry-After": "0"})
    assert_as_expected(read(), expected(cave, units_of(cave, session=6, scan_idx=6, field=2)))
    assert len(cave.asked) == 6 + 6 + 5


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_is_refused_is_not_asked_again(
    cave: CaveServer, read: Callable[..., Cohort], status: int
) -> None:
    cave.fault = answers(status, COREGISTRATION)
    with pytest.raises((BadInput, WorkFailed)):
        read()
    assert len(cave.queries) == 1


def test_a_server_that_asks_for_an_hour_is_given_a_minute(
    cave: CaveServer, read: Callable[..., Cohort], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", slept.append)
    cave.fault = answers(429, SYNAPSES, times=2, **{"Retry-After": "3600"})
    read()
    assert slept == [60.0, 60.0]


@pytest.mark.parametrize("path", ["/info/version", "/materialize/version", SYNAPSES])
def test_a_server_that_does_not_answer(
    cave: CaveServer, read: Callable[..., Cohort], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(cave_client, "TIMEOUT_S", 0.1)
    monkeypatch.setattr(cave_client, "RETRIES", 1)
    cave.fault = sleeps(0.6, path)
    with pytest.raises(WorkFailed) as refused:
        read()
    assert "does not answer within 0.1 s; run the same command again" in line_of(refused)


def test_a_server_that_stops_within_an_answer(
    cave: CaveServer, read: Callable[..., Cohort], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cave_client, "TIMEOUT_S", 0.1)

    def stall(handler: Any, asked: Any) -> bool:
        if SYNAPSES not in asked.path:
            return False
        handler.send_response(200)
        handler.send_header("Content-Type", "data.arrow")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"\xff" * 10)
        handler.wfile.flush()
        return sleeps(0.4, "/")(handler, asked) or True

    cave.fault = stall
    with pytest.raises(WorkFailed) as refused:
        read()
    assert "does not answer within 0.1 s" in line_of(refused)


def test_a_server_that_is_not_there(read: Callable[..., Cohort]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(WorkFailed) as refused:
        read(**FIELD_2, server=f"http://127.0.0.1:{port}")
    assert f"http://127.0.0.1:{port}: cannot be reached; run the same" in line_of(refused)


@pytest.mark.parametrize("path", ["/info", "/materialize/version", "/metadata", SYNAPSES])
@pytest.mark.parametrize("status", [302, 307])
def test_a_token_is_not_taken_along_to_a_login_page(
    cave: CaveServer, read: Callable[..., Cohort], path: str, status: int
) -> None:
    with serving(CaveServer()) as elsewhere:
        cave.fault = answers(status, path, Location=f"{elsewhere.address}/login")
        with pytest.raises(BadInput) as refused:
            read()
        line = line_of(refused)
        assert "sends elsewhere, as to a login page; put a token" in line
        assert f"{cave.address}/sticky_auth/settings/tokens" in line
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    "address",
    ["http://cave.example", "cave.example", "https://a:b@cave.example", "ftp://127.0.0.1"],
)
def test_a_token_is_not_sent_in_the_clear(
    cave: CaveServer, read: Callable[..., Cohort], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with pytest.raises(BadInput, match="is no address of a server; give https://HOST"):
        read(**FIELD_2, server=address)
    assert cave.asked == []
    info = cave.info() | {"local_server": address}
    monkeypatch.setattr(cave, "info", lambda: info)
    with pytest.raises(BadInput, match=r"local_server .* is no address of a server"):
        read()
    assert len(cave.asked) == 2


@pytest.mark.parametrize("token", [None, "", f"{TOKEN}\n", f"{TOKEN} {TOKEN}", f"{TOKEN}é"])
def test_a_variable_without_a_token(
    cave: CaveServer,
    read: Callable[..., Cohort],
    monkeypatch: pytest.MonkeyPatch,
    token: str | None,
) -> None:
    monkeypatch.delenv("CAVE_TOKEN")
    if token is not None:
        monkeypatch.setenv("CAVE_TOKEN", token)
    with pytest.raises(BadInput) as refused:
        read()
    line = line_of(refused)
    assert line.startswith("environment variable CAVE_TOKEN: is not")
    assert cave.asked == []


def test_the_token_of_caveclients_own_file(
    cave: CaveServer, read: Callable[..., Cohort], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(BadInput, match=r"asks for a token \(401\); put a token"):
        read(**FIELD_2, token_env=None)
    secrets = tmp_path / "elsewhere" / ".cloudvolume" / "secrets" / "cave-secret.json"
    secrets.parent.mkdir(parents=True)
    secrets.write_text(f'{{"token": "{TOKEN}"}}')
    as_written = contents(tmp_path / "elsewhere")
    assert read(**FIELD_2, token_env=None).n_neurons == 8
    assert contents(tmp_path / "elsewhere") == as_written
    secrets.write_text(f'{{"token": "{TOKEN}\\n"}}')
    with pytest.raises(BadInput) as refused:
        read(**FIELD_2, token_env=None)
    assert "the token in caveclient's file: is none" in line_of(refused)
    secrets.write_text(f'{{"token": "{TOKEN}')
    with pytest.raises(WorkFailed) as refused:
        read(**FIELD_2, token_env=None)
    assert "cannot read (JSONDecodeError)" in str(refused.value)


def test_the_token_is_nowhere(
    cave: CaveServer,
    read: Callable[..., Cohort],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    cohort = read(session=6, scan=6, on_progress=print)
    cohort.write(tmp_path / "c.h5")
    assert "urllib3" in caplog.text
    assert SYNAPSES in (told := "".join(capfd.readouterr()))
    assert TOKEN not in caplog.text + told + repr(cohort.provenance)
    files = contents(tmp_path)
    assert len(files) == 6 + 2
    assert not [path for path, content in files.items() if TOKEN.encode() in bytes(content)]
    assert all(asked.headers["Authorization"] == f"Bearer {TOKEN}" for asked in cave.asked)


def test_the_command(
    cave: CaveServer, read: Callable[..., Cohort], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = read()
    monkeypatch.setenv("BIOSERNN_CACHE", str(tmp_path / "answers"))
    (tmp_path / "work").mkdir()
    n_synapses = whole.wiring.n_syn.sum() + whole.neurons["n_autapses"].sum()
    (zero,) = whole.provenance["nuclei_of_root_id_zero"]
    words = ["cohort", "import", "cave", "--session", "6", "--scan", "6", "--field", "2"]
    words += ["--server", cave.address, "--token-env", "CAVE_TOKEN", "--out", "c.h5"]
    with commands("biosernn.sources.cave", "caveclient", "pooch") as command:

        def run(*options: str) -> Any:
            return command(*words, *options, cwd=tmp_path / "work")

        ended = run("--version", "1300")
        assert (ended.status, ended.err) == (0, "")
        assert ended.out.splitlines() == [
            f"{COREGISTRATION}: 1 of 1 chunks, 10 rows",
            f"{NUCLEI}: 1 of 1 chunks, 8 rows",
            f"{PROOFREADING}: 1 of 1 chunks, 4 rows",
            f"{CELL_TYPES}: 1 of 1 chunks, 9 rows",
            f"{SYNAPSES}: 1 of 1 chunks, {n_synapses} rows",
            "left out, units whose nucleus has a closer match: 3, 92",
            f"nuclei of root id 0, whose connections are unknown: {zero}",
            f"c.h5: 6_6_2, 8 neurons, content {whole.content_sha256[:12]}",
        ]
        assert Cohort.read(tmp_path / "work" / "c.h5", check_hash=True).n_neurons == 8
        made = contents(tmp_path / "work")
        for fault, status, line in (
            (answers(401, "/info"), 2, "does not accept the token (401); put a token from"),
            (answers(404, "/full"), 2, "is not there (404)"),
            (answers(206, "/info"), 1, "answers with status 206; run the same command again"),
        ):
            cave.fault = fault
            ended = run()
            assert (ended.status, ended.out, ended.err.count("\n")) == (status, "", 1)
            assert line in ended.err
            assert TOKEN not in ended.err
        cave.fault = None
        assert "has; use one of 1300, 943" in assert_refused(run("--version", "1181"))
        assert "choice of neurons: is not clear" in assert_refused(run("--roots", "roots.txt"))
        assert contents(tmp_path / "work") == made
    assert not [p for p, c in contents(tmp_path).items() if TOKEN.encode() in bytes(c)]
