"""Contact sheets: a few pictures of a series, made small and laid side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 64
"""Pictures on one sheet."""

SIDE = 128
"""Pixels of a tile, both ways."""


def chosen(number: int, frames: int, instances: int) -> list[int]:
    """Which frames of an instance are on its series' sheet: evenly spread, all where they fit.

    Decided for each instance alone, so that none has to wait for the others.

    Args:
        number: its place in the series, from 1.
        frames: how many it has.
        instances: how many the series has.
    """
    if number * MOST // instances == (number - 1) * MOST // instances and instances > MOST:
        return []
    share = min(max(1, MOST // instances), frames)
    if share == 1:
        return [frames // 2]
    return [round(n * (frames - 1) / (share - 1)) for n in range(share)]


def small(picture: NDArray[np.uint8], aspect: float = 1.0) -> NDArray[np.uint8]:
    """A picture as large as a tile holds it: the mean of the pixels that fall together.

    Args:
        picture: (rows, columns) or (rows, columns, 3).
        aspect: height of a pixel over its width.
    """
    rows, columns = picture.shape[:2]
    scale = SIDE / max(rows * aspect, columns)
    high, wide = max(1, round(rows * aspect * scale)), max(1, round(columns * scale))
    summed, down = _summed(picture, high, 0)
    summed, across = _summed(summed, wide, 1)
    counts = np.multiply.outer(down, across).reshape(high, wide, *(1,) * (picture.ndim - 2))
    mean: NDArray[np.uint8] = ((summed + counts // 2) // counts).astype(np.uint8)
    return mean


def _summed(
    values: NDArray[Any], count: int, axis: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Sums of so many pieces along an axis, and how many there are in each; at least one."""
    edges = np.arange(count) * values.shape[axis] // count
    sizes = np.maximum(np.diff(edges, append=values.shape[axis]), 1)
    return np.add.reduceat(values, edges, axis=axis, dtype=np.uint32), sizes.astype(np.uint32)


def columns_of(count: int) -> int:
    """How many tiles stand in a row."""
    return math.isqrt(max(count - 1, 0)) + 1


def sheet(tiles: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Tiles row by row on black, each in the middle of its place; in colour where one is.

    Args:
        tiles: at least one, no side longer than ``SIDE``.
    """
    across = columns_of(len(tiles))
    colour = any(tile.ndim > 2 for tile in tiles)  # noqa: PLR2004 - rows, columns
    shape = -(-len(tiles) // across) * SIDE, across * SIDE
    made = np.zeros((*shape, 3) if colour else shape, np.uint8)
    for n, tile in enumerate(tiles):
        rows, columns = tile.shape[:2]
        top = n // across * SIDE + (SIDE - rows) // 2
        left = n % across * SIDE + (SIDE - columns) // 2
        grey = colour and tile.ndim == 2  # noqa: PLR2004 - rows, columns
        made[top : top + rows, left : left + columns] = tile[..., np.newaxis] if grey else tile
    return made
