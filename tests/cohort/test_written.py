"""Steps that are written as text are those of the library."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cohortkit.cohort.written import STEPS, read_step
from cohortkit.errors import CohortkitError, UsageError
from cohortkit.index import StoreIndex, scan
from written import SAME, STEP, make


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("written"))


@pytest.fixture(scope="module")
def index(folder: Path) -> StoreIndex:
    return scan(folder / "archive", workers=1, progress=False)


@pytest.mark.parametrize(("text", "step"), SAME, ids=[text for text, _ in SAME])
def test_a_written_step_is_the_step(index: StoreIndex, folder: Path, text: str, step: STEP) -> None:
    """The same series, labels, and figures of the flow."""
    expected, actual = step(index.search(), folder), read_step(text).of(index.search(), folder)

    assert expected.identified().equals(actual.identified())
    assert expected.labels == actual.labels
    figures = pl.exclude("words", "step", "what")
    assert (
        expected.flow()
        .to_polars()
        .select(figures)
        .equals(actual.flow().to_polars().select(figures))
    )


def test_every_step_can_be_written_but_for_expressions() -> None:
    """A step that the library learns is written, too."""
    shared = {"search", "text", "nearest", "best_per", "pairs", "match", "split"}
    assert set(STEPS) == shared | {"first_per", "sample", "only", "exclude", "join"}
    assert set(STEPS) == {text.split()[0] for text, _ in SAME}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "a step without a word"),
        ("frist_per patient by=StudyDate", "first_per"),
        ("filter pl.col", "filter"),
        ("__class__", "__class__"),
        ("first_per patient", "first_per needs by="),
        ("first_per by=StudyDate", "first_per takes one word before its options"),
        ("first_per patient study by=StudyDate", "first_per takes one word"),
        ("first_per patient by=StudyDate by=x", "first_per: by is there twice"),
        ("first_per patient by=StudyDate nth=two", "first_per: nth takes a whole number"),
        ("first_per patient by=StudyDate descending=yes", "takes true or false"),
        ("first_per patient by=StudyDate level=seris", "level"),
        ("pairs days=90", "pairs: days takes days such as -30..7"),
        ("match case=PatientSex=F within=age_years", "within takes columns with a distance"),
        ("match case=Sexx=F same=Modality", "Sexx"),
        ("split train=much", "split: train takes a number"),
        ("text 'one", "a quote that does not end"),
        ("nearest gone.csv on=PatientID date=day days=0..1", "gone|no such|cannot"),
    ],
)
def test_faults_of_a_written_step(index: StoreIndex, folder: Path, text: str, fault: str) -> None:
    """Each is wrong use, in words that say what to write."""
    with pytest.raises(UsageError, match=fault):
        read_step(text).of(index.search(), folder)


def test_no_message_quotes_a_value(index: StoreIndex) -> None:
    """A value may be somebody's name."""
    for text in (
        "sample Quisling seed=1",
        "first_per patient by=StudyDate nth=Quisling",
        "search Rows=Quisling",
        "match case=Rows=Quisling",
        "pairs days=Quisling..1",
    ):
        with pytest.raises(CohortkitError) as caught:
            read_step(text).of(index.search())
        assert "Quisling" not in str(caught.value)
    assert "Quisling" not in repr(read_step("text Quisling"))
