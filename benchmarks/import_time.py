"""What the first cell of a notebook costs: ``import cohortkit`` against the stack below it.

Each import runs in a process of its own, the sides taking turns, and medians are compared, so
that a busy machine slows both alike. Byte code is compiled before (``compiled.py``). The goal is
that even every public name together costs at most half of the stack.

    python benchmarks/import_time.py [rounds]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from compiled import keep_byte_code

STACK = "import pydicom, deid.dicom, pandas, polars, SimpleITK, tqdm"
SIDES = {
    "python alone": "pass",
    "import cohortkit": "import cohortkit",
    "every public name": "import cohortkit as ck; [getattr(ck, n) for n in ck.__all__]",
    "the stack": STACK,
}


def seconds(code: str) -> float:
    """Wall time of one new process that runs the code."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def main(rounds: int) -> int:
    """Print the medians and the ratio; exit code 1 where the goal is missed."""
    times: dict[str, list[float]] = {name: [] for name in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        keep_byte_code(Path(folder))
        for code in SIDES.values():
            seconds(code)  # compiles
        for _ in range(rounds):
            for name, code in SIDES.items():
                times[name].append(seconds(code))
    medians = {name: statistics.median(values) for name, values in times.items()}
    base = medians.pop("python alone")
    for name, value in medians.items():
        print(f"{name:20} {value - base:7.3f} s")
    stack = medians["the stack"] - base
    for name in ("import cohortkit", "every public name"):
        print(f"{name} / the stack = {(medians[name] - base) / stack:.2f}")
    return int(medians["every public name"] - base > 0.5 * stack)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
