"""Files that vanish or change between plan and export, and workers that die: a row each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

import cohortkit as ck
from batches import run
from deadly import DYING, Deadly
from promised import accounted, make_archive, tree

TO = ["nifti", "tables"]


@dataclass(frozen=True)
class Base:
    """An archive that a test may harm, its index, a key, and the release of an honest run."""

    folder: Path
    key: ck.Key
    whole: dict[str, str]

    def plan(self, to: object = TO) -> ck.Plan:
        """Of the index as it was before any harm."""
        cohort = ck.open_index(self.folder / "index").search(Modality=["CT", "MR"])
        return ck.plan(cohort, ck.load_recipe("basic"), to=to)  # type: ignore[arg-type]  # as given


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """Four series of two patients, none of which is to be refused."""
    folder = tmp_path_factory.mktemp("mishaps")
    make_archive(folder / "archive")
    ck.scan(folder / "archive", folder / "index", progress=False)
    made = Base(folder, ck.Key.new(folder / "key", project="mishaps"), {})
    whole = run(made.plan(), folder / "honest", made.key, workers=1)
    assert 0 == whole.exit_code
    return Base(folder, made.key, tree(whole.release))


@pytest.fixture
def victim(base: Base) -> Iterator[Path]:
    """One file of one series; it is as before when the test is over."""
    path = base.folder / "archive" / "1" / "1-2-001"
    shutil.copy2(path, base.folder / "kept")
    yield path
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    shutil.copy2(base.folder / "kept", path)


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (Path.unlink, "file-vanished"),
    "touched": (lambda path: os.utime(path, ns=(1, 1)), "file-changed"),
    "cut": (lambda path: os.truncate(path, 700), "file-changed"),
    "emptied": (lambda path: os.truncate(path, 0), "file-changed"),
    "a folder": (_folder, "file-changed"),
    "a pipe": (_fifo, "file-changed"),
    "a dangling link": (lambda path: (path.unlink(), path.symlink_to("nowhere")), "file-vanished"),
}


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(("harm", "reason"), HARMS.values(), ids=HARMS)
def test_a_file_that_vanishes_or_changes_after_the_plan_costs_its_series_alone(
    base: Base, victim: Path, tmp_path: Path, harm: Callable[[Path], object], reason: str
) -> None:
    """Failed by name; the other series are written as ever; once it is back, it is done too."""
    plan = base.plan()
    harm(victim)

    broken = run(plan, tmp_path / "out", base.key)

    assert 3 == broken.exit_code
    failed = broken.failed()
    assert (len(TO), {reason}) == (failed.height, set(failed["reason"]))
    assert 1 == failed["series"].n_unique()
    accounted(broken.release)
    volumes = {name: digest for name, digest in tree(broken.release).items() if "nifti/" in name}
    gone = failed["series"][0]
    assert volumes == {n: d for n, d in base.whole.items() if "nifti/" in n and gone not in n}

    if victim.is_dir() and not victim.is_symlink():
        victim.rmdir()
    victim.unlink(missing_ok=True)
    shutil.copy2(base.folder / "kept", victim)
    mended = run(plan, tmp_path / "out", base.key)

    assert 0 == mended.exit_code
    assert base.whole == tree(mended.release)


@pytest.mark.usefixtures("inline")
def test_a_file_that_changes_after_it_was_written_is_no_matter(
    base: Base, victim: Path, tmp_path: Path
) -> None:
    """A resume reads no file of a series that stands; it is the scan that sees the change."""
    run(base.plan(), tmp_path / "out", base.key)
    victim.unlink()

    again = run(base.plan(), tmp_path / "out", base.key)

    assert 0 == again.exit_code
    assert base.whole == tree(again.release)


def _dying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, often: int, how: str) -> None:
    (tmp_path / "deaths").mkdir()
    monkeypatch.setenv(DYING, f"{tmp_path / 'deaths'}:{often}:{how}")


@pytest.fixture(scope="module")
def honest(base: Base) -> dict[str, str]:
    """The release of the deadly writer on a good day."""
    made = run(base.plan([Deadly(), "tables"]), base.folder / "deadly", base.key, workers=1)
    return tree(made.release)


@pytest.mark.parametrize("how", ["kill", "segfault"])
def test_a_worker_that_dies_costs_a_retry_and_nothing_else(
    base: Base, honest: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The release is that of a run in which nobody died."""
    _dying(tmp_path, monkeypatch, 1, how)

    made = run(base.plan([Deadly(), "tables"]), tmp_path / "out", base.key, workers=2)

    assert 2 == len(list((tmp_path / "deaths").glob("death*")))
    assert 0 == made.exit_code
    assert honest == tree(made.release)


def test_a_worker_that_dies_twice_costs_its_series_and_leaves_nothing_unsearched(
    base: Base, honest: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failed by name; no byte that it wrote is in the release; the same command tries again."""
    _dying(tmp_path, monkeypatch, 2, "segfault")
    plan = base.plan([Deadly(), "tables"])

    broken = run(plan, tmp_path / "out", base.key, workers=2)

    assert 3 == broken.exit_code
    assert {"worker-died"} == set(broken.failed()["reason"])
    (gone,) = set(broken.failed()["series"])
    assert (tmp_path / "deaths" / "stem").read_text() == gone
    assert not [name for name in tree(broken.release) if gone in name]
    accounted(broken.release)
    written = broken.table("tasks").filter(pl.col("status") == "written")
    assert 3 == written["series"].n_unique()
    assert not list((tmp_path / "out").rglob("*.part"))

    mended = run(plan, tmp_path / "out", base.key, workers=1)

    assert 0 == mended.exit_code
    assert honest == tree(mended.release)
