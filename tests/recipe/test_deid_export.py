"""A whole export under a recipe in deid's language: what leaves, what is held back, resuming."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pydicom
import pytest

import called
import cohortkit as ck
from cohortkit.errors import OutputError
from factory import Patient, Series, write_series

KNOWN = Patient()
OTHER = Patient(patient_id="MRN-00990022", name="Zweiter^Zacharias")
ROWS = {KNOWN.patient_id: {"subject": "SUBJ-001", "days": -20}}
LINES = """FORMAT dicom
%header
KEEP PatientSex
REPLACE PatientID var:subject
ADD ClinicalTrialSubjectID var:subject
REPLACE InstitutionName func:made
JITTER StudyDate var:days
"""


@pytest.fixture
def cohort(tmp_path: Path) -> ck.Cohort:
    write_series(tmp_path / "archive", KNOWN, Series())
    write_series(tmp_path / "archive", OTHER, Series(study=2, number=2, seed=3))
    return ck.scan(tmp_path / "archive", progress=False).search(Modality="CT")


def exported(
    cohort: ck.Cohort, folder: Path, function: object, rows: Mapping[str, object] = ROWS
) -> ck.Export:
    file, key = folder / "x.dicom", folder / "x.key"
    file.write_text(LINES, "utf-8")
    recipe = ck.load_recipe(file, variables=rows, functions={"made": function})  # type: ignore[dict-item]
    kept = ck.Key.from_file(key) if key.exists() else ck.Key.new(key, "deid")
    plan = ck.plan(cohort, recipe, to=["tables", "dicom"])
    return ck.export(plan, folder / "out", kept, workers=1, progress=False)


def reasons(export: ck.Export) -> list[str]:
    return sorted({*export.refused()["reason"], *export.failed()["reason"]})


@pytest.mark.slow
def test_it_leaves_as_its_lines_say_or_not_at_all(cohort: ck.Cohort, tmp_path: Path) -> None:
    """Given values stand in every object; who has no row is refused; nobody's name is in a byte."""
    export = exported(cohort, tmp_path, called.harmless)
    files = sorted((export.release / "dicom").rglob("*.dcm"))
    got = [pydicom.dcmread(file) for file in files]

    assert (["no-variable"], 4) == (reasons(export), len(files))
    assert {("SUBJ-001", "SUBJ-001", "HOUSE-1", "F", "20210225", "YES")} == {
        (
            ds.PatientID,
            ds.ClinicalTrialSubjectID,
            ds.InstitutionName,
            ds.PatientSex,
            ds.StudyDate,
            ds.PatientIdentityRemoved,
        )
        for ds in got
    }
    assert not any("DeidentificationMethodCodeSequence" in ds for ds in got)
    everything = b"".join(file.read_bytes() for file in export.release.rglob("*") if file.is_file())
    for value in (*KNOWN.planted(), *OTHER.planted()):
        assert value.encode() not in everything


@pytest.mark.slow
def test_what_a_function_leaks_is_found_and_held_back(cohort: ck.Cohort, tmp_path: Path) -> None:
    """The result of a function goes through the same search as everything else."""
    export = exported(cohort, tmp_path, called.leaking)

    assert ["identity-found", "no-variable"] == reasons(export)
    assert not [*(export.release / "dicom").rglob("*.dcm")]


@pytest.mark.slow
def test_a_function_that_fails_costs_its_series_only(cohort: ck.Cohort, tmp_path: Path) -> None:
    """Its message, which may hold a value, is in the vault and nowhere else."""
    export = exported(cohort, tmp_path, called.failing)
    told = f"{export!r}{export.failed()}{export.manifest}"

    assert ["internal", "no-variable"] == reasons(export)
    assert "Quisling" not in told
    assert [*(tmp_path / "out" / "vault" / "tracebacks").iterdir()]


@pytest.mark.slow
def test_other_values_are_another_export(cohort: ck.Cohort, tmp_path: Path) -> None:
    """A resume with another table would mix two; the same table resumes."""
    exported(cohort, tmp_path, called.harmless)
    again = exported(cohort, tmp_path, called.harmless)

    assert ["no-variable"] == reasons(again)
    with pytest.raises(OutputError, match="other values for the recipe's variables"):
        exported(
            cohort, tmp_path, called.harmless, {**ROWS, OTHER.patient_id: ROWS[KNOWN.patient_id]}
        )
