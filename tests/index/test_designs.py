"""The steps for study designs answer alike, whatever holds the index."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import cohortkit as ck
from factory import MR, Patient, Series, write_series

DAYS = ("20190301", "20200315", "20210401")
VISITS = pl.DataFrame(
    {"PatientID": ["MRN-0052017", "MRN-0052117"], "op": [dt.date(2020, 4, 1)] * 2}
)
STEPS: dict[str, Callable[[ck.Cohort], ck.Cohort]] = {
    "text": lambda c: c.text("thorax", "nothing of this"),
    "nth": lambda c: c.first_per("patient", by="StudyDate", nth=2),
    "best": lambda c: c.best_per("study", prefer=[{"Modality": "MR"}, "-Rows"]),
    "nearest": lambda c: c.nearest(VISITS, on="PatientID", date="op", days=(-60, 60)),
    "pairs": lambda c: c.pairs(days=(300, 400), same="Modality"),
    "match": lambda c: c.match(
        pl.col("PatientID") == "MRN-0052017", same="Modality", within={"Rows": 2}, controls=2
    ),
    "split": lambda c: c.split(train=0.5, test=0.5),
}


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Three patients with three studies of CT and MR: scanned, in memory, as tables, in SQL."""
    folder = tmp_path_factory.mktemp("everywhere")
    for number in range(3):
        for year, day in enumerate(DAYS):
            patient = replace(Patient(), patient_id=f"MRN-0052{number}17", study_date=day)
            place = folder / "archive" / f"{number}-{year}"
            ct = Series(slices=1, seed=number, study=10 * number + year)
            write_series(place, patient, ct)
            write_series(
                place, patient, replace(ct, sop_class=MR, modality="MR", number=2, rows=14)
            )
    store = ck.scan(folder / "archive", folder / "index", progress=False, workers=1)
    plain = store.series().collect().select(pl.exclude(pl.List))
    plain.write_parquet(folder / "t.parquet")
    return {
        "store": store,
        "memory": ck.scan(folder / "archive", progress=False, workers=1),
        "table": ck.open_index(folder / "t.parquet"),
        "sqlite": store.copy_to(f"sqlite:///{folder / 'it.db'}"),
        "duckdb": store.copy_to(f"duckdb:///{folder / 'it.duckdb'}"),
    }


@pytest.mark.parametrize("name", sorted(STEPS))
def test_every_index_gives_the_same(indexes: dict[str, object], tmp_path: Path, name: str) -> None:
    """The same series, labels and counts, and again out of a cohort file."""
    told = {}
    for kind, index in indexes.items():
        cohort = STEPS[name](index.search(Modality=["CT", "MR"]))
        if kind != "memory":
            cohort = ck.load_cohort(cohort.save(tmp_path / f"{kind}.cohort"))
        rows = cohort.identified().select("SeriesInstanceUID", *cohort.labels)
        told[kind] = (cohort.steps[-1], rows.sort("SeriesInstanceUID").rows())

    assert 0 < len(told["store"][1])
    assert {kind for kind in told if told[kind] == told["store"]} == set(indexes)
