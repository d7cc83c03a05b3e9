"""The authors' release by name: fetched file by file, checked whenever it is read, then offline.

`microns:6_6_2` names the field 6_6_2 of the release at one commit. The package holds the hash of
every file, and what has another content is never used, wherever it comes from. Pooch keeps the
files; 40 of them are known by their git blob id only, which it cannot check, so the check is here.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from biosernn.cohort.cohort import Cohort
from biosernn.errors import BadInput, WorkFailed
from biosernn.sources.cache import CACHE_VARIABLE, cache_folder
from biosernn.sources.release import read_release
from biosernn.sources.release_folder import LARGEST_FILE, LFS_POINTER

if TYPE_CHECKING:
    from requests import Session

REPOSITORY = "neurovium/CorticalBlueprintRNN"
COMMIT = "8d5e241b444803ba552923d32a5fcef39439425b"
RELEASE_URL = f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}/Model/DATA/info/"
URL_VARIABLE = "BIOSERNN_RELEASE_URL"
ALL = "all"
PATIENCE_S = (3.05, 30.0)
PIECE = 2**16
UNREACHED = f"connect to a network, set {URL_VARIABLE} to a mirror, or name a released folder"
UNSOUND = f"run it again, or set {URL_VARIABLE} to another mirror"


@dataclass(frozen=True)
class Mirror:
    """Where released files come from, where they are kept, and what they must be.

    Attributes
    ----------
    url
        What the names of files are appended to; http or https.
    cache
        The folder that holds a folder per field.
    registry
        Hash of every file by its name, as `6_6_2/corr_matrix.npy`: `sha256:` and the hash, or
        `git:` and the blob id.
    patience_s
        How long to wait for a connection, and then for each next byte, in seconds.

    Raises
    ------
    BadInput
        If the address is none of a web server.

    Examples
    --------
    >>> Mirror("ftp://example.org", Path("cache"), {})
    Traceback (most recent call last):
    biosernn.errors.BadInput: release at 'ftp://example.org': is no address of a mirror; ...

    """

    url: str
    cache: Path
    registry: Mapping[str, str]
    patience_s: tuple[float, float] = PATIENCE_S

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.query or parts.fragment:
            raise BadInput(
                f"release at {self.url[:200]!r}",
                "is no address of a mirror",
                f"set {URL_VARIABLE} to one as https://host/folder/",
            )

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields, in order."""
        return tuple(dict.fromkeys(name.partition("/")[0] for name in self.registry))


def release_mirror() -> Mirror:
    """The release, or the mirror that `BIOSERNN_RELEASE_URL` names, kept in the user's cache.

    That is the folder `BIOSERNN_CACHE`, or the system's place for caches (`XDG_CACHE_HOME`).

    Examples
    --------
    >>> len(release_mirror().fields), release_mirror().registry["6_6_2/corr_matrix.npy"][:18]
    (56, 'sha256:...')

    """
    text = files("biosernn.sources").joinpath("microns_registry.txt").read_text("ascii")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return Mirror(
        url=os.environ.get(URL_VARIABLE) or RELEASE_URL,
        cache=cache_folder() / f"release-{COMMIT[:12]}",
        registry=dict(line.split() for line in lines),
    )


def read_microns(field: str, mirror: Mirror | None = None) -> Cohort:
    """Read one field of the release, fetching first what is not there.

    Parameters
    ----------
    field
        `<session>_<scan>_<field>`, as `6_6_2`.
    mirror
        Another than `release_mirror()`.

    Returns
    -------
    Cohort
        As `read_release` reads the field's folder.

    Raises
    ------
    BadInput
        If there is no such field, or the mirror's address is none.
    WorkFailed
        If a file is neither in the cache nor to be had, or has another content.

    References
    ----------
    .. [1] Released code and data of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> read_microns("1_2_3")
    Traceback (most recent call last):
    biosernn.errors.BadInput: cohort microns:1_2_3: is no released field; name one of 4_7_2, ...

    """
    mirror = mirror or release_mirror()
    if field == ALL:
        raise BadInput("cohort microns:all", "is not one cohort", _one_of(mirror))
    (folder,) = fetch_microns(field, mirror)
    cohort = read_release(folder)
    origin = {"repository": REPOSITORY, "commit": COMMIT}
    return replace(cohort, provenance=cohort.provenance | origin)


