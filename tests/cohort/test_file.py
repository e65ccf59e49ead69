"""A cohort file brings back the same cohort or says plainly why it cannot."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import re
import stat
from pathlib import Path

import polars as pl
import pytest

from cohortkit.cohort import Cohort, load, save
from cohortkit.errors import StoreError
from fake_index import FakeIndex, troubled

HERE = "somewhere/index"
LABELS = pl.DataFrame(
    {
        "AccessionNumber": ["A1", "A2", "A3"],
        "grade": [1.5, None, 3.0],
        "day": [dt.date(2022, 1, 1), None, dt.date(2023, 1, 1)],
        "at": [dt.time(1, 2), dt.time(3, 4), None],
        "yes": [True, False, None],
        "text": ['é,"\n', "=cmd", None],
    }
)


def chosen(index: FakeIndex) -> Cohort:
    """A cohort that has taken every kind of step."""
    return (
        Cohort.start(index, Modality=["CT", "S*", None], StudyDate=("2021-01-01", None))
        .search(PatientName=None, SeriesDescription=None, Rows=[512, None], StudyTime=None)
        .search(
            PatientID=re.compile("^0", re.IGNORECASE),
            StudyDate=[dt.date(2022, 3, 1), None, "2023-05-01", "2021-01-01"],
        )
        .filter(pl.col("NumberOfSeriesRelatedInstances") > 3, reason="too few")
        .exclude(patients=["0002", "nobody"], reason="withdrew consent")
        .join(LABELS, on="AccessionNumber")
        .sample(5, seed=1)
        .first_per("patient", by="StudyDate")
    )


@pytest.fixture
def index() -> FakeIndex:
    return troubled(location=HERE)


def test_what_is_loaded_is_what_was_saved(tmp_path: Path, index: FakeIndex) -> None:
    """Series, steps, counts, labels with their types, misses."""
    cohort = chosen(index)
    path = cohort.save(tmp_path / "it.cohort")
    asked_for: list[str] = []
    back = load(path, lambda where: asked_for.append(where) or index)

    assert [HERE] == asked_for
    assert len(cohort) > 0
    assert cohort.steps == back.steps
    assert cohort.labels == back.labels
    assert cohort.identified().equals(back.identified())
    assert cohort.identified().schema == back.identified().schema
    assert cohort.misses.equals(back.misses)
    assert str(cohort) == str(back)


def test_a_loaded_cohort_goes_on(tmp_path: Path, index: FakeIndex) -> None:
    """Steps count on from where they were, and it can be saved again over itself."""
    path = Cohort.start(index, Modality="CT").save(tmp_path / "it.cohort")
    more = load(path, lambda _: index).only(patients=["0001"])
    more.save(path)

    assert (
        Cohort.start(index, Modality="CT").only(patients=["0001"]).steps
        == load(path, lambda _: index).steps
    )


def test_the_file_is_for_its_owner_alone(tmp_path: Path, index: FakeIndex) -> None:
    """Mode 0600 from the first byte, whatever the umask; nothing beside it is left."""
    old = os.umask(0)
    try:
        path = save(Cohort.start(index), tmp_path / "it.cohort")
    finally:
        os.umask(old)

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert ["it.cohort"] == [p.name for p in tmp_path.iterdir()]


def test_the_file_says_what_it_is(tmp_path: Path, index: FakeIndex) -> None:
    """Format, version, time, index and question, in plain JSON beside the keys."""
    path = Cohort.start(index, Modality="CT").save(tmp_path / "it.cohort")
    meta = json.loads(pl.read_parquet_metadata(path)["cohortkit"])

    assert (1, "cohort") == (meta["format"], meta["kind"])
    assert {"location": HERE, "version": "v1"} == meta["index"]
    assert [["Modality", {"exactly": "CT"}]] == meta["steps"][1]["query"]
    assert dt.datetime.fromisoformat(meta["saved"]).tzinfo is not None
    assert ["series_key"] == pl.read_parquet(path).columns


def altered(path: Path, **change: object) -> Path:
    """The file with something else in its metadata."""
    meta = json.loads(pl.read_parquet_metadata(path)["cohortkit"]) | change
    pl.read_parquet(path).write_parquet(path, metadata={"cohortkit": json.dumps(meta)})
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "newer"),
        ({"format": "x"}, "newer"),
        ({"kind": "recipe"}, "no cohort file"),
        ({"steps": []}, "do not fit"),
        ({"steps": [{"action": "x"}]}, "damaged"),
        ({"steps": 3}, "damaged"),
        ({"labels": ["x"]}, "do not fit"),
        ({"misses": [[1]]}, "damaged"),
        ({"index": {}}, "damaged"),
    ],
    ids=range(9),
)
def test_a_file_of_another_make_is_refused(
    tmp_path: Path, index: FakeIndex, change: dict[str, object], words: str
) -> None:
    """A newer format, another kind, parts that are missing or do not fit."""
    path = altered(Cohort.start(index).save(tmp_path / "it.cohort"), **change)

    with pytest.raises(StoreError, match=words):
        load(path, lambda _: index)


@pytest.mark.parametrize("data", [None, b"", b"PAR1", b"hello" * 99], ids=range(4))
def test_a_file_that_is_none_is_refused(
    tmp_path: Path, index: FakeIndex, data: bytes | None
) -> None:
    """Not there, empty, cut, text."""
    path = tmp_path / "it.cohort"
    if data is not None:
        path.write_bytes(data)

    with pytest.raises(StoreError):
        load(path, lambda _: index)


def test_a_parquet_of_somebody_else_is_refused(tmp_path: Path, index: FakeIndex) -> None:
    """A table is not a cohort."""
    pl.DataFrame({"series_key": ["a"]}).write_parquet(tmp_path / "it.cohort")

    with pytest.raises(StoreError, match="no cohort file"):
        load(tmp_path / "it.cohort", lambda _: index)


def test_an_index_that_has_changed_is_said(tmp_path: Path, index: FakeIndex) -> None:
    """The same question may have another answer there."""
    path = Cohort.start(index).save(tmp_path / "it.cohort")

    with pytest.raises(StoreError, match="has changed"):
        load(path, lambda _: dataclasses.replace(index, version="v2"))


def test_an_index_that_lost_a_series_is_said(tmp_path: Path, index: FakeIndex) -> None:
    """Even if it claims to be the same version."""
    path = Cohort.start(index).save(tmp_path / "it.cohort")

    with pytest.raises(StoreError, match="no longer holds"):
        load(path, lambda _: dataclasses.replace(index, rows=index.rows[1:]))
    doubled = pl.concat([index.rows[1:], index.rows[1:2]])
    with pytest.raises(StoreError, match="no longer holds"):
        load(path, lambda _: dataclasses.replace(index, rows=doubled))


def test_an_index_in_another_order_gives_the_cohort_in_its_own(
    tmp_path: Path, index: FakeIndex
) -> None:
    """The file's order stands."""
    path = Cohort.start(index).save(tmp_path / "it.cohort")
    turned = dataclasses.replace(index, rows=index.rows.reverse())

    assert index.rows.equals(load(path, lambda _: turned).identified())


