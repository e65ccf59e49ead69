"""C-FIND (PS3.4 C.4.1): a question, and all of its answer or none of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydicom.dataset import Dataset

from cohortkit.dicom.quiet import quiet
from cohortkit.dimse.link import Peer, Unfinished
from cohortkit.errors import ServerError

if TYPE_CHECKING:
    from pynetdicom.association import Association

STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
PENDING: Final = (0xFF00, 0xFF01)
CANCELLED: Final = 0xFE00
NO_RESOURCES: Final = (0xA700, 0xA701, 0xA702)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server offers.

    Attributes:
        items: one data set an object.
        whole: whether the server came to its end; otherwise we stopped it.
    """

    items: list[Dataset]
    whole: bool


def find(peer: Peer, level: str, keys: Mapping[str, str], most: int = 0) -> Answer:
    """Ask for studies, series or instances.

    Args:
        peer: who is asked.
        level: ``STUDY``, ``SERIES`` or ``IMAGE``.
        keys: keyword → what has to match; empty: any, and it is wanted in the answer.
        most: stop the server when it has said as many; 0 is never.

    Raises:
        ServerError: no answer, an error, or an answer that the server says is cut short.
    """
    asked = identifier(level, keys)

    def ask() -> Answer:
        from pynetdicom import build_context  # noqa: PLC0415 - an extra

        with peer.associated([build_context(STUDY_ROOT_FIND)]) as (link, _), quiet():
            if not link.accepted_contexts:
                raise ServerError("the server takes no questions (C-FIND, Study Root)")
            return _answer(link, asked, most)

    return peer.patiently(ask)


def identifier(level: str, keys: Mapping[str, str]) -> Dataset:
    """A question as a data set. What goes out is ASCII, so it says no character set."""
    asked = Dataset()
    with quiet():  # a pattern is no value, and would be warned of with its text
        asked.QueryRetrieveLevel = level
        for keyword, text in keys.items():
            setattr(asked, keyword, text)
    return asked


def _answer(link: Association, asked: Dataset, most: int) -> Answer:
    found: list[Dataset] = []
    stopped = False
    for code, item in _replies(link, asked):
        if code in PENDING:
            if item is None:
                raise ServerError("the server's answer cannot be read")
            found.append(item)
            if most and len(found) >= most and not stopped:
                link.send_c_cancel(1, query_model=STUDY_ROOT_FIND)
                stopped = True
            if stopped and len(found) >= 2 * most:  # it does not heed that
                return Answer(found[:most], whole=False)
        elif code == 0:
            return Answer(found[:most] if stopped else found, whole=not stopped)
        elif code == CANCELLED and stopped:
            return Answer(found[:most], whole=False)
        else:
            raise refused(code)
    raise Unfinished("the server broke off in the middle of its answer")


def _replies(link: Association, asked: Dataset) -> Iterator[tuple[int, Dataset | None]]:
    for status, item in link.send_c_find(asked, STUDY_ROOT_FIND, msg_id=1):
        if "Status" not in status:
            return
        yield int(status.Status), item


def refused(code: int) -> Exception:
    """What a final status other than success is to us."""
    if code in NO_RESOURCES:
        return Unfinished(f"the server is out of resources (0x{code:04X}), also after waiting")
    if code == CANCELLED:
        return ServerError("the server says that its answer is cut short (0xFE00)")
    return ServerError(f"the server answers with an error (0x{code:04X})")
