"""A day in its forms."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cohortkit.traces.days import date_forms, day_of, epoch_days

DAYS = st.dates(dt.date(1900, 1, 2), dt.date(2100, 1, 1))


@pytest.mark.parametrize(
    "written",
    [
        "20190311", "2019-03-11", "2019.03.11", "2019/03/11", "2019 03 11", "2019_03_11",
        "11.03.2019", "11. 3. 2019", "11/3/2019", "3/11/2019", "11-03-2019", "03-11-2019",
        "11/3/19", "3/11/19", "11.3.19", "11-03-19", "19-03-11", "110319", "190311", "031119",
        "11032019", "03112019", "March 11, 2019", "march 11th, 2019", "11 Mar 2019", "11-MAR-2019",
        "11MAR2019", "11-Mar-19", "11th of March 2019", "11. März 2019", "11. Maerz 2019",
        "11 mars 2019", "11 de marzo de 2019", "11 maart 2019", "2019-Mar-11", "11.III.2019",
        "2019-W11-1", "2019W111", "2019-070", "2019070", "2019年3月11日",
    ],
)  # fmt: skip
def test_a_day_is_known_as_people_and_programs_write_it(written: str) -> None:
    """In figures, in words, by week, by day of the year."""
    assert written.casefold() in date_forms("20190311")
    assert written.casefold() not in date_forms("20190412")


@given(DAYS)
def test_the_forms_of_a_day_are_folded_and_many(day: dt.date) -> None:
    """Each could stand in a text as it is; a day has hundreds of them."""
    forms = date_forms(f"{day:%Y%m%d}")

    assert {form.casefold().strip() for form in forms} == forms
    assert 200 < len(forms) < 1100
    assert day == day_of(f"{day:%Y.%m.%d}")


def test_a_day_that_is_in_no_calendar_is_searched_for_as_it_is_written() -> None:
    """Somebody's 31 February leaks as well as another day."""
    assert {"20210231", "2021-02-31", "31.02.2021"} <= date_forms("20210231")
    assert None is day_of("20210231")


@given(DAYS, st.integers(0, 86399), st.sampled_from([1, 10**3, 10**6, 10**9]))
def test_seconds_since_1970_tell_their_day(day: dt.date, second: int, unit: int) -> None:
    """In seconds and in parts of them, from before 1966 and after 1973."""
    moment = dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(seconds=second)
    seconds = int(moment.timestamp())
    assume(10**8 <= abs(seconds) <= 4 * 10**9)

    assert day in set(epoch_days(seconds * unit))


@pytest.mark.parametrize("number", [0, 12345, 99_999_999, 10**11 - 1, 10**20, 4_100_000_000])
def test_other_numbers_tell_no_day(number: int) -> None:
    """Too few digits, too many, or a year that is far off."""
    assert [] == list(epoch_days(number))
