from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.errors import OutputError
from cohortkit.model import Artifact, Names, Outcome, Record, Searched, Statement, Status
from cohortkit.reasons import Reason
from cohortkit.run.records import from_json, to_json

CELLS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8)
CELLS |= st.floats(allow_nan=False) | st.dates() | st.times() | st.datetimes()
ROWS = st.dictionaries(st.text(max_size=5), CELLS | st.lists(CELLS, max_size=3), max_size=4)
TEXT = st.text(max_size=6)
RECORDS = st.builds(
    Record,
    task=TEXT,
    plan=TEXT,
    inputs=TEXT,
    names=st.none() | st.builds(Names, TEXT, TEXT, TEXT),
    instances=st.integers(0, 99),
    outcomes=st.lists(
        st.builds(
            Outcome,
            TEXT,
            st.sampled_from(Status),
            st.lists(st.integers(0, 9)).map(tuple),
            st.none() | st.sampled_from(Reason),
            st.dictionaries(TEXT, st.floats(allow_nan=False), max_size=2),
        ),
        max_size=3,
    ).map(tuple),
    artifacts=st.lists(
        st.builds(
            Artifact,
            TEXT,
            TEXT,
            TEXT,
            TEXT,
            st.integers(0, 2**40),
            st.lists(st.integers(0, 9)).map(tuple),
            st.lists(st.integers(0, 999)).map(tuple),
            st.lists(st.floats(0, 9)).map(tuple),
            TEXT,
        ),
        max_size=2,
    ).map(tuple),
    rows=st.dictionaries(TEXT, st.lists(ROWS, max_size=2).map(tuple), max_size=2),
    statement=st.none()
    | st.builds(
        Statement,
        TEXT,
        TEXT,
        TEXT,
        TEXT,
        st.lists(TEXT, max_size=2).map(tuple),
        st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
        TEXT,
    ),
    searched=st.none() | st.builds(Searched, *[st.integers(0, 9)] * 4),
    pixel_work=st.dictionaries(st.sampled_from(["blanked", "verified"]), st.integers(1, 9)),
)


@given(RECORDS)
def test_a_record_comes_back_as_it_was_and_always_as_the_same_bytes(record: Record) -> None:
    """Dates, times, empty and absent values keep their types."""
    data = to_json(record)

    again = from_json(data)

    assert record == again
    assert data == to_json(record)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_record_are_none(data: bytes) -> None:
    """A torn file is litter, not a crash."""
    assert from_json(data) is None


@given(RECORDS, st.data())
def test_a_record_cut_anywhere_is_none(record: Record, data: st.DataObject) -> None:
    """A record is whole or it is none."""
    whole = to_json(record)
    cut = data.draw(st.integers(0, len(whole) - 2))

    assert from_json(whole[:cut]) is None


def test_a_record_of_a_later_format_is_not_taken_for_damage() -> None:
    """Damage is redone; what a later version made is left alone, in plain words."""
    with pytest.raises(OutputError, match="another version"):
        from_json(b'{"format": 2}')


def test_a_cell_of_an_unknown_type_is_an_error_that_names_the_type_only() -> None:
    """No value in the message."""
    record = Record("t", "", None, 0, (), rows={"a": ({"b": dt.timedelta(1)},)})

    with pytest.raises(TypeError, match="timedelta"):
        to_json(record)


NAMES = st.sampled_from(["statement", "rows", ',"rows":{', ',"statement":', "$type"]) | TEXT


@given(RECORDS, st.dictionaries(NAMES, st.lists(st.dictionaries(NAMES, NAMES), max_size=2)))
def test_without_its_rows_a_record_is_the_same(record: Record, rows: object) -> None:
    """Whatever tables, columns and cells are called: what is left out is the rows and no more."""
    made = replace(record, rows=rows)

    assert replace(made, rows={}) == from_json(to_json(made), rows=False)
