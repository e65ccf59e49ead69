"""Which bytes of a file are text or headers, and so to be searched. Samples are not.

Samples (voxels, pixels) are left to the digest: a name in them would be drawn, not written. What
lies outside of the samples, also where no reader looks, is text here: gzip's own header, NIfTI
extensions, PNG chunks of any name, whatever a DICOM file holds beside its pixels, bytes behind
the end.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from cohortkit.model import Scalar
from cohortkit.verify.memory import Memory
from cohortkit.verify.objects import parts
from cohortkit.verify.packed import decoded, joined, runs, size

if TYPE_CHECKING:
    import polars as pl

Buffer = bytes | memoryview
Cell = Scalar | list[object] | None


class Place(NamedTuple):
    """What stands somewhere in a structure.

    Attributes:
        of: the key, column or keyword that it belongs to; of a key, the key itself.
        role: ``key`` or ``value``.
    """

    of: str
    role: str
    value: Cell


class Form(StrEnum):
    """How a piece is read."""

    RAW = "raw"  # bytes that may hold text
    TEXT = "text"  # text throughout
    JSON = "json"
    TABLE = "table"
    CELLS = "cells"  # values that are known already


@dataclass(frozen=True, slots=True, repr=False)
class Piece:
    """A part of a file. ``place`` names it in a hit; cells have their keyword before them.

    ``skipped`` is how much of it was clean in another file, and is not here again.
    """

    place: str
    form: Form
    data: bytes
    cells: tuple[tuple[str, Scalar], ...] = ()
    skipped: int = 0

    def __repr__(self) -> str:
        return f"<Piece {self.place}: {len(self.data)} bytes>"


_MAY_PACK = (".ipynb", ".html", ".md", ".svg", ".log", ".txt", ".json", ".jsonl")
_SIGNATURES = (b"\x1f\x8b", b"\x89PNG", b"PAR1")
_TEXT_SUFFIXES = (".bval", ".bvec", ".csv", ".tsv", ".html", ".txt", ".md", ".svg", ".log")


def pieces(name: str, data: Buffer, seen: Memory | None = None) -> Iterator[Piece]:
    """The parts of one file that are to be searched, by what the name and the first bytes say.

    A file of another kind is searched whole, as bytes.
    """
    yield from _pieces(name, data, seen)
    if name.endswith(".ipynb"):
        yield Piece("json", Form.TEXT, joined(bytes(data)).encode())
    if name.endswith(_MAY_PACK):
        known, inside = 0, []
        for run in runs(bytes(data)):
            if seen is not None and seen.knows(run, packed=True):
                known += size(run) + 1
            elif (one := decoded(run)) is not None:
                inside.append(one)
                if one.startswith(_SIGNATURES):
                    yield from _pieces("", one, None)
        skipped = known if inside else max(0, known - 1)
        yield Piece("base64", Form.RAW, b"\1".join(inside), skipped=skipped)


def _pieces(name: str, data: Buffer, seen: Memory | None) -> Iterator[Piece]:
    start = bytes(data[:8])
    if bytes(data[128:132]) == b"DICM":
        yield from _object(data, seen or Memory())
    elif start[:2] == b"\x1f\x8b" and len(data) >= _GZIP_LEAST:
        yield from _gzip(data)
    elif start == b"\x89PNG\r\n\x1a\n":
        yield from _png(data)
    elif name.endswith(".nii"):
        yield from _nifti(bytes(data[:_NIFTI_START]), data)
    elif start[:4] == b"PAR1":
        yield Piece("table", Form.TABLE, bytes(data))
    elif name.endswith((".json", ".jsonl", ".ipynb")):
        yield Piece("json", Form.JSON, bytes(data))
    elif name.endswith(_TEXT_SUFFIXES):
        yield Piece("text", Form.TEXT, bytes(data))
    else:
        yield Piece("bytes", Form.RAW, bytes(data))


def _object(data: Buffer, seen: Memory) -> Iterator[Piece]:
    """The pieces of an object, without what is known to be clean."""
    found = parts(data, seen)
    known = found.known
    # with what stands between one value and the next
    between = known.values if found.rest else max(0, known.values - 1)
    yield Piece("dicom text", Form.CELLS, b"", tuple(found.cells), known.letters)
    rest = b"\1".join(found.rest)
    yield Piece("dicom bytes", Form.RAW, rest, skipped=known.raw + between)


# --- gzip (RFC 1952) ------------------------------------------------------------------------

_HEADER = 1 << 12
_NIFTI_START = 1 << 20  # header and extensions are in here, or the file is searched whole
_GZIP_LEAST = 18  # header and trailer
_FEXTRA, _FNAME, _FCOMMENT = 4, 8, 16


def _gzip(data: Buffer) -> Iterator[Piece]:
    said = _gzip_header(bytes(data[:_NIFTI_START]))
    yield Piece("gzip header", Form.RAW, said)
    yield Piece("gzip header", Form.TEXT, said.replace(b"\0", b" "))
    try:
        start = _unpacked_start(data)
    except zlib.error:
        yield Piece("bytes", Form.RAW, bytes(data))
        return
    stated = struct.unpack("<I", data[-4:])[0]
    expected = _nifti_length(start)
    if expected is None or stated != expected % 2**32:
        yield Piece("bytes", Form.RAW, _inflate(data))
        return
    yield from _nifti(start, None)


def _unpacked_start(data: Buffer) -> bytes:
    """The first bytes, up to the samples of a volume: its header mostly ends within a few."""
    start = b""
    for enough in (_HEADER, _NIFTI_START):
        start = zlib.decompressobj(31).decompress(data[: 2 * enough], enough)
        extent = _extent(start)
        if extent is not None and extent[0] <= len(start):
            break
    return start


def _gzip_header(start: bytes) -> bytes:
    end = 10
    if start[3] & _FEXTRA:
        end += 2 + int.from_bytes(start[end : end + 2], "little")
    for flag in (_FNAME, _FCOMMENT):
        if start[3] & flag:
            end = start.find(b"\0", end) + 1 or len(start)
    return start[10:end]


def _inflate(data: Buffer) -> bytes:
    """All members, and what lies behind the last one as it is."""
    rest, out = bytes(data), []
    while rest[:2] == b"\x1f\x8b":
        inflater = zlib.decompressobj(31)
        try:
            out.append(inflater.decompress(rest))
        except zlib.error:
            break
        if not inflater.eof:
            break
        rest = inflater.unused_data
    return b"".join([*out, rest])


# --- NIfTI ----------------------------------------------------------------------------------

_NIFTI1, _NIFTI2 = 348, 540
_TEXT_FIELDS = {
    _NIFTI1: ((4, 14), (14, 32), (148, 228), (228, 252), (328, 344)),
    _NIFTI2: ((240, 320), (320, 344), (508, 524)),
}


def _layout(start: bytes) -> tuple[int, str] | None:
    """Header size and byte order."""
    for order in "<>":
        size = struct.unpack(f"{order}i", start[:4])[0] if len(start) >= _NIFTI1 else 0
        if size in _TEXT_FIELDS and len(start) >= size:
            return size, order
    return None


def _extent(start: bytes) -> tuple[int, int] | None:
    """Where the samples begin and how many bytes they are."""
    found = _layout(start)
    if found is None:
        return None
    size, order = found
    if size == _NIFTI1:
        dims = struct.unpack(f"{order}8h", start[40:56])
        bits = struct.unpack(f"{order}h", start[72:74])[0]
        offset = int(struct.unpack(f"{order}f", start[108:112])[0])
    else:
        bits = struct.unpack(f"{order}h", start[14:16])[0]
        dims = struct.unpack(f"{order}8q", start[16:80])
        offset = struct.unpack(f"{order}q", start[168:176])[0]
    count = 1
    for length in dims[1 : 1 + max(0, min(7, dims[0]))]:
        count *= max(1, length)
    return max(size, offset), count * max(0, bits) // 8


def _nifti_length(start: bytes) -> int | None:
    extent = _extent(start)
    return None if extent is None else sum(extent)


def _nifti(start: bytes, whole: Buffer | None) -> Iterator[Piece]:
    """The header, its text fields one by one, the extensions; ``whole`` for what lies behind."""
    found, extent = _layout(start), _extent(start)
    if found is None or extent is None or extent[0] > len(start):
        yield Piece("bytes", Form.RAW, bytes(start if whole is None else whole))
        return
    for low, high in _TEXT_FIELDS[found[0]]:
        yield Piece("nifti header", Form.TEXT, start[low:high].replace(b"\0", b" "))
    yield Piece("nifti header", Form.RAW, start[: extent[0]])
    if whole is not None and len(whole) > sum(extent):
        yield Piece("behind the samples", Form.RAW, bytes(whole[sum(extent) :]))


# --- PNG ------------------------------------------------------------------------------------


_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf"})


def _png(data: Buffer) -> Iterator[Piece]:
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        if name != b"IDAT":
            body = bytes(data[at + 8 : at + 8 + length])
            yield Piece("png chunk", Form.RAW, name + b" " + body)
            if name in _TEXT_CHUNKS:
                yield Piece("png chunk", Form.TEXT, body.replace(b"\0", b" "))
            yield from _packed(body)
        at += 12 + length
        if name == b"IEND":
            break
    if at < len(data):
        yield Piece("behind the samples", Form.RAW, bytes(data[at:]))


def _packed(body: bytes) -> Iterator[Piece]:
    """What is deflated inside a text or profile chunk (zTXt, iTXt, iCCP), wherever it begins."""
    at = body.find(b"\x78")
    while at >= 0:
        try:
            inside = zlib.decompressobj().decompress(body[at:], 1 << 24)
        except zlib.error:
            at = body.find(b"\x78", at + 1)
        else:
            yield Piece("png chunk", Form.RAW, inside)
            yield Piece("png chunk", Form.TEXT, inside.replace(b"\0", b" "))
            return


# --- JSON and tables ------------------------------------------------------------------------


def json_cells(data: bytes) -> list[Place] | None:
    """What stands in a JSON text or in JSON lines; None where it is broken."""
    found: list[Place] = []
    try:
        try:
            stack = [("", json.loads(data))]
        except json.JSONDecodeError:
            stack = [("", json.loads(line)) for line in data.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None
    while stack:
        of, node = stack.pop()
        if isinstance(node, dict):
            found += [Place(key, "key", key) for key in node]
            stack.extend(node.items())
        elif isinstance(node, list):
            stack.extend((of, inner) for inner in node)
        else:
            found.append(Place(of, "value", node))
    return found


def table_cells(data: bytes) -> Iterator[Place] | None:
    """The same of a Parquet file: column names are keys. None where it cannot be read."""
    import polars as pl  # noqa: PLC0415 - a worker, which writes no table, does without it

    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError):
        return None
    return _cells_of(frame)


def _cells_of(frame: pl.DataFrame) -> Iterator[Place]:
    for column in frame.iter_columns():
        yield Place(column.name, "key", column.name)
        for value in column.unique(maintain_order=True).to_list():
            yield Place(column.name, "value", value)
