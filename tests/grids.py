"""Series as facts and pixels alone, for tests of splitting and assembly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cohortkit.model import (
    Codec,
    Facts,
    FrameFacts,
    InstanceFacts,
    Photometric,
    PixelFormat,
)
from released import Held

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
FORM = PixelFormat(
    rows=5,
    columns=4,
    samples=1,
    frames=1,
    bits_allocated=16,
    bits_stored=16,
    high_bit=15,
    signed=False,
    photometric=Photometric.MONOCHROME2,
    planar=0,
    codec=Codec.EXPLICIT_LITTLE,
)


@dataclass(frozen=True)
class Slice:
    """One instance of one frame."""

    facts: FrameFacts
    values: np.ndarray
    form: PixelFormat = FORM
    identity: int | None = None
    series_number: int = 1


def slices(count: int, step: float = 2.0, seed: int = 0, **facts: Any) -> list[Slice]:  # noqa: ANN401 - any of the facts of a frame
    """An axial stack of different slices, the lowest first."""
    rng = np.random.default_rng(seed)
    base = {
        "position": (-10.0, 20.0, 0.0),
        "orientation": AXIAL,
        "spacing": (1.5, 0.75),
        "thickness": step,
    } | facts
    made = []
    for k in range(count):
        x, y, z = base["position"]
        frame = FrameFacts(instance=0, frame=0, **base | {"position": (x, y, z + step * k)})
        values = rng.integers(0, 4096, (FORM.rows, FORM.columns), dtype=np.uint16)
        made.append(Slice(frame, values))
    return made


def series(made: Sequence[Slice]) -> tuple[Facts, list[Held | None]]:
    """The facts and pixels of these slices, in this order."""
    instances = tuple(
        InstanceFacts(
            pixels=one.form,
            frames=(replace(one.facts, instance=n),),
            identity=n if one.identity is None else one.identity,
            series_number=one.series_number,
        )
        for n, one in enumerate(made)
    )
    return Facts(instances=instances), [Held(one.values.tobytes()) for one in made]


def moved(one: Slice, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Slice:
    """The slice elsewhere."""
    position = one.facts.position
    assert position is not None
    return changed(one, position=(position[0] + x, position[1] + y, position[2] + z))


def changed(one: Slice, **facts: Any) -> Slice:  # noqa: ANN401 - any of the facts of a frame
    """The slice with other facts."""
    return replace(one, facts=replace(one.facts, **facts))
