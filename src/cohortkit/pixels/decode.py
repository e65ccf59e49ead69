"""Stored pixel values from the bytes of the pixel attribute (PS3.5 section 8 and Annex A).

Nothing is scaled, windowed or inverted here. Bits above High Bit are masked away, signed values
are sign-extended, colour comes out as RGB. Sizes are checked before memory is taken.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal
from cohortkit.model import Codec, Photometric, PixelFormat, Reason
from cohortkit.model.facts import PixelType
from cohortkit.pixels import codecs, native
from cohortkit.pixels.ahead import ahead, threads

MOST_BYTES = 8 << 30
"""No single instance may decode to more than this."""

_COLOURS_OF_3 = frozenset(
    {
        Photometric.RGB,
        Photometric.YBR_FULL,
        Photometric.YBR_FULL_422,
        Photometric.YBR_ICT,
        Photometric.YBR_RCT,
    }
)
_GREYS = frozenset({Photometric.MONOCHROME1, Photometric.MONOCHROME2, Photometric.PALETTE})


def decode(data: bytes, pixels: PixelFormat) -> NDArray[Any]:
    """The stored values of one instance.

    Args:
        data: the value of the pixel attribute, as a ``PixelHandle`` reads it.
        pixels: the Image Pixel module (PS3.3 C.7.6.3).

    Returns:
        (frames, rows, columns), or (frames, rows, columns, 3) in RGB for colour. The type is the
        signed or unsigned integer of Bits Allocated (8 for 1 bit, 16 for 12 bits), or a float.
        PALETTE COLOR comes as its indices. The array may be read only.

    Raises:
        Refusal: ``unsupported-pixels``, ``too-large``, ``pixel-length``, ``no-decoder``,
            ``decode-failed``.
    """
    check(pixels)
    if pixels.codec.native:
        return native.decode(data, pixels)
    decoder = codecs.decoder(pixels.codec)
    frames = tuple(_fragments(data, pixels))
    if len(frames) != pixels.frames:
        raise Refusal(Reason.PIXEL_LENGTH, frames_found=len(frames), frames_said=pixels.frames)
    if len(frames) == 1:
        return _frame(frames[0], pixels, decoder)[np.newaxis]
    made = ahead(lambda frame: _frame(frame, pixels, decoder), frames, threads())
    first = next(made)
    values = np.empty((pixels.frames, *first.shape), first.dtype)
    values[0] = first
    for number, frame in enumerate(made, start=1):
        values[number] = frame
    return values


def stored(data: bytes, pixels: PixelFormat) -> NDArray[Any]:
    """The samples as they are stored: as ``decode``, but YBR_FULL stays what it is.

    Subsampled colour is no array of samples; see ``native.groups``.
    """
    if pixels.photometric is Photometric.YBR_FULL:
        pixels = replace(pixels, photometric=Photometric.RGB)  # whose samples pass untouched
    return decode(data, pixels)


def missing(codec: Codec) -> str | None:
    """What has to be installed to decode this, in words for people; None where all is there."""
    return codecs.missing(codec)


def nbytes(pixels: PixelFormat) -> int:
    """How many bytes the decoded values take."""
    item = max(1, (pixels.bits_allocated + 7) // 8)
    item = {3: 4, 5: 8, 6: 8, 7: 8}.get(item, item)
    return pixels.rows * pixels.columns * pixels.samples * pixels.frames * item


def check(pixels: PixelFormat) -> None:
    """Refuse what cannot be decoded, from the header alone.

    Raises:
        Refusal: ``unsupported-pixels``, ``too-large``.
    """
    if min(pixels.rows, pixels.columns, pixels.frames, pixels.samples) < 1:
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    if nbytes(pixels) > MOST_BYTES:
        raise Refusal(Reason.TOO_LARGE, bytes=nbytes(pixels))
    if pixels.held_in is not PixelType.INTEGER:
        bits = 32 if pixels.held_in is PixelType.FLOAT else 64
        if pixels.bits_allocated != bits or pixels.samples != 1 or not pixels.codec.native:
            raise Refusal(Reason.UNSUPPORTED_PIXELS, bits_allocated=pixels.bits_allocated)
        return
    sound = 1 <= pixels.bits_stored <= pixels.high_bit + 1 <= pixels.bits_allocated
    if not sound or pixels.bits_allocated not in {1, 8, 12, 16, 32}:
        raise Refusal(
            Reason.UNSUPPORTED_PIXELS,
            bits_allocated=pixels.bits_allocated,
            bits_stored=pixels.bits_stored,
            high_bit=pixels.high_bit,
        )
    colour = pixels.samples == 3 and pixels.photometric in _COLOURS_OF_3  # noqa: PLR2004 - RGB
    grey = pixels.samples == 1 and pixels.photometric in _GREYS
    if not (colour or grey):
        raise Refusal(Reason.UNSUPPORTED_PIXELS, samples=pixels.samples)
    if not _transform_known(pixels):
        raise Refusal(Reason.UNSUPPORTED_PIXELS, samples=pixels.samples)
    subsampled = pixels.photometric is Photometric.YBR_FULL_422
    if colour and pixels.bits_allocated != 8 and (pixels.bits_allocated != 16 or subsampled):  # noqa: PLR2004 - bits
        raise Refusal(Reason.UNSUPPORTED_PIXELS, bits_allocated=pixels.bits_allocated)


def _transform_known(pixels: PixelFormat) -> bool:
    """Whether this colour space may stand with this codec (PS3.5 8.2)."""
    if pixels.photometric is Photometric.YBR_FULL_422:
        return pixels.codec.native or pixels.codec in codecs.JPEGS
    if pixels.photometric in {Photometric.YBR_ICT, Photometric.YBR_RCT}:
        return pixels.codec in codecs.WAVELETS
    return True


def _frame(
    data: bytes, pixels: PixelFormat, decoder: Callable[[bytes, PixelFormat], NDArray[Any]]
) -> NDArray[Any]:
    """One encoded frame as (rows, columns[, 3])."""
    declared = codecs.declared_size(data, pixels.codec)
    if declared is not None and declared != (pixels.rows, pixels.columns):
        raise Refusal(Reason.DECODE_FAILED, rows=declared[0], columns=declared[1])
    values = decoder(data, pixels)
    shape: tuple[int, ...] = (pixels.rows, pixels.columns)
    if pixels.samples > 1:
        shape = (*shape, pixels.samples)
    if values.shape != shape:
        raise Refusal(Reason.DECODE_FAILED, dimensions=values.ndim)
    return native.trimmed(values, pixels, encoded=True)


def _fragments(data: bytes, pixels: PixelFormat) -> Iterator[bytes]:
    """The encoded frames, each of its fragments joined (PS3.5 A.4)."""
    from pydicom import encaps  # noqa: PLC0415 - only what is encapsulated needs it

    try:
        yield from encaps.generate_frames(data, number_of_frames=pixels.frames)
    except (ValueError, struct.error, EOFError, AttributeError, IndexError):
        raise Refusal(Reason.PIXEL_LENGTH, frames_said=pixels.frames) from None
