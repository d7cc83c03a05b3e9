"""The functional database of MICrONS, read from a server through DataJoint.

Read are the tables scan, field, scan_times, scan_unit, activity, where asked fluorescence and, if
it is there, stack_unit. Rows come by plain SELECT and blobs as bytes, because what a fetch of
DataJoint makes of a blob differs between its lines.
"""

import dataclasses
import hashlib
import logging
import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64

from biosernn.cohort.checks import MOST_NEURONS
from biosernn.cohort.cohort import Cohort
from biosernn.errors import BadInput, WorkFailed

SCHEMA = "microns_phase3_nda"
TABLES = ("scan", "field", "scan_times", "scan_unit", "activity", "fluorescence")
HOST = re.compile(r"([A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*)(?::([0-9]{1,5}))?")
NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
PORT, LAST_PORT = 3306, 65535
SERVER_HAS_NO_TLS = 2026
UNITS_A_QUERY = 100
REMEDY = "have it mended in the database, or import another scan or field"


def import_datajoint(
    session: int,
    scan: int,
    field: int | None = None,
    *,
    host: str,
    user: str,
    password: str,
    schema: str = SCHEMA,
    traces: bool = False,
) -> Cohort:
    """Read a scan, or one imaging field of it, from a server.

    Parameters
    ----------
    session, scan, field
        Numbers of the recording; all fields of the scan when `field` is absent.
    host
        The server, `host` or `host:port`; TLS is used where it has it.
    user, password
        An account that may SELECT.
    schema
        The database there.
    traces
        Read the fluorescence too.

    Returns
    -------
    Cohort
        One neuron a unit, by unit id, without wiring and of unknown root and nucleus id (0): join
        it with an anatomy. An event is a frame of deconvolved activity above 0, at the recorded
        time of the frame plus the unit's own delay within frames, which is kept as the column
        `ms_delay`. Events of different units thus lie on no common grid, so `frame_rate_hz` is
        absent; the provenance has the mean rate of the frames. The recording ends one mean frame
        after the start of the last. Positions are motor coordinates in µm, the second axis depth:
        as registered to the stack where that has every unit, else as in the scan. Units without
        activity are dropped and named in the provenance, whose version is a hash of all that was
        read.

    Raises
    ------
    BadInput
        If DataJoint is not installed, if the server cannot be reached or refuses, if the schema
        lacks what is asked for, or if a row is cut, not finite or does not fit the others.
    WorkFailed
        If the connection is lost.

    References
    ----------
    .. [1] MICrONS Consortium, doi 10.1038/s41586-025-08790-w; nda, its functional database.

    Examples
    --------
    >>> import_datajoint(6, 6, host="no host", user="reader", password="")
    Traceback (most recent call last):
    biosernn.errors.BadInput: host 'no host': is no name of a server; give host or host:port

    """
    if not NAME.fullmatch(schema):
        raise BadInput(f"schema {schema!r}", "is no name of a schema", f"name one, as {SCHEMA}")
    with closing(_connection(host, user, password)) as connection:
        recording = _Recording(connection, schema, session, scan, field)
        try:
            return _cohort(recording, traces)
        except BadInput as error:
            where = f"{recording.name} in {schema}: {error.where}"
            raise BadInput(where, error.what, error.remedy) from error


def _connection(host: str, user: str, password: str) -> Any:
    """Connect, with TLS unless the server has none, and with none of DataJoint's messages."""
    parts = HOST.fullmatch(host)
    if not parts or int(parts[2] or PORT) > LAST_PORT:
        raise BadInput(f"host {host!r}", "is no name of a server", "give host or host:port")
    logging.getLogger("datajoint").addFilter(_is_error)
    with warnings.catch_warnings(action="ignore"):
        try:
            from datajoint import Connection
            from pymysql import MySQLError
        except ImportError as error:
            remedy = "pip install 'biosernn[datajoint]'"
            raise BadInput("datajoint", f"cannot be imported ({error})", remedy) from error
        server = {"host": parts[1], "port": int(parts[2] or PORT)}
        try:
            try:
                return Connection(**server, user=user, password=password, use_tls=True)
            except MySQLError as error:
                if error.args[:1] != (SERVER_HAS_NO_TLS,):
                    raise
            return Connection(**server, user=user, password=password, use_tls=False)
        except MySQLError as error:
            raise BadInput(f"host {host}", _words(error), "check host, user, password") from error


