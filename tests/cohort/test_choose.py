"""The first of each, and a sample: whole studies, ties by UID, blind to the order of rows."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort
from cohortkit.errors import QueryError, UnknownKeyword
from fake_index import FakeIndex, Row, archives, row, troubled


def keys(cohort: Cohort) -> list[int]:
    return sorted(int(key.removeprefix("key")) for key in cohort.identified()["series_key"])


def who(line: Row) -> tuple[str, str]:
    return (str(line["IssuerOfPatientID"] or "").strip(), str(line["PatientID"] or "").strip())


@given(archives())
def test_the_first_study_of_each_patient_is_what_plain_python_makes_of_it(index: FakeIndex) -> None:
    """By its earliest date, ties by Study Instance UID; all its series; no date is unknown."""
    lines = [line for line in index.rows.to_dicts() if who(line)[1]]
    dates: dict[tuple[object, str], dt.date] = {}
    for line in lines:
        study = (who(line), str(line["StudyInstanceUID"]))
        if line["StudyDate"] is not None:
            dates[study] = min(dates.get(study, line["StudyDate"]), line["StudyDate"])
    first = {}
    for person, studies in groupby(
        sorted(dates, key=lambda s: (s[0], dates[s], s[1])), lambda s: s[0]
    ):
        first[person] = next(studies)
    expected = [
        line["series_key"]
        for line in lines
        if first.get(who(line)) == (who(line), line["StudyInstanceUID"])
    ]
    cohort = Cohort.start(index).first_per("patient", by="StudyDate", level="study")
    (loss,) = cohort.steps[-1].losses

    assert expected == cohort.identified()["series_key"].to_list()
    doubtful = [n for n in index.rows.to_dicts() if (who(n), n["StudyInstanceUID"]) not in dates]
    assert len(doubtful) == loss.unknown.series


@given(archives())
def test_the_first_series_of_each_study_is_what_plain_python_makes_of_it(index: FakeIndex) -> None:
    """By its number of rows, ties by Series Instance UID."""
    lines = [n for n in index.rows.to_dicts() if who(n)[1] and n["Rows"] is not None]
    first: dict[object, Row] = {}
    for line in sorted(lines, key=lambda n: (n["Rows"], n["SeriesInstanceUID"])):
        first.setdefault((who(line), line["StudyInstanceUID"]), line)
    cohort = Cohort.start(index).first_per("study", by="Rows", level="series")

    assert sorted(n["series_key"] for n in first.values()) == sorted(
        cohort.identified()["series_key"]
    )


def test_whole_studies_are_kept() -> None:
    """The report of the first study stays with its images."""
    cohort = Cohort.start(troubled()).first_per("patient", by="StudyDate")

    assert [1, 2, 4, 6, 7, 9] == keys(cohort)


def test_the_last_can_be_taken() -> None:
    """Descending turns the order and leaves ties as they were."""
    cohort = Cohort.start(troubled()).first_per("patient", by="StudyDate", descending=True)

    assert [3, 4, 6, 7, 9] == keys(cohort)
    assert "last study" in cohort.asked()[-1]


def test_ties_go_by_uid_and_not_by_row() -> None:
    """Two studies of one day: the lesser UID, wherever it stands."""
    day = dt.date(2022, 1, 1)
    lines = [row(1, "a", "9", StudyDate=day), row(2, "a", "8", StudyDate=day)]

    for order in (lines, lines[::-1]):
        cohort = Cohort.start(FakeIndex.of(*order)).first_per("patient", by="StudyDate")
        assert [2] == keys(cohort)


def test_one_id_at_two_sites_has_a_first_study_at_each() -> None:
    """The person is (issuer, Patient ID)."""
    kept = Cohort.start(troubled(), PatientID="0001").first_per("patient", by="StudyDate")

    assert 2 == kept.counts.patients


def test_the_first_per_value_of_a_column() -> None:
    """Any column of one value can make the groups."""
    cohort = Cohort.start(troubled()).first_per("Modality", by="StudyDate", level="series")

    assert [2, 4, 6] == keys(cohort)


@pytest.mark.parametrize(
    ("of", "by", "level"),
    [
        ("patient", "StudyDate", "patient"),
        ("study", "StudyDate", "study"),
        ("patient", [], "study"),
        ("ImageType", "StudyDate", "study"),
        ("patient", "ImageType", "study"),
    ],
    ids=range(5),
)
def test_a_first_that_cannot_be_meant_is_refused(of: str, by: str, level: str) -> None:
    """No level, no order, or a column of several values."""
    with pytest.raises(QueryError):
        Cohort.start(troubled()).first_per(of, by=by, level=level)


@pytest.mark.parametrize(("of", "by"), [("patients", "StudyDate"), ("patient", "StudyDat")])
def test_a_misspelt_column_is_refused(of: str, by: str) -> None:
    """It names its neighbours."""
    with pytest.raises(UnknownKeyword) as caught:
        Cohort.start(troubled()).first_per(of, by=by)
    assert caught.value.neighbours


@given(
    archives(),
    st.integers(1, 4),
    st.integers(0, 5),
    st.sampled_from(["patient", "study", "series"]),
)
def test_a_larger_sample_holds_the_smaller(index: FakeIndex, n: int, seed: int, level: str) -> None:
    """The same seed ranks the same units, so n + 1 adds one."""
    whole = Cohort.start(index)
    small, large = (
        whole.sample(n, seed=seed, level=level),
        whole.sample(n + 1, seed=seed, level=level),
    )

    assert set(keys(small)) <= set(keys(large))
    counted = {"patient": "patients", "study": "studies", "series": "series"}[level]
    assert getattr(small.counts, counted) <= n


@given(archives(), st.integers(0, 5))
def test_a_sample_of_patients_keeps_all_their_series(index: FakeIndex, seed: int) -> None:
    """A person is in or out."""
    kept = Cohort.start(index).sample(2, seed=seed).identified().to_dicts()
    people = {who(line) for line in kept}

    assert len(kept) == sum(who(line) in people for line in index.rows.to_dicts())
    assert all(patient for _, patient in people)


def test_a_draw_is_the_same_today_and_tomorrow() -> None:
    """Frozen: the draw of a published cohort must not change with a version of anything."""
    index = FakeIndex.of(*(row(number, f"p{number:02d}") for number in range(30)))

    assert [[3, 14, 24], [7, 9, 10]] == [
        keys(Cohort.start(index).sample(3, seed=seed)) for seed in (1, 2)
    ]


def test_another_seed_draws_others() -> None:
    """Over many seeds, everyone is drawn."""
    index = FakeIndex.of(*(row(number, f"p{number}") for number in range(12)))
    drawn = {
        number for seed in range(40) for number in keys(Cohort.start(index).sample(2, seed=seed))
    }

    assert set(range(12)) == drawn


def test_too_few_to_draw_from_is_said() -> None:
    """All are kept, and the step says how many there are."""
    cohort = Cohort.start(troubled()).sample(100, seed=1)

    assert "there are 6" in cohort.asked()[-1]
    assert 1 == cohort.steps[-1].losses[0].unknown.patients  # the one without a Patient ID


@pytest.mark.parametrize(
    ("n", "seed", "level"),
    [
        (0, 1, "patient"),
        (-1, 1, "patient"),
        (1.5, 1, "patient"),
        (True, 1, "patient"),
        (3, -1, "patient"),
        (3, "x", "patient"),
        (3, 1, "patients"),
        (3, None, "patient"),
    ],
    ids=range(8),
)
def test_a_sample_that_cannot_be_meant_is_refused(n: int, seed: int, level: str) -> None:
    """Whole numbers, and a level that there is."""
    with pytest.raises(QueryError):
        Cohort.start(troubled()).sample(n, seed=seed, level=level)
