"""From a database to a release; and what goes wrong with databases."""

from __future__ import annotations

import datetime as dt
import getpass
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import cohortkit as ck
from cohortkit import audit
from cohortkit.cohort.written import read_step
from cohortkit.errors import QueryError, StoreError, UnknownKeyword, UsageError
from cohortkit.index import sql, sql_rows, sql_session
from cohortkit.index.shared import seal
from cohortkit.index.sql_place import place_of
from cohortkit.index.sql_session import connected
from factory import Patient, Series, write_series
from servers.postgres import Server, running
from written import SAME, make

SECRET = "Gehe1m!"
BACKENDS = ["sqlite", "duckdb", pytest.param("postgresql", marks=pytest.mark.servers)]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as one:
        yield one


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("server").database())
    return f"{request.param}:///{tmp_path}/index.{request.param}"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for number in range(2):
        patient = Patient(patient_id=f"00{number}")
        write_series(tmp_path / "archive" / str(number), patient, Series(slices=3))
    ck.scan(tmp_path / "archive", tmp_path / "store")
    return tmp_path / "store"


def _released(index: object, out: Path, key: ck.Key) -> dict[str, bytes]:
    cohort = index.search(Modality="CT")  # type: ignore[attr-defined]
    plan = ck.plan(cohort, ck.load_recipe("basic"), to=[ck.Nifti(), ck.Tables()])
    ck.export(plan, out, key=key)
    release = out / "release"
    return {
        str(path.relative_to(release)): path.read_bytes()
        for path in sorted(release.rglob("*"))
        if path.is_file()
    }


def test_a_release_from_a_database_is_that_from_the_folder(
    store: Path, url: str, tmp_path: Path
) -> None:
    """Byte for byte, the flow of the cohort in export.json included."""
    key = ck.Key.new(tmp_path / "key", project="sql")
    ck.open_index(store).copy_to(url)  # type: ignore[union-attr]

    expected = _released(ck.open_index(store), tmp_path / "one", key)
    actual = _released(ck.open_index(url), tmp_path / "two", key)

    assert any(name.endswith(".nii.gz") for name in expected)
    assert expected == actual


def test_a_cohort_comes_back_to_its_database(store: Path, url: str, tmp_path: Path) -> None:
    """The file says where the index is, and at which version; it holds no password."""
    index = ck.open_index(store).copy_to(url)  # type: ignore[union-attr]
    saved = index.search(Modality="CT").save(tmp_path / "ct.cohort")

    assert 2 == len(ck.load_cohort(saved))


def _table(url: str, table: pl.DataFrame, name: str = "bilder") -> str:
    with connected(place_of(url), read_only=False) as connection:
        cursor = connection.cursor()
        cursor.adbc_ingest(name, table, mode="replace")
        connection.commit()
        cursor.close()
    return f"{url}#{name}"


ROWS = {"StudyInstanceUID": ["1.1", "1.1"], "SeriesInstanceUID": ["2.1", "2.2"]}


def test_a_study_of_two_patients_is_two_studies(url: str) -> None:
    """A study is of one person; both keep theirs, and the counts say so."""
    where = _table(url, pl.DataFrame(ROWS | {"PatientID": ["a", "b"]}))

    assert 2 == ck.open_index(where).search().counts.studies


def test_odd_dates_are_values_or_counted_as_none(url: str) -> None:
    """00010101 is a day; 20229999 is none, and unknown, also where the database compares."""
    rows = ROWS | {"PatientID": ["a", "b"], "StudyDate": ["00010101", "20229999"]}
    index = ck.open_index(_table(url, pl.DataFrame(rows)))
    asked = index.search(StudyDate=(None, "2022-12-31"))

    assert 1 == len(asked)
    assert 1 == asked.steps[-1].losses[0].unknown.series
    assert 1 == dict(index.issues().iter_rows())["StudyDate"]


def test_a_mapping_of_what_is_not_there_is_an_error(url: str) -> None:
    """It names the word; so is a table that is not there, or lacks what an index needs."""
    where = _table(url, pl.DataFrame(ROWS | {"PatientID": ["a", "b"]}))

    with pytest.raises(UnknownKeyword, match="'pat'"):
        ck.open_index(where, {"pat": "PatientID"})
    with pytest.raises(UnknownKeyword, match="'PatientIdd'"):
        ck.open_index(where, {"PatientID": "PatientIdd"})
    with pytest.raises(StoreError, match="no such table"):
        ck.open_index(f"{url}#nowhere")
    with pytest.raises(StoreError, match="SeriesInstanceUID"):
        ck.open_index(_table(url, pl.DataFrame({"StudyInstanceUID": ["1"]}), "less"))
    with pytest.raises(StoreError, match="copy_to"):
        ck.open_index(url)


