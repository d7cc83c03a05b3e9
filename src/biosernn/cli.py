"""The command line: words to calls, progress, and errors of one line."""

import errno
import json
import logging
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

from cyclopts import App, CycloptsError, Parameter, Token

from biosernn._version import __version__
from biosernn.errors import BadInput, WorkFailed, one_line

app = App(
    name="biosernn",
    version=__version__,
    help="Does the wiring, geometry or activity of real cortex help a recurrent network learn?",
    error_formatter=lambda fault: f"biosernn: {one_line(' '.join(str(fault).split()))}",
    suppress_keyboard_interrupt=False,
)
cohort_app = App(name="cohort", help="Import a cohort, or show what is in one.")
import_app = App(name="import", help="Write a cohort file from where a cohort comes from.")
app.command(cohort_app)
cohort_app.command(import_app)

LONGEST_LINE = 1500

ABOUT_A_PLACE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG),
    *(errno.EPIPE, errno.EIO, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EFBIG),
)
"""Faults of the system that name a place where a user can do something."""


def _word(kind: Any, tokens: Sequence[Token]) -> str:
    """Take a word as it is; cyclopts would take None and null for an option left out."""
    return tokens[0].value


def _path(kind: Any, tokens: Sequence[Token]) -> Path:
    return Path(tokens[0].value)


