"""Executing the runs of a study folder on this machine's cores or on a Dask cluster."""

import os
import platform
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, as_completed
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from biosernn._version import __version__
from biosernn.errors import BadInput, WorkFailed
from biosernn.study.plan import Run
from biosernn.study.store import STUDY, Store
from biosernn.study.tuning import performable

WORKER_ENVIRONMENT = {
    "NPROC": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}
"""One thread of arithmetic a worker, and no more of a GPU than a run takes.

XLA splits its loops by the number of cores, NPROC if that is set, and the last bits of a sum hang
on the split: with one thread everywhere a run is the same on one core as on many.
"""


WORKERS_WITHIN_S = 60

LESS_MEMORY = "run it again with fewer --workers, or in another --out with fewer --units"


def perform_stored(folder: str, run_ids: Sequence[str]) -> list[str]:
    """Perform runs of a study folder that share a training; a worker is asked for nothing else.

    Each writes its own file.

    Returns
    -------
    list of str
        The runs' ids.

    """
    store = Store(folder)
    todo = [run_id for run_id in run_ids if not store.run_path(run_id).exists()]
    if not todo:
        return list(run_ids)
    _be_single_threaded()
    import jax
    from threadpoolctl import threadpool_limits

    from biosernn.study.perform import recorded, trained

    devices = jax.local_devices()
    _use_compilation_cache(len(devices))
    device = devices[_worker_number() % len(devices)]
    runs, cohorts = _planned(folder, (store.folder / STUDY).stat().st_mtime_ns)
    outcome = None
    for run_id in todo:
        run = runs[run_id]
        cohort = cohorts[run.cohort]
        started, at, busy = time.time(), time.perf_counter(), time.process_time()
        try:
            with threadpool_limits(1), jax.default_device(device):
                if outcome is None:
                    outcome = trained(run, cohort)
                record = recorded(run, cohort, outcome)
        except (MemoryError, RuntimeError) as fault:
            if isinstance(fault, RuntimeError) and "RESOURCE_EXHAUSTED" not in str(fault):
                raise
            raise WorkFailed(f"run {run_id}", "is out of memory", LESS_MEMORY) from None
        timing: dict[str, float | str] = {
            "started": started,
            "wall_s": time.perf_counter() - at,
            "cpu_s": time.process_time() - busy,
            **versions(),
            "machine": platform.platform(),
            "device": f"{device.device_kind} {device.id}",
        }
        store.write_run(run_id, record, timing)
    return list(run_ids)


def _worker_number() -> int:
    """A local worker's number, which says whose turn a device is; elsewhere 0."""
    from distributed import get_worker

    try:
        name = get_worker().name
    except ValueError:
        return 0
    return name if isinstance(name, int) else 0


@lru_cache(maxsize=2)
def _planned(folder: str, written_ns: int) -> tuple[dict[str, Run], list]:
    study, cohorts = Store(folder).read()
    return {run.id: run for run in performable(study, cohorts)}, cohorts


def _use_compilation_cache(devices: int) -> None:
    """Keep compiled programs between processes, apart for each version of JAX and processor.

    Apart for each number of devices too: a program's last bits hang on it, and JAX's key does not.
    Where they cannot be kept, each process compiles its own.
    """
    import jax
    import jaxlib

    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")
    if jax.config.values["jax_compilation_cache_dir"] is None:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        place = base / "biosernn" / f"xla-{jaxlib.__version__}-{_processor()}-{devices}"
        jax.config.update("jax_compilation_cache_dir", str(place))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _processor() -> str:
    """Short hash of what this machine's processor can do."""
    import hashlib

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        what = next((line for line in lines if line.startswith("flags")), "")
    except OSError:
        what = platform.processor()
    return hashlib.sha256(what.encode()).hexdigest()[:8]


def usable_cores() -> int:
    """Cores that this process may use, by its affinity and its control group's quota.

    Examples
    --------
    >>> usable_cores() >= 1
    True

    """
    from dask.system import cpu_count

    return cpu_count()


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def execute(
    folder: Path,
    runs: Sequence[Run],
    *,
    workers: int,
    scheduler: str | None = None,
    on_done: Callable[[str], None] = lambda run_id: None,
) -> None:
    """Perform runs, each of which writes its own file; those that share a training, at one go.

    Parameters
    ----------
    folder
        The study folder; on a cluster every worker must see it under the same name.
    runs
        Which of its runs.
    workers
        Processes on this machine, each of one thread on a core of its own, no more than there are
        trainings; 0 is none but this one.
    scheduler
        Address of a Dask scheduler to use instead.
    on_done
        Called with each run's id once its file is written.

    Raises
    ------
    WorkFailed
        If a run fails or its worker is lost; what is finished is kept.
    BadInput
        If a cluster's workers do not see the folder or have other versions.

    """
    folder = folder.resolve()
    sharing: dict[str, list[str]] = {}
    for run in runs:
        sharing.setdefault(run.training, []).append(run.id)
    if scheduler is None and workers == 0:
        for run_ids in sharing.values():
            for run_id in perform_stored(str(folder), run_ids):
                on_done(run_id)
        return
    with _client(min(workers, len(sharing)), scheduler) as client:
        if scheduler is not None:
            _check_workers(client, scheduler, folder)
        remedy = LESS_MEMORY if scheduler is None else "run it again"
        executor = client.get_executor(pure=False, retries=0)
        futures = [executor.submit(perform_stored, str(folder), ids) for ids in sharing.values()]
        try:
            for future in as_completed(futures):
                for run_id in _result(future, remedy):
                    on_done(run_id)
        finally:
            for future in futures:
                future.cancel()


