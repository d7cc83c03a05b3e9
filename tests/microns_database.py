"""MICrONS' functional database in small: its tables, one sound scan, and scans with a fault each.

Run as a script in an environment with DataJoint, this fills a server, and checks that its reader
may read and nothing else.
"""

import sys
from dataclasses import dataclass, field

import numpy as np

SCHEMA = "microns_phase3_nda"
N_FRAMES = 300
STACKED, UNSTACKED = (6, 6), (6, 7)
"""Two sound scans, one with every unit in stack_unit, one with all but the first."""
TABLES = """
CREATE TABLE scan (session SMALLINT, scan_idx SMALLINT, nframes INT NOT NULL,
  nfields TINYINT NOT NULL, fps FLOAT NOT NULL, PRIMARY KEY (session, scan_idx));
CREATE TABLE field (session SMALLINT, scan_idx SMALLINT, field SMALLINT,
  px_width SMALLINT NOT NULL, px_height SMALLINT NOT NULL, um_width FLOAT NOT NULL,
  um_height FLOAT NOT NULL, field_x FLOAT NOT NULL, field_y FLOAT NOT NULL,
  field_z FLOAT NOT NULL, PRIMARY KEY (session, scan_idx, field),
  FOREIGN KEY (session, scan_idx) REFERENCES scan (session, scan_idx));
CREATE TABLE scan_times (session SMALLINT, scan_idx SMALLINT, frame_times LONGBLOB NOT NULL,
  ndepths SMALLINT NOT NULL, PRIMARY KEY (session, scan_idx),
  FOREIGN KEY (session, scan_idx) REFERENCES scan (session, scan_idx));
CREATE TABLE segmentation (session SMALLINT, scan_idx SMALLINT, field SMALLINT, mask_id SMALLINT,
  pixels LONGBLOB NOT NULL, weights LONGBLOB NOT NULL,
  PRIMARY KEY (session, scan_idx, field, mask_id),
  FOREIGN KEY (session, scan_idx, field) REFERENCES field (session, scan_idx, field));
CREATE TABLE fluorescence (session SMALLINT, scan_idx SMALLINT, field SMALLINT, mask_id SMALLINT,
  trace LONGBLOB NOT NULL, PRIMARY KEY (session, scan_idx, field, mask_id),
  FOREIGN KEY (session, scan_idx, field, mask_id)
  REFERENCES segmentation (session, scan_idx, field, mask_id));
CREATE TABLE scan_unit (session SMALLINT, scan_idx SMALLINT, unit_id INT, field SMALLINT NOT NULL,
  mask_id SMALLINT NOT NULL, um_x SMALLINT NOT NULL, um_y SMALLINT NOT NULL,
  um_z SMALLINT NOT NULL, px_x SMALLINT NOT NULL, px_y SMALLINT NOT NULL,
  ms_delay SMALLINT NOT NULL, PRIMARY KEY (session, scan_idx, unit_id),
  FOREIGN KEY (session, scan_idx, field, mask_id)
  REFERENCES fluorescence (session, scan_idx, field, mask_id));
CREATE TABLE activity (session SMALLINT, scan_idx SMALLINT, unit_id INT, trace LONGBLOB NOT NULL,
  PRIMARY KEY (session, scan_idx, unit_id), FOREIGN KEY (session, scan_idx, unit_id)
  REFERENCES scan_unit (session, scan_idx, unit_id));
CREATE TABLE stack_unit (stack_session SMALLINT, stack_idx SMALLINT, session SMALLINT,
  scan_idx SMALLINT, field SMALLINT, unit_id INT, motor_x FLOAT NOT NULL, motor_y FLOAT NOT NULL,
  motor_z FLOAT NOT NULL, stack_x FLOAT NOT NULL, stack_y FLOAT NOT NULL, stack_z FLOAT NOT NULL,
  PRIMARY KEY (stack_session, stack_idx, session, scan_idx, field, unit_id));
CREATE TABLE stimulus (session SMALLINT, scan_idx SMALLINT, movie LONGBLOB NOT NULL,
  PRIMARY KEY (session, scan_idx));
"""


@dataclass
class Unit:
    """One unit with its two signals, None where the table has no row."""

    unit_id: int
    field: int
    mask_id: int
    place_um: tuple[int, int, int]
    ms_delay: int
    fluorescence: object
    activity: object


@dataclass
class Scan:
    """One scan with its units; an array is packed, bytes are written as they are."""

    frame_times: object
    units: list[Unit] = field(default_factory=list)


def sound_scan(n_units: int, seed: int) -> Scan:
    """A scan of fields 1 and 2 with uneven frames, a silent unit and, last, one without activity.

    Units come in no order of fields or masks.
    """
    draw = np.random.default_rng(seed)
    steps = 1 / 6.3 + draw.uniform(-0.002, 0.002, N_FRAMES - 1)
    scan = Scan(np.concatenate([[0.0], np.cumsum(steps)]))
    for number in range(n_units):
        activity = draw.exponential(size=N_FRAMES) * (draw.random(N_FRAMES) < 0.1)
        scan.units.append(
            Unit(
                unit_id=7 * number + 3,
                field=1 + number % 2,
                mask_id=n_units - number,
                place_um=tuple(map(int, draw.integers(100, 900, 3))),
                ms_delay=int(draw.integers(0, 159)),
                fluorescence=draw.normal(100, 10, N_FRAMES).astype(np.float32),
                activity=activity.astype(np.float32),
            )
        )
    scan.units[1].activity = np.zeros(N_FRAMES, dtype=np.float32)
    scan.units[-1].activity = None
    return scan


