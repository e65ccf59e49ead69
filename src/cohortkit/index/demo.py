"""The index of the real DICOM files that ship in pydicom's wheel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from cohortkit.errors import MissingDependency
from cohortkit.index.scan import scan
from cohortkit.index.store import StoreIndex


def demo_index(*, progress: bool = False) -> StoreIndex:
    """Index, in memory, the DICOM files in pydicom's wheel: nothing is downloaded or written.

    Raises:
        MissingDependency: pydicom was installed without its files.
    """
    spec = find_spec("pydicom")
    folder = Path(spec.origin).parent / "data" if spec is not None and spec.origin else None
    if folder is None or not (folder / "test_files").is_dir():
        raise MissingDependency("pydicom is installed without its test files")
    return scan(folder, workers=1, progress=progress)
