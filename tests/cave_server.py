"""A CAVE server on loopback that speaks the routes caveclient asks for, and fails where told to."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

DATASTACK = "minnie65_public"
VOXEL_NM = (4.0, 4.0, 40.0)
ROOT = 864691135000000000
N = 12
TABLE = re.compile(
    rf"/materialize/api/v3/datastack/{DATASTACK}/version/1300/table/(\w+)/(metadata|query)"
)


def made_up_tables(seed: int = 0) -> dict[str, pd.DataFrame]:
    """Twelve neurons of two fields of one scan, one of root 0, one with two units, and others."""
    rng = np.random.default_rng(seed)
    nucleus = 200_000 + rng.permutation(N + 4)
    root = ROOT + rng.choice(400, N + 4, replace=False)  # a float64 there has steps of 128
    root[3] = 0
    units = [(k, k, 6, 6, 2 if k < 8 else 3, 0.5) for k in range(N)]
    units += [(2, 90, 6, 6, 2, 0.25), (5, 91, 6, 6, 2, 2.5), (13, 92, 6, 7, 2, 0.5)]
    k, unit, session, scan, imaged, residual = map(np.array, zip(*units, strict=True))
    ends = np.append(root, 0)
    synapses = rng.choice(np.append(ends, rng.choice(root[:8], 24)), (900, 2))
    return {
        "coregistration_manual_v4": pd.DataFrame(
            {
                "id": nucleus[(k + 1) % N],  # of the row, and some other nucleus's
                "target_id": nucleus[k],
                "session": session,
                "scan_idx": scan,
                "field": imaged,
                "unit_id": unit + 1,
                "residual": residual,
            }
        ).assign(id=lambda rows: rows["id"].where(~rows["id"].duplicated(), rows["id"] + 10**6)),
        "nucleus_detection_v0": pd.DataFrame(
            {
                "id": nucleus,
                "pt_root_id": root,
                **{
                    f"pt_position_{axis}": rng.integers(20_000, 200_000, N + 4) // by
                    for axis, by in zip("xyz", (1, 1, 10), strict=True)
                },
            }
        ),
        "synapses_pni_2": pd.DataFrame(
            {
                "id": rng.permutation(len(synapses)) + 1,
                "pre_pt_root_id": synapses[:, 0],
                "post_pt_root_id": synapses[:, 1],
                "size": rng.integers(100, 9000, len(synapses)).astype(float),
            }
        ),
        "aibs_metamodel_celltypes_v661": pd.DataFrame(
            {
                "id": np.arange(10) + 1,
                "target_id": nucleus[[0, 1, 2, 3, 4, 5, 6, 7, 7, 8]],
                "cell_type": ["23P", "4P", "23P", "BC", "4P", "23P", None, "BC", "MC", "4P"],
            }
        ),
        "proofreading_status_and_strategy": pd.DataFrame(
            {
                "id": np.arange(6) + 1,
                "pt_root_id": root[[0, 1, 2, 4, 8, 14]],
                "status_axon": [True, False, True, True, True, True],
            }
        ),
    }


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class CaveServer:
    """What a server holds, how it misbehaves, and what it was asked.

    `ignored` are filters that are left out, `as_floats` columns sent so, and `fault`, which is
    given the handler and what was asked, says whether it has answered.
    """

    token: str | None = None
    tables: dict[str, pd.DataFrame] = field(default_factory=made_up_tables)
    versions: tuple[int, ...] = (943, 1300)
    limit: int = 200_000
    ignored: tuple[str, ...] = ()
    as_floats: tuple[str, ...] = ()
    resolution: bool = True
    fault: Callable[["Handler", Asked], bool] | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)
    address: str = ""

    @property
    def queries(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.method == "POST"]

    def info(self) -> dict[str, Any]:
        return {
            "aligned_volume": {"name": "minnie65_phase3", "id": 1},
            "segmentation_source": f"graphene://{self.address}/segmentation/table/minnie3_v1",
            "synapse_table": "synapses_pni_2",
            "soma_table": "nucleus_detection_v0",
            "local_server": self.address,
            **{f"viewer_resolution_{a}": nm for a, nm in zip("xyz", VOXEL_NM, strict=True)},
        }

    def rows(self, table: str, body: dict[str, Any]) -> pd.DataFrame:
        rows = self.tables[table]
        for name, values in body.get("filter_in_dict", {}).get(table, {}).items():
            if name not in self.ignored:
                rows = rows[rows[name].isin(values)]
        for name, bound in body.get("filter_greater_dict", {}).get(table, {}).items():
            if f"{name} above" not in self.ignored:
                rows = rows[rows[name] > bound]
        for name, bound in body.get("filter_less_equal_dict", {}).get(table, {}).items():
            if f"{name} up to" not in self.ignored:
                rows = rows[rows[name] <= bound]
        return rows

    def arrow(self, table: str, body: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        rows, headers = self.rows(table, body), {}
        if len(rows) >= self.limit:
            rows = rows.iloc[: self.limit]
            headers["Warning"] = f'201 - "Limited query to {self.limit} rows'
        asked = body.get("desired_resolution")
        if asked and self.resolution:
            for axis, given, nm in zip("xyz", VOXEL_NM, asked, strict=True):
                if (name := f"pt_position_{axis}") in rows:
                    rows = rows.assign(**{name: rows[name] * given / nm})
            headers["dataframe_resolution"] = ", ".join(map(str, asked))
        rows = rows.astype({name: float for name in self.as_floats if name in rows})
        chosen = [
            c for c in rows if c in body["select_columns"] or c[:-2] in body["select_columns"]
        ]
        return arrow_stream(rows[chosen]), headers


def arrow_stream(rows: pd.DataFrame) -> bytes:
    batch = pa.RecordBatch.from_pandas(rows)
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        for start in range(0, max(len(rows), 1), 5):
            writer.write_batch(batch.slice(start, 5))
    return sink.getvalue().to_pybytes()


class Handler(BaseHTTPRequestHandler):
    server: Any
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.server.cave.connections.add(id(self))

    def finish(self) -> None:
        super().finish()
        self.server.cave.connections.discard(id(self))

    def log_message(self, *_: Any) -> None:
        pass

    def answer(
        self, content: Any, kind: str = "application/json", status: int = 200, **headers: str
    ) -> bool:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {"Content-Type": kind, "Content-Length": str(len(body))} | headers
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        return True

    def do_GET(self) -> None:
        self.serve({})

    def do_POST(self) -> None:
        self.serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def serve(self, body: dict[str, Any]) -> None:
        cave: CaveServer = self.server.cave
        asked = Asked(self.command, self.path.split("?")[0], dict(self.headers), body)
        cave.asked.append(asked)
        if cave.fault and cave.fault(self, asked):
            return
        if cave.token and self.headers["Authorization"] != f"Bearer {cave.token}":
            self.answer({"error": "invalid_token", "message": dict(self.headers)}, status=401)
            return
        plain = {
            "/info/version": "4.9.0",
            f"/info/api/v2/datastack/full/{DATASTACK}": cave.info(),
            "/materialize/api/versions": [2, 3],
            "/materialize/version": "5.14.0",
            f"/materialize/api/v3/datastack/{DATASTACK}/versions": cave.versions,
        }
        match = TABLE.fullmatch(asked.path)
        if asked.path in plain:
            self.answer(plain[asked.path])
        elif not match or match[1] not in cave.tables:
            self.answer({"message": "not found"}, status=404)
        elif match[2] == "metadata":
            voxel = {f"voxel_resolution_{a}": nm for a, nm in zip("xyz", VOXEL_NM, strict=True)}
            refers = "nucleus_detection_v0" if "target_id" in cave.tables[match[1]] else None
            self.answer({"table_name": match[1], "reference_table": refers, **voxel})
        else:
            content, headers = cave.arrow(match[1], body)
            self.answer(content, "data.arrow", **headers)


@contextmanager
def serving(cave: CaveServer) -> Iterator[CaveServer]:
    """Serve on a free port of this machine for as long as a test takes."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.cave = cave  # type: ignore[attr-defined]
    server.daemon_threads = True
    server.block_on_close = False
    cave.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield cave
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answers(
    status: int, path: str, content: Any = None, times: float = float("inf"), **headers: str
) -> Callable[[Handler, Asked], bool]:
    """A fault: a status where a path holds a word, some number of times."""
    left = times

    def fault(handler: Handler, asked: Asked) -> bool:
        nonlocal left
        if path not in asked.path or left <= 0:
            return False
        left -= 1
        return handler.answer(content or {"message": "injected"}, status=status, **headers)

    return fault


def sleeps(seconds: float, path: str) -> Callable[[Handler, Asked], bool]:
    """A fault: no answer in time."""

    def fault(handler: Handler, asked: Asked) -> bool:
        if path in asked.path:
            time.sleep(seconds)
        return False

    return fault


def sends(
    change: Callable[[bytes], bytes], path: str, as_whole: bool = False, **headers: str
) -> Callable[[Handler, Asked], bool]:
    """A fault: another body than the right one, or other headers, `as_whole` with its length."""

    def fault(handler: Handler, asked: Asked) -> bool:
        match = TABLE.fullmatch(asked.path)
        if not match or path not in asked.path or asked.method != "POST":
            return False
        content, right = handler.server.cave.arrow(match[1], asked.body)
        length = {"Content-Length": str(len(content))} if as_whole else {}
        handler.close_connection = True
        return handler.answer(change(content), "data.arrow", **right | headers | length)

    return fault
