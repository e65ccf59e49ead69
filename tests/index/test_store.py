"""The store on disk: versions, readers, interruptions, strangers."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import polars as pl
import pydicom
import pytest

from cohortkit import load_cohort
from cohortkit.cohort import narrow
from cohortkit.errors import (
    CohortkitError,
    NoRoom,
    NotBuilt,
    QueryError,
    StoreError,
    UsageError,
)
from cohortkit.index import StoreIndex, demo_index, folder, open_index, scan, writer
from cohortkit.index.columns import SCHEMA
from factory import Patient, Series, write_series


def _uids(index: StoreIndex) -> list[str]:
    rows = index.instances(index.series().collect()["series_key"])
    return rows["SOPInstanceUID"].to_list()


@pytest.fixture
def store(archive: Path, tmp_path: Path) -> Path:
    """A store of the small archive."""
    scan(archive, tmp_path / "store", progress=False)
    return tmp_path / "store"


def test_a_store_is_opened_as_it_was_scanned(archive: Path, store: Path) -> None:
    """The same tables and version; the location leads back."""
    scanned = scan(archive, store, progress=False)
    opened = open_index(store)
    assert isinstance(opened, StoreIndex)
    again = open_index(opened.location)

    assert scanned.version == opened.version == again.version
    assert scanned.series().collect().equals(opened.series().collect())
    assert _uids(scanned) == _uids(opened)
    assert (str(archive),) == opened.roots


def test_no_one_else_can_read_it(archive: Path, tmp_path: Path) -> None:
    """Folder 0700 and files 0600, whatever the umask, and also where the folder was there."""
    before = os.umask(0)
    try:
        (tmp_path / "open").mkdir(mode=0o777)
        for name in ("open", "made"):
            scan(archive, tmp_path / name, progress=False)
    finally:
        os.umask(before)
    for name in ("open", "made"):
        place = tmp_path / name

        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()}


def test_a_reader_keeps_its_version_while_others_are_made(archive: Path, store: Path) -> None:
    """An index that is open answers the same after any scan, and is found again by its version."""
    reader = open_index(store)
    assert isinstance(reader, StoreIndex)
    before = _uids(reader)
    for round_ in range(3):
        write_series(archive / f"new{round_}", Patient(patient_id="n"), Series(number=round_))
        now = scan(archive, store, progress=False)

        assert before == _uids(reader) == _uids(now.at(reader.version))
        assert before != _uids(now)
    assert now.version == now.versions()["version"][0]
    assert [reader.version] == now.versions()["version"].to_list()[3:]


def test_old_parts_do_not_pile_up(
    archive: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the parts of the versions that stay are there: the latest, of each day, and pinned."""
    monkeypatch.setattr(writer, "KEPT_LAST", 2)
    monkeypatch.setattr(writer, "KEPT_DAYS", 0)
    pinned = open_index(store)
    assert isinstance(pinned, StoreIndex)
    pinned.pin()
    for round_ in range(5):
        os.utime(archive / "a" / "1-1-000", (round_, round_))
        index = scan(archive, store, progress=False)
    versions = index.versions()
    named = set()
    for version in versions["version"]:
        manifest = folder.read_manifest(store, version)
        assert manifest is not None
        named |= {file for part in manifest.parts for file in part.files()}

    assert [False, False, False, True] == versions["pinned"].to_list()
    assert named == {path.name for path in store.glob("*.parquet")}
    pinned.pin(keep=False)
    os.utime(archive / "a" / "1-1-000", (9, 9))
    assert 3 == scan(archive, store, progress=False).versions().height


