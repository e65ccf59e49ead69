"""Exports with random ids: all of them out of the table, none made from what it stands for."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pydicom
import pytest
from pydicom.fileset import FileSet
from pydicom.misc import is_dicom
from pydicom.uid import UID

import cohortkit as ck
from cohortkit import cli
from cohortkit.deidentify import idrows
from cohortkit.errors import IdTableError, OutputError, UsageError
from cohortkit.model import Person
from cohortkit.run.records import from_json
from independent import dicom_files
from promised import PATIENTS, make_archive, tree

HARBOR = (
    'basis = "safe-harbor"\nids = "table"\noptions = ["retain-patient-characteristics"]\n'
    '[[pixels.accept]]\nmodality = "OT"\nrisks = ["high-risk-class", "not-stated"]\n'
    'reason = "our captures were looked at and are empty"\n'
)
TO = ["dicom", "nifti", "tables"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive, its index, a key, and a recipe on the basis of Safe Harbor."""
    folder = tmp_path_factory.mktemp("ids")
    make_archive(folder / "archive")
    ck.scan(folder / "archive", folder / "index", progress=False)
    ck.Key.new(folder / "key", "ids")
    (folder / "harbor.toml").write_text(HARBOR)
    return folder


@pytest.fixture
def table(base: Path, tmp_path: Path) -> ck.IdTable:
    return ck.IdTable.new(tmp_path / "table", ck.Key.from_file(base / "key"))


def key(base: Path) -> ck.Key:
    return ck.Key.from_file(base / "key")


def plan(base: Path, recipe: str = "harbor.toml", **terms: object) -> ck.Plan:
    said = ck.load_recipe(base / recipe) if "." in recipe else ck.load_recipe(recipe)
    return ck.plan(ck.open_index(base / "index").search(**terms), said, to=TO)


def run(base: Path, out: Path, ids: ck.IdTable | None, **options: object) -> ck.Export:
    options = {"workers": 1, "progress": False, **options}
    return ck.export(plan(base), out, key=key(base), ids=ids, **options)  # type: ignore[arg-type]


def drawn(path: Path) -> set[bytes]:
    """All that a table ever drew, read without cohortkit."""
    file = sqlite3.connect(path)
    rows = {row for (row,) in file.execute("SELECT drawn FROM ids")}
    file.close()
    return rows


def uids_in(dataset: pydicom.Dataset) -> Iterator[str]:
    for element in dataset.iterall():
        if element.VR == "UI" and element.value:
            values = [element.value] if element.VM == 1 else element.value
            yield from (str(value) for value in values if value)


def released_uids(release: Path) -> set[str]:
    return {
        uid
        for path in release.rglob("*.dcm")
        for uid in uids_in(pydicom.dcmread(path))
        if not UID(uid).is_transfer_syntax and UID(uid).type == ""
    }


def released_names(out: ck.Export) -> set[str]:
    files = out.table("files")
    return {value for name in ("patient", "study", "series") for value in files[name]}


def test_every_id_of_a_release_was_drawn(base: Path, table: ck.IdTable, tmp_path: Path) -> None:
    """Names, tokens and UIDs, in paths, tables and objects: all of them stand in the table."""
    made = run(base, tmp_path / "out", table)
    rows = drawn(table.path)

    assert 0 == made.exit_code
    assert released_names(made)
    assert all(table.gave(name) for name in released_names(made))
    assert all(table.gave(task) for task in made.table("tasks")["task"].drop_nulls())
    assert released_uids(made.release)
    assert all(
        uid.startswith("2.25.") and int(uid[5:]).to_bytes(16, "big") in rows
        for uid in released_uids(made.release)
    )


def test_no_keyed_id_is_in_a_release(base: Path, table: ck.IdTable, tmp_path: Path) -> None:
    """What the key alone would make of the identifiers of the archive is nowhere."""
    made = run(base, tmp_path / "out", table)
    keyed = key(base).pseudonyms()
    sources = [pydicom.dcmread(one) for one in dicom_files([base / "archive"]) if is_dicom(one)]
    derived = {
        name
        for one in sources
        for name in (
            keyed.patient(Person(one.get("IssuerOfPatientID", ""), one.PatientID)),
            keyed.study(one.StudyInstanceUID),
            keyed.series(one.SeriesInstanceUID),
            keyed.uid(one.SOPInstanceUID),
            keyed.uid(one.StudyInstanceUID),
            keyed.token("AccessionNumber", one.AccessionNumber),
        )
    }
    data = b"\n".join(
        path.read_bytes() + str(path).encode() for path in made.release.rglob("*") if path.is_file()
    )

    assert len(derived) > len(PATIENTS) * 4
    assert [] == [name for name in derived if name.encode() in data]


