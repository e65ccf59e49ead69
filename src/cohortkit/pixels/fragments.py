"""Encapsulated pixels taken apart into frames and put together again (PS3.5 A.4).

Every byte between the fragments has to be an item tag and a length; what is not is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from cohortkit.errors import Refusal
from cohortkit.model import Reason

Frame = tuple[bytes, ...]
"""The fragments of one frame."""

_ITEM = 0xE000FFFE  # as a little-endian number of four bytes
_HEAD = struct.Struct("<II")
_STARTS = (b"\xff\xd8", b"\xff\x4f\xff\x51")  # JPEG, JPEG-LS; JPEG 2000
_MOST_OFFSET = 1 << 32


def frames_of(data: bytes, count: int) -> tuple[tuple[Frame, ...], bool]:
    """The frames, and whether the file had an offset table.

    Args:
        data: the value of the pixel attribute up to the sequence delimiter.
        count: how many frames the header says there are.

    Raises:
        Refusal: ``pixel-length``: the fragments are not so many frames, or nothing says which.
    """
    fragments, places = _items(data)
    table, fragments, places = fragments[0], fragments[1:], places[1:]
    if len(fragments) == count:
        return tuple((one,) for one in fragments), bool(table)
    if count == 1 and fragments:
        return (tuple(fragments),), bool(table)
    starts = _by_table(table, places, count)
    if starts is None:
        starts = [n for n, one in enumerate(fragments) if one.startswith(_STARTS)]
    if len(starts) != count or starts[0] != 0:
        raise Refusal(Reason.PIXEL_LENGTH, frames_found=len(starts), frames_said=count)
    ends = [*starts[1:], len(fragments)]
    groups = zip(starts, ends, strict=True)
    return tuple(tuple(fragments[low:high]) for low, high in groups), bool(table)


def _items(data: bytes) -> tuple[list[bytes], list[int]]:
    found, places, at = [], [], 0
    while at < len(data):
        if at + 8 > len(data):
            raise Refusal(Reason.PIXEL_LENGTH)
        tag, length = _HEAD.unpack_from(data, at)
        if tag != _ITEM or at + 8 + length > len(data):
            raise Refusal(Reason.PIXEL_LENGTH)
        found.append(data[at + 8 : at + 8 + length])
        places.append(at)
        at += 8 + length
    if not found:
        raise Refusal(Reason.PIXEL_LENGTH)
    return found, places


def _by_table(table: bytes, places: Sequence[int], count: int) -> list[int] | None:
    """The first fragment of each frame by the basic offset table; None where that is no help."""
    if not places or len(table) != 4 * count:
        return None
    offsets = struct.unpack(f"<{count}I", table)
    numbers = {place - places[0]: number for number, place in enumerate(places)}
    starts = [numbers.get(offset, -1) for offset in offsets]
    ascending = all(low < high for low, high in pairwise(starts))
    return starts if ascending and starts[0] == 0 else None


def joined(frames: Sequence[Frame], *, table: bool) -> Iterator[bytes]:
    """The value again, the offset table made anew.

    Args:
        frames: fragments of even length.
        table: whether there is to be one where it is not needed: where each frame is one
            fragment.
    """
    needed = table or (len(frames) > 1 and any(len(frame) > 1 for frame in frames))
    sizes = [sum(8 + len(part) for part in frame) for frame in frames]
    offsets = [0, *accumulate(sizes)][:-1]
    if needed and offsets[-1] < _MOST_OFFSET:
        yield _HEAD.pack(_ITEM, 4 * len(offsets)) + struct.pack(f"<{len(offsets)}I", *offsets)
    else:
        yield _HEAD.pack(_ITEM, 0)
    for frame in frames:
        for part in frame:
            yield _HEAD.pack(_ITEM, len(part))
            yield part
