"""Promise 4 on all real data, against dcm2niix: exact or refused by name, and none differs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(("options", "least"), [([], 62), (["--default"], 54)])
def test_exact_or_refused(options: list[str], least: int, project: Path, shared_data: Path) -> None:
    """At least so many of dcm2niix's 70 volumes are exact; of what we write none differs."""
    assert shared_data.is_dir()
    run = subprocess.run(
        [sys.executable, project / "benchmarks" / "exact.py", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    last = run.stdout.splitlines()[-1]
    found = re.fullmatch(
        r"dcm2niix makes (\d+) volumes: (\d+) exact \((\d+) of them copies\), 0 differ", last
    )
    assert found is not None, last
    assert int(found[2]) >= least
    assert (0, "70", "8") == (run.returncode, found[1], found[3])
