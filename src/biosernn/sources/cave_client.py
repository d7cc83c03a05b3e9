"""caveclient behind a gate: every answer of the server is checked before caveclient takes it.

On its own caveclient only logs that an answer was cut, opens a browser where terms of service are
to be accepted, takes its token along to wherever it is redirected, waits without end, and takes an
Arrow stream that stops between two batches for a whole one.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

from biosernn.errors import BadInput, WorkFailed

API_VERSION = 3
TIMEOUT_S = 60.0
RETRIES = 6
BACKOFF_S = 1.0
LONGEST_WAIT_S = 60.0
RETRIED = (429, 500, 502, 503, 504)
ARROW = "data.arrow"
END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
CUT = "Limited query to"
TOKEN = re.compile(r"[!-~]{1,4096}")
ADDRESS = re.compile(
    r"(https://[A-Za-z0-9.-]+|http://(127(\.[0-9]{1,3}){3}|localhost|\[::1\]))(:[0-9]{1,5})?"
)
AGAIN = "run the same command again later: what was answered is kept"


class NotThere(BadInput):
    """What was asked for is not on the server."""


@contextmanager
def connected(
    datastack: str, version: int, server: str | None, token_env: str | None
) -> Iterator["CaveClient"]:
    """Connect with one version of a datastack.

    Parameters
    ----------
    datastack
        As `minnie65_public`.
    version
        Of the materialization.
    server
        Address of the global server; caveclient's own when None.
    token_env
        The environment variable that holds the token; caveclient's own file is read when None.

    Raises
    ------
    BadInput
        If caveclient is not installed, the token is not accepted, or the datastack or the version
        is not there.
    WorkFailed
        If the server cannot be reached or does not answer as it should.

    """
    with ExitStack() as opened:
        yield CaveClient(opened, datastack, version, server, token_env)


class CaveClient:
    """One version of a datastack on a CAVE server.

    Attributes
    ----------
    server
        Address of the server that holds the tables.
    info
        What the server says about the datastack.

    """

    def __init__(
        self,
        opened: ExitStack,
        datastack: str,
        version: int,
        server: str | None,
        token_env: str | None,
    ) -> None:
        try:
            import requests
            from caveclient.auth import AuthClient
            from caveclient.endpoints import default_global_server_address
            from caveclient.infoservice import InfoServiceClient
            from caveclient.materializationengine import MaterializationClient
        except ImportError as error:
            raise BadInput(
                "caveclient", f"cannot be imported ({error})", "run: pip install 'biosernn[cave]'"
            ) from error
        self._fault = requests.RequestException
        self._opened = opened
        self._version = version
        self._headers: Any = {}
        self.server = _address("--server", server or default_global_server_address)
        self._tokens = f"{self.server}/sticky_auth/settings/tokens"
        given = None if token_env is None else _token(token_env)
        auth = self._asked(lambda: AuthClient(token=given, server_address=self.server))
        self._token = auth.token
        if self._token is not None and not TOKEN.fullmatch(str(self._token)):
            raise BadInput("the token in caveclient's file", "is none", "save it again there")
        gate = self

        class Gated:
            """Sends a client's first request, and so all of them, through the gate."""

            session: Any

            def _get_version(self) -> Any:
                gate._guard(self.session)
                return super()._get_version()  # type: ignore[misc]

        class GatedInfo(Gated, InfoServiceClient): ...

        class GatedTables(Gated, MaterializationClient): ...

        self.info = self._asked(
            lambda: GatedInfo(self.server, datastack, auth_client=auth).get_datastack_info()
        )
        local = self.info.get("local_server")
        self.server = _address(f"datastack {datastack}: local_server", local)
        self._tables = self._asked(
            lambda: GatedTables(self.server, datastack, auth, api_version=API_VERSION)
        )
        if gate._check not in self._tables.session.hooks["response"]:
            raise BadInput("caveclient", "works in another way than 8.2", "install caveclient 8.2")
        versions = self._asked(lambda: [int(v) for v in self._tables.get_versions()])
        if version not in versions:
            served = ", ".join(map(str, sorted(versions, reverse=True)[:10]))
            raise BadInput(
                f"--version {version}", f"is not one that {datastack} has", f"use one of {served}"
            )

    def has(self, table: str) -> bool:
        """Whether there is a table of that name."""
        try:
            self._asked(
                lambda: self._tables.get_table_metadata(
                    table, version=self._version, log_warning=False
                )
            )
        except NotThere:
            return False
        return True

    def query(self, table: str, **filters: Any) -> tuple[Any, bool]:
        """Ask for rows of a table, as caveclient's `query_table` does.

        Returns
        -------
        tuple
            The rows as a DataFrame, and whether the server says that there are more.

        """
        frame = self._asked(
            lambda: self._tables.query_table(
                table,
                materialization_version=self._version,
                merge_reference=False,
                split_positions=True,
                metadata=False,
                log_warning=False,
                **filters,
            )
        )
        wanted = filters.get("desired_resolution")
        stated = self._headers.get("dataframe_resolution")
        if wanted and stated:
            given = self._asked(lambda: [float(nm) for nm in stated.strip("[]").split(",")])
            if given != wanted:
                where = f"{self.server}, table {table}"
                raise WorkFailed(where, f"gives positions in {given} nm, not {wanted}", AGAIN)
        return frame, CUT in self._headers.get("Warning", "")

    def _guard(self, session: Any) -> None:
        """Let a session repeat what failed for the moment, wait only so long, and check answers."""
        from functools import partial

        from requests.adapters import HTTPAdapter
        from urllib3.util.retry import Retry

        class Patience(Retry):
            """Waits as long as the server asks, within reason."""

            def get_retry_after(self, response: Any) -> float | None:
                asked = super().get_retry_after(response)
                return None if asked is None else min(asked, LONGEST_WAIT_S)

        repeats = Patience(
            total=RETRIES,
            backoff_factor=BACKOFF_S,
            status_forcelist=RETRIED,
            allowed_methods=("GET", "POST"),
            raise_on_status=False,
        )
        self._opened.enter_context(session)
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=repeats))
        session.request = partial(session.request, timeout=TIMEOUT_S)
        session.hooks["response"].append(self._check)

    def _check(self, response: Any, **_: Any) -> None:
        """Refuse every answer that is not whole, of the right kind and from where it was asked."""
        where, status, content = _place(response.url), response.status_code, response.content
        if 300 <= status < 400:
            raise BadInput(where, "sends elsewhere, as to a login page", self._remedy())
        if status == 401:
            what = "asks for a token" if self._token is None else "does not accept the token"
            raise BadInput(where, f"{what} (401)", self._remedy())
        if status == 403:
            raise BadInput(where, "does not allow this (403)", self._permission(content))
        if status in (404, 410):
            remedy = "see --datastack, --version and --server"
            raise NotThere(where, f"is not there ({status})", remedy)
        if status in RETRIED:
            what = "is asked too much" if status == 429 else "fails"
            raise WorkFailed(where, f"{what} ({status}), {RETRIES + 1} times", AGAIN)
        if status != 200:
            raise WorkFailed(where, f"answers with status {status}", AGAIN)
        kind = response.headers.get("Content-Type", "none").split(";")[0]
        wanted = ARROW if response.request.method == "POST" else "application/json"
        if kind != wanted:
            raise WorkFailed(where, f"answers with {kind}, not {wanted}", AGAIN)
        if wanted == ARROW and not content.endswith(END_OF_STREAM):
            raise WorkFailed(where, "answers with a part of an Arrow stream", AGAIN)
        self._headers = response.headers

    def _asked(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except (BadInput, WorkFailed):
            raise
        except self._fault as error:
            raise WorkFailed(self.server, _in_words(error), AGAIN) from error
        except Exception as error:
            what = f"answers with what caveclient cannot read ({type(error).__name__})"
            raise WorkFailed(self.server, what, AGAIN) from error

    def _remedy(self) -> str:
        return f"put a token from {self._tokens} in a variable and name that with --token-env"

    def _permission(self, content: bytes) -> str:
        try:
            answer = json.loads(content)
            if answer["error"] == "missing_tos":
                form = str(answer["data"]["tos_form_url"]).replace(str(self._token), "…")
                return f"accept the terms of service at {form[:300]} and run it again"
        except (ValueError, LookupError, TypeError):
            pass
        return "ask there for access, with the account of the token"


def _token(variable: str) -> str:
    token = os.environ.get(variable, "")
    if not TOKEN.fullmatch(token):
        what = "is not one word of ASCII characters" if token else "is not set"
        raise BadInput(f"environment variable {variable}", what, "put the token there")
    return token


def _address(where: str, address: object) -> str:
    """Allow only where a token is not sent in the clear."""
    text = str(address).rstrip("/")
    if not ADDRESS.fullmatch(text):
        raise BadInput(f"{where} {text!r}", "is no address of a server", "give https://HOST")
    return text


def _place(url: str) -> str:
    parts = urlsplit(url)
    table = re.search(r"/table/([^/]+)/", parts.path)
    return f"{parts.scheme}://{parts.netloc}" + (f", table {table[1]}" if table else "")


def _in_words(error: Exception) -> str:
    from requests.exceptions import ChunkedEncodingError, ConnectionError, Timeout
    from urllib3.exceptions import ReadTimeoutError

    cause = error.args[0] if error.args else error
    if isinstance(error, Timeout) or isinstance(getattr(cause, "reason", cause), ReadTimeoutError):
        return f"does not answer within {TIMEOUT_S:g} s"
    if isinstance(error, ChunkedEncodingError):
        return "stops in the middle of an answer"
    if isinstance(error, ConnectionError):
        return "cannot be reached"
    return f"answers with what cannot be read ({type(error).__name__})"
