"""Codestreams without what is not picture: comments, profiles, thumbnails, bytes behind the end.

Nothing is decoded: a stream is a row of marked parts, and the parts that a decoder does not need
are left out. A part of an unknown kind is refused, since it may be text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from cohortkit.errors import Refusal
from cohortkit.model import Reason
from cohortkit.pixels import j2ksegments, jpegtables

_COMMENTS = re.compile(
    rb"(Kakadu-v?\d{1,2}(\.\d{1,2}){0,3}|Created by OpenJPEG version \d{1,2}(\.\d{1,2}){1,2}"
    rb"|LEAD Technologies Inc\. V\d\.\d\d)\0?"
)
"""What encoders write of themselves; a comment that is nothing else stays, so that the bytes do."""

_WRITTEN = re.compile(rb"([A-Za-z0-9 ^=._,:;/@-]{12,})[\0\xff]*\Z")
"""Letters and figures to the very end of coded samples: by chance in one of five million."""
_LONGEST_CODE = 16  # bits; so many bytes at most until a code that is repeated begins anew
_TAIL, _LEAST = 256, 12

# ── JPEG and JPEG-LS (ISO 10918-1 B, ISO 14495-1 C) ──────────────────────────────────────────────

_EOI, _SOS, _COM, _FILL = 0xD9, jpegtables.SOS, 0xFE, 0xFF
_TABLES = frozenset(
    {jpegtables.DHT, jpegtables.DAC, jpegtables.DQT, jpegtables.DNL, jpegtables.DRI}
    | {jpegtables.LSE, _SOS}
)
_FRAMES = jpegtables.FRAMES
_LS_FRAME = jpegtables.LS_FRAME
_ONCE = frozenset({_COM, *range(0xE0, 0xF0)})
"""Of these one of a kind is enough for any decoder."""
_APPLICATION = range(0xE0, 0xF0)
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_LS_SCAN_END = re.compile(rb"\xff[\x80-\xcf\xd8-\xff]")


def jpeg(data: bytes) -> tuple[bytes, int]:
    """A JPEG or JPEG-LS stream without what a decoder does not need, and its bits a sample.

    JFIF and Adobe segments stay, without a thumbnail: decoders tell the colour space by them.

    Raises:
        Refusal: ``pixel-stream``.
    """
    if data[:2] != b"\xff\xd8":
        raise Refusal(Reason.PIXEL_STREAM)
    parts: list[jpegtables.Part] = []
    bits = 0
    for marker, segment, scan in _segments(data):
        if marker == _EOI:
            return b"".join([data[:2], *jpegtables.kept(parts), segment]), bits
        if marker in _FRAMES:
            bits = max(bits, segment[4])
        if scan and _is_written(scan, 0, len(scan)):
            raise Refusal(Reason.PIXEL_STREAM)
        needed = _needed(marker, segment)
        if needed and not (marker in _ONCE and any(marker == one for one, _, _ in parts)):
            parts.append((marker, needed, scan))
    raise Refusal(Reason.PIXEL_STREAM)  # no end: nothing says where the picture stops


def _is_written(data: bytes, low: int, high: int) -> bool:
    """Whether coded samples end in text, which no decoder comes to; a plain ground is none."""
    found = _WRITTEN.search(data, max(low, high - _TAIL), high)
    if found is None:
        return False
    return all(_shortened(found[1], n) >= _LEAST for n in range(1, _LONGEST_CODE + 1))


def _shortened(text: bytes, period: int) -> int:
    """How much of it is left without an end that repeats itself."""
    end = len(text)
    while end > period and text[end - 1] == text[end - 1 - period]:
        end -= 1
    return end - period if end < len(text) else end


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each marker, its segment, and the coded samples behind it (of a scan)."""
    at, scan_end = 2, _SCAN_END
    while at + 2 <= len(data):
        if data[at] != _FILL:
            raise Refusal(Reason.PIXEL_STREAM)
        marker = data[at + 1]
        if marker == _FILL:
            at += 1
            continue
        size = 0 if marker == _EOI else int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + size
        short = marker != _EOI and size < (3 if marker in _FRAMES else 2)
        if short or end > len(data):
            raise Refusal(Reason.PIXEL_STREAM)
        if marker == _LS_FRAME:
            scan_end = _LS_SCAN_END
        scan = _scan(data, end, scan_end) if marker == _SOS else b""
        yield marker, data[at:end], scan
        at = end + len(scan)


