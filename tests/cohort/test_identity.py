"""Nothing that a cohort shows unasked holds an identity: tables, HTML, text, flow, question."""

from __future__ import annotations

import csv
import datetime as dt
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort, words
from cohortkit.cohort.identity import (
    ASKABLE,
    BOOKKEEPING,
    DATES,
    TECHNICAL,
    shown,
    telltale,
    why_hidden,
)
from cohortkit.dicom.keywords import tag_of
from cohortkit.model.query import Like, Query
from fake_index import SCHEMA, FakeIndex, row

CANARIES = {
    "IssuerOfPatientID": "QISSUERQ",
    "PatientID": "QMRN00471Q",
    "PatientName": "QSMITH^JOHNQ",
    "StudyInstanceUID": "1.2.840.77771.1",
    "AccessionNumber": "QACC1234Q",
    "StudyDescription": "QCHEST FOR DR SMITHQ",
    "SeriesInstanceUID": "1.2.840.77771.2",
    "SeriesDescription": "QSERIES OF SMITHQ",
    "series_key": "QKEY9999Q",
}
BIRTH, SEEN, AT = dt.date(1931, 7, 13), dt.date(2022, 3, 17), dt.time(13, 47, 11)
SIGNS = [*CANARIES.values(), "1931-07-13", "2022-03-17", "13:47:11", "20220317", "QFEMALEQ"]


def canary() -> FakeIndex:
    mine = row(
        1,
        PatientBirthDate=BIRTH,
        StudyDate=SEEN,
        StudyTime=AT,
        PatientSex="QFEMALEQ",
        Modality="CT",
        Rows=512,
        Manufacturer="ACME",
        **CANARIES,
    )
    return FakeIndex.of(mine, row(2, "other", Modality="MR"))


def everything_asked() -> Cohort:
    """Every step, with an identity in every place that takes one."""
    c = CANARIES
    labels = pl.DataFrame(
        {"PatientID": [c["PatientID"], "QNOBODYQ"], "grade": [3, 4], "mrn": ["QMRN00471Q", "x"]}
    )
    return (
        Cohort.start(canary(), **{name: value for name, value in c.items() if name != "series_key"})
        .search(PatientName=["QSMITH*", "Q?OE"], StudyDescription=c["StudyDescription"])
        .search(PatientBirthDate=BIRTH, StudyDate=[SEEN, "2022-03-18"], StudyTime=(AT, None))
        .search(PatientName=re.compile("QSMITH"), StudyDate=(SEEN, SEEN))
        .filter(pl.col("PatientName") == c["PatientName"])
        .filter((pl.col("Rows") > 3) & (pl.col("AccessionNumber") != "QACC9Q"))
        .filter(pl.col("StudyDate") >= SEEN)
        .only(patients=[c["PatientID"], "QNOBODYQ"], accessions=[c["AccessionNumber"]])
        .exclude(studies=["1.2.840.77771.9"])
        .join(labels, on="PatientID")
        .search(mrn="QMRN00471Q")
        .filter(pl.col("mrn") == "QMRN00471Q")
        .first_per("patient", by="StudyDate")
        .sample(4, seed=1)
    )


def test_no_view_shows_an_identity() -> None:
    """Repr, text, HTML, table, flow in all its forms, question."""
    cohort = everything_asked()
    assert 1 == len(cohort)
    views = {
        "repr": repr(cohort),
        "text": str(cohort),
        "html": cohort._repr_html_(),
        "table": cohort.to_polars().write_json(),
        "arrow": pl.DataFrame(cohort).write_json(),
        "pandas": cohort.to_pandas().to_csv(),
        "flow": str(cohort.flow()),
        "flow table": cohort.flow().to_polars().write_json(),
        "svg": cohort.flow().svg(),
        "flow html": cohort.flow()._repr_html_(),
        "asked": "\n".join(cohort.asked()),
        "steps": repr(cohort.steps),
        "frozen": repr(cohort.steps[1].query),
    }
    leaks = [
        (view, sign)
        for view, text in views.items()
        for sign in [*SIGNS, "QNOBODYQ"]
        if sign in text
    ]

    assert [] == leaks
    assert "grade" in views["html"]
    assert cohort.identified().columns == [*SCHEMA.names(), "grade", "mrn"]
    assert "QMRN00471Q" in cohort.to_polars(identified=True).write_json()


def test_the_question_is_told_in_words() -> None:
    """What may be told is told; identifiers are counts, dates are years."""
    index = FakeIndex.of(row(1, Modality="CT"))
    told = Cohort.start(
        index,
        Modality=["CT", "MR*", None],
        PatientID=["1", "2"],
        StudyDate=("2022-01-01", "2024-12-31"),
        Rows=(256, None),
        StudyDescription="*LUNG*",
        PatientName=None,
        PatientBirthDate=("1950-01-01", None),
    ).asked()

    words = (
        "search: Modality is CT or like MR* or absent; PatientID is one of 2 given values; "
        "StudyDate in the years 2022 to 2024; Rows from 256; StudyDescription is like *LUNG*; "
        "PatientName is absent; PatientBirthDate is in a given range"
    )
    assert ["everything in the index", words] == told


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        (("2022-02-01", "2022-03-01"), "between two days in 2022"),
        (("2022-01-01", "2022-12-31"), "in 2022"),
        (("2021-02-01", "2022-03-01"), "from a day in 2021 to a day in 2022"),
        (("2021-02-01", None), "from a day in 2021"),
        ((None, "2021-02-01"), "up to a day in 2021"),
        ("2021-02-01", "is one given value"),
        (["2021-02-01", "2021-02-02"], "is one of 2 given values"),
    ],
    ids=range(7),
)
def test_dates_of_a_question_are_told_by_the_year(dates: object, words: str) -> None:
    """A day might be the day of one patient."""
    asked = Cohort.start(FakeIndex.of(row(1)), StudyDate=dates).asked()[1]

    assert f"search: StudyDate {words}" == asked


