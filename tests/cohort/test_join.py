"""A join labels series and never multiplies them; both sides of what did not match are told."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort
from cohortkit.errors import QueryError, UnknownKeyword
from fake_index import FakeIndex, archives, row, troubled


def labels(cohort: Cohort, name: str) -> dict[int, object]:
    rows = cohort.identified().select("series_key", name).rows()
    return {int(key.removeprefix("key")): value for key, value in rows}


def notes(cohort: Cohort) -> dict[str, int]:
    return {note.words: note.count for note in cohort.steps[-1].notes}


SPLIT = {"AccessionNumber": ["A1", "A3", "X9", None], "split": ["train", "test", "val", "no"]}


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame(SPLIT),
        pl.DataFrame(SPLIT).lazy(),
        pd.DataFrame(SPLIT),
        pd.DataFrame(SPLIT).set_index("AccessionNumber"),
        pa.table(SPLIT),
    ],
    ids=["polars", "lazy", "pandas", "indexed", "arrow"],
)
def test_any_table_joins(table: object) -> None:
    """Polars, pandas and whatever hands over an Arrow stream; a null key matches nothing."""
    cohort = Cohort.start(troubled(), Modality=["CT", "SR"]).join(table, on="AccessionNumber")

    assert {
        1: "train",
        2: "train",
        3: None,
        4: "test",
        5: None,
        7: None,
        8: None,
        9: None,
        10: None,
    } == labels(cohort, "split")
    assert ("split",) == cohort.labels
    assert {
        "rows in the table": 4,
        "keys matched": 2,
        "rows without a key": 1,
        "keys that label several series": 1,
        "keys of the table not found here": 1,
        "keys here without a row in the table": 2,
        "series with labels": 3,
        "series without labels": 6,
    } == notes(cohort)


def test_both_sides_of_what_did_not_match_are_listed() -> None:
    """On request, by ``unmatched()``."""
    cohort = Cohort.start(troubled()).join(pl.DataFrame(SPLIT), on="AccessionNumber")
    told = dict(cohort.unmatched().group_by("what").agg(pl.col("value").sort()).rows())

    assert ["X9"] == told["keys of the table not found here"]
    assert ["A*", "A2", "A9"] == told["keys here without a row in the table"]


def test_unmatched_series_can_be_left_out() -> None:
    """Then no row is *did not match*, and no key is *unknown*."""
    cohort = Cohort.start(troubled()).join(
        pl.DataFrame(SPLIT), on="AccessionNumber", unmatched="leave out"
    )
    (loss,) = cohort.steps[-1].losses

    assert {1: "train", 2: "train", 4: "test"} == labels(cohort, "split")
    assert (3, 4) == (loss.not_matched.series, loss.unknown.series)


def test_a_key_with_several_rows_is_refused_or_the_first_is_taken() -> None:
    """Never more series than before; the message counts and names no key."""
    table = pl.DataFrame({"PatientID": ["0002", "0003", "0002"], "grade": [1, 2, 3]})
    whole = Cohort.start(troubled())

    with pytest.raises(QueryError, match="1 of 2 keys") as caught:
        whole.join(table, on="PatientID")
    assert "0002" not in str(caught.value)
    first = whole.join(table, on="PatientID", many="first")
    assert len(whole) == len(first)
    assert (1, 1) == (labels(first, "grade")[4], labels(first, "grade")[5])
    assert 1 == notes(first)["keys with several rows, of which the first was taken"]


def test_a_row_that_is_there_twice_is_one_row() -> None:
    """The same row again says nothing new; several rows of somebody else are no matter."""
    table = pl.DataFrame({"PatientID": ["0002", "0002", "zz", "zz"], "grade": [1, 1, 2, 3]})

    assert 1 == labels(Cohort.start(troubled()).join(table, on="PatientID"), "grade")[4]


def test_a_key_of_two_people_labels_neither() -> None:
    """One Patient ID at two sites, one accession for two patients: nobody can say whose it is."""
    table = pl.DataFrame({"PatientID": ["0001", "0002"], "grade": [1, 2]})
    cohort = Cohort.start(troubled()).join(table, on="PatientID")
    sited = Cohort.start(troubled()).join(
        table.with_columns(IssuerOfPatientID=pl.lit("B")), on=["PatientID", "IssuerOfPatientID"]
    )

    assert {None} == {labels(cohort, "grade")[number] for number in (1, 2, 3, 7)}
    assert 1 == notes(cohort)["keys of several patients, not labelled"]
    assert 1 == labels(sited, "grade")[7]
    assert labels(sited, "grade")[1] is None
    index = FakeIndex.of(row(1, "a", AccessionNumber="A1"), row(2, "b", AccessionNumber="A1"))
    split = Cohort.start(index).join(
        pl.DataFrame(SPLIT), on="AccessionNumber", unmatched="leave out"
    )
    assert 2 == split.steps[-1].losses[0].unknown.series


@given(
    archives(),
    st.lists(
        st.tuples(st.sampled_from(["A1", "A2", " A1", "", "A*", None]), st.integers(0, 2)),
        max_size=6,
    ),
)
def test_a_join_is_what_plain_python_makes_of_it(
    index: FakeIndex, table: list[tuple[str | None, int]]
) -> None:
    """Every label is that of the one row of its key, and series stay as many as they were."""
    rows = {(key.strip(), grade): grade for key, grade in table if (key or "").strip()}
    people: dict[str, set[object]] = {}
    for line in index.rows.to_dicts():
        person = ((line["IssuerOfPatientID"] or ""), (line["PatientID"] or "").strip())
        people.setdefault((line["AccessionNumber"] or "").strip(), set()).add(person)
    mine = {key for key, who in people.items() if key and len(who) == 1}
    several = [k for k, n in Counter(key for key, _ in rows).items() if n > 1 and k in mine]
    frame = pl.DataFrame(
        table, schema={"AccessionNumber": pl.String, "grade": pl.Int64}, orient="row"
    )
    whole = Cohort.start(index)
    if several:
        with pytest.raises(QueryError):
            whole.join(frame, on="AccessionNumber")
        return
    grades = {key: grade for (key, grade) in rows if key in mine}
    joined = whole.join(frame, on="AccessionNumber").identified()

    assert index.rows.equals(joined.drop("grade"))
    assert [grades.get((key or "").strip()) for key in joined["AccessionNumber"]] == joined[
        "grade"
    ].to_list()


def test_cells_of_a_csv_get_types_where_nothing_is_lost(tmp_path: Path) -> None:
    """Keys and codes keep their zeros; numbers, dates and truths become what they are."""
    file = tmp_path / "labels.csv"
    file.write_text(
        "PatientID,site,age,score,seen,done,mixed,note\n"
        "0002,007,61,0.5,2022-01-31,true,1,\n"
        "0003,010,,1e-3,2022-02-01,False,x,fine\n",
        "utf-8",
    )
    cohort = Cohort.start(troubled()).join(file, on="PatientID")
    line = cohort.identified().filter(pl.col("PatientID") == "0002").select(cohort.labels).row(0)

    assert ("007", 61, 0.5, dt.date(2022, 1, 31), True, "1", None) == line
    types = dict(zip(cohort.labels, cohort.identified().select(cohort.labels).dtypes, strict=True))
    assert pl.Int64 == types["age"]
    assert pl.String == types["site"] == types["mixed"]


def test_nan_of_pandas_is_no_label() -> None:
    """A missing number in pandas is NaN; a label is then absent."""
    table = pd.DataFrame({"PatientID": ["0002", "0003"], "score": [1.5, float("nan")]})
    cohort = Cohort.start(troubled()).join(table, on="PatientID")

    assert (1.5, None) == (labels(cohort, "score")[4], labels(cohort, "score")[6])


@pytest.mark.parametrize(
    ("table", "on"),
    [
        ({"PatientID": [2], "x": [1]}, "PatientID"),
        ({"PatientID": ["2"], "x": [[1]]}, "PatientID"),
        ({"PatientID": ["2"], "x": [{"a": 1}]}, "PatientID"),
        ({"PatientID": ["2"], "x": [b"1"]}, "PatientID"),
        ({"PatientID": ["2"], "Modality": ["CT"]}, "PatientID"),
        ({"PatientID": ["2"], "series_key": ["CT"]}, "PatientID"),
        ({"PatientID": ["2"], "": ["CT"]}, "PatientID"),
        ({"PatientID": ["2"], "__sure": ["CT"]}, "PatientID"),
        ({"Modality": ["CT"], "x": [1]}, "Modality"),
        ({"IssuerOfPatientID": ["B"], "x": [1]}, "IssuerOfPatientID"),
        ({"PatientID": ["2"], "x": [1]}, []),
        ({"PatientID": ["2"], "x": [1]}, ["PatientID", "PatientID"]),
    ],
    ids=range(12),
)
def test_a_table_that_cannot_be_joined_is_refused(table: dict[str, object], on: str) -> None:
    """Numbers as keys, several values in a cell, names that are taken, keys that name nothing."""
    with pytest.raises(QueryError):
        Cohort.start(troubled()).join(pl.DataFrame(table), on=on)


@pytest.mark.parametrize("on", ["PatientId", "AccessionNumber"])
def test_a_key_that_either_side_lacks_is_refused(on: str) -> None:
    """It names its neighbours."""
    with pytest.raises(UnknownKeyword):
        Cohort.start(troubled()).join(pl.DataFrame({"PatientID": ["2"], "x": [1]}), on=on)


def test_a_second_join_adds_labels_and_may_not_repeat_a_name() -> None:
    """Labels stand beside each other, in the order they came."""
    one = pl.DataFrame({"PatientID": ["0002"], "age": [61]})
    two = pl.DataFrame({"StudyInstanceUID": ["1.3"], "grade": [2]})
    cohort = Cohort.start(troubled()).join(one, on="PatientID").join(two, on="StudyInstanceUID")

    assert ("age", "grade") == cohort.labels
    with pytest.raises(QueryError, match="already"):
        cohort.join(one, on="PatientID")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("labels.xlsx", b"PK"),
        ("labels.csv", b"PatientID,PatientID\n1,2\n"),
        ("labels.csv", b"PatientID,x\n0002\n1,2,3,4\n"),
        ("labels.parquet", b"no"),
        ("gone.csv", None),
    ],
    ids=range(5),
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, data: bytes | None) -> None:
    """Another kind, two columns of one name, ragged lines, broken, not there."""
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(QueryError):
        Cohort.start(troubled()).join(tmp_path / name, on="PatientID")


@pytest.mark.parametrize("table", [3, None, ["0001"], {"PatientID": ["0001"]}], ids=range(4))
def test_what_is_no_table_is_refused(table: object) -> None:
    """A path or an Arrow stream, nothing else."""
    with pytest.raises(QueryError):
        Cohort.start(troubled()).join(table, on="PatientID")


def test_rows_without_a_key_and_rows_that_are_there_again_are_counted() -> None:
    """A table of three rows of which two have no accession number matched one, and says why."""
    table = {
        "AccessionNumber": ["A1", None, " ", "A3", "A3", "A3"],
        "finding": ["x", "y", "z", "n", "n", "n"],
    }
    cohort = Cohort.start(troubled(), Modality="CT").join(pl.DataFrame(table), on="AccessionNumber")

    told = notes(cohort)
    assert (6, 2, 2, 2) == (
        told["rows in the table"],
        told["keys matched"],
        told["rows without a key"],
        told["rows that are there again, counted once"],
    )


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"AccessionNumber;finding\nA1;x\n", "separated by semicolons"),
        ("a.parquet", b"PAR1 no more", "not a Parquet file, or it is damaged"),
    ],
)
def test_a_table_that_cannot_be_read_says_what_it_is(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    """In the words of its own form."""
    (tmp_path / name).write_bytes(data)

    with pytest.raises(QueryError, match=words):
        Cohort.start(troubled()).join(tmp_path / name, on="AccessionNumber")


@pytest.mark.parametrize("name", ["patient", "Study", "series"])
def test_a_column_that_pseudonyms_are_called_is_refused(name: str) -> None:
    """It would be lost in the released table, where the pseudonyms stand under that name."""
    table = pl.DataFrame({"PatientID": ["0002"], name: ["a"]})

    with pytest.raises(QueryError, match="pseudonyms; rename"):
        Cohort.start(troubled()).join(table, on="PatientID")
