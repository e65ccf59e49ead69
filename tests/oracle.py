"""dcm2niix as a stranger who says what a folder of DICOM holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import dcm2niix
import nibabel as nib
import numpy as np


def converted(folder: Path, out: Path) -> dict[str, nib.Nifti1Image]:
    """What dcm2niix makes of a folder, by its suffix: ``""``, ``_Tilt_1``, ``_Eq_1``."""
    out.mkdir()
    subprocess.run(
        [dcm2niix.bin, "-z", "n", "-b", "n", "-f", "v", "-o", out, folder],
        check=True,
        capture_output=True,
    )
    return {path.stem.removeprefix("v"): nib.load(path) for path in sorted(out.glob("*.nii"))}


def canonical(image: nib.Nifti1Image) -> tuple[np.ndarray, np.ndarray]:
    """Scaled values and affine in the closest canonical orientation."""
    turned = nib.as_closest_canonical(image)
    return np.asarray(turned.get_fdata()), np.asarray(turned.affine)
