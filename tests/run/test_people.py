"""Who is who: ids of one person are merged when they are told, and named when they are not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohortkit as ck
from cohortkit.deidentify.people import People, merged
from cohortkit.errors import OutputError, UsageError
from cohortkit.model import Person
from factory import Patient, Series, instance, write_series

HER = Patient()
MAIDEN = replace(HER, patient_id="OLD-778812", study_date="20190102", accession="ACC-1119023")
ELSEWHERE = replace(HER, issuer="SANKT-ANNA-ADT", study_date="20180102", accession="ACC-2229023")
OTHER = replace(
    HER,
    patient_id="X-99887766",
    name="Nachtigall^Otmar",
    birth_date="19500505",
    study_date="20200202",
)
KEEPING = (
    'basis = "expert-determination"\n'
    'options = ["retain-modified-dates", "retain-patient-characteristics"]\n'
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One woman under three identities, and somebody else; 5 series, one with both her ids."""
    folder = tmp_path_factory.mktemp("people")
    for number, patient in enumerate((HER, MAIDEN, ELSEWHERE, OTHER)):
        write_series(folder / "archive" / str(number), patient, Series(seed=number, study=number))
    both = Series(seed=9, study=9, number=9)
    for index in range(both.slices):
        dataset = instance(HER, both, index)
        dataset.PatientID = (HER, MAIDEN)[index % 2].patient_id
        dataset.save_as(folder / "archive" / f"both{index}", enforce_file_format=True)
    ck.scan(folder / "archive", folder / "index", progress=False)
    ck.Key.new(folder / "key", "people")
    (folder / "keeping.toml").write_text(KEEPING)
    return folder


def table(*pairs: tuple[Patient, Patient]) -> pl.DataFrame:
    return pl.DataFrame(
        [(a.issuer, a.patient_id, b.issuer, b.patient_id) for a, b in pairs],
        schema=["IssuerOfPatientID", "PatientID", "IntoIssuerOfPatientID", "IntoPatientID"],
        orient="row",
    )


ALL = table((MAIDEN, HER), (ELSEWHERE, MAIDEN))


def plan(base: Path, people: object = None, recipe: str = "keeping.toml") -> ck.Plan:
    said = ck.load_recipe(base / recipe)
    cohort = ck.open_index(base / "index").search()
    return ck.plan(cohort, said, to=["dicom", "tables"], people=people)  # type: ignore[arg-type]


def run(base: Path, out: Path, people: object = None, **options: object) -> ck.Export:
    key = ck.Key.from_file(base / "key")
    return ck.export(plan(base, people), out, key=key, progress=False, workers=1, **options)  # type: ignore[arg-type]


def patients(made: ck.Export) -> set[str]:
    return set(made.table("files")["patient"])


def objects(made: ck.Export) -> Iterator[pydicom.Dataset]:
    for path in sorted(made.release.rglob("*.dcm")):
        yield pydicom.dcmread(path)


def test_ids_that_are_merged_are_one_person(base: Path, tmp_path: Path) -> None:
    """One name in folders, headers and tables, one shift of dates; somebody else stays else."""
    apart, one = run(base, tmp_path / "apart"), run(base, tmp_path / "one", ALL)

    assert 4 == len(patients(apart))
    assert 2 == len(patients(one))
    assert patients(one) < patients(apart)  # the pseudonym of who stays is the one she had
    assert patients(one) == {item.PatientID for item in objects(one)}
    assert 2 == one.table("patients").height == plan(base, ALL).summary()["patients"]
    shifts = {
        (pydicom.valuerep.DA(item.StudyDate) - pydicom.valuerep.DA(source)).days
        for source, item in zip(
            sorted([HER.study_date, MAIDEN.study_date, ELSEWHERE.study_date]),
            sorted(
                {i.StudyDate: i for i in objects(one) if i.PatientID == her(one)}.values(),
                key=lambda i: str(i.StudyDate),
            ),
            strict=True,
        )
    }
    assert 1 == len(shifts)
    assert 1 < len({item.StudyDate for item in objects(apart)})


def her(made: ck.Export) -> str:
    counts = made.table("files").group_by("patient").len().sort("len")
    return str(counts["patient"][-1])


