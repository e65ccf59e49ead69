"""Dates move by whole days at any precision, ages stop at 90, and what is neither is not passed."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cohortkit.deidentify import ages, dates

days = st.integers(-3650, 3650)
some_dates = st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))


@given(some_dates, days)
def test_da_moves_by_whole_days(date: dt.date, shift: int) -> None:
    """A date comes out as the date so many days away, in the form of DA."""
    expected = (date + dt.timedelta(days=shift)).strftime("%Y%m%d")
    assert expected == dates.shift_da(date.strftime("%Y%m%d"), shift)
    assert expected == dates.shift_da(date.strftime("%Y.%m.%d"), shift)


@given(some_dates, some_dates, days)
def test_intervals_stay(one: dt.date, other: dt.date, shift: int) -> None:
    """Days between two dates of a patient are the same afterwards."""
    moved = [dates.shift_da(f"{date:%Y%m%d}", shift) for date in (one, other)]
    read = [dt.datetime.strptime(m or "", "%Y%m%d").date() for m in moved]  # noqa: DTZ007 - dates
    assert other - one == read[1] - read[0]


@given(
    some_dates,
    days,
    st.sampled_from(["", "00", "0930", "235959", "101112.5", "101112.123456", "235960"]),
    st.sampled_from(["", "+0100", "-1200", "+1400", "-0330"]),
)
def test_dt_keeps_clock_and_zone(date: dt.date, shift: int, clock: str, zone: str) -> None:
    """The day of a DT moves; clock and zone stay as they are."""
    expected = (date + dt.timedelta(days=shift)).strftime("%Y%m%d") + clock + zone
    assert expected == dates.shift_dt(f"{date:%Y%m%d}{clock}{zone}", shift)


@given(some_dates, days, st.sampled_from([4, 6]), st.sampled_from(["", "+0100"]))
def test_partial_dt_keeps_its_precision(date: dt.date, shift: int, digits: int, zone: str) -> None:
    """A year or month moves to that of its middle, and is never made more precise."""
    moved = dates.shift_dt(f"{date:%Y%m%d}"[:digits] + zone, shift)
    assert moved is not None
    assert re.fullmatch(rf"\d{{{digits}}}{re.escape(zone)}", moved)
    years = int(moved[:4]) - date.year
    assert abs(years * 365.25 - shift) < 400


@pytest.mark.parametrize(
    "value",
    ["", "2020", "20201301", "20200230", "00000000", "2020-01-01", "20200101-20200202",
     "1 Jan 2020", "20200101 ", "٢٠٢٠٠١٠١", "Smith", "20200101\\20200102", "2020.1.1", "202001011"],
)  # fmt: skip
def test_no_date_no_pass(value: str) -> None:
    """What is not a valid date is not moved, not passed, not guessed."""
    assert dates.shift_da(value, 5) is None


@pytest.mark.parametrize(
    "value",
    ["", "20", "202013", "20200101250000", "2020010110+9900", "20200101101112.1234567", "Smith",
     "20200101-20200202", "2020+01", "20200101101112.5 Smith"],
)  # fmt: skip
def test_no_datetime_no_pass(value: str) -> None:
    """The same of DT."""
    assert dates.shift_dt(value, 5) is None


def test_out_of_the_calendar_is_no_date() -> None:
    """A shift below year 1 or above 9999 gives nothing."""
    assert dates.shift_da("00010101", -1) is None
    assert dates.shift_dt("99991231", 1) is None
    assert dates.shift_da("00010101", 1) == "00010102"


@pytest.mark.parametrize("value", ["00", "2359", "101112", "101112.1", "101112.123456", "235960"])
def test_times_stay(value: str) -> None:
    """Whole days do not move a clock."""
    assert value == dates.valid_tm(value, 77)


@pytest.mark.parametrize("value", ["", "24", "1060", "101112.", "10:1", "noon", "101112.1234567"])
def test_no_time_no_pass(value: str) -> None:
    """What is no time is not passed either; the old form with colons comes out in the new."""
    assert dates.valid_tm(value) is None
    assert dates.valid_tm("10:11:12.5") == "101112.5"


@given(st.lists(st.text(max_size=30), max_size=4), st.sampled_from(["DA", "DT", "TM"]), days)
def test_any_text_gives_dates_or_nothing(values: list[str], vr: str, shift: int) -> None:
    """Whatever the text: None, or as many values in the form of the VR."""
    moved = dates.shift(values, vr, shift)
    if moved is not None:
        assert len(values) == len(moved)
        assert all(re.fullmatch(r"[0-9.+-]*", one) for one in moved)


def test_one_bad_value_spoils_all() -> None:
    """A list of dates with one that is none is not passed with a gap."""
    assert dates.shift(["20200101", "Smith"], "DA", 1) is None
    assert dates.shift(["20200101", ""], "DA", 1) == ["20200102", ""]


# ── ages ─────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(0, 999), st.sampled_from("DWMY"))
def test_no_age_of_ninety_and_more(number: int, unit: str) -> None:
    """Every age below 90 stays; 90 and over is 090Y."""
    value = f"{number:03d}{unit}"
    old = unit == "Y" and number >= 90
    assert ("090Y" if old else value) == ages.cap(value, over_89=False)


@given(st.integers(0, 999), st.sampled_from("DWMY"))
def test_who_reaches_ninety_has_one_age(number: int, unit: str) -> None:
    """In every study, the early ones too: the difference would tell the age."""
    assert ages.cap(f"{number:03d}{unit}", over_89=True) == "090Y"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("007D", "000Y"), ("011M", "000Y"), ("012M", "001Y"), ("300W", "005Y"), ("045Y", "045Y")],
)
def test_beside_true_dates_an_age_is_in_whole_years(value: str, expected: str) -> None:
    """A study's date less twelve days is a birth date."""
    assert expected == ages.cap(value, over_89=False, whole_years=True)
    assert "090Y" == ages.cap(value, over_89=True, whole_years=True)


@pytest.mark.parametrize(
    ("value", "expected"), [("45Y", "045Y"), ("7D", "007D"), (" 045Y\0", "045Y")]
)
def test_short_ages_are_put_right(value: str, expected: str) -> None:
    """A missing zero is no reason to lose an age."""
    assert expected == ages.cap(value, over_89=False)


@given(st.integers(0, 999), st.sampled_from("DWMY"))
def test_where_nobody_knows_who_is_over_89_no_age_leaves(number: int, unit: str) -> None:
    """An index of a few columns cannot say that an 85 here is no 91 elsewhere."""
    assert ages.cap(f"{number:03d}{unit}", over_89=None) is None


@given(st.text(max_size=10), st.booleans())
def test_what_is_no_age_is_not_passed(value: str, over_89: bool) -> None:  # noqa: FBT001 - drawn
    """Text in place of an age gives nothing."""
    assume(not re.fullmatch(r"[\0 ]*\d{1,3}[DWMY][\0 ]*", value))
    assert ages.cap(value, over_89=over_89) is None
