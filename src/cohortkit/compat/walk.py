"""The walk over a header: which elements lines can change, in deid's order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from pydicom import datadict
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag

from cohortkit.compat.elements import Live, elements_of, opened
from cohortkit.compat.script import SKIPPED, Kind, Script
from cohortkit.recipe.deid.fields import Names

_SKIPPED_TAGS = frozenset(
    tag for word in SKIPPED if (tag := datadict.tag_for_keyword(word)) is not None
)
_MAY_HOLD_ITEMS = frozenset({"SQ", "UN", None})
_ESCAPE = b"\x1b"


@dataclass(frozen=True, slots=True)
class _Room:
    """A dataset or item that is still to be walked."""

    holder: Dataset
    prefix: str | None = None
    place: str = ""
    parent: Live | None = None
    meta: bool = False


class Walk:
    """One walk. Sequences that some line takes away whole are not entered."""

    def __init__(self, script: Script, ds: Dataset, *, remove_private: bool) -> None:
        self._script = script
        self._ds = ds
        self._remove_private = remove_private
        self._skipped: frozenset[int] | set[int] = _SKIPPED_TAGS

    def lives(self) -> list[Live]:
        """The elements that lines can change; all of them where lines look at values."""
        meta = getattr(self._ds, "file_meta", None)
        if self._script.keeps:
            self._skipped = {*_SKIPPED_TAGS, *self._kept(self._ds)}
            if meta is not None:
                self._skipped |= self._kept(meta)
        rooms = deque([_Room(self._ds)])
        if meta:
            rooms.append(_Room(meta, meta=True))
        found: list[Live] = []
        while rooms:
            self._room(rooms.popleft(), rooms, found)
        return found

    def _kept(self, holder: Dataset) -> set[int]:
        creators = _Creators(holder)
        return {
            int(tag)
            for tag, element in list(elements_of(holder).items())
            if not (self._remove_private and tag.is_private)
            and self._script.kept(self._kind(_Room(holder), tag, element, creators).names)
        }

    def _room(self, room: _Room, rooms: deque[_Room], found: list[Live]) -> None:
        stripping = self._remove_private and not room.meta
        here, context = self._met(room, rooms, stripping=stripping)
        elements = elements_of(room.holder)
        if context:
            for tag in list(elements):
                room.holder[tag]
        if stripping:
            for tag in [one for one in elements if one.is_private]:
                del elements[tag]
        found += here

    def _met(self, room: _Room, rooms: deque[_Room], *, stripping: bool) -> tuple[list[Live], bool]:
        """What lines can change here, and whether others are read by one of those."""
        moving, skipped, creators = self._script.moving, self._skipped, _Creators(room.holder)
        here: list[Live] = []
        context = False
        for tag, element in _in_order(room.holder, moving):
            number = int(tag)
            if stripping and number >> 16 & 1:
                continue
            if number in skipped:
                if stripping:
                    _strip(room.holder, tag)
                continue
            kind = self._kind(room, tag, element, creators)
            if not (kind.lines or kind.sequence or moving):
                continue
            uid = f"{room.place}__{tag}" if room.place else str(tag)
            live = Live(room.holder, tag, kind, uid, room.parent, room.meta)
            if kind.lines or moving:
                here.append(live)
                context |= kind.context
            if kind.sequence and (moving or not kind.gone):
                _enter(live, rooms)
        return here, context

    def _kind(
        self, room: _Room, tag: BaseTag, element: DataElement | RawDataElement, creators: _Creators
    ) -> Kind:
        script = self._script
        raw = isinstance(element, RawDataElement)
        number = int(tag)
        creator = None
        if number >> 16 & 1:
            creator = creators.of(number) if raw else getattr(element, "private_creator", None)
        key = (number, element.VR, creator, room.prefix, raw)
        kind = script.quick.get(key)
        if kind is None or (not raw and kind.sequence is not isinstance(element.value, Items)):
            names = self._names(room, tag, creator)
            kind = script.kind(names)
            if not script.by_place and not _ambiguous(number, key[1]):
                script.remember(key, kind)
        return kind

    def _names(self, room: _Room, tag: BaseTag, creator: str | None) -> Names:
        element = room.holder[tag]
        nested = element.keyword if room.prefix is None else f"{room.prefix}__{element.keyword}"
        vr = "SQ" if isinstance(element.value, Items) else element.VR
        place = f"{room.place}__{tag}" if room.place else str(tag)
        place = place if self._script.by_place else ""
        return Names(int(tag), vr, nested, element.keyword, creator, place)


def _in_order(
    holder: Dataset,
    moving: bool,  # noqa: FBT001 - a fact of the script, handed on
) -> Iterable[tuple[BaseTag, DataElement | RawDataElement]]:
    elements = elements_of(holder)
    return [(tag, elements[tag]) for tag in sorted(elements)] if moving else elements.items()


def _enter(live: Live, rooms: deque[_Room]) -> None:
    for number, item in enumerate(opened(live.holder, live.tag)):
        place = f"{live.uid}__{number}"
        rooms.append(_Room(item, live.kind.names.nested, place, live, live.meta))


def _strip(holder: Dataset, tag: BaseTag) -> None:
    """What deid does not look into loses its private elements all the same."""
    element = elements_of(holder)[tag]
    if isinstance(element, RawDataElement) and element.VR not in _MAY_HOLD_ITEMS:
        return
    if not isinstance(holder[tag].value, Items):
        return
    for item in opened(holder, tag):
        inside = elements_of(item)
        for inner in list(inside):
            if inner.is_private:
                del inside[inner]
            else:
                _strip(item, inner)


def _ambiguous(tag: int, vr: str | None) -> bool:
    """Whether the VR of such an element depends on other elements."""
    if vr is not None and vr != "UN":
        return False
    try:
        return " or " in datadict.dictionary_VR(tag)
    except KeyError:
        return False


class _Creators:
    """The private creators of one dataset or item."""

    def __init__(self, holder: Dataset) -> None:
        self._holder = holder
        self._known: dict[int, str | None] = {}

    def of(self, number: int) -> str | None:
        """The creator of a private element that is not decoded yet."""
        place = number & 0xFFFF0000 | (number & 0xFFFF) >> 8
        if place not in self._known:
            self._known[place] = self._read(place)
        return self._known[place]

    def _read(self, place: int) -> str | None:
        element = elements_of(self._holder).get(BaseTag(place)) if place & 0xFFFF else None
        if element is None:
            return None
        value = element.value
        if isinstance(value, bytes) and value.isascii() and not {*value} & {0x1B, 0x5C}:
            return value.decode("ascii").rstrip("\0 ")
        value = self._holder[BaseTag(place)].value
        return value if value is None else str(value)
