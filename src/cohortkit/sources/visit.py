"""What is fetched of a series from a server: held to what was asked for, laid down as files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cohortkit.dicom.plain import Known
from cohortkit.errors import TaskFailure
from cohortkit.model import FileRef, Reason, SourceInstance, Task
from cohortkit.net import below
from cohortkit.sources.files import FilePixels, opened


class Visit:
    """What has come of one series.

    Args:
        task: whose files are addresses on a server.
        scratch: a folder of this task alone; what an earlier attempt left there, whole, has come.

    Attributes:
        address: the server's, as ``ck.open_index`` takes it.
        path: of the series, below that.
        found: what has come, by SOP Instance UID.

    Raises:
        ServerError: an identifier that no address can hold.
        TaskFailure: an object's address is not that of this study and series on one server.
    """

    def __init__(self, task: Task, scratch: Path) -> None:
        for folder in (scratch.parent, scratch):
            folder.mkdir(mode=0o700, exist_ok=True)
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

    def instances(self) -> tuple[SourceInstance, ...]:
        """All of them, in the order of the task."""
        files = self.task.files
        return tuple(replace(self.found[file.sop_instance_uid], file=file) for file in files)

    def keep(self, content: Iterable[bytes | memoryview], state: int | None = None) -> None:
        """Write an object to a file of its own; one of the series that was not asked for is left.

        Args:
            content: of the file, in pieces.
            state: of the object, where what came tells it.

        Raises:
            TaskFailure: ``another-object``; ``file-changed``: its state is not what the index saw.
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
        if state is not None and state != asked.mtime_ns:
            raise TaskFailure(Reason.FILE_CHANGED)
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


def _plain(uid: object) -> str:
    return str(uid or "").strip("\0 ")


def _series_of(task: Task) -> tuple[str, str]:
    """The server's address, as ``ck.open_index`` takes it, and the path of the series below it.

    Raises:
        ServerError: an identifier that no address can hold.
        TaskFailure: an object's address is not that of this study and series on one server.
    """
    path = below("studies", task.study_instance_uid, "series", task.series_instance_uid)
    ends = {one.path: f"/{path}/{below('instances', one.sop_instance_uid)}" for one in task.files}
    roots = {place.removesuffix(end) for place, end in ends.items()}
    if len(roots) != 1 or not all(place.endswith(end) for place, end in ends.items()):
        raise TaskFailure(Reason.ANOTHER_OBJECT)
    return roots.pop(), path
