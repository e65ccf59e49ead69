"""The crosswalk: right, complete, never unseen, and never where it could leave."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl
import pydicom
import pytest
from pydicom.misc import is_dicom

import cohortkit as ck
from cohortkit.errors import IdTableError, KeyFileError, NoRoom, OutputError, UsageError
from factory import Patient, Series, write_series
from independent import dicom_files
from promised import PATIENTS, make_archive, tree

REASON = "an incidental finding has to be told"
TABLED = 'basis = "authorization"\nids = "table"\n'


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive; one export with keyed ids, one with random ones."""
    folder = tmp_path_factory.mktemp("crosswalk")
    make_archive(folder / "archive")
    index = ck.scan(folder / "archive", folder / "index", progress=False)
    key = ck.Key.new(folder / "key", "crosswalk")
    ids = ck.IdTable.new(folder / "ids", key)
    (folder / "tabled.toml").write_text(TABLED)
    for name, recipe, table in (
        ("keyed", "basic", None),
        ("tabled", str(folder / "tabled.toml"), ids),
    ):
        plan = ck.plan(index.search(), ck.load_recipe(recipe), to=["dicom", "nifti"])
        ck.export(plan, folder / name, key=key, ids=table, workers=1, progress=False)
    return folder


def options(base: Path, kind: str) -> dict[str, object]:
    ids = ck.IdTable.from_file(base / "ids") if kind == "tabled" else None
    return {
        "key": ck.Key.from_file(base / "key"),
        "index": base / "index",
        "reason": REASON,
        "ids": ids,
    }


def write(base: Path, to: Path, kind: str = "keyed", **more: object) -> ck.Crosswalk:
    asked = more if "key" in more and "index" in more else {**options(base, kind), **more}
    return ck.crosswalk(base / kind, to, **asked)  # type: ignore[arg-type]


def log(base: Path, kind: str = "keyed") -> list[Mapping[str, object]]:
    path = base / kind / "vault" / "audit.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [one for one in map(json.loads, lines) if one["event"] == "crosswalk"]


def sources(base: Path) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(one) for one in dicom_files([base / "archive"]) if is_dicom(one)]


@pytest.mark.parametrize("kind", ["keyed", "tabled"])
def test_every_released_object_is_found_again(base: Path, tmp_path: Path, kind: str) -> None:
    """By its UID, its study, series and patient: to the object that it was made from."""
    write(base, tmp_path / "all.parquet", kind, level="instance")
    rows = {r["ReleasedSOPInstanceUID"]: r for r in _rows(tmp_path / "all.parquet")}
    originals = {one.SOPInstanceUID: one for one in sources(base)}
    released = [pydicom.dcmread(path) for path in (base / kind / "release").rglob("*.dcm")]

    assert len(released) > 10
    for one in released:
        row = rows[one.SOPInstanceUID]
        source = originals[row["SOPInstanceUID"]]
        assert (source.PatientID, source.IssuerOfPatientID, source.StudyInstanceUID) == (
            row["PatientID"],
            row["IssuerOfPatientID"],
            row["StudyInstanceUID"],
        )
        assert one.PatientID == row["patient"]
        assert one.StudyInstanceUID == row["ReleasedStudyInstanceUID"]
        assert one.SeriesInstanceUID == row["ReleasedSeriesInstanceUID"]
        assert source.SeriesInstanceUID == row["SeriesInstanceUID"]
        assert one.InstanceNumber == source.InstanceNumber
    assert set(originals) == {row["SOPInstanceUID"] for row in rows.values()} | {
        row["SOPInstanceUID"] for row in _rows(tmp_path / "all.parquet")
    }


def _rows(path: Path) -> list[dict[str, str]]:
    read = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    return read.to_dicts()


