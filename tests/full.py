"""Exports onto a disk that is too small, at many levels. Runs in a mount namespace of its own.

    full.py BASE DISK HOW_MANY    → {"need": 901120, "outcomes": ["…", …], "wrong": []}

A ballast beside the output leaves the disk so much room; then it is removed, and the same command
has to give the release of an undisturbed run.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from cohortkit.errors import NoRoom
from cohortkit.run.engines import Local
from killed import export
from promised import accounted, tree
from stepped import here

BLOCK = 4096


def room(disk: Path) -> int:
    """Bytes that are free."""
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def attempt(base: Path, out: Path) -> str:
    """What the export says: its exit code and reasons, or why it cannot use the output."""
    try:
        made = export(base, out)
    except NoRoom as error:
        return str(error).removeprefix(f"output {out}: ")
    accounted(made.release)
    return f"{made.exit_code} {sorted(set(made.failed()['reason']))}"


def main(base: Path, disk: Path, many: int) -> dict[str, object]:
    """Fill, export, free, export, compare; at levels from nothing to enough."""
    Local.run = here  # type: ignore[method-assign,assignment]  # no worker processes
    out, ballast, empty = disk / "out", disk / "ballast", room(disk)
    assert attempt(base, out) == "0 []"
    whole = tree(out / "release")
    need = empty - room(disk)
    outcomes, wrong = [], []
    for level in range(many):
        shutil.rmtree(out)
        free = need * level // many // BLOCK * BLOCK
        ballast.write_bytes(bytes(room(disk) - free))
        outcomes.append(attempt(base, out))
        ballast.unlink()
        ended = attempt(base, out)
        if ended != "0 []" or whole != tree(out / "release"):
            wrong.append([free, outcomes[-1], ended])
    return {"need": need, "outcomes": outcomes, "wrong": wrong}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
