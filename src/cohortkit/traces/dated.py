"""Whether a text or a number tells a day: of anybody, in any usual form.

`cohortkit.traces.days` writes a known day in its forms; here a day is recognised that nobody has
said before. Every form there is recognised here, but for a day in six figures, which any code may
be. What is recognised too much is a lost label, what is recognised too little a true date.
"""

from __future__ import annotations

import re
from functools import cache

from cohortkit.traces.aged import read
from cohortkit.traces.months import NAMES, ROMAN

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
    rf"(?<![\d./-]){_YEAR}(?:-{_TWO}|/{_MONTH})(?![\d/-])",
    rf"(?<![\w.]){_DAY}\.\s?{_MONTH}\.(?!\w)",
    r"(?<![a-z])kw\W{0,2}[0-5]?\d(?!\d)",
    rf"(?<![\d./-]){_MONTH}\s?[-/.]\s?{_YEAR}(?!\.?\d)",
    rf"(?<![a-z\d])(?:q[1-4]\W{{0,2}}{_YEAR}|{_YEAR}\W{{0,2}}q[1-4])(?!\d)",
    rf"(?<!\d){_YEAR}-?w[0-5]\d(?:-?[1-7])?(?!\d)",
    rf"(?<![\d.]){_YEAR}-?(?:[0-2]\d\d|3[0-6]\d)(?![\d-])(?!\.\d)",
    rf"{_YEAR}\s?[年년]|{_MONTH}\s?[月월]\s?{_DAY}",
    # years that are counted from a reign or a founding, with a month; the last two figures of one
    rf"(?:明治|大正|昭和|平成|令和|民国|民國)\s?(?:元|\d{{1,3}})\s?[年./-]\s?{_MONTH}",
    rf"(?<!\d)\d\d\s?[年년]\s?{_MONTH}\s?[月월]",
    # seconds and milliseconds since 1970, from 2001 to 2039
    r"(?<![\w.])(?:1\d|2[01])\d{8}(?:\d{3})?(?!\w)",
)

_WHOLE = re.compile(
    "|".join(
        (
            *_FORMS[:6],
            rf"(?<!\d){_DAY}{_TH}{_OF}(?:{_NAME}){_OF}(?:{_YEAR}|'?\d\d)(?!\d)",
            rf"(?<![a-z])(?:{_NAME}){_OF}{_DAY}{_TH}{_OF}{_YEAR}(?!\d)",
            rf"(?<!\d){_YEAR}{_OF}(?:{_NAME}){_OF}{_DAY}(?!\d)",
            rf"\d\s?[年년]\s?{_MONTH}\s?[月월]\s?{_DAY}",
        )
    )
)
_BORN = re.compile(
    r"(?<![a-z])(?:born|birth\w*|dob|geb\.|geboren\w*|geburt\w*|nee?|naissance|nacid[ao]\w*|"
    r"nascimento|nat[ao]|geboorte\w*|fodt|fodd)(?![a-z])"
)

_SEVEN = 10**6


def tells_date(text: str) -> bool:
    """Whether a text holds a date, or a part of one that is finer than a year."""
    return _dated().search(read(text)) is not None


@cache
def _dated() -> re.Pattern[str]:
    """Made when it is first asked for: few exports have labels."""
    return re.compile("|".join(_FORMS))


def tells_day(text: str) -> bool:
    """Whether a text holds a day of a year in full, or a month of a year in which one was born."""
    told = read(text)
    if _WHOLE.search(told) is not None:
        return True
    return _BORN.search(told) is not None and _dated().search(told) is not None


def number_tells_date(number: float) -> bool:
    """Whether a number may be a date: YYYYMMDD with or without a clock, YYYYDDD, or an epoch."""
    whole = abs(int(number))
    return whole >= _SEVEN and tells_date(str(whole))
