"""Open files ahead of their reading, where opening one is slow: network file systems, cold disks.

There a process waits for most of its time, and sixteen waits cost no more than one. Where files
open at once, threads would only be in the way, so this looks at how long the first ones take.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from io import FileIO
from statistics import median
from typing import Final

HEAD: Final = 16 * 1024
"""Bytes that are read at once; most headers are shorter."""

_TRIED = 8  # files by which it is judged
_SLOW = 0.0005  # seconds for one, from which on it is worth threads
_AT_ONCE = 16
_AHEAD = 48  # files open and waiting

Opened = tuple[FileIO, bytes]
"""A file and its first bytes."""


def open_head(path: str) -> Opened:
    """Open a file and read its first bytes.

    Raises:
        OSError: it cannot be read.
    """
    file = FileIO(path)
    try:
        return file, file.read(HEAD)
    except BaseException:
        file.close()
        raise


def each_opened(paths: Sequence[str]) -> Iterator[Callable[[], Opened]]:
    """For each path, in order, a call that gives the open file or raises what opening raised.

    The caller calls each once, before it asks for the next, and closes what it gets.
    """
    tried = [_Timed(path) for path in paths[:_TRIED]]
    yield from tried
    rest = paths[_TRIED:]
    # the median: one that took long may have waited for the processor
    if rest and median(timed.seconds for timed in tried) > _SLOW:
        yield from _threaded(rest)
    else:
        yield from (partial(open_head, path) for path in rest)


class _Timed:
    """Opens a file and knows how long that took."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.seconds = 0.0

    def __call__(self) -> Opened:
        begin = time.perf_counter()
        try:
            return open_head(self._path)
        finally:
            self.seconds = time.perf_counter() - begin


def _threaded(paths: Sequence[str]) -> Iterator[Callable[[], Opened]]:
    waiting: deque[Future[Opened]] = deque()
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="open") as threads:
        try:
            for path in paths:
                waiting.append(threads.submit(open_head, path))
                if len(waiting) >= _AHEAD:
                    yield waiting.popleft().result
            while waiting:
                yield waiting.popleft().result
        finally:
            for future in waiting:
                if not future.cancel() and future.exception() is None:
                    future.result()[0].close()