def test_a_series_under_both_ids_is_hers(base: Path, tmp_path: Path) -> None:
    """A part of it under each name while they are two; one series, whole, when they are one."""
    apart, one = run(base, tmp_path / "apart"), run(base, tmp_path / "one", ALL)
    both = {pydicom.dcmread(path).SeriesInstanceUID for path in (base / "archive").glob("both*")}

    assert 1 == len(both)
    assert 5 == plan(base, ALL).summary()["series"]
    assert 6 == plan(base).summary()["series"]
    assert {1, 2} == {
        made.table("files").group_by("series").agg(pl.col("patient").n_unique())["patient"].max()
        for made in (one, apart)
    }
    assert 20 == sum(1 for _ in objects(one))
    assert [0, 0] == [apart.exit_code, one.exit_code]


def test_verification_searches_for_all_of_her(base: Path, tmp_path: Path) -> None:
    """It finds the merged series again and looks for what is known under either id."""
    made = run(base, tmp_path / "out", ALL)
    key = ck.Key.from_file(base / "key")

    found = ck.verify(tmp_path / "out", key, base / "index")
    assert found.ok
    assert (5, 2) == (found.series, found.patients)
    leak = next(made.release.rglob("*.dcm"))
    kept = json.loads((tmp_path / "out" / "vault" / "people.json").read_bytes())
    assert 2 == len(kept["rows"])
    assert 0o600 == (tmp_path / "out" / "vault" / "people.json").stat().st_mode & 0o777
    assert MAIDEN.patient_id.encode() not in leak.read_bytes()


def test_whose_ids_are_merged_must_not_change_in_an_export(base: Path, tmp_path: Path) -> None:
    """What stands was made with the old answer: another folder for another answer."""
    run(base, tmp_path / "out", ALL, limit=1)

    with pytest.raises(OutputError, match="with other people merged"):
        run(base, tmp_path / "out")
    with pytest.raises(OutputError, match="with other people merged"):
        run(base, tmp_path / "out", table((MAIDEN, HER)))
    # the same said otherwise is the same
    same = table((ELSEWHERE, HER), (MAIDEN, HER), (MAIDEN, HER), (HER, HER))
    assert 0 == run(base, tmp_path / "out", same).exit_code


def test_who_is_over_89_under_one_id_is_so_under_the_other(tmp_path: Path) -> None:
    """An age of 88 under one id, and a study five years later under another."""
    old = replace(HER, age="088Y", birth_date="", study_date="20150101")
    later = replace(HER, patient_id="OLD-778812", age="", birth_date="", study_date="20210101")
    for number, patient in enumerate((old, later)):
        write_series(tmp_path / "archive" / str(number), patient, Series(seed=number, study=number))
    ck.scan(tmp_path / "archive", tmp_path / "index", progress=False)
    (tmp_path / "keeping.toml").write_text(KEEPING)

    apart = {task.over_89 for task in plan(tmp_path).tasks}
    one = {task.over_89 for task in plan(tmp_path, table((later, old))).tasks}

    assert apart == {False}
    assert one == {True}


def test_doubts_are_named_by_kind_and_in_full_to_who_may_see(base: Path, tmp_path: Path) -> None:
    """One id under two issuers, a study under two ids, one name under three: counted, listed."""
    found = plan(base)

    assert {
        "one Patient ID under several issuers": 1,
        "one name and birth date under several ids": 1,
        "one study under several people": 1,
    } == found.summary()["unsure"]
    shown = f"{found!r}{found._repr_html_()}{found.doubts}{found.unsure()}{found.people}"
    assert not any(value in shown for value in (*HER.planted(), MAIDEN.patient_id))
    listed = found.unsure(identified=True)
    assert {HER.patient_id, MAIDEN.patient_id} == set(listed["PatientID"])
    found.save_unsure(tmp_path / "unsure.csv")
    assert listed.equals(
        pl.read_csv(tmp_path / "unsure.csv", infer_schema=False).cast({"case": int})
    )
    assert 0o600 == (tmp_path / "unsure.csv").stat().st_mode & 0o777


def test_what_is_answered_is_no_doubt_any_more(base: Path) -> None:
    """Merged, or partly."""
    assert {} == plan(base, ALL).summary()["unsure"]
    assert {
        "one Patient ID under several issuers": 1,
        "one name and birth date under several ids": 1,
    } == plan(base, table((MAIDEN, HER))).summary()["unsure"]
    assert 2 == plan(base, ALL).summary()["merged"]


