from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cohortkit.errors import CohortkitError, UsageError
from cohortkit.model import FileRef, Record
from cohortkit.reasons import Reason
from cohortkit.run.engines import Local
from fakework import CannotLoad, Work, tasks


def engine(tmp_path: Path, workers: int = 2) -> Local:
    return Local(workers, tmp_path / "workers.log")


def test_every_task_is_done_once(tmp_path: Path) -> None:
    """More tasks than workers: each yields one record, and no task is done twice."""
    folder = tmp_path / "done"
    folder.mkdir()

    results = dict(engine(tmp_path).run(Work(folder), tasks(25)))

    assert set(range(25)) == set(results)
    assert all(isinstance(result, Record) for result in results.values())
    assert all(len((folder / str(n)).read_text().split()) == 1 for n in range(25))


def test_no_task_starts_no_worker(tmp_path: Path) -> None:
    """A resume with nothing to do costs nothing."""
    assert [] == list(engine(tmp_path).run(Work(tmp_path), []))
    assert not (tmp_path / "workers.log").exists()


@pytest.mark.parametrize("how", ["kill", "segfault", "exit", "raise"])
def test_a_worker_that_dies_costs_its_task_a_retry_and_nothing_else(
    tmp_path: Path, how: str
) -> None:
    """Killed, crashed, left or raised: one task is reported, all others are done once."""
    folder = tmp_path / "done"
    folder.mkdir()

    results = dict(engine(tmp_path).run(Work(folder, always=((3, how),)), tasks(10)))

    assert Reason.WORKER_DIED is results.pop(3)
    assert {n for n in range(10) if n != 3} == set(results)
    assert 2 == len((folder / "3").read_text().split())
    assert all(len((folder / str(n)).read_text().split()) == 1 for n in results)


@pytest.mark.parametrize("how", ["hang", "stop"])
def test_a_task_that_hangs_is_ended_tried_again_and_told(tmp_path: Path, how: str) -> None:
    """A read that never returns, a process that somebody stopped: the others go on meanwhile."""
    folder = tmp_path / "done"
    folder.mkdir()
    local = Local(2, tmp_path / "workers.log", seconds=0.5)

    results = dict(local.run(Work(folder, always=((3, how),), once=((5, how),)), tasks(10)))

    assert Reason.TIMED_OUT is results.pop(3)
    assert {n for n in range(10) if n != 3} == set(results)
    assert all(isinstance(result, Record) for result in results.values())
    assert 2 == len((folder / "3").read_text().split())
    assert [] == _children(os.getpid())


def test_tasks_within_their_time_are_never_ended_for_the_length_of_the_run(tmp_path: Path) -> None:
    """The limit is a task's, not the run's, and counts from when the task was given."""
    folder = tmp_path / "done"
    folder.mkdir()
    local = Local(2, tmp_path / "workers.log", seconds=1.0)

    results = dict(local.run(Work(folder, seconds=0.15), tasks(20)))

    assert 20 == sum(isinstance(result, Record) for result in results.values())
    assert all(len((folder / str(n)).read_text().split()) == 1 for n in range(20))


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_worker_has_no_more_memory_than_it_may(tmp_path: Path) -> None:
    """Two gigabytes asked of one: that task alone fails (this work lets the error through)."""
    folder = tmp_path / "done"
    folder.mkdir()
    work = Work(folder, always=((2, "hoard"),))

    free = dict(Local(1, tmp_path / "workers.log").run(work, tasks(4)))
    held = dict(Local(1, tmp_path / "workers.log", memory=10**9).run(work, tasks(4)))

    assert all(isinstance(result, Record) for result in free.values())
    assert Reason.WORKER_DIED is held.pop(2)
    assert all(isinstance(result, Record) for result in held.values())
    assert "MemoryError" in (tmp_path / "workers.log").read_text()


def test_a_task_that_killed_one_worker_may_succeed_in_the_next(tmp_path: Path) -> None:
    """The retry is a real one."""
    folder = tmp_path / "done"
    folder.mkdir()
    work = Work(folder, once=((0, "kill"), (1, "segfault"), (5, "kill")))

    results = dict(engine(tmp_path).run(work, tasks(8)))

    assert all(isinstance(result, Record) for result in results.values())
    assert 8 == len(results)


def test_every_task_kills_its_worker_and_the_run_still_ends(tmp_path: Path) -> None:
    """No task is lost and none is tried for ever."""
    folder = tmp_path / "done"
    folder.mkdir()
    deadly = tuple((number, "kill") for number in range(4))

    results = dict(engine(tmp_path).run(Work(folder, always=deadly), tasks(4)))

    assert dict.fromkeys(range(4), Reason.WORKER_DIED) == results


