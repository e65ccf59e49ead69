"""Exports that are killed and stopped at random, beside one that is left alone.

    python benchmarks/chaos.py [--series 400] [--slices 40] [--every 2.0] [--kills 60]

The archive is made on the spot. First one export runs undisturbed with two workers (``local``),
then one whose processes are struck from outside at random times, on the average every so many
seconds: SIGKILL to a worker (most often) or to the process that runs it, or SIGSTOP for a second.
What was killed is started again as it was, as a scheduler would. Then the same with two shards of
one worker each, and on a Dask scheduler with two workers, where workers and the process that gives
out the tasks are struck. Strikes go on until there were enough, or the export is done.

Told: strikes by phase and victim, the wall time beside the undisturbed one, whether each series has
one record, and whether the release is the same byte for byte. Exit code 1 if it is not, or a series
is lost. This reads files and processes and knows nothing of cohortkit but its command. The goal of
time is 1.5; it holds where strikes are no denser than work allows: a killed worker loses what it
was at and half a second to start, a killed parent two. Byte code is compiled before
(``compiled.py``), by the run that is left alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from compiled import keep_byte_code

import cohortkit as ck
from factory import Patient, Series, write_series

COMMAND = [sys.executable, "-c", "import sys; from cohortkit.cli import main; sys.exit(main())"]
STOPPED_SECONDS = 1.0
PARENT, STOP = 0.2, 0.1  # shares of strikes


def make(base: Path, series: int, slices: int) -> None:
    """Four series for each patient, with an index, a cohort and a key."""
    for number in range(series):
        patient = Patient(
            patient_id=f"CHAOS-{number // 4:05}", name=f"Chaosfelder{number // 4}^Otto"
        )
        made = Series(number=number % 4 + 1, slices=slices, rows=192, columns=192, seed=number)
        write_series(base / "archive" / f"p{number // 4}", patient, made)
    ck.scan(base / "archive", base / "index", progress=False).search().save(base / "all.cohort")
    ck.Key.new(base / "key", project="chaos")


def tree(folder: Path) -> dict[str, str]:
    """Every file and its digest."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@dataclass
