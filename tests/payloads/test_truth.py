"""Whatever a series is made of: each slice lies where its own header says, with its own values."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from cohortkit.geometry.facts import read_facts
from cohortkit.model import Refused, Volume
from cohortkit.payloads.volume import volumes
from factory import CT, MR, Patient, Series, instance
from released import Held, split

ROWS, COLUMNS = 5, 4


@dataclass(frozen=True)
class Form:
    """What the slices of a series have in common; mm, and (slope, intercept)."""

    count: int
    step: float
    spacing: tuple[float, float]
    signed: bool
    bits: int
    scale: tuple[float, float]
    maker: str
    mr: bool


FORMS = st.builds(
    Form,
    count=st.integers(2, 5),
    step=st.sampled_from([1.0, 2.5, 3.33]),
    spacing=st.sampled_from([(1.0, 1.0), (0.8, 0.75), (1.5, 3.0)]),
    signed=st.booleans(),
    bits=st.sampled_from([9, 12, 16]),
    scale=st.sampled_from([(1.0, 0.0), (1.0, -1024.0), (2.5, 0.0), (0.5, -3.0)]),
    maker=st.sampled_from(["GE MEDICAL SYSTEMS", "SIEMENS", "Philips", "UIH", ""]),
    mr=st.booleans(),
)


@dataclass(frozen=True)
class Made:
    """One slice: what its file holds, and what it was made of.

    Attributes:
        corners: centres of its first and its last voxel, mm, RAS.
        kind: echo and part (magnitude or phase), which no volume may mix.
        values: scaled, (column, row).
    """

    header: Dataset
    held: Held | None
    corners: tuple[NDArray[np.float64], NDArray[np.float64]]
    kind: tuple[int, str]
    time: int
    values: NDArray[np.float64]


@st.composite
def acquisitions(draw: st.DrawFn) -> list[Made]:
    """A series of any vendor, direction, order, number of times and echoes, and number format."""
    seed = draw(st.integers(0, 10_000))
    chance = np.random.default_rng(seed)
    directions, _ = np.linalg.qr(chance.normal(size=(3, 3)))
    if draw(st.booleans()):
        directions = np.eye(3)[:, draw(st.permutations(range(3)))] * chance.choice([-1, 1], 3)
    form = draw(FORMS)
    kinds = [
        (echo, part)
        for echo in range(draw(st.integers(1, 2)) if form.mr else 1)
        for part in (draw(st.sampled_from([["M"], ["M", "P"]])) if form.mr else ["M"])
    ]
    times = draw(st.integers(1, 3))
    all_of = [(time, kind, k) for time in range(times) for kind in kinds for k in range(form.count)]
    if draw(st.booleans()):  # place after place, not volume after volume
        all_of.sort(key=lambda one: one[2])
    return [_slice(n, one, form, directions, chance) for n, one in enumerate(all_of)]


def _slice(
    number: int,
    of: tuple[int, tuple[int, str], int],
    form: Form,
    directions: NDArray[np.float64],
    chance: np.random.Generator,
) -> Made:
    time, kind, k = of
    modality = ("MR", MR) if form.mr else ("CT", CT)
    header = instance(Patient(), Series(modality=modality[0], sop_class=modality[1]), number)
    normal = np.cross(directions[:, 0], directions[:, 1])
    corner = np.array([-20.0, 30.0, 7.5]) + normal * form.step * k
    header.Rows, header.Columns = ROWS, COLUMNS
    header.Manufacturer = form.maker
    header.ImagePositionPatient = [f"{x:.5f}" for x in corner]
    header.ImageOrientationPatient = [f"{x:.9f}"[:16] for x in directions[:, :2].T.ravel()]
    header.PixelSpacing = list(form.spacing)
    header.InstanceNumber = number + 1
    header.AcquisitionTime = f"1000{time:02}"
    if form.mr:
        header.ImageType = ["ORIGINAL", "PRIMARY", kind[1]]
        header.EchoTime, header.EchoNumbers = 5.0 + kind[0], kind[0] + 1
    slope, intercept = form.scale
    header.RescaleSlope, header.RescaleIntercept = slope, intercept
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, form.bits, form.bits - 1
    header.PixelRepresentation = int(form.signed)
    low = -(1 << (form.bits - 1)) if form.signed else 0
    high = low + (1 << form.bits) - 1
    stored = chance.integers(low, high + 1, (ROWS, COLUMNS))
    stored[0, :2] = low, high
    header.PixelData = stored.astype("<i2" if form.signed else "<u2").tobytes()
    bare, held = split(header)
    down, across = form.spacing
    along = directions[:, 0] * across * (COLUMNS - 1) + directions[:, 1] * down * (ROWS - 1)
    corners = corner * [-1, -1, 1], (corner + along) * [-1, -1, 1]
    return Made(bare, held, corners, kind, time, stored.T * slope + intercept)


@settings(deadline=None, max_examples=25)
@given(acquisitions(), st.randoms(use_true_random=False))
def test_every_slice_is_where_it_says_with_its_values(
    made: list[Made], chance: random.Random
) -> None:
    """In every volume, at every time; none lost, none twice, no two kinds in one."""
    chance.shuffle(made)
    found = list(volumes(read_facts([one.header for one in made]), [one.held for one in made]))

    assert not any(isinstance(one, Refused) for one in found)
    left = set(range(len(made)))
    for volume in found:
        assert isinstance(volume, Volume)
        of = [made[n] for n in volume.instances]
        assert len({one.kind for one in of}) == 1
        values = np.asarray(volume, np.float64)
        values = values if values.ndim == 4 else values[..., np.newaxis]
        by_place: dict[int, list[Made]] = defaultdict(list)
        for one in of:
            first, last = (np.linalg.solve(volume.affine, [*at, 1])[:3] for at in one.corners)
            k = round(first[2])
            assert np.abs(first - [0, 0, k]).max() < 0.01
            assert np.abs(last - [COLUMNS - 1, ROWS - 1, k]).max() < 0.01
            by_place[k].append(one)
        assert sorted(by_place) == list(range(values.shape[2]))
        for k, slices in by_place.items():
            for t, one in enumerate(sorted(slices, key=lambda one: one.time)):
                assert np.allclose(values[:, :, k, t], one.values, rtol=1e-6, atol=1e-4)
        left -= set(volume.instances)
    assert left == set()
