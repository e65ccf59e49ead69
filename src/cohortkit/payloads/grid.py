"""Another grid for a volume that already has one, where it is asked for: turned axes, other voxels.

Turning moves no value and makes none: axes are swapped and reversed, and what is said in terms of
axes (the affine, b-vectors, how slices run) goes with them. Other voxels are interpolated.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal, UsageError
from cohortkit.model import Accepted, Reason, Volume

_AXES = 3
_ENDS = ("LR", "PA", "IS")
_MOST_BYTES = 16 << 30
_MOST_VOXELS = 32767
_SAME = 1e-6

Array = NDArray[Any]
Spacing = tuple[float, float, float]


def orientation_of(word: str) -> str | None:
    """None for ``keep``, else the three letters that say where the axes run to.

    Raises:
        UsageError: not one letter of each of L/R, P/A and I/S.
    """
    if word == "keep":
        return None
    kinds = [next((n for n, ends in enumerate(_ENDS) if letter in ends), -1) for letter in word]
    if sorted(kinds) != [0, 1, 2]:
        raise UsageError("Nifti(orientation=…) takes 'keep', or letters such as 'RAS' or 'LPS'")
    return word


def spacing_of(value: object) -> Spacing | None:
    """None, or the mm of a voxel along each axis; one number is for all three.

    Raises:
        UsageError: no positive numbers, one or three.
    """
    if value is None:
        return None
    said = value if isinstance(value, tuple | list) else (value,) * _AXES
    numbers = [float(x) for x in said if isinstance(x, int | float) and not isinstance(x, bool)]
    if len(said) != _AXES or len(numbers) != _AXES:
        raise UsageError("Nifti(resolution=…) takes one number or three, in mm")
    if not all(math.isfinite(x) and 0.01 <= x <= 1000 for x in numbers):  # noqa: PLR2004 - millimetres
        raise UsageError("Nifti(resolution=…) takes mm from 0.01 to 1000")
    return numbers[0], numbers[1], numbers[2]


def turned(volume: Volume, letters: str) -> Volume:
    """The volume with its axes along those nearest to the letters, each voxel where it was.

    Raises:
        Refusal: ``no-geometry``: the header does not say where it lies.
    """
    if not volume.placed:
        raise Refusal(Reason.NO_GEOMETRY)
    order, signs = _way(volume.affine, letters)
    if order == (0, 1, 2) and signs == (1, 1, 1):
        return volume
    values = volume.values.transpose(*order, *range(_AXES, volume.values.ndim))
    values = values[tuple(slice(None, None, sign) for sign in signs)]
    to_old = np.zeros((4, 4))
    to_old[3, 3] = 1
    for new, (old, sign) in enumerate(zip(order, signs, strict=True)):
        to_old[old, new] = sign
        to_old[old, 3] = 0 if sign > 0 else volume.values.shape[old] - 1
    affine = volume.affine @ to_old
    axes = tuple(volume.axes[old] * sign for old, sign in zip(order, signs, strict=True))
    return replace(
        volume,
        values=values,
        affine=affine,
        axes=axes,
        b_vectors=_turned_vectors(volume, affine, to_old[:3, :3]),
        accepted=(*volume.accepted, Accepted(None, f"orientation={letters}")),
    )


def _way(affine: NDArray[np.float64], letters: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """For each new axis which old one it is, and whether it runs the same way."""
    from nibabel import orientations  # noqa: PLC0415 - heavy

    untyped: Any = orientations
    wanted = untyped.axcodes2ornt(tuple(letters))
    found = untyped.ornt_transform(untyped.io_orientation(affine), wanted)
    old_to_new = {int(new): (old, int(sign)) for old, (new, sign) in enumerate(found)}
    return (
        tuple(old_to_new[new][0] for new in range(_AXES)),
        tuple(old_to_new[new][1] for new in range(_AXES)),
    )


def _turned_vectors(
    volume: Volume, affine: NDArray[np.float64], to_old: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """FSL's first axis runs the other way where the affine keeps handedness, before and after."""
    if volume.b_vectors is None:
        return None
    before, after = np.eye(_AXES), np.eye(_AXES)
    before[0, 0] = -math.copysign(1.0, float(np.linalg.det(volume.affine[:3, :3])))
    after[0, 0] = -math.copysign(1.0, float(np.linalg.det(affine[:3, :3])))
    made: NDArray[np.float64] = volume.b_vectors @ before @ to_old @ after + 0.0
    return made


