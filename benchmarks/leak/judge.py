"""The judge: what is left of every marker in the outputs of a tool, and what is kept of the rest.

Every output is searched as bytes, and again value by value as pydicom reads it. A file that a
tool refuses counts as refused: what was planted in it is neither clean nor left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from leak.leaves import Leaf, leaves
from leak.markers import Fate, Marker, Useful
from leak.needles import How, Needles, same
from leak.sheet import Key


@dataclass(frozen=True, slots=True)
class Survivor:
    """A marker that was found again, where, and how much of it."""

    marker: Marker
    where: str
    how: How


@dataclass
class Result:
    """What a tool left.

    Attributes:
        survivors: of each marker, the worst place.
        written: numbers of the files that came out.
        unreadable: of these, the ones that pydicom cannot read.
        planted: markers of the written files.
        numbers, sequences: of the written files, (kept, planted).
    """

    survivors: dict[Marker, Survivor] = field(default_factory=dict)
    written: set[int] = field(default_factory=set)
    unreadable: set[int] = field(default_factory=set)
    planted: list[Marker] = field(default_factory=list)
    lost: list[Useful] = field(default_factory=list)
    numbers: tuple[int, int] = (0, 0)
    sequences: tuple[int, int] = (0, 0)

    def left(self, fate: Fate, *, hashed: bool = False) -> list[Survivor]:
        """Survivors of one fate: whole or in part, or only behind a keyless hash."""
        return [
            one
            for one in self.survivors.values()
            if one.marker.fate is fate and (one.how is How.HASHED) is hashed
        ]

    def count(self, fate: Fate) -> int:
        """How many markers of a fate were planted in the files that came out."""
        return sum(marker.fate is fate for marker in self.planted)


def judge(outputs: Path, key: Key, needles: Needles) -> Result:
    """Look at a folder of outputs, each under the name of its source.

    Args:
        outputs: the folder; other files in it are searched too.
        key: the answer key of the corpus.
        needles: made of its markers.
    """
    result = Result()
    numbers = {name: number for number, name in key.names.items()}
    read: dict[int, list[Leaf]] = {}
    for path in sorted(outputs.rglob("*")):
        if not path.is_file():
            continue
        number = numbers.get(path.name, 0)
        data = path.read_bytes()
        found = leaves(data)
        if number:
            result.written.add(number)
            read[number] = found
            if not _is_whole(found, picture=number in key.pictures):
                result.unreadable.add(number)
                found = [*found, Leaf("(bytes)", "", data.decode("latin-1"))]  # to see dates in it
        _search(needles, result, number, data, found)
    result.planted = [one for one in key.markers if one.file in result.written]
    result.numbers = _kept(result, read, key.numbers)
    result.sequences = _kept(result, read, key.sequences)
    return result


def _is_whole(found: list[Leaf], *, picture: bool) -> bool:
    """Whether pydicom could read the file, up to the pixels of a picture, which come last."""
    return any(one.path == "PixelData" for one in found) if picture else bool(found)


def _search(needles: Needles, result: Result, number: int, data: bytes, found: list[Leaf]) -> None:
    for leaf in found:
        for marker, how in needles.in_leaf(number, leaf):
            _enter(result, Survivor(marker, leaf.path, how))
    for marker, how in needles.in_bytes(data):
        _enter(result, Survivor(marker, "(bytes)", how))


def _enter(result: Result, survivor: Survivor) -> None:
    known = result.survivors.get(survivor.marker)
    if known is None or survivor.how < known.how:
        result.survivors[survivor.marker] = survivor


def _kept(result: Result, read: dict[int, list[Leaf]], wanted: Iterable[Useful]) -> tuple[int, int]:
    """How many useful things are where they were, of how many in readable outputs."""
    there = {
        (number, leaf.path): leaf
        for number, found in read.items()
        for leaf in reversed(found)  # of several items the first counts
    }
    asked = [one for one in wanted if one.file in result.written - result.unreadable]
    lost = [one for one in asked if not _is_kept(one, there.get((one.file, one.path)))]
    result.lost += lost
    return len(asked) - len(lost), len(asked)


def _is_kept(wanted: Useful, leaf: Leaf | None) -> bool:
    if leaf is None:
        return False
    return leaf.items > 0 if wanted.vr == "SQ" else same(wanted.value, leaf.text)