@pytest.mark.parametrize("kind", ["keyed", "tabled"])
def test_folders_of_a_release_lead_to_patients(base: Path, tmp_path: Path, kind: str) -> None:
    """A row a patient, by default; each folder is one of them."""
    made = write(base, tmp_path / "who.csv", kind)
    rows = {row["patient"]: row["PatientID"] for row in _rows(tmp_path / "who.csv")}
    folders = {path.name for path in (base / kind / "release" / "dicom").iterdir()}

    assert folders == set(rows)
    assert {one.patient_id for one in PATIENTS} == set(rows.values())
    assert (2, 2, 0, "patient") == (made.rows, made.patients, made.missing, made.level)
    assert 0o600 == (tmp_path / "who.csv").stat().st_mode & 0o777
    assert ["who.csv"] == [path.name for path in tmp_path.iterdir()]


def test_it_is_noted_who_asked_when_for_whom_and_why(base: Path, tmp_path: Path) -> None:
    """One sealed line, with the digest of the file; nobody is named in it."""
    before = len(log(base))
    patient = next((base / "keyed" / "release" / "dicom").iterdir()).name

    write(base, tmp_path / "one.csv", only=[patient], reason=f"  {REASON}\n")

    assert before + 1 == len(log(base))
    line = log(base)[-1]
    digest = tree(tmp_path)["one.csv"]
    assert (REASON, 1, 1, "patient", [patient], digest, "keyed") == tuple(
        line[name] for name in ("reason", "rows", "patients", "level", "only", "sha256", "ids")
    )
    assert {"user", "uid", "host", "at", "key_id", "seal"} <= set(line)
    assert not any(one.patient_id in json.dumps(line) for one in PATIENTS)


def test_only_those_who_are_asked_for_are_told(base: Path, tmp_path: Path) -> None:
    """By patient, study or series; a pseudonym that is none is an error, and nothing is written."""
    study = next((base / "keyed" / "release" / "dicom").glob("*/*"))

    write(base, tmp_path / "s.csv", level="series", only=[study.name])
    write(base, tmp_path / "p.csv", only=[study.parent.name])

    assert {study.name} == {row["study"] for row in _rows(tmp_path / "s.csv")}
    assert [study.parent.name] == [row["patient"] for row in _rows(tmp_path / "p.csv")]
    before = len(log(base))
    with pytest.raises(UsageError, match="'pnobody' is no patient"):
        write(base, tmp_path / "x.csv", only=["pnobody", study.parent.name])
    assert not (tmp_path / "x.csv").exists()
    assert before == len(log(base))


@pytest.mark.parametrize("reason", ["", "   ", "because", None, "x y " * 1000])
def test_no_reason_no_crosswalk(base: Path, tmp_path: Path, reason: object) -> None:
    """Nothing is read, written or noted."""
    before = len(log(base))
    with pytest.raises(UsageError, match="reason"):
        write(base, tmp_path / "x.csv", reason=reason)

    assert [] == list(tmp_path.iterdir())
    assert before == len(log(base))


def test_another_key_table_or_index_finds_nobody(base: Path, tmp_path: Path) -> None:
    """Each by its name; an index that lacks them is told too."""
    other = ck.Key.new(tmp_path / "key", "crosswalk")
    table = ck.IdTable.new(tmp_path / "ids", ck.Key.from_file(base / "key"))
    write_series(tmp_path / "archive", Patient(patient_id="somebody-else"), Series())
    ck.scan(tmp_path / "archive", tmp_path / "index", progress=False)

    with pytest.raises(KeyFileError, match="another key"):
        write(base, tmp_path / "x.csv", key=other)
    with pytest.raises(IdTableError, match="its ids are random"):
        write(base, tmp_path / "x.csv", "tabled", ids=None)
    with pytest.raises(IdTableError, match="another table"):
        write(base, tmp_path / "x.csv", "tabled", ids=table)
    with pytest.raises(IdTableError, match="another table, or of none"):
        write(base, tmp_path / "x.csv", "keyed", ids=table)
    with pytest.raises(UsageError, match="nothing to write"):
        write(base, tmp_path / "x.csv", index=tmp_path / "index")
    with pytest.raises(OutputError, match="there is no export"):
        ck.crosswalk(tmp_path / "no", tmp_path / "x.csv", **options(base, "keyed"))  # type: ignore[arg-type]
    assert not (tmp_path / "x.csv").exists()
    assert 0 == len(table)