def test_the_same_table_gives_the_same_bytes_and_another_has_nothing_in_common(
    base: Path, table: ck.IdTable, tmp_path: Path
) -> None:
    """With one worker or two, here or there; another table is another world."""
    other = ck.IdTable.new(tmp_path / "other", key(base))

    one = run(base, tmp_path / "1", table)
    two = run(base, tmp_path / "2", ck.IdTable.from_file(table.path), workers=2)
    three = run(base, tmp_path / "3", other)

    assert tree(one.release) == tree(two.release)
    assert set() == released_names(one) & released_names(three)
    assert set() == released_uids(one.release) & released_uids(three.release)


def test_it_is_said_everywhere_which_kind_was_used(
    base: Path, table: ck.IdTable, tmp_path: Path
) -> None:
    """Plan, manifest, report, objects and the vault."""
    made = run(base, tmp_path / "out", table)
    vault = tmp_path / "out" / "vault"
    keyed = ck.export(plan(base, "basic"), tmp_path / "k", key=key(base), progress=False)

    assert "table" == plan(base).summary()["ids"]
    assert "random, out of a table" in repr(plan(base))
    assert {"kind": "table", "table": table.table_id} == made.manifest["ids"]
    assert {"kind": "keyed", "table": None} == keyed.manifest["ids"]
    assert {"table": table.table_id} == json.loads((vault / "export.json").read_bytes())["ids"]
    assert "drawn at random and kept in a table" in (made.release / "report.html").read_text()
    first = pydicom.dcmread(next(made.release.rglob("*.dcm")))
    assert any("ids: out of a table" in line for line in first.DeidentificationMethod)
    for path in (vault / "records").rglob("*.json"):
        record = from_json(path.read_bytes())
        assert record is not None
        assert table.gave(record.task)


def test_what_the_recipe_asks_for_is_what_is_done(
    base: Path, table: ck.IdTable, tmp_path: Path
) -> None:
    """No table where one is asked for, a table where none is: refused before anything is made."""
    with pytest.raises(IdTableError, match="asks for random ids"):
        run(base, tmp_path / "out", None)
    with pytest.raises(IdTableError, match="asks for keyed ids"):
        ck.export(plan(base, "basic"), tmp_path / "out", key=key(base), ids=table)
    with pytest.raises(UsageError, match="a table of random ids"):
        run(base, tmp_path / "out", "table")  # type: ignore[arg-type]
    other = ck.Key.new(tmp_path / "other", "ids")
    with pytest.raises(IdTableError, match="another key"):
        ck.export(plan(base), tmp_path / "out", key=other, ids=table, progress=False)

    assert not (tmp_path / "out").exists()
    assert 0 == len(table)


def test_a_table_in_the_archive_is_refused(base: Path, tmp_path: Path) -> None:
    """It would be written there, and the archive is only read."""
    copy = tmp_path / "base"
    shutil.copytree(base, copy, ignore=shutil.ignore_patterns("index"))
    ck.scan(copy / "archive", copy / "index", progress=False)
    for place in ("archive", "index"):
        ids = ck.IdTable.new(copy / place / "table", key(base))
        with pytest.raises(IdTableError, match="inside the archive"):
            run(copy, tmp_path / "out", ids)


def test_a_table_may_lie_in_the_vault(base: Path, tmp_path: Path) -> None:
    """It stays there through runs, and its ids with it; what is swept away is other things."""
    (tmp_path / "out" / "vault").mkdir(parents=True, mode=0o700)
    place = tmp_path / "out" / "vault" / "ids.table"

    run(base, tmp_path / "out", ck.IdTable.new(place, key(base)), limit=2)
    again = run(base, tmp_path / "out", ck.IdTable.from_file(place))

    assert 0 == again.exit_code
    assert all(ck.IdTable.from_file(place).gave(name) for name in released_names(again))


