"""What is one patient's own as figures tell it: days, ages, numbers; and the initials.

`cohortkit.traces.patterns` finds known values in their usual spellings. Here it goes the other way
round: the figures of a text are read, whatever parts them, and compared with what is known. So
17_3_21, 17 3 21, 17321 and 3/21 are one day, and a number of a table is one too, from whatever
day it was counted.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import permutations, product
from string import ascii_lowercase, ascii_uppercase

from cohortkit.dicom.keywords import vr_of
from cohortkit.traces.aged import UNITS
from cohortkit.traces.bent import BENT, in_pieces, is_cut, is_form, plainer
from cohortkit.traces.days import day_of, epoch_days
from cohortkit.traces.fields import Kind, kind_of
from cohortkit.traces.narrow import narrow
from cohortkit.traces.scripts import ALIKE, dense, is_foreign, roman, sound
from cohortkit.traces.spellings import (
    ORDINARY,
    accents,
    fold,
    misread,
    name_parts,
    plain,
    words_in,
)

_LONGEST_LIFE, _YEAR = 125, 365.25  # years; days
_AGE_STRING = re.compile(r"\s*(\d{1,3})([DWMY]?)\s*", re.ASCII)  # PS3.5 6.2
_PER_YEAR = {"": 1.0, "Y": 1.0, "M": 12.0, "W": _YEAR / 7, "D": _YEAR}
_PER_MONTH = 12
_WHOLE = 0.051  # years by which an age with one decimal is rounded

_COUNTED = tuple(
    dt.date.fromisoformat(day).toordinal()
    for day in ("1899-12-30", "1904-01-01", "1970-01-01", "1960-01-01", "1858-11-17", "1840-12-31")
)
"""Day 0 of spreadsheets (two kinds), Unix, SAS and Stata, the modified Julian day, M."""
_SINCE_ONE = (1_721_424, 1_721_425, 366, 0)
"""Days before 1 A.D.: of a Julian day, which begins at noon, of MATLAB, of the calendar."""
_FROM = tuple(
    dt.datetime.fromisoformat(day)
    for day in ("1582-10-14", "1900-01-01", "1980-01-06", "2001-01-01")
)
"""Second 0 of SPSS, of NTP, of GPS, of Apple."""
_LEAST_COUNT = 1000  # days: fewer are any number
_LEAST_SECONDS, _MOST_SECONDS = 10**8, 2 * 10**10

_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)  # keeps the number of letters
_RUN = re.compile(r"\d+")
_APART = re.compile(r"(?:st|nd|rd|th)?[^a-z0-9]{1,3}(?:(?:of|de|den)[^a-z0-9]{1,3})?")
_WHOLE_PART, _PART, _NUMBER = 3, 4, 5  # figures of a whole part of a number; of any; in groups
_MOST_PARTS = 8
_AGE_WORD = (
    r"(?:anos?|anni|ans?|a|jahr(?:en?)?|ja?hrig\w*|jaehrig\w*|jaar|jr|j|let|lat|years?|yrs?|"
    r"y[./]?o|y)"
)
_AGED = re.compile(
    r"(?<![a-z0-9])(?:aged?|alter|edad|eta|leeftijd|idade|[fhkmw])[^a-z0-9]{0,3}(\d{1,3})(?!\.?\d)"
    rf"|(?<!\d)(?<!\d\.)(\d{{1,3}})[^a-z0-9]{{0,3}}(?:{_AGE_WORD}|[fhkmw])(?![a-z0-9])"
    rf"|(?<!\d)(?<!\d\.)(\d{{1,3}})\s?-?\s?{UNITS}",
    re.IGNORECASE,
)
_INITIALS = re.compile(r"(?<![a-z0-9])[a-z](?:[^a-z0-9]{1,3}[a-z](?![a-z0-9])){1,4}")
_MOST_INITIALS = 5
_NAMED = frozenset({Kind.NAME, Kind.PHYSICIAN})
_KINDS = frozenset({Kind.PATIENT_ID, Kind.IDENTIFIER, Kind.PHONE})


class What(StrEnum):
    """What figures or letters of a text were found to be."""

    DATE = "own date"
    PART = "part of an own date"
    AGE = "own age"
    NUMBER = "own number"
    INITIALS = "own initials"
    NAME = "own name"


Found = tuple[int, int, What]
"""Start, end, what."""


@dataclass(frozen=True, slots=True, repr=False)
class Own:
    """One patient's days, ages, numbers and initials, ready to be met in another spelling.

    Attributes:
        days: of birth, of studies, of anything else in the headers.
        births: those of birth.
        stated: ages that were stated, in full years.
        numbers: the figures of each number of the patient, without what parts them.
        parts: whole parts of these numbers, of three figures or more.
        initials: first letters of the words of each name.
        names: words of names, the patient's and the physicians'.
    """

    days: frozenset[dt.date] = frozenset()
    births: frozenset[dt.date] = frozenset()
    stated: frozenset[int] = frozenset()
    numbers: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    initials: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    ages: frozenset[int] = field(init=False)
    _read: frozenset[tuple[str, ...]] = field(init=False)
    _glued: frozenset[str] = field(init=False)
    _latin: frozenset[str] = field(init=False)
    _foreign: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Reckon the ages, and the figures in which the days are written."""
        reckoned = {_full_years(born, day) for born, day in self._lived()}
        object.__setattr__(self, "ages", self.stated | reckoned)
        object.__setattr__(self, "_read", frozenset(_parted(self.days)))
        object.__setattr__(self, "_glued", frozenset(_written(self.days)))
        latin = {sound(name) for name in self.names - ORDINARY if name.isascii()}
        latin |= {name.removesuffix("a") for name in latin}  # of a woman: it is what cases change
        foreign = {sound(roman(name)) for name in self.names if is_foreign(name)}
        object.__setattr__(self, "_latin", frozenset(n for n in latin if len(n) >= BENT))
        object.__setattr__(self, "_foreign", frozenset(n for n in foreign if len(n) >= BENT))

    def _lived(self) -> Iterator[tuple[dt.date, dt.date]]:
        for born, day in product(self.births, self.days):
            if 0 < (day - born).days < _LONGEST_LIFE * _YEAR:
                yield born, day

    def names_in(self, text: str) -> bool:
        """Whether a word of a text is a name in some form; a long one may be in pieces."""
        runs = words_in(fold(text))
        words = spelled(text) - ORDINARY
        whole = {one_spelling(form) for form in accents("".join(runs))}
        return (
            any(is_form(word, name) for word in words for name in self.names - ORDINARY)
            or any(in_pieces(text, name) for text in whole for name in self.names)
            or self.heard(words)
        )

    def bent(self, word: str) -> bool:
        """Whether a word, as `spelled` gives it, is a name in some form, or one cut off."""
        names = self.names - ORDINARY
        if any(is_form(word, name) or is_cut(word, name) for name in names):
            return True
        return self.heard((word,))

    def heard(self, words: Iterable[str]) -> bool:
        """Whether a word, in one spelling, sounds as a name that is written in another script.

        Of two in one script that sound alike each may be somebody's own: they are not compared.
        """
        for word in words:
            names = self._latin if is_foreign(word) else self._foreign if word.isascii() else ()
            heard = sound(roman(word)) if names else ""
            if len(heard) >= BENT and any(is_form(heard, name) for name in names):
                return True
        return False

    def found(self, low: str) -> Iterator[Found]:
        """Where a text tells something of the patient, whatever parts its figures and letters.

        Args:
            low: narrow letters, in lower case.
        """
        yield from self._figures(low)
        yield from self._aged(low)
        yield from self._initials(low)

    def _figures(self, low: str) -> Iterator[Found]:
        runs = [match.span() for match in _RUN.finditer(low)]
        for first in range(len(runs)):
            parts: list[str] = []
            for last in range(first, min(first + _MOST_PARTS, len(runs))):
                start, end = runs[last]
                if parts and not _APART.fullmatch(low, runs[last - 1][1], start):
                    break
                parts.append(low[start:end])
                what = self._what(parts)
                if what is not None:
                    yield runs[first][0], end, what

    def _what(self, parts: Sequence[str]) -> What | None:
        """What figures in one or more parts are."""
        joined = "".join(parts)
        if len(parts) > 1 and not self._read.isdisjoint(_readings(parts)):
            return What.DATE if len(parts) > 2 else What.PART  # noqa: PLR2004 - day, month, year
        if len(parts) == 1 and joined in self._glued:
            return What.DATE if len(joined) > _PART else What.PART
        if joined in self.parts or self._numbered(joined, _PART if len(parts) == 1 else _NUMBER):
            return What.NUMBER
        return None

    def _numbered(self, figures: str, least: int) -> bool:
        bare = figures.lstrip("0")
        return len(bare) >= least and any(
            bare in number or (len(number) >= _NUMBER and number in bare) for number in self.numbers
        )

    def _aged(self, low: str) -> Iterator[Found]:
        for match in _AGED.finditer(low):
            if int(match[1] or match[2] or match[3]) in self.ages:
                yield *match.span(), What.AGE

    def _initials(self, low: str) -> Iterator[Found]:
        for match in _INITIALS.finditer(low):
            letters = Counter(letter for letter in match[0] if letter.isalpha())
            if any(letters <= Counter(own) for own in self.initials):
                yield *match.span(), What.INITIALS

    def is_initials(self, text: str) -> bool:
        """Whether a text is nothing but the patient's initials, in any order: ZK."""
        letters = plain(fold(text.strip()))
        if not (letters.isalpha() and 1 < len(letters) <= _MOST_INITIALS):
            return False
        return any(Counter(letters) == Counter(own) for own in self.initials)

    def counts(self, number: float) -> bool:
        """Whether a number is a day of the patient: written as one, or counted from any day."""
        whole = abs(int(number))
        if whole < _LEAST_COUNT:
            return False
        written = str(whole) in self._glued and len(str(whole)) > _PART
        return written or not self.days.isdisjoint(_counted(int(number)))

    def aged(self, number: float) -> str | None:
        """Whether a number is an age of the patient on a day that is known; and the unit."""
        whole = int(number)
        if whole in self.ages and (number == whole or self._exactly(number)):
            return "years"
        for born, day in self._lived():
            days = (day - born).days
            if whole == days:
                return "days"
            if whole == _full_months(born, day) >= _PER_MONTH:
                return "months"
        return None

    def _exactly(self, number: float) -> bool:
        return any(abs(number - (day - born).days / _YEAR) < _WHOLE for born, day in self._lived())

    def born_in(self, years: Iterable[int]) -> bool:
        """Whether one of some years is that of the birth, and of no other day that is known."""
        seen = {day.year for day in self.days - self.births}
        return any(year not in seen for year in years if year in {b.year for b in self.births})

    def is_number(self, number: float) -> bool:
        """Whether a number, however short, is one of the patient's from end to end."""
        return number == int(number) and str(abs(int(number))) in self.numbers

    def numbered(self, number: float) -> bool:
        """Whether the figures of a number are a part of one of the patient's numbers."""
        return number == int(number) and self._numbered(str(abs(int(number))), _PART)

    def __or__(self, other: Own) -> Own:
        """What either tells."""
        return Own(
            self.days | other.days,
            self.births | other.births,
            self.stated | other.stated,
            self.numbers | other.numbers,
            self.parts | other.parts,
            self.initials | other.initials,
            self.names | other.names,
        )


