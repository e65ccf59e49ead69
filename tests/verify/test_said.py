"""Objects of a release say what was done to them, and verification reads it again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import FileDataset

import cohortkit as ck
from factory import Patient, Series, write_series


def exported(folder: Path) -> tuple[ck.Export, ck.Key]:
    write_series(folder / "in", Patient(), Series(slices=2))
    key = ck.Key.new(folder / "k.key", "said")
    plan = ck.plan(
        ck.scan(folder / "in", progress=False).search(), ck.load_recipe("basic"), "dicom"
    )
    return ck.export(plan, folder / "out", key=key, workers=1, progress=False), key


def faults(folder: Path, key: ck.Key) -> set[str]:
    return {str(one.fault) for one in ck.verify(folder / "out", key=key).wrong}


def test_an_untouched_release_says_it(tmp_path: Path) -> None:
    """Nothing is wrong with what was just written."""
    made, key = exported(tmp_path)

    assert len(list(made.release.rglob("*.dcm"))) == 2
    assert set() == faults(tmp_path, key)


def _claim(dataset: FileDataset) -> None:
    dataset.PatientIdentityRemoved = "NO"


def _dates(dataset: FileDataset) -> None:
    dataset.LongitudinalTemporalInformationModified = "UNMODIFIED"


def _methods(dataset: FileDataset) -> None:
    dataset.DeidentificationMethod = "by hand"


def _codes(dataset: FileDataset) -> None:
    del dataset.DeidentificationMethodCodeSequence


def _other(dataset: FileDataset) -> None:
    dataset.SOPInstanceUID = "2.25.1"


@pytest.mark.parametrize("change", [_claim, _dates, _methods, _codes, _other])
def test_an_object_that_says_something_else_is_told(
    change: Callable[[FileDataset], None], tmp_path: Path
) -> None:
    """Sabotage: one element of the statement is changed behind our back."""
    made, key = exported(tmp_path)
    path = next(iter(sorted(made.release.rglob("*.dcm"))))
    dataset = pydicom.dcmread(path)
    change(dataset)
    pydicom.dcmwrite(path, dataset)

    assert {"changed", "does not say what was done to it"} == faults(tmp_path, key)


def test_an_object_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    """A file that is no object any more is no excuse."""
    made, key = exported(tmp_path)
    next(iter(made.release.rglob("*.dcm"))).write_bytes(b"nothing at all")

    assert {"changed", "does not say what was done to it"} == faults(tmp_path, key)
