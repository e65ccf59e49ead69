"""PNG bytes from an array: lossless, the same on every machine, many times faster than Pillow.

Three chunks and no more (IHDR, IDAT, IEND), so no time, text, name or profile can ride along;
pHYs is added only where a pixel is not square.
"""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB = 0, 2
_SUB, _UP = 1, 2
# isal gives the same bytes on every processor up to level 2, not at 3.
_LEVEL = 2
_MAX_SIDE = 2**31 - 1


def png(values: NDArray[Any], *, aspect: float = 1.0) -> bytes:
    """Encode one picture.

    Args:
        values: (rows, columns) of uint8 or uint16, or (rows, columns, 3) of uint8 or uint16, RGB.
        aspect: height of a pixel over its width.

    Raises:
        ValueError: another shape or type, an empty picture, an aspect that is not positive.
    """
    depth, colour = _form(values)
    if not (np.isfinite(aspect) and aspect > 0):
        raise ValueError("the pixel aspect must be a positive number")
    from isal import isal_zlib  # noqa: PLC0415 - a heavy library, for this file alone

    rows, columns = values.shape[:2]
    lines = _filtered(values)
    packed = isal_zlib.compress(lines, level=_LEVEL)
    header = struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")]
    if aspect != 1.0:
        chunks.insert(1, (b"pHYs", _physical(aspect)))
    return b"".join([_SIGNATURE, *(_chunk(kind, data) for kind, data in chunks)])


def _form(values: NDArray[Any]) -> tuple[int, int]:
    if values.dtype.newbyteorder("=") not in (np.dtype(np.uint8), np.dtype(np.uint16)):
        raise ValueError("a PNG holds uint8 or uint16")
    colour = values.ndim == 3 and values.shape[2] == 3  # noqa: PLR2004 - rows, columns, RGB
    if values.ndim != 2 and not colour:  # noqa: PLR2004 - rows, columns
        raise ValueError("a PNG is (rows, columns) or (rows, columns, 3)")
    if values.size == 0 or max(values.shape) > _MAX_SIDE:
        raise ValueError("a PNG has at least one pixel and a side below 2**31")
    return values.dtype.itemsize * 8, _RGB if colour else _GREY


def _filtered(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scan lines, each with its filter byte: differences to the pixel above (Up) or left (Sub).

    Measured on CT, MR, CR and ultrasound: Up packs grey best, Sub colour.
    """
    swapped = values.astype(">u2") if values.dtype.itemsize > 1 else values
    raw = np.ascontiguousarray(swapped).view(np.uint8).reshape(values.shape[0], -1)
    lines = np.empty((raw.shape[0], raw.shape[1] + 1), dtype=np.uint8)
    body = lines[:, 1:]
    if values.ndim == 2:  # noqa: PLR2004 - rows, columns: grey
        lines[:, 0] = _UP
        body[0] = raw[0]
        np.subtract(raw[1:], raw[:-1], out=body[1:])
    else:
        step = 3 * values.dtype.itemsize
        lines[:, 0] = _SUB
        body[:, :step] = raw[:, :step]
        np.subtract(raw[:, step:], raw[:, :-step], out=body[:, step:])
    return lines


def _physical(aspect: float) -> bytes:
    """The pHYs chunk: pixels per unit along x and y; unit unknown, for only the ratio counts."""
    ratio = Fraction(aspect).limit_denominator(10_000)
    if ratio <= 0 or ratio.numerator > _MAX_SIDE:
        raise ValueError("the pixel aspect cannot be said in a PNG")
    return struct.pack(">IIB", ratio.numerator, ratio.denominator, 0)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(kind))
    return b"".join([struct.pack(">I", len(data)), kind, data, struct.pack(">I", check)])
