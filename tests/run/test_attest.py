"""Who made a release, sealed in the vault; and that verification finds a log that was changed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import cohortkit as ck
from batches import planned, run
from cohortkit import cli

pytestmark = pytest.mark.usefixtures("inline")


def lines(out: Path) -> list[dict[str, object]]:
    text = (out / "vault" / "audit.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_release_has_a_line_of_who_made_it(archive: Path, key: ck.Key, tmp_path: Path) -> None:
    """By whom, where, when, and of which manifest; a resume that changes nothing adds none."""
    out = tmp_path / "out"
    run(planned(archive), out, key)
    run(planned(archive), out, key)

    (line,) = lines(out)
    assert ("release", os.getuid(), 6) == (line["event"], line["uid"], line["records"])
    seen = ck.verify(out, key)
    assert seen.ok
    assert (1, line["seal"]) == (seen.log_lines, seen.log_head)
    assert "audit" not in "".join(path.name for path in (out / "release").rglob("*"))


def test_a_trial_and_then_the_whole_are_two_releases(
    archive: Path, key: ck.Key, tmp_path: Path
) -> None:
    """Each with a line."""
    out = tmp_path / "out"
    run(planned(archive), out, key, limit=2)
    run(planned(archive), out, key)

    assert [2, 6] == [line["records"] for line in lines(out)]
    assert ck.verify(out, key).ok


@pytest.mark.parametrize("how", ["edit", "delete", "add", "reorder", "cut", "remove", "old"])
def test_a_log_that_was_changed_is_told_and_the_release_is_not_in_order(
    archive: Path, key: ck.Key, tmp_path: Path, how: str
) -> None:
    """Exit code 3, in words that name the line."""
    out = tmp_path / "out"
    run(planned(archive), out, key, limit=1)
    log, head = out / "vault" / "audit.jsonl", out / "vault" / "audit.head"
    shutil.copy(log, tmp_path / "old.jsonl")
    shutil.copy(head, tmp_path / "old.head")
    run(planned(archive), out, key, limit=2)
    run(planned(archive), out, key)
    one, two, three = log.read_text().splitlines(keepends=True)
    changed = {
        "edit": one + two.replace('"records": 2', '"records": 5') + three,
        "delete": one + three,
        "add": one + two + two + three,
        "reorder": two + one + three,
        "cut": one + two,
    }
    if how in changed:
        log.write_text(changed[how])
    elif how == "remove":
        log.unlink()
        head.unlink()
    else:  # both files of an earlier day put back together
        shutil.copy(tmp_path / "old.jsonl", log)
        shutil.copy(tmp_path / "old.head", head)

    seen = ck.verify(out, key)

    assert not seen.ok
    assert seen.log
    assert "audit log" in str(seen)
    assert (how in {"remove", "old"}) == (
        list(seen.log) == ["the last release that it tells of is not the one that is there"]
    )
    words = ["verify", str(out), "--json", "--key", str(key._path)]
    assert 3 == cli.main(words)
