"""A planted identity that every search must find before it is believed."""

from __future__ import annotations

import gzip
import io
import json
import secrets
import struct
import zlib

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cohortkit.dicom.encode import Encoding, encoded, head
from cohortkit.dicom.filemeta import preamble_and_meta
from cohortkit.dicom.layout import plain_syntax
from cohortkit.dicom.splice import SEQUENCE_END
from cohortkit.errors import CohortkitError
from cohortkit.model import Person, Task
from cohortkit.pixels.fragments import joined
from cohortkit.traces.patterns import Patterns, collect
from cohortkit.verify.search import NOBODY, Hit, scan_rows, search
from cohortkit.verify.sweep import Sweep


def canary() -> int:
    """Plant a made-up patient in every kind of place that the search claims to read.

    Returns:
        How many places were tried.

    Raises:
        CohortkitError: one of them was missed, or a clean file was not clean.
    """
    bird = "Zilpzalp" + "".join(secrets.choice("abcdefghijklmnop") for _ in range(8))
    number = str(secrets.randbelow(9 * 10**7) + 10**7)
    patterns = _patterns(bird, number)
    spots = 0
    spellings = (f"{bird.upper()}^KANARI", f"Kanari {bird}", f"00{number}", "1931-02-14")
    for text in (*spellings, "14. Februar 1931", f"{bird}_WALD"):
        for name, data in _planted(text):
            spots += _found(search(patterns, name, data))
        rows = {"studies": ({"StudyDescription": f"of {text}"},)}
        spots += _found(scan_rows(patterns, rows).hits)
    for value in (int(number), _EPOCH):
        for name, data in _numbers(value):
            spots += _found(search(patterns, name, data))
        spots += _found(scan_rows(patterns, {"labels": ({"n": [0.5, value]},)}).hits)
    planted = [*_planted(spellings[0]), *_numbers(int(number)), (f"nifti/{bird}.nii.gz", b"")]
    spots += _found(search(patterns, *planted[-1]))
    for name, data in planted:
        spots += _swept(patterns, name, data)
    for name, data in (*_planted("nothing of a patient"), *_numbers(4711)):
        if search(patterns, name, data):
            raise CohortkitError("the search found what is not there; nothing was exported")
    return spots


def _found(hits: tuple[Hit, ...]) -> int:
    if not hits:
        raise CohortkitError("the search missed its planted canary; nothing was exported")
    return 1


def _swept(patterns: Patterns, name: str, data: bytes) -> int:
    """The same by the search of many files at once, behind some that are clean."""
    sweep = Sweep(patterns, NOBODY)
    for clean in (("a.dcm", dicom()), ("a.json", b'{"a": 1}')):
        sweep.take(*clean)
    sweep.take(name, data)
    if sweep.clean():
        raise CohortkitError("the search missed its planted canary; nothing was exported")
    return 1


def _patterns(bird: str, number: str) -> Patterns:
    header = Dataset()
    header.PatientName = f"{bird}^Kanari"
    header.PatientID = number
    header.PatientBirthDate = "19310214"
    header.InstitutionName = f"Hospital {bird}-Wald"
    return collect([header], _task(number), frozenset())


_EPOCH = -1_226_923_200
"""14 February 1931, by noon, in seconds since 1970."""


def _task(number: str) -> Task:
    return Task(0, "canary", Person("", number), "2.25.1", "2.25.2", "", "", ())


def _planted(text: str) -> list[tuple[str, bytes]]:
    """One file of each kind with the text in it."""
    raw = text.encode()
    extension = struct.pack("<ii", 64, 6) + raw.ljust(56, b"\0")
    return [
        ("a.nii", nifti(descrip=raw)),
        ("a.nii", nifti(extension=extension)),
        ("a.nii", nifti() + raw),
        ("a.nii.gz", gzip.compress(nifti(descrip=raw), 1, mtime=0)),
        ("a.nii.gz", gzip.compress(nifti(), 1, mtime=0) + gzip.compress(raw, 1, mtime=0)),
        ("a.nii.gz", _named_gzip(raw)),
        ("a.png", png(b"tEXt", b"Title\0" + raw)),
        ("a.png", png(b"zTXt", b"Title\0\0" + zlib.compress(raw))),
        ("a.png", png(b"tIME", b"") + raw),
        ("a.json", json.dumps({"a": [{"b": f"of {text}"}]}).encode()),
        ("a.json", json.dumps({text: 1}).encode()),
        ("a.csv", b"a,b\n1," + raw + b"\n"),
        ("a.parquet", _table("StudyDescription", f"of {text}")),
        ("a.html", b"<p>" + raw + b"</p>"),
        *_planted_objects(text),
        ("a.bin", b"\1\2\3 " + raw + b" \xff"),
        ("a.bin", text.encode("utf-16-le")),
    ]


