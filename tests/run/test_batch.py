"""One export from outside: what is refused before it begins, what a resume does, what is kept."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from pathlib import Path

import polars as pl
import pytest

import cohortkit as ck
from batches import planned, run
from cohortkit.errors import (
    CohortkitError,
    ExportFailed,
    KeyFileError,
    MissingDependency,
    OutputError,
    TaskFailure,
    UsageError,
)
from cohortkit.reasons import Reason
from cohortkit.run import predict, worker
from factory import Patient, Series, write_series
from promised import tree

pytestmark = pytest.mark.usefixtures("inline")


def test_the_data_dictionary_says_what_the_recipe_did(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """For each column that an attribute is behind, in words that follow the recipe."""
    said = {}
    for recipe in ("basic", "dates-kept"):
        done = run(planned(archive, recipe=recipe), tmp_path / recipe, key)
        text = (done.release / "tables" / "data_dictionary.json").read_text()
        columns = json.loads(text)["Columns"]
        assert all(bool(column["Recipe"]) == bool(column["Keyword"]) for column in columns)
        said[recipe] = {column["Keyword"]: column["Recipe"] for column in columns}

    assert ("is emptied", "stays") == (said["basic"]["StudyDate"], said["dates-kept"]["StudyDate"])
    assert "is replaced by the patient's pseudonym" == said["basic"]["PatientID"]


# --- refused before anything is written -----------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": 0}, "workers"),
        ({"limit": 0}, "limit"),
        ({"errors": "ignore"}, "errors"),
    ],
)
def test_wrong_use_is_told_before_anything_is_written(
    archive: Path, key: ck.Key, tmp_path: Path, options: dict[str, object], words: str
) -> None:
    """In words that name the option."""
    with pytest.raises(UsageError, match=words):
        run(planned(archive), tmp_path / "out", key, **options)

    assert not (tmp_path / "out").exists()


def test_no_key_no_export(archive: Path, tmp_path: Path) -> None:
    """A path is no key, and there is no default."""
    with pytest.raises(KeyFileError):
        run(planned(archive), tmp_path / "out", None)  # type: ignore[arg-type]  # on purpose

    assert not (tmp_path / "out").exists()


def test_an_output_in_or_around_the_archive_is_refused(archive: Path, key: ck.Key) -> None:
    """By the root of the scan, not only by the folders that hold chosen files."""
    for out in (archive / "out", archive, archive.parent):
        with pytest.raises(OutputError, match="archive"):
            run(planned(archive), out, key)


@pytest.mark.parametrize("to", [[], "nift", ["tables", "tables"], [ck.Tables(), "tables"], [None]])
def test_an_output_that_there_is_not_is_wrong_use(archive: Path, to: object) -> None:
    """None at all, misspelt, twice, no writer."""
    with pytest.raises(UsageError):
        planned(archive, to)


def test_another_export_in_the_same_place_is_refused_and_the_first_is_untouched(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """Another recipe, other outputs, another key: each is named."""
    out = tmp_path / "out"
    before = tree(run(planned(archive), out, key).release)
    other = ck.Key.new(tmp_path / "other", project="other")

    for plan, of, words in (
        (planned(archive, recipe="dates-kept"), key, "another recipe"),
        (planned(archive, ["tables", "png"]), key, "other outputs"),
        (planned(archive, ck.Tables(csv=True)), key, "other outputs"),
        (planned(archive), other, "another project and with another key"),
    ):
        with pytest.raises(OutputError, match=words):
            run(plan, out, of)
    assert before == tree(out / "release")


def test_a_cohort_without_series_that_the_output_holds_is_refused(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """Nobody who was taken out of a cohort stays in a release unseen; a wider one goes on."""
    out = tmp_path / "out"
    run(planned(archive, Modality="CT"), out, key)

    wide = run(planned(archive), out, key)

    assert tree(run(planned(archive), tmp_path / "fresh", key).release) == tree(wide.release)
    with pytest.raises(OutputError, match="4 series that this cohort does not have"):
        run(planned(archive, Modality="CT"), out, key)


def test_a_decoder_that_is_missing_is_told_by_the_plan(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to install, and only where pixels are wanted."""
    monkeypatch.setattr(predict, "missing", lambda _: "somepackage")

    with pytest.raises(MissingDependency, match=r"somepackage \(4 series\)"):
        planned(archive, "nifti")
    planned(archive, "tables")


