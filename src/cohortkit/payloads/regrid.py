"""New slices from old ones, where a policy asks for them: nothing here is done unasked.

Both ways interpolate linearly between two neighbours and nothing else. Grids, single precision
and the rounding of whole numbers as they were stored (halves away from zero) are dcm2niix's, so
that the volumes are its ``_Eq`` and ``_Tilt``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal
from cohortkit.geometry.affine import DRIFT_MM, shear
from cohortkit.model import Reason, Volume

_SLACK = 1e-4
"""As a part of a gap or a row: what is nearer to a whole number than this is that number."""
_MOST_BYTES = 16 << 30

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Slices of a volume and where they lie, be it evenly or not.

    Attributes:
        volume: its affine holds for the first slice and, but for the length of the third axis,
            for the way to the others.
        heights: mm of each slice from the first, along the normal; ascending.
    """

    volume: Volume
    heights: tuple[float, ...]

    @property
    def along(self) -> NDArray[np.float64]:
        """From slice to slice for each mm along the normal, mm in RAS+."""
        axes = self.volume.affine[:3, :3]
        normal = _normal(axes)
        found: NDArray[np.float64] = axes[:, 2] / float(axes[:, 2] @ normal)
        return found


def row_of(volume: Volume) -> Row:
    """A regular volume as a row of slices."""
    axes = volume.affine[:3, :3]
    lean = volume.lean
    gap = np.float32(float(axes[:, 2] @ _normal(axes)) if lean is None else lean.gap)
    return Row(volume, tuple(float(gap * np.float32(k)) for k in range(volume.values.shape[2])))


def evened(row: Row) -> Volume:
    """Evenly spaced slices between the first and the last, which stay where they are.

    As many as the smallest gap asks for, rounded up, but at most twice as many as there were.

    Raises:
        Refusal: ``too-large``.
    """
    heights = np.array(row.heights, np.float32)
    span, smallest = float(heights[-1]), float(np.diff(heights).min())
    count = min(math.ceil(span / smallest - _SLACK), 2 * len(heights) - 1)
    gap = heights[-1] / np.float32(count)

    def slices(old: Array, new: Array) -> None:
        for n in range(count + 1):
            place = np.float32(n) * gap
            above = min(int(np.searchsorted(heights, place)), len(heights) - 1)
            below = max(above - 1, 0)
            if above == below or n == count:
                new[n] = old[above]
                continue
            part = (place - heights[below]) / (heights[above] - heights[below])
            new[n] = _mixed(old[below], old[above], part, row.volume)

    values = _made(row.volume.values, slices, slices=count + 1)
    affine = _with_step(row.volume.affine, row.along * (row.heights[-1] / count))
    return replace(row.volume, values=values, affine=affine, slice_times=())


def upright(row: Row) -> Row:
    """Slices that a tilted gantry has sheared, moved within their planes until they stand upright.

    Rows are added until every slice has a place; what lies in none is the padding value, else
    the lowest value of all. The slice that moves least stays where it is.

    Raises:
        Refusal: ``tilt``: sheared along the rows too. ``too-large``.
    """
    volume = row.volume
    axes = volume.affine[:3, :3]
    column = axes[:, 1] / np.linalg.norm(axes[:, 1])
    lengths = np.linalg.norm(axes, axis=0)
    heights = np.array(row.heights)
    lean = row.along - _normal(axes)
    sideways = lean - column * float(lean @ column)
    if float(np.linalg.norm(sideways)) * float(heights[-1]) > DRIFT_MM:
        raise Refusal(Reason.TILT, degrees=shear(volume.affine))
    fixed = len(heights) - 1 if float(lean @ column) > 0 else 0
    degrees = shear(axes) if volume.lean is None else volume.lean.degrees
    moved = _moved(np.abs(heights - heights[fixed]), degrees, lengths[1])
    more = math.ceil(float(moved.max()) - _SLACK)
    fill = volume.padding

    def slices(old: Array, new: Array) -> None:
        new[...] = volume.values.min() if fill is None else fill
        for k, by in enumerate(moved):
            _shift(old[k], new[k], float(by), volume)

    values = _made(volume.values, slices, rows=volume.values.shape[1] + more)
    normal = _normal(axes)
    affine = _with_step(volume.affine, normal * float(axes[:, 2] @ normal))
    kept = volume.affine[:3, 3] + (row.along - normal) * heights[fixed]
    affine[:3, 3] = kept - column * lengths[1] * more
    return Row(replace(volume, values=values, affine=affine), row.heights)


