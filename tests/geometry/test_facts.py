"""Facts: numbers and enumerations only; absent told from unusable; the header untouched."""

from __future__ import annotations

import math
import struct
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cohortkit.geometry import csa
from cohortkit.geometry.facts import read_facts
from cohortkit.geometry.roles import role_of
from cohortkit.model import Codec, Facts, Photometric
from cohortkit.model.facts import ImageRole, PixelType
from factory import Patient, Series, instance
from references import read
from released import chest, split


def headers(count: int = 2, **extra: object) -> list[Dataset]:
    return [split(one)[0] for one in chest(count, **extra)]


def leaves(value: object) -> list[object]:
    """Every value that is no record and no tuple."""
    if is_dataclass(value):
        return [leaf for f in fields(value) for leaf in leaves(getattr(value, f.name))]
    if isinstance(value, tuple):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def numbers_only(facts: Facts) -> bool:
    return all(
        leaf is None or isinstance(leaf, bool | int | float | Enum) for leaf in leaves(facts)
    )


@pytest.mark.data
@pytest.mark.parametrize(
    "folder", ["dcm_qa_enh/In/Philips", "dcm_qa_mosaic/In/ep2d_Asc_2", "dcm_qa_ct/In/Philips"]
)
def test_no_text_gets_into_facts(folder: str, shared_data: Path) -> None:
    """Of real headers full of text, none is left."""
    found, _ = read(shared_data / folder)
    assert numbers_only(read_facts(found))


def test_no_text_of_a_hostile_header_gets_into_facts() -> None:
    """Names where numbers belong become absent or NaN, never text."""
    name = "QUISLING^MARJOLEIN"
    (header,) = headers(1)
    header.ImageType = [name, name]
    header.PhotometricInterpretation = name
    header.SOPClassUID = header.SOPInstanceUID
    for tag in (0x00180081, 0x00200011, 0x00200013, 0x00280008, 0x00280030, 0x00080032):
        raw = raw_header(tag, "DS", name.encode())
        header[tag] = raw.get_item(tag)
    assert numbers_only(read_facts([header]))


def test_the_header_is_only_read() -> None:
    """Facts are read before anything is changed, and change nothing."""
    (header,) = headers(1)
    before = header.to_json()
    read_facts([header])
    assert before == header.to_json()


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("1\\2\\3", (1.0, 2.0, 3.0)),
        ("1\\2", None),
        ("1\\2\\x", None),
        ("1\\2\\3\\4", None),
        ("nan\\2\\3", None),
    ],
)
def test_positions_that_are_none(text: str, position: tuple[float, ...] | None) -> None:
    """Too few, too many or no numbers: NaN, so that it is refused as bad and not as absent."""
    header = raw_header(0x00200032, "DS", text.encode())
    (frame,) = read_facts([header]).instances[0].frames
    if position is not None:
        assert position == frame.position
    else:
        assert frame.position is not None
        assert any(math.isnan(x) for x in frame.position)


def raw_header(tag: int, vr: str, value: bytes) -> Dataset:
    """A header with one element as it lies in a file."""
    from pydicom.dataelem import RawDataElement  # noqa: PLC0415 - beside its use
    from pydicom.tag import Tag  # noqa: PLC0415 - beside its use

    header = Dataset()
    header.set_original_encoding(is_implicit_vr=False, is_little_endian=True)
    header[Tag(tag)] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)  # noqa: FBT003 - its fields
    return header


def test_times_count_from_the_first_frame() -> None:
    """Past midnight too; no date is left in them."""
    (first,) = headers(1)
    (second,) = headers(1)
    first.AcquisitionDate, first.AcquisitionTime = "20240229", "235959.5"
    second.AcquisitionDate, second.AcquisitionTime = "20240301", "000001"
    found = read_facts([second, first])
    assert [1.5, 0.0] == [one.frames[0].time for one in found.instances]


def test_pixel_formats() -> None:
    """Integer, float and double; an absent High Bit is the usual one; unknown words are OTHER."""
    (header,) = headers(1)
    assert PixelType.INTEGER is form(header).held_in
    assert (12, 11) == (form(header).bits_stored, form(header).high_bit)
    del header.HighBit
    assert form(header).high_bit == 11
    del header.BitsStored, header.PixelRepresentation
    header.BitsAllocated = 32
    assert PixelType.FLOAT is form(header).held_in
    header.PhotometricInterpretation = "MONOCHROME9"
    assert Photometric.OTHER is form(header).photometric
    header.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    assert Codec.OTHER is form(header).codec


def form(header: Dataset):  # noqa: ANN201 - the record that it reads
    found = read_facts([header]).instances[0].pixels
    assert found is not None
    return found


def test_an_object_without_an_image_module_has_no_pixels() -> None:
    """A report or a waveform."""
    header = raw_header(0x00080060, "CS", b"SR")
    assert read_facts([header]).instances[0].pixels is None


@pytest.mark.parametrize(
    ("words", "component", "role"),
    [
        (("ORIGINAL", "PRIMARY", "M", "ND"), (), ImageRole.MAGNITUDE),
        (("ORIGINAL", "PRIMARY", "P", "ND"), (), ImageRole.PHASE),
        (("ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"), (), ImageRole.MAGNITUDE),
        (("ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"), (), ImageRole.PHASE),
        (("ORIGINAL", "PRIMARY", "T1", "NONE"), ("PHASE",), ImageRole.PHASE),
        (("DERIVED", "PRIMARY", "DIXON", "WATER"), ("MAGNITUDE",), ImageRole.WATER),
        (("ORIGINAL", "PRIMARY", "AXIAL"), (), ImageRole.OTHER),
        (("P", "M"), (), ImageRole.OTHER),
        ((), (), ImageRole.OTHER),
    ],
)
def test_roles(words: tuple[str, ...], component: tuple[str, ...], role: ImageRole) -> None:
    """Vendors say it in several ways; the first two values never say it."""
    assert role is role_of(words, component)


