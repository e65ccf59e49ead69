"""DICOMDIR: the directory of a DICOM file-set (PS3.10 8.6, PS3.3 F), made of rows alone.

A row says of one released object what its directory records say. Rows come from the object as it
was written, so nothing of its source can be in them; the file comes from the rows, sorted, so it is
the same in every run.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pydicom
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.fileset import DIRECTORY_RECORDERS, _four_level_record_type
from pydicom.filewriter import write_dataset

from cohortkit.dicom.filemeta import preamble_and_meta
from cohortkit.dicom.quiet import quiet
from cohortkit.model import Names

NAME: Final = "DICOMDIR"
TABLE: Final = "dicomdir"
"""Under which rows lie in a record."""

Row = Mapping[str, object]

_STORAGE, _SYNTAX = "1.2.840.10008.1.3.10", "1.2.840.10008.1.2.1"
_IN_USE = 0xFFFF
_COMPONENT = 8
_OURS = re.compile(r"[psr][a-z2-7]{16}")
_LEVELS = ("PATIENT", "STUDY", "SERIES")
_KEYS: Final[Mapping[str, Sequence[str]]] = {
    "PATIENT": ("PatientName", "PatientID"),
    "STUDY": (
        "StudyDate",
        "StudyTime",
        "StudyDescription",
        "StudyInstanceUID",
        "StudyID",
        "AccessionNumber",
    ),
    "SERIES": ("Modality", "SeriesInstanceUID", "SeriesNumber"),
}
_WANTED: Final[Mapping[str, str]] = {
    "StudyDate": "19000101",
    "StudyTime": "000000",
    "Modality": "OT",
    "SeriesNumber": "0",
    "InstanceNumber": "0",
    "ContentDate": "19000101",
    "ContentTime": "000000",
    "PresentationCreationDate": "19000101",
    "PresentationCreationTime": "000000",
    "ContentLabel": "REMOVED",
    "StructureSetLabel": "REMOVED",
    "RTPlanLabel": "REMOVED",
}
"""What a directory record needs though the object may lack it: what the dummies of a header say."""
_OUR_KEYS = ("patient", "study", "series", "number", "record", "class", "instance", "syntax")


def folder(names: Names) -> str:
    """Where the objects of a study lie: names that a file-set may have, at most eight characters.

    Each pseudonym is cut in pieces, so that nothing of it is lost but the letter in front of the 16
    characters that cohortkit makes.
    """
    return "/".join((*pieces(names.patient), *pieces(names.study)))


def pieces(name: str) -> list[str]:
    """The components that a pseudonym becomes: two, or up to three of a broker's code."""
    said = (name[1:] if _OURS.fullmatch(name) else name).upper().replace("-", "_")
    return [said[at : at + _COMPONENT] for at in range(0, len(said), _COMPONENT)]


def file_name(number: int) -> str:
    """Of an object in the folder of its series."""
    return f"I{number:07d}"


def row(path: Path, names: Names, number: int) -> dict[str, object]:
    """What the directory says of one object that was written.

    Args:
        path: of the object.
        names: of its series.
        number: of the object in its series.
    """
    with quiet():
        written = pydicom.dcmread(path, stop_before_pixels=True)
        kind, records = _records(written)
    meta = written.file_meta
    said: dict[str, object] = {
        "patient": names.patient,
        "study": names.study,
        "series": names.series,
        "number": number,
        "record": kind,
        "class": str(meta.MediaStorageSOPClassUID),
        "instance": str(meta.MediaStorageSOPInstanceUID),
        "syntax": str(meta.TransferSyntaxUID),
    }
    for record in records:
        for element in record:
            said[element.keyword] = _cell(element)
    return said


def _records(written: Dataset) -> tuple[str, list[Dataset]]:
    for keyword, stand_in in _WANTED.items():
        if not written.get(keyword):
            setattr(written, keyword, stand_in)
    if not written.get("StudyID"):
        written.StudyID = "0"
    kind = _four_level_record_type(written)
    above = [DIRECTORY_RECORDERS[level](written) for level in _LEVELS]
    try:
        return kind, [*above, DIRECTORY_RECORDERS[kind](written)]
    except ValueError:  # a record of this kind needs what the object has not: it is listed plainly
        return "IMAGE", [*above, DIRECTORY_RECORDERS["IMAGE"](written)]


def _cell(element: pydicom.DataElement) -> object:
    """The value as what it is, so that it is searched as such: a number is no text, nor a date."""
    if element.VR == "SQ":
        return json.dumps([item.to_json_dict() for item in element.value])
    value = element.value
    if value is None:
        return ""
    if element.VM > 1:
        return "\\".join(map(str, value))
    text = str(value)
    if element.VR == "IS" and text.strip().lstrip("+-").isdecimal():
        return int(text)
    if element.VR == "DA" and len(text) == len("YYYYMMDD") and text.isdecimal():
        return _day(text)
    return text


