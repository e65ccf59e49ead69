"""The fast reader says what pydicom says."""

from __future__ import annotations

import contextlib
import logging
import struct
import warnings
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cohortkit.dicom.layout import find_start
from cohortkit.dicom.reader import Header, HeaderReader
from cohortkit.dicom.values import field
from cohortkit.errors import Refusal
from factory import Patient, Series, instance
from says import WORDS, pydicom_says

FIELDS = [field(word) for word in WORDS]


def _pairs(path: Path, reader: HeaderReader) -> tuple[list[object], Header] | None:
    """Pydicom's values and ours; None where the file is no DICOM to either."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            header = reader.read(path)
        except Refusal:
            return None
        dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        expected: list[object] = []
        for wanted in reader.fields:
            try:
                expected.append(
                    pydicom_says(dataset, wanted.tag, wanted.vr, multiple=wanted.multiple)
                )
            except (ValueError, TypeError):
                expected.append("unparsable")
    return expected, header


def _agree(path: Path, reader: HeaderReader) -> list[str]:
    pair = _pairs(path, reader)
    if pair is None:
        return []
    problems = {issue.keyword for issue in pair[1].issues}
    return [
        wanted.keyword
        for wanted, theirs, ours in zip(reader.fields, pair[0], pair[1].values, strict=True)
        if theirs != ours and not (theirs == "unparsable" and wanted.keyword in problems)
    ]


@pytest.mark.data
def test_all_real_files(real_files: list[Path]) -> None:
    """On every real file, fast or not, each field has pydicom's value."""
    reader = HeaderReader(FIELDS)
    logging.disable(logging.CRITICAL)
    differing = {path.name: wrong for path in real_files if (wrong := _agree(path, reader))}
    logging.disable(logging.NOTSET)

    assert differing == {}


@pytest.mark.data
def test_the_fast_way_is_the_usual_way(
    real_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most real files need no pydicom, or the speed would be a story."""
    slow: list[object] = []
    whole = HeaderReader._read_whole
    monkeypatch.setattr(
        HeaderReader, "_read_whole", lambda self, path: slow.append(path) or whole(self, path)
    )
    reader = HeaderReader(FIELDS)
    read = 0
    for path in real_files:
        with contextlib.suppress(Refusal):
            reader.read(path)
            read += 1

    assert read > 1200
    assert len(slow) < 0.05 * read


def test_both_ways_agree(pydicom_files: list[Path]) -> None:
    """With and without the fast way: the same values, issues and transfer syntax."""
    fast, whole = HeaderReader(FIELDS), HeaderReader(FIELDS, fast=False)
    for path in pydicom_files:
        if path.name == "rtplan_truncated.dcm":
            continue  # cut behind the last wanted tag: the whole way alone sees it
        results: list[object] = []
        for reader in (fast, whole):
            try:
                header = reader.read(path)
            except Refusal as refusal:
                results.append(refusal.reason)
            else:
                results.append((header.values, header.issues, header.transfer_syntax))

        assert results[0] == results[1], path.name


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\\\0\x1b=^"), max_size=20)
UIDS = st.from_regex(r"\A1\.2\.[1-9][0-9]{0,20}\Z")
SYNTAXES = st.sampled_from(
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ]
)


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """A data set with sequences, private elements and odd values before the wanted ones."""
    dataset = instance(Patient(), Series(), 0)
    dataset.StudyDescription = draw(TEXT)
    dataset.PatientID = draw(TEXT)
    dataset.SOPInstanceUID = draw(UIDS)
    dataset.ImageType = draw(st.lists(st.sampled_from(["ORIGINAL", "", "M"]), max_size=4))
    dataset.InstanceNumber = draw(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)))
    dataset.Rows = draw(st.integers(0, 65535))
    nested = dataset
    for _ in range(draw(st.integers(0, 5))):
        item = Dataset()
        item.PatientID = "nested"
        item.CodeMeaning = draw(TEXT)
        nested.ReferencedStudySequence = [item] * draw(st.integers(0, 3))
        nested["ReferencedStudySequence"].is_undefined_length = draw(st.booleans())
        item.is_undefined_length_sequence_item = draw(st.booleans())
        nested = item
    block = dataset.private_block(0x0011, "MAKER", create=True)
    block.add_new(1, "UN", draw(st.binary(max_size=8)) * 2)
    block.add_new(2, "OB", b"\0" * draw(st.sampled_from([0, 10, 20_000, 70_000])))
    return dataset


@given(dataset=datasets(), syntax=SYNTAXES, start=st.sampled_from(["preamble", "none"]))
def test_made_files(
    tmp_path_factory: pytest.TempPathFactory, dataset: Dataset, syntax: UID, start: str
) -> None:
    """Any encoding, nesting and length: each field has pydicom's value."""
    path = tmp_path_factory.mktemp("made") / "file"
    bare = Dataset(dataset)
    dataset.file_meta.TransferSyntaxUID = syntax
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if start == "preamble" or syntax == DeflatedExplicitVRLittleEndian:
            bare.file_meta = dataset.file_meta
            bare.save_as(path, enforce_file_format=True)
        else:
            bare.save_as(
                path, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian
            )

    assert [] == _agree(path, HeaderReader(FIELDS))


@given(cut=st.integers(0, 6000), at=st.integers(132, 2000), junk=st.binary(max_size=6))
def test_damaged_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cut: int, at: int, junk: bytes
) -> None:
    """However a file is damaged, the reader answers or gives a reason."""
    data = bytearray(Path(get_testdata_file("CT_small.dcm")).read_bytes()[:cut])
    data[at : at + len(junk)] = junk
    path = tmp_path_factory.mktemp("cut") / "file"
    path.write_bytes(data)
    with contextlib.suppress(Refusal):
        header = HeaderReader(FIELDS).read(path)

        assert len(FIELDS) == len(header.values)


