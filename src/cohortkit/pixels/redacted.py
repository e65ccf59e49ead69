"""Pixels that have parts to be blanked: nobody gets at what lies below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from cohortkit.model import Codec, PixelFormat, PixelHandle
from cohortkit.pixels import decode, redact
from cohortkit.pixels.holes import Holes
from cohortkit.pixels.recode import Encoded, recode


@dataclass(frozen=True, slots=True, repr=False)
class RedactedPixels:
    """A ``PixelHandle`` that gives no byte of its source: only what is left after blanking.

    Attributes:
        source: the pixels as they lie in the archive.
        pixels: the Image Pixel module of the source.
        what: which parts turn black in every frame; None for none.
        into: how they are encoded where their own encoding cannot be kept.
        holes: single voxels that are blanked besides, of grey frames; None for none.
    """

    source: PixelHandle
    pixels: PixelFormat
    what: redact.Redaction | None
    into: Codec = Codec.EXPLICIT_LITTLE
    holes: Holes | None = None

    def values(self) -> NDArray[Any]:
        """Decoded as ``decode.decode`` does, blanked, writable.

        Raises:
            Refusal: as ``decode``; ``redaction-outside``.
            TaskFailure: as the source's ``read``.
        """
        black = None if self.what is None else redact.mask(self.pixels, self.what)
        values = np.array(decode.decode(self.source.read(), self.pixels))
        if self.what is not None and black is not None:
            redact.blacken(values, black, redact.shown_fill(self.pixels, self.what))
        if self.holes is not None:
            self.holes.put(values)
        return values

    def gone(self, frame: int) -> NDArray[np.bool_]:
        """(rows, columns): True where a frame is blanked.

        Raises:
            Refusal: ``redaction-outside``.
        """
        form = self.pixels
        if self.what is None:
            black = np.zeros((form.rows, form.columns), bool)
        else:
            black = redact.mask(form, self.what)
        return black if self.holes is None else black | self.holes.mask(frame)

    def encoded(self) -> Encoded:
        """Blanked and encoded again, with the Image Pixel module that fits.

        Raises:
            Refusal: as ``decode``; ``redaction-outside``.
            TaskFailure: as the source's ``read``.
        """
        return recode(self.source.read(), self.pixels, self.what, self.into, self.holes)

    def read(self) -> NoReturn:
        """Refused: what was blanked would be in it.

        Raises:
            TypeError: always; take ``values`` or ``encoded``.
        """
        raise TypeError("blanked pixels are not read as they lie in their file")

    def __repr__(self) -> str:
        return f"<RedactedPixels of {self.pixels.frames} frames>"


def values_of(handle: PixelHandle, pixels: PixelFormat) -> NDArray[Any]:
    """The stored values of one instance, with what is to be blanked blanked.

    Args:
        handle: on its pixels.
        pixels: its Image Pixel module.

    Raises:
        Refusal: as ``decode``; ``redaction-outside``.
        TaskFailure: as ``handle.read``.
    """
    if isinstance(handle, RedactedPixels):
        return handle.values()
    return decode.decode(handle.read(), pixels)
