"""Clinical tables that lie in a database: joined, asked for the nearest, and shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

import cohortkit as ck
from cohortkit.cohort import Cohort
from cohortkit.errors import CohortkitError, QueryError, UsageError
from fake_index import troubled

ROWS = [("0002", "high", "2021-01-05"), ("0003", "low", None), ("nobody", "low", "2021-01-01")]


@pytest.fixture(params=["sqlite", "duckdb"])
def clinic(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of a clinic."""
    file = tmp_path / f"clinic.{request.param}"
    duck = request.param == "duckdb"
    connect = __import__("duckdb" if duck else "sqlite3").connect
    made = connect(str(file))
    kind = "DATE" if duck else "TEXT"
    made.execute(f"CREATE TABLE pathology (mrn TEXT, grade TEXT, seen {kind})")
    made.executemany("INSERT INTO pathology VALUES (?, ?, ?)", ROWS)
    made.commit()
    made.close()
    return f"{request.param}:///{file}"


def test_an_answer_is_joined_and_found_nearest_by(clinic: str) -> None:
    """As a file with the same rows is, dates as dates or as text."""
    table = ck.sql_table(clinic, "SELECT mrn AS PatientID, grade FROM pathology")
    days = ck.sql_table(clinic, "SELECT mrn AS PatientID, seen FROM pathology;")
    cohort = Cohort.start(troubled())
    joined = cohort.join(table, on="PatientID", unmatched="leave out").identified()
    near = cohort.nearest(days, on="PatientID", date="seen", days=(-30, 0)).identified()

    assert [("0002", "high"), ("0002", "high"), ("0003", "low")] == joined.select(
        "PatientID", "grade"
    ).rows()
    assert ["key0004"] == near["series_key"].to_list()
    for word in ("high", "0002", "clinic", "SELECT"):
        assert word not in repr(table)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM pathology", "SELECT 1; DROP TABLE pathology", "", "PRAGMA x"]
)
def test_what_is_no_question_is_refused(clinic: str, statement: str) -> None:
    """Before the database is asked."""
    with pytest.raises(QueryError):
        ck.sql_table(clinic, statement)


def test_what_the_database_does_not_take_is_told_without_its_words(clinic: str) -> None:
    """A column that is not there, a file that is not there, a URL that is none."""
    cohort = Cohort.start(troubled())
    for url, sql in (
        (clinic, "SELECT mrn AS PatientID, secret FROM pathology"),
        (f"{clinic}x", "SELECT mrn AS PatientID FROM pathology"),
    ):
        with pytest.raises(CohortkitError) as caught:
            cohort.join(ck.sql_table(url, sql), on="PatientID")
        assert "secret" not in str(caught.value)
        assert None is caught.value.__cause__
    for url in ("mysql://h/x", f"{clinic}#pathology"):
        with pytest.raises(UsageError):
            ck.sql_table(url, "SELECT 1")
