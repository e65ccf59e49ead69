"""SIGKILL from outside at random times, in every phase: then the same command, the same bytes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import cohortkit as ck
from factory import Series, write_series
from killed import export
from promised import PATIENTS, accounted, make_archive, tree
from shell import Shell, settle
from watched import PHASES, Watched, spans, start

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
KILLS = max(int(os.environ.get("COHORTKIT_KILLS", "8")), 52 if IN_CI else 0)
EACH = -(-KILLS // len(PHASES))
SEED = int(os.environ.get("COHORTKIT_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of fourteen series with its index and key."""
    folder = tmp_path_factory.mktemp("killed")
    make_archive(folder / "archive")
    for number in range(10, 14):
        series = Series(number=number, seed=number, slices=12, rows=40, columns=40)
        for place, patient in enumerate(PATIENTS):
            write_series(folder / "archive" / f"more{place}", patient, series)
    return settle(folder).base


@pytest.fixture(scope="module")
def lasts(base: Path) -> dict[str, float]:
    """How long each phase of a run lasts that is watched and not touched."""
    return spans(start(base, base / "undisturbed"))


@pytest.fixture(scope="module")
def undisturbed(base: Path, lasts: dict[str, float]) -> dict[str, str]:
    """The release of that run, in which nothing failed: what is compared below is all there."""
    made = ck.Export(base / "undisturbed")
    assert all(seconds > 0 for seconds in lasts.values())
    assert 0 == made.exit_code
    assert 12 == made.table("files").filter(role="image", output="nifti").height
    return tree(base / "undisturbed" / "release")


def _no_litter(base: Path, out: Path) -> None:
    """Release, quarantine and vault hold the files of an undisturbed run, and no others."""
    log = {"vault/workers.log"}  # only where there have been worker processes
    assert set(tree(base / "undisturbed")) - log == set(tree(out)) - log


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc to find workers by")
@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("phase", PHASES)
def test_killed_at_any_moment_the_same_command_gives_the_same_bytes(
    base: Path,
    undisturbed: dict[str, str],
    lasts: dict[str, float],
    tmp_path: Path,
    phase: str,
) -> None:
    """Parent or worker, once or several times over; in CI 13 kills in each of four phases.

    A worker that is killed costs nothing: its run ends as if nobody had touched it. What is killed
    is always the real command; the last run of a round is, too, in the first round, and then has
    its work done in this process, which saves the start of workers. The seed is in the message of
    a failure; ``COHORTKIT_KILLS`` asks for more kills.
    """
    chance = random.Random(f"{SEED} {phase}")
    early = 4 if phase == "finish" else 2  # most of a phase is in its first moments, then it leaves
    struck, rounds = Counter[tuple[str, str]](), 0
    while (hits := sum(count for (seen, _), count in struck.items() if seen == phase)) < EACH:
        out, rounds = tmp_path / f"out{rounds}", rounds + 1
        told = f"seed {SEED}, round {rounds}, kills {dict(struck)}"
        for _ in range(min(chance.randint(1, 4), EACH - hits)):
            delay = lasts[phase] * chance.random() ** early
            kill = start(base, out).strike(phase, delay, chance)
            if kill is None:
                break
            struck[kill.phase, kill.whom] += 1
            if kill.whom == "worker":
                assert undisturbed == tree(out / "release"), told
                break
            if chance.random() < 0.5:  # else the next run is the next to be killed
                _tries(base, out)
        if rounds == 1:
            assert start(base, out).run.wait(timeout=120) == 0, told
            assert undisturbed == tree(out / "release"), told
        _resumes(base, out, undisturbed, told)
        shutil.rmtree(out)
        assert rounds < 5 * EACH, told
    print(f"{phase}: {dict(struck)} in {rounds} rounds, seed {SEED}")


def _tries(base: Path, out: Path) -> None:
    """A trial of one series holds what it says, and nothing of what was killed."""
    if any((out / "vault" / "records").rglob("*.json")):
        export(base, out, limit=1)
        accounted(out / "release")


def _resumes(base: Path, out: Path, undisturbed: dict[str, str], told: str) -> None:
    """The whole is that of an undisturbed run, to the byte and to the last file."""
    _tries(base, out)

    again = export(base, out)

    assert undisturbed == tree(again.release), told
    _no_litter(base, out)


def test_killed_before_any_step_on_disk_the_same_command_gives_the_same_bytes(
    base: Path, tmp_path: Path
) -> None:
    """Where no random kill would hit: between two folders, or a file and its rename."""
    many = 40 if IN_CI else 12
    done = subprocess.run(
        [sys.executable, TESTS / "stepped.py", base, tmp_path / "out", str(many)],
        stdout=subprocess.PIPE,
        check=True,
    )
    found = json.loads(done.stdout)

    assert found["steps"] > 60
    assert len(found["tried"]) >= many
    assert [] == found["wrong"], found


def _stopped(command: list[str], out: Path, phase: str, errors: Path) -> tuple[int, bool]:
    """The exit code of a command that gets Ctrl-C in this phase, and whether workers stayed."""
    stamp = errors.with_suffix(".stamp")
    stamp.write_bytes(b"")
    with errors.open("wb") as heard:
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=heard)
    watched = Watched(run, out, stamp.stat().st_mtime_ns)
    assert watched.reach(phase)
    time.sleep(0.1 if phase == "begin" else 0)
    workers = watched.workers()
    run.send_signal(signal.SIGINT)
    code, till = run.wait(timeout=60), time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        if time.monotonic() > till:
            return code, True
        time.sleep(0.02)
    return code, False


@pytest.mark.parametrize("phase", ["begin", "work"])
@pytest.mark.parametrize("by", ["library", "shell"])
def test_ctrl_c_leaves_a_run_that_goes_on_and_says_so(
    base: Path, undisturbed: dict[str, str], tmp_path: Path, by: str, phase: str
) -> None:
    """Its workers go too, the shell answers 130 in one line, and the next run does the rest.

    A worker that was only just starting is gone in a moment, when it finds nobody to work for.
    """
    out, errors = tmp_path / "out", tmp_path / "stderr"
    shell = Shell(base)
    command = shell.command(out)
    if by == "library":
        command = [sys.executable, str(TESTS / "killed.py"), str(base), str(out)]

    code, stayed = _stopped(command, out, phase, errors)

    told = errors.read_text()
    plain = "stopped; the same command goes on where it was"
    assert not stayed
    assert plain in told.splitlines()[-1]
    if by == "shell":
        assert (130, f"cohortkit: {plain}\n") == (code, told)
        assert (0, "") == shell.run(out)
        names = {name for name in undisturbed if not name.endswith(".csv")}
        assert names == set(tree(out / "release"))
        accounted(out / "release")
    else:
        assert -signal.SIGINT == code
        assert undisturbed == tree(export(base, out).release)
