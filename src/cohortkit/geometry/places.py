"""Places of slices: which frames lie at the same one, sorted along the normal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

import numpy as np

from cohortkit.geometry.affine import Vector
from cohortkit.model import FrameFacts

SAME_MM = 0.01
"""Positions nearer than this are one place."""


class Placed(Protocol):
    """What has a frame's facts."""

    @property
    def facts(self) -> FrameFacts:
        """Of the frame."""
        ...


SlotT = TypeVar("SlotT", bound=Placed)


@dataclass(slots=True)
class Place(Generic[SlotT]):
    """One position and what lies there; height is the distance along the normal, mm."""

    position: Vector
    height: float
    slots: list[SlotT]


def places(slots: Sequence[SlotT], normal: Vector) -> list[Place[SlotT]]:
    """The places of these slots, by height."""
    positions = np.array([slot.facts.position for slot in slots], dtype=np.float64)
    heights = positions @ normal
    sequence = np.lexsort((positions[:, 0], positions[:, 1], positions[:, 2], heights))
    found: list[Place[SlotT]] = []
    for n in sequence.tolist():
        position, height = positions[n], float(heights[n])
        known = _at(found, position, height)
        if known is None:
            found.append(Place(position, height, [slots[n]]))
        else:
            known.slots.append(slots[n])
    return found


def _at(found: Sequence[Place[SlotT]], position: Vector, height: float) -> Place[SlotT] | None:
    """The place here, of places whose heights ascend."""
    for place in reversed(found):
        if height - place.height > SAME_MM:
            return None
        if float(np.linalg.norm(position - place.position)) <= SAME_MM:
            return place
    return None


def same_height(found: Sequence[Place[SlotT]]) -> bool:
    """Whether two places lie beside each other in one plane."""
    heights = [place.height for place in found]
    return any(b - a <= SAME_MM for a, b in pairwise(heights))
