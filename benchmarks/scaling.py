"""Two workers beside one: wall time of the same export, and what of it only the parent does.

    python benchmarks/scaling.py [--series 60] [--slices 60]

The archive is that of ``chaos.py``, made on the spot, exported as it does there with one worker and
with two, in turns, the faster of two rounds each; byte code is compiled before. Told: the wall
time of both, of the whole and of the work alone (from the first line of the ledger to its last
task), and what two workers can come to at best, (serial + work) / (serial + work / 2):
serial is what the parent does before and after the work, work what the workers do without their
start. Wall time says something only where nothing else runs: with a load over 1 before the start
the bound alone is judged. The goal is 1.8 of the whole; exits 1 where it is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chaos import command, make
from compiled import keep_byte_code

GOAL, IDLE = 1.8, 1.0


@dataclass
class Run:
    """Seconds: of the whole, of the work alone, of CPU of all processes."""

    wall: float
    work: float
    cpu: float

    @property
    def serial(self) -> float:
        """Before the work and behind it."""
        return self.wall - self.work


def export(base: Path, workers: int) -> Run:
    """One export, with nothing there before."""
    out = base / f"out-{workers}"
    shutil.rmtree(out, ignore_errors=True)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    words = command(base, out, "--workers", str(workers))
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    lines = map(json.loads, (out / "vault" / "ledger.jsonl").read_text().splitlines())
    at = [datetime.fromisoformat(one["at"]) for one in lines if one["event"] in {"begin", "task"}]
    return Run(wall, (at[-1] - at[0]).total_seconds(), cpu)


def main() -> int:
    """Make, export with one and with two, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=int, default=60)
    parser.add_argument("--slices", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="scaling-") as text:
        base = Path(text)
        keep_byte_code(base / "pycache")
        make(base, asked.series, asked.slices)
        export(base, 1)  # fills the byte code
        runs = [(export(base, 1), export(base, 2)) for _ in range(asked.rounds)]
    one, two = (min((pair[n] for pair in runs), key=lambda run: run.wall) for n in (0, 1))
    extra = two.cpu - one.cpu  # the start of the second, and what they take from each other
    serial = min(one.serial, two.serial)
    bound = (serial + one.work) / (serial + one.work / 2)
    print(f"load before {load:.1f}; one {one.wall:.1f} s ({one.work:.1f} of work), "
          f"two {two.wall:.1f} s ({two.work:.1f} of work), CPU {one.cpu:.1f} and {two.cpu:.1f} s "
          f"({extra:+.1f})")  # fmt: skip
    print(f"{one.wall / two.wall:.2f} times, of the work {one.work / two.work:.2f}; "
          f"at best {bound:.2f} at this size (goal {GOAL})")  # fmt: skip
    return 0 if (bound if load > IDLE else one.wall / two.wall) >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
