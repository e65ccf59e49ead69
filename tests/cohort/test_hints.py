"""A search that nothing answers says how what was asked for is spelled here."""

from __future__ import annotations

import pytest

from cohortkit.cohort import Cohort, words
from fake_index import FakeIndex, row

INDEX = FakeIndex.of(
    row(1, Modality="CT", BodyPartExamined="CHEST", ImageType=["ORIGINAL"]),
    row(2, Modality="CT", BodyPartExamined="QUISLING", PatientSex="QUISLING"),
    row(3, Modality="MR", BodyPartExamined=None),
)


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({"Modality": "ct"}, "2 series whose Modality is CT"),
        ({"Modality": ["ct", "mri"]}, "1 series whose Modality is MR"),
        ({"BodyPartExamined": "chset"}, "1 series whose BodyPartExamined is CHEST"),
        ({"ImageType": "Original"}, "1 series whose ImageType is ORIGINAL"),
    ],
)
def test_the_spelling_that_is_here_is_offered(asked: dict[str, object], hint: str) -> None:
    """In every printed form."""
    cohort = Cohort.start(INDEX, **asked)

    assert 0 == len(cohort)
    assert hint in repr(cohort)
    assert hint in cohort._repr_html_()
    assert hint.partition(" series ")[2] in str(cohort)


@pytest.mark.parametrize(
    "asked",
    [
        {"BodyPartExamined": "quisling"},
        {"PatientSex": "quisling"},
        {"PatientID": "P1"},
        {"Modality": "CT"},
        {"Modality": "CT", "BodyPartExamined": "HEAD"},
        {"Rows": 3},
        {"Modality": None},
    ],
)
def test_nothing_is_offered_that_may_be_somebodys(asked: dict[str, object]) -> None:
    """Only known terms, and only where what was asked for is not here."""
    cohort = Cohort.start(INDEX, **asked)

    assert "QUISLING" not in repr(cohort) + str(cohort)
    assert "if that was meant" not in repr(cohort)


def test_a_hint_does_not_leave() -> None:
    """It tells what the index holds, and nobody asked for that."""
    cohort = Cohort.start(INDEX, Modality="ct")

    assert cohort.steps[-1].notes
    assert () == cohort.told(lambda _: True).steps[-1].notes
    assert "Modality is one given value" in words.terms(
        cohort.steps[-1].query, cohort.columns, (), lambda _: False
    )
