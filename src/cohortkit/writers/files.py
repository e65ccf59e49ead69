"""One way to write a file of the release: hashed while it is written, and on disk when done."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cohortkit.errors import TaskFailure
from cohortkit.reasons import Reason

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Written:
    """What lies on disk.

    Attributes:
        sha256: of the file's bytes, hexadecimal.
        size: in bytes.
    """

    sha256: str
    size: int


def write(path: Path, chunks: Iterable[bytes | memoryview]) -> Written:
    """Write the chunks to a file, replacing what a killed run may have left there.

    A link at that place is not followed. The bytes are on the disk when this returns.

    Raises:
        TaskFailure: ``disk-full``, ``write-error``.
    """
    digest, size = hashlib.sha256(), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    try:
        with open(os.open(path, flags, 0o666), "wb", buffering=0) as file:  # noqa: PTH123 - by its descriptor
            for chunk in chunks:
                view = memoryview(chunk).cast("B")
                digest.update(view)
                size += view.nbytes
                while view.nbytes:
                    view = view[file.write(view) :]
            os.fsync(file.fileno())
    except OSError as error:
        raise _failure(error) from None
    return Written(digest.hexdigest(), size)


def write_text(path: Path, text: str) -> Written:
    """The same for text, as UTF-8 with the line ends that it has."""
    return write(path, [text.encode()])


def make_folder(folder: Path) -> None:
    """Make a folder of the release, and those above it.

    Raises:
        TaskFailure: ``disk-full``, ``write-error``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _failure(error) from None


def _failure(error: OSError) -> TaskFailure:
    return TaskFailure(Reason.DISK_FULL if error.errno in _FULL else Reason.WRITE_ERROR)