def test_a_search_that_misses_its_canary_exports_nothing(
    archive: Path, key: ck.Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sabotage: a blind search."""
    monkeypatch.setattr(sys.modules["cohortkit.verify.canary"], "search", lambda *_, **__: ())

    with pytest.raises(CohortkitError, match="canary"):
        run(planned(archive), tmp_path / "out", key)
    assert not (tmp_path / "out").exists()


# --- failures, and the same command again ---------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (TaskFailure(Reason.FILE_VANISHED), "file-vanished"),
        (MemoryError("MRN-00471113"), "out-of-memory"),
        (OSError(errno.ENOSPC, "MRN-00471113", "/archive/Quisling"), "disk-full"),
        (OSError(errno.EIO, "MRN-00471113"), "write-error"),
        (ValueError("Quisling^Marjolein"), "internal"),
        (KeyError("Quisling^Marjolein"), "internal"),
    ],
)
def test_whatever_a_series_raises_the_run_goes_on_and_the_same_command_mends_it(
    archive: Path,
    key: ck.Key,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    reason: str,
) -> None:
    """Failed by name with exit code 3; then whole, byte for byte, with exit code 0."""
    out, honest = tmp_path / "out", worker.read_facts

    def fail_once(_: list[object]) -> object:
        monkeypatch.setattr(worker, "read_facts", honest)
        raise fault

    monkeypatch.setattr(worker, "read_facts", fail_once)
    broken = run(planned(archive, ["nifti", "tables"]), out, key)

    assert {reason} == set(broken.failed()["reason"])
    assert 3 == broken.exit_code
    released = b"".join(path.read_bytes() for path in broken.release.rglob("*") if path.is_file())
    assert b"Quisling" not in released
    kept = list((out / "vault" / "tracebacks").iterdir())
    assert (reason == "internal") is bool(kept)
    assert all(0o600 == path.stat().st_mode & 0o777 for path in kept)

    mended = run(planned(archive, ["nifti", "tables"]), out, key)

    assert 0 == mended.exit_code
    fresh = run(planned(archive, ["nifti", "tables"]), tmp_path / "fresh", key)
    assert tree(fresh.release) == tree(mended.release)


def test_a_refusal_is_not_tried_again(
    archive: Path, key: ck.Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is what was written: a resume with nothing to do reads no file."""
    run(planned(archive), tmp_path / "out", key)

    def never(*_: object) -> None:
        raise AssertionError("a file was read")

    plan = planned(archive)
    monkeypatch.setattr("cohortkit.sources.files.Files.fetch", never)
    assert 0 == run(plan, tmp_path / "out", key).exit_code


def test_errors_raise_stops_at_the_first_failure_and_can_be_resumed(
    archive: Path, key: ck.Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message holds a number and a reason, and not what was raised."""

    def fail(_: object) -> object:
        raise ValueError("Quisling^Marjolein")

    with monkeypatch.context() as broken:
        broken.setattr(worker, "read_facts", fail)
        with pytest.raises(ExportFailed, match=r"^series \d of the plan failed: inter") as caught:
            run(planned(archive), tmp_path / "out", key, errors="raise")
    assert "Quisling" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert 0 == run(planned(archive), tmp_path / "out", key).exit_code


def test_nothing_written_is_exit_code_4(archive: Path, key: ck.Key, tmp_path: Path) -> None:
    """All refused by name, or nothing asked for: there is a release and it says so."""
    assert 4 == run(planned(archive, Modality="OT"), tmp_path / "a", key).exit_code
    assert 4 == run(planned(archive, Modality="ZZ"), tmp_path / "b", key).exit_code


def test_a_series_that_grew_is_done_anew_and_the_rest_is_not(key: ck.Key, tmp_path: Path) -> None:
    """The release is that of a fresh run on the grown archive."""
    archive, out = tmp_path / "archive", tmp_path / "out"
    write_series(archive, Patient(), Series(slices=4))
    write_series(archive, Patient(), Series(slices=4, number=2))
    run(planned(archive, ["nifti", "tables"]), out, key)
    kept = {path: path.stat().st_mtime_ns for path in (out / "vault/records").rglob("*.json")}
    write_series(archive, Patient(), Series(slices=5))

    grown = run(planned(archive, ["nifti", "tables"]), out, key)

    unchanged = [path for path, at in kept.items() if path.stat().st_mtime_ns == at]
    assert 1 == len(unchanged)
    fresh = run(planned(archive, ["nifti", "tables"]), tmp_path / "fresh", key)
    assert tree(fresh.release) == tree(grown.release)


@pytest.mark.parametrize("damage", ["cut", "gone", "torn record", "litter", "link"])
def test_what_was_damaged_or_added_is_put_right(
    archive: Path, key: ck.Key, tmp_path: Path, damage: str
) -> None:
    """A file cut short or gone, a torn record, files and links that no record knows."""
    out = tmp_path / "out"
    whole = tree(run(planned(archive, "nifti"), out, key).release)
    volume = next((out / "release").rglob("*.nii.gz"))
    if damage == "cut":
        os.truncate(volume, 20)
    elif damage == "gone":
        volume.unlink()
    elif damage == "torn record":
        record = next((out / "vault" / "records").rglob("*.json"))
        record.write_bytes(record.read_bytes()[:40])
    elif damage == "litter":
        (volume.parent / "rlitter.nii.gz").write_bytes(b"x")
    else:
        (volume.parent / "rlink.nii.gz").symlink_to("/etc/passwd")

    assert whole == tree(run(planned(archive, "nifti"), out, key).release)


def test_an_instance_that_lies_there_twice_is_one_row(
    tmp_path: Path, key: ck.Key, archive: Path
) -> None:
    """A table that is joined with another by UID multiplies nothing; the copy is counted."""
    grown = tmp_path / "archive"
    shutil.copytree(archive, grown)
    first = min(path for path in grown.rglob("*") if path.is_file())
    shutil.copy(first, first.with_name("copy"))

    once = run(planned(archive, to=("tables",)), tmp_path / "once", key)
    twice = run(planned(grown, to=("tables",)), tmp_path / "twice", key)

    tables = [one.table("instances").drop("instance") for one in (once, twice)]
    assert tables[0].equals(tables[1])
    assert not twice.table("instances")["SOPInstanceUID"].is_duplicated().any()
    counted = twice.counts().filter(pl.col("level") == "instance")
    assert [1] == counted["duplicate"].to_list()


def test_tasks_and_files_are_in_the_dictionary_and_in_csv(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """A table at the top of a release is told of as the others are."""
    made = run(planned(archive, to=[ck.Png(bits=16), ck.Tables(csv=True)]), tmp_path / "out", key)
    tables = made.release / "tables"
    entries = json.loads((tables / "data_dictionary.json").read_text())["Columns"]
    for name in ("tasks", "files"):
        frame = pl.read_parquet(made.release / f"{name}.parquet")
        told = {one["Column"]: one["Description"] for one in entries if one["Table"] == name}

        assert frame.columns == list(told)
        assert "joined column" not in told.values()
        assert pl.read_csv(tables / f"{name}.csv").height == frame.height > 0
