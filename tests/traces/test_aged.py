# ruff: noqa: RUF001 - words of other scripts, as they are written
"""Ages from 90 on, in the words of many languages; what only looks like one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.traces.aged import OLDEST, ages
from cohortkit.traces.narrow import narrow
from cohortkit.traces.own import What, lowered, own_of

UNITS = (
    "岁", "歳", "才", "歲", "周岁", "세", "살", "лет", "года", "років", "рік", "ετών", "سنة",
    "عاما", "سال", "ára", "år",
    "let", "lat", "tuổi", "vuotta", "yaşında", "ปี", "שנים", "years", "Jahre", "ans", "años",
    "anni", "jaar",
)  # fmt: skip
WRITTEN = (
    "ninety-seven year old", "over ninety", "aged ninety", "in her 10th decade",
    "tenth decade of life",
    "10. Dekade", "siebenundneunzig Jahre", "neunzigjährig", "quatre-vingt-dix-sept ans",
    "nonante ans",
    "noventa y siete años", "novantasette anni", "zevenennegentig jaar", "девяносто семь лет",
    "дев'яносто",
    "ενενήντα επτά ετών", "九十七歳", "九十岁", "아흔일곱", "dziewięćdziesiąt lat",
    "devadesát let", "doksan yedi",
    "XCVII", "a hundred years old", "one hundred and two years old", "hundertjährig", "возраст 97",
    "年龄97",
    "年齢：97", "97-летняя", "97 歳 女性", "满97岁", "97多岁", "٩٧ سنة", "９７歳", "בת 97", "97 г.",
)  # fmt: skip


@given(
    st.integers(90, 119), st.sampled_from(UNITS), st.sampled_from(["{} {}", "{}{}", "(♀ {} {}, …)"])
)
def test_an_age_is_known_by_its_unit_in_any_script(age: int, unit: str, form: str) -> None:
    """With and without a blank, inside a sentence."""
    assert age in list(ages(form.format(age, unit)))


@pytest.mark.parametrize("text", WRITTEN)
def test_an_age_is_known_in_words(text: str) -> None:
    """Alone and in a sentence."""
    for sentence in ("{}", "nodule, {}; stable"):
        assert max(ages(sentence.format(text)), default=0) >= OLDEST


@pytest.mark.parametrize(
    "text",
    [
        "ninety degrees", "rotated by ninety degrees", "ninety-degree flip", "ninety percent",
        "neunzig Grad",
        "ninety-five percent confidence", "noventa grados", "ninety minutes later",
        "ninety slices", "девяносто процентов",
        "quatre-vingt patients", "a hundred patients", "hundred slices", "second decade",
        "3 décadas", "10 decades",
        "2 lat views", "let 3", "天才", "5月", "5年3ヶ月", "97 slices", "98 HU", "95 % CI", "C90",
        "XC", "97 mm",
        "version 97", "90°", "year", "100 %",
    ],
)  # fmt: skip
def test_other_numbers_and_words_are_none(text: str) -> None:
    """Angles, shares, counts, views."""
    assert [] == list(ages(text))


@pytest.mark.parametrize("unit", ["岁", "歳", "세", "лет", "ЛЕТ", "ετών", "سنة", "ára", "years"])
def test_a_patient_s_own_age_is_known_by_these_units_too(unit: str) -> None:
    """Whoever the age is of, a column of them is one of ages (`deidentify.telling`)."""
    own = own_of([("PatientAge", "057Y")])

    assert [What.AGE] == [what for _, _, what in own.found(lowered(narrow(f"57 {unit}").text))]
    assert [] == list(own.found(lowered(narrow(f"58 {unit}").text)))


@pytest.mark.parametrize(
    "piece", ["ninety ", "quatre-vingt-", "9", "九十", "neunzig", "one hundred ", "満 "]
)
def test_a_long_text_costs_little(piece: str) -> None:
    """Patterns begin where a word or number does."""
    started = time.process_time()
    list(ages(piece * 5000))

    assert time.process_time() - started < 2
