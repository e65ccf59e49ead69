"""The head in a volume: found with confidence, or not found.

What is measured is the vault alone, the part of the head above the brows: faces that differ below
it give the same head. Levels are in parts of its width, so that a child's head is measured as an
adult's is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.faces.grid import STEP, Grid, Mask, coarse, filled, grown, largest, shrunk

_AIR_TO_SKIN = -300.0  # HU
_WIDTH = 150.0  # mm, to begin with
_ZONE = 0.12, 0.5  # of the vault, in widths below the top
_THIN = 6  # nodes of a level or profile that are no more than hair, noise or a strap
_FAINT = 0.03  # of the fullest profile
_NODE = STEP * STEP

# what makes sure
_WIDTHS = 105.0, 190.0  # mm
_LENGTHS = 125.0, 240.0  # mm
_ROUND = 0.58, 1.08  # width over length
_CUT = 500.0, 3000.0  # mm² that the border of the volume may cut: of a side; above, some 5 mm
_FULL = 0.85, 1.2  # the vault over a half ellipsoid
_TOP = 0.2  # widths
_FULL_TOP = 0.72, 1.22  # and its top; a neck that ends has more
_FACE = 0.5, 1.15  # in widths below the top
_NOSE = 0.75, 1.1
_SEEN = 0.9  # so far down at least
_MIDST = 0.3  # widths to both sides of the middle
_ROUGH = 2.5  # mm
_ROUGHER = 1.7  # than the back
_RECEDES = 20.0  # mm behind the forehead: more, and signal is missing where a face should be


@dataclass(frozen=True, slots=True)
class Head:
    """Five whole numbers that say where the vault lies; mm, RAS.

    Attributes:
        middle: between left and right.
        width: from left to right.
        front, back, top: where the skin is.
    """

    middle: int
    width: int
    front: int
    back: int
    top: int


def find(values: NDArray[Any], affine: NDArray[np.float64], modality: str) -> Head | None:
    """The head, or None where it is not found with confidence.

    Args:
        values: (i, j, k); HU where ``modality`` is CT.
        affine: (4, 4), voxel → mm in RAS+.
        modality: CT or MR; in others no skin is looked for.
    """
    grid = coarse(values, affine)
    limit = None if grid is None else _threshold(grid, modality)
    if grid is None or limit is None:
        return None
    body = _body(grid, limit)
    head = _measured(body, grid)
    return head if head is not None and _sure(head, body, grid) else None


def _threshold(grid: Grid, modality: str) -> float | None:
    """Between air and skin; in MR from the back half alone, so that no face moves it."""
    if modality == "CT":
        return _AIR_TO_SKIN
    if modality != "MR":
        return None
    rear = grid.values[:, : grid.values.shape[1] // 2]
    samples = rear[np.isfinite(rear)]
    if not samples.size:
        return None
    return otsu(np.clip(samples, *np.percentile(samples, (2, 98))))


def otsu(samples: NDArray[Any]) -> float | None:
    """The value that parts samples into two classes best (Otsu 1979); None where all are alike."""
    low, high = float(samples.min()), float(samples.max())
    if not low < high:
        return None
    counts, edges = np.histogram(samples, 256, (low, high))
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = below[-1] + counts[-1] - below
    sums = np.cumsum(counts * centres)
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = sums[:-1] / below - (sums[-1] - sums[:-1]) / above
    between = np.nan_to_num(below * above * apart**2)
    return float(edges[1:-1][between.argmax()])


def _body(grid: Grid, limit: float) -> Mask:
    """What is no air and hangs together, without straps, tables and holders that touch it."""
    with np.errstate(invalid="ignore"):
        solid = grid.values > limit
    solid |= shrunk(filled(grown(solid)))
    core = largest(shrunk(solid))
    return grown(core) & solid


def _measured(body: Mask, grid: Grid) -> Head | None:
    levels = body.sum(axis=(0, 1))
    full = np.flatnonzero(levels > _THIN)
    if not full.size:
        return None
    x0, y0, z0 = grid.origin
    top = z0 + (full[-1] + 0.5) * STEP
    width, sides, depth = _WIDTH, (0, 0), (0, 0)
    for _ in range(3):  # the zone is in parts of the width that is measured in it
        zone = body[:, :, _zone(top, width, grid)]
        found = _ends(zone.sum(axis=(1, 2))), _ends(zone.sum(axis=(0, 2)))
        if found[0] is None or found[1] is None:
            return None
        sides, depth = found[0], found[1]
        width = (sides[1] - sides[0] + 1) * STEP
    return Head(
        middle=round(x0 + STEP * sum(sides) / 2),
        width=round(width),
        front=round(y0 + (depth[1] + 0.5) * STEP),
        back=round(y0 + (depth[0] - 0.5) * STEP),
        top=round(top),
    )


def _zone(top: float, width: float, grid: Grid, parts: tuple[float, float] = _ZONE) -> slice:
    """The levels between two parts of the width below the top: of the vault that is measured."""
    high, low = ((top - part * width - grid.origin[2]) / STEP for part in parts)
    return slice(max(0, round(low)), max(0, round(high)) + 1)


def _ends(profile: NDArray[np.int_]) -> tuple[int, int] | None:
    """First and last of what is more than faint."""
    there = np.flatnonzero(profile > max(_THIN, _FAINT * profile.max(initial=0)))
    return (int(there[0]), int(there[-1])) if there.size else None


def _sure(head: Head, body: Mask, grid: Grid) -> bool:
    """Whether this is a head that lies as the header says, with its vault whole in the volume."""
    length = head.front - head.back
    if not (
        _WIDTHS[0] <= head.width <= _WIDTHS[1]
        and _LENGTHS[0] <= length <= _LENGTHS[1]
        and _ROUND[0] <= head.width / length <= _ROUND[1]
    ):
        return False
    zone = _zone(head.top, head.width, grid)
    first = slice(_zone(head.top, head.width, grid, (0.0, _TOP)).start, None)
    return (
        _whole(body, grid, zone)
        and _FULL[0] <= _fullness(head, body, grid, zone) <= _FULL[1]
        and _FULL_TOP[0] <= _fullness(head, body, grid, first) <= _FULL_TOP[1]
        and _has_a_face(head, body, grid)
        and _looks_forward(head, body, grid)
    )


def _whole(body: Mask, grid: Grid, zone: slice) -> bool:
    """Whether no side of the vault is cut by the volume, and of its top little."""
    there = np.pad(grid.inside, 1)
    vault, above = body.copy(), body.copy()
    vault[:, :, : zone.start] = vault[:, :, zone.stop :] = False
    above[:, :, : zone.start] = False
    for axis, way in ((0, -1), (0, 1), (1, -1), (1, 1), (2, 1)):
        beyond = np.roll(there, -way, axis)[1:-1, 1:-1, 1:-1]
        part, most = (above, _CUT[1]) if axis == 2 else (vault, _CUT[0])  # noqa: PLR2004 - the axis that runs upwards
        if np.count_nonzero(part & ~beyond) * _NODE > most:
            return False
    return True


def _fullness(head: Head, body: Mask, grid: Grid, zone: slice) -> float:
    """The vault's volume over that of the half ellipsoid which its five numbers make."""
    height = _ZONE[1] * head.width
    down = head.top - (grid.origin[2] + STEP * np.arange(body.shape[2])[zone])
    part = np.clip(1 - ((height - down) / height) ** 2, 0, None)
    expected = np.pi / 4 * head.width * (head.front - head.back) * part.sum()
    return float(np.count_nonzero(body[:, :, zone]) * _NODE / expected)


