"""Stored values and the modality transform: into the smallest type that holds them exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal
from cohortkit.model import FrameFacts, Reason

_INT16 = np.iinfo(np.int16)


@dataclass(frozen=True, slots=True)
class Scaling:
    """value = stored * slope + intercept."""

    slope: float = 1.0
    intercept: float = 0.0

    @property
    def identity(self) -> bool:
        """Whether it changes nothing."""
        return self.slope == 1.0 and self.intercept == 0.0


def scaling(facts: FrameFacts) -> Scaling:
    """The modality transform of a frame (PS3.3 C.11.1).

    Philips MR: stored values lead to display values by the rescale pair; over the scale slope
    they are what was measured, comparable between series (Chenevert 2014, PMC3998685).

    Raises:
        Refusal: ``unsupported-pixels`` for a slope that is zero or no number, and for a Modality
            LUT, which no slope can stand for.
    """
    if facts.display.modality is not None:
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    slope = 1.0 if facts.slope is None else facts.slope
    intercept = 0.0 if facts.intercept is None else facts.intercept
    if not math.isfinite(slope) or not math.isfinite(intercept) or slope == 0.0:
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    if facts.scale_slope is not None and facts.slope is not None:
        return _measured(slope, intercept, facts.scale_slope)
    return Scaling(slope, intercept)


def _measured(slope: float, intercept: float, scale_slope: float) -> Scaling:
    """Over the scale slope; beside an intercept in single precision, as dcm2niix counts it.

    The slope is then the difference of two rounded numbers, up to 1e-5 off. To agree with the
    field's reference is worth more here than those digits.
    """
    if intercept == 0.0:
        return Scaling(1 / scale_slope, 0.0)
    over = np.float32(slope) * np.float32(scale_slope)
    low = np.float32(intercept) / over
    high = (np.float32(slope) + np.float32(intercept)) / over
    return Scaling(float(high - low), float(low))


def common(scalings: Sequence[Scaling]) -> Scaling | None:
    """The one transform of all frames; None where they differ."""
    return scalings[0] if len(set(scalings)) == 1 else None


def applied(stored: NDArray[Any], by: Scaling) -> NDArray[Any]:
    """Scaled values as float32."""
    scaled: NDArray[Any] = (stored.astype(np.float64) * by.slope + by.intercept).astype(np.float32)
    return scaled


def sure_offset(kind: np.dtype[Any], by: Scaling, low: int, high: int) -> int | None:
    """What may be added to 16-bit values so that int16 holds them scaled, whichever they are.

    None where it depends on the values, which ``compact`` looks at; its result is the same.

    Args:
        kind: of the values.
        by: the transform of all of them.
        low: the least that may be stored.
        high: the most.
    """
    small = kind.kind in "iu" and kind.itemsize == 2  # noqa: PLR2004 - 16 bits
    if not small or by.slope != 1.0 or not float(by.intercept).is_integer():
        return None
    offset = int(by.intercept)
    fits = _INT16.min <= low + offset and high + offset <= _INT16.max
    return offset if fits else None


def compact(stored: NDArray[Any], by: Scaling) -> tuple[NDArray[Any], Scaling]:
    """Values and what is left to apply to them.

    A whole-number intercept goes into int16 where every value fits; uint16 becomes int16 where
    it fits, which more tools read. All else is kept as stored, with its transform beside it.
    No value is rounded.
    """
    small = stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2  # noqa: PLR2004 - 16 bits
    if not small or by.slope != 1.0 or not float(by.intercept).is_integer():
        return stored, by
    if stored.dtype == np.int16 and by.identity:
        return stored, by
    offset = int(by.intercept)
    low, high = int(stored.min()) + offset, int(stored.max()) + offset
    if stored.dtype.itemsize == 1 and offset == 0:
        return stored, by
    if low < _INT16.min or high > _INT16.max:
        return stored, by
    if stored.dtype.itemsize == 1:
        return stored.astype(np.int16) + np.int16(offset), Scaling()
    if offset:
        shifted(stored, offset, stored.view(np.int16))
    return stored.view(np.int16), Scaling()


def shifted(stored: NDArray[Any], offset: int, into: NDArray[np.int16]) -> None:
    """16-bit values and an offset, as int16 that holds the sums; in place or not.

    Modulo 2^16 and read as signed, which is exact and takes no wider type.
    """
    np.add(stored.view(np.uint16), np.uint16(offset % (1 << 16)), out=into.view(np.uint16))
