"""Associations with one server: opened with patience, ended always, and never talkative."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cohortkit.dimse.address import Address
from cohortkit.dimse.silence import demand, silent
from cohortkit.dimse.watch import Watch
from cohortkit.dimse.wire import Prompt
from cohortkit.errors import ServerError
from cohortkit.net import Credentials

if TYPE_CHECKING:
    from pynetdicom import AE
    from pynetdicom.association import Association
    from pynetdicom.presentation import PresentationContext

MOST: Final = 1 << 36
"""Bytes of one object or answer."""

LONGEST_WAIT: Final = 60
"""Seconds between two tries."""

_TRANSIENT: Final = 2  # result of a rejection (PS3.8 9.3.4)
_CALLING: Final = (1, 3)  # source and reason of a rejection: our title is not known
_CALLED: Final = (1, 7)  # its title is another
_T = TypeVar("_T")


class Unfinished(Exception):  # noqa: N818 - of this package alone: it is tried again
    """A server that is busy, or an answer that ended before its end."""


@dataclass(repr=False)
class Peer:
    """One server, and how it is treated. It goes to a worker without credentials.

    Attributes:
        address: where it is, and who we are to it.
        patience: seconds without a byte after which it hangs.
        whole: seconds after which an answer has to have come.
        tries: how often one that is busy, or breaks off, is asked.
        back_off: seconds before the second try; each next wait is twice as long.
        most: bytes of one object or answer.
    """

    address: Address
    patience: float = 60
    whole: float = 1800
    tries: int = 5
    back_off: float = 0.5
    most: int = MOST

    def __post_init__(self) -> None:
        """Refuse where the library is not installed."""
        demand()

    def echo(self) -> None:
        """Ask whether it is there, and lets us in (C-ECHO).

        Raises:
            ServerError: it is not, or does not.
        """
        from pynetdicom import build_context  # noqa: PLC0415 - an extra
        from pynetdicom.sop_class import Verification  # noqa: PLC0415 - an extra

        def ask() -> None:
            with self.associated([build_context(Verification)]) as (link, _):
                if not link.accepted_contexts or link.send_c_echo().get("Status") != 0:
                    raise Unfinished("the server does not answer")

        self.patiently(ask)

    def patiently(self, ask: Callable[[], _T]) -> _T:
        """Ask again, later and later, where an answer was unfinished.

        Raises:
            ServerError: it was so each time.
        """
        wait = self.back_off
        for left in range(self.tries - 1, -1, -1):
            try:
                return ask()
            except Unfinished as broken:
                if not left:
                    raise ServerError(str(broken)) from None
            time.sleep(min(wait, LONGEST_WAIT))
            wait *= 2
        raise AssertionError("at least one try")

    @contextmanager
    def associated(
        self,
        contexts: Sequence[PresentationContext],
        *,
        roles: Sequence[object] = (),
        store: Callable[[Any], int] | None = None,
    ) -> Iterator[tuple[Association, Watch]]:
        """An association, released at the end, or aborted where something went wrong.

        Args:
            contexts: what is to be talked about, at most 128.
            roles: which of these the server may send us.
            store: takes an object that it sends.

        Raises:
            Unfinished: it cannot be reached, is busy, or breaks off.
            ServerError: it does not let us in.
        """
        watch = Watch(self.patience, self.whole, self.most)
        with silent():
            link = self._opened(contexts, roles, store, watch)
            watch.begin(lambda: _hang_up(link))
            try:
                yield link, watch
                if link.is_established:
                    link.release()
            finally:
                watch.end()
                if link.is_established:
                    _hang_up(link)

    def _opened(
        self,
        contexts: Sequence[PresentationContext],
        roles: Sequence[object],
        store: Callable[[Any], int] | None,
        watch: Watch,
    ) -> Association:
        from pynetdicom import evt  # noqa: PLC0415 - an extra

        handlers: list[Any] = [(evt.EVT_DATA_RECV, watch.heard)]
        handlers += [(evt.EVT_C_STORE, store)] if store else []
        try:
            link = _entity(self).associate(
                self.address.host,
                self.address.port,
                contexts=list(contexts),
                ae_title=self.address.called,
                ext_neg=list(roles),
                max_pdu=0,
                tls_args=self._tls(),
                evt_handlers=handlers,
            )
        except (OSError, ValueError, TypeError, RuntimeError):  # no such host
            raise Unfinished("the server cannot be reached, or does not answer") from None
        if not link.is_established:
            raise _unopened(link)
        line: Any = link.dul.socket
        if line is not None and type(line.socket) is socket.socket:  # the library looks for TLS
            line.socket = Prompt(line.socket)
        return link

    def _tls(self) -> tuple[ssl.SSLContext, str] | None:
        if not self.address.scheme.endswith("tls"):
            return None
        who = Credentials.of(self.address.origin)
        try:
            context = ssl.create_default_context(cafile=who.authority or None)
            if who.certificate:
                context.load_cert_chain(who.certificate, who.certificate_key or None)
        except (OSError, ssl.SSLError):
            raise ServerError(
                "a certificate cannot be read: COHORTKIT_SERVER_CERTIFICATE, _CERTIFICATE_KEY and "
                "_AUTHORITY name files"
            ) from None
        return context, self.address.host

    def __repr__(self) -> str:
        return "<Peer>"


def _entity(peer: Peer) -> AE:
    from pynetdicom import AE  # noqa: PLC0415 - an extra

    entity = AE(ae_title=peer.address.calling)
    entity.connection_timeout = min(10, peer.patience)
    entity.acse_timeout = peer.patience
    entity.dimse_timeout = peer.whole
    entity.network_timeout = peer.whole
    return entity


def _unopened(link: Association) -> Exception:
    """Why there is no association."""
    if link.rejected_contexts:
        return ServerError(
            "the server knows nothing of what it is asked for: C-ECHO, C-FIND, C-GET (Study Root)"
        )
    if not link.is_rejected:
        return Unfinished("the server cannot be reached, or does not answer")
    said: Any = link.acceptor.primitive
    if said is None or said.result == _TRANSIENT:
        return Unfinished("the server is busy, also after waiting")
    why = (said.result_source, said.diagnostic)
    if why == _CALLING:
        return ServerError(
            "the server does not know us: its owner has to enter our AE title (before the @ in the "
            "address), and perhaps this machine's address",
            401,
        )
    if why == _CALLED:
        return ServerError(
            "the server has another AE title than the one behind the / of the address", 401
        )
    return ServerError("the server refuses the association", 403)


def _hang_up(link: Association) -> None:
    """Abort an association; whoever waits for a message on it is told."""
    link.abort()
    link.dimse.msg_queue.put((None, None))
