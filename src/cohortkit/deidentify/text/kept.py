"""Whether technical text that would stay as it is tells of somebody.

What no person types needs no cleaning. That it was not typed all the same is not believed: a value
with a telephone, a day, an age, a title with a name or any other form that people have does not
stay, whoever it is of, and neither does one with a name of these headers in another form. What is
asked depends on what the attribute is: a version may have days and many parts, a code of a scheme
is a number.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Final

from cohortkit.deidentify.text.reach import telling
from cohortkit.deidentify.text.shapes import MONTHS
from cohortkit.recipe import profile
from cohortkit.recipe.text import shipped
from cohortkit.traces.aged import ages
from cohortkit.traces.dated import tells_date
from cohortkit.traces.fields import MAKERS
from cohortkit.traces.own import Own, spelled
from cohortkit.traces.spellings import ORDINARY

_REMEMBERED: Final = 8192
_LONGEST: Final = 512
"""Letters of a value that are looked at; what is longer is no technical text."""
_VERSIONS: Final = re.compile(r"Version|Software")
_CODES: Final = frozenset({"CodeValue", "LongCodeValue"})
_LETTERS: Final = 4
_PUBLIC: Final = re.compile(
    r"(?:(?:https?|git)://(?:www\.)?|git@)(?:github|gitlab|sourceforge)\.[a-z]{2,8}[:/][\w./-]*"
)
"""Where programs come from, which call themselves so."""

_NAMED: Final = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}\^[^\W\d_]{2,}")
"""A name as DICOM writes it."""
_BORN: Final = re.compile(
    r"(?<![^\W_])(?:born|dob|geb(?:\.|oren\w*|urtsdatum)|naissance|nacid[ao]|n[ée]+\s+le)(?![^\W_])",
    re.IGNORECASE,
)
_GROUPS: Final = re.compile(r"(?<![\w.,/-])\d{2,4}(?:[ /-]\d{2,4}){2,4}(?![\w-]|\.\d)")
_SEVEN: Final = re.compile(r"(?<![\w.,/-])\d{3}[ -]\d{4}(?![\w-]|\.\d)")
"""Telephones as those write them who dial no zero first."""
_UID: Final = re.compile(r"(?<![\d.])[0-2](?:\.\d{1,39}){5,}")
_AGE: Final = re.compile(r"(?<![\w.])\d{3}[DWM](?!\w)", re.IGNORECASE)
"""As DICOM writes an age but in years; beside other words a model's name, or an isotope."""
_VERSION: Final = re.compile(
    r"(?:version|ver\.|release)\s(?:[a-z]{1,6}_)?\d+(?:\.\d+)+", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"(?<![\w.])\d{6,}")


class Text(Enum):
    """What a kept value is."""

    TERM = "term"
    CODE = "code"
    VERSION = "version"


def text_of(keyword: str, vr: str) -> Text | None:
    """As what the values of an attribute are judged; None where they are not."""
    if vr == "CS":
        return Text.TERM
    if keyword not in profile.technical():
        return None
    if _VERSIONS.search(keyword):
        return Text.VERSION
    return Text.CODE if keyword in _CODES else Text.TERM


@lru_cache(_REMEMBERED)
def tells(text: str, kind: Text) -> bool:
    """Whether a value tells of somebody by its form; remembered as long as the process runs."""
    if len(text) > _LONGEST:
        return True
    if _PUBLIC.fullmatch(text):
        return False
    if _NAMED.search(text) or _is_birth(text) or telling(text) - {"uid"}:
        return True
    if kind is Text.TERM:
        return _tells_more(_VERSION.sub("", text))
    return kind is Text.CODE and not text.isdigit() and _called(text)


def _is_birth(text: str) -> bool:
    """Whether a text tells when somebody was born; what a concept is called tells it not."""
    if _BORN.search(text) is None:
        return False
    return any(map(str.isdigit, text)) or not MONTHS.isdisjoint(text.casefold().split())


def _called(text: str) -> bool:
    return _GROUPS.search(text) is not None or _SEVEN.search(text) is not None


def _tells_more(text: str) -> bool:
    """What a term has none of: numbers of somebody, days, ages, identifiers of objects."""
    if _called(text) or _NUMBER.search(text) or _UID.search(text) or tells_date(text):
        return True
    return _AGE.fullmatch(text) is not None or any(True for _ in ages(_AGE.sub(" ", text)))


def names(text: str, own: Own) -> bool:
    """Whether a word of a value is a name of these headers, in any form: bent, cut off, glued."""
    return bool(own.names) and any(map(own.bent, _words(text)))


@lru_cache(_REMEMBERED)
def _words(text: str) -> tuple[str, ...]:
    """The words that may be names: none of the trade, no maker's, four letters or more."""
    trade = shipped().single
    return tuple(
        word
        for word in spelled(text)
        if len(word) >= _LETTERS
        and not word.isdigit()
        and not (word in trade or word in MAKERS or word in ORDINARY)
    )
