"""Private elements (PS3.5 7.8): who made an element, and which creators stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from cohortkit.deidentify.values import texts

_CREATORS = range(0x0010, 0x0100)


def is_private(tag: int) -> bool:
    """Whether the group is odd."""
    return bool(tag >> 16 & 1)


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
        place = tag & 0xFFFF0000 | block
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
        return {BaseTag(place): DataElement(place, "LO", self._known[place]) for place in places}
