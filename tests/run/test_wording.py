"""What the user wrote stands in the report, so it names nobody."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import cohortkit as ck
from cohortkit.errors import UsageError
from factory import Patient, Series, write_series


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder: Path = tmp_path_factory.mktemp("wording")
    write_series(folder, Patient(), Series(slices=1))
    return ck.scan(folder, progress=False, workers=1)


def planned(index: object, reason: str) -> ck.Plan:
    cohort = index.search().filter(pl.col("Rows") > 0, reason=reason)  # type: ignore[attr-defined]
    return ck.plan(cohort, ck.load_recipe("basic"), to="tables")


@pytest.mark.parametrize(
    "reason",
    [
        "without Marjolein Quisling",
        "QUISLING, MARJOLEIN has another scan",
        "not mrn-00471113.",
        "see ACC-7719023",
    ],
)
def test_a_reason_that_names_a_patient_is_refused(index: object, reason: str) -> None:
    """In any case and order, by name or number; the message does not repeat it."""
    with pytest.raises(UsageError, match="names a patient") as caught:
        planned(index, reason)

    assert reason.lower() not in str(caught.value).lower()


@pytest.mark.parametrize("reason", ["too few slices", "marjolein oil study", "40 of 12345 images"])
def test_plain_words_pass(index: object, reason: str) -> None:
    """Half a name is a word like another, and a number that is nobody's is a number."""
    assert len(planned(index, reason).tasks) == 1


def test_a_joined_column_that_is_called_as_a_patient_is_refused(index: object) -> None:
    """Names of columns are words of the report too."""
    labels = pl.DataFrame({"AccessionNumber": ["ACC-7719023"], "Quisling^Marjolein": ["yes"]})
    cohort = index.search().join(labels, on="AccessionNumber")  # type: ignore[attr-defined]

    with pytest.raises(UsageError, match="names a patient"):
        ck.plan(cohort, ck.load_recipe("basic"), to="tables")
