"""Frames of a series: one instance at a time, as stored values and how they are to be shown."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal
from cohortkit.model import (
    DeidentifiedSeries,
    Facts,
    FrameFacts,
    Frames,
    InstanceFacts,
    Photometric,
    PixelFormat,
    PixelHandle,
    Reason,
    Refused,
    Status,
)
from cohortkit.pixels import decode
from cohortkit.pixels.redacted import RedactedPixels, values_of
from cohortkit.pixels.render import modality, resolved

MOST_BYTES = 2 << 30
"""An instance that decodes to more than this is refused: its frames are held at once."""

MOST_SAMPLES = 4_000_000
"""Percentiles of a series are of all its pixels, or of a regular sample of this many."""

PERCENTILES = 0.5, 99.5

_GREYS = frozenset({Photometric.MONOCHROME1, Photometric.MONOCHROME2})


def assemble(series: DeidentifiedSeries) -> Iterator[Frames | Refused]:
    """The frames of each instance of a de-identified series, in the order of its instances.

    Every instance is in exactly one item.

    Raises:
        TaskFailure: the pixels could not be read this time.
    """
    return pictures(series.facts, series.pixels)


def pictures(facts: Facts, pixels: Sequence[PixelHandle | None]) -> Iterator[Frames | Refused]:
    """The same from facts and pixels alone: nothing else takes part in a picture.

    Args:
        facts: of the series.
        pixels: a handle for each instance, in the order of ``facts.instances``.
    """
    limits = _Limits(facts, pixels)
    numbers = numbers_of(facts)
    often = Counter(i.identity for i in facts.instances if i.identity is not None)
    seen: set[tuple[int, bytes]] = set()
    for ordinal, instance in enumerate(facts.instances):
        try:
            frames = _frames(ordinal, instance, pixels[ordinal], limits)
            frames = replace(frames, number=numbers[ordinal])
        except Refusal as refusal:
            nothing = refusal.reason is Reason.NO_PIXELS
            status = Status.NOT_APPLICABLE if nothing else Status.REFUSED
            yield Refused(refusal.reason, (ordinal,), status, refusal.numbers)
            continue
        if instance.identity is not None and often[instance.identity] > 1:
            copy = instance.identity, _digest(frames)
            if copy in seen:
                yield Refused(Reason.SAME_INSTANCE, (ordinal,), Status.DUPLICATE)
                continue
            seen.add(copy)
        yield frames
        del frames  # before the next is decoded, so that memory holds one instance


def numbers_of(facts: Facts) -> dict[int, int]:
    """Each instance's place from 1, by Instance Number and then ordinal; those without one last."""

    def key(ordinal: int) -> tuple[bool, int, int]:
        frames = facts.instances[ordinal].frames
        number = frames[0].instance_number if frames else None
        return number is None, number or 0, ordinal

    ordered = sorted(range(len(facts.instances)), key=key)
    return {ordinal: number for number, ordinal in enumerate(ordered, start=1)}


def _frames(
    ordinal: int, instance: InstanceFacts, handle: PixelHandle | None, limits: _Limits
) -> Frames:
    form = _checked(instance, handle)
    own = _each(instance, form)
    for frame in own:
        _scale(frame)
    values = _decoded(form, handle)
    first = own[0].display
    bits, photometric, signed = form.bits_stored, form.photometric, form.signed
    if form.photometric is Photometric.PALETTE:
        assert first.palette is not None
        values, bits, photometric, signed = (
            resolved(values, first.palette),
            8,
            Photometric.RGB,
            False,
        )
    elif form.samples > 1:
        photometric = Photometric.RGB
    scales = [_scale(frame) for frame in own]
    return Frames(
        values=values,
        photometric=photometric,
        instance=ordinal,
        slopes=tuple(slope for slope, _ in scales),
        intercepts=tuple(intercept for _, intercept in scales),
        bits_stored=bits,
        signed=signed,
        padding=form.padding,
        padding_limit=form.padding_limit,
        pixel_aspect=first.pixel_aspect,
        displays=tuple(frame.display for frame in own),
        spacing=tuple(_usable(frame.spacing) for frame in own),
        limits=limits if photometric in _GREYS else None,
    )


