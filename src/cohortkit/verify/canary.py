"""A planted identity that every search must find before it is believed."""

from __future__ import annotations

import gzip
import io
import json
import secrets
import struct
import zlib

import polars as pl
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
from cohortkit.traces.patterns import collect
from cohortkit.verify.search import scan_rows, search


def canary() -> int:
    """Plant a made-up patient in every kind of place that the search claims to read.

    Returns:
        How many places were tried.

    Raises:
        CohortkitError: one of them was missed, or a clean file was not clean.
    """
    bird = "Zilpzalp" + "".join(secrets.choice("abcdefghijklmnop") for _ in range(8))
    number = str(secrets.randbelow(9 * 10**7) + 10**7)
    header = Dataset()
    header.PatientName = f"{bird}^Kanari"
    header.PatientID = number
    header.PatientBirthDate = "19310214"
    patterns = collect([header], _task(number), frozenset())
    spots = 0
    for text in (f"{bird.upper()}^KANARI", f"Kanari {bird}", number, "1931-02-14"):
        for name, data in _planted(text):
            spots += 1
            if not search(patterns, name, data):
                raise CohortkitError("the search missed its planted canary; nothing was exported")
        if not scan_rows(patterns, {"studies": ({"StudyDescription": f"of {text}"},)}).hits:
            raise CohortkitError("the search missed its planted canary; nothing was exported")
        spots += 1
    if not search(patterns, f"nifti/{bird}.nii.gz", b""):
        raise CohortkitError("the search missed its planted canary; nothing was exported")
    for name, data in _planted("nothing of a patient"):
        if search(patterns, name, data):
            raise CohortkitError("the search found what is not there; nothing was exported")
    return spots + 1


def _task(number: str) -> Task:
    return Task(0, "canary", Person("", number), "2.25.1", "2.25.2", "", "", ())


def _planted(text: str) -> list[tuple[str, bytes]]:
    """One file of each kind with the text in it."""
    raw = text.encode()
    extension = struct.pack("<ii", 64, 6) + raw.ljust(56, b"\0")
    table = io.BytesIO()
    pl.DataFrame({"StudyDescription": [None, f"of {text}"]}).write_parquet(table)
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
        ("a.parquet", table.getvalue()),
        ("a.html", b"<p>" + raw + b"</p>"),
        *_planted_objects(text),
        ("a.bin", b"\1\2\3 " + raw + b" \xff"),
        ("a.bin", text.encode("utf-16-le")),
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
