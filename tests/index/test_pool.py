"""Worker processes of the scan."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cohortkit.index import pool, scan
from cohortkit.index.batch import Reading, read_batch
from cohortkit.index.pool import read_all
from cohortkit.index.walk import list_files

FRAGILE = """
import os
from cohortkit.index import pool
real = pool.read_batch
def fragile(archive, files):
    if any("zip" in path for path, _, _ in files):
        os._exit(9)
    print("noise")
    return real(archive, files)
pool.read_batch = fragile
pool.serve()
"""


def test_a_file_that_kills_a_worker_costs_that_file(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others of its batch are read, and it is listed with its reason."""
    monkeypatch.setattr(pool, "_COMMAND", FRAGILE)
    index = scan(archive, workers=2, progress=False)
    skipped = {
        Path(path).name: reason
        for path, reason in index.skipped(identified=True).select("path", "reason").iter_rows()
    }

    assert index.instances(index.series().collect()["series_key"]).height == 8
    assert {"zip.dcm": "worker-died", "empty": "empty-file", "notes.txt": "not-dicom"} == skipped


def test_answers_come_in_order_and_workers_end(archive: Path) -> None:
    """Parallel reading gives the batches in their order, and leaves no process behind."""
    rows = list_files(archive).files.rows()
    batches = [[row] for row in rows]
    found = [
        (*batch.instances["path"], *batch.skipped["path"])
        for batch in read_all(Reading(str(archive)), batches, 2)
    ]

    assert [(path,) for path, _, _ in rows] == found
    assert _children() == 0


def test_giving_up_early_ends_the_workers(archive: Path) -> None:
    """A consumer that stops after one answer leaves no process behind."""
    rows = list_files(archive).files.rows()
    answers = read_all(Reading(str(archive)), [[row] for row in rows], 2)
    next(answers)
    answers.close()

    assert _children() == 0


def test_a_fault_of_our_own_costs_one_file(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that nobody thought of is a reason, and no value of it is told."""

    def broken(_self: object, path: str) -> None:
        raise ZeroDivisionError(path)

    monkeypatch.setattr("cohortkit.index.batch.HeaderReader.read", broken)
    batch = read_batch(Reading(str(archive)), list_files(archive).files.rows())

    assert {"internal"} == set(batch.skipped["reason"])
    assert batch.skipped.height == batch.files == 11


def _children() -> int:
    """Child processes of this one that run a worker."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = 0
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_bytes()
            except (OSError, IndexError):
                continue
            found += parent == os.getpid() and b"index.pool" in command
        if not found:
            return 0
        time.sleep(0.1)
    return found
