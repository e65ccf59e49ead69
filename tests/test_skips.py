"""In CI a skip that is not on the list fails the run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
BODY = """
import pytest

def test_passes():
    pass

@pytest.mark.skipif(True, reason={reason!r})
def test_skipped():
    pass

@pytest.mark.xfail(reason="known to fail")
def test_expected_to_fail():
    assert False
"""


def _run(folder: Path, reason: str, ci: str, *options: str) -> int:
    tests = folder / "tests"
    tests.mkdir()
    shutil.copy(TESTS / "conftest.py", tests)
    shutil.copy(TESTS / "allowed_skips.txt", tests)
    (tests / "test_it.py").write_text(BODY.format(reason=reason), "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, tests],
        cwd=folder,
        env={**os.environ, "CI": ci},
        capture_output=True,
        check=False,
    ).returncode


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_an_unexplained_skip_fails_ci(tmp_path: Path, options: tuple[str, ...]) -> None:
    """A reason that is not on the list makes the exit code 1, with workers too."""
    assert 1 == _run(tmp_path, "felt like it", "true", *options)


def test_a_listed_skip_passes_ci(tmp_path: Path) -> None:
    """A reason on the list leaves the exit code 0, and an expected failure is no skip."""
    assert 0 == _run(tmp_path, "no shared test data", "true")


def test_outside_ci_a_skip_is_a_skip(tmp_path: Path) -> None:
    """At a desk, a skip needs no excuse."""
    assert 0 == _run(tmp_path, "felt like it", "")


def test_every_line_of_the_list_says_why() -> None:
    """Each allowed skip has a reason of at least a few words."""
    lines = (TESTS / "allowed_skips.txt").read_text("utf-8").splitlines()
    listed = [line.split("\t") for line in lines if line and not line.startswith("#")]

    assert listed
    assert all(len(parts) == 2 and len(parts[1].split()) > 3 for parts in listed)
