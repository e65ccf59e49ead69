"""One run on one output at a time."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cohortkit.errors import OutputError

_LONGEST = 4096
_PATIENCE = 30.0  # seconds for the last workers of a run whose parent was killed


@contextmanager
def hold(path: Path, said: str, *, shared: bool = False, wait: bool = False) -> Iterator[int]:
    """Hold a lock of an output; yields the file descriptor that workers are to keep open.

    The operating system frees the lock when the last process that holds it ends, so a lock of a
    dead run is never in the way; its workers may live a moment longer, and are waited for.

    Args:
        path: the lock's file.
        said: the output as the caller wrote it.
        shared: beside others who hold it shared too.
        wait: for a moment, though its holder lives; for what is held for a moment only.

    Raises:
        OutputError: another run holds it, or the file system cannot lock.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(handle, said, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, wait=wait)
        if wait:
            yield handle
            return
        os.ftruncate(handle, 0)
        os.pwrite(handle, _signature(), 0)
        try:
            yield handle
        finally:
            if os.pread(handle, _LONGEST, 0) == _signature():  # a sharer may have signed since
                os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def alone(handle: int) -> bool:
    """Make a shared lock an exclusive one, if nobody else holds it; else it is let go.

    Of several that try at once the last one succeeds, for each lets go of its own lock first.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        fcntl.flock(handle, fcntl.LOCK_UN)
        return False
    return True


def _take(handle: int, said: str, kind: int, *, wait: bool) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                raise OutputError(f"output {said}: its file system has no locks") from None
            held = _signed(os.pread(handle, _LONGEST, 0))
            if (held is not None and held.lives and not wait) or time.monotonic() > until:
                who = "" if held is None else f" (process {held.pid} on {held.host})"
                raise OutputError(
                    f"output {said}: another run is at work there{who}; wait for it or choose "
                    "another place"
                ) from None
            time.sleep(0.05)
        else:
            return


def _signature() -> bytes:
    return json.dumps({"host": socket.gethostname(), "pid": os.getpid()}).encode()


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that signed a lock."""

    host: str
    pid: int

    @property
    def lives(self) -> bool:
        """Whether it is alive, as far as can be known; a process elsewhere is."""
        if self.host != socket.gethostname():
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def owner(path: Path) -> Owner | None:
    """Who holds a lock, as far as can be seen without touching it; None if nobody alive."""
    try:
        held = _signed(path.read_bytes()[:_LONGEST])
    except OSError:
        return None
    return held if held is not None and held.lives else None


def _signed(data: bytes) -> Owner | None:
    try:
        body = json.loads(data)
        held = Owner(str(body["host"]), int(body["pid"]))
    except (ValueError, KeyError, TypeError):
        return None
    return held if held.pid > 0 else None
