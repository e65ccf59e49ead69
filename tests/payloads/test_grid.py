"""Another grid: turned axes move no value, other voxels are SimpleITK's, and both say so."""

from __future__ import annotations

import itertools
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import cohortkit as ck
from cohortkit.convert import to_nibabel, to_sitk
from cohortkit.errors import Refusal
from cohortkit.model import COLOUR, Reason, Volume
from cohortkit.payloads.grid import resampled, turned

CODES = [
    "".join(letters)
    for order in itertools.permutations(("LR", "PA", "IS"))
    for letters in itertools.product(*order)
]
OBLIQUE = np.array(
    [[-0.7, 0.02, 0.1, 80.0], [0.01, -0.9, 0.3, 70.0], [-0.02, 0.2, 2.4, -50.0], [0, 0, 0, 1]]
)


def volume(shape: tuple[int, ...] = (5, 6, 4), **more: object) -> Volume:
    values = np.random.default_rng(3).integers(-900, 900, shape[::-1]).astype(np.int16).T
    return Volume(values, OBLIQUE, (0,), **more)  # type: ignore[arg-type]  # tests say what they vary


@pytest.mark.parametrize("letters", CODES)
@pytest.mark.parametrize("shape", [(5, 6, 4), (5, 6, 4, 3)])
def test_turned_as_nibabel_turns(letters: str, shape: tuple[int, ...]) -> None:
    """All 48 ways: values and affine are nibabel's, and the axes run where they were asked to."""
    made = turned(volume(shape), letters)

    ornt = nib.orientations.axcodes2ornt(tuple(letters))
    image = to_nibabel(volume(shape))
    way = nib.orientations.ornt_transform(nib.orientations.io_orientation(OBLIQUE), ornt)
    wanted = image.as_reoriented(way)
    np.testing.assert_array_equal(made.values, np.asarray(wanted.dataobj))
    np.testing.assert_allclose(made.affine, wanted.affine, atol=1e-5)
    assert tuple(letters) == nib.aff2axcodes(made.affine)


@pytest.mark.parametrize("letters", CODES)
def test_directions_go_with_the_axes(letters: str) -> None:
    """A b-vector points to the same place in space, and an axis is told by where it came from."""
    vectors = np.array([[0.0, 0.0, 0.0], [0.6, 0.0, 0.8], [0.48, -0.6, 0.64]])
    made = turned(volume((5, 6, 4, 3), b_vectors=vectors), letters)

    def in_space(affine: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
        # FSL's rule, written down a second time: x is reversed where the determinant is positive
        own = found * [-1 if np.linalg.det(affine[:3, :3]) > 0 else 1, 1, 1]
        axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
        return np.array([axes @ one for one in own])

    assert made.b_vectors is not None
    np.testing.assert_allclose(
        in_space(made.affine, made.b_vectors), in_space(OBLIQUE, vectors), atol=1e-12
    )
    for n, axis in enumerate(made.axes):
        source = OBLIQUE[:3, abs(axis) - 1] * np.sign(axis)
        np.testing.assert_allclose(made.affine[:3, n], source)


@given(
    st.tuples(*(st.integers(1, 9) for _ in range(3))),
    st.tuples(*(st.floats(0.3, 6) for _ in range(3))),
)
def test_resampled_as_simpleitk_resamples(
    shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> None:
    """Onto the same grid, linearly: the same values to the rounding of a half."""
    made_of = replace(volume(shape), affine=np.diag([-0.8, -0.9, 2.4, 1.0]))
    made = resampled(made_of, spacing)

    target = to_sitk(made)
    old, new = np.array(to_sitk(made_of).GetSize()), np.array(target.GetSize())
    extents = old * to_sitk(made_of).GetSpacing(), new * np.array(target.GetSpacing())
    near = np.abs(extents[0] - extents[1]) <= np.array(target.GetSpacing()) / 2 + 1e-6
    assert (near | (new == 1)).all()
    if 1 not in shape:  # where SimpleITK finds nothing between
        image = sitk.Cast(to_sitk(made_of), sitk.sitkFloat64)
        edge = sitk.ConstantPad(image, [1] * 3, [1] * 3)
        edge = sitk.ZeroFluxNeumannPad(image, [2] * 3, [2] * 3)
        wanted = sitk.Resample(edge, target, sitk.Transform(), sitk.sitkLinear)
        found = sitk.GetArrayFromImage(target).astype(float)
        assert np.abs(sitk.GetArrayFromImage(wanted) - found).max() <= 0.501


def test_what_is_not_said_does_not_change() -> None:
    """The same spacing and the same letters give the volume itself."""
    same = tuple(np.linalg.norm(OBLIQUE[:3, :3], axis=0))
    own = "".join(nib.aff2axcodes(OBLIQUE))
    one = volume()

    assert one is resampled(one, same)  # type: ignore[arg-type]  # three
    assert one is turned(one, own)


def test_nothing_is_mixed_with_padding() -> None:
    """Between tissue and padding lies one of them, never a value of neither."""
    values = np.full((8, 8, 4), 100, np.int16)
    values[:4] = -2000
    made = resampled(
        Volume(values, np.diag([1.0, 1, 3, 1]), (0,), padding=-2000.0), (0.7, 0.7, 0.9)
    )

    assert {-2000, 100} == set(np.unique(made.values).tolist())


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (Volume(np.zeros((2, 2, 2), COLOUR), np.eye(4), (0,)), Reason.NOT_GREY),
        (replace(volume(), placed=False), Reason.NO_GEOMETRY),
        (volume((40, 40, 40)), Reason.TOO_LARGE),
    ],
)
def test_refused_by_name(made: Volume, reason: Reason) -> None:
    """No colour between two colours, no way to turn what lies nowhere, no memory without end."""
    with pytest.raises(Refusal) as caught:
        resampled(made, (0.0004, 0.0004, 0.0004))

    assert reason is caught.value.reason


@pytest.mark.parametrize(
    "options",
    [
        {"orientation": "RAR"},
        {"orientation": "ras"},
        {"orientation": ""},
        {"orientation": "RASS"},
        {"resolution": 0},
        {"resolution": (1, 1)},
        {"resolution": "1"},
        {"resolution": True},
        {"resolution": float("nan")},
        {"resolution": (1, 1, -1)},
    ],
)
def test_an_unknown_word_is_an_error_before_anything_is_read(options: dict[str, object]) -> None:
    """No letter is guessed and no size is taken for another."""
    with pytest.raises(ck.errors.UsageError):
        ck.Nifti(**options)  # type: ignore[arg-type]  # that is the test
