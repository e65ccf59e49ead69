"""A running export seen from outside, by its folders and its process id. Knows no cohortkit."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

PHASES = ("start", "begin", "work", "finish")
"""Nothing laid out yet; laid out, no record yet; records are made; the first finished file on."""

_TICK, _SHORT = 0.004, 0.0002  # seconds; to finish takes milliseconds, all else longer


@dataclass(frozen=True)
class Struck:
    """A kill that met a living process."""

    phase: str
    whom: str


@dataclass
class Watched:
    """An export in a process of its own.

    Attributes:
        out: its output, which may hold what an earlier run left.
        began: the file system's time before it began, in nanoseconds.
    """

    run: subprocess.Popen[bytes]
    out: Path
    began: int

    @property
    def phase(self) -> str:
        """Where it stands; what an earlier run left is not taken for its own."""
        release, records = self.out / "release", self.out / "vault" / "records"
        if self._made(release, release / "tables"):
            return "finish"
        if self._made(*records.glob("*")):
            return "work"
        return "begin" if self._signed() else "start"

    def _made(self, *folders: Path) -> bool:
        """Whether this run has put a file there; one that is not whole begins with a dot."""
        for folder in folders:
            try:
                for entry in os.scandir(folder):
                    own = entry.is_file() and not entry.name.startswith(".")
                    if own and entry.stat().st_mtime_ns >= self.began:
                        return True
            except OSError:  # not laid out yet, or swept in this moment
                continue
        return False

    def _signed(self) -> bool:
        try:
            return f'"pid": {self.run.pid}}}'.encode() in (self.out / "vault/lock").read_bytes()
        except OSError:
            return False

    def reach(self, phase: str) -> bool:
        """Wait until it is in this phase or past it; False if it is over."""
        while self.run.poll() is None:
            seen = self.phase
            if PHASES.index(seen) >= PHASES.index(phase):
                return True
            time.sleep(_SHORT if (seen, phase) == ("work", "finish") else _TICK)
        return False

    def workers(self) -> list[int]:
        """Its worker processes that live."""
        try:
            path = Path(f"/proc/{self.run.pid}/task/{self.run.pid}/children")
            return [pid for pid in map(int, path.read_text().split()) if _lives(pid)]
        except OSError:
            return []

    def strike(self, phase: str, delay: float, chance: random.Random) -> Struck | None:
        """SIGKILL to the parent or a worker, ``delay`` seconds into a phase; None: too late."""
        if not self.reach(phase):
            return None
        time.sleep(delay)
        seen, workers = self.phase, self.workers()
        whom = chance.choice(("parent", "worker")) if workers else "parent"
        victim = chance.choice(workers) if whom == "worker" else self.run.pid
        if self.run.poll() is not None:
            return None
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return None
        code = self.run.wait(timeout=120)
        missed = whom == "parent" and code != -signal.SIGKILL
        return None if missed else Struck(seen, whom)


def start(base: Path, out: Path) -> Watched:
    """Start the export of ``killed.py``; what it says on stderr is kept in ``base``."""
    stamp = base / "stamp"
    stamp.write_bytes(b"")
    began = stamp.stat().st_mtime_ns
    with (base / "stderr").open("wb") as errors:
        run = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("killed.py"), base, out],
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    return Watched(run, out, began)


def spans(watched: Watched) -> dict[str, float]:
    """How long each phase of an undisturbed run takes, in seconds."""
    at = {}
    before = time.monotonic()
    for phase in PHASES[1:]:
        watched.reach(phase)
        at[phase] = time.monotonic()
    watched.run.wait(timeout=120)
    marks = [before, *at.values(), time.monotonic()]
    return {
        phase: till - since for phase, (since, till) in zip(PHASES, pairwise(marks), strict=True)
    }


def _lives(pid: int) -> bool:
    """Whether a process is there and not only waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
