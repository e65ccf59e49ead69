"""Promise 7: the archive is read only, and identified things are for their owner alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

import cohortkit as ck
from cohortkit.errors import CohortkitError
from cohortkit.run import worker
from promised import Run, export, make_archive, state, tree


def test_the_archive_is_untouched(key: ck.Key, tmp_path: Path) -> None:
    """Scan and export change no byte, time or mode of the archive, and add nothing."""
    archive = make_archive(tmp_path / "archive")
    before = state(archive)

    ck.scan(archive, tmp_path / "index", progress=False)
    export(archive, tmp_path / "out", key)

    assert state(archive) == before


def test_sabotage_a_write_into_the_archive_turns_the_promise_red(
    key: ck.Key, inline: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A worker that touches a source file is seen."""
    archive = make_archive(tmp_path / "archive")
    before = state(archive)
    honest = worker.read_facts

    def touching(headers: object) -> object:
        next(archive.rglob("1-1-000")).touch()
        return honest(headers)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "read_facts", touching)
    inline(archive, tmp_path / "out", key)

    assert state(archive) != before


def test_the_identified_side_is_for_its_owner_alone(
    archive: Path, exported: ck.Export, tmp_path: Path
) -> None:
    """Vault, quarantine and index store: folders 0700, files 0600, whatever the umask."""
    ck.scan(archive, tmp_path / "index", progress=False)
    sides = [exported.root / "vault", exported.root / "quarantine", tmp_path / "index"]

    for path in [one for side in sides for one in (side, *side.rglob("*"))]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path.name


def test_cohort_files_are_for_their_owner_alone(archive: Path, tmp_path: Path) -> None:
    """A saved cohort names patients: 0600."""
    index = ck.scan(archive, tmp_path / "index", progress=False)

    index.search(Modality="CT").save(tmp_path / "ct.cohort")

    assert stat.S_IMODE((tmp_path / "ct.cohort").stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["key", "index", "cohort", "export"])
@pytest.mark.parametrize("where", ["", "nifti/deep", "link"])
@pytest.mark.parametrize("finished", [True, False])
def test_nothing_identified_is_written_inside_a_release(
    tmp_path: Path,
    kind: str,
    where: str,
    finished: bool,  # noqa: FBT001 - a row
) -> None:
    """Nor by a link, nor while the run goes on: it would be sent away, or swept by the next run."""
    make_archive(tmp_path / "archive")
    out, key = tmp_path / "out", ck.Key.new(tmp_path / "key", project="here")
    index = ck.scan(tmp_path / "archive", tmp_path / "index", progress=False, workers=1)
    plan = ck.plan(index.search(), ck.load_recipe("basic"), to="tables")
    ck.export(plan, out, key=key, workers=1, progress=False)
    if not finished:
        (out / "release" / "export.json").unlink()
    (tmp_path / "link").symlink_to(out / "release")
    inside = tmp_path / "link" if where == "link" else out / "release" / where
    inside.mkdir(parents=True, exist_ok=True)
    before = tree(out / "release")
    acts = {
        "key": lambda: ck.Key.new(inside / "k", project="mine"),
        "index": lambda: ck.scan(tmp_path / "archive", inside / "ix", progress=False, workers=1),
        "cohort": lambda: index.search().save(inside / "c.cohort"),
        "export": lambda: ck.export(plan, inside / "sub", key=key, workers=1, progress=False),
    }

    with pytest.raises(CohortkitError, match=r"inside (a|the) release"):
        acts[kind]()

    assert before == tree(out / "release")
