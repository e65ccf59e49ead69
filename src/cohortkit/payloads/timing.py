"""When and how the slices of a stack were acquired, for the sidecar and the header."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cohortkit.geometry.affine import plane
from cohortkit.geometry.slots import Slot, Stack

_EVEN = 0.02
"""Volumes follow each other evenly where no gap differs more than this part from the usual."""


def times(stack: Stack) -> tuple[float, ...]:
    """Seconds of each volume from the first frame of the series; empty where unknown."""
    if len(stack.volumes) == 1:
        return ()
    starts = []
    for volume in stack.volumes:
        known = [slot.facts.time for slot in volume if slot.facts.time is not None]
        if len(known) != len(volume):
            return ()
        starts.append(min(known))
    return tuple(starts) if all(b > a for a, b in pairwise(starts)) else ()


def repetition(stack: Stack) -> float | None:
    """Seconds from one volume to the next, where they follow evenly."""
    starts = times(stack)
    if len(starts) < 2:  # noqa: PLR2004 - two volumes
        return None
    gaps = [b - a for a, b in pairwise(starts)]
    usual = (starts[-1] - starts[0]) / len(gaps)
    if max(abs(gap - usual) for gap in gaps) > _EVEN * usual:
        return None
    return round(usual, 6)


def slice_times(stack: Stack) -> tuple[float, ...]:
    """Seconds of each slice from the start of its volume, by k; empty where unknown."""
    volume = stack.volumes[-1]
    if len(volume) < 2 or len(stack.volumes) < 2:  # noqa: PLR2004 - slices of a time series
        return ()
    if volume[0].tile is not None:
        return _mosaic_times(volume)
    known = [slot.facts.time for slot in volume]
    if None in known or len(set(known)) == 1:
        return ()
    found = [time for time in known if time is not None]
    span, every = max(found) - min(found), repetition(stack)
    if every is None or span >= every:
        return ()
    return tuple(round(time - min(found), 6) for time in found)


def _mosaic_times(volume: tuple[Slot, ...]) -> tuple[float, ...]:
    """By tile, turned into the order of k."""
    mosaic = volume[0].source.mosaic
    assert mosaic is not None
    if len(mosaic.slice_times) != len(volume):
        return ()
    by_place = []
    for slot in volume:
        assert slot.tile is not None
        across = slot.pixels.columns // slot.tile.columns
        number = slot.tile.row // slot.tile.rows * across + slot.tile.column // slot.tile.columns
        by_place.append(mosaic.slice_times[number])
    return tuple(by_place)


def diffusion(stack: Stack) -> tuple[tuple[float, ...], NDArray[np.float64] | None]:
    """b-values by volume, and the directions in the image's axes as FSL counts them.

    FSL's first axis runs the other way where the affine keeps handedness.
    """
    firsts = [volume[0].facts for volume in stack.volumes]
    known = [facts.b_value for facts in firsts]
    weights = tuple(b for b in known if b is not None and math.isfinite(b))
    if len(weights) != len(known) or not any(b > 0 for b in weights):
        return (), None
    facts = firsts[0]
    assert facts.orientation is not None
    directions = plane(facts.orientation)
    flip = -1.0 if np.linalg.det(stack.affine[:3, :3]) > 0 else 1.0
    slices = np.diag([-1.0, -1.0, 1.0]) @ stack.affine[:3, 2]
    axes = np.array(
        [
            flip * directions.along_row,
            directions.along_column,
            slices / np.linalg.norm(slices),
        ]
    )
    vectors = np.zeros((len(firsts), 3))
    for n, frame in enumerate(firsts):
        if frame.b_vector is not None:
            vectors[n] = axes @ np.array(frame.b_vector) + 0.0
        elif weights[n] > 0:
            return weights, None
    return weights, vectors


def numbers(stack: Stack) -> Mapping[str, float]:
    """Figures for the sidecar, in BIDS terms and units."""
    facts = stack.first.facts
    found = {
        "EchoTime": _seconds(facts.echo_time),
        "RepetitionTime": _seconds(facts.repetition_time),
        "InversionTime": _seconds(facts.inversion_time),
        "FlipAngle": facts.flip_angle,
        "SliceThickness": facts.thickness,
    }
    return {k: v for k, v in found.items() if v is not None and math.isfinite(v) and v > 0}


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds / 1000, 9)
