"""gzip as one member with no name and no time (RFC 1952), of a file in one piece or in chunks."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADER = b"\x1f\x8b\x08\x00" + b"\0\0\0\0" + b"\x00\xff"  # deflate, no flags, no time, no system
_RAW = -15
_FASTEST_OF_ZLIB = 3
_SMALL_BLOCKS = 3
"""ISA-L's memory level: new Huffman codes more often, which packs voxels 1 % better at no cost."""
_LEAST_BLOCK = 5000
"""libdeflate makes none that is shorter, but for the last one."""


def packed(head: bytes, body: NDArray[np.uint8], level: int) -> Iterator[bytes | memoryview]:
    """A short head and a body in one piece, as one gzip member by libdeflate.

    Its bytes are the same on every processor. The head is stored and not packed, so that it needs
    no piece of memory together with the body (RFC 1951 3.2.4).

    Args:
        head: at most 65535 bytes.
        body: contiguous.
        level: 1 to 9, libdeflate's own.
    """
    import imagecodecs  # noqa: PLC0415 - heavy
    from isal import isal_zlib  # noqa: PLC0415 - heavy

    stored = struct.pack("<B2H", 0, len(head), len(head) ^ 0xFFFF) + head
    # memory that is not written to is never taken, so the room for what packs badly costs nothing
    room = np.empty(body.nbytes + 5 * (body.nbytes // _LEAST_BLOCK + 2) + 64, np.uint8)
    encode: Any = imagecodecs.deflate_encode  # which takes arrays, whatever it says
    made: Any = encode(body, level=level, raw=True, out=room)
    crc32: Any = isal_zlib.crc32
    yield _HEADER + stored
    yield memoryview(made)
    yield struct.pack("<2I", crc32(body, crc32(head)), (len(head) + body.nbytes) & 0xFFFFFFFF)


def gzipped(chunks: Iterable[bytes | memoryview], level: int) -> Iterator[bytes]:
    """The chunks as one gzip member, for what is too large to be held twice.

    Levels 1 and 2 are ISA-L's, which give the same bytes on every processor (its level 3 does
    not); 3 to 9 are zlib's.
    """
    if level < _FASTEST_OF_ZLIB:
        from isal import isal_zlib  # noqa: PLC0415 - heavy

        packer: Any = isal_zlib.compressobj(level, isal_zlib.DEFLATED, _RAW, _SMALL_BLOCKS)
        crc32: Any = isal_zlib.crc32
    else:
        packer = zlib.compressobj(level, zlib.DEFLATED, _RAW)
        crc32 = zlib.crc32
    crc, size = 0, 0
    yield _HEADER
    for chunk in chunks:
        crc = crc32(chunk, crc)
        size += memoryview(chunk).nbytes
        made = packer.compress(chunk)
        if made:
            yield made
    yield packer.flush() + struct.pack("<2I", crc, size & 0xFFFFFFFF)
