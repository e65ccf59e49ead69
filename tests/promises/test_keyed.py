"""Promise 3: no key, no export; another key has nothing in common."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import cohortkit as ck
from cohortkit.deidentify.identities import Keyed
from cohortkit.errors import KeyFileError
from promised import Run, export, tree


def names(export: ck.Export) -> set[str]:
    """Every pseudonym: the parts of paths that a patient, a study or a series gave."""
    parts = {part.split(".")[0] for path in tree(export.release) for part in path.split("/")}
    return {part for part in parts if len(part) >= 17 and part[0] in "psr" and part[1:].islower()}


def check_nothing_in_common(one: ck.Export, other: ck.Export) -> None:
    """Two projects cannot be joined by any name."""
    assert names(one)
    assert names(one) & names(other) == set()


@pytest.fixture(scope="session")
def other(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> ck.Export:
    """The same archive under another key."""
    key = ck.Key.new(tmp_path_factory.mktemp("keys") / "b.key", project="promises")
    return export(archive, tmp_path_factory.mktemp("other") / "out", key)


def test_another_key_has_nothing_in_common(exported: ck.Export, other: ck.Export) -> None:
    """Neither patients nor studies nor series share a name between keys."""
    check_nothing_in_common(exported, other)


def test_sabotage_a_bare_hash_turns_the_promise_red(
    archive: Path,
    key: ck.Key,
    inline: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Pseudonyms by hash without key are the same in both projects, and that is seen."""

    def bare(_: Keyed, person: object) -> str:
        return "p" + hashlib.sha256(person.patient_id.encode()).hexdigest()[:16]  # type: ignore[attr-defined]

    monkeypatch.setattr(Keyed, "patient", bare)
    second = ck.Key.new(tmp_path / "c.key", project="promises")
    one, two = inline(archive, tmp_path / "1", key), inline(archive, tmp_path / "2", second)

    with pytest.raises(AssertionError):
        check_nothing_in_common(one, two)


def check_refused_without_key(archive: Path, out: Path) -> None:
    """No key: refused by name, and nothing of a release is there."""
    with pytest.raises(KeyFileError):
        export(archive, out, None)  # type: ignore[arg-type]

    assert not (out / "release").exists()


def test_no_key_no_export(archive: Path, tmp_path: Path) -> None:
    """An export without a key is refused before anything is written."""
    check_refused_without_key(archive, tmp_path / "out")


def test_sabotage_a_silent_key_turns_the_promise_red(
    archive: Path, key: ck.Key, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A library that helps itself to a key of its own is seen."""
    honest = ck.export

    def helpful(plan: ck.Plan, out: Path, key: ck.Key | None, **rest: object) -> ck.Export:
        return honest(plan, out, key=key or default, **rest)  # type: ignore[arg-type]

    default = key
    monkeypatch.setattr(ck, "export", helpful)

    with pytest.raises(pytest.fail.Exception):
        check_refused_without_key(archive, tmp_path / "out")
