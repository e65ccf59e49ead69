"""What it costs to prove an export: the search while it is made, and ``verify`` afterwards.

    python benchmarks/proof.py [--slices 200] [--rounds 3] [--to nifti,png,dicom,tables] [--profile]

One series of CT of 512x512 (``throughput_made.py``: headers of a GE scanner, noise as a
scanner's) is exported under ``basic`` as each kind of output, and verified with key and index. Both
are done in this process, so that neither counts the start of others: CPU seconds, least of the
rounds, after one series that warms up. Told for each: the export's, what of it is the search (the
patterns are made, what was written is searched, what was found is noted) and what ``verify`` takes,
each as a share of the export's. The goals are 5 % and 35 %; exits 1 where one is missed.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import throughput_made

import cohortkit as ck
from cohortkit.model import Record, Task
from cohortkit.run import worker
from cohortkit.run.engines import Local

SEARCH, VERIFY = 0.05, 0.35
STEPS = ("patterns_of", "explained", "prove", "residual")
"""What ``run/worker.py`` calls to search what a task wrote."""


@dataclass
class Cost:
    """CPU seconds of an export, of the search in it, and of ``verify``."""

    export: float
    search: float
    verify: float


class Clock:
    """CPU seconds spent in some functions of a module."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def watch(self, name: str) -> None:
        """Count one function."""
        inner: Callable[..., object] = getattr(worker, name)

        def timed(*given: object) -> object:
            begun = time.process_time()
            try:
                return inner(*given)
            finally:
                self.seconds += time.process_time() - begun

        setattr(worker, name, timed)


def here(
    _: Local, work: Callable[[Task], Record], tasks: Iterable[Task]
) -> Iterator[tuple[int, Record]]:
    """Work in this process."""
    for task in tasks:
        yield task.number, work(task)


def once(base: Path, to: str, clock: Clock, *, small: bool = False) -> Cost:
    """Export and verify, with nothing there before."""
    out = base / "out"
    shutil.rmtree(out, ignore_errors=True)
    name = "small" if small else "large"
    index = ck.open_index(base / f"{name}.index")
    key = ck.Key.from_file(base / "key")
    plan = ck.plan(index.search(), ck.load_recipe("basic"), to=[to])
    clock.seconds, begun = 0.0, time.process_time()
    made = ck.export(plan, out, key=key, workers=1, progress=False)
    export, search = time.process_time() - begun, clock.seconds
    assert made.exit_code == 0, made
    begun = time.process_time()
    found = ck.verify(out, key, index)
    verify = time.process_time() - begun
    assert found.ok, found
    return Cost(export, search, verify)


def told(to: str, costs: list[Cost]) -> bool:
    """A row of the table; whether the goals are met."""
    export = min(one.export for one in costs)
    search = min(one.search for one in costs)
    verify = min(one.verify for one in costs)
    print(
        f"{to:<7} export {export:6.2f} s   search {search:6.3f} s {search / export:6.1%}   "
        f"verify {verify:6.2f} s {verify / export:6.1%}",
        flush=True,
    )
    return search <= SEARCH * export and verify <= VERIFY * export


def main() -> int:
    """Make a series, export and verify it, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--to", default="nifti,png,dicom,tables")
    parser.add_argument("--codec", default="native", help="of the source")
    parser.add_argument("--profile", action="store_true", help="of one search and one verify")
    asked = parser.parse_args()
    Local.run = here  # type: ignore[method-assign,assignment]  # no processes whose start counts
    clock = Clock()
    for name in STEPS:
        clock.watch(name)
    good = True
    with tempfile.TemporaryDirectory(prefix="proof-") as text:
        base = Path(text)
        ck.Key.new(base / "key", project="proof")
        for name, slices in (("small", 3), ("large", asked.slices)):
            throughput_made.write(base / name, slices, asked.codec)
            ck.scan(base / name, base / f"{name}.index", progress=False)
        for to in asked.to.split(","):
            once(base, to, clock, small=True)
            gc.freeze()  # as a worker does
            good &= told(to, [once(base, to, clock) for _ in range(asked.rounds)])
            if asked.profile:
                profiled(base, to, clock)
    return 0 if good else 1


def profiled(base: Path, to: str, clock: Clock) -> None:
    """Where the time goes, of export and verify together."""
    profile = cProfile.Profile()
    profile.runcall(once, base, to, clock)
    pstats.Stats(profile).sort_stats("cumulative").print_stats("cohortkit|hash|deco|compress", 60)


if __name__ == "__main__":
    sys.exit(main())
