"""Tables that others made, as indexes."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.errors import QueryError, StoreError, UnknownKeyword
from cohortkit.index import TableIndex, open_index, scan
from cohortkit.index.casts import cast_of
from cohortkit.index.table import archives_of

SERIES = {
    "PatientID": ["1", "1", "002"],
    "StudyInstanceUID": ["1.1", "1.1", "1.2"],
    "SeriesInstanceUID": ["1.1.1", "1.1.2", "1.2.1"],
    "StudyDate": ["20240101", "2024-01-01", ""],
    "modality": ["CT", "MR", "CT"],
    "SOPClassUID": ["1.2.840.10008.5.1.4.1.1.2", None, "9.9"],
    "cohort_name": ["a", "b", "c"],
}


def _table(path: Path, columns: dict[str, list[object]]) -> Path:
    frame = pl.DataFrame(columns)
    if path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return path


@pytest.mark.parametrize("name", ["table.parquet", "table.csv"])
def test_a_table_of_series(tmp_path: Path, name: str) -> None:
    """Typed by VR, mapped by name, searched like any index; leading zeros stay."""
    index = open_index(_table(tmp_path / name, dict(SERIES)), {"modality": "Modality"})
    rows = index.series().collect()

    assert isinstance(index, TableIndex)
    assert [date(2024, 1, 1), date(2024, 1, 1), None] == rows["StudyDate"].to_list()
    assert ["1", "1", "002"] == rows["PatientID"].to_list()
    assert ["low", None, None] == rows["risk"].to_list()
    assert rows["series_key"].n_unique() == 3
    assert "cohort_name" in rows.columns
    assert index.search(Modality="CT").counts.series == 2


def test_a_table_without_files_can_be_searched_only(tmp_path: Path) -> None:
    """It has no column path, and says so."""
    index = open_index(_table(tmp_path / "t.csv", dict(SERIES)))

    assert "path" not in index.instances(index.series().collect()["series_key"]).columns
    assert "no file paths" in repr(index)
    assert "002" not in repr(index)


def test_a_table_of_instances(archive: Path, tmp_path: Path) -> None:
    """What a scan found, written as a plain table, is the same index again."""
    scanned = scan(archive, progress=False)
    rows = scanned.instances(scanned.series().collect()["series_key"])
    rows = rows.drop("series_key", "size", "mtime_ns", "kind", "department", "risk")
    rows.write_parquet(tmp_path / "instances.parquet")
    index = open_index(tmp_path / "instances.parquet")
    same = ["PatientID", "SeriesInstanceUID", "Modality", "NumberOfSeriesRelatedInstances"]
    order = ["SeriesInstanceUID"]

    assert (
        scanned.series()
        .select(same)
        .sort(order)
        .collect()
        .equals(index.series().select(same).sort(order).collect())
    )
    found = index.instances(index.series().collect()["series_key"])
    assert set(found["path"]) == set(rows["path"])
    assert found["size"].to_list() == [Path(path).stat().st_size for path in found["path"]]
    assert found["mtime_ns"].null_count() == 0


def test_paths_are_relative_to_the_table(archive: Path) -> None:
    """A table that lies beside its files says where they are."""
    columns = {name: values[:1] for name, values in SERIES.items()}
    columns |= {"SOPInstanceUID": ["1.9"], "file": ["a/1-1-000"]}
    path = _table(archive / "list.csv", columns)
    index = open_index(path, {"file": "path"})
    found = index.instances(index.series().collect()["series_key"])

    assert [str(archive / "a" / "1-1-000")] == found["path"].to_list()
    assert found["size"][0] > 0


def test_what_cannot_be_typed_is_null_and_counted(tmp_path: Path) -> None:
    """By keyword, without the values."""
    columns = {**SERIES, "SeriesNumber": ["1", "two", None], "PixelSpacing": ["1\\2", "a\\2", ""]}
    index = open_index(_table(tmp_path / "t.csv", columns))
    assert isinstance(index, TableIndex)
    rows = index.series().collect()

    assert [1, None, None] == rows["SeriesNumber"].to_list()
    assert [[1.0, 2.0], None, None] == rows["PixelSpacing"].to_list()
    assert [("PixelSpacing", 1), ("SeriesNumber", 1)] == list(index.issues().iter_rows())


@pytest.mark.parametrize(
    ("mapping", "error", "says"),
    [
        ({"modalty": "Modality"}, UnknownKeyword, "modality"),
        ({"modality": "Modalitty"}, UnknownKeyword, "Modality"),
        ({"modality": "PatientID"}, QueryError, "two columns would be PatientID"),
    ],
)
def test_a_wrong_mapping(
    tmp_path: Path, mapping: dict[str, str], error: type[Exception], says: str
) -> None:
    """Names its neighbours before anything is read."""
    with pytest.raises(error, match=says):
        open_index(_table(tmp_path / "t.csv", dict(SERIES)), mapping)


def test_tables_that_are_no_index(tmp_path: Path) -> None:
    """No series UID, a series twice, another kind of file, a lie about its kind."""
    without = {name: values for name, values in SERIES.items() if name != "SeriesInstanceUID"}
    with pytest.raises(StoreError, match="SeriesInstanceUID"):
        open_index(_table(tmp_path / "a.csv", without))
    twice = {**SERIES, "SeriesInstanceUID": ["1.1.1", "1.1.1", "1.2.1"]}
    with pytest.raises(StoreError, match="several rows"):
        open_index(_table(tmp_path / "b.csv", twice))
    (tmp_path / "c.xlsx").write_bytes(b"PK")
    with pytest.raises(StoreError, match="Parquet or CSV"):
        open_index(tmp_path / "c.xlsx")
    (tmp_path / "d.parquet").write_bytes(b"not at all")
    with pytest.raises(StoreError, match="cannot be read"):
        open_index(tmp_path / "d.parquet")


def test_one_series_uid_under_two_patients_is_two_series(tmp_path: Path) -> None:
    """The key then holds the person, as that of a scan does."""
    shared = {**SERIES, "SeriesInstanceUID": ["1.1", "1.2", "1.1"]}
    rows = open_index(_table(tmp_path / "t.csv", shared)).series().collect()

    assert rows["series_key"].n_unique() == 3


def _cast(keyword: str, text: str) -> tuple[object, bool]:
    cast = cast_of(keyword, pl.String())
    frame = pl.DataFrame({keyword: [text]})
    return frame.select(cast.expression).item(), frame.select(cast.lost).item()


@pytest.mark.parametrize(
    ("keyword", "text", "value"),
    [
        ("StudyTime", "101530.5", time(10, 15, 30, 500_000)),
        ("StudyTime", "10:15", time(10, 15)),
        ("StudyDate", "1993.08.22", date(1993, 8, 22)),
        ("SeriesNumber", "2.0", 2),
        ("KVP", " 120 ", 120.0),
        ("KVP", "", None),
    ],
)
def test_text_is_typed(keyword: str, text: str, value: object) -> None:
    """As a scan types the same values."""
    assert (value, False) == _cast(keyword, text)


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("StudyDate", "2024123"),
        ("StudyDate", "20240230"),
        ("StudyTime", "2510"),
        ("KVP", "nan"),
        ("KVP", "inf"),
        ("SeriesNumber", "1.5"),
    ],
)
def test_text_of_another_type_is_lost_and_said(keyword: str, text: str) -> None:
    """No guess."""
    assert (None, True) == _cast(keyword, text)


@given(st.dates(min_value=date(1000, 1, 1)))
def test_every_date_in_both_forms(day: date) -> None:
    """DICOM's and ISO's."""
    assert _cast("StudyDate", f"{day:%Y%m%d}") == _cast("StudyDate", day.isoformat())
    assert (day, False) == _cast("StudyDate", day.isoformat())


@pytest.mark.parametrize("column", ["SeriesInstanceUID", "StudyInstanceUID"])
def test_a_table_without_series_or_studies_says_what_to_map(tmp_path: Path, column: str) -> None:
    """When it is opened, and not at the first question."""
    columns = {"StudyInstanceUID": ["1.2"], "SeriesInstanceUID": ["1.3"], "Modality": ["CT"]}
    pl.DataFrame({k: v for k, v in columns.items() if k != column}).write_csv(tmp_path / "t.csv")

    with pytest.raises(StoreError, match=rf"no column {column}.*mapping="):
        open_index(tmp_path / "t.csv")


@pytest.mark.parametrize("blank", [None, "", " \0"])
def test_rows_of_no_series_are_refused_and_counted(tmp_path: Path, blank: str | None) -> None:
    """Nobody could say what they are."""
    series = ["1.3", blank, blank]
    pl.DataFrame({"StudyInstanceUID": ["1.2"] * 3, "SeriesInstanceUID": series}).write_parquet(
        tmp_path / "t.parquet"
    )

    with pytest.raises(StoreError, match="2 rows of the table have no SeriesInstanceUID"):
        open_index(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("folders", "archives"),
    [
        (["/srv/archive/a", "/srv/archive/b/c"], ("/srv/archive",)),
        (["/srv/archive/a/"], ("/srv/archive/a",)),
        (["/mnt/one/a", "/mnt/two/b"], ("/mnt/one", "/mnt/two")),
        (["/one/a", "/two/b/c"], ("/one", "/two")),
        (["images/a", "images/../images/b"], ("/home/me/images",)),
        (["images/a", "/srv/x/y"], ("/home", "/srv")),
        ([], ()),
    ],
)
def test_the_archive_of_a_table_is_where_its_files_are(
    folders: list[str], archives: tuple[str, ...]
) -> None:
    """Not where the table is; of a whole disk it is what the files are in."""
    assert archives == archives_of(Path("/home/me"), folders)
