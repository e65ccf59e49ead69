# ruff: noqa: RUF001, RUF002 - words of other scripts, as they are written
"""Whether a text tells a year of birth: of anybody, by its words; of somebody, by the year alone.

A word for a birth beside a year is one (``Jg. 1923``, ``*23``, ``née en 1923``, ``1923 г.р.``),
and so is the same with a day before the year. Signs and letters that stand for the word (``*``,
``b.``) need the year right behind them. Years of other calendars are read as ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from cohortkit.traces.aged import any_of, read

_YEAR = r"(?:18|19|20|2[45])\d\d"  # the last: of Buddha
_NO_LETTER = r"(?<![^\W\d_])"  # before a word
_END = r"(?![^\W\d_])"
_NAME = r"[^\W\d_]"
_FULL = (
    rf"(?<!\d)(?<!\d\.)(?:(?:{_NAME}{{3,12}}\W{{1,3}})?\d{{1,2}}(?:st|nd|rd|th|er)?\W{{0,3}}"
    rf"(?:{_NAME}{{1,12}}\W{{1,3}}){{0,2}}(?:\d{{1,2}}\W{{1,3}})?)?{_YEAR}(?!\d)"
)
_COUNTED = (
    r"(?:weeks?|wks?|days?|months?|mo|min|wochen|ssw|monate|tage?|semaines?|semanas?|sem|"
    r"[cm]m|k?g|ml|x)"
)
_SHORT = rf"(?<![\d.,])['’‘`´]?\d\d(?!\d|[.,]\d|\W{{0,2}}(?:%|{_COUNTED}\b))"
_GAP = r"[^\d\n]{0,30}?"
_CLOSE = (
    r"[\W_]{0,4}(?:(?:in|im|en|em|el|le|o|anno|ano|annee|year|yr|jahr|jahre|date|datum|data|den|the|"
    r"of|de|nel|nell|nello|i|u|v|w|r|roku|roce|rok|god|году|год|року|ar|ca|circa|about|around|um|"
    r"vers|nam|am|on|พ\.?ศ|ค\.?ศ)(?![^\W\d_])[\W_]{0,3}){0,3}"
)

_BORN = any_of(
    r"""
    born nee geboren\w* geborene?r? naissance nacid[ao]s? nascid[ao]s? nat[ao] natus nata fodt
    fodd syntynyt narozen[aoy]? urodzon[aye] rođen[ao]? rodjen[ao]? rozen[ao]? született
    született\w* născut[aă]? roden[aio]? роден\w* рођен\w* родил(?:ся|ась|ся) рожден\w*
    народ(?:ився|илась|илася|жен\w*) γεννη\w* γεννήθηκε doğmuş dogum doğum\w* doğdu sündinud
    dzimis\w* dzimus\w* gimęs gimusi lahir ipinanganak aliyezaliwa مواليد ولد ولدت متولد תאריך
    נולד נולדה מ?יליד מ?ילידת 出生 生于 生於 생년 출생 출생년도
    """
)
"""Words of somebody: something else may stand between them and the year, as a place."""

_BIRTH = any_of(
    r"""
    birth birthday birthyr geb\.?\s?jaar birthdate birthyear birth-?year geburt geburtsjahr
    geburtsdatum geburtstag gebdat jahrg jahrgang jahrgange geb gebj jg jgg d\.?\s?o\.?\s?b
    y\.?\s?o\.?\s?b ne n[ée]\(?e?\)? nac nacim nacimiento nascimento nascita nasc ddn dn fn
    f\.?\s?nac geboorte geboortejaar geboortedatum fodselsar fodselsdato fodselsdag fødselsår
    fodd födelseår fodelsear arskull årskull fodt syntymävuosi syntymäaika synt nar narozeni
    rocnik ročník ur rocznik urodzenia godište godiste szül szul sz\. születési evf szuletes
    nașterii nasterii g\.?\s?r г\.?\s?р р\.?\s?н рожд рождения рождения\w* народження рођења
    раждане născut έτος\sγέννησης γέννησης γεν ημ\.?\s?γεν d\.?\s?tar dogum\syili
    تاريخ\sالميلاد الميلاد ميلاد تولد שנת\sלידה לידה ת\.?\s?ל เกิด เกิดปี जन्म sinh sinh\snăm
    năm\ssinh 生年 生年月日 出生年 出生日期 生まれ 생년월일
    """
)
"""Words of a day or a year: it stands right behind them."""

_YEARLY = any_of(
    r"""
    birthyear birthyr year\sof\sbirth born nee geb gebj geboren\w* geburtsjahr geb\.?\s?jaar
    geboortejaar jahrg jahrgang jahrgange jg jgg d\.?\s?o\.?\s?b y\.?\s?o\.?\s?b fødselsår
    fodselsar född fodt född rocnik ročník rocznik urodzon[aye] narozen[aoy]? nacid[ao]s?
    nascid[ao]s? nat[ao]\snel naissance szül született\w* syntynyt 生年 出生年 년생
    """
)
"""Words behind which two figures are a year."""

_LETTER = r"(?:[bfnsн]|р)\.|[*⁎∗✱⋆★☆°]"
_STAR = r"(?<![\w)\]*])[*⁎∗✱⋆★]"
_BEHIND = any_of(
    r"""
    born birth geborene?r? geboren jahrgang jg nee naissance nacid[ao]s? nascid[ao]s? nat[ao]
    fodt fodd syntynyt narozen[aoy]? urodzon[aye] rocznik rocnik ročník született\w* születésű
    szül doğumlu dogumlu roden[ai]? роден\w* рожд\w* рожден\w* г\.?\s?р р\.?\s?н народж\w*
    γενν\w* generatie godište 년생 생 年生 年生まれ 年出生 生まれ 生 出生 مواليد ولادت
    """
)
_SPELT = (
    r"(?:nineteen|twenty)[-\s]|neunzehnhundert|zweitausend|negentien|tweeduizend|"
    r"(?:mil|mille|dix)[-\s]?(?:neuf|nove|novecien)|millenove|duemila|deux\s?mille|dos\s?mil|dois\s?mil"
)
_MEASURED = (
    r"(?:\s|-)?(?:weight|length|height|order|head|plurality|gewicht|gr[oö]sse|groesse|lange|laenge|"
    r"term|weeks?|preterm|premature)"
)
_CASE = r"(?:er|\s?-?(?:ban|ben)|\s?as|年|년)?"
_YEAR_WORD = r"(?:(?:года|г|року|р|yilda|में)\b)?"
_FORMS = (
    rf"{_NO_LETTER}{_BORN}{_END}(?!{_MEASURED}){_GAP}(?:{_FULL}|{_SPELT})",
    rf"{_NO_LETTER}{_BIRTH}{_END}(?!{_MEASURED}){_CLOSE}(?:{_FULL}|{_SPELT})",
    rf"{_NO_LETTER}{_YEARLY}{_END}(?!{_MEASURED}){_CLOSE}{_SHORT}",
    rf"(?<![\w*])(?:{_LETTER})\s*{_FULL}",
    rf"{_STAR}\s?{_SHORT}",
    rf"(?<![\d.]){_YEAR}{_CASE}[\W_]{{0,3}}{_YEAR_WORD}\.?\W{{0,2}}{_BEHIND}{_END}",
    rf"(?<![\d.])['’]?\d\d(?:er\s|\s?年|\s?년|\s(?=г)|-)\s?{_BEHIND}{_END}",
    r"(?:明治|大正|昭和|平成|令和|(?<!\w)[mtshr])\s?(?:元|\d{1,2})\s?(?:[年./-]\s?[\d年月日./-]{0,8})?\s?生",
)
_YEARS: Final = re.compile(r"(?<!\d)(?:1[89]|2[0145])\d\d(?!\d)")
_ERA = re.compile(r"(明治|大正|昭和|平成|令和|民国|民國)\s?(元|\d{1,3})")
_SINCE = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
_REPUBLIC, _BUDDHA, _FIRST_OF_BUDDHA = 1911, 543, 2300


@cache
def _compiled() -> re.Pattern[str]:
    """Made when it is first asked for: few exports have labels."""
    return re.compile("|".join(_FORMS))


def tells_birth(text: str) -> bool:
    """Whether a text says by its words when somebody was born: a year, or a day with one."""
    return _compiled().search(read(text)) is not None


def years(text: str) -> Iterator[int]:
    """The years that a text tells in four figures, or by an era or calendar of the East."""
    told = read(text)
    for found in _YEARS.finditer(told):
        year = int(found[0])
        yield year - _BUDDHA if year > _FIRST_OF_BUDDHA else year
    for found in _ERA.finditer(told):
        number = 1 if found[2] == "元" else int(found[2])
        yield _SINCE.get(found[1], _REPUBLIC) + number
