"""The archive is only read, must be there, and what came of it can be looked at again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import cohortkit as ck
from cohortkit.errors import KeyFileError, OutputError, StoreError, UsageError
from factory import Patient, Series, write_series


def _index(folder: Path) -> object:
    for number in (1, 2):
        write_series(folder / "archive" / str(number), Patient(), Series(slices=1, number=number))
    return ck.scan(folder / "archive", folder / "index", progress=False, workers=1)


def _plan(index: object, **asked: object) -> ck.Plan:
    cohort = index.search(**asked)  # type: ignore[attr-defined]
    return ck.plan(cohort, ck.load_recipe("basic"), to="tables")


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("place", ["all.cohort", "1/all.cohort", "new/../all.cohort"])
def test_no_cohort_file_goes_into_the_archive(tmp_path: Path, place: str) -> None:
    """At its top, beside its files, by a detour."""
    index = _index(tmp_path)
    before = _files(tmp_path / "archive")
    with pytest.raises(StoreError, match="inside the archive"):
        index.search().save(tmp_path / "archive" / place)  # type: ignore[attr-defined]

    assert before == _files(tmp_path / "archive")


def test_no_key_goes_into_the_archive(tmp_path: Path) -> None:
    """Not beside DICOM files; and one at its top is not used, before anything is written."""
    index = _index(tmp_path)
    with pytest.raises(KeyFileError, match="among DICOM files"):
        ck.Key.new(tmp_path / "archive" / "1" / "key", "project")
    key = ck.Key.new(tmp_path / "archive" / "key", "project")
    with pytest.raises(KeyFileError, match="inside the archive"):
        ck.export(_plan(index), tmp_path / "out", key, progress=False)

    assert not (tmp_path / "out").exists()


def test_beside_a_table_of_others_people_may_work(tmp_path: Path) -> None:
    """A table that names files elsewhere makes no archive of its folder; one among them does."""
    index = _index(tmp_path)
    keys = index.series().collect()["series_key"]  # type: ignore[attr-defined]
    rows = index.instances(keys).drop("series_key")  # type: ignore[attr-defined]
    for folder in (tmp_path / "work", tmp_path / "archive"):
        folder.mkdir(exist_ok=True)
        rows.write_parquet(folder / "table.parquet")
    table = ck.open_index(tmp_path / "work" / "table.parquet")
    cohort = table.search()
    assert cohort.save(tmp_path / "work" / "all.cohort").is_file()
    plan = ck.plan(cohort, ck.load_recipe("basic"), to="tables")
    key = ck.Key.new(tmp_path / "work" / "key", "project")
    assert 0 == ck.export(plan, tmp_path / "out", key, progress=False, workers=1).exit_code

    inside = ck.open_index(tmp_path / "archive" / "table.parquet").search()
    key = ck.Key.new(tmp_path / "archive" / "key", "project")
    with pytest.raises(KeyFileError, match="inside the archive"):
        ck.export(ck.plan(inside, ck.load_recipe("basic"), to="tables"), tmp_path / "other", key)


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_an_archive_that_is_not_there_is_told_once(tmp_path: Path, how: str) -> None:
    """And not by a failure for every series; when it is there again, the same command goes on."""
    index = _index(tmp_path)
    key = ck.Key.new(tmp_path / "key", "project")
    plan = _plan(index)
    (tmp_path / "archive").rename(tmp_path / "elsewhere")
    if how == "empty":
        (tmp_path / "archive").mkdir()
    with pytest.raises(UsageError, match="Is it mounted"):
        ck.export(plan, tmp_path / "out", key, progress=False, workers=1)
    assert [] == list((tmp_path / "out" / "vault" / "records").iterdir())

    shutil.rmtree(tmp_path / "archive", ignore_errors=True)
    (tmp_path / "elsewhere").rename(tmp_path / "archive")
    made = ck.export(plan, tmp_path / "out", key, progress=False, workers=1)
    assert 0 == made.exit_code


def test_a_file_that_vanished_is_a_row_all_the_same(tmp_path: Path) -> None:
    """The others are there, so the archive is."""
    index = _index(tmp_path)
    shutil.rmtree(tmp_path / "archive" / "2")
    key = ck.Key.new(tmp_path / "key", "project")
    made = ck.export(_plan(index), tmp_path / "out", key, progress=False, workers=1)

    assert 1 == made.failed().height


def test_an_export_is_opened_again(tmp_path: Path) -> None:
    """With its tables, counts and report; from its release alone too, sent away."""
    index = _index(tmp_path)
    key = ck.Key.new(tmp_path / "key", "project")
    made = ck.export(_plan(index), tmp_path / "out", key, progress=False, workers=1)
    shutil.copytree(made.release, tmp_path / "sent")
    for place in (tmp_path / "out", str(tmp_path / "out"), tmp_path / "sent"):
        again = ck.open_export(place)
        assert made.table("series").equals(again.table("series"))
        assert made.table("tasks").equals(again.table("tasks"))
        assert made.counts().equals(again.counts())
        assert made.exit_code == again.exit_code
        assert (again.release / "report.html").is_file()


def test_only_a_finished_export_is_opened(tmp_path: Path) -> None:
    """Another folder is none, and says what tells of an unfinished one."""
    (tmp_path / "out" / "vault").mkdir(parents=True)
    (tmp_path / "out" / "vault" / "export.json").write_text('{"format": 1}')
    for name in ("", "out", "out/vault", "nowhere"):
        place = tmp_path / name
        with pytest.raises(OutputError, match="no finished export; status tells"):
            ck.open_export(place)


def test_an_export_of_nothing_says_so(tmp_path: Path) -> None:
    """Plan, export and report; the command's exit code is 4 as before."""
    index = _index(tmp_path)
    plan = _plan(index, PatientID="nobody")
    made = ck.export(
        plan, tmp_path / "out", ck.Key.new(tmp_path / "key", "p"), progress=False, workers=1
    )

    assert "the cohort holds no series" in repr(plan)
    assert "the cohort held no series" in repr(made)
    assert "the cohort held no series" in made._repr_html_()
    report = (made.release / "report.html").read_text("utf-8")
    assert "The cohort held no series" in report
    assert "Everything was written" not in report
    assert 4 == made.exit_code
