"""What other tools make of the same suites: how many of dcm2niix's volumes are exact.

    python benchmarks/exact_peers.py PYTHON [FOLDER …]

PYTHON is the interpreter of an environment of its own that has dicom2nifti, SimpleITK and
med-imagetools; cohortkit needs none of them. Each is used as its own documentation says and with
nothing of a volume changed that it can leave alone; a suite may take it three minutes. Matching
is that of ``exact.py``: by content, one to one. What a tool writes and no reference equals is
*other*: different voxels, another place, or a part of a volume.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import exact_volumes as volumes
from exact import DATA

LIMIT = 180

DICOM2NIFTI = """
import sys, dicom2nifti
from pathlib import Path
folders = sorted({str(p.parent) for p in Path(sys.argv[1]).rglob("*") if p.is_file()})
for n, folder in enumerate(folders):
    out = Path(sys.argv[2]) / str(n)
    out.mkdir()
    try:
        dicom2nifti.convert_directory(folder, str(out), compression=False, reorient=False)
    except Exception:
        pass
"""

SIMPLEITK = """
import sys, SimpleITK as sitk
from pathlib import Path
folders = sorted({str(p.parent) for p in Path(sys.argv[1]).rglob("*") if p.is_file()})
for n, folder in enumerate(folders):
    for m, uid in enumerate(sitk.ImageSeriesReader.GetGDCMSeriesIDs(folder)):
        try:
            names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(folder, uid)
            image = sitk.ReadImage(names if len(names) > 1 else names[0])
            sitk.WriteImage(image, str(Path(sys.argv[2]) / f"{n}_{m}.nii"))
        except Exception:
            pass
"""

IMGTOOLS = """
import os, subprocess, sys
from pathlib import Path
links = Path(sys.argv[2]) / "in" / "all"
links.mkdir(parents=True)
for n, path in enumerate(sorted(Path(sys.argv[1]).rglob("*"))):
    if path.is_file():
        (links / f"{n}.dcm").symlink_to(path)  # it looks at no other names
tool = str(Path(sys.executable).parent / "imgtools")
for kind in ("CT", "MR", "PT"):
    out = Path(sys.argv[2]) / kind
    subprocess.run([tool, "autopipeline", "-m", kind, "-j", "1", str(links), str(out)],
                   capture_output=True, env={**os.environ, "PATH": os.environ.get("PATH", "")})
"""

PEERS = {"dicom2nifti": DICOM2NIFTI, "SimpleITK": SIMPLEITK, "med-imagetools": IMGTOOLS}


def judge(suite: Path, python: str, totals: dict[str, Counter[str]]) -> None:
    """Add to each tool's counts what it makes of one suite, and print them."""
    folder = suite / "In" if (suite / "In").is_dir() else suite
    for name, script in PEERS.items():
        with tempfile.TemporaryDirectory() as work:
            references, _ = volumes.oracle(folder, Path(work) / "reference")
            out = Path(work) / "out"
            out.mkdir()
            found = _made(python, script, folder, out)
            exact = sum(volumes.first_equal(one, references) is not None for one in found)
        row = Counter(reference=len(references), exact=exact, other=len(found) - exact)
        totals[name] += row
        print(f"{suite.name:<18} {name:<15} {exact:>3} of {len(references):>3} exact, "
              f"{row['other']:>3} other", flush=True)  # fmt: skip


def _made(python: str, script: str, folder: Path, out: Path) -> list[volumes.Stored]:
    try:
        subprocess.run([python, "-c", script, folder, out], capture_output=True, timeout=LIMIT,
                       check=False)  # fmt: skip
    except subprocess.TimeoutExpired:
        print("    stopped at its limit")
    found = []
    for path in sorted([*out.rglob("*.nii"), *out.rglob("*.nii.gz")]):
        try:
            found.append(volumes.stored(path))
        except Exception as error:  # noqa: BLE001 - what cannot be read back is no volume
            print(f"    not readable: {type(error).__name__}")
    return found


def main() -> int:
    """Print a row for each tool and suite, and the totals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", help="interpreter of the environment that has the tools")
    parser.add_argument("folders", nargs="*", type=Path, help="suites; default: all of the data")
    given = parser.parse_args()
    totals: dict[str, Counter[str]] = {name: Counter() for name in PEERS}
    for suite in given.folders or sorted(path for path in DATA.iterdir() if path.is_dir()):
        judge(suite.resolve(), given.python, totals)
    print()
    for name, row in totals.items():
        print(f"{name:<15} {row['exact']} of {row['reference']} exact, {row['other']} other")
    return 0


if __name__ == "__main__":
    sys.exit(main())
