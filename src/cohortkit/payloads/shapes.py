"""What the geometry policies of an output make of a payload: regular volumes, or a refusal.

Without a policy everything here is refused. What a policy lets pass says so (``accepted``), with
the reason by which it would have been refused and the numbers behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from cohortkit.errors import Refusal, UsageError
from cohortkit.geometry.affine import shear
from cohortkit.model import COLOUR, Accepted, Reason, Refused, Uneven, Volume, Withheld
from cohortkit.payloads.regrid import Row, evened, row_of, upright

UPRIGHT_DEGREES = 0.01
"""Slices that lean less than this are upright: it moves nothing by a visible part of a voxel."""

WORDS = MappingProxyType(
    {
        "single": ("refuse", "keep-2d"),
        "tilt": ("refuse", "affine", "resample"),
        "spacing": ("refuse", "split", "resample"),
        "missing": ("refuse", "split", "resample"),
        "colour": ("refuse", "rgb"),
        "unplaced": ("refuse", "keep"),
    }
)
"""The policies, and what each may say; the first is the default."""

_POLICIES = MappingProxyType(
    {
        Reason.MISSING_SLICE: "missing",
        Reason.IRREGULAR_SPACING: "spacing",
        Reason.NOT_GREY: "colour",
        Reason.NO_GEOMETRY: "unplaced",
    }
)
"""Which policy may ask for what was withheld for a reason."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Which volumes are taken that are no upright, regular grid of several slices.

    Attributes:
        single: a lone slice.
        tilt: evenly sheared slices.
        spacing: unevenly spaced slices.
        missing: slices that are evenly spaced but for holes.
        colour: pixels in colour.
        unplaced: frames of which the header does not say where they lie.
    """

    single: str = "refuse"
    tilt: str = "refuse"
    spacing: str = "refuse"
    missing: str = "refuse"
    colour: str = "refuse"
    unplaced: str = "refuse"

    def __post_init__(self) -> None:
        faults = [
            f"Nifti({name}=…) takes one of {', '.join(map(repr, words))}"
            for name, words in WORDS.items()
            if getattr(self, name) not in words
        ]
        if faults:
            raise UsageError("; ".join(faults))


def shaped(item: Volume | Refused, policies: Policies) -> Iterator[Volume | Refused]:
    """The volumes that the policies make of one; what they make none of is refused.

    Every instance of the item is in at least one of the answers.

    Raises:
        TaskFailure: the pixels could not be read this time.
    """
    if isinstance(item, Refused) and not isinstance(item, Withheld):
        yield item
        return
    try:
        # no name for what comes, here or below, so that memory holds one volume
        yield from map(partial(_checked, policies=policies), _regular(item, policies))
    except Refusal as refusal:
        yield Refused(refusal.reason, item.instances, numbers=refusal.numbers, part=item.part)


def _regular(item: Volume | Withheld, policies: Policies) -> Iterator[Volume | Refused]:
    """Evenly spaced volumes; they may still lean, be single slices, or in colour."""
    if isinstance(item, Volume):
        yield _erect(item, policies)
        return
    name = _POLICIES[item.reason]
    word = getattr(policies, name)
    if word == "refuse":
        yield item
        return
    if isinstance(item, Uneven):
        yield from _evened(item, policies, name, word)
        return
    volume = item.whole()
    if name != "colour":  # which is looked at in every volume, below
        volume = _noted(volume, Accepted(item.reason, f"{name}={word}", item.numbers))
    yield _erect(volume, policies)


def _evened(item: Uneven, policies: Policies, name: str, word: str) -> Iterator[Volume | Refused]:
    known = Accepted(item.reason, f"{name}={word}", item.numbers)
    if word == "split":
        yield from map(partial(_part, known=known, policies=policies), item.parts())
        return
    row = Row(item.whole(), item.heights)
    degrees = shear(row.volume.affine)
    if degrees > UPRIGHT_DEGREES and policies.tilt == "resample":
        row = _uprighted(row, degrees)
    made = evened(row)
    numbers = {**item.numbers, "before": len(item.heights), "after": made.values.shape[2]}
    del row
    yield _noted(made, replace(known, numbers=numbers))


def _part(part: Volume | Refused, known: Accepted, policies: Policies) -> Volume | Refused:
    return part if isinstance(part, Refused) else _erect(_noted(part, known), policies)


def _erect(volume: Volume, policies: Policies) -> Volume:
    degrees = shear(volume.affine)
    if degrees <= UPRIGHT_DEGREES or policies.tilt != "resample" or volume.values.shape[2] == 1:
        return volume
    return _uprighted(row_of(volume), degrees).volume


def _uprighted(row: Row, degrees: float) -> Row:
    made = upright(row)
    more = made.volume.values.shape[1] - row.volume.values.shape[1]
    numbers = {"degrees": degrees, "rows_added": more}
    noted = _noted(made.volume, Accepted(Reason.TILT, "tilt=resample", numbers))
    return replace(made, volume=noted)


def _checked(one: Volume | Refused, policies: Policies) -> Volume | Refused:
    return one if isinstance(one, Refused) else checked(one, policies)


def checked(volume: Volume, policies: Policies) -> Volume | Refused:
    """Refuse what leans, is a single slice or in colour, unless that is accepted."""
    degrees = shear(volume.affine)
    if volume.values.dtype == COLOUR:
        if policies.colour == "refuse":
            return Refused(Reason.NOT_GREY, volume.instances, part=volume.part)
        volume = _noted(volume, Accepted(Reason.NOT_GREY, f"colour={policies.colour}"))
    if volume.values.shape[2] == 1:
        if policies.single == "refuse":
            return Refused(Reason.SINGLE_SLICE, volume.instances, part=volume.part)
        volume = _noted(volume, Accepted(Reason.SINGLE_SLICE, f"single={policies.single}"))
    if degrees > UPRIGHT_DEGREES:
        numbers = {"degrees": degrees}
        if policies.tilt == "refuse":
            return Refused(Reason.TILT, volume.instances, numbers=numbers, part=volume.part)
        volume = _noted(volume, Accepted(Reason.TILT, f"tilt={policies.tilt}", numbers))
    return volume


def _noted(volume: Volume, accepted: Accepted) -> Volume:
    return replace(volume, accepted=(*volume.accepted, accepted))
