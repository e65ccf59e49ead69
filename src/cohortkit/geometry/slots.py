"""Frames and the stacks that they make: what splitting gives, before a pixel is read."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cohortkit.geometry.mosaics import Tile
from cohortkit.model import FrameFacts, InstanceFacts, Lean, Photometric, PixelFormat, Refused

GREYS = frozenset({Photometric.MONOCHROME1, Photometric.MONOCHROME2})
COLOURS = frozenset(
    {
        Photometric.PALETTE,
        Photometric.RGB,
        Photometric.YBR_FULL,
        Photometric.YBR_FULL_422,
        Photometric.YBR_ICT,
        Photometric.YBR_RCT,
    }
)


@dataclass(frozen=True, slots=True)
class Slot:
    """One slice of a volume: a frame of an instance, or a tile of it."""

    facts: FrameFacts
    source: InstanceFacts
    pixels: PixelFormat
    tile: Tile | None = None

    @property
    def instance(self) -> int:
        """Ordinal of the instance that holds it."""
        return self.facts.instance


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Frames that make one volume.

    Attributes:
        volumes: slots by time, then by slice along the normal.
        affine: (4, 4), voxel → mm in RAS+.
        part: suffix of the file stem, "" where the series makes one volume.
        placed: False where the header does not say where the frames lie: the affine then only
            has their size, centred, with rows running downwards as they are shown.
        lean: of slices that a tilted gantry has sheared.
    """

    volumes: tuple[tuple[Slot, ...], ...]
    affine: NDArray[np.float64]
    part: str = ""
    placed: bool = True
    lean: Lean | None = None

    @property
    def colour(self) -> bool:
        """Whether its pixels are in colour."""
        return self.first.pixels.photometric in COLOURS

    @property
    def first(self) -> Slot:
        """The first slice of the first volume."""
        return self.volumes[0][0]

    @property
    def instances(self) -> tuple[int, ...]:
        """Ordinals of the instances in it, ascending."""
        return tuple(sorted({slot.instance for volume in self.volumes for slot in volume}))

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(i, j, k, t)."""
        rows, columns = size(self.first)
        return columns, rows, len(self.volumes[0]), len(self.volumes)


@dataclass(frozen=True, slots=True, eq=False)
class WithheldStack(Refused):
    """Refused, unless a policy asks for it all the same: in colour, or nowhere in space."""

    stack: Stack = field(kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class UnevenStack(WithheldStack):
    """Refused because its slices are unevenly spaced.

    Attributes:
        stack: the slices in their order; its affine is the first slice's, with 1 mm along the
            normal for each step of k.
        heights: mm of each slice along the normal, from the first.
    """

    heights: tuple[float, ...] = field(kw_only=True)


def size(slot: Slot) -> tuple[int, int]:
    """Rows and columns."""
    if slot.tile is not None:
        return slot.tile.rows, slot.tile.columns
    return slot.pixels.rows, slot.pixels.columns
