"""Looking for markers: whole, in part, in another case, encoded, or behind a hash without a key."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import cache

from leak.leaves import Leaf
from leak.markers import WINDOW, Kind, Marker

_LETTERS = re.compile(r"[a-z]{6,}")
_ALONE = re.compile(r"(?<![a-z0-9])[a-z]{6,11}(?![a-z0-9])")
_INSIDE = 8  # letters in a row within something longer, where chance makes six of them
_STEM = re.compile(r"(?<!\d)[1-9]\d{11}(?!\d)")
_TIME = re.compile(r"\d{6}\.\d{6}")
_DATE = re.compile(r"(?<![\d.])(\d{8})|(?<!\d)(\d{4})[.\-/](\d{2})[.\-/](\d{2})(?!\d)")
_HASH = 14  # characters by which a hash is known wherever it stands
_SHORT = 6  # at the place of its own value, where chance makes none
_HEX = re.compile(r"[0-9a-f]{14,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{14,}")
_DATED = frozenset({"DA", "DT", "TM"})


class How(IntEnum):
    """What is left of a marker; the lower the worse."""

    WHOLE = 0
    PART = 1
    HASHED = 2  # anyone who guesses the value can tell that it was there


class Needles:
    """Every marker of the corpus, ready to be looked for."""

    def __init__(self, markers: Iterable[Marker]) -> None:
        self._words: dict[str, Marker] = {}
        self._exact: dict[str, Marker] = {}
        self._hashes: dict[str, Marker] = {}
        self._dates: dict[tuple[int, str], Marker] = {}
        self._foreign: list[tuple[Marker, str, tuple[bytes, ...]]] = []
        self._here: dict[tuple[int, str], Marker] = {}
        self.places: dict[tuple[int, str], Marker] = {}
        self._dated: set[tuple[int, str]] = set()
        for marker in markers:
            self._enter(marker)

    def _enter(self, marker: Marker) -> None:
        match marker.kind:
            case Kind.WORD:
                for start in range(len(marker.needle) - WINDOW + 1):
                    self._words[marker.needle[start : start + WINDOW]] = marker
            case Kind.UID | Kind.TIME:
                self._exact[marker.needle] = marker
            case Kind.DATE:
                self._dates[marker.file, marker.needle] = marker
                self._dated.add((marker.file, marker.path))
            case Kind.PLACE:
                self.places[marker.file, marker.path] = marker
            case Kind.FOREIGN:
                codec, _, text = marker.needle.partition(":")
                told = (text.encode(codec), text.encode("utf-8"), text.encode("utf-16-le"))
                self._foreign.append((marker, text, told))
        if marker.kind in {Kind.WORD, Kind.UID, Kind.FOREIGN}:
            for word in {marker.needle, marker.value}:
                self._hashes.update((one[:_HASH], marker) for one in _disguises(word))
            self._here[marker.file, marker.path] = marker

    def in_text(self, text: str) -> Iterator[tuple[Marker, How]]:
        """Words, UIDs, times and their disguises in text, whatever file they are from."""
        small = text.lower()
        for run in _LETTERS.findall(small):
            yield from self._in_run(run)
        for run in _ALONE.findall(small):
            marker = self._words.get(run[:WINDOW])
            if marker is not None and run in marker.needle:
                yield marker, How.PART
        for found in (*_STEM.findall(small), *_TIME.findall(small)):
            if found in self._exact:
                yield self._exact[found], How.WHOLE
        for run in (*_HEX.findall(small), *_BASE64.findall(text)):
            marker = self._hashes.get(run[:_HASH])
            if marker is not None:
                yield marker, How.HASHED

    def _in_run(self, run: str) -> Iterator[tuple[Marker, How]]:
        for start in range(len(run) - WINDOW + 1):
            marker = self._words.get(run[start : start + WINDOW])
            if marker is None:
                continue
            if marker.needle in run:
                yield marker, How.WHOLE
            elif len(run) >= start + _INSIDE and run[start : start + _INSIDE] in marker.needle:
                yield marker, How.PART

    def in_bytes(self, data: bytes) -> Iterator[tuple[Marker, How]]:
        """The same in bytes, in any usual encoding of text."""
        yield from self.in_text(data.decode("latin-1"))
        if b"\0" in data:  # text of two bytes a letter
            yield from self.in_text(data.replace(b"\0", b"").decode("latin-1"))
        for marker, _, told in self._foreign:
            if any(form in data for form in told):
                yield marker, How.WHOLE

    def in_leaf(self, file: int, leaf: Leaf) -> Iterator[tuple[Marker, How]]:
        """What a value of the output of one file holds, dates told from dates that moved there."""
        yield from self.in_text(leaf.text)
        for marker, text, _ in self._foreign:
            parts = [text[n : n + WINDOW] for n in range(len(text) - WINDOW + 1)]
            if any(part in leaf.text for part in parts):
                yield marker, How.WHOLE if text in leaf.text else How.PART
        yield from self._hashed_here(file, leaf)
        place = self.places.get((file, leaf.path))
        if place is not None and same(place.value, leaf.text):
            yield place, How.WHOLE
        if leaf.vr == "UI":
            return
        for plain, year, month, day in _DATE.findall(leaf.text):
            marker = self._dates.get((file, plain or year + month + day))
            if marker is not None and not self._moved(marker, file, leaf):
                yield marker, How.WHOLE

    def _hashed_here(self, file: int, leaf: Leaf) -> Iterator[tuple[Marker, How]]:
        """A hash, however short, in the place of the value that it was made of."""
        marker, text = self._here.get((file, leaf.path)), leaf.text.strip()
        if marker is None or len(text) < _SHORT or not text.isalnum():
            return
        words = {marker.needle, marker.value}
        if any(one.startswith((text, text.lower())) for word in words for one in _disguises(word)):
            yield marker, How.HASHED

    def _moved(self, marker: Marker, file: int, leaf: Leaf) -> bool:
        """Whether another date stood here: a shifted one may equal a marker by chance."""
        if leaf.path == marker.path:
            return False
        return leaf.vr in _DATED or (file, leaf.path) in self._dated


def same(one: str, other: str) -> bool:
    """Whether two values are equal, as numbers where both are."""
    if one == other:
        return True
    ones, others = one.split("\\"), other.split("\\")
    try:
        return len(ones) == len(others) and all(
            abs(float(a) - float(b)) <= 1e-6 * max(1.0, abs(float(a)))
            for a, b in zip(ones, others, strict=True)
        )
    except ValueError:
        return False


@cache
def _disguises(word: str) -> tuple[str, ...]:
    """What a transformation that needs no key makes of a value."""
    told = []
    for form in (word, word.upper(), word.capitalize()):
        data = form.encode("utf-8")
        told += [data.hex(), base64.b64encode(data).decode()]
        for name in ("md5", "sha1", "sha256", "sha512", "blake2b"):
            digest = hashlib.new(name, data, usedforsecurity=False).hexdigest()
            told += [digest, str(int(digest, 16))]
    return tuple(told)
