"""A whole de-identifying export beside dcm2niix converting, in turns, in one run.

    python benchmarks/throughput.py [--rounds N] [--codecs native,rle,…] [--series N] [--slices N]

(a) one CT of 400 slices of 512x512 and 12 bits, native and in four encodings; (b) ``--series``
of ``--slices`` slices each. What cohortkit is charged with is all of it: the scan of the archive,
the choice, the plan, de-identification, the volume, its sidecar, the tables, the report, the byte
search, every process that it started and the start of each. dcm2niix only converts. CPU is user
and system time of a command and all its descendants, the least of the rounds; memory is the
largest process. Byte code is compiled before (``compiled.py``).

Goals: .nii.gz of (a) CPU at most 0.85 of ``dcm2niix -z i``, wall at most 0.6, size at most 1.05;
.nii of (b) CPU at most 2 of ``-z n``; J2K at most 1 and the other codecs at most 1.5 of ``-z n``;
memory at most 1.5 times the volume and 100 MB. Exit code 1 where one is missed.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dcm2niix
from compiled import keep_byte_code
from throughput_made import ENCODERS, write

RECIPE = Path(__file__).resolve().parent / "throughput.toml"
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: grandchildren that are left behind are ours to count

OURS = """
import sys, cohortkit as ck
archive, out, gz, workers, recipe = sys.argv[1:]
index = ck.scan(archive, out + "/index", progress=False)
key = ck.Key.new(out + "/speed.key", "speed")
to = [ck.Nifti(compress=gz == "gz"), ck.Tables()]
plan = ck.plan(index.search(), ck.load_recipe(recipe), to=to)
made = ck.export(plan, out + "/out", key=key, workers=int(workers), progress=False)
wrong = made.table("tasks").filter(made.table("tasks")["status"] != "written")
if len(wrong):
    raise SystemExit(str(wrong))
"""


@dataclass(frozen=True)
class Cost:
    """What one command took: seconds, MB, bytes of its images."""

    cpu: float
    wall: float
    memory: float
    size: int


def run(command: Sequence[str | Path], out: Path) -> Cost:
    """Run a command to its end and that of all its descendants."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    before = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    cpu, memory, failed = 0.0, 0, False
    while True:
        try:
            pid, status, used = os.wait4(-1, 0)
        except ChildProcessError:
            break
        cpu += used.ru_utime + used.ru_stime
        memory = max(memory, used.ru_maxrss)
        if pid == child.pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            failed = status != 0
    wall = time.monotonic() - before
    if failed:
        raise SystemExit(f"failed: {command[0]}")
    images = [path for path in out.rglob("*.nii*") if path.is_file()]
    return Cost(cpu, wall, memory / 1024, sum(path.stat().st_size for path in images))


def best(costs: Sequence[Cost]) -> Cost:
    """The least of each figure, but the most of memory."""
    return Cost(
        min(cost.cpu for cost in costs),
        min(cost.wall for cost in costs),
        max(cost.memory for cost in costs),
        costs[0].size,
    )


