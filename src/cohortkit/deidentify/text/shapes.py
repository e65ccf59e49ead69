"""What is told by its form alone: dates, times, ages, telephones, addresses, long numbers, titles.

Each pattern is linear on any text: what can grow begins where a word or number begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from cohortkit.recipe.text import shipped
from cohortkit.traces import months

_SHORT = 3  # letters of a month in short, in most languages

MONTHS = frozenset(name for names in months.NAMES for name in names)
"""What months are called, in full and in short; some people too."""
_IN_FULL = frozenset(name for name in MONTHS if len(name) > _SHORT) | {"may", "mai", "mei"}


def _any_of(names: frozenset[str]) -> str:
    return f"(?:{'|'.join(sorted(names, key=lambda name: (-len(name), name)))})"


_FULL, _MONTH = _any_of(_IN_FULL), _any_of(MONTHS)
_DAY, _MONTH_NUMBER = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_YEAR, _YEARS = r"(?:19|20)\d{2}", r"(?:(?:19|20)\d{2}|'?\d{2})"
_FROM, _TO = r"(?<![^\W_])", r"(?![^\W_])"  # where no word goes on; an underscore parts words
_NUMBER_FROM, _NUMBER_TO = r"(?<!\d)(?<!\d[.,])", r"(?!\d|[.,]\d)"
_ON = r"[^\s()\[\]{}<>\"]*"  # as an address goes on
_SUFFIX = r"(?:st|nd|rd|th|\.|er)?"
_BETWEEN = r"[\s.,/_-]{0,3}"
_FEWEST_PHONE, _FEWEST_GROUPED = 7, 8


class Shape(NamedTuple):
    """A form, by the rule that is reported, and what a match must meet beside it."""

    rule: str
    pattern: str
    meets: Callable[[str], bool] | None = None


def _shape(rule: str, pattern: str, meets: Callable[[str], bool] | None = None) -> Shape:
    return Shape(rule, pattern, meets)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Made when the first text is read: most exports clean none, and each worker would pay."""
    return re.compile(pattern, re.IGNORECASE)


def _digits(least: int) -> Callable[[str], bool]:
    return lambda text: sum(letter.isdigit() for letter in text) >= least


def _no_term(text: str) -> bool:
    """Whether letters with points are no abbreviation of the trade (A.P.)."""
    return "".join(filter(str.isalpha, text)).casefold() not in shipped().single


_TITLES = (
    r"(?:dr\.|prof(?:\.|essor)?|doctor|docteur|dott(?:\.|ore|oressa)|mr\.|mrs\.?|ms\.|miss|herr|"
    r"frau|mme\.?|mlle\.?|madame|monsieur|señor|señora|sra\.)"
)

_MM, _DD = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_TWO_MONTHS = rf"(?:\d\d{_MM}{_DD}|{_DD}{_MM}\d\d)"
_HOUSE = r"\d{1,4}\s?[a-h]?(?![^\W_]|[.,]\d|\s?(?:mm|cm|ml|%|x\s?\d))"
_STREETS = (
    # the number behind
    (
        rf"{_FROM}[^\W\d_]{{2,40}}(?:stra(?:ss|ß)e|str\.|allee|gasse|straat|laan|plein|gatan|vägen|gata|vej)"
        rf"\s{{0,2}}{_HOUSE}"
    ),
    rf"{_FROM}(?-i:[A-ZÄÖÜ])[^\W\d_]{{1,40}}[-\s]stra(?:ss|ß)e\s{{0,2}}{_HOUSE}",
    (
        rf"{_FROM}(?!(?:arbeit|mess|liege|atem|gallen|harn|luft|zugang|stand|sitz|schlaf|bett))"
        rf"(?-i:[A-ZÄÖÜ])[^\W\d_]{{3,40}}(?:weg|platz|damm|ufer)\s{_HOUSE}"
    ),
    (
        rf"{_FROM}(?-i:(?:Via|Viale|Piazza|Corso|Calle|Avenida|Avda\.|Plaza|Rua|C/))\s?"
        rf"(?:d[aeio]\w{{0,4}}\s){{0,2}}(?-i:[A-ZÁÉÍÓÚ])[^\W\d_]{{2,40}}(?:\s[^\W\d_]{{2,40}}){{0,2}},?\s"
        rf"(?:n\.?º?\s?)?{_HOUSE}"
    ),
    rf"{_FROM}(?:ул|вул|просп|пр-т|пер)\.\s?[^\W\d_]{{2,40}}|{_FROM}(?:улица|вулиця|проспект)\s[^\W\d_]{{2,40}}",
    # the number before
    (
        rf"{_FROM}\d{{1,5}}\s(?-i:[A-Z][a-z]{{2,40}})(?:\s(?-i:[A-Z][a-z]{{2,40}}))?\s"
        rf"(?:street|road|avenue|lane|drive|boulevard|square|(?:st|rd|ave|blvd)\.){_TO}"
    ),
    (
        rf"{_FROM}\d{{1,4}}\s?(?:bis|ter)?,?\s(?:rue|avenue|boulevard|chemin|impasse|quai|allée)"
        r"(?:\s[^\W_]{1,40}){1,2}"
    ),
    # post codes and boxes
    rf"{_FROM}(?:d|a|ch|f|nl|b)-\d{{4,5}}\s(?-i:[A-ZÄÖÜ])[^\W\d_]{{2}}",
    rf"{_FROM}(?:postfach|p\.?\s?o\.?\s?box)\s?\d",
    r"丁目|番地|[路街巷弄]\s?\d{1,5}\s?[号號]",
)

