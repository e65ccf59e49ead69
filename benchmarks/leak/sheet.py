"""One file of the corpus while it is made: an ordinary CT object, and what is planted in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pydicom import config
from pydicom.charset import convert_encodings
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID, CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian

from leak.markers import UID_ROOT, Fate, Kind, Maker, Marker, Useful
from leak.table import DATE_VRS, NUMBER_VRS, TEXT_VRS, Attribute

ROWS, COLUMNS = 16, 12
IMPLEMENTATION = UID("1.2.826.0.1.3680043.8.498.1")
_CAPITALS = frozenset({"AE", "CS"})
_SENTENCES = frozenset({"ST", "LT", "UT"})
# Numbers that the object needs to be what it is
_FIXED = {
    "SamplesPerPixel": "1", "Rows": str(ROWS), "Columns": str(COLUMNS), "BitsAllocated": "16",
    "BitsStored": "12", "HighBit": "11", "PixelRepresentation": "0", "PlanarConfiguration": "0",
    "NumberOfFrames": "1",
}  # fmt: skip


class Spot(NamedTuple):
    """Where a marker is planted, what must become of it, and in which line it counts."""

    path: str
    vr: str
    fate: Fate
    group: str


@dataclass
class Key:
    """The answer key.

    Attributes:
        names: of the files, by number.
        pictures: numbers of the files that have pixels.
    """

    markers: list[Marker] = field(default_factory=list)
    numbers: list[Useful] = field(default_factory=list)
    sequences: list[Useful] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    pictures: set[int] = field(default_factory=set)


class Sheet:
    """One file, numbered; its Instance Number is that number, so that it is known again."""

    def __init__(self, number: int, name: str, maker: Maker, key: Key) -> None:
        self.number = number
        self.name = f"{number:03d}-{name}.dcm"
        self.maker = maker
        self.key = key
        self.dataset = ordinary(number)
        self.meta = _meta(self.dataset)
        self.preamble = bytes(128)
        self.syntax: UID = ExplicitVRLittleEndian
        key.names[number] = self.name

    def plant(
        self, where: Dataset, attribute: Attribute, fate: Fate, group: str, path: str = ""
    ) -> None:
        """Put a new marker into a dataset under an attribute; ``path`` is what is around it."""
        place = f"{path}/{attribute.name}" if path else attribute.name
        kind, needle, value = self._made(attribute)
        put(where, attribute.tag, attribute.vr, value)
        self.note(kind, needle, Spot(place, attribute.vr, fate, group), value)

    def note(self, kind: Kind, needle: str, spot: Spot, value: object) -> None:
        """Enter a marker into the key."""
        marker = Marker(self.number, *spot[:2], kind, *spot[2:], needle, _told(value))
        self.key.markers.append(marker)

    def word(self, spot: Spot, form: str = "{}") -> str:
        """A new word in a form of words, entered into the key; the form holds ``{}``."""
        needle = self.maker.word()
        value = form.format(needle)
        self.note(Kind.WORD, needle, spot, value)
        return value

    def number_at(self, attribute: Attribute) -> None:
        """Put a number that no profile removes at the top, and enter it as useful."""
        value = _number(attribute, self.maker, self.number)
        put(self.dataset, attribute.tag, attribute.vr, value)
        useful = Useful(self.number, attribute.name, attribute.vr, _told(value))
        self.key.numbers.append(useful)

    def inside(self, where: Dataset, attribute: Attribute) -> Dataset:
        """A new sequence of one item in a dataset; returns the item."""
        item = Dataset()
        put(where, attribute.tag, "SQ", Sequence([item]))
        return item

    def write(self, folder: Path) -> None:
        """Write the file."""
        self.dataset.preamble = self.preamble
        self.dataset.set_original_encoding(
            self.syntax.is_implicit_VR,
            self.syntax != ExplicitVRBigEndian,
            convert_encodings(self.dataset.SpecificCharacterSet),
        )
        write(folder / self.name, self.dataset, self.meta, self.syntax)
        if "PixelData" in self.dataset:
            self.key.pictures.add(self.number)

    def _made(self, attribute: Attribute) -> tuple[Kind, str, object]:
        vr, maker = attribute.vr, self.maker
        if vr in TEXT_VRS or vr == "CS":
            return _word(vr, maker.word())
        if vr in DATE_VRS:
            return _moment(vr, maker, self.number)
        if vr == "UI":
            stem = maker.stem()
            return Kind.UID, stem, f"{UID_ROOT}.{stem}.{self.number}"
        if vr == "AS":
            age = f"{maker.below(89) + 1:03d}Y"
            return Kind.PLACE, age, age
        if vr in NUMBER_VRS:
            value = _number(attribute, maker, self.number)
            return Kind.PLACE, str(value), value
        word = maker.word()
        return Kind.WORD, word, f"{word} in bytes".encode().ljust(32, b"\0")


def write(
    path: Path,
    dataset: Dataset,
    meta: FileMetaDataset | None = None,
    syntax: UID = ExplicitVRLittleEndian,
) -> None:
    """Write a dataset as it is, with file meta information of its own."""
    meta = meta or _meta(dataset)
    meta.TransferSyntaxUID = syntax
    dataset.file_meta = meta
    dataset.preamble = getattr(dataset, "preamble", None) or bytes(128)
    dcmwrite(path, dataset, enforce_file_format=False)


def _told(value: object) -> str:
    """A value as text, several joined by backslashes."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, list):
        return "\\".join(str(one) for one in value)
    return str(value)


