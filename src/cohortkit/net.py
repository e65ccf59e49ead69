"""One HTTP session: who we are, how long we wait, how often we try, and what is never told.

Credentials come from the environment or the keyring, belong to one server, and go to no other:
a cohort file that somebody else wrote names a server, and gets none of them. No address with a
query, no header and no answer is ever in a message, a log line or a repr.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from cohortkit.errors import MissingDependency, ServerError, UsageError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

WEB: Final = "dicomweb+"
"""How the address of a DICOMweb server begins, as ``ck.open_index`` takes it."""

_TRIES: Final = 5
_LONGEST_WAIT: Final = 60  # seconds between two tries, whatever a server asks for
_BUSY: Final = (429, 502, 503, 504)
_REFUSED: Final = (401, 403)
_MOVED: Final = (301, 302, 303, 307, 308)
_OK: Final = (200, 204, 206)
_MOST_JSON: Final = 1 << 28
_CHUNK: Final = 1 << 16
_PORTS: Final = {"http": 80, "https": 443}
_ANY_PORTS: Final = {**_PORTS, "dimse": 104, "dimse+tls": 2762}
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_STEP: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_quiet: ContextVar[bool] = ContextVar("cohortkit_quiet", default=False)


@dataclass(frozen=True, repr=False)
class Credentials:
    """Who we are, to one server; the repr shows nothing."""

    token: str = ""
    user: str = ""
    password: str = ""
    certificate: str = ""
    certificate_key: str = ""
    authority: str = ""

    @classmethod
    def of(cls, origin: str) -> Credentials:
        """Those of the environment if ``COHORTKIT_SERVER`` is this origin, else the keyring's.

        Raises:
            UsageError: a secret would go over a line that anybody can read.
        """
        said = os.environ.get("COHORTKIT_SERVER", "")
        if said and origin_of(said, _ANY_PORTS) == origin:
            words = ("token", "user", "password", "certificate", "certificate_key", "authority")
            made = cls(**{w: os.environ.get(f"COHORTKIT_SERVER_{w.upper()}", "") for w in words})
        else:
            made = cls(token=_from_keyring(origin))
        if made.secret and origin.startswith("http:") and _host(origin) not in _LOOPBACK:
            raise UsageError("credentials go over https:// alone, but for this machine itself")
        return made

    @property
    def secret(self) -> bool:
        """Whether a request carries anything that is worth stealing."""
        return bool(self.token or self.password)

    def headers(self) -> dict[str, str]:
        """What a request says of who asks."""
        from urllib3.util import make_headers  # noqa: PLC0415 - an extra

        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        if self.user:
            return dict(make_headers(basic_auth=f"{self.user}:{self.password}"))
        return {}

    def __repr__(self) -> str:
        return "<Credentials>"


def _from_keyring(origin: str) -> str:
    if find_spec("keyring") is None:
        return ""
    import keyring  # noqa: PLC0415 - optional

    try:
        return keyring.get_password("cohortkit", origin) or ""
    except Exception:  # noqa: BLE001 - each keyring has its own errors; without one there is no token
        return ""


def origin_of(url: str, ports: Mapping[str, int] = _PORTS) -> str:
    """Scheme, host and port of an address, in one spelling.

    Args:
        url: the address.
        ports: scheme → the port where none is said.

    Raises:
        UsageError: it is no address of a web server, or holds a user, password or query.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError("a server's address is https://host[:port]/path") from None
    if parts.scheme not in ports or not parts.hostname:
        raise UsageError("a server's address is https://host[:port]/path")
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError(
            "a server's address holds no user, password or query: credentials come from the "
            "environment (COHORTKIT_SERVER, COHORTKIT_SERVER_TOKEN …) or the keyring"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port or ports[parts.scheme]}"


