"""Whether a text or a number tells a day, or an age: of anybody, in any usual form.

`cohortkit.traces.days` writes a known day in its forms; here a day is recognised that nobody has
said before. Every form there is recognised here, but for a day in six figures, which any code may
be. What is recognised too much is a lost label, what is recognised too little a true date.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from cohortkit.traces.months import NAMES, ROMAN
from cohortkit.traces.spellings import fold, plain

_YEAR = r"(?:18|19|20|21)\d\d"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_MONTH = r"(?:1[0-2]|0?[1-9])"
_TWO = r"(?:0[1-9]|1[0-2])"
_TWO_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_SEP = r"(?:\s*[./:_,-]\s*|\s+)"
_TIGHT = r"\s?[./-]\s?"
_NAME = "|".join(sorted({name for names in NAMES for name in names}, key=len, reverse=True))
_ROMAN = "|".join(sorted(ROMAN, key=len, reverse=True))
_TH = r"(?:st|nd|rd|th)?"
_OF = r"(?:\s*[.,/_-]?\s*(?:of|de|den)?\s*)"
_CLOCK = r"(?:(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)?"

_FORMS = (
    # the year first, last, or in two figures; months and days in any order
    rf"(?<!\d)(?<!\d\.){_YEAR}{_SEP}{_MONTH}{_SEP}{_DAY}(?!\d)",
    rf"(?<!\d)(?<!\d\.)(?:{_DAY}{_SEP}{_MONTH}|{_MONTH}{_SEP}{_DAY}){_SEP}{_YEAR}(?!\d)",
    rf"(?<!\d)(?<!\d\.)(?:{_DAY}{_TIGHT}{_MONTH}|{_MONTH}{_TIGHT}{_DAY}){_TIGHT}\d\d(?!\.?\d)",
    rf"(?<!\d)(?<!\d\.)\d\d{_TIGHT}{_TWO}{_TIGHT}{_TWO_DAY}(?!\.?\d)",
    # glued, perhaps with a time of day
    rf"(?<!\d){_YEAR}{_TWO}{_TWO_DAY}{_CLOCK}(?!\d)",
    rf"(?<!\d)(?:{_TWO_DAY}{_TWO}|{_TWO}{_TWO_DAY}){_YEAR}(?!\d)",
    # a month by name, with a day or a year beside it
    rf"(?<!\d){_DAY}{_TH}{_OF}(?:{_NAME})(?![a-z])",
    rf"(?<![a-z])(?:{_NAME}){_OF}(?:{_YEAR}|'\d\d|{_DAY}{_TH})(?!\d)",
    rf"(?<!\d){_YEAR}{_OF}(?:{_NAME})(?![a-z])",
    rf"(?<!\d){_DAY}{_TIGHT}(?:{_ROMAN}){_TIGHT}{_YEAR}(?!\d)",
    rf"(?<!\d){_DAY}\s(?:{_ROMAN})\s{_YEAR}(?!\d)",
    rf"(?<!\d)(?:{_DAY})?(?:{_NAME})\d\d(?:\d{{2,4}})?(?![\da-z])",
    # a month of a year, a quarter, a week, a day of the year
    rf"(?<![\d./-]){_YEAR}[-/]{_TWO}(?![\d/-])",
    rf"(?<![\d./-]){_MONTH}\s?[-/.]\s?{_YEAR}(?!\.?\d)",
    rf"(?<![a-z\d])(?:q[1-4]\W{{0,2}}{_YEAR}|{_YEAR}\W{{0,2}}q[1-4])(?!\d)",
    rf"(?<!\d){_YEAR}-?w[0-5]\d(?:-?[1-7])?(?!\d)",
    rf"(?<![\d.]){_YEAR}-?(?:[0-2]\d\d|3[0-6]\d)(?![\d-])(?!\.\d)",
    rf"{_YEAR}\s?[年년]|{_MONTH}\s?[月월]\s?{_DAY}",
    # seconds and milliseconds since 1970, from 2001 to 2039
    r"(?<![\w.])(?:1\d|2[01])\d{8}(?:\d{3})?(?!\w)",
)
_DATED = re.compile("|".join(_FORMS))

_UNIT = r"(?:years?|yrs?|jahren?|jahrig\w*|jaehrig\w*|ans|anos?|anni|jaar)"
_AGES = (
    rf"(?<![\d.])(\d{{1,3}})(?:[.,]\d+)?\s*-?\s*{_UNIT}(?![a-z])",
    r"(?<![\w.])(\d{1,3})\s?(?:y|yo|yrs|y/o|y\.o\.?|j)(?:[ /-]?[fmw])?(?![a-z\d])",
    r"(?<![a-z\d])[mfw]\s?[,;:/ ]\s?(\d{2,3})(?![.]?\w)",  # m, 93; ICD-10's M54.5 is none
    r"(?<![a-z])(?:aged?|ages|alter|edad|eta|leeftijd|idade)\W{0,3}(?:of|von)?\W{0,2}(\d{1,3})\b",
)
_AGED = re.compile("|".join(_AGES))
_STRING = re.compile(r"(?<![\w.])(\d{3})([dwm])(?![a-z\d])")  # PS3.5 6.2, AS
_PER_YEAR = {"d": 365.25, "w": 365.25 / 7, "m": 12.0}
_OLD = re.compile(
    r"nonagenarian|centenarian|(?:in|mid|early|late)\W+(?:(?:her|his|the)\W+)?(?:nineties|90s)"
)

_OLDEST: Final = 90
_SEVEN = 10**6


def tells_date(text: str) -> bool:
    """Whether a text holds a date, or a part of one that is finer than a year."""
    return _DATED.search(_read(text)) is not None


def number_tells_date(number: float) -> bool:
    """Whether a number may be a date: YYYYMMDD with or without a clock, YYYYDDD, or an epoch."""
    whole = abs(int(number))
    return whole >= _SEVEN and tells_date(str(whole))


def ages(text: str) -> Iterator[float]:
    """The ages that a text tells, in years; 90 for words that say as much."""
    read = _read(text)
    for found in _AGED.finditer(read):
        yield int(next(group for group in found.groups() if group))
    for found in _STRING.finditer(read):
        yield int(found[1]) / _PER_YEAR[found[2]]
    if _OLD.search(read):
        yield _OLDEST


def _read(text: str) -> str:
    """Folded, without accents, with figures of any script as those from 0 to 9."""
    text = " ".join(text.split())  # long blanks would be tried in every way of parting them
    if text.isascii():
        return text.casefold()
    bare = unicodedata.normalize("NFC", plain(fold(text)))
    return "".join(str(unicodedata.digit(letter, letter)) for letter in bare)