def put(where: Dataset, tag: int, vr: str, value: object) -> None:
    """Set an element without any check: the corpus holds what files hold."""
    if isinstance(value, bytes) and vr not in {"OB", "OW"}:  # else pydicom converts it
        little = True
        where[tag] = RawDataElement(BaseTag(tag), vr, len(value), value, 0, not little, little)
    else:
        where[tag] = DataElement(tag, vr, value, validation_mode=config.IGNORE)


def ordinary(number: int) -> Dataset:
    """A small CT slice of a chest, whose own identity is not judged."""
    dataset = Dataset()
    for keyword, value in _ordinary(number).items():
        setattr(dataset, keyword, value)
    samples = ((i * 7 + number) % 4096 for i in range(ROWS * COLUMNS))
    pixels = b"".join(sample.to_bytes(2, "little") for sample in samples)
    put(dataset, 0x7FE00010, "OW", pixels)
    return dataset


def _ordinary(number: int) -> dict[str, object]:
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": f"{UID_ROOT}.2.{number}.3",
        "StudyDate": "20200101",
        "Modality": "CT",
        "PatientName": f"Usual^P{number}",
        "PatientID": f"P{number:04d}",
        "BodyPartExamined": "CHEST",
        "StudyInstanceUID": f"{UID_ROOT}.2.{number}.1",
        "SeriesInstanceUID": f"{UID_ROOT}.2.{number}.2",
        "FrameOfReferenceUID": f"{UID_ROOT}.2.{number}.4",
        "InstanceNumber": str(number),
        "ImagePositionPatient": ["0", "0", str(number)],
        "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelSpacing": ["0.75", "0.5"],
        "RescaleIntercept": "-1024",
        "RescaleSlope": "1",
        "SamplesPerPixel": 1,
        "Rows": ROWS,
        "Columns": COLUMNS,
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "BurnedInAnnotation": "NO",
    }


def _meta(dataset: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength = 0  # written as it comes out
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.ImplementationClassUID = IMPLEMENTATION
    return meta


def _word(vr: str, word: str) -> tuple[Kind, str, object]:
    if vr in _CAPITALS:
        return Kind.WORD, word, word.upper()
    name = word.capitalize()
    if vr in _SENTENCES:
        return Kind.WORD, word, f"Series {name} study"  # words that no address is known by
    return Kind.WORD, word, {"PN": f"{name}^Jo", "UR": f"http://{word}.example/a"}.get(vr, name)


def _moment(vr: str, maker: Maker, file: int) -> tuple[Kind, str, object]:
    if vr == "TM":
        time = maker.time()
        return Kind.TIME, time, time
    date = maker.date(file)
    return Kind.DATE, date, date if vr == "DA" else f"{date}101112.5"


_NUMBERS: dict[str, Callable[[int], object]] = {
    "DS": lambda n: f"{n}.25",
    "FL": lambda n: n + 0.5,
    "FD": lambda n: n + 0.5,
    "AT": lambda _: 0x00180050,
}


def _number(attribute: Attribute, maker: Maker, number: int) -> object:
    """One value or as many as the VM asks for."""
    if attribute.name in _FIXED:
        return int(_FIXED[attribute.name]) if attribute.vr != "IS" else _FIXED[attribute.name]
    if attribute.name == "InstanceNumber":
        return str(number)
    made = _NUMBERS.get(attribute.vr, str if attribute.vr == "IS" else int)
    values = [made(maker.below(250) + 1) for _ in range(attribute.count)]
    return values if attribute.count > 1 else values[0]
