"""The archive, the key and the honest export that the promise tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cohortkit as ck
from cohortkit.run.engines import Local
from independent import Identities, collect
from promised import Run, export, make_archive


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive; read only."""
    return make_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> ck.Key:
    """One project's key."""
    return ck.Key.new(tmp_path_factory.mktemp("keys") / "a.key", project="promises")


@pytest.fixture(scope="session")
def identities(archive: Path) -> Identities:
    """What a stranger finds in the archive."""
    return collect([archive])


@pytest.fixture(scope="session")
def exported(archive: Path, key: ck.Key, tmp_path_factory: pytest.TempPathFactory) -> ck.Export:
    """An honest export, by worker processes."""
    return export(archive, tmp_path_factory.mktemp("honest") / "out", key, workers=2)


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """An export in this process, so that a test can break the library on purpose."""

    def run(_: Local, work: Callable[..., object], tasks: object) -> Iterator[object]:
        for task in tasks:  # type: ignore[attr-defined]
            yield task.number, work(task)

    monkeypatch.setattr(Local, "run", run)
    return export
