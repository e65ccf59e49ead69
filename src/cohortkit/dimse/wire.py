"""A line on which nobody waits for an acknowledgement.

Servers write a message in small pieces, and many of them hold each piece back until the one before
is acknowledged, which a system that has nothing to say does 40 ms later: for a series of small
objects that is most of the time.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any, Final

_AT_ONCE: Final = getattr(socket, "TCP_QUICKACK", None)  # Linux alone


class Prompt:
    """A socket that acknowledges what it reads at once, and sends what it has at once."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        with suppress(OSError):  # it may have gone again
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def recv(self, size: int) -> bytes:
        """Read some bytes."""
        data = self._line.recv(size)
        if _AT_ONCE is not None:
            with suppress(OSError):
                self._line.setsockopt(socket.IPPROTO_TCP, _AT_ONCE, 1)
        return data

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a socket has
        """All else is the socket's own."""
        return getattr(self._line, name)
