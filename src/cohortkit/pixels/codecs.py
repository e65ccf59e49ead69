"""The decoders: which library decodes what, and what it must be told (PS3.5 A.4)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal
from cohortkit.model import Codec, Photometric, PixelFormat, Reason
from cohortkit.pixels import codestreams

Decoder = Callable[[bytes, PixelFormat], NDArray[Any]]

JPEGS = frozenset({Codec.JPEG_BASELINE, Codec.JPEG_EXTENDED})
WAVELETS = frozenset(
    {
        Codec.JPEG_2000_LOSSLESS,
        Codec.JPEG_2000,
        Codec.HTJ2K_LOSSLESS,
        Codec.HTJ2K_LOSSLESS_RPCL,
        Codec.HTJ2K,
    }
)


_RLE_HEAD = 64


def decoder(codec: Codec) -> Decoder:
    """The function that decodes one frame to (rows, columns[, 3]).

    Raises:
        Refusal: ``no-decoder``.
    """
    if codec not in _DECODERS or missing(codec) is not None:
        raise Refusal(Reason.NO_DECODER)
    return _DECODERS[codec]


def missing(codec: Codec) -> str | None:
    """What has to be installed to decode this; None where nothing is missing."""
    if codec.native:
        return None
    if codec not in _DECODERS:
        return "a decoder that cohortkit does not know"
    return None if find_spec("imagecodecs") is not None else "imagecodecs"


def declared_size(data: bytes, codec: Codec) -> tuple[int, int] | None:
    """Rows and columns by the codestream's own header; None where it has none that is known.

    Read before decoding, so that a codestream which lies takes no memory.
    """
    if codec is Codec.RLE:
        return None
    if data[:4] == b"\xff\x4f\xff\x51":
        return _size_of_j2k(data)
    if data[:2] == b"\xff\xd8":
        return _size_of_jpeg(data)
    raise Refusal(Reason.DECODE_FAILED)


def _size_of_j2k(data: bytes) -> tuple[int, int]:
    """From the SIZ marker (ISO 15444-1 A.5.1)."""
    if len(data) < 24:  # noqa: PLR2004 - up to YOsiz
        raise Refusal(Reason.DECODE_FAILED)
    width, height, left, top = struct.unpack_from(">4I", data, 8)
    return height - top, width - left


_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xDA)})


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    """From the start-of-frame marker (ISO 10918-1 B.2.2; ISO 14495-1 for JPEG-LS)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004 - a marker
        marker = data[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - fill byte
            at += 1
        elif marker in _BARE_MARKERS:
            at += 2
        elif marker in _FRAME_MARKERS:
            rows, columns = struct.unpack_from(">2H", data, at + 5)
            return rows, columns
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise Refusal(Reason.DECODE_FAILED)


def _rle(data: bytes, pixels: PixelFormat) -> NDArray[Any]:
    """RLE: one segment for each byte of a sample, the highest first (PS3.5 G)."""
    if pixels.bits_allocated not in {8, 16, 32}:
        raise Refusal(Reason.UNSUPPORTED_PIXELS, bits_allocated=pixels.bits_allocated)
    deep = pixels.bits_allocated // 8
    held = _segments(data, pixels.rows * pixels.columns, pixels.samples * deep)
    planes = held.reshape(pixels.samples, deep, pixels.rows, pixels.columns)
    values: NDArray[Any] = planes[:, 0]
    for byte in range(1, deep):
        values = np.left_shift(values, 8, dtype=np.dtype(f"u{deep}"))
        np.bitwise_or(values, planes[:, byte], out=values)
    return values[0] if pixels.samples == 1 else np.ascontiguousarray(np.moveaxis(values, 0, -1))


def _segments(data: bytes, size: int, count: int) -> NDArray[np.uint8]:
    """(count, size): what the segments of an RLE frame unpack to; other threads go on."""
    places = _places(data, count)
    held = np.empty((count, size), np.uint8)
    try:
        _unpack(data, places, held)
    except Refusal:  # bytes behind the last pixel of a segment, more than the one that pads it
        data = _ended(data, size, count)
        _unpack(data, _places(data, count), held)
    return held


def _ended(data: bytes, size: int, count: int) -> bytes:
    try:
        return codestreams.rle(data, size, count)
    except Refusal:
        raise Refusal(Reason.DECODE_FAILED) from None


def _places(data: bytes, count: int) -> list[int]:
    """Where the segments begin, and where the last one ends."""
    if len(data) < _RLE_HEAD:
        raise Refusal(Reason.DECODE_FAILED)
    said, *offsets = struct.unpack_from("<16I", data)
    places = [*offsets[:count], len(data)]
    ascending = all(low < high for low, high in pairwise(places))
    if said != count or any(offsets[count:]) or places[0] < _RLE_HEAD or not ascending:
        raise Refusal(Reason.DECODE_FAILED, segments=said)
    return places


def _unpack(data: bytes, places: list[int], held: NDArray[np.uint8]) -> None:
    from imagecodecs import packbits_decode  # noqa: PLC0415 - heavy

    decode: Any = packbits_decode  # which takes and gives arrays, whatever it says
    whole = memoryview(data)
    for plane, (start, end) in zip(held, pairwise(places), strict=True):
        made = _guarded(partial(decode, whole[start:end], out=plane))
        if made.size != plane.size:
            raise Refusal(Reason.DECODE_FAILED, values=made.size)


def _jpeg(data: bytes, pixels: PixelFormat) -> NDArray[Any]:
    """JPEG baseline and extended, 8 and 12 bits; YCbCr comes out as RGB."""
    from imagecodecs import jpeg8_decode  # noqa: PLC0415 - heavy

    space = "RGB" if pixels.samples > 1 and _stored_as_rgb(data, pixels) else None
    return _guarded(lambda: jpeg8_decode(data, colorspace=space, outcolorspace=space))


def _stored_as_rgb(data: bytes, pixels: PixelFormat) -> bool:
    """Whether the components are RGB: the JPEG's own markers decide, then the header."""
    head = data[:4096]
    adobe = head.find(b"\xff\xee\x00\x0eAdobe")
    if adobe >= 0 and len(head) > adobe + 15:
        return head[adobe + 15] == 0
    if b"\xff\xe0" in head[:4] and b"JFIF" in head[:16]:
        return False
    return pixels.photometric is Photometric.RGB


def _jpeg_lossless(data: bytes, pixels: PixelFormat) -> NDArray[Any]:
    """JPEG lossless, any predictor; the components as they are."""
    from imagecodecs import jpegsof3_decode, ljpeg_decode  # noqa: PLC0415 - heavy

    if pixels.samples > 1:
        return np.ascontiguousarray(_guarded(lambda: jpegsof3_decode(data)))
    return _guarded(lambda: ljpeg_decode(data))


def _jpeg_ls(data: bytes, _: PixelFormat) -> NDArray[Any]:
    from imagecodecs import jpegls_decode  # noqa: PLC0415 - heavy

    return _guarded(lambda: jpegls_decode(data))


def _jpeg_2000(data: bytes, _: PixelFormat) -> NDArray[Any]:
    """JPEG 2000; the decoder undoes the multiple component transform itself."""
    from imagecodecs import jpeg2k_decode  # noqa: PLC0415 - heavy

    return _guarded(lambda: jpeg2k_decode(data, numthreads=1))


def _htj2k(data: bytes, _: PixelFormat) -> NDArray[Any]:
    from imagecodecs import htj2k_decode  # noqa: PLC0415 - heavy

    return _guarded(lambda: htj2k_decode(data, planar=False))


def _guarded(work: Callable[[], Any]) -> NDArray[Any]:
    """What the codec gives, its own exceptions made ours."""
    try:
        return np.asarray(work())
    except (RuntimeError, ValueError, TypeError, IndexError, OSError):
        # imagecodecs' errors derive from RuntimeError
        raise Refusal(Reason.DECODE_FAILED) from None


_DECODERS: Mapping[Codec, Decoder] = MappingProxyType(
    {
        Codec.RLE: _rle,
        Codec.JPEG_BASELINE: _jpeg,
        Codec.JPEG_EXTENDED: _jpeg,
        Codec.JPEG_LOSSLESS: _jpeg_lossless,
        Codec.JPEG_LOSSLESS_SV1: _jpeg_lossless,
        Codec.JPEG_LS: _jpeg_ls,
        Codec.JPEG_LS_NEAR: _jpeg_ls,
        Codec.JPEG_2000_LOSSLESS: _jpeg_2000,
        Codec.JPEG_2000: _jpeg_2000,
        Codec.HTJ2K_LOSSLESS: _htj2k,
        Codec.HTJ2K_LOSSLESS_RPCL: _htj2k,
        Codec.HTJ2K: _htj2k,
    }
)
