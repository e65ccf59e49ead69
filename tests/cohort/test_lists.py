"""Lists of ids: matched whole, zeros kept, never as patterns; what did not match is counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort
from cohortkit.errors import QueryError, StoreError
from fake_index import FakeIndex, archives, row, troubled


def keys(cohort: Cohort) -> list[int]:
    return sorted(int(key.removeprefix("key")) for key in cohort.identified()["series_key"])


def missed(cohort: Cohort) -> dict[str, list[str]]:
    table = cohort.unmatched().group_by("what", maintain_order=True).agg("value")
    return dict(table.rows())


def notes(cohort: Cohort) -> dict[str, int]:
    return {note.words: note.count for note in cohort.steps[-1].notes}


def test_only_keeps_what_is_listed_and_zeros_count() -> None:
    """``1`` is not ``0001``."""
    index = FakeIndex.of(row(1, "0001"), row(2, "1"), row(3, None))
    cohort = Cohort.start(index).only(patients=["0001"])

    assert [1] == keys(cohort)
    assert (1, 1) == (
        cohort.steps[-1].losses[0].not_matched.series,
        cohort.steps[-1].losses[0].unknown.series,
    )


@pytest.mark.parametrize("wrong", [2178309, 1.5, object()])
def test_what_is_no_list_is_told(wrong: object) -> None:
    """In plain words, not in Python's."""
    with pytest.raises(QueryError, match="a list of ids, or the path"):
        Cohort.start(troubled()).only(patients=wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_what_did_not_match_is_counted_and_listed_on_request() -> None:
    """Unknown to the index, left out before, twice, wildcard, blank: each by its name."""
    given_ids = ["0001", " 0001 ", "0003", "0077", "00*", "", "  "]
    cohort = Cohort.start(troubled(), Modality="CT").only(patients=given_ids)

    assert {
        "ids in the list (PatientID)": 4,
        "ids not in the index": 2,
        "ids left out by an earlier step": 1,
        "ids given more than once": 1,
        "ids with a wildcard, matched as written": 1,
        "ids of several patients": 1,
        "blank entries": 2,
    } == notes(cohort)
    assert {
        "not in the index": ["0077", "00*"],
        "left out by an earlier step": ["0003"],
        "given more than once": ["0001"],
        "with a wildcard, matched as written": ["00*"],
        "of several patients": ["0001"],
    } == missed(cohort)
    assert [2] == cohort.unmatched()["step"].unique().to_list()


def test_a_wildcard_is_an_id_like_any_other() -> None:
    """The archive has an accession ``A*``: it is that one, and no other."""
    assert [6] == keys(Cohort.start(troubled()).only(accessions=["A*"]))


def test_several_lists_must_all_hold_for_only_and_any_does_for_exclude() -> None:
    """Only: on each list. Exclude: on none."""
    whole = Cohort.start(troubled())

    assert [1, 2] == keys(whole.only(patients=["0001"], studies=["1.1", "1.3"]))
    assert [3, 5, 6, 7, 9, 10] == keys(whole.exclude(series=["2.8", "2.4"], studies=["1.1"]))


@given(
    archives(),
    st.lists(st.sampled_from(["1", "01", "2", "3", "9"]), min_size=1),
    st.sets(st.sampled_from(["1.1", "1.2", "9"]), min_size=1),
)
def test_only_and_exclude_are_what_plain_python_makes_of_them(
    index: FakeIndex, patients: list[str], studies: set[str]
) -> None:
    """And no series is both."""
    lines = index.rows.to_dicts()
    for line in lines:
        line["PatientID"] = (line["PatientID"] or "").strip()
    there = [n for n in lines if n["PatientID"] in patients and n["StudyInstanceUID"] in studies]
    gone = [
        n
        for n in lines
        if n["PatientID"]
        and n["PatientID"] not in patients
        and n["StudyInstanceUID"] not in studies
    ]
    whole = Cohort.start(index)
    only = whole.only(patients=patients, studies=studies).identified()["series_key"].to_list()
    rest = whole.exclude(patients=patients, studies=studies).identified()["series_key"].to_list()

    assert [n["series_key"] for n in there] == only
    assert [n["series_key"] for n in gone] == rest


def test_exclude_fails_closed() -> None:
    """A series without the id may be of somebody on the list: it goes, as unknown."""
    cohort = Cohort.start(troubled()).exclude(patients=["0001"], reason="withdrew consent")
    (loss,) = cohort.steps[-1].losses

    assert [4, 5, 6, 9, 10] == keys(cohort)
    assert (4, 1) == (loss.not_matched.series, loss.unknown.series)
    assert "withdrew consent" == loss.out


def test_patients_may_come_with_their_issuer(tmp_path: Path) -> None:
    """A pair names one person; so does a table with both columns."""
    file = tmp_path / "who.csv"
    file.write_text("IssuerOfPatientID,PatientID\nB,0001\n,0002\n", "utf-8")
    whole = Cohort.start(troubled())

    assert [7] == keys(whole.only(patients=[("B", "0001")]))
    assert [4, 5, 7] == keys(whole.only(patients=file))
    assert "ids of several patients" not in notes(whole.only(patients=file))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ids.txt", "0001\n\n0002\n"),
        ("bom.txt", "\ufeff0001\r\n0002\r\n"),
        ("ids.csv", "PatientID\n0001\n0002\n"),
        ("more.csv", 'name,PatientID\nx,0001\n"a,b",0002\n'),
        ("ids.tsv", "PatientID\tage\n0001\t3\n0002\t4\n"),
        ("bom.csv", "\ufeffPatientID\n0001\n0002\n"),
    ],
)
def test_lists_come_from_files_of_any_usual_kind(tmp_path: Path, name: str, text: str) -> None:
    """One id a line, or a table with a column named by the keyword; zeros are kept."""
    file = tmp_path / name
    file.write_text(text, "utf-8")

    assert [1, 2, 3, 4, 5, 7] == keys(Cohort.start(troubled()).only(patients=file))
    assert [1, 2, 3, 4, 5, 7] == keys(Cohort.start(troubled()).only(patients=str(file)))


