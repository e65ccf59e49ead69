"""Decoding several frames at a time, in the order in which they are wanted."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

_MOST_THREADS = 4


def threads() -> int:
    """As many as this process may use processors, and never many."""
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # no such thing outside Linux
        usable = os.cpu_count() or 1
    return min(usable, _MOST_THREADS)


def ahead(work: Callable[[Item], Made], items: Sequence[Item], workers: int) -> Iterator[Made]:
    """The results in the order of the items, a few of them made before they are asked for.

    No more than one for each thread is held. What the work raises is raised where its result
    would be, so that the first fault in order is told, whichever thread was faster.

    Args:
        work: lets other threads run, as every decoder does.
        items: what it is done to.
        workers: threads; with one, nothing is done ahead.
    """
    if workers < 2 or len(items) < 2:  # noqa: PLR2004 - nothing to share
        yield from map(work, items)
        return
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
