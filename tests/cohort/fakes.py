"""An index in memory, and rows to put in it. Nothing here is of a real person."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import polars as pl

SCHEMA = pl.Schema(
    {
        "series_key": pl.String,
        "IssuerOfPatientID": pl.String,
        "PatientID": pl.String,
        "PatientBirthDate": pl.Date,
        "PatientSex": pl.String,
        "StudyInstanceUID": pl.String,
        "StudyDate": pl.Date,
        "StudyTime": pl.Time,
        "AccessionNumber": pl.String,
        "StudyDescription": pl.String,
        "SeriesInstanceUID": pl.String,
        "SeriesNumber": pl.Int64,
        "SeriesDescription": pl.String,
        "Modality": pl.String,
        "BodyPartExamined": pl.String,
        "Manufacturer": pl.String,
        "SOPClassUID": pl.String,
        "ImageType": pl.List(pl.String),
        "PixelSpacing": pl.List(pl.Float64),
        "SliceThickness": pl.Float64,
        "Rows": pl.Int64,
        "NumberOfSeriesRelatedInstances": pl.Int64,
        "kind": pl.String,
        "size": pl.Int64,
    }
)


def row(number: int, patient: str | None = "p1", study: str = "1.1", **columns: object) -> dict:
    """One series; what is not said is absent or plain."""
    plain: dict[str, object] = dict.fromkeys(SCHEMA.names())
    plain |= {
        "series_key": f"key{number:04d}",
        "PatientID": patient,
        "StudyInstanceUID": study,
        "SeriesInstanceUID": f"2.{number}",
        "NumberOfSeriesRelatedInstances": 10,
    }
    unknown = set(columns) - set(plain)
    assert not unknown, f"no column of the fake index: {unknown}"
    return plain | columns


@dataclass(frozen=True)
class FakeIndex:
    """Implements ``protocols.Index`` over rows in memory."""

    rows: pl.DataFrame
    version: str = "v1"
    location: str = ""
    files: pl.DataFrame = field(default_factory=pl.DataFrame)

    @classmethod
    def of(cls, *rows: dict, **more: str) -> FakeIndex:
        return cls(pl.DataFrame(list(rows), schema=SCHEMA, orient="row"), **more)

    def series(self) -> pl.LazyFrame:
        return self.rows.lazy()

    def instances(self, series_keys: pl.Series) -> pl.DataFrame:
        return self.files.filter(pl.col("series_key").is_in(series_keys.implode()))


def hospital(**more: str) -> FakeIndex:
    """Two sites, six patients, the troubles of real archives."""
    day = dt.date
    chest = {"Modality": "CT", "BodyPartExamined": "CHEST", "Rows": 512}
    return FakeIndex.of(
        row(1, "0001", "1.1", StudyDate=day(2022, 3, 1), AccessionNumber="A1", **chest),
        row(2, "0001", "1.1", StudyDate=day(2022, 3, 1), AccessionNumber="A1", Modality="SR"),
        row(3, "0001", "1.2", StudyDate=day(2023, 5, 1), AccessionNumber="A2", **chest),
        row(4, "0002", "1.3", StudyDate=day(2021, 1, 1), AccessionNumber="A3", **chest),
        row(5, "0002", "1.4", StudyDate=None, AccessionNumber=None, **chest),
        row(6, "0003", "1.5", StudyDate=day(2024, 1, 9), AccessionNumber="A*", Modality="MR"),
        row(7, "0001", "1.6", StudyDate=day(2022, 8, 8), IssuerOfPatientID="B", **chest),
        row(8, None, "1.7", StudyDate=day(2022, 9, 9), AccessionNumber="A1", **chest),
        row(9, "0005", "1.8", StudyDate=day(2022, 2, 2), Modality="CT", BodyPartExamined=""),
        row(10, "0006", "1.9", ImageType=["ORIGINAL", "PRIMARY", "AXIAL"], **chest),
        **more,
    )