def test_a_table_that_changes_is_another_version(url: str) -> None:
    """What was opened answers for itself alone: it is never half old and half new."""
    rows = pl.DataFrame(ROWS | {"PatientID": ["a", "b"], "Modality": ["CT", "MR"]})
    index = ck.open_index(_table(url, rows))
    _table(url, rows.with_columns(pl.lit("US").alias("Modality")))

    with pytest.raises(StoreError, match="changed"):
        index.search(Modality="CT")
    assert index.version != ck.open_index(f"{url}#bilder").version


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM bilder",
        "DROP TABLE bilder",
        "/* SELECT */ UPDATE bilder SET \"PatientID\" = 'x'",
        "WITH gone AS (DELETE FROM bilder RETURNING *) SELECT * FROM gone",
        "SELECT 1; DROP TABLE bilder",
        "COPY bilder TO '/tmp/x'",
        "ATTACH 'x.db' AS x",
        "",
        "SELECT nothing FROM nowhere",
    ],
)
def test_sql_only_asks(url: str, statement: str) -> None:
    """A statement that writes is refused, and what it names is there as before."""
    where = _table(url, pl.DataFrame(ROWS | {"PatientID": ["a", "b"]}))
    index = ck.open_index(where)

    with pytest.raises(QueryError, match="sql"):
        index.sql(statement, identified=True)  # type: ignore[union-attr]

    assert 2 == index.sql("SELECT * FROM bilder", identified=True).height  # type: ignore[union-attr]


def test_sql_asks_the_folder_too(store: Path) -> None:
    """Over series and instances; what is no question is refused."""
    index = ck.open_index(store)
    asked = 'SELECT "Modality", count(*) AS n FROM series GROUP BY "Modality"'

    assert [("CT", 2)] == index.sql(asked).rows()  # type: ignore[union-attr]
    paths = index.sql("SELECT path FROM instances", identified=True)  # type: ignore[union-attr]
    assert 6 == paths.height
    for wrong in ("DROP TABLE series", "SELECT nothing FROM series", "SELECT 1; SELECT 2", ""):
        with pytest.raises(QueryError, match="sql"):
            index.sql(wrong)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "where",
    [
        f"postgresql://ann:{SECRET}@127.0.0.1:1/x",
        f"postgresql://127.0.0.1:1/x?user=ann&password={SECRET}",
    ],
)
def test_a_password_is_told_to_nobody(where: str) -> None:
    """Not in the place, not in its repr, not in the error of a server that is not there."""
    place = place_of(where)

    assert SECRET not in f"{place!r} {place.location}"
    with pytest.raises(StoreError) as caught:
        ck.open_index(where)
    assert SECRET not in f"{caught.value!r} {caught.value.__context__!r}"
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize(
    "where",
    ["sqlite://x.db", "duckdb:///", "postgresql://h:port/x", "sqlite:///x#a;b", "mysql://h"],
)
def test_a_place_that_is_none_is_told(where: str) -> None:
    """Before anything is opened."""
    with pytest.raises(UsageError):
        place_of(where)


def test_no_file_is_made_by_looking(tmp_path: Path) -> None:
    """Opening reads only."""
    for backend in ("sqlite", "duckdb"):
        with pytest.raises(StoreError, match="no such"):
            ck.open_index(f"{backend}:///{tmp_path}/none.db")

    assert [] == list(tmp_path.iterdir())


