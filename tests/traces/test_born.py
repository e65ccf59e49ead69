# ruff: noqa: RUF001 - words of other scripts, as they are written
"""A birth is told by its words, in the usual languages; a year is told in any calendar."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.traces.born import tells_birth, years

_BEFORE = """
Jg.|Jg|JG.|geb.|geb|geb. am|geboren in|geboren|Jahrgang|aus dem Jahrgang|Geburtsjahr|
Geburtsdatum:|*|(w, *|born|Born In|born in Vienna in|born abt|b.|n.|d.o.b|DOB:|DOB|D.O.B.|
YOB|birth year:|year of birth|birthdate|née en|née Dupont en|né en|né(e) le|DDN|naissance:|
nacido en|nacida en|nac.|F.N.|nascida em|DN:|nato nel|nata nel|nasc.|geboorte|geb.jaar|født|
født i|född|f.|syntynyt|s.|ur.|urodzona w|rocznik|nar.|narozen|ročník|rođen|rođena|született|
szül.|născut|născută în|doğum|doğum yılı|gimęs|dzimis|sündinud|родился в|родилась|р.|
год рождения:|народився|роден|рођен|γεννήθηκε το|γεν.|έτος γέννησης|יליד|נולד בשנת|مواليد|
تاريخ الميلاد|متولد|เกิด|जन्म|sinh năm|lahir|生于|出生|生年|생년|שנת לידה
"""
BEFORE = [word.strip() for word in _BEFORE.replace("\n", "").split("|")]
BEHIND = [
    "г.р.",
    "года рождения",
    "р.н.",
    "doğumlu",
    "-ban született",
    "年生",
    "年生まれ",
    "년생",
    "born",
]
YEARLY = [
    "Jg.",
    "Jahrgang",
    "geb.",
    "born",
    "*",
    "née en",
    "née",
    "YOB",
    "DOB",
    "ročník",
    "født",
    "född",
]


@given(
    st.sampled_from(BEFORE),
    st.integers(1900, 2024),
    st.sampled_from([" ", ""]),
    st.sampled_from(["", "3.4.", "29.02.", "3. "]),
)
def test_a_year_behind_a_word_for_a_birth_is_one(word: str, year: int, gap: str, day: str) -> None:
    """With and without a blank and a day."""
    if word[-1].isalpha() and day == "" and gap == "":
        gap = "_"
    assert tells_birth(f"Husten, {word}{gap}{day}{year}, m")


@given(st.sampled_from(BEHIND), st.integers(1900, 2024), st.sampled_from([" ", ""]))
def test_so_is_one_before_it(word: str, year: int, gap: str) -> None:
    """As Russian, Turkish, Hungarian and the languages of the East have it."""
    assert tells_birth(f"{year}{gap}{word}")


@given(
    st.sampled_from(YEARLY),
    st.integers(0, 99),
    st.sampled_from(["", "'", "\N{RIGHT SINGLE QUOTATION MARK}"]),
)
def test_two_figures_are_a_year_behind_a_word_for_one(word: str, year: int, sign: str) -> None:
    """Jahrgang 23, *23, born '23."""
    assert tells_birth(f"m, {word} {sign}{year:02d}")


@pytest.mark.parametrize(
    "text",
    [
        "geb. am 3. März 1923", "born 1st of March 1923", "born March 3, 1923", "born 1923-04",
        "geb.: 04/23", "昭和28年8月17日生", "H28生", "大正12年生まれ", "1923er Jahrgang",
        "'23er Jahrgang",
        "born in nineteen twenty-three", "Jahrgang neunzehnhundertdreiundzwanzig", "†1990 *1923",
        "pat.geb.1923", "ＢＯＲＮ １９２３", "born_1923", "Born1923",
    ],
)  # fmt: skip
def test_other_spellings_of_a_birth(text: str) -> None:
    """With a month, in words, in the years of an emperor, glued."""
    assert tells_birth(text)


@pytest.mark.parametrize(
    "text",
    [
        "nodule 12 mm", "birth weight 1950 g", "birth weight 3200", "born 10 weeks premature",
        "born preterm", "2019", "MRI 2019", "newborn 2019", "ne montre pas de lésion en 2019",
        "3*12", "2*23 mm", "T2*", "T2* 23 ms", "T2*23", "C34.1", "score 23", "n=23", "n = 1950",
        "b1000", "b=1000", "b. 12", "ADC b 1000", "f 23", "F23", "M23", "BI-RADS 4", "FN 12%",
        "37°",
        "birth order 2", "birth trauma", "generated 2019", "carbon 2019", "** 2019", "先生 2019",
        "", "geb", "*", "disease free since 2019", "generation 3",
    ],
)  # fmt: skip
def test_other_text_is_no_birth(text: str) -> None:
    """Weights, weeks, products, sequences, footnotes."""
    assert not tells_birth(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w, 1953", [1953]),
        ("W1953", [1953]),
        ("１９５３", [1953]),
        ("昭和28年", [1953]),
        ("民國42年", [1953]),
        ("令和元年", [2019]),
        ("พ.ศ. 2496", [1953]),
        ("19530", []),
        ("1234", []),
        ("1951-1953", [1951, 1953]),
    ],
)
def test_the_years_of_a_text(text: str, expected: list[int]) -> None:
    """In any figures and calendars."""
    assert expected == list(years(text))


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    """Labels are input from strangers."""
    assert tells_birth(text) in {True, False}
    assert all(1700 < year < 2400 for year in years(text))


@pytest.mark.parametrize("part", ["born ", "geb. 1. ", "1 ", "* ", "1. a ", "'", "ne le ", "1年"])
def test_a_hostile_text_costs_no_more_than_a_long_one(part: str) -> None:
    """No part of a form is tried in more than a few ways."""
    started = time.process_time()
    tells_birth(part * 10_000)

    assert time.process_time() - started < 5
