"""Siemens mosaics: where each tile lies in the frame and in space."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from cohortkit.errors import Refusal
from cohortkit.geometry.affine import check, plane
from cohortkit.model import FrameFacts, Mosaic, PixelFormat, Reason

_PARALLEL = 0.999
"""Cosine between the slice normal that Siemens writes and the normal of the image."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A window into a frame: first row and column, height and width, in pixels."""

    row: int
    column: int
    rows: int
    columns: int


def tiles(
    frame: FrameFacts, mosaic: Mosaic, pixels: PixelFormat
) -> tuple[tuple[FrameFacts, Tile], ...]:
    """Each tile of a mosaic as a frame of its own, placed in space.

    Image Position is that of the corner of the whole mosaic as if it were one large image with
    the slices' centre, so that the first tile's corner lies half the difference inwards.

    Raises:
        Refusal: ``unknown-mosaic``, ``no-geometry``, ``bad-geometry``.
    """
    check(frame)
    side = math.ceil(math.sqrt(mosaic.tiles)) if mosaic.tiles > 0 else 0
    if side == 0 or mosaic.normal is None or pixels.rows % side or pixels.columns % side:
        raise Refusal(Reason.UNKNOWN_MOSAIC, tiles=mosaic.tiles)
    assert frame.position is not None
    assert frame.orientation is not None
    assert frame.spacing is not None
    spacing = frame.spacing_between
    if spacing is None or not math.isfinite(spacing) or spacing <= 0:
        raise Refusal(Reason.UNKNOWN_MOSAIC, tiles=mosaic.tiles)
    directions = plane(frame.orientation)
    cosine = float(directions.normal @ np.array(mosaic.normal))
    if abs(cosine) < _PARALLEL:
        raise Refusal(Reason.UNKNOWN_MOSAIC, cosine=cosine)
    towards = directions.normal * math.copysign(1.0, cosine)
    rows, columns = pixels.rows // side, pixels.columns // side
    corner = (
        np.array(frame.position)
        + directions.along_row * frame.spacing[1] * (pixels.columns - columns) / 2
        + directions.along_column * frame.spacing[0] * (pixels.rows - rows) / 2
    )
    placed = []
    for n in range(mosaic.tiles):
        x, y, z = (corner + towards * spacing * n).tolist()
        window = Tile(n // side * rows, n % side * columns, rows, columns)
        placed.append((replace(frame, position=(x, y, z)), window))
    return tuple(placed)