def _day(text: str) -> object:
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return text


def directory(rows: Iterable[Row]) -> bytes:
    """The file. Pure: the same rows in any order give the same bytes."""
    ordered = sorted(rows, key=_order)
    items: list[_Item] = []
    root = _lay(ordered, 0, items)
    digest = hashlib.sha256(json.dumps(ordered, sort_keys=True, default=str).encode()).digest()
    uid = f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}"
    preamble = preamble_and_meta(_STORAGE, uid, _SYNTAX)
    for _ in range(2):  # once to learn the lengths, once with the offsets that come of them
        head, body = _head(root), [item.encoded() for item in items]
        at = len(preamble) + len(head) + 12
        for item, data in zip(items, body, strict=True):
            item.offset = at
            at += len(data)
    whole = b"".join(body)
    sequence = b"\x04\x00\x20\x12SQ\0\0" + len(whole).to_bytes(4, "little")
    return preamble + head + sequence + whole


def _order(row: Row) -> tuple[str, str, str, int]:
    number = row["number"]
    assert isinstance(number, int)
    return str(row["patient"]), str(row["study"]), str(row["series"]), number


class _Item:
    """A directory record, and where it lies in the file."""

    def __init__(self, record: Dataset) -> None:
        self.record, self.offset = record, 0
        self.next: _Item | None = None
        self.below: _Item | None = None

    def encoded(self) -> bytes:
        self.record.OffsetOfTheNextDirectoryRecord = self.next.offset if self.next else 0
        below = self.below.offset if self.below else 0
        self.record.OffsetOfReferencedLowerLevelDirectoryEntity = below
        data = _encoded(self.record)
        return b"\xfe\xff\x00\xe0" + len(data).to_bytes(4, "little") + data


def _lay(rows: Sequence[Row], depth: int, items: list[_Item]) -> list[_Item]:
    """The records of one level, in the order in which they lie: each before those below it."""
    made: list[_Item] = []
    for group in _grouped(rows, depth):
        item = _Item(_record(group[0], depth))
        if made:
            made[-1].next = item
        made.append(item)
        items.append(item)
        if depth < len(_LEVELS):
            below = _lay(group, depth + 1, items)
            item.below = below[0]
    return made


def _grouped(rows: Sequence[Row], depth: int) -> Iterator[list[Row]]:
    if depth == len(_LEVELS):
        yield from ([row] for row in rows)
        return
    for _, group in groupby(rows, key=lambda row: row[("patient", "study", "series")[depth]]):
        yield list(group)


def _record(row: Row, depth: int) -> Dataset:
    record = Dataset()
    record.RecordInUseFlag = _IN_USE
    record.SpecificCharacterSet = "ISO_IR 192"
    if depth < len(_LEVELS):
        level = _LEVELS[depth]
        record.DirectoryRecordType = level
        _fill(record, row, _KEYS[level])
        return record
    record.DirectoryRecordType = row["record"]
    record.ReferencedFileID = _file_id(row)
    record.ReferencedSOPClassUIDInFile = row["class"]
    record.ReferencedSOPInstanceUIDInFile = row["instance"]
    record.ReferencedTransferSyntaxUIDInFile = row["syntax"]
    above = {key for keys in _KEYS.values() for key in keys}
    _fill(record, row, [key for key in row if key not in above and key not in _OUR_KEYS])
    return record


def _file_id(row: Row) -> list[str]:
    parts = (one for level in ("patient", "study", "series") for one in pieces(str(row[level])))
    number = row["number"]
    assert isinstance(number, int)
    return [*parts, file_name(number)]


def _fill(record: Dataset, row: Row, keywords: Iterable[str]) -> None:
    for keyword in keywords:
        if keyword not in row:
            continue
        value = row[keyword]
        text = f"{value:%Y%m%d}" if isinstance(value, dt.date) else str(value)
        if pydicom.datadict.dictionary_VR(keyword) == "SQ":
            setattr(record, keyword, [Dataset.from_json(item) for item in json.loads(text)])
        else:
            setattr(record, keyword, text)


def _head(root: Sequence[_Item]) -> bytes:
    head = Dataset()
    head.FileSetID = ""
    first, last = (root[0].offset, root[-1].offset) if root else (0, 0)
    head.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = first
    head.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = last
    head.FileSetConsistencyFlag = 0
    return _encoded(head)


def _encoded(dataset: Dataset) -> bytes:
    out: Any = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, False
    with quiet():
        write_dataset(out, dataset)
    return bytes(out.getvalue())
