"""How far an export is, seen from beside it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import cohortkit as ck
from batches import planned, run
from cohortkit import cli
from cohortkit.errors import OutputError
from cohortkit.run.lock import hold
from promised import make_archive, state
from shell import Shell, settle


@pytest.mark.usefixtures("inline")
def test_a_finished_export_says_what_it_holds(archive: Path, key: ck.Key, tmp_path: Path) -> None:
    """All planned, done and written or refused, by output and reason; and it is not touched."""
    out = tmp_path / "out"
    made = run(planned(archive, ["nifti", "tables"]), out, key)
    before = state(out)

    seen = ck.status(out)

    assert (6, 6, 0, 0, True, ()) == (
        seen.planned,
        seen.done,
        seen.failed,
        seen.left,
        seen.finished,
        seen.at_work,
    )
    refused = {(output, reason): n for output, _, reason, n in seen.outcomes if reason}
    told = {
        (row["output"], row["reason"]): row["series"]
        for row in made.manifest["reasons"]
        if row["reason"]
    }
    assert told == refused
    assert seen.last is not None
    assert datetime.now(UTC) - seen.last < timedelta(minutes=5)
    assert "finished; cohortkit verify" in repr(seen)
    assert before == state(out)


@pytest.mark.usefixtures("inline")
def test_a_trial_and_a_part_say_what_is_left(archive: Path, key: ck.Key, tmp_path: Path) -> None:
    """A trial is whole when its few are done; one shard of two is half of the whole."""
    run(planned(archive), tmp_path / "trial", key, limit=2)
    run(planned(archive), tmp_path / "part", key, shard="1/2")

    trial, part = ck.status(tmp_path / "trial"), ck.status(tmp_path / "part")

    assert (2, 2, 0, True) == (trial.planned, trial.done, trial.left, trial.finished)
    assert (6, 3, 3, False) == (part.planned, part.done, part.left, part.finished)
    assert "the same export command goes on" in repr(part)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    base = tmp_path_factory.mktemp("status")
    make_archive(base / "archive")
    return settle(base)


def test_who_is_at_work_is_seen_from_beside_and_not_when_it_was_killed(
    shell: Shell, tmp_path: Path
) -> None:
    """Process and host while it lives; nobody after SIGKILL; and the counts go up to the end."""
    out = tmp_path / "out"
    job = subprocess.Popen(shell.command(out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seen: ck.Progress | None = None
    while job.poll() is None:
        with contextlib.suppress(OutputError):  # it has not begun
            seen = ck.status(out)
        if seen is not None and seen.at_work:
            break
        time.sleep(0.01)
    assert seen is not None
    assert [f"process {job.pid} on {os.uname().nodename}"] == list(seen.at_work)
    job.kill()
    job.wait()

    after = ck.status(out)

    assert () == after.at_work
    assert 0 == after.per_minute
    assert not after.finished
    assert (0, "") == shell.run(out)
    assert ck.status(out).finished


def test_a_shard_at_work_is_told_by_its_part(archive: Path, key: ck.Key, tmp_path: Path) -> None:
    """Not twice: the output's own lock is signed by one of the shards."""
    out = tmp_path / "out"
    run(planned(archive), out, key, shard="1/2", workers=1)
    vault = out / "vault"

    with hold(vault / "lock", "o", shared=True), hold(vault / "shard-2-of-2.lock", "o"):
        seen = ck.status(out)

    assert [f"shard 2/2, process {os.getpid()} on {os.uname().nodename}"] == list(seen.at_work)
    assert () == ck.status(out).at_work


@pytest.mark.usefixtures("inline")
def test_the_shell_says_it_in_words_and_in_one_line(
    archive: Path, key: ck.Key, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both from the same figures; no name and no id of a patient in either."""
    out = tmp_path / "out"
    run(planned(archive), out, key)

    assert 0 == cli.main(["status", str(out)])
    words = capsys.readouterr().out
    assert 0 == cli.main(["status", str(out), "--json"])
    line = json.loads(capsys.readouterr().out)

    assert "6 of 6 series done (100 %)" in words
    assert (6, 6, True) == (line["planned"], line["done"], line["finished"])
    assert "MRN" not in words + json.dumps(line)


def test_a_place_without_an_export_is_told(tmp_path: Path) -> None:
    """Absent, empty, a file, a vault that is damaged: exit code 2, in plain words."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged" / "vault").mkdir(parents=True)
    (tmp_path / "damaged" / "vault" / "about.json").write_text("[1")
    for name, words in (
        ("absent", "no export is there"),
        ("empty", "no export is there"),
        ("file", "no export is there"),
        ("damaged", "damaged"),
    ):
        with pytest.raises(OutputError, match=words):
            ck.status(tmp_path / name)
        assert 2 == cli.main(["status", str(tmp_path / name)])


@pytest.mark.usefixtures("inline")
def test_torn_and_foreign_lines_of_the_ledger_are_passed_over(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """A kill tears a line; the rest still tells."""
    out = tmp_path / "out"
    run(planned(archive), out, key)
    with (out / "vault" / "ledger.jsonl").open("ab") as file:
        file.write(b'{"at": "2026-01-01T00:\n[]\n{"event": 3}\n\xff\xfe\n')

    assert 6 == ck.status(out).done
