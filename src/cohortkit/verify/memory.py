"""What objects of one person said that was searched and is clean, so that it is not read again.

An element is known by its tag, representation, value and character sets. Elements that follow one
another and were the same in the objects before are known as the bytes that they are: read in the
same encoding, the same bytes hold the same values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

Encodings = tuple[str, ...]
Key = tuple[int, str, bytes, Encodings]
"""An element as it was read: tag, representation, value (or its digest), character sets."""

_NOWHERE, _PACKED = -2, -3  # no tags
HEAD = 8  # bytes by which a run is looked up
_LONGEST = 1 << 16  # bytes of an element that is kept as such


class Size(NamedTuple):
    """How much of an element there is to search: letters of its cells, and bytes (None: none)."""

    letters: int
    raw: int | None


@dataclass(slots=True)
class Extent:
    """How much there is to search: letters of cells, and bytes, of so many values."""

    letters: int = 0
    raw: int = 0
    values: int = 0

    def add(self, other: Extent) -> None:
        """And as much again as another."""
        self.letters += other.letters
        self.raw += other.raw
        self.values += other.values

    def since(self, other: Extent) -> Extent:
        """What came after."""
        return Extent(
            self.letters - other.letters, self.raw - other.raw, self.values - other.values
        )

    def copy(self) -> Extent:
        """As it is now."""
        return Extent(self.letters, self.raw, self.values)


@dataclass(frozen=True, slots=True, repr=False)
class Element:
    """An element of a data set itself, with its head and all that is in it."""

    tag: int
    data: bytes
    encodings: Encodings
    extent: Extent


@dataclass(frozen=True, slots=True, repr=False)
class Run:
    """Elements that follow one another, read in the same character sets."""

    data: bytes
    encodings: Encodings
    elements: tuple[Element, ...]
    extent: Extent


@dataclass(slots=True, repr=False)
class Memory:
    """What is known of a person's objects, and what the last one said; of one search.

    Attributes:
        clean: elements that were searched.
        fresh: those that the last object has beside them.
        met: the last object's elements, in their order; None where there is one that is not kept.
        runs: by their first bytes.
    """

    clean: dict[Key, Size] = field(default_factory=dict)
    fresh: dict[Key, Size] = field(default_factory=dict)
    met: list[Element | Run | None] = field(default_factory=list)
    runs: dict[bytes, Run] = field(default_factory=dict)
    _meta: Memory | None = None
    _way: tuple[bool, bool] = (False, False)
    _last: dict[int, bytes] = field(default_factory=dict)
    _varied: set[int] = field(default_factory=set)

    @property
    def meta(self) -> Memory:
        """The same of what stands before a data set: the file meta."""
        if self._meta is None:
            self._meta = Memory()
        return self._meta

    def begin(self) -> None:
        """Another object is read."""
        self.fresh, self.met = {}, []
        if self._meta is not None:
            self._meta.begin()

    def knows(self, data: bytes, *, packed: bool = False) -> bool:
        """Whether these bytes, which stand in no element, were searched; now they are.

        What was packed is looked into as well; so it is known apart.
        """
        key = (_PACKED if packed else _NOWHERE, "", data, ())
        if key in self.clean:
            return True
        if len(data) <= _LONGEST:
            self.fresh[key] = Size(0, len(data))
        return False

    def encoded(self, *, implicit: bool, little: bool) -> None:
        """As what it is encoded; in another encoding the same bytes say something else."""
        if (implicit, little) != self._way:
            self._way, self.runs, self._last, self._varied = (implicit, little), {}, {}, set()

    def element(self, tag: int, data: bytes, encodings: Encodings, extent: Extent) -> None:
        """An element was read; one that is long is not kept."""
        kept = Element(tag, data, encodings, extent) if len(data) <= _LONGEST else None
        self.met.append(kept)

    def settle(self, *, clean: bool) -> None:
        """Say what became of the last object. After one that is not clean nothing is known."""
        if self._meta is not None:
            self._meta.settle(clean=clean)
        if not clean:
            self.clean, self.runs, self._last, self._varied = {}, {}, {}, set()
        else:
            self.clean |= self.fresh
            self._learn()
        self.begin()

    def _learn(self) -> None:
        """Which elements vary is seen where one is not as it was; runs are those between."""
        before = len(self._varied)
        alone = {one.tag: one.data for one in self.met if isinstance(one, Element)}
        if self._last:
            self._varied |= {tag for tag, data in alone.items() if self._last.get(tag) != data}
            if alone.keys() - self._varied:  # a run was not as it was, or something came
                met = {one.tag for one in self._elements() if one is not None}
                self._varied |= self._last.keys() - met
        self._last |= alone
        if not self.runs or before != len(self._varied):
            self.runs = {run.data[:HEAD]: run for run in self._runs()}

    def _elements(self) -> Iterator[Element | None]:
        for one in self.met:
            yield from one.elements if isinstance(one, Run) else (one,)

    def _runs(self) -> Iterator[Run]:
        def part(one: Element | None) -> Encodings | None:
            return None if one is None or one.tag in self._varied else one.encodings

        for encodings, group in groupby(self._elements(), key=part):
            if encodings is not None:
                elements = tuple(one for one in group if one is not None)
                extent = Extent()
                for one in elements:
                    extent.add(one.extent)
                yield Run(b"".join(one.data for one in elements), encodings, elements, extent)
