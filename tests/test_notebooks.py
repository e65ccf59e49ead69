"""Notebooks run, are what the text beside them says, and show nobody."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

from cohortkit import demo
from independent import collect, search

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
IDS = [path.stem for path in NOTEBOOKS]


def test_there_is_a_notebook() -> None:
    """At least one, so that the tests below test something."""
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)
def test_it_is_the_pair_of_its_text(path: Path) -> None:
    """The notebook's cells are those of the ``.py`` beside it."""
    text = jupytext.read(path.with_suffix(".py"))
    saved = nbformat.read(path, as_version=4)

    assert [(c.cell_type, c.source) for c in text.cells] == [
        (c.cell_type, c.source) for c in saved.cells
    ]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)
def test_it_runs(path: Path, tmp_path: Path) -> None:
    """Every cell runs from top to bottom."""
    shutil.copy(path, tmp_path)
    command = [sys.executable, "-m", "pytest", "--nbmake", "--nbmake-timeout=300", "-q"]
    options = ["-p", "no:randomly", "-p", "no:cacheprovider", "-n0", path.name]
    done = subprocess.run(
        [*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=IDS)
def test_what_was_saved_shows_nobody(path: Path, tmp_path: Path) -> None:
    """It was saved with its output, which holds no identity of its archive and no place."""
    shutil.copy(path, tmp_path)
    found = search(tmp_path, collect([demo.archive()]), [])
    text = path.read_text("utf-8")

    assert any(cell.get("outputs") for cell in json.loads(text)["cells"])
    assert set() == found.hits
    assert not re.search(r"/(tmp|home|root|work|Users)/", text)
    assert path.stat().st_size < 500_000