def _whole(kind: Any, tokens: Sequence[Token]) -> int:
    """Take whole numbers only; cyclopts would round others."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", tokens[0].value, re.ASCII):
        raise ValueError(f"{tokens[0].value[:40]!r} is no whole number.")
    return int(tokens[0].value)


Whole = Annotated[int, Parameter(converter=_whole)]
Word = Annotated[str | None, Parameter(converter=_word)]
Place = Annotated[Path | None, Parameter(converter=_path)]
Workers = Annotated[
    int | None,
    Parameter(converter=_whole, help="Processes here, one per core by default; 0: none."),
]


@app.command
def run(
    study: str = "quick",
    /,
    *,
    cohort: Word = None,
    out: Place = None,
    seeds: Whole | None = None,
    units: Whole | None = None,
    protocol: Word = None,
    recipe: Word = None,
    workers: Workers = None,
    scheduler: Word = None,
) -> None:
    """Run a study, or go on with one, and write its report.

    Parameters
    ----------
    study
        A preset (see `biosernn presets`) or a study file.
    cohort
        synthetic[:N], a cohort file, or a released folder.
    out
        The study folder; out/NAME by default.
    seeds
        Repetitions of every arm.
    units
        Neurons drawn from the cohort for each seed.
    protocol
        corrected (errors mended), published, both, or corrected+FIELD.
    recipe
        seed (Adam alone), clipped (the data's gradient clipped), or both.
    workers
        Processes on this machine.
    scheduler
        Address of a Dask scheduler whose workers share the folder.
    """
    from biosernn.run import run as run_study

    asked = _asked(study, cohort, seeds, units, protocol, recipe)
    folder = out or Path("out") / _stem(study)
    _stop_at_once(folder)
    with _bar() if sys.stderr.isatty() else nullcontext(_lines()) as on_progress:
        finished = run_study(
            asked,
            folder,
            workers=_checked(workers),
            scheduler=scheduler,
            on_progress=on_progress,
            on_plan=partial(_say_plan, scheduler=scheduler),
        )
    print(f"{one_line(finished.report)}: {finished.analysis.finding}")


@app.command
def plan(
    study: str = "quick",
    /,
    *,
    cohort: Word = None,
    out: Place = None,
    seeds: Whole | None = None,
    units: Whole | None = None,
    protocol: Word = None,
    recipe: Word = None,
    workers: Workers = None,
) -> None:
    """Say what a study would run and for how long, without running it.

    The options are those of `biosernn run`.
    """
    from biosernn.run import plan_study

    asked = _asked(study, cohort, seeds, units, protocol, recipe)
    planned = plan_study(asked, out or Path("out") / _stem(study), workers=_checked(workers))
    print(_plan_line(planned))
    for condition, recipe_name in planned.study.conditions:
        print(f"  {condition}, {recipe_name}: {', '.join(arm.name for arm in planned.study.arms)}")


@app.command
def presets() -> None:
    """List the presets, each with its number of runs and an estimate for this machine."""
    from biosernn.run import plan_study
    from biosernn.study.presets import PRESETS

    for name, (about, study) in PRESETS.items():
        try:
            planned = plan_study(study)
            size = f"{len(planned.runs):,} runs, about {_duration(planned.seconds)}"
        except BadInput:
            size = f"size and time: biosernn plan {name} --cohort ..."
        print(f"{name:9} {about} ({size})")


@app.command
def report(folder: Path, /) -> None:
    """Analyse and draw a study folder anew from its finished runs."""
    from biosernn.run import report_study

    finished = report_study(folder)
    print(f"{one_line(finished.report)}: {finished.analysis.finding}")


@app.command
def rerun(folder: Path, /, *, out: Place = None, workers: Workers = None) -> None:
    """Run a study folder's study anew in another folder, and say what came out differently.

    The exit status is 1 if a number did.

    Parameters
    ----------
    folder
        A study folder, from here or elsewhere.
    out
        The new study folder; the old one's name with -rerun by default.
    workers
        Processes on this machine.
    """
    from biosernn.run import rerun_study

    place = out or folder.with_name(f"{folder.resolve().name}-rerun")
    _stop_at_once(place)
    with _bar() if sys.stderr.isatty() else nullcontext(_lines()) as on_progress:
        finished, differences = rerun_study(
            folder, place, workers=_checked(workers), on_progress=on_progress, on_plan=_say_plan
        )
    _say_differences(differences)
    print(f"{one_line(finished.report)}: {_how_different(differences)}")
    if differences.numbers:
        sys.exit(1)


@app.command
def compare(folder: Path, other: Path, /) -> None:
    """Say where the versions and numbers of two study folders differ; exit status 1 if numbers do.

    Parameters
    ----------
    folder, other
        Study folders whose tables are written.
    """
    from biosernn.study.compare import compare as differences_between

    differences = differences_between(folder, other)
    _say_differences(differences)
    print(f"{one_line(other)}: {_how_different(differences)}")
    if differences.numbers:
        sys.exit(1)


@cohort_app.command
def show(reference: str, /, *, json_: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """Say what is in a cohort.

    Parameters
    ----------
    reference
        synthetic[:N], a cohort file, or a released folder.
    json_
        Print JSON.
    """
    from biosernn.cohort.show import show as summary
    from biosernn.sources.reference import read_cohort

    shown = summary(read_cohort(reference))
    if json_:
        print(json.dumps(shown, indent=1))
        return
    for name, value in shown.items():
        print(f"{name:28} {_words(value)}")


@cohort_app.command
def audit(reference: str, /, *, other: Word = None, out: Place = None) -> None:
    """Say whether a cohort may be trusted, check by check.

    Parameters
    ----------
    reference
        synthetic[:N], a cohort file, or a released folder.
    other
        A second cohort, to look for cells that both hold.
    out
        Where to write the audit as a page.
    """
    from biosernn.audit.audit import audit as look
    from biosernn.audit.text import lines, summary
    from biosernn.sources.reference import read_cohort

    cohort = read_cohort(reference)
    found = look(cohort, read_cohort(other) if other else None)
    print(*lines(found), sep="\n")
    if out is not None:
        from biosernn.audit.page import write_audit

        write_audit(out, found, cohort)
    print(summary(found) + (f"; {one_line(out)}" if out else ""))


@import_app.command(name="release")
def import_release(directory: Path, /, *, out: Path) -> None:
    """Read a folder of the authors' release and write it as a cohort file."""
    from biosernn.sources.release import read_release

    _write_cohort(read_release(directory), out)


@import_app.command(name="synthetic")
def import_synthetic(n: Whole = 64, /, *, out: Path, seed: Whole = 0) -> None:
    """Make a synthetic cohort of n neurons, whose truth is known, and write it."""
    from biosernn.sources.synthetic import synthetic_cohort

    _write_cohort(synthetic_cohort(n, seed), out)


@app.command
def cite() -> None:
    """Say what to cite."""
    print(
        "Shakiba, Rokni, Mohammadi (superv. Dehghani): the study rerun here; arXiv 2606.14975 and "
        "doi 10.5281/zenodo.20834365 for its released code and data.\n"
        "Achterberg et al. 2023, doi 10.1038/s42256-023-00748-9: spatially embedded networks.\n"
        "Cutts & Eglen 2014, doi 10.1523/JNEUROSCI.2767-14.2014: spike time tiling coefficient.\n"
        f"biosernn {__version__}: see CITATION.cff."
    )


def main() -> NoReturn:
    """Entry point of the command `biosernn`."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        print(end="", flush=True)
    except CycloptsError as fault:
        if debug:
            raise
        _leave(one_line(" ".join(str(fault).split())), 2)
    except BadInput as fault:
        if debug:
            raise
        _leave(str(fault), 2)
    except WorkFailed as fault:
        if debug:
            raise
        _leave(str(fault), 1)
    except MemoryError:
        if debug:
            raise
        _leave("out of memory; ask for fewer neurons, --units or --workers", 1)
    except KeyboardInterrupt:
        _leave("interrupted", 130)
    except Exception as fault:
        if debug:
            raise
        if isinstance(fault, OSError) and fault.errno in ABOUT_A_PLACE:
            place = one_line(fault.filename or "output")
            line = f"{place}: {fault.strerror}; make room or access there"
            _leave(line, 2 if fault.errno == errno.ENAMETOOLONG else 1)
        what = one_line(" ".join(f"{type(fault).__name__}: {fault}".split()))
        _leave(f"unexpected: {what}; run it with --debug and report what it prints", 1)
    sys.exit(0)


def _interrupt(signal_number: int, frame: object) -> NoReturn:
    """End in order; a second signal ends at once."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise KeyboardInterrupt


def _stop_at_once(folder: Path) -> None:
    """End at SIGINT or SIGTERM without closing anything: a cluster that is half open cannot be.

    Every file is written whole, the lock goes with the process, and so do its workers.
    """

    def stop(signal_number: int, frame: object) -> NoReturn:
        kept = len(list((folder / "runs").glob("*.npz"))) if folder.is_dir() else 0
        cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
        line = f"{folder}: interrupted; {kept} finished runs are kept; run it again to go on"
        os.write(2, f"{cursor}biosernn: {line}\n".encode())
        os._exit(130)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _leave(line: str, status: int) -> NoReturn:
    if len(line) > LONGEST_LINE:
        line = f"{line[: LONGEST_LINE - 200]} … {line[-200:]}"
    print(f"biosernn: {line}", file=sys.stderr)
    try:
        print(end="", flush=True)
    except OSError:  # it is full or closed, and would say so again at the very end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def _asked(
    study: str,
    cohort: str | None,
    seeds: int | None,
    units: int | None,
    protocol: str | None,
    recipe: str | None,
) -> Any:
    from biosernn.run import find_study

    return find_study(study).with_options(
        cohort=cohort, seeds=seeds, units=units, protocol=protocol, recipe=recipe
    )


