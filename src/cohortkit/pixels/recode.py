"""Pixels whose parts were blanked, as bytes again: in their own encoding where nothing is lost.

Native pixels are changed where they lie. What was losslessly compressed is compressed so again;
what was compressed with loss is not compressed with loss a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.model import Codec, Photometric, PixelFormat
from cohortkit.pixels import codestreams, decode, native, redact
from cohortkit.pixels.holes import Holes

LOSSY = frozenset({Codec.JPEG_BASELINE, Codec.JPEG_EXTENDED, Codec.JPEG_LS_NEAR})
"""Encodings that never give back what went in; JPEG 2000 may or may not."""

_BYTE = 8
_MOST_BITS = 16
_WIDEST = 32
_FEWEST_BITS = 2  # of a sample in JPEG lossless (ISO 10918-1 B.2.2)
_DEPTH = 42  # Ssiz of the first component, behind SOC and the fixed part of SIZ
_MARKER, _APPLICATION = 0xFF, frozenset(range(0xE0, 0xF0))


@dataclass(frozen=True, slots=True, repr=False)
class Encoded:
    """The value of the pixel attribute, and what the header must say of it.

    Attributes:
        data: native: the bytes in the order of the codec, padded to an even length. Encapsulated:
            the fragments with their item tags, from the basic offset table on.
        pixels: the Image Pixel module that fits; its ``codec`` is the transfer syntax.
    """

    data: bytes
    pixels: PixelFormat

    def __repr__(self) -> str:
        return f"<Encoded {len(self.data)} bytes, {self.pixels.codec.name}>"


def recode(
    data: bytes,
    pixels: PixelFormat,
    what: redact.Redaction | None,
    into: Codec,
    holes: Holes | None = None,
) -> Encoded:
    """One instance with parts blanked.

    Args:
        data: the value of the pixel attribute, as a ``PixelHandle`` reads it.
        pixels: the Image Pixel module of it.
        what: which parts of every frame; None for none.
        into: for what has no lossless encoder here: explicit little endian, RLE, JPEG-LS or JPEG
            2000, both lossless.
        holes: single voxels that go besides, of grey frames.

    Raises:
        Refusal: as ``decode``; ``redaction-outside``.
    """
    decode.check(pixels)
    if pixels.codec.native:
        return Encoded(_native(data, pixels, what, holes), pixels)
    kept = _can(pixels.codec, pixels.bits_allocated)
    values = np.array((decode.stored if kept else decode.decode)(data, pixels))
    if what is not None:
        fill = (redact.stored_fill if kept else redact.shown_fill)(pixels, what)
        redact.blacken(values, redact.mask(pixels, what), fill)
    if holes is not None:
        holes.put(values)
    if kept:
        return _encapsulated(values, replace(pixels, high_bit=pixels.bits_stored - 1))
    return _plain(values, pixels, into)


def _can(codec: Codec, bits_allocated: int) -> bool:
    """Whether words of this size can be put into this encoding without loss."""
    widest = _WIDEST if codec is Codec.RLE else _MOST_BITS
    return codec in _ENCODERS and bits_allocated % _BYTE == 0 and bits_allocated <= widest


def _native(
    data: bytes, pixels: PixelFormat, what: redact.Redaction | None, holes: Holes | None
) -> bytes:
    """The same bytes with parts blanked, and nothing above or below the stored bits."""
    if what is not None and pixels.photometric is Photometric.YBR_FULL_422:
        fill = redact.stored_fill(pixels, what)
        groups = native.groups(data, pixels).copy()
        assert isinstance(fill, tuple)
        redact.blacken(groups, redact.mask(pixels, what)[:, ::2], (fill[0], *fill))
        return _even(groups.tobytes())
    values = np.array(decode.stored(data, pixels))
    if what is not None:
        redact.blacken(values, redact.mask(pixels, what), redact.stored_fill(pixels, what))
    if holes is not None:
        holes.put(values)
    return _even(native.packed(values, pixels))


def _plain(values: NDArray[Any], pixels: PixelFormat, codec: Codec) -> Encoded:
    """Decoded values, colour as RGB, in another encoding."""
    bits = values.dtype.itemsize * _BYTE
    if not codec.native and not _can(codec, bits):
        codec = Codec.EXPLICIT_LITTLE
    plain = replace(
        pixels,
        codec=codec,
        planar=int(codec is Codec.RLE and pixels.samples > 1),
        photometric=Photometric.RGB if pixels.samples > 1 else pixels.photometric,
        bits_allocated=bits,
        high_bit=pixels.bits_stored - 1,
    )
    if codec.native:
        return Encoded(_even(native.packed(values, plain)), plain)
    return _encapsulated(values, plain)


def _encapsulated(frames: NDArray[Any], pixels: PixelFormat) -> Encoded:
    from pydicom.encaps import encapsulate  # noqa: PLC0415 - only what is encapsulated needs it

    encode = _ENCODERS[pixels.codec]
    coded = [encode(np.ascontiguousarray(frame), pixels) for frame in frames]
    return Encoded(encapsulate(coded), pixels)


def _even(data: bytes) -> bytes:
    return data + bytes(len(data) % 2)


def _unsigned(frame: NDArray[Any], pixels: PixelFormat) -> NDArray[Any]:
    """The stored bits alone, in the smallest word: what a codec without signs takes."""
    bits = frame.view(f"u{frame.dtype.itemsize}") & ((1 << pixels.bits_stored) - 1)
    return bits.astype(np.uint8) if pixels.bits_stored <= _BYTE else bits


def _rle(frame: NDArray[Any], pixels: PixelFormat) -> bytes:
    from rle.utils import encode_pixel_data  # noqa: PLC0415 - heavy

    return bytes(
        encode_pixel_data(
            frame.astype(frame.dtype.newbyteorder("<"), copy=False).tobytes(),
            byteorder="<",
            rows=pixels.rows,
            columns=pixels.columns,
            samples_per_pixel=pixels.samples,
            bits_allocated=frame.dtype.itemsize * _BYTE,
        )
    )


def _jpeg_ls(frame: NDArray[Any], pixels: PixelFormat) -> bytes:
    """Lossless, and the stream says how many bits are stored (PS3.5 8.2.3).

    Noise that grows by being coded does not fit where that encoder puts it; then it is coded in
    whole words, as lossless, with the size of the word in the stream.
    """
    from imagecodecs import jpegls_encode  # noqa: PLC0415 - heavy

    whole = _unsigned(frame, pixels)
    coded = None if pixels.bits_stored == whole.dtype.itemsize * _BYTE else _narrow(whole, pixels)
    return _bare(coded or bytes(jpegls_encode(whole, 0)))


def _narrow(whole: NDArray[Any], pixels: PixelFormat) -> bytes | None:
    """JPEG-LS of samples that do not fill their word; None where it does not fit."""
    from jpeg_ls import encode_buffer  # noqa: PLC0415 - for these alone

    try:
        return bytes(
            encode_buffer(
                whole.astype(whole.dtype.newbyteorder("<"), copy=False).tobytes(),
                pixels.rows,
                pixels.columns,
                pixels.samples,
                max(pixels.bits_stored, _FEWEST_BITS),
                interleave_mode=2 if pixels.samples > 1 else 0,
            )
        )
    except RuntimeError:
        return None


def _jpeg_lossless(frame: NDArray[Any], pixels: PixelFormat) -> bytes:
    """Process 14 with selection value 1, so it serves both of its transfer syntaxes."""
    from imagecodecs import jpeg8_encode  # noqa: PLC0415 - heavy

    bits = max(pixels.bits_stored, _FEWEST_BITS)
    whole = _unsigned(frame, pixels)
    return _bare(bytes(jpeg8_encode(whole, lossless=True, predictor=1, bitspersample=bits)))


def _bare(data: bytes) -> bytes:
    """A JPEG stream without the application segments that encoders put at its head.

    What the samples mean stands in the header; SPIFF, JFIF and Adobe say it their own way.
    """
    at = 2
    while data[at] == _MARKER and data[at + 1] in _APPLICATION:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at : at + 2] == data[:2]:  # SPIFF ends its directory with an image of its own
            at += 2
    return data[:2] + data[at:]


def _jpeg_2000(frame: NDArray[Any], pixels: PixelFormat) -> bytes:
    from imagecodecs import jpeg2k_encode  # noqa: PLC0415 - heavy

    return bytes(
        jpeg2k_encode(
            frame,
            0,
            codecformat="J2K",
            reversible=True,
            mct=pixels.photometric is Photometric.YBR_RCT,
            bitspersample=pixels.bits_stored,
            numthreads=1,
        )
    )


def _htj2k(frame: NDArray[Any], pixels: PixelFormat) -> bytes:
    """HTJ2K, reversible, in the order RPCL, so it serves both of its lossless transfer syntaxes.

    The encoder takes whole words. Samples are handed over as signed ones around their middle, so
    that it moves no level, and then the stream is told how they are stored (ISO 15444-1 A.5.1).
    """
    from imagecodecs import htj2k_encode  # noqa: PLC0415 - heavy

    bits, signed = pixels.bits_stored, pixels.signed
    whole = bits == frame.dtype.itemsize * _BYTE
    words = frame if whole or signed else (frame.astype(np.int32) - (1 << (bits - 1)))
    coded = htj2k_encode(
        words if whole else words.astype(np.int16),
        reversible=True,
        rgb=pixels.photometric is Photometric.YBR_RCT,
        tlm=True,
    )
    stream = bytearray(codestreams.jpeg2000(bytes(coded))[0])
    if not whole:
        for component in range(pixels.samples):
            stream[_DEPTH + 3 * component] = (0x80 if signed else 0) | (bits - 1)
    return bytes(stream)


_ENCODERS: Mapping[Codec, Callable[[NDArray[Any], PixelFormat], bytes]] = MappingProxyType(
    {
        Codec.RLE: _rle,
        Codec.JPEG_LS: _jpeg_ls,
        Codec.JPEG_LOSSLESS: _jpeg_lossless,
        Codec.JPEG_LOSSLESS_SV1: _jpeg_lossless,
        Codec.JPEG_2000_LOSSLESS: _jpeg_2000,
        Codec.HTJ2K_LOSSLESS: _htj2k,
        Codec.HTJ2K_LOSSLESS_RPCL: _htj2k,
    }
)
