"""Where a marker stands in what was made: bytes, unpacked bytes, names, digests. Not ours."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
HASHES = ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s")


def found(folder_or_file: Path, known: Mapping[str, str]) -> set[tuple[str, str]]:
    """(file, place the value came from) for each value in it, plain or as a digest."""
    forms = [
        (form, f"{place}{how}") for value, place in known.items() for form, how in _forms(value)
    ]
    needles = re.compile(b"|".join(re.escape(f) for f, _ in forms), re.IGNORECASE)
    places = {form.lower(): place for form, place in forms}
    hits = set()
    root = folder_or_file if folder_or_file.is_dir() else folder_or_file.parent
    for path in _files(folder_or_file):
        name = str(path.relative_to(root))
        for part in (name.encode(), *_parts(path)):
            hits |= {(name, places[m.group().lower()]) for m in needles.finditer(part)}
    return hits


def _forms(value: str) -> Iterator[tuple[bytes, str]]:
    for encoding in ENCODINGS:
        yield value.encode(encoding), ""
    yield base64.b64encode(value.encode()).rstrip(b"=")[:-1], " (base64)"
    if not value.isdigit() or len(value) > 8:
        for name in HASHES:
            yield hashlib.new(name, value.encode()).hexdigest()[:16].encode(), f" ({name})"


def _files(place: Path) -> list[Path]:
    return sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]


def _parts(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    yield data
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    elif data[:4] == b"PAR1":
        yield pl.read_parquet(path).write_json().encode()
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        yield from _inflated(data)


def _inflated(data: bytes) -> Iterator[bytes]:
    at, pixels = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        pixels += body if kind == b"IDAT" else b""
        yield body
        at += 12 + length
    yield zlib.decompress(pixels)
