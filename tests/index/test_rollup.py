"""From instances to series."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.index.columns import FIELDS, INSTANCES, LISTS, SERIES_KEYWORDS
from cohortkit.index.rollup import roll_up, series_schema, with_study_counts

WANTED = """
    series_key PatientID IssuerOfPatientID PatientBirthDate PatientSex PatientAge StudyInstanceUID
    StudyDate StudyTime AccessionNumber StudyID StudyDescription SeriesInstanceUID SeriesNumber
    SeriesDescription SeriesDate ProtocolName Modality BodyPartExamined Laterality Manufacturer
    ManufacturerModelName StationName InstitutionName SOPClassUID TransferSyntaxUID ImageType
    BurnedInAnnotation RecognizableVisualFeatures ConversionType PhotometricInterpretation
    SamplesPerPixel Rows Columns NumberOfFrames SliceThickness PixelSpacing SpacingBetweenSlices
    ConvolutionKernel KVP MagneticFieldStrength EchoTime RepetitionTime ScanningSequence
    SequenceVariant ContrastBolusAgent BitsAllocated BitsStored NumberOfSeriesRelatedInstances
    NumberOfStudyRelatedSeries size kind department risk image_types burned_in photometrics
    sop_classes transfer_syntaxes
"""


def _rows(*rows: dict[str, object]) -> pl.DataFrame:
    made = [
        {"series_key": "k", "path": f"p{n}", "SOPInstanceUID": f"1.{n}", "size": 10, **row}
        for n, row in enumerate(rows)
    ]
    return roll_up(pl.DataFrame(made, INSTANCES, orient="row").lazy())


def test_the_columns_that_others_read_are_there() -> None:
    """What search, gates and plan ask for, by name."""
    assert set(WANTED.split()) <= set(series_schema())
    assert len(FIELDS) == len({wanted.keyword for wanted in FIELDS})
    assert set(LISTS.values()) <= {*SERIES_KEYWORDS, "TransferSyntaxUID"}


def test_sums_and_lists() -> None:
    """Counts and bytes add up; every distinct value is kept, absent ones too."""
    row = _rows(
        {"Rows": 4, "NumberOfFrames": 3, "ImageType": ["A", "B"], "Modality": "US"},
        {"Rows": 4, "ImageType": ["A"], "Modality": "US"},
        {"SOPClassUID": "1.2", "Modality": "US"},
    ).row(0, named=True)

    assert (4, 3, 30) == (row["NumberOfFrames"], row["NumberOfSeriesRelatedInstances"], row["size"])
    assert [None, "A", "A\\B"] == row["image_types"]
    assert [None, "1.2"] == row["sop_classes"]
    assert ["A", "B"] == row["ImageType"]


def test_the_greatest_age_the_earliest_birth_and_the_latest_day_stand_for_the_series() -> None:
    """Who is over 89 in one file is so in the series; a file without Study Date has other dates."""
    row = _rows(
        {"PatientAge": "030Y", "StudyDate": date(2020, 1, 1)},
        {"PatientAge": None, "PatientBirthDate": date(1950, 1, 1), "ContentDate": date(2020, 2, 1)},
        {"PatientAge": "091Y", "PatientBirthDate": date(1929, 1, 1)},
        {"PatientAge": "400D", "AcquisitionDateTime": "20210301101500.000+0100"},
    ).row(0, named=True)

    assert ("091Y", date(1929, 1, 1)) == (row["PatientAge"], row["PatientBirthDate"])
    assert date(2021, 3, 1) == row["latest_date"]


def test_the_first_value_is_of_the_first_instance_or_of_the_others() -> None:
    """By SOP Instance UID; where that has none, another's."""
    row = _rows({"KVP": None, "Rows": 5}, {"KVP": 80.0, "Rows": 6}).row(0, named=True)

    assert (80.0, 5) == (row["KVP"], row["Rows"])


@pytest.mark.parametrize(
    ("values", "worst"),
    [
        (["NO", "NO"], "NO"),
        (["NO", None], None),
        (["NO", None, "YES"], "YES"),
        (["NO", "MAYBE"], "MAYBE"),
        ([None], None),
    ],
)
def test_what_is_burned_in_is_the_riskiest(values: list[str | None], worst: str | None) -> None:
    """One picture with a name in it makes the series one."""
    row = _rows(
        *({"BurnedInAnnotation": value, "RecognizableVisualFeatures": value} for value in values)
    ).row(0, named=True)

    assert worst == row["BurnedInAnnotation"] == row["RecognizableVisualFeatures"]


def test_colour_and_risk_are_the_riskiest() -> None:
    """Colour among grey shows, and an unknown class among known ones has no risk told."""
    row = _rows(
        {"PhotometricInterpretation": "MONOCHROME2", "risk": "low"},
        {"PhotometricInterpretation": "RGB", "risk": "high"},
    ).row(0, named=True)
    unknown = _rows({"risk": "low"}, {"risk": None}).row(0, named=True)

    assert ("RGB", "high") == (row["PhotometricInterpretation"], row["risk"])
    assert unknown["risk"] is None


KEYS = st.sampled_from(["a", "b", "c"])


@given(rows=st.lists(st.tuples(KEYS, st.integers(0, 3), st.sampled_from([None, "NO", "YES"]))))
def test_no_instance_is_lost_and_order_does_not_matter(
    rows: list[tuple[str, int, str | None]],
) -> None:
    """Counts add up to the instances, and any order of the rows gives the same series."""
    made = [
        {
            "series_key": key,
            "SOPInstanceUID": f"1.{uid}",
            "path": str(n),
            "size": n,
            "BurnedInAnnotation": burned,
        }
        for n, (key, uid, burned) in enumerate(rows)
    ]
    frame = pl.DataFrame(made, INSTANCES, orient="row")
    series = with_study_counts(roll_up(frame.lazy()))

    assert len(rows) == series["NumberOfSeriesRelatedInstances"].sum()
    assert sum(range(len(rows))) == series["size"].sum()
    assert series.equals(with_study_counts(roll_up(frame.reverse().lazy())))