def _checked(workers: int | None) -> int | None:
    if workers is not None and workers < 0:
        raise BadInput("--workers", f"is {workers}", "give 0 or more")
    return workers


def _stem(study: str) -> str:
    return Path(study).stem if study.endswith(".toml") else study


def _write_cohort(cohort: Any, out: Path) -> None:
    cohort.write(out)
    content = cohort.content_sha256[:12]
    print(f"{one_line(out)}: {cohort.name}, {cohort.n_neurons} neurons, content {content}")


def _say_differences(differences: Any) -> None:
    for difference in (*differences.versions, *differences.numbers):
        print(difference)


def _how_different(differences: Any) -> str:
    if not differences.numbers:
        return "every number is the same"
    return f"{len(differences.numbers)} differences in numbers"


def _say_plan(planned: Any, study_hash: str, scheduler: str | None = None) -> None:
    print(f"study {study_hash}: {_plan_line(planned, scheduler)}", flush=True)


def _plan_line(planned: Any, scheduler: str | None = None) -> str:
    names = ", ".join(cohort.name for cohort in planned.cohorts)
    line = (
        f"{len(planned.runs):,} runs ({len(planned.study.arms)} arms, {planned.study.seeds} seeds, "
        f"{planned.runs[0].units} units of {names})"
    )
    different = len({run.id for run in planned.runs})
    if different < len(planned.runs):
        line += f", {different:,} of them different"
    done = different - len(planned.todo)
    if done:
        line += f", {done:,} finished"
    if scheduler is not None:
        return f"{line}; on the workers of {one_line(scheduler)}"
    processes = "in this process" if not planned.workers else f"{planned.workers} at a time"
    return f"{line}; about {_duration(planned.seconds)}, {processes}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _words(value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value)) or "nothing"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if text.isprintable() else repr(text)


def _lines() -> Callable[[int, int], None]:
    """Print a line for every tenth of the runs, and at least twice a minute."""
    started = said_at = time.monotonic()
    first = said = -1

    def show(done: int, total: int) -> None:
        nonlocal first, said, said_at
        now = time.monotonic()
        if first < 0:
            first = said = done
        elif done == total or done - said >= total / 10 or now - said_at > 30:
            left = (now - started) / (done - first) * (total - done)
            print(f"{done:,} of {total:,} runs, about {_duration(left)} left", flush=True)
            said, said_at = done, now

    return show


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """Draw a bar on the terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("runs", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


if __name__ == "__main__":
    main()
