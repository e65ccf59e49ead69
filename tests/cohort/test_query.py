"""A search says what it means, knows what it does not know, and never quotes a value."""

from __future__ import annotations

import datetime as dt
import fnmatch
import math
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort
from cohortkit.cohort.query import expression, parse
from cohortkit.cohort.terms import read_terms
from cohortkit.errors import QueryError, UnknownKeyword
from cohortkit.index import demo_index
from cohortkit.model.query import Absent, AnyOf, Between, Exactly, Like, Matches, Query
from fake_index import DAYS, SCHEMA, FakeIndex, archives, row

SECRET = "Zebulon^Quux"


def found(index: FakeIndex, **terms: object) -> list[bool | None]:
    """The verdict of each row."""
    asked = expression(parse(terms, SCHEMA), SCHEMA)
    return index.rows.select(asked.alias("it")).to_series().to_list() if len(index.rows) else []


# an independent reading of a search, in plain Python ------------------------------------------


def values_of(cell: object) -> list[object]:
    cells = cell if isinstance(cell, list) else [cell]
    return [one for one in cells if one not in {None, ""} and not is_nan(one)]


def is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def holds(cell: object, asked: object) -> bool | None:
    values = values_of(cell)
    if asked is None:
        return not values
    if not values:
        return True if isinstance(asked, list) and None in asked else None
    if isinstance(asked, tuple):
        low, high = asked
        return any((low is None or v >= low) and (high is None or v <= high) for v in values)
    wanted = asked if isinstance(asked, list) else [asked]
    return any(one_holds(value, one) for value in values for one in wanted if one is not None)


def one_holds(value: object, one: object) -> bool:
    if isinstance(one, re.Pattern):
        return one.search(value) is not None
    if isinstance(one, str) and set(one) & {"*", "?"}:
        return fnmatch.fnmatchcase(value, one.replace("[", "[[]"))
    return value == one


def all_hold(line: dict[str, object], terms: dict[str, object]) -> bool | None:
    answers = [holds(line[word], asked) for word, asked in terms.items()]
    if False in answers:
        return False
    return None if None in answers else True


TEXTS = st.sampled_from(["CT", "MR", "CHEST", "HEAD*", "?EAD", "*", "C?", "*E*", "chest"])
RANGES = st.one_of(
    st.tuples(st.integers(0, 3), st.integers(3, 5)),
    st.tuples(st.none(), st.integers(0, 5)),
    st.tuples(st.integers(0, 5), st.none()),
)
TERMS = {
    "Modality": st.one_of(st.none(), TEXTS, st.lists(st.one_of(st.none(), TEXTS), min_size=1)),
    "BodyPartExamined": st.one_of(TEXTS, st.sampled_from([re.compile("E"), re.compile("^h", 2)])),
    "Rows": st.one_of(
        st.none(), st.integers(0, 5), RANGES, st.lists(st.integers(0, 5), min_size=1)
    ),
    "SliceThickness": st.one_of(st.none(), RANGES, st.sampled_from([1, 2.5])),
    "StudyDate": st.one_of(
        st.sampled_from(DAYS),
        st.tuples(st.sampled_from(DAYS[:2]), st.sampled_from(DAYS[2:])),
        st.tuples(st.none(), st.sampled_from(DAYS)),
    ),
    "ImageType": st.one_of(
        st.none(),
        st.sampled_from(["ORIGINAL", "*ARY", "DERIVED"]),
        st.lists(st.sampled_from([None, "PRIMARY", "D*"]), min_size=1),
    ),
    "PixelSpacing": st.one_of(st.none(), st.just(0.5), st.just((0.6, 2))),
    "IssuerOfPatientID": st.one_of(st.none(), st.just("B")),
}


@given(archives(), st.fixed_dictionaries({}, optional=TERMS))
def test_a_search_is_what_plain_python_makes_of_it(
    index: FakeIndex, terms: dict[str, object]
) -> None:
    """Every verdict, true, false or unknown, is that of an independent reading."""
    expected = [all_hold(line, terms) for line in index.rows.to_dicts()]

    assert expected == found(index, **terms) * (1 if terms else len(expected))


@given(st.text(max_size=6), st.text(alphabet="ab*?.[]\\^$(){}+|- ~&#\n", min_size=1, max_size=6))
def test_a_wildcard_is_only_a_wildcard(text: str, pattern: str) -> None:
    """``*`` and ``?`` mean any run and any character; nothing else in the text means anything."""
    pattern = pattern.strip(" \0") + "*"
    index = FakeIndex.of(row(1, SeriesDescription=text or "x"), row(2, SeriesDescription=pattern))
    plain = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    expected = [bool(re.fullmatch(plain, text or "x", re.DOTALL)), True]

    assert expected == found(index, SeriesDescription=pattern)