def _words(error: Exception) -> str:
    return ": ".join(str(word) for word in error.args[:2])


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


@dataclasses.dataclass(frozen=True)
class _Recording:
    """The rows of a scan or of a field of it, and a hash of all that was read of them."""

    connection: Any
    schema: str
    session: int
    scan: int
    field: int | None
    sha256: Any = dataclasses.field(default_factory=hashlib.sha256)

    @property
    def name(self) -> str:
        return "_".join(str(n) for n in (self.session, self.scan, self.field) if n is not None)

    def rows(self, columns: str, table: str, further: str = "", *values: Any) -> list[tuple]:
        """Select columns of the scan's rows of a table, which `further` restricts and orders."""
        rows = self.query(
            f"SELECT {columns} FROM `{self.schema}`.{table} "
            f"WHERE session = %s AND scan_idx = %s {further}",
            *(self.session, self.scan, *values),
        )
        for value in (value for row in rows for value in row):
            self.sha256.update(value if isinstance(value, bytes) else f"{value!r} ".encode())
        return rows

    def query(self, statement: str, *values: Any) -> list[tuple]:
        from datajoint.errors import DataJointError, LostConnectionError
        from pymysql import MySQLError, OperationalError

        try:
            return list(self.connection.query(statement, values).fetchall())
        except (LostConnectionError, OperationalError) as error:
            what = f"could not be read to the end ({_words(error)})"
            raise WorkFailed(self.schema, what, "import again") from error
        except (DataJointError, MySQLError) as error:
            what = f"refuses a query ({_words(error)})"
            raise BadInput("database", what, f"name a schema like {SCHEMA}") from error

    def tables(self) -> set[str]:
        """Names of the tables that the user may read."""
        statement = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
        return {table for (table,) in self.query(statement, self.schema)}


def _cohort(recording: _Recording, traces: bool) -> Cohort:
    tables = recording.tables()
    if missing := [table for table in TABLES if table not in tables]:
        what = "is not there, or the user may not read it"
        raise BadInput(f"table {missing[0]}", what, f"name a schema like {SCHEMA}")
    times_s, frame_s = _frames(recording)
    units, inactive = _units(recording)
    delays_ms = np.array([unit.ms_delay for unit in units])
    late = (delays_ms < 0) | (delays_ms >= 1000 * frame_s + 1)
    if late.any():
        what = f"is {delays_ms[late][0]} ms, of frames of {1000 * frame_s:.0f} ms"
        raise BadInput(f"ms_delay of unit {units[late.argmax()].unit_id}", what, REMEDY)
    positions_um, positions_from = _positions_um(recording, units, tables)
    activity = _traces(recording, "activity", units, len(times_s))
    spikes = tuple(
        times_s[trace > 0] + delay / 1000 for trace, delay in zip(activity, delays_ms, strict=True)
    )
    fluorescence = _traces(recording, "fluorescence", units, len(times_s)) if traces else None
    return Cohort(
        neurons={
            "nucleus_id": np.zeros(len(units), dtype=np.int64),
            "root_id": np.zeros(len(units), dtype=np.int64),
            "unit_id": np.array([unit.unit_id for unit in units]),
            "session": np.full(len(units), recording.session),
            "scan": np.full(len(units), recording.scan),
            "field": np.array([unit.field for unit in units]),
            "ms_delay": delays_ms,
        },
        positions_um=positions_um,
        spikes=spikes,
        traces=None if fluorescence is None else np.stack(list(fluorescence)),
        interval_s=(times_s[0], times_s[-1] + max(frame_s, delays_ms.max() / 1000)),
        provenance={
            "kind": "datajoint",
            "name": recording.name,
            "version": f"sha256:{recording.sha256.hexdigest()}",
            "schema": recording.schema,
            "positions_from": positions_from,
            "mean_frame_rate_hz": 1 / frame_s,
            "units_dropped_without_activity": inactive,
        },
    )


