"""What every adapter has in common: two folders, CPU time, one line of JSON.

    python ADAPTER SOURCE TARGET [--warm N]

Runs in the tool's own environment, so it imports nothing but the standard library. Prints
``{"refused": {name: kind of error}, "files": n, "cpu_s": seconds}``; the first N files are done
before the clock starts. CPU is that of the process and its children.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

One = Callable[[Path, Path], None]
Many = Callable[[Sequence[Path], Path], dict[str, str]]


def each(one: One) -> Many:
    """A tool that takes one file at a time."""

    def many(sources: Sequence[Path], target: Path) -> dict[str, str]:
        refused = {}
        for source in sources:
            place = target / source.name
            try:
                one(source, place)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - that is the finding
                refused[source.name] = type(error).__name__
                place.unlink(missing_ok=True)
        return refused

    return many


def cpu() -> float:
    """Seconds of CPU of this process and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def run(many: Many, before: Callable[[Path], None] | None = None) -> None:
    """Do the work and say what it took; ``before`` gets the source folder before the clock."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--warm", type=int, default=0)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    given.target.mkdir(parents=True, exist_ok=True)
    sources = sorted(path for path in given.source.iterdir() if path.is_file())
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        if before is not None:
            before(given.source)
        if given.warm:
            many(sources[: given.warm], given.target)
        start, wall = cpu(), time.perf_counter()
        refused = many(sources[given.warm :], given.target)
        told = {
            "refused": refused,
            "files": len(sources) - given.warm,
            "cpu_s": cpu() - start,
            "wall_s": time.perf_counter() - wall,
        }
    print(json.dumps(told), file=sys.__stdout__)