def _checked(instance: InstanceFacts, handle: PixelHandle | None) -> PixelFormat:
    """What can be known before the pixels are read.

    Raises:
        Refusal: there are none, they are too many, or of a kind that is not handled.
    """
    if instance.pixels is None or handle is None:
        raise Refusal(Reason.NO_PIXELS)
    decode.check(instance.pixels)
    if decode.nbytes(instance.pixels) > MOST_BYTES:
        raise Refusal(Reason.TOO_LARGE, bytes=decode.nbytes(instance.pixels))
    palette = instance.pixels.photometric is Photometric.PALETTE
    if palette and any(frame.display.palette is None for frame in instance.frames):
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    return instance.pixels


def _each(instance: InstanceFacts, form: PixelFormat) -> tuple[FrameFacts, ...]:
    """The facts of every frame; a classic multi-frame has one for all of them.

    Raises:
        Refusal: the header describes another number of frames than it says there are.
    """
    if len(instance.frames) == form.frames:
        return instance.frames
    if len(instance.frames) != 1:
        raise Refusal(
            Reason.PIXEL_LENGTH, frames_found=len(instance.frames), frames_said=form.frames
        )
    return instance.frames * form.frames


def _scale(frame: FrameFacts) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 where a Modality LUT stands in their place."""
    if frame.display.modality is not None:
        return 1.0, 0.0
    slope = 1.0 if frame.slope is None else frame.slope
    intercept = 0.0 if frame.intercept is None else frame.intercept
    if slope == 0 or not (math.isfinite(slope) and math.isfinite(intercept)):
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    return slope, intercept


def _usable(spacing: tuple[float, float] | None) -> tuple[float, float] | None:
    if spacing is None or not all(math.isfinite(side) and side > 0 for side in spacing):
        return None
    return spacing


def _decoded(form: PixelFormat, handle: PixelHandle | None) -> NDArray[Any]:
    assert handle is not None
    return values_of(handle, form)


def _digest(frames: Frames) -> bytes:
    told = f"{frames.values.shape} {frames.values.dtype.str} {frames.photometric}"
    digest = hashlib.sha256(told.encode())
    digest.update(np.ascontiguousarray(frames.values).data)
    return digest.digest()


class _Limits:
    """Low and high percentile of a series' modality values, worked out at the first call.

    Padding and what the recipe blanks are left out. So are instances that cannot be decoded: each
    is refused in its turn.
    """

    def __init__(self, facts: Facts, pixels: Sequence[PixelHandle | None]) -> None:
        self._facts = facts
        self._pixels = pixels
        self._found: tuple[float, float] | None = None

    def __call__(self) -> tuple[float, float]:
        if self._found is None:
            values = np.concatenate([np.zeros(0), *self._samples()])
            values = values[np.isfinite(values)]
            if values.size == 0:
                values = np.zeros(1)
            low, high = np.percentile(values, PERCENTILES, method="nearest")
            self._found = float(low), float(high)
        return self._found

    def _samples(self) -> Iterator[NDArray[np.float64]]:
        greys = list(self._greys())
        step = _step([form for _, form, _ in greys])
        for own, form, handle in greys:
            try:
                values = _decoded(form, handle)
            except Refusal:
                continue
            for number, (frame, stored) in enumerate(zip(own, values, strict=True)):
                shown = ~handle.gone(number) if isinstance(handle, RedactedPixels) else ...
                kept = _unpadded(stored[shown].reshape(-1)[::step], form)
                yield modality(kept, *_scale(frame), frame.display.modality)

    def _greys(self) -> Iterator[tuple[tuple[FrameFacts, ...], PixelFormat, PixelHandle | None]]:
        """The grey instances that nothing in their header forbids to decode."""
        for instance, handle in zip(self._facts.instances, self._pixels, strict=True):
            try:
                form = _checked(instance, handle)
                own = _each(instance, form)
                for frame in own:
                    _scale(frame)
            except Refusal:
                continue
            if form.photometric in _GREYS:
                yield own, form, handle


def _step(forms: Sequence[PixelFormat]) -> int:
    """Every how many pixels one is looked at: a stride that no row length repeats."""
    pixels = sum(form.frames * form.rows * form.columns for form in forms)
    step = max(1, math.ceil(pixels / MOST_SAMPLES))
    while step > 1 and any(math.gcd(step, form.columns) > 1 for form in forms):
        step += 1
    return step


def _unpadded(stored: NDArray[Any], form: PixelFormat) -> NDArray[Any]:
    """Without Pixel Padding Value, or the range to Pixel Padding Range Limit (C.7.5.1.1.2)."""
    if form.padding is None:
        return stored
    limit = form.padding if form.padding_limit is None else form.padding_limit
    low, high = sorted((form.padding, limit))
    return stored[(stored < low) | (stored > high)]
