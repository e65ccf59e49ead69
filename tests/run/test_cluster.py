"""Tasks on a real Dask scheduler with real workers, each a process of its own."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import cohortkit as ck
from batches import planned, run
from cohortkit.errors import UsageError
from cohortkit.model import Record
from cohortkit.reasons import Reason
from cohortkit.run import cluster
from cohortkit.run.cluster import Dask
from fakework import CannotLoad, Work, tasks
from promised import accounted, tree

TESTS = str(Path(__file__).parents[1])


@dataclass
class Cluster:
    """A scheduler and its workers."""

    folder: Path
    scheduler: subprocess.Popen[bytes]
    address: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add(self) -> None:
        """One more worker, with two threads."""
        words = ["distributed.cli.dask_worker", self.address, "--nthreads", "2", "--no-dashboard"]
        log = (self.folder / f"worker-{len(self.workers)}.log").open("wb")
        words += ["--local-directory", str(self.folder), "--death-timeout", "60", "--no-nanny"]
        env = {**os.environ, "PYTHONPATH": TESTS, "DASK_LOGGING__DISTRIBUTED": "info"}
        self.workers.append(
            subprocess.Popen([sys.executable, "-m", *words], stdout=log, stderr=log, env=env)
        )

    def end(self) -> None:
        """All of it, now."""
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


def _start(folder: Path, count: int) -> Cluster:
    where = folder / "scheduler.json"
    words = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    words += ["--no-dashboard", "--scheduler-file", str(where)]
    log = (folder / "scheduler.log").open("wb")
    env = {**os.environ, "PYTHONPATH": TESTS}
    scheduler = subprocess.Popen([sys.executable, "-m", *words], stdout=log, stderr=log, env=env)
    until = time.monotonic() + 60
    while not where.is_file() and time.monotonic() < until:
        time.sleep(0.05)
    import json  # noqa: PLC0415 - here alone

    made = Cluster(folder, scheduler, json.loads(where.read_text())["address"])
    for _ in range(count):
        made.add()
    return made


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers that nobody kills."""
    made = _start(tmp_path_factory.mktemp("cluster"), 2)
    yield made
    made.end()


def engine(where: Cluster, tmp_path: Path, **limits: float) -> Dask:
    (tmp_path / "vault").mkdir(exist_ok=True)
    return Dask(where.address, tmp_path / "vault", **limits)  # type: ignore[arg-type]  # as named


def test_every_task_is_done_once_and_nothing_stays_behind(two: Cluster, tmp_path: Path) -> None:
    """More tasks than threads; what was laid out for the workers is taken away."""
    folder = tmp_path / "done"
    folder.mkdir()

    results = dict(engine(two, tmp_path).run(Work(folder), tasks(25)))

    assert set(range(25)) == set(results)
    assert all(isinstance(result, Record) for result in results.values())
    assert all(len((folder / str(n)).read_text().split()) == 1 for n in range(25))
    assert ["busy"] == [path.name for path in (tmp_path / "vault" / "posted").iterdir()]


def test_a_task_that_kills_or_hangs_costs_itself_a_retry_and_nothing_else(
    two: Cluster, tmp_path: Path
) -> None:
    """The worker of the cluster lives on: the task has a process of its own there."""
    folder = tmp_path / "done"
    folder.mkdir()
    work = Work(
        folder,
        always=((3, "kill"), (4, "segfault"), (5, "hang")),
        once=((6, "kill"), (7, "hang")),
    )

    results = dict(engine(two, tmp_path, seconds=1.0).run(work, tasks(12)))

    assert Reason.WORKER_DIED is results.pop(3)
    assert Reason.WORKER_DIED is results.pop(4)
    assert Reason.TIMED_OUT is results.pop(5)
    assert 9 == sum(isinstance(result, Record) for result in results.values())
    assert all(worker.poll() is None for worker in two.workers)