def test_it_is_never_where_it_could_leave(base: Path, tmp_path: Path) -> None:
    """Not in a release, moved or not, not in the archive or its index, never over a file."""
    moved = tmp_path / "moved"
    shutil.copytree(base / "keyed" / "release", moved)
    (tmp_path / "link").symlink_to(base / "keyed" / "release")
    (tmp_path / "there.csv").write_text("mine")
    before = tree(base / "archive"), tree(moved), tree(base / "keyed" / "release")
    for place in (
        base / "keyed" / "release" / "who.csv",
        base / "tabled" / "release" / "dicom" / "who.csv",
        base / "keyed" / "quarantine" / "who.csv",
        base / "keyed" / "who.csv",
        moved / "who.csv",
        moved / "dicom" / "who.csv",
        tmp_path / "link" / "who.csv",
        base / "archive" / "who.csv",
        base / "index" / "who.csv",
        tmp_path / "there.csv",
        tmp_path / "no" / "who.csv",
    ):
        with pytest.raises(OutputError):
            write(base, place)
    for name in ("who", "who.xlsx"):
        with pytest.raises(UsageError, match=r"\.csv or \.parquet"):
            write(base, tmp_path / name)
    with pytest.raises(OutputError, match="NUL"):
        write(base, Path("a\0b.csv"))

    assert before == (tree(base / "archive"), tree(moved), tree(base / "keyed" / "release"))
    assert "mine" == (tmp_path / "there.csv").read_text()
    write(base, base / "keyed" / "vault" / "who.csv")
    assert (base / "keyed" / "vault" / "who.csv").exists()


