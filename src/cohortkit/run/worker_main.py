"""What runs in a worker process: take the work, then one task after the other."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from typing import IO

from cohortkit.errors import UsageError
from cohortkit.model import Task
from cohortkit.run.engines import WorkerLost, receive, send

_PARENT_GONE = 3


def main() -> None:
    """Serve until the parent closes the pipe."""
    _quiet()
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
