"""Small real web servers, that answer as they are told."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Act = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(
    act: Act, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A real server, and the headers of each request that it got."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({"path": self.path, **self.headers})
            act(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answering(status: int, body: bytes = b"", length: int | None = None, **headers: str) -> Act:
    """Always the same answer, perhaps with another length than it says."""

    def act(to: BaseHTTPRequestHandler) -> None:
        to.send_response(status)
        for name, value in headers.items():
            to.send_header(name.replace("_", "-"), value)
        to.send_header("Content-Length", str(len(body) if length is None else length))
        to.end_headers()
        to.wfile.write(body)

    return act


KIND = 'multipart/related; type="application/dicom"; boundary=b0und'


def multipart(objects: list[bytes]) -> bytes:
    """The body of an answer."""
    head = b"--b0und\r\nContent-Type: application/dicom\r\n\r\n"
    return b"".join(head + one + b"\r\n" for one in objects) + b"--b0und--"


@dataclass
class Hospital:
    """A server with one series, which answers by rights until it is told otherwise.

    Attributes:
        objects: by SOP Instance UID.
        wrong: what happens to the nth request instead.
    """

    objects: dict[str, bytes]
    wrong: dict[int, Act] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def act(self, to: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        number = len(self.asked)
        self.asked.append(to.path)
        usual = self.wrong.get(-1, self.usual)
        self.wrong.get(number, usual)(to)

    def usual(self, to: BaseHTTPRequestHandler) -> None:
        """What a server does."""
        _, _, uid = to.path.partition("/instances/")
        found = [one for name, one in self.objects.items() if uid in {"", name}]
        (answering(200, multipart(found), Content_Type=KIND) if found else answering(404))(to)
