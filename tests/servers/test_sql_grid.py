"""The same questions to a folder, tables and databases: the same answers, and the same flow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cohortkit as ck
from cohortkit.cohort.cohort import Cohort
from cohortkit.index.sql_place import place_of
from cohortkit.index.sql_session import connected
from cohortkit.protocols import Index
from servers import grid
from servers.postgres import running

BACKENDS = ["sqlite", "duckdb", pytest.param("postgresql", marks=pytest.mark.servers)]
NAMES = {
    "StudyDescription": "beschreibung",
    "StudyDate": "datum",
    "PatientID": "pat nr",
    "AccessionNumber": 'order "no"',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("grid")


@pytest.fixture(scope="module")
def here() -> Index:
    return grid.archive()


@pytest.fixture(scope="module", params=BACKENDS)
def url(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "postgresql":
        with running() as server:
            yield server.url
    else:
        yield f"{request.param}:///{folder}/index.{request.param}"


@pytest.fixture(scope="module")
def copied(here: Index, url: str) -> Index:
    here.copy_to(url)  # type: ignore[attr-defined]
    return ck.open_index(url)


@pytest.fixture(scope="module")
def hospital(here: Index, url: str) -> Index:
    """A table of series as a hospital has it: other names, dates as text, blanks around values."""
    place = place_of(url)
    rows = here.series().collect()
    plain = [n for n, kind in rows.schema.items() if not kind.is_nested() and not n.islower()]
    table = rows.select(plain).with_columns(
        pl.col("StudyDate").dt.strftime("%Y%m%d"),
        pl.col("PatientBirthDate").dt.strftime("%Y-%m-%d"),
        pl.col("StudyTime").dt.strftime("%H%M%S.%6f"),
        pl.col("Manufacturer") + pl.lit("  "),
        pl.col("StudyDescription", "SeriesDescription").str.replace_all("\0", "\n"),
        rows["ImageType"].list.join("\\", ignore_nulls=False),
        rows["PixelSpacing"].cast(pl.List(pl.String())).list.join("\\"),
    )
    with connected(place, read_only=False) as connection:
        cursor = connection.cursor()
        cursor.adbc_ingest("Bilder", table.rename(NAMES), mode="replace")
        connection.commit()
        cursor.close()
    return ck.open_index(f"{url}#Bilder", {there: word for word, there in NAMES.items()})


@pytest.fixture(scope="module", params=["parquet", "csv"])
def table(request: pytest.FixtureRequest, here: Index, folder: Path) -> Index:
    rows = here.tables["instances"].collect()  # type: ignore[attr-defined]
    path = folder / f"rows.{request.param}"
    if request.param == "parquet":
        rows.write_parquet(path)
    else:
        lists = [n for n, kind in rows.schema.items() if kind.is_nested()]
        text = [pl.col(n).cast(pl.List(pl.String())).list.join("\\") for n in lists]
        rows.with_columns(text).write_csv(path)
    return ck.open_index(path)


def _found(index: Index, terms: dict[str, object]) -> list[str]:
    return sorted(Cohort.start(index, **terms).identified()["SeriesInstanceUID"])


def _expected(rows: pl.DataFrame, terms: dict[str, object]) -> list[str]:
    told = rows.select("SeriesInstanceUID", *terms).iter_rows(named=True)
    return sorted(row["SeriesInstanceUID"] for row in told if grid.holds(row, terms))


def _wrong(index: Index, oracle: Index) -> list[dict[str, object]]:
    rows = oracle.series().collect()
    return [one for one in grid.QUESTIONS if _found(index, one) != _expected(rows, one)]


def test_the_folder_answers_as_the_oracle_does(here: Index) -> None:
    """Fifty questions to 3,200 instances, none answered otherwise."""
    assert 3_200 == here.tables["instances"].collect().height  # type: ignore[attr-defined]
    assert len(grid.QUESTIONS) >= 40

    assert [] == _wrong(here, here)


def test_a_table_answers_as_the_oracle_does(table: Index, here: Index) -> None:
    """Parquet and CSV, a row an instance."""
    assert [] == _wrong(table, here)


def test_a_copy_in_a_database_answers_as_the_folder_and_the_oracle_do(
    copied: Index, here: Index
) -> None:
    """All of the forty and more are exact, none is refused, and the flow is that of the folder."""
    rows = here.series().collect()

    for terms in grid.QUESTIONS:
        actual = Cohort.start(copied, **terms)
        assert _expected(rows, terms) == sorted(actual.identified()["SeriesInstanceUID"])
        assert Cohort.start(here, **terms).steps == actual.steps


def test_a_copy_holds_what_the_folder_holds(copied: Index, here: Index) -> None:
    """Every value and type, NUL included; a NaN is no value."""
    mine, theirs = here.series().collect().sort("series_key"), copied.series().collect()

    assert mine.schema == theirs.schema
    assert mine.with_columns(pl.col(pl.Float64).fill_nan(None)).equals(
        theirs.with_columns(pl.col(pl.Float64).fill_nan(None))
    )


def test_a_hospitals_table_answers_as_the_oracle_does(hospital: Index) -> None:
    """Other names, dates as text, padded values: what cannot be pushed is asked here."""
    whole = hospital.series().collect()

    assert 800 == whole.height
    assert [] == _wrong(hospital, hospital)
    assert whole["Manufacturer"].drop_nulls().str.contains(r"\s$").sum() == 0
    assert "Manufacturer" not in hospital.capabilities.pushes  # type: ignore[attr-defined]
    assert "StudyDate" in hospital.capabilities.pushes  # type: ignore[attr-defined]


def test_a_question_reads_less_than_everything(copied: Index) -> None:
    """What was proved is left to the database."""
    query = Cohort.start(copied, AccessionNumber="0012").steps[-1].query
    offered = copied.narrow(query).rows.collect()  # type: ignore[attr-defined]

    assert set(offered["AccessionNumber"]) == {"0012", None}


VALUES = st.one_of(
    st.sampled_from([v for v in grid.NASTY if v]), st.text("aA%_*?!\\'é \n", min_size=1)
)
TEXT = VALUES.filter(lambda text: text.strip(" \0") == text and text)
TERM = st.one_of(
    st.tuples(st.sampled_from(["StudyDescription", "Modality", "BodyPartExamined"]), TEXT),
    st.tuples(st.just("StudyDescription"), st.lists(TEXT, min_size=1, max_size=3)),
    st.tuples(st.just("Rows"), st.integers(-1, 600)),
    st.tuples(st.just("SliceThickness"), st.floats(0, 3, width=16)),
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TERM, min_size=1, max_size=3, unique_by=lambda term: term[0]))
def test_questions_that_nobody_thought_of(
    copied: Index, here: Index, terms: list[tuple[str, object]]
) -> None:
    """Any text is a value, and any two backends agree on it: rows and flow."""
    asked: dict[str, object] = dict(terms)

    assert _expected(here.series().collect(), asked) == _found(copied, asked)
    assert Cohort.start(here, **asked).steps == Cohort.start(copied, **asked).steps
