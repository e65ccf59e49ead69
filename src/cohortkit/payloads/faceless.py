"""A series whose faces are blanked: every frame of it, or it is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.errors import Refusal
from cohortkit.faces.block import deface
from cohortkit.geometry.copies import suspects
from cohortkit.geometry.slots import Stack
from cohortkit.model import (
    Codec,
    Facts,
    FrameFacts,
    PixelFormat,
    PixelHandle,
    Reason,
    Refused,
    Volume,
)
from cohortkit.model.facts import PixelType
from cohortkit.payloads.values import scaling
from cohortkit.payloads.volume import read, stacks
from cohortkit.pixels.holes import Holes
from cohortkit.pixels.redacted import RedactedPixels
from cohortkit.protocols import Defacer
from cohortkit.recipe.model import FacePolicy

_AIR = -1000.0  # HU
_Handles = tuple[PixelHandle | None, ...]
_Masks = dict[int, NDArray[np.bool_]]


def faceless(
    facts: Facts, pixels: Sequence[PixelHandle | None], policy: FacePolicy, into: Codec
) -> _Handles:
    """Handles that give no voxel which may show a face.

    Args:
        facts: of the series.
        pixels: a handle for each instance, as the recipe's rules for pixels leave it.
        policy: with which method.
        into: how pixels are encoded that cannot keep their own encoding.

    Raises:
        Refusal: ``face-not-found``: a frame is in no volume in which the method is sure of a head.
        TaskFailure: the pixels could not be read this time.
    """
    method = policy.defacer or partial(deface, depth=policy.depth)
    masks: _Masks = {}
    copies: set[int] = set()
    found = []
    for one in stacks(facts, pixels):
        if isinstance(one, Stack):
            found.append(one)
        elif one.reason is Reason.SAME_INSTANCE:
            copies.update(one.instances)
        elif any(pixels[ordinal] is not None for ordinal in one.instances):
            raise _refusal(one)
    for stack, gone in zip(found, _answers(found, facts, pixels, method), strict=True):
        _note(masks, stack, gone)
    _as_their_originals(masks, copies, facts)
    return tuple(
        None if handle is None else _holed(handle, facts, ordinal, masks.get(ordinal), into)
        for ordinal, handle in enumerate(pixels)
    )


def _refusal(one: Refused) -> Refusal:
    return Refusal(Reason.FACE_NOT_FOUND, instances=len(one.instances))


def _answers(
    found: Sequence[Stack],
    facts: Facts,
    pixels: Sequence[PixelHandle | None],
    method: Defacer,
) -> Iterator[NDArray[np.bool_]]:
    """What goes in each stack; where no head is found, what goes in others on the same grid."""
    own = [_answer(stack, facts, pixels, method) for stack in found]
    for stack, gone in zip(found, own, strict=True):
        if gone is not None:
            yield gone
            continue
        alike = [
            other
            for where, other in zip(found, own, strict=True)
            if other is not None
            and where.shape[:3] == stack.shape[:3]
            and np.allclose(where.affine, stack.affine, atol=1e-3)
        ]
        if not alike:
            raise Refusal(Reason.FACE_NOT_FOUND, instances=len(stack.instances))
        yield np.logical_or.reduce(alike)


def _answer(
    stack: Stack, facts: Facts, pixels: Sequence[PixelHandle | None], method: Defacer
) -> NDArray[np.bool_] | None:
    if not stack.placed or stack.colour:
        return None
    try:
        volume = read(stack, pixels)
    except Refusal:
        return None
    values = _scaled(volume)
    values.flags.writeable = False
    gone = method(values, volume.affine, _modality(facts))
    if gone is None:
        return None
    gone = np.asarray(gone)
    if gone.shape != values.shape or gone.dtype != np.bool_ or not gone.any():
        return None  # no answer to what was asked
    return gone


def _scaled(volume: Volume) -> NDArray[Any]:
    """(i, j, k), the greatest over time: a head that moves is asked for wherever it was."""
    values = volume.values
    if values.ndim > 3:  # noqa: PLR2004 - time
        values = values.max(axis=3)
    if (volume.slope, volume.intercept) != (1.0, 0.0):
        return (values * volume.slope + volume.intercept).astype(np.float32)
    return values.view()


def _modality(facts: Facts) -> str:
    said = {"CT": facts.ct, "MR": facts.mr, "PT": facts.pt, "NM": facts.nm}
    return next((name for name, there in said.items() if there), "")


def _note(masks: _Masks, stack: Stack, gone: NDArray[np.bool_]) -> None:
    """Put what goes in a stack where its frames have it; of a mosaic also what is no tile."""
    for volume in stack.volumes:
        for level, slot in enumerate(volume):
            form, plane = slot.pixels, gone[:, :, level].T
            if slot.instance not in masks:
                masks[slot.instance] = np.ones((form.frames, form.rows, form.columns), bool)
            frame = masks[slot.instance][slot.facts.frame]
            if slot.tile is None:
                frame &= plane
                continue
            tile = slot.tile
            rows = slice(tile.row, tile.row + tile.rows)
            frame[rows, tile.column : tile.column + tile.columns] &= plane


def _as_their_originals(masks: _Masks, copies: Collection[int], facts: Facts) -> None:
    """A copy goes where the instances go that it may be a copy of."""
    groups = suspects(facts) if copies else ()
    for copy in sorted(copies):
        alike = [masks[n] for group in groups if copy in group for n in group if n in masks]
        if not alike:
            raise Refusal(Reason.FACE_NOT_FOUND, instances=1)
        masks[copy] = np.logical_or.reduce(alike)


def _holed(
    handle: PixelHandle,
    facts: Facts,
    ordinal: int,
    gone: NDArray[np.bool_] | None,
    into: Codec,
) -> RedactedPixels:
    instance = facts.instances[ordinal]
    form = instance.pixels
    if gone is None or form is None or form.held_in is not PixelType.INTEGER or form.samples != 1:
        raise Refusal(Reason.FACE_NOT_FOUND, instances=1)
    fills = tuple(_fill(frame, form, ct=facts.ct) for frame in instance.frames)
    holes = Holes.of(gone, fills)
    if isinstance(handle, RedactedPixels):
        return replace(handle, holes=holes)
    return RedactedPixels(handle, form, None, into, holes)


def _fill(frame: FrameFacts, form: PixelFormat, *, ct: bool) -> int:
    """The stored value of air, or the nearest that can be stored."""
    by = scaling(frame)
    low = -(1 << (form.bits_stored - 1)) if form.signed else 0
    high = low + (1 << form.bits_stored) - 1
    air = ((_AIR if ct else 0.0) - by.intercept) / by.slope
    return round(min(max(air, low), high))
