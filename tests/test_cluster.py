"""A study on a Dask cluster started by hand, as a lab starts one."""

import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from biosernn import BadInput, run
from biosernn.study import execute
from biosernn.study.presets import preset

SMALL = preset("quick").with_options(
    cohort="synthetic:24", units=16, arms=["W*D*C", "WD*C", "W0"], seeds=3, epochs=1
)
TOOLS = Path(sys.executable).parent
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "NPROC"}


def _same(one, other, names=("results.parquet", "curves.parquet")):
    for name in names:
        a, b = pd.read_parquet(one / name), pd.read_parquet(other / name)
        pd.testing.assert_frame_equal(a, b, check_exact=True)


@pytest.fixture
def started(tmp_path):
    """Start a program that is stopped at the end; returns it and the file of what it says."""
    with ExitStack() as at_the_end:

        def start(name, *arguments):
            said = tmp_path / f"{name}.log"
            with said.open("w") as file:
                process = subprocess.Popen(
                    arguments, stdout=file, stderr=file, env=ENVIRONMENT, start_new_session=True
                )
            at_the_end.callback(process.wait)
            at_the_end.callback(process.kill)
            return process, said

        yield start


@pytest.fixture
def scheduler(started):
    where = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
    process, said = started("scheduler", str(TOOLS / "dask"), "scheduler", *where)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = re.search(r"tcp://127\.0\.0\.1:\d+", said.read_text())
        if found:
            return found[0]
        assert process.poll() is None, said.read_text()
        time.sleep(0.1)
    raise AssertionError(said.read_text())


def _worker(started, scheduler, name, *, program=None):
    arguments = ("--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1", "--no-nanny")
    program = program or (str(TOOLS / "dask"), "worker")
    return started(name, *program, scheduler, "--name", name, *arguments)[0]


@pytest.mark.slow
def test_workers_come_and_go_and_the_tables_stay_the_same(started, scheduler, tmp_path):
    undisturbed = run(SMALL, tmp_path / "undisturbed", workers=0).folder
    first = _worker(started, scheduler, "first")
    _worker(started, scheduler, "second")
    events = []

    def on_progress(done, total):
        events.append(done)
        if done == 3:
            first.kill()
            _worker(started, scheduler, "late")

    folder = run(SMALL, tmp_path / "out", scheduler=scheduler, on_progress=on_progress).folder
    assert events == list(range(len(events)))
    _same(undisturbed, folder)
    finished = sorted(path.name for path in (folder / "runs").glob("*.npz"))
    assert finished == sorted(path.name for path in (undisturbed / "runs").glob("*.npz"))
    assert len(pd.read_parquet(folder / "timing.parquet")) == len(finished)


@pytest.mark.slow
def test_tuned_makes_the_same_choices_on_a_cluster(started, scheduler, tmp_path):
    tuned = SMALL.with_options(arms=["W0"], seeds=2, recipe=["clipped", "tuned"])
    alone = run(tuned, tmp_path / "alone", workers=0).folder
    _worker(started, scheduler, "first")
    _worker(started, scheduler, "second")
    folder = run(tuned, tmp_path / "out", scheduler=scheduler).folder
    _same(alone, folder, ("results.parquet", "curves.parquet", "sweep.parquet"))


@pytest.mark.slow
def test_a_scheduler_without_workers_is_one_line(scheduler, tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "WORKERS_WITHIN_S", 1)
    with pytest.raises(BadInput, match=r"got no worker within 1 s; start `dask worker tcp://"):
        run(SMALL, tmp_path / "out", scheduler=scheduler)


@pytest.mark.slow
def test_a_worker_without_the_package_is_one_line(started, scheduler, tmp_path):
    lacking = "import sys; sys.modules['biosernn'] = None; from dask.__main__ import main; main()"
    _worker(started, scheduler, "bare", program=(sys.executable, "-c", lacking, "worker"))
    with pytest.raises(BadInput, match=r"worker tcp://.* cannot run biosernn") as refused:
        run(SMALL, tmp_path / "out", scheduler=scheduler)
    assert "\n" not in str(refused.value)
    assert not list((tmp_path / "out" / "runs").glob("*.npz"))


