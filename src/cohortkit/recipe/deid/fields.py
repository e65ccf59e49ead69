"""The field of a line of deid's language: which elements it means.

A field is a name (keyword, words of PS3.6, tag, private notation, or keywords joined by two
underscores where it lies in a sequence) or an expander. Expanders hold regular expressions that
are searched for in each of an element's names, case apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from pydicom.datadict import (
    dictionary_description,
    dictionary_has_tag,
    private_dictionary_description,
    repeater_has_tag,
)

_SPLIT = re.compile(r'((?:[^:"]|"[^"]*")*):(.*)', re.DOTALL)
_GROUP = re.compile(r"[0-9a-f]{1,4}")
_VR_LETTERS = 2


class By(Enum):
    """How a field finds its elements."""

    NAME = ""
    ALL = "all"
    STARTS = "startswith"
    ENDS = "endswith"
    CONTAINS = "contains"
    EXCEPT = "except"
    SELECT_VR = "select:VR"
    SELECT_GROUP = "select:group"
    VALUES = "values"  # elements that hold a value of a %values list
    FIELDS = "fields"  # elements of a %fields list


SEARCHING = frozenset({By.STARTS, By.ENDS, By.CONTAINS, By.EXCEPT})
"""What holds a regular expression."""

_EXPANDERS = {one.value: one for one in SEARCHING} | {"allexcept": By.EXCEPT}


@dataclass(frozen=True, slots=True)
class Field:
    """What a line is about.

    Attributes:
        word: the name, expression, VR, group or list; in lower case but for lists.
    """

    by: By
    word: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        """The regular expression of a `SEARCHING` field.

        Raises:
            re.error: it is none.
        """
        return _compiled(self.by, self.word)


@lru_cache(maxsize=4096)
def _compiled(by: By, word: str) -> re.Pattern[str]:
    framed = {By.STARTS: f"^({word})", By.ENDS: f"({word})$"}.get(by, word)
    return re.compile(framed, re.IGNORECASE)


class UnknownExpander(ValueError):  # noqa: N818 - named for what it says
    """A word before a colon that is no expander."""

    def __init__(self, word: str) -> None:
        self.word = word
        super().__init__(word)


def field_of(written: str) -> Field:
    """The field that a line names.

    Raises:
        UnknownExpander: a word before a colon that deid's language does not have.
        ValueError: a selection of neither VR nor group.
    """
    if written.lower() == "all":
        return Field(By.ALL)
    split = _SPLIT.fullmatch(written)
    if split is None:
        return Field(By.NAME, written.lower())
    expander, word = split[1].lower(), split[2]
    if expander in ("values", "fields"):
        return Field(By(expander), word)
    if expander == "select":
        return _selection(word.lower())
    if expander not in _EXPANDERS:
        raise UnknownExpander(split[1])
    return Field(_EXPANDERS[expander], word.lower())


def _selection(word: str) -> Field:
    what, _, value = word.partition(":")
    if what == "vr":
        return Field(By.SELECT_VR, value[:_VR_LETTERS])
    if what == "group" and _GROUP.fullmatch(value.removeprefix("0x")):
        return Field(By.SELECT_GROUP, f"{int(value, 16):04x}")
    raise ValueError("select: takes VR:XX or group:gggg")


@dataclass(frozen=True, slots=True)
class Names:
    """All that an element is called.

    Attributes:
        nested: keywords of the sequences around it and its own, joined by two underscores.
        keyword: empty where it has none.
        creator: of a private element; None where it has none.
        place: tags and item numbers from the top, joined by two underscores.
    """

    tag: int
    vr: str
    nested: str
    keyword: str
    creator: str | None = None
    place: str = ""

    @property
    def private(self) -> bool:
        """Whether the group is odd."""
        return bool(self.tag >> 16 & 1)

    @property
    def written(self) -> str:
        """The tag as ``(gggg,eeee)``."""
        return f"({self.tag >> 16:04x},{self.tag & 0xFFFF:04x})"

    @property
    def description(self) -> str:
        """The dictionary's words for it."""
        return description(self.tag, self.creator)

    def notations(self) -> tuple[str, str]:
        """A private element as ``gggg,"creator",ee``, without and with its parentheses."""
        bare = f'{self.tag >> 16:04X},"{self.creator}",{self.tag & 0xFF:02X}'
        return bare, f"({bare})"

    def exact(self) -> Iterator[str]:
        """Every name by which a `By.NAME` field finds it, in lower case."""
        tag = f"{self.tag:08x}"
        words = [self.nested, self.written, tag, self.description, self.keyword, self.place]
        if self.private:
            words += self.notations()
        return (word.lower() for word in words if word)

    def found(self, pattern: re.Pattern[str]) -> bool:
        """Whether an expression is found in any of its names."""
        upper = f"{self.tag:08X}"
        words = [self.nested.lower(), self.written, upper, self.description, self.keyword]
        if self.private and self.creator is not None:
            words += self.notations()
        return any(pattern.search(word) for word in words)


def description(tag: int, creator: str | None) -> str:
    """The words of PS3.6 for a tag, or of pydicom's dictionary of private elements."""
    if tag >> 16 & 1:
        return _private_description(tag, creator)
    if dictionary_has_tag(tag) or repeater_has_tag(tag):
        return dictionary_description(tag)
    return "" if tag & 0xFFFF else "Group Length"


def _private_description(tag: int, creator: str | None) -> str:
    if creator:
        try:
            return f"[{private_dictionary_description(tag, creator)}]"
        except KeyError:
            return "Private tag data"
    return "Private tag data" if (tag & 0xFFFF) >> 8 else "Private Creator"


def _fits(field: Field, names: Names) -> bool:
    match field.by:
        case By.ALL:
            return True
        case By.SELECT_VR:
            return names.vr == field.word.upper()
        case By.SELECT_GROUP:
            return names.tag >> 16 == int(field.word, 16)
        case By.EXCEPT:
            return not names.found(field.pattern)
        case _:
            return names.found(field.pattern)


class Finder:
    """Which of many fields mean an element. Lists of values and fields are left to the caller."""

    def __init__(self, fields: Sequence[Field | None]) -> None:
        self._exact: dict[str, list[int]] = {}
        self._others: list[tuple[int, Field]] = []
        for number, field in enumerate(fields):
            if field is None or field.by in (By.VALUES, By.FIELDS):
                continue
            if field.by is By.NAME:
                self._exact.setdefault(field.word, []).append(number)
            else:
                self._others.append((number, field))

    def find(self, names: Names) -> list[int]:
        """Numbers of the fields that mean this element, in order."""
        found = {number for word in set(names.exact()) for number in self._exact.get(word, ())}
        found.update(number for number, field in self._others if _fits(field, names))
        return sorted(found)
