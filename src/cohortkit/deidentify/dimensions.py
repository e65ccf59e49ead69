"""Dimensions of a multi-frame object (PS3.3 C.7.6.17) whose private attribute did not stay.

An item of Dimension Index Sequence points to an attribute by its tag. Where that is a private one
which went, the item would point to nothing: it goes, and with it the value that each frame has for
it in Dimension Index Values, so that the others keep their places.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag

from cohortkit.deidentify.private import is_private
from cohortkit.deidentify.values import Element

_INDEX: Final = BaseTag(0x00209222)  # DimensionIndexSequence
_VALUES: Final = BaseTag(0x00209157)  # DimensionIndexValues
_FRAMES: Final = (BaseTag(0x52009230), BaseTag(0x00209111))
"""PerFrameFunctionalGroupsSequence and, in each of its items, FrameContentSequence."""
_POINTERS: Final = {
    BaseTag(0x00209165): BaseTag(0x00209213),  # DimensionIndexPointer, DimensionIndexPrivateCreator
    BaseTag(0x00209167): BaseTag(0x00209238),  # FunctionalGroupPointer, …PrivateCreator
}
_BYTES: Final = 4  # of a UL, and of both halves of an AT

Elements = Mapping[BaseTag, Element]


def settle(elements: dict[BaseTag, Element]) -> None:
    """Take away the dimensions that point to what is no longer there.

    Args:
        elements: of a released header; changed, but not what is inside of its sequences, which
            other headers may share.
    """
    index = elements.get(_INDEX)
    if index is None or not isinstance(index.value, Items):
        return
    pointed = [_pointed(item) for item in index.value]
    if not any(map(any, pointed)):
        return
    creators = dict(_creators(elements))
    lost = {n for n, tags in enumerate(pointed) if any(t and t not in creators for t in tags)}
    kept = [_named(one, creators) for n, one in enumerate(index.value) if n not in lost]
    elements[_INDEX] = DataElement(_INDEX, "SQ", Items(kept))
    if not kept:
        del elements[_INDEX]
    if lost and _FRAMES[0] in elements:
        elements[_FRAMES[0]] = _without(elements[_FRAMES[0]], _FRAMES[1:], len(pointed), lost)


def _pointed(item: Dataset) -> tuple[int, ...]:
    """The private attributes that a dimension points to; 0 for a public one."""
    found = (item._dict.get(tag) for tag in _POINTERS)  # noqa: SLF001 - a Dataset would decode it
    tags = [_numbers(one, halves=True) for one in found if one is not None]
    return tuple(one if is_private(one) else 0 for many in tags for one in many)


def _creators(elements: Elements) -> Iterator[tuple[int, str]]:
    """Every private attribute that stayed, at any depth, and who made it."""
    for tag, element in elements.items():
        number = int(tag)
        block = BaseTag(number & 0xFFFF0000 | (number & 0xFFFF) >> 8)
        if is_private(number) and block in elements:
            yield number, str(elements[block].value)
        for item in element.value if isinstance(element.value, Items) else ():
            yield from _creators(item._dict)  # noqa: SLF001 - as above


def _named(item: Dataset, creators: Mapping[int, str]) -> Dataset:
    """A dimension with the creator of what it points to, where that is private and stayed."""
    held = dict(item._dict)  # noqa: SLF001 - as above
    for tag, creator in _POINTERS.items():
        for number in _numbers(held[tag], halves=True) if tag in held else ():
            if is_private(number):
                held[creator] = DataElement(creator, "LO", creators[number])
    return _copy(item, held)


def _without(sequence: Element, inner: Sequence[BaseTag], many: int, lost: set[int]) -> DataElement:
    """A sequence of frames without the values of these dimensions."""
    items = []
    for item in sequence.value if isinstance(sequence.value, Items) else ():
        held = dict(item._dict)  # noqa: SLF001 - as above
        if inner and inner[0] in held:
            held[inner[0]] = _without(held[inner[0]], inner[1:], many, lost)
        values = _numbers(held[_VALUES]) if not inner and _VALUES in held else []
        if len(values) == many:
            left = [value for n, value in enumerate(values) if n not in lost]
            held[_VALUES] = DataElement(_VALUES, "UL", left)
            if not left:
                del held[_VALUES]
        items.append(_copy(item, held))
    return DataElement(sequence.tag, "SQ", Items(items))


def _copy(item: Dataset, held: dict[BaseTag, Element]) -> Dataset:
    made = Dataset(held)
    made.set_original_encoding(*item.original_encoding)
    return made


def _numbers(element: Element, *, halves: bool = False) -> list[int]:
    """The values of a UL, or of an AT, which is written in two halves."""
    value = element.value
    if not isinstance(value, bytes):
        many = value if isinstance(value, MultiValue | list | tuple) else [value]
        return [int(one) for one in many if one is not None]
    little = not isinstance(element, RawDataElement) or element.is_little_endian
    order: Literal["little", "big"] = "little" if little else "big"
    parts = [value[at : at + _BYTES] for at in range(0, len(value) // _BYTES * _BYTES, _BYTES)]
    if not halves:
        return [int.from_bytes(part, order) for part in parts]
    return [
        int.from_bytes(part[:2], order) << 16 | int.from_bytes(part[2:], order) for part in parts
    ]