def test_merges_that_merge_nobody_are_no_merges(base: Path) -> None:
    """An issuer that was forgotten: refused, and not passed in silence; some unmet are counted."""
    said = pl.DataFrame({"PatientID": [MAIDEN.patient_id], "IntoPatientID": [HER.patient_id]})
    stranger = replace(HER, patient_id="NOBODY-1")

    with pytest.raises(UsageError, match="none of the ids that go into others is in this index"):
        plan(base, said)
    some = plan(base, table((MAIDEN, HER), (stranger, HER)))
    assert (1, 1) == tuple(some.summary()[name] for name in ("merged", "merged_unmet"))
    assert "1 ids into others of the same person; 1 more are not in this index" in repr(some)


def test_doubts_of_people_outside_the_cohort_are_not_told(base: Path) -> None:
    """The rest of the archive is not asked about; who shares something with the cohort is."""
    index = ck.open_index(base / "index")
    recipe = ck.load_recipe(base / "keeping.toml")
    nobody = ck.plan(index.search(PatientID=OTHER.patient_id), recipe, to="tables")
    some = ck.plan(index.search(IssuerOfPatientID=ELSEWHERE.issuer), recipe, to="tables")

    assert {} == nobody.summary()["unsure"]
    assert 2 == len(some.doubts)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("A", "")], "row 1: an id is missing"),
        ([("A", "B"), ("A", "C")], "row 2: this id goes into another already"),
        ([("A", "B"), ("B", "A")], "2 ids go into each other in a circle"),
        ([("A", "B"), ("B", "C"), ("C", "B")], "3 ids go into each other in a circle"),
    ],
)
def test_merges_that_contradict_each_other_are_faults(
    base: Path, rows: list[tuple[str, str]], words: str
) -> None:
    """By row, and without a value."""
    said = pl.DataFrame(rows, schema=["PatientID", "IntoPatientID"], orient="row")

    with pytest.raises(UsageError, match=words):
        plan(base, said)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("PatientID,Into\n1,2\n", "it lacks IntoPatientID"),
        ("PatientID,IntoPatientID,Comment\n1,2,x\n", "1 more are there"),
        ("", "people: "),
    ],
)
def test_tables_that_say_something_else_are_faults(
    base: Path, tmp_path: Path, content: str, words: str
) -> None:
    """A column too few or too many, an empty file."""
    path = tmp_path / "people.csv"
    path.write_text(content)

    with pytest.raises(UsageError, match=words):
        plan(base, path)
    with pytest.raises(UsageError, match=r"people: .*not there"):
        plan(base, tmp_path / "no.csv")


def test_zeros_in_front_stay_and_the_recipes_issuer_stands_in(tmp_path: Path) -> None:
    """As everywhere: 007 and 7 are two, and an absent issuer is the default one."""
    path = tmp_path / "people.csv"
    path.write_text("PatientID,IntoPatientID\n007, 8 \n")
    from cohortkit.run.identity import read_people  # noqa: PLC0415 - not public

    people = read_people(path, "HIS")

    assert Person("HIS", "8") == people.one(Person("HIS", "007"))
    assert Person("HIS", "7") == people.one(Person("HIS", "7"))
    assert Person("", "007") == people.one(Person("", "007"))


IDS = st.integers(0, 6).map(str)


@given(st.lists(st.tuples(IDS, IDS), max_size=8), st.randoms())
def test_merging_is_whole_and_has_no_order(rows: list[tuple[str, str]], chance: object) -> None:
    """Every chain ends at one who stays; the order of rows means nothing."""
    pairs = [(Person("", a), Person("", b)) for a, b in rows]
    people, wrong = merged(pairs, "")
    shuffled = list(pairs)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    again, wrong_again = merged(shuffled, "")

    assert bool(wrong) == bool(wrong_again)
    if not wrong:
        assert people == again
        assert people.digest() == again.digest()
        for one, into in pairs:
            assert people.one(one) == people.one(into)
            assert people.one(people.one(one)) == people.one(one)
    assert "0" not in repr(People({Person("", "0"): Person("", "9")})).replace("1 merged", "")
