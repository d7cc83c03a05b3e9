"""The functional database through both lines of DataJoint, from a real MariaDB, as a mere reader.

The tests start and stop the server themselves; `make extras` makes the two environments.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from threading import Thread

import pytest

from biosernn import BadInput, Cohort
from biosernn.cohort.show import show
from biosernn.sources.datajoint import import_datajoint
from biosernn.study.functional import correlation, tiling_coefficient
from command_line import Ended, assert_refused, contents
from microns_database import N_FRAMES, SCHEMA, STACKED, UNSTACKED, motor_um, sound_scan

TESTS = Path(__file__).parent
LINES = ("2", "0.14")
MARIADBD = Path(shutil.which("mariadbd") or "/usr/sbin/mariadbd")
SYSTEM_TABLES = ("system_tables", "performance_tables", "system_tables_data")
UNTIL_INPUT_ENDS = '"$@" & read -r _; kill $!; wait $!'
READER, KEEPER = token_hex(8), token_hex(8)


def python_of(line: str) -> Path:
    return TESTS.parent / f".venv-datajoint-{line}" / "bin" / "python"


@dataclass(frozen=True)
class Server:
    """Where the database is served, and the file that names every query."""

    port: int
    queries: Path

    @property
    def account(self) -> tuple[str, ...]:
        host = f"127.0.0.1:{self.port}"
        return "--host", host, "--user", "reader", "--password-env", "READER_PASSWORD"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A MariaDB with the tables; it ends with the tests, or when the process running them does."""
    if not MARIADBD.exists():
        pytest.skip("needs mariadbd (Debian's mariadb-server-core)")
    for line in LINES:
        if not python_of(line).exists():
            pytest.skip(f"needs DataJoint {line} in an environment of its own (make extras)")
    folder = tmp_path_factory.mktemp("mariadb")
    start = [MARIADBD, "--no-defaults", f"--datadir={folder}"]
    if os.getuid() == 0:
        start.append("--user=root")
    system = MARIADBD.parents[1] / "share" / "mysql"
    subprocess.run(
        [*start, "--bootstrap"],
        input="create database mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\n"
        + "".join((system / f"mysql_{name}.sql").read_text() for name in SYSTEM_TABLES),
        text=True,
        check=True,
        capture_output=True,
    )
    keeper = folder / "keeper.sql"
    keeper.write_text(
        f"CREATE USER keeper@'%' IDENTIFIED BY '{KEEPER}';\n"
        "GRANT ALL ON *.* TO keeper@'%' WITH GRANT OPTION;\n"
    )
    served = Server(free_port(), folder / "queries.log")
    errors = folder / "errors.log"
    options = {
        "bind-address": "127.0.0.1",
        "port": served.port,
        "socket": folder / "s.sock",
        "init-file": keeper,
        "general-log-file": served.queries,
        "log-error": errors,
    }
    start += [f"--{name}={value}" for name, value in options.items()]
    with subprocess.Popen(
        ["sh", "-c", UNTIL_INPUT_ENDS, "sh", *start], stdin=subprocess.PIPE, start_new_session=True
    ) as process:
        wait_for(served.port, errors)
        fill = [python_of("2"), TESTS / "microns_database.py", str(served.port), KEEPER, READER]
        subprocess.run(fill, check=True)
        yield served
        process.stdin.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(port: int, errors: Path) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(errors.read_text())


