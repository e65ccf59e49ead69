"""Every series of the real test data against dcm2niix: exact, refused by name, or different.

    python benchmarks/exact.py [--default] [--verbose]

The oracle is ``dcm2niix -z n`` (PyPI's binary). cohortkit's side is the way of an export from the
files on disk to the NIfTI file that it writes, read back by nibabel. *Exact* means: after both
are brought to the closest canonical orientation, the affine is within 1e-3 and every scaled value
is equal (to float32's precision). The match is one to one: a volume of ours that no reference
equals *differs*, and so does a second volume that equals a reference already taken.

Without ``--default`` the two policies that make no new voxels are chosen, as a user would who
wants what dcm2niix gives: ``Nifti(single="keep-2d", tilt="affine")``; what the default refuses
besides is told apart. Exits 1 if anything differs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dcm2niix
import nibabel as nib
import numpy as np
from numpy.typing import NDArray

import cohortkit as ck
from cohortkit.errors import Refusal
from cohortkit.geometry.facts import read_facts
from cohortkit.model import Refused, Status, Task, Volume
from cohortkit.payloads.volume import volumes
from cohortkit.run.tasks import build
from cohortkit.sources.files import Files
from cohortkit.writers.nifti import file_of

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("COHORTKIT_TEST_DATA") or ROOT.parent / "shared" / "data")


@dataclass
class Reference:
    """One volume that dcm2niix made."""

    name: str
    values: NDArray[np.float64]
    affine: NDArray[np.float64]
    taken: bool = False


@dataclass
class Verdict:
    """What became of one series."""

    suite: str
    series: str
    said: list[str] = field(default_factory=list)


def canonical(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Scaled values and affine in the closest canonical orientation; None for colour."""
    image = nib.load(path)
    if image.get_data_dtype().names:
        return None
    turned = nib.as_closest_canonical(image)
    values = np.asarray(turned.get_fdata())
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    return values, np.asarray(turned.affine)


def references(suite: Path, work: Path) -> tuple[list[Reference], int]:
    """What dcm2niix makes of a suite, and how many of it are in colour."""
    out = work / suite.name
    out.mkdir()
    subprocess.run(
        [dcm2niix.bin, "-z", "n", "-d", "9", "-f", "%s_%p_%t", "-o", out, inputs(suite)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    found, colour = [], 0
    for path in sorted(out.glob("*.nii")):
        read = canonical(path)
        if read is None:
            colour += 1
        else:
            found.append(Reference(path.name, *read))
    return found, colour


def inputs(suite: Path) -> Path:
    """The DICOM side of a suite."""
    return suite / "In" if (suite / "In").is_dir() else suite


def ours(task: Task, policy: ck.Nifti, work: Path) -> Iterator[Path | str]:
    """Each volume of a series as the NIfTI file that is written, or why there is none."""
    instances = Files().fetch(task)
    facts = read_facts([one.header for one in instances])
    for item in volumes(facts, [one.pixels for one in instances]):
        if isinstance(item, Refused):
            copy = item.status is Status.DUPLICATE
            yield f"{'duplicate' if copy else 'refused'} ({item.reason})"
            continue
        try:
            yield written(item, policy, work)
        except Refusal as refusal:
            yield f"refused ({refusal.reason})"


def written(volume: Volume, policy: ck.Nifti, work: Path) -> Path:
    """The file of one volume."""
    policy.check(volume)
    path = work / "ours.nii"
    path.write_bytes(b"".join(bytes(chunk) for chunk in file_of(volume)))
    return path


def judged(path: Path, candidates: list[Reference]) -> str:
    """Whether exactly one free reference equals the file."""
    read = canonical(path)
    if read is None:
        return "differs (colour)"
    values, affine = read
    for one in candidates:
        if one.taken or one.values.shape != values.shape:
            continue
        if np.allclose(one.affine, affine, rtol=0, atol=1e-3) and np.allclose(
            one.values, values, rtol=1e-6, atol=1e-5, equal_nan=True
        ):
            one.taken = True
            return "exact"
    return f"differs {values.shape}"


def tasks(folder: Path) -> Iterator[Task]:
    """Every series of a folder, as an export would get it."""
    index = ck.scan(folder, progress=False, workers=1)
    yield from build(index, index.search().identified(), "", []).tasks


def main() -> int:
    """Print the table and the totals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--default", action="store_true", help="with the default policies")
    parser.add_argument("--verbose", action="store_true", help="name references left over")
    given = parser.parse_args()
    policy = ck.Nifti() if given.default else ck.Nifti(single="keep-2d", tilt="affine")
    warnings.simplefilter("ignore")
    totals: Counter[str] = Counter()
    made = 0
    with tempfile.TemporaryDirectory() as folder:
        for suite in sorted(path for path in DATA.iterdir() if path.is_dir()):
            candidates, colour = references(suite, Path(folder))
            made += len(candidates) + colour
            for task in tasks(inputs(suite)):
                said = [
                    one if isinstance(one, str) else judged(one, candidates)
                    for one in ours(task, policy, Path(folder))
                ]
                totals.update(said)
                told = ", ".join(f"{n} {what}" for what, n in sorted(Counter(said).items()))
                where = Path(task.files[0].path).parent.relative_to(DATA)
                print(f"{str(where)[:60]:<60} {len(task.files):>4} files  {told}")
            left = [one.name for one in candidates if not one.taken]
            print(f"  {suite.name}: {len(left)} references not made, {colour} in colour")
            if given.verbose and left:
                print("    " + "\n    ".join(left))
    exact = totals["exact"]
    different = sum(n for what, n in totals.items() if what.startswith("differs"))
    print()
    for what, n in sorted(totals.items()):
        print(f"{n:>4} {what}")
    print(f"dcm2niix makes {made} volumes: {exact} exact, {different} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
