"""Tables: the same bytes from any order, typed when empty, no formula in a CSV."""

from __future__ import annotations

import csv
import io
import json
import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.model import DeidentifiedSeries
from cohortkit.payloads.columns import TABLES
from cohortkit.payloads.rows import rows
from cohortkit.writers import writer
from cohortkit.writers.parquet import table
from cohortkit.writers.tables import Tables
from factory import Patient, Series, instance
from released import release

PEOPLE = (Patient(), Patient(patient_id="MRN-00471999", sex="M"))


def series(patient: Patient, number: int, **options: Any) -> DeidentifiedSeries:  # noqa: ANN401 - of release
    made = [instance(patient, Series(number=number, slices=2), index) for index in range(2)]
    return release(made, "patient-characteristics-kept", **options)


@pytest.fixture(scope="module")
def said() -> dict[str, list[Any]]:
    """The rows of four series of two patients."""
    found: dict[str, list[Any]] = {}
    for patient in PEOPLE:
        for number in (1, 2):
            made = series(patient, number, labels=(("finding", "=cmd"), ("score", number)))
            for name, some in rows(made).items():
                found.setdefault(name, []).extend(some)
    return found


def read(data: bytes) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(data))


def test_patients_and_studies_stand_once(said: dict[str, list[Any]]) -> None:
    """Two series of a patient give one patient and one study."""
    made = Tables().finish([said])

    assert {name: read(made[f"{name}.parquet"]).height for name in TABLES} == {
        "patients": 2,
        "studies": 2,
        "series": 4,
        "instances": 8,
        "labels": 4,
    }


@pytest.mark.parametrize("seed", range(4))
def test_any_order_gives_the_same_bytes(said: dict[str, list[Any]], seed: int) -> None:
    """Records come as they finish; the tables do not show it."""
    mixed = {name: random.Random(seed).sample(some, len(some)) for name, some in said.items()}

    assert Tables(csv=True).finish([mixed]) == Tables(csv=True).finish([said])


def test_a_patient_of_two_sexes_is_not_settled(said: dict[str, list[Any]]) -> None:
    """Two series disagree: null, named in the row, counted in the dictionary."""
    mixed = dict(said)
    mixed["patients"] = [dict(said["patients"][0]), {**said["patients"][0], "PatientSex": "O"}]

    made = Tables().finish([mixed])
    row = read(made["patients.parquet"]).row(0, named=True)
    entries = json.loads(made["data_dictionary.json"])["Columns"]

    assert (row["PatientSex"], row["conflicts"]) == (None, ["PatientSex"])
    assert {entry["Column"]: entry["Conflicts"] for entry in entries if entry["Conflicts"]} == {
        "PatientSex": 1
    }


def test_types_do_not_depend_on_the_rows(said: dict[str, list[Any]]) -> None:
    """An empty table, and one of nulls alone, has the types of a full one."""
    for name in ("patients", "studies", "series", "instances"):
        full = table(name, said[name])
        keys = {column: row[column] for row in said[name][:1] for column in row if "a" <= column[0]}

        assert table(name, []).schema == full.schema
        assert table(name, [{**dict.fromkeys(full.schema), **keys}]).schema == full.schema


def test_no_rows_at_all() -> None:
    """An export that wrote nothing still has its tables."""
    made = Tables(csv=True).finish([])

    assert {read(made[f"{name}.parquet"]).height for name in TABLES} == {0}
    ends = {name.rsplit(".", 1)[1] for name in made if name.startswith("patients.")}
    assert ends == {"parquet", "csv"}


LABELS = st.lists(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False),
        st.text(max_size=5),
        st.dates(),
        st.datetimes(),
    ),
    min_size=1,
    max_size=6,
)


@given(LABELS)
def test_joined_columns_take_what_comes(cells: list[Any]) -> None:
    """Labels of any types make one column, and nothing of them is lost."""
    said = [
        {"patient": "p", "study": "s", "series": f"r{n}", "label": cell}
        for n, cell in enumerate(cells)
    ]

    got = read(Tables().finish([{"labels": said}])["labels.parquet"])["label"].to_list()

    kinds = {type(cell) for cell in cells if cell is not None}
    if len(kinds) == 1 and not (kinds == {int} and any(abs(c) >= 2**63 for c in cells if c)):
        assert got == cells
    else:
        assert [cell is None for cell in got] == [cell is None for cell in cells]


RISKY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("text", RISKY)
def test_text_is_no_formula(text: str) -> None:
    """A spreadsheet takes none of these for a formula; the Parquet keeps them as they are."""
    said = [{"patient": "p", "study": "s", "series": "r", "label": text, "=name": 1}]
    made = Tables(csv=True).finish([{"labels": said}])

    header, row = csv.reader(io.StringIO(made["labels.csv"].decode(), newline=""))

    assert row[header.index("label")] == f"'{text}"
    assert "'=name" in header
    assert read(made["labels.parquet"])["label"].to_list() == [text]


def test_numbers_are_not_touched(said: dict[str, list[Any]]) -> None:
    """A negative number stays a number in CSV."""
    made = Tables(csv=True).finish([said])
    lines = list(csv.DictReader(io.StringIO(made["instances.csv"].decode())))

    assert {line["RescaleIntercept"] for line in lines} == {"-1024.0"}
    assert lines[0]["ImagePositionPatient"].startswith("-12.5\\33.0\\")


def test_dictionary_explains_every_column(said: dict[str, list[Any]]) -> None:
    """Each column of each table has its meaning, type and source; the recipe's part if told."""
    made = Tables().finish([said], {"PatientSex": "kept"})
    entries = json.loads(made["data_dictionary.json"])["Columns"]

    named = {(entry["Table"], entry["Column"]): entry for entry in entries}
    for name in TABLES:
        for column, kind in read(made[f"{name}.parquet"]).schema.items():
            entry = named[name, column]
            assert entry["Type"] == str(kind)
            assert entry["Description"]
            assert entry["Section"]
    assert named["patients", "PatientSex"]["Recipe"] == "kept"
    assert named["instances", "SliceThickness"]["Unit"] == "mm"
    assert named["instances", "SliceThickness"]["VR"] == "DS"


def test_parquet_carries_no_pandas(said: dict[str, list[Any]]) -> None:
    """No index, no foreign metadata: what pyarrow and pandas read is what stands there."""
    made = Tables().finish([said])

    assert all(b"pandas" not in data for name, data in made.items() if name.endswith("parquet"))


def test_it_is_found_by_its_name() -> None:
    """``to="tables"`` is this writer; it takes no payload."""
    assert writer("tables") == Tables()
    assert Tables.accepts == frozenset()
