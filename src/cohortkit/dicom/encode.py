"""Elements as bytes (PS3.5 7): what lies raw in the wanted encoding goes out as it came in.

Text is written as UTF-8, for which the caller states ISO_IR 192. Sequences and items have their
length stated, never delimiters, so that no byte lies between them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pydicom.datadict import dictionary_VR, private_dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from cohortkit.dicom.layout import LONG_VRS

Element = DataElement | RawDataElement

_SHORTEST: Final = 1 << 16  # a value that long has no place behind a length of two bytes
_ITEM: Final = 0xFFFE, 0xE000
_LONG: Final = frozenset(vr.decode() for vr in LONG_VRS)
_NUMBERS: Final = {
    "FL": "f", "FD": "d", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q",
}  # fmt: skip
_WIDTHS: Final = {
    "AT": 2, "FL": 4, "FD": 8, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8,
    "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8,
}  # fmt: skip
"""Bytes that change places between little and big endian."""
_NO_TEXT: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN", "SQ"})
_PADDED_BY_NUL: Final = frozenset({"UI", "OB", "UN"})


@dataclass(frozen=True, slots=True)
class Encoding:
    """How elements are written.

    Attributes:
        implicit: without value representations.
        little: numbers in little endian.
        signed: Pixel Representation, which decides what ``US or SS`` is where a file leaves it out.
    """

    implicit: bool
    little: bool
    signed: bool = False


def encoded(elements: Iterable[Element], to: Encoding) -> bytes:
    """The elements one after the other, in the order in which they come.

    Raises:
        ValueError: a value that its representation cannot hold; the message names no value.
    """
    return b"".join(_pieces(elements, to))


def head(tag: int, vr: str, length: int, to: Encoding) -> bytes:
    """Tag, value representation and length of an element."""
    order = "<" if to.little else ">"
    if to.implicit:
        return struct.pack(f"{order}HHI", tag >> 16, tag & 0xFFFF, length)
    if vr in _LONG:
        return struct.pack(f"{order}HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
    return struct.pack(f"{order}HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), length)


def _pieces(elements: Iterable[Element], to: Encoding) -> Iterator[bytes]:
    creators: dict[int, str] = {}
    for element in elements:
        tag = int(element.tag)
        if tag >> 16 & 1 and tag & 0xFFFF < 0x0100:  # noqa: PLR2004 - who reserves a block
            creators[tag] = _words(element.value)
        if isinstance(element, RawDataElement):
            vr = element.VR or _looked_up(tag, creators, to)
            value = element.value or b""
            same = (element.is_implicit_VR, element.is_little_endian) == (to.implicit, to.little)
            if vr == "SQ" and not same:
                raise ValueError("items in another encoding, which have to be read first")
            if element.is_little_endian != to.little:
                value = _swapped(value, vr)
        else:
            vr = _one_of(element.VR, to)
            value = _value(vr, element.value, to)
        if len(value) & 1:
            value += b"\0" if vr in _PADDED_BY_NUL else b" "
        if len(value) >= _SHORTEST and vr not in _LONG:
            vr = "UN"  # PS3.5 6.2.2, note 4: a value too long for its representation
        yield head(tag, vr, len(value), to)
        yield value


def _value(vr: str, value: Any, to: Encoding) -> bytes:  # noqa: ANN401 - whatever an element holds
    if value is None:
        return b""
    if vr == "SQ":
        return b"".join(_items(value, to))
    if isinstance(value, bytes):
        return value
    many = value if isinstance(value, MultiValue | list | tuple) else [value]
    order = "<" if to.little else ">"
    if vr in _NUMBERS:
        return struct.pack(f"{order}{len(many)}{_NUMBERS[vr]}", *many)
    if vr == "AT":
        tags = [half for tag in many for half in (int(tag) >> 16, int(tag) & 0xFFFF)]
        return struct.pack(f"{order}{len(tags)}H", *tags)
    if vr in _NO_TEXT:
        raise ValueError("a value that is not bytes where its representation wants them")
    return "\\".join(map(str, many)).encode()


def _items(items: Sequence, to: Encoding) -> Iterator[bytes]:
    form = "<HHI" if to.little else ">HHI"
    for item in items:
        body = encoded(_sorted(item), to)
        yield struct.pack(form, *_ITEM, len(body))
        yield body


def _sorted(item: Dataset) -> Iterator[Element]:
    held = item._dict  # noqa: SLF001 - asking the data set would decode what is raw
    return (held[tag] for tag in sorted(held))


def _words(value: Any) -> str:  # noqa: ANN401 - whatever an element holds
    return value.decode("latin-1").strip(" \0") if isinstance(value, bytes) else str(value or "")


def _looked_up(tag: int, creators: dict[int, str], to: Encoding) -> str:
    """The representation of what came without one."""
    if to.implicit:
        return "OW"  # not written
    vr = _dictionary(tag, creators.get(tag & 0xFFFF0000 | (tag & 0xFFFF) >> 8, ""))
    return _one_of(vr, to)


def _one_of(vr: str, to: Encoding) -> str:
    """The one of several representations that the dictionary leaves open."""
    if vr in {"US or SS", "US or SS or OW"}:
        return "SS" if to.signed else "US"
    return "OW" if vr == "OB or OW" else vr.split(" or ", maxsplit=1)[0]


@lru_cache(4096)
def _dictionary(tag: int, creator: str) -> str:
    if tag & 0xFFFF == 0:
        return "UL"
    if tag >> 16 & 1 and tag & 0xFFFF < 0x0100:  # noqa: PLR2004 - who reserves a block
        return "LO"
    try:
        return private_dictionary_VR(tag, creator) if tag >> 16 & 1 else dictionary_VR(tag)
    except KeyError:
        return "UN"


def _swapped(value: bytes, vr: str) -> bytes:
    """The same numbers in the other byte order."""
    width = _WIDTHS.get(vr, 1)
    if width == 1:
        return value
    if len(value) % width:
        raise ValueError("a value that is no whole number of its representation")
    out = bytearray(len(value))
    for place in range(width):
        out[place::width] = value[width - 1 - place :: width]
    return bytes(out)
