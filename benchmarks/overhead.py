"""What an engine costs a task that does nothing: to hand it over, hear of it and note it.

    python benchmarks/overhead.py [--tasks 3000] [--engines local-1,local-2,dask]

Tasks of forty files are handed to the engine as an export does; the work answers with an empty
record and writes none (so that no sync is in it), and each answer gets its line in the ledger.
Told: CPU of this process and all below it (with a scheduler and one worker, for ``dask``) between
the first answer and the last, a task; and wall time, which tells little on a busy machine. The
goals are 0.3 ms of CPU locally and 5 ms on Dask; exits 1 where one is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from chaos import Cluster
from growth import below
from idle import Idle

from cohortkit.model import FileRef, Person, Task
from cohortkit.protocols import Engine
from cohortkit.run.cluster import Dask
from cohortkit.run.engines import Local
from cohortkit.run.ledger import note

GOALS = {"local": 0.3, "dask": 5.0}
TICK = os.sysconf("SC_CLK_TCK")
FILES = 40


def tasks(count: int) -> list[Task]:
    """Each of forty files, as an index tells of them."""
    person = Person("HIS", "IDLE-0001")
    return [
        Task(
            number, f"k{number}", person, "1.2.3", f"1.2.3.{number}", "", "CT",
            tuple(FileRef(f"/archive/p{number}/{n}.dcm", 1, 1, f"1.2.{n}") for n in range(FILES)),
        )
        for number in range(count)
    ]  # fmt: skip


def cpu() -> float:
    """Seconds of this process and of those below it, with those of them that have ended."""
    ticks = 0
    for pid in [os.getpid(), *below(os.getpid())]:
        try:
            told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, told[11:15]))
    return ticks / TICK


@contextmanager
def engine(name: str, folder: Path) -> Iterator[Engine]:
    """One of the engines, and all that belongs to it."""
    if name != "dask":
        yield Local(int(name.removeprefix("local-")), folder / "log")
        return
    here = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    cluster = Cluster(folder)
    with ExitStack() as stack:
        for process in (cluster.scheduler, cluster.worker()):
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield Dask(cluster.address, folder)


def measured(name: str, folder: Path, count: int) -> tuple[float, float]:
    """Milliseconds of CPU and of wall time, a task."""
    ledger, began = folder / "ledger.jsonl", (0.0, 0.0)
    with engine(name, folder) as one:
        for done, (number, _) in enumerate(one.run(Idle(), tasks(count))):
            if not done:
                began = cpu(), time.monotonic()
            note(ledger, "task", task=str(number))
            if done == count - 1:
                ended = cpu(), time.monotonic()
    return tuple(1000 * (b - a) / (count - 1) for a, b in zip(began, ended, strict=True))  # type: ignore[return-value]  # two of them


def main() -> int:
    """Measure, tell, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", type=int, default=3000)
    parser.add_argument("--engines", default="local-1,local-2,dask")
    asked = parser.parse_args()
    good = True
    for name in asked.engines.split(","):
        with tempfile.TemporaryDirectory(prefix="overhead-") as text:
            spent, wall = measured(name, Path(text), asked.tasks)
        goal = GOALS[name.partition("-")[0]]
        print(f"{name:<8} {spent:6.3f} ms of CPU a task (goal {goal}), {wall:6.3f} ms wall")
        good &= spent <= goal
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