def test_a_cohort_of_an_index_in_memory_cannot_be_saved(tmp_path: Path) -> None:
    """Nobody could open it again."""
    with pytest.raises(StoreError, match="in memory"):
        Cohort.start(troubled()).save(tmp_path / "it.cohort")


def test_no_other_file_is_written_over(tmp_path: Path, index: FakeIndex) -> None:
    """A slip of the hand does not cost the labels."""
    labels = tmp_path / "labels.csv"
    labels.write_text("PatientID\n", "utf-8")

    with pytest.raises(StoreError):
        Cohort.start(index).save(labels)
    assert "PatientID\n" == labels.read_text("utf-8")


def test_a_release_takes_no_cohort_file(tmp_path: Path, index: FakeIndex) -> None:
    """It is identified."""
    inside = tmp_path / "release" / "tables"
    inside.mkdir(parents=True)
    (tmp_path / "release" / "export.json").write_text("{}", "utf-8")

    with pytest.raises(StoreError, match="release"):
        Cohort.start(index).save(inside / "it.cohort")


@pytest.mark.parametrize("place", ["gone/it.cohort", "."])
def test_a_place_that_cannot_be_written_is_said(
    tmp_path: Path, index: FakeIndex, place: str
) -> None:
    """No folder, or a folder where a file was meant; nothing is left behind."""
    with pytest.raises(StoreError):
        Cohort.start(index).save(tmp_path / place)
    assert [] == [p.name for p in tmp_path.iterdir()]
