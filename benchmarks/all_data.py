"""Export everything there is, and let a stranger search what left.

    python benchmarks/all_data.py [--workers N]

Every file of the shared data (COHORTKIT_TEST_DATA), of pydicom, pydicom-data and deid-data is
scanned, planned and exported as NIfTI, PNG and tables, through the shell. Then: every file is
indexed or skipped with a reason; every series, study, patient and instance has one status; nothing
failed; and ``tests/independent.py`` (which imports nothing of cohortkit) finds no source identity
in the release, the logs or the standard streams. Exits 1 if any of that does not hold.

The key is a new one each time, and the stranger is given it: a moved date falls on the true date of
somebody else in one run of several, so that cells of type date are proved from the key, one by one,
and not compared (``tests/recomputed.py``). All else is searched without it.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECIPE = ROOT / "benchmarks" / "all_data.toml"


def roots() -> dict[str, Path]:
    """The folders of real data that are here, by name."""
    shared = Path(os.environ.get("COHORTKIT_TEST_DATA", ROOT.parent / "shared" / "data"))
    found = {"shared": shared} if shared.is_dir() else {}
    for package in ("pydicom", "data_store", "deid_data"):
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            continue
        folder = Path(next(iter(spec.submodule_search_locations)))
        found[package] = folder / "data" if package == "pydicom" else folder
    return found


def run(*command: object, log: Path) -> int:
    """Run one command of the shell, keeping what it prints."""
    started = time.perf_counter()
    environment = {**os.environ, "COLUMNS": "160"}
    with log.open("wb") as stream:
        done = subprocess.run(
            [Path(sys.executable).with_name("cohortkit"), *map(str, command)],
            stdout=stream, stderr=subprocess.STDOUT, check=False, env=environment,
        )  # fmt: skip
    print(f"cohortkit {command[0]}: exit {done.returncode}, {time.perf_counter() - started:.1f} s")
    return done.returncode


def main() -> int:
    """Run the whole of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", default="2")
    parser.add_argument("--keep", type=Path, help="leave everything in this folder")
    given = parser.parse_args()
    base = given.keep or Path(tempfile.mkdtemp(prefix="all-data-"))
    base.mkdir(parents=True, exist_ok=True)
    archive = base / "archive"
    if not archive.exists():
        for name, root in roots().items():
            shutil.copytree(root, archive / name, ignore=shutil.ignore_patterns("Ref", "*.py*"))
    files = sum(1 for p in archive.rglob("*") if p.is_file())
    out, logs = base / "out", base / "logs"
    logs.mkdir(exist_ok=True)
    codes = [
        run("scan", archive, base / "index", log=logs / "scan.log"),
        run("search", base / "index", "-o", base / "all.cohort", log=logs / "search.log"),
        run("key", "new", base / "all.key", "--project", "all", log=logs / "key.log"),
        run("export", base / "all.cohort", out, "--recipe", RECIPE, "--to", "nifti", "--to", "png",
            "--to", "tables", "--key", base / "all.key", "--workers", given.workers,
            log=logs / "export.log"),
    ]  # fmt: skip
    print(f"{files} files in the archive")
    print((logs / "scan.log").read_text()[-1500:])
    print((logs / "export.log").read_text()[-3000:])
    checked = subprocess.run(
        [sys.executable, ROOT / "tests" / "independent.py", out / "release", archive,
         "--key", base / "all.key", "--also", *sorted(logs.glob("*.log"))],
        check=False,
    )  # fmt: skip
    if given.keep is None:
        shutil.rmtree(base)
    return 1 if any(codes) or checked.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
