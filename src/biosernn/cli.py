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
from typing import Annotated, Any, NoReturn, TextIO

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
        synthetic[:N], microns:FIELD, a cohort file, or a released folder.
    out
        The study folder; by default out/ and the name of the preset, of the study file, or of the
        folder that a study.toml lies in.
    seeds
        Repetitions of every arm.
    units
        Neurons drawn from the cohort for each seed.
    protocol
        corrected (errors mended), published, both, or corrected+FIELD.
    recipe
        seed (Adam alone), clipped (the data's gradient clipped), both of them, or tuned (learning
        rate and clip chosen for each arm in a sweep of its own beforehand).
    workers
        Processes on this machine.
    scheduler
        Address of a Dask scheduler whose workers share the folder.
    """
    from biosernn.run import run as run_study

    asked = _asked(study, cohort, seeds, units, protocol, recipe)
    folder = out or _usual_place(study)
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
    from biosernn.analysis.power import seeds_sentence
    from biosernn.run import plan_study

    asked = _asked(study, cohort, seeds, units, protocol, recipe)
    planned = plan_study(asked, out or _usual_place(study), workers=_checked(workers))
    print(_plan_line(planned))
    for condition, recipe_name in planned.study.conditions:
        print(f"  {condition}, {recipe_name}: {', '.join(arm.name for arm in planned.study.arms)}")
    print(f"  {seeds_sentence(planned.study, len(planned.cohorts))}")


@app.command
def presets() -> None:
    """List the presets, each with its number of runs and an estimate for this machine."""
    from biosernn.run import plan_study
    from biosernn.sources.reference import is_at_hand
    from biosernn.study.presets import PRESETS

    for name, (about, study) in PRESETS.items():
        if all(map(is_at_hand, study.cohort)):
            planned = plan_study(study)
            size = f"{len(planned.runs):,} runs, about {_duration(planned.seconds)}"
        else:
            size = f"fetches {', '.join(study.cohort)}; size and time: biosernn plan {name}"
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

    whole = folder.resolve()
    place = out or whole.with_name(f"{whole.name}-rerun")
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
        synthetic[:N], microns:FIELD, a cohort file, or a released folder.
    json_
        Print JSON.
    """
    from biosernn.cohort.show import show as summary

    shown = summary(_read_cohort(reference))
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
        synthetic[:N], microns:FIELD, a cohort file, or a released folder.
    other
        A second cohort, to look for cells that both hold.
    out
        Where to write the audit as a page.
    """
    from biosernn.audit.audit import audit as look
    from biosernn.audit.text import lines, summary

    cohort = _read_cohort(reference)
    found = look(cohort, _read_cohort(other) if other else None)
    print(*lines(found), sep="\n")
    if out is not None:
        from biosernn.audit.page import write_audit

        write_audit(out, found, cohort)
    print(summary(found) + (f"; {one_line(out)}" if out else ""))


@cohort_app.command
def fetch(reference: str, /) -> None:
    """Fetch a field of the authors' release, or all of them, and check every file.

    From then on it is read without the network. BIOSERNN_RELEASE_URL names a mirror, BIOSERNN_CACHE
    the folder to keep it in.

    Parameters
    ----------
    reference
        microns:6_6_2 or another field, or microns:all.
    """
    from biosernn.sources.reference import MICRONS

    if not reference.startswith(MICRONS):
        remedy = "name microns:6_6_2 or another field, or microns:all"
        raise BadInput(f"cohort {reference!r}", "is nothing to fetch", remedy)
    folders = _fetch(reference)
    place = folders[0] if len(folders) == 1 else folders[0].parent
    print(f"{one_line(place)}: {reference}, every file as released")


@cohort_app.command
def subset(
    reference: str,
    /,
    *,
    out: Path,
    depth: Annotated[tuple[float, float] | None, Parameter(negative=())] = None,
    cell_type: Word = None,
    component: Word = None,
    most_connected: Whole | None = None,
    random: Whole | None = None,
    seed: Whole | None = None,
) -> None:
    """Write some of a cohort's neurons as a cohort file; each choice is made among those left.

    Parameters
    ----------
    reference
        synthetic[:N], microns:FIELD, a cohort file, or a released folder.
    out
        The cohort file.
    depth
        Least and greatest depth of the soma, in um.
    cell_type
        The name of a cell type.
    component
        Neurons that the wiring holds together: largest, or 2 for the next, and so on.
    most_connected
        How many, those with most connections, in and out.
    random
        How many, drawn at random.
    seed
        Of the draw; 0 by default.
    """
    from biosernn.cohort.subset import Selection
    from biosernn.cohort.subset import subset as choose

    if seed is not None and random is None:
        raise BadInput("--seed", "says nothing without --random", "give both or neither")
    rank = "1" if component == "largest" else component
    if not (rank is None or re.fullmatch("[0-9]{1,9}", rank, re.ASCII)):
        raise BadInput("--component", f"is {rank!r}", "give largest or a whole number")
    selection = Selection(
        depth, cell_type, None if rank is None else int(rank), most_connected, random, seed or 0
    )
    _write_cohort(choose(_read_cohort(reference), selection), out)


@cohort_app.command
def join(first: str, second: str, /, *, out: Path) -> None:
    """Join two cohorts of one recording on session, scan and unit, as anatomy and activity.

    Parameters
    ----------
    first, second
        What both know is taken from the first, and it is said where the second disagrees.
    out
        The cohort file.
    """
    from biosernn.cohort.join import join as join_cohorts

    joined = join_cohorts(_read_cohort(first), _read_cohort(second))
    for what, number in joined.provenance["dropped_by_join"].items():
        print(f"left out, {what}: {number}")
    for part, found in joined.provenance["disagreements"].items():
        print(f"{part}: {found['differ']} of {found['of']} differ; kept: {found['kept']}")
    _write_cohort(joined, out)


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


@import_app.command(name="datajoint")
def import_datajoint(
    session: Whole,
    scan: Whole,
    /,
    *,
    host: str,
    user: str,
    out: Path,
    field: Whole | None = None,
    password_env: str = "DJ_PASS",
    schema: str = "microns_phase3_nda",
    traces: bool = False,
) -> None:
    """Read a scan of MICrONS' functional database through DataJoint and write it as a cohort file.

    Parameters
    ----------
    session
        Number of the session.
    scan
        Number of the scan in it.
    host
        The server, host or host:port.
    user
        An account there that may SELECT.
    out
        The cohort file.
    field
        One imaging field instead of all.
    password_env
        Name of the environment variable that holds the password.
    schema
        The database there.
    traces
        Read the fluorescence too.
    """
    from biosernn.sources.datajoint import import_datajoint as read

    password = os.environ.get(password_env)
    if password is None:
        raise BadInput(f"--password-env {password_env}", "is no variable that is set", "export it")
    account = {"host": host, "user": user, "password": password}
    _write_cohort(read(session, scan, field, **account, schema=schema, traces=traces), out)


@import_app.command(name="cave")
def import_cave(
    *,
    out: Path,
    session: Whole | None = None,
    scan: Whole | None = None,
    field: Whole | None = None,
    units: Place = None,
    roots: Place = None,
    version: Whole = 1300,
    datastack: str = "minnie65_public",
    server: Word = None,
    token_env: Word = None,
    proofread_only: bool = False,
) -> None:
    """Read coregistered neurons and their synapses from CAVE and write them as a cohort file.

    Interrupted, it goes on when it is run again: answers are kept in the folder BIOSERNN_CACHE.

    Parameters
    ----------
    out
        The cohort file.
    session
        Number of the session.
    scan
        Number of the scan in it.
    field
        One imaging field instead of all.
    units
        Instead, a file of units, a line each: session,scan,unit_id.
    roots
        Instead, a file of root ids at that version, a line each.
    version
        Of the materialization.
    datastack
        The volume.
    server
        Address of the global server, https://HOST; that of caveclient by default.
    token_env
        Name of the environment variable that holds the token; caveclient's own file by default.
    proofread_only
        Keep only neurons whose axon is proofread.
    """
    from biosernn.sources.cave import import_cave as read

    cohort = read(
        session=session,
        scan=scan,
        field=field,
        units=units,
        roots=roots,
        version=version,
        datastack=datastack,
        server=server,
        token_env=token_env,
        proofread_only=proofread_only,
        on_progress=_chunks(),
    )
    for reason, ids in cohort.provenance["dropped"].items():
        print(f"left out, {reason}: {_some(ids)}")
    if proofread_only:
        print(f"left out, axon not proofread: {cohort.provenance['dropped_not_proofread']}")
    if zero := cohort.provenance["nuclei_of_root_id_zero"]:
        print(f"nuclei of root id 0, whose connections are unknown: {_some(zero)}")
    _write_cohort(cohort, out)


@app.command
def calibrate(*, studies: Whole = 2000, out: Place = None) -> None:
    """Simulate studies whose truth is known, and say how often verdicts and intervals err.

    Parameters
    ----------
    studies
        Simulated studies of each scenario.
    out
        Where to write the tables, FILE.md or FILE.csv; the plot of power goes beside it, FILE.svg.
    """
    from biosernn.analysis import calibrate as calibration
    from biosernn.whole_file import check_place, whole_file

    if not 10 <= studies <= 100_000:
        raise BadInput("--studies", f"is {studies}", "give 10 to 100,000")
    if out is not None and out.suffix not in (".md", ".csv"):
        raise BadInput(f"--out {one_line(out)}", "is no FILE.md or FILE.csv", "name one of them")
    if out is not None:
        check_place(out)
    found = calibration.calibrate(
        studies,
        on_progress=lambda done, of: print(
            f"{done} of {of} scenarios", file=sys.stderr, flush=True
        ),
    )
    text = "\n".join(calibration.markdown(found)) + "\n"
    print(text)
    if out is not None:
        from biosernn.report.power_curves import power_curves

        table = calibration.table(found).to_csv(index=False)
        curves = power_curves(calibration.SEEDS, calibration.power(found), studies)
        for path, content in (
            (out, table if out.suffix == ".csv" else text),
            (out.with_suffix(".svg"), curves),
        ):
            with whole_file(path) as file:
                file.write(content.encode())
    print(*calibration.summary(found), sep="\n")


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
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done, and Python would die of it
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
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
        _end_interrupted()
    except Exception as fault:
        if _interrupted():
            _end_interrupted()
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


def _interrupted() -> bool:
    """Whether a signal came: Python loses an exception that meets it in a callback."""
    return signal.getsignal(signal.SIGINT) == signal.SIG_DFL


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

    if _interrupted():
        raise KeyboardInterrupt
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _leave(line: str, status: int) -> NoReturn:
    _say(line)
    sys.exit(status)


def _end_interrupted() -> NoReturn:
    """End with status 130; Python by itself would end by SIGINT where an `exec` was interrupted."""
    _say("interrupted")
    os._exit(130)


def _say(line: str) -> None:
    if len(line) > LONGEST_LINE:
        line = f"{line[: LONGEST_LINE - 200]} … {line[-200:]}"
    print(f"biosernn: {line}", file=sys.stderr, flush=True)
    try:
        print(end="", flush=True)
    except OSError:  # it is full or closed, and would say so again at the very end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _asked(
    study: str,
    cohort: str | None,
    seeds: int | None,
    units: int | None,
    protocol: str | None,
    recipe: str | None,
) -> Any:
    from biosernn.run import find_study

    asked = find_study(study).with_options(
        cohort=cohort, seeds=seeds, units=units, protocol=protocol, recipe=recipe
    )
    for reference in asked.cohort:
        _fetch_absent(reference)
    return asked


def _read_cohort(reference: str) -> Any:
    from biosernn.sources.reference import read_cohort

    _fetch_absent(reference)
    return read_cohort(reference)


def _fetch_absent(reference: str) -> None:
    from biosernn.sources.reference import is_at_hand

    if not is_at_hand(reference):
        _fetch(reference)


def _fetch(reference: str) -> tuple[Path, ...]:
    from biosernn.sources.microns import fetch_microns
    from biosernn.sources.reference import MICRONS

    lines = _lines("files", sys.stderr)
    with _bar("files") if sys.stderr.isatty() else nullcontext(lines) as on_progress:
        return fetch_microns(reference.removeprefix(MICRONS), on_progress=on_progress)


def _checked(workers: int | None) -> int | None:
    if workers is not None and workers < 0:
        raise BadInput("--workers", f"is {workers}", "give 0 or more")
    return workers


def _usual_place(study: str) -> Path:
    """Where a study goes that is told no place: by its preset, its file, or that file's folder."""
    if not study.endswith(".toml"):
        return Path("out") / study
    path = Path(study).resolve()
    return Path("out") / (path.parent.name if path.name == "study.toml" else path.stem)


