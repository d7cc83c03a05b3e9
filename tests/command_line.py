"""The command `biosernn` run in a folder, within 5 s and 1 GiB, hundreds of times in a few seconds.

The commands run one after another in one process that has imported everything; one that takes too
long, or ends the process, is told by its status, and the next starts another. Run as a script, this
is that process: a line of JSON in is a command, a line out says how it ended.
"""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

SECONDS = 5
MEMORY = 2**30
SWALLOWED_MEMORY_ERROR = 99


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, negative for a signal, and what it printed."""

    status: int
    out: str
    err: str


@contextmanager
def commands(*modules: str) -> Iterator[Callable[..., Ended]]:
    """A function that runs `biosernn`, with some modules imported before, in a folder."""
    server: subprocess.Popen[str] | None = None
    with ExitStack() as opened:

        def command(*arguments: str, cwd: Path) -> Ended:
            nonlocal server
            if server is None or server.poll() is not None:
                start = [sys.executable, __file__, *modules]
                pipe = subprocess.PIPE
                server = opened.enter_context(
                    subprocess.Popen(start, stdin=pipe, stdout=pipe, text=True)
                )
            print(json.dumps([arguments, str(cwd)]), file=server.stdin, flush=True)
            answer = server.stdout.readline()
            return Ended(**json.loads(answer)) if answer else Ended(server.wait(), "", "")

        yield command


def contents(folder: Path) -> dict[str, object]:
    """Every entry below a folder: a file's bytes, a link's target, or what else it is."""
    found: dict[str, object] = {}
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            found[str(path)] = os.readlink(path)
        else:
            found[str(path)] = path.read_bytes() if stat.S_ISREG(mode) else stat.S_IFMT(mode)
    return found


def assert_refused(ended: Ended, remedy: bool = True) -> str:
    """Check that a command ended as bad input must, and return its one line."""
    assert ended.status == 2, ended
    assert ended.out == "", ended
    line = ended.err.removesuffix("\n")
    assert ended.err == f"{line}\n", ended
    assert line.isprintable(), ended
    assert line.startswith("biosernn: "), ended
    assert "; " in line or not remedy, ended
    assert len(line) < 2000, ended
    return line.removeprefix("biosernn: ")


def _serve(modules: list[str]) -> None:
    import resource
    from tempfile import TemporaryFile

    import psutil

    from biosernn import cli
    from biosernn.errors import BadInput

    for module in modules:
        import_module(module)
    as_written = BadInput.__init__

    def unless_memory_ran_out(self: BadInput, *place: str) -> None:
        if isinstance(sys.exc_info()[1], MemoryError):
            os._exit(SWALLOWED_MEMORY_ERROR)
        as_written(self, *place)

    BadInput.__init__ = unless_memory_ran_out
    most = psutil.Process().memory_info().vms + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        arguments, folder = json.loads(line)
        os.chdir(folder)
        sys.argv = ["biosernn", *arguments]
        status: object = None
        with TemporaryFile() as out, TemporaryFile() as err:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            signal.alarm(SECONDS)
            try:
                cli.main()
            except SystemExit as end:
                status = end.code
            signal.alarm(0)
            sys.stdout.flush()
            printed = [os.pread(file.fileno(), 10**8, 0).decode() for file in (out, err)]
        ended = {"status": status, "out": printed[0], "err": printed[1]}
        print(json.dumps(ended), file=answers, flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1:])
