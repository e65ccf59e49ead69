"""Contact sheets: which pictures are on one, how they are made small, and where they stand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.pixels.contact import MOST, SIDE, chosen, columns_of, sheet, small


@given(st.integers(1, 500), st.integers(1, 200))
def test_a_sheet_is_never_overfull_nor_needlessly_empty(instances: int, frames: int) -> None:
    """All pictures where they fit; else as many as fit of the instances, none of them twice."""
    picked = [chosen(number, frames, instances) for number in range(1, instances + 1)]

    count = sum(map(len, picked))
    assert count <= MOST
    assert all(len(set(one)) == len(one) and set(one) <= set(range(frames)) for one in picked)
    if instances * frames <= MOST:
        assert count == instances * frames
    assert count >= min(instances * frames, MOST // 2)


@pytest.mark.parametrize("instances", [65, 100, 400, 1000])
def test_instances_are_evenly_spread(instances: int) -> None:
    """64 of a series, no gap longer than one beyond the usual."""
    numbers = [n for n in range(1, instances + 1) if chosen(n, 1, instances)]

    assert len(numbers) == MOST
    gaps = np.diff(numbers)
    assert gaps.max() - gaps.min() <= 1


def test_frames_of_a_clip_are_spread_from_first_to_last() -> None:
    """One instance of many frames fills its sheet."""
    places = chosen(1, 1000, 1)

    assert (len(places), places[0], places[-1]) == (MOST, 0, 999)


@pytest.mark.parametrize(
    ("shape", "aspect", "expected"),
    [
        ((256, 256), 1.0, (128, 128)),
        ((300, 200), 1.0, (128, 85)),
        ((200, 200), 2.0, (128, 64)),
        ((3, 5), 1.0, (77, 128)),
        ((1, 4000), 1.0, (1, 128)),
    ],
)
def test_the_longer_side_fills_the_tile(
    shape: tuple[int, int], aspect: float, expected: tuple[int, int]
) -> None:
    """Proportions are those on the screen: pixels that are not square are heeded."""
    assert small(np.zeros(shape, np.uint8), aspect).shape == expected
    assert small(np.zeros((*shape, 3), np.uint8), aspect).shape == (*expected, 3)


def test_a_pixel_is_the_mean_of_those_that_fall_together() -> None:
    """No pixel of the source is passed over: what is thin stays to be seen."""
    source = np.random.default_rng(0).integers(0, 256, (256, 384, 3), dtype=np.uint8)

    made = small(source)

    assert made.shape == (85, 128, 3)
    rows = np.arange(86) * 256 // 85
    wanted = np.array(
        [
            [source[rows[r] : rows[r + 1], 3 * c : 3 * c + 3].mean((0, 1)) for c in range(128)]
            for r in range(85)
        ]
    )
    assert np.abs(made - wanted).max() <= 0.5


def test_tiles_stand_row_by_row() -> None:
    """The first is at the upper left, each in the middle of its place, grey beside colour."""
    tiles = [np.full((SIDE, SIDE), 10 * n, np.uint8) for n in range(1, 5)]
    tiles.append(np.full((64, SIDE, 3), (7, 8, 9), np.uint8))

    made = sheet(tiles)

    assert columns_of(5) == 3
    assert made.shape == (2 * SIDE, 3 * SIDE, 3)
    middles = made[SIDE // 2 :: SIDE, SIDE // 2 :: SIDE]
    assert middles[..., 0].tolist() == [[10, 20, 30], [40, 7, 0]]
    assert middles[1, 1].tolist() == [7, 8, 9]
    assert made[SIDE + 31, SIDE + 5].tolist() == [0, 0, 0]
    assert made[SIDE + 32, SIDE + 5].tolist() == [7, 8, 9]
    assert sheet(tiles[:4]).shape == (2 * SIDE, 2 * SIDE)