def spelled(text: str) -> frozenset[str]:
    """The words of a text as names are compared."""
    return frozenset(one_spelling(form) for run in words_in(fold(text)) for form in accents(run))


def one_spelling(text: str) -> str:
    """A folded name as all of its spellings are compared."""
    return plainer(text).translate(ALIKE)


def lowered(text: str) -> str:
    """A narrow text in lower case, as many letters as before."""
    return text.translate(_LOWER)


def own_of(told: Iterable[tuple[str, str]]) -> Own:
    """What attributes tell of their patient.

    Args:
        told: keyword and value of each.
    """
    days, births, ages = set[dt.date](), set[dt.date](), set[int]()
    numbers, parts, initials, names = set[str](), set[str](), set[str](), set[str]()
    for keyword, value in told:
        vr = vr_of(keyword) or "LO"
        kind = kind_of(keyword, vr)
        day = day_of(value) if kind in {Kind.DATE, Kind.BIRTH_DATE} else None
        if vr == "AS":
            ages |= _age(value)
        elif day is not None:
            (births if kind is Kind.BIRTH_DATE else days).add(day)
        elif kind in _KINDS:
            numbers |= figures_of(value)
            parts |= {run for run in _RUN.findall(narrow(value).text) if len(run) >= _WHOLE_PART}
        elif kind in _NAMED:
            names |= {
                one_spelling(part)
                for spelt in misread(value)
                for part in name_parts(spelt)
                if len(part) >= BENT or dense(part)
            }
            initials |= set(initials_of(value)) if kind is Kind.NAME else set()
    return Own(
        frozenset(days | births),
        frozenset(births),
        frozenset(ages),
        frozenset(numbers),
        frozenset(parts),
        frozenset(initials),
        frozenset(names),
    )


