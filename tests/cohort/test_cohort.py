"""What a cohort is: frozen, narrowed by steps, checked before anything is worked out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import traceback

import pandas as pd
import polars as pl
import pytest

from cohortkit.cohort import Cohort
from cohortkit.errors import QueryError, UnknownKeyword
from fake_index import FakeIndex, row, troubled

SECRET = "Zebulon"


def keys(cohort: Cohort) -> list[int]:
    """The numbers of the series that are left."""
    return sorted(int(key.removeprefix("key")) for key in cohort.identified()["series_key"])


def test_a_search_narrows_a_search() -> None:
    """Searching twice is searching for both."""
    index = troubled()
    twice = Cohort.start(index, Modality="CT").search(StudyDate=("2022-01-01", None))
    once = Cohort.start(index, Modality="CT", StudyDate=("2022-01-01", None))

    assert keys(once) == keys(twice) == [1, 3, 7, 8, 9]
    assert len(twice) == 5


def test_a_step_changes_no_cohort() -> None:
    """A cohort is frozen; each step makes another."""
    whole = Cohort.start(troubled())
    whole.search(Modality="MR")

    assert 10 == len(whole)
    with pytest.raises(dataclasses.FrozenInstanceError):
        whole.labels = ("x",)


def test_a_filter_takes_any_polars_condition_over_columns_and_labels() -> None:
    """Expressions, windows and joined labels."""
    labels = pl.DataFrame({"StudyInstanceUID": ["1.1", "1.3"], "grade": [1, 2]})
    cohort = Cohort.start(troubled()).join(labels, on="StudyInstanceUID")

    assert [4] == keys(cohort.filter(pl.col("grade") > 1))
    assert [3] == keys(
        cohort.search(PatientID="0001", IssuerOfPatientID=None).filter(
            pl.col("StudyDate") == pl.col("StudyDate").max().over("PatientID")
        )
    )


@pytest.mark.parametrize(
    ("expr", "word"),
    [
        (pl.col("Rowz") > 3, "Rowz"),
        (pl.col("StudyDate").is_between("2022-01-01", "2023-01-01"), "pl.lit"),
        (pl.col("StudyDate") > "2022-01-01", "datetime.date"),
        (pl.col("Rows") > "3", "numbers"),
        (pl.col("Rows") + 1, "condition"),
        (pl.all() > 3, "several columns"),
        (pl.col("Rows", "size") > 3, "several columns"),
        ("Rows > 3", "expression"),
        (True, "expression"),
        (pl.col("PatientName").str.to_date() > dt.date(2000, 1, 1), "worked out"),
        (pl.col("PatientName").cast(pl.Int64) > 3, "worked out"),
    ],
    ids=range(11),
)
def test_a_filter_that_cannot_be_meant_is_an_error_without_values(expr: pl.Expr, word: str) -> None:
    """Checked by its columns and its type; polars' own messages quote cells, ours do not."""
    cohort = Cohort.start(FakeIndex.of(row(1, PatientName=SECRET, Rows=3)))

    with pytest.raises(QueryError, match=word) as caught:
        cohort.filter(expr)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_misspelt_column_of_a_filter_names_its_neighbours() -> None:
    """As in a search."""
    with pytest.raises(UnknownKeyword) as caught:
        Cohort.start(troubled()).filter(pl.col("SliceThicknes") < 3)

    assert "SliceThickness" in caught.value.neighbours


def _filtered_nine_times(cohort: Cohort, expr: pl.Expr) -> None:
    for _ in range(9):  # once it might agree with itself
        cohort.filter(expr)


def test_a_condition_of_chance_is_refused() -> None:
    """It would count other series than it keeps."""
    many = FakeIndex.of(*(row(number, Rows=number % 2) for number in range(400)))
    chance = pl.int_range(pl.len()).shuffle() % 7 < pl.int_range(pl.len()).shuffle() % 5

    with pytest.raises(QueryError, match="another answer"):
        _filtered_nine_times(Cohort.start(many), chance & (pl.col("Rows") == 1))


def test_tables_leave_as_arrow_pandas_and_polars() -> None:
    """One table, three doors."""
    cohort = Cohort.start(troubled(), Modality="CT")
    table = cohort.to_polars()

    assert table.equals(pl.DataFrame(cohort))
    assert list(table.columns) == list(cohort.to_pandas().columns)
    assert isinstance(cohort.to_pandas(identified=True), pd.DataFrame)
    assert cohort.identified().equals(cohort.to_polars(identified=True))


def test_an_empty_cohort_is_a_cohort() -> None:
    """Steps go on with nothing left."""
    none = Cohort.start(troubled(), Modality="XX")
    after = (
        none.filter(pl.col("Rows") > 3)
        .first_per("patient", by="StudyDate")
        .sample(3, seed=1)
        .only(patients=["0001"])
        .exclude(studies=["1.1"])
        .join(pl.DataFrame({"PatientID": ["0001"], "age": [3]}), on="PatientID")
    )

    assert 0 == len(after)
    assert ("age",) == after.labels
    assert 0 == Cohort.start(FakeIndex(troubled().rows.clear())).counts.series
