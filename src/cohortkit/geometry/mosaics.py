"""Mosaics: where each tile lies in the frame and in space."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from cohortkit.errors import Refusal
from cohortkit.geometry.affine import check, plane
from cohortkit.model import FrameFacts, Mosaic, PixelFormat, Reason
from cohortkit.model.facts import Triple

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

    Raises:
        Refusal: ``unknown-mosaic``, ``no-geometry``, ``bad-geometry``.
    """
    check(frame)
    across = math.ceil(math.sqrt(mosaic.tiles)) if mosaic.tiles > 0 else 0
    # Siemens' grids are square; others have the rows that they need
    down = math.ceil(mosaic.tiles / across) if across and mosaic.positions else across
    if across == 0 or pixels.rows % down or pixels.columns % across:
        raise Refusal(Reason.UNKNOWN_MOSAIC, tiles=mosaic.tiles)
    rows, columns = pixels.rows // down, pixels.columns // across
    placed = []
    for n, position in enumerate(mosaic.positions or _positions(frame, mosaic, pixels, across)):
        window = Tile(n // across * rows, n % across * columns, rows, columns)
        placed.append((replace(frame, position=position), window))
    for lain, _ in placed:
        check(lain)
    return tuple(placed)


def _positions(
    frame: FrameFacts, mosaic: Mosaic, pixels: PixelFormat, side: int
) -> Iterator[Triple]:
    """Where the tiles of a Siemens mosaic lie.

    Image Position is that of the corner of the whole mosaic as if it were one large image with
    the slices' centre, so that the first tile's corner lies half the difference inwards.

    Raises:
        Refusal: ``unknown-mosaic``.
    """
    assert frame.position is not None
    assert frame.orientation is not None
    assert frame.spacing is not None
    spacing = frame.spacing_between
    if mosaic.normal is None or spacing is None or not math.isfinite(spacing) or spacing <= 0:
        raise Refusal(Reason.UNKNOWN_MOSAIC, tiles=mosaic.tiles)
    directions = plane(frame.orientation)
    cosine = float(directions.normal @ np.array(mosaic.normal))
    if abs(cosine) < _PARALLEL:
        raise Refusal(Reason.UNKNOWN_MOSAIC, cosine=cosine)
    towards = directions.normal * math.copysign(1.0, cosine)
    inwards = 1 - 1 / side
    corner = (
        np.array(frame.position)
        + directions.along_row * frame.spacing[1] * pixels.columns * inwards / 2
        + directions.along_column * frame.spacing[0] * pixels.rows * inwards / 2
    )
    for n in range(mosaic.tiles):
        x, y, z = (corner + towards * spacing * n).tolist()
        yield x, y, z
