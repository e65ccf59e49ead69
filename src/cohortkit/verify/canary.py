"""A planted identity that every search must find before it is believed."""

from __future__ import annotations

import gzip
import io
import json
import secrets
import struct
import zlib

import polars as pl
from pydicom.dataset import Dataset

from cohortkit.errors import CohortkitError
from cohortkit.model import Person, Task
from cohortkit.verify.patterns import collect
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
        ("a.bin", b"\1\2\3 " + raw + b" \xff"),
        ("a.bin", text.encode("utf-16-le")),
    ]


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
