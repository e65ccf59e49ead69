"""Reading whole headers, in any encoding, and placing the pixels."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cohortkit.dicom.loader import PixelPlace, read_header, read_pixels
from cohortkit.errors import Refusal, TaskFailure
from cohortkit.model.facts import PixelType
from cohortkit.reasons import Reason
from factory import Patient, Series, instance

CUT = {  # here pydicom answers with less than there is
    "rtplan_truncated.dcm",
    "emri_small_jpeg_2k_lossless_too_short.dcm",
}
SYNTAXES = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]


def _made(path: Path, syntax: UID, *, preamble: bool = True) -> Dataset:
    dataset = instance(Patient(), Series(), 0)
    dataset.file_meta.TransferSyntaxUID = syntax
    implicit, little = syntax.is_implicit_VR, syntax.is_little_endian
    bare = Dataset(dataset)  # without the memory of an encoding
    if preamble:
        bare.file_meta = dataset.file_meta
        bare.save_as(path, enforce_file_format=True)
    else:
        bare.save_as(path, implicit_vr=implicit, little_endian=little)
    return dataset


def _reason(path: Path) -> Reason | None:
    try:
        read_header(path)
    except Refusal as refusal:
        return refusal.reason
    return None


def _same(ours: Dataset, theirs: Dataset) -> bool:
    if list(ours.keys()) != list(theirs.keys()):
        return False
    for tag in ours.keys():  # noqa: SIM118 - tags, not elements
        pair = ours.get_item(tag), theirs.get_item(tag)
        if type(pair[0]) is type(pair[1]):
            if pair[0] != pair[1]:
                return False
        elif ours[tag] != theirs[tag]:
            return False
    return True


def _pixels(path: Path, place: PixelPlace | None, there: int) -> Iterator[bytes]:
    assert place is not None
    if place.length == there:
        yield read_pixels(path, place)
    else:  # cut in the middle: pydicom has what is left
        yield path.read_bytes()[place.offset :]


@pytest.mark.data
def test_zeros_behind_a_head_are_no_endless_header(tmp_path: Path) -> None:
    """They read as elements of no length: after 65,536 of them nobody counts on."""
    whole = io.BytesIO()
    instance(Patient(), Series(), 0).save_as(whole, enforce_file_format=True)
    (tmp_path / "file").write_bytes(whole.getvalue()[:400])
    os.truncate(tmp_path / "file", 1 << 34)

    assert _reason(tmp_path / "file") is Reason.HEADER_TOO_LARGE


def test_headers_and_pixels_are_pydicoms_on_every_real_file(real_files: list[Path]) -> None:
    """Wherever pydicom reads a file unforced, header and pixel bytes are the same."""
    compared = differing = 0
    logging.disable(logging.CRITICAL)
    for path in real_files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                whole = pydicom.dcmread(path)
            except (InvalidDicomError, EOFError):
                continue
            if path.name in CUT:
                continue
            header, place = read_header(path)
            held = place is not None and place.length is not None
            pixels = [kind.value for kind in PixelType if kind.value in whole]
            for word in pixels:
                value = whole.pop(word).value
                differing += value != b"".join(_pixels(path, place, len(value)))
            compared += 1
            differing += not _same(header, whole) or held != bool(pixels)
            differing += header.file_meta != whole.file_meta
    logging.disable(logging.NOTSET)

    assert compared > 1000
    assert differing == 0


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_encoding(tmp_path: Path, syntax: UID) -> None:
    """Implicit, explicit, big endian, deflated: the same header, and pixels where they lie."""
    made = _made(tmp_path / "file", syntax)
    header, place = read_header(tmp_path / "file")

    assert made.PatientID == header.PatientID
    assert made.PixelSpacing == header.PixelSpacing
    assert "PixelData" not in header
    assert header.file_meta.TransferSyntaxUID == syntax
    assert place is not None
    assert (PixelType.INTEGER, str(syntax)) == (place.attribute, place.transfer_syntax)
    assert read_pixels(tmp_path / "file", place) == pydicom.dcmread(tmp_path / "file").PixelData


@pytest.mark.parametrize("syntax", SYNTAXES[:3])
def test_no_preamble_no_meta(tmp_path: Path, syntax: UID) -> None:
    """A bare data set is read, and its encoding is told from its bytes."""
    made = _made(tmp_path / "file", syntax, preamble=False)
    header, place = read_header(tmp_path / "file")

    assert made.PatientID == header.PatientID
    assert len(header.file_meta) == 0
    assert place is not None
    assert str(syntax) == place.transfer_syntax


def test_what_follows_the_pixels_is_part_of_the_header(tmp_path: Path) -> None:
    """Elements behind the pixels are read: a signature there names people, too."""
    made = instance(Patient(), Series(), 0)
    made.DataSetTrailingPadding = b"\0" * 8
    made.save_as(tmp_path / "file", enforce_file_format=True)
    header, _ = read_header(tmp_path / "file")

    assert "DataSetTrailingPadding" in header


def test_pixels_behind_a_wrong_length_are_not_read_as_elements(tmp_path: Path) -> None:
    """Where the stated pixel length is too short, what follows is not taken for a header."""
    made = instance(Patient(), Series(), 0)
    pixels = made.PixelData
    made.save_as(tmp_path / "file", enforce_file_format=True)
    data = (tmp_path / "file").read_bytes()
    lying = struct.pack("<L", 16)
    at = data.rindex(pixels) - 4
    hidden = struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 4) + b"EVIL"
    (tmp_path / "file").write_bytes(data[:at] + lying + data[at + 4 :][:16] + hidden)
    header, place = read_header(tmp_path / "file")

    assert made.PatientID == header.PatientID
    assert place is not None
    assert place.length == 16


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.EMPTY_FILE),
        (b"PK\x03\x04" + b"\0" * 400, Reason.NOT_DICOM),
        (b"just some text, longer than a preamble would be " * 8, Reason.NOT_DICOM),
        (b"\0" * 1000, Reason.NOT_DICOM),
        (b"\x08\x00" * 200, Reason.NOT_DICOM),
        (b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100", Reason.NOT_DICOM),  # says not what it is
        (b"\0" * 128 + b"DICM" + b"\x02\x00\x10\x00UI\xff\x00", Reason.TRUNCATED),
        (b"\0" * 128 + b"DICM" + b"\x10\x00\x20\x00LO\x40\x00abc", Reason.TRUNCATED),
        (b"\0" * 128 + b"DICM" + b"\x10\x00\x20\x00LO", Reason.TRUNCATED),
    ],
)
def test_what_is_not_dicom_is_refused(tmp_path: Path, content: bytes, reason: Reason) -> None:
    """Zip, text, zeros and stumps have their reason; nothing is read by force."""
    (tmp_path / "file").write_bytes(content)

    assert reason is _reason(tmp_path / "file")


def test_a_header_that_ends_inside_a_sequence_is_truncated() -> None:
    """A cut file is refused where pydicom would read on with less."""
    assert _reason(Path(get_testdata_file("rtplan_truncated.dcm"))) is Reason.TRUNCATED


def test_cut_pixels_are_found_when_they_are_read() -> None:
    """The header stands, the pixels are refused."""
    for name in ("MR_truncated.dcm", "emri_small_jpeg_2k_lossless_too_short.dcm"):
        path = Path(get_testdata_file(name))
        _, place = read_header(path)
        assert place is not None

        with pytest.raises(Refusal, match="pixel-length"):
            read_pixels(path, place)


def test_an_absurd_length_costs_nothing(tmp_path: Path) -> None:
    """Four gigabytes promised by a small file are an answer, not memory."""
    head = b"\0" * 128 + b"DICM"
    element = struct.pack("<HH2s2xL", 0x0009, 0x0010, b"OB", 0xFFFFFFF0)
    (tmp_path / "file").write_bytes(head + element + b"abc")

    assert _reason(tmp_path / "file") is Reason.TRUNCATED


def test_a_deflate_bomb_is_refused(tmp_path: Path) -> None:
    """A header that inflates without end stops at the bound."""
    made = instance(Patient(), Series(), 0)
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    made.save_as(tmp_path / "file", enforce_file_format=True)
    start = read_header(tmp_path / "file")[1]
    assert start is not None
    bomb = struct.pack("<HH2s2xL", 0x0009, 0x0010, b"OB", 0xF0000000) + b"\0" * (300 << 20)
    squeezed = zlib.compressobj(9, wbits=-15)
    data = (tmp_path / "file").read_bytes()[: start.start]
    (tmp_path / "file").write_bytes(data + squeezed.compress(bomb) + squeezed.flush())

    assert _reason(tmp_path / "file") is Reason.HEADER_TOO_LARGE


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    """A thousand sequences inside each other end in a reason, not in a crash."""
    made = instance(Patient(), Series(), 0)
    made.save_as(tmp_path / "file", enforce_file_format=True)
    data = (tmp_path / "file").read_bytes()
    nest = struct.pack("<HH2s2xL", 0x0040, 0x0275, b"SQ", 0xFFFFFFFF)
    nest += struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    at = data.index(struct.pack("<HH", 0x7FE0, 0x0010))
    (tmp_path / "file").write_bytes(data[:at] + nest * 5000)

    assert _reason(tmp_path / "file") in {Reason.HEADER_UNREADABLE, Reason.TRUNCATED}


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    """A vanished file and a folder are failures of this time, without a path in the message."""
    with pytest.raises(TaskFailure, match=r"^file-vanished$"):
        read_header(tmp_path / "Quisling")
    with pytest.raises(TaskFailure, match=r"^read-error$"):
        read_header(tmp_path)


def test_damaged_files_tell_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither warnings nor logs nor exceptions quote a value of a bad header."""
    made = instance(Patient(), Series(), 0)
    made.save_as(tmp_path / "file", enforce_file_format=True)
    data = (tmp_path / "file").read_bytes()
    at = data.index(b"MRN-00471113")
    (tmp_path / "file").write_bytes(data[: at + 3])
    with caplog.at_level(logging.DEBUG), pytest.raises(Refusal) as caught:
        read_header(tmp_path / "file")

    assert "MRN" not in caplog.text + str(caught.value)
    assert caught.value.__cause__ is None


