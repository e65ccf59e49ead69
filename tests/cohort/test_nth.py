"""The second, the third, the last but one of each."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort
from fake_index import FakeIndex, archives, row, troubled
from kept import keys, study, who


@given(index=archives(), nth=st.integers(1, 4), down=st.booleans())
def test_the_nth_study_of_each_patient_is_what_plain_python_makes_of_it(
    index: FakeIndex, nth: int, *, down: bool
) -> None:
    """In the order of dates, of one day by UID; who has fewer is left out."""
    lines = [line for line in index.rows.to_dicts() if who(line)[1]]
    by_person: dict[object, list[tuple[int, str, tuple[object, str]]]] = defaultdict(list)
    days: dict[tuple[object, str], list[dt.date]] = defaultdict(list)
    for line in lines:
        if line["StudyDate"] is not None:
            days[study(line)].append(line["StudyDate"])
    for one, there in days.items():
        day = -max(there).toordinal() if down else min(there).toordinal()
        by_person[one[0]].append((day, one[1], one))
    nths = {sorted(mine)[nth - 1][2] for mine in by_person.values() if len(mine) >= nth}
    cohort = Cohort.start(index).first_per("patient", by="StudyDate", nth=nth, descending=down)

    assert sorted(n["series_key"] for n in lines if study(n) in nths) == keys(cohort)


@pytest.mark.parametrize(
    ("nth", "down", "words"),
    [
        (1, False, "the first study"),
        (1, True, "the last study"),
        (2, False, "the 2nd study"),
        (3, True, "the 3rd from the last study"),
        (11, False, "the 11th study"),
        (21, False, "the 21st study"),
    ],
)
def test_a_place_in_an_order_in_words(nth: int, words: str, *, down: bool) -> None:
    """As people say it."""
    cohort = Cohort.start(troubled()).first_per("patient", by="StudyDate", nth=nth, descending=down)

    assert f"{words} of each patient by StudyDate" == str(cohort.steps[-1])


def test_the_second_study_of_a_modality_may_be_the_first_of_another() -> None:
    """Who was taken is taken for its own group only."""
    day = dt.date(2022, 1, 1)
    index = FakeIndex.of(
        row(1, "a", "1", Modality="CT", StudyDate=day),
        row(2, "b", "2", Modality="CT", StudyDate=day + dt.timedelta(1)),
        row(3, "b", "2", Modality="MR", StudyDate=day + dt.timedelta(1)),
        row(4, "b", "3", Modality="MR", StudyDate=day + dt.timedelta(2)),
    )
    cohort = Cohort.start(index).first_per("Modality", by="StudyDate", nth=2)

    assert ["key0002", "key0003", "key0004"] == keys(cohort)
