"""Segmented palette tables, written out (PS3.3 C.7.9.2)."""

from __future__ import annotations

from collections.abc import Sequence

_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2
_MOST = 1 << 16
_WORD = 16


def expanded(data: Sequence[int], *, wide: bool) -> list[int] | None:
    """The entries of a segmented table; None for what breaks the rules or grows too large.

    Args:
        data: opcodes, counts and values as they lie there.
        wide: whether they are words of 16 bits, else bytes; it shapes the offset of an
            indirect segment.
    """
    found: list[int] = []
    at = 0
    try:
        while at < len(data):
            at = _segment(data, at, found, wide=wide)
            if len(found) > _MOST:
                return None
    except (IndexError, ValueError):
        return None
    return found


def _segment(data: Sequence[int], at: int, found: list[int], *, wide: bool) -> int:
    """Append the entries of the segment at this place; returns where the next one begins.

    Raises:
        IndexError: the data end in the middle of it.
        ValueError: an unknown opcode, or a reference that leads nowhere.
    """
    opcode, count = data[at], data[at + 1]
    if opcode == _DISCRETE:
        if at + 2 + count > len(data):
            raise IndexError
        found += data[at + 2 : at + 2 + count]
        return at + 2 + count
    if opcode == _LINEAR:
        _line(found, count, data[at + 2])
        return at + 3
    if opcode != _INDIRECT:
        raise ValueError
    width = 2 if wide else 4
    low_first = data[at + 2 : at + 2 + width]
    if len(low_first) < width:
        raise IndexError
    bits = _WORD if wide else _WORD // 2
    offset = sum(value << (bits * n) for n, value in enumerate(low_first))
    # an offset counts bytes; a reference must lead back, and to no other reference
    place = offset // 2 if wide else offset
    for _ in range(count):
        if place >= at or data[place] == _INDIRECT or len(found) > _MOST:
            raise ValueError
        place = _segment(data, place, found, wide=wide)
    return at + 2 + width


def _line(found: list[int], count: int, end: int) -> None:
    """A straight line from the entry before to ``end``, which is its last entry."""
    if not found:
        raise ValueError
    start = found[-1]
    found += [start + round((end - start) * n / count) for n in range(1, count + 1)]
