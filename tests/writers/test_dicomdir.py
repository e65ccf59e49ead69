"""DICOMDIR: a file-set that other tools read, made of rows, with nothing in it of a source."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.fileset import FileSet

import cohortkit as ck
from batches import planned, run
from cohortkit import cli
from cohortkit.dicom.directory import directory, folder, pieces
from cohortkit.model import Names
from promised import make_archive, tree

FILE_ID = re.compile(r"[A-Z0-9_]{1,8}")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_archive(tmp_path_factory.mktemp("dicomdir") / "archive")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> ck.Key:
    return ck.Key.new(tmp_path_factory.mktemp("dicomdir") / "key", project="directory")


@pytest.fixture(scope="module", params=["basic", "chest-ct"])
def exported(
    request: pytest.FixtureRequest,
    archive: Path,
    tmp_path_factory: pytest.TempPathFactory,
    key: ck.Key,
) -> ck.Export:
    """The same archive under a recipe without dates, and under one with."""
    plan = planned(archive, to=[ck.Dicom(dicomdir=True), ck.Tables()], recipe=request.param)
    return run(plan, tmp_path_factory.mktemp("dicomdir") / "out", key)


def objects(exported: ck.Export) -> list[Path]:
    """The objects of the file-set."""
    root = exported.root / "release" / "dicom"
    return sorted(p for p in root.rglob("*") if p.is_file() and p.name != "DICOMDIR")


def test_pydicom_reads_the_file_set(exported: ck.Export) -> None:
    """Every object is in it once, under its path, with the values that stand in the object."""
    root = exported.root / "release" / "dicom"
    found = FileSet(root / "DICOMDIR")
    assert objects(exported)
    assert objects(exported) == sorted(Path(one.path) for one in found)
    for one in found:
        there = pydicom.dcmread(one.path, stop_before_pixels=True)
        for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID"):
            assert there[keyword].value == getattr(one, keyword)
        assert there.file_meta.TransferSyntaxUID == one.ReferencedTransferSyntaxUIDInFile
        assert there.Modality == one.Modality


def test_names_are_those_that_a_file_set_may_have(exported: ck.Export) -> None:
    """At most eight components of at most eight capitals, digits and underscores (PS3.10 8.2)."""
    root = exported.root / "release" / "dicom"
    for path in objects(exported):
        parts = path.relative_to(root).parts
        assert 8 >= len(parts)
        assert all(FILE_ID.fullmatch(part) for part in parts)


def test_nothing_of_the_source(exported: ck.Export, archive: Path, key: ck.Key) -> None:
    """Every text in it stands in a released object, or is a stand-in; verify finds nothing."""
    values = set()
    for path in objects(exported):
        for element in pydicom.dcmread(path, stop_before_pixels=True).iterall():
            values.add(str(element.value))
    made = {"19000101", "000000", "0", "OT", "REMOVED", "", "None", "ISO_IR 192"}
    there = pydicom.dcmread(exported.root / "release" / "dicom" / "DICOMDIR")
    for record in there.DirectoryRecordSequence:
        for element in record:
            if element.tag.group != 0x0004:
                assert str(element.value) in values | made, element.keyword
    assert ck.verify(exported.root, key=key, index=ck.scan(archive, progress=False, workers=1)).ok


def test_the_same_command_gives_the_same_directory(
    archive: Path, tmp_path: Path, key: ck.Key
) -> None:
    """Two exports, and one that was limited first and went on, agree to the byte."""
    plan = planned(archive, to=[ck.Dicom(dicomdir=True)])
    run(plan, tmp_path / "a", key)
    run(plan, tmp_path / "b", key, limit=2)
    run(plan, tmp_path / "b", key)
    one, other = (
        {p.relative_to(tmp_path / x).as_posix(): p.read_bytes() for p in _files(tmp_path / x)}
        for x in "ab"
    )
    assert any(name.endswith("DICOMDIR") for name in one)
    assert one == other


def _files(root: Path) -> Iterator[Path]:
    return (p for p in (root / "release").rglob("*") if p.is_file())


def test_the_option_is_yes_or_no() -> None:
    """A text is neither, whatever it says."""
    with pytest.raises(ck.errors.UsageError, match=r"Dicom\(dicomdir=…\)"):
        ck.Dicom(dicomdir="no")  # type: ignore[arg-type]  # on purpose


def test_the_shell_and_a_job_ask_for_it_in_one_word(archive: Path, tmp_path: Path) -> None:
    """``dicom:dicomdir`` is what ``ck.Dicom(dicomdir=True)`` is, byte for byte."""
    ck.Key.new(tmp_path / "key", project="directory")
    ck.scan(archive, tmp_path / "index", progress=False, workers=1).search().save(tmp_path / "all")
    by_hand = planned(archive, to=[ck.Dicom(dicomdir=True)])
    key = ck.Key.from_file(tmp_path / "key")
    expected = tree(run(by_hand, tmp_path / "hand", key).release)
    words = ["--recipe", "basic", "--key", str(tmp_path / "key"), "--json"]
    typed = ["export", str(tmp_path / "all"), str(tmp_path / "shell"), "--to", "dicom:dicomdir"]
    assert 0 == cli.main([*typed, *words])
    told = {"index": tmp_path / "index", "key": tmp_path / "key", "out": tmp_path / "job"}
    lines = [f"{word} = {json.dumps(str(place))}" for word, place in told.items()]
    lines += ["format = 1", 'recipe = "basic"', 'to = ["dicom:dicomdir"]']
    (tmp_path / "job.toml").write_text("\n".join(lines))
    assert 0 == cli.main(["run", str(tmp_path / "job.toml"), "--json"])
    assert "dicom/DICOMDIR" in expected
    assert expected == tree(tmp_path / "shell" / "release") == tree(tmp_path / "job" / "release")


def test_without_the_option_there_is_none(archive: Path, tmp_path: Path, key: ck.Key) -> None:
    """Nothing changes for those who do not ask for it."""
    made = run(planned(archive, to=[ck.Dicom()]), tmp_path / "out", key)
    assert not list(made.root.rglob("DICOMDIR"))
    assert list(made.root.rglob("i0001.dcm"))


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed")
def test_dciodvfy_has_no_fault_to_find(exported: ck.Export) -> None:
    """Debian's dicom3tools look at every record."""
    path = exported.root / "release" / "dicom" / "DICOMDIR"
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    assert [] == [line for line in said.stderr.splitlines() if line.startswith("Error")]


