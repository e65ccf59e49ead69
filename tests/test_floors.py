"""The house stands: floors, sizes, no state, no word about what is not the project's."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src" / "cohortkit").rglob("*.py"))
TRACKED = subprocess.run(
    ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
).stdout.splitlines()


def test_each_module_imports_only_what_is_below_its_floor() -> None:
    """import-linter holds the floors, the core without IO, and the independence of adapters."""
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == run.returncode, run.stdout + run.stderr


def test_no_module_is_longer_than_the_budget() -> None:
    """A module past 450 lines is split in the same change."""
    long = {p.name: n for p in SOURCES if (n := len(p.read_text("utf-8").splitlines())) > 450}

    assert {} == long


def _bodies(path: Path) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and node.body[1:] else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
            found.append((f"{path.name}:{node.name}", lines))
    return found


def test_no_function_body_is_longer_than_the_budget() -> None:
    """Function bodies have at most 60 lines."""
    long = [(name, n) for path in SOURCES for name, n in _bodies(path) if n > 60]

    assert [] == long


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT / "src").as_posix())
def test_no_module_writes_anothers_configuration(path: Path) -> None:
    """No ``global``, no writing to ``pydicom.config``, no logging set-up, no bare except."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)

    assert not [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Global)]
    assert not re.search(r"pydicom\.config\.\w+\s*=|config\.settings\.\w+\s*=", text)
    assert "basicConfig" not in text
    assert not [
        n.lineno for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler) and n.type is None
    ]


IGNORE = re.compile(
    r"#\s*(?:noqa|type:\s*ignore)(?P<code>(?::\s*[A-Z0-9, ]+)|\[[a-z-, ]+\])?(?P<rest>.*)"
)


def test_every_ignore_carries_its_code_and_reason() -> None:
    """``# noqa: CODE - reason`` and ``# type: ignore[code]  # reason``."""
    bare = []
    for path in SOURCES:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            found = IGNORE.search(line)
            if found and not (found["code"] and len(found["rest"].strip(" #-")) >= 3):
                bare.append(f"{path.name}:{number}: {line.strip()}")

    assert [] == bare


@pytest.mark.skipif(not TRACKED, reason="not a git checkout")
def test_no_real_dicom_and_no_big_file_is_tracked() -> None:
    """Nothing of the test data lies in the project, and no file is over 500 kB."""
    paths = [ROOT / name for name in TRACKED if (ROOT / name).is_file()]
    dicom = [p for p in paths if p.read_bytes()[128:132] == b"DICM"]
    big = [p for p in paths if p.stat().st_size > 500_000]

    assert [] == dicom
    assert [] == big