def _table(column: str, value: object) -> bytes:
    import polars as pl  # noqa: PLC0415 - a worker, which plants nothing, does without it

    data = io.BytesIO()
    pl.DataFrame({column: [None, value]}).write_parquet(data)
    return data.getvalue()


def _numbers(value: int) -> list[tuple[str, bytes]]:
    """Files with a number in them that is somebody's: as a number, and written in one's place."""
    return [
        ("a.json", json.dumps({"Rows": [value]}).encode()),
        ("a.json", json.dumps({"Rows": float(value)}).encode()),
        ("a.csv", f"a,b\n1,{value}.0\n".encode()),
        ("a.parquet", _table("Rows", value)),
        ("a.dcm", dicom(DataElement(0x00200013, "IS", str(value)))),
        ("a.dcm", dicom(DataElement(0x00180050, "DS", f"{value}.0"))),
        ("a.dcm", dicom(DataElement(0x00091010, "SV", value))),
    ]


def _planted_objects(text: str) -> list[tuple[str, bytes]]:
    """DICOM files with the text in the header, below it, in bytes, and where no reader looks."""
    raw = text.encode()
    item = Dataset()
    item.add_new(0x00081030, "LO", text)
    deep = Dataset()
    deep.add_new(0x00081110, "SQ", [item])
    comment = b"\xff\xd8\xff\xfe" + struct.pack(">H", len(raw) + 2) + raw + b"\xff\xd9"
    implicit = Encoding(implicit=True, little=True)
    return [
        ("a.dcm", dicom(DataElement(0x00104000, "LT", f"of {text}"))),
        ("a.dcm", dicom(DataElement(0x00104000, "LT", f"of {text}"), to=implicit)),
        ("a.dcm", dicom(DataElement(0x00081115, "SQ", Sequence([deep])))),
        ("a.dcm", dicom(DataElement(0x00091010, "OB", raw))),
        ("a.dcm", dicom(DataElement(0x00081030, "LO", text.encode("utf-16-le")))),
        ("a.dcm", raw.ljust(128, b"\0")[:128] + dicom()[128:]),
        ("a.dcm", dicom() + raw),
        ("a.dcm", dicom(fragment=comment)),
    ]


def dicom(
    *elements: DataElement,
    fragment: bytes = b"",
    to: Encoding = Encoding(implicit=False, little=True),  # noqa: B008 - frozen
) -> bytes:
    """A DICOM file with these elements, and with compressed pixels where a fragment is given."""
    syntax = plain_syntax(implicit=to.implicit, little=to.little)
    made = preamble_and_meta("1.2.840.10008.5.1.4.1.1.7", "2.25.9", syntax) + encoded(elements, to)
    if not fragment:
        return made
    even = fragment + b"\0" * (len(fragment) & 1)
    pixels = b"".join((*joined([(even,)], table=False), SEQUENCE_END))
    return made + head(0x7FE00010, "OB", 0xFFFFFFFF, to) + pixels


def nifti(*, descrip: bytes = b"", extension: bytes = b"") -> bytes:
    """A NIfTI-1 file of 2x2x2 bytes, with a text in the header or an extension."""
    header = bytearray(348)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 2, 2, 2, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 2, 8)
    struct.pack_into("<f", header, 108, 352 + len(extension))
    header[148 : 148 + min(79, len(descrip))] = descrip[:79]
    header[344:348] = b"n+1\0"
    flag = b"\1\0\0\0" if extension else b"\0\0\0\0"
    return bytes(header) + flag + extension + bytes(8)


def _named_gzip(name: bytes) -> bytes:
    packed = gzip.compress(nifti(), 1, mtime=0)
    return packed[:3] + b"\x08" + packed[4:10] + name + b"\0" + packed[10:]


def png(chunk: bytes, body: bytes) -> bytes:
    """A PNG of one grey pixel with one more chunk."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (chunk, body),
        (b"IDAT", zlib.compress(b"\0\0")),
        (b"IEND", b""),
    ]
    out = [b"\x89PNG\r\n\x1a\n"]
    for name, data in parts:
        out += [struct.pack(">I", len(data)), name, data]
        out.append(struct.pack(">I", zlib.crc32(name + data)))
    return b"".join(out)
