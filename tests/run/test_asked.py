"""The question stands in the release, and says no more than the recipe lets the data say."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import cohortkit as ck
from cohortkit.cohort.cohort import Cohort
from cohortkit.run.asked import asked, released
from factory import Patient, Series, write_series

RECIPE = """
title = "what is asked"
basis = "expert-determination"
options = [{options}]
[[rules]]
keyword = "{keyword}"
action = "{action}"
reason = "the study compares the groups"
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder: Path = tmp_path_factory.mktemp("asked")
    write_series(folder, Patient(), Series(slices=1))
    return ck.scan(folder, progress=False, workers=1)


def recipe_of(folder: Path, keyword: str, action: str, options: str = "") -> ck.Recipe:
    path = folder / f"{keyword}-{action}.toml"
    path.write_text(RECIPE.format(keyword=keyword, action=action, options=options), "utf-8")
    return ck.load_recipe(path)


def told(cohort: Cohort, recipe: ck.Recipe) -> str:
    """All of a release in which the question stands."""
    about = ck.plan(cohort, recipe, to="tables").about
    return "\n".join([*about.asked, str(about.flow), about.flow_svg])


def test_report_and_manifest_hold_nothing_that_was_asked_of_what_goes(
    index: object, tmp_path: Path
) -> None:
    """Ages, dates, ids, descriptions and figures that a patient is known by: names and counts."""
    cohort = index.search(  # type: ignore[attr-defined]
        PatientAge=["093Y", None],
        SeriesNumber=[77113, None, *range(1000)],
        StudyDate=[("1931-07-13"), None],
        StudyDescription=["*QUAIL*", None],
        PatientSex=["F", None],
        PatientID=["QUAIL-1", None],
    )
    key = ck.Key.new(tmp_path / "key", "asked")
    plan = ck.plan(cohort, ck.load_recipe("basic"), to="tables")
    made = ck.export(plan, tmp_path / "out", key, workers=1, progress=False)
    for name in ("report.html", "export.json"):
        text = (made.release / name).read_text("utf-8")
        found = [sign for sign in ("093Y", "77113", "1931", "QUAIL", "is F") if sign in text]
        assert [] == found, name
        assert "PatientAge is one of 2 given values" in text


@pytest.mark.parametrize(
    ("keyword", "action", "stands"),
    [
        ("PatientSex", "remove", False),
        ("PatientSex", "keep", True),
        ("Modality", "remove", False),
        ("BodyPartExamined", "empty", False),
        ("BodyPartExamined", "keep", True),
    ],
)
def test_a_rule_decides_what_is_told(
    index: object,
    tmp_path: Path,
    keyword: str,
    action: str,
    stands: bool,  # noqa: FBT001 - a case of the table above
) -> None:
    """In a search, in a filter, and as the reason in the flow."""
    value = {"PatientSex": "F", "Modality": "MG", "BodyPartExamined": "ANKLE"}[keyword]
    everything = index.search()  # type: ignore[attr-defined]
    cohort = everything.search(**{keyword: [value, None]}).filter(
        (pl.col(keyword) != value) | pl.lit(value=True)
    )
    text = told(cohort, recipe_of(tmp_path, keyword, action))

    assert stands == (f"is {value}" in text)
    assert keyword in text


def test_a_count_of_the_index_is_always_told(index: object) -> None:
    """It is no value of any file."""
    cohort = index.search().filter(  # type: ignore[attr-defined]
        pl.col("NumberOfSeriesRelatedInstances") < 40000
    )

    assert "NumberOfSeriesRelatedInstances < 40000" in told(cohort, ck.load_recipe("basic"))


def test_a_joined_column_is_told_if_the_recipe_releases_it(index: object, tmp_path: Path) -> None:
    """Another column's values are counted."""
    path = tmp_path / "labels.toml"
    path.write_text('basis = "expert-determination"\n[labels]\ngrade = "number"\n', "utf-8")
    labels = pl.DataFrame({"AccessionNumber": ["ACC-7719023"], "grade": [7], "town": ["Utown"]})
    cohort = (
        index.search()  # type: ignore[attr-defined]
        .join(labels, on="AccessionNumber")
        .search(grade=[7, None], town=["Utown", None])
    )
    text = told(cohort, ck.load_recipe(path))

    assert "grade is 7 or absent" in text
    assert "town is one of 2 given values" in text
    assert "Utown" not in text


def test_the_counts_of_the_flow_are_the_same(index: object) -> None:
    """Only words change."""
    cohort = index.search(PatientAge=["093Y", None]).search(Modality="CT")  # type: ignore[attr-defined]
    mine, theirs = cohort.flow(), asked(cohort, ck.load_recipe("basic"))

    assert mine.to_polars().drop("what").equals(theirs.to_polars().drop("what"))


def test_what_is_no_column_of_dicom_is_not_told() -> None:
    """A column that nobody has judged is held back."""
    holds = released(ck.load_recipe("basic"))

    assert not holds("NewThing")
    assert holds("modalities")
    assert not holds("StudyDate")
