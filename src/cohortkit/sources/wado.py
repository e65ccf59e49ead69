"""Objects from a DICOMweb server, as they are stored there (WADO-RS; PS3.18 10.4)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cohortkit.errors import Refusal, ServerError, TaskFailure, UsageError
from cohortkit.model import Reason, SourceInstance, Task
from cohortkit.net import WEB, Session, chunks
from cohortkit.sources.multipart import boundary_of, parts
from cohortkit.sources.visit import Visit

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_KIND: Final = "application/dicom"
_ACCEPT: Final = f'multipart/related; type="{_KIND}"; transfer-syntax=*'  # nothing is transcoded
_MOST: Final = 1 << 36  # bytes of one answer
_WHOLE: Final = 86_400  # seconds of one answer; a task's own limit is shorter
_GONE: Final = frozenset({404, 410})
_LONGEST_WAIT: Final = 60


@dataclass(frozen=True, slots=True, eq=False)
class Wado:
    """The source of an index on a DICOMweb server. Implements ``protocols.Source``.

    Attributes:
        most: bytes that one answer may have.
        tries: how often in a row a server may break off without having handed over an object.
        back_off: seconds before the second of these; each next wait is twice as long.
        sessions: with each server, by its address; they go to a worker without credentials.
    """

    most: int = _MOST
    tries: int = 4
    back_off: float = 0.5
    sessions: dict[str, Session] = field(default_factory=dict, repr=False)

    def fetch(self, task: Task, scratch: Path) -> tuple[SourceInstance, ...]:
        """The objects of one series: all in one answer, and one by one those that were not in it.

        Args:
            task: whose files are addresses on a server.
            scratch: a folder of this task alone. What an earlier attempt left there, whole, is not
                asked for again.

        Raises:
            TaskFailure: ``file-vanished``; ``another-object``: what came is not what the index
                said; ``read-error``: no answer, or one that is none; ``disk-full``.
            Refusal: an object cannot be read; ``too-large``: an answer goes on and on.
        """
        try:
            visit = Visit(task, scratch)
            self._all(visit)
        except UsageError as error:  # a server's, or: a secret over an open line, no library
            gone = isinstance(error, ServerError) and error.status in _GONE
            raise TaskFailure(Reason.FILE_VANISHED if gone else Reason.READ_ERROR) from None
        return visit.instances()

    def session(self, address: str) -> Session:
        """The session with a server."""
        return self.sessions.setdefault(address, Session(address, whole=_WHOLE))

    def _all(self, visit: Visit) -> None:
        left, wait = self.tries, self.back_off
        whole = True
        while lacking := visit.lacking():
            # no object yet: the series; some of it: each of the others by its own address
            whole = whole and len(lacking) > 1 and not visit.found
            path = visit.path if whole else f"{visit.path}/instances/{lacking[0]}"
            before = len(visit.found)
            try:
                self._take(visit, path)
            except _Unfinished as broken:
                left = self.tries if len(visit.found) > before else left - 1
                if not left:
                    raise ServerError(str(broken)) from None
                time.sleep(min(wait, _LONGEST_WAIT))
                wait *= 2
                continue
            left, wait = self.tries, self.back_off
            if not whole and lacking[0] in visit.lacking():
                raise TaskFailure(Reason.ANOTHER_OBJECT)  # a whole answer, and not what was asked
            whole = False

    def _take(self, visit: Visit, path: str) -> None:
        with self.session(visit.address.removeprefix(WEB)).get(path, _ACCEPT) as answer:
            boundary = boundary_of(str(answer.headers.get("Content-Type", "")), _KIND)
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise ServerError("the server's answer is packed, which was not asked for")
            self._demand_room(answer, visit.scratch)
            pieces = _bounded(chunks(answer, _WHOLE), self.most)
            try:
                for content in parts(pieces, boundary):
                    visit.keep(content)
            except ServerError as error:
                raise _Unfinished(str(error)) from None

    def _demand_room(self, answer: BaseHTTPResponse, scratch: Path) -> None:
        length = str(answer.headers.get("Content-Length", ""))
        if not length.isdecimal():
            return
        if int(length) > self.most:
            raise Refusal(Reason.TOO_LARGE)
        if int(length) > shutil.disk_usage(scratch).free:
            raise TaskFailure(Reason.DISK_FULL)


class _Unfinished(Exception):  # noqa: N818 - of this file alone: it is tried again
    """An answer that ended before its end."""


def _bounded(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    for piece in pieces:
        most -= len(piece)
        if most < 0:
            raise Refusal(Reason.TOO_LARGE)
        yield piece