def resampled(volume: Volume, spacing: Spacing) -> Volume:
    """Voxels of another size over the same extent, interpolated linearly (no smoothing before).

    As many as come nearest to the extent, centred on it; beyond the last voxel's centre its
    value holds. Where the header names a padding value, nothing is mixed with it: what lies
    nearest counts there. An axis of one voxel stays as it is. Whole numbers are rounded, halves
    to the even one.

    Raises:
        Refusal: ``not-grey``, ``no-geometry``, ``too-large``.
    """
    if volume.values.dtype.kind not in "iuf":
        raise Refusal(Reason.NOT_GREY)  # nothing lies between two colours
    if not volume.placed:
        raise Refusal(Reason.NO_GEOMETRY)
    old = np.linalg.norm(volume.affine[:3, :3], axis=0)
    shape = volume.values.shape
    ways = [_places(count, *sizes) for count, *sizes in zip(shape, old, spacing, strict=False)]
    if all(way is None for way in ways):
        return volume
    values = _mixed(volume.values, ways, volume.padding)
    affine = volume.affine.copy()
    for axis, way in enumerate(ways):
        if way is None:
            continue
        affine[:3, 3] += volume.affine[:3, axis] * way[0]
        affine[:3, axis] *= spacing[axis] / old[axis]
    told = {f"before_{name}": float(x) for name, x in zip("xyz", old, strict=True)}
    word = "x".join(f"{x:g}" for x in spacing)
    return replace(
        volume,
        values=values,
        affine=affine,
        slice_times=volume.slice_times if ways[_slice_axis(volume)] is None else (),
        accepted=(*volume.accepted, Accepted(None, f"resolution={word}", told)),
    )


def _slice_axis(volume: Volume) -> int:
    return next(n for n, axis in enumerate(volume.axes) if abs(axis) == _AXES)


def _places(count: int, old: float, new: float) -> NDArray[np.float64] | None:
    """Where the new voxels lie, in old ones from the first; None where the axis stays."""
    if count == 1 or abs(new - old) <= _SAME * old:
        return None
    wanted = max(1, round(count * old / new))
    if wanted > _MOST_VOXELS:
        raise Refusal(Reason.TOO_LARGE, longest=wanted)
    step = new / old
    first = (count - wanted * step) / 2 + step / 2 - 0.5
    made: NDArray[np.float64] = first + step * np.arange(wanted, dtype=np.float64)
    return made


def _mixed(values: Array, ways: list[NDArray[np.float64] | None], padding: float | None) -> Array:
    """(i, j, k[, t]): new slice by new slice, so that little more than the result is held."""
    whole = values if values.ndim > _AXES else values[..., np.newaxis]
    i, j, k = (
        way if way is not None else np.arange(count, dtype=np.float64)
        for way, count in zip(ways, values.shape, strict=False)
    )
    shape = (len(i), len(j), len(k), whole.shape[3])
    wanted = math.prod(shape) * values.dtype.itemsize
    if wanted > _MOST_BYTES:
        raise Refusal(Reason.TOO_LARGE, bytes=wanted)
    made = np.empty(shape[::-1], values.dtype)
    for t in range(shape[3]):
        for n, place in enumerate(k):
            below, above, part = _between(place, whole.shape[2])
            pair = whole[:, :, below, t], whole[:, :, above, t]
            made[t, n] = _slice(pair, float(part), (i, j), padding).T
    return made.T if values.ndim > _AXES else made[0].T


def _between(place: Any, count: int) -> tuple[Any, Any, Any]:  # noqa: ANN401 - one place or many
    """The voxels on both sides, and how far from the first to the second."""
    inside = np.clip(place, 0, count - 1)
    below = np.minimum(np.floor(inside).astype(np.intp), max(0, count - 2))
    return below, np.minimum(below + 1, count - 1), inside - below


def _slice(
    pair: tuple[Array, Array],
    part: float,
    places: tuple[NDArray[np.float64], NDArray[np.float64]],
    padding: float | None,
) -> Array:
    """One new slice (i, j) from the old ones on both sides of it."""
    dtype = pair[0].dtype
    wide = np.float32 if dtype.itemsize <= 2 or dtype == np.float32 else np.float64  # noqa: PLR2004 - 16 bits
    mixed: Array = _plane(pair[0].astype(wide), places) * wide(1 - part)
    mixed = mixed + _plane(pair[1].astype(wide), places) * wide(part)
    if dtype.kind in "iu":
        mixed = np.rint(mixed)
    made: Array = mixed.astype(dtype)
    if padding is None:
        return made
    bare = [(one == padding).astype(np.float32) for one in pair]
    touched = _plane(bare[0], places) * (part < 1) + _plane(bare[1], places) * (part > 0) > 0
    sizes = pair[0].shape
    nearest = pair[int(part > 0.5)][  # noqa: PLR2004 - half way
        np.ix_(*(_nearest(way, n) for way, n in zip(places, sizes, strict=True)))
    ]
    return np.where(touched, nearest, made)


def _nearest(places: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    return np.clip(np.ceil(places - 0.5), 0, count - 1).astype(np.intp)


def _plane(values: Array, places: tuple[NDArray[np.float64], NDArray[np.float64]]) -> Array:
    """Interpolated along the first axis, then the second."""
    for axis, way in enumerate(places):
        below, above, part = _between(way, values.shape[axis])
        weight = part.astype(values.dtype)
        weight = weight[:, np.newaxis] if axis == 0 else weight
        values = values.take(below, axis) * (1 - weight) + values.take(above, axis) * weight
    return values
