"""Persons and studies as numbers."""

from __future__ import annotations

import gc

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import keys
from cohortkit.cohort.keys import by_place, keys_of, reach, rows_at, succeeds
from cohortkit.errors import StoreError

TEXT = st.sampled_from([None, "", "A", "B", " A", "A\0", "a", "Ä", "1", "01"])


def _rows(texts: list[tuple[str | None, str | None, str | None]]) -> pl.LazyFrame:
    names = ["IssuerOfPatientID", "PatientID", "StudyInstanceUID"]
    rows = pl.DataFrame(texts, pl.Schema(dict.fromkeys(names, pl.String())), orient="row")
    return rows.with_row_index("series_key").cast({"series_key": pl.String}).lazy()


def _plain(text: str | None) -> str:
    return (text or "").strip(" \0")


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=40))
def test_the_same_number_for_the_same_and_no_other(
    texts: list[tuple[str | None, str | None, str | None]],
) -> None:
    """A person is issuer and Patient ID without padding, a study is of one person."""
    found = keys_of(_rows(texts))
    people = [(_plain(issuer), _plain(patient)) for issuer, patient, _ in texts]
    studies = [(*who, study or "") for who, (_, _, study) in zip(people, texts, strict=True)]
    for name, expected in (("__person", people), ("__study", studies)):
        pairs = set(zip(expected, found[name], strict=True))

        assert len(set(expected)) == len(pairs)
        assert list(range(len(pairs))) == found[name].unique().sort().to_list()


def test_rows_by_place_in_any_way() -> None:
    """Of rows of rows: the same whether all is read, or somebody reaches for them."""
    rows = _rows([("I", str(number), "S") for number in range(50)])
    table = rows.collect()
    asked: list[list[int]] = []

    def at(places: pl.Series) -> pl.LazyFrame:
        asked.append(places.to_list())
        return by_place(table.lazy(), places)

    first, second = pl.Series([3, 9, 27, 49], dtype=pl.UInt32), pl.Series([1, 2], dtype=pl.UInt32)
    plain = rows_at(rows_at(rows, first), second).collect()
    reach(rows, at)
    narrow = rows_at(rows, first)
    succeeds(narrow, rows, keys_of(rows).gather_every(1)[first.to_list()], first)

    assert ["9", "27"] == plain["PatientID"].to_list()
    assert plain.equals(rows_at(narrow, second).collect())
    assert [9, 27] == asked[-1]
    assert keys_of(narrow).height == 4


def test_nothing_is_kept_of_rows_that_are_gone() -> None:
    """A notebook that asks a thousand questions holds what it holds itself."""
    gc.collect()  # what other tests have let go of
    rows = _rows([("I", "1", "S")])
    keys_of(rows)
    reach(rows, lambda _: pl.LazyFrame())
    before = len(keys._keys), len(keys._at)
    del rows
    gc.collect()

    assert (before[0] - 1, before[1] - 1) == (len(keys._keys), len(keys._at))


def test_an_index_that_lacks_a_column() -> None:
    """It is named."""
    with pytest.raises(StoreError, match="StudyInstanceUID"):
        keys_of(pl.LazyFrame({"series_key": ["1"], "PatientID": ["1"]}))
