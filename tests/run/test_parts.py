"""Parts of a data set: by patient, under the key, and nobody moves when others come."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohortkit as ck
from batches import run
from cohortkit.cohort import Cohort
from cohortkit.cohort.split import parts_of
from cohortkit.deidentify.identities import Keyed
from cohortkit.errors import OutputError, QueryError
from cohortkit.model import Person
from cohortkit.run.parts import part_of
from factory import write_series
from fake_index import troubled
from promised import CT_SERIES, PATIENTS, make_archive

SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}
TABLES = ("patients", "studies", "series", "instances")


def names(count: int, project: str = "chest") -> list[str]:
    keyed = Keyed(project, bytes(range(32)))
    return [keyed.patient(Person("", f"MRN-{number:08d}")) for number in range(count)]


def test_shares_are_met_and_each_project_has_its_own() -> None:
    """Of 20,000 patients each part has its share but for a percent; another key, another split."""
    parts = parts_of(SHARES)
    placed = [part_of(name, parts) for name in names(20_000)]
    other = [part_of(name, parts) for name in names(20_000, "head")]

    for name, share in SHARES.items():
        assert share == pytest.approx(placed.count(name) / 20_000, abs=0.01)
    met = sum(one == two for one, two in zip(placed, other, strict=True)) / 20_000
    assert sum(share**2 for share in SHARES.values()) == pytest.approx(met, abs=0.015)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=5), st.integers(0, 10**6))
def test_each_patient_is_in_one_part_whatever_the_shares(sizes: list[float], number: int) -> None:
    """Shares that make 1 leave nobody out."""
    whole = sum(sizes)
    parts = parts_of({f"part_{'abcde'[at]}": size / whole for at, size in enumerate(sizes)})

    assert part_of(f"p{number}", parts) in {name for name, _ in parts}


@given(st.integers(0, 10**6), st.floats(0.05, 0.9), st.floats(0.01, 0.05))
def test_a_larger_share_keeps_who_was_in_the_first_part(
    number: int, share: float, more: float
) -> None:
    """Who was trained on is not tested on when the first share grows."""
    small = part_of(f"p{number}", parts_of({"train": share, "test": 1 - share}))
    large = part_of(f"p{number}", parts_of({"train": share + more, "test": 1 - share - more}))

    assert (small, large) != ("train", "test")


def split(archive: Path) -> ck.Plan:
    cohort = ck.scan(archive, progress=False, workers=1).search().split(**SHARES)
    return ck.plan(cohort, ck.load_recipe("basic"), to=["nifti", ck.Tables(csv=True)])


def placed(export: ck.Export) -> dict[str, set[str]]:
    """In which parts each patient is, over all tables of a release."""
    found: dict[str, set[str]] = defaultdict(set)
    frames = [export.table(name) for name in ("files", "tasks")]
    frames += [pl.read_parquet(export.release / "tables" / f"{name}.parquet") for name in TABLES]
    for frame in frames:
        for patient, part in frame.select("patient", "split").iter_rows():
            found[patient].add(part)
    return found


@pytest.mark.usefixtures("inline")
def test_the_released_tables_say_the_part_and_nobody_moves(key: ck.Key, tmp_path: Path) -> None:
    """In every table the same; after a month with new patients, and in an export of its own."""
    archive = make_archive(tmp_path / "archive")
    out = tmp_path / "out"
    first = run(split(archive), out, key)
    before = placed(first)
    for number in range(6):
        patient = replace(PATIENTS[0], patient_id=f"NEW-55{number}19")
        write_series(archive / f"next{number}", patient, replace(CT_SERIES, seed=80 + number))
    grown = run(split(archive), out, key)
    after = placed(grown)

    assert len(PATIENTS) <= len(before) < len(after)
    assert {1} == {len(parts) for parts in after.values()}
    assert before.items() <= after.items()
    assert after == placed(run(split(archive), tmp_path / "fresh", key))
    told = json.loads((out / "release/export.json").read_text())["split"]
    assert Counter(part for (part,) in after.values()) == {
        one["part"]: one["patients"] for one in told if one["patients"]
    }
    assert 0.7 == told[0]["share"]
    assert "train 70%" in (out / "release/report.html").read_text("utf-8")
    assert ck.verify(out, key=key).ok
    dictionary = json.loads((out / "release/tables/data_dictionary.json").read_text())["Columns"]
    (said,) = [c for c in dictionary if (c["Table"], c["Column"]) == ("patients", "split")]
    assert "part of the data set" in said["Description"]


@pytest.mark.usefixtures("inline")
def test_an_output_keeps_its_split(key: ck.Key, tmp_path: Path) -> None:
    """What went out as training data is not called test data by the next run."""
    archive = make_archive(tmp_path / "archive")
    run(split(archive), tmp_path / "out", key)
    cohort = ck.scan(archive, progress=False, workers=1).search()
    for other in (cohort, cohort.split(train=0.5, test=0.5)):
        plan = ck.plan(other, ck.load_recipe("basic"), to=["nifti", ck.Tables(csv=True)])
        with pytest.raises(OutputError, match="with another split"):
            run(plan, tmp_path / "out", key)


@pytest.mark.usefixtures("inline")
def test_ids_of_one_person_are_in_one_part(key: ck.Key, tmp_path: Path) -> None:
    """Merged people have one name, and the part is made of it."""
    her = PATIENTS[0]
    maiden = replace(her, patient_id="OLD-778812")
    write_series(tmp_path / "archive/a", her, CT_SERIES)
    write_series(tmp_path / "archive/b", maiden, replace(CT_SERIES, seed=5))
    both = ck.scan(tmp_path / "archive", progress=False, workers=1).search()
    people = pl.DataFrame(
        [(her.issuer, maiden.patient_id, her.issuer, her.patient_id)],
        schema=["IssuerOfPatientID", "PatientID", "IntoIssuerOfPatientID", "IntoPatientID"],
        orient="row",
    )
    cohort = both.split(**{f"part_{letter}": 0.1 for letter in "abcdefghij"})
    plan = ck.plan(cohort, ck.load_recipe("basic"), to="tables", people=people)
    made = run(plan, tmp_path / "out", key)

    assert 2 == both.counts.patients
    assert [1] == [len(parts) for parts in placed(made).values()]


def test_without_a_patient_id_nobody_can_be_kept_together() -> None:
    """Such series are left out as unknown."""
    (loss,) = Cohort.start(troubled()).split(train=0.5, test=0.5).steps[-1].losses

    assert (1, 0) == (loss.unknown.series, loss.not_matched.series)
    assert "PatientID is absent" == loss.unsure


@pytest.mark.parametrize(
    "shares",
    [
        {},
        {"train": 1.0},
        {"train": 0.7, "test": 0.2},
        {"train": 0.7, "test": 0.4},
        {"train": 1.2, "test": -0.2},
        {"train": "0.5", "test": 0.5},
        {"train": True, "test": 0.5},
        {"train": float("nan"), "test": 0.5},
        {"MRN 4711": 0.5, "test": 0.5},
        {"p1": 0.5, "test": 0.5},
    ],
    ids=str,
)
def test_shares_that_cannot_be_meant_are_refused(shares: dict[str, float]) -> None:
    """Not 1 together, no numbers, names with figures."""
    with pytest.raises(QueryError, match="split"):
        Cohort.start(troubled()).split(**shares)


def test_there_is_one_split_and_one_column_of_that_name() -> None:
    """A second one, and a table that brings its own, are refused: either would be hidden."""
    cohort = Cohort.start(troubled()).split(train=0.5, test=0.5)
    mine = pl.DataFrame({"PatientID": ["0002"], "split": ["mine"]})
    with pytest.raises(QueryError, match="one already"):
        cohort.split(train=0.5, test=0.5)
    with pytest.raises(QueryError, match="split"):
        cohort.join(mine, on="PatientID")
    with pytest.raises(QueryError, match="split"):
        Cohort.start(troubled()).join(mine, on="PatientID").split(train=0.5, test=0.5)
