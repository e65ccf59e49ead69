"""What of a head is blanked: its face, whoever it is of, and none of the brain."""

from __future__ import annotations

import numpy as np
import pytest

from cohortkit.faces.block import deface
from cohortkit.faces.head import find
from heads import OTHER, SHAPE, TISSUES, Face, affine, head, inner, places

FACES = Face(), OTHER, Face(nose=20, brow=1, chin=0, eyes=2, ears=9, cheeks=0)
TURNS = {"axial": (0, 1, 2), "sagittal": (1, 2, 0), "coronal": (0, 2, 1)}


def blanked(values: np.ndarray, modality: str, matrix: np.ndarray | None = None) -> np.ndarray:
    """The values with air where they were blanked."""
    gone = deface(values, affine() if matrix is None else matrix, modality)
    assert gone is not None
    return np.where(gone, TISSUES[modality][0], values)


def skin_of_the_face(values: np.ndarray, modality: str) -> np.ndarray:
    """Voxels beside air, in front and below the brows, and those of the ears."""
    air = values == TISSUES[modality][0]
    near = np.zeros_like(air)
    for axis in range(3):
        near |= np.roll(air, 1, axis) | np.roll(air, -1, axis)
    right, front, up = places(affine())
    return ~air & near & (up < -16) & ((front > 20) | (np.abs(right) > 70))


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_faces_that_differ_leave_the_same_bytes(modality: str) -> None:
    """Nothing of a face is left in the values, nor along the border of what was blanked."""
    left = [blanked(head(face, modality), modality) for face in FACES]
    assert not np.array_equal(head(FACES[0], modality), head(FACES[1], modality))
    assert all(np.array_equal(left[0], other) for other in left[1:])


def test_no_skin_of_a_face_or_ear_is_left() -> None:
    """Every voxel of the surface in front and below the brows goes, and the ears with it."""
    for face in FACES:
        values = head(face)
        skin = skin_of_the_face(values, "CT")
        assert np.count_nonzero(skin) > 3000
        assert not (skin & (blanked(values, "CT") == values)).any()


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_the_brain_stays(modality: str) -> None:
    """Of the brain less than one in a thousand voxels goes, and what stays is what it was."""
    values = head(modality=modality)
    gone = deface(values, affine(), modality)
    assert gone is not None
    brain = inner(places(affine()))
    assert np.count_nonzero(gone & brain) < 0.001 * np.count_nonzero(brain)
    assert np.array_equal(blanked(values, modality)[~gone], values[~gone])


def test_all_that_is_blanked_is_a_smooth_block() -> None:
    """In front of the block, beside it and below, air and its noise go as well as skin."""
    values = head(modality="MR", noise=2)
    gone = deface(values, affine(), "MR")
    assert gone is not None
    right, front, up = np.broadcast_arrays(*places(affine()))
    for beyond in (front > 100, np.abs(right) > 85, up < -105, (up < -16) & (front > 88)):
        assert gone[beyond].all()


def test_deeper_takes_more() -> None:
    """A greater depth blanks all that a smaller one does, and more."""
    less, more = (deface(head(), affine(), "CT", depth=depth) for depth in (8, 14))
    assert less is not None
    assert more is not None
    assert (more[less]).all()
    assert np.count_nonzero(more) > np.count_nonzero(less)


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
@pytest.mark.parametrize("flipped", [(), (0,), (1, 2)])
def test_the_axes_of_the_volume_do_not_matter(
    turn: tuple[int, int, int], flipped: tuple[int, ...]
) -> None:
    """However the slices run, the skin of the face goes (or all but a voxel), the brain stays."""
    values, to = head(), np.eye(4)[[*turn, 3]].T
    turned = np.transpose(values, turn)
    for axis in flipped:
        back = np.eye(4)
        back[axis, axis], back[axis, 3] = -1, turned.shape[axis] - 1
        to = to @ back
    turned = np.flip(turned, flipped)
    gone = deface(turned, affine() @ to, "CT")
    assert gone is not None
    back_again = np.transpose(np.flip(gone, flipped), np.argsort(turn))
    skin = skin_of_the_face(values, "CT")
    assert np.count_nonzero(skin & ~back_again) < 0.002 * np.count_nonzero(skin)
    brain = inner(places(affine()))
    assert np.count_nonzero(back_again & brain) < 0.001 * np.count_nonzero(brain)