def test_a_resume_needs_the_same_table(base: Path, table: ck.IdTable, tmp_path: Path) -> None:
    """Another table is refused, and so is an older copy of the right one: nothing is drawn."""
    older, other = tmp_path / "older", ck.IdTable.new(tmp_path / "other", key(base))
    shutil.copy2(table.path, older)
    run(base, tmp_path / "out", table, limit=2)
    before = tree(tmp_path / "out")

    with pytest.raises(OutputError, match="out of another table"):
        run(base, tmp_path / "out", other)
    with pytest.raises(OutputError, match="older copy"):
        run(base, tmp_path / "out", ck.IdTable.from_file(older))

    assert before == tree(tmp_path / "out")
    assert 0 == len(other) == len(ck.IdTable.from_file(older))
    assert 0 == run(base, tmp_path / "out", table).exit_code
    with pytest.raises(OutputError, match="out of another table"):
        ck.export(plan(base, "basic"), tmp_path / "out", key=key(base), progress=False)


def test_an_older_copy_tells_nobody_anything(base: Path, table: ck.IdTable, tmp_path: Path) -> None:
    """Verification and crosswalk say what it is, instead of missing series without a word."""
    older = tmp_path / "older"
    shutil.copy2(table.path, older)
    run(base, tmp_path / "out", table)
    copy = ck.IdTable.from_file(older)

    with pytest.raises(OutputError, match="older copy"):
        ck.verify(tmp_path / "out", key(base), base / "index", ids=copy)
    with pytest.raises(OutputError, match="older copy"):
        ck.crosswalk(
            tmp_path / "out",
            tmp_path / "x.csv",
            key(base),
            base / "index",
            reason="to be told nothing",
            ids=copy,
        )
    assert not (tmp_path / "x.csv").exists()


def test_verification_needs_the_table_where_it_searches(
    base: Path, table: ck.IdTable, tmp_path: Path
) -> None:
    """Files are compared without it; identities are searched for with it; nothing is drawn."""
    run(base, tmp_path / "out", table)
    rows = len(table)

    assert ck.verify(tmp_path / "out", key(base)).ok
    with pytest.raises(IdTableError, match="its ids are random"):
        ck.verify(tmp_path / "out", key(base), base / "index")
    wrong = ck.IdTable.new(tmp_path / "wrong", key(base))
    with pytest.raises(IdTableError, match="another table"):
        ck.verify(tmp_path / "out", key(base), base / "index", ids=wrong)
    found = ck.verify(tmp_path / "out", key(base), base / "index", ids=table)

    assert found.ok
    assert 6 == found.series
    assert 2 == found.patients
    assert rows == len(table)


