"""Blanking parts of frames: which pixels turn black, and what black is in their encoding.

All frames of an instance alike. What is not blanked keeps its stored value to the bit; bits above
High Bit, where overlays hide, and below the value are gone from every pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal
from cohortkit.model import (
    Display,
    FrameFacts,
    InstanceFacts,
    Lut,
    Photometric,
    PixelFormat,
    Reason,
)
from cohortkit.model.facts import PixelType
from cohortkit.pixels.rectangles import Rectangle
from cohortkit.pixels.render import resolved

_LUMA = np.array([0.299, 0.587, 0.114])
_YBR_STORED = frozenset({Photometric.YBR_FULL, Photometric.YBR_FULL_422})


@dataclass(frozen=True, slots=True)
class Redaction:
    """What of the frames of one instance turns black.

    Attributes:
        blank: always black.
        keep: where it is not None, all outside of these turns black too.
        black: the stored value that is shown as black, or the palette index; colour knows its own.
    """

    blank: tuple[Rectangle, ...]
    keep: tuple[Rectangle, ...] | None
    black: int


def redaction(
    instance: InstanceFacts,
    blank: tuple[Rectangle, ...],
    keep: tuple[Rectangle, ...] | None = None,
) -> Redaction:
    """What turns black in an instance, and with which value.

    Args:
        instance: its pixels and frames.
        blank: rectangles that turn black.
        keep: rectangles outside which all turns black; None for no such limit.

    Raises:
        Refusal: ``unsupported-pixels``: there is no black in these pixels (no integers, an unknown
            palette, frames that are shown in opposite ways).
    """
    form = instance.pixels
    if form is None or form.held_in is not PixelType.INTEGER or not form.bits_stored:
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    blacks = {_black(form, frame) for frame in instance.frames}
    if len(blacks) != 1:
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    return Redaction(tuple(sorted(blank)), keep and tuple(sorted(keep)), blacks.pop())


def mask(form: PixelFormat, what: Redaction) -> NDArray[np.bool_]:
    """(rows, columns): True where a pixel turns black.

    Where two pixels of a row share their colour (YBR_FULL_422) both turn black or none, so that
    no trace of one is left in the other.

    Raises:
        Refusal: ``redaction-outside``: a rectangle holds no pixel, or one that the image has not.
    """
    black = np.full((form.rows, form.columns), what.keep is not None)
    for part in what.keep or ():
        black[_slices(part, form)] = False
    for part in what.blank:
        black[_slices(part, form)] = True
    if form.photometric is Photometric.YBR_FULL_422:
        odd = np.zeros((form.rows, form.columns % 2), bool)
        pairs = np.concatenate([black, odd], axis=1).reshape(form.rows, -1, 2).any(axis=2)
        black = np.repeat(pairs, 2, axis=1)[:, : form.columns]
    return black


def check(form: PixelFormat, what: Redaction) -> None:
    """Refuse what cannot be blanked, before any pixel is read.

    Raises:
        Refusal: ``redaction-outside``; ``nothing-blanked``.
    """
    parts = (*what.blank, *(what.keep or ()))
    for part in parts:
        _slices(part, form)
    # Every area that is kept or black begins at an edge of the image or of a part.
    rows = {0, *(p.top for p in parts), *(p.bottom for p in parts)} - {form.rows}
    columns = {0, *(p.left for p in parts), *(p.right for p in parts)} - {form.columns}
    if not any(_is_black(what, row, column) for row in rows for column in columns):
        raise Refusal(Reason.NOTHING_BLANKED)


def _is_black(what: Redaction, row: int, column: int) -> bool:
    if any(part.holds(row, column) for part in what.blank):
        return True
    return what.keep is not None and not any(part.holds(row, column) for part in what.keep)


def blacken(values: NDArray[Any], black: NDArray[np.bool_], fill: int | tuple[int, ...]) -> None:
    """Put the fill where the mask says, in every frame, in place.

    Args:
        values: (frames, rows, columns) or (frames, rows, columns, samples).
        black: (rows, columns).
        fill: one value, or one for each sample.
    """
    values[:, black] = np.asarray(fill, dtype=values.dtype)


def shown_fill(form: PixelFormat, what: Redaction) -> int | tuple[int, ...]:
    """Black among decoded values, where colour is RGB."""
    return what.black if form.samples == 1 else (0, 0, 0)


def stored_fill(form: PixelFormat, what: Redaction) -> int | tuple[int, ...]:
    """Black among stored samples (PS3.3 C.7.6.3.1.2): no light, and colour in its middle."""
    if form.samples == 1:
        return what.black
    middle = 1 << (form.bits_stored - 1)
    return (0, middle, middle) if form.photometric in _YBR_STORED else (0, 0, 0)


def _slices(part: Rectangle, form: PixelFormat) -> tuple[slice, slice]:
    if not part.within(form.rows, form.columns):
        raise Refusal(Reason.REDACTION_OUTSIDE, rows=form.rows, columns=form.columns)
    return slice(part.top, part.bottom), slice(part.left, part.right)


def _black(form: PixelFormat, frame: FrameFacts) -> int:
    if form.photometric is Photometric.PALETTE:
        return _darkest(form, frame.display)
    low = -(1 << (form.bits_stored - 1)) if form.signed else 0
    high = low + (1 << form.bits_stored) - 1
    return high if _inverted(form, frame) else low


def _darkest(form: PixelFormat, display: Display) -> int:
    """The index of the darkest colour that a stored value can have."""
    if display.palette is None or form.signed:
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    first, count = display.palette[0].first, len(display.palette[0].values)
    last = min(first + count, 1 << form.bits_stored)
    if not 0 <= first < last:
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    light = resolved(np.arange(first, last), display.palette) @ _LUMA
    return first + int(light.argmin())


def _inverted(form: PixelFormat, frame: FrameFacts) -> bool:
    """Whether higher stored values are shown darker: each step that turns the scale around."""
    display = frame.display
    shape = display.inverse
    if shape is None:
        shape = form.photometric is Photometric.MONOCHROME1
    steep = (frame.slope or 1.0) < 0 if display.modality is None else _falls(display.modality)
    return shape ^ steep ^ (display.voi is not None and _falls(display.voi))


def _falls(lut: Lut) -> bool:
    return bool(lut.values) and lut.values[0] > lut.values[-1]