def test_a_table_and_a_holder_are_no_head() -> None:
    """What a head lies in does not move the block."""
    values = head()
    right, front, up = places(affine())
    shell = (right**2 + front**2 > 106**2) & (right**2 + front**2 < 110**2) & (front < 20)
    table = (front < -112) & (front > -118)
    with_them = np.where((shell | table) & (up < 400), 200, values).astype(np.int16)
    assert find(values, affine(), "CT") == find(with_them, affine(), "CT")


def test_a_childs_head_is_measured_as_an_adults() -> None:
    """A head that is a fifth smaller gives a block that is."""
    small = np.diag([0.8, 0.8, 0.8, 1.0]) @ affine()
    gone = deface(head(), small, "CT")
    assert gone is not None
    assert gone[skin_of_the_face(head(), "CT")].all()
    brain = inner(places(affine()))
    assert np.count_nonzero(gone & brain) < 0.01 * np.count_nonzero(brain)


def _ball(radius: float) -> np.ndarray:
    x = places(affine())
    return np.where(sum(p**2 for p in x) <= radius**2, 40, -1000).astype(np.int16)


def _cut(part: slice, axis: int) -> tuple[np.ndarray, np.ndarray]:
    index = [slice(None)] * 3
    index[axis] = part
    matrix = affine()
    matrix[:, 3] += matrix[:, axis] * (part.start or 0)
    return head()[tuple(index)], matrix


@pytest.mark.parametrize(
    ("values", "matrix"),
    [
        pytest.param(head(), np.diag([-1, -1, 1, 1]) @ affine(), id="facing backwards"),
        pytest.param(head(), np.diag([1, -1, -1, 1]) @ affine(), id="upside down"),
        pytest.param(head(), np.diag([-1, 1, -1, 1]) @ affine(), id="upside down, facing front"),
        pytest.param(*_cut(slice(0, 66), 2), id="without its top"),
        pytest.param(*_cut(slice(58, 82), 2), id="without its face"),
        pytest.param(*_cut(slice(20, 110), 0), id="cut on one side"),
        pytest.param(*_cut(slice(20, 125), 1), id="cut in front"),
        pytest.param(_ball(75), affine(), id="a ball"),
        pytest.param(_ball(30), affine(), id="a small ball"),
        pytest.param(_ball(400), affine(), id="all tissue"),
        pytest.param(_ball(0), affine(), id="all air"),
        pytest.param(head(), np.diag([2, 2, 2, 1]) @ affine(), id="twice as large"),
        pytest.param(head(), np.diag([5, 5, 5, 1]) @ affine(), id="longer than a scan of a head"),
        pytest.param(np.where(head() > 0, np.nan, -1000.0), affine(), id="no numbers"),
    ],
)
def test_what_is_no_sure_head_is_not_blanked(values: np.ndarray, matrix: np.ndarray) -> None:
    """Without confidence there is no answer, so that the series is refused and not half blanked."""
    assert deface(values, matrix, "CT") is None


def test_a_face_without_signal_is_not_found() -> None:
    """Where only the brain is seen (EPI), its surface is not taken for the skin."""
    values = np.where(inner(places(affine())), 500, 3).astype(np.int16)
    assert deface(values, affine(), "MR") is None


@pytest.mark.parametrize("modality", ["PT", "NM", ""])
def test_other_modalities_show_no_skin(modality: str) -> None:
    """In what is neither CT nor MR no head is found."""
    assert deface(head(), affine(), modality) is None


def test_the_head_is_measured_where_it_lies() -> None:
    """The five numbers are the vault's, to a node of the grid."""
    found = find(head(), affine(), "CT")
    assert found is not None
    said = (found.middle, found.width, found.front, found.back, found.top)
    assert np.abs(np.subtract(said, (0, 150, 95, -95, 75))).max() <= 4
    assert SHAPE == head().shape
