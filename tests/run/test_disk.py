"""Full, limited and read-only disks: what cannot be written is told, and mended by the command."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from factory import Series, write_series
from promised import PATIENTS, accounted, make_archive, tree
from shell import Shell, settle

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
TESTS = Path(__file__).parents[1]
PLAIN = "the same command goes on once that is mended"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Seven series, one of them much larger than the others and than all tables."""
    base = tmp_path_factory.mktemp("disk")
    make_archive(base / "archive")
    large = Series(number=5, slices=40, rows=128, columns=128)
    write_series(base / "archive" / "more", PATIENTS[0], large)
    return settle(base)


@pytest.fixture(scope="module")
def undisturbed(shell: Shell) -> dict[str, str]:
    """The release of a run on a disk with room."""
    assert (0, "") == shell.run(shell.base / "undisturbed")
    return tree(shell.base / "undisturbed" / "release")


def _small_disk(place: Path) -> list[str]:
    """The words before a command that give it a disk of 16 MB at ``place``, for itself alone."""
    mount = 'mount -t tmpfs -o size=16m tmpfs "$0" && exec "$@"'
    for own in (["--mount"], ["--mount", "--user", "--map-root-user"]):
        words = ["unshare", *own, "sh", "-c", mount, str(place)]
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
            return words
    pytest.skip("no small disk can be mounted here")


def test_a_full_disk_at_any_level_is_told_and_mended(shell: Shell, tmp_path: Path) -> None:
    """From no room to almost enough: the series without room fail by name and the run goes on.

    Where there is none even for tables it says so; what lies in the release is accounted for, and
    on the freed disk the same command gives the bytes of an undisturbed run.
    """
    many = 24 if IN_CI else 8
    words = [sys.executable, TESTS / "full.py", shell.base, tmp_path, str(many)]
    done = subprocess.run(
        [*_small_disk(tmp_path), *words], stdout=subprocess.PIPE, timeout=600, check=True
    )
    found = json.loads(done.stdout)

    assert [] == found["wrong"]
    assert {f"no space left; {PLAIN}", "3 ['disk-full']"} == set(found["outcomes"])


_KEYS_AND_COHORTS = """
import json, os, sys
from pathlib import Path
import cohortkit as ck
from cohortkit.errors import CohortkitError
base, disk = Path(sys.argv[1]), Path(sys.argv[2])
old, ballast = disk / "old.cohort", disk / "ballast"
index = ck.open_index(base / "index")
index.search().save(old)
before, said = old.read_bytes(), []

def attempt(what):
    try:
        what()
    except CohortkitError as error:
        said.append(str(error).replace(str(disk), ""))
    else:
        said.append("")

doings = [lambda: ck.Key.new(disk / "new.key", project="p"),
          lambda: index.search().save(disk / "new.cohort"),
          lambda: index.search(Modality="CT").save(old)]
with ballast.open("wb", buffering=0) as file:
    try:
        while file.write(bytes(4096)): pass
    except OSError: pass
for do in doings: attempt(do)
left, kept = sorted(os.listdir(disk)), old.read_bytes() == before
ballast.unlink()
for do in doings: attempt(do)
print(json.dumps([said, left, kept, ck.Key.from_file(disk / "new.key").project]))
"""


def test_a_full_disk_under_a_key_and_a_cohort_file(shell: Shell, tmp_path: Path) -> None:
    """Told in plain words; no half of either is left, the cohort that was there is whole.

    On the freed disk the same calls do what they say.
    """
    words = [sys.executable, "-c", _KEYS_AND_COHORTS, shell.base, tmp_path]
    done = subprocess.run(
        [*_small_disk(tmp_path), *words], stdout=subprocess.PIPE, timeout=60, check=True
    )
    said, left, kept, project = json.loads(done.stdout)

    full = "the cohort file cannot be written: is the disk full?"
    assert ["key file /new.key: no space left", full, full, "", "", ""] == said
    assert (["ballast", "old.cohort"], True, "p") == (left, kept, project)


def test_a_file_larger_than_is_allowed_costs_its_series_alone(
    shell: Shell, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    """The shell under a limit of file size (``ulimit -f``): exit code 3, then 0 without it."""
    out, most = tmp_path / "out", 400_000

    code, told = shell.run(
        out, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    )

    assert (3, "") == (code, told)
    tasks = pl.read_parquet(out / "release" / "tasks.parquet")
    failed = tasks.filter(pl.col("status") == "failed")
    assert {"disk-full"} == set(failed["reason"])
    assert 1 == failed["series"].n_unique()
    accounted(out / "release")
    volumes = {name for name in tree(out / "release") if name.startswith("nifti")}
    assert volumes < set(undisturbed)
    assert 2 * 4 == len(volumes)

    assert (0, "") == shell.run(out)
    assert undisturbed == tree(out / "release")


def _obeys_modes() -> None:
    """Without the capabilities by which root writes where modes say that nobody may."""
    if os.geteuid() == 0:
        drop, override, search = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, …_READ_SEARCH
        library = ctypes.CDLL(None, use_errno=True)
        assert library.prctl(drop, override, 0, 0, 0) == 0
        assert library.prctl(drop, search, 0, 0, 0) == 0


@pytest.mark.parametrize("parent", [0o555, 0o000])
def test_a_new_output_where_nobody_may_write(shell: Shell, tmp_path: Path, parent: int) -> None:
    """Exit code 2 in one plain line, and nothing is there."""
    (tmp_path / "parent").mkdir()
    (tmp_path / "parent").chmod(parent)
    try:
        code, told = shell.run(tmp_path / "parent" / "out", before=_obeys_modes)
    finally:
        (tmp_path / "parent").chmod(0o755)

    assert 2 == code
    assert f"cohortkit: output {tmp_path / 'parent' / 'out'}: permission denied\n" == told
    assert [] == list((tmp_path / "parent").iterdir())


@pytest.fixture(scope="module")
def begun(shell: Shell) -> Path:
    """An output with one series done."""
    assert 0 == shell.run(shell.base / "begun", "--limit", "1")[0]
    return shell.base / "begun"


@pytest.mark.parametrize(
    ("part", "code", "words"),
    [
        (".", 2, "permission denied"),
        ("release", 2, f"permission denied; {PLAIN}"),
        ("vault/lock", 2, f"permission denied; {PLAIN}"),
        ("vault/records", 3, ""),
    ],
)
def test_a_part_of_the_output_that_became_read_only(
    shell: Shell,
    undisturbed: dict[str, str],
    begun: Path,
    tmp_path: Path,
    part: str,
    code: int,
    words: str,
) -> None:
    """Told in one plain line, or failed by name; afterwards the same command does the rest."""
    out = shutil.copytree(begun, tmp_path / "out")
    mode = stat.S_IMODE((out / part).stat().st_mode)
    (out / part).chmod(mode & 0o555)
    try:
        found, told = shell.run(out, before=_obeys_modes)
    finally:
        (out / part).chmod(mode)

    assert (code, f"cohortkit: output {out}: {words}\n" if words else "") == (found, told)
    if not words:
        tasks = pl.read_parquet(out / "release" / "tasks.parquet")
        assert {"write-error"} == set(tasks.filter(pl.col("status") == "failed")["reason"])
        accounted(out / "release")
    assert (0, "") == shell.run(out)
    assert undisturbed == tree(out / "release")
