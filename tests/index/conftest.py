"""A small archive for the tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest

from factory import MR, Patient, Series, write_series


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two patients, three studies, four series, and files that are no objects."""
    root = tmp_path / "archive"
    anna = Patient(patient_id="0012", issuer="A")
    write_series(root / "a", anna, Series(slices=3))
    write_series(root / "a", anna, Series(slices=2, number=2, sop_class=MR, modality="MR"))
    write_series(root / "b" / "deep", anna, Series(slices=1, study=2))
    other = Patient(patient_id="0012", issuer="B", name="Other^One")
    write_series(root / "c", other, Series(slices=2))
    (root / "notes.txt").write_text("Quisling, Marjolein: call back")
    (root / "empty").touch()
    (root / "zip.dcm").write_bytes(b"PK\3\4" + bytes(300))
    return root
