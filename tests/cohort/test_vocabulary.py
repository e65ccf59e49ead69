"""Names and numbers that somebody typed into a coded column stand in no view."""

from __future__ import annotations

import polars as pl
import pytest

from cohortkit.cohort import Cohort
from cohortkit.cohort.identity import BOOKKEEPING, TECHNICAL
from cohortkit.cohort.vocabulary import OTHER, closed, known, known_pattern
from cohortkit.dicom.keywords import vr_of
from fake_index import FakeIndex, row

NUMBERS = {"DS", "FD", "FL", "IS", "SL", "SS", "UL", "US"}
TYPED = {
    "Modality": "QUISLING",
    "BodyPartExamined": "Quisling^Marjolein",
    "Manufacturer": "for Quisling",
    "SOPClassUID": "1.2.840.77113.93",
    "ImageType": ["ORIGINAL", "QUISLING"],
    "kind": "QUISLING",
    "SeriesNumber": 77113,
    "Rows": 77113,
    "SliceThickness": 77113.0,
    "PixelSpacing": [0.5, 77113.0],
}


def test_every_text_that_is_shown_has_its_terms() -> None:
    """A column of any text cannot be shown: nobody could say what stands in it."""
    texts = [name for name in TECHNICAL if vr_of(name) not in NUMBERS]
    made = {name for name in BOOKKEEPING if name != "size"}

    assert [] == [name for name in sorted({*texts, *made}) if not closed(name)]


def test_no_view_shows_what_somebody_typed_into_a_code() -> None:
    """Table, HTML, Arrow and flow: another text is ``other``, a long figure is left out."""
    index = FakeIndex.of(row(1, **TYPED), row(2, Modality="CT", Rows=512))
    cohort = (
        Cohort.start(index, Modality=["QUISLING", "CT"], SeriesNumber=[77113, None])
        .search(BodyPartExamined=["*Quisling*", None], Rows=(1, 77113))
        .filter(pl.col("BodyPartExamined").is_null() | (pl.col("BodyPartExamined") != "QUISL"))
        .filter(pl.col("Rows") < 77114)
    )
    views = [
        cohort.to_polars().write_json(),
        pl.DataFrame(cohort).write_json(),
        str(cohort.to_polars()),
        cohort._repr_html_(),
        str(cohort),
        cohort.flow().svg(),
        cohort.flow().to_polars().write_json(),
        repr(cohort.steps),
    ]

    assert 2 == len(cohort)
    told = "\n".join(views).upper()
    assert [] == [sign for sign in ("QUISL", "77113", "77114", "MARJOLEIN") if sign in told]


@pytest.mark.parametrize(
    ("figure", "told"),
    [(512, True), (0.75, True), (47113, False), (0.47113001, False), (-47113, False)],
)
def test_figures(figure: float, told: bool) -> None:  # noqa: FBT001 - a case
    """Short ones are told, before the point and behind it."""
    cohort = Cohort.start(FakeIndex.of(row(1)), SliceThickness=figure)

    assert told == (str(figure) in cohort.asked()[-1])


def test_a_table_that_may_be_shown_keeps_what_is_known() -> None:
    """Terms, short figures and absent values are as they are; the identified table holds all."""
    index = FakeIndex.of(row(1, **TYPED), row(2, Modality="CT", Rows=512, ImageType=["DERIVED"]))
    cohort = Cohort.start(index)
    table = cohort.to_polars()

    assert [OTHER, "CT"] == table["Modality"].to_list()
    assert [None, 512] == table["Rows"].to_list()
    assert [["ORIGINAL", OTHER], ["DERIVED"]] == table["ImageType"].to_list()
    assert [[0.5, None], None] == table["PixelSpacing"].to_list()
    assert ["QUISLING", "CT"] == cohort.to_polars(identified=True)["Modality"].to_list()


@pytest.mark.parametrize(
    ("column", "text", "is_term"),
    [
        ("BodyPartExamined", "chest", True),
        ("BodyPartExamined", "HEAD NECK", True),
        ("BodyPartExamined", "CHEST QUISLING", False),
        ("Manufacturer", "GE MEDICAL SYSTEMS", True),
        ("Manufacturer", "Siemens Healthineers", True),
        ("Manufacturer", "ACME", False),
        ("ConvolutionKernel", "Br40d", True),
        ("ConvolutionKernel", "QU12345", False),
        ("PhotometricInterpretation", "YBR_FULL_422", True),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.2", True),
        ("SOPClassUID", "1.2.840.77113.93", False),
        ("modalities", "MR", True),
        ("modalities", "77113", False),
        ("AccessionNumber", "CT", False),
        ("Modality", "", False),
    ],
)
def test_terms(column: str, text: str, is_term: bool) -> None:  # noqa: FBT001 - a case
    """By column, in any case of letters; a column without terms has none."""
    assert is_term == known(column, text)


@pytest.mark.parametrize(
    ("pattern", "is_term"),
    [
        ("CH*", True),
        ("*", True),
        ("^(CHEST|ABD)", True),
        ("QUIS*", False),
        ("[Q][U][I]", False),
        ("CHEST|QUIS", False),
    ],
)
def test_patterns(pattern: str, is_term: bool) -> None:  # noqa: FBT001 - a case
    """A pattern is told if all its letters are parts of terms."""
    assert is_term == known_pattern("BodyPartExamined", pattern)
