"""The command line as a user meets it: golden output, exit statuses, errors of one line."""

import json
import re
import subprocess
import sys

import pytest

import biosernn

TINY = """
[study]
cohort = "synthetic:24"
units = 16
arms = ["W*D*C", "WD*C"]
seeds = 2
epochs = 1
"""


def command(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "biosernn.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
    )


def test_version():
    assert command("--version").stdout.strip() == biosernn.__version__


def test_a_study_from_the_command_line(tmp_path):
    (tmp_path / "mine.toml").write_text(TINY)
    done = command("run", "mine.toml", "--workers", "0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(
        r"study [0-9a-f]{20}: 8 runs \(2 arms, 2 seeds, 16 units of synthetic:24\); "
        r"about \d+ s, in this process",
        lines[0],
    )
    assert re.fullmatch(r"8 of 8 runs, about 0 s left", lines[-2])
    assert lines[-1].startswith(
        "out/mine/report.html: too few to tell: 2 seeds, at least 10 needed"
    )
    assert done.stderr == ""
    again = command("run", "mine.toml", "--workers", "0", cwd=tmp_path)
    assert ", 8 finished; about 0 s" in again.stdout.splitlines()[0]
    assert again.stdout.splitlines()[-1] == lines[-1]
    by_its_folder = command("run", "out/mine/study.toml", "--workers", "0", cwd=tmp_path)
    assert by_its_folder.stdout.splitlines()[-1] == lines[-1]
    drawn = command("report", "out/mine", cwd=tmp_path)
    assert drawn.stdout.splitlines() == [lines[-1]]
    refused = command("run", "mine.toml", "--recipe", "seed", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr == (
        "biosernn: out/mine: holds another study (other recipe); "
        "choose another --out; only seeds can be raised\n"
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "nope"], "preset: 'nope' is unknown; use one of quick, paper, "),
        (["run", "absent.toml"], "absent.toml: No such file or directory; give a study file"),
        (["run", "--seeds", "x"], "Invalid value for --seeds"),
        (["run", "--seeds", "1"], "seeds: is 1; give a whole number from 2 to 10,000"),
        (["run", "--units", "200"], "units: 200 of the 64 neurons of synthetic:64; ask for up to"),
        (["run", "--workers", "-1"], "--workers: is -1; give 0 or more"),
        (["run", "--cohort", "absent"], "cohort 'absent': is no file"),
        (["run", "--bogus"], "Unknown option"),
        (["bogus"], "Unknown command"),
        (["cohort", "show"], "Command"),
        (["report", "absent"], "absent: holds no study"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(arguments, line, tmp_path):
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"biosernn: {line}")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_where(tmp_path):
    done = command("run", "nope", "--debug", cwd=tmp_path)
    assert "Traceback" in done.stderr


def test_a_cohort_is_imported_and_shown(tmp_path):
    made = command("cohort", "import", "synthetic", "24", "--out", "c.h5", cwd=tmp_path)
    assert made.stdout.startswith("c.h5: synthetic:24, 24 neurons, content ")
    shown = json.loads(command("cohort", "show", "c.h5", "--json", cwd=tmp_path).stdout)
    assert shown["n_neurons"] == 24
    assert shown == json.loads(
        command("cohort", "show", "synthetic:24", "--json", cwd=tmp_path).stdout
    )
    words = command("cohort", "show", "c.h5", cwd=tmp_path).stdout
    assert "n_neurons                    24" in words


def test_a_released_folder_is_shown(shared):
    done = command("cohort", "show", shared / "data" / "release" / "6_6_2", "--json")
    shown = json.loads(done.stdout)
    assert (shown["n_neurons"], shown["n_edges"], shown["n_synapses"]) == (312, 316, 338)
    assert shown["n_spikes"] is None
    assert "spikes" in shown["missing"]


def test_presets_are_listed_with_their_size():
    lines = command("presets").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["quick", "paper", "grid", "controls", "quirks"]
    assert "120 runs" in lines[0]


def test_importing_is_light():
    code = "import sys, biosernn; print({'jax', 'pandas', 'scipy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_an_audit_is_printed_and_written(tmp_path):
    done = command("cohort", "audit", "synthetic:64", "--out", "audit.html", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert any("alignment" in line for line in lines)
    assert lines[-1].endswith("; audit.html")
    assert "<svg" in (tmp_path / "audit.html").read_text()


def test_a_plan_is_made_without_jax():
    """A run without workers sets its threads first, which it cannot once JAX is loaded."""
    program = "from biosernn import plan_study; plan_study('quick'); import sys; "
    ended = subprocess.run(
        [sys.executable, "-c", f"{program}print('jax' in sys.modules)"],
        text=True,
        capture_output=True,
    )
    assert (ended.stdout, ended.stderr) == ("False\n", "")
