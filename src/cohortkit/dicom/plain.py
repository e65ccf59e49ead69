"""The whole header of a plain file in one loop: little endian, tags in ascending order.

Every element stays raw, sequences too: most of them are removed or passed on unread. Whatever is
not plain is ``NotPlain`` and read by pydicom's parser; a test holds both ways equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag

from cohortkit.dicom.elements import NotPlain
from cohortkit.dicom.layout import LONG_VRS, SHORT_VRS

PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_COMMANDS = 0xFFFF  # the last tag of group 0000, which no file has
_MOST_DEEP = 64
_VRS = {code: code.decode() for code in LONG_VRS | SHORT_VRS}
_MOST_TAGS = 1 << 14
_tags: dict[int, BaseTag] = {}
_explicit = Struct("<HH2sH").unpack_from
_implicit = Struct("<HHL").unpack_from
_long = Struct("<L").unpack_from


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where the pixels begin: tag, representation ("" where implicit), offset and length."""

    tag: int
    vr: str
    offset: int
    length: int


def elements(
    data: bytes, at: int, *, implicit: bool, whole: bool
) -> tuple[dict[BaseTag, RawDataElement], Pixels | None]:
    """The elements up to the pixels, or to the end of the file.

    Args:
        data: the first bytes of a file, or all of them.
        at: where the data set begins.
        implicit: whether elements have no value representation.
        whole: whether ``data`` are all of the file.

    Raises:
        NotPlain: something is not plain, or ``data`` end too early.
    """
    found: dict[BaseTag, RawDataElement] = {}
    before, end, new = _COMMANDS, len(data), tuple.__new__
    while at + 8 <= end:
        group, number, vr, length = _explicit(data, at)
        tag = group << 16 | number
        if tag <= before:
            raise NotPlain
        before = tag
        at += 8
        if implicit:
            name, length = None, _long(data, at - 4)[0]
        elif vr in SHORT_VRS:
            name = _VRS[vr]
        elif vr in LONG_VRS and at + 4 <= end:
            name, length = _VRS[vr], _long(data, at)[0]
            at += 4
        else:
            raise NotPlain
        if tag in PIXELS:
            return found, Pixels(tag, name or "", at, length)
        stop = at + length
        if length == _UNDEFINED:
            stop, name = _behind(data, at, name, implicit=implicit), "SQ"
        if stop > end:
            raise NotPlain
        key = _tags.get(tag) or _tag(tag)
        value = data[at:stop]
        found[key] = new(
            RawDataElement, (key, name, len(value), value, at, implicit, True, True, False)
        )
        at = stop
    if at != end or not whole:
        raise NotPlain
    return found, None


def _tag(tag: int) -> BaseTag:
    """The tag as pydicom has it, one for each number."""
    if len(_tags) < _MOST_TAGS:
        return _tags.setdefault(tag, BaseTag(tag))
    return BaseTag(tag)


def _behind(data: bytes, at: int, vr: str | None, *, implicit: bool, depth: int = 0) -> int:
    """Where a sequence of undefined length ends, its delimiter included."""
    if vr not in {"SQ", None} or depth > _MOST_DEEP:
        raise NotPlain
    while at + 8 <= len(data):
        group, number, length = _implicit(data, at)
        tag = group << 16 | number
        at += 8
        if tag == _SEQUENCE_END:
            return at
        if tag != _ITEM:
            raise NotPlain
        open_ended = length == _UNDEFINED
        at = _behind_item(data, at, implicit=implicit, depth=depth) if open_ended else at + length
    raise NotPlain


def _behind_item(data: bytes, at: int, *, implicit: bool, depth: int) -> int:
    """Where an item of undefined length ends, its delimiter included."""
    while at + 8 <= len(data):
        group, number, vr, length = _explicit(data, at)
        tag = group << 16 | number
        at += 8
        if tag == _ITEM_END:
            return at
        name: str | None = None
        if implicit:
            length = _long(data, at - 4)[0]
        elif vr in LONG_VRS and at + 4 <= len(data):
            name, length = _VRS[vr], _long(data, at)[0]
            at += 4
        elif vr not in SHORT_VRS:
            raise NotPlain
        if length == _UNDEFINED:
            at = _behind(data, at, name, implicit=implicit, depth=depth + 1)
        else:
            at += length
    raise NotPlain
