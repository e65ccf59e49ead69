"""A store in a bucket: published by one object, and read as the one on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest import mock

import fsspec
import polars as pl
import pytest

import cohortkit as ck
from cohortkit.errors import MissingDependency, StoreError, UsageError
from cohortkit.index import StoreIndex, bucket, open_index, scan
from factory import Patient, Series, write_series
from indexes import assert_same

_scan = partial(scan, workers=1, progress=False)


@pytest.fixture
def url() -> Iterator[str]:
    """An empty bucket in this process."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield "memory://bucket/index"
    files.store.clear()


@pytest.fixture
def index(archive: Path, tmp_path: Path) -> StoreIndex:
    return _scan(archive, tmp_path / "store")


def _objects() -> dict[str, bytes]:
    store = fsspec.filesystem("memory").store
    return {path.rpartition("/")[2]: file.getvalue() for path, file in store.items()}


def _put(name: str, data: bytes) -> None:
    fsspec.filesystem("memory").pipe_file(f"memory://bucket/index/{name}", data)


def test_a_published_store_says_what_the_one_on_disk_says(index: StoreIndex, url: str) -> None:
    """Tables, questions, flow, SQL, and how it shows itself; opened by its address."""
    index.copy_to(url)
    there = open_index(url)
    assert isinstance(there, StoreIndex)

    assert (index.version, url) == (there.version, there.location)
    assert_same(there, index)
    for one, two in ((there, index), (there.search(Modality="CT"), index.search(Modality="CT"))):
        assert repr(one).replace("store", "") == repr(two).replace("store", "")
    said = there.search(Modality="CT", Rows=(1, None)).first_per("patient", by="StudyDate")
    same = index.search(Modality="CT", Rows=(1, None)).first_per("patient", by="StudyDate")
    assert said.flow().to_polars().equals(same.flow().to_polars())
    ask = "SELECT Modality, count(*) AS n FROM series GROUP BY Modality ORDER BY Modality"
    assert there.sql(ask).equals(index.sql(ask))


def test_only_what_is_not_there_is_sent_and_earlier_versions_stay(
    archive: Path, index: StoreIndex, url: str, tmp_path: Path
) -> None:
    """Rows that are gone too; who has opened the version before reads it as it was."""
    before = index.copy_to(url)
    old = set(_objects())
    cohort = before.search(Modality="CT").save(tmp_path / "it.cohort")
    write_series(archive / "new", Patient(patient_id="new"), Series(slices=2, number=7))
    next((archive / "a").iterdir()).unlink()
    newer = _scan(archive, tmp_path / "store")
    with mock.patch.object(bucket.Bucket, "write", autospec=True, side_effect=_write) as written:
        newer.copy_to(url)

    sent = [call.args[1] for call in written.call_args_list]
    assert ["manifest.json", f"version-{newer.version}.json"] == sorted(sent[-2:])
    assert not old & set(sent[:-2])
    assert_same(open_index(url), newer)  # type: ignore[arg-type]
    assert_same(before, index)  # type: ignore[arg-type]
    assert_same(open_index(url).at(index.version), index)  # type: ignore[union-attr]
    assert ck.load_cohort(cohort).identified().equals(before.search(Modality="CT").identified())
    assert [newer.version, index.version] == open_index(url).versions()["version"].to_list()  # type: ignore[union-attr]


_write = bucket.Bucket.write


@pytest.mark.parametrize("step", range(4))
def test_an_interrupted_publication_leaves_the_version_before(
    archive: Path, index: StoreIndex, url: str, tmp_path: Path, step: int
) -> None:
    """And the same command again makes it whole."""
    index.copy_to(url)
    write_series(archive / "new", Patient(patient_id="new"), Series(slices=2, number=7))
    newer = _scan(archive, tmp_path / "store")
    done = []

    def broken(self: bucket.Bucket, name: str, data: bytes) -> None:
        done.append(name)
        if len(done) > step:
            raise StoreError("the line is cut")
        _write(self, name, data)

    with mock.patch.object(bucket.Bucket, "write", broken), pytest.raises(StoreError, match="cut"):
        newer.copy_to(url)
    assert_same(open_index(url), index)  # type: ignore[arg-type]
    assert_same(newer.copy_to(url), newer)  # type: ignore[arg-type]


