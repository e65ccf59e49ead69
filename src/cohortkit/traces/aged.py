# ruff: noqa: RUF001 - words of other scripts, as they are written
"""Whether a text tells an age: of anybody, in figures or in words, in the usual languages.

A number is an age by the unit behind it or the word before it. A number from 90 on that is written
out is one unless it counts something else: few write "ninety-seven" of anything but a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

from cohortkit.traces.spellings import fold, plain

OLDEST: Final = 90
"""From here on an age identifies (45 CFR 164.514(b)(2)(i)(C))."""


def read(text: str) -> str:
    """Folded, without accents, with figures of any script as those from 0 to 9."""
    text = " ".join(text.split())  # long blanks would be tried in every way of parting them
    if text.isascii():
        return text.casefold()
    bare = unicodedata.normalize("NFC", plain(fold(text)))
    return "".join(str(unicodedata.digit(letter, letter)) for letter in bare)


def any_of(words: str) -> str:
    """Patterns without capitals, longest first; Hangul also in the letters it is taken apart to."""
    forms = {form for word in words.split() for one in [read(word)] for form in (one, plain(one))}
    return f"(?:{'|'.join(sorted(forms, key=lambda form: (-len(form), form)))})"


_DENSE = any_of("岁 歳 歲 才 세 살 周岁 周歳 周歲")
_SPACED = any_of(
    r"""
    лет года летн\w* летия років роки року рік річн\w* гадоў години годишн\w* година годин[аеу]
    ετών έτη έτος χρονών χρόνων سنة سنه سنوات سنين عام عاما أعوام سال ساله سالگی שנה שנים
    ปี ขวบ वर्ष वर्षीय साल წლის տարեկան tuổi vuotta vuotias vuotiaan rokov rocny rocna
    evesen eves ára årig år gammal yaşında yaşındaki
    """
)
UNITS: Final = rf"(?:[多余餘几来周満满]?\s*{_DENSE}|{_SPACED}(?!\w))"
"""What stands behind an age in languages that the patterns of others do not know."""
_BEFORE = any_of(
    """
    возраст возрасте возр вік віці ηλικία ηλικίας عمر العمر عمره عمرها גיל בן בת อายุ आयु
    年齢 年齡 年龄 나이 연령 满 満 yaş yaşı wiek wieku věk věku ikä ålder alder vârsta
    """
)
_ALSO = r"(?:let|lat|letni\w*|roku|godin\w*|ani|anys|ev|metu|yas|tahun|л\.|г\.)"
_UNIT = r"(?:years?|yrs?|jahren?|jahrig\w*|jaehrig\w*|ans|anos?|anni|jaar)"
_AGES = (
    rf"(?<![\d.])(\d{{1,3}})(?:[.,]\d+)?\s*-?\s*{_UNIT}(?![a-z])",
    r"(?<![\w.])(\d{1,3})\s?(?:y|yo|yrs|y/o|y\.o\.?|j)(?:[ /-]?[fmw])?(?![a-z\d])",
    r"(?<![\w.])(\d{2,3})[\s,;/-]{0,2}(?:fe)?male(?![a-z])",
    r"(?<![a-z\d])[mfw]\s?[,;:/ ]\s?(\d{2,3})(?![.]?\w)",  # m, 93; ICD-10's M54.5 is none
    r"(?<![a-z])(?:aged?|ages|alter|edad|eta|leeftijd|idade)\W{0,3}(?:of|von)?\W{0,2}(\d{1,3})\b",
    rf"(?<![\d.])(\d{{1,3}})(?:[.,]\d+)?\s?-?\s?{UNITS}",
    rf"(?<!\w){_BEFORE}\W{{0,3}}(\d{{1,3}})(?!\d)",
    # words that mean something else behind small numbers: two lat (views)
    rf"(?<![\d.])((?:9|1[0-2])\d)\s?-?\s?{_ALSO}(?!\w)",
)
_STRING = re.compile(r"(?<![\w.])(\d{3})([dwm])(?![a-z\d])")  # PS3.5 6.2, AS
_PER_YEAR = {"d": 365.25, "w": 365.25 / 7, "m": 12.0}

_NINETY = any_of(
    r"""
    ninety(?:[-\s]?(?:one|two|three|four|five|six|seven|eight|nine))?+ \w*neunzig\w* \w*negentig\w*
    quatre[-\s]?vingts?[-\s]?(?:dix[-\s]?\w*|onze|douze|treize|quatorze|quinze|seize) nonante
    noventa novant[aeiu]\w* nittio\w* \w*halvfems\w* nitti\w* yhdeksänkymmen\w* dziewięćdziesi\w*
    devades\w* devätdesiat\w* devedeset\w* kilencven\w* doksan\w* nouăzeci девяност\w*
    дев.?яност\w* деветдесет\w* ενενήντα تسعين تسعون תשעים 아흔\w* 구십\w*
    """
)
_MEASURE = any_of(
    r"""
    per\s?cent\w* percent\w* degrees? deg minutes? mins? seconds? secs? hours? days? weeks? months?
    times confidence mm cm m ml mg g kg kv ma slices? images? frames? patients? cases? scans? series
    studies beats points? prozent\w* grad minuten sekunden stunden tagen? wochen monaten? bildern?
    schichten mal pour\s?cent degrés? jours por\s?ciento por\s?cento grados? graus gradi gradini
    per\s?cento procent\w* процент\w* градус\w* % ° 도 度
    """
)
_TENTH = (
    r"(?:1[0-2]\s?\.?\s?(?:th|st|nd|te[nrs]?|eme|e|a|o)?|tenth|eleventh|zehnte[nrs]?|elfte[nrs]?|"
    r"dixieme|decima|tiende)"
)
_OLD = (
    r"nonagenarian|centenarian|nonagenair|centenair|"
    r"(?:in|mid|early|late)\W+(?:(?:her|his|the)\W+)?(?:nineties|90s)|"
    rf"(?<!\w){_TENTH}\W{{1,2}}(?:decade|dekade|decennie|decada|decennio|(?:lebens)?jahrzehnt)(?![ts]?s)|"
    rf"(?<!\w){_NINETY}(?!\w)(?!\W{{0,3}}(?:{_MEASURE}))|"
    r"(?<!\w)(?:a |one |ein)?hundred(?:(?: and)?[ -][a-z]+)?[ -]years?[ -](?:old|of age)|"
    r"(?<!\w)(?:ein)?hundert\w{0,16}?(?:jahrig|jaehrig)|"
    r"九十[一二三四五六七八九]?[多余]?\s?周?[岁歳歲才]|百[零〇]?[一二三四五六七八九]?\s?[岁歳歲才]|"
    r"(?<!\w)xc(?:ix|iv|v?i{1,3}|v)(?!\w)"
)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Made when it is first asked for: few exports have labels."""
    return re.compile(pattern)


def ages(text: str) -> Iterator[float]:
    """The ages that a text tells, in years; 90 for words that say as much."""
    told = read(text)
    for found in _compiled("|".join(_AGES)).finditer(told):
        yield int(next(group for group in found.groups() if group))
    for found in _STRING.finditer(told):
        yield int(found[1]) / _PER_YEAR[found[2]]
    if _compiled(_OLD).search(told):
        yield OLDEST