def _scan(data: bytes, at: int, end: re.Pattern[bytes]) -> bytes:
    found = end.search(data, at)
    if found is None:
        raise Refusal(Reason.PIXEL_STREAM)
    return data[at : found.start()]


def _needed(marker: int, segment: bytes) -> bytes:
    """The segment, or nothing of it."""
    body = segment[4:]
    if marker in _TABLES or marker in _FRAMES:
        return segment
    if marker == _COM:
        return segment if _COMMENTS.fullmatch(body) else b""
    if marker not in _APPLICATION:
        raise Refusal(Reason.PIXEL_STREAM)
    if marker == 0xE0 and body[:5] == b"JFIF\0" and len(body) >= 14:  # noqa: PLR2004 - JFIF
        return b"\xff\xe0\0\x10" + body[:12] + b"\0\0"
    adobe = marker == 0xEE and body[:5] == b"Adobe" and len(body) == 12  # noqa: PLR2004 - Adobe
    colours = marker == 0xE8 and body[:4] == b"mrfx" and len(body) == 5  # noqa: PLR2004 - HP's, JPEG-LS
    return segment if adobe or colours else b""


def told(data: bytes) -> bytes:
    """What stands in a stream beside its coded samples; all of it where it is not understood.

    Of a JPEG 2000 codestream that is its main header and its end, of RLE the table of its
    segments.
    """
    if data[:2] == b"\xff\x4f":
        low, high = data.find(_SOD), data.rfind(_EOC)
        return data[:low] + data[high:] if 0 <= low < high else data
    if data[:2] != b"\xff\xd8":
        return data[:_RLE_HEAD]
    kept, end = [], 2
    try:
        for _, segment, scan in _segments(data):
            kept.append(segment)
            end += len(segment) + len(scan)
    except Refusal:
        kept.append(data[end:])
    return b"\1".join(kept)


# ── JPEG 2000 (ISO 15444-1 A, 15444-15) ──────────────────────────────────────────────────────────

_SOT, _SOD, _EOC, _COMMENT = b"\xff\x90", b"\xff\x93", b"\xff\xd9", 0x64
_MAIN = frozenset({0x50, 0x51, 0x52, 0x53, 0x55, 0x57, 0x59, 0x5C, 0x5D, 0x5E, 0x5F, 0x60, 0x63})
_TILE = frozenset({0x52, 0x53, 0x58, 0x5C, 0x5D, 0x5E, 0x5F, 0x61})
_SOT_SIZE = 12
_PRECISION = 42  # of the first component: behind SOC and the fixed part of SIZ


def jpeg2000(data: bytes) -> tuple[bytes, int]:
    """A JPEG 2000 codestream without comments, and its bits a sample.

    Raises:
        Refusal: ``pixel-stream``; also for the JP2 file format around it, which DICOM excludes.
    """
    if data[:4] != b"\xff\x4f\xff\x51" or len(data) < _PRECISION + 3:
        raise Refusal(Reason.PIXEL_STREAM)
    components = int.from_bytes(data[40:42], "big")
    main = j2ksegments.Header(components)
    kept, at = [data[:2]], 2
    while data[at : at + 2] != _SOT:
        segment, drop = _segment(data, at, _MAIN)
        if not drop:
            main.take(segment[1], segment[4:])
            kept.append(segment)
        at += len(segment)
    start, sizes = at, []
    while data[at : at + 2] == _SOT:
        end = _tile_part(data, at, j2ksegments.Header(components, main.levels))
        sizes.append((int.from_bytes(data[at + 4 : at + 6], "big"), end - at))
        at = end
    j2ksegments.check_lengths(main, sizes)
    kept.append(data[start:at])
    if data[at : at + 2] == _EOC:
        kept.append(_EOC)
    elif data[at:].strip(b"\0"):
        raise Refusal(Reason.PIXEL_STREAM)
    depths = data[_PRECISION : _PRECISION + 3 * components : 3]
    return b"".join(kept), max((depth & 0x7F) + 1 for depth in depths)


