"""Every series of the real test data against dcm2niix: exact, refused by name, or different.

    python benchmarks/exact.py [--default] [--verbose]

The oracle is ``dcm2niix -z n`` (PyPI's binary). cohortkit's side is the way of an export from the
files on disk to the NIfTI file that it writes, read back by nibabel. *Exact* means: after both
are brought to the closest canonical orientation, the affine is within 1e-3 and every scaled value
is equal (to float32's precision). The match is one to one: a volume of ours that no reference
equals *differs*, and so does a second volume that equals a reference already taken.

Told apart, and counted as neither:

- a volume for which there is no oracle, because dcm2niix reported an error for each of its files;
- a reference made of a copy. An export writes one of several copies of an object; dcm2niix may
  write each. The copy is then assembled alone and has to equal that reference;
- a reference that contradicts dcm2niix's own reading of the same object: the same slices, in the
  other order on the same affine.

Without ``--default`` the two policies that make no new voxels are chosen, as a user would who
wants what dcm2niix gives: ``Nifti(single="keep-2d", tilt="affine")``. Exits 1 if anything differs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dcm2niix
import nibabel as nib
import numpy as np
from numpy.typing import NDArray

import cohortkit as ck
from cohortkit.errors import Refusal
from cohortkit.geometry.facts import read_facts
from cohortkit.model import Refused, SourceInstance, Status, Task, Volume
from cohortkit.payloads.volume import volumes
from cohortkit.run.tasks import build
from cohortkit.sources.files import Files
from cohortkit.writers.nifti import file_of

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("COHORTKIT_TEST_DATA") or ROOT.parent / "shared" / "data")

MADE = "made by dcm2niix"
COPY = "references of copies, equal to the copy alone"
CONTRADICTION = "references that contradict dcm2niix's reading of the same object"


@dataclass
class Reference:
    """One volume that dcm2niix made."""

    name: str
    values: NDArray[np.float64]
    affine: NDArray[np.float64]
    taken: bool = False


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


def references(suite: Path, work: Path) -> tuple[list[Reference], int, str]:
    """What dcm2niix makes of a suite, how many of it are in colour, and its errors."""
    out = work / suite.name
    out.mkdir()
    run = subprocess.run(
        [dcm2niix.bin, "-z", "n", "-d", "9", "-f", "%s_%p_%t", "-o", out, inputs(suite)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found, colour = [], 0
    for path in sorted(out.glob("*.nii")):
        read = canonical(path)
        if read is None:
            colour += 1
        else:
            found.append(Reference(path.name, *read))
    lines = (run.stdout + run.stderr).splitlines()
    return found, colour, "\n".join(line for line in lines if line.startswith("Error"))


def inputs(suite: Path) -> Path:
    """The DICOM side of a suite."""
    return suite / "In" if (suite / "In").is_dir() else suite


def ours(
    instances: Sequence[SourceInstance], policy: ck.Nifti, work: Path
) -> Iterator[tuple[Path | str, tuple[int, ...]]]:
    """Each volume of a series as the NIfTI file that is written, or why there is none."""
    facts = read_facts([one.header for one in instances])
    for item in volumes(facts, [one.pixels for one in instances]):
        if isinstance(item, Refused):
            yield f"{item.status.value} ({item.reason})", item.instances
            continue
        try:
            yield written(item, policy, work), item.instances
        except Refusal as refusal:
            yield f"refused ({refusal.reason})", item.instances


def written(volume: Volume, policy: ck.Nifti, work: Path) -> Path:
    """The file of one volume."""
    policy.check(volume)
    path = work / "ours.nii"
    path.write_bytes(b"".join(bytes(chunk) for chunk in file_of(volume)))
    return path


def same(one: Reference, values: NDArray[np.float64], affine: NDArray[np.float64]) -> bool:
    """Whether a volume equals a reference."""
    return (
        one.values.shape == values.shape
        and np.allclose(one.affine, affine, rtol=0, atol=1e-3)
        and np.allclose(one.values, values, rtol=1e-6, atol=1e-5, equal_nan=True)
    )


def judged(path: Path, candidates: list[Reference]) -> bool:
    """Whether a free reference equals the file; it is then taken."""
    read = canonical(path)
    for one in candidates:
        if read is not None and not one.taken and same(one, *read):
            one.taken = True
            return True
    return False


def verdicts(
    task: Task, policy: ck.Nifti, work: Path, candidates: list[Reference], errors: str
) -> tuple[list[str], list[SourceInstance]]:
    """What became of one series, and the copies that it held."""
    instances = Files().fetch(task)
    said, copies = [], []
    for found, ordinals in ours(instances, policy, work):
        if isinstance(found, str):
            said.append(found)
            if found.startswith(Status.DUPLICATE.value):
                copies += [instances[n] for n in ordinals]
        elif judged(found, candidates):
            said.append("exact")
        elif all(f"/{Path(task.files[n].path).name}" in errors for n in ordinals):
            said.append("no oracle (dcm2niix: error)")
        else:
            said.append("differs")
    return said, copies


def of_copies(
    copies: Sequence[SourceInstance], policy: ck.Nifti, work: Path, candidates: list[Reference]
) -> int:
    """How many of the references left over are of these copies, each assembled alone."""
    count = 0
    for copy in copies:
        if all(one.taken for one in candidates):
            break
        for found, _ in ours([copy], policy, work):
            count += not isinstance(found, str) and judged(found, candidates)
    return count


def contradictions(candidates: list[Reference]) -> int:
    """References left over that are a taken one with its slices in the other order."""
    taken = [one for one in candidates if one.taken]
    found = [
        one
        for one in candidates
        if not one.taken
        and any(
            other.values.ndim == 3
            and other.values.shape[2] > 1
            and same(one, other.values[:, :, ::-1], other.affine)
            for other in taken
        )
    ]
    for one in found:
        one.taken = True
    return len(found)


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
    with tempfile.TemporaryDirectory() as folder:
        for suite in sorted(path for path in DATA.iterdir() if path.is_dir()):
            totals += judge(suite, policy, Path(folder), verbose=given.verbose)
    print()
    for what, n in sorted(totals.items()):
        if what != MADE:
            print(f"{n:>4} {what}")
    print(f"dcm2niix makes {totals[MADE]} volumes: ", end="")
    print(f"{totals['exact']} exact, {totals[COPY]} of copies, {totals['differs']} differ")
    return 1 if totals["differs"] else 0


def judge(suite: Path, policy: ck.Nifti, work: Path, *, verbose: bool) -> Counter[str]:
    """Print and count what became of one suite."""
    candidates, colour, errors = references(suite, work)
    totals: Counter[str] = Counter({MADE: len(candidates) + colour})
    copies: list[SourceInstance] = []
    for task in tasks(inputs(suite)):
        said, more = verdicts(task, policy, work, candidates, errors)
        copies += more
        totals.update(said)
        told = ", ".join(f"{n} {what}" for what, n in sorted(Counter(said).items()))
        where = Path(task.files[0].path).parent.relative_to(DATA)
        print(f"{str(where)[:60]:<60} {len(task.files):>4} files  {told}")
    totals[COPY] += of_copies(copies, policy, work, candidates)
    totals[CONTRADICTION] += contradictions(candidates)
    left = [one.name for one in candidates if not one.taken]
    print(f"  {suite.name}: {len(left)} references not made, {colour} in colour")
    if verbose and left:
        print("    " + "\n    ".join(left))
    return totals


if __name__ == "__main__":
    sys.exit(main())