def test_the_last_version_of_each_day_stays_for_a_while(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five nightly scans, and one more an hour later."""
    monkeypatch.setattr(writer, "KEPT_LAST", 0)
    monkeypatch.setattr(writer, "KEPT_DAYS", 3)
    now = 20_000 * 86_400.0
    for hour in (0, 24, 48, 72, 96, 97):
        with monkeypatch.context() as patch:
            patch.setattr(writer.time, "time", lambda hour=hour: now + 3600 * hour)
            os.utime(archive / "a" / "1-1-000", (hour, hour))
            index = scan(archive, tmp_path / "store", progress=False)
    made = [(when.timestamp() - now) / 3600 for when in index.versions()["made"]]

    assert [97, 96, 72, 48] == made


@pytest.mark.parametrize("step", range(1, 9))
def test_an_interrupted_scan_leaves_the_version_before(
    archive: Path, store: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever writing stops, the old version is whole and the next scan makes the new one."""
    old = open_index(store)
    assert isinstance(old, StoreIndex)
    before = _uids(old)
    write_series(archive / "new", Patient(patient_id="new"), Series(slices=2))
    (archive / "a" / "1-1-000").unlink()
    calls = []

    def interrupted(handle: int) -> None:
        calls.append(handle)
        if len(calls) == step:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writer.os, "fsync", interrupted)
        try:
            scan(archive, store, progress=False)
        except KeyboardInterrupt:
            found = open_index(store)
            assert isinstance(found, StoreIndex)

            # the last call is behind the rename: the new version stands
            assert (found.version == old.version) == (_uids(found) == before)
    after = scan(archive, store, progress=False)

    assert _uids(after) == _uids(scan(archive, progress=False))
    assert len(list(store.glob("*.new"))) == 0


SLOW = """
import os, sys, time
from cohortkit.index import scan, writer
def slow(handle, real=os.fsync):
    real(handle)
    print("written", flush=True)
    time.sleep(0.3)
writer.os.fsync = slow
print("started", flush=True)
scan(sys.argv[1], sys.argv[2], progress=False, workers=1)
"""


@pytest.mark.parametrize("lines", [2, 4])
def test_a_killed_scan(archive: Path, store: Path, lines: int) -> None:
    """SIGKILL in the middle of writing: readable before, and whole after the next scan."""
    before = open_index(store).version
    write_series(archive / "new", Patient(patient_id="new"), Series(slices=2))
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(archive), str(store)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    for _ in range(lines):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    assert before == open_index(store).version
    assert _uids(scan(archive, store, progress=False)) == _uids(scan(archive, progress=False))


def test_two_scans_at_once_are_refused(archive: Path, store: Path) -> None:
    """The second says so, and the store can still be read."""
    with writer.writing(store):
        with pytest.raises(StoreError, match="another scan"):
            scan(archive, store, progress=False)
        assert _uids(open_index(store))  # type: ignore[arg-type] - a store
    scan(archive, store, progress=False)


def _edit(store: Path, **changes: object) -> None:
    path = store / folder.MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_newer_store_is_refused(archive: Path, store: Path) -> None:
    """Reading and scanning say that a newer cohortkit is needed, and change nothing."""
    _edit(store, format=3)
    before = sorted(path.name for path in store.iterdir())
    with pytest.raises(StoreError, match="newer cohortkit"):
        open_index(store)
    with pytest.raises(StoreError, match="newer cohortkit"):
        scan(archive, store, progress=False)

    assert before == sorted(path.name for path in store.iterdir())


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "something"},
        {"parts": 7},
        {"format": "one"},
        {
            "parts": [
                {"table": "series", "label": "CT", "file": "../../etc/passwd", "rows": 1, "size": 1}
            ]
        },
    ],
)
def test_a_damaged_manifest_is_refused(store: Path, damage: dict[str, object]) -> None:
    """Nothing outside the store is read on the word of a manifest."""
    _edit(store, **damage)
    with pytest.raises(StoreError):
        open_index(store)


def test_a_missing_part_is_refused(store: Path) -> None:
    """A part that is gone is told when the store is opened, not as a shorter answer."""
    next(store.glob("instances-CT-*")).unlink()
    with pytest.raises(StoreError, match=r"missing.*scan the archive again"):
        open_index(store)


@pytest.mark.parametrize("cut", [1, 1000])
def test_a_part_that_was_cut_short_is_refused(archive: Path, store: Path, cut: int) -> None:
    """By opening and by scanning, in words that say what to do; polars' own error is not shown."""
    part = next(store.glob("series-CT-*"))
    part.write_bytes(part.read_bytes()[:-cut])

    for act in (lambda: open_index(store), lambda: scan(archive, store, progress=False)):
        with pytest.raises(StoreError, match=r"damaged.*scan the archive again"):
            act()


@pytest.mark.parametrize("table", ["instances", "series", "skipped"])
def test_a_part_that_is_no_parquet_any_more_is_refused(
    archive: Path, store: Path, table: str
) -> None:
    """Of the same length."""
    for part in store.glob(f"{table}-*"):
        data = part.read_bytes()
        part.write_bytes(b"PAR1" + bytes(len(data) - 8) + b"PAR1")

    for act in (lambda: open_index(store), lambda: scan(archive, store, progress=False)):
        with pytest.raises(StoreError, match="damaged"):
            act()


