"""Pixels that lie in the file as they are: byte order, packing, planes, masks (PS3.5 8.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal
from cohortkit.model import Codec, Photometric, PixelFormat, Reason
from cohortkit.model.facts import PixelType
from cohortkit.pixels.codecs import JPEGS

_BYTE = 8
_PACKED_12 = 12


def decode(data: bytes, pixels: PixelFormat) -> NDArray[Any]:
    """The values of all frames.

    Raises:
        Refusal: ``pixel-length`` where the bytes are not those that the header says.
    """
    said = _checked(data, pixels)
    count = pixels.frames * pixels.rows * pixels.columns * pixels.samples
    if pixels.photometric is Photometric.YBR_FULL_422:
        return _subsampled(groups(data, pixels), pixels)
    if pixels.bits_allocated == 1:
        flat = np.unpackbits(np.frombuffer(data, np.uint8, said), count=count, bitorder="little")
    elif pixels.bits_allocated == _PACKED_12:
        flat = _unpack_12(data, count, pixels)
    else:
        flat = np.frombuffer(data, _dtype(pixels), count)
    if not flat.dtype.isnative:
        flat = flat.astype(flat.dtype.newbyteorder("="))
    return trimmed(_shaped(flat, pixels), pixels, encoded=False)


def packed(values: NDArray[Any], pixels: PixelFormat) -> bytes:
    """Stored samples as the bytes of a native pixel attribute, without the pad byte.

    The way back from ``decode``: bits above High Bit repeat the sign or are 0, bits below the
    value are 0.

    Args:
        values: (frames, rows, columns[, samples]), in the order of colour that is to be written.
        pixels: how they are to lie.
    """
    if pixels.samples > 1 and pixels.planar == 1:
        values = np.moveaxis(values, -1, 1)
    if pixels.bits_allocated == 1:
        return np.packbits(values.reshape(-1), bitorder="little").tobytes()
    up = pixels.high_bit + 1 - pixels.bits_stored
    if up:
        values = np.left_shift(values, up)
    if pixels.bits_allocated == _PACKED_12:
        return _pack_12(values.reshape(-1))
    return values.astype(_dtype(pixels), copy=False).tobytes()


def groups(data: bytes, pixels: PixelFormat) -> NDArray[np.uint8]:
    """Subsampled colour: (frames, rows, pairs, 4), a pair being Y1 Y2 Cb Cr (C.7.6.3.1.2).

    Raises:
        Refusal: ``pixel-length``.
    """
    flat = np.frombuffer(data, np.uint8, _checked(data, pixels))
    return flat.reshape(pixels.frames, pixels.rows, (pixels.columns + 1) // 2, 4)


def _checked(data: bytes, pixels: PixelFormat) -> int:
    said = length(pixels)
    if not said <= len(data) <= said + (said % 2):
        raise Refusal(Reason.PIXEL_LENGTH, bytes_found=len(data), bytes_said=said)
    return said


def length(pixels: PixelFormat) -> int:
    """How many bytes the native pixels take, without the pad byte."""
    count = pixels.frames * pixels.rows * pixels.columns * pixels.samples
    if pixels.photometric is Photometric.YBR_FULL_422:
        return pixels.frames * pixels.rows * ((pixels.columns + 1) // 2) * 4
    return (count * pixels.bits_allocated + 7) // 8


def trimmed(values: NDArray[Any], pixels: PixelFormat, *, encoded: bool) -> NDArray[Any]:
    """Values with the bits above High Bit masked, the sign extended, and colour as RGB.

    Args:
        values: (…, rows, columns[, 3]).
        pixels: the Image Pixel module.
        encoded: whether they come from a codec, where the lowest bits always hold the value.
    """
    if pixels.held_in is PixelType.INTEGER:
        values = _masked(values, pixels, encoded=encoded)
    if pixels.photometric is Photometric.YBR_FULL and not (encoded and _rgb_by_codec(pixels)):
        values = _to_rgb(values)
    return values


def _masked(values: NDArray[Any], pixels: PixelFormat, *, encoded: bool) -> NDArray[Any]:
    if pixels.bits_allocated == 1:
        return values.astype(np.uint8, copy=False)
    allocated = 16 if pixels.bits_allocated == _PACKED_12 else pixels.bits_allocated
    sign = "i" if pixels.signed else "u"
    target = np.dtype(f"{sign}{allocated // _BYTE}")
    if values.dtype.itemsize == target.itemsize:
        values = values.view(target)
    else:
        values = values.astype(target)
    high_bit = pixels.bits_stored - 1 if encoded else pixels.high_bit
    up, down = allocated - 1 - high_bit, allocated - pixels.bits_stored
    if not up and not down:
        return values
    if up == down and _fits(values, pixels.bits_stored, signed=pixels.signed):
        return values
    shifted: NDArray[Any] = np.right_shift(np.left_shift(values, up), down)
    return shifted


def _fits(values: NDArray[Any], bits: int, *, signed: bool) -> bool:
    """Whether no bit above the stored ones is at work, which spares a copy."""
    highest = (1 << (bits - signed)) - 1
    lowest = -highest - 1 if signed else 0
    return int(values.max()) <= highest and (not signed or int(values.min()) >= lowest)


def _dtype(pixels: PixelFormat) -> np.dtype[Any]:
    order = ">" if pixels.codec is Codec.EXPLICIT_BIG else "<"
    if pixels.held_in is PixelType.FLOAT:
        return np.dtype(f"{order}f4")
    if pixels.held_in is PixelType.DOUBLE:
        return np.dtype(f"{order}f8")
    sign = "i" if pixels.signed else "u"
    return np.dtype(f"{order}{sign}{pixels.bits_allocated // _BYTE}")


def _shaped(flat: NDArray[Any], pixels: PixelFormat) -> NDArray[Any]:
    if pixels.samples == 1:
        return flat.reshape(pixels.frames, pixels.rows, pixels.columns)
    if pixels.planar == 1:
        planes = flat.reshape(pixels.frames, pixels.samples, pixels.rows, pixels.columns)
        return np.ascontiguousarray(np.moveaxis(planes, 1, -1))
    return flat.reshape(pixels.frames, pixels.rows, pixels.columns, pixels.samples)


def _unpack_12(data: bytes, count: int, pixels: PixelFormat) -> NDArray[Any]:
    """Two pixels in three bytes; the first in the low bits of a little-endian stream."""
    if pixels.codec is Codec.EXPLICIT_BIG:
        raise Refusal(Reason.UNSUPPORTED_PIXELS, bits_allocated=_PACKED_12)
    padded = np.zeros(-(-count // 2) * 3, np.uint8)
    used = (count * _PACKED_12 + 7) // 8
    padded[:used] = np.frombuffer(data, np.uint8, used)
    low, mid, high = padded.reshape(-1, 3).T.astype(np.uint16)
    pairs = np.stack((low | (mid & 15) << 8, mid >> 4 | high << 4), axis=1)
    return pairs.reshape(-1)[:count]


def _pack_12(flat: NDArray[Any]) -> bytes:
    pairs = np.zeros(-(-flat.size // 2) * 2, np.uint16)
    pairs[: flat.size] = flat.view(f"u{flat.dtype.itemsize}") & ((1 << _PACKED_12) - 1)
    first, second = pairs.reshape(-1, 2).T
    triples = np.stack((first & 255, first >> 8 | (second & 15) << 4, second >> 4), axis=1)
    return triples.astype(np.uint8).tobytes()[: (flat.size * _PACKED_12 + 7) // 8]


def _rgb_by_codec(pixels: PixelFormat) -> bool:
    """Whether the decoder undoes the colour transform itself (JPEG does, the others do not)."""
    return pixels.codec in JPEGS


def _subsampled(pairs: NDArray[np.uint8], pixels: PixelFormat) -> NDArray[Any]:
    """RGB of (frames, rows, pairs, 4)."""
    half = pairs.shape[2]
    values = np.empty((pixels.frames, pixels.rows, half, 2, 3), np.uint8)
    values[..., 0] = pairs[..., :2]
    values[..., 1:] = pairs[..., np.newaxis, 2:]
    values = values.reshape(pixels.frames, pixels.rows, half * 2, 3)[:, :, : pixels.columns]
    return _to_rgb(values)


def _to_rgb(values: NDArray[Any]) -> NDArray[Any]:
    """YBR_FULL to RGB, 8 bits (PS3.3 C.7.6.3.1.2)."""
    if values.dtype != np.uint8:
        raise Refusal(Reason.UNSUPPORTED_PIXELS, bits_allocated=values.dtype.itemsize * _BYTE)
    rgb = np.empty(values.shape, np.uint8)
    single = values[np.newaxis] if values.ndim == 3 else values  # noqa: PLR2004 - one frame
    out = rgb[np.newaxis] if values.ndim == 3 else rgb  # noqa: PLR2004 - one frame
    for frame, target in zip(single, out, strict=True):
        light, blue, red = np.moveaxis(frame.astype(np.float32), -1, 0)
        blue, red = blue - 128, red - 128
        target[..., 0] = _byte(light + 1.402 * red)
        target[..., 1] = _byte(light - 0.344136 * blue - 0.714136 * red)
        target[..., 2] = _byte(light + 1.772 * blue)
    return rgb


def _byte(values: NDArray[Any]) -> NDArray[Any]:
    rounded: NDArray[Any] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded
