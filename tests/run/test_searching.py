"""What a record says of a series, refused or written, is searched like the files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest
from pydicom.dataset import Dataset

import cohortkit as ck
from batches import keeping, planned, run
from cohortkit.deidentify import engine
from cohortkit.errors import Refusal
from cohortkit.model import DeidentifiedSeries, Payload, PayloadKind, Person, Task
from cohortkit.model.tasks import Artifact
from cohortkit.reasons import Reason
from cohortkit.run import worker
from cohortkit.run.searching import unidentified
from factory import Patient, Series, write_series

pytestmark = pytest.mark.usefixtures("inline")


def header(patient_id: str) -> Dataset:
    made = Dataset()
    made.PatientID, made.PatientBirthDate = patient_id, "19480229"
    return made


def task(patient_id: str) -> Task:
    return Task(0, "k", Person("", patient_id), "1.2.826.0.1.2", "1.2.826.0.1.3", "", "", ())


def numbers_of(export: ck.Export) -> list[dict[str, float]]:
    """What the table of tasks says in numbers."""
    table = pl.read_parquet(export.release / "tasks.parquet")
    return [json.loads(text) for text in table["numbers"] if text]


@pytest.mark.parametrize("to", ["png", "nifti", "dicom"])
def test_a_number_of_a_refusal_that_is_the_patient_s_own_is_not_told(
    key: ck.Key, tmp_path: Path, to: str
) -> None:
    """NumberOfFrames 884412 of the patient 884412: the reason stays, and the number goes."""
    patient = Patient(patient_id="884412")
    stated = Series(slices=1, extra={"NumberOfFrames": "884412"})
    write_series(tmp_path / "archive", patient, stated)

    export = run(planned(tmp_path / "archive", to), tmp_path / "out", key)

    assert export.refused().height
    assert b"884412" not in (export.release / "tasks.parquet").read_bytes()
    assert not any(884412 in told.values() for told in numbers_of(export))


def test_a_number_of_a_refusal_that_is_nobody_s_is_told(key: ck.Key, tmp_path: Path) -> None:
    """The same series of somebody else."""
    stated = Series(slices=1, extra={"NumberOfFrames": "884412"})
    write_series(tmp_path / "archive", Patient(), stated)

    export = run(planned(tmp_path / "archive", "png"), tmp_path / "out", key)

    assert any(numbers_of(export))


def test_a_refusal_of_the_whole_series_is_searched_as_well(
    monkeypatch: pytest.MonkeyPatch, key: ck.Key, tmp_path: Path
) -> None:
    """Whoever refuses it, wherever: before anything was written there is no search of files."""
    write_series(tmp_path / "archive", Patient(patient_id="884412"), Series(slices=1))

    def refuse(*_: object, **__: object) -> None:
        raise Refusal(Reason.NOT_UNDERSTOOD, depth=884412, width=77)

    monkeypatch.setattr(worker, "deidentify", refuse)
    assert engine.deidentify is not refuse

    export = run(planned(tmp_path / "archive", "tables"), tmp_path / "out", key)

    assert [{"width": 77}] == numbers_of(export)


@pytest.mark.parametrize(
    ("patient_id", "number", "told"),
    [
        ("512", 512, False),
        ("00512", 512, False),
        ("512", 513, True),
        ("0471113", 471113.0, False),
        ("MRN-00471113", -471113, False),
        ("A", 19480229, False),
        ("A", 0.471113, True),
    ],
)
def test_which_numbers_explain_a_refusal(
    patient_id: str,
    number: float,
    told: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """None that is the patient's, however short: an explanation may be missed."""
    found = unidentified({"rows": number}, [header(patient_id)], task(patient_id))

    assert ({"rows": number} if told else {}) == found


def test_where_there_is_nobody_to_search_for_no_number_is_told() -> None:
    """A file that could not be read says nobody's name: its numbers prove nothing."""
    nobody = Task(0, "k", Person("", ""), "1.2.826.0.1.2", "1.2.826.0.1.3", "", "", ())

    assert {} == unidentified({"rows": 12}, [], nobody)


class Shaped:
    """A writer whose file has the shape that it is told."""

    name: ClassVar[str] = "shaped"
    accepts: ClassVar[frozenset[PayloadKind]] = frozenset({PayloadKind.VOLUME})

    def write(
        self, payload: Payload, series: DeidentifiedSeries, folder: Path, stem: str
    ) -> list[Artifact]:
        """An empty file of 4711137 rows."""
        name, sha = f"{stem}.bin", hashlib.sha256(b"").hexdigest()
        (folder / name).write_bytes(b"")
        assert series.names.series == stem
        return [Artifact("shaped", "array", name, sha, 0, payload.instances, (2, 4711137))]


@pytest.mark.parametrize(("patient_id", "held"), [("4711137", True), ("4711138", False)])
def test_a_shape_that_is_the_patient_s_number_holds_the_series_back(
    key: ck.Key,
    tmp_path: Path,
    patient_id: str,
    held: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """The table of files has shape and spacing, beside the files themselves."""
    write_series(tmp_path / "archive", Patient(patient_id=patient_id), Series())

    export = run(planned(tmp_path / "archive", [Shaped()]), tmp_path / "out", key)

    assert (["identity-found"] if held else []) == export.refused()["reason"].to_list()


@pytest.mark.parametrize("name", ["NIFTI", "Basic", "Modality", "Tables", "Removed^Yes"])
@pytest.mark.parametrize("typed", ["", "the word"])
def test_a_patient_who_is_called_as_one_of_our_own_words_is(
    key: ck.Key, tmp_path: Path, name: str, typed: str
) -> None:
    """Our folder, recipe and stamp are no hits; the same word in a code that is kept is her."""
    word = name.upper().replace("^", "_")
    extra: dict[str, object] = {"ScanOptions": word} if typed else {}
    write_series(tmp_path / "archive", Patient(name=name), Series(slices=2, extra=extra))

    recipe = keeping(tmp_path, "ScanOptions")
    plan = planned(tmp_path / "archive", ["nifti", "tables"], recipe)
    export = run(plan, tmp_path / "out", key)

    held = set(export.refused()["reason"])
    assert ({"identity-found"} if typed else set()) == held


@pytest.mark.parametrize(("age", "told"), [("045Y", [45]), ("091Y", [None])])
def test_no_label_tells_the_age_of_whoever_reaches_ninety(
    key: ck.Key, tmp_path: Path, age: str, told: list[int | None]
) -> None:
    """The index knows an age over 89: then an age in a joined column goes, whichever it is."""
    recipe = tmp_path / "ages.toml"
    recipe.write_text(
        'basis = "gdpr-pseudonymised"\noptions = ["retain-patient-characteristics"]\n'
        '[labels]\nage_at_scan = "number"\n'
    )
    patient = Patient(age=age, birth_date="")
    write_series(tmp_path / "archive", patient, Series(slices=1))
    table = pl.DataFrame({"PatientID": [patient.patient_id], "age_at_scan": [45]})
    cohort = ck.scan(tmp_path / "archive", progress=False, workers=1).search()

    plan = ck.plan(cohort.join(table, on="PatientID"), ck.load_recipe(str(recipe)), to="tables")
    export = run(plan, tmp_path / "out", key)

    assert told == export.table("labels")["age_at_scan"].to_list()
