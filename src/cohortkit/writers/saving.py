"""One file of a release onto the disk: written, flushed, hashed."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from cohortkit.errors import TaskFailure
from cohortkit.model import Artifact, Reason

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def save(
    folder: Path,
    name: str,
    data: bytes,
    output: str,
    role: str,
    *,
    instances: tuple[int, ...] = (),
    shape: tuple[int, ...] = (),
    spacing: tuple[float, ...] = (),
    dtype: str = "",
) -> Artifact:
    """Write one file and say what it is.

    Args:
        folder: which exists.
        name: relative to it, with forward slashes; its own folders are made.
        data: the whole file.
        output: name of the writer.
        role: ``image``, ``sidecar`` …
        instances: ordinals of the instances in it.
        shape: of an image.
        spacing: in mm along the axes of shape.
        dtype: of an image.

    Raises:
        TaskFailure: ``disk-full``, ``write-error``.
    """
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as fault:
        full = fault.errno in _FULL
        raise TaskFailure(Reason.DISK_FULL if full else Reason.WRITE_ERROR) from None
    return Artifact(
        output=output,
        role=role,
        path=name,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        instances=instances,
        shape=shape,
        spacing=spacing,
        dtype=dtype,
    )