@given(
    cut=st.integers(0, 3000),
    flips=st.lists(st.tuples(st.integers(0, 3000), st.binary(min_size=1, max_size=4)), max_size=4),
)
def test_no_bytes_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flips: list[tuple[int, bytes]]
) -> None:
    """However a file is cut and overwritten, it is read or refused with a reason."""
    data = bytearray(Path(get_testdata_file("CT_small.dcm")).read_bytes()[:cut])
    for at, junk in flips:
        data[at : at + len(junk)] = junk
    path = tmp_path_factory.mktemp("cut") / "file"
    path.write_bytes(data)
    with contextlib.suppress(Refusal):
        header, place = read_header(path)

        assert isinstance(header, Dataset)
        assert place is None or isinstance(place, PixelPlace)


def test_a_sequence_that_is_never_closed_is_a_cut_file(tmp_path: Path) -> None:
    """The system let the file be read; it is the file that ends."""
    data = Path(get_testdata_file("CT_small.dcm", download=False)).read_bytes()
    place = data.index(bytes.fromhex("10001000"))
    opened = bytes.fromhex("08004011") + b"SQ\0\0" + b"\xff" * 4
    opened += bytes.fromhex("feff00e0") + b"\xff" * 4
    (tmp_path / "x").write_bytes(data[:place] + opened + data[place:])

    with pytest.raises(Refusal) as caught:
        read_header(tmp_path / "x")
    assert Reason.TRUNCATED is caught.value.reason
