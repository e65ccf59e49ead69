"""Cases and controls: alike, nobody twice, whatever the order of rows."""

from __future__ import annotations

from collections import defaultdict

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort
from cohortkit.errors import QueryError, UsageError
from fake_index import FakeIndex, row, troubled
from kept import keys, notes


def hospital(ages: list[tuple[str, bool | None, int | None]]) -> FakeIndex:
    """One series for each patient: a sex, whether they are a case, an age in Rows."""
    part = {True: "CHEST", False: "HEAD", None: None}
    return FakeIndex.of(
        *(
            row(n, f"p{n}", f"1.{n}", PatientSex=sex, BodyPartExamined=part[ill], Rows=age)
            for n, (sex, ill, age) in enumerate(ages)
        )
    )


PEOPLE = st.lists(
    st.tuples(
        st.sampled_from(["F", "M"]),
        st.sampled_from([True, False, False, None]),
        st.sampled_from([None, 50, 51, 52, 53, 60]),
    ),
    max_size=16,
)
ILL = pl.col("BodyPartExamined") == "CHEST"


@given(PEOPLE, st.integers(1, 3), st.integers(0, 3), st.integers(0, 3))
def test_controls_are_alike_and_are_never_used_twice(
    people: list[tuple[str, bool | None, int | None]], many: int, far: int, seed: int
) -> None:
    """Each of the sex of its case, within the years, in one set; no free one was passed over."""
    index = hospital(people)
    cohort = Cohort.start(index).match(
        ILL, same="PatientSex", within={"Rows": far}, controls=many, seed=seed
    )
    sets: dict[str, list[int]] = defaultdict(list)
    roles: dict[int, str] = {}
    for line in cohort.identified().to_dicts():
        number = int(line["PatientID"].removeprefix("p"))
        assert number not in roles
        roles[number] = line["match_role"]
        sets[line["match_id"]].append(number)
    for mine in sets.values():
        (case,) = [n for n in mine if roles[n] == "case"]
        others = [n for n in mine if roles[n] == "control"]
        assert people[case][1] is True
        assert 1 <= len(others) <= many
        for one in others:
            assert people[one][1] is False
            assert people[one][0] == people[case][0]
            assert abs(people[one][2] - people[case][2]) <= far
    free = [n for n, (_, ill, age) in enumerate(people) if ill is False and age and n not in roles]
    for number, (sex, ill, age) in enumerate(people):
        if ill is not True or age is None:
            continue
        had = [mine for mine in sets.values() if number in mine]
        full = bool(had) and len(had[0]) == many + 1
        assert full or not any(people[n][0] == sex and abs(people[n][2] - age) <= far for n in free)
    told = notes(cohort)
    assert sum(ill is True and age is not None for _, ill, age in people) == told["cases"]
    assert sum(n for words, n in told.items() if words.startswith("cases with")) == told["cases"]
    (loss,) = cohort.steps[-1].losses
    assert sum(ill is None or age is None for _, ill, age in people) == loss.unknown.patients


@given(PEOPLE, st.randoms(use_true_random=False))
def test_who_is_matched_does_not_depend_on_the_order_of_rows(
    people: list[tuple[str, bool | None, int | None]], shuffled: object
) -> None:
    """The same seed, the same sets."""
    index = hospital(people)
    order = list(range(index.rows.height))
    shuffled.shuffle(order)
    ask = {"same": ["PatientSex"], "within": {"Rows": 2}, "controls": 2}
    one = Cohort.start(index).match(ILL, **ask)
    two = Cohort.start(FakeIndex(index.rows[order])).match(ILL, **ask)

    assert one.steps == two.steps
    assert one.identified().sort("series_key").equals(two.identified().sort("series_key"))


def test_every_case_has_a_first_before_any_has_a_second() -> None:
    """Two cases, two controls, two for each: one each."""
    index = hospital([("F", True, 50), ("F", True, 50), ("F", False, 50), ("F", False, 51)])
    cohort = Cohort.start(index).match(ILL, within={"Rows": 5}, controls=2)

    assert {"cases": 2, "cases with 1 control": 2} == notes(cohort)


def test_the_nearest_control_is_taken() -> None:
    """Of three within the years, whatever is drawn."""
    index = hospital([("F", True, 50), ("F", False, 53), ("F", False, 51), ("F", False, 48)])
    for seed in range(12):
        cohort = Cohort.start(index).match(ILL, same="PatientSex", within={"Rows": 5}, seed=seed)
        assert ["key0000", "key0002"] == keys(cohort)


def test_a_patient_with_one_ill_series_is_a_case_with_all_of_them() -> None:
    """Patients are matched; the series of both go on."""
    index = FakeIndex.of(
        row(1, "a", "1", BodyPartExamined="CHEST", PatientSex="F"),
        row(2, "a", "2", BodyPartExamined="HEAD", PatientSex="F"),
        row(3, "b", "3", BodyPartExamined="HEAD", PatientSex="F"),
        row(4, "c", "4", BodyPartExamined="HEAD", PatientSex="M"),
    )
    cohort = Cohort.start(index).match(ILL, same="PatientSex")

    assert ["key0001", "key0002", "key0003"] == keys(cohort)
    assert ["case", "case", "control"] == cohort.identified()["match_role"].to_list()
    assert "match_id" not in cohort.to_polars().columns


@pytest.mark.parametrize(
    "wrong",
    [
        {"same": (), "within": None},
        {"within": {"PatientSex": 1}},
        {"within": {"Rows": -1}},
        {"within": {"Rows": float("nan")}},
        {"within": {"Rows": "2"}},
        {"within": ["Rows"]},
        {"same": "ImageType"},
        {"controls": 0},
        {"seed": -1},
        {"case": pl.col("Rows")},
        {"case": "ill"},
    ],
)
def test_a_match_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    """Nothing in common, no numbers, no condition."""
    said = {"case": ILL, "same": "PatientSex"} | wrong
    with pytest.raises(UsageError, match=r"match|ImageType"):
        Cohort.start(troubled()).match(**said)


def test_a_case_that_draws_lots_is_refused() -> None:
    """It would be another each time."""
    lots = pl.col("Rows").shuffle() > 1
    index = FakeIndex.of(*(row(n, f"p{n}", str(n), Rows=n, PatientSex="F") for n in range(40)))
    with pytest.raises(QueryError, match="another answer"):
        Cohort.start(index).match(lots, same="PatientSex")
