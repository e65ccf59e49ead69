"""What all steps for study designs share."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from cohortkit.cohort import Cohort, load
from fake_index import troubled

STEPS = {
    "first_per": lambda c: c.first_per("patient", by="StudyDate", nth=1),
    "nearest": lambda c: c.nearest(
        pl.DataFrame({"PatientID": ["0002"], "op": [dt.date(2021, 1, 5)]}),
        on="PatientID",
        date="op",
        days=(-30, 7),
    ),
    "best_per": lambda c: c.best_per(
        "study", prefer=[{"Modality": "CT", "StudyDate": ("2021-01-01", None)}]
    ),
    "pairs": lambda c: c.pairs(days=(100, 500)),
    "match": lambda c: c.match(pl.col("Modality") == "SR", same="AccessionNumber"),
    "text": lambda c: c.text("chest"),
    "split": lambda c: c.split(train=0.8, test=0.2),
}


@pytest.mark.parametrize("name", sorted(STEPS))
def test_each_step_is_saved_and_comes_back(tmp_path: Path, name: str) -> None:
    """Series, labels with their types, steps, the parts of a split, and the words for a release."""
    index = troubled(location="somewhere/index")
    cohort = STEPS[name](Cohort.start(index))
    back = load(cohort.save(tmp_path / "it.cohort"), lambda _: index)

    assert cohort.steps == back.steps
    assert cohort.labels == back.labels
    assert cohort.parts == back.parts
    assert cohort.identified().equals(back.identified())
    assert cohort.identified().schema == back.identified().schema
    for lets_out in (lambda _: True, lambda _: False):
        assert cohort.told(lets_out) == back.told(lets_out)
