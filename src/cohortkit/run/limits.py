"""How long a task may take and how much memory a worker may have."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from cohortkit.errors import UsageError

_SHARE = 0.9
"""Of the machine's memory for one worker: what needs more would end something else first."""
_LEAST_GIGABYTES = 0.5
"""Python, numpy, polars and the codecs alone need a good part of this."""
_GROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a task may use.

    Attributes:
        seconds: of time; None is for ever.
        memory: in bytes, for a worker; 0 is no limit of ours.
    """

    seconds: float | None
    memory: int

    @classmethod
    def of(cls, minutes: float | None, gigabytes: float | None) -> Limits:
        """From what the user says.

        Raises:
            UsageError: no number above 0, or less memory than a worker needs for itself.
        """
        if minutes is not None and not (number(minutes) and minutes > 0):
            raise UsageError("task_minutes: a number above 0, or None for no limit")
        if gigabytes is not None and not (number(gigabytes) and gigabytes > _LEAST_GIGABYTES):
            raise UsageError(f"task_gigabytes: a number above {_LEAST_GIGABYTES}")
        memory = int(_SHARE * machine()) if gigabytes is None else int(gigabytes * 1e9)
        return cls(None if minutes is None else minutes * 60, memory)


def machine() -> int:
    """Bytes of memory that this machine, or the container that this process is in, has.

    0 where the system does not say.
    """
    try:
        has = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0
    return min([has, *_groups()])


def _groups() -> list[int]:
    """The limits of control groups, where there are any (v2 says "max" for none)."""
    found = []
    for name in _GROUPS:
        try:
            text = Path(name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            found.append(int(text))
    return found


def number(value: object) -> bool:
    """Whether it is a finite number, which True is not."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value)
