"""The door to CAVE where caveclient is not installed, and in the environment where it is."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from biosernn import BadInput
from biosernn.sources.cave import import_cave
from command_line import Ended, assert_refused, commands

TESTS = Path(__file__).parent
PYTHON = TESTS.parent / ".venv-cave" / "bin" / "python"


@pytest.fixture(scope="module")
def command() -> Iterator[Callable[..., Ended]]:
    with commands("biosernn.sources.cave") as run:
        yield run


@pytest.mark.slow
def test_all_cases_with_caveclient() -> None:
    if not PYTHON.exists():
        pytest.skip("needs caveclient in an environment of its own (make extras)")
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    cases = [PYTHON, "-m", "pytest", TESTS / "cave_cases.py"]
    ended = subprocess.run(cases, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-2000:]


def test_without_caveclient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "caveclient", None)
    with pytest.raises(BadInput, match=r"caveclient: cannot be imported .*; run: pip install 'bio"):
        import_cave(session=6, scan=6)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ("", "choice of neurons: is not clear"),
        ("--session 6", "choice of neurons: is not clear"),
        ("--scan 6 --field 2", "choice of neurons: is not clear"),
        ("--field 2 --roots roots.txt", "choice of neurons: is not clear"),
        ("--session 6 --scan 6 --units units.csv", "choice of neurons: is not clear"),
        ("--units units.csv --roots roots.txt", "choice of neurons: is not clear"),
        ("--units units.csv", "units.csv: cannot be read (No such file or directory)"),
        ("--session 6 --scan 6 --datastack ../x", "datastack '../x': is no name"),
        ("--session 6 --scan 6.5", "is no whole number"),
        ("--session 6 --scan 6 --version latest", "is no whole number"),
    ],
)
def test_options_that_say_nothing(
    command: Callable[..., Ended], tmp_path: Path, options: str, what: str
) -> None:
    words = ["cohort", "import", "cave", *options.split(), "--out", "c.h5"]
    ended = command(*words, cwd=tmp_path)
    assert what in assert_refused(ended, remedy="whole number" not in what)
    assert not list(tmp_path.iterdir())


def test_the_pins_of_caveclient_stay_out_of_the_core() -> None:
    project = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())["project"]
    assert not [line for line in project["dependencies"] if "caveclient" in line]
    assert "pandas==3" in (TESTS.parent / "constraints.txt").read_text()
    assert project["optional-dependencies"]["cave"] == ["caveclient>=8.2"]
