"""Exports that are killed and stopped at random, beside one that is left alone.

    python benchmarks/chaos.py [--series 800] [--slices 150] [--every 2.0] [--kills 200] [--each 10]

The archive is made on the spot. First one export runs undisturbed with two workers (``local``),
then one whose processes are struck from outside at random times, on the average every so many
seconds: SIGKILL to a worker (most often) or to the process that runs it, or SIGSTOP for a second.
What was killed is started again as it was, as a scheduler would. Then the same with two shards of
one worker each, and on a Dask scheduler with two workers, where workers and the process that gives
out the tasks are struck. Strikes go on until there were so many kills, or the export is done;
before the first record and behind the last one they are dense, until each had ``--each`` kills.

Told: strikes by phase and victim, the wall time beside the undisturbed one, whether each series has
one record, and whether the release is the same byte for byte. Exit code 1 if it is not, or a series
is lost; where 200 kills or more are asked for, also if there were fewer, fewer than ``--each`` in a
phase, a baseline under a minute, or more than 1.5 times its time. This reads files and processes
and knows nothing of cohortkit but its command.

A killed worker costs what it was at and 0.7 s of CPU to start, a killed parent 1.4 s and the start
of its workers. 200 kills are some 300 s of CPU, on two processors 150 s: half of a baseline of
300 s, which the defaults are for (six to eight minutes an engine, 9 GB of archive, as much for each
release; nothing else on the machine). Byte code is compiled before (``compiled.py``), by the run
that is left alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
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
PARENT, STOP = 0.1, 0.1  # shares of strikes
SOON = 0.4  # seconds between strikes in a phase that is short
LOOK = 0.2  # seconds for which what the files say holds
MINUTE, TIMES, MANY = 60.0, 1.5, 200  # what a whole run is held to
PHASES = ("begin", "work", "finish")


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
    series: int = 0
    each: int = 0
    _seen: tuple[float, str] = (0.0, "begin")

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
        due = time.monotonic() + self.wait(every) if kills else float("inf")
        while self.running:
            self.look()
            if due > time.monotonic() + 4 * SOON and self.lacks(self.phase()):  # it will not last
                due = time.monotonic() + self.wait(every)
            if time.monotonic() >= due and (self.killed() < kills or self.lacks(self.phase())):
                self.strike()
                due = time.monotonic() + self.wait(every)
            time.sleep(0.02)
        return time.monotonic() - began

    def wait(self, every: float) -> float:
        """Seconds until the next strike; few where a short phase has had too few kills."""
        return self.chance.expovariate(
            1 / (min(every, SOON) if self.lacks(self.phase()) else every)
        )

    def killed(self, phase: str = "") -> int:
        """How many processes were killed, in one phase or in all."""
        kills = {key: n for key, n in self.struck.items() if key[1].endswith("killed")}
        return sum(n for (when, _), n in kills.items() if not phase or when == phase)

    def lacks(self, phase: str) -> bool:
        """Whether a short phase has had too few kills."""
        return phase != "work" and self.killed(phase) < self.each

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
        last = phase == "finish"  # which is the parent's
        group = parents if last or not workers or self.chance.random() < PARENT else workers
        if not group:
            return
        victim = self.chance.choice(sorted(group))
        stop = not last and self.chance.random() < STOP
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
        """Where the export stands, by its records."""
        if time.monotonic() - self._seen[0] < LOOK:
            return self._seen[1]
        count = sum(1 for _ in (self.out / "vault" / "records").rglob("[!.]*.json"))
        phase = "begin" if not count else "work" if count < self.series else "finish"
        self._seen = time.monotonic(), phase
        return phase


def children(pid: int) -> list[int]:
    """Of a process that lives."""
    try:
        return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def command(base: Path, out: Path, *more: str) -> list[str]:
    """The export as it is typed."""
    words = ["export", str(base / "all.cohort"), str(out), "--recipe", "basic", "--to", "nifti"]
    words += [
        "--to",
        "png",
        "--to",
        "dicom",
        "--to",
        "tables",
        "--key",
        str(base / "key"),
        "--json",
    ]
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


def enough(jobs: Jobs, first: float, kills: int) -> bool:
    """Whether a run of the whole measure met it; a smaller one is not asked."""
    if kills < MANY:
        return True
    few = [phase for phase in PHASES if jobs.killed(phase) < jobs.each]
    if few:
        print(f"         fewer than {jobs.each} kills: {', '.join(few)}")
    slow = jobs.seconds > TIMES * first
    return not (few or slow) and jobs.killed() >= kills and first >= MINUTE


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
    jobs.series, jobs.each = asked.series, asked.each
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
    parser.add_argument("--series", type=int, default=800)
    parser.add_argument("--slices", type=int, default=150)
    parser.add_argument("--every", type=float, default=2.0)
    parser.add_argument("--kills", type=int, default=MANY)
    parser.add_argument("--each", type=int, default=10)
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
            good &= same and records == asked.series and enough(jobs, first, asked.kills)
            shutil.rmtree(jobs.out)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