def _frames(recording: _Recording) -> tuple[Float64[np.ndarray, " frames"], float]:
    """Recorded times of the frames' starts and the mean time between them, in seconds."""
    found = recording.rows("nframes", "scan")
    if not found:
        scans = recording.query(f"SELECT session, scan_idx FROM `{recording.schema}`.scan")
        known = ", ".join(f"{session}_{scan}" for session, scan in sorted(scans))
        raise BadInput("scan", "is not there", f"name one of {known or 'another schema'}")
    blobs = recording.rows("frame_times", "scan_times")
    times_s = _numbers(blobs[0][0] if blobs else None, "frame_times", found[0][0])
    if len(times_s) < 2 or (np.diff(times_s) <= 0).any():
        raise BadInput("frame_times", "are not two or more, each after the one before", REMEDY)
    return times_s, float(times_s[-1] - times_s[0]) / (len(times_s) - 1)


class _Unit(NamedTuple):
    unit_id: int
    field: int
    um_x: float
    um_z: float
    um_y: float
    ms_delay: int


def _units(recording: _Recording) -> tuple[list[_Unit], list[int]]:
    """All units with activity, by unit id, and the ids of those without."""
    within = "" if recording.field is None else f"AND field = {recording.field:d}"
    fields = [field for (field,) in recording.rows("field", "field", "ORDER BY field")]
    if recording.field not in (None, *fields):
        raise BadInput("field", "is not there", f"name one of {', '.join(map(str, fields))}")
    rows = recording.rows(", ".join(_Unit._fields), "scan_unit", f"{within} ORDER BY unit_id")
    active = set(recording.rows("unit_id", "activity", "ORDER BY unit_id"))
    units = [unit for unit in map(_Unit._make, rows) if unit[:1] in active]
    if not 2 <= len(units) <= MOST_NEURONS:
        remedy = f"import a field of 2 to {MOST_NEURONS:,}"
        raise BadInput("scan_unit", f"holds {len(units)} units with activity", remedy)
    return units, [row[0] for row in rows if row[:1] not in active]


def _positions_um(
    recording: _Recording, units: list[_Unit], tables: set[str]
) -> tuple[Float64[np.ndarray, "n 3"], str]:
    """Motor coordinates, the second axis depth, and the table they are from."""
    table, places = "scan_unit", [unit[2:5] for unit in units]
    if "stack_unit" in tables:
        columns = "unit_id, motor_x, motor_z, motor_y"
        rows = recording.rows(columns, "stack_unit", f"ORDER BY {columns}")
        stacked = {row[0]: row[1:] for row in rows}
        if len(rows) == len(stacked) and all(unit.unit_id in stacked for unit in units):
            table, places = "stack_unit", [stacked[unit.unit_id] for unit in units]
    return np.array(places, dtype=np.float64), table


def _traces(
    recording: _Recording, table: str, units: list[_Unit], n_frames: int
) -> Iterator[Float64[np.ndarray, " frames"]]:
    """Give each unit's trace in a table, fetched for some units at a time."""
    unit_ids = [unit.unit_id for unit in units]
    tables = f"scan_unit NATURAL JOIN `{recording.schema}`.{table}"
    for start in range(0, len(unit_ids), UNITS_A_QUERY):
        some = unit_ids[start : start + UNITS_A_QUERY]
        further = "AND unit_id IN %s ORDER BY unit_id"
        traces = dict(recording.rows("unit_id, trace", tables, further, some))
        for unit_id in some:
            yield _numbers(traces.get(unit_id), f"{table} of unit {unit_id}", n_frames)


def _numbers(blob: bytes | None, where: str, n: int) -> Float64[np.ndarray, " n"]:
    """Unpack n finite numbers."""
    from datajoint.blob import unpack
    from datajoint.errors import DataJointError

    if blob is None:
        raise BadInput(where, "is missing", REMEDY)
    damage = DataJointError, ValueError, LookupError, ArithmeticError, AssertionError, zlib.error
    try:
        numbers = np.asarray(unpack(blob))
    except damage as error:
        raise BadInput(where, f"is cut or damaged ({error})", REMEDY) from error
    if numbers.dtype.kind not in "iuf" or numbers.size != max(numbers.shape, default=0):
        raise BadInput(where, "is no vector of numbers", REMEDY)
    if numbers.size != n:
        raise BadInput(where, f"has {numbers.size} numbers for the scan's {n} frames", REMEDY)
    if not np.isfinite(numbers).all():
        raise BadInput(where, f"is not finite at frame {(~np.isfinite(numbers)).argmax()}", REMEDY)
    return numbers.astype(np.float64).ravel()
