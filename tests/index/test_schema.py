"""The tables of an index, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cohortkit.errors import UnknownKeyword
from cohortkit.index import StoreIndex, demo_index, scan


@pytest.fixture(scope="module")
def demo() -> StoreIndex:
    """Real objects of many kinds."""
    return demo_index()


def test_every_table_is_there_and_has_the_columns_that_are_told(demo: StoreIndex) -> None:
    """With their types, and each with a meaning."""
    told = StoreIndex.schema()

    assert told.filter(pl.col("meaning") == "").is_empty()
    for (name,), rows in told.group_by("table", maintain_order=True):
        columns = demo.table(str(name)).collect().schema

        assert rows["column"].to_list() == columns.names()
        assert rows["type"].to_list() == [str(kind) for kind in columns.values()]


def test_tables_add_up(demo: StoreIndex) -> None:
    """Patients by (issuer, Patient ID), their studies and series; side tables by kind."""
    series = demo.table("series").collect()
    patients, studies = demo.table("patients").collect(), demo.table("studies").collect()

    assert series.height == patients["series"].sum() == studies["series"].sum()
    assert patients["studies"].sum() == studies.height
    assert patients.height == series.select("IssuerOfPatientID", "PatientID").n_unique()
    for name, modality in (("ct", "CT"), ("mr", "MR"), ("us", "US"), ("ecg", "ECG")):
        side = demo.table(name).filter(pl.col("Modality") == modality).collect()

        assert side.height == series.filter(pl.col("Modality") == modality).height > 0


def test_an_unknown_table_is_refused(demo: StoreIndex) -> None:
    """With the names that are near."""
    with pytest.raises(UnknownKeyword, match="patients"):
        demo.table("patient")


def test_what_is_gone_is_history(archive: Path, tmp_path: Path) -> None:
    """Deleted, changed and moved rows, with the scans between which they were valid."""
    scan(archive, tmp_path / "store", progress=False)
    first, *others = sorted(archive.rglob("1-1-00*"))
    first.unlink()
    others[0].touch()
    others[1].rename(archive / "elsewhere")
    index = scan(archive, tmp_path / "store", progress=False)
    rows = index.table("history").collect()
    deleted = dict(rows.select("path", "deleted").iter_rows())

    assert {
        first.relative_to(archive).as_posix(): True,
        others[0].relative_to(archive).as_posix(): False,
        others[1].relative_to(archive).as_posix(): False,
    } == deleted
    assert (rows["valid_from"] < rows["valid_to"]).all()
    assert {1} == set(rows["load_run"])
    assert {str(archive)} == set(rows["source"])
