"""SIGKILL from outside at random times: then the same command gives the same bytes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import cohortkit as ck
from factory import Series, write_series
from killed import export
from promised import PATIENTS, make_archive, tree

KILLS = int(os.environ.get("COHORTKIT_KILLS", "12"))
SEED = int(os.environ.get("COHORTKIT_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of fourteen series with its index and key."""
    folder = tmp_path_factory.mktemp("killed")
    make_archive(folder / "archive")
    for number in range(10, 14):
        series = Series(number=number, seed=number, slices=12, rows=40, columns=40)
        for patient in PATIENTS:
            write_series(folder / "archive" / "more", replace(patient), series)
    ck.scan(folder / "archive", folder / "index", progress=False)
    ck.Key.new(folder / "key", project="killed")
    return folder


@pytest.fixture(scope="module")
def undisturbed(base: Path) -> dict[str, str]:
    """The release of a run that nobody touched."""
    return tree(export(base, base / "undisturbed").release)


def _start(base: Path, out: Path) -> subprocess.Popen[str]:
    script = Path(__file__).parents[1] / "killed.py"
    return subprocess.Popen(
        [sys.executable, script, base, out],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _workers(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _phase(out: Path) -> str:
    """Where a run stands, seen from outside."""
    if (out / "release" / "export.json").exists():
        return "finish"
    if any((out / "vault" / "records").glob("*.json")):
        return "work"
    return "begin" if (out / "vault").exists() else "before"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc to find workers by")
def test_killed_at_any_moment_the_same_command_gives_the_same_bytes(
    base: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    """Parent or worker, before, in and after the work; resumed until it is through.

    The seed is in the message of a failure. ``COHORTKIT_KILLS`` asks for more.
    """
    chance = random.Random(SEED)
    out, kills, phases, rounds = tmp_path / "out", 0, Counter[str](), 0
    while kills < KILLS:
        rounds += 1
        run = _start(base, out)
        deadline = time.monotonic() + chance.uniform(0.3, 6.0)
        aim = chance.choice(("parent", "worker"))
        while run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        if run.poll() is None:
            phases[_phase(out)] += 1
            victims = _workers(run.pid) if aim == "worker" else [run.pid]
            for pid in victims[:1]:
                os.kill(pid, signal.SIGKILL)
                kills += 1
            if aim == "worker":
                run.wait(timeout=120)
        run.wait(timeout=120)
        if run.returncode == 0:
            assert undisturbed == tree(out / "release"), f"seed {SEED}, kills {kills}"
            out = tmp_path / f"out{rounds}"

    again = export(base, out)

    assert undisturbed == tree(again.release), f"seed {SEED}, {dict(phases)}"
    assert not list((out / "vault").glob(".*.part"))


@pytest.fixture(scope="module")
def few(base: Path) -> dict[str, str]:
    """The release of an undisturbed run of three series."""
    return tree(export(base, base / "few", limit=3).release)


@pytest.mark.parametrize("instant", [0, 3, 7])
def test_killed_while_it_finishes_it_finishes_the_same(
    base: Path, few: dict[str, str], tmp_path: Path, instant: int
) -> None:
    """The last phase is short: here the run kills itself before its n-th finished file."""
    out = tmp_path / "out"
    tests = Path(__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", _DEADLY, tests, base, out, str(instant)],
        stderr=subprocess.DEVNULL,
        check=False,
    )

    assert -signal.SIGKILL == run.returncode
    assert instant == len(
        [p for p in (out / "release").glob("**/*") if p.is_file() and _top(p, out)]
    )
    assert few == tree(export(base, out, limit=3).release)


_DEADLY = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
import killed
from cohortkit.run import batch
put, count = batch._put, [0]
def deadly(*given):
    if count[0] == int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)
    count[0] += 1
    put(*given)
batch._put = deadly
killed.export(Path(sys.argv[2]), Path(sys.argv[3]), limit=3)
"""


def _top(path: Path, out: Path) -> bool:
    first = path.relative_to(out / "release").parts[0]
    return first not in {"nifti", "png"}


def test_ctrl_c_leaves_a_run_that_goes_on(
    base: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    """SIGINT to the parent: its workers end with it, and the next run does the rest."""
    out = tmp_path / "out"
    run = _start(base, out)
    for _ in range(2000):
        if _phase(out) == "work" or run.poll() is not None:
            break
        time.sleep(0.005)
    children = _workers(run.pid)

    run.send_signal(signal.SIGINT)
    run.wait(timeout=60)

    assert run.returncode != 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert undisturbed == tree(export(base, out).release)
