"""Bad input: a study file with any key wrong in any way is refused in a line that names the key."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pytest

from biosernn import synthetic_cohort
from biosernn.study.arms import Arm
from biosernn.study.plan import resolve
from biosernn.study.presets import preset
from biosernn.study.spec import KEYS, LARGEST_FILE
from biosernn.study.store import Store
from command_line import Ended, assert_refused, commands, contents
from mutations import cuts, flips, other_files

GOOD = """[study]
preset = "quick"
name = "µ"
cohort = "synthetic:16"
tasks = ["maze"]
arms = ["W*D*C", "WD*C", {name = "mine", init = "identity", strength = 0.5}]
seeds = 2
units = 12
strength = [0.3, 1]
epochs = 1
protocol = "corrected"
recipe = "both"
primary = {outcome = "solved", contrast = ["W*D*C", "mine"], recipe = "seed"}
"""

WRONG = {
    "true": "true",
    "zero": "0",
    "negative": "-3",
    "a fraction": "2.5",
    "a whole float": "2.0",
    "nan": "nan",
    "inf": "inf",
    "-inf": "-inf",
    "an infinite exponent": "1e400",
    "beyond 64 bits": "9223372036854775808",
    "huge": "1" * 4000,
    "a date": "1979-05-27",
    "a time": "07:32:00.5",
    "an instant": "1979-05-27T07:32:00Z",
    "an empty text": '""',
    "a blank text": '" \\t"',
    "a number in quotes": '"12"',
    "a text of lines": '"""a\nb"""',
    "an escape": '"\\u001B[31mred"',
    "a NUL": '"a\\u0000b"',
    "right to left": '"\\u202Ered"',
    "another alphabet": '"ｓｅｅｄ"',
    "a long text": f'"{"long " * 5000}"',
    "a path": '"../../../dev/zero"',
    "nothing": "[]",
    "nothing twice": "[[], []]",
    "nothing, deep": "[" * 300 + "]" * 300,
    "an empty table": "{}",
    "a table": "{a = 1}",
    "tables": "[{a = 1}, {}]",
    "a deep table": "{a" + ".a" * 100 + " = 1}",
    "all kinds": '[1, "a", 2.5, true]',
    "the same twice": '["same", "same"]',
    "the same float twice": "[0.25, 0.25]",
    "nan in a list": "[0.25, nan]",
    "a list in a list": '[["maze"]]',
    "many": "[" + "7," * 9000 + "]",
}
NUMBERS = {"zero", "a fraction", "a whole float", "beyond 64 bits"}
TEXTS = {"a number in quotes", "another alphabet", "a path"}
FITS = {
    "name": TEXTS,
    "arm name": TEXTS,
    "strength": NUMBERS,
    "arm strength": NUMBERS,
    "primary": {"an empty table"},
}
LISTS = {
    "cohort": '"synthetic:16"',
    "tasks": '"maze"',
    "arms": '"WD*C"',
    "strength": "0.1",
    "protocol": '"corrected"',
    "recipe": '"seed"',
}


@dataclass(frozen=True)
class Case:
    """A study file, and the places of which one must begin the refusal; none: it may be good."""

    name: str
    content: bytes
    places: tuple[str, ...]


def with_line(key: str, value: str) -> str:
    """The good file with another value of a key."""
    lines = [line for line in GOOD.splitlines() if not line.startswith(f"{key} =")]
    return "\n".join([*lines, f"{key} = {value}"]) + "\n"


def file(name: str, text: str, *places: str) -> Case:
    return Case(name, text.encode(), places)


def wrong_values() -> Iterator[Case]:
    for offset, key in enumerate(KEYS):
        places = {"cohort": ("cohort",), "arms": ("arm",)}.get(key, (f"{key}: ", f"{key} "))
        for number, (what, value) in enumerate(WRONG.items()):
            if what in FITS.get(key, ()):
                continue
            yield file(f"{key}: {what}", with_line(key, value), *places)
            if key in LISTS and (number + offset) % 3 == 0:
                both = with_line(key, f"[{LISTS[key]}, {value}]")
                yield file(f"{key}, one of two: {what}", both, *places)
    for field in fields(Arm):
        given = "" if field.name == "name" else 'name = "mine", '
        for what, value in WRONG.items():
            if what not in FITS.get(f"arm {field.name}", ()):
                table = f'["W*D*C", {{{given}{field.name} = {value}}}]'
                place = "arm name" if field.name == "name" else f"arm 'mine' {field.name}"
                yield file(f"arm {field.name}: {what}", with_line("arms", table), place)
    for key in ("outcome", "contrast", "recipe", "protocol"):
        for what, value in WRONG.items():
            table = f"{{{key} = {value}}}"
            if key != "contrast":
                table = f'{{contrast = ["W*D*C", "mine"], {key} = {value}}}'
            yield file(f"primary {key}: {what}", with_line("primary", table), f"primary {key}")


def wrong_keys() -> Iterator[Case]:
    for key in KEYS:
        line = next(line for line in GOOD.splitlines() if line.startswith(f"{key} ="))
        yield file(f"{key} twice", f"{GOOD}{line}\n", "is not TOML")
        yield file(f"{key} as a table too", f"{GOOD}[study.{key}]\na = 1\n", "is not TOML")
        yield file(f"{key} beside [study]", f"{line}\n{GOOD}", f"{key}: is unknown")
        for wrong in (key.upper(), f"{key}_", f" {key}", f"{key}\\n", f"{key}\\u200b"):
            yield file(f"{key} as {wrong}", with_line(f'"{wrong}"', "3"), f"{wrong}: ")
    for what, text, place in (
        ("an empty key", '"" = 1', ""),
        ("a key of lines", '"a\\nb" = 1', "a\\nb: "),
        ("an escape as key", '"\\u001B[31m" = 1', "\\x1b[31m: "),
        ("a long key", f"{'k' * 50_000} = 1", "kkk"),
        ("a dotted key", "seeds.more = 1", "is not TOML"),
        ("a key of an arm", 'init = "bio"', "init: "),
        ("an array of tables", "[[study]]", "is not TOML"),
        ("[study] twice", "[study]", "is not TOML"),
        ("another table", "[more]", "more: "),
    ):
        yield file(what, f"{GOOD}{text}\n", place)
    for name in ("nme", "Name", "weights", "a\\nb", " ", "木"):
        table = f'["W*D*C", {{name = "mine", "{name}" = 1}}]'
        yield file(f"arm key {name}", with_line("arms", table), "arms: unknown key")
        yield file(f"primary key {name}", with_line("primary", f'{{"{name}" = 1}}'), "primary ")


def damaged_bytes() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    content = GOOD.encode()
    for what, changed in (*cuts(content, rng), *flips(content, rng, 60)):
        yield Case(what, changed, ())
    for what, changed in other_files(content):
        places = () if what.startswith(("twice", "with")) else ("",)
        yield Case(what, changed, places)
    for what, changed in {
        "UTF-16": GOOD.encode("utf-16"),
        "Latin-1": GOOD.encode("latin-1"),
        "a byte order mark": b"\xef\xbb\xbf" + content,
        "line ends of old": content.replace(b"\n", b"\r"),
        "a control character": content.replace(b"quick", b"qu\1ck"),
        "half of a surrogate pair": content.replace(b'"quick"', b'"\\ud800"'),
        "beyond Unicode": content.replace(b'"quick"', b'"\\U00110000"'),
    }.items():
        yield Case(what, changed, ("",))


def as_many(make: Callable[[int], str]) -> str:
    """As many lines of one length as a study file may hold."""
    return "\n".join(map(make, range((LARGEST_FILE - 1000) // (len(make(0)) + 1))))


def bombs() -> Iterator[Case]:
    dots, size = ".a" * 300, LARGEST_FILE - 100
    for what, text in (
        ("brackets", "arms = " + "[" * size),
        ("braces", "arms = " + "{a = " * (size // 5)),
        ("a dotted key", "a" + ".a" * (size // 2 - 10) + " = 1"),
        ("dotted keys", as_many(lambda i: f"k{i:04}{dots} = 1")),
        ("dotted tables", as_many(lambda i: f"[study.k{i:04}{dots}]")),
        ("dotted arrays of tables", as_many(lambda i: f"[[study.k{i:04}{dots}]]")),
        ("dotted keys inside", "arms = [" + as_many(lambda i: f"{{a{dots} = 1}},") + "]"),
        ("tables", as_many(lambda i: "[[study.a]]")),
        ("keys", as_many(lambda i: f"k{i:06} = 1")),
        ("a long number", f"seeds = {'9' * size}"),
        ("a long hexadecimal number", f"seeds = 0x{'f' * size}"),
        ("a long fraction", f"strength = {'9' * size}.5"),
        ("blanks", f"seeds = {' ' * size}x"),
        ("escapes", 'arms = "' + "\\u0041" * (size // 6) + '"'),
        ("an open text", "name = '''" + "a''" * (size // 3)),
        ("cohorts", "cohort = [" + as_many(lambda i: f'"{i:06}",') + "]"),
        ("strengths", "strength = [" + as_many(lambda i: f"{i + 1:6},") + "]"),
        ("the same strength", "strength = [" + "1," * (size // 2) + "]"),
        ("arms", "arms = [" + as_many(lambda i: f'{{name = "{i:06}"}},') + "]"),
        ("a long name", f"name = '{'a' * size}'"),
        ("more than a study file", f"name = '{'a' * LARGEST_FILE}'"),
        ("more than memory", f"name = '{'a' * 2 * 10**7}'"),
    ):
        yield file(f"a bomb of {what}", f"[study]\n{text}\n", "")


CASES = [*wrong_values(), *wrong_keys(), *damaged_bytes(), *bombs()]


@pytest.fixture(scope="module")
def command() -> Iterator[Callable[..., Ended]]:
    with commands("biosernn.run") as command:
        yield command


@pytest.mark.parametrize("case", CASES, ids=[ascii(case.name)[1:-1] for case in CASES])
def test_a_bad_study_file_is_refused(
    command: Callable[..., Ended], tmp_path: Path, case: Case
) -> None:
    (tmp_path / "bad.toml").write_bytes(case.content)
    before = contents(tmp_path)
    if not case.places:
        ended = command("plan", "bad.toml", cwd=tmp_path)
        if ended.status:
            assert_refused(ended)
        assert contents(tmp_path) == before
        return
    ended = command("run", "bad.toml", "--out", "study", "--workers", "0", cwd=tmp_path)
    line = assert_refused(ended)
    assert line.removeprefix("bad.toml: ").startswith(case.places)
    assert contents(tmp_path) == before


def link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


@pytest.mark.parametrize(
    "make",
    [Path.mkdir, os.mkfifo, link_to("/dev/zero"), link_to("bad.toml"), link_to("nothing")],
    ids=["a folder", "a pipe", "a device", "a link to itself", "a link to nothing"],
)
def test_what_is_no_file_is_no_study(
    command: Callable[..., Ended], tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "bad.toml")
    line = assert_refused(command("run", "bad.toml", "--out", "study", cwd=tmp_path))
    assert line.startswith("bad.toml: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.toml"]


@pytest.mark.parametrize(
    "name", ["a b", "µ ü 木", "a\nb", "\x1b[31m", "\u202ea", "\udcff"], ids=ascii
)
def test_any_name_of_a_study_file_is_printed_in_one_line(
    command: Callable[..., Ended], tmp_path: Path, name: str
) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_text(GOOD)
    assert command("plan", path.name, cwd=tmp_path).status == 0
    path.write_text(GOOD.replace("seeds = 2", "seeds = 1"))
    assert "seeds: is 1; " in assert_refused(command("run", path.name, cwd=tmp_path))
    assert [*tmp_path.iterdir()] == [path]


OPTIONS = {
    "seeds": ("0", "1", "10001"),
    "units": ("0", "7", "65"),
    "workers": ("-1",),
    "protocol": ("corrected+", "+threshold", "CORRECTED"),
    "recipe": ("seed,clipped", "Seed"),
    "cohort": ("synthetic:", "synthetic:-8", "/dev/zero"),
}
WORDS = (
    "",
    " ",
    "nan",
    "1e3",
    "2.5",
    "1_0",
    "0x10",
    "９",
    "9" * 30,
    "2;3",
    "2\n3",
    "\x1b[31m",
    "-",
)


@pytest.mark.parametrize(
    ("option", "word"),
    [(option, word) for option, words in OPTIONS.items() for word in (*words, *WORDS)],
    ids=ascii,
)
def test_a_wrong_option_is_refused(
    command: Callable[..., Ended], tmp_path: Path, option: str, word: str
) -> None:
    arguments = ("run", "quick", "--out", "study", f"--{option}={word}")
    line = assert_refused(command(*arguments, cwd=tmp_path), remedy=False)
    assert option in line
    assert [*tmp_path.iterdir()] == []


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that is laid out and has not begun to run."""
    folder = tmp_path_factory.mktemp("laid out")
    store, cohort = Store(folder), synthetic_cohort(16, 0)
    small = preset("quick").with_options(cohort="synthetic:16", units=12, seeds=2, epochs=1)
    with store.owned():
        store.open_study(resolve(small, [cohort]), [cohort])
    return folder


@pytest.mark.parametrize("name", ["study.toml", "cohort.h5"])
def test_a_damaged_study_folder_is_refused(
    command: Callable[..., Ended], study_folder: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(study_folder, tmp_path / "study")
    content = (study_folder / name).read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for what, damaged in (*cuts(content, rng), *flips(content, rng, 24), *other_files(content)):
        (tmp_path / "study" / name).write_bytes(damaged)
        before = contents(tmp_path)
        ended = command("report", "study", cwd=tmp_path)
        if ended.status == 1 and "has no finished run" in ended.err:
            continue
        refused += 1
        places = (f"study/{name}: ", "study/cohort-1.h5: is no file")
        assert assert_refused(ended).startswith(places), what
        assert contents(tmp_path) == before
    assert refused > 30


def test_the_command_itself_refuses_a_bad_study_file(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(with_line("epochs", "nan"))
    done = subprocess.run(
        [sys.executable, "-m", "biosernn.cli", "run", "bad.toml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    refused = assert_refused(Ended(done.returncode, done.stdout, done.stderr))
    assert refused.startswith("bad.toml: epochs: nan is no whole number")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.toml"]
