"""What a recipe says of text that is cleaned, and the words that cleaned text may keep."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

Detector = Callable[[str], Iterable[tuple[int, int]]]
"""Finds what must not stay in a text: (start, end) of each part, ``end`` not included.

It is asked about one value at a time, as often as one is found anew; the same text must get the
same answer. What it raises ends its series as ``internal``: nothing leaves unlooked at.
"""

LEAST_PATIENTS = 5
"""Words that fewer have in common may name one of them."""

_WORD = re.compile(r"[^\W_]+(?: [^\W_]+){0,4}")
_LONG_NUMBER = re.compile(r"\d{5}")
_PHRASES = "phrases:"


@dataclass(frozen=True, slots=True)
class TextPolicy:
    """The ``[text]`` of a recipe.

    Attributes:
        words: of the site: they stay in text as the words of the trade do. Several with blanks
            between them stay together only.
        patients: words in the index's descriptions of this many patients stay too; None: none do.
        detectors: finders of more that must not stay, by name.
        seen: words that the index gives by ``patients``: found when an export is planned, and no
            part of what the recipe says.
    """

    words: tuple[str, ...] = ()
    patients: int | None = None
    detectors: tuple[tuple[str, Detector], ...] = ()
    seen: frozenset[str] = frozenset()

    @property
    def plain(self) -> bool:
        """Whether nothing is said."""
        return self == TextPolicy()


@dataclass(frozen=True, slots=True)
class Words:
    """The words of the trade, casefolded and without accents.

    Attributes:
        single: each stays wherever it stands.
        phrases: first word → phrases that begin with it; their words stay together only.
    """

    single: frozenset[str]
    phrases: Mapping[str, tuple[tuple[str, ...], ...]]

    def with_more(self, more: Iterable[str]) -> Words:
        """The same with words and phrases of a recipe or an index."""
        given = [tuple(one.split()) for one in more]
        single = self.single.union(one[0] for one in given if len(one) == 1)
        return Words(single, _by_first([*self._all(), *(one for one in given if len(one) > 1)]))

    def _all(self) -> Iterator[tuple[str, ...]]:
        for several in self.phrases.values():
            yield from several


@cache
def shipped() -> Words:
    """The words that ship (``data/vocabulary.txt``)."""
    lines = [line.partition("#")[0] for line in _text().splitlines()]
    place = lines.index(_PHRASES)
    phrases = [tuple(line.split()) for line in lines[place + 1 :] if line.strip()]
    return Words(frozenset(" ".join(lines[:place]).split()), _by_first(phrases))


@cache
def digest() -> str:
    """SHA-256 over the words that ship, so that the digest of a recipe that cleans names them."""
    return hashlib.sha256(_text().encode()).hexdigest()


def faulty(word: str) -> str:
    """What is wrong with a word of a recipe; empty if nothing is."""
    if not _WORD.fullmatch(word):
        return "words of letters and digits, up to five with single blanks between them"
    if _LONG_NUMBER.search(word):
        return "five digits in a row are a number of something or someone, and never stay"
    return ""


def _by_first(phrases: Iterable[tuple[str, ...]]) -> dict[str, tuple[tuple[str, ...], ...]]:
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for phrase in phrases:
        found[phrase[0]] = (*found.get(phrase[0], ()), phrase)
    return found


def _text() -> str:
    path = resources.files(__package__).joinpath("data", "vocabulary.txt")
    return path.read_text(encoding="utf-8")
