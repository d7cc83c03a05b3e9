"""The release by name: from a mirror on loopback that does everything wrong, and then offline."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosernn.errors import BadInput, WorkFailed
from biosernn.sources.microns import (
    Mirror,
    fetch_microns,
    is_fetched,
    read_microns,
    release_mirror,
)
from biosernn.sources.reference import is_at_hand, read_cohort
from biosernn.sources.release import read_release
from biosernn.sources.release_folder import LFS_POINTER
from made_up import recording, release_files

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
FIELD_FILES = 9

ALTERED = {
    "corrupted": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "short": lambda content: content[:-1],
    "long": lambda content: content + b"\0",
    "empty": lambda content: b"",
    "pointer": lambda content: POINTER,
    "page": lambda content: b"<html>Welcome to the network of this hotel",
}


@dataclass
class Release:
    """Files behind a mirror on loopback, what is wrong with each, and what was asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Answers(BaseHTTPRequestHandler):
    """Answers for a release, rightly or wrongly."""

    protocol_version = "HTTP/1.1"
    release: Release

    def do_GET(self) -> None:
        name = self.path.removeprefix("/info/")
        self.release.asked.append(name)
        fault = self.release.faults.get(name, "")
        content = self.release.files.get(name.removeprefix("moved/"))
        if content is None or fault in ("404", "503"):
            self._send(b"", status=int(fault or 404))
        elif fault == "moved":
            self._send(b"", status=302, location=f"/info/moved/{name}")
        elif fault == "round in circles":
            self._send(b"", status=302, location=self.path)
        elif fault == "silent":
            self.release.over.wait(20)
        elif fault == "hangs up":
            self.close_connection = True
        elif fault == "endless":
            self._endless()
        elif fault == "broken chunks":
            self._headers(200, {"Transfer-Encoding": "chunked"})
            self.wfile.write(b"%x\r\n" % len(content) + content[: len(content) // 2])
            self.close_connection = True
        elif fault in ("cut", "stalls", "slow"):
            self._in_part(fault, content)
        else:
            self._send(ALTERED.get(fault, bytes)(content))

    def _send(self, body: bytes, status: int = 200, location: str | None = None) -> None:
        headers = {"Content-Length": str(len(body))}
        self._headers(status, headers | ({"Location": location} if location else {}))
        self.wfile.write(body)

    def _headers(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _in_part(self, fault: str, content: bytes) -> None:
        half = len(content) // 2
        self._headers(200, {"Content-Length": str(len(content))})
        self.wfile.write(content[:half])
        if fault == "slow":
            time.sleep(0.2)
            self.wfile.write(content[half:])
        elif fault == "stalls":
            self.release.over.wait(20)
        self.close_connection = fault != "slow"

    def _endless(self) -> None:
        self._headers(200, {"Connection": "close"})
        while not self.release.over.is_set():
            self.wfile.write(bytes(2**20))

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        assert isinstance(sys.exc_info()[1], ConnectionError), sys.exc_info()


@pytest.fixture(autouse=True)
def _nothing_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def loopback_only(host: str, *args: object, **kwargs: object) -> object:
        assert host in ("127.0.0.1", "localhost"), f"{host} is outside"
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", loopback_only)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="module")
def serving() -> Iterator[Release]:
    release = Release()
    handler = type("Handler", (Answers,), {"release": release})
    with Server(("127.0.0.1", 0), handler) as server:
        release.url = f"http://127.0.0.1:{server.server_port}/info/"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield release
        release.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def release(serving: Release) -> Release:
    """The mirror with two made-up fields and no fault."""
    serving.files = made_up("6_6_2", seed=1) | made_up("7_3_8", seed=2)
    serving.faults, serving.asked = {}, []
    return serving


@pytest.fixture
def mirror(release: Release, tmp_path: Path) -> Mirror:
    return Mirror(release.url, tmp_path / "cache", registry(release.files), (10, 10))


def made_up(name: str, seed: int) -> dict[str, bytes]:
    files = release_files(recording(seed=seed), name)
    return {f"{name}/{file}": content for file, content in sorted(files.items())}


def registry(files: dict[str, bytes]) -> dict[str, str]:
    """Hashes as the package has them: spikes by their git blob id."""
    hashes = {}
    for name, content in files.items():
        hashes[name] = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if "spikes" in name:
            blob = f"blob {len(content)}\0".encode() + content
            hashes[name] = f"git:{hashlib.sha1(blob).hexdigest()}"
    return hashes


def kept(mirror: Mirror) -> dict[str, bytes]:
    """Every file in the cache, whatever its name."""
    files = (path for path in mirror.cache.rglob("*") if path.is_file())
    return {str(path.relative_to(mirror.cache)): path.read_bytes() for path in files}


def of_field(files: dict[str, bytes], name: str = "6_6_2") -> dict[str, bytes]:
    return {file: content for file, content in files.items() if file.startswith(f"{name}/")}


# What is fetched.


def test_a_field_is_fetched_once_and_then_read_offline(release: Release, mirror: Mirror) -> None:
    assert not is_fetched("6_6_2", mirror)
    cohort = read_microns("6_6_2", mirror)
    assert kept(mirror) == of_field(release.files)
    assert release.asked == list(of_field(release.files))
    assert is_fetched("6_6_2", mirror)
    offline = replace(mirror, url="http://127.0.0.1:9/")
    again = read_microns("6_6_2", offline)
    folder = read_release(mirror.cache / "6_6_2")
    assert again.content_sha256 == cohort.content_sha256 == folder.content_sha256
    assert again.provenance == cohort.provenance
    assert folder.provenance.items() <= cohort.provenance.items()
    assert cohort.provenance["commit"] == "8d5e241b444803ba552923d32a5fcef39439425b"
    assert cohort.missing == ()


def test_all_fields_are_fetched_and_counted(release: Release, mirror: Mirror) -> None:
    counts: list[tuple[int, int]] = []
    fetch_microns("7_3_8", mirror, lambda *count: counts.append(count))
    assert counts == [(done, FIELD_FILES) for done in range(FIELD_FILES + 1)]
    folders = fetch_microns("all", mirror, lambda *count: counts.append(count))
    assert folders == (mirror.cache / "6_6_2", mirror.cache / "7_3_8")
    assert counts[FIELD_FILES + 1 :] == counts[: FIELD_FILES + 1]
    assert kept(mirror) == release.files
    assert len(release.asked) == 2 * FIELD_FILES
    fetch_microns("all", mirror, lambda *count: counts.append(count))
    assert len(counts) == 2 * (FIELD_FILES + 1)


@pytest.mark.parametrize("fault", ["slow", "moved"])
def test_what_is_slow_or_moved_but_right_is_taken(
    release: Release, mirror: Mirror, fault: str
) -> None:
    release.faults = dict.fromkeys(["6_6_2/sttc_matrix.npy", "6_6_2/spikes_6_6_2.npy"], fault)
    fetch_microns("6_6_2", mirror)
    assert kept(mirror) == of_field(release.files)


def test_several_at_a_time_are_no_trouble(release: Release, mirror: Mirror) -> None:
    release.faults = dict.fromkeys(list(release.files)[:3], "slow")
    with ThreadPoolExecutor(4) as pool:
        cohorts = list(pool.map(read_microns, ["6_6_2"] * 4, [mirror] * 4))
    assert len({cohort.content_sha256 for cohort in cohorts}) == 1
    assert kept(mirror) == of_field(release.files)


def test_a_cache_can_be_shared(mirror: Mirror) -> None:
    (folder,) = fetch_microns("6_6_2", mirror)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}


# What is refused.


FAULTS = {
    "404": "cannot be had: the server answers 404 Not Found; run it again",
    "503": "cannot be had: the server answers 503 Service Unavailable; run it again",
    "corrupted": "has another content than the released file; run it again",
    "short": "has another content than the released file",
    "long": "has another content than the released file",
    "empty": "has another content than the released file",
    "page": "has another content than the released file",
    "pointer": "is a Git LFS pointer, not the data; run `git lfs pull` where the mirror is",
    "cut": "broke off before its end; run it again",
    "broken chunks": "broke off before its end; run it again",
    "stalls": "stopped coming; run it again",
    "silent": "stopped coming; run it again",
    "hangs up": "cannot be reached; connect to a network",
    "round in circles": "cannot be fetched (TooManyRedirects); connect to a network",
    "endless": "is larger than 64 MiB; run it again",
}


@pytest.mark.parametrize("file", ["corr_matrix.npy", "spikes_6_6_2.npy"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_and_nothing_of_it_is_kept(
    release: Release, mirror: Mirror, fault: str, file: str
) -> None:
    wrong = f"6_6_2/{file}"
    release.faults = {wrong: fault}
    hasty = replace(mirror, patience_s=(10, 0.5)) if fault in ("stalls", "silent") else mirror
    with pytest.raises(WorkFailed) as caught:
        read_microns("6_6_2", hasty)
    line = str(caught.value)
    assert line.startswith(f"{release.url}{wrong}: {FAULTS[fault]}"), line
    assert line.isprintable()
    names = list(of_field(release.files))
    before = names[: names.index(wrong)]
    assert kept(mirror) == {name: release.files[name] for name in before}
    release.faults, release.asked[:] = {}, []
    assert read_microns("6_6_2", mirror).missing == ()
    assert release.asked == names[len(before) :]


def test_what_looks_like_a_pointer_is_kept_where_it_is_the_released_content(
    serving: Release, tmp_path: Path
) -> None:
    serving.files, serving.faults = {"6_6_2/x.npy": LFS_POINTER}, {}
    mirror = Mirror(serving.url, tmp_path, registry(serving.files), (10, 10))
    fetch_microns("6_6_2", mirror)
    assert kept(mirror) == serving.files


@settings(max_examples=60)
@given(data=st.data())
def test_no_other_content_is_ever_kept(serving: Release, data: st.DataObject) -> None:
    content = data.draw(st.binary(min_size=1, max_size=200), "released")
    sent = data.draw(
        st.binary(max_size=200)
        | st.integers(0, len(content)).map(lambda end: content[:end])
        | st.integers(0, 8 * len(content) - 1).map(
            lambda bit: (int.from_bytes(content) ^ 1 << bit).to_bytes(len(content))
        ),
        "sent",
    )
    name = data.draw(st.sampled_from(["6_6_2/x.npy", "6_6_2/spikes.npy"]))
    serving.files, serving.faults = {name: sent}, {}
    with TemporaryDirectory() as folder:
        mirror = Mirror(serving.url, Path(folder), registry({name: content}), (10, 10))
        if sent == content:
            fetch_microns("6_6_2", mirror)
            assert kept(mirror) == {name: content}
        else:
            with pytest.raises(WorkFailed):
                fetch_microns("6_6_2", mirror)
            assert kept(mirror) == {}


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: b"", lambda c: b"\0" + c[1:]])
@pytest.mark.parametrize("file", ["positions_6_6_2.npy", "spikes_6_6_2.npy"])
def test_what_is_damaged_in_the_cache_is_fetched_again(
    release: Release, mirror: Mirror, file: str, damage: object
) -> None:
    (folder,) = fetch_microns("6_6_2", mirror)
    right = (folder / file).read_bytes()
    (folder / file).write_bytes(damage(right))
    release.asked[:] = []
    assert not is_fetched("6_6_2", mirror)
    read_microns("6_6_2", mirror)
    assert release.asked == [f"6_6_2/{file}"]
    (folder / file).write_bytes(damage(right))
    with pytest.raises(WorkFailed, match=f"{file}: cannot be reached; connect to a network"):
        read_microns("6_6_2", replace(mirror, url="http://127.0.0.1:9/"))
    assert not (folder / file).exists()


@pytest.mark.parametrize("name", ["6_6_3", "", "6_6", "6_6_2/corr_matrix.npy", "../6_6_2", "ALL"])
def test_what_is_no_field_is_refused(release: Release, mirror: Mirror, name: str) -> None:
    for read in (read_microns, fetch_microns, is_fetched):
        with pytest.raises(BadInput, match="is no released field; name one of 6_6_2, 7_3_8"):
            read(name, mirror)
    assert release.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "ftp://host/",
        "file:///info",
        "http://",
        "http://[::1",
        "http://h:0/",
        "http://h/?a",
    ],
)
def test_what_is_no_mirror_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no address of a mirror; set BIOSERNN_RELEASE_URL"):
        Mirror(url, tmp_path, {})


