"""A large index stays cheap: what is not asked for is not read, and nothing is copied in Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from cohortkit.cohort import Cohort

SERIES = 200_000


@dataclass(frozen=True)
class ParquetIndex:
    """An index whose rows lie in a file."""

    path: Path
    version: str = "v1"
    location: str = "there"

    def series(self) -> pl.LazyFrame:
        return pl.scan_parquet(self.path)

    def instances(self, series_keys: pl.Series) -> pl.DataFrame:
        raise NotImplementedError


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> ParquetIndex:
    number = pl.int_range(SERIES)
    person = number // 12
    frame = pl.select(
        series_key=pl.format("key{}", number),
        IssuerOfPatientID=pl.lit(None, pl.String),
        PatientID=pl.format("P{}", person),
        StudyInstanceUID=pl.format("1.2.{}", number // 4),
        SeriesInstanceUID=pl.format("1.3.{}", number),
        AccessionNumber=pl.format("A{}", number // 4),
        StudyDate=pl.date(2020, 1, 1) + pl.duration(days=(number * 7919) % 1800),
        Modality=pl.when(number % 4 == 0).then(pl.lit("CT")).otherwise(pl.lit("MR")),
        BodyPartExamined=pl.when(number % 3 > 0).then(pl.lit("CHEST")),
        NumberOfSeriesRelatedInstances=number % 300,
    )
    path = tmp_path_factory.mktemp("large") / "series.parquet"
    frame.write_parquet(path, row_group_size=50_000)
    return ParquetIndex(path)


def test_two_hundred_thousand_series_go_the_whole_way(large: ParquetIndex) -> None:
    """Every step on 200,000 series, with the counts that arithmetic gives."""
    whole = Cohort.start(large)
    chest = whole.search(Modality="CT", BodyPartExamined="CHEST")
    first = chest.first_per("patient", by="StudyDate")
    labels = pl.DataFrame({"AccessionNumber": [f"A{n}" for n in range(0, 50_000, 2)]})
    joined = first.join(labels.with_columns(split=pl.lit("a")), on="AccessionNumber")

    assert (16_667, 50_000, SERIES) == (
        whole.counts.patients,
        whole.counts.studies,
        whole.counts.series,
    )
    assert sum(n % 4 == 0 and n % 3 > 0 for n in range(SERIES)) == len(chest)
    assert first.counts.patients == first.counts.studies == chest.counts.patients
    assert len(first) == len(joined)
    assert 500 == joined.sample(500, seed=1).counts.patients


def test_a_whole_index_is_not_read_to_be_counted(large: ParquetIndex) -> None:
    """``search()`` keeps the plan, not the rows; columns nobody asked for stay on disk."""
    whole = Cohort.start(large)

    assert "SCAN" in whole.rows.explain()
    assert "PROJECT 3/" in whole.rows.select(["Modality", "series_key", "PatientID"]).explain()
