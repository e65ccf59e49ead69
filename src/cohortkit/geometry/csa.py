"""Siemens' CSA header: named values in a private element (both of its layouts)."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

_MOST_TAGS = 1024
_MOST_ITEMS = 4096
_TAG = struct.Struct("<64si4s3i")
_ITEM = struct.Struct("<4i")
_SECOND_LAYOUT = b"SV10"


def numbers(data: bytes) -> Mapping[str, tuple[float, ...]]:
    """Every tag whose items are numbers; empty where the bytes are no CSA header.

    A tag with an item that is no number is left out.
    """
    second = data[:4] == _SECOND_LAYOUT
    at = 8 if second else 0
    found: dict[str, tuple[float, ...]] = {}
    try:
        (count, _) = struct.unpack_from("<2I", data, at)
        if not 1 <= count <= _MOST_TAGS:
            return {}
        at += 8
        base: int | None = None
        for _ in range(count):
            name, _, _, _, held, check = _TAG.unpack_from(data, at)
            at += _TAG.size
            base = held if base is None else base
            if check not in {77, 205} or not 0 <= held <= _MOST_ITEMS:
                return {}
            values = []
            for _ in range(held):
                first, length, _, _ = _ITEM.unpack_from(data, at)
                at += _ITEM.size
                if not second:
                    length = first - base
                if length < 0 or at + length > len(data):
                    return {}
                values.append(data[at : at + length])
                at += (length + 3) // 4 * 4
            parsed = _parsed(values)
            if parsed:
                found[name.split(b"\0", 1)[0].decode("latin-1")] = parsed
    except struct.error:
        return {}
    return found


def _parsed(values: list[bytes]) -> tuple[float, ...]:
    out = []
    for value in values:
        plain = value.split(b"\0", 1)[0].strip()
        if not plain:
            continue
        try:
            number = float(plain)
        except ValueError:
            return ()
        if not math.isfinite(number):
            return ()
        out.append(number)
    return tuple(out)
