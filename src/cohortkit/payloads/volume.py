"""Volumes of a series: exact or refused by name. One volume in memory at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal
from cohortkit.geometry.copies import suspects
from cohortkit.geometry.slots import Slot, Stack, UnevenStack, WithheldStack
from cohortkit.geometry.stacks import even_parts, split
from cohortkit.model import (
    COLOUR,
    DeidentifiedSeries,
    Facts,
    Photometric,
    PixelFormat,
    PixelHandle,
    Reason,
    Refused,
    Status,
    Uneven,
    Volume,
    Withheld,
)
from cohortkit.payloads import timing
from cohortkit.payloads.values import (
    Scaling,
    applied,
    common,
    compact,
    scaling,
    shifted,
    sure_offset,
)
from cohortkit.pixels import decode
from cohortkit.pixels.ahead import ahead, threads
from cohortkit.pixels.redacted import values_of
from cohortkit.pixels.render import resolved

MOST_BYTES = 16 << 30
"""No volume may take more memory than this."""
_SMALL = 16 << 20
"""Instances up to this size are decoded several at a time."""


def assemble(series: DeidentifiedSeries) -> Iterator[Volume | Refused]:
    """The volumes of a de-identified series, each with its part, and what makes none.

    Every instance is in at least one item. An enhanced instance whose frames make several
    volumes is in each of them.

    Raises:
        TaskFailure: the pixels could not be read this time.
    """
    return volumes(series.facts, series.pixels)


def volumes(facts: Facts, pixels: Sequence[PixelHandle | None]) -> Iterator[Volume | Refused]:
    """The same from facts and pixels alone: nothing else takes part in a volume.

    Args:
        facts: of the series.
        pixels: a handle for each instance, in the order of ``facts.instances``.
    """
    for found in stacks(facts, pixels):
        if isinstance(found, WithheldStack):
            yield _withheld(found, pixels)
        else:
            yield _or_refused(found, pixels)  # no name here, so that memory holds one volume


def stacks(facts: Facts, pixels: Sequence[PixelHandle | None]) -> Iterator[Stack | Refused]:
    """Which frames make which volume, and what makes none; only suspected copies are read.

    Arguments as of ``volumes``.
    """
    copies: set[int] = set()
    for group in suspects(facts):
        for refused in _copies(group, facts, pixels):
            copies.update(refused.instances)
            yield refused
    yield from split(facts, frozenset(copies))


def _withheld(found: WithheldStack, pixels: Sequence[PixelHandle | None]) -> Withheld:
    """Refused, with ways to read it all the same; nothing is decoded before that is asked for."""
    stack = replace(found.stack, part=found.part)
    said = (found.reason, found.instances, found.status, found.numbers, found.part)
    if not isinstance(found, UnevenStack):
        return Withheld(*said, whole=lambda: read(stack, pixels))
    return Uneven(
        *said,
        whole=lambda: read(stack, pixels),
        parts=lambda: (_or_refused(one, pixels) for one in even_parts(found)),
        heights=found.heights,
    )


def _or_refused(found: Stack | Refused, pixels: Sequence[PixelHandle | None]) -> Volume | Refused:
    if isinstance(found, Refused):
        return found
    try:
        return read(found, pixels)
    except Refusal as refusal:
        return Refused(refusal.reason, found.instances, numbers=refusal.numbers, part=found.part)


def _copies(
    group: tuple[int, ...], facts: Facts, pixels: Sequence[PixelHandle | None]
) -> list[Refused]:
    """Of instances that look alike, those whose pixels are alike too, but for the first."""
    first_of: dict[bytes, int] = {}
    copies: list[int] = []
    broken: list[Refused] = []
    for ordinal in group:
        form = facts.instances[ordinal].pixels
        assert form is not None
        try:
            values = _decoded(ordinal, form, pixels)
        except Refusal as refusal:
            broken.append(Refused(refusal.reason, (ordinal,), numbers=refusal.numbers))
            continue
        digest = hashlib.sha256(f"{values.shape} {values.dtype}".encode())
        digest.update(np.ascontiguousarray(values).data)
        if first_of.setdefault(digest.digest(), ordinal) != ordinal:
            copies.append(ordinal)
    if not copies:
        return broken
    return [Refused(Reason.SAME_INSTANCE, tuple(copies), Status.DUPLICATE), *broken]


def _decoded(ordinal: int, form: PixelFormat, pixels: Sequence[PixelHandle | None]) -> NDArray[Any]:
    handle = pixels[ordinal]
    if handle is None:
        raise Refusal(Reason.NO_PIXELS)
    decode.check(form)
    return values_of(handle, form)


def read(stack: Stack, pixels: Sequence[PixelHandle | None]) -> Volume:
    """Read the pixels of a stack into one array.

    Raises:
        Refusal: a frame cannot be decoded or scaled, or all of them take too much memory.
    """
    slots = [slot for volume in stack.volumes for slot in volume]
    scalings = [Scaling() if stack.colour else scaling(slot.facts) for slot in slots]
    shared = common(scalings)
    values, left = _filled(stack, pixels, shared)
    values, left = compact(values, left)
    if len(stack.volumes) == 1:
        values = values[0]
    if not stack.placed:
        values = values[..., ::-1, :]  # the last row first, so that it is shown upright
    b_values, b_vectors = timing.diffusion(stack) if stack.placed else ((), None)
    return Volume(
        values=values.T,
        affine=stack.affine,
        instances=stack.instances,
        slope=left.slope,
        intercept=left.intercept,
        part=stack.part,
        header=stack.first.instance,
        repetition=timing.repetition(stack),
        times=timing.times(stack),
        b_values=b_values,
        b_vectors=b_vectors,
        slice_times=timing.slice_times(stack),
        numbers=timing.numbers(stack),
        folded=0.0 if shared is None else shared.intercept - left.intercept,
        placed=stack.placed,
        padding=_padding(stack, values, shared, left),
        lean=stack.lean,
    )


def _padding(
    stack: Stack, values: NDArray[Any], shared: Scaling | None, left: Scaling
) -> float | None:
    """Pixel Padding Value as one of the values, where all frames say the same one."""
    said = {slot.pixels.padding for volume in stack.volumes for slot in volume}
    stored = said.pop() if len(said) == 1 else None
    if stored is None or shared is None or stack.colour:
        return None
    padding = (stored * shared.slope + shared.intercept - left.intercept) / left.slope
    kind = np.dtype(values.dtype)
    if kind.kind in "iu" and not np.iinfo(kind).min <= padding <= np.iinfo(kind).max:
        return None
    return padding


def _filled(
    stack: Stack, pixels: Sequence[PixelHandle | None], shared: Scaling | None
) -> tuple[NDArray[Any], Scaling]:
    """(t, k, rows, columns), and the transform that is left to apply to them.

    Stored values, int16 with the intercept in them where it holds these whichever they are, or
    float32 where frames scale differently.
    """
    by_instance: dict[int, list[tuple[int, int, Slot]]] = {}
    for t, volume in enumerate(stack.volumes):
        for k, slot in enumerate(volume):
            by_instance.setdefault(slot.instance, []).append((t, k, slot))
    out: NDArray[Any] | None = None
    kind, offset = np.dtype(np.float32), None
    ordinals = sorted(by_instance)
    forms = {ordinal: by_instance[ordinal][0][2].pixels for ordinal in ordinals}
    made = ahead(lambda n: _decoded(n, forms[n], pixels), ordinals, _at_a_time(forms))
    for ordinal, stored in zip(ordinals, made, strict=True):
        decoded = _coloured(stored, by_instance[ordinal][0][2]) if stack.colour else stored
        if out is None:
            kind = decoded.dtype
            offset = None if shared is None else _sure_offset(kind, shared, forms.values())
            plain = np.dtype(np.float32 if shared is None else kind)
            out = _empty(stack, plain if offset is None else np.dtype(np.int16))
        for t, k, slot in by_instance[ordinal]:
            frame = _tile(decoded[slot.facts.frame], slot)
            if shared is None:
                out[t, k] = applied(frame, scaling(slot.facts))
            elif decoded.dtype != kind:
                raise Refusal(Reason.MIXED_FORMAT)
            elif offset is None:
                out[t, k] = frame
            else:
                shifted(frame, offset, out[t, k])
    assert out is not None
    return out, Scaling() if shared is None or offset is not None else shared


def _tile(frame: NDArray[Any], slot: Slot) -> NDArray[Any]:
    tile = slot.tile
    if tile is None:
        return frame
    return frame[tile.row : tile.row + tile.rows, tile.column : tile.column + tile.columns]


def _sure_offset(
    kind: np.dtype[Any], shared: Scaling, forms: Collection[PixelFormat]
) -> int | None:
    """What is added to stored values while they are copied, which then are int16 for sure."""
    bits = max(form.bits_stored for form in forms)  # decoded values have no others
    signed = kind.kind == "i"
    low = -(1 << (bits - 1)) if signed else 0
    return sure_offset(kind, shared, low, low + (1 << bits) - 1)


def _at_a_time(forms: Mapping[int, PixelFormat]) -> int:
    """How many instances to decode at once: one, where they are large or lie there decoded."""
    small = all(decode.nbytes(form) <= _SMALL for form in forms.values())
    encoded = any(not form.codec.native for form in forms.values())
    return threads() if small and encoded else 1


def _coloured(decoded: NDArray[Any], slot: Slot) -> NDArray[Any]:
    """(frames, rows, columns) of COLOUR, from RGB or from the indices of a palette.

    Raises:
        Refusal: ``unsupported-pixels``: no usable palette, or more than eight bits.
    """
    if slot.pixels.photometric is Photometric.PALETTE:
        if slot.facts.display.palette is None:
            raise Refusal(Reason.UNSUPPORTED_PIXELS)
        decoded = resolved(decoded, slot.facts.display.palette)
    if decoded.dtype != np.uint8 or decoded.shape[-1] != COLOUR.itemsize:
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    return np.ascontiguousarray(decoded).view(COLOUR)[..., 0]


def _empty(stack: Stack, dtype: np.dtype[Any]) -> NDArray[Any]:
    i, j, k, t = stack.shape
    wanted = i * j * k * t * dtype.itemsize
    if wanted > MOST_BYTES:
        raise Refusal(Reason.TOO_LARGE, bytes=wanted)
    return np.empty((t, k, j, i), dtype)
