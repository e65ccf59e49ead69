from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.errors import OutputError
from cohortkit.run.ledger import note
from cohortkit.run.lock import hold
from cohortkit.run.place import Place, check, files_under, move, publish, sweep, sweep_stems


def test_an_output_inside_the_archive_is_refused(tmp_path: Path) -> None:
    """Also by way of a link, and where it is the archive itself."""
    archive = tmp_path / "archive"
    (archive / "a").mkdir(parents=True)
    (tmp_path / "link").symlink_to(archive)

    for out in (archive / "out", archive, tmp_path / "link" / "x", tmp_path / "b/../archive/x"):
        with pytest.raises(OutputError, match="inside the archive"):
            check(out, [archive])
        with pytest.raises(OutputError, match="inside the archive"):
            check(out, [tmp_path / "link"])


def test_an_archive_inside_the_output_is_refused(tmp_path: Path) -> None:
    """A sweep of the release must never reach a source file."""
    archive = tmp_path / "out" / "archive"
    archive.mkdir(parents=True)

    with pytest.raises(OutputError, match="archive is inside"):
        check(tmp_path / "out", [archive])


def test_names_that_only_begin_alike_are_apart(tmp_path: Path) -> None:
    """``archive-out`` is not inside ``archive``."""
    (tmp_path / "archive").mkdir()

    assert tmp_path / "archive-out" == check(tmp_path / "archive-out", [tmp_path / "archive"]).root


def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Nobody's files are swept away."""
    (tmp_path / "thesis.tex").write_text("x")

    with pytest.raises(OutputError, match="something else"):
        check(tmp_path, [])
    assert ["thesis.tex"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["release", "quarantine"])
def test_a_folder_of_that_name_without_a_vault_is_something_else(tmp_path: Path, name: str) -> None:
    """A release that someone copied is not an output to go on with."""
    (tmp_path / name).mkdir()

    with pytest.raises(OutputError, match="something else"):
        check(tmp_path, [])


def test_a_file_a_file_above_and_a_link_are_refused(tmp_path: Path) -> None:
    """Each in words that name the output and nothing else."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "vault").mkdir()
    (tmp_path / "out" / "release").symlink_to(tmp_path)

    with pytest.raises(OutputError, match="a file, not a folder"):
        check(tmp_path / "file", [])
    with pytest.raises(OutputError, match="a file, not a folder"):
        check(tmp_path / "file" / "out", [])
    with pytest.raises(OutputError, match="a link"):
        check(tmp_path / "out", [])


def test_a_read_only_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is read; simulated, since tests may run as root, who may write everywhere."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)

    for out in (tmp_path / "out", tmp_path / "empty"):
        with pytest.raises(OutputError, match="permission denied"):
            check(out, [])


def test_the_identified_folders_are_their_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask says."""
    before = os.umask(0)
    try:
        place = Place(tmp_path / "out")
        place.prepare()
        publish(place.vault / "x", b"1")
        (place.release / "nifti/p/s").mkdir(parents=True)
        (place.release / "nifti/p/s/r.nii.gz").write_bytes(b"1")
        move("nifti/p/s/r.nii.gz", place.release, place.quarantine / "task")
    finally:
        os.umask(before)

    for folder in (place.vault, place.quarantine, place.records, place.tracebacks):
        assert 0o700 == folder.stat().st_mode & 0o777
    assert 0o600 == (place.vault / "x").stat().st_mode & 0o777
    assert 0o777 == place.release.stat().st_mode & 0o777
    held = [folder for folder in place.quarantine.rglob("*") if folder.is_dir()]
    assert 4 == len(held)
    assert all(0o700 == folder.stat().st_mode & 0o777 for folder in held)


def test_publishing_replaces_whole_files_and_leaves_no_part(tmp_path: Path) -> None:
    """The old bytes or the new ones; a failed write leaves the old ones."""
    publish(tmp_path / "a", b"1" * 100)
    publish(tmp_path / "a", b"2")

    assert b"2" == (tmp_path / "a").read_bytes()
    assert ["a"] == [path.name for path in tmp_path.iterdir()]


def test_litter_is_removed_and_nothing_else(tmp_path: Path) -> None:
    """Files, links and empty folders; what a link points to stays."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    release = tmp_path / "release"
    for name in ("nifti/p/s/r.nii.gz", "nifti/p/s/r2.nii.gz", "png/p/s/r/1.png"):
        (release / name).parent.mkdir(parents=True, exist_ok=True)
        (release / name).write_text("x")
    (release / "nifti" / "link").symlink_to(outside)

    removed = sweep(release, frozenset({"nifti/p/s/r.nii.gz"}))

    assert 3 == removed
    assert ["nifti/p/s/r.nii.gz"] == list(files_under(release))
    assert not (release / "png").exists()
    assert (outside / "kept").exists()


def test_only_what_begins_with_the_stem_is_swept(tmp_path: Path) -> None:
    """Another series of the same study is not touched."""
    folder = tmp_path / "nifti/p/s"
    (folder / "ra").mkdir(parents=True)
    for name in ("ra.nii.gz", "ra_e1.json", "ra/1.png", "rb.nii.gz"):
        (folder / name).write_text("x")

    sweep_stems(tmp_path, ["nifti/p/s", "png/p/s"], "ra")

    assert ["nifti/p/s/rb.nii.gz"] == list(files_under(tmp_path))


def test_two_runs_on_one_output_the_second_is_told_who_is_at_work(tmp_path: Path) -> None:
    """In one process and from another one."""
    path = tmp_path / "lock"
    with (
        hold(path, "out"),
        pytest.raises(OutputError, match=f"process {os.getpid()} on"),
        hold(path, "out"),
    ):
        pass
    with hold(path, "out"):
        pass


_HOLDER = """
import sys, time
from pathlib import Path
from cohortkit.run.lock import hold
with hold(Path(sys.argv[1]), "out"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_of_a_killed_run_is_taken_over(tmp_path: Path) -> None:
    """A stale lock is never in the way."""
    path = tmp_path / "lock"
    other = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    other.stdout.readline()
    with pytest.raises(OutputError, match="another run"), hold(path, "out"):
        pass
    other.kill()
    other.wait()

    began = time.monotonic()
    with hold(path, "out"):
        pass
    assert time.monotonic() - began < 5


@given(st.binary(max_size=40))
def test_the_ledger_goes_on_behind_a_torn_line(torn: bytes) -> None:
    """A kill in the middle of a line costs that line and no other."""
    path = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp") / f"ledger-{os.getpid()}"
    path.unlink(missing_ok=True)
    path.write_bytes(torn.replace(b"\n", b""))
    try:
        note(path, "begin", tasks=3)
        note(path, "end")
        lines = path.read_bytes().split(b"\n")
    finally:
        path.unlink()

    assert b"" == lines[-1]
    events = [json.loads(line)["event"] for line in lines[-3:-1]]
    assert ["begin", "end"] == events