def test_nothing_that_identifies_goes_over_the_wire(
    two: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is submitted is a place, digests and numbers."""
    import distributed  # noqa: PLC0415 - an extra

    sent: list[bytes] = []
    honest = distributed.Client.submit

    def submit(self: object, *args: object, **options: object) -> object:
        from distributed.protocol import pickle  # noqa: PLC0415 - an extra

        sent.append(pickle.dumps((args, options)))
        return honest(self, *args, **options)

    monkeypatch.setattr(distributed.Client, "submit", submit)
    folder = tmp_path / "done"
    folder.mkdir()

    results = dict(engine(two, tmp_path).run(Work(folder), tasks(3)))

    assert 3 == len(results) == len(sent)
    assert not any(b"MRN-00471113" in one or b"1.2.3" in one for one in sent)


def test_an_export_on_a_cluster_is_that_of_one_machine(
    two: Cluster, archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """Byte for byte; and a resume there finds nothing to do."""
    whole = run(planned(archive, ["nifti", "png", "tables"]), tmp_path / "whole", key)
    out = tmp_path / "out"

    made = run(planned(archive, ["nifti", "png", "tables"]), out, key, engine=two.address)
    again = run(planned(archive, ["nifti", "png", "tables"]), out, key, engine=two.address)

    assert 0 == made.exit_code == again.exit_code
    assert tree(whole.release) == tree(out / "release")
    accounted(out / "release")


@pytest.fixture
def tabled(tmp_path: Path, key: ck.Key) -> tuple[str, ck.IdTable]:
    """A recipe that asks for random ids, and their table."""
    (tmp_path / "random.toml").write_text('basis = "expert-determination"\nids = "table"\n')
    return str(tmp_path / "random.toml"), ck.IdTable.new(tmp_path / "table", key)


def test_a_cluster_draws_its_ids_out_of_one_table(
    two: Cluster, archive: Path, key: ck.Key, tabled: tuple[str, ck.IdTable], tmp_path: Path
) -> None:
    """Byte for byte what one machine makes out of the same table afterwards."""
    recipe, table = tabled
    plan = planned(archive, ["dicom", "tables"], recipe=recipe)
    there = run(plan, tmp_path / "there", key, engine=two.address, ids=table)
    drawn = len(table)
    here = run(plan, tmp_path / "here", key, ids=table)
    assert 0 == there.exit_code == here.exit_code
    assert tree(there.release) == tree(here.release)
    assert drawn == len(table) > 0


def test_a_table_whose_locks_the_workers_do_not_feel_is_refused(
    two: Cluster,
    archive: Path,
    key: ck.Key,
    tabled: tuple[str, ck.IdTable],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on a file system that locks for each machine: before the first task is given out."""
    recipe, table = tabled
    monkeypatch.setattr(ck.IdTable, "held", lambda _: nullcontext())
    plan = planned(archive, ["tables"], recipe=recipe)
    with pytest.raises(UsageError, match="does not feel the locks on the table of ids"):
        run(plan, tmp_path / "out", key, engine=two.address, ids=table)
    assert [] == [*(tmp_path / "out" / "vault" / "records").iterdir()]


_SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import cohortkit as ck
from batches import planned, run
plan = planned(Path({archive!r}), ["nifti", "png", "tables"])
run(plan, Path({out!r}), ck.Key.from_file({key!r}), engine={address!r})
"""


def test_a_run_whose_parent_is_killed_is_resumed_there_or_here(
    two: Cluster, archive: Path, tmp_path: Path
) -> None:
    """SIGKILL to the process that gives out the tasks, at five moments; nothing is left behind."""
    key = ck.Key.new(tmp_path / "key", project="batch")
    whole = tree(run(planned(archive, ["nifti", "png", "tables"]), tmp_path / "whole", key).release)
    out = tmp_path / "out"
    names = {"archive": archive, "out": out, "key": tmp_path / "key"}
    said = {name: str(path) for name, path in names.items()}
    script = _SCRIPT.format(tests=TESTS, address=two.address, **said)
    for records in (0, 1, 2, 3, 4):
        job = subprocess.Popen([sys.executable, "-c", script])
        until = time.monotonic() + 60
        while job.poll() is None and time.monotonic() < until:
            if len(list((out / "vault" / "records").rglob("*.json"))) > records:
                break
            time.sleep(0.002)
        job.kill()
        job.wait()

    run(planned(archive, ["nifti", "png", "tables"]), out, key, engine=two.address)

    assert whole == tree(out / "release")
    assert not (out / "vault" / "posted").exists()


_ALONE = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from fakework import tasks
from cohortkit.run.child import Alone
from cohortkit.run.posted import busy

folder = Path(sys.argv[1])

def work(task):
    with (folder / "here").open("x"):
        time.sleep(0.3)
    (folder / "here").unlink()

for _ in range(3):
    Alone(work, busy(folder))(tasks(1)[0])
"""


def test_no_task_is_done_twice_at_the_same_time(tmp_path: Path) -> None:
    """A process that outlives its worker holds the task's lock; the next one waits for it."""
    script = _ALONE.format(tests=TESTS)
    jobs = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(3)]

    assert [0, 0, 0] == [job.wait(60) for job in jobs]


