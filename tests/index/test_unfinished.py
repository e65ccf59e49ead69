"""An interrupted scan: what it had read is not read again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from cohortkit.errors import StoreError
from cohortkit.index import StoreIndex, open_index, scan
from factory import Patient, Series, write_series
from indexes import assert_same

FILES = 40
KILLED = """
import os, signal, sys
from cohortkit.index import scan, update
from cohortkit.index import pool

update._SECONDS = 0.0
real, calls = pool.read_batch, []

def fragile(archive, files):
    calls.append(1)
    if len(calls) > int(sys.argv[3]):
        os.kill(os.getpid(), int(sys.argv[4]))
    return real(archive, files)

pool.read_batch = fragile
scan(sys.argv[1], sys.argv[2], workers=1, progress=False)
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Ten series of four files, and two that are none."""
    root = tmp_path / "archive"
    for number in range(FILES // 4):
        modality = "MR" if number % 2 else "CT"
        patient = Patient(patient_id=f"P{number}")
        write_series(root / f"s{number}", patient, Series(slices=4, modality=modality))
    (root / "notes.txt").write_text("no DICOM")
    (root / "a-first").write_text("nor this")
    return root


def _scanned(archive: Path, store: Path, batches: int, how: int = signal.SIGKILL) -> int:
    """Scan in a process that gets a signal after so many batches; how it ended."""
    command = [sys.executable, "-c", KILLED, str(archive), str(store), str(batches), str(int(how))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)
    return done.returncode


def _interrupted(archive: Path, store: Path, batches: int, how: int = signal.SIGKILL) -> None:
    assert _scanned(archive, store, batches, how) != 0


def _same_as_fresh(index: StoreIndex, archive: Path) -> None:
    assert_same(index, scan(archive, progress=False))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_next_scan_reads_the_rest_only(archive: Path, tmp_path: Path, how: int) -> None:
    """Killed or stopped in the middle of a first scan: no index yet, and half of the work done."""
    store = tmp_path / "store"
    _interrupted(archive, store, 2, how)
    with pytest.raises(StoreError, match="no index store"):
        open_index(store)
    index = scan(archive, store, progress=False)

    assert 0 < index.counts["read"] < FILES + 2
    assert FILES + 2 == index.counts["read"] + index.counts["unchanged"]
    _same_as_fresh(index, archive)
    assert scan(archive, store, progress=False).counts["read"] == 0


def test_killed_again_and_again(archive: Path, tmp_path: Path) -> None:
    """Each scan gets further, until one comes to the end."""
    store = tmp_path / "store"
    ends = []
    while not ends or ends[-1] != 0:
        ends.append(_scanned(archive, store, 2))

    assert 2 < len(ends) < 8
    index = open_index(store)
    assert isinstance(index, StoreIndex)
    _same_as_fresh(index, archive)


def test_what_changes_between_is_seen(archive: Path, tmp_path: Path) -> None:
    """A file read before the kill and then deleted, changed, moved or replaced by no DICOM."""
    store = tmp_path / "store"
    first = scan(archive, store, progress=False)
    for number in range(4):
        write_series(archive / f"a{number}", Patient(patient_id="new"), Series(slices=2))
    (archive / "s1" / "1-1-000").rename(archive / "a-moved")
    (archive / "s2" / "1-1-000").write_bytes((archive / "s2" / "1-1-001").read_bytes() + b"\0\0")
    _interrupted(archive, store, 3)
    assert first.version == open_index(store).version
    (archive / "a0" / "1-1-000").unlink()
    (archive / "a1" / "1-1-000").write_bytes(b"no longer")
    (archive / "a2" / "1-1-000").rename(archive / "a2" / "other")
    (archive / "a-first").write_bytes((archive / "a2" / "1-1-001").read_bytes())
    index = scan(archive, store, progress=False)

    _same_as_fresh(index, archive)


@pytest.mark.parametrize("damage", ["cut", "other archive", "part gone", "outside", "part cut"])
def test_a_record_that_cannot_be_used_is_nothing(
    archive: Path, tmp_path: Path, damage: str
) -> None:
    """Then the files are read again, and nothing of it stays in the store."""
    store = tmp_path / "store"
    _interrupted(archive, store, 2)
    record = store / "unfinished.json"
    data = json.loads(record.read_bytes())
    part = store / data["parts"][0]["file"]
    if damage == "cut":
        record.write_bytes(record.read_bytes()[:-40])
    elif damage == "other archive":
        record.write_text(json.dumps({**data, "root": str(tmp_path)}))
    elif damage == "part gone":
        part.unlink()
    elif damage == "part cut":
        part.write_bytes(part.read_bytes()[:-1])
    else:
        data["parts"][0]["file"] = "../elsewhere.parquet"
        (tmp_path / "elsewhere.parquet").write_bytes(part.read_bytes())
        record.write_text(json.dumps(data))
    index = scan(archive, store, progress=False)

    assert FILES + 2 == index.counts["read"]
    assert not record.exists()
    named = {file.name for file in store.iterdir() if file.suffix == ".parquet"}
    manifest = json.loads((store / "manifest.json").read_bytes())
    assert named == {part["file"] for part in manifest["parts"]}
    _same_as_fresh(index, archive)


def test_the_record_is_private(archive: Path, tmp_path: Path) -> None:
    """It lies with the identified things, and no one else may read it."""
    _interrupted(archive, tmp_path / "store", 2)

    modes = {file.stat().st_mode & 0o777 for file in (tmp_path / "store").iterdir()}
    assert modes == {0o600}
    assert pl.read_parquet(next((tmp_path / "store").glob("instances-*.parquet"))).height > 0
