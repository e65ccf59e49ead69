"""Who is over 89, by all that a release would let anyone reckon."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cohortkit.model import Person
from cohortkit.run.over_89 import people_over_89
from fake_index import FakeIndex

HER = Person("HIS", "4711")


def asked(*rows: tuple[str | None, str | None, str | None], **more: list[object]) -> bool:
    """Whether she is over 89 by rows of age, birth date and study date."""
    days = [tuple(None if d is None else dt.date.fromisoformat(d) for d in row[1:]) for row in rows]
    frame = pl.DataFrame(
        {
            "PatientID": ["4711"] * len(rows),
            "IssuerOfPatientID": ["HIS"] * len(rows),
            "PatientAge": [row[0] for row in rows],
            "PatientBirthDate": [born for born, _ in days],
            "StudyDate": [seen for _, seen in days],
            **more,
        },
        schema_overrides={
            "PatientAge": pl.String,
            "PatientBirthDate": pl.Date,
            "StudyDate": pl.Date,
        },
    )
    return HER in (people_over_89(FakeIndex(frame), "") or frozenset())


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("091Y", None, None)], True),
        ([("089Y", None, None)], False),
        ([("089Y", None, "2020-01-01")], False),
        ([("088Y", None, "2015-01-01"), (None, None, "2020-01-01")], True),
        ([("088Y", None, "2015-01-01"), (None, None, "2015-12-01")], False),
        ([("050Y", None, "2015-01-01"), (None, None, "2020-01-01")], False),
        ([(None, "1930-06-01", "2020-05-31")], False),
        ([(None, "1930-06-01", "2020-06-01")], True),
        ([(None, "1930-06-01", "2019-01-01"), (None, None, "2021-01-01")], True),
        ([("088Y", "1951-07-03", "2015-01-01"), (None, "1951-07-03", "2020-01-01")], True),
        ([("089Y", "1930-06-01", "2020-05-30"), (None, None, "2020-05-31")], False),
        ([("4700W", None, None)], True),
        ([("45", None, None)], False),
        ([("95", None, None)], True),
        ([("Smith", None, None)], False),
        ([(None, None, None)], False),
    ],
)
def test_by_age_birth_and_the_time_between(
    rows: list[tuple[str | None, str | None, str | None]],
    expected: bool,  # noqa: FBT001 - a row
) -> None:
    """In one study or over several; where nothing tells, nothing is told."""
    assert expected is asked(*rows)


def test_an_age_is_that_of_the_study_and_not_of_a_late_copy() -> None:
    """88 in 2010, with a file that was reprocessed in 2019, is 93 in 2015."""
    late: list[object] = [dt.date(2019, 1, 1), None]
    rows = (("088Y", None, "2010-01-01"), (None, None, "2015-01-01"))

    assert asked(*rows, latest_date=late)
    assert asked(*rows, ContentDate=late)


def test_any_date_of_an_instance_counts() -> None:
    """A file without Study Date has others."""
    seen: list[object] = [dt.date(2021, 1, 1)]
    assert asked((None, "1930-06-01", None), latest_date=seen)
    assert asked((None, "1930-06-01", None), AcquisitionDate=seen)
    assert not asked((None, "1930-06-01", None))


@given(
    st.dates(dt.date(1900, 1, 1), dt.date(1990, 1, 1)),
    st.lists(st.dates(dt.date(1990, 1, 1), dt.date(2030, 1, 1)), min_size=1, max_size=4),
    st.booleans(),
)
def test_who_turns_ninety_is_found_however_it_is_written(
    born: dt.date,
    seen: list[dt.date],
    stated: bool,  # noqa: FBT001 - drawn
) -> None:
    """With a birth date exactly; with one age in years, never too few."""
    ages = [day.year - born.year - ((day.month, day.day) < (born.month, born.day)) for day in seen]
    assume(min(ages) >= 0)
    truth = max(ages) >= 90

    if stated:
        rows = [(None, born.isoformat(), day.isoformat()) for day in seen]
        assert truth is asked(*rows)
    else:
        first = (f"{ages[0]:03d}Y", None, seen[0].isoformat())
        rest = [(None, None, day.isoformat()) for day in seen[1:]]
        assert asked(first, *rest) or not truth


def test_one_person_is_found_in_all_her_spellings() -> None:
    """Blanks and NUL around an id make no second person."""
    frame = pl.DataFrame(
        {
            "PatientID": ["4711 ", "4711\0"],
            "IssuerOfPatientID": ["HIS", None],
            "PatientAge": ["088Y", None],
            "StudyDate": [dt.date(2015, 1, 1), dt.date(2020, 1, 1)],
        }
    )
    assert frozenset({HER}) == people_over_89(FakeIndex(frame), "HIS")


def test_an_index_that_knows_no_ages_says_so() -> None:
    """Nobody is known to be younger: that is None and not nobody."""
    assert people_over_89(FakeIndex(pl.DataFrame({"PatientID": ["4711"]})), "") is None
    assert people_over_89(FakeIndex(pl.DataFrame({"Modality": ["CT"]})), "") is None