def test_what_libraries_print_goes_to_the_log_and_not_into_the_answers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """stdout, stderr and the bare descriptor of a worker are all kept in the vault's log."""
    folder = tmp_path / "done"
    folder.mkdir()

    results = dict(engine(tmp_path, 1).run(Work(folder, always=((0, "print"),)), tasks(1)))

    assert isinstance(results[0], Record)
    log = tmp_path / "workers.log"
    assert 3 == log.read_text().count("MRN-00471113")
    assert 0o600 == log.stat().st_mode & 0o777
    out, err = capfd.readouterr()
    assert "MRN" not in out + err


def test_a_worker_killed_from_outside_while_idle_or_at_work_loses_nothing(tmp_path: Path) -> None:
    """SIGKILL as results come in: one worker has just answered, the other is at work."""
    folder = tmp_path / "done"
    folder.mkdir()
    local = Local(2, tmp_path / "workers.log", retries=1000)
    results: dict[int, Record | Reason] = {}
    kills = 0

    for number, result in local.run(Work(folder, seconds=0.02), tasks(40)):
        results[number] = result
        if len(results) % 6 == 0:
            os.kill(random.choice(_children(os.getpid())), signal.SIGKILL)
            kills += 1

    assert kills >= 5
    assert set(range(40)) == set(results)
    assert all(isinstance(result, Record) for result in results.values())


def _children(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == pid:
                found.append(int(folder.name))
    return sorted(found)


def test_work_that_cannot_be_sent_is_wrong_use(tmp_path: Path) -> None:
    """A writer defined in a function is refused in plain words, before a worker is started."""
    with pytest.raises(UsageError, match="module that can be imported"):
        list(engine(tmp_path).run(lambda _: Record("", "", None, 0, ()), tasks(1)))


def test_work_that_cannot_be_loaded_there_is_wrong_use(tmp_path: Path) -> None:
    """The message names the kind of trouble, and the run does not hang."""
    with pytest.raises(UsageError, match="ImportError"):
        list(engine(tmp_path).run(CannotLoad(), tasks(2)))


def test_workers_that_never_start_are_told_and_not_tried_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that dies at once."""
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(CohortkitError, match="do not start"):
        list(engine(tmp_path).run(Work(tmp_path), tasks(2)))


def test_closing_the_run_ends_its_workers(tmp_path: Path) -> None:
    """``errors="raise"`` and Ctrl-C leave no process behind."""
    run = engine(tmp_path).run(Work(tmp_path, seconds=0.1), tasks(50))
    next(run)

    run.close()

    assert [] == _children(os.getpid())


_SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {tests!r})
from fakework import Work, tasks
from cohortkit.run.engines import Local
folder = Path({folder!r})
for number, _ in Local(2, folder / "workers.log").run(Work(folder, seconds={seconds}), tasks(6)):
    print(number, flush=True)
"""


def _script(tmp_path: Path, seconds: float) -> Path:
    tests = str(Path(__file__).parents[1])
    path = tmp_path / "script.py"
    path.write_text(_SCRIPT.format(tests=tests, folder=str(tmp_path), seconds=seconds))
    return path


def test_a_script_needs_no_main_guard(tmp_path: Path) -> None:
    """The plainest script, run as a script."""
    done = subprocess.run(
        [sys.executable, _script(tmp_path, 0.0)], capture_output=True, text=True, check=True
    )

    assert set("012345") == set(done.stdout.split())


def test_a_parent_that_is_killed_leaves_no_worker_behind(tmp_path: Path) -> None:
    """SIGKILL to the parent: its workers notice the closed pipe and are gone within seconds."""
    parent = subprocess.Popen(
        [sys.executable, _script(tmp_path, 30.0)], stdout=subprocess.PIPE, text=True
    )
    children: list[int] = []
    for _ in range(200):
        children = _children(parent.pid)
        if len(children) == 2 and (tmp_path / "1").exists():
            break
        time.sleep(0.05)

    parent.kill()
    parent.wait()

    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in children):
            break
        time.sleep(0.05)
    assert 2 == len(children)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_a_worker_starts_without_what_only_the_parent_needs() -> None:
    """Polars is a third of a start, and no worker asks an index or writes a table."""
    needed = "run.worker_main run.worker sources.files writers.dicom writers.nifti writers.png"
    lines = [
        "import sys, importlib",
        "sys.modules['polars'] = None",
        f"[importlib.import_module('cohortkit.' + name) for name in {needed.split()!r}]",
        "from cohortkit.writers.tables import Tables",
    ]

    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)


def test_a_task_comes_to_a_worker_as_it_was() -> None:
    """With its files, which have a way of their own through a pickle."""
    file = FileRef("/archive/p/1.dcm", 12, 34, "1.2.3")
    task = replace(tasks(1)[0], files=(file, file))

    assert task == pickle.loads(pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL))
