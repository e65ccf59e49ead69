"""When a run may take the next series, and how fast: by day an archive has other users."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from datetime import time as clock
from pathlib import Path

from cohortkit import given
from cohortkit.errors import UsageError
from cohortkit.model import Task
from cohortkit.run.limits import number

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_LOOK = 1.0  # seconds between looks while a rate makes it wait


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits of a run. What is begun is ended; what is left the same command does later.

    Attributes:
        hours: local time of day in which series may begin, such as ``"20:00-06:00"``.
        stop_file: while this file is there no series begins.
        reserve_gigabytes: what must stay free at the output place.
        per_minute: how many series may begin in a minute.

    Raises:
        UsageError: hours or numbers that are none.
    """

    hours: str | None = None
    stop_file: str | Path | None = None
    reserve_gigabytes: float | None = None
    per_minute: float | None = None

    def __post_init__(self) -> None:
        """Refuse what could never be kept to."""
        given.together(
            self._hours,
            self._file,
            lambda: _positive("reserve_gigabytes", self.reserve_gigabytes),
            lambda: _positive("per_minute", self.per_minute),
        )

    def _hours(self) -> None:
        if self.hours is not None and not _are_hours(self.hours):
            raise UsageError("hours: local times of day, such as '20:00-06:00'")

    def _file(self) -> None:
        if self.stop_file is not None:
            given.path("stop_file", self.stop_file)
        if self.stop_file is not None and Path(self.stop_file).is_dir():
            raise UsageError("stop_file: a folder is there; name a file that need not be there")

    def stops(self, out: Path, now: datetime) -> str:
        """Why no series may begin now; empty if one may."""
        if self.stop_file is not None and Path(self.stop_file).exists():
            return "the stop file is there"
        if self.hours is not None and not _within(self.hours, now.time()):
            return f"it is outside the hours {self.hours}"
        if self.reserve_gigabytes is not None:
            free = shutil.disk_usage(out).free / 1e9
            if free < self.reserve_gigabytes:
                return f"less than {self.reserve_gigabytes:g} GB are free at the output place"
        return ""


@dataclass(slots=True)
class Paced:
    """Tasks as fast as they may begin; when none may any more, the rest is left.

    Attributes:
        stopped: why it ended before its time; empty if it did not.
    """

    pace: Pace
    out: Path
    now: Callable[[], datetime] = datetime.now
    stopped: str = field(default="", init=False)

    def tasks(self, todo: Iterable[Task]) -> Iterator[Task]:
        """Each as soon as it may begin."""
        due = time.monotonic()
        for task in todo:
            if self._until(due):
                return
            due = max(due, time.monotonic() - _LOOK) + self._apart()
            yield task

    def _until(self, due: float) -> bool:
        """Wait until then, and look whether to stop: before, meanwhile and after."""
        while not self.stopped:
            self.stopped = self.pace.stops(self.out, self.now())
            wait = due - time.monotonic()
            if wait <= 0:
                break
            time.sleep(min(wait, _LOOK))
        return bool(self.stopped)

    def _apart(self) -> float:
        return 0.0 if self.pace.per_minute is None else 60 / self.pace.per_minute


def _positive(name: str, value: float | None) -> None:
    if value is not None and not (number(value) and value > 0):
        raise UsageError(f"{name}: a number above 0")


def _are_hours(value: object) -> bool:
    """Two times that differ: of the same twice nobody knows whether it is all day or never."""
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    return found is not None and found.group(1, 2) != found.group(3, 4)


def _within(hours: str, now: clock) -> bool:
    """From the first time on, up to and without the second; over midnight too."""
    first, last = (clock.fromisoformat(text) for text in hours.split("-"))
    return first <= now < last if first < last else (now >= first or now < last)