def _has_a_face(head: Head, body: Mask, grid: Grid) -> bool:
    """Whether anything below the brows comes near as far forward as the forehead."""
    below = body[:, :, _zone(head.top, head.width, grid, _NOSE)]
    ends = _ends(below.sum(axis=(0, 2)))
    if ends is None:
        return False
    return bool(grid.origin[1] + STEP * ends[1] >= head.front - _RECEDES)


def _looks_forward(head: Head, body: Mask, grid: Grid) -> bool:
    """Whether the front below the brows is as rough as faces are, and the back is smooth.

    What it is asked of is the distance of each side from a smooth surface through it; so it holds
    for chins that are raised or drawn in.
    """
    down = (head.top - (grid.origin[2] + STEP * np.arange(body.shape[2]))) / head.width
    across = (grid.origin[0] + STEP * np.arange(body.shape[0]) - head.middle) / head.width
    columns, levels = np.abs(across) <= _MIDST, (_FACE[0] <= down) & (down <= _FACE[1])
    levels &= body.any(axis=(0, 1))
    if not levels.any() or down[levels].max() < _SEEN:
        return False
    seen = body[columns][:, :, levels]
    front, back = (
        _roughness(side.argmax(axis=1) * STEP, seen.any(axis=1), across[columns], down[levels])
        for side in (seen[:, ::-1], seen)
    )
    return front >= max(_ROUGH, _ROUGHER * back)


def _roughness(depth: NDArray[Any], there: Mask, x: NDArray[Any], z: NDArray[Any]) -> float:
    """Mm by which depths leave the quadratic surface that fits them best."""
    across, down = np.meshgrid(x, z, indexing="ij")
    terms = [across**i * down**j for i in range(3) for j in range(3 - i)]
    basis = np.stack(terms, axis=-1)[there]
    fit, *_ = np.linalg.lstsq(basis, depth[there], rcond=None)
    return float(np.sqrt(np.mean((depth[there] - basis @ fit) ** 2)))
