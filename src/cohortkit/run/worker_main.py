"""What runs in a worker process: take the work, then one task after the other."""

from __future__ import annotations

import gc
import os
import queue
import signal
import sys
import threading
from typing import IO

from cohortkit.errors import UsageError
from cohortkit.model import Task
from cohortkit.run.process import WorkerLost, receive, send

_PARENT_GONE = 3


def main(memory: int) -> None:
    """Serve until the parent closes the pipe.

    Args:
        memory: bytes of data that this process may have; 0 is no limit of ours.
    """
    _quiet()
    _limit(memory)
    inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
    # what libraries print goes to the log of the vault, never among the messages
    outbox = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        work = receive(sys.stdin.buffer)
    except UsageError as error:
        send(outbox, str(error))
        return
    except (AttributeError, ImportError) as error:
        send(outbox, f"a part of it cannot be imported there ({type(error).__name__})")
        return
    assert callable(work)
    threading.Thread(target=_listen, args=(sys.stdin.buffer, inbox), daemon=True).start()
    gc.freeze()  # what was imported is no garbage, and need not be looked through for it
    send(outbox, "ready")
    while True:
        task = inbox.get()
        assert isinstance(task, Task)
        send(outbox, work(task))


def _listen(pipe: IO[bytes], inbox: queue.SimpleQueue[object]) -> None:
    """Pass tasks on; when the parent is gone, leave at once: the record decides what was done."""
    while True:
        try:
            inbox.put(receive(pipe))
        except WorkerLost:
            os._exit(_PARENT_GONE)


def _quiet() -> None:
    """No core dump, which would hold a patient; no reaction to Ctrl-C, which is the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import resource  # noqa: PLC0415 - POSIX only
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit(memory: int) -> None:
    """Hold this process to its memory: an allocation beyond it fails, here and nowhere else.

    RLIMIT_DATA counts what is written to (Linux 4.7 and later), not what is only reserved.
    """
    if not memory:
        return
    try:
        import resource  # noqa: PLC0415 - POSIX only
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(
        resource.RLIMIT_DATA,
        (memory if most == resource.RLIM_INFINITY else min(memory, most), most),
    )
