"""Files that are known by all that they hold."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from functools import partial
from pathlib import Path
from unittest import mock

import pytest

from cohortkit import cli
from cohortkit.errors import UsageError
from cohortkit.index import StoreIndex, pool, scan
from factory import Patient, Series, instance
from indexes import assert_same

_scan = partial(scan, workers=1, progress=False)


@pytest.fixture
def store(archive: Path, tmp_path: Path) -> Path:
    """A store of the archive, with digests."""
    odd = instance(Patient(patient_id="odd"), Series(slices=1), 0)
    odd.add_new(0x00280030, "LO", "wide\\narrow")  # PixelSpacing: an issue
    odd.save_as(archive / "c" / "odd")
    _scan(archive, tmp_path / "store", digest=True)
    return tmp_path / "store"


def _swap(file: Path, data: bytes) -> None:
    """Other bytes, of which neither size nor time tells."""
    was = file.stat()
    assert len(data) == was.st_size
    file.write_bytes(data)
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))


def _parsed_nothing(archive: Path, store: Path) -> StoreIndex:
    with mock.patch.object(pool, "read_batch", side_effect=AssertionError("a file was parsed")):
        return _scan(archive, store, digest=True)


def test_a_change_that_size_and_time_hide_is_seen(archive: Path, store: Path) -> None:
    """Of objects and of other files; a scan without digests cannot see it, and says nothing new."""
    file = next((archive / "a").iterdir())
    other = file.read_bytes().replace(b"^", b"-", 1)
    _swap(file, other)
    _swap(archive / "zip.dcm", bytes(304))
    plain = _scan(archive, store)
    assert {"read": 0, "unchanged": 12} == {k: plain.counts[k] for k in ("read", "unchanged")}

    seen = _scan(archive, store, digest=True)
    assert {"read": 2, "unchanged": 10} == {k: seen.counts[k] for k in ("read", "unchanged")}
    assert_same(seen, _scan(archive, digest=True), digest=True)
    rows = seen.instances(seen.series().collect()["series_key"])
    assert hashlib.blake2b(other, digest_size=16).hexdigest() in set(rows["digest"])


def test_what_lies_elsewhere_or_is_of_another_time_is_not_parsed(
    archive: Path, store: Path
) -> None:
    """A file that was moved, even by a copy that lost its time, and one that was only touched."""
    shutil.copyfile(archive / "c" / "odd", archive / "elsewhere")
    (archive / "c" / "odd").unlink()
    (archive / "a").rename(archive / "renamed")
    touched = next((archive / "b" / "deep").iterdir())
    os.utime(touched, ns=(1, 1))

    index = _parsed_nothing(archive, store)
    assert {"files": 12, "read": 0, "unchanged": 12, "gone": 0, "moved": 6} == index.counts
    assert_same(index, _scan(archive, digest=True), digest=True)
    assert not index.table("history").collect()["deleted"].any()


def test_one_file_in_two_places(archive: Path, store: Path) -> None:
    """What was moved and copied is known in both."""
    file = next((archive / "b" / "deep").iterdir())
    shutil.copyfile(file, archive / "copy")
    file.rename(archive / "moved")

    index = _parsed_nothing(archive, store)
    assert_same(index, _scan(archive, digest=True), digest=True)


def test_the_first_scan_with_digests_reads_all(archive: Path, tmp_path: Path) -> None:
    """What nobody has read to its end may have changed before. Later plain scans keep all."""
    place = tmp_path / "plain"
    assert 11 == _scan(archive, place).counts["read"]
    assert 11 == _scan(archive, place, digest=True).counts["read"]
    assert 11 == _scan(archive, place).counts["unchanged"]
    assert_same(_parsed_nothing(archive, place), _scan(archive, digest=True), digest=True)


def test_a_digest_is_asked_for_by_true() -> None:
    """The name of an algorithm is not one."""
    with pytest.raises(UsageError, match="digest: True or False"):
        scan(".", digest="md5")  # type: ignore[arg-type]


def test_the_shell_says_it_in_the_same_word(
    archive: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--digest``: the scan of all files finds all of them as they were."""
    (archive / "a").rename(archive / "renamed")
    assert 0 == cli.main(["scan", str(archive), str(store), "--digest", "--json"])
    files = json.loads(capsys.readouterr().out)["files"]
    assert {"files": 12, "read": 0, "unchanged": 12, "gone": 0, "moved": 5} == files
