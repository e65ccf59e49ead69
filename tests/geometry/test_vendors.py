"""What each vendor, and nuclear medicine, says in its own way is placed and scaled as it says."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cohortkit.geometry.facts import read_facts
from cohortkit.geometry.order import in_time
from cohortkit.geometry.slots import Stack
from cohortkit.geometry.stacks import split
from cohortkit.model import FrameFacts, Reason, Refused
from cohortkit.model.facts import Triple
from released import chest
from released import split as parted

OBLIQUE = [0.9961947, 0.0871557, 0, -0.0858317, 0.9810603, 0.1736482]
DIRECTION = (0.6, 0.8, 0.0)
NM = "1.2.840.10008.5.1.4.1.1.20"


def header(**extra: object) -> Dataset:
    (one,) = chest(1, ImageOrientationPatient=OBLIQUE, **extra)
    found: Dataset = parted(one)[0]
    return found


def axes() -> NDArray[np.float64]:
    """Row, column and normal as columns."""
    row, column = np.array(OBLIQUE[:3]), np.array(OBLIQUE[3:])
    return np.array([row, column, np.cross(row, column)]).T


def direction(one: Dataset) -> Triple:
    found = read_facts([one]).instances[0].frames[0].b_vector
    assert found is not None
    return found


def ge(**extra: object) -> Dataset:
    one = header(**extra)
    block = one.private_block(0x0043, "GEMS_PARM_01", create=True)
    block.add_new(0x39, "IS", [1000001000, 8, 0, 0])
    block = one.private_block(0x0019, "GEMS_ACQU_01", create=True)
    for n, value in enumerate(DIRECTION):
        block.add_new(0xBB + n, "DS", str(value))
    return one


@pytest.mark.parametrize(
    ("encoded", "along"), [("COL", (-0.6, -0.8, 0.0)), ("ROW", (-0.8, 0.6, 0.0))]
)
def test_a_direction_of_ge_turns_with_the_phase_encoding(
    encoded: str, along: tuple[float, float, float]
) -> None:
    """Frequency, phase and slice become row, column and normal, as in dcm2niix's b-files."""
    found = direction(ge(InPlanePhaseEncodingDirection=encoded))

    assert np.allclose(axes() @ along, found, atol=1e-6)


def test_a_direction_of_ge_without_a_phase_encoding_is_none() -> None:
    """Nothing is guessed: the weighting is known and its direction is not."""
    (frame,) = read_facts([ge()]).instances[0].frames

    assert (1000.0, None) == (frame.b_value, frame.b_vector)


def grid(tiles: int = 7, stated: int = 7) -> Dataset:
    one = header(Rows=24, Columns=18, SpacingBetweenSlices=3)
    block = one.private_block(0x0065, "Image Private Header", create=True)
    block.add_new(0x09, "FD", 700.0)
    block.add_new(0x37, "FD", list(DIRECTION))
    block.add_new(0x50, "DS", str(tiles))
    block.add_new(0x51, "SQ", Sequence([tile(n) for n in range(stated)]))
    return one


def tile(n: int) -> Dataset:
    item = Dataset()
    item.ImagePositionPatient = (np.array([1.0, 2.0, 3.0]) + axes()[:, 2] * 3 * n).tolist()
    item.AcquisitionTime = f"101112.{n}"
    return item


