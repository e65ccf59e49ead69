"""The block of a head that stays: smooth, and made of five numbers of the vault alone.

All outside of it is blanked, skin, air and noise alike, so that nothing of the outline of the face
is left, neither in what was blanked nor along its border (in the spirit of Milchenko and Marcus,
Neuroinformatics 2013, who obscure the surface and leave what lies deeper alone).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.faces.head import Head, find

VERSION = 1
"""Of what follows and of how a head is found: raised when another block may come of a volume."""

DEPTH = 10.0
"""mm below the skin of the forehead and the sides: skin and bone, and no brain."""

_NOTHING = 1e-6  # mm over a whole slice
_AROUND = 6.0  # mm of air that stay at the back, at the sides and above
# in widths of the head below its top
_CENTRE = 0.5  # where the vault is longest and widest
_FACE = 0.55  # the brows: from here on a plane leads back and down
_EARS = 0.55  # their tips: from here on the sides go
_FLOOR = 1.15  # below the cerebellum: here all ends

_ROUNDED = 2.3  # exponent of the forehead's superellipsoid: fuller than an egg
_SLOPE = 0.9  # of the plane: mm back for each mm down, before the temporal poles
_TAPER = 0.2  # of the sides: mm inwards for each mm down


def deface(
    values: NDArray[Any], affine: NDArray[np.float64], modality: str, *, depth: float = DEPTH
) -> NDArray[np.bool_] | None:
    """What of a volume is to be blanked, so that no face, ear or chin can be drawn from it.

    Args:
        values: (i, j, k); HU where ``modality`` is CT.
        affine: (4, 4), voxel → mm in RAS+.
        modality: CT or MR; of others no head is found.
        depth: mm that go below the skin of the forehead and the sides.

    Returns:
        (i, j, k), True where a voxel goes; None where no head is found with confidence.
    """
    head = find(values, affine, modality)
    if head is None:
        return None
    gone = np.empty(values.shape, bool, order="F")  # so that a level lies in one piece
    for level in range(values.shape[2]):
        right, front, up = (_along(affine[axis], level, values.shape) for axis in range(3))
        gone[:, :, level] = ~kept(head, depth, right, front, up)
    return gone


def _along(row: NDArray[np.float64], level: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Where a level's voxels lie along one of the patient's axes, mm; broadcasts to all of them.

    Where slices lie along these axes, as those of CT do, it is a row or a column: that is ten
    times as fast.
    """
    place = np.full((1, 1), row[2] * level + row[3])
    for axis, count in enumerate(shape[:2]):
        if abs(row[axis]) * count > _NOTHING:
            place = place + row[axis] * np.arange(count).reshape((-1, 1) if axis == 0 else (1, -1))
    return place


def kept(
    head: Head, depth: float, right: NDArray[Any], front: NDArray[Any], up: NDArray[Any]
) -> NDArray[np.bool_]:
    """Which places lie in the block.

    Args:
        head: whose.
        depth: as of ``deface``.
        right: mm, RAS; as ``front`` and ``up``.
        front: of each place.
        up: of each place.
    """
    half, aside, down = head.width / 2, np.abs(right - head.middle), head.top - up
    inside: NDArray[np.bool_] = (
        (aside <= half + _AROUND) & (front >= head.back - _AROUND) & (down >= -_AROUND)
    )
    inside = inside & _behind_forehead(head, depth, aside, front, down)
    below = down - _FACE * head.width
    inside = inside & ((below < 0) | (front <= head.front - depth - _SLOPE * below))
    beside = down - _EARS * head.width
    narrow = half - depth - _TAPER * beside
    inside = inside & ((beside < 0) | (aside <= narrow * _rounding(head, depth, front)))
    return inside & (down <= _FLOOR * head.width)


def _rounding(head: Head, depth: float, front: NDArray[Any]) -> NDArray[Any]:
    """The part of the width that is left, as an ellipse narrows towards the front."""
    part: NDArray[Any] = np.sqrt(1 - np.clip(_forward(head, depth, front), 0, 1) ** 2)
    return part


def _forward(head: Head, depth: float, front: NDArray[Any]) -> NDArray[Any]:
    """0 at the middle of the head and behind it, 1 so deep below the skin of the forehead."""
    middle = (head.front + head.back) / 2
    return np.clip((front - middle) / (head.front - depth - middle), 0, None)


def _behind_forehead(
    head: Head, depth: float, aside: NDArray[Any], front: NDArray[Any], down: NDArray[Any]
) -> NDArray[np.bool_]:
    """Within a superellipsoid that lies so deep below the forehead and meets sides and top."""
    forward, centre = _forward(head, depth, front), _CENTRE * head.width
    outward = aside / (head.width / 2 + _AROUND)
    upward = np.clip((centre - down) / (centre + _AROUND), 0, None)
    far: NDArray[np.float64] = forward**_ROUNDED + outward**_ROUNDED + upward**_ROUNDED
    behind: NDArray[np.bool_] = forward == 0
    return behind | (far <= 1)
