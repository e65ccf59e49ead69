"""Scanning an archive."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cohortkit.errors import StoreError, UsageError
from cohortkit.index import StoreIndex, scan
from cohortkit.index.columns import INSTANCES, RUN, series_key
from cohortkit.index.walk import list_files
from cohortkit.protocols import Index
from factory import Patient, Series, instance, write_series
from indexes import series_of

OPENED: list[str] = []
WATCHED: list[str] = []


def _watch(event: str, args: tuple[object, ...]) -> None:
    if WATCHED and event == "open" and str(args[0]).startswith(WATCHED[-1]):
        OPENED.append(str(args[0]))


sys.addaudithook(_watch)


def _opened(archive: Path, store: Path) -> tuple[StoreIndex, int]:
    """Scan in this process, and count the files of the archive that are opened."""
    OPENED.clear()
    WATCHED.append(str(archive))
    try:
        index = scan(archive, store, workers=1, progress=False)
    finally:
        WATCHED.clear()
    return index, len({path for path in OPENED if Path(path).is_file()})


def _all(index: StoreIndex) -> pl.DataFrame:
    return index.instances(index.series().collect()["series_key"]).drop(RUN)


def _files(index: StoreIndex) -> set[str]:
    return {*_all(index)["path"], *index.skipped(identified=True)["path"]}


def _state(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(params=["memory", "store"])
def index(request: pytest.FixtureRequest, archive: Path, tmp_path: Path) -> StoreIndex:
    """The same archive, scanned in both ways."""
    store = tmp_path / "store" if request.param == "store" else None
    return scan(archive, store, progress=False)


def test_every_file_is_indexed_or_skipped_with_a_reason(index: StoreIndex, archive: Path) -> None:
    """Nothing is lost, and nothing is there twice."""
    on_disk = {str(path) for path in archive.rglob("*") if path.is_file()}
    skipped = dict(index.skipped(identified=True).select("path", "reason").iter_rows())

    assert on_disk == _files(index)
    assert _all(index).height + len(skipped) == len(on_disk)
    assert {"notes.txt": "not-dicom", "empty": "empty-file", "zip.dcm": "not-dicom"} == {
        Path(path).name: reason for path, reason in skipped.items()
    }


def test_rows_of_instances(index: StoreIndex) -> None:
    """Typed columns, absolute paths, sorted; what the protocol promises."""
    door: Index = index
    keys = door.series().collect()["series_key"]
    rows = door.instances(keys.head(2))

    assert dict(INSTANCES) == dict(rows.schema)
    assert set(rows["series_key"]) == set(keys.head(2))
    assert rows.equals(rows.sort("series_key", "SOPInstanceUID", "path"))
    row = rows.row(0, named=True)
    assert Path(row["path"]).is_absolute()
    assert date(2021, 3, 17) == row["StudyDate"]
    assert [0.8, 0.7] == row["PixelSpacing"]
    assert row["PatientID"] == "0012"
    assert row["size"] == Path(row["path"]).stat().st_size
    assert row["mtime_ns"] == Path(row["path"]).stat().st_mtime_ns


def test_series_are_of_a_person_at_an_issuer(index: StoreIndex) -> None:
    """One Patient ID at two issuers is two people; columns of study and patient repeat."""
    rows = index.series().collect()

    assert rows.height == rows["series_key"].n_unique() == 4
    assert rows.select("IssuerOfPatientID", "PatientID").n_unique() == 2
    assert [2, 2, 1, 1] == rows.sort("NumberOfStudyRelatedSeries", descending=True)[
        "NumberOfStudyRelatedSeries"
    ].to_list()
    ct = rows.filter((pl.col("Modality") == "CT") & (pl.col("IssuerOfPatientID") == "A"))
    assert {3, 1} == set(ct["NumberOfSeriesRelatedInstances"])
    assert {"image"} == set(rows["kind"])
    assert {"low"} == set(rows["risk"])


def test_workers_find_what_one_process_finds(archive: Path) -> None:
    """The same rows, however many read."""
    one = scan(archive, workers=1, progress=False)
    three = scan(archive, workers=3, progress=False)

    assert _all(one).equals(_all(three))
    assert series_of(one).equals(series_of(three))
    assert one.skipped(identified=True).equals(three.skipped(identified=True))


def test_the_archive_is_only_read(archive: Path, tmp_path: Path) -> None:
    """Bytes and times of every file stay, and nothing is added."""
    before = _state(archive)
    scan(archive, tmp_path / "store", progress=False)
    scan(archive, tmp_path / "store", progress=False)

    assert before == _state(archive)


def test_a_second_scan_opens_nothing(archive: Path, tmp_path: Path) -> None:
    """Files whose size and time are known stay closed, skipped ones too."""
    first, opened = _opened(archive, tmp_path / "store")
    assert opened == 11
    second, opened = _opened(archive, tmp_path / "store")

    assert opened == 0
    assert first.version == second.version
    assert (0, 11) == (second.counts["read"], second.counts["unchanged"])


def test_only_what_changed_is_opened(archive: Path, tmp_path: Path) -> None:
    """A new file, a changed one, one moved, one deleted."""
    store = tmp_path / "store"
    before = scan(archive, store, progress=False)
    write_series(archive / "new", Patient(patient_id="77"), Series(slices=1))
    changed = archive / "a" / "1-1-000"
    dataset = pydicom.dcmread(changed)
    dataset.StudyDescription = "read again"
    dataset.save_as(changed)
    (archive / "a" / "1-1-001").rename(archive / "moved")
    (archive / "c" / "1-1-000").unlink()
    after, opened = _opened(archive, store)

    assert opened == 3
    assert {"read": 3, "gone": 1, "moved": 1} == {
        name: after.counts[name] for name in ("read", "gone", "moved")
    }
    assert before.version != after.version
    rows = _all(after)
    assert rows.equals(_all(scan(archive, progress=False)))
    assert series_of(after).equals(series_of(scan(archive, progress=False)))
    assert "read again" in rows["StudyDescription"].to_list()


def test_many_updates_end_where_one_scan_would(archive: Path, tmp_path: Path) -> None:
    """Parts are merged and rewritten without a row lost or doubled."""
    store = tmp_path / "store"
    for number in range(12):
        patient = Patient(patient_id=f"N{number}")
        write_series(archive / f"n{number}", patient, Series(slices=1, body_part="HEAD"))
        if number > 2:
            (archive / f"n{number - 2}" / "1-1-000").unlink()
        index = scan(archive, store, progress=False)
    fresh = scan(archive, progress=False)

    assert _all(index).equals(_all(fresh))
    assert series_of(index).equals(series_of(fresh))
    assert index.skipped(identified=True).equals(fresh.skipped(identified=True))
    parts = [path for path in store.iterdir() if path.name.startswith("instances-CT")]
    assert len(parts) < 14


def test_a_file_that_is_no_longer_skipped(archive: Path, tmp_path: Path) -> None:
    """A skipped file that becomes DICOM is indexed, and one that ceases to be is skipped."""
    store = tmp_path / "store"
    scan(archive, store, progress=False)
    (archive / "a" / "1-1-000").rename(archive / "notes.txt")
    (archive / "a" / "1-1-001").write_bytes(b"no longer")
    index = scan(archive, store, progress=False)

    assert str(archive / "notes.txt") in _all(index)["path"]
    assert str(archive / "a" / "1-1-001") in index.skipped(identified=True)["path"]
    assert _all(index).equals(_all(scan(archive, progress=False)))


def test_links_and_devices_are_listed_not_followed(archive: Path, tmp_path: Path) -> None:
    """A link that leads out of the archive, a loop and a pipe are told, not read."""
    outside = tmp_path / "outside"
    write_series(outside, Patient(patient_id="outside"), Series(slices=1))
    (archive / "link").symlink_to(outside / "1-1-000")
    (archive / "folder").symlink_to(outside)
    (archive / "loop").symlink_to(archive)
    os.mkfifo(archive / "pipe")
    index = scan(archive, tmp_path / "store", progress=False)
    reasons = dict(index.skipped(identified=True).select("path", "reason").iter_rows())

    assert "outside" not in _all(index)["PatientID"]
    for name in ("link", "folder", "loop", "pipe"):
        assert reasons[str(archive / name)] == "not-a-file"
    assert scan(archive, tmp_path / "store", progress=False).version == index.version


def test_removing_a_link_is_noticed(archive: Path, tmp_path: Path) -> None:
    """What the walk lists is listed anew each time."""
    (archive / "link").symlink_to(archive / "empty")
    scan(archive, tmp_path / "store", progress=False)
    (archive / "link").unlink()
    index = scan(archive, tmp_path / "store", progress=False)

    assert "not-a-file" not in index.skipped(identified=True)["reason"]


@pytest.mark.parametrize("name", ["no suffix", "ümläut", "头部.tmp", "a\nb", "-rf", "x.dcm.gz"])
def test_any_file_name(archive: Path, name: str) -> None:
    """A name says nothing of what a file is."""
    (archive / "a" / "1-1-000").rename(archive / name)

    assert str(archive / name) in _all(scan(archive, progress=False))["path"]


def test_a_name_that_is_no_text_is_listed(archive: Path, tmp_path: Path) -> None:
    """No table can hold it, so it is told by its escaped form, and again next time."""
    (archive / "a" / "1-1-000").rename(archive / os.fsdecode(b"caf\xe9"))
    for _ in range(2):
        index = scan(archive, tmp_path / "store", progress=False)
        reasons = dict(index.skipped(identified=True).select("path", "reason").iter_rows())

        assert reasons[str(archive / "caf\\udce9")] == "file-name"


def test_copies_of_an_instance_are_all_rows(archive: Path) -> None:
    """The same SOP Instance UID in two files: both are rows of one series."""
    (archive / "copy").write_bytes((archive / "b" / "deep" / "2-1-000").read_bytes())
    rows = _all(scan(archive, progress=False))

    assert rows.filter(pl.col("SOPInstanceUID").is_duplicated())["series_key"].n_unique() == 1
    assert rows.height == 9


def test_objects_that_do_not_say_what_they_are(tmp_path: Path) -> None:
    """No SOP class, no UIDs, a media directory: each has its reason."""
    root = tmp_path / "archive"
    root.mkdir()
    for name, keyword in (("class", "SOPClassUID"), ("uid", "SeriesInstanceUID")):
        dataset = instance(Patient(), Series(), 0)
        delattr(dataset, keyword)
        dataset.save_as(root / name)
    directory = pydicom.data.get_testdata_file("DICOMDIR")
    assert isinstance(directory, str)
    (root / "any name").write_bytes(Path(directory).read_bytes())
    reasons = scan(root, progress=False).skipped(identified=True).sort("path")["reason"]

    assert ["dicomdir", "no-sop-class", "no-uids"] == reasons.to_list()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_cut_file_is_told_as_one(tmp_path: Path, syntax: str) -> None:
    """Wherever it was cut before all that names it has been said, also between two elements."""
    whole = instance(Patient(), Series(), 0)
    whole.file_meta.TransferSyntaxUID = syntax
    whole.save_as(tmp_path / "whole")
    data = (tmp_path / "whole").read_bytes()
    named = data.index(whole.SeriesInstanceUID.encode()) + len(whole.SeriesInstanceUID)
    (tmp_path / "archive").mkdir()
    for size in (*range(132, named), 400):
        (tmp_path / "archive" / str(size)).write_bytes(data[:size])
    index = scan(tmp_path / "archive", progress=False)

    assert {"truncated"} == set(index.skipped()["reason"])
    assert 0 == len(index.search())


def test_values_that_cannot_be_parsed(archive: Path, tmp_path: Path) -> None:
    """They are null in the index and told in the issues, also after a second scan."""
    path = archive / "a" / "1-1-000"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"DA\x08\x0020210317", b"DA\x08\x0020211317"))
    for _ in range(2):
        index = scan(archive, tmp_path / "store", progress=False)
        issues = index.issues(identified=True).filter(pl.col("path") == str(path))

        assert {("StudyDate", "not-a-date", "20211317")} <= set(
            issues.select("keyword", "problem", "value").iter_rows()
        )
        assert _all(index).filter(pl.col("path") == str(path))["StudyDate"].to_list() == [None]


def test_the_key_of_a_series_tells_people_apart() -> None:
    """The digest depends on each part and on where it ends."""
    parts = {"IssuerOfPatientID": "a", "PatientID": "b", "StudyInstanceUID": "c"}
    same = {**parts, "SeriesInstanceUID": "d"}

    assert series_key(same) == series_key({**same, "PatientID": "b \0"})
    assert series_key(same) != series_key({**same, "PatientID": None, "IssuerOfPatientID": "ab"})
    assert series_key(same) != series_key({**same, "PatientID": "0b"})


def test_printed_forms_name_nobody(index: StoreIndex) -> None:
    """Counts by Modality, no value of a patient, no path."""
    shown = repr(index) + index._repr_html_() + str(index.summary())

    assert "CT" in shown
    for word in ("0012", "Quisling", "Other^One", "ACC-", "archive/", "1.2.826"):
        assert word not in shown
    assert ("all", 2, 3, 4, 8) == index.summary().row(-1)[:5]


def test_a_modality_that_is_a_name_is_not_shown(tmp_path: Path) -> None:
    """What is no term of the standard is counted as other."""
    write_series(tmp_path / "archive", Patient(), Series(modality="QUISLING"))
    index = scan(tmp_path / "archive", tmp_path / "store", progress=False)

    assert "QUISLING" not in repr(index) + index._repr_html_()
    assert not any("QUISLING" in path.name for path in (tmp_path / "store").iterdir())
    assert {"QUISLING"} == set(index.series().collect()["Modality"])


def test_a_store_and_its_archive_lie_apart(archive: Path, tmp_path: Path) -> None:
    """An index inside the archive would write there, and index itself."""
    for store in (archive, archive / "index", archive / "a" / ".." / "x", tmp_path):
        with pytest.raises(StoreError, match="another place"):
            scan(archive, store, progress=False)
    (tmp_path / "link").symlink_to(archive)
    with pytest.raises(StoreError, match="inside the archive"):
        scan(archive, tmp_path / "link" / "index", progress=False)
    assert not (archive / "index").exists()


def test_wrong_use(archive: Path, tmp_path: Path) -> None:
    """No archive, no workers, a store of another archive, a folder of other things."""
    with pytest.raises(UsageError, match="archive"):
        scan(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="workers"):
        scan(archive, workers=0)
    scan(archive, tmp_path / "store", progress=False)
    (tmp_path / "second").mkdir()
    with pytest.raises(StoreError, match="another archive"):
        scan(tmp_path / "second", tmp_path / "store", progress=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").touch()
    with pytest.raises(StoreError, match="something else"):
        scan(archive, tmp_path / "home", progress=False)
    assert ["letter.txt"] == [path.name for path in (tmp_path / "home").iterdir()]


def test_an_empty_archive(tmp_path: Path) -> None:
    """An archive of nothing is an index of nothing."""
    (tmp_path / "archive").mkdir()
    index = scan(tmp_path / "archive", tmp_path / "store", progress=False)

    assert index.series().collect().is_empty()
    assert index.skipped().is_empty()
    assert "none skipped" in repr(index)
    assert scan(tmp_path / "archive", tmp_path / "store", progress=False).version == index.version


SCRIPT = """
import sys
from cohortkit.index import scan
index = scan(sys.argv[1], sys.argv[2], workers=2)
print(index.counts["read"])
"""


def test_a_plain_script_needs_no_guard(archive: Path, tmp_path: Path) -> None:
    """Workers start from a script without ``if __name__ == "__main__"``, and it runs once."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), str(archive), str(tmp_path / "store")],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert done.stdout.split() == ["11"]
    assert "Quisling" not in done.stderr
    assert str(archive) not in done.stderr


def test_the_walk_is_sorted_and_opens_nothing(archive: Path) -> None:
    """The same listing each time, so that batches are the same."""
    files = list_files(archive).files

    assert files["path"].is_sorted()
    assert files.height == 11
