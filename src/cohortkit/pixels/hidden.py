"""What native pixels hide beside the picture: bits that no sample uses, bytes behind the last one.

Overlays once lay in those bits (PS3.5 8.1.2), and text can. They are cleared; every bit that a
sample uses, and all bytes of pixels that hide nothing, go through as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from cohortkit.errors import Refusal
from cohortkit.model import PixelFormat, Reason
from cohortkit.model.facts import PixelType
from cohortkit.pixels import decode, native

_BYTE = 8
_WHOLE = frozenset({8, 16, 32})
Bytes = bytes | memoryview


def length(pixels: PixelFormat, found: int) -> int:
    """How many of the bytes found are the picture.

    What is less than a frame behind the picture is left out. A whole frame more means that the
    header is wrong about the frames, and then nothing says which of them belong to it.

    Raises:
        Refusal: ``pixel-length``, ``unsupported-pixels``, ``too-large``.
    """
    decode.check(pixels)
    said = native.length(pixels)
    if not said <= found < said + max(said // pixels.frames, 2):
        raise Refusal(Reason.PIXEL_LENGTH, bytes_found=found, bytes_said=said)
    return said


def visible(
    chunks: Iterable[bytes], pixels: PixelFormat, said: int, *, big: bool
) -> Iterator[Bytes]:
    """The first ``said`` bytes with their unused bits cleared, padded to an even length.

    Args:
        chunks: the value in pieces of whole samples.
        pixels: what the header says of them.
        said: as ``length`` gives it.
        big: whether samples lie in big endian.
    """
    left = said
    for chunk in chunks:
        piece = chunk if len(chunk) <= left else memoryview(chunk)[:left]
        left -= len(piece)
        cleared = _cleared(piece, pixels, big=big)
        yield cleared if left else _trimmed(cleared, pixels)
        if not left:
            break
    if said % 2:
        yield b"\0"


def _cleared(data: Bytes, pixels: PixelFormat, *, big: bool) -> Bytes:
    """Samples without the bits outside of those stored; the same bytes where none is set."""
    allocated, stored = pixels.bits_allocated, pixels.bits_stored
    whole = allocated in _WHOLE and pixels.held_in is PixelType.INTEGER
    if not whole or stored == allocated:
        return data
    below = pixels.high_bit + 1 - stored
    used = ((1 << stored) - 1) << below
    order = ">" if big else "<"
    values = np.frombuffer(data, f"{order}u{allocated // _BYTE}")
    if not int(np.bitwise_or.reduce(values)) & ~used:
        return data
    zeroed = values & values.dtype.type(used)
    if not pixels.signed:
        return bytes(zeroed.astype(values.dtype).data)
    up = allocated - 1 - pixels.high_bit
    signed = values.view(f"{order}i{allocated // _BYTE}")
    extended = np.right_shift(np.left_shift(signed, up), up + below) << below
    if np.array_equal(extended, signed):
        return data  # the sign goes on above the high bit, as it should
    return bytes(extended.astype(signed.dtype).data)


def _trimmed(data: Bytes, pixels: PixelFormat) -> Bytes:
    """The last piece without the spare bits of its last byte, where samples are smaller than it."""
    bits = pixels.frames * pixels.rows * pixels.columns * pixels.samples * pixels.bits_allocated
    spare = -bits % _BYTE
    if not spare or not data or pixels.held_in is not PixelType.INTEGER:
        return data
    last = data[-1] & (0xFF >> spare)
    return data if last == data[-1] else bytes(data[:-1]) + bytes([last])