def motor_um(unit: Unit) -> tuple[float, float, float]:
    """Where the unit lies after registration to the stack; exact as a FLOAT."""
    return tuple(place + 0.25 for place in unit.place_um)


def _faulty(seed: int) -> tuple[Scan, Unit]:
    scan = sound_scan(6, seed)
    return scan, scan.units[2]


def scans(pack) -> dict[tuple[int, int], Scan]:
    """All scans by session and number; those of session 7 have a fault each."""
    made = {STACKED: sound_scan(131, 0), UNSTACKED: sound_scan(6, 1)}
    faulty = {number: _faulty(number) for number in range(1, 13)}
    sound = np.ones(N_FRAMES)
    packed = pack(sound)
    for number, (scan, unit) in faulty.items():
        made[7, number] = scan
        match number:
            case 1:
                unit.activity = packed[:-1]
            case 2:
                unit.activity = sound[:-1]
            case 3:
                unit.activity = np.where(np.arange(N_FRAMES) == 5, np.nan, sound)
            case 4:
                scan.frame_times = pack(scan.frame_times)[:100]
            case 5:
                scan.frame_times = scan.frame_times[::-1]
            case 6:
                scan.frame_times = sound * np.nan
            case 7:
                unit.ms_delay = 161
            case 8:
                scan.units = scan.units[-2:]
            case 9:
                unit.fluorescence = sound[1:]
            case 10:
                unit.activity = b"words instead of numbers"
            case 11:
                scan.frame_times = None
            case 12:
                unit.activity = {"trace": [1.0]}
    return made


def _insert(cursor, table: str, *values: object) -> None:
    marks = ", ".join(["%s"] * len(values))
    cursor.execute(f"INSERT INTO {table} VALUES ({marks})", values)


def _fill(cursor, pack) -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            cursor.execute(statement)

    def blob(value: object) -> object:
        return value if isinstance(value, bytes) else pack(value)

    for key, scan in scans(pack).items():
        _insert(cursor, "scan", *key, N_FRAMES, 2, 6.3)
        for number in (1, 2):
            _insert(cursor, "field", *key, number, 256, 256, 600, 600, 0, 0, 200)
        if scan.frame_times is not None:
            _insert(cursor, "scan_times", *key, blob(scan.frame_times), 1)
        _insert(cursor, "stimulus", *key, b"a movie that nobody asks for")
        for unit in scan.units:
            mask = (*key, unit.field, unit.mask_id)
            one = pack(np.ones(1))
            _insert(cursor, "segmentation", *mask, one, one)
            _insert(cursor, "fluorescence", *mask, blob(unit.fluorescence))
            values = (*mask[2:], *unit.place_um, 0, 0, unit.ms_delay)
            _insert(cursor, "scan_unit", *key, unit.unit_id, *values)
            if unit.activity is not None:
                _insert(cursor, "activity", *key, unit.unit_id, blob(unit.activity))
            if key == STACKED or unit is not scan.units[0]:
                places = (*motor_um(unit), 0, 0, 0)
                _insert(cursor, "stack_unit", 9, 19, *key, unit.field, unit.unit_id, *places)


def _may(cursor, statement: str) -> bool:
    from pymysql import OperationalError

    try:
        cursor.execute(statement)
    except OperationalError:
        return False
    return True


def main(port: str, keeper: str, reader: str) -> None:
    import pymysql
    from datajoint.blob import pack

    server = {"host": "127.0.0.1", "port": int(port), "ssl_disabled": True, "autocommit": True}
    with pymysql.connect(**server, user="keeper", password=keeper) as kept, kept.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {SCHEMA}")
        cursor.execute(f"USE {SCHEMA}")
        cursor.execute("START TRANSACTION")
        _fill(cursor, pack)
        cursor.execute("COMMIT")
        cursor.execute("CREATE DATABASE half")
        cursor.execute("CREATE TABLE half.scan AS SELECT * FROM scan")
        cursor.execute("CREATE USER reader@'%%' IDENTIFIED BY %s", reader)
        for schema in (SCHEMA, "half"):
            cursor.execute(f"GRANT SELECT ON {schema}.* TO reader@'%'")
        account = {"user": "reader", "password": reader, "database": SCHEMA}
        with pymysql.connect(**server, **account) as read, read.cursor() as reading:
            assert _may(reading, "SELECT 1 FROM activity")
            for statement in ("DELETE FROM activity", "CREATE TABLE t (n INT)", "DROP TABLE scan"):
                assert not _may(reading, statement), statement
        cursor.execute("SET GLOBAL general_log = 1")


if __name__ == "__main__":
    main(*sys.argv[1:])