SHAPES = (
    _shape("e-mail", r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]*"),
    _shape("address", rf"(?:https?|ftp|file)://{_ON}|(?<![\w.])www\.{_ON}"),
    _shape(
        "address",
        r"(?<![\w-])[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}"
        rf"\.(?:com|org|net|edu|gov|info|local|lan|de|fr|uk|eu)(?![\w-])(?:/{_ON})?",
    ),
    _shape("path", rf"(?<!\w)[a-z]:\\{_ON}|\\\\{_ON}|(?<![\w/])/(?:[\w.-]{{1,64}}/){{2,}}{_ON}"),
    _shape("uid", r"(?<![\d.])\d{1,20}(?:\.\d{1,20}){3,}"),
    # ── dates ──
    _shape("date", rf"{_NUMBER_FROM}{_YEAR}([-./ ]?){_MONTH_NUMBER}\1{_DAY}(?!\d)"),
    _shape("date", rf"(?<![\d.v]){_DAY}([-./ ])\s?{_MONTH_NUMBER}\1\s?{_YEAR}(?!\d)"),
    _shape("date", rf"(?<![\d.v]){_MONTH_NUMBER}([-./ ])\s?{_DAY}\1\s?{_YEAR}(?!\d)"),
    _shape("date", rf"(?<![\d.v]){_DAY}([-./])\s?{_MONTH_NUMBER}\1\s?\d{{2}}(?![\d.])"),
    _shape("date", rf"(?<![\d.v]){_MONTH_NUMBER}([-./])\s?{_DAY}\1\s?\d{{2}}(?![\d.])"),
    _shape("date", rf"(?<![\d.v]){_MONTH_NUMBER}[-./]{_YEAR}{_NUMBER_TO}"),
    _shape("date", rf"{_NUMBER_FROM}{_YEAR}[-./](?:0[1-9]|1[0-2]){_NUMBER_TO}"),
    _shape("date", rf"(?<!\d){_DAY}{_SUFFIX}{_BETWEEN}{_MONTH}{_BETWEEN}{_YEARS}{_TO}"),
    _shape("date", rf"{_FROM}{_MONTH}{_BETWEEN}{_DAY}{_SUFFIX}[\s.,/_-]{{1,3}}{_YEARS}{_TO}"),
    _shape("date", rf"{_FROM}{_YEAR}{_BETWEEN}{_MONTH}{_BETWEEN}{_DAY}{_TO}"),
    _shape("date", rf"{_FROM}{_MONTH}{_BETWEEN}{_YEAR}{_TO}"),
    _shape("date", rf"(?<!\d){_DAY}{_SUFFIX}\s(?:of\s)?{_FULL}{_TO}"),
    _shape("date", rf"{_FROM}{_FULL}\s{_DAY}(?:st|nd|rd|th)?{_TO}"),
    _shape("year", rf"{_FROM}{_NUMBER_FROM}{_YEAR}{_NUMBER_TO}{_TO}|['\u2019\u00b4`]\d\d{_TO}"),
    # ── times and ages ──
    _shape("time", r"(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?!\d)"),
    _shape("time", rf"{_FROM}(?:[01]?\d|2[0-3])(?:h[0-5]\d|\s?uhr|\s?o'clock){_TO}"),
    _shape(
        "age",
        rf"{_FROM}\d{{1,3}}[\s-]?(?:y/o|yo|yrs?|years?|jahre?n?|ans|anni|años|jaar){_TO}"
        r"(?:[\s-]?(?:old|alt))?",
    ),
    _shape(
        "age",
        rf"{_FROM}\d{{1,3}}[\s.-]{{0,3}}(?:j|jr|ja?e?hrig\w*|jährig\w*|letni\w*|vuotias)\.?{_TO}",
    ),
    _shape("age", rf"{_FROM}\d{{3}}[ymwd]{_TO}|{_FROM}(?:aged?|alter)[\s:=]{{1,3}}\d{{1,3}}(?!\d)"),
    _shape("age", rf"{_FROM}(?:9\d|1[01]\d)\s?(?-i:[MF]){_TO}"),
    # ── telephones and other numbers of someone ──
    _shape("phone", r"\+\s?\d[\d\s()/.-]{4,24}\d", _digits(_FEWEST_PHONE)),
    _shape("phone", r"(?<![\d.,])0\d{1,5}(?:[\s/.-]{1,2}\d{2,8}){1,6}", _digits(_FEWEST_PHONE)),
    _shape("phone", r"\(0?\d{2,5}\)\s?\d{2,8}(?:[\s/.-]\d{2,8}){0,4}"),
    _shape(
        "phone", rf"{_FROM}(?:tel|phone|fax|mobile?|pager|call)[\s.:]{{1,3}}\d[\d\s/.-]{{2,24}}"
    ),
    # of social security, of taxes, of births: as the United States, Britain, Brazil, France, India,
    # Italy and the Nordic countries write them
    _shape("personal number", r"(?<![\d.,-])\d{3}([-.\s])\d{2,3}\1\d{4}(?![\d-]|\s?m[a-z])"),
    _shape("personal number", r"(?<![\d.,-])\d{3}\.\d{3}\.\d{3}-\d\d(?!\d)"),
    _shape("personal number", rf"{_FROM}[12]\s\d\d\s\d\d\s\d\d\s\d{{3}}\s\d{{3}}(?:\s\d\d)?{_TO}"),
    _shape("personal number", r"(?<![\d.,-])\d{4}\s\d{4}\s\d{4}(?![\d-])"),
    _shape("personal number", rf"{_FROM}[a-z]{{6}}\d\d[a-ehlmprst]\d\d[a-z]\d{{3}}[a-z]{_TO}"),
    _shape("personal number", rf"{_FROM}(?:\d\d)?{_TWO_MONTHS}[-+]\d{{4}}(?!\d)"),
    *(_shape("street", form) for form in _STREETS),
    _shape(
        "number", r"(?<![\d.])\d{1,8}([-/.])\d{1,8}(?:\1\d{1,8}){1,8}", _digits(_FEWEST_GROUPED)
    ),
    _shape("number", r"(?<![^\W_])[^\W_]{0,64}?\d{5,}[^\W_]*|\d{5,}"),
    _shape("number", r"(?<![\d.,])\d{3,4}\.\d{3,4}(?![\d.,])"),
    _shape("spelt out", r"(?<![^\W_])[^\W\d_](?:[ ._-][^\W\d_]){3,40}(?![^\W_])"),
    _shape("initials", rf"{_FROM}(?-i:[A-Z]\.\s?){{2,5}}(?-i:[A-Z])?{_TO}", _no_term),
    _shape("title", rf"{_FROM}{_TITLES}\s{{0,3}}(?:[^\W\d_]\.\s?){{0,3}}(?:[^\W\d_]{{2,40}})?"),
)


def found(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, rule) of all that is told by its form."""
    for rule, pattern, meets in SHAPES:
        for match in _compiled(pattern).finditer(text):
            if meets is None or meets(match[0]):
                yield match.start(), match.end(), rule
