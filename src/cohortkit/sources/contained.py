"""Objects in tar and zip: their bytes are brought to a folder of the task, and read there."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

from cohortkit.dicom.members import split, unpack
from cohortkit.dicom.plain import Known
from cohortkit.errors import Refusal, TaskFailure
from cohortkit.model import FileRef, Reason, SourceInstance, Task
from cohortkit.sources.files import opened


@dataclass(frozen=True, slots=True)
class Contained:
    """What lies in containers, and files beside them. Implements ``protocols.Source``."""

    def fetch(self, task: Task, scratch: Path) -> tuple[SourceInstance, ...]:
        """The objects of one series.

        Args:
            task: whose files are paths, or places in containers.
            scratch: a folder of this task alone.

        Raises:
            TaskFailure: a file or container has vanished, changed or cannot be read.
            Refusal: a file is not what the index said.
        """
        known = Known()
        return tuple(
            brought(file, known, scratch) if split(file.path) else opened(file, known)
            for file in task.files
        )


def brought(file: FileRef, known: Known, scratch: Path) -> SourceInstance:
    """The object at a place in a container, by its offset.

    Args:
        file: as the index saw it: the size is that of the object, the time that of the container.
        known: of the series' reader.
        scratch: a folder of this task alone.

    Raises:
        TaskFailure: ``file-vanished``, ``read-error``, ``disk-full``; ``file-changed``: the
            container is of another time, or holds another object there.
        Refusal: ``container-damaged``, or what is wrong with the object.
    """
    for folder in (scratch.parent, scratch):
        folder.mkdir(mode=0o700, exist_ok=True)
    if file.size > shutil.disk_usage(scratch).free:
        raise TaskFailure(Reason.DISK_FULL)
    path = scratch / hashlib.sha256(file.path.encode()).hexdigest()[:32]
    _unpack(file, path)
    status = path.stat()
    one = opened(FileRef(str(path), status.st_size, status.st_mtime_ns, ""), known)
    if str(one.header.get("SOPInstanceUID") or "").strip("\0 ") != file.sop_instance_uid:
        raise TaskFailure(Reason.FILE_CHANGED)
    return replace(one, file=file)


def _unpack(file: FileRef, path: Path) -> None:
    place = split(file.path)
    assert place is not None
    container, offset, _ = place
    try:
        box = FileIO(container)
    except FileNotFoundError:
        raise TaskFailure(Reason.FILE_VANISHED) from None
    except (OSError, ValueError):
        raise TaskFailure(Reason.READ_ERROR) from None
    with box:
        if os.fstat(box.fileno()).st_mtime_ns != file.mtime_ns:
            raise TaskFailure(Reason.FILE_CHANGED)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(path, flags, 0o600), "wb") as into:
            try:
                unpack(box, offset, file.size, into)
            except OSError:
                raise TaskFailure(Reason.READ_ERROR) from None
            except Refusal:
                if os.fstat(box.fileno()).st_mtime_ns != file.mtime_ns:
                    raise TaskFailure(Reason.FILE_CHANGED) from None
                raise