def test_workers_that_are_killed_cost_nothing_but_time(tmp_path: Path) -> None:
    """SIGKILL to whole workers of the cluster at random, others come: every task is done."""
    where = _start(tmp_path, 2)
    folder = tmp_path / "done"
    folder.mkdir()
    chance = random.Random(3)
    results: dict[int, Record | Reason] = {}
    kills = 0
    try:
        for number, result in engine(where, tmp_path).run(Work(folder, seconds=0.2), tasks(40)):
            assert number not in results
            results[number] = result
            if len(results) in {4, 12, 20}:
                chance.choice(where.workers[-2:]).send_signal(signal.SIGKILL)
                where.add()
                kills += 1
    finally:
        where.end()

    assert 3 == kills
    assert set(range(40)) == set(results)
    assert 40 == sum(isinstance(result, Record) for result in results.values())


def test_work_that_a_worker_cannot_load_is_told_before_the_first_task(
    two: Cluster, tmp_path: Path
) -> None:
    """By the kind of trouble."""
    with pytest.raises(UsageError, match=r"a worker .* cannot load the work \(ImportError\)"):
        list(engine(two, tmp_path).run(CannotLoad(), tasks(2)))


def test_a_worker_of_another_version_is_told_before_the_first_task(
    two: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mixture would make two kinds of bytes."""
    other = {**cluster.made_with(), "numpy": "0.1", "isal": ""}
    monkeypatch.setattr(cluster, "made_with", lambda: other)

    with pytest.raises(UsageError, match="another version of isal, numpy"):
        list(engine(two, tmp_path).run(Work(tmp_path), tasks(2)))


def test_a_worker_that_does_not_see_the_output_is_told_before_the_first_task(
    two: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place that is this machine's alone."""
    honest = cluster._look

    def look(client: object, posted: object) -> int:
        posted.remove()  # type: ignore[attr-defined]  # as if on another machine
        return honest(client, posted)  # type: ignore[arg-type]  # the same

    monkeypatch.setattr(cluster, "_look", look)

    with pytest.raises(UsageError, match="does not see the output place"):
        list(engine(two, tmp_path).run(Work(tmp_path), tasks(2)))


def test_an_address_that_does_not_answer_is_told(
    archive: Path, key: ck.Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that is no address, and workers that a cluster has by itself. Nothing is left."""
    monkeypatch.setattr(cluster, "_SECONDS", 0.5)
    with pytest.raises(UsageError, match="no Dask scheduler answers"):
        run(planned(archive), tmp_path / "out", key, engine="tcp://127.0.0.1:9")
    assert not (tmp_path / "out").exists()
    for name in ("dask", "http://x", ""):
        with pytest.raises(UsageError, match="'local', or the address"):
            run(planned(archive), tmp_path / "other", key, engine=name)
    with pytest.raises(UsageError, match="leave it out"):
        run(planned(archive), tmp_path / "other", key, engine="tcp://127.0.0.1:9", workers=2)
    assert not (tmp_path / "other").exists()
