"""Days and ages of anybody, told from other text and numbers."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.traces.aged import ages
from cohortkit.traces.dated import number_tells_date, tells_date
from cohortkit.traces.days import date_forms


@given(st.dates(dt.date(1900, 1, 2), dt.date(2100, 1, 1)), st.data())
def test_every_form_in_which_a_day_is_searched_for_tells_one(
    day: dt.date, data: st.DataObject
) -> None:
    """But for six figures, which any code may be."""
    form = data.draw(st.sampled_from(sorted(date_forms(f"{day:%Y%m%d}"))))

    assert tells_date(f"seen {form}, again") is not (form.isdigit() and len(form) == 6)


@pytest.mark.parametrize(
    "text",
    [
        "March 11, 2019", "11 Mar 2019", "on 11/3/19.", "3/11/2019", "2019-W11-1", "2019-070",
        "2019.03.11", "2019-03-11T10:22:33Z", "20190311102233", "March 2019", "Mar '19", "2019-03",
        "03/2019", "Q1 2019", "2019 Q1", "11th of March", "11. März", "le 2 août 2020",
        "\u0662\u0660\u0661\u0669-\u0660\u0663-\u0661\u0661",
        "\uff12\uff10\uff11\uff19/3/11", "2019年3月", "1552262400", "1552262400123",
        "1552262400.5", "11.III.2019", "99-03-11",
        "2019/3", "OP am 1.3.", "KW 23", "kw07",
        "平成31年3月", "令和元年5月", "昭和28年8月17日", "民国99年12月", "平成 31.3", "31年3月",
    ],
)  # fmt: skip
def test_a_day_or_a_part_of_one_is_recognised(text: str) -> None:
    """Also a month of a year, a day of a month, and seconds since 1970."""
    assert tells_date(text)


@pytest.mark.parametrize(
    "text",
    [
        "adenocarcinoma, 12 mm", "BI-RADS 4", "C34.1", "pT2 N0 M0", "120/80", "stage 3b", "2019",
        "233604007", "1.2.840.10008.5.1.4.1.1.2", "version 2.10.1", "5-10 mm", "0.75", "1/2",
        "may have grown", "GE 1.5 T", "marked", "2021 criteria", "12345678", "110319", "20/20",
        "decompensated 3", "", "kwak 23", "1.3", "T1.3.x", "2019/30",
        "series 3 of 10", "平成31年", "5年3ヶ月", "3月齢", "5年",
    ],
)  # fmt: skip
def test_other_text_is_not(text: str) -> None:
    """Measures, stages, codes, versions, a year alone."""
    assert not tells_date(text)


@pytest.mark.parametrize(
    "number", [20190311, 19480229.0, 20190311102233, 1552262400, 1552262400123, 2019070]
)
def test_a_number_may_be_a_day(number: float) -> None:
    """As it is written, or since 1970."""
    assert number_tells_date(number)


@pytest.mark.parametrize(
    "number", [2019, 43535, 233604007, 12345678, 0.5, 1_250_000.5, -3, 250_000_000]
)
def test_other_numbers_are_measures(number: float) -> None:
    """Volumes, counts, codes; the days of a spreadsheet are any number."""
    assert not number_tells_date(number)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aged 93", 93), ("a 93-year-old woman", 93), ("93 years", 93), ("93yo F", 93),
        ("093Y", 93),
        ("93 y/o", 93), ("Alter: 93", 93), ("93 Jahre", 93), ("93jährig", 93), ("93 ans", 93),
        ("in her nineties", 90), ("nonagenarian", 90), ("age of 45", 45), ("006M", 0.5),
    ],
)  # fmt: skip
def test_an_age_is_told_in_years(text: str, expected: float) -> None:
    """In words and figures, and as DICOM has it."""
    assert expected in list(ages(text))


@pytest.mark.parametrize(
    "text", ["5 mg", "grade 3", "T3", "stage IV", "image 93", "93 %", "page 93"]
)
def test_other_figures_are_no_ages(text: str) -> None:
    """Doses, grades, pages."""
    assert [] == list(ages(text))


@given(st.text(max_size=60))
def test_any_text_is_read_without_a_crash(text: str) -> None:
    """Labels are input from strangers."""
    assert tells_date(text) in {True, False}
    assert all(age >= 0 for age in ages(text))


@pytest.mark.parametrize(
    "hostile", ["1" + " " * 50_000 + "x", "2019" + "\t" * 50_000, "1." * 50_000]
)
def test_a_hostile_text_costs_no_more_than_a_long_one(hostile: str) -> None:
    """Blanks are tried once, not in every way in which they can be parted."""
    started = time.process_time()
    tells_date(hostile)
    list(ages(hostile))

    assert time.process_time() - started < 5
