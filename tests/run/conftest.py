"""An archive, a key, and work that is done in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cohortkit as ck
from cohortkit.run.engines import Local
from promised import make_archive


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in this process, so that a test can break the library on purpose."""

    def run(_: Local, work: Callable[..., object], tasks: object) -> Iterator[object]:
        for task in tasks:  # type: ignore[attr-defined]  # any iterable of tasks
            yield task.number, work(task)

    monkeypatch.setattr(Local, "run", run)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_archive(tmp_path_factory.mktemp("batch") / "archive")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> ck.Key:
    return ck.Key.new(tmp_path_factory.mktemp("batch") / "key", project="batch")
