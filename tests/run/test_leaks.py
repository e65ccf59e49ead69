"""Leaks that are caught, identities that are hostile, and the proof afterwards."""

from __future__ import annotations

import json
import lzma
import zipfile
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest

import cohortkit as ck
from batches import keeping, planned, run
from cohortkit.errors import (
    CohortkitError,
    KeyFileError,
    OutputError,
    UsageError,
)
from cohortkit.model import DeidentifiedSeries, Payload, PayloadKind
from cohortkit.model.tasks import Artifact
from factory import Patient, Series, write_series

pytestmark = pytest.mark.usefixtures("inline")

# --- leaks, hostile writers, identities -----------------------------------------------------


class Leaky:
    """A writer that puts the de-identified series' own source into a text file."""

    name: ClassVar[str] = "leaky"
    accepts: ClassVar[frozenset[PayloadKind]] = frozenset({PayloadKind.VOLUME})
    text: str = ""

    def write(
        self, payload: Payload, series: DeidentifiedSeries, folder: Path, stem: str
    ) -> list[Artifact]:
        from cohortkit.writers import files  # noqa: PLC0415 - the writer's own business

        assert series.names.series == stem
        written = files.write(folder / f"{stem}.txt", [self.text.encode()])
        return [
            Artifact(
                "leaky", "text", f"{stem}.txt", written.sha256, written.size, payload.instances
            )
        ]


@pytest.mark.parametrize("text", ["quisling", "MRN 00471113", "born 29.02.1948", "ACC-7719023"])
def test_a_leaky_writer_is_caught_and_its_series_quarantined(
    key: ck.Key, tmp_path: Path, text: str
) -> None:
    """Nothing of the series is in the release; the vault has kind and place, not the value."""
    write_series(tmp_path / "archive", Patient(), Series())
    writer = Leaky()
    writer.text = text
    out = tmp_path / "out"

    export = run(planned(tmp_path / "archive", [writer, "tables", "png"]), out, key)

    assert {"identity-found"} == set(export.refused()["reason"])
    assert 3 == export.refused().height
    assert not list(export.release.rglob("*.png"))
    assert 0 == export.table("series").height
    held = [path for path in (out / "quarantine").rglob("*") if path.is_file()]
    assert 1 + 2 * 4 == len(held)
    assert all(0o600 == path.stat().st_mode & 0o777 for path in held)
    residual = next((out / "vault/residuals").rglob("*.json")).read_text()
    assert json.loads(residual)["hits"]
    assert text not in residual
    assert 4 == export.exit_code


def test_ids_that_are_paths_formulas_or_endless_stay_inside_the_output(
    key: ck.Key, tmp_path: Path
) -> None:
    """``../``, NUL, ``=cmd``, 300 characters, other scripts: names are made, never taken."""
    ids = (
        "../../../etc/x",
        "a\0b../",
        "=cmd|' /C calc'!A0",
        "x" * 300,
        "患者-七七三",
        "/etc/passwd7",
    )
    for number, patient_id in enumerate(ids):
        patient = Patient(patient_id=patient_id, accession=f"ACC-771902{number}")
        write_series(tmp_path / "archive" / str(number), patient, Series(slices=2))
    out = tmp_path / "here" / "out"

    export = run(planned(tmp_path / "archive", ["nifti", "png", "tables"]), out, key)

    assert {"archive", "here"} == {path.name for path in tmp_path.iterdir()}
    assert ["out"] == [path.name for path in (tmp_path / "here").iterdir()]
    assert 0 == export.failed().height
    for path in export.release.rglob("*"):
        assert path.name.isascii()
        assert len(path.name) < 64


def test_a_person_of_ninety_in_any_study_of_the_index_is_capped_in_all(
    key: ck.Key, tmp_path: Path
) -> None:
    """The cohort holds the study at 88; the index also knows the one at 91."""
    young = Patient(age="088Y", birth_date="", study_date="20150101")
    old = Patient(age="091Y", birth_date="", study_date="20180101", accession="ACC-99")
    write_series(tmp_path / "archive", young, Series(study=1))
    write_series(tmp_path / "archive", old, Series(study=2))
    cohort = ck.scan(tmp_path / "archive", progress=False, workers=1).search(PatientAge="088Y")

    plan = ck.plan(cohort, ck.load_recipe("patient-characteristics-kept"), to="tables")

    assert [True] == [task.over_89 for task in plan.tasks]
    assert 1 == run(plan, tmp_path / "out", key).table("studies").height


