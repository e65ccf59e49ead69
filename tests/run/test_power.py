"""Power cuts: what was synced is there, of the rest anything may be; then the same command."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from disk import Disk, Rest
from promised import make_archive
from shell import settle

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
TESTS = Path(__file__).parents[1]
MANY = 12 if IN_CI else 3


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc to see files by")
def test_after_a_power_cut_nothing_is_told_that_is_not_there_and_the_same_command_goes_on(
    tmp_path: Path,
) -> None:
    """A first run, an increment with somebody withdrawn, one asked for anew: cut before each step.

    At any time a record tells of files that are there, a manifest of a whole release, of which the
    audit log has a line. From states that are drawn the same command makes the release of an
    undisturbed run, and leaves no other file. The seed is in what is printed; all states in all
    ways, by hand: ``python tests/powercut.py BASE DISK``.
    """
    make_archive(tmp_path / "archive")
    settle(tmp_path)
    command = [sys.executable, TESTS / "powercut.py", tmp_path, tmp_path / "disk", str(MANY)]

    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)

    assert [] == found["wrong"], found
    assert 3 * MANY == found["resumed"]
    assert min(found["steps"].values()) > 150


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """A file that was synced, one that was not, and one that was moved."""
    made = Disk.of(tmp_path)
    for name, synced in (("kept", True), ("lost", False)):
        path = str(Path(made.root) / name)
        made.made(path, folder=False)
        Path(path).write_bytes(b"said")
        made.seen(path, synced=synced)
    made.synced(made.root)
    made.renamed(f"{made.root}/lost", f"{made.root}/moved")
    (tmp_path / "lost").rename(tmp_path / "moved")
    made.ended()
    return made


def test_what_was_synced_is_there_and_of_the_rest_the_least(disk: Disk) -> None:
    """A name without a sync of its folder is the old one, bytes without a sync are none."""
    left = disk.left(len(disk.steps), 0, Rest.LOST, random.Random(1))

    assert {"kept": b"said", "lost": b""} == left


def test_or_all_of_it(disk: Disk) -> None:
    """As if the disk had been in no hurry to be late."""
    left = disk.left(len(disk.steps), 1, Rest.WHOLE, random.Random(1))

    assert {"kept": b"said", "moved": b"said"} == left


def test_a_rename_is_never_neither(disk: Disk) -> None:
    """In a hundred draws a file has its old name or its new one."""
    for seed in range(100):
        left = disk.left(len(disk.steps), 0.5, Rest.ANY, random.Random(seed))
        assert {"lost"} == set(left) - {"kept"} or {"moved"} == set(left) - {"kept"}


def test_a_name_that_was_never_synced_may_be_gone_with_all_that_is_in_it(tmp_path: Path) -> None:
    """A folder that its parent does not know takes synced files along."""
    disk = Disk.of(tmp_path)
    disk.made(f"{disk.root}/folder", folder=True)
    (tmp_path / "folder").mkdir()
    disk.made(f"{disk.root}/folder/file", folder=False)
    (tmp_path / "folder" / "file").write_bytes(b"said")
    disk.synced(f"{disk.root}/folder/file")
    disk.synced(f"{disk.root}/folder")
    disk.ended()

    lost = disk.left(len(disk.steps), 0, Rest.WHOLE, random.Random(1))
    there = disk.left(len(disk.steps), 1, Rest.LOST, random.Random(1))

    assert {} == lost
    assert {"folder": None, "folder/file": b"said"} == there
