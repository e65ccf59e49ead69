"""Planes in space: is an orientation usable, do slices stand in a row, and the affine they make.

Everything is in mm in patient coordinates: LPS as in DICOM, until the affine, which is RAS+.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal
from cohortkit.model import FrameFacts, Lean, Reason
from cohortkit.model.facts import Orientation

Vector = NDArray[np.float64]

UNIT_TOLERANCE = 1e-2
"""How far a direction's length may be from 1, and two directions from a right angle."""
DRIFT_MM = 0.05
"""How far a slice may lie beside the line through the first along the normal."""
EVEN = 0.01
"""How far a slice may lie from its place on the grid, as a part of the spacing."""
EVEN_MM = 0.01
"""The same in mm, where the spacing is so fine that rounding is larger."""
END_MM = 9e-4
"""How far the first and the last gap may be from the spacing: each alone has to predict the grid,
as those do who measure one gap only."""
LARGEST_MM = 1e5
"""No position or spacing of a patient is beyond this."""


@dataclass(frozen=True, slots=True)
class Plane:
    """Directions of one slice: ``along_row`` to the next column, ``along_column`` to the next row.

    ``normal`` is their cross product.
    """

    along_row: Vector
    along_column: Vector
    normal: Vector


def plane(orientation: Orientation) -> Plane:
    """The directions, normalised.

    Raises:
        Refusal: ``bad-geometry`` for what is no pair of right-angled unit vectors.
    """
    along_row, along_column = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = [float(np.linalg.norm(v)) for v in (along_row, along_column)]
    if not all(abs(length - 1) <= UNIT_TOLERANCE for length in lengths):
        raise Refusal(Reason.BAD_GEOMETRY, row_length=lengths[0], column_length=lengths[1])
    along_row, along_column = along_row / lengths[0], along_column / lengths[1]
    cosine = float(along_row @ along_column)
    if abs(cosine) > UNIT_TOLERANCE:
        raise Refusal(Reason.BAD_GEOMETRY, cosine=cosine)
    normal = np.cross(along_row, along_column)
    return Plane(along_row, along_column, normal / np.linalg.norm(normal))


def check(frame: FrameFacts) -> None:
    """Refuse a frame that cannot be placed.

    Raises:
        Refusal: ``no-geometry`` where something is absent, ``bad-geometry`` where it is no
            usable number.
    """
    if frame.position is None or frame.orientation is None or frame.spacing is None:
        raise Refusal(Reason.NO_GEOMETRY)
    numbers = (*frame.position, *frame.orientation, *frame.spacing)
    if not all(math.isfinite(x) and abs(x) <= LARGEST_MM for x in numbers):
        raise Refusal(Reason.BAD_GEOMETRY)
    if min(frame.spacing) < 1e-6:  # noqa: PLR2004 - zero or below
        raise Refusal(Reason.BAD_GEOMETRY, spacing=min(frame.spacing))
    plane(frame.orientation)


def step(positions: Sequence[Vector], normal: Vector) -> Vector:
    """The vector from one slice to the next, of slices sorted along the normal.

    It points along the normal, but for slices that a tilted gantry has sheared: then it is the
    sheared one.

    Args:
        positions: at least two.
        normal: unit vector.

    Raises:
        Refusal: ``missing-slice``, ``irregular-spacing``, ``tilt`` where the shear is uneven.
    """
    from_first = np.array(positions) - positions[0]
    heights = from_first @ normal
    count = len(positions) - 1
    spacing = float(heights[-1]) / count
    ideal = np.arange(count + 1) * spacing
    worst = float(np.abs(heights - ideal).max())
    gaps = np.diff(heights)
    ends = max(abs(float(gaps[n]) - spacing) for n in (0, -1))
    if worst > max(EVEN * spacing, EVEN_MM) or ends > END_MM:
        raise _uneven(gaps)
    beside = from_first - heights[:, np.newaxis] * normal
    drift = float(np.linalg.norm(beside, axis=1).max())
    if drift <= DRIFT_MM:
        return normal * spacing
    sheared: Vector = from_first[-1] / count
    expected = ideal[:, np.newaxis] / spacing * sheared
    if float(np.abs(from_first - expected).max()) > max(EVEN * spacing, EVEN_MM) + DRIFT_MM:
        raise Refusal(Reason.TILT, drift=drift)
    return sheared


