"""An index in memory, rows to put in it, and made-up archives. Nothing here is of a real person."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field

import polars as pl
from hypothesis import strategies as st

SCHEMA = pl.Schema(
    {
        "series_key": pl.String,
        "IssuerOfPatientID": pl.String,
        "PatientID": pl.String,
        "PatientName": pl.String,
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

Row = dict[str, object]


def row(number: int, patient: str | None = "p1", study: str = "1.1", **columns: object) -> Row:
    """One series; what is not said is absent."""
    unknown = set(columns) - set(SCHEMA)
    assert not unknown, f"no column of the fake index: {unknown}"
    plain: Row = dict.fromkeys(SCHEMA.names())
    plain |= {
        "series_key": f"key{number:04d}",
        "PatientID": patient,
        "StudyInstanceUID": study,
        "SeriesInstanceUID": f"2.{number}",
        "NumberOfSeriesRelatedInstances": 10,
    }
    return plain | columns


@dataclass(frozen=True)
class FakeIndex:
    """Implements ``protocols.Index`` over rows in memory."""

    rows: pl.DataFrame
    version: str = "v1"
    location: str = ""
    files: pl.DataFrame = field(default_factory=pl.DataFrame)

    @classmethod
    def of(cls, *rows: Row, **more: str) -> FakeIndex:
        return cls(pl.DataFrame(list(rows), schema=SCHEMA, orient="row"), **more)

    def series(self) -> pl.LazyFrame:
        return self.rows.lazy()

    def instances(self, series_keys: pl.Series) -> pl.DataFrame:
        return self.files.filter(pl.col("series_key").is_in(series_keys.implode()))


def troubled(**more: str) -> FakeIndex:
    """Two sites, six patients, and the troubles of real archives."""
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
        row(8, None, "1.7", StudyDate=day(2022, 9, 9), AccessionNumber="A9", **chest),
        row(9, "0005", "1.8", StudyDate=day(2022, 2, 2), Modality="CT", BodyPartExamined=""),
        row(10, "0006", "1.9", ImageType=["ORIGINAL", "PRIMARY", "AXIAL"], **chest),
        **more,
    )


DAYS = [dt.date(2021, 12, 31), dt.date(2022, 1, 1), dt.date(2022, 6, 1), dt.date(2024, 2, 29)]

# few different values, so that patients, studies and terms meet
CHOICES: dict[str, list[object]] = {
    "PatientID": ["1", None, "01", "2", "3", " 2 ", "1"],
    "IssuerOfPatientID": [None, "", "B"],
    "AccessionNumber": [None, "A1", "A2", "", "A*"],
    "StudyInstanceUID": ["1.1", "1.2", "1.3", "1.4"],
    "StudyDate": [None, *DAYS],
    "Modality": ["CT", None, "MR", "SR", ""],
    "BodyPartExamined": [None, "CHEST", "HEAD", "HEAD NECK", "chest"],
    "Rows": [None, 1, 2, 3, 4],
    "SliceThickness": [None, 0.5, 1.0, 2.5, float("nan")],
    "ImageType": [None, [], [None], ["ORIGINAL"], ["DERIVED", "PRIMARY"], ["", "ORIGINAL", None]],
    "PixelSpacing": [None, [], [0.5, 0.5], [1.0]],
    "NumberOfSeriesRelatedInstances": [0, 1, 5],
}
_KINDS = math.prod(len(values) for values in CHOICES.values())


def _made(number: int, kind: int) -> Row:
    """The series that a number stands for: its digits choose the values."""
    said: Row = {}
    for name, values in CHOICES.items():
        kind, digit = divmod(kind, len(values))
        said[name] = values[digit]
    return row(number) | said


def archives(most: int = 14) -> st.SearchStrategy[FakeIndex]:
    """Made-up indexes of up to ``most`` series."""
    kinds = st.lists(st.integers(0, _KINDS - 1), max_size=most)
    return kinds.map(lambda drawn: FakeIndex.of(*(_made(n, kind) for n, kind in enumerate(drawn))))