def test_what_is_not_whole_is_refused(index: StoreIndex, url: str) -> None:
    """A part that is missing or cut, a manifest that is damaged or of a newer format."""
    index.copy_to(url)
    part = next(name for name in _objects() if name.startswith("series-"))
    _put(part, _objects()[part][:-1])
    with pytest.raises(StoreError, match="missing or damaged"):
        open_index(url).series().collect()
    _put("manifest.json", b"{")
    with pytest.raises(StoreError, match="damaged"):
        open_index(url)
    newest = json.loads(_objects()[f"version-{index.version}.json"]) | {"format": 99}
    _put("manifest.json", json.dumps(newest).encode())
    with pytest.raises(StoreError, match="newer cohortkit"):
        open_index(url)


def test_what_may_not_be_published(
    archive: Path, index: StoreIndex, url: str, tmp_path: Path
) -> None:
    """An index in memory, over another archive's or a later one, with a log."""
    with pytest.raises(UsageError, match="scan into one first"):
        _scan(archive).copy_to(url)
    with pytest.raises(UsageError, match="audit is for databases"):
        index.copy_to(url, audit=tmp_path)
    (archive / "notes.txt").unlink()
    _scan(archive, tmp_path / "store").copy_to(url)
    with pytest.raises(StoreError, match="later version"):
        index.copy_to(url)
    other = tmp_path / "other"
    write_series(other, Patient(), Series(slices=1))
    with pytest.raises(StoreError, match="another archive"):
        _scan(other, tmp_path / "second").copy_to(url)


def test_addresses_that_are_none(tmp_path: Path) -> None:
    """Nothing there, credentials in it, a mapping, a scan into it, a library that is not there."""
    with pytest.raises(StoreError, match="holds no index store"):
        open_index("memory://bucket/nothing")
    for wrong in ("s3://me:secret@bucket/x", "gs://bucket/x?key=secret", "s3://"):
        with pytest.raises(UsageError, match="bucket") as caught:
            open_index(wrong)
        assert "secret" not in str(caught.value)
    with pytest.raises(UsageError, match="mapping: is for tables"):
        open_index("memory://bucket/x", {"a": "PatientID"})
    with pytest.raises(UsageError, match="archive and store are folders"):
        scan(tmp_path, "s3://bucket/index")
    with (
        mock.patch.dict(bucket.SCHEMES, {"s3": "no_such_library"}),
        mock.patch.dict(bucket._EXTRAS, {"no_such_library": "s3"}),
        pytest.raises(MissingDependency, match=r"cohortkit\[s3\]"),
    ):
        open_index("s3://bucket/index")


def test_a_library_s_error_is_told_by_its_kind_alone(index: StoreIndex, url: str) -> None:
    """Its message may quote addresses and keys."""
    index.copy_to(url)
    files = type(fsspec.filesystem("memory"))
    with (
        mock.patch.object(files, "cat_file", side_effect=PermissionError("key AKIA…")),
        pytest.raises(StoreError, match=r"cannot be used \(PermissionError\)$"),
    ):
        open_index(url)


def test_a_question_fetches_only_its_tables(index: StoreIndex, url: str) -> None:
    """Instances stay in the bucket until they are asked for; series come once."""
    index.copy_to(url)
    there = open_index(url)
    with mock.patch.object(bucket.Bucket, "read", autospec=True, side_effect=_read) as fetched:
        for _ in range(2):
            assert 3 == there.search(Modality="CT").identified().height
    names = [call.args[1] for call in fetched.call_args_list]
    assert names
    assert len(names) == len(set(names))
    assert all(name.startswith("series-") for name in names)
    assert isinstance(there.series(), pl.LazyFrame)


_read = bucket.Bucket.read