@pytest.mark.servers
def test_a_server_that_hangs_is_given_up(
    server: Server, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a time, by name, and not before the words of a driver are gone."""
    index = ck.open_index(store).copy_to(server.url)  # type: ignore[union-attr]
    monkeypatch.setattr(sql_session, "WAIT", 1.0)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreError, match="has not answered"):
            index.search(Modality="CT")
    finally:
        os.kill(server.pid, signal.SIGCONT)


@pytest.mark.servers
def test_a_server_that_dies_is_told_and_asked_again(store: Path) -> None:
    """In the middle of a cohort; when it is back the same index goes on."""
    with running() as own:
        index = ck.open_index(store).copy_to(own.url)  # type: ignore[union-attr]
        cohort = index.search(Modality="CT")
        own.control("-m", "immediate", "-w", "stop")
        with pytest.raises(StoreError, match="cannot be asked"):
            index.search(Modality="MR")
        port = own.url.rpartition(":")[2].partition("/")[0]
        own.control("-w", "-o", f"-c listen_addresses=127.0.0.1 -p {port} -k {own.folder}", "start")

        assert len(cohort) == len(index.search(Modality="CT"))


def test_omop_opens_by_name(url: str, tmp_path: Path) -> None:
    """The table of the imaging extension as it stands: persons by number, series by UID."""
    rows = {
        "image_occurrence_id": [1, 2],
        "person_id": [7, 8],
        "image_occurrence_date": [dt.date(2022, 1, 1), None],
        "image_study_uid": ["1.1", "1.2"],
        "image_series_uid": ["2.1", "2.2"],
        "modality_concept_id": [4013636, None],
    }
    _table(url, pl.DataFrame(rows), "image_occurrence")
    index = ck.open_index(url, "omop")

    assert ["7"] == index.search(modality_concept_id=4013636).identified()["PatientID"].to_list()
    assert 1 == len(index.search(StudyDate="2022-01-01"))
    saved = index.search(PatientID="8").save(tmp_path / "one.cohort")
    assert 1 == len(ck.load_cohort(saved))
    with pytest.raises(UsageError, match="by name"):
        ck.open_index(url, "amop")


def test_what_omop_chooses_is_exported_from_the_archive(store: Path, url: str) -> None:
    """It knows neither the files nor how their headers call the person: so it chooses alone."""
    archive = ck.open_index(store)
    there = archive.search(Modality="CT").identified()
    rows = {
        "person_id": [7] * there.height,
        "image_occurrence_date": there["StudyDate"],
        "image_study_uid": there["StudyInstanceUID"],
        "image_series_uid": there["SeriesInstanceUID"],
        "modality_concept_id": [4013636] * there.height,
    }
    _table(url, pl.DataFrame(rows), "image_occurrence")
    chosen = ck.open_index(url, "omop").search(modality_concept_id=4013636)
    with pytest.raises(StoreError, match="where the files are"):
        ck.plan(chosen, ck.load_recipe("basic"), to="tables")
    cohort = archive.search().only(series=chosen.identified()["SeriesInstanceUID"])

    assert there.height == len(cohort) > 0
    assert there.height == len(ck.plan(cohort, ck.load_recipe("basic"), to="tables").tasks)


def test_every_search_and_export_of_a_shared_index_is_noted(
    store: Path, url: str, tmp_path: Path
) -> None:
    """Who, when, what and how many, in a chain of lines; where it cannot be noted, no answer."""
    logs = tmp_path / "logs"
    index = ck.open_index(store).copy_to(url, audit=logs)  # type: ignore[union-attr]
    key = ck.Key.new(tmp_path / "key", project="sql")
    _released(ck.open_index(url), tmp_path / "out", key)
    index.sql("SELECT 1 AS one", identified=True)
    log = logs / f"{getpass.getuser()}.jsonl"
    lines = list(audit.lines(log))

    assert ["search", "export", "sql"] == [line["event"] for line in lines]
    assert [["Modality", {"exactly": "CT"}]] == lines[0]["steps"][1]["query"]
    assert [2, 2, 2, 6] == lines[0]["steps"][1]["kept"]
    assert {getpass.getuser()} == {line["who"] for line in lines}
    assert () == audit.check(log, seal).findings

    log.write_text(log.read_text().replace('"CT"', '"MR"'))
    assert audit.check(log, seal).findings
    shutil.rmtree(logs)
    logs.write_text("in the way")
    with pytest.raises(StoreError, match="log"):
        index.search(Modality="CT")


def test_the_environment_names_the_log_of_a_hospitals_table(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the index has no owner that could name it."""
    index = ck.open_index(_table(url, pl.DataFrame(ROWS | {"PatientID": ["a", "b"]})))
    index.search(PatientID="a")
    monkeypatch.setenv("COHORTKIT_AUDIT", str(tmp_path / "logs"))
    index.search(PatientID="b")

    (log,) = (tmp_path / "logs").glob("*.jsonl")
    assert 1 == len(list(audit.lines(log)))
    assert 0o600 == log.stat().st_mode & 0o777


@pytest.fixture(scope="module")
def designs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("designs"))


def test_written_steps_of_a_database_are_those_of_the_folder(designs: Path, url: str) -> None:
    """Every step that shell and job files can write: the same series, labels and flow."""
    index = ck.scan(designs / "archive", workers=1, progress=False)
    asked = index.copy_to(url).search(Modality="CT")
    for text, _ in SAME:
        expected = read_step(text).of(index.search(Modality="CT"), designs)
        actual = read_step(text).of(asked, designs)
        assert (
            expected.identified()
            .sort("series_key")
            .equals(actual.identified().sort("series_key").select(expected.identified().columns))
        )
        assert expected.flow().to_polars().equals(actual.flow().to_polars())


def test_of_what_a_later_term_rules_out_only_the_terms_are_read(
    designs: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All proved terms go out for whole rows; the flow is that of the folder."""
    index = ck.scan(designs / "archive", workers=1, progress=False)
    asked, whole, real = index.copy_to(url), [], sql_rows.Rows.read

    def read(
        self: sql_rows.Rows,
        names: list[str] | None = None,
        condition: str = "",
        most: int | None = None,
    ) -> pl.DataFrame:
        frame = real(self, names, condition, most)
        if most is None and frame.width == len(self.types):
            whole.append(frame.height)
        return frame

    monkeypatch.setattr(sql_rows.Rows, "read", read)
    monkeypatch.setattr(sql, "_HELD", 0)
    for terms, kept in (({"Modality": "CT", "PatientID": "P2"}, 2), ({"Modality": "CT"}, 8)):
        whole.clear()
        expected, actual = index.search(**terms), asked.search(**terms)
        assert [kept] == whole
        assert expected.flow().to_polars().equals(actual.flow().to_polars())
        assert (
            expected.identified()
            .sort("series_key")
            .equals(actual.identified().sort("series_key").select(expected.identified().columns))
        )