def _segment(data: bytes, at: int, known: frozenset[int]) -> tuple[bytes, bool]:
    """A marker segment, and whether it is a comment that has to go."""
    if len(data) < at + 4 or data[at] != _FILL:
        raise Refusal(Reason.PIXEL_STREAM)
    marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
    segment = data[at : at + 2 + size]
    if size < 2 or len(segment) != 2 + size or not (marker in known or marker == _COMMENT):  # noqa: PLR2004 - its own length
        raise Refusal(Reason.PIXEL_STREAM)
    idle = marker in j2ksegments.IDLE
    return segment, idle or (marker == _COMMENT and not _COMMENTS.fullmatch(segment[6:]))


def _tile_part(data: bytes, start: int, header: j2ksegments.Header) -> int:
    """Where a tile-part ends, whose header holds nothing but what a decoder needs."""
    if int.from_bytes(data[start + 2 : start + 4], "big") != _SOT_SIZE - 2:
        raise Refusal(Reason.PIXEL_STREAM)
    size = int.from_bytes(data[start + 6 : start + 10], "big")
    at, packets = start + _SOT_SIZE, []
    while data[at : at + 2] != _SOD:
        segment, drop = _segment(data, at, _TILE)
        if drop:
            raise Refusal(Reason.PIXEL_STREAM)  # its length is counted by those around it
        header.take(segment[1], segment[4:])
        if segment[1] == j2ksegments.PLT:
            packets.append(segment[4:])
        at += len(segment)
    end = start + size if size else data.rfind(_EOC)
    if not at + 2 <= end <= len(data) or _is_written(data, at + 2, end):
        raise Refusal(Reason.PIXEL_STREAM)
    j2ksegments.check_packets(packets, end - at - 2)
    return end


# ── RLE (PS3.5 G) ────────────────────────────────────────────────────────────────────────────────

_RLE_HEAD, _MOST_SEGMENTS = 64, 15


def rle(data: bytes, pixels: int, segments: int) -> bytes:
    """An RLE frame whose segments end where their last pixel does.

    Args:
        data: the frame.
        pixels: bytes that each segment holds unpacked.
        segments: how many there have to be.

    Raises:
        Refusal: ``pixel-stream``.
    """
    words = [int.from_bytes(data[n : n + 4], "little") for n in range(0, _RLE_HEAD, 4)]
    offsets = [*words[1 : 1 + segments], len(data)]
    ascending = all(low < high for low, high in pairwise(offsets))
    if words[0] != segments or not ascending or offsets[0] < _RLE_HEAD:
        raise Refusal(Reason.PIXEL_STREAM)
    parts, places, at = [], [], _RLE_HEAD
    for low, high in pairwise(offsets):
        part = data[low : low + _packed(data, low, high, pixels)]
        part += b"\0" * (len(part) & 1)
        places.append(at)
        parts.append(part)
        at += len(part)
    places += [0] * (_MOST_SEGMENTS - len(places))
    head = b"".join(word.to_bytes(4, "little") for word in (segments, *places))
    return head + b"".join(parts)


def _packed(data: bytes, start: int, end: int, pixels: int) -> int:
    """How many bytes it takes to unpack so many."""
    at, made = start, 0
    while made < pixels and at < end:
        count = data[at]
        if count < 128:  # noqa: PLR2004 - as many and one more, one by one
            at += count + 2
            made += count + 1
        elif count > 128:  # noqa: PLR2004 - the next one, again and again
            at += 2
            made += 257 - count
        else:
            at += 1
    if made != pixels or at > end:
        raise Refusal(Reason.PIXEL_STREAM)
    return at - start
