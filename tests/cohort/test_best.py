"""One series of each study by what is preferred, and why it was chosen."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort
from cohortkit.errors import QueryError, UnknownKeyword
from fake_index import FakeIndex, Row, archives, row, troubled
from kept import keys, notes, study, who

WISHES: list[object] = [
    {"Modality": "CT"},
    {"BodyPartExamined": ["CHEST", "HEAD"], "Rows": (2, None)},
    {"ImageType": "ORIGINAL"},
    "SliceThickness",
    "-Rows",
    "StudyDate",
]


def rank(line: Row, wish: object) -> tuple[bool, object]:
    """A wish as a value that sorts: what is wished for first, what is not known last."""
    if isinstance(wish, str):
        name = wish.removeprefix("-")
        value = line[name]
        if value is None or value != value:  # noqa: PLR0124 - NaN
            return (True, 0)
        number = value.toordinal() if isinstance(value, dt.date) else value
        return (False, -number if name != wish else number)
    met = {
        "Modality": lambda v: v == "CT",
        "BodyPartExamined": lambda v: v in {"CHEST", "HEAD"},
        "Rows": lambda v: v is not None and v >= 2,
        "ImageType": lambda v: "ORIGINAL" in (v or []),
    }
    return (False, 0 if all(met[word](line[word]) for word in wish) else 1)


@given(archives(), st.lists(st.sampled_from(WISHES), min_size=1, max_size=3))
def test_the_best_of_each_study_is_what_plain_python_makes_of_it(
    index: FakeIndex, wishes: list[object]
) -> None:
    """In the order of the wishes, then by UID; one a study; by what each was chosen adds up."""
    groups: dict[object, list[Row]] = defaultdict(list)
    for line in index.rows.to_dicts():
        if who(line)[1]:
            groups[study(line)].append(line)
    expected = [
        min(lines, key=lambda n: (*(rank(n, wish) for wish in wishes), n["SeriesInstanceUID"]))
        for lines in groups.values()
    ]
    cohort = Cohort.start(index).best_per("study", prefer=wishes)

    assert sorted(line["series_key"] for line in expected) == keys(cohort)
    assert len(groups) == sum(notes(cohort).values())
    (loss,) = cohort.steps[-1].losses
    assert sum(not who(n)[1] for n in index.rows.to_dicts()) == loss.unknown.series


def test_by_what_each_was_chosen_is_counted() -> None:
    """The only one; the kernel; the thickness; nothing but the UID."""
    index = FakeIndex.of(
        row(1, "a", "1", Modality="CT"),
        row(2, "b", "2", Modality="MR"),
        row(3, "b", "2", Modality="CT"),
        row(4, "c", "3", Modality="CT", SliceThickness=5.0),
        row(5, "c", "3", Modality="CT", SliceThickness=1.0),
        row(6, "d", "4", Modality="CT", SliceThickness=1.0),
        row(7, "d", "4", Modality="CT", SliceThickness=1.0),
    )
    cohort = Cohort.start(index).best_per("study", prefer=[{"Modality": "CT"}, "SliceThickness"])

    assert ["key0001", "key0003", "key0005", "key0006"] == keys(cohort)
    assert {
        "studies with one series": 1,
        "chosen by preference 1": 1,
        "chosen by preference 2": 1,
        "alike in all of them, chosen by UID": 1,
    } == notes(cohort)
    assert "1. Modality is CT; 2. least SliceThickness" in str(cohort.steps[-1])


def test_what_was_preferred_is_told_no_further_than_the_recipe_lets_it() -> None:
    """A value that is no term is not told at all; in a release the recipe decides on top."""
    cohort = Cohort.start(troubled()).best_per(
        "study", prefer=[{"SeriesDescription": "Achterberg lung"}, {"Modality": "CT"}]
    )

    assert "Achterberg" not in str(cohort.steps[-1])
    assert "Modality is CT" in str(cohort.steps[-1])
    assert "CT" not in str(cohort.told(lambda _: False).steps[-1])
    assert "Modality is CT" in str(cohort.told(lambda _: True).steps[-1])


@pytest.mark.parametrize(
    "prefer",
    [[], [{}], [3], None, [{"Modality": (1, 2)}], ["ImageType"], [("Modality", "CT")]],
    ids=str,
)
def test_a_preference_that_cannot_be_meant_is_refused(prefer: object) -> None:
    """None at all, no terms, a column of several values."""
    with pytest.raises(QueryError):
        Cohort.start(troubled()).best_per("study", prefer=prefer)


def test_a_misspelt_preference_is_refused() -> None:
    """It names its neighbours, in terms and in columns."""
    for prefer in ({"Modalty": "CT"}, "SliceThicknes", "-SliceThicknes"):
        with pytest.raises(UnknownKeyword):
            Cohort.start(troubled()).best_per("study", prefer=prefer)
