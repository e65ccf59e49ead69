"""Objects from a DICOMweb server, as they are stored there (WADO-RS; PS3.18 10.4)."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cohortkit.dicom.plain import Known
from cohortkit.errors import Refusal, ServerError, TaskFailure, UsageError
from cohortkit.model import FileRef, Reason, SourceInstance, Task
from cohortkit.net import WEB, Session, below, chunks
from cohortkit.sources.files import FilePixels, opened
from cohortkit.sources.multipart import boundary_of, parts

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
        for folder in (scratch.parent, scratch):
            folder.mkdir(mode=0o700, exist_ok=True)
        try:
            visit = _Visit(task, scratch)
            self._all(visit)
        except UsageError as error:  # a server's, or: a secret over an open line, no library
            gone = isinstance(error, ServerError) and error.status in _GONE
            raise TaskFailure(Reason.FILE_VANISHED if gone else Reason.READ_ERROR) from None
        return tuple(replace(visit.found[file.sop_instance_uid], file=file) for file in task.files)

    def session(self, address: str) -> Session:
        """The session with a server."""
        return self.sessions.setdefault(address, Session(address, whole=_WHOLE))

    def _all(self, visit: _Visit) -> None:
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

    def _take(self, visit: _Visit, path: str) -> None:
        with self.session(visit.address).get(path, _ACCEPT) as answer:
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


class _Visit:
    """What has come of one series."""

    def __init__(self, task: Task, scratch: Path) -> None:
        self.task, self.scratch = task, scratch
        self.known = Known()
        self.found: dict[str, SourceInstance] = {}
        self.address, self.path = _series_of(task)
        self.files = {file.sop_instance_uid: file for file in task.files}
        for file in task.files:
            path = self._place(file)
            if path.exists():
                uid = file.sop_instance_uid
                self.found[uid] = self._checked(path, uid)

    def lacking(self) -> list[str]:
        """The UIDs of the objects that have not come yet."""
        return [uid for uid in self.files if uid not in self.found]

    def keep(self, content: Iterable[bytes]) -> None:
        """Write an object to a file of its own; one of the series that was not asked for is left.

        Raises:
            TaskFailure: ``another-object``.
            Refusal: it cannot be read.
        """
        fresh = self.scratch / "part"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(content)
        one = self._checked(fresh, None)
        uid = _plain(one.header.get("SOPInstanceUID"))
        asked = self.files.get(uid)
        if asked is None:
            fresh.unlink()
            return
        if uid in self.found:
            raise TaskFailure(Reason.ANOTHER_OBJECT)  # twice: which of them was meant?
        target = self._place(asked)
        fresh.replace(target)
        if isinstance(one.pixels, FilePixels):
            moved = replace(one.pixels, file=replace(one.pixels.file, path=str(target)))
            one = SourceInstance(one.header, moved, one.file)
        self.found[uid] = one

    def _place(self, file: FileRef) -> Path:
        """A file of its own for each state of each object."""
        told = f"{file.path}\n{file.mtime_ns}".encode()
        return self.scratch / hashlib.sha256(told).hexdigest()[:32]

    def _checked(self, path: Path, uid: str | None) -> SourceInstance:
        """An object that has come, if it is of this series (and is this one)."""
        size = path.stat()
        one = opened(FileRef(str(path), size.st_size, size.st_mtime_ns, ""), self.known)
        asked = (self.task.study_instance_uid, self.task.series_instance_uid)
        header = one.header
        said = (header.get("StudyInstanceUID"), header.get("SeriesInstanceUID"))
        if tuple(map(_plain, said)) != tuple(map(_plain, asked)):
            raise TaskFailure(Reason.ANOTHER_OBJECT)
        if uid is not None and _plain(header.get("SOPInstanceUID")) != uid:
            raise TaskFailure(Reason.ANOTHER_OBJECT)
        return one


def _bounded(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    for piece in pieces:
        most -= len(piece)
        if most < 0:
            raise Refusal(Reason.TOO_LARGE)
        yield piece


def _plain(uid: object) -> str:
    return str(uid or "").strip("\0 ")


def _series_of(task: Task) -> tuple[str, str]:
    """The server's address, and the path of the series below it.

    Raises:
        ServerError: an identifier that no address can hold.
        TaskFailure: an object's address is not that of this study and series on one server.
    """
    path = below("studies", task.study_instance_uid, "series", task.series_instance_uid)
    ends = {one.path: f"/{path}/{below('instances', one.sop_instance_uid)}" for one in task.files}
    roots = {place.removesuffix(end) for place, end in ends.items()}
    if len(roots) != 1 or not all(place.endswith(end) for place, end in ends.items()):
        raise TaskFailure(Reason.ANOTHER_OBJECT)
    return roots.pop().removeprefix(WEB), path
