"""The address of a DIMSE server: ``dimse://OUR_AE@host:port/ITS_AE``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cohortkit.errors import UsageError

SCHEMES: Final = ("dimse", "dimse+tls")
PREFIXES: Final = tuple(f"{scheme}://" for scheme in SCHEMES)
"""How an address begins, as ``ck.open_index`` takes it."""

_PORTS: Final = {"dimse": 104, "dimse+tls": 2762}  # PS3.8 9.1.1, PS3.15 B.1
_TITLE: Final = r"[A-Za-z0-9_.-]{1,16}"
_ADDRESS: Final = re.compile(
    rf"(?P<scheme>dimse(?:\+tls)?)://(?P<calling>{_TITLE})@"
    rf"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?"
    rf"/(?P<called>{_TITLE})/?",
)
_HIGHEST: Final = 65_535


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where a server listens, and the application entities' titles of both sides.

    Attributes:
        scheme: ``dimse`` or ``dimse+tls``.
        calling: our title, by which the server's owner lets us in.
        host: a name or number; IPv6 without its brackets.
        port: 104, or 2762 for TLS, where none is said.
        called: the server's title.
    """

    scheme: str
    calling: str
    host: str
    port: int
    called: str

    @classmethod
    def of(cls, text: str) -> Address:
        """Read an address.

        Raises:
            UsageError: it is none.
        """
        found = _ADDRESS.fullmatch(text)
        port = int(found["port"] or _PORTS[found["scheme"]]) if found else 0
        if found is None or not 0 < port <= _HIGHEST:
            raise UsageError(
                "a DIMSE server's address is dimse://OUR_AE@host:port/ITS_AE (dimse+tls:// where "
                "it speaks TLS); titles are of up to 16 letters, digits, dots, dashes, underscores"
            )
        host = found["host"].strip("[]")
        return cls(found["scheme"], found["calling"], host, port, found["called"])

    @property
    def origin(self) -> str:
        """Scheme, host and port in one spelling: to whom credentials belong."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def location(self) -> str:
        """The whole address in one spelling."""
        there = self.origin.partition("://")[2]
        return f"{self.scheme}://{self.calling}@{there}/{self.called}"

    def __repr__(self) -> str:
        return "<Address of a DIMSE server>"