def test_an_index_without_ages_lets_no_age_out(key: ck.Key, tmp_path: Path) -> None:
    """It cannot tell who is over 89 in another study, and the plan says so."""
    write_series(tmp_path / "archive", Patient(age="045Y"), Series(slices=2))
    scanned = ck.scan(tmp_path / "archive", progress=False, workers=1)
    rows = scanned.instances(scanned.series().collect()["series_key"])
    (tmp_path / "table").mkdir()
    few = tmp_path / "table" / "few.parquet"
    rows.drop("PatientAge", "PatientBirthDate").write_parquet(few)
    cohort = ck.open_index(few).search()

    plan = ck.plan(cohort, ck.load_recipe("patient-characteristics-kept"), to="tables")
    studies = run(plan, tmp_path / "out", key).table("studies")

    assert "does not tell who is over 89" in repr(plan)
    assert [None] == studies["PatientAge"].to_list()
    assert ["F"] == run(plan, tmp_path / "out", key).table("patients")["PatientSex"].to_list()


@pytest.mark.parametrize("word", ["QUISLING", "ACC5500771", "19480229"])
def test_what_another_study_knows_of_the_patient_is_searched_for(
    key: ck.Key, tmp_path: Path, word: str
) -> None:
    """In a series without a name somebody typed hers, her birth date or the number of another."""
    named = Patient(accession="ACC5500771")
    nameless = Patient(name="", accession="ACC5500772", birth_date="")
    write_series(tmp_path / "archive", named, Series(study=1, number=1))
    write_series(
        tmp_path / "archive", nameless, Series(study=2, number=2, extra={"ScanOptions": word})
    )
    cohort = ck.scan(tmp_path / "archive", progress=False, workers=1).search(SeriesNumber=2)

    recipe = ck.load_recipe(keeping(tmp_path, "ScanOptions"))
    export = run(ck.plan(cohort, recipe, to="tables"), tmp_path / "out", key)

    assert ["identity-found"] == export.refused()["reason"].unique().to_list()


FIRST_STUDY = {
    "OtherPatientIDs": ["KIS-7714402"],
    "OtherPatientNames": "Vandersteen^Mia",
    "PatientBirthName": "Ottenhof",
    "PatientMotherBirthName": "Zevenbergen",
    "PatientAddress": "Lindengracht 44, Ypelo",
    "PatientTelephoneNumbers": "0761-5554321",
    "AdmissionID": "ADM-118833",
    "ReferringPhysicianName": "Wackernagel^Emil",
    "OperatorsName": "Nettesheim^Ida",
    "InstitutionName": "Spital Obenau",
}


@pytest.mark.parametrize(
    "note",
    [
        "KIS-7714402", "Vandersteen", "born Ottenhof", "Zevenbergen", "Lindengracht 44",
        "0761 5554321", "ADM-118833", "asks Wackernagels office", "Nettesheim", "from Obenau",
    ],
)  # fmt: skip
def test_a_label_tells_nothing_that_another_study_alone_knows(
    key: ck.Key, tmp_path: Path, note: str
) -> None:
    """A label is joined to the person: each study of hers gives it, whatever its headers say."""
    archive = tmp_path / "archive"
    plain = Patient(accession="ACC5500772", physician="")
    write_series(archive, Patient(), Series(study=1, number=1, extra=FIRST_STUDY))
    nobody = dict.fromkeys(("InstitutionName", "OperatorsName"), "")
    write_series(archive, plain, Series(study=2, number=2, extra=nobody))
    (tmp_path / "note.toml").write_text(
        'basis = "expert-determination"\n[labels]\nnote = "text"\n', "utf-8"
    )
    index = ck.scan(archive, tmp_path / "index", progress=False, workers=1)
    people = index.search().to_polars(identified=True)["PatientID"].unique()
    joined = index.search(SeriesNumber=2).join(
        pl.DataFrame({"PatientID": people, "note": [f"see {note} again"] * len(people)}),
        on="PatientID",
    )

    export = run(
        ck.plan(joined, ck.load_recipe(tmp_path / "note.toml"), to="tables"), tmp_path / "out", key
    )

    told = b"".join(path.read_bytes() for path in export.release.rglob("*.parquet"))
    assert note.encode() not in told
    written = export.counts().filter(pl.col("level") == "series")["written"].sum()
    if written:
        assert [None] == export.table("labels")["note"].to_list()