@pytest.mark.parametrize(
    ("value", "predicate"),
    [
        ("2022-01-31", Exactly(dt.date(2022, 1, 31))),
        ("20220131", Exactly(dt.date(2022, 1, 31))),
        (dt.date(2022, 1, 31), Exactly(dt.date(2022, 1, 31))),
        (("20220101", None), Between(dt.date(2022, 1, 1), None)),
        ((None, "2022-01-01"), Between(None, dt.date(2022, 1, 1))),
        (["2022-01-02", None, "20220101"], None),
        (None, Absent()),
    ],
)
def test_dates_are_read_as_people_write_them(value: object, predicate: object) -> None:
    """ISO, DICOM's own form, datetime.date; None for an open side."""
    read = parse({"StudyDate": value}, SCHEMA).terms[0][1]

    if predicate is None:
        assert isinstance(read, AnyOf)
        assert {Absent(), dt.date(2022, 1, 1), dt.date(2022, 1, 2)} == set(read.values)
    else:
        assert predicate == read


def test_times_are_read_as_people_write_them() -> None:
    """12:30, 1230, 123000.5 and datetime.time."""
    read = [
        parse({"StudyTime": value}, SCHEMA).terms[0][1]
        for value in ("12:30", "1230", "12:30:00", "123000.5", dt.time(12, 30))
    ]

    half = Exactly(dt.time(12, 30))
    assert [half, half, half, Exactly(dt.time(12, 30, 0, 500_000)), half] == read


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("Modality", 3),
        ("Modality", True),
        ("Modality", b"CT"),
        ("Modality", ""),
        ("Modality", "  "),
        ("Modality", [SECRET, 3]),
        ("Modality", [SECRET, (1, 2)]),
        ("Modality", [[SECRET]]),
        ("Modality", []),
        ("Modality", ("A", SECRET)),
        ("Modality", {"a": 1}),
        ("ImageType", ("A", "B")),
        ("ImageType", 7),
        ("StudyDate", SECRET),
        ("StudyDate", "2022*"),
        ("StudyDate", "2022-13-01"),
        ("StudyDate", "20220230"),
        ("StudyDate", 20220101),
        ("StudyDate", dt.datetime(2022, 1, 1, 5, tzinfo=dt.UTC)),
        ("StudyDate", ("2023-01-01", "2022-01-01")),
        ("StudyDate", (None, None)),
        ("StudyDate", ("2022-01-01",)),
        ("StudyDate", ("2022-01-01", "2022-01-02", "2022-01-03")),
        ("StudyTime", "25:00"),
        ("StudyTime", "noon"),
        ("Rows", "512"),
        ("Rows", True),
        ("Rows", float("nan")),
        ("Rows", re.compile("5")),
        ("Rows", (9, 1)),
        ("PatientName", re.compile(rb"bytes")),
        ("PatientName", re.compile(r"(?=Zeb)")),
        ("PatientName", re.compile(r"(a)\1")),
        ("PatientName", re.compile("x", re.ASCII)),
    ],
)
def test_a_value_of_the_wrong_kind_is_an_error_that_names_the_keyword_alone(
    keyword: str, value: object
) -> None:
    """Whatever cannot be meant is refused; the message never quotes what was asked."""
    with pytest.raises(QueryError) as caught:
        parse({keyword: value}, SCHEMA)

    assert keyword in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("word", "near"),
    [("Modalty", "Modality"), ("studydate", "StudyDate"), ("BodyPart", "BodyPartExamined")],
)
def test_an_unknown_keyword_names_its_neighbours(word: str, near: str) -> None:
    """A misspelt keyword is an error that says what may have been meant."""
    with pytest.raises(UnknownKeyword) as caught:
        parse({word: "CT"}, SCHEMA)

    assert near in caught.value.neighbours


def test_a_keyword_that_only_this_index_lacks_is_said_to_be_one() -> None:
    """KVP is a keyword; the fake index has no such column."""
    with pytest.raises(UnknownKeyword, match="no such column here"):
        parse({"KVP": 120}, SCHEMA)


def test_flags_of_a_regular_expression_hold() -> None:
    """IGNORECASE, DOTALL, MULTILINE and VERBOSE mean what they mean in Python."""
    index = FakeIndex.of(row(1, SeriesDescription="T1 mprage\nsag"), row(2, SeriesDescription="t2"))
    asked = [
        re.compile("MPRAGE", re.IGNORECASE),
        re.compile("mprage.sag", re.DOTALL),
        re.compile("^sag$", re.MULTILINE),
        re.compile("mp  rage  # a comment", re.VERBOSE),
    ]

    assert [[True, False]] * 4 == [found(index, SeriesDescription=regex) for regex in asked]
    assert (
        Matches("MPRAGE", ignore_case=True)
        == parse({"SeriesDescription": asked[0]}, SCHEMA).terms[0][1]
    )


def test_no_term_is_everything() -> None:
    """An empty search holds for every series."""
    index = FakeIndex.of(row(1), row(2))

    assert Query() == parse({}, SCHEMA)
    assert index.rows.height == index.rows.filter(expression(Query(), SCHEMA)).height