def test_a_name_that_cannot_be_a_host_is_one_line(mirror: Mirror) -> None:
    with pytest.raises(WorkFailed, match="cannot be fetched"):
        fetch_microns("6_6_2", replace(mirror, url="http://a..b/"))


def test_a_password_in_the_address_is_not_shown(release: Release, mirror: Mirror) -> None:
    release.faults = {"6_6_2/connectome_6_6_2.csv": "404"}
    url = release.url.replace("http://", "http://me:secret@")
    with pytest.raises(WorkFailed) as caught:
        fetch_microns("6_6_2", replace(mirror, url=url))
    assert "secret" not in str(caught.value)
    assert str(caught.value).startswith(release.url)


def test_a_cache_that_cannot_be_is_one_line(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkFailed, match=r"cannot be read or written .*BIOSERNN_CACHE"):
        fetch_microns("6_6_2", replace(mirror, cache=tmp_path / "file" / "cache"))


# The release itself.


def test_the_registry_is_that_of_the_release(shared: Path) -> None:
    facts = {}
    for line in (shared / "data" / "registry.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, sha256, git, _ = line.split()
            facts[name] = git if sha256 == "sha256:unknown" else sha256
    mirror = release_mirror()
    assert mirror.registry == facts
    assert len(mirror.fields) == 56
    assert len(facts) == 56 * FIELD_FILES
    assert sum(known.startswith("git:") for known in facts.values()) == 40


@pytest.mark.parametrize("kind", ["sha256", "git"])
def test_real_files_have_their_registered_hashes(
    shared: Path, release: Release, tmp_path: Path, kind: str
) -> None:
    hashes = {}
    for line in (shared / "data" / "registry.txt").read_text().splitlines():
        name, *known, _ = line.split()
        if name.startswith("7_3_8/"):
            release.files[name] = (shared / "data" / "release" / name).read_bytes()
            hashes[name] = known[kind == "git"]
    fetch_microns("7_3_8", Mirror(release.url, tmp_path, hashes))
    assert len(list((tmp_path / "7_3_8").iterdir())) == FIELD_FILES


def test_the_place_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIOSERNN_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    if sys.platform == "linux":
        assert release_mirror().cache == Path("/somewhere/biosernn/release-8d5e241b4448")
    monkeypatch.setenv("BIOSERNN_CACHE", "~/kept")
    assert release_mirror().cache == Path.home() / "kept" / "release-8d5e241b4448"
    monkeypatch.setenv("BIOSERNN_RELEASE_URL", "")
    assert release_mirror().url.startswith("https://raw.githubusercontent.com/neurovium/")


# The command line, with the package's own registry.


def start(*arguments: str, url: str, cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "biosernn.cli", *arguments],
        env=os.environ | {"BIOSERNN_RELEASE_URL": url, "BIOSERNN_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_killed_fetch_goes_on_and_show_is_then_offline(
    shared: Path, release: Release, tmp_path: Path
) -> None:
    recorded = shared / "data" / "release" / "7_3_8"
    release.files = {f"7_3_8/{path.name}": path.read_bytes() for path in recorded.iterdir()}
    release.faults = {"7_3_8/precision_matrix.npy": "stalls"}
    with start("cohort", "fetch", "microns:7_3_8", url=release.url, cache=tmp_path) as killed:
        while "7_3_8/precision_matrix.npy" not in release.asked:
            assert killed.poll() is None, killed.stderr.read()
            time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
    folder = next(tmp_path.iterdir()) / "7_3_8"
    assert (folder / "corr_matrix.npy").exists()
    assert not (folder / "precision_matrix.npy").exists()
    already = release.asked[:-1]
    release.faults, release.asked = {}, []
    with start("cohort", "fetch", "microns:7_3_8", url=release.url, cache=tmp_path) as fetching:
        out, err = fetching.communicate()
    assert out == f"{folder}: microns:7_3_8, every file as released\n"
    assert err.splitlines()[-1].startswith("6 of 6 files, about 0 s left")
    assert set(release.asked).isdisjoint(already)
    nowhere = "http://127.0.0.1:9/"
    with start("cohort", "show", "microns:7_3_8", "--json", url=nowhere, cache=tmp_path) as showing:
        out, err = showing.communicate()
    assert err == ""
    assert json.loads(out)["content_sha256"] == read_release(recorded).content_sha256


def test_without_a_network_a_plan_ends_in_one_line(tmp_path: Path) -> None:
    with start("plan", "paper", url="http://127.0.0.1:9/", cache=tmp_path) as planning:
        out, err = planning.communicate()
    assert (planning.returncode, out) == (1, "")
    assert err == (
        "biosernn: http://127.0.0.1:9/6_6_2/connectome_6_6_2.csv: cannot be reached; connect to "
        "a network, set BIOSERNN_RELEASE_URL to a mirror, or name a released folder\n"
    )


def test_listing_the_presets_fetches_nothing(release: Release, tmp_path: Path) -> None:
    with start("presets", url=release.url, cache=tmp_path) as listing:
        out, err = listing.communicate()
    assert (listing.returncode, err, release.asked) == (0, "", [])
    assert "(fetches microns:6_6_2; size and time: biosernn plan paper)" in out


def test_references_know_what_is_at_hand(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BIOSERNN_CACHE", str(tmp_path))
    assert is_at_hand("synthetic:16")
    assert not is_at_hand("microns:6_6_2")
    with pytest.raises(WorkFailed, match=r"127\.0\.0\.1:9/6_6_2/.*cannot be reached"):
        read_cohort("microns:6_6_2")