def _write_cohort(cohort: Any, out: Path) -> None:
    cohort.write(out)
    content = cohort.content_sha256[:12]
    print(f"{one_line(out)}: {cohort.name}, {cohort.n_neurons} neurons, content {content}")


def _chunks() -> Callable[[str, int, int, int], None]:
    """Print a line for every finished table, and one every ten seconds."""
    said_at = time.monotonic()

    def show(table: str, done: int, total: int, rows: int) -> None:
        nonlocal said_at
        now = time.monotonic()
        if done == total or now - said_at > 10:
            print(f"{table}: {done:,} of {total:,} chunks, {rows:,} rows", flush=True)
            said_at = now

    return show


def _some(ids: Sequence[object]) -> str:
    return ", ".join(map(str, ids[:5])) + f" and {len(ids) - 5} more" * (len(ids) > 5)


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
    units = planned.study.units
    line = (
        f"{len(planned.runs):,} runs ({len(planned.study.arms)} arms, {planned.study.seeds} seeds, "
        f"{f'{units} units' if units else 'all neurons'} of {names})"
    )
    different = len({run.id for run in planned.runs})
    if different < len(planned.runs):
        line += f", {different:,} of them different"
    if planned.sweep:
        line += f", after {len(planned.sweep):,} that choose what tuned stands for"
    done = planned.total - len(planned.todo)
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


def _lines(what: str = "runs", stream: TextIO | None = None) -> Callable[[int, int], None]:
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
            line = f"{done:,} of {total:,} {what}, about {_duration(left)} left"
            print(line, file=stream, flush=True)
            said, said_at = done, now

    return show


@contextmanager
def _bar(what: str = "runs") -> Iterator[Callable[[int, int], None]]:
    """Draw a bar on the terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


if __name__ == "__main__":
    main()
