"""Running tasks in local processes that heal themselves.

Even where one worker would do it is a process of its own, since a codec that crashes on a hostile
file must not take the caller along. When a worker dies, or hangs beyond the time that a task may
take, its task is tried once more in a new one, and nothing else is lost.
"""

from __future__ import annotations

import pickle  # the pipe is between this process and its own child
import selectors
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cohortkit.errors import CohortkitError, UsageError
from cohortkit.model import Record, Task
from cohortkit.reasons import Reason
from cohortkit.run.process import Worker, WorkerLost

Work = Callable[[Task], Record]
Result = tuple[int, Record | Reason]

SCHEMES = ("tcp://", "tls://", "ucx://", "ws://", "wss://")
"""How the address of a Dask scheduler begins; `cohortkit.run.cluster` runs tasks there."""

_FALSE_STARTS = 3  # of the first workers: then something is wrong with all of them
_KILLED_STARTS = 50  # where workers have started before, or somebody ends them
_A_MOMENT = 0.05  # seconds, so that a wait until the limit ends after it


@dataclass(slots=True)
class _Run:
    """The moving parts of one run: what waits, who works."""

    work: bytes
    log: Path
    inherit: tuple[int, ...]
    memory: int
    waiting: Iterator[Task]
    again: deque[Task] = field(default_factory=deque)
    tried: dict[int, int] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    false_starts: int = 0
    ever_ready: bool = False

    def start(self) -> None:
        worker = Worker(self.work, self.log, self.inherit, self.memory)
        self.workers.append(worker)
        self.selector.register(worker, selectors.EVENT_READ)

    def drop(self, worker: Worker, *, now: bool) -> None:
        self.selector.unregister(worker)
        self.workers.remove(worker)
        worker.end(now=now)

    def next_task(self) -> Task | None:
        return self.again.popleft() if self.again else next(self.waiting, None)

    def feed(self, worker: Worker) -> None:
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
        retries: how often a task whose worker died or hung is tried again.
        seconds: how long a task may take; None is for ever.
        memory: bytes that a worker may have; 0 is no limit of ours.
    """

    workers: int
    log: Path
    inherit: tuple[int, ...] = ()
    retries: int = 1
    seconds: float | None = None
    memory: int = 0

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[Result]:
        """Do the work of every task; each is yielded once, in any order.

        Raises:
            UsageError: the work cannot be sent to another process.
            CohortkitError: workers do not start.
        """
        run = _Run(packed(work), self.log, self.inherit, self.memory, iter(tasks))
        first = run.next_task()
        if first is None:
            return
        run.again.append(first)
        self.log.touch(mode=0o600)
        try:
            for _ in range(self.workers):
                run.start()
            while run.workers:
                for key, _ in run.selector.select(self._patience(run)):
                    result = self._event(run, key.fileobj)  # type: ignore[arg-type]  # we registered it
                    if result is not None:
                        yield result
                # after the events: an answer that waits here, for whatever reason, is no hang
                for worker in self._hung(run):
                    result = self._again(run, worker, Reason.TIMED_OUT)
                    if result is not None:
                        yield result
        finally:
            for worker in list(run.workers):
                run.drop(worker, now=True)
            run.selector.close()

    def _event(self, run: _Run, worker: Worker) -> Result | None:
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

    def _patience(self, run: _Run) -> float | None:
        """How long to wait for an answer before somebody may have hung; None is for ever."""
        if self.seconds is None:
            return None
        longest = max((worker.busy() for worker in run.workers), default=0.0)
        return max(0.0, self.seconds - longest) + _A_MOMENT

    def _hung(self, run: _Run) -> list[Worker]:
        if self.seconds is None:
            return []
        return [worker for worker in run.workers if worker.busy() > self.seconds]

    def _lost(self, run: _Run, worker: Worker) -> Result | None:
        """A worker is gone: on a task, or before it could begin."""
        killed = worker.was_killed()
        if not worker.ready:
            run.false_starts += 1
            if run.false_starts >= (_KILLED_STARTS if killed or run.ever_ready else _FALSE_STARTS):
                run.drop(worker, now=True)
                raise CohortkitError(f"workers do not start; {self.log.name} in the vault says why")
        return self._again(run, worker, Reason.WORKER_DIED)

    def _again(self, run: _Run, worker: Worker, reason: Reason) -> Result | None:
        """End the worker and start another; its task goes back in line, once."""
        task = worker.task
        run.drop(worker, now=True)
        result: Result | None = None
        if task is not None:
            run.tried[task.number] = run.tried.get(task.number, 0) + 1
            if run.tried[task.number] > self.retries:
                result = task.number, reason
            else:
                run.again.append(task)
        run.start()  # it leaves by itself if nothing waits
        return result


def packed(work: Work) -> bytes:
    """The work as it is sent to another process.

    Raises:
        UsageError: it cannot be sent.
    """
    try:
        return pickle.dumps(work, protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):
        raise UsageError(
            "a writer or source cannot be sent to a worker process; it must be a plain dataclass "
            "in a module that can be imported"
        ) from None