def in_turns(
    archive: Path, work: Path, rounds: int, names: Sequence[str], workers: int
) -> dict[str, Cost]:
    """Each command once a round, one after the other."""
    out = work / "out"
    ours = [sys.executable, "-c", OURS, archive, out]
    theirs = [dcm2niix.bin, "-f", "%j", "-b", "y", "-o", out]
    commands: dict[str, list[str | Path]] = {
        "dcm2niix -z i": [*theirs, "-z", "i", archive],
        "dcm2niix -z n": [*theirs, "-z", "n", archive],
        "cohortkit .nii.gz": [*ours, "gz", str(workers), RECIPE],
        "cohortkit .nii": [*ours, "raw", str(workers), RECIPE],
    }
    found: dict[str, list[Cost]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            found[name].append(run(commands[name], out))
    shutil.rmtree(out)
    return {name: best(costs) for name, costs in found.items()}


def start_up(work: Path) -> Cost:
    """An export of one series of two slices: what is paid once, however much is exported."""
    archive = work / "two"
    write(archive, 2)
    made = in_turns(archive, work, 4, ["cohortkit .nii"], 1)  # the first one compiles
    return made["cohortkit .nii"]


class Goals:
    """Prints each figure beside its goal, and remembers whether one was missed."""

    def __init__(self) -> None:
        self.missed = 0

    def __call__(self, what: str, found: float, most: float) -> None:
        """Print a figure and whether it is at most what it should be."""
        missed = found > most
        self.missed += missed
        print(f"    {what:<42} {found:6.2f}  goal {most:.2f}  {'MISSED' if missed else 'met'}")


def table(title: str, costs: dict[str, Cost]) -> None:
    """Print what each command took."""
    print(f"\n{title}")
    print(f"    {'':<20} {'CPU s':>7} {'wall s':>7} {'peak MB':>8} {'MB':>8}")
    for name, c in costs.items():
        print(f"    {name:<20} {c.cpu:7.2f} {c.wall:7.2f} {c.memory:8.0f} {c.size / 1e6:8.1f}")


def one_ct(work: Path, given: argparse.Namespace, start: Cost, goal: Goals) -> None:
    """(a): one series, in each encoding."""
    for codec in filter(None, given.codecs.split(",")):
        archive = work / codec
        volume = write(archive, 400, codec) / 1e6
        gz = ["dcm2niix -z i", "cohortkit .nii.gz"] if codec == "native" else []
        names = [*gz, "dcm2niix -z n", "cohortkit .nii"]
        costs = in_turns(archive, work, given.rounds, names, given.workers)
        shutil.rmtree(archive)
        table(f"(a) 400 slices, {codec}, {volume:.0f} MB of pixels", costs)
        if gz:
            theirs, ours = costs["dcm2niix -z i"], costs["cohortkit .nii.gz"]
            goal("CPU, .nii.gz over -z i", ours.cpu / theirs.cpu, 0.85)
            goal("wall, .nii.gz over -z i", ours.wall / theirs.wall, 0.6)
            goal("size, .nii.gz over -z i", ours.size / theirs.size, 1.05)
        else:
            theirs, ours = costs["dcm2niix -z n"], costs["cohortkit .nii"]
            goal(f"CPU, .nii over -z n, {codec}", ours.cpu / theirs.cpu, _most(codec))
        steady = (ours.cpu - start.cpu) / theirs.cpu
        print(f"    {'the same CPU without the start-up':<42} {steady:6.2f}")
        peak = max(cost.memory for name, cost in costs.items() if name.startswith("cohortkit"))
        goal("memory over 1.5 x volume + 100 MB", peak / (1.5 * volume + 100), 1)


def _most(codec: str) -> float:
    return 1.0 if codec == "jpeg-2000" else 1.5


def many(work: Path, given: argparse.Namespace, goal: Goals) -> None:
    """(b): many series."""
    archive = work / "many"
    for number in range(given.series):
        write(archive / f"{number:03}", given.slices, series=number)
    names = ["dcm2niix -z n", "cohortkit .nii"]
    costs = in_turns(archive, work, given.rounds, names, given.workers)
    shutil.rmtree(archive)
    table(f"(b) {given.series} series of {given.slices} slices", costs)
    goal("CPU, .nii over -z n", costs["cohortkit .nii"].cpu / costs["dcm2niix -z n"].cpu, 2)


def main() -> int:
    """Print both tables, each figure beside its goal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--codecs", default=",".join(["native", *ENCODERS]), help="'' for none")
    parser.add_argument("--series", type=int, default=60, help="0 leaves (b) out")
    parser.add_argument("--slices", type=int, default=100, help="of each series of (b)")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    goal = Goals()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        keep_byte_code(work / "pycache")
        started = start_up(work)
        print(f"start-up of cohortkit: {started.cpu:.2f} s CPU, {started.wall:.2f} s wall")
        one_ct(work, given, started, goal)
        if given.series:
            many(work, given, goal)
    load = os.getloadavg()[0]
    print(f"\n{goal.missed} goals missed; load {load:.1f} on {os.cpu_count()} processors")
    return int(goal.missed > 0)


if __name__ == "__main__":
    sys.exit(main())