def test_values_that_are_no_values_are_issues(tmp_path: Path) -> None:
    """What cannot be parsed is null and listed with its raw value, which the index may hold."""
    dataset = instance(Patient(), Series(), 0)
    dataset.save_as(tmp_path / "file", enforce_file_format=True)
    data = (tmp_path / "file").read_bytes().replace(b"20210317", b"someday ")
    (tmp_path / "file").write_bytes(data)
    header = HeaderReader([field("StudyDate"), field("PatientID")]).read(tmp_path / "file")

    assert [None, "MRN-00471113"] == header.values
    assert [("StudyDate", "not-a-date", "someday ")] == [
        (issue.keyword, issue.problem, issue.raw) for issue in header.issues
    ]


def test_elements_out_of_order_are_looked_for_to_the_end(tmp_path: Path) -> None:
    """Where one element is out of order, another may be behind the last wanted one."""
    dataset = instance(Patient(), Series(), 0)
    del dataset.PatientID, dataset.PixelData
    dataset.save_as(tmp_path / "file", enforce_file_format=True)
    data = (tmp_path / "file").read_bytes()
    at = data.index(struct.pack("<HH2s", 0x0008, 0x0060, b"CS"))
    stray = struct.pack("<HH2sH", 0x0008, 0x0005, b"CS", 0)
    late = struct.pack("<HH2sH", 0x7FFF, 0x0010, b"LO", 0)
    late += struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 4) + b"LATE"
    (tmp_path / "file").write_bytes(data[:at] + stray + data[at:] + late)

    assert ["LATE"] == HeaderReader([field("PatientID")]).read(tmp_path / "file").values


def test_a_media_directory_is_known_by_its_class() -> None:
    """Not by its name."""
    header = HeaderReader(FIELDS).read(get_testdata_file("DICOMDIR"))

    assert header.media_class == "1.2.840.10008.1.3.10"


def test_the_start_of_a_file_is_found_without_trusting_group_length() -> None:
    """A wrong length of group 0002 does not matter."""
    data = bytearray(Path(get_testdata_file("CT_small.dcm")).read_bytes())
    start = find_start(bytes(data))
    data[140:144] = b"\xff\xff\0\0"

    assert start == find_start(bytes(data))