class Jobs:
    """The processes of one export, each started again until it ends well.

    Attributes:
        words: what is typed, for each job.
        others: processes that are struck as well, such as a cluster's workers, and how to start
            one in the place of one that was killed.
    """

    out: Path
    words: list[list[str]]
    chance: random.Random
    others: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    another: Callable[[], subprocess.Popen[bytes]] | None = None
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0

    def start(self, number: int) -> None:
        """Start one of them, again."""
        self.running[number] = subprocess.Popen(
            self.words[number], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def run(self, every: float, kills: int) -> float:
        """Until all have ended well; gives the wall time."""
        began = time.monotonic()
        for number in range(len(self.words)):
            self.start(number)
        due = time.monotonic() + self.chance.expovariate(1 / every) if kills else float("inf")
        while self.running:
            self.look()
            if time.monotonic() >= due and sum(self.struck.values()) < kills:
                self.strike()
                due = time.monotonic() + self.chance.expovariate(1 / every)
            time.sleep(0.02)
        return time.monotonic() - began

    def look(self) -> None:
        """Let go of who ended well, start again who did not."""
        for number, job in list(self.running.items()):
            code = job.poll()
            if code == 0:
                del self.running[number]
            elif code is not None:
                self.start(number)

    def strike(self) -> None:
        """Kill or stop one of the processes that live."""
        phase = self.phase()
        parents = {job.pid: "parent" for job in self.running.values() if job.poll() is None}
        workers = {pid: "worker" for parent in parents for pid in children(parent)}
        workers |= {pid: "cluster" for pid, one in self.others.items() if one.poll() is None}
        group = parents if not workers or self.chance.random() < PARENT else workers
        if not group:
            return
        victim = self.chance.choice(sorted(group))
        stop = self.chance.random() < STOP
        try:
            os.kill(victim, signal.SIGSTOP if stop else signal.SIGKILL)
        except ProcessLookupError:
            return
        self.struck[phase, f"{group[victim]} {'stopped' if stop else 'killed'}"] += 1
        if stop:
            time.sleep(STOPPED_SECONDS)
            os.kill(victim, signal.SIGCONT)
        elif victim in self.others and self.another is not None:
            self.others.pop(victim).wait()
            made = self.another()
            self.others[made.pid] = made

    def phase(self) -> str:
        """Where the export stands, by its files."""
        if (self.out / "release" / "tables").is_dir():
            return "finish"
        return "work" if any((self.out / "vault" / "records").rglob("*.json")) else "begin"


def children(pid: int) -> list[int]:
    """Of a process that lives."""
    try:
        return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def command(base: Path, out: Path, *more: str) -> list[str]:
    """The export as it is typed."""
    words = ["export", str(base / "all.cohort"), str(out), "--recipe", "basic", "--to", "nifti"]
    words += ["--to", "tables", "--key", str(base / "key"), "--json"]
    return [*COMMAND, *words, *more]


class Cluster:
    """A Dask scheduler; its workers are the benchmark's to kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        where = folder / "scheduler.json"
        words = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
        self.scheduler = self._start([*words, "--no-dashboard", "--scheduler-file", str(where)])
        while not where.is_file():
            time.sleep(0.05)
        self.address = json.loads(where.read_text())["address"]

    def worker(self) -> subprocess.Popen[bytes]:
        """One more worker of one thread."""
        words = ["distributed.cli.dask_worker", self.address, "--nthreads", "1", "--no-nanny"]
        return self._start([*words, "--no-dashboard", "--local-directory", str(self.folder)])

    def _start(self, words: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def report(name: str, jobs: Jobs, ratio: float, outcome: str) -> None:
    """A row of the table."""
    struck = sorted(jobs.struck.items())
    kills = ", ".join(f"{count} {phase}: {whom}" for (phase, whom), count in struck) or "none"
    total = sum(jobs.struck.values())
    print(f"{name:<8} {total:>4} strikes {ratio:6.2f}x  {outcome}  ({kills})", flush=True)


def jobs_of(name: str, base: Path, out: Path, chance: random.Random) -> tuple[Jobs, list[Cluster]]:
    """How an export is run by this engine."""
    if name == "dask":
        cluster = Cluster(base)
        two = {one.pid: one for one in (cluster.worker(), cluster.worker())}
        words = [command(base, out, "--engine", cluster.address)]
        return Jobs(out, words, chance, two, cluster.worker), [cluster]
    if name == "shards":
        parts = [("--shard", f"{n}/2", "--workers", "1") for n in (1, 2)]
        return Jobs(out, [command(base, out, *part) for part in parts], chance), []
    return Jobs(out, [command(base, out, "--workers", "2")], chance), []


def disturbed(name: str, base: Path, asked: argparse.Namespace, chance: random.Random) -> Jobs:
    """Run it under strikes; gives its jobs, with the time they took."""
    out = base / name
    jobs, clusters = jobs_of(name, base, out, chance)
    jobs.seconds = jobs.run(asked.every, asked.kills)
    for one in [*jobs.others.values(), *(cluster.scheduler for cluster in clusters)]:
        one.kill()
        one.wait()
    if name == "shards":  # should the last one have been killed as it finished
        subprocess.run(jobs.words[0], stdout=subprocess.DEVNULL, check=True)
    return jobs


def main() -> int:
    """Make, run alone, run under strikes, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=int, default=400)
    parser.add_argument("--slices", type=int, default=40)
    parser.add_argument("--every", type=float, default=2.0)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--engines", default="local,shards,dask")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    print(f"seed {asked.seed}, {asked.series} series of {asked.slices} slices", flush=True)
    good = True
    with tempfile.TemporaryDirectory(prefix="chaos-") as text:
        base = Path(text)
        keep_byte_code(base / "pycache")
        make(base, asked.series, asked.slices)
        alone = Jobs(base / "alone", [command(base, base / "alone", "--workers", "2")], chance)
        first = alone.run(asked.every, 0)
        whole = tree(base / "alone" / "release")
        print(f"undisturbed: {first:.1f} s", flush=True)
        for name in asked.engines.split(","):
            jobs = disturbed(name, base, asked, chance)
            same = tree(jobs.out / "release") == whole
            records = len(list((jobs.out / "vault" / "records").rglob("*.json")))
            outcome = f"{records} records, {'same' if same else 'OTHER'} bytes"
            report(name, jobs, jobs.seconds / first, outcome)
            good &= same and records == asked.series
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
