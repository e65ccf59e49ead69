"""Heads made of ellipsoids, with faces that differ: skin, bone, brain, nose, eyes, ears, chin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TISSUES = {"CT": (-1000, 40, 900, 30), "MR": (3, 320, 40, 500)}
"""Samples of air, skin, bone and brain."""


@dataclass(frozen=True)
class Face:
    """What two people differ in, mm: how far each part stands out of the egg of the face."""

    nose: float = 26.0
    brow: float = 5.0
    chin: float = 16.0
    eyes: float = 12.0
    ears: float = 14.0
    cheeks: float = 6.0


OTHER = Face(nose=34.0, brow=3.0, chin=9.0, eyes=16.0, ears=22.0, cheeks=2.0)


def affine(spacing: tuple[float, float, float] = (2.0, 2.0, 3.0)) -> np.ndarray:
    """Axial slices as DICOM has them: rows to the left, columns to the back (RAS)."""
    made = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
    made[:3, 3] = 110.0, 130.0, -150.0
    return made


SHAPE = 110, 125, 82


def places(matrix: np.ndarray, shape: tuple[int, ...] = SHAPE) -> list[np.ndarray]:
    """Mm to the right, to the front and up, of every voxel."""
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    return [sum(matrix[n, a] * grid[a] for a in range(3)) + matrix[n, 3] for n in range(3)]


def _egg(x: list[np.ndarray], centre: tuple[float, ...], radii: tuple[float, ...]) -> np.ndarray:
    return sum(((p - c) / r) ** 2 for p, c, r in zip(x, centre, radii, strict=True)) <= 1


def head(
    face: Face | None = None,
    modality: str = "CT",
    matrix: np.ndarray | None = None,
    shape: tuple[int, ...] = SHAPE,
    noise: float = 0.0,
) -> np.ndarray:
    """(i, j, k) int16. The vault is 150 by 190 mm, its top at 75 mm; its middle is the origin."""
    face = face or Face()
    x = places(affine() if matrix is None else matrix, shape)
    air, skin, bone, brain = TISSUES[modality]
    low = x[2] < -5
    made = _egg(x, (0, 0, 0), (75, 95, 75))
    made |= _egg(x, (0, 25, -60), (58, 62, 62)) & low
    made |= _egg(x, (0, 25, -60), (58, 62 + face.cheeks, 62)) & low & (x[1] > 25)
    made |= (x[0] ** 2 + (x[1] + 25) ** 2 <= 58**2) & low
    made |= _egg(x, (0, 88, -62), (14, face.nose, 20))
    made |= _egg(x, (0, 90, -28), (40, face.brow, 8))
    made |= _egg(x, (0, 62, -112), (24, face.chin + 14, 14))
    for side in (-1, 1):
        ear = _egg(x, (side * 60, -5, -50), (face.ears + 6, 18, 30))
        made |= ear & (side * x[0] > 60)
        made &= ~_egg(x, (side * 30, 96, -42), (15, face.eyes + 8, 12))
    values = np.where(made, skin, air)
    values[_egg(x, (0, 0, 0), (68, 88, 68))] = bone
    values[inner(x)] = brain
    if noise:
        rng = np.random.default_rng(5)
        values = values + np.abs(rng.normal(0, noise, values.shape))
    return values.astype(np.int16)


def inner(x: list[np.ndarray]) -> np.ndarray:
    """Where the brain is: the vault's inside down to the base of the skull, and the hindbrain."""
    vault = _egg(x, (0, -2, 0), (62, 80, 62)) & (x[2] > -20)
    return vault | (_egg(x, (0, -30, -30), (50, 48, 38)) & (x[2] <= -20))
