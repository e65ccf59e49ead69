"""NIfTI volumes as ``exact.py`` compares them; nothing of cohortkit is in here.

*Exact*: after both are brought to the closest canonical orientation, the affine is within 1e-3
and every scaled value is equal, to float32's precision. Colour is compared byte by byte.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dcm2niix
import nibabel as nib
import numpy as np
from nibabel.orientations import OrientationError
from numpy.typing import NDArray

SPACE = 3


@dataclass
class Stored:
    """One NIfTI file, in the closest canonical orientation.

    Attributes:
        values: scaled, (i, j, k) or (i, j, k, t); colour has its three bytes as a last axis.
        taken: whether a file of the other side has been matched with it.
    """

    name: str
    values: NDArray[Any]
    affine: NDArray[np.float64]
    colour: bool = False
    taken: bool = False

    def equals(self, other: Stored) -> bool:
        """Whether both are the same volume at the same place."""
        if self.values.shape != other.values.shape or self.colour is not other.colour:
            return False
        return bool(
            np.allclose(self.affine, other.affine, rtol=0, atol=1e-3)
            and np.allclose(self.values, other.values, rtol=1e-6, atol=1e-5, equal_nan=True)
        )

    def upside_down(self) -> Stored:
        """Its slices in the other order on the same affine."""
        return Stored(self.name, self.values[:, :, ::-1], self.affine, self.colour)


def stored(path: Path) -> Stored:
    """Read a file."""
    image = nib.load(path)
    colour = bool(image.get_data_dtype().names)
    if colour:  # whose bytes no slope applies to, though dcm2niix may write one
        image = nib.Nifti1Image(image.dataobj.get_unscaled(), image.affine)
    try:
        turned = nib.as_closest_canonical(image)
    except OrientationError:  # an affine of dcm2niix's that spans no space
        turned = image
    if colour:
        raw = np.ascontiguousarray(np.asanyarray(turned.dataobj))
        values = raw.view(np.uint8).reshape(*raw.shape, 3)
    else:
        values = np.asarray(turned.get_fdata())
        while values.ndim > SPACE and values.shape[-1] == 1:
            values = values[..., 0]
    return Stored(path.name, values, np.asarray(turned.affine), colour)


def oracle(folder: Path, out: Path) -> tuple[list[Stored], list[Path]]:
    """What ``dcm2niix -z n`` makes of a folder, and the files that it reported an error for."""
    out.mkdir(parents=True)
    run = subprocess.run(
        [dcm2niix.bin, "-z", "n", "-d", "9", "-f", "%s_%p_%t", "-o", out, folder],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    errors = [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("Error")]
    told = "\n".join(errors)
    files = [path for path in folder.rglob("*") if path.is_file() and told]
    return (
        [stored(path) for path in sorted(out.glob("*.nii"))],
        [path for path in files if f"/{path.name}" in told],
    )


def first_equal(wanted: Stored, among: Iterable[Stored]) -> Stored | None:
    """The first free volume that is the same; it is then taken."""
    for one in among:
        if not one.taken and one.equals(wanted):
            one.taken = True
            return one
    return None


def copies(references: Sequence[Stored]) -> list[Stored]:
    """References left over that are the same as one that is taken."""
    taken = [one for one in references if one.taken]
    return [r for r in references if not r.taken and any(r.equals(one) for one in taken)]


def contradictions(references: Sequence[Stored]) -> list[Stored]:
    """References left over that are a taken one with its slices in the other order."""
    taken = [one.upside_down() for one in references if one.taken and one.values.shape[2] > 1]
    return [r for r in references if not r.taken and any(r.equals(one) for one in taken)]
