"""Which frames make which volume, decided from Facts alone; or by which Reason they make none.

A series is split by what no volume may mix (size, number format, rescaling or none, orientation,
spacing, frame of reference, patient position, units, kernel, role, echo, repetition time, flip
angle). What is left is sorted into places along the slice normal.
Where a place holds several frames they are told apart by a known dimension, or refused.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from cohortkit.errors import Refusal
from cohortkit.geometry import order
from cohortkit.geometry.affine import (
    Vector,
    affine,
    check,
    direction,
    heights,
    leaning,
    nowhere,
    plane,
    step,
)
from cohortkit.geometry.mosaics import tiles
from cohortkit.geometry.places import Place, places, same_height
from cohortkit.geometry.rows import runs
from cohortkit.geometry.slots import (
    COLOURS,
    GREYS,
    Slot,
    Stack,
    UnevenStack,
    WithheldStack,
    size,
)
from cohortkit.model import (
    Codec,
    Facts,
    FrameFacts,
    InstanceFacts,
    Reason,
    Refused,
    Status,
)

_DIRECTION_TOLERANCE = 2e-4
_SPACING_TOLERANCE = 1e-4
_MOST_FRAMES = 1 << 16
_OF_SPACING = frozenset({Reason.MISSING_SLICE, Reason.IRREGULAR_SPACING})
_LOSSY = frozenset({Codec.JPEG_BASELINE, Codec.JPEG_EXTENDED, Codec.JPEG_LS_NEAR})


def split(facts: Facts, without: frozenset[int] = frozenset()) -> tuple[Stack | Refused, ...]:
    """Every frame of the series in a Stack or a Refused.

    Among the latter, a WithheldStack holds what a policy may ask for.

    Args:
        facts: of the series.
        without: ordinals to leave out (copies that were found by their pixels).
    """
    refused: list[Refused] = []
    found: list[Stack | WithheldStack] = []
    slots: list[Slot] = []
    for ordinal, instance in enumerate(facts.instances):
        if ordinal in without:
            continue
        try:
            slots += _slots(instance)
        except Refusal as refusal:
            status = _status(refusal.reason, facts)
            if refusal.reason is Reason.NO_GEOMETRY and _shown_alone(instance):
                found.append(_unplaced(ordinal, instance, status, refusal))
            else:
                refused.append(Refused(refusal.reason, (ordinal,), status, refusal.numbers))
    slots.sort(key=_canonical)
    for group in _groups(slots):
        for made in _build(group):
            if isinstance(made, Stack | WithheldStack):
                found.append(made)
            else:
                refused.append(made)
    return (*_named(found), *_merged(refused))


def _status(reason: Reason, facts: Facts) -> Status:
    """Pictures that were never meant to lie in space (captures) are no loss to volumes."""
    scanned = facts.ct or facts.mr or facts.pt
    absent = reason is Reason.NO_PAYLOAD or (reason is Reason.NO_GEOMETRY and not scanned)
    return Status.NOT_APPLICABLE if absent else Status.REFUSED


def _shown_alone(instance: InstanceFacts) -> bool:
    """Whether frames that lie nowhere can at least be put one after the other."""
    pixels = instance.pixels
    if instance.mosaic is not None or instance.no_volume is not None:
        return False
    return pixels is not None and pixels.frames <= _MOST_FRAMES


def _unplaced(
    ordinal: int, instance: InstanceFacts, status: Status, refusal: Refusal
) -> WithheldStack:
    """The frames of one instance in their order, nowhere in space."""
    pixels = instance.pixels
    assert pixels is not None
    known = instance.frames if len(instance.frames) == pixels.frames else ()
    frames = known or tuple(replace(instance.frames[0], frame=n) for n in range(pixels.frames))
    slots = tuple(Slot(frame, instance, pixels) for frame in frames)
    first = frames[0]
    usable = first.spacing is not None and all(math.isfinite(x) and x > 0 for x in first.spacing)
    high, wide = first.spacing if usable and first.spacing is not None else (1.0, 1.0)
    made = nowhere((pixels.columns, pixels.rows, pixels.frames), (wide, high, 1.0))
    stack = Stack((slots,), made, placed=False)
    return WithheldStack(refusal.reason, (ordinal,), status, refusal.numbers, stack=stack)


def even_parts(uneven: UnevenStack) -> Iterator[Stack | Refused]:
    """The longest runs of slices that are evenly spaced, each as a stack; every slice is in one."""
    stack = uneven.stack
    lean = stack.affine[:3, 2]
    for n, (first, end) in enumerate(runs(uneven.heights), 1):
        volumes = tuple(volume[first:end] for volume in stack.volumes)
        part = Stack(volumes, stack.affine.copy(), f"{uneven.part}_{n}")
        part.affine[:3, 3] += lean * uneven.heights[first]
        try:
            gap = (
                (uneven.heights[end - 1] - uneven.heights[first]) / (end - first - 1)
                if end - first > 1
                else _thickness(part.first.facts)
            )
        except Refusal as refusal:
            yield Refused(refusal.reason, part.instances, numbers=refusal.numbers, part=part.part)
            continue
        part.affine[:3, 2] = lean * gap
        yield part


def _slots(instance: InstanceFacts) -> list[Slot]:
    """The slices of one instance.

    Raises:
        Refusal: no pixels, colour, or no usable place in space.
    """
    pixels = instance.pixels
    if pixels is None:
        raise Refusal(Reason.NO_PAYLOAD)
    grey = pixels.photometric in GREYS and pixels.samples == 1
    if not grey and pixels.photometric not in COLOURS:
        raise Refusal(Reason.NOT_GREY, samples=pixels.samples)
    if min(pixels.rows, pixels.columns, pixels.frames) < 1:
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    if instance.no_volume is not None:
        raise Refusal(instance.no_volume, frames=pixels.frames)
    if len(instance.frames) != pixels.frames:
        alone = len(instance.frames) == 1
        raise Refusal(Reason.NO_GEOMETRY if alone else Reason.BAD_GEOMETRY, frames=pixels.frames)
    if instance.mosaic is not None:
        if pixels.frames != 1:
            raise Refusal(Reason.UNKNOWN_MOSAIC, frames=pixels.frames)
        placed = tiles(instance.frames[0], instance.mosaic, pixels)
        return [Slot(frame, instance, pixels, tile) for frame, tile in placed]
    for frame in instance.frames:
        check(frame)
    return [Slot(frame, instance, pixels) for frame in instance.frames]


def _canonical(slot: Slot) -> tuple[object, ...]:
    """An order that the order of the files cannot change."""
    facts = slot.facts
    return facts.orientation, facts.spacing, facts.position, facts.instance, facts.frame


def _kin(slot: Slot) -> Hashable:
    """What no volume may mix, but for directions and spacing, which have a tolerance."""
    facts, pixels = slot.facts, slot.pixels
    return (
        size(slot),
        pixels.photometric,
        pixels.signed,
        pixels.bits_allocated,
        pixels.held_in,
        facts.role,
        facts.derived,
        facts.setting,
        (facts.slope is None, facts.intercept is None),
        slot.tile is None,
        *(_rounded(x) for x in (facts.echo_time, facts.repetition_time, facts.flip_angle)),
    )


def _rounded(value: float | None) -> float | None:
    return value if value is None or not math.isfinite(value) else round(value, 3)


def _groups(slots: Sequence[Slot]) -> list[list[Slot]]:
    """Slots that may lie in one volume by all but their places."""
    by_kin: dict[Hashable, list[list[Slot]]] = {}
    for slot in slots:
        clusters = by_kin.setdefault(_kin(slot), [])
        for cluster in clusters:
            if _alike(cluster[0].facts, slot.facts):
                cluster.append(slot)
                break
        else:
            clusters.append([slot])
    return [cluster for clusters in by_kin.values() for cluster in clusters]


def _alike(one: FrameFacts, other: FrameFacts) -> bool:
    """Whether directions and spacing are the same up to rounding."""
    assert one.orientation is not None
    assert other.orientation is not None
    assert one.spacing is not None
    assert other.spacing is not None
    turned = max(abs(a - b) for a, b in zip(one.orientation, other.orientation, strict=True))
    scaled = max(abs(a - b) / a for a, b in zip(one.spacing, other.spacing, strict=True))
    return turned <= _DIRECTION_TOLERANCE and scaled <= _SPACING_TOLERANCE


_KINDS: tuple[Callable[[Slot], Hashable], ...] = (
    lambda slot: (slot.source.lossy, slot.pixels.codec if slot.pixels.codec in _LOSSY else None),
    lambda slot: slot.source.series_number,
    lambda slot: slot.facts.image_type,
    lambda slot: slot.facts.echo_number,
    lambda slot: slot.facts.stack,
)
"""What tells frames at one place apart as different images, in the order in which it is tried."""


def _build(group: list[Slot]) -> list[Stack | Refused]:
    """The volumes of one group, or why there are none."""
    first = group[0].facts
    assert first.orientation is not None
    normal = plane(first.orientation).normal
    found = places(group, normal)
    crowded = max(len(place.slots) for place in found) > 1 or same_height(found)
    if crowded:
        for kind in _KINDS:
            parts = _partition(group, kind)
            if len(parts) > 1:
                return [made for part in parts for made in _build(part)]
    try:
        return [_stack(found, normal)]
    except Refusal as refusal:
        instances = tuple(sorted({slot.instance for slot in group}))
        return [Refused(refusal.reason, instances, numbers=refusal.numbers)]


def _partition(group: list[Slot], kind: Callable[[Slot], Hashable]) -> list[list[Slot]]:
    parts: dict[Hashable, list[Slot]] = {}
    for slot in group:
        parts.setdefault(kind(slot), []).append(slot)
    return list(parts.values())


def _stack(found: list[Place[Slot]], normal: Vector) -> Stack | WithheldStack:
    """The volume or the volumes in time that these places make.

    Raises:
        Refusal: the places are uneven, or what lies at one place cannot be told apart.
    """
    if same_height(found):
        raise Refusal(Reason.MIXED_STACKS, places=len(found))
    counts = sorted(len(place.slots) for place in found)
    usual = counts[len(counts) // 2]
    if counts[0] != counts[-1]:
        reason = Reason.MISSING_SLICE if counts[0] < usual else Reason.SAME_PLACE
        raise Refusal(reason, fewest=counts[0], most=counts[-1])
    positions = [place.position for place in found]
    uneven: Refusal | None = None
    if len(found) == 1:
        between = normal * _thickness(found[0].slots[0].facts)
    else:
        try:
            between = step(positions, normal)
        except Refusal as refusal:
            if refusal.reason not in _OF_SPACING:
                raise
            uneven, between = refusal, direction(positions, normal)
    volumes = order.in_time([[slot.facts for slot in place.slots] for place in found])
    chosen = tuple(
        tuple(place.slots[n] for place, n in zip(found, picks, strict=True)) for picks in volumes
    )
    facts = chosen[0][0].facts
    assert facts.orientation is not None
    lean = leaning(positions, facts.orientation)
    stack = Stack(chosen, affine(facts, positions[0], between), lean=lean)
    if uneven is None and stack.colour:
        samples = stack.first.pixels.samples
        numbers = {"samples": samples}
        return WithheldStack(Reason.NOT_GREY, stack.instances, numbers=numbers, stack=stack)
    if uneven is None:
        return stack
    return UnevenStack(
        uneven.reason,
        stack.instances,
        numbers=uneven.numbers,
        stack=stack,
        heights=heights(positions, normal, lean),
    )


def _thickness(facts: FrameFacts) -> float:
    """How thick a lone slice is, mm."""
    for value in (facts.spacing_between, facts.thickness):
        if value is not None and math.isfinite(value) and value > 0:
            return value
    raise Refusal(Reason.SINGLE_SLICE)


def _merged(refused: list[Refused]) -> list[Refused]:
    """Lone instances that were refused for the same reason and numbers, as one."""
    merged: dict[Hashable, Refused] = {}
    for one in refused:
        key = (one.reason, one.status, tuple(sorted(one.numbers.items())))
        known = merged.get(key)
        instances = one.instances if known is None else (*known.instances, *one.instances)
        merged[key] = replace(one, instances=tuple(sorted(set(instances))))
    return sorted(merged.values(), key=lambda one: one.instances)


def _named(found: Sequence[Stack | WithheldStack]) -> list[Stack | WithheldStack]:
    """The stacks in an order that files cannot change, each with a suffix that says which."""
    found = sorted(found, key=_sorting)
    facts = [_stack_of(one).first.facts for one in found]
    echoes = sorted({one.echo_time or 0.0 for one in facts})
    roles = {one.role for one in facts}
    names = []
    for one in facts:
        name = f"_e{echoes.index(one.echo_time or 0.0) + 1}" if len(echoes) > 1 else ""
        names.append(name + (f"_{one.role.value}" if len(roles) > 1 else ""))
    counted: Counter[str] = Counter()
    named: list[Stack | WithheldStack] = []
    for made, name in zip(found, names, strict=True):
        counted[name] += 1
        alone = names.count(name) == 1
        named.append(replace(made, part=name if alone else f"{name}_{counted[name]}"))
    return named


def _stack_of(one: Stack | WithheldStack) -> Stack:
    return one if isinstance(one, Stack) else one.stack


def _sorting(one: Stack | WithheldStack) -> tuple[object, ...]:
    stack = _stack_of(one)
    first = stack.first
    facts = first.facts
    return (
        facts.echo_time or 0.0,
        facts.role.value,
        facts.image_type,
        facts.setting,
        facts.stack or 0,
        first.source.series_number or 0,
        facts.derived,
        facts.repetition_time or 0.0,
        facts.flip_angle or 0.0,
        first.pixels.codec.value,
        tuple(np.round(stack.affine.ravel(), 4).tolist()),
        stack.shape,
        first.pixels.signed,
        first.pixels.bits_allocated,
        stack.instances,
    )
