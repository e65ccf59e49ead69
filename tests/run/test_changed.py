"""An output of an export that is asked for otherwise: refused, or done anew as a whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import cohortkit as ck
from batches import planned, run
from cohortkit.errors import OutputError, UsageError
from cohortkit.run import batch, settings
from promised import accounted, tree

pytestmark = pytest.mark.usefixtures("inline")


@pytest.fixture
def out(archive: Path, key: ck.Key, tmp_path: Path) -> Path:
    """A finished export."""
    run(planned(archive, ["nifti", "tables"]), tmp_path / "out", key)
    return tmp_path / "out"


def lines(out: Path) -> list[dict[str, object]]:
    return [json.loads(one) for one in (out / "vault" / "audit.jsonl").read_text().splitlines()]


def other_version(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings.made_with()
    monkeypatch.setattr(settings, "made_with", lambda: {**made, "isal": "99.0"})


@pytest.mark.parametrize("what", ["recipe", "outputs", "version"])
def test_what_is_asked_for_otherwise_is_refused_and_done_anew_when_told_to(
    archive: Path,
    key: ck.Key,
    out: Path,
    tmp_path: Path,
    what: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is touched unasked; then the release is that of a fresh export, said in the log."""
    to = ["tables"] if what == "outputs" else ["nifti", "tables"]
    recipe = "patient-characteristics-kept" if what == "recipe" else "basic"
    if what == "version":
        other_version(monkeypatch)
    plan = planned(archive, to, recipe)
    before = tree(out)
    words = {"recipe": "recipe", "outputs": "outputs", "version": "another version"}[what]
    with pytest.raises(OutputError, match=rf"{words}.*--changed redo"):
        run(plan, out, key)
    assert before == tree(out)

    made = run(plan, out, key, changed="redo")
    fresh = run(plan, tmp_path / "fresh", key)

    assert tree(fresh.release) == tree(made.release)
    assert (0, len(plan.tasks)) == (made.increment.new, made.increment.again)  # type: ignore[union-attr]
    # another version that gives the same bytes makes no other release
    second = [] if what == "version" else ["release"]
    assert ["release", "changed", *second] == [line["event"] for line in lines(out)]
    assert words in str(lines(out)[1]["what"])
    assert ck.verify(out, key, ck.scan(archive, progress=False, workers=1)).ok
    assert (0, 0, 0, len(plan.tasks)) == tuple(run(plan, out, key).summary()["this_run"].values())
    accounted(made.release)


def test_another_key_is_another_export_however_it_is_asked_for(
    archive: Path, out: Path, tmp_path: Path
) -> None:
    """Every pseudonym would be another; and the audit log is sealed with the first one."""
    other = ck.Key.new(tmp_path / "other", project="batch")
    before = tree(out)

    with pytest.raises(OutputError, match="with another key; choose another folder") as caught:
        run(planned(archive, ["nifti", "tables"]), out, other, changed="redo")

    assert "redo" not in str(caught.value)
    assert before == tree(out)


def test_a_word_that_is_none_and_a_shard(archive: Path, key: ck.Key, out: Path) -> None:
    """A shard knows its part alone, and what is old is everywhere."""
    plan = planned(archive, ["nifti", "tables"])
    with pytest.raises(UsageError, match="changed: 'refuse' or 'redo'"):
        run(plan, out, key, changed="yes")
    with pytest.raises(UsageError, match="changed: a shard"):
        run(plan, out, key, changed="redo", shard="1/2")


@pytest.mark.parametrize("moment", ["attest", "unfinish", "keep", "resume", "publish"])
def test_a_change_that_is_interrupted_never_leaves_a_mixture(
    archive: Path,
    key: ck.Key,
    out: Path,
    tmp_path: Path,
    moment: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped at any step, the old command goes on, or the new one: to a release of its own."""
    old, new = planned(archive, ["nifti", "tables"]), planned(archive, "tables")
    whole = {True: tree(run(old, tmp_path / "old", key).release)}
    whole[False] = tree(run(new, tmp_path / "new", key).release)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(batch, moment, stop)
        with pytest.raises(KeyboardInterrupt):
            run(new, out, key, changed="redo")
    for first in (True, False):
        again = shutil.copytree(out, tmp_path / f"again{first}")
        plan = old if first else new
        assert whole[first] == tree(run(plan, again, key, changed="redo").release)


def test_an_export_that_an_earlier_version_began_goes_on(
    archive: Path, key: ck.Key, out: Path
) -> None:
    """Its settings lack what was not there then; what it did stands."""
    plan = planned(archive, ["nifti", "tables"])
    path = out / "vault" / "export.json"
    body = {name: value for name, value in json.loads(path.read_bytes()).items() if name != "split"}
    path.write_text(json.dumps(body))
    digest = settings.Settings(body).digest
    for one in (out / "vault" / "records").rglob("*.json"):
        record = json.loads(one.read_bytes())
        one.write_text(json.dumps({**record, "plan": digest}))

    assert (0, 0, 0, len(plan.tasks)) == tuple(run(plan, out, key).summary()["this_run"].values())
