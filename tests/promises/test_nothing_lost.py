"""Promise 5: nothing lost, nothing twice, and the same command gives the same bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import cohortkit as ck
from cohortkit.run import finish as finishing
from cohortkit.run import produce, worker
from promised import PATIENTS, Run, check_accounts, export, tree

INSTANCES = len(PATIENTS) * (4 + 4 + 1)


def test_the_accounts_add_up(exported: ck.Export) -> None:
    """At every level, for every output."""
    check_accounts(exported, INSTANCES)


def test_workers_and_repeats_change_no_byte(
    archive: Path, key: ck.Key, exported: ck.Export, tmp_path: Path
) -> None:
    """One worker or two, a new folder or the same again: one release."""
    alone = export(archive, tmp_path / "out", key, workers=1)
    first = tree(alone.release)
    again = export(archive, tmp_path / "out", key, workers=2)

    assert first == tree(exported.release)
    assert tree(again.release) == first


def test_a_trial_and_then_the_rest_is_the_whole(
    archive: Path, key: ck.Key, exported: ck.Export, tmp_path: Path
) -> None:
    """``limit=1`` first, then all: the release of an undisturbed run."""
    trial = export(archive, tmp_path / "out", key, limit=1)
    few = len(tree(trial.release))
    whole = export(archive, tmp_path / "out", key)

    assert tree(whole.release) == tree(exported.release)
    assert few < len(tree(whole.release))


def test_sabotage_a_dropped_instance_turns_the_promise_red(
    archive: Path, key: ck.Key, inline: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An assembler that loses a slice is not published as if nothing was missing."""
    honest = produce.volume.assemble

    def losing(series: object) -> object:
        for item in honest(series):  # type: ignore[arg-type]
            yield replace(item, instances=item.instances[1:])

    monkeypatch.setattr(produce.volume, "assemble", losing)
    broken = inline(archive, tmp_path / "out", key)

    with pytest.raises(AssertionError):
        check_accounts(broken, INSTANCES)


def test_sabotage_a_drop_that_nobody_checks_turns_the_promise_red(
    archive: Path, key: ck.Key, inline: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Even with the worker's own check gone, the sums show the loss."""
    monkeypatch.setattr(worker, "complete", lambda *_: True)
    honest = worker.produce

    def losing(*given: object) -> object:
        made = honest(*given)  # type: ignore[arg-type]
        kept = tuple(replace(o, instances=o.instances[1:]) for o in made.outcomes)
        return replace(made, outcomes=kept)

    monkeypatch.setattr(worker, "produce", losing)
    broken = inline(archive, tmp_path / "out", key)

    with pytest.raises(AssertionError):
        check_accounts(broken, INSTANCES)


def test_sabotage_a_clock_in_the_release_turns_the_promise_red(
    archive: Path,
    key: ck.Key,
    exported: ck.Export,
    inline: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A value of this run alone in the manifest is seen by the comparison of bytes."""
    honest = finishing.finish

    def ticking(*given: object) -> dict[str, bytes]:
        made = dict(honest(*given))  # type: ignore[arg-type]
        made["export.json"] = made["export.json"] + b"1700000000\n"
        return made

    monkeypatch.setattr("cohortkit.run.batch.finish", ticking)
    broken = inline(archive, tmp_path / "out", key)

    assert tree(broken.release) != tree(exported.release)