@pytest.mark.slow
def test_a_worker_of_another_version_is_one_line(started, scheduler, tmp_path):
    other = (
        "import biosernn.study.execute as e; seen = e.versions; "
        "e.versions = lambda: seen() | {'jax': '0.0.1'}; "
        "from dask.__main__ import main; main()"
    )
    _worker(started, scheduler, "old", program=(sys.executable, "-c", other, "worker"))
    with pytest.raises(BadInput, match=r"worker tcp://.*: has jax 0\.0\.1, here it is"):
        run(SMALL, tmp_path / "out", scheduler=scheduler)


@pytest.mark.slow
def test_the_slurm_recipe_of_the_documentation_submits_workers_of_one_thread():
    page = (Path(__file__).parents[1] / "docs" / "studies.md").read_text()
    cluster = re.search(r"SLURMCluster\(\n.*?\n    \)", page, re.S)[0]
    program = (
        "from dask_jobqueue import SLURMCluster\nif __name__ == '__main__':\n"
        f"    cluster = {cluster}\n    print(cluster.job_script())\n    cluster.close()\n"
    )
    job = subprocess.run(
        [sys.executable, "-c", program],
        env=ENVIRONMENT | {"DASK_JOBQUEUE__SLURM__INTERFACE": "lo"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    for line in ("#SBATCH --cpus-per-task=16", "#SBATCH -t 04:00:00", "--nthreads 1"):
        assert line in job
    assert job.index("export NPROC=1 OMP_NUM_THREADS=1") < job.index("distributed.cli.dask_worker")


@pytest.mark.slow
def test_the_slurm_recipe_of_the_documentation_runs(tmp_path):
    """A stand-in for `sbatch` takes a copy of the job script, as SLURM does, and executes it."""
    page = (Path(__file__).parents[1] / "docs" / "studies.md").read_text()
    recipe = re.search(r"```python\n(import sys\n.*?SLURMCluster.*?)```", page, re.S)[1]
    for large, small in (
        ("cores=16", "cores=1"),
        ("processes=16", "processes=1"),
        ("jobs=8", "jobs=2"),
    ):
        assert large in recipe
        recipe = recipe.replace(large, small)
    (tmp_path / "on_slurm.py").write_text(recipe)
    (tmp_path / "mine.toml").write_text(SMALL.toml())
    commands = {
        "sbatch": f'job={tmp_path}/job.$$; cp "$1" $job; setsid bash $job >$job.log 2>&1 &\n'
        'echo "Submitted batch job $!"',
        "scancel": 'for job in "$@"; do kill -- "-$job"; done',
    }
    for name, script in commands.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{script}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [sys.executable, "on_slurm.py", "mine.toml", "out"],
        cwd=tmp_path,
        env=ENVIRONMENT
        | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "DASK_JOBQUEUE__SLURM__INTERFACE": "lo"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    said = "".join(path.read_text() for path in tmp_path.glob("job.*.log"))
    assert done.returncode == 0, done.stderr + said
    assert done.stdout.startswith("out/report.html: too few to tell")
    _same(run(SMALL, tmp_path / "undisturbed", workers=0).folder, tmp_path / "out")


@pytest.mark.slow
def test_each_local_worker_has_a_device_of_its_own(tmp_path, monkeypatch):
    """Two devices that XLA makes of the processor stand for GPUs; last bits are another kind's."""
    flags = f"{execute.WORKER_ENVIRONMENT['XLA_FLAGS']} --xla_force_host_platform_device_count=2"
    monkeypatch.setitem(execute.WORKER_ENVIRONMENT, "XLA_FLAGS", flags)
    finished = run(SMALL, tmp_path / "out", workers=2)
    devices = pd.read_parquet(finished.folder / "timing.parquet")["device"]
    assert set(devices) == {"cpu 0", "cpu 1"}
    monkeypatch.undo()
    here = run(SMALL, tmp_path / "undisturbed", workers=0).results
    assert list(finished.results["run"]) == list(here["run"])
    np.testing.assert_allclose(finished.results["loss"], here["loss"], rtol=1e-3)


def test_no_scheduler_is_one_line(tmp_path):
    with pytest.raises(BadInput, match=r"--scheduler 127\.0\.0\.1:9: does not answer"):
        run(SMALL, tmp_path / "out", scheduler="127.0.0.1:9")
