"""An export that is killed before its n-th step on disk, for many n, each in a fork of its own.

A step is a file that is opened to be written, a rename, a removal or a folder, below the output.
The fork kills itself from an audit hook, so that no moment is too short to be hit.

    stepped.py BASE OUT HOW_MANY    → {"steps": 97, "wrong": [], "tried": [0, 1, …]}
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from cohortkit.model import Record, Task
from cohortkit.run.engines import Local
from killed import export
from promised import tree

CHANGES = frozenset({"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod"})
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
LAYOUT = range(12)
HEAVY = frozenset({"cohortkit", "numpy", "polars", "pydantic", "pydicom"})


def forked(what: Callable[[], object]) -> int:
    """Do it in a fork, which shares the imports and nothing else. How it ended, as by the shell."""
    pid = os.fork()
    if pid == 0:
        try:
            what()
        finally:
            os._exit(int(sys.exc_info()[0] is not None))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def here(_: Local, work: Callable[[Task], Record], tasks: list[Task]) -> Iterator[object]:
    """Work in this process, whose steps are counted."""
    for task in tasks:
        yield task.number, work(task)


def deadly(base: Path, out: Path, last: int, counted: Path) -> None:
    """Export, and die before step ``last``; without dying, say how many there were."""
    steps = 0

    def hook(event: str, given: tuple[object, ...]) -> None:
        nonlocal steps
        opened = event == "open" and bool(int(str(given[2])) & WRITES)
        if not (opened or event in CHANGES) or not str(given[0]).startswith(str(out)):
            return
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

    sys.addaudithook(hook)
    made = export(base, out, limit=2)
    assert made.exit_code == 0
    counted.write_text(json.dumps([steps, sorted(sys.modules)]))


def main(base: Path, out: Path, many: int) -> dict[str, object]:
    """Kill at ``many`` steps, resume after each, compare with a run that nobody killed."""
    Local.run = here  # type: ignore[method-assign,assignment]  # no worker processes
    counted = base / "steps"
    assert 0 == forked(lambda: deadly(base, out, -1, counted))
    (steps, imported), whole = json.loads(counted.read_text()), tree(out)
    for name in imported:  # once, and not in each fork
        if name.split(".")[0] in HEAVY:
            importlib.import_module(name)
    tried = sorted({*LAYOUT, *random.SystemRandom().sample(range(steps), min(many, steps))})
    wrong = []
    for step in tried:
        shutil.rmtree(out, ignore_errors=True)
        died = forked(lambda step=step: deadly(base, out, step, counted))  # type: ignore[misc]
        ended = forked(lambda: export(base, out, limit=2))
        if (died, ended) != (-signal.SIGKILL, 0) or not _same(tree(out), whole):
            wrong.append(step)
    return {"steps": steps, "tried": tried, "wrong": wrong}


def _same(found: dict[str, str], whole: dict[str, str]) -> bool:
    """The same files everywhere, and in the release the same bytes."""
    return set(found) == set(whole) and all(
        found[name] == digest for name, digest in whole.items() if name.startswith("release/")
    )


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
