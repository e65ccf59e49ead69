"""The whole header of a plain file in one loop: little endian, tags in ascending order.

Every element stays raw, sequences too: most of them are removed or passed on unread. Whatever is
not plain is ``NotPlain`` and read by pydicom's parser; a test holds both ways equal.
"""

from __future__ import annotations

from collections.abc import Iterator
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
_HEAD = 8  # bytes by which a run of elements is looked up
_VRS = {code: code.decode() for code in LONG_VRS | SHORT_VRS}
_SHORT = frozenset(code.decode() for code in SHORT_VRS)
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


class Known:
    """The header that was read last: the same bytes give the very elements that they gave.

    The files of a series agree in nearly all of their elements. Those that stand between any that
    were seen to differ are compared at once, as the bytes that they are. Of an element that is
    taken over, ``value_tell`` is where it lay in the file before.
    """

    def __init__(self) -> None:
        self._implicit = False
        self._runs: dict[bytes, _Run] = {}
        self._last: dict[BaseTag, RawDataElement] = {}
        self._varied: set[BaseTag] = set()

    def runs(self, *, implicit: bool) -> dict[bytes, _Run]:
        """What is known of files of this encoding; the same bytes say something else in another."""
        if implicit is not self._implicit:
            self._implicit, self._runs, self._last, self._varied = implicit, {}, {}, set()
        return self._runs

    def learn(
        self, data: bytes, at: int, found: dict[BaseTag, RawDataElement], fresh: list[BaseTag]
    ) -> None:
        """Compare what was read element by element with the file before.

        Args:
            data: the bytes that were read.
            at: where ``found`` begins; its elements follow one another.
            found: all elements.
            fresh: tags of those that are in no run.
        """
        varied, last, added = len(self._varied), self._last, 0
        for key in fresh:
            old = last.get(key)
            if old is not None and old[:4] == found[key][:4]:
                found[key] = old
            elif last:
                self._varied.add(key)
                added += old is None
        if len(found) - added != len(last):
            self._varied.update(last.keys() - found.keys())
        self._last = dict(found)
        if not self._runs or varied != len(self._varied):
            self._runs = dict(_runs(data, at, found, self._varied))


@dataclass(frozen=True, slots=True)
class _Run:
    """Elements that follow one another, and the bytes that they are made of."""

    data: bytes
    elements: dict[BaseTag, RawDataElement]
    first: int
    last: int


def _runs(
    data: bytes, at: int, found: dict[BaseTag, RawDataElement], varied: set[BaseTag]
) -> Iterator[tuple[bytes, _Run]]:
    """The runs between the elements that vary, by the first bytes of each."""
    begin, run = at, dict[BaseTag, RawDataElement]()
    for key, element in [*found.items(), (None, None)]:
        if key is not None and element is not None and key not in varied:
            run[key] = element
            at += _size(element)
            continue
        if run:
            tags = [*run]
            yield data[begin : begin + _HEAD], _Run(data[begin:at], run, tags[0], tags[-1])
        at += 0 if element is None else _size(element)
        begin, run = at, {}


def _size(element: RawDataElement) -> int:
    """Bytes of an element with its head."""
    short = element.is_implicit_VR or element.VR in _SHORT
    return (8 if short else 12) + element.length


def elements(
    data: bytes, at: int, *, implicit: bool, whole: bool, known: Known | None = None
) -> tuple[dict[BaseTag, RawDataElement], Pixels | None]:
    """The elements up to the pixels, or to the end of the file.

    Args:
        data: the first bytes of a file, or all of them.
        at: where the data set begins.
        implicit: whether elements have no value representation.
        whole: whether ``data`` are all of the file.
        known: the file before, in the same encoding.

    Raises:
        NotPlain: something is not plain, or ``data`` end too early.
    """
    found: dict[BaseTag, RawDataElement] = {}
    fresh: list[BaseTag] = []
    begin, before, end, new = at, _COMMANDS, len(data), tuple.__new__
    runs = {} if known is None else known.runs(implicit=implicit)
    pixels: Pixels | None = None
    while at + 8 <= end:
        run = runs.get(data[at : at + _HEAD])
        if run is not None and run.first > before and data.startswith(run.data, at):
            found.update(run.elements)
            before = run.last
            at += len(run.data)
            continue
        tag, name, at, length = _head(data, at, end, implicit=implicit)
        if tag <= before:
            raise NotPlain
        before = tag
        if tag in PIXELS:
            pixels = Pixels(tag, name or "", at, length)
            break
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
        fresh.append(key)
        at = stop
    if pixels is None and (at != end or not whole):
        raise NotPlain
    if known is not None:
        known.learn(data, begin, found, fresh)
    return found, pixels


def _head(data: bytes, at: int, end: int, *, implicit: bool) -> tuple[int, str | None, int, int]:
    """Tag, representation (None where implicit) and length of an element, and where its value is.

    Raises:
        NotPlain: no known representation, or ``data`` end too early.
    """
    group, number, vr, length = _explicit(data, at)
    at += 8
    name: str | None = None
    if implicit:
        length = _long(data, at - 4)[0]
    elif vr in SHORT_VRS:
        name = _VRS[vr]
    elif vr in LONG_VRS and at + 4 <= end:
        name, length = _VRS[vr], _long(data, at)[0]
        at += 4
    else:
        raise NotPlain
    return group << 16 | number, name, at, length


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
