"""Single voxels of the frames of one instance that are blanked, packed to a bit each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Holes:
    """What is blanked, frame by frame, and with what.

    Attributes:
        bits: (frames, rows, bytes), eight columns to a byte.
        columns: of the frames.
        fills: the stored value that each frame gets there.
    """

    bits: NDArray[np.uint8]
    columns: int
    fills: tuple[int, ...]

    @classmethod
    def of(cls, masks: NDArray[np.bool_], fills: tuple[int, ...]) -> Holes:
        """From (frames, rows, columns), True where a voxel goes."""
        return cls(np.packbits(masks, axis=-1), masks.shape[-1], fills)

    def put(self, values: NDArray[Any]) -> None:
        """Blank these frames, (frames, rows, columns), in place."""
        for number, (frame, fill) in enumerate(zip(values, self.fills, strict=True)):
            frame[self.mask(number)] = fill

    def mask(self, frame: int) -> NDArray[np.bool_]:
        """(rows, columns): True where a frame is blanked."""
        return np.unpackbits(self.bits[frame], axis=-1, count=self.columns).view(bool)

    def __repr__(self) -> str:
        return f"<Holes in {len(self.fills)} frames>"