@pytest.mark.usefixtures("inline")
def test_a_table_that_fails_costs_the_series_until_the_next_run(
    base: Path, table: ck.IdTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk while UIDs are drawn: recorded as failed, nothing is written, and mended."""
    undisturbed = tree(run(base, tmp_path / "whole", table).release)
    fresh = ck.IdTable.new(tmp_path / "fresh", key(base))
    honest = idrows.Rows.add

    def full(self: idrows.Rows, locator: bytes, draw: object) -> bytes:
        if len(fresh) > 30:
            raise IdTableError("table of ids: no space left")
        return honest(self, locator, draw)  # type: ignore[arg-type]

    monkeypatch.setattr(idrows.Rows, "add", full)
    broken = run(base, tmp_path / "out", fresh)
    assert 3 == broken.exit_code
    assert {"write-error"} == set(broken.failed()["reason"])
    monkeypatch.setattr(idrows.Rows, "add", honest)
    again = run(base, tmp_path / "out", fresh)

    assert 0 == again.exit_code
    assert len(undisturbed) == len(tree(again.release))
    assert tree(again.release) == tree(run(base, tmp_path / "out2", fresh).release)


COMMAND = """
import sys, cohortkit as ck
base, out, table = sys.argv[1:4]
index = ck.open_index(base + "/index")
recipe = ck.load_recipe(base + "/harbor.toml")
plan = ck.plan(index.search(), recipe, to=["dicom", "nifti", "tables"])
ids = ck.IdTable.from_file(table)
ck.export(plan, out, key=ck.Key.from_file(base + "/key"), ids=ids, workers=2, progress=False)
"""


def start(base: Path, out: Path, table: ck.IdTable) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", COMMAND, base, out, table.path])


def test_killed_at_any_moment_the_same_command_gives_one_release(
    base: Path, table: ck.IdTable, tmp_path: Path
) -> None:
    """SIGKILL, also while the table grows: no id is lost, so the release is that of one run."""
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    out = tmp_path / "out"
    for _ in range(4):
        killed = start(base, out, table)
        until = time.monotonic() + 60
        grown = len(table)
        while len(table) == grown and killed.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(chance.random() * 0.3)
        killed.send_signal(signal.SIGKILL)
        killed.wait(timeout=60)
    assert 0 == start(base, out, table).wait(timeout=120), seed
    told = drawn(table.path)
    whole = run(base, tmp_path / "whole", table)

    assert tree(whole.release) == tree(out / "release"), seed
    assert told == drawn(table.path), seed  # nothing had to be drawn again


def test_a_brokers_codes_are_the_names(base: Path, table: ck.IdTable, tmp_path: Path) -> None:
    """From the shell: folders, headers, file-set and tables have them; others a random name."""
    codes = tmp_path / "codes.csv"
    first = PATIENTS[0]
    codes.write_text(f"PatientID,Code\n{first.patient_id},Ward-07\n")
    words = ["ids", "import", str(table.path), str(codes), "--key", str(base / "key"), "--json"]
    words += ["--issuer", first.issuer]
    assert 0 == cli.main(words)
    assert 0 == cli.main(words)  # the same again is nothing new
    made = ck.export(
        ck.plan(
            ck.open_index(base / "index").search(),
            ck.load_recipe(base / "harbor.toml"),
            to=["dicom:dicomdir", "tables"],
        ),
        tmp_path / "out", key=key(base), ids=table, workers=1, progress=False,
    )  # fmt: skip
    patients = {path.name for path in (made.release / "dicom").iterdir()}
    assert "WARD_07" in patients
    assert len(patients) == len(PATIENTS) + 1  # a folder each, and the DICOMDIR
    one = next(path for path in (made.release / "dicom" / "WARD_07").rglob("I*") if path.is_file())
    assert ("Ward-07", "Ward-07") == (
        pydicom.dcmread(one).PatientID,
        str(pydicom.dcmread(one).PatientName),
    )
    found = FileSet(made.release / "dicom" / "DICOMDIR")
    assert "Ward-07" in {instance.PatientID for instance in found}
    assert ck.verify(made.root, key=key(base), index=base / "index", ids=table).ok
    told = set(ck.inventory(made.root).rare().filter(pl.col("patients") > 0)["attribute"])
    assert told
    assert not told & {"PatientID", "PatientName", "patients.patient", "files.path", "tasks.task"}
    assert not told & {"AccessionNumber", "StudyID"}  # tokens
    again = run(base, tmp_path / "out2", table)
    assert (again.release / "dicom" / "Ward-07").is_dir()


def test_codes_of_nobody_in_the_cohort_are_told(
    base: Path, table: ck.IdTable, tmp_path: Path
) -> None:
    """An issuer that is not the archive's would make names at random without a word."""
    table.assign([("ELSEWHERE", PATIENTS[0].patient_id, "Ward-07")], key(base))
    with pytest.raises(IdTableError, match="none of the people"):
        run(base, tmp_path / "out", table)


def test_two_machines_share_a_table(base: Path, table: ck.IdTable, tmp_path: Path) -> None:
    """Two copies of the archive in two places, two outputs, at once: one world of ids."""
    places = []
    for name in ("here", "there"):
        place = tmp_path / name
        shutil.copytree(base, place, ignore=shutil.ignore_patterns("index"))
        os.utime(place / "harbor.toml")
        ck.scan(place / "archive", place / "index", progress=False)
        places.append(place)
    runs = [start(place, place / "out", table) for place in places]

    assert [0, 0] == [one.wait(timeout=120) for one in runs]
    here, there = (ck.Export(place / "out") for place in places)
    assert released_names(here) == released_names(there)
    assert released_uids(here.release) == released_uids(there.release)
    assert tree(here.release / "dicom") == tree(there.release / "dicom")
