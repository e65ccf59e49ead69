"""Released rows: a closed list of columns, dummies null, disagreement said and never settled."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.model import DeidentifiedSeries
from cohortkit.payloads import rows as room
from cohortkit.payloads.columns import KEYS, TABLES
from cohortkit.payloads.rows import merged, rows
from factory import Patient, Series, instance
from released import chest, release


@pytest.fixture(scope="module")
def series() -> DeidentifiedSeries:
    """A small CT under the basic profile."""
    return release(chest(3))


def cells(series: DeidentifiedSeries) -> list[object]:
    found: list[object] = []
    for table in rows(series).values():
        for row in table:
            for cell in row.values():
                found.extend(cell if isinstance(cell, list) else [cell])
    return found


def test_every_table_has_its_columns(series: DeidentifiedSeries) -> None:
    """The columns are those of the closed list, in their order, whatever the header holds."""
    made = rows(series)

    for name in ("patients", "studies", "series", "instances"):
        for row in made[name]:
            assert list(row) == [column.name for column in TABLES[name]]


def test_no_source_identity_is_in_a_row(series: DeidentifiedSeries) -> None:
    """Nothing that was planted in the headers is in any cell."""
    text = "\n".join(map(str, cells(series))).lower()

    assert [value for value in Patient().planted() if value.lower() in text] == []
    assert "quisling" not in text


def test_a_row_for_each(series: DeidentifiedSeries) -> None:
    """One patient, one study, one series, each instance; ids link them."""
    made = rows(series)

    assert {name: len(table) for name, table in made.items()} == {
        "patients": 1,
        "studies": 1,
        "series": 1,
        "instances": 3,
        "labels": 0,
    }
    assert [row["instance"] for row in made["instances"]] == [0, 1, 2]
    ids = {(row["patient"], row["study"], row["series"]) for row in made["instances"]}
    assert ids == {(series.names.patient, series.names.study, series.names.series)}


def test_technical_values_come_typed(series: DeidentifiedSeries) -> None:
    """Numbers are numbers, several values are a list, absent is null."""
    row = rows(series)["instances"][0]

    wanted = {
        "Rows": 12,
        "KVP": 120.0,
        "PixelSpacing": [0.8, 0.7],
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "EchoTime": None,
        "RescaleIntercept": -1024.0,
    }
    assert {name: row[name] for name in wanted} == wanted


def test_what_the_recipe_keeps_is_there() -> None:
    """Characteristics and dates appear where a recipe keeps them, as numbers and dates."""
    kept = rows(release(chest(1), "patient-characteristics-kept"))
    dated = rows(release(chest(1), "dates-kept"))

    assert kept["patients"][0]["PatientSex"] == "F"
    assert kept["studies"][0]["PatientAge"] == "073Y"
    assert kept["studies"][0]["age_years"] == 73.0
    assert dated["studies"][0]["StudyDate"] == dt.date(2021, 3, 17)


def test_what_the_basic_profile_removes_is_null(series: DeidentifiedSeries) -> None:
    """Under the basic profile there is no sex, age, date or description; a dummy is null too."""
    made = rows(series)

    for table, column in (
        ("patients", "PatientSex"),
        ("patients", "PatientBirthDate"),
        ("studies", "PatientAge"),
        ("studies", "StudyDate"),
        ("studies", "AccessionNumber"),
        ("series", "SeriesDescription"),
    ):
        assert made[table][0][column] is None, column


def test_files_that_disagree_are_not_settled() -> None:
    """Two body parts in one series: the cell is null and the row says which column."""
    datasets = chest(3)
    datasets[1].BodyPartExamined = "ABDOMEN"

    (row,) = rows(release(datasets))["series"]

    assert row["BodyPartExamined"] is None
    assert row["conflicts"] == ["BodyPartExamined"]


def test_labels_are_released_with_ids() -> None:
    """Joined columns stand beside the ids; one that is called like an id does not hide it."""
    made = release(chest(1), labels=(("finding", "nodule"), ("patient", 7)))

    (row,) = rows(made)["labels"]

    assert row["finding"] == "nodule"
    assert row["patient"] == made.names.patient
    assert row["label_patient"] == 7


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "patient": st.sampled_from(["p1", "p2"]),
            "sex": st.sampled_from([None, "F", "M"]),
            "size": st.sampled_from([None, 1.6, 1.7]),
            "conflicts": st.lists(st.sampled_from(["size"]), max_size=1),
        }
    ),
    max_size=6,
)


@given(ROWS, st.randoms(use_true_random=False))
def test_order_makes_no_difference(said: list[dict[str, Any]], random: Any) -> None:  # noqa: ANN401 - hypothesis' own
    """The same rows in any order, or merged in two steps, are the same table."""
    shuffled = list(said)
    random.shuffle(shuffled)
    half = len(said) // 2

    whole = merged(said, ("patient",))

    assert merged(shuffled, ("patient",)) == whole
    in_steps = [*merged(said[:half], ("patient",)), *merged(said[half:], ("patient",))]
    assert merged(in_steps, ("patient",)) == whole


@given(ROWS)
def test_a_conflict_is_null_and_named(said: list[dict[str, Any]]) -> None:
    """A cell is a value that all agree on, or null; null with two values behind it is named."""
    for row in merged(said, ("patient",)):
        group = [one for one in said if one["patient"] == row["patient"]]
        for name in ("sex", "size"):
            there = {one[name] for one in group} - {None}
            known = any(name in one["conflicts"] for one in group)
            assert row[name] in there | {None}
            if len(there) > 1:
                assert row[name] is None
                assert name in row["conflicts"]
            elif there and not (known and len(group) > 1):
                assert row[name] == next(iter(there))


TYPED = [
    ("20210317", room._date, dt.date(2021, 3, 17)),
    ("2021.03.17", room._date, dt.date(2021, 3, 17)),
    ("20210231", room._date, None),
    ("2021", room._date, None),
    ("٢٠٢١٠٣١٧", room._date, None),
    ("081422.123", room._time, dt.time(8, 14, 22, 123000)),
    ("0814", room._time, dt.time(8, 14)),
    ("250000", room._time, None),
    ("018M", room._years, 1.5),
    ("90Y", room._years, None),
    ("", room._years, None),
]


@pytest.mark.parametrize(("text", "read", "wanted"), TYPED)
def test_text_that_is_a_date_a_time_an_age(text: str, read: Any, wanted: object) -> None:  # noqa: ANN401 - one of three
    """What can be read is typed; what cannot is null, never a guess."""
    assert read(text) == wanted


def test_bad_numbers_are_null() -> None:
    """A number that is none, or not finite, is null and breaks nothing."""
    dataset = instance(Patient(), Series(), 0)
    dataset.add_new("SpiralPitchFactor", "FD", float("nan"))
    dataset.add_new("CTDIvol", "FD", float("inf"))

    row = rows(release([dataset]))["instances"][0]

    assert (row["SpiralPitchFactor"], row["CTDIvol"]) == (None, None)


def test_the_list_of_columns_is_sound() -> None:
    """No column stands twice, every key is a column, every attribute has a section of PS3.3."""
    for name, columns in TABLES.items():
        names = [column.name for column in columns]
        assert len(names) == len(set(names)), name
        assert set(KEYS[name]) <= set(names)
    for column in itertools.chain.from_iterable(TABLES.values()):
        assert column.section.startswith("PS3.3 ") or not column.keyword
