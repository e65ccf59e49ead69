"""Where to cut a row of unevenly spaced slices so that every part of it is even."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cohortkit.errors import Refusal
from cohortkit.geometry.affine import EVEN, EVEN_MM, Vector, step

_UP = np.array([0.0, 0.0, 1.0])


def runs(heights: Sequence[float]) -> list[tuple[int, int]]:
    """The longest even run first, then the longest of what is left on either side of it.

    Args:
        heights: of the slices, mm, ascending.

    Returns:
        First slice and end of each run, by height; each slice is in exactly one.
    """
    places = np.array(heights, dtype=np.float64)
    left, found = [(0, len(places))], []
    while left:
        first, end = left.pop()
        best = max(
            (_run(places, start, end) for start in range(first, end)),
            key=lambda one: (one[1] - one[0], -one[0]),
        )
        found.append(best)
        left += [part for part in ((first, best[0]), (best[1], end)) if part[0] < part[1]]
    return sorted(found)


def _run(heights: Vector, first: int, end: int) -> tuple[int, int]:
    """The longest even run that begins here, by the rule that holds for whole volumes."""
    gaps = np.diff(heights[first:end])
    if len(gaps) == 0:
        return first, end
    near = 2 * max(EVEN * float(gaps[0]), EVEN_MM)
    off = np.flatnonzero(np.abs(gaps - gaps[0]) > near)
    last = first + (int(off[0]) if len(off) else len(gaps))
    while last > first + 1 and not _even(heights[first : last + 1]):
        last -= 1
    return first, last + 1


def _even(heights: Vector) -> bool:
    try:
        step([height * _UP for height in heights], _UP)
    except Refusal:
        return False
    return True