def test_a_private_element_counts_in_its_creator_s_block_only() -> None:
    """Philips' scale slope moved to another block is found; under another creator it is not."""
    for creator, expected in (("Philips MR Imaging DD 001", 0.25), ("SOMEONE ELSE", None)):
        (header,) = headers(1)
        header.private_block(0x2005, "FIRST", create=True)
        header.private_block(0x2005, creator, create=True).add_new(0x0E, "FL", 0.25)
        (frame,) = read_facts([header]).instances[0].frames
        assert expected == frame.scale_slope


def test_copies_share_an_identity() -> None:
    """By SOP Instance UID, as an ordinal and not as the UID."""
    made = headers(3)
    made[2].SOPInstanceUID = made[0].SOPInstanceUID
    assert [0, 1, 0] == [one.identity for one in read_facts(made).instances]


def enhanced(*per_frame: dict[str, object]) -> Dataset:
    """An enhanced CT of these frames."""
    header = split(instance(Patient(), Series(), 0))[0]
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        del header[keyword]
    header.NumberOfFrames = len(per_frame)
    shared, measures, orientation = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.5], 2
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([orientation])
    groups = []
    for facts in per_frame:
        group, place, content = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = facts["position"]
        content.DimensionIndexValues = facts.get("dimensions", [1, 1])
        content.StackID = facts.get("stack", "1")
        group.PlanePositionSequence = Sequence([place])
        group.FrameContentSequence = Sequence([content])
        groups.append(group)
    header.SharedFunctionalGroupsSequence = Sequence([shared])
    header.PerFrameFunctionalGroupsSequence = Sequence(groups)
    return header


def test_enhanced_frames_have_their_own_facts() -> None:
    """Shared and per-frame groups, the frame's own first; Stack IDs as numbers."""
    header = enhanced({"position": [0, 0, 0], "stack": "A"}, {"position": [0, 0, 2], "stack": "B"})
    own = Dataset()
    own.PixelSpacing = [0.25, 0.25]
    header.PerFrameFunctionalGroupsSequence[1].PixelMeasuresSequence = Sequence([own])
    first, second = read_facts([header]).instances[0].frames
    assert ((0.5, 0.5), (0.25, 0.25)) == (first.spacing, second.spacing)
    assert ((0.0, 0.0, 0.0), (0.0, 0.0, 2.0)) == (first.position, second.position)
    assert (0, 1) == (first.stack, second.stack)


def csa_bytes(tags: dict[str, list[str]], *, second: bool) -> bytes:
    """A CSA header in either layout."""
    out = b"SV10\4\3\2\1" if second else b""
    out += struct.pack("<2I", len(tags), 77)
    base = None
    for name, items in tags.items():
        base = len(items) if base is None else base
        out += struct.pack("<64si4s3i", name.encode(), 1, b"DS", 1, len(items), 77)
        for item in items:
            data = item.encode() + b"\0"
            first = len(data) + (0 if second else base)
            out += struct.pack("<4i", first, len(data), 77, len(data))
            out += data + b"\0" * (-len(data) % 4)
    return out


@pytest.mark.parametrize("second", [True, False])
def test_csa_headers_of_both_layouts(second: bool) -> None:  # noqa: FBT001 - a parameter
    """Numbers come out; a tag with text in it does not."""
    tags = {"Number": ["36"], "Normal": ["0.0", " 0.1236 ", "0.99"], "Text": ["QUISLING"]}
    found = csa.numbers(csa_bytes(tags, second=second))
    assert {"Number": (36.0,), "Normal": (0.0, 0.1236, 0.99)} == dict(found)


@given(st.binary(max_size=400), st.booleans())
def test_csa_noise_is_nothing(noise: bytes, second: bool) -> None:  # noqa: FBT001 - drawn
    """Any bytes, with or without the magic: no exception, finite numbers."""
    found = csa.numbers((b"SV10\4\3\2\1" if second else b"") + noise)
    assert all(math.isfinite(x) for values in found.values() for x in values)


@given(st.data())
def test_csa_damage_is_no_exception(data: st.DataObject) -> None:
    """A good header with bytes changed or cut."""
    good = bytearray(csa_bytes({"Number": ["36"], "Normal": ["0", "1", "0"]}, second=True))
    for _ in range(data.draw(st.integers(0, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    csa.numbers(bytes(good[: data.draw(st.integers(0, len(good)))]))


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("FrameOfReferenceUID", ("1.2.826.0.1.5", "1.2.826.0.1.6")),
        ("PatientPosition", ("HFS", "FFS")),
        ("RescaleType", ("HU", "OD")),
        ("Units", ("BQML", "CNTS")),
        ("ConvolutionKernel", ("B30f", "B70f")),
    ],
)
def test_what_a_volume_must_share_is_told_apart_by_number(
    keyword: str, values: tuple[str, str]
) -> None:
    """By ordinals that do not depend on the order of the files; the words stay in the header."""
    made = headers(4)
    for number, header in enumerate(made):
        setattr(header, keyword, values[number % 2])

    def settings(of: list[Dataset]) -> list[int]:
        return [instance.frames[0].setting for instance in read_facts(of).instances]

    first = settings(made)
    assert first in ([0, 1, 0, 1], [1, 0, 1, 0])
    assert settings(made[::-1]) == first[::-1]
    assert numbers_only(read_facts(made))