def fetch_microns(
    field: str,
    mirror: Mirror | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Path, ...]:
    """Fetch the files of one field or of all, those that are not in the cache as they should be.

    A file is written under another name and gets its own once it is whole and its content is the
    registered one. Cut off, a fetch goes on where it stopped.

    Parameters
    ----------
    field
        As `6_6_2`, or `all`.
    mirror
        Another than `release_mirror()`.
    on_progress
        Called with the numbers of files fetched and to fetch, if there are any to fetch.

    Returns
    -------
    tuple of Path
        The folder of each field.

    Raises
    ------
    BadInput, WorkFailed
        As `read_microns`.

    """
    mirror = mirror or release_mirror()
    wanted = _wanted(field, mirror)
    with _cache_in_order(mirror):
        absent = [name for name in wanted if not _is_registered(name, mirror)]
        if absent:
            _fetch(absent, mirror, on_progress)
    return tuple(mirror.cache / name for name in mirror.fields if field in (name, ALL))


def is_fetched(field: str, mirror: Mirror | None = None) -> bool:
    """Whether every file of a field, or of `all`, is in the cache as it should be."""
    mirror = mirror or release_mirror()
    wanted = _wanted(field, mirror)
    with _cache_in_order(mirror):
        return all(_is_registered(name, mirror) for name in wanted)


def _wanted(field: str, mirror: Mirror) -> list[str]:
    if field not in (*mirror.fields, ALL):
        raise BadInput(f"cohort microns:{field}", "is no released field", _one_of(mirror))
    return [name for name in mirror.registry if field in (name.partition("/")[0], ALL)]


def _one_of(mirror: Mirror) -> str:
    return f"name one of {', '.join(mirror.fields)}"


def _fetch(absent: list[str], mirror: Mirror, on_progress: Callable[[int, int], None]) -> None:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # `on_progress` is told instead
    kept = pooch.create(mirror.cache, mirror.url.rstrip("/") + "/", registry=dict.fromkeys(absent))
    with requests.Session() as session:
        for done, name in enumerate(absent):
            on_progress(done, len(absent))
            place = mirror.cache / name
            place.parent.mkdir(parents=True, exist_ok=True)  # Pooch fails if another makes it
            if place.exists() and not _is_registered(name, mirror):
                place.unlink()
            kept.fetch(name, downloader=partial(_download, name, mirror, session))
    on_progress(len(absent), len(absent))


def _download(
    name: str, mirror: Mirror, session: "Session", url: str, output: str, pooch: object
) -> None:
    """Fetch one file for Pooch, which calls this with a temporary name and then renames it."""
    from requests import RequestException

    shown = _without_password(url)
    answered = False
    try:
        with session.get(
            url, stream=True, timeout=mirror.patience_s, headers={"Accept-Encoding": "identity"}
        ) as answer:
            answered = True
            if answer.status_code != 200:
                status = f"{answer.status_code} {answer.reason}"
                raise WorkFailed(shown, f"cannot be had: the server answers {status}", UNSOUND)
            with open(output, "wb") as stream:
                for piece in answer.iter_content(PIECE):
                    stream.write(piece)
                    if stream.tell() > LARGEST_FILE:
                        raise WorkFailed(shown, f"is larger than {LARGEST_FILE >> 20} MiB", UNSOUND)
    except (RequestException, ValueError) as error:  # some bad addresses are told by urllib3
        what, remedy = _why(error, answered)
        raise WorkFailed(shown, what, remedy) from error
    content = Path(output).read_bytes()
    if _hash(content, mirror.registry[name]) != mirror.registry[name]:
        if content.startswith(LFS_POINTER):
            pull = "run `git lfs pull` where the mirror is"
            raise WorkFailed(shown, "is a Git LFS pointer, not the data", pull)
        raise WorkFailed(shown, "has another content than the released file", UNSOUND)
    os.chmod(output, 0o644)  # the temporary file is its owner's alone, but a cache can be shared


def _why(error: Exception, answered: bool) -> tuple[str, str]:
    from requests import exceptions

    if isinstance(error, exceptions.SSLError):
        return "has no certificate that is trusted here", UNREACHED
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "broke off before its end", UNSOUND
    if answered or isinstance(error, exceptions.ReadTimeout):
        return "stopped coming", UNSOUND
    if isinstance(error, exceptions.ConnectionError):
        return "cannot be reached", UNREACHED
    return f"cannot be fetched ({type(error).__name__})", UNREACHED


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _is_registered(name: str, mirror: Mirror) -> bool:
    path, registered = mirror.cache / name, mirror.registry[name]
    if not path.is_file() or path.stat().st_size > LARGEST_FILE:
        return False
    return _hash(path.read_bytes(), registered) == registered


def _hash(content: bytes, registered: str) -> str:
    """The hash of a content, of the kind that is registered."""
    if registered.startswith("git:"):
        blob = b"blob %d\0" % len(content) + content
        return f"git:{hashlib.sha1(blob, usedforsecurity=False).hexdigest()}"
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@contextmanager
def _cache_in_order(mirror: Mirror) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WorkFailed(
            error.filename or mirror.cache,
            f"cannot be read or written ({error.strerror or 'no access'})",
            f"make room or access there, or set {CACHE_VARIABLE} to another folder",
        ) from error
