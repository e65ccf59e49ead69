"""Normalised values, and the rule that made each."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from cohortkit.dicom.values import field
from cohortkit.index.columns import SERIES_KEYWORDS, dtype_of
from cohortkit.index.normal import ORIENTATION, data, normalised

WORDS = (*SERIES_KEYWORDS, ORIENTATION)


def _of(**raw: object) -> dict[str, object]:
    row = {word: [raw.get(word)] for word in WORDS}
    rows = pl.DataFrame(row, {word: dtype_of(field(word)) for word in WORDS})
    return rows.select(normalised()).row(0, named=True)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"BodyPartExamined": "c-spine"}, {"body_part": "spine", "body_part_rule": "coded"}),
        (
            {"SeriesDescription": "CT LUNG 1.0 B80f", "StudyDescription": "Thorax nativ"},
            {"body_part": "chest", "body_part_rule": "described", "contrast": False},
        ),
        (  # two regions are none, and a code that no table has is not guessed around
            {"SeriesDescription": "head and neck"},
            {"body_part": None, "body_part_rule": None},
        ),
        (
            {"BodyPartExamined": "OUTSIDE FIL", "SeriesDescription": "chest"},
            {"body_part": None, "body_part_rule": None},
        ),
        ({"PatientSex": "female"}, {"sex": "F"}),
        ({"PatientSex": "?"}, {"sex": None}),
        ({"Laterality": "Left"}, {"laterality": "L"}),
        ({"PatientAge": "018M"}, {"age_years": 1.5, "age_rule": "stated"}),
        (
            {"PatientBirthDate": dt.date(1980, 1, 1), "StudyDate": dt.date(1979, 1, 1)},
            {"age_years": None, "age_rule": None},
        ),
        (
            {"StudyDate": dt.date(1, 1, 1), "SeriesDate": dt.date(2020, 5, 4)},
            {"study_date": dt.date(2020, 5, 4), "study_date_rule": "series"},
        ),
        ({"Modality": "DX"}, {"modality_group": "radiography"}),
        ({"Modality": "QUISLING"}, {"modality_group": None}),
        (
            {"ContrastBolusAgent": "NONE", "SeriesDescription": "with contrast"},
            {"contrast": False, "contrast_rule": "stated"},
        ),
        (
            {"SeriesDescription": "AX T1 post gad"},
            {"contrast": True, "contrast_rule": "described"},
        ),
        ({ORIENTATION: [1.0, 0, 0, 0, 1, 0]}, {"plane": "axial"}),
        ({ORIENTATION: [1.0, 0, 0, 0, 0, -1]}, {"plane": "coronal"}),
        ({ORIENTATION: [0.0, 1, 0, 0, 0, -1]}, {"plane": "sagittal"}),
        ({ORIENTATION: [1.0, 0, 0, 0, 0.7071, 0.7071]}, {"plane": "oblique"}),
        ({ORIENTATION: [1.0, 0, 0]}, {"plane": None}),
        (
            {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
            {"is_localizer": True, "is_localizer_rule": "image type", "is_derived": False},
        ),
        (
            {"ImageType": ["DERIVED"], "SeriesDescription": "Scout"},
            {"is_localizer": True, "is_localizer_rule": "described", "is_derived": True},
        ),
        ({"SeriesDescription": "scouting party"}, {"is_localizer": None}),
        ({}, {"is_localizer": None, "contrast": None, "body_part": None, "age_years": None}),
    ],
)
def test_what_a_rule_makes_of_a_value(raw: dict[str, object], expected: dict[str, object]) -> None:
    """And what no rule knows is null."""
    found = _of(**raw)

    assert expected == {name: found[name] for name in expected}


def test_an_age_is_reckoned_where_none_is_stated() -> None:
    """From birth to study."""
    found = _of(PatientBirthDate=dt.date(1980, 1, 1), StudyDate=dt.date(2020, 1, 1))

    assert found["age_years"] == pytest.approx(40.0, abs=0.01)
    assert "reckoned" == found["age_rule"]


def test_the_tables_say_each_thing_once() -> None:
    """A raw value has one meaning; raw values are folded, as they are looked up."""
    values = data("values")

    assert not values.select("column", "raw").is_duplicated().any()
    assert values["raw"].str.contains(r"^[A-Z0-9]+$").all()
