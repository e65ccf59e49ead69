"""One worker process, and the pipes between it and its parent.

A worker is a fresh interpreter, not a fork and not a child that imports ``__main__``: a script
needs no guard, a notebook works, and nothing of the caller's memory is in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle  # the pipe is between this process and its own child
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from cohortkit.model import Task

_START = (
    "import sys, json; said = json.loads(sys.stdin.buffer.readline()); "
    "sys.path[:] = said['path']; "
    "from cohortkit.dicom.lean import import_pydicom; import_pydicom(); "
    "from cohortkit.run.worker_main import main; main(said['memory'])"
)
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
_LEAVE_SECONDS = 5.0
_REAP_SECONDS = 1.0
_LENGTH = struct.Struct(">Q")


class WorkerLost(Exception):  # noqa: N818 - an event inside this module
    """The process at the other end is gone."""


def send(pipe: IO[bytes], message: object) -> None:
    """Write one message: eight bytes of length and a pickle."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> object:
    """Read one message.

    Raises:
        WorkerLost: the pipe ends before the message does.
    """
    head = pipe.read(_LENGTH.size)
    if len(head) == _LENGTH.size:
        size = _LENGTH.unpack(head)[0]
        data = pipe.read(size)
        if len(data) == size:
            return pickle.loads(data)  # noqa: S301 - from our own child or parent
    raise WorkerLost


class Worker:
    """One child process, and the task that it has."""

    def __init__(self, work: bytes, log: Path, inherit: tuple[int, ...], memory: int) -> None:
        self.task: Task | None = None
        self.ready = False
        self._since = 0.0
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and words
                [sys.executable, "-c", _START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **dict.fromkeys(_ONE_THREAD, "1")},
                pass_fds=inherit,
                start_new_session=True,  # Ctrl-C is for the parent, which then ends its workers
            )
        path = [folder or str(Path.cwd()) for folder in sys.path]
        self._tell(json.dumps({"path": path, "memory": memory}).encode() + b"\n")
        self._tell(_LENGTH.pack(len(work)) + work)

    def _tell(self, data: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        with contextlib.suppress(OSError):  # it is gone already: the next read says so
            pipe.write(data)
            pipe.flush()

    def fileno(self) -> int:
        """Where its answers come from, for a selector."""
        pipe = self._process.stdout
        assert pipe is not None
        return pipe.fileno()

    def give(self, task: Task) -> None:
        """Hand over a task."""
        self.task = task
        self._since = time.monotonic()
        data = pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
        self._tell(_LENGTH.pack(len(data)) + data)

    def busy(self) -> float:
        """Seconds since it was given the task that it has; 0 without one."""
        return 0.0 if self.task is None else time.monotonic() - self._since

    def hear(self) -> object:
        """The next message."""
        pipe = self._process.stdout
        assert pipe is not None
        return receive(pipe)

    def was_killed(self) -> bool:
        """Whether somebody else ended it, now that its pipe is closed: it did not fail to start."""
        try:
            return self._process.wait(_REAP_SECONDS) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False

    def end(self, *, now: bool) -> None:
        """Let it leave, or make it."""
        if now:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):  # a broken pipe has nothing left to flush
                pipe.close()
        for _ in range(2):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_LEAVE_SECONDS)
                return
            self._process.kill()
        # it hangs inside the kernel (a dead network mount): it ends when that does, without us
