"""Pictures of 8 bits from stored values, as the header says that they are to be shown.

The grey pipeline of PS3.4 N.2: Modality LUT (or slope and intercept), then the first VOI LUT, else
the first window, else percentiles of the *series*, never of the image; then Presentation LUT Shape
or, where it is absent, MONOCHROME1 inverts. Colour passes as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal, UsageError
from cohortkit.model import Display, Frames, Lut, Photometric, Reason, VoiFunction

_TOP = 255
_MOST_TABLE_BITS = 16

WINDOWS = {
    "lung": (-600.0, 1500.0),
    "mediastinum": (40.0, 400.0),
    "abdomen": (50.0, 400.0),
    "liver": (80.0, 150.0),
    "bone": (480.0, 2500.0),
    "brain": (40.0, 80.0),
    "subdural": (75.0, 215.0),
    "stroke": (35.0, 35.0),
}
"""Named windows for CT: center and width in Hounsfield units."""


def center_width(said: str, window: str | tuple[object, ...] | None) -> tuple[float, float] | None:
    """A window by name or by its numbers; None is none.

    Args:
        said: where it was asked for, as an error says it.
        window: as it was given.

    Raises:
        UsageError: no such name, or no center and width.
    """
    if isinstance(window, str):
        if window not in WINDOWS:
            raise UsageError(f"unknown window; the known ones are {', '.join(WINDOWS)}")
        return WINDOWS[window]
    if window is None:
        return None
    numbers = [one for one in window if isinstance(one, int | float) and math.isfinite(one)]
    if len(window) != len(numbers) or len(numbers) != 2 or numbers[1] < 1:  # noqa: PLR2004 - center, width
        raise UsageError(f"{said} takes a name, or center and width (at least 1)")
    return numbers[0], numbers[1]


class Shade(StrEnum):
    """What made grey values of modality values."""

    LUT = "VOI LUT"
    HEADER = "header window"
    GIVEN = "given window"
    SERIES = "series percentiles"
    COLOUR = "none, colour"


@dataclass(frozen=True, slots=True)
class Shown:
    """How one frame was rendered; what a sidecar records."""

    shade: Shade
    window: tuple[float, float] | None = None
    function: VoiFunction = VoiFunction.LINEAR
    inverted: bool = False


def pictures(
    frames: Frames, window: tuple[float, float] | None = None
) -> Iterator[tuple[NDArray[np.uint8], Shown]]:
    """Every frame as (rows, columns) or (rows, columns, 3) of uint8, with how it was rendered.

    Args:
        frames: stored values.
        window: center and width (LINEAR) to be used instead of what the header says.

    Raises:
        Refusal: ``unsupported-pixels``: no header window and no ``limits`` of the series.
    """
    known: dict[tuple[object, ...], NDArray[np.uint8] | None] = {}
    for number, values in enumerate(frames.values):
        if frames.photometric is Photometric.RGB:
            yield _eight_bits(values, frames.bits_stored), Shown(Shade.COLOUR)
            continue
        shown, grey = _greys(frames, number, window)
        key = (grey.slope, grey.intercept, id(grey.display), shown)
        if key not in known:
            known[key] = _table(frames, grey)
        yield _shaded(values, known[key], grey, frames), shown


def some(frames: Frames, chosen: Sequence[int]) -> Frames:
    """A few of the frames, by their places from 0."""
    return replace(
        frames,
        values=frames.values[list(chosen)],
        slopes=tuple(frames.slopes[n] for n in chosen),
        intercepts=tuple(frames.intercepts[n] for n in chosen),
        displays=tuple(frames.displays[n] for n in chosen) if frames.displays else (),
        spacing=tuple(frames.spacing[n] for n in chosen) if frames.spacing else (),
    )


@dataclass(frozen=True, slots=True)
class _Greys:
    """The way of one frame from stored values to grey."""

    slope: float
    intercept: float
    display: Display
    shown: Shown

    def __call__(self, stored: NDArray[Any]) -> NDArray[np.uint8]:
        values = modality(stored, self.slope, self.intercept, self.display.modality)
        if self.shown.shade is Shade.LUT and self.display.voi is not None:
            lut = self.display.voi
            grey = looked_up(values, lut) * (_TOP / ((1 << lut.bits) - 1))
        else:
            assert self.shown.window is not None
            grey = windowed(values, *self.shown.window, self.shown.function)
        eight = np.clip(np.floor(np.nan_to_num(grey) + 0.5), 0, _TOP).astype(np.uint8)
        return _TOP - eight if self.shown.inverted else eight


def _greys(frames: Frames, number: int, window: tuple[float, float] | None) -> tuple[Shown, _Greys]:
    display = frames.displays[number] if frames.displays else Display()
    inverted = display.inverse
    if inverted is None:
        inverted = frames.photometric is Photometric.MONOCHROME1
    if window is not None:
        shown = Shown(Shade.GIVEN, window, inverted=inverted)
    elif display.voi is not None:
        shown = Shown(Shade.LUT, inverted=inverted)
    elif display.window is not None:
        shown = Shown(Shade.HEADER, display.window, display.function, inverted)
    else:
        if frames.limits is None:
            raise Refusal(Reason.UNSUPPORTED_PIXELS)
        low, high = frames.limits()
        ends = (low + high) / 2, high - low
        shown = Shown(Shade.SERIES, ends, VoiFunction.LINEAR_EXACT, inverted)
    return shown, _Greys(frames.slopes[number], frames.intercepts[number], display, shown)


def modality(
    stored: NDArray[Any], slope: float, intercept: float, lut: Lut | None
) -> NDArray[np.float64]:
    """Modality values of stored values (PS3.3 C.11.1): by table, else by slope and intercept."""
    if lut is not None:
        return looked_up(stored, lut)
    return stored.astype(np.float64) * slope + intercept


def looked_up(values: NDArray[Any], lut: Lut) -> NDArray[np.float64]:
    """The outputs of a table; beyond its ends its ends (PS3.3 C.11.2.1.1)."""
    table = np.minimum(np.asarray(lut.values, dtype=np.float64), (1 << lut.bits) - 1)
    finite = np.nan_to_num(values.astype(np.float64), nan=lut.first)
    index = np.clip(np.floor(finite + 0.5) - lut.first, 0, len(table) - 1).astype(np.intp)
    outputs: NDArray[np.float64] = table[index]
    return outputs


def windowed(
    values: NDArray[np.float64], center: float, width: float, function: VoiFunction
) -> NDArray[np.float64]:
    """Grey in [0, 255] of modality values (PS3.3 C.11.2.1.2.1, C.11.2.1.3)."""
    if function is VoiFunction.SIGMOID:
        power = np.clip(-4 * (values - center) / width, -700, 700)
        return np.asarray(_TOP / (1 + np.exp(power)))
    if function is VoiFunction.LINEAR:  # the half-pixel terms: c - 0.5 and w - 1
        center, width = center - 0.5, width - 1
    if width <= 0:
        return np.where(values > center, float(_TOP), 0.0)
    return np.clip(((values - center) / width + 0.5) * _TOP, 0, _TOP)


def resolved(indices: NDArray[Any], palette: tuple[Lut, Lut, Lut]) -> NDArray[np.uint8]:
    """RGB of 8 bits from PALETTE COLOR indices, (…) to (…, 3) (PS3.3 C.7.6.3.1.5)."""
    bits = palette[0].bits
    # tables that say 16 bits and hold 8 are common
    if all(max(lut.values) <= _TOP for lut in palette):
        bits = 8
    low = palette[0].first
    at = np.clip(indices.astype(np.int64) - low, 0, len(palette[0].values) - 1)
    table = np.stack([_channel(lut, bits, len(palette[0].values)) for lut in palette], axis=1)
    colours: NDArray[np.uint8] = table[at]
    return colours


def _channel(lut: Lut, bits: int, count: int) -> NDArray[np.uint8]:
    entries = np.asarray(lut.values, dtype=np.uint16)
    padded = np.concatenate([entries, np.repeat(entries[-1:], max(count - len(entries), 0))])
    return _eight_bits(padded[:count], bits)


def _eight_bits(values: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """The eight highest of the stored bits."""
    if bits > 8:  # noqa: PLR2004 - bits of a byte
        values = values >> (bits - 8)
    elif bits < 8:  # noqa: PLR2004 - bits of a byte
        return (values.astype(np.uint16) * _TOP // ((1 << bits) - 1)).astype(np.uint8)
    return values.astype(np.uint8, copy=False)


def _table(frames: Frames, grey: _Greys) -> NDArray[np.uint8] | None:
    """The grey of every stored value there can be, where that is less work than every pixel."""
    bits = frames.bits_stored
    whole = frames.values.dtype.kind in "iu" and bits <= _MOST_TABLE_BITS
    if not whole or (1 << bits) > frames.values.size:
        return None
    low = -(1 << (bits - 1)) if frames.signed else 0
    return grey(np.arange(low, low + (1 << bits)))


def _shaded(
    values: NDArray[Any], table: NDArray[np.uint8] | None, grey: _Greys, frames: Frames
) -> NDArray[np.uint8]:
    if table is None:
        return grey(values)
    if frames.signed:
        return np.take(table, values.astype(np.intp) + len(table) // 2, mode="clip")
    return np.take(table, values, mode="clip")