def figures_of(value: str) -> set[str]:
    """The figures of a number, without what stands between them and zeros before them."""
    joined = "".join(_RUN.findall(narrow(value).text)).lstrip("0")
    return {joined} if len(joined) >= _PART else set()


def initials_of(name: str) -> Iterator[str]:
    """The first letters of the words of a name, in each of its scripts."""
    for group in plain(fold(name)).split("="):
        letters = "".join(word[0] for word in words_in(group) if word[0].isalpha())
        if len(letters) > 1:
            yield letters


def _age(value: str) -> set[int]:
    match = _AGE_STRING.fullmatch(value.strip("\0 "))
    return {int(int(match[1]) / _PER_YEAR[match[2]])} if match else set()


def _full_years(born: dt.date, day: dt.date) -> int:
    return _full_months(born, day) // _PER_MONTH


def _full_months(born: dt.date, day: dt.date) -> int:
    return (day.year - born.year) * _PER_MONTH + day.month - born.month - (day.day < born.day)


def _parted(days: Iterable[dt.date]) -> Iterator[tuple[str, ...]]:
    """A day as it is written in parts: in three, or without the year or the day."""
    for one in days:
        day, month = str(one.day), str(one.month)
        for year in (f"{one.year:04d}", f"{one.year % 100:02d}"):
            yield from permutations((day, month, year))
            yield from ((month, year), (year, month))
        yield from ((day, month), (month, day))


