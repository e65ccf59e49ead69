"""Elements as bytes: raw where nothing changes, and the same to pydicom in any encoding."""

from __future__ import annotations

import io

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from cohortkit.dicom.encode import Encoding, encoded

ENCODINGS = [
    Encoding(implicit=True, little=True),
    Encoding(implicit=False, little=True),
    Encoding(implicit=False, little=False),
]
IDS = ["implicit little", "explicit little", "explicit big"]
WORDS = {"OW", "OV"}
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


def sample() -> Dataset:
    """One value or several of each VR that has its own way to be written, and items in items."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.ImageType = ["ORIGINAL", "PRIMARY"]
    made.SOPInstanceUID = "1.2.3"
    made.StudyDate, made.StudyTime = "20200102", "101112.5"
    made.PatientName = "Größe^Ärmel=漢字"
    made.PatientAge, made.PatientWeight = "045Y", "70.5"
    made.InstanceNumber, made.PixelSpacing = "7", ["0.5", "0.25"]
    made.Rows, made.SmallestImagePixelValue = 512, 3
    made.TagAngleFirstAxis, made.DiffusionBValue = 1.5, 1000.25
    made.DimensionIndexValues = [1, 70000]
    made.FrameIncrementPointer = [0x00181063, 0x00181065]
    made.ReferencedFrameNumbers = [1, 2]
    made.LongCodeValue, made.RetrieveURL = "long", "http://a"
    made.PatientComments = "a\\b, with a backslash"
    made.add_new(0x00281101, "US", [256, 0, 16])
    made.add_new(0x00281201, "OW", bytes(range(10)))
    made.add_new(0x00091010, "OB", b"odd")
    made.add_new(0x7FE00001, "OV", bytes(range(16)))
    made.AccessionNumber = ""
    inner = Dataset()
    inner.CodeMeaning = "nächste"
    inner.ConceptCodeSequence = Sequence([])
    outer = Dataset()
    outer.ProcedureCodeSequence = Sequence([inner, Dataset()])
    made.RequestAttributesSequence = Sequence([outer])
    return made


def read(data: bytes, to: Encoding) -> Dataset:
    """By pydicom."""
    dataset = read_dataset(io.BytesIO(data), to.implicit, to.little)
    dataset.decode()
    return dataset


@pytest.mark.parametrize("to", ENCODINGS, ids=IDS)
@pytest.mark.parametrize("source", ENCODINGS, ids=IDS)
def test_any_encoding_becomes_any_other(source: Encoding, to: Encoding) -> None:
    """Raw elements of one encoding are the same elements in another."""
    made = sample()
    made.decode()
    first = read_dataset(
        io.BytesIO(encoded(elements(made), source)), source.implicit, source.little
    )
    raw = [first._dict[tag] for tag in sorted(first._dict)]
    items = 0x00400275
    for item in first[items].value:
        item.decode()  # as the walk over a header leaves no sequence unread
    raw = [one if one.tag != items else first[items] for one in raw]

    again = read(encoded(raw, to), to)

    for element in made:
        if element.VR == "OB":
            assert again[element.tag].value[:3] == element.value
        elif element.VR not in WORDS:
            assert element.value == again[element.tag].value or element.is_empty, element.keyword
    for tag, width in ((0x00281201, 2), (0x7FE00001, 8)):  # numbers in bytes: turned around
        value = made[tag].value
        groups = [value[at : at + width][::-1] for at in range(0, len(value), width)]
        turned = b"".join(groups) if source.little != to.little else value
        assert turned == again[tag].value


def raw_element(
    tag: int, vr: str | None, value: bytes, *, implicit: bool = False
) -> RawDataElement:
    """As a reader leaves it."""
    return RawDataElement(BaseTag(tag), vr, len(value), value, 0, implicit, is_little_endian=True)


def elements(dataset: Dataset) -> list[DataElement]:
    """In tag order."""
    return [dataset[tag] for tag in sorted(dataset.keys())]


@pytest.mark.parametrize("to", ENCODINGS, ids=IDS)
def test_pydicom_writes_the_same(to: Encoding) -> None:
    """Element by element, but for lengths of sequences, the bytes are pydicom's."""
    made = sample()
    del made.RequestAttributesSequence
    buffer = pydicom.filebase.DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = to.implicit, to.little
    pydicom.filewriter.write_dataset(buffer, made)

    assert buffer.getvalue() == encoded(elements(made), to)


@given(value=st.binary(max_size=40), tag=st.sampled_from([0x00081030, 0x00091010, 0x00104000]))
def test_raw_values_go_out_as_they_came_in(value: bytes, tag: int) -> None:
    """No byte is changed; an odd length is filled up."""
    raw = raw_element(tag, "LO", value)
    filled = value + b" " * (len(value) % 2)

    data = encoded([raw], ENCODINGS[1])

    assert data[8:] == filled
    assert int.from_bytes(data[6:8], "little") == len(filled)


@pytest.mark.parametrize(("signed", "vr"), [(True, b"SS"), (False, b"US")])
def test_what_a_file_leaves_open_is_decided_by_the_pixels(vr: bytes, *, signed: bool) -> None:
    """``US or SS`` is what Pixel Representation says; a private one of nobody is UN."""
    value = raw_element(0x00280106, None, b"\1\2", implicit=True)
    nobody = raw_element(0x00091010, None, b"ab", implicit=True)

    data = encoded([nobody, value], Encoding(implicit=False, little=True, signed=signed))

    assert (data[4:6], data[18:20]) == (b"UN", vr)


def test_a_value_that_is_too_long_for_its_representation_is_unknown() -> None:
    """PS3.5 6.2.2: a long value in an explicit encoding is written as UN."""
    long = raw_element(0x00081030, None, b"x" * 70000, implicit=True)

    data = encoded([long], ENCODINGS[1])

    assert (data[4:6], int.from_bytes(data[8:12], "little")) == (b"UN", 70000)


def test_half_a_number_is_not_turned_around() -> None:
    """What is no whole number cannot change its byte order."""
    half = raw_element(0x00280010, "US", b"abc")

    with pytest.raises(ValueError, match="whole number"):
        encoded([half], ENCODINGS[2])


def test_numbers_are_no_bytes() -> None:
    """A value that its representation cannot hold is an error, not text."""
    with pytest.raises(ValueError, match="bytes"):
        encoded([DataElement(0x00281201, "OW", [1, 2], already_converted=True)], ENCODINGS[1])


def test_raw_items_are_not_passed_on_in_another_encoding() -> None:
    """A sequence that nobody read is in its own encoding inside."""
    items = raw_element(0x00400275, "SQ", b"", implicit=True)

    with pytest.raises(ValueError, match="items"):
        encoded([items], ENCODINGS[1])