def _host(origin: str) -> str:
    return urlsplit(origin).hostname or ""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of objects as JSON.

    Attributes:
        items: the objects.
        warned: whether the server said that there is something to be said of it (Warning 299).
    """

    items: list[dict[str, object]]
    warned: bool


@dataclass(repr=False)
class Session:
    """Requests to one server.

    Attributes:
        url: its address, without credentials.
        patience: seconds without a byte after which a server hangs.
        whole: seconds after which an answer has to have come.
        tries: how often a busy server, or one that breaks off, is asked.
    """

    url: str
    patience: float = 60
    whole: float = 1800
    tries: int = _TRIES
    origin: str = field(init=False)

    def __post_init__(self) -> None:
        """Refuse an address that is none."""
        self.origin = origin_of(self.url)
        self.url = self.url.rstrip("/")

    def __repr__(self) -> str:
        return f"<Session with {self.origin}>"

    def page(self, path: str, terms: Sequence[tuple[str, str]] = ()) -> Page:
        """Objects in DICOM JSON (PS3.18 F); 204 is none, and 200 without a byte was cut short.

        Raises:
            ServerError: no answer, an error, or something else than a list of objects.
        """
        with self.get(path, "application/dicom+json", terms) as answer:
            if answer.status == 204:  # noqa: PLR2004 - no content
                return Page([], warned=False)
            data = b"".join(limited(chunks(answer, self.whole)))
            warned = str(answer.headers.get("Warning", "")).startswith("299")
        try:
            items = json.loads(data)
        except (ValueError, RecursionError):
            raise ServerError("the server's answer is no DICOM JSON") from None
        if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
            raise ServerError("the server's answer is no list of objects")
        return Page(items, warned)

    @contextmanager
    def get(
        self, path: str, accept: str, terms: Sequence[tuple[str, str]] = ()
    ) -> Iterator[BaseHTTPResponse]:
        """One answer, whose body has not been read yet.

        Args:
            path: below the server's address; from ``below`` where it holds identifiers.
            accept: the media types that are understood.
            terms: of the query; the values are sent as they are, so they hold no sign that
                would have to be written as another.

        Raises:
            ServerError: no answer, an error, or one that sends us to another server.
        """
        query = "&".join(f"{name}={value}" for name, value in terms)
        token = _quiet.set(True)
        try:
            answer = self._sent(f"{self.url}/{path}" + (f"?{query}" if query else ""), accept)
            try:
                yield answer
            finally:
                _part_with(answer)
        finally:
            _quiet.reset(token)

    def _sent(self, url: str, accept: str) -> BaseHTTPResponse:
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - an extra

        headers = {"Accept": accept, **self._credentials.headers()}
        for _ in range(3):
            try:
                answer = self._pool.request(
                    "GET", url, headers=headers, redirect=False, preload_content=False
                )
            except (HTTPError, OSError):
                raise ServerError("the server cannot be reached, or does not answer") from None
            if answer.status not in _MOVED:
                break
            _part_with(answer)
            url = self._elsewhere(url, str(answer.headers.get("Location", "")))
        if answer.status not in _OK:
            _part_with(answer)
            raise _refused(answer.status)
        return answer

    def _elsewhere(self, url: str, said: str) -> str:
        """Where the same server sends us; our token follows to no other."""
        there = urljoin(url, said)
        parts = urlsplit(there)
        if origin_of(f"{parts.scheme}://{parts.netloc}") != self.origin:
            raise ServerError("the server sends us to another one, which is not asked")
        return there

    @cached_property
    def _credentials(self) -> Credentials:
        return Credentials.of(self.origin)

    @cached_property
    def _pool(self) -> PoolManager:
        try:
            import urllib3  # noqa: PLC0415 - an extra
        except ModuleNotFoundError:
            raise MissingDependency("urllib3: pip install 'cohortkit[dicomweb]'") from None
        _silence()
        retry = urllib3.Retry(
            total=self.tries,
            status_forcelist=_BUSY,
            backoff_factor=0.5,
            backoff_jitter=0.2,
            backoff_max=_LONGEST_WAIT,
            retry_after_max=_LONGEST_WAIT,
            redirect=0,
            raise_on_status=False,
        )
        who = self._credentials
        return urllib3.PoolManager(
            maxsize=4,
            retries=retry,
            timeout=urllib3.Timeout(connect=min(10, self.patience), read=self.patience),
            cert_file=who.certificate or None,
            key_file=who.certificate_key or None,
            ca_certs=who.authority or None,
        )

    def __getstate__(self) -> dict[str, object]:
        """Without the connections, and without credentials: whoever gets it has its own."""
        return {n: v for n, v in self.__dict__.items() if n not in {"_pool", "_credentials"}}


def _part_with(answer: BaseHTTPResponse) -> None:
    """Give the connection back, closed where the answer was not read to its end.

    Without that the few there are would be waited for, for ever.
    """
    answer.close()
    answer.release_conn()


def _refused(status: int) -> ServerError:
    if status in _REFUSED:
        why = (
            f"the server does not let us in ({status}): COHORTKIT_SERVER says whose credentials "
            "those of COHORTKIT_SERVER_TOKEN, _USER and _PASSWORD, or _CERTIFICATE are"
        )
    elif status in _BUSY:
        why = f"the server is busy ({status}), also after waiting"
    else:
        why = f"the server answers with an error ({status})"
    return ServerError(why, status)


def below(*steps: str) -> str:
    """A path of words and identifiers, which a server may have told.

    Raises:
        ServerError: one would make another address of it.
    """
    if not all(map(_STEP.fullmatch, steps)):
        raise ServerError("an identifier that no address can hold is not asked for")
    return "/".join(steps)


def chunks(answer: BaseHTTPResponse, whole: float) -> Iterator[bytes]:
    """The body in pieces.

    Raises:
        ServerError: it breaks off, hangs, or has not ended after ``whole`` seconds.
    """
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - an extra

    until = time.monotonic() + whole
    try:
        for piece in answer.stream(_CHUNK, decode_content=False):
            yield piece
            if time.monotonic() > until:
                raise ServerError("the server does not come to an end of its answer")
    except (HTTPError, OSError):
        raise ServerError("the server broke off in the middle of its answer") from None


def limited(pieces: Iterator[bytes], most: int = _MOST_JSON) -> Iterator[bytes]:
    """The same pieces, as long as they can be held.

    Raises:
        ServerError: there are more.
    """
    for piece in pieces:
        most -= len(piece)
        if most < 0:
            raise ServerError("the server's answer is larger than any real one")
        yield piece


def _silence() -> None:
    """urllib3 tells addresses, and with them what was asked: not where we ask."""
    for name in ("urllib3.connectionpool", "urllib3.util.retry", "urllib3.response"):
        logger = logging.getLogger(name)
        if _spoken not in logger.filters:
            logger.addFilter(_spoken)


def _spoken(_record: logging.LogRecord) -> bool:
    return not _quiet.get()
