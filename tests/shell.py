"""The shell's export as a user types it, for tests of places, disks and interruptions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cohortkit as ck

_COMMAND = "import sys; from cohortkit.cli import main; sys.exit(main())"


@dataclass(frozen=True)
class Shell:
    """A folder with an index, a cohort of all of it and a key; and what is asked of an export."""

    base: Path
    cohort: str = "all.cohort"
    key: str = "key"
    recipe: str = "basic"
    to: tuple[str, ...] = ("nifti", "png", "tables")

    def but(self, **other: object) -> Shell:
        """The same, asked otherwise."""
        return replace(self, **other)  # type: ignore[arg-type]  # its own fields

    def words(self, out: Path, *more: str) -> list[str]:
        """What is typed after ``cohortkit``."""
        to = [word for name in self.to for word in ("--to", name)]
        key = ["--key", str(self.base / self.key)] if self.key else []
        cohort = str(self.base / self.cohort)
        words = ["export", cohort, str(out), "--recipe", self.recipe, *to, *key, "--json"]
        return [*words, "--workers", "2", *more]

    def command(self, out: Path, *more: str) -> list[str]:
        """The same for a process of its own."""
        return [sys.executable, "-c", _COMMAND, *self.words(out, *more)]

    def run(
        self, out: Path, *more: str, before: Callable[[], None] | None = None
    ) -> tuple[int, str]:
        """Run it in a process of its own; its exit code and what it says on stderr."""
        done = subprocess.run(
            self.command(out, *more),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=before,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stderr


def settle(base: Path) -> Shell:
    """Scan ``base/archive``; leave index, cohort and key beside it."""
    index = ck.scan(base / "archive", base / "index", progress=False)
    index.search().save(base / "all.cohort")
    ck.Key.new(base / "key", project="project")
    return Shell(base)
