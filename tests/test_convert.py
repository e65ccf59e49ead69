"""SimpleITK and nibabel get the volume where it is: every voxel at its own place."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cohortkit.convert import to_nibabel, to_sitk
from cohortkit.errors import Refusal, UsageError
from cohortkit.model import COLOUR, Reason, Volume

ANGLE = st.floats(-math.pi, math.pi)
STEP = st.floats(0.1, 10)
PLACE = st.floats(-500, 500)


@st.composite
def affines(draw: st.DrawFn) -> NDArray[np.float64]:
    """Any upright grid in space, also left-handed ones."""
    rotation = np.eye(3)
    for first, second in ((0, 1), (1, 2), (0, 2)):
        angle, turn = draw(ANGLE), np.eye(3)
        turn[first, first] = turn[second, second] = math.cos(angle)
        turn[first, second], turn[second, first] = -math.sin(angle), math.sin(angle)
        rotation = rotation @ turn
    affine = np.eye(4)
    affine[:3, :3] = rotation @ np.diag([draw(STEP), draw(STEP), draw(STEP) * draw(SIGN)])
    affine[:3, 3] = [draw(PLACE) for _ in range(3)]
    return affine


SIGN = st.sampled_from([1, -1])
SHAPE = (3, 4, 5)
VALUES = np.arange(60, dtype=np.int16).reshape(SHAPE)


@given(affines(), st.tuples(*(st.integers(0, side - 1) for side in SHAPE)))
def test_every_voxel_is_at_its_place(
    affine: NDArray[np.float64], index: tuple[int, int, int]
) -> None:
    """Both libraries find the same value at the same point; SimpleITK's points are LPS."""
    made = Volume(VALUES, affine, (0,))
    ras = affine @ (*index, 1)

    image, nifti = to_sitk(made), to_nibabel(made)

    lps = image.TransformIndexToPhysicalPoint(index)
    np.testing.assert_allclose(lps, ras[:3] * [-1, -1, 1], atol=1e-6)
    assert image.GetPixel(*index) == VALUES[index]
    np.testing.assert_allclose(nifti.affine, affine, atol=1e-4)  # 32 bits in a header
    assert nifti.dataobj[index] == VALUES[index]


@given(affines())
def test_files_of_both_agree(
    tmp_path_factory: pytest.TempPathFactory, affine: NDArray[np.float64]
) -> None:
    """A NIfTI written by SimpleITK from the one reads back with nibabel as the other."""
    path = tmp_path_factory.mktemp("nifti") / "one.nii"
    made = Volume(VALUES, affine, (0,))
    sitk.WriteImage(to_sitk(made), str(path))

    read = nibabel.load(path)

    np.testing.assert_allclose(read.affine, affine, atol=1e-3)
    np.testing.assert_array_equal(np.asarray(read.dataobj), VALUES)


def test_scaled_values() -> None:
    """What is still to be applied is applied; what is not stays in its type."""
    scaled = Volume(VALUES, np.eye(4), (0,), slope=0.5, intercept=-3.0)
    plain = Volume(VALUES, np.eye(4), (0,))

    wanted = VALUES.astype(np.float32) * 0.5 - 3
    np.testing.assert_array_equal(np.asarray(to_nibabel(scaled).dataobj), wanted)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(to_sitk(scaled)).T, wanted)
    assert to_nibabel(plain).get_data_dtype() == np.int16
    assert to_sitk(plain).GetPixelID() == sitk.sitkInt16


def test_time_is_the_fourth_axis(tmp_path: Path) -> None:
    """4D stays 4D, with its repetition time."""
    values = np.arange(120, dtype=np.int16).reshape(3, 4, 5, 2)
    made = Volume(values, np.diag([2.0, 2.0, 3.0, 1.0]), (0,), repetition=1.5)

    image, nifti = to_sitk(made), to_nibabel(made)

    assert image.GetSize() == (3, 4, 5, 2)
    assert image.GetSpacing() == (2.0, 2.0, 3.0, 1.5)
    assert image.GetPixel(1, 2, 3, 1) == values[1, 2, 3, 1]
    assert [float(z) for z in nifti.header.get_zooms()] == [2.0, 2.0, 3.0, 1.5]
    nibabel.save(nifti, tmp_path / "four.nii")
    assert nibabel.load(tmp_path / "four.nii").shape == (3, 4, 5, 2)


def test_sheared_slices() -> None:
    """SimpleITK cannot hold a tilt and refuses it; nibabel keeps it in the sform alone."""
    affine = np.diag([1.0, 1.0, 3.0, 1.0])
    affine[1, 2] = 0.5
    made = Volume(VALUES, affine, (0,))

    with pytest.raises(Refusal) as caught:
        to_sitk(made)

    assert caught.value.reason is Reason.TILT
    nifti = to_nibabel(made)
    np.testing.assert_allclose(nifti.get_sform(), affine)
    assert int(nifti.header["qform_code"]) == 0


@pytest.mark.parametrize("convert", [to_nibabel, to_sitk])
@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (Volume(VALUES, np.eye(4), (0,), placed=False), Reason.NO_GEOMETRY),
        (Volume(np.zeros((2, 2, 2), COLOUR), np.eye(4), (0,)), Reason.NOT_GREY),
    ],
)
def test_what_has_no_place_or_no_numbers_is_refused(
    convert: Callable[[Volume], object], made: Volume, reason: Reason
) -> None:
    """An image would claim what is not known."""
    with pytest.raises(Refusal) as caught:
        convert(made)
    assert reason is caught.value.reason


@pytest.mark.parametrize("convert", [to_nibabel, to_sitk])
@pytest.mark.parametrize("wrong", [3, "volume.nii.gz", None])
def test_what_is_no_volume_is_wrong_use(convert: Callable[[object], object], wrong: object) -> None:
    """A file is opened by the libraries themselves."""
    with pytest.raises(UsageError, match="a Volume"):
        convert(wrong)
