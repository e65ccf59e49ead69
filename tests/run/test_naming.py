"""A table as index knows no names: its series tell whom the user's words name."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pydicom
import pytest

import cohortkit as ck
from cohortkit.errors import UsageError
from cohortkit.run.naming import naming
from factory import Patient, Series, write_series

TOLD = ("SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality")


def objects(folder: Path) -> list[Path]:
    """The files of the archive."""
    return sorted(path for path in (folder / "archive").rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of paths, ids and UIDs, and nobody's name."""
    folder = tmp_path_factory.mktemp("naming")
    write_series(folder / "archive", Patient(), Series(slices=2))
    rows = []
    for path in objects(folder):
        header = pydicom.dcmread(path)
        there = path.stat()
        row = {"path": str(path), "size": there.st_size, "mtime_ns": there.st_mtime_ns}
        rows.append(row | {"PatientID": header.PatientID} | {k: str(header[k].value) for k in TOLD})
    pl.DataFrame(rows).write_parquet(folder / "table.parquet")
    return folder / "table.parquet"


def planned(table: Path, reason: str) -> ck.Plan:
    """The series of the table, with a reason for whatever."""
    cohort = ck.open_index(table).search()
    return ck.plan(
        cohort.filter(pl.col("Modality") == "CT", reason=reason),
        ck.load_recipe("basic"),
        to="tables",
    )


def files(out: Path) -> dict[str, bytes]:
    """All of a release."""
    found = (path for path in (out / "release").rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in found}


def test_words_that_name_a_patient_of_the_headers_are_not_published(
    table: Path, tmp_path: Path
) -> None:
    """Nothing that holds them is written; with other words the same output is a fresh one's."""
    reason = "as Marjolein Quisling wishes"
    key = ck.Key.new(tmp_path / "a.key", "lungs")
    with pytest.raises(UsageError, match="step 2: names somebody") as caught:
        ck.export(planned(table, reason), tmp_path / "out", key, workers=1, progress=False)
    assert reason not in str(caught.value)
    assert [] == [name for name, data in files(tmp_path / "out").items() if b"Quisling" in data]
    assert not (tmp_path / "out/release/report.html").exists()
    assert not (tmp_path / "out/release/export.json").exists()

    for out in ("out", "fresh"):
        plan = planned(table, "too few slices")
        ck.export(plan, tmp_path / out, key, workers=1, progress=False)

    assert files(tmp_path / "fresh") == files(tmp_path / "out")
    assert "release/report.html" in files(tmp_path / "out")


def test_an_index_of_headers_is_asked_when_the_export_is_planned(table: Path) -> None:
    """There no task has to."""
    index = ck.scan(table.parent / "archive", progress=False, workers=1)

    assert ck.plan(index.search(), ck.load_recipe("basic"), to="tables").words is None
    assert planned(table, "too few").words is not None


def test_ordinary_words_name_nobody(table: Path) -> None:
    """The reasons that pass in an index of names pass here."""
    reasons = (
        (Path(__file__).parent.parent / "cohort/ordinary_reasons.txt").read_text().splitlines()
    )
    headers = [pydicom.dcmread(path) for path in objects(table.parent)]
    words = tuple((f"line {number}", text) for number, text in enumerate(reasons))

    assert [] == naming(words, headers)
    for text in ("born 29 Feb 1948", "not Quislings scan", "see ACC-7719023", "quisling-study"):
        assert ["here"] == naming((("here", text),), headers)