def test_a_filter_is_told_as_it_is_written_where_it_may_be() -> None:
    """Technical columns and plain labels: the condition; others: the columns."""
    index = FakeIndex.of(row(1))
    asked = (
        Cohort.start(index)
        .filter(pl.col("NumberOfSeriesRelatedInstances") > 40)
        .filter(pl.col("Modality").is_in(["CT", "MR"]))
        .filter(pl.col("StudyDate").is_not_null() | (pl.col("Rows") > 3))
        .filter(pl.lit(value=True), reason="no reason")
        .asked()
    )

    assert "filter: NumberOfSeriesRelatedInstances > 40" == asked[1]
    assert "CT" in asked[2]
    assert "filter: a condition on Rows, StudyDate" == asked[3]
    assert "filter: a condition (no reason)" == asked[4]


@pytest.mark.parametrize(
    ("label", "kind", "visible"),
    [
        ("grade", pl.Int64(), True),
        ("split", pl.String(), True),
        ("diagnosis", pl.String(), True),
        ("mrn", pl.String(), False),
        ("PatientName", pl.String(), False),
        ("patient_id", pl.String(), False),
        ("dob", pl.String(), False),
        ("BirthDate", pl.String(), False),
        ("reportText", pl.String(), False),
        ("surgery", pl.Date(), False),
        ("seen", pl.Datetime(), False),
    ],
)
def test_labels_that_speak_of_identity_are_left_out(
    label: str,
    kind: pl.DataType,
    visible: bool,  # noqa: FBT001 - a case of the table above
) -> None:
    """By type and by name."""
    assert visible == shown(label, kind, [label])


def test_a_new_column_is_hidden() -> None:
    """The list is of what is shown: an index may grow columns that nobody has judged."""
    index = FakeIndex(canary().rows.with_columns(NewThing=pl.lit("QMRN00471Q")))

    assert "NewThing" not in Cohort.start(index).to_polars().columns
    assert not shown("NewThing")
    assert why_hidden("NewThing")


def test_every_hidden_column_has_its_reason() -> None:
    """And every shown one has none."""
    reasons = {name: why_hidden(name) for name in SCHEMA}

    assert {name for name in SCHEMA if shown(name)} == {n for n, why in reasons.items() if not why}
    assert reasons["StudyInstanceUID"] == "names one object in the world"
    assert reasons["StudyDescription"] == "free text"


def test_technical_columns_are_keywords() -> None:
    """None is misspelt."""
    assert [] == [name for name in TECHNICAL | DATES if tag_of(name) is None]
    assert [] == [name for name in BOOKKEEPING if tag_of(name) is not None]


@pytest.mark.data
def test_nothing_is_shown_that_the_basic_profile_takes_away(shared_data: Path) -> None:
    """PS3.15 Table E.1-1: no column shown has an action there."""
    table = shared_data.parent / "standard" / "ps3_15_table_e1-1.csv"
    with table.open(encoding="utf-8") as file:
        acted_on = {line["keyword"] for line in csv.DictReader(file) if line["basic"]}

    assert len(acted_on) > 600
    assert set() == TECHNICAL & acted_on
    assert {"PatientSex"} == ASKABLE & acted_on


@given(st.text(max_size=30))
def test_any_name_of_a_label_can_be_judged(name: str) -> None:
    """No name breaks it."""
    assert telltale(name) in {True, False}


@pytest.mark.parametrize("pattern", ["*Quisling*", "*00471113", "* Ob?rholzer"])
def test_a_pattern_of_no_words_of_the_trade_is_not_told(pattern: str) -> None:
    """People search descriptions for names too; a notebook that is saved shows none."""
    said = words.terms(
        Query((("StudyDescription", Like(pattern)), ("SeriesDescription", Like("*LUNG*")))),
        pl.Schema({"StudyDescription": pl.String, "SeriesDescription": pl.String}),
    )

    assert ["StudyDescription is like a given pattern", "SeriesDescription is like *LUNG*"] == said


@pytest.mark.parametrize("column", ["Nachname", "befund", "nom", "pid", "gebdat", "telefon", "x"])
@pytest.mark.parametrize(
    "value",
    [
        "QSMITHQ", "Pat. Qsmithq mit Husten", "Qsmithqs Mutter", "QMRN00471Q", "0761 5554321",
        "a.b@klinik.example", "1948-02-29", "29.2.1948", "born 29 February 1948", "QACC9Q",
    ],
)  # fmt: skip
def test_a_joined_column_shows_nobody_whatever_it_is_called(column: str, value: str) -> None:
    """In tables, in the printed cohort and in the question about it."""
    person = row(1, PatientName="QSMITHQ^JOE", PatientID="QMRN00471Q", AccessionNumber="QACC9Q")
    person["PatientBirthDate"] = dt.date(1948, 2, 29)
    index = FakeIndex.of(person, row(2, "other"))
    labels = pl.DataFrame({"PatientID": ["QMRN00471Q", "other"], column: [value, "plain"]})
    for kind in (pl.String, pl.Categorical):
        typed = labels.with_columns(pl.col(column).cast(kind))
        cohort = Cohort.start(index).join(typed, on="PatientID")
        asked = cohort.search(**{column: value}) if kind == pl.String else cohort
        views = (
            cohort.to_polars().write_json(), cohort.to_pandas().to_csv(), repr(asked),
            asked._repr_html_(), "".join(asked.asked()), asked.flow().svg(),
        )  # fmt: skip

        assert [] == [view for view in views if value in view]