def test_a_part_whose_rows_changed_is_refused_when_they_are_read(store: Path) -> None:
    """With its frame intact it is known only by its rows: never a foreign error."""
    for part in store.glob("*-*"):
        data = part.read_bytes()
        part.write_bytes(data[:4] + bytes(len(data) // 4) + data[4 + len(data) // 4 :])
    index = open_index(store)
    keys = pl.Series(["k"])

    for act in (index.skipped, index.summary, index.search, lambda: index.instances(keys)):
        with pytest.raises(CohortkitError):
            act()


def test_a_manifest_that_is_no_text_is_refused(store: Path) -> None:
    """One flipped byte."""
    (store / "manifest.json").write_bytes(b'{"kind": "\xff"}')
    with pytest.raises(StoreError, match="damaged"):
        open_index(store)


def test_a_full_disk_is_told(archive: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In plain words, and the old version stands."""
    before = open_index(store).version
    write_series(archive / "new", Patient(patient_id="new"), Series(slices=1))

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(writer.os, "fsync", full)
        with pytest.raises(NoRoom, match="disk full"):
            scan(archive, store, progress=False)

    assert before == open_index(store).version


def test_parts_are_by_modality_and_sorted(store: Path) -> None:
    """So that a search reads little."""
    for path in store.glob("instances-*.parquet"):
        rows = pl.read_parquet(path)

        assert rows["Modality"].n_unique() == 1
        assert path.name.split("-")[1] == rows["Modality"][0]
        assert rows.equals(rows.sort("PatientID", "StudyDate", maintain_order=True))


@pytest.mark.parametrize(
    "where", ["mysql://u:secret@h/x", "https://pacs/dicom-web", "hdfs://bucket/x", "ORACLE://a"]
)
def test_what_is_not_built_is_refused_in_plain_words(where: str) -> None:
    """By its kind, without repeating what may hold a password."""
    with pytest.raises(NotBuilt, match="cannot open") as caught:
        open_index(where)

    assert "secret" not in str(caught.value)


def test_wrong_places(tmp_path: Path, store: Path) -> None:
    """Nothing there, a folder without a store, a mapping for a store."""
    for place in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(StoreError, match="no"):
            open_index(place)
    with pytest.raises(UsageError, match="mapping"):
        open_index(store, {"a": "PatientID"})


def test_the_demo_index_is_of_pydicoms_own_files() -> None:
    """Real objects of many kinds, in memory; every file accounted for."""
    index = demo_index()
    kinds = set(index.series().collect()["kind"])

    assert {"image", "report", "waveform", "segmentation", "radiotherapy"} <= kinds
    assert index.location == ""
    assert index.search(Modality="CT").counts.series > 0
    assert index.instances(index.series().collect()["series_key"]).height > 150


def test_a_version_that_is_gone_is_told(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two scans later its parts are removed: whoever still asks it hears so, and of no path."""
    monkeypatch.setattr(writer, "KEPT_LAST", 1)
    monkeypatch.setattr(writer, "KEPT_DAYS", 0)
    monkeypatch.setattr(narrow, "_HELD", 0)  # as a cohort of many series is: not in memory
    store = tmp_path / "store"
    index = scan(archive, store, progress=False)
    cohort = index.search(Modality="CT")
    small = index.search(PatientID="0012").filter(pl.col("Modality") == "MR")
    for _ in range(2):
        assert 3 == cohort.to_polars().height == len(cohort)
        assert 1 == small.to_polars().height
        next(iter(archive.rglob("1-1-00*"))).unlink()
        scan(archive, store, progress=False)
    for ask in (
        cohort.to_polars,
        lambda: cohort.search(PatientID="0012"),
        lambda: repr(index),
        lambda: cohort.save(tmp_path / "kept.cohort"),
    ):
        with pytest.raises(StoreError) as caught:
            ask()

        assert str(tmp_path) not in str(caught.value)


def test_a_cohort_is_opened_on_its_own_version(archive: Path, store: Path, tmp_path: Path) -> None:
    """Whatever was scanned since: a file that was saved gives the series it was saved of."""
    cohort = open_index(store).search(Modality="CT")
    cohort.save(tmp_path / "kept.cohort")
    for file in archive.rglob("1-1-00*"):
        file.unlink()
    scan(archive, store, progress=False)
    again = load_cohort(tmp_path / "kept.cohort")

    assert cohort.identified().equals(again.identified())
    assert cohort.index.version == again.index.version != open_index(store).version


def test_an_answer_in_sql_names_nobody_unless_asked(store: Path) -> None:
    """What a notebook shows is saved with it; aliases change nothing."""
    index = open_index(store)
    whole = index.sql("SELECT * FROM series")

    assert whole.height == len(index.search())
    assert set(whole.columns) == set(index.search().to_polars().columns)
    for asked in ("PatientID", "PatientName AS Modality", "path", "count(StudyDate)"):
        with pytest.raises(QueryError, match="identified=True"):
            index.sql(f"SELECT {asked} FROM instances")
    assert index.sql("SELECT PatientID FROM series", identified=True).height == whole.height


@pytest.mark.parametrize(
    "call", ["read_parquet('{}')", "READ_CSV ('{}')", "\"read_ipc\"('{}')", "read_json/*x*/('{}')"]
)
def test_sql_reads_no_file(store: Path, call: str) -> None:
    """The store's own files would tell what the tables do not; another's are none of the index."""
    part = next(store.rglob("*.parquet"))
    with pytest.raises(QueryError, match="no file can be read") as caught:
        open_index(store).sql(f"SELECT * FROM {call.format(part)}")
    assert part.name not in str(caught.value)


def test_what_was_skipped_or_not_read_names_nobody_unless_asked(tmp_path: Path) -> None:
    """No path and no value: these are the tables that one looks at right after a scan."""
    write_series(
        tmp_path / "Quisling", Patient(), Series(slices=1, extra={"SeriesDate": "20201345"})
    )
    (tmp_path / "Quisling" / "notes.txt").write_text("x")
    index = scan(tmp_path, progress=False)

    assert [("not-dicom", 1)] == index.skipped().rows()
    assert ["keyword", "problem"] == index.issues().columns
    assert 0 < len(index.issues())
    assert "Quisling" not in f"{index.skipped()}{index.issues()}"
    assert "path" in index.skipped(identified=True)
    assert {"path", "value"} <= set(index.issues(identified=True).columns)


LATER = ("PatientAddress", "PatientTelephoneNumbers", "OperatorsName", "PerformingPhysicianName")
"""Columns that stores of the first schema had not."""


def _aged(store: Path) -> None:
    """Make a store one of the first schema: without these columns, and without digests."""
    path = store / folder.MANIFEST
    manifest = json.loads(path.read_text())
    for part in manifest["parts"]:
        file = store / part["file"]
        rows = pl.read_parquet(file, glob=False)
        rows.drop(*LATER, "digest", strict=False).write_parquet(file)
        part["size"] = file.stat().st_size
    path.write_text(json.dumps({**manifest, "schema": 1}))


def test_a_store_of_an_older_schema_is_read_anew(archive: Path, tmp_path: Path) -> None:
    """It opens with what it has; the next scan reads every file, the one after it none."""
    for path in (archive / "c").iterdir():
        named = pydicom.dcmread(path)
        named.PatientAddress, named.OperatorsName = "Weidenstrasse 17", "Operator^Olga"
        named.save_as(path)
    store = tmp_path / "store"
    fresh = scan(archive, store, progress=False)
    series, uids = fresh.series().collect(), _uids(fresh)
    _aged(store)

    old = open_index(store)
    assert isinstance(old, StoreIndex)
    assert [None] == old.series().collect()["OperatorsName"].unique().to_list()
    assert uids == _uids(old)

    again = scan(archive, store, progress=False)
    assert fresh.counts["read"] == again.counts["read"] > 0
    assert 0 == again.counts["unchanged"]
    loaded = ("load_run", "valid_from")
    assert series.drop(loaded).equals(again.series().collect().drop(loaded))
    assert [["Operator^Olga"]] == again.series().collect()["OperatorsName"].drop_nulls().to_list()
    assert json.loads((store / folder.MANIFEST).read_text())["schema"] == SCHEMA
    last = scan(archive, store, progress=False)
    assert (0, again.counts["read"]) == (last.counts["read"], last.counts["unchanged"])