def test_without_a_line_in_the_log_there_is_no_file(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vault that cannot be written: nobody gets to look unseen, not even at half of it."""

    def full(*_: object, **__: object) -> None:
        assert [] == list(tmp_path.iterdir())  # what a kill would leave
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("cohortkit.audit.append", full)
    with pytest.raises(NoRoom, match="no space left"):
        write(base, tmp_path / "x.csv")

    assert [] == list(tmp_path.iterdir())


def test_an_identifier_that_is_a_formula_is_not_changed(tmp_path: Path) -> None:
    """CSV would have to alter it: refused by name; Parquet holds it as it is."""
    her = replace(Patient(), patient_id="=1+2-3344556")
    write_series(tmp_path / "archive", her, Series())
    index = ck.scan(tmp_path / "archive", tmp_path / "index", progress=False)
    key = ck.Key.new(tmp_path / "key", "x")
    plan = ck.plan(index.search(), ck.load_recipe("basic"), to="tables")
    ck.export(plan, tmp_path / "out", key=key, workers=1, progress=False)

    with pytest.raises(UsageError, match="1 cells would be formulas"):
        ck.crosswalk(tmp_path / "out", tmp_path / "x.csv", key, index, reason=REASON)
    ck.crosswalk(tmp_path / "out", tmp_path / "x.parquet", key, index, reason=REASON)

    assert ["=1+2-3344556"] == [row["PatientID"] for row in _rows(tmp_path / "x.parquet")]


def test_who_was_merged_is_listed_under_each_of_her_ids(tmp_path: Path) -> None:
    """The steward finds her whichever number she has now."""
    her, before = PATIENTS[0], replace(PATIENTS[0], patient_id="OLD-778812")
    for number, patient in enumerate((her, before)):
        write_series(tmp_path / "archive" / str(number), patient, Series(study=number))
    index = ck.scan(tmp_path / "archive", tmp_path / "index", progress=False)
    key = ck.Key.new(tmp_path / "key", "x")
    people = pl.DataFrame(
        {
            "PatientID": [before.patient_id],
            "IssuerOfPatientID": [her.issuer],
            "IntoPatientID": [her.patient_id],
            "IntoIssuerOfPatientID": [her.issuer],
        }
    )
    plan = ck.plan(index.search(), ck.load_recipe("basic"), to="dicom", people=people)
    ck.export(plan, tmp_path / "out", key=key, workers=1, progress=False)

    made = ck.crosswalk(tmp_path / "out", tmp_path / "x.csv", key, index, reason=REASON)

    rows = _rows(tmp_path / "x.csv")
    assert {her.patient_id, before.patient_id} == {row["PatientID"] for row in rows}
    assert 1 == made.patients == len({row["patient"] for row in rows})


def test_what_it_shows_names_nobody(base: Path, tmp_path: Path) -> None:
    """Its repr, its summary, its errors."""
    made = write(base, tmp_path / "x.csv")

    shown = f"{made!r}{made._repr_html_()}{made.summary()}"
    assert "2 patients" in shown
    assert not any(value in shown for one in PATIENTS for value in one.planted())


def test_uids_that_a_recipe_keeps_are_told_as_they_are(tmp_path: Path) -> None:
    """Under retain-uids the released UID is the source's."""
    write_series(tmp_path / "archive", Patient(), Series())
    index = ck.scan(tmp_path / "archive", tmp_path / "index", progress=False)
    key = ck.Key.new(tmp_path / "key", "x")
    (tmp_path / "r.toml").write_text('basis = "authorization"\noptions = ["retain-uids"]\n')
    plan = ck.plan(index.search(), ck.load_recipe(tmp_path / "r.toml"), to="dicom")
    ck.export(plan, tmp_path / "out", key=key, workers=1, progress=False)

    ck.crosswalk(tmp_path / "out", tmp_path / "x.csv", key, index, reason=REASON, level="instance")

    released = [pydicom.dcmread(path) for path in (tmp_path / "out" / "release").rglob("*.dcm")]
    assert {one.SOPInstanceUID for one in released} == {
        row["ReleasedSOPInstanceUID"] for row in _rows(tmp_path / "x.csv")
    }


def test_the_shell_does_the_same(
    base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit codes: 0 written, 2 without key, reason or table."""
    from cohortkit.cli import main  # noqa: PLC0415 - the command itself

    words = [
        "crosswalk",
        str(base / "tabled"),
        str(tmp_path / "x.csv"),
        "--index",
        str(base / "index"),
    ]
    words += ["--key", str(base / "key"), "--reason", REASON]

    assert 2 == main(words)
    assert 2 == main([*words[:-1], "", "--ids", str(base / "ids")])
    assert 0 == main([*words, "--ids", str(base / "ids"), "--json"])
    assert '"rows": 2' in capfd.readouterr().out
    assert {one.patient_id for one in PATIENTS} == {
        r["PatientID"] for r in _rows(tmp_path / "x.csv")
    }


def test_a_damaged_vault_is_told(base: Path, tmp_path: Path) -> None:
    """Neither what the export was nor who was merged is guessed."""
    out = tmp_path / "keyed"
    shutil.copytree(base / "keyed", out)
    (out / "vault" / "people.json").write_text('{"rows": [["a"]]}')

    with pytest.raises(OutputError, match=r"damaged \(people.json\)"):
        write(tmp_path, tmp_path / "x.csv", **options(base, "keyed"))
    with pytest.raises(OutputError, match=r"damaged \(people.json\)"):
        ck.verify(out, ck.Key.from_file(base / "key"), base / "index")
    (out / "vault" / "people.json").unlink()
    (out / "vault" / "about.json").write_text("half of it")
    with pytest.raises(OutputError, match=r"damaged \(about.json\)"):
        write(tmp_path, tmp_path / "x.csv", **options(base, "keyed"))
    (out / "vault" / "about.json").unlink()
    with pytest.raises(OutputError, match="no export is there"):
        write(tmp_path, tmp_path / "x.csv", **options(base, "keyed"))

    assert not (tmp_path / "x.csv").exists()
