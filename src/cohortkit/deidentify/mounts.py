"""File systems that keep locks to one machine, as the kernel tells of what is mounted. Pure.

Two machines that lock one file there both believe to have it alone. Such a lock looks as good as
any other, so nobody notices before two people have one name, or one has two.
"""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = {
    "nfs": {"nolock", "local_lock=all", "local_lock=posix"},
    "nfs4": {"local_lock=all", "local_lock=posix"},
    "cifs": {"nobrl", "nolock"},
    "smb3": {"nobrl", "nolock"},
    "lustre": {"localflock"},
}
"""Options with which a file system that has locks between machines does without."""
_NEVER: Final = re.compile(r"fuse\.(?:sshfs|s3fs|gcsfuse|rclone|goofys|blobfuse2?|mount-s3)\b.*")
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


def alone(mounted: str, place: str) -> str:
    """The kind of file system under a place, if its locks are of one machine alone; else empty.

    Args:
        mounted: what ``/proc/self/mountinfo`` says (proc(5)).
        place: absolute, links followed.
    """
    longest, found = "", ""
    for line in mounted.splitlines():
        before, dash, after = line.partition(" - ")
        parts, rest = before.split(), after.split()
        if not dash or len(parts) < 6 or not rest:  # noqa: PLR2004 - mount point and its options
            continue
        point = _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), parts[4])
        if f"{place}/".startswith(f"{point.rstrip('/')}/") and len(point) >= len(longest):
            longest, found = point, _kind(rest[0], f"{parts[5]},{rest[-1]}".split(","))
    return found


def _kind(kind: str, options: list[str]) -> str:
    local = _NEVER.fullmatch(kind) or not _WORDS.get(kind, set()).isdisjoint(options)
    return kind if local else ""
