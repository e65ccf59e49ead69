"""A volume on a coarse grid along the patient's axes, and what floods and shrinks on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP = 4.0
"""mm from node to node."""
_LONGEST = 640.0
"""mm: nothing longer is a scan of one head."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Means of a volume's samples.

    Attributes:
        values: (x, y, z), float32, NaN where the volume holds nothing; to the right, to the front
            and upwards.
        origin: mm, RAS, of the first node.
    """

    values: NDArray[np.float32]
    origin: NDArray[np.float64]

    @property
    def inside(self) -> Mask:
        """Where the volume has samples."""
        return np.isfinite(self.values)


def coarse(values: NDArray[Any], affine: NDArray[np.float64]) -> Grid | None:
    """The volume's samples, averaged along its own axes and then read at the nodes of a grid.

    Args:
        values: (i, j, k), real numbers.
        affine: (4, 4), voxel → mm in RAS+.

    Returns:
        None where the volume is longer than any scan of a head, or holds what is no number.
    """
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    factors = np.maximum(1, np.minimum(STEP // spacing, values.shape)).astype(int)
    means = values
    for axis, factor in enumerate(factors):
        means = _means(means, axis, int(factor))
    if not np.isfinite(means).all():
        return None
    smaller = affine @ _scaled(factors)
    corners = np.array(np.meshgrid(*((-0.5, n - 0.5) for n in means.shape))).reshape(3, -1)
    placed = smaller[:3, :3] @ corners + smaller[:3, 3:]
    low, high = placed.min(axis=1), placed.max(axis=1)
    if (high - low).max() > _LONGEST:
        return None
    shape = np.ceil((high - low) / STEP).astype(int)
    origin = (low + high - (shape - 1) * STEP) / 2
    return Grid(_nearest(means, np.linalg.inv(smaller), origin, shape), origin)


def _means(values: NDArray[Any], axis: int, factor: int) -> NDArray[np.float32]:
    """Of so many samples in a row along an axis; what is left at its end is left out."""
    moved = np.moveaxis(values, axis, 0)
    count = len(moved) // factor
    total = moved[: count * factor : factor].astype(np.float32)
    for offset in range(1, factor):
        total += moved[offset : count * factor : factor]
    return np.moveaxis(total / np.float32(factor), 0, axis)


def _scaled(factors: NDArray[np.int_]) -> NDArray[np.float64]:
    """From the indices of means to those of the samples that they are of."""
    made = np.eye(4)
    made[range(3), range(3)] = factors
    made[:3, 3] = (factors - 1) / 2
    return made


def _nearest(
    means: NDArray[np.float32],
    back: NDArray[np.floating[Any]],
    origin: NDArray[np.float64],
    shape: NDArray[np.int_],
) -> NDArray[np.float32]:
    along = [start + STEP * np.arange(count) for start, count in zip(origin, shape, strict=True)]
    x, y, z = np.meshgrid(*along, indexing="ij", sparse=True)
    there = np.ones(tuple(shape), bool)
    places = []
    for axis, size in enumerate(means.shape):
        index = np.rint(back[axis, 0] * x + back[axis, 1] * y + back[axis, 2] * z + back[axis, 3])
        there &= (index >= 0) & (index < size)
        places.append(np.clip(index, 0, size - 1).astype(np.intp))
    return np.where(there, means[tuple(places)], np.float32(np.nan))


def grown(mask: Mask, axes: tuple[int, ...] = (0, 1, 2)) -> Mask:
    """The mask and its neighbours along these axes."""
    out = mask.copy()
    for axis in axes:
        to, by = np.moveaxis(out, axis, 0), np.moveaxis(mask, axis, 0)
        to[1:] |= by[:-1]
        to[:-1] |= by[1:]
    return out


def shrunk(mask: Mask) -> Mask:
    """The mask without what has a neighbour outside of it; beyond the grid is outside."""
    return ~grown(np.pad(~mask, 1, constant_values=True))[1:-1, 1:-1, 1:-1]


def flooded(seeds: Mask, within: Mask, axes: tuple[int, ...] = (0, 1, 2)) -> Mask:
    """All of ``within`` that hangs together with the seeds along these axes."""
    found = seeds & within
    while True:
        more = grown(found, axes) & within
        if np.array_equal(more, found):
            return found
        found = more


def filled(mask: Mask) -> Mask:
    """The mask with what it encloses in any level across the body's axis."""
    edge = np.zeros_like(mask)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    return ~flooded(edge, ~mask, (0, 1))


def largest(mask: Mask, most: int = 64) -> Mask:
    """The largest part that hangs together; of ``most`` parts in the order of the grid."""
    left, best = mask.copy(), np.zeros_like(mask)
    for _ in range(most):
        if np.count_nonzero(left) <= np.count_nonzero(best):
            break
        seed = np.zeros_like(mask)
        seed.flat[int(left.argmax())] = True
        part = flooded(seed, left)
        left &= ~part
        if np.count_nonzero(part) > np.count_nonzero(best):
            best = part
    return best
