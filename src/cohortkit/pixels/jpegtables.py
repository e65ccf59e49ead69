"""Which tables of a JPEG or JPEG-LS stream its scans use (ISO 10918-1 B.2, ISO 14495-1 C.2).

A table that no scan uses, or that another takes the place of before one does, is no part of the
picture, and anything may stand in it. Tables that are used stay byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from cohortkit.errors import Refusal
from cohortkit.reasons import Reason

Part = tuple[int, bytes, bytes]
"""A marker, its segment from the marker on, and the coded samples behind it (of a scan)."""
Key = tuple[int, ...]
"""What a table is: its marker, with class and place where it has such."""

DHT: Final = 0xC4
DAC: Final = 0xCC
SOS: Final = 0xDA
DQT: Final = 0xDB
DNL: Final = 0xDC
DRI: Final = 0xDD
LSE: Final = 0xF8
LS_FRAME: Final = 0xF7
FRAMES: Final = frozenset({*range(0xC0, 0xD0), LS_FRAME} - {DHT, 0xC8, DAC})

_HEAD: Final = 4  # marker and length
_LOSSLESS: Final = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_ARITHMETIC: Final = range(0xC9, 0xD0)
_PLACES: Final = 4
_PRESET: Final = 1  # of LSE; 2 and 3 are mapping tables
_PRESET_SIZE: Final = 11
_MAPPING: Final = frozenset({2, 3})


@dataclass(slots=True)
class _Reading:
    """What has been read of a stream."""

    frame: int = 0
    lines: int = 0
    tables: dict[int, int] = field(default_factory=dict)  # component → its quantization table
    latest: dict[Key, tuple[int, int]] = field(default_factory=dict)
    used: set[tuple[int, int]] = field(default_factory=set)
    scans: int = 0


def kept(parts: Sequence[Part]) -> Iterator[bytes]:
    """Every part as it stays: whole, without the tables that nothing uses, or as nothing.

    Raises:
        Refusal: ``pixel-stream``: a table, frame or scan of another length than it says.
    """
    split = [_tables(marker, segment[_HEAD:]) for marker, segment, _ in parts]
    read = _Reading()
    for number, (marker, segment, _) in enumerate(parts):
        body = segment[_HEAD:]
        if marker in FRAMES:
            _frame(read, marker, body)
        elif marker == SOS:
            _scan(read, body)
        for place, (key, _) in enumerate(split[number] or ()):
            read.latest[key] = (number, place)
    for number, (marker, segment, scan) in enumerate(parts):
        tables = split[number]
        if tables is not None:
            yield _rebuilt(segment, tables, {p for n, p in read.used if n == number})
        elif marker != DNL or (read.lines == 0 and len(segment) == _HEAD + 2):
            yield segment
        yield scan


def _rebuilt(segment: bytes, tables: Sequence[tuple[Key, bytes]], used: set[int]) -> bytes:
    """The segment with the tables that are used."""
    if len(used) == len(tables):
        return segment
    body = b"".join(table for place, (_, table) in enumerate(tables) if place in used)
    return segment[:2] + (len(body) + 2).to_bytes(2, "big") + body if body else b""


def _frame(read: _Reading, marker: int, body: bytes) -> None:
    if read.frame or len(body) < 6 or len(body) != 6 + 3 * body[5]:  # noqa: PLR2004 - to Nf
        raise Refusal(Reason.PIXEL_STREAM)
    read.frame, read.lines = marker, int.from_bytes(body[1:3], "big")
    read.tables = {body[n]: body[n + 2] for n in range(6, len(body), 3)}


def _scan(read: _Reading, body: bytes) -> None:
    """Take note of what a scan uses."""
    if not read.frame or not body or len(body) != 4 + 2 * body[0]:
        raise Refusal(Reason.PIXEL_STREAM)
    for key in _needs(read, body):
        if key in read.latest:
            read.used.add(read.latest[key])


def _needs(read: _Reading, body: bytes) -> Iterator[Key]:
    frame, first, last, before = read.frame, body[-3], body[-2], body[-1] >> 4
    yield (DRI,)
    if frame == LS_FRAME:
        yield (LSE, _PRESET)
    lossless, steps = frame in _LOSSLESS, frame in _PROGRESSIVE
    low = not steps or (first == 0 and before == 0)
    high = not lossless and (not steps or last > 0)
    entropy = DAC if frame in _ARITHMETIC else DHT
    for n in range(1, len(body) - 3, 2):
        component, places = body[n], body[n + 1]
        if frame == LS_FRAME:
            if places:  # colours by a table, which is no part of DICOM's pixels
                raise Refusal(Reason.PIXEL_STREAM)
            continue
        if not lossless and component in read.tables:
            yield (DQT, read.tables[component])
        if low:
            yield (entropy, 0, places >> 4)
        if high:
            yield (entropy, 1, places & 15)


def _tables(marker: int, body: bytes) -> list[tuple[Key, bytes]] | None:
    """The tables of a segment, one by one; None where it is no segment of tables."""
    if marker == DRI:
        if len(body) != 2:  # noqa: PLR2004 - a number
            raise Refusal(Reason.PIXEL_STREAM)
        return [((DRI,), body)]
    if marker == LSE:
        return [_preset(body)]
    if marker not in {DQT, DHT, DAC}:
        return None
    found: list[tuple[Key, bytes]] = []
    at = 0
    while at < len(body):
        high, low = body[at] >> 4, body[at] & 15
        size = _size(marker, body, at, high)
        if at + size > len(body) or high > 1 or (marker != DAC and low >= _PLACES):
            raise Refusal(Reason.PIXEL_STREAM)
        key = (DQT, low) if marker == DQT else (marker, high, low)
        found.append((key, body[at : at + size]))
        at += size
    return found


def _size(marker: int, body: bytes, at: int, high: int) -> int:
    if marker == DQT:
        return 1 + 64 * (1 + high)
    return 17 + sum(body[at + 1 : at + 17]) if marker == DHT else 2


def _preset(body: bytes) -> tuple[Key, bytes]:
    kind = body[0] if body else 0
    if kind in _MAPPING or (kind == _PRESET and len(body) == _PRESET_SIZE):
        return (LSE, kind), body
    raise Refusal(Reason.PIXEL_STREAM)