def direction(positions: Sequence[Vector], normal: Vector) -> Vector:
    """The way from slice to slice for each mm along the normal, of slices that may be uneven.

    It is the normal, but for slices that a tilted gantry has sheared.

    Args:
        positions: at least two.
        normal: unit vector.

    Raises:
        Refusal: ``tilt``: the slices lie on no straight line.
    """
    from_first = np.array(positions) - positions[0]
    heights = (from_first @ normal)[:, np.newaxis]
    drift = float(np.linalg.norm(from_first - heights * normal, axis=1).max())
    if drift <= DRIFT_MM:
        return normal
    sheared: Vector = from_first[-1] / heights[-1]
    if float(np.linalg.norm(from_first - heights * sheared, axis=1).max()) > DRIFT_MM:
        raise Refusal(Reason.TILT, drift=drift)
    return sheared


def heights(positions: Sequence[Vector], normal: Vector, lean: Lean | None) -> tuple[float, ...]:
    """How far each slice lies from the first along the normal, mm.

    Positions count in single precision, as dcm2niix has them: whoever interpolates between two
    slices then rounds as it does where a value lies half way between two whole numbers.
    """
    single = np.array(positions).astype(np.float32)
    from_first = single - single[0]
    if lean is not None:
        along = _cosine(lean.degrees) * np.sqrt((from_first * from_first).sum(axis=1))
    else:
        along = from_first.astype(np.float64) @ normal
    return tuple(along.astype(np.float64).tolist())


def leaning(positions: Sequence[Vector], orientation: Orientation) -> Lean | None:
    """How slices that a tilted gantry has sheared lean; None where they stand upright.

    Reckoned in single precision, step by step as dcm2niix does it: a ten-millionth of the angle
    decides how a value half way between two whole numbers is rounded.

    Args:
        positions: at least two, sorted along the normal, on a straight line.
        orientation: of the slices.
    """
    single = np.array(positions).astype(np.float32)
    directions = np.array(orientation, np.float32)
    normal = np.cross(directions[:3], directions[3:])
    along = single[-1] - single[0]
    if float(np.linalg.norm(along - float(along @ normal) * normal)) <= DRIFT_MM:
        return None
    cosine = abs((along * normal).sum() / (_length(along) * _length(normal)))
    degrees = float(np.float32(math.degrees(np.float32(math.acos(min(cosine, np.float32(1)))))))
    gap = _cosine(degrees) * _length(single[1] - single[0])
    return Lean(degrees, float(gap))


def _cosine(degrees: float) -> np.float32:
    return np.float32(math.cos(math.radians(degrees)))


def _length(vector: NDArray[np.float32]) -> np.float32:
    found: np.float32 = np.sqrt((vector * vector).sum())
    return found


def _uneven(gaps: Vector) -> Refusal:
    """Slices missing from an even row, or an uneven one."""
    low, high = float(gaps.min()), float(gaps.max())
    numbers = {"smallest": low, "largest": high}
    whole = np.rint(gaps / low)
    near = float(np.abs(gaps - whole * low).max()) <= max(5 * EVEN * low, EVEN_MM)
    if near and float(whole.max()) > 1:
        return Refusal(Reason.MISSING_SLICE, missing=float((whole - 1).sum()), **numbers)
    return Refusal(Reason.IRREGULAR_SPACING, **numbers)


def affine(frame: FrameFacts, origin: Vector, between: Vector) -> NDArray[np.float64]:
    """(4, 4): voxel (i along a row, j along a column, k along slices) to mm in RAS+.

    Args:
        frame: orientation and spacing of the slices.
        origin: centre of the first voxel of the first slice, LPS.
        between: from one slice to the next, LPS.
    """
    assert frame.orientation is not None
    assert frame.spacing is not None
    directions = plane(frame.orientation)
    between_rows, between_columns = frame.spacing
    lps = np.eye(4)
    lps[:3, 0] = directions.along_row * between_columns
    lps[:3, 1] = directions.along_column * between_rows
    lps[:3, 2] = between
    lps[:3, 3] = origin
    ras: NDArray[np.float64] = np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps
    return ras + 0.0  # no negative zeros


def nowhere(
    shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> NDArray[np.float64]:
    """(4, 4) of an array that lies nowhere: centred, its first axis to the left of the patient.

    It is what readers assume of a NIfTI file that says nothing of its place.
    """
    made = np.diag([-spacing[0], spacing[1], spacing[2], 1.0])
    made[:3, 3] = -np.diag(made)[:3] * (np.array(shape) - 1) / 2
    return made + 0.0


def shear(affine: NDArray[np.float64]) -> float:
    """Degrees between the slice axis and the normal of the slices; 0 where upright."""
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    along = affine[:3, 2]
    cosine = abs(float(normal @ along)) / float(np.linalg.norm(normal) * np.linalg.norm(along))
    return math.degrees(math.acos(min(1.0, cosine)))
