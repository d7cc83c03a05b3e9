"""Faults of the machine: in the end the tables of an undisturbed study, or one clear line."""

import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from biosernn import run
from biosernn.study.presets import preset
from biosernn.study.store import Store

SMALL = preset("quick").with_options(
    cohort="synthetic:24", units=16, arms=["W*D*C", "WD*C", "W0"], seeds=2, epochs=1
)
RUNS = 12
IN_A_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return run(SMALL, tmp_path_factory.mktemp("faults") / "undisturbed", workers=0).folder


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(SMALL.toml())
    return path


def _same(one, other):
    for name in ("results.parquet", "curves.parquet"):
        a, b = pd.read_parquet(one / name), pd.read_parquet(other / name)
        pd.testing.assert_frame_equal(a, b, check_exact=True)


def _command(study, out, *, workers=2):
    return [
        *(sys.executable, "-m", "biosernn.cli", "run", str(study)),
        *("--out", str(out), "--workers", str(workers)),
    ]


def _start(study, out, **options):
    """Start it as a terminal would: with its workers in a process group of its own."""
    return subprocess.Popen(
        _command(study, out, **options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _finish(study, out, undisturbed):
    command = _command(study, out, workers=1)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    _same(undisturbed, out)
    assert not list(out.rglob(".*.tmp"))


def _until(condition, process=None, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.05)


def _answers_signals(process):
    """Whether the program has come as far as to catch SIGTERM, which Python by itself does not."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = int(re.search(r"SigCgt:\s*([0-9a-f]+)", status)[1], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def _finished(out):
    return len(list((out / "runs").glob("*.npz"))) if (out / "runs").is_dir() else 0


def _workers(process):
    """Ids of the processes that do a study's runs: spawned ones that have loaded JAX."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == process.pid:
            continue
        try:
            if os.getpgid(int(entry.name)) != process.pid:
                continue
            if b"spawn_main" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except (OSError, ProcessLookupError):
            continue
    return found


CALLBACK = "weakref.finalize({1}, os.kill, os.getpid(), signal.SIGTERM)"
"""Code whose interrupt Python prints and goes on from."""


@pytest.mark.parametrize(
    "app",
    [
        "exec('os.kill(os.getpid(), signal.SIGTERM)\\nwhile True: pass')",
        f"[{CALLBACK}, 1 / 0]",
        f"[{CALLBACK}, cli._stop_at_once(pathlib.Path('out'))]",
    ],
    ids=["in an exec, as when a dataclass is made", "lost, and it fails", "lost, and it goes on"],
)
def test_an_interrupt_ends_it_with_130_wherever_it_is_met(app, tmp_path):
    (tmp_path / "program.py").write_text(
        "import os, pathlib, signal, weakref\nfrom biosernn import cli\n"
        f"cli.app = lambda *_, **__: {app}\ncli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "program"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stderr.endswith("biosernn: interrupted\n")
    assert done.returncode == 130


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whole_group", [True, False])
def test_a_signal_ends_it_at_once_with_one_line(number, whole_group, study, tmp_path, undisturbed):
    """Whether the terminal signals the whole process group, or a scheduler the process alone."""
    rng = random.Random(f"{number} {whole_group}")
    out = tmp_path / "out"
    for _ in range(4):
        process = _start(study, out)
        _until(partial(_answers_signals, process), process)
        time.sleep(rng.uniform(0, 8))
        os.killpg(process.pid, number) if whole_group else process.send_signal(number)
        said = process.communicate(timeout=60)[1]
        if process.returncode == 0:
            break
        assert process.returncode == 130
        assert said.endswith("\n")
        assert said.count("\n") == 1
        assert "interrupted" in said
        _until(lambda gone=process: not _workers(gone), seconds=30)
    _finish(study, out, undisturbed)


@pytest.mark.slow
def test_fifty_kills_at_random_moments(study, tmp_path, undisturbed):
    """Of the process alone, its workers left behind, and of all; it goes on each time."""
    rng = random.Random(50)
    out = tmp_path / "out"
    for number in range(50):
        process = _start(study, out)
        time.sleep(rng.uniform(0.2, 6))
        os.killpg(process.pid, signal.SIGKILL) if number % 2 else process.kill()
        process.communicate(timeout=60)
        if number % 10 == 9:
            for done in list((out / "runs").glob("*.npz"))[: RUNS - 2]:
                done.unlink()
    _finish(study, out, undisturbed)


@pytest.mark.slow
def test_a_killed_worker_is_replaced(study, tmp_path, undisturbed):
    out = tmp_path / "out"
    process = _start(study, out)
    _until(lambda: _finished(out) >= 2, process)
    for worker in _workers(process):
        os.kill(worker, signal.SIGKILL)
    said, complained = process.communicate(timeout=300)
    assert (process.returncode, complained) == (0, ""), said
    _same(undisturbed, out)


@pytest.mark.slow
def test_workers_that_die_again_and_again_are_given_up(study, tmp_path, undisturbed):
    """As the system's out-of-memory killer does it."""
    out = tmp_path / "out"
    process = _start(study, out)
    end = time.monotonic() + 200
    while process.poll() is None and time.monotonic() < end:
        for worker in _workers(process):
            try:
                busy = "jax" in Path(f"/proc/{worker}/maps").read_text()
                if busy:
                    os.kill(worker, signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue
        time.sleep(0.05)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert said == (
        "biosernn: workers: died four times at one run; run it again with fewer --workers, or in "
        "another --out with fewer --units\n"
    )
    _finish(study, out, undisturbed)


@pytest.mark.slow
def test_too_little_memory_is_one_line(tmp_path):
    """A network for which the allowed address space is too small: the program aborts or says so."""
    large = SMALL.with_options(cohort="synthetic:1000", units=1000, arms=["W0"], seeds=2)
    path = tmp_path / "large.toml"
    path.write_text(large.toml())
    limited = "import resource, os, sys; resource.setrlimit(resource.RLIMIT_AS, 2 * (7 << 28,)); "
    done = subprocess.run(
        [
            *(sys.executable, "-c", limited + "os.execv(sys.executable, sys.argv[1:])"),
            *_command(path, tmp_path / "out", workers=1),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1
    assert (
        "run it again with fewer --workers, or in another --out with fewer --units" in done.stderr
    )


@pytest.mark.slow
def test_no_memory_to_start_a_worker_again_is_one_line(study, tmp_path, undisturbed):
    out = tmp_path / "out"
    process = _start(study, out, workers=1)
    _until(lambda: _finished(out) >= 1, process)
    resource.prlimit(process.pid, resource.RLIMIT_AS, 2 * (7 << 26,))
    for worker in _workers(process):
        os.kill(worker, signal.SIGKILL)
    assert process.communicate(timeout=300)[1] == (
        "biosernn: workers: were lost and did not come back; run it again with fewer --workers, or "
        "in another --out with fewer --units\n"
    )
    assert process.returncode == 1
    _finish(study, out, undisturbed)


def _can_mount():
    tried = [*IN_A_NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(tried, capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _mounted(at, options, before, command, after="true"):
    """Run a command with a file system of its own at a folder; the folder's end is copied out."""
    script = (
        f'set -e; mount -t tmpfs -o {options} none "$1"; {before}; '
        f'shift; set +e; "$@"; status=$?; set -e; {after}; exit $status'
    )
    return subprocess.run(
        [*IN_A_NAMESPACE, "sh", "-c", script, "sh", str(at), *command],
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
@pytest.mark.parametrize("size_k", [40, 200, 400])
def test_a_full_disk_is_one_line_and_what_is_finished_stays(size_k, study, tmp_path, undisturbed):
    if not _can_mount():
        pytest.skip("needs leave to mount a small file system")
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    after = f'cp -a "{disk}/out" "{kept}" 2>/dev/null || true'
    done = _mounted(
        disk, f"size={size_k}k", "true", _command(study, disk / "out", workers=1), after
    )
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"biosernn: {disk}")
    assert re.search(r"No space left on device\)?; make room", done.stderr)
    if kept.exists():
        finished = {path.name: path.read_bytes() for path in (kept / "runs").glob("*.npz")}
        _finish(study, kept, undisturbed)
        for name, content in finished.items():
            assert (kept / "runs" / name).read_bytes() == content


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_one_line(study, tmp_path, undisturbed):
    if not _can_mount():
        pytest.skip("needs leave to mount a read-only file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    half = shutil.copytree(undisturbed, tmp_path / "half")
    next((half / "runs").glob("*.npz")).unlink()
    for out, fill in ((disk / "new", "true"), (disk / "half", f'cp -a "{half}" "{disk}"')):
        before = f'{fill}; mount -o remount,ro "{disk}"'
        done = _mounted(disk, "size=20m", before, _command(study, out))
        assert done.returncode == 1
        assert done.stderr.startswith(f"biosernn: {out}")
        assert done.stderr.endswith(
            "Read-only file system; make room or write access there and run it again\n"
        )
        assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_two_runs_of_one_folder_at_once(study, tmp_path, undisturbed):
    out = tmp_path / "out"
    first = _start(study, out)
    _until(lambda: _finished(out) >= 1, first)
    second = subprocess.run(_command(study, out), capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert second.stderr == (
        f"biosernn: {out}: another biosernn works in this folder; "
        "wait for it or choose another --out\n"
    )
    assert first.communicate(timeout=300)[1] == ""
    assert first.returncode == 0
    _same(undisturbed, out)


@pytest.mark.slow
def test_the_clock_set_back_changes_nothing(tmp_path, undisturbed, monkeypatch):
    half = shutil.copytree(undisturbed, tmp_path / "half")
    for path in half.rglob("*"):
        os.utime(path, (2e9, 2e9))
    for done in list((half / "runs").glob("*.npz"))[::2]:
        done.unlink()
    hours = iter(range(10**6, 0, -1))
    monkeypatch.setattr(time, "time", lambda: 3600.0 * next(hours))
    run(SMALL, half, workers=0)
    _same(undisturbed, half)
    assert (pd.read_parquet(half / "timing.parquet")["wall_s"] > 0).all()
    assert len(Store(half).finished()) == RUNS