def _readings(parts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Figures in parts, of which one may be a year: zeros before a day or a month tell nothing."""
    bare = tuple(part.lstrip("0") for part in parts)
    yield bare
    for at, part in enumerate(parts):
        yield (*bare[:at], part, *bare[at + 1 :])


def _written(days: Iterable[dt.date]) -> Iterator[str]:
    """A day as it is written in one number, with or without zeros, year or day."""
    for one in days:
        year, short = f"{one.year:04d}", f"{one.year % 100:02d}"
        d, m = f"{one.day:02d}", f"{one.month:02d}"
        for day, month, y in product({d, str(one.day)}, {m, str(one.month)}, (year, short)):
            yield from (day + month + y, month + day + y, y + month + day)
        number = one.timetuple().tm_yday
        yield from (f"{year}{number:03d}", f"{short}{number:03d}")
        yield from (year, d + m, m + d, m + short, short + m, year + m, m + year)


def _counted(number: int) -> Iterator[dt.date]:
    """The days that a number may count to, from any day from which days or seconds are counted."""
    yield from epoch_days(number)
    ordinals = (*(number + first for first in _COUNTED), *(number - first for first in _SINCE_ONE))
    for ordinal in ordinals:
        if 0 < ordinal <= dt.date.max.toordinal():
            yield dt.date.fromordinal(ordinal)
    if _LEAST_SECONDS <= abs(number) < _MOST_SECONDS:
        for first, hours in product(_FROM, (-14, 0, 14)):
            yield (first + dt.timedelta(seconds=number, hours=hours)).date()