def test_lists_come_from_parquet(tmp_path: Path) -> None:
    """Text columns only: a number has lost its zeros."""
    good, bad = tmp_path / "good.parquet", tmp_path / "bad.parquet"
    pl.DataFrame({"AccessionNumber": ["A2", None]}).write_parquet(good)
    pl.DataFrame({"AccessionNumber": [2]}).write_parquet(bad)

    assert [3] == keys(Cohort.start(troubled()).only(accessions=good))
    with pytest.raises(QueryError, match="leading zeros"):
        Cohort.start(troubled()).only(accessions=bad)


@pytest.mark.parametrize(
    "lists",
    [
        {},
        {"patients": []},
        {"patients": ["", None]},
        {"patients": [1, 2]},
        {"patients": [("B", 1)]},
        {"patients": ["a", ("B", "a")]},
        {"patients": [("a", "b", "c")]},
        {"accessions": [("B", "A1")]},
        {"patients": "0001"},
        {"patients": "nowhere.txt"},
        {"patients": "nowhere.csv"},
        {"patients": pl.Series([1, 2])},
    ],
    ids=range(12),
)
def test_a_list_that_cannot_be_meant_is_refused(lists: dict[str, object]) -> None:
    """Empty, numbers, half with issuers, an id where a path is taken, no file."""
    with pytest.raises(QueryError):
        Cohort.start(troubled()).only(**lists)


def test_an_empty_list_excludes_nobody() -> None:
    """The list of those who withdrew may be empty tonight."""
    assert 10 == len(Cohort.start(troubled()).exclude(accessions=[])) + len(
        Cohort.start(troubled(), AccessionNumber=None)
    )


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("zip.txt", b"PK\x03\x04\xff\xfe\x00"),
        ("latin.csv", "PatientID\nM\xfcller\n".encode("latin-1")),
        ("other.csv", b"id\n0001\n"),
        ("empty.csv", b""),
        ("not.parquet", b"PAR1 not"),
    ],
)
def test_a_file_that_is_no_list_is_refused_without_its_cells(
    tmp_path: Path, name: str, data: bytes
) -> None:
    """Not UTF-8, no such column, nothing in it, not what it says it is."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(QueryError) as caught:
        Cohort.start(troubled()).only(patients=tmp_path / name)

    assert "M" + "ller" not in str(caught.value)
    assert "0001" not in str(caught.value)


@pytest.mark.parametrize(
    "make", [pl.DataFrame, pd.DataFrame, pl.LazyFrame], ids=["polars", "pandas", "lazy"]
)
def test_a_table_of_ids_is_read_by_its_column(make: Callable[[object], object]) -> None:
    """An opt-out list in memory is one as it is in a file; the names of its columns are no ids."""
    index = FakeIndex.of(row(1, "0001"), row(2, "0002"), row(3, "0003"))
    table = make({"why": ["asked", "asked"], "PatientID": ["0001", "0003"]})

    assert [2] == keys(Cohort.start(index).exclude(patients=table))  # type: ignore[arg-type]  # a table
    with pytest.raises(QueryError, match="no column AccessionNumber"):
        Cohort.start(index).exclude(accessions=table)  # type: ignore[arg-type]  # the same


@pytest.mark.parametrize("wrong", [{"PatientID": ["0001"]}, {"0001": "x"}])
def test_a_mapping_is_no_list(wrong: object) -> None:
    """Its keys would be taken for the ids, and nobody left out."""
    with pytest.raises(QueryError, match="a list of ids"):
        Cohort.start(troubled()).exclude(patients=wrong)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("line", ['"0001"', "0001,0003", "0001;0003", "0001\t0003"])
def test_a_text_with_more_than_an_id_a_line_is_refused(tmp_path: Path, line: str) -> None:
    """As it is read it would leave nobody out."""
    (tmp_path / "out.txt").write_text(f"{line}\n")
    with pytest.raises(QueryError, match="more than an id a line"):
        Cohort.start(troubled()).exclude(patients=tmp_path / "out.txt")


def test_who_excludes_nobody_is_told() -> None:
    """In the printed cohort, not in its counts alone."""
    index = FakeIndex.of(row(1, "0001"))

    assert "nobody was excluded" in repr(Cohort.start(index).exclude(patients=["1"]))
    assert "nobody was excluded" not in repr(Cohort.start(index).exclude(patients=["0001"]))


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    """In an error of ours, wherever a path is given."""
    cohort = Cohort.start(troubled())
    with pytest.raises(QueryError, match="longer than"):
        cohort.only(patients=f"{'y' * 300}.txt")
    with pytest.raises(StoreError, match="longer than"):
        cohort.save(tmp_path / ("y" * 300))
