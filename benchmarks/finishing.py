"""What the finish of many series holds: the parent's peak, a series, without exporting them.

    python benchmarks/finishing.py [--series 2500,20000]

Four series of eight slices are exported as NIfTI and tables; their records are then laid out so
many times under other names, and the tables, the manifest and the report are made of them, as the
parent of an export does in the end, in a process of its own. Told: its peak (``VmHWM``) and CPU for
each number of series, and how much a series costs between one number and the next. The goal is
10 KB; exits 1 where the last step misses it. What a plan holds comes to that (``growth.py``).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import growth

import cohortkit as ck
from cohortkit.run.finish import finish
from cohortkit.run.place import Place
from cohortkit.run.recall import about_of
from cohortkit.run.shelf import Shelf, paths
from cohortkit.run.verify import _writers

GOAL = 10.0  # KB


def lay(base: Path, count: int) -> Place:
    """The vault of an export of so many series, out of the records of four."""
    done = Place(base / "done")
    bodies = [path.read_text() for path in paths(done)]
    place = Place(base / f"many-{count}")
    place.prepare()
    (place.vault / "about.json").write_bytes((done.vault / "about.json").read_bytes())
    for number in range(count):
        body = bodies[number % len(bodies)]
        told = json.loads(body)
        task = f"{number:08x}{told['task'][8:]}"
        for name in (told["task"], *told["names"].values()):
            body = body.replace(name, f"{number:08x}{name[8:]}")
        path = place.record(task)
        path.parent.mkdir(exist_ok=True)
        path.write_text(body)
    return place


def alone(root: Path) -> None:
    """Finish what lies there; for a process of its own."""
    place = Place(root)
    about = about_of(place, str(root))
    made = finish(Shelf.on(place), about, _writers(about))
    told = {"peak": growth.peak(os.getpid()), "cpu": time.process_time(), "files": len(made)}
    print(json.dumps(told))


def main() -> int:
    """Lay out, finish, compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", default="2500,20000")
    parser.add_argument("--alone", type=Path, help="(finish what lies there)")
    asked = parser.parse_args()
    if asked.alone is not None:
        alone(asked.alone)
        return 0
    each, before = GOAL, (0, 0.0)
    with tempfile.TemporaryDirectory(prefix="finishing-") as text:
        base = Path(text)
        growth.make(base, 0, 4)
        cohort = ck.scan(base / "archive", progress=False).search()
        plan = ck.plan(cohort, ck.load_recipe("basic"), to=["nifti", "tables"])
        ck.export(plan, base / "done", key=ck.Key.new(base / "key", project="g"), progress=False)
        for count in map(int, asked.series.split(",")):
            place = lay(base, count)
            words = [sys.executable, __file__, "--alone", str(place.root)]
            told = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)
            step = 1024 * (told["peak"] - before[1]) / (count - before[0])
            each, before = step, (count, told["peak"])
            print(f"{count:>7,} series: peak {told['peak']:.0f} MB, {step:.1f} KB a series more, "
                  f"{1000 * told['cpu'] / count:.2f} ms of CPU each", flush=True)  # fmt: skip
    return 0 if each <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