def test_a_joined_column_that_the_recipe_does_not_release_is_told_and_held_back(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """Not silently dropped: the plan names it."""
    index = ck.scan(archive, progress=False, workers=1)
    table = pl.DataFrame({"PatientID": ["MRN-00471113"], "diagnosis": ["a secret of hers"]})
    plan = ck.plan(index.search().join(table, on="PatientID"), ck.load_recipe("basic"), to="tables")

    export = run(plan, tmp_path / "out", key)

    assert ("diagnosis",) == plan.withheld
    assert "labels held back" in repr(plan)
    assert all(b"a secret of hers" not in p.read_bytes() for p in export.release.rglob("*.*"))


def test_the_plan_foresees_what_the_run_then_does(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """Refusals by reason are the same, and neither its text nor its table names anybody."""
    plan = planned(archive, ["nifti", "png", "tables"])

    export = run(plan, tmp_path / "out", key)

    found = export.refused().filter(pl.col("output") == "tables")["reason"].to_list()
    assert {str(reason): count for reason, count in plan.refusals().items()} == {
        reason: found.count(reason) for reason in found
    }
    shown = repr(plan) + plan._repr_html_() + json.dumps(plan.summary())
    assert not any(value in shown for value in Patient().planted())


@pytest.mark.parametrize("single", ["refuse", "keep-2d"])
def test_the_plan_foresees_lone_slices(key: ck.Key, tmp_path: Path, single: str) -> None:
    """For volumes alone, and not where the writer keeps them."""
    write_series(tmp_path / "archive", Patient(), Series(number=1, slices=1))
    write_series(tmp_path / "archive", Patient(), Series(number=2, slices=3))
    plan = planned(tmp_path / "archive", [ck.Nifti(single=single), "tables"])

    export = run(plan, tmp_path / "out", key)

    found = export.refused()["reason"].to_list()
    foreseen = {str(reason): count for (_, reason), count in plan.refusals_of().items()}
    assert foreseen == {reason: found.count(reason) for reason in found}
    assert (single == "refuse") == ("single-slice" in repr(plan))


def test_an_index_without_paths_cannot_be_exported(archive: Path, tmp_path: Path) -> None:
    """A table of a PACS that knows series and no files."""
    index = ck.scan(archive, progress=False, workers=1)
    index.series().collect().write_parquet(tmp_path / "table.parquet")

    with pytest.raises(CohortkitError, match="files"):
        ck.plan(
            ck.open_index(tmp_path / "table.parquet").search(), ck.load_recipe("basic"), to="tables"
        )  # type: ignore[attr-defined]  # an index has it


# --- verification ---------------------------------------------------------------------------


def test_verify_finds_what_was_changed_added_removed_or_leaked_later(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """First in order; then each kind of damage by name."""
    out, index = tmp_path / "out", ck.scan(archive, progress=False, workers=1)
    export = run(planned(archive, ["nifti", "tables"]), out, key)
    assert ck.verify(out, key=key, index=index).ok

    sidecar = min(export.release.rglob("r*.json"))
    sidecar.write_text('{"Comment": "Quisling, Vandersloot"}')
    (export.release / "notes.txt").write_text("x")
    max(export.release.rglob("*.nii.gz")).unlink()
    found = ck.verify(out, key=key, index=index)

    assert ["changed", "in no record", "missing"] == sorted(str(w.fault) for w in found.wrong)
    assert {"name"} == {str(hit.kind) for _, hit in found.hits}
    assert "uisling" not in str(found) + json.dumps(found.summary())
    assert not found.ok
    assert "delete the files that are named here" in str(found)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("walk.ipynb", json.dumps({"cells": [{"source": "of Quisling\\u005eMarjolein"}]}), True),
        ("walk.ipynb", json.dumps({"cells": [{"outputs": ["MRN-00471113"]}]}), True),
        ("run.log", "begin\nseries of MARJOLEIN QUISLING done\n", True),
        ("run.log", "begin\n3 series done at 12.9.2026, quarantine empty\n", False),
        ("quisling_marjolein.log", "", True),
    ],
)
def test_verify_searches_what_lies_beside_the_release(
    archive: Path,
    key: ck.Key,
    tmp_path: Path,
    name: str,
    text: str,
    found: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """A notebook or a log that is to leave with it."""
    out, index = tmp_path / "out", ck.scan(archive, progress=False, workers=1)
    run(planned(archive, "tables"), out, key)
    beside = tmp_path / name
    beside.write_text(text.replace("\\\\u", "\\u"))

    told = ck.verify(out, key=key, index=index, also=[beside])

    assert (not told.ok) is found
    assert {name for name, _ in told.hits} == ({name} if found else set())


def test_verify_wants_the_files_that_it_is_to_search(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """A misspelt path is no clean file."""
    run(planned(archive, "tables"), tmp_path / "out", key)

    with pytest.raises(OutputError, match="no file"):
        ck.verify(tmp_path / "out", key=key, also=[tmp_path / "nothing.log"])


@pytest.mark.parametrize("kind", ["zip", "xz", "utf-16"])
def test_verify_refuses_what_it_would_search_in_vain(
    archive: Path, key: ck.Key, tmp_path: Path, kind: str
) -> None:
    """A name in a packed file, or in a text of two bytes a letter, is not said to be absent."""
    run(planned(archive, "tables"), tmp_path / "out", key)
    beside, text = tmp_path / "beside", "of Quisling^Marjolein"
    if kind == "zip":
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("a.txt", text)
    elif kind == "xz":
        beside.write_bytes(lzma.compress(text.encode()))
    else:
        beside.write_text(text, encoding="utf-16")

    with pytest.raises(OutputError, match=r"beside is (packed|text in UTF-16)"):
        ck.verify(tmp_path / "out", key=key, also=[beside])


def test_verify_says_when_the_index_is_another(archive: Path, key: ck.Key, tmp_path: Path) -> None:
    """What it does not hold cannot be searched for, and that is no unreadable source."""
    out = tmp_path / "out"
    export = run(planned(archive, "tables"), out, key)
    write_series(tmp_path / "other", Patient(), Series(number=77, study=77))
    done = export.table("tasks").filter(pl.col("status") == "written").height

    found = ck.verify(out, key=key, index=ck.scan(tmp_path / "other", progress=False, workers=1))

    assert (done, done) == (found.elsewhere, found.unchecked)
    assert f"{done} series are not in this index" in str(found)
    assert not found.ok


def test_verify_wants_the_same_key_and_an_export(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """Another key would look for other names; an empty folder holds nothing."""
    run(planned(archive), tmp_path / "out", key)
    other = ck.Key.new(tmp_path / "other", project="other")

    with pytest.raises(KeyFileError, match="another key"):
        ck.verify(tmp_path / "out", key=other)
    with pytest.raises(OutputError, match="no export"):
        ck.verify(tmp_path / "nowhere", key=key)
    assert not ck.verify(tmp_path / "out", key=key).searched


def test_verify_says_which_series_it_could_not_search(key: ck.Key, tmp_path: Path) -> None:
    """A source that is gone is not a clean bill."""
    write_series(tmp_path / "archive", Patient(), Series())
    index = ck.scan(tmp_path / "archive", progress=False, workers=1)
    run(planned(tmp_path / "archive"), tmp_path / "out", key)
    for path in (tmp_path / "archive").iterdir():
        path.unlink()

    found = ck.verify(tmp_path / "out", key=key, index=index)

    assert 1 == found.unchecked
    assert not found.ok


def test_an_unknown_table_is_named_with_those_that_there_are(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """And those that there are can be read."""
    export = run(planned(archive), tmp_path / "out", key)

    with pytest.raises(UsageError, match="files"):
        export.table("fils")
    assert export.table("patients").height == 2
