"""Planting identities in a DICOM object, and looking for them in bytes. Knows nothing of cohortkit.

What is planted is unique, so that finding it anywhere in a result is a leak and nothing else.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom import datadict
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
CHARACTER_SETS = ("ISO_IR 192", "ISO_IR 100", "")
WORDS = {"ISO_IR 192": "Zäöqüx", "ISO_IR 100": "Zäöqüx", "": "Zaeoqux"}
NUMBERS = {
    "SliceThickness": "1.25",
    "KVP": "120",
    "EchoTime": "4.5",
    "Rows": 16,
    "Columns": 12,
    "BitsStored": 12,
    "PixelSpacing": ["0.75", "0.5"],
    "ImagePositionPatient": ["-10.5", "2", "3.25"],
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
    "RescaleSlope": "2",
    "InstanceNumber": "7",
    "DiffusionBValue": 1000.0,
}
"""Attributes that analysis needs and no profile removes."""
TEXTS = frozenset({"PN", "LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE"})
_SKIP = frozenset(
    {"SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "PatientID", "IssuerOfPatientID"}
)


@dataclass
class Planted:
    """A file and what must not come out of it: marker → where it was planted."""

    data: bytes = b""
    markers: dict[str, str] = field(default_factory=dict)

    def text(self, where: str, word: str) -> str:
        """A new marker of letters, unlike any other."""
        marker = f"{word}{len(self.markers):05d}k"
        self.markers[marker] = where
        return marker

    def date(self, where: str) -> str:
        """A new date marker: in a century in which nothing else here lies."""
        number = len(self.markers)
        marker = f"17{number // 336:02d}{number // 28 % 12 + 1:02d}{number % 28 + 1:02d}"
        self.markers[marker] = where
        return marker

    def uid(self, where: str) -> str:
        """A new UID marker."""
        marker = f"1.3.6.1.4.1.99999.7.1{len(self.markers):05d}.4711"
        self.markers[marker] = where
        return marker

    def found(self, data: bytes) -> dict[str, str]:
        """Markers in bytes, in any usual encoding of text."""
        return {
            marker: where
            for marker, where in self.markers.items()
            if any(
                marker.encode(codec, "replace") in data
                for codec in ("utf-8", "latin-1", "utf-16-le", "utf-16-be")
            )
        }


def table(path: Path) -> dict[str, frozenset[str]]:
    """PS3.15 Table E.1-1 as it ships: keyword → codes of the options that keep it."""
    lines = (line for line in path.read_text("utf-8").splitlines() if not line.startswith("#"))
    return {row["keyword"]: frozenset(row["keep"].split()) for row in csv.DictReader(lines)}


def attributes(vrs: frozenset[str]) -> tuple[str, ...]:
    """Every keyword of the dictionary with one of these VRs that an object can hold."""
    return tuple(
        sorted(
            keyword
            for keyword, tag in datadict.keyword_dict.items()
            if datadict.dictionary_VR(tag) in vrs
            and int(tag) >> 16 >= 0x0008
            and keyword not in _SKIP
        )
    )


def marked(planted: Planted, keyword: str, where: str, word: str) -> DataElement:
    """An element of this keyword that holds a new marker."""
    tag = Tag(keyword)
    vr = datadict.dictionary_VR(tag)
    if vr in TEXTS:
        ascii_only = vr in {"UR", "AE"}
        value = planted.text(f"{where}/{keyword}", "Zaeoqux" if ascii_only else word)
    elif vr in {"DA", "DT"}:
        value = planted.date(f"{where}/{keyword}") + ("101112.5+0100" if vr == "DT" else "")
    else:
        value = planted.uid(f"{where}/{keyword}")
    return DataElement(tag, vr, value)


def plant(
    keywords: list[str],
    *,
    syntax: pydicom.uid.UID = ExplicitVRLittleEndian,
    character_set: str = "ISO_IR 192",
    patient_id: str = "MRN-00471113",
    pixels: bool = False,
) -> Planted:
    """A file with these attributes at the top and two levels down, and all the odd places.

    Where pixels are asked for, what they hide beside the picture is planted as well.
    """
    planted = Planted(markers={patient_id: "PatientID"})
    word = WORDS[character_set]
    header = Dataset()
    if character_set:
        header.SpecificCharacterSet = character_set
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    header.SOPInstanceUID = planted.uid("top/SOPInstanceUID")
    header.Modality = "CT"
    header.BodyPartExamined = "CHEST"
    header.PatientID = patient_id
    for where, dataset in _levels(header):
        for keyword in keywords:
            dataset.add(marked(planted, keyword, where, word))
        for keyword, value in NUMBERS.items():
            setattr(dataset, keyword, value)
        _odd_places(planted, dataset, where, word)
    if pixels:
        _picture(planted, header, syntax)
    planted.data = _written(planted, header, syntax)
    return planted


PICTURE = bytes(n % 251 if n % 2 == 0 else n % 16 for n in range(16 * 12 * 2))
"""The pixels that are planted: 12 bits in 16, little endian."""


def _picture(planted: Planted, header: Dataset, syntax: pydicom.uid.UID) -> None:
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.HighBit, header.PixelRepresentation = 16, 11, 0
    marker = planted.text("behind the pixels", "Zaeoqux")
    stored = PICTURE
    if syntax == ExplicitVRBigEndian:
        stored = bytes(PICTURE[n ^ 1] for n in range(len(PICTURE)))
    tail = marker.encode() + b" " * (len(marker) % 2)
    header.add_new(0x7FE00010, "OW", stored + tail)


def _levels(header: Dataset) -> Iterator[tuple[str, Dataset]]:
    inner, innermost = Dataset(), Dataset()
    yield "innermost", innermost
    inner.FrameContentSequence = Sequence([innermost])
    yield "inner", inner
    header.SharedFunctionalGroupsSequence = Sequence([inner])
    yield "top", header


def _odd_places(planted: Planted, dataset: Dataset, where: str, word: str) -> None:
    text = planted.text
    hidden = Dataset()
    hidden.PatientName = text(f"{where}/private sequence/PatientName", word)
    block = dataset.private_block(0x0029, text(f"{where}/creator", "Zaeoqux"), create=True)
    block.add_new(0x01, "LO", text(f"{where}/private LO", word))
    block.add_new(0x02, "SQ", Sequence([hidden]))
    block.add_new(0x03, "UN", _implicit_items(text(f"{where}/UN sequence", "Zaeoqux")))
    block.add_new(0x04, "OB", text(f"{where}/private OB", "Zaeoqux").encode() + b"\0" * 8)
    dataset.add_new(0x00311001, "LO", text(f"{where}/no creator", word))
    dataset.add_new(0x60004000, "LT", text(f"{where}/overlay comment", word))
    dataset.add_new(0x60003000, "OW", text(f"{where}/overlay", "Zaeoquxq").encode())
    dataset.add_new(0x00282000, "OB", text(f"{where}/ICC", "Zaeoqux").encode() + b"\0")
    original = Dataset()
    original.PatientName = text(f"{where}/OriginalAttributes", word)
    modified = Dataset()
    modified.ModifiedAttributesSequence = Sequence([original])
    dataset.OriginalAttributesSequence = Sequence([modified])
    icon = Dataset()
    icon.add_new(0x7FE00010, "OB", text(f"{where}/icon", "Zaeoqux").encode() + b"\0")
    dataset.IconImageSequence = Sequence([icon])
    dataset.ScanOptions = text(f"{where}/CS that is text", "Zaeoqux")
    dataset.add_new(0xFFFCFFFC, "OB", text(f"{where}/padding", "Zaeoqux").encode() + b"\0")


def _implicit_items(marker: str) -> bytes:
    value = marker.encode() + b" " * (len(marker) % 2)
    element = b"\x10\0\x10\0" + len(value).to_bytes(4, "little") + value
    return b"\xfe\xff\0\xe0" + len(element).to_bytes(4, "little") + element


def _written(planted: Planted, header: Dataset, syntax: pydicom.uid.UID) -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = header.SOPClassUID
    meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    meta.SourceApplicationEntityTitle = planted.text("meta/AE", "Zae")
    meta.PrivateInformationCreatorUID = planted.uid("meta/creator")
    meta.PrivateInformation = planted.text("meta/private", "Zaeoqux").encode() + b"\0"
    preamble = planted.text("preamble", "Zaeoqux").encode().ljust(128, b"\0")
    file = FileDataset("", header, preamble=preamble, file_meta=meta)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, file, enforce_file_format=True)
    return buffer.getvalue()


def written(dataset: Dataset, syntax: pydicom.uid.UID) -> bytes:
    """A result as a file of this transfer syntax, by pydicom."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