NAME = st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", min_size=16, max_size=16)


@given(NAME)
def test_no_part_of_a_pseudonym_is_lost(name: str) -> None:
    """Two pseudonyms that differ are two folders."""
    assert f"p{name}" == "p" + "".join(pieces(f"p{name}")).lower()
    assert folder(Names(f"p{name}", f"s{name}", "r")).count("/") == 3


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("ab"), st.sampled_from("ab"),
                  st.integers(1, 4)),
        unique=True, max_size=12,
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_any_tree_is_linked_right(places: list[tuple[str, str, str, int]], chance: object) -> None:
    """Whatever patients, studies and series: each record is reached once, by its offsets alone."""
    rows = [
        {
            "patient": "p" + a * 16, "study": "s" + (a + b) * 8,
            "series": "r" + (a + b + c) * 5 + "a", "number": n, "record": "IMAGE",
            "class": "1.2.840.10008.5.1.4.1.1.2",
            "instance": f"2.25.{n}", "syntax": "1.2.840.10008.1.2.1",
            "PatientName": "Straße^Ünal", "PatientID": a, "StudyID": b, "StudyDate": "19000101",
            "StudyInstanceUID": f"2.25.{ord(a)}{ord(b)}", "SeriesInstanceUID": f"2.25.{ord(c)}",
            "Modality": "CT", "SeriesNumber": "0", "InstanceNumber": str(n),
        }
        for a, b, c, n in places
    ]  # fmt: skip
    data = directory(rows)
    chance.shuffle(rows)  # type: ignore[attr-defined]  # a Random
    assert data == directory(rows)
    there = pydicom.dcmread(pydicom.filebase.DicomBytesIO(data))
    records = {item.seq_item_tell: item for item in there.DirectoryRecordSequence}

    def walk(offset: int, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        while offset:
            record = records[offset]
            below = record.OffsetOfReferencedLowerLevelDirectoryEntity
            if below:
                yield from walk(below, (*above, record.DirectoryRecordType))
            else:
                yield (*above, record.DirectoryRecordType, *record.ReferencedFileID)
            offset = record.OffsetOfTheNextDirectoryRecord

    first = there.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity
    found = list(walk(first, ()))
    assert len(rows) == len(set(found)) == len(found)
    assert all(("PATIENT", "STUDY", "SERIES", "IMAGE") == one[:4] for one in found)
    kinds = [item.DirectoryRecordType for item in records.values()]
    assert len({a for a, _, _, _ in places}) == kinds.count("PATIENT")