def test_order_and_repetition_in_a_list_make_no_other_question() -> None:
    """A set has no order, so the query gives it one."""
    one = parse({"Modality": ["MR", "CT", "CT", None, "S*"]}, SCHEMA)
    other = parse({"Modality": {"S*", "CT", None, "MR"}}, SCHEMA)

    assert one == other
    assert isinstance(one.terms[0][1], AnyOf)
    assert Like("S*") in one.terms[0][1].values  # noqa: PD011 - no table of pandas


def test_a_query_does_not_print_what_it_asks() -> None:
    """Its repr shows keywords only."""
    query = parse({"PatientName": SECRET}, SCHEMA)

    assert "PatientName" in repr(query)
    assert SECRET not in repr(query)


@pytest.mark.parametrize("kind", [pl.Categorical(), pl.Enum(["CT", "MR", ""])])
def test_categories_are_searched_as_text(kind: pl.DataType) -> None:
    """A store may keep Modality as a category."""
    frame = pl.DataFrame({"Modality": ["CT", "MR", "", None]}, schema={"Modality": kind})
    for asked, expected in (
        ("CT", [True, False, None, None]),
        ("?R", [False, True, None, None]),
        (["CT", "M*", None], [True, True, True, True]),
    ):
        verdict = expression(parse({"Modality": asked}, frame.schema), frame.schema)

        assert expected == frame.select(verdict).to_series().to_list()


@pytest.mark.parametrize(
    "day",
    [
        dt.datetime(2022, 3, 1),  # noqa: DTZ001 - as pandas has it
        pd.Timestamp("2022-03-01"),
        np.datetime64("2022-03-01"),
        np.datetime64("2022-03-01T00:00:00.000000"),
    ],
)
def test_a_day_of_pandas_or_numpy_is_a_date(day: object) -> None:
    """At midnight; a time of day is no date."""
    index = FakeIndex.of(row(1, StudyDate=dt.date(2022, 3, 1)), row(2, StudyDate=None))

    assert 1 == len(Cohort.start(index, StudyDate=day))


@pytest.mark.parametrize(
    "moment", [pd.Timestamp("2022-03-01 10:00"), np.datetime64("2022-03-01T10:00"), np.float64(3)]
)
def test_a_moment_is_no_date(moment: object) -> None:
    """Whoever asks is to say which day is meant."""
    index = FakeIndex.of(row(1, StudyDate=dt.date(2022, 3, 1)))

    with pytest.raises(QueryError, match="StudyDate takes a date"):
        Cohort.start(index, StudyDate=moment)


def test_every_unknown_word_is_named() -> None:
    """Not only the first of them."""
    with pytest.raises(UnknownKeyword, match=r"Modalty.*SeriesDescripton"):
        Cohort.start(FakeIndex.of(row(1)), Modalty="CT", SeriesDescripton="x")


@pytest.mark.parametrize("text", ["CT,MR", "CT, MR"])
def test_codes_with_a_comma_are_told_how_several_are_asked(text: str) -> None:
    """They would find nothing, and look like an answer."""
    columns = pl.Schema({"Modality": pl.String(), "StudyDescription": pl.String()})
    with pytest.raises(QueryError, match="Modality=CT Modality=MR"):
        read_terms([f"Modality={text}"], columns)
    assert {"StudyDescription": text} == read_terms([f"StudyDescription={text}"], columns)


def test_what_people_try_first_is_answered_with_the_way() -> None:
    """A year for a day, and a range of ages as DICOM writes them."""
    index = demo_index()
    with pytest.raises(QueryError, match="of a year, a range of two"):
        index.search(StudyDate=("2004", "2005"))
    with pytest.raises(QueryError, match="age_years is a number"):
        index.search(PatientAge=(10, 90))
    assert 0 < len(index.search(age_years=(10, 90))) < len(index.search())


def test_a_function_that_raises_says_no_value() -> None:
    """What Python says of a value stays behind, whatever the function raises."""
    index = FakeIndex.of(row(1, SeriesDescription="Quisling"))
    asked = pl.col("SeriesDescription").map_elements(
        lambda text: int(text.strip("#")), return_dtype=pl.Int64
    )

    with pytest.raises(QueryError) as caught:
        Cohort.start(index).filter(asked > 1, reason="x")

    assert "Quisling" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


MAKERS = {"list": list, "set": set, "pandas": pd.Series, "polars": pl.Series, "numpy": np.array}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_column_of_any_library_is_a_list(make: Callable[[list[str]], object]) -> None:
    """Of pandas as of polars; a mapping is none."""
    index = FakeIndex.of(row(1, Modality="CT"), row(2, Modality="MR"), row(3, Modality="US"))
    with pytest.raises(QueryError, match="Modality takes text"):
        Cohort.start(index, Modality={"CT": 1})
    assert 2 == len(Cohort.start(index, Modality=make(["CT", "US"])))
