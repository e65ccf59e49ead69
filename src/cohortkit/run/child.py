"""One task at a time in a process of its own, wherever this is called: on a cluster's worker."""

from __future__ import annotations

import fcntl
import hashlib
import os
import select
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from cohortkit.errors import UsageError
from cohortkit.model import Record, Task
from cohortkit.reasons import Reason
from cohortkit.run.engines import Work
from cohortkit.run.posted import Posted
from cohortkit.run.process import Worker, WorkerLost

_TRIES = 2
_STARTS = 3


@dataclass(frozen=True, slots=True)
class Alone:
    """Work of which no task is done twice at the same time, on any machine.

    The process that does a task holds its lock, and not who gave it out: where that one is killed,
    the task may go on for a moment, and whoever is given it next waits until it has ended.
    """

    work: Work
    busy: Path

    def __call__(self, task: Task) -> Record:
        """Do one task, when nobody else does."""
        name = hashlib.sha256(task.series_key.encode()).hexdigest()
        handle = os.open(self.busy / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            return self.work(task)
        finally:
            os.close(handle)


@dataclass
class _Child:
    """The process of one thread, and for which run it was started."""

    posted: Posted
    worker: Worker


_children: dict[int, _Child] = {}
_lock = threading.Lock()


def perform(
    posted: Posted, number: int, digest: str, seconds: float | None, memory: int
) -> Record | Reason:
    """Do a posted task here; a process that crashes or hangs on it costs a retry.

    Raises:
        UsageError: this machine does not see the output place, or its processes do not start.
    """
    task = posted.task(number, digest)
    reason = Reason.WORKER_DIED
    for _ in range(_TRIES):
        worker = _worker(posted, memory)
        worker.give(task)
        ready, _, _ = select.select([worker], [], [], seconds)
        if not ready:
            reason = Reason.TIMED_OUT
        else:
            try:
                answer = worker.hear()
            except WorkerLost:
                reason = Reason.WORKER_DIED
            else:
                worker.task = None
                assert isinstance(answer, Record)
                return answer
        _end(threading.get_ident())
    return reason


def dismiss() -> None:
    """End all processes that were started here."""
    for thread in list(_children):
        _end(thread)


def _worker(posted: Posted, memory: int) -> Worker:
    """This thread's process for this run, started if it is not there."""
    thread = threading.get_ident()
    child = _children.get(thread)
    if child is not None and child.posted == posted:
        return child.worker
    _end(thread)
    work = posted.work()
    vault = Path(posted.folder).parents[1]
    log = vault / f"workers-{socket.gethostname()}-{os.getpid()}.log"
    for _ in range(_STARTS):
        worker = Worker(work, log, (), memory)
        try:
            said = worker.hear()
        except WorkerLost:
            worker.end(now=True)
            continue
        if said != "ready":
            worker.end(now=True)
            raise UsageError(f"it cannot do this work: {said}")
        with _lock:
            _children[thread] = _Child(posted, worker)
        return worker
    raise UsageError(f"its processes do not start; {log.name} in the vault says why")


def _end(thread: int) -> None:
    with _lock:
        child = _children.pop(thread, None)
    if child is not None:
        child.worker.end(now=True)