def test_a_grid_of_united_imaging_lies_where_it_says() -> None:
    """Seven tiles in three columns, from the first place in the sequence along the normal."""
    (made,) = split(read_facts([grid()]))

    assert isinstance(made, Stack)
    assert (6, 8, 7, 1) == made.shape
    assert np.allclose([-1, -2, 3], made.affine[:3, 3], atol=1e-5)
    assert np.allclose(np.diag([-1, -1, 1]) @ axes()[:, 2] * 3, made.affine[:3, 2], atol=1e-5)
    windows = [(s.tile.row, s.tile.column) for s in made.volumes[0] if s.tile is not None]
    assert [(n // 3 * 8, n % 3 * 6) for n in range(7)] == windows


def test_a_direction_of_united_imaging_is_along_the_image() -> None:
    """It is turned into patient coordinates like every other."""
    assert np.allclose(axes() @ DIRECTION, direction(grid()), atol=1e-6)


def test_a_grid_that_does_not_place_each_tile_is_refused() -> None:
    """Six places for seven tiles: nothing is guessed."""
    (made,) = split(read_facts([grid(stated=6)]))

    assert isinstance(made, Refused)
    assert Reason.UNKNOWN_MOSAIC is made.reason


def mapped(maker: str, **extra: object) -> tuple[float | None, float | None]:
    item = Dataset()
    item.RealWorldValueSlope, item.RealWorldValueIntercept = 2.5, -3.0
    one = header(Manufacturer=maker, RealWorldValueMappingSequence=Sequence([item]), **extra)
    if not extra:
        del one.RescaleSlope, one.RescaleIntercept
    (frame,) = read_facts([one]).instances[0].frames
    return frame.slope, frame.intercept


def test_a_real_world_mapping_counts_for_philips_without_a_rescale_pair() -> None:
    """Others map to what a viewer computes; and the pair goes first where it is there."""
    assert (2.5, -3.0) == mapped("Philips Medical Systems")
    assert (None, None) == mapped("ACME")
    assert (2.0, 1.0) == mapped("Philips", RescaleSlope=2, RescaleIntercept=1)


def tomo(kind: str = "RECON GATED TOMO", gap: float = 5.0, frames: int = 6) -> Dataset:
    detector = Dataset()
    detector.ImagePositionPatient = [-20, -30, 5]
    detector.ImageOrientationPatient = OBLIQUE
    one = header(
        SOPClassUID=NM,
        ImageType=["ORIGINAL", "PRIMARY", kind, "EMISSION"],
        NumberOfFrames=frames,
        SpacingBetweenSlices=gap,
        DetectorInformationSequence=Sequence([detector]),
        SliceVector=[1, 2, 3, 1, 2, 3],
        TimeSlotVector=[1, 1, 1, 2, 2, 2],
    )
    del one.ImagePositionPatient, one.ImageOrientationPatient
    return one


def test_slices_of_nuclear_medicine_follow_the_first_along_the_normal() -> None:
    """Where the detector's sequence says, one volume for each slot of the heart's cycle."""
    (made,) = split(read_facts([tomo()]))

    assert isinstance(made, Stack)
    assert (3, 2) == made.shape[2:]
    assert [[0, 1, 2], [3, 4, 5]] == [[s.facts.frame for s in one] for one in made.volumes]
    assert np.allclose([20, 30, 5], made.affine[:3, 3])
    assert np.allclose(np.diag([-1, -1, 1]) @ axes()[:, 2] * 5, made.affine[:3, 2], atol=1e-5)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (tomo("TOMO"), Reason.NO_GEOMETRY),
        (tomo(gap=-5.0), Reason.BAD_GEOMETRY),
        (tomo(frames=7), Reason.BAD_GEOMETRY),
    ],
    ids=["projections", "order turned over", "a frame too many"],
)
def test_frames_of_nuclear_medicine_that_are_no_sure_slices_make_no_volume(
    one: Dataset, reason: Reason
) -> None:
    """Projections are no slices, and no policy makes them some; what is unsure is refused."""
    (made,) = split(read_facts([one]))

    assert type(made) is Refused
    assert reason is made.reason


def test_indices_go_before_temporal_positions_that_count_within_a_volume() -> None:
    """Of an enhanced series in which each slice has a time of its own, volumes by their index."""
    places = [
        [
            FrameFacts(0, n, dimensions=(1, n + 1, t + 1), temporal_position=t * 3 + n + 1)
            for t in (1, 0)
        ]
        for n in range(3)
    ]

    assert [[1, 1, 1], [0, 0, 0]] == in_time(places)