@contextmanager
def import_command(line: str) -> Iterator[Callable[..., Ended]]:
    """`biosernn cohort import datajoint` in the environment of a line of DataJoint."""
    modules = ("biosernn.sources.datajoint", "datajoint")
    environment = os.environ | {"READER_PASSWORD": READER, "OTHER_PASSWORD": READER[::-1]}
    environment.pop("DJ_PASS", None)
    with subprocess.Popen(
        [python_of(line), TESTS / "command_line.py", *modules],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def command(*arguments: object, cwd: Path) -> Ended:
            words = ["cohort", "import", "datajoint", *map(str, arguments), "--out", "out.h5"]
            print(json.dumps([words, str(cwd)]), file=process.stdin, flush=True)
            return Ended(**json.loads(process.stdout.readline()))

        yield command
        process.stdin.close()


@pytest.fixture(scope="module")
def commands(server: Server) -> Iterator[dict[str, Callable[..., Ended]]]:
    with ExitStack() as opened:
        yield {line: opened.enter_context(import_command(line)) for line in LINES}


def assert_imported(ended: Ended) -> None:
    assert (ended.status, ended.err) == (0, ""), ended
    assert re.fullmatch(r"out\.h5: \S+, \d+ neurons, content [0-9a-f]{12}\n", ended.out), ended


def imported(command: Callable[..., Ended], folder: Path, *arguments: object) -> Cohort:
    assert_imported(command(*arguments, cwd=folder))
    return Cohort.read(folder / "out.h5", check_hash=True)


@pytest.mark.slow
@pytest.mark.parametrize("field", [None, 1, 2])
def test_both_lines_give_the_cohort_that_the_tables_hold(server, commands, tmp_path, field):
    chosen = () if field is None else ("--field", field)
    arguments = (*STACKED, *chosen, "--traces", *server.account)
    cohort, other = (imported(commands[line], tmp_path, *arguments) for line in LINES)
    assert cohort.content_sha256 == other.content_sha256
    assert cohort.provenance == other.provenance

    scan = sound_scan(131, seed=0)
    units = [unit for unit in scan.units[:-1] if field in (None, unit.field)]
    assert cohort.n_neurons == len(units) == {None: 130, 1: 65, 2: 65}[field]
    for neuron, unit in enumerate(units):
        events = [
            scan.frame_times[frame] + unit.ms_delay / 1000
            for frame in range(N_FRAMES)
            if unit.activity[frame] > 0
        ]
        assert cohort.spikes[neuron].tolist() == events
        assert cohort.traces[neuron].tolist() == unit.fluorescence.tolist()
        x, y, depth = motor_um(unit)
        assert cohort.positions_um[neuron].tolist() == [x, depth, y]
        ids = {name: int(column[neuron]) for name, column in cohort.neurons.items()}
        assert ids == {
            **{"nucleus_id": 0, "root_id": 0, "unit_id": unit.unit_id, "field": unit.field},
            **{"session": STACKED[0], "scan": STACKED[1], "ms_delay": unit.ms_delay},
        }
    mean_frame_s = scan.frame_times[-1] / (N_FRAMES - 1)
    assert cohort.interval_s == (0.0, scan.frame_times[-1] + mean_frame_s)
    assert cohort.frame_rate_hz is None
    assert cohort.name == ("6_6" if field is None else f"6_6_{field}")
    last = scan.units[-1]
    told = {name: cohort.provenance[name] for name in cohort.provenance if name != "version"}
    assert told == {
        "kind": "datajoint",
        "name": cohort.name,
        "schema": SCHEMA,
        "positions_from": "stack_unit",
        "mean_frame_rate_hz": 1 / mean_frame_s,
        "units_dropped_without_activity": [last.unit_id] if field in (None, last.field) else [],
    }


@pytest.mark.slow
def test_without_every_unit_in_the_stack_all_positions_are_of_the_scan(server, commands, tmp_path):
    for line in LINES:
        cohort = imported(commands[line], tmp_path, *UNSTACKED, *server.account)
        units = sound_scan(6, seed=1).units[:-1]
        places = [[x, depth, y] for x, y, depth in (unit.place_um for unit in units)]
        assert cohort.positions_um.tolist() == places
        assert cohort.provenance["positions_from"] == "scan_unit"
        assert cohort.traces is None


@pytest.mark.slow
def test_the_cohort_is_one_whose_similarity_can_be_computed(server, commands, tmp_path):
    cohort = imported(commands["2"], tmp_path, *STACKED, "--field", 2, *server.account)
    assert show(cohort)["missing"] == ["wiring", "corr", "sttc", "precision"]
    matrix, how = correlation(cohort, "frames")
    assert matrix.shape == (65, 65)
    assert "no frame grid" in how
    assert tiling_coefficient(cohort)[0].shape == (65, 65)


FAULTS = {
    "cut activity": ((7, 1), "activity of unit 17: is cut or damaged"),
    "shorter activity": ((7, 2), "activity of unit 17: has 299 numbers for the scan's 300 frames"),
    "activity that is no number": ((7, 3), "activity of unit 17: is not finite at frame 5"),
    "cut frame times": ((7, 4), "frame_times: is cut or damaged"),
    "frame times backwards": ((7, 5), "frame_times: are not two or more, each after"),
    "frame times that are no numbers": ((7, 6), "frame_times: is not finite at frame 0"),
    "delay beyond the frame": ((7, 7), "ms_delay of unit 17: is 161 ms, of frames of 159 ms"),
    "one active unit": ((7, 8), "scan_unit: holds 1 units with activity"),
    "longer fluorescence": ((7, 9, "--traces"), "fluorescence of unit 17: has 299 numbers"),
    "blob of words": ((7, 10), "activity of unit 17: is no vector of numbers"),
    "no frame times": ((7, 11), "frame_times: is missing"),
    "blob of a table": ((7, 12), "activity of unit 17: is no vector of numbers"),
    "no such scan": ((9, 9), "scan: is not there; name one of 6_6, 6_7, 7_1"),
    "no such field": ((6, 6, "--field", 3), "field: is not there; name one of 1, 2"),
    "no such schema": ((6, 6, "--schema", "none"), "6_6 in none: table scan: is not there"),
    "no such tables": ((6, 6, "--schema", "half"), "6_6 in half: table field: is not there"),
    "schema of another grammar": ((6, 6, "--schema", "a`b"), "is no name of a schema"),
    "wrong password": ((6, 6, "--password-env", "OTHER_PASSWORD"), "Access denied for user"),
    "wrong user": ((6, 6, "--user", "nobody"), "Access denied for user 'nobody'"),
    "no password": ((6, 6, "--password-env", "DJ_PASS"), "DJ_PASS: is no variable that is set"),
    "no server": ((6, 6, "--host", f"127.0.0.1:{free_port()}"), "Can't connect to MySQL server"),
    "no host": ((6, 6, "--host", "no host"), "host 'no host': is no name of a server"),
    "no port": ((6, 6, "--host", "127.0.0.1:99999"), "is no name of a server"),
}


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_in_one_line_and_nothing_is_written(
    server, commands, tmp_path, line, fault
):
    arguments, words = FAULTS[fault]
    given = dict(zip(server.account[::2], server.account[1::2], strict=True))
    kept = [word for pair in given.items() if pair[0] not in arguments for word in pair]
    ended = commands[line](*arguments, *kept, cwd=tmp_path)
    told = assert_refused(ended)
    assert words in told
    assert READER not in told
    assert READER[::-1] not in told
    assert contents(tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_a_server_lost_on_the_way_is_work_that_failed(server, commands, tmp_path, line):
    with socket.create_server(("127.0.0.1", 0)) as relay:
        relay.settimeout(20)
        port = relay.getsockname()[1]
        thread = Thread(target=_relay_a_little, args=(relay, server.port))
        thread.start()
        account = (*server.account, "--host", f"127.0.0.1:{port}")[2:]
        ended = commands[line](*STACKED, *account, cwd=tmp_path)
        thread.join()
    assert (ended.status, ended.out) == (1, ""), ended
    assert re.fullmatch(
        r"biosernn: [^\n]*could not be read to the end [^\n]*; import again\n", ended.err
    )
    assert contents(tmp_path) == {}


def _relay_a_little(relay: socket.socket, port: int) -> None:
    """Pass on what clients and the server say until the server has said 20,000 bytes."""
    left = 20_000
    while left > 0:
        client, _ = relay.accept()
        with client, socket.create_connection(("127.0.0.1", port)) as served:
            Thread(target=_pass_on, args=(client, served)).start()
            while left > 0 and (words := served.recv(4096)):
                client.sendall(words)
                left -= len(words)
            _hang_up(client)
    relay.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while words := source.recv(4096):
            target.sendall(words)
    _hang_up(target)


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_the_command_as_typed_says_one_line_and_nothing_of_datajoint(server, tmp_path, line):
    words = [*map(str, UNSTACKED), *server.account[:4], "--out", "out.h5"]
    process = subprocess.run(
        [python_of(line).with_name("biosernn"), "cohort", "import", "datajoint", *words],
        cwd=tmp_path,
        env=os.environ | {"DJ_PASS": READER},
        capture_output=True,
        text=True,
    )
    assert_imported(Ended(process.returncode, process.stdout, process.stderr))


@pytest.mark.slow
def test_a_reader_only_selects_never_stimuli_and_the_password_is_nowhere(
    server, commands, tmp_path
):
    for line in LINES:
        before = server.queries.stat().st_size
        imported(commands[line], tmp_path, *STACKED, "--traces", *server.account)
        log = server.queries.read_bytes()[before:].decode(errors="replace")
        queries = re.findall(r"\bQuery\t(.*)", log)
        assert sum(query.startswith("SELECT") for query in queries) >= 10, queries
        verbs = {query.split()[0] for query in queries}
        assert verbs <= {"SELECT", "SET"}, verbs
        assert "stimulus" not in log
        assert READER.encode() not in (tmp_path / "out.h5").read_bytes()
        assert READER not in log


def test_without_datajoint_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "datajoint", None)
    with pytest.raises(BadInput, match=r"^datajoint: .*; pip install 'biosernn\[datajoint\]'$"):
        import_datajoint(6, 6, host="127.0.0.1", user="reader", password="")


def test_the_core_does_without_datajoint():
    listed = (TESTS.parent / "constraints.txt").read_text().lower()
    assert not re.search(r"^(datajoint|pymysql)\b", listed, re.MULTILINE)
