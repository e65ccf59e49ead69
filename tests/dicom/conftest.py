"""What the tests of this room share: every real file there is, and files made by hypothesis."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _walk(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        yield from (Path(folder) / name for name in sorted(names))


@pytest.fixture(scope="session")
def pydicom_files() -> list[Path]:
    """Every file in pydicom's wheel that may be DICOM, broken ones too."""
    root = _package("pydicom")
    assert root is not None
    return list(_walk(root / "data"))


@pytest.fixture(scope="session")
def real_files(pydicom_files: list[Path], shared_data: Path) -> list[Path]:
    """Every file of the shared data, of pydicom, pydicom-data and deid-data."""
    files = [*pydicom_files, *_walk(shared_data)]
    for name in ("data_store", "deid_data"):
        if root := _package(name):
            files += _walk(root)
    return files
