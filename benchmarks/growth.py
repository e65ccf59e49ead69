"""What ten times the tasks cost: memory of a worker and of the parent, CPU a task, the finish.

    python benchmarks/growth.py [--series 200] [--times 10] [--workers 2]

The archive is made on the spot: series of eight small slices, four a patient. One export as NIfTI
and tables with so many series, one with ten times as many, through the shell. Each process's peak
resident memory is what the kernel says (``VmHWM``); the finish (tables, manifest, report) is the
time from the last record to the end. The goal is that a worker's peak grows at most by a fifth.
Exits 1 if it does not hold.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import cohortkit as ck
from factory import Patient, Series, write_series

GOAL = 1.2
COMMAND = [sys.executable, "-c", "import sys; from cohortkit.cli import main; sys.exit(main())"]


@dataclass
class Cost:
    """Of one export: tasks; seconds of CPU, of the whole and of the finish; peaks in MB."""

    tasks: int
    cpu: float
    wall: float
    finish: float
    worker: float
    parent: float


def make(base: Path, first: int, last: int) -> None:
    """Some of the series of the archive; slices differ, so that no digest is met again."""
    for number in range(first, last):
        patient = Patient(
            patient_id=f"GROW-{number // 4:06}", name=f"Wachstum{number // 4}^Otto",
            accession=f"ACC-77{number // 4:06}",
        )  # fmt: skip
        made = Series(number=number % 4 + 1, slices=8, rows=64, columns=64, seed=number)
        write_series(base / "archive" / f"p{number // 4}", patient, made)


def export(base: Path, tasks: int, workers: int) -> Cost:
    """Index what is there and export all of it."""
    index = ck.scan(base / "archive", base / "index", progress=False)
    index.search().save(base / f"{tasks}.cohort")
    out = base / f"out-{tasks}"
    words = ["export", base / f"{tasks}.cohort", out, "--recipe", "basic", "--to", "nifti"]
    words += ["--to", "tables", "--key", base / "key", "--workers", workers, "--json"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    job = subprocess.Popen([*COMMAND, *map(str, words)], stdout=subprocess.DEVNULL)
    parent, worker = 0.0, 0.0
    while job.poll() is None:
        parent = max(parent, peak(job.pid))
        worker = max([worker, *(peak(pid) for pid in below(job.pid))])
        time.sleep(0.05)
    ended = time.monotonic()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    last = max(path.stat().st_mtime for path in (out / "vault" / "records").rglob("*.json"))
    return Cost(tasks, cpu, ended - began, time.time() - last, worker, parent)


def below(pid: int) -> list[int]:
    """All processes that a process has started, and theirs."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except OSError:
        return found
    return found + [grandchild for child in found for grandchild in below(child)]


def peak(pid: int) -> float:
    """Megabytes of memory at the most, so far."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main() -> int:
    """Export few, export many, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    many = asked.series * asked.times
    with tempfile.TemporaryDirectory(prefix="growth-") as text:
        base = Path(text)
        ck.Key.new(base / "key", project="growth")
        make(base, 0, asked.series)
        costs = [export(base, asked.series, asked.workers)]
        make(base, asked.series, many)
        costs.append(export(base, many, asked.workers))
    print("tasks  CPU ms a task  wall s  finish s  worker MB  parent MB")
    for one in costs:
        print(f"{one.tasks:5} {1000 * one.cpu / one.tasks:14.1f} {one.wall:7.1f} {one.finish:9.2f}"
              f" {one.worker:10.0f} {one.parent:10.0f}")  # fmt: skip
    grown = costs[1].worker / costs[0].worker
    print(f"a worker's peak: {grown:.2f} times (goal {GOAL})")
    return int(grown > GOAL)


if __name__ == "__main__":
    sys.exit(main())
