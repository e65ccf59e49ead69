"""What a header repeats of the one before it is not read again, and nothing comes of that."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import ImplicitVRLittleEndian

from cohortkit.dicom.loader import read_header
from cohortkit.dicom.plain import Known
from cohortkit.geometry import facts as room
from cohortkit.geometry.asked import watched
from cohortkit.geometry.facts import read_facts
from cohortkit.model import Facts, Reason
from released import chest, split

NM = "1.2.840.10008.5.1.4.1.1.20"
CHANGES: dict[str, list[tuple[str, bytes | None]]] = {
    "ImagePositionPatient": [("DS", b"0\\0\\1 "), ("DS", b"0\\0\\2.5 "), ("DS", b""), ("DS", None)],
    "InstanceNumber": [("IS", b"1 "), ("IS", b"2 "), ("IS", b"x ")],
    "AcquisitionNumber": [("IS", b"1 "), ("IS", None)],
    "AcquisitionTime": [("TM", b"101112"), ("TM", b"101113"), ("TM", b"")],
    "AcquisitionDateTime": [("DT", b"20200101101112"), ("DT", None)],
    "SOPInstanceUID": [("UI", b"1.2.3.4\0"), ("UI", b"1.2.3.55")],
    "SliceLocation": [("DS", b"1 "), ("DS", b"2 "), ("DS", None)],
    "ImageOrientationPatient": [("DS", b"1\\0\\0\\0\\1\\0 "), ("DS", b"0\\1\\0\\0\\0\\1 ")],
    "PixelSpacing": [("DS", b"1\\1 "), ("DS", b"2\\1 ")],
    "RescaleSlope": [("DS", b"1 "), ("DS", b"2 ")],
    "WindowCenter": [("DS", b"40"), ("DS", b"50")],
    "ImageType": [("CS", b"ORIGINAL\\PRIMARY"), ("CS", b"DERIVED\\PRIMARY\\RECON TOMO")],
    "ConvolutionKernel": [("SH", b"A "), ("SH", b"B ")],
    "Rows": [("US", b"\x0c\0"), ("US", b"\x0d\0")],
    "EchoTime": [("DS", b"10"), ("DS", b"20")],
    "SOPClassUID": [("UI", b"1.2.840.10008.5.1.4.1.1.2\0"), ("UI", NM.encode())],
    "LossyImageCompression": [("CS", b"00"), ("CS", b"01")],
    "InStackPositionNumber": [("UL", b"\1\0\0\0"), ("UL", b"\2\0\0\0")],
    "SeriesNumber": [("IS", b"1 "), ("IS", b"2 ")],
}


def unshared(headers: Sequence[Dataset]) -> Facts:
    """The facts where every header is read whole."""
    with mock.patch.object(room, "differing", return_value=None):
        return read_facts(headers)


def set_raw(header: Dataset, keyword: str, vr: str, value: bytes | None) -> None:
    tag = Tag(keyword)
    if value is None:
        header._dict.pop(tag, None)
    else:
        header._dict[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)  # noqa: FBT003


@st.composite
def series(draw: st.DrawFn) -> list[Dataset]:
    """Headers in which little changes from one to the next, and most elements are one object."""
    (first,) = (split(one)[0] for one in chest(1))
    made = []
    for _ in range(draw(st.integers(2, 6))):
        for keyword in draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=3, unique=True)):
            set_raw(first, keyword, *draw(st.sampled_from(CHANGES[keyword])))
        header = copy.copy(first)
        header._dict = dict(sorted(first._dict.items()))
        header.file_meta = copy.deepcopy(first.file_meta)
        if draw(st.integers(0, 9)) == 0:
            header.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        made.append(header)
    return made


def copied(headers: Sequence[Dataset]) -> list[Dataset]:
    return [copy.deepcopy(header) for header in headers]


@given(series())
def test_facts_are_those_of_headers_that_share_nothing(headers: list[Dataset]) -> None:
    """Places, times, numbers, formats and kinds: whatever changes between two headers."""
    expected = unshared(copied(headers))

    assert repr(read_facts(headers)) == repr(expected)


def test_a_place_that_is_not_the_slice_s_own_is_looked_for() -> None:
    """Nuclear medicine without a position has none, whatever the header before it had."""
    headers = [split(one)[0] for one in chest(2)]
    for header in headers:
        header.SOPClassUID = NM
    for keyword, element in headers[0].items():
        headers[1]._dict[keyword] = element
    set_raw(headers[1], "ImagePositionPatient", "DS", b"")

    one, other = read_facts(headers).instances

    assert one.no_volume is None
    assert other.no_volume is Reason.NO_GEOMETRY


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "most"),
    [
        ("dcm_qa_ct/In/Philips/S21570/S2010", 2),
        ("dcm_qa_nih/In/20180918GE/mr_0004", 1),
        ("dcm_qa_ct/In/GE", 2),
        ("dcm_qa_mosaic/In/ep2d_Asc_2", 99),
        ("dcm_qa_enh/In/Philips", 99),
        ("dcm_qa_ts/In", 99),
    ],
)
def test_real_series(folder: str, most: int, shared_data: Path) -> None:
    """Real headers, read as an export reads them; of plain ones few are read whole."""
    paths = [path for path in sorted((shared_data / folder).rglob("*")) if path.is_file()]
    once, anew = Known(), Known()
    headers = [read_header(path, once)[0] for path in paths]
    expected = unshared([read_header(path, anew)[0] for path in paths])

    with mock.patch.object(room, "_read", wraps=room._read) as whole:
        found = read_facts(headers)

    assert repr(found) == repr(expected)
    assert whole.call_count <= most


def test_whatever_is_asked_is_remembered() -> None:
    """By whichever way a data set may be asked for an element, whether it is there or not."""
    (header,) = (split(one)[0] for one in chest(1))
    seen, asked = watched(header)

    assert "Rows" in seen
    assert "EchoTime" not in seen
    seen.get("Columns")
    _ = seen.Modality
    _ = seen[0x00080060].value
    _ = seen.PatientName
    seen.get_item("StudyDate")

    wanted = "Rows", "EchoTime", "Columns", "Modality", "PatientName", "StudyDate"
    assert {Tag(keyword) for keyword in wanted} <= asked.tags
    assert len(asked.tags) < 12
    assert len(list(seen)) == len(header)
    assert asked.tags >= set(header.keys())
