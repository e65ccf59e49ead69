"""Work that stands in for the real one in tests of the engine: it can be imported by a worker."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from cohortkit.model import Person, Record, Task


def tasks(count: int) -> list[Task]:
    """Tasks that ask for nothing."""
    person = Person("HIS", "MRN-00471113")
    return [
        Task(number, f"k{number}", person, "1.2.3", f"1.2.3.{number}", "", "CT", ())
        for number in range(count)
    ]


@dataclass(frozen=True)
class Work:
    """Does nothing, or dies in a chosen way on chosen tasks.

    Attributes:
        folder: where each attempt leaves a line.
        always, once: task → how the worker dies, each time or the first time.
    """

    folder: Path
    always: tuple[tuple[int, str], ...] = ()
    once: tuple[tuple[int, str], ...] = ()
    seconds: float = 0.0

    def __call__(self, task: Task) -> Record:
        with (self.folder / f"{task.number}").open("a") as file:
            file.write(f"{os.getpid()}\n")
        first = len((self.folder / f"{task.number}").read_text().split()) == 1
        how = dict(self.always).get(task.number)
        if how is None and first:
            how = dict(self.once).get(task.number)
        if how is not None:
            _die(how)
        time.sleep(self.seconds)
        return Record(f"t{task.number}", "plan", None, 0, ())


def _die(how: str) -> None:
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "segfault":
        ctypes.string_at(0)
    elif how == "exit":
        os._exit(0)
    elif how == "raise":
        raise RuntimeError("a work that raises, which it must not")
    elif how == "hang":
        time.sleep(3600)
    elif how == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif how == "hoard":
        len(bytearray(1 << 31))
    elif how == "print":
        print("MRN-00471113 on stdout")
        sys.stderr.write("MRN-00471113 on stderr\n")
        os.write(1, b"MRN-00471113 from a C library\n")


@dataclass(frozen=True)
class CannotLoad:
    """Work whose unpickling fails in a worker."""

    def __reduce__(self) -> tuple[object, ...]:
        return (_absent, ())

    def __call__(self, task: Task) -> Record:
        raise NotImplementedError


def _absent() -> None:
    if os.environ.get("PYTEST_CURRENT_TEST_PROCESS") != str(os.getpid()):
        raise ImportError("nothing of that name")