def _moved(heights: Array, degrees: float, length: float) -> Array:
    """By how many rows of a length each slice is moved, in single precision."""
    tangent = np.float32(math.tan(math.radians(degrees)) / float(np.float32(length)))
    made: Array = tangent * heights.astype(np.float32)
    return made


def _shift(old: Array, new: Array, by: float, volume: Volume) -> None:
    """Move the rows of a slice towards the first row by a part of a row or more.

    Counted from the last row, as both files count: a row of the new slice lies between two of the
    old one, or beside the first of them. Where one of the two is padding, the nearer one counts.
    """
    count = len(old)
    first = math.ceil(by)
    target = np.arange(first, min(len(new), math.ceil(by + count)))
    part = np.float32(first) - np.float32(by)
    low = target - first
    high = np.minimum(low + 1, count - 1)
    below, above = old[::-1][low], old[::-1][high]
    made = _mixed(below, above, part, volume)
    if volume.padding is not None:
        bare = (below == volume.padding) | (above == volume.padding)
        made = np.where(bare, above if part >= 0.5 else below, made)  # noqa: PLR2004 - half way
    new[::-1][target] = made


def _mixed(below: Array, above: Array, part: np.float32, volume: Volume) -> Array:
    """A part of the way from one to the other, by the values as they were stored."""
    dtype = volume.values.dtype
    wide = np.float32 if dtype.itemsize <= 2 or dtype == np.float32 else np.float64  # noqa: PLR2004 - 16 bits
    folded = wide(volume.folded)
    mixed = (below - folded) * wide(np.float32(1) - part) + (above - folded) * wide(part)
    if dtype.kind in "iu":
        mixed = np.trunc(mixed + np.copysign(wide(0.5), mixed))
    made: Array = (mixed + folded).astype(dtype)
    return made


def _made(
    values: Array,
    fill: Callable[[Array, Array], None],
    *,
    slices: int | None = None,
    rows: int | None = None,
) -> Array:
    """An array of another size, filled volume by volume of a series in time."""
    if values.dtype.kind not in "iuf":
        raise Refusal(Reason.NOT_GREY)  # nothing lies between two colours
    old = values.T if values.ndim > 3 else values.T[np.newaxis]  # noqa: PLR2004 - time
    times, there, high, wide = old.shape
    shape = (times, slices or there, rows or high, wide)
    wanted = math.prod(shape) * values.dtype.itemsize
    if wanted > _MOST_BYTES:
        raise Refusal(Reason.TOO_LARGE, bytes=wanted)
    new = np.empty(shape, values.dtype)
    for before, after in zip(old, new, strict=True):
        fill(before, after)
    return new.T if values.ndim > 3 else new[0].T  # noqa: PLR2004 - time


def _normal(axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit normal of the slices on the side to which they ascend."""
    normal = np.cross(axes[:, 0], axes[:, 1])
    normal = normal / np.linalg.norm(normal)
    made: NDArray[np.float64] = normal * math.copysign(1.0, float(normal @ axes[:, 2]))
    return made


def _with_step(
    affine: NDArray[np.float64], step: Sequence[float] | NDArray[np.float64]
) -> NDArray[np.float64]:
    made = affine.copy()
    made[:3, 2] = step
    return made