def _be_single_threaded() -> None:
    """Give this process one thread of arithmetic, unless JAX has started with more."""
    if os.environ.get("NPROC") == "1":
        return
    if "jax" in sys.modules:
        raise BadInput(
            f"process {os.getpid()} on {socket.gethostname()}",
            "has loaded JAX already, with threads that change a run's last bits",
            "set NPROC=1 before it starts, or use workers=1",
        )
    os.environ["NPROC"] = "1"


def _result(future: Future, remedy: str) -> list[str]:
    from distributed.scheduler import KilledWorker, NoValidWorkerError, NoWorkerError

    try:
        return future.result()
    except KilledWorker:
        raise WorkFailed("workers", "died four times at one run", LESS_MEMORY) from None
    except (CancelledError, NoValidWorkerError, NoWorkerError):
        raise WorkFailed("workers", "were lost and did not come back", remedy) from None


@contextmanager
def _client(workers: int, scheduler: str | None) -> Iterator[Any]:
    import dask
    import distributed

    if scheduler is not None:
        try:
            client = distributed.Client(scheduler, timeout="10s")
        except (OSError, TimeoutError, ValueError):
            raise BadInput(
                f"--scheduler {scheduler}", "does not answer", "start `dask scheduler` there"
            ) from None
        with client:
            yield client
        return
    settings = {
        "distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT,
        "distributed.worker.multiprocessing-method": "spawn",
        "distributed.deploy.lost-worker-timeout": "1 day",  # a dead one is started again meanwhile
        "distributed.scheduler.no-workers-timeout": "60s",
        "distributed.admin.system-monitor.gil.enabled": False,
        "logging.distributed": "critical",
    }
    with dask.config.set(settings), _environment_kept(), ExitStack() as opened:
        try:
            with _workers_end_quietly():
                cluster = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    memory_limit=None,
                    preload=[__name__],
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    worker_dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False},
                    silence_logs=50,
                )
            opened.enter_context(cluster)
            client = opened.enter_context(distributed.Client(cluster))
        except (OSError, RuntimeError) as fault:
            raise WorkFailed(
                "workers", f"cannot be started ({fault})", "use --workers 0, or run it again"
            ) from None
        yield client


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Undo what Dask leaves in this process's environment: that of the workers it spawned."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _workers_end_quietly() -> Iterator[None]:
    """Start workers that end with this process, however it ends, without a word of their own.

    Threads that start here, and the workers that these start, do not see the SIGINT that a
    terminal sends to all; the process that cleans up after all of them does not report it.
    """
    sys.warnoptions.append("ignore::UserWarning:multiprocessing.resource_tracker")
    resource_tracker.ensure_running()
    sys.warnoptions.pop()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def dask_setup(worker: Any) -> None:
    """Prepare a local worker, for Dask: one core, all threads; its libraries' last words unsaid."""
    if hasattr(os, "sched_setaffinity"):
        cores = _cores()
        for thread in os.listdir("/proc/self/task"):
            os.sched_setaffinity(int(thread), {cores[worker.name % len(cores)]})
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def versions() -> dict[str, str]:
    """Versions that a run's numbers may depend on.

    Examples
    --------
    >>> sorted(versions())
    ['biosernn', 'jax', 'jaxlib', 'numpy', 'python', 'scipy']

    """
    from importlib.metadata import version

    return {
        "biosernn": __version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        **{name: version(name) for name in ("jax", "jaxlib", "numpy", "scipy")},
    }


def _seen(folder: str) -> tuple[bool, dict[str, str]]:
    return (Path(folder) / STUDY).is_file(), versions()


def _check_workers(client: Any, scheduler: str, folder: Path) -> None:
    try:
        client.wait_for_workers(1, timeout=WORKERS_WITHIN_S)
    except TimeoutError:
        raise BadInput(
            f"--scheduler {scheduler}",
            f"got no worker within {WORKERS_WITHIN_S} s",
            f"start `dask worker {scheduler}`, or its job, and run it again",
        ) from None
    own = versions()
    for address, answer in client.run(_seen, str(folder), on_error="return").items():
        if isinstance(answer, BaseException):
            raise BadInput(
                f"worker {address}", f"cannot run biosernn ({answer})", "install it there"
            )
        sees, theirs = answer
        if not sees:
            raise BadInput(
                f"worker {address}", f"does not see {folder}", "use a folder that all workers share"
            )
        for name, version in theirs.items():
            if version != own[name]:
                raise BadInput(
                    f"worker {address}",
                    f"has {name} {version}, here it is {own[name]}",
                    "install the same versions there",
                )
