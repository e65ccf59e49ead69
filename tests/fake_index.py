"""An index in memory, rows to put in it, and made-up archives. Nothing here is of a real person."""

from __future__ import annotations

import datetime as dt
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


# few different values, so that patients, studies and terms meet
_TEXT = {
    "PatientID": ["1", "01", "2", "3", " 2 "],
    "IssuerOfPatientID": ["", "B"],
    "AccessionNumber": ["A1", "A2", "", "A*"],
    "Modality": ["CT", "MR", "SR", ""],
    "BodyPartExamined": ["CHEST", "HEAD", "HEAD NECK", "chest"],
}
_MANY = ["ORIGINAL", "DERIVED", "PRIMARY", ""]
DAYS = [dt.date(2021, 12, 31), dt.date(2022, 1, 1), dt.date(2022, 6, 1), dt.date(2024, 2, 29)]
UNKNOWN_RATE = 5


def maybe(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(st.none(), values, values, values)


@st.composite
def rows(draw: st.DrawFn, number: int) -> Row:
    """One made-up series."""
    said = {name: draw(maybe(st.sampled_from(values))) for name, values in _TEXT.items()}
    return row(
        number,
        said.pop("PatientID"),
        draw(st.sampled_from(["1.1", "1.2", "1.3", "1.4"])),
        StudyDate=draw(maybe(st.sampled_from(DAYS))),
        Rows=draw(maybe(st.integers(1, 4))),
        SliceThickness=draw(maybe(st.sampled_from([0.5, 1.0, 2.5, float("nan")]))),
        ImageType=draw(maybe(st.lists(maybe(st.sampled_from(_MANY)), max_size=3))),
        PixelSpacing=draw(maybe(st.lists(st.sampled_from([0.5, 1.0]), max_size=2))),
        NumberOfSeriesRelatedInstances=draw(st.integers(0, 5)),
        **said,
    )


@st.composite
def archives(draw: st.DrawFn, most: int = 14) -> FakeIndex:
    """A made-up index of up to ``most`` series."""
    many = draw(st.integers(0, most))
    return FakeIndex.of(*(draw(rows(number)) for number in range(many)))
