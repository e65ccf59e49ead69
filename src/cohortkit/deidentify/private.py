"""Private elements (PS3.5 7.8): who made one, which creators stay, what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag

from cohortkit.deidentify.values import Element, texts
from cohortkit.recipe import profile

CHARACTERISTICS = BaseTag(0x00080300)
"""PrivateDataElementCharacteristicsSequence (PS3.3 C.12.1.1.7)."""
_CREATORS = range(0x0010, 0x0100)


def is_private(tag: int) -> bool:
    """Whether the group is odd."""
    return bool(tag >> 16 & 1)


def is_creator(tag: int) -> bool:
    """Whether a private block is reserved by it (PS3.5 7.8.1)."""
    return is_private(tag) and tag & 0xFFFF in _CREATORS


class Creators:
    """The private creators of one dataset or item; each item has its own."""

    def __init__(self, dataset: Dataset, encodings: Sequence[str]) -> None:
        self._dataset = dataset
        self._encodings = encodings
        self._known: dict[int, str | None] = {}

    def of(self, tag: int) -> str | None:
        """The creator of a private element; None where no one has reserved its block."""
        block = (tag & 0xFFFF) >> 8
        if block not in _CREATORS:
            return None
        return self._at(tag & 0xFFFF0000 | block)

    def _at(self, place: int) -> str | None:
        if place not in self._known:
            self._known[place] = self._read(place)
        return self._known[place]

    def _read(self, place: int) -> str | None:
        if place not in self._dataset:
            return None
        values = texts(self._dataset.get_item(place), "LO", self._encodings)
        return values[0] if values and len(values) == 1 else None

    def kept(self, tags: Iterable[int]) -> dict[BaseTag, DataElement]:
        """The creator elements that these private elements need, and no other."""
        places = {tag & 0xFFFF0000 | (tag & 0xFFFF) >> 8 for tag in tags}
        return {BaseTag(place): DataElement(place, "LO", self._at(place)) for place in places}


def characteristics(elements: Mapping[BaseTag, Element]) -> DataElement | None:
    """What (0008,0300) may say of the private blocks that are there, at any depth; None if none is.

    A block is SAFE where PS3.15 lists all that is left of it, UNSAFE where it lists nothing of
    it, and MIXED, with the numbers of what it lists, where it lists some.
    """
    blocks: dict[tuple[int, str], set[int]] = {}
    for group, creator, element in _left(elements):
        blocks.setdefault((group, creator), set()).add(element)
    if not blocks:
        return None
    made = [_block(*block, left) for block, left in sorted(blocks.items())]
    return DataElement(CHARACTERISTICS, "SQ", Items(made))


def _left(elements: Mapping[BaseTag, Element]) -> Iterator[tuple[int, str, int]]:
    """Group, creator and last byte of each private element of released elements."""
    for tag, element in elements.items():
        if isinstance(element.value, Items):
            for item in element.value:
                yield from _left(item._dict)  # noqa: SLF001 - a Dataset would decode what is raw
        number = int(tag)
        if is_private(number) and (number & 0xFFFF) >> 8 in _CREATORS:
            creator = elements[BaseTag(number & 0xFFFF0000 | (number & 0xFFFF) >> 8)]
            yield number >> 16, str(creator.value), number & 0xFF


def _block(group: int, creator: str, left: set[int]) -> Dataset:
    safe = sorted(one for one in left if (group, creator, one) in profile.safe_private())
    item = Dataset()
    item.PrivateGroupReference = group
    item.PrivateCreatorReference = creator
    if len(safe) == len(left):
        item.BlockIdentifyingInformationStatus = "SAFE"
    elif safe:
        item.BlockIdentifyingInformationStatus = "MIXED"
        item.NonidentifyingPrivateElements = safe
    else:
        item.BlockIdentifyingInformationStatus = "UNSAFE"
    return item
