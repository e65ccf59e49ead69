"""A process of our own starts without what pydicom would download test files with."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LEAN = "from cohortkit.dicom.lean import import_pydicom; import_pydicom()"


def _said(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


@pytest.mark.parametrize("module", ["requests", "tqdm", "pydantic", "polars"])
def test_a_worker_starts_without_what_it_does_not_need(module: str) -> None:
    """None of it is imported by all that a worker imports before its first task."""
    code = f"{_LEAN}; import cohortkit.run.worker_main, cohortkit.run.worker, sys"
    assert _said(f"{code}; print({module!r} in sys.modules)") == "False"


def test_what_was_hidden_is_found_by_who_asks_later() -> None:
    """It was out of sight for as long as pydicom was imported, and pydicom is whole."""
    assert _said(f"{_LEAN}; import tqdm, pydicom; print(len(pydicom.Dataset()))") == "0"


def test_what_is_imported_already_stays() -> None:
    """A module that somebody has is not taken away."""
    assert _said(f"import tqdm; {_LEAN}; import sys; print(sys.modules['tqdm'] is tqdm)") == "True"
