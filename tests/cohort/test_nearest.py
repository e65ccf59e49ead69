"""The study nearest to a day of a table: what a loop in plain Python makes of it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort
from cohortkit.errors import QueryError
from fake_index import DAYS, FakeIndex, archives, row, troubled
from kept import first_days, keys, notes, study, who

TABLES = st.dictionaries(
    st.sampled_from(["1", "01", "2", "3", "9"]), st.sampled_from([None, *DAYS]), min_size=1
)
WINDOWS = st.sampled_from([(-30, 7), (0, 0), (None, 0), (-1000, 1000), (1, None), (-200, -1)])


@given(archives(), TABLES, WINDOWS, st.sampled_from(["study", "series"]))
def test_the_nearest_is_what_plain_python_makes_of_it(
    index: FakeIndex, table: dict[str, dt.date | None], window: tuple[int, int], level: str
) -> None:
    """Of each key the least distance within the window, ties by UID; unknown apart from no."""
    lines = index.rows.to_dicts()
    people: dict[str, set[object]] = defaultdict(set)
    for line in lines:
        people[who(line)[1]].add(who(line))
    days = first_days(lines)
    low, high = (-(10**6) if window[0] is None else window[0]), (window[1] or 0)
    high = 10**6 if window[1] is None else high
    best: dict[str, tuple[int, str, str]] = {}
    for line in lines:
        key = who(line)[1]
        day = days.get(study(line)) if level == "study" else line["StudyDate"]
        if not key or len(people[key]) > 1 or table.get(key) is None or day is None:
            continue
        gap = (day - table[key]).days
        if low <= gap <= high:
            uid = "" if level == "study" else str(line["SeriesInstanceUID"])
            mine = (abs(gap), str(line["StudyInstanceUID"]), uid)
            best[key] = min(best.get(key, mine), mine)
    expected = [
        line["series_key"]
        for line in lines
        if who(line)[1] in best
        and best[who(line)[1]][1] == line["StudyInstanceUID"]
        and best[who(line)[1]][2] in {"", line["SeriesInstanceUID"]}
    ]
    frame = pl.DataFrame({"PatientID": list(table), "op": list(table.values())}).with_columns(
        pl.col("op").cast(pl.Date)
    )
    cohort = Cohort.start(index).nearest(frame, on="PatientID", date="op", days=window, level=level)

    assert sorted(expected) == keys(cohort)
    in_table, in_window, _ = cohort.steps[-1].losses
    named = [n for n in lines if who(n)[1] and len(people[who(n)[1]]) == 1]
    assert len(lines) - len(named) == in_table.unknown.series
    assert sum(who(n)[1] not in table for n in named) == in_table.not_matched.series
    undated = [
        n
        for n in named
        if who(n)[1] in table
        and (
            table[who(n)[1]] is None
            or (days.get(study(n)) if level == "study" else n["StudyDate"]) is None
        )
    ]
    assert len(undated) == in_window.unknown.series


def test_the_nearer_is_taken_and_of_two_as_near_the_lesser_uid() -> None:
    """Before or after; the UID decides nothing else."""
    day = dt.date(2022, 6, 1)
    apart = {"9": -3, "1": -9, "2": 9, "8": 3}
    index = FakeIndex.of(
        *(
            row(n, "a", uid, StudyDate=day + dt.timedelta(gap))
            for n, (uid, gap) in enumerate(apart.items())
        )
    )
    table = pl.DataFrame({"PatientID": ["a"], "op": [day]})
    ask = {"on": "PatientID", "date": "op"}

    assert ["key0003"] == keys(Cohort.start(index).nearest(table, days=(-9, 9), **ask))
    assert ["key0000"] == keys(Cohort.start(index).nearest(table, days=(-9, 2), **ask))
    assert ["key0001"] == keys(Cohort.start(index).nearest(table, days=(None, -4), **ask))


def test_the_nearest_by_accession_and_from_a_file(tmp_path: Path) -> None:
    """An order has studies of its own; a CSV has its days as text, and what is joined is told."""
    (tmp_path / "ops.csv").write_text(
        "AccessionNumber,op\nA1,2022-03-04\nA3,2021-02-01\nA7,2022-01-01\n"
    )
    cohort = Cohort.start(troubled()).nearest(
        tmp_path / "ops.csv", on="AccessionNumber", date="op", days=(-3, 0)
    )

    assert ["key0001", "key0002"] == keys(cohort)
    assert 1 == notes(cohort)["keys of the table not found here"]
    assert ["A7"] == cohort.unmatched().filter(pl.col("what").str.contains("not found"))[
        "value"
    ].to_list()
    assert "from 3 days before to that day" in str(cohort.steps[-1])


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": (7, -7)},
        {"days": 7},
        {"days": (None, None)},
        {"days": (0.5, 1)},
        {"days": (True, 2)},
        {"date": "grade"},
        {"by": "Rows"},
        {"level": "patient"},
        {"on": "Modality"},
        {"many": "last"},
    ],
    ids=str,
)
def test_a_nearest_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    """No window, no date, no level, no identifier."""
    table = pl.DataFrame({"PatientID": ["1"], "op": [DAYS[0]], "grade": [1]})
    said = {"on": "PatientID", "date": "op", "days": (0, 1)} | wrong
    with pytest.raises(QueryError):
        Cohort.start(troubled()).nearest(table, **said)


def test_a_key_of_several_days_is_refused_or_its_first_is_taken() -> None:
    """As a join does."""
    table = pl.DataFrame({"PatientID": ["0002", "0002"], "op": [dt.date(2021, 1, 1), DAYS[1]]})
    cohort = Cohort.start(troubled())
    with pytest.raises(QueryError, match="several different rows"):
        cohort.nearest(table, on="PatientID", date="op", days=(0, 0))

    taken = cohort.nearest(table, on="PatientID", date="op", days=(0, 0), many="first")
    assert ["key0004"] == keys(taken)
