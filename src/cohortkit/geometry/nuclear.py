"""Facts of a nuclear medicine instance: many frames, told apart by vectors (PS3.3 C.8.4)."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from pydicom.dataset import Dataset

from cohortkit.errors import Refusal
from cohortkit.geometry.affine import check, plane
from cohortkit.geometry.headers import (
    floats,
    integer,
    items,
    orientation,
    text,
    triple,
    whole,
    words,
)
from cohortkit.model import FrameFacts, Reason

_CLASSES = frozenset({"1.2.840.10008.5.1.4.1.1.5", "1.2.840.10008.5.1.4.1.1.20"})
_RECONSTRUCTED = frozenset({"RECON TOMO", "RECON GATED TOMO"})
_TIMES = ("RRIntervalVector", "TimeSlotVector", "TimeSliceVector")
_OTHERS = (
    "EnergyWindowVector",
    "DetectorVector",
    "PhaseVector",
    "RotationVector",
    "AngularViewVector",
)
_MOST_FRAMES = 1 << 16


def frames(header: Dataset, alone: FrameFacts) -> tuple[list[FrameFacts], Reason | None]:
    """The slices, each with its place in space and time; or the one frame, and why it has none.

    Only what was reconstructed has slices; all other frames are projections. The first slice
    lies where the detector's sequence says; the others follow it along the normal. A Spacing
    Between Slices below zero would turn the order over (PS3.3 C.8.4.15), which not every reader
    heeds: it is refused.

    Args:
        header: of any instance.
        alone: its facts as one frame.
    """
    if text(header, "SOPClassUID") not in _CLASSES or alone.position is not None:
        return [alone], None
    if not _RECONSTRUCTED & set(words(header, "ImageType")[2:3]):
        return [alone], Reason.NO_GEOMETRY
    count = integer(header, "NumberOfFrames") or 0
    slices, lying = _vector(header, "SliceVector", count), _placed(header, alone)
    if slices is None or lying is None or not 0 < count <= _MOST_FRAMES:
        return [alone], Reason.BAD_GEOMETRY
    assert lying.position is not None
    assert lying.orientation is not None
    first, step = np.array(lying.position), plane(lying.orientation).normal * _between(lying)
    moments, images = _labels(header, _TIMES, count), _labels(header, _OTHERS, count)
    found = []
    for n, (place, moment, image) in enumerate(zip(slices, moments, images, strict=True)):
        x, y, z = (first + step * (place - 1)).tolist()
        one = replace(lying, frame=n, position=(x, y, z), temporal_position=moment, stack=image)
        found.append(one)
    return found, None


def _placed(header: Dataset, alone: FrameFacts) -> FrameFacts | None:
    """With position and orientation of the one detector whose slices these are; None if unsure."""
    detectors = items(header, "DetectorInformationSequence")
    if len(detectors) != 1:
        return None
    placed = replace(
        alone,
        position=triple(floats(detectors[0], "ImagePositionPatient")),
        orientation=orientation(floats(detectors[0], "ImageOrientationPatient")),
    )
    try:
        check(placed)
    except Refusal:
        return None
    return placed if _between(placed) > 0 else None


def _between(facts: FrameFacts) -> float:
    """From slice to slice along the normal, mm; 0 where unknown."""
    for value in (facts.spacing_between, facts.thickness):
        if value is not None and math.isfinite(value) and value != 0:
            return value
    return 0.0


def _vector(header: Dataset, keyword: str, count: int) -> list[int] | None:
    """A whole number of each frame; None where there is none for each."""
    found = [whole(value) for value in floats(header, keyword) or ()]
    known = [value for value in found if value is not None]
    return known if len(known) == len(found) == count else None


def _labels(header: Dataset, keywords: tuple[str, ...], count: int) -> list[int]:
    """The frames by what these vectors say together, counted from 1; all 1 where there is none."""
    told = [vector for word in keywords if (vector := _vector(header, word, count)) is not None]
    if not told:
        return [1] * count
    rows = list(zip(*told, strict=True))
    ranks = {row: n for n, row in enumerate(sorted(set(rows)), start=1)}
    return [ranks[row] for row in rows]
