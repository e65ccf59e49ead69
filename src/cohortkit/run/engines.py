"""Running tasks in local processes that heal themselves.

A worker is a fresh interpreter that speaks over its pipes, not a fork and not a child that imports
``__main__``: a script needs no guard, a notebook works, and nothing of the caller's memory is in
it. It is a process of its own even where there is one, since a codec that crashes on a hostile
file must not take the caller along. When a worker dies its task is tried once more in a new one,
and nothing else is lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle  # the pipe is between this process and its own child
import selectors
import signal
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from cohortkit.errors import CohortkitError, UsageError
from cohortkit.model import Record, Task
from cohortkit.reasons import Reason

Work = Callable[[Task], Record]
Result = tuple[int, Record | Reason]

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.stdin.buffer.readline()); "
    "from cohortkit.run.worker_main import main; main()"
)
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
_FALSE_STARTS = 3  # of the first workers: then something is wrong with all of them
_KILLED_STARTS = 50  # where workers have started before, or somebody ends them
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


class _Worker:
    """One child process, and the task that it has."""

    def __init__(self, work: bytes, log: Path, inherit: tuple[int, ...]) -> None:
        self.task: Task | None = None
        self.ready = False
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
        self._tell(json.dumps([p or str(Path.cwd()) for p in sys.path]).encode() + b"\n")
        self._tell(_LENGTH.pack(len(work)) + work)

    @property
    def pid(self) -> int:
        return self._process.pid

    def _tell(self, data: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        with contextlib.suppress(OSError):  # it is gone already: the next read says so
            pipe.write(data)
            pipe.flush()

    def fileno(self) -> int:
        pipe = self._process.stdout
        assert pipe is not None
        return pipe.fileno()

    def give(self, task: Task) -> None:
        """Hand over a task."""
        self.task = task
        data = pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
        self._tell(_LENGTH.pack(len(data)) + data)

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
        try:
            self._process.wait(_LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(slots=True)
class _Run:
    """The moving parts of one run: what waits, who works."""

    work: bytes
    log: Path
    inherit: tuple[int, ...]
    waiting: Iterator[Task]
    again: deque[Task] = field(default_factory=deque)
    tried: dict[int, int] = field(default_factory=dict)
    workers: list[_Worker] = field(default_factory=list)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    false_starts: int = 0
    ever_ready: bool = False

    def start(self) -> None:
        worker = _Worker(self.work, self.log, self.inherit)
        self.workers.append(worker)
        self.selector.register(worker, selectors.EVENT_READ)

    def drop(self, worker: _Worker, *, now: bool) -> None:
        self.selector.unregister(worker)
        self.workers.remove(worker)
        worker.end(now=now)

    def next_task(self) -> Task | None:
        return self.again.popleft() if self.again else next(self.waiting, None)

    def feed(self, worker: _Worker) -> None:
        """Give the worker its next task, or let it go."""
        task = self.next_task()
        if task is None:
            self.drop(worker, now=False)
        else:
            worker.give(task)


@dataclass(frozen=True, slots=True)
class Local:
    """Processes on this machine (`cohortkit.protocols.Engine`).

    Attributes:
        workers: how many.
        log: a file of the vault for what libraries print; it is identified.
        inherit: file descriptors that workers keep open: the lock, so that a run whose parent was
            killed holds its output until its last worker is gone.
        retries: how often a task whose worker died is tried again.
    """

    workers: int
    log: Path
    inherit: tuple[int, ...] = ()
    retries: int = 1

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[Result]:
        """Do the work of every task; each is yielded once, in any order.

        Raises:
            UsageError: the work cannot be sent to another process.
            CohortkitError: workers do not start.
        """
        run = _Run(_packed(work), self.log, self.inherit, iter(tasks))
        first = run.next_task()
        if first is None:
            return
        run.again.append(first)
        self.log.touch(mode=0o600)
        try:
            for _ in range(self.workers):
                run.start()
            while run.workers:
                for key, _ in run.selector.select():
                    result = self._event(run, key.fileobj)  # type: ignore[arg-type]  # we registered it
                    if result is not None:
                        yield result
        finally:
            for worker in list(run.workers):
                run.drop(worker, now=True)
            run.selector.close()

    def _event(self, run: _Run, worker: _Worker) -> Result | None:
        try:
            message = worker.hear()
        except WorkerLost:
            return self._lost(run, worker)
        if message == "ready":
            worker.ready, run.ever_ready, run.false_starts = True, True, 0
            run.feed(worker)
            return None
        if isinstance(message, str):
            raise UsageError(f"a worker cannot do this work: {message}")
        task, worker.task = worker.task, None
        assert task is not None
        assert isinstance(message, Record)
        run.feed(worker)
        return task.number, message

    def _lost(self, run: _Run, worker: _Worker) -> Result | None:
        """A worker died: its task goes back in line, once."""
        task = worker.task
        killed = worker.was_killed()
        run.drop(worker, now=True)
        if not worker.ready:
            run.false_starts += 1
            if run.false_starts >= (_KILLED_STARTS if killed or run.ever_ready else _FALSE_STARTS):
                raise CohortkitError(f"workers do not start; {self.log.name} in the vault says why")
        result: Result | None = None
        if task is not None:
            run.tried[task.number] = run.tried.get(task.number, 0) + 1
            if run.tried[task.number] > self.retries:
                result = task.number, Reason.WORKER_DIED
            else:
                run.again.append(task)
        run.start()  # it leaves by itself if nothing waits
        return result


def _packed(work: Work) -> bytes:
    try:
        return pickle.dumps(work, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):
        raise UsageError(
            "a writer or source cannot be sent to a worker process; it must be a plain dataclass "
            "in a module that can be imported"
        ) from None
