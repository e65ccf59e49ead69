"""However bytes are changed: the fast reader says what pydicom says, or leaves it to pydicom."""

from __future__ import annotations

import struct
import warnings
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.filereader import read_partial
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cohortkit.dicom.ahead import open_head
from cohortkit.dicom.elements import NotPlain
from cohortkit.dicom.loader import reading
from cohortkit.dicom.reader import Header, HeaderReader
from cohortkit.dicom.values import field
from cohortkit.errors import Refusal
from factory import Patient, Series, instance
from says import WORDS, pydicom_says

FIELDS = [field(word) for word in WORDS]
LAST = max(wanted.tag for wanted in FIELDS)
CHARSETS = ["", "ISO_IR 100", "ISO_IR 192", "\\ISO 2022 IR 87", "ISO 2022 IR 6\\ISO 2022 IR 149"]
REAL = ["CT_small.dcm", "MR_small_implicit.dcm", "rtplan.dcm", "rtdose.dcm", "reportsi.dcm"]
LENGTHS = [0, 1, 2, 3, 4, 7, 8, 12, 255, 0xFFFF, 0x10000, 0xFFFFFFFF]
VRS = [b"UN", b"SQ", b"OB", b"LO", b"DS", b"US", b"ZZ", b"\0\0", b"ul"]


@cache
def _bases() -> tuple[bytes, ...]:
    """Files without pixels of some encodings and character sets, nested and private parts in."""
    made = [
        _file(charset, implicit=implicit, undefined=undefined)
        for charset in CHARSETS
        for implicit in (False, True)
        for undefined in (False, True)
    ]
    found = [Path(get_testdata_file(name, download=False)).read_bytes() for name in REAL]
    return (*made, *found)


def _file(charset: str, *, implicit: bool, undefined: bool) -> bytes:
    dataset = instance(Patient(), Series(), 0)
    del dataset.PixelData
    dataset.SpecificCharacterSet = charset.split("\\") if charset else None
    dataset.SliceThickness = dataset.InstanceNumber = ""
    item = Dataset()
    item.PatientID = "nested"
    item.ReferencedStudySequence = [Dataset()]
    item.is_undefined_length_sequence_item = undefined
    dataset.ReferencedStudySequence = [item, item]
    dataset["ReferencedStudySequence"].is_undefined_length = undefined
    block = dataset.private_block(0x0011, "MAKER", create=True)
    block.add_new(1, "UN", b"odd")
    block.add_new(2, "OB", b"\0" * 1500)
    syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@cache
def _places(base: int) -> tuple[int, ...]:
    """Where the elements of a base begin."""
    dataset = dcmread(BytesIO(_bases()[base]), stop_before_pixels=True)
    elements = [dataset.get_item(tag) for tag in dataset.keys()]  # noqa: SIM118 - raw ones
    return tuple(e.value_tell - 8 for e in elements if isinstance(e, RawDataElement))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A file with a few changes: bytes, tags, VRs, lengths, cuts, parts twice or taken out."""
    base = draw(st.integers(0, len(_bases()) - 1))
    data = bytearray(_bases()[base])
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from(_places(base)))
        kind = draw(st.sampled_from(["bytes", "tag", "vr", "short", "long", "cut", "twice", "out"]))
        if kind == "bytes":
            at += draw(st.integers(0, 40))
            junk = draw(st.binary(min_size=1, max_size=6))
            data[at : at + len(junk)] = junk
        elif kind == "tag":
            tag = draw(st.sampled_from([(8, 0x20), (0x7FE0, 0x10), (0xFFFE, 0xE000), (0x20, 0xE)]))
            data[at : at + 4] = struct.pack("<HH", *tag)
        elif kind == "vr":
            data[at + 4 : at + 6] = draw(st.sampled_from(VRS))
        elif kind == "short":
            data[at + 6 : at + 8] = struct.pack("<H", draw(st.sampled_from(LENGTHS)) & 0xFFFF)
        elif kind == "long":
            place = at + draw(st.sampled_from([4, 8]))
            data[place : place + 4] = struct.pack("<L", draw(st.sampled_from(LENGTHS)))
        elif kind == "cut":
            del data[at + draw(st.integers(0, 12)) :]
        elif kind == "twice":
            data[at:at] = data[at : at + draw(st.integers(1, 60))]
        else:
            del data[at : at + draw(st.integers(1, 60))]
    return bytes(data)


def _theirs(data: bytes) -> list[object]:
    """What pydicom reads up to the same tag, converted by pydicom."""
    dataset = read_partial(BytesIO(data), lambda tag, *_: tag > LAST, force=True)
    values: list[object] = []
    for wanted in FIELDS:
        try:
            values.append(pydicom_says(dataset, wanted.tag, wanted.vr, multiple=wanted.multiple))
        except (ValueError, TypeError, OverflowError, BytesLengthException):
            values.append("unparsable")
    return values


class Watched(HeaderReader):
    """Tells whether the fast way answered."""

    def fast(self, path: Path) -> Header | None:
        """What the fast way says, or None where it leaves the file to pydicom or refuses."""
        try:
            with reading():
                file, head = open_head(str(path))
                with file:
                    return self._read_fast(file, head)
        except (NotPlain, Refusal):
            return None


LEARNED = Watched(FIELDS)  # so that runs from one file are tried on the next


@settings(max_examples=400)
@given(data=mutated())
def test_mutated_files(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Each field has pydicom's value, or is null and listed: nothing is silently another."""
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(data)
    ours = LEARNED.fast(path)
    if ours is None:
        return
    problems = {issue.keyword for issue in ours.issues}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = _theirs(data)
    differing = {
        word: (mine, other)
        for word, mine, other in zip(WORDS, ours.values, theirs, strict=True)
        if mine != other and not (mine is None and word in problems)
    }

    assert differing == {}
