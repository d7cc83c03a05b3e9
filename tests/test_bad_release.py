"""Bad input: no released folder, however damaged, gets further than one line on standard error."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from biosernn import Cohort
from command_line import Ended, assert_refused, commands, contents
from made_up import N
from release_cases import CASES, CSV, FILES, Case


@pytest.fixture(scope="module")
def command() -> Iterator[Callable[..., Ended]]:
    with commands("biosernn.sources.release", "biosernn.cohort.file") as command:
        yield command


def write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("case", CASES, ids=[ascii(case.name)[1:-1] for case in CASES])
def test_a_bad_folder_is_refused(command: Callable[..., Ended], tmp_path: Path, case: Case) -> None:
    write(tmp_path / "bad", FILES | case.files)
    before = contents(tmp_path)
    ended = command("cohort", "import", "release", "bad", "--out", "new.h5", cwd=tmp_path)
    if ended.status == 0 and (case.may_pass or case.must_pass):
        assert Cohort.read(tmp_path / "new.h5", check_hash=True).n_neurons == N
        assert (ended.err, ended.out.count("\n")) == ("", 1)
        (tmp_path / "new.h5").unlink()
    else:
        assert not case.must_pass, ended
        assert assert_refused(ended).startswith(f"bad/{case.place}")
    assert contents(tmp_path) == before


def link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def link_by_way_of(path: Path) -> None:
    (path.parent / "inside").symlink_to("../outside")
    path.symlink_to("inside")


LEADS_OUT = "is a link that leads out of its folder"
STANDS_FOR: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a link to its like elsewhere": (link_to("../outside"), LEADS_OUT),
    "a link by way of another": (link_by_way_of, LEADS_OUT),
    "a link to a device without end": (link_to("/dev/zero"), LEADS_OUT),
    "a link to nothing": (link_to("../nothing"), LEADS_OUT),
    "a link to nothing here": (link_to("nothing"), "is not a file"),
    "a link to its folder": (link_to("."), "is not a file"),
    "a folder": (Path.mkdir, "is not a file"),
    "a pipe": (os.mkfifo, "is not a file"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("what", STANDS_FOR)
def test_what_stands_for_a_file_is_refused(
    command: Callable[..., Ended], tmp_path: Path, name: str, what: str
) -> None:
    write(tmp_path / "bad", FILES)
    (tmp_path / "bad" / name).rename(tmp_path / "outside")
    make, says = STANDS_FOR[what]
    make(tmp_path / "bad" / name)
    before = contents(tmp_path)
    ended = command("cohort", "import", "release", "bad", "--out", "new.h5", cwd=tmp_path)
    assert assert_refused(ended).startswith(f"bad/{name}: {says}")
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "misnamed",
    [
        *(f"{CSV}\n", f"\n{CSV}", f"{CSV} ", f"{CSV}\u200b", f"{CSV}\udcff", f"{CSV}.gz"),
        *(CSV.replace("_", " "), CSV.replace("6", "٦"), CSV.upper()),
    ],
    ids=ascii,
)
def test_a_misnamed_file_is_missing(
    command: Callable[..., Ended], tmp_path: Path, misnamed: str
) -> None:
    write(tmp_path / "bad", FILES)
    (tmp_path / "bad" / CSV).rename(tmp_path / "bad" / misnamed)
    before = contents(tmp_path)
    ended = command("cohort", "import", "release", "bad", "--out", "new.h5", cwd=tmp_path)
    assert assert_refused(ended).startswith(f"bad/{CSV}: is missing")
    assert contents(tmp_path) == before


NAMES = (
    "a b",
    " ",
    "µ ü 木",
    "a\nb",
    "a\r\tb",
    "\x1b[31mred",
    "\u202eabc",
    "a\u2028b",
    "\udcff",
    "é" * 120,
)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_of_a_folder_is_printed_in_one_line(
    command: Callable[..., Ended], tmp_path: Path, name: str
) -> None:
    write(tmp_path / name, FILES)
    read = command("cohort", "import", "release", name, "--out", "new.h5", cwd=tmp_path)
    assert (read.status, read.err) == (0, "")
    (tmp_path / "new.h5").unlink()
    (tmp_path / name / CSV).write_bytes(b"")
    before = contents(tmp_path)
    for arguments in (
        ("cohort", "import", "release", name, "--out", "new.h5"),
        ("cohort", "show", name),
        ("cohort", "show", f"{name}.h5"),
    ):
        assert_refused(command(*arguments, cwd=tmp_path))
    assert contents(tmp_path) == before


OTHER_COMMANDS = (
    ("cohort", "show", "bad"),
    ("run", "quick", "--cohort", "bad", "--out", "study"),
)


@pytest.mark.parametrize("arguments", OTHER_COMMANDS, ids=" ".join)
def test_other_commands_refuse_a_bad_folder(arguments: tuple[str, ...], tmp_path: Path) -> None:
    write(tmp_path / "bad", FILES | {"spikes_6_6_2.npy": FILES["spikes_6_6_2.npy"][:-1]})
    before = contents(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "biosernn.cli", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    refused = assert_refused(Ended(done.returncode, done.stdout, done.stderr))
    assert refused.startswith("bad/spikes_6_6_2.npy: ")
    assert contents(tmp_path) == before
