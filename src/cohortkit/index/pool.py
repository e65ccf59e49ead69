"""Read many batches at once, in processes that need no ``__main__`` guard in the caller's script.

A worker is a plain ``python -c`` that talks over its pipes: it imports nothing of the caller, and
ends when its pipe closes, however the parent died. A file on which a worker dies costs that file.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO

import polars as pl

from cohortkit.index.batch import Batch, File, Reading, lost, read_batch

_LENGTH = struct.Struct("<Q")
_AHEAD = 3  # batches in flight for each worker
_COMMAND = (
    "from cohortkit.dicom.lean import import_pydicom; import_pydicom(); "
    "from cohortkit.index.pool import serve; serve()"
)


class _WorkerDied(Exception):  # noqa: N818 - named for what it says
    """The pipe closed before the answer came."""


def read_all(
    how: Reading, batches: Iterable[Sequence[File]], workers: int
) -> Generator[Batch, None, None]:
    """Read every batch, in order.

    Args:
        how: they are read, and where they lie.
        batches: files to read.
        workers: processes; with one, everything happens in this process.
    """
    if workers <= 1:
        for batch in batches:
            yield read_batch(how, batch)
        return
    crew = _Crew(how)
    waiting: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="scan") as threads:
        try:
            for batch in batches:
                waiting.append(threads.submit(crew.read, list(batch)))
                while len(waiting) >= workers * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            crew.dismiss()


class _Crew:
    """One worker process for each thread that asks."""

    def __init__(self, how: Reading) -> None:
        self._how = how
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._all: set[_Worker] = set()
        self._dismissed = False

    def read(self, batch: Sequence[File]) -> Batch:
        """Have a batch read; where the worker dies, file by file."""
        try:
            return self._ask(batch)
        except _WorkerDied:
            if len(batch) == 1 or self._dismissed:
                return lost(batch[0])
        parts = [self.read([file]) for file in batch]
        return Batch(
            pl.concat([part.instances for part in parts]),
            pl.concat([part.skipped for part in parts]),
            pl.concat([part.issues for part in parts]),
            len(batch),
        )

    def _ask(self, batch: Sequence[File]) -> Batch:
        worker: _Worker | None = getattr(self._mine, "worker", None)
        if worker is None:
            with self._lock:
                if self._dismissed:
                    raise _WorkerDied
                worker = self._mine.worker = _Worker(self._how)
                self._all.add(worker)
        try:
            return worker.ask(batch)
        except _WorkerDied:
            self._mine.worker = None
            with self._lock:
                self._all.discard(worker)
            worker.end()
            raise

    def dismiss(self) -> None:
        """End all workers, at once where one is still at work."""
        with self._lock:
            self._dismissed = True
            for worker in self._all:
                worker.end()


class _Worker:
    """A process that reads batches."""

    def __init__(self, how: Reading) -> None:
        paths = [path for path in sys.path if path]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "POLARS_MAX_THREADS": "1",
        }
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, our own words
            [sys.executable, "-P", "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback could quote a header
            env=environment,
        )
        self._send(how)

    def ask(self, batch: Sequence[File]) -> Batch:
        """What the worker makes of a batch."""
        self._send(list(batch))
        assert self._process.stdout is not None
        try:
            return _received(self._process.stdout)
        except EOFError:
            raise _WorkerDied from None

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None
        try:
            _sent(self._process.stdin, message)
        except OSError:
            raise _WorkerDied from None

    def end(self) -> None:
        """End the process and close its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # unsent bytes for a process that is gone


def _sent(pipe: IO[bytes], message: object) -> None:
    data = pickle.dumps(message, protocol=5)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _received(pipe: IO[bytes]) -> Batch:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    data = pipe.read(_LENGTH.unpack(head)[0])
    answer = pickle.loads(data)  # noqa: S301 - from a process that we started ourselves
    assert isinstance(answer, Batch)
    return answer


def serve() -> None:
    """What runs in a worker: read batches until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints stays out of the answers
    questions = sys.stdin.buffer
    how: Reading | None = None
    while head := questions.read(_LENGTH.size):
        message = pickle.loads(questions.read(_LENGTH.unpack(head)[0]))  # noqa: S301 - the parent's
        if how is None:
            how = message
        else:
            _sent(answers, read_batch(how, message))
