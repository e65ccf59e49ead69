"""C-GET (PS3.4 C.4.3): objects as they are stored, over the association that asks for them.

Every class of objects is offered in every transfer syntax, each in a context of its own: so the
server has no need to write an object anew, and the syntax of its context is that of the object.
An association has room for 128 contexts, so further classes need further associations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pydicom.dataset import Dataset

from cohortkit.dicom.quiet import quiet
from cohortkit.dimse.find import (
    CANCELLED,
    NO_RESOURCES,
    PENDING,
    STUDY_ROOT_FIND,
    identifier,
    refused,
)
from cohortkit.dimse.link import Peer, Unfinished
from cohortkit.dimse.watch import Watch
from cohortkit.errors import Refusal, ServerError
from cohortkit.reasons import Reason

if TYPE_CHECKING:
    from pynetdicom.presentation import PresentationContext

STUDY_ROOT_GET: Final = "1.2.840.10008.5.1.4.1.2.2.3"
_CONTEXTS: Final = 128  # of an association (PS3.8 9.3.2.2: odd numbers below 256)
_SOME_FAILED: Final = 0xB000
_NOT_KEPT: Final = 0xA700  # to the server: an object that we have no room for, or did not ask for


@dataclass(frozen=True, slots=True, repr=False)
class Arrived:
    """An object that came.

    Attributes:
        meta: preamble and meta information of a file (PS3.10 7.1).
        body: its data set, as it came.
    """

    meta: bytes
    body: memoryview

    @property
    def state(self) -> int:
        """63 bits of a digest of the data set; another object has another."""
        return int.from_bytes(hashlib.blake2b(self.body, digest_size=8).digest()) >> 1


def groups(classes: Sequence[str]) -> list[list[str]]:
    """Classes of objects, as many together as one association has room for."""
    each = (_CONTEXTS - 1) // len(syntaxes())
    return [list(classes[at : at + each]) for at in range(0, len(classes), each)]


def get(
    peer: Peer,
    keys: Mapping[str, str],
    classes: Sequence[str],
    keep: Callable[[Arrived], None],
) -> bool:
    """Bring the objects of a series, or one of them.

    Args:
        peer: who is asked.
        keys: Study and Series Instance UID, and perhaps SOP Instance UID, plain.
        classes: of the objects; one of ``groups``.
        keep: takes each as it comes, in this thread; what it raises ends the association.

    Returns:
        Whether the server says that it sent all there is.

    Raises:
        Unfinished: it is busy, or breaks off.
        ServerError: it does not let us in, or answers with an error.
        Refusal: ``too-large``.
        Exception: what ``keep`` raised.
    """
    asked = identifier("IMAGE" if "SOPInstanceUID" in keys else "SERIES", keys)
    return _Visit(keep).answered(peer, asked, classes)


def demand_services(peer: Peer) -> None:
    """Refuse a server that cannot be asked, or hands over nothing: else every series would fail.

    Raises:
        ServerError: it has no C-FIND or no C-GET; or it does not let us in.
    """
    wanted = {STUDY_ROOT_FIND: "C-FIND", STUDY_ROOT_GET: "C-GET"}

    def ask() -> None:
        from pynetdicom import build_context  # noqa: PLC0415 - an extra

        with peer.associated([build_context(one) for one in wanted]) as (link, _):
            there = {one.abstract_syntax for one in link.accepted_contexts}
        lacking = [name for uid, name in wanted.items() if uid not in there]
        if lacking:
            raise ServerError(
                f"the server does not let us use {' and '.join(lacking)} (Study Root), which is "
                "needed: ask its owner; C-MOVE is not used"
            )

    peer.patiently(ask)


class _Visit:
    """One C-GET."""

    def __init__(self, keep: Callable[[Arrived], None]) -> None:
        self.keep = keep
        self.failed: Exception | None = None
        self.watch: Watch | None = None

    def answered(self, peer: Peer, asked: Dataset, classes: Sequence[str]) -> bool:
        """Ask, and take what comes."""
        from pynetdicom import build_role  # noqa: PLC0415 - an extra

        roles = [build_role(one, scp_role=True) for one in classes]
        with (
            peer.associated(_contexts(classes), roles=roles, store=self.store) as (link, watch),
            quiet(),
        ):
            self.watch = watch
            if not any(one.abstract_syntax == STUDY_ROOT_GET for one in link.accepted_contexts):
                raise ServerError("the server hands over no objects (C-GET, Study Root)")
            code = None
            for status, _ in link.send_c_get(asked, STUDY_ROOT_GET, msg_id=1):
                code = status.get("Status")
                if code not in PENDING:
                    break
        return self._said(code)

    def _said(self, code: int | None) -> bool:
        if self.failed is not None:
            raise self.failed
        if self.watch is not None and self.watch.flood:
            raise Refusal(Reason.TOO_LARGE)
        if code is None or code in PENDING:
            raise Unfinished("the server broke off in the middle of its answer")
        if code == 0:
            return True
        if code in {_SOME_FAILED, CANCELLED} | set(NO_RESOURCES[1:]):
            return False
        raise refused(code)

    def store(self, event: Any) -> int:  # noqa: ANN401 - pynetdicom's event
        """Take one object; gives what the server is told of it."""
        try:
            self._take(_arrived(event))
        except Exception as error:  # noqa: BLE001 - raised when the association has ended
            self.failed = error
        else:
            return 0
        event.assoc.dimse.msg_queue.put((None, None))  # the library then aborts, as at a timeout
        return _NOT_KEPT

    def _take(self, arrived: Arrived) -> None:
        if self.watch is not None and self.watch.flooded(len(arrived.body)):
            raise Refusal(Reason.TOO_LARGE)
        self.keep(arrived)


def _arrived(event: Any) -> Arrived:  # noqa: ANN401 - pynetdicom's event
    from pynetdicom.dsutils import encode_file_meta  # noqa: PLC0415 - an extra

    head = b"\0" * 128 + b"DICM" + encode_file_meta(event.file_meta)
    return Arrived(head, event.request.DataSet.getbuffer())


@cache
def syntaxes() -> tuple[str, ...]:
    """Every transfer syntax that an object may lie in."""
    from pynetdicom import ALL_TRANSFER_SYNTAXES  # noqa: PLC0415 - an extra

    return tuple(ALL_TRANSFER_SYNTAXES)


def _contexts(classes: Sequence[str]) -> list[PresentationContext]:
    from pynetdicom import build_context  # noqa: PLC0415 - an extra

    objects = [build_context(one, syntax) for one in classes for syntax in syntaxes()]
    return [build_context(STUDY_ROOT_GET), *objects]
