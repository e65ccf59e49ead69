"""Planes in space: what is a grid, what is sheared, uneven, or no place at all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.errors import Refusal
from cohortkit.geometry.affine import affine, check, plane, shear, step
from cohortkit.model import FrameFacts, Reason

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
UP = np.array([0.0, 0.0, 1.0])


def frame(**facts: object) -> FrameFacts:
    base = {"position": (1.0, 2.0, 3.0), "orientation": AXIAL, "spacing": (2.0, 3.0)} | facts
    return FrameFacts(instance=0, frame=0, **base)  # type: ignore[arg-type]  # any facts


def row(*heights: float) -> list[np.ndarray]:
    return [np.array([0.0, 0.0, height]) for height in heights]


def rotation(a: float, b: float, c: float) -> np.ndarray:
    """A rotation by three angles."""
    ca, sa, cb, sb, cc, sc = (f(x) for x in (a, b, c) for f in (math.cos, math.sin))
    x = np.array([[1, 0, 0], [0, ca, -sa], [0, sa, ca]])
    y = np.array([[cb, 0, sb], [0, 1, 0], [-sb, 0, cb]])
    z = np.array([[cc, -sc, 0], [sc, cc, 0], [0, 0, 1]])
    return np.asarray(x @ y @ z)


def reason_of(positions: list[np.ndarray]) -> Reason:
    with pytest.raises(Refusal) as caught:
        step(positions, UP)
    return caught.value.reason


def test_affine_is_ras_and_knows_rows_from_columns() -> None:
    """The column index walks along the row direction by the column spacing; LPS becomes RAS."""
    found = affine(frame(), np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.0, 4.0]))
    expected = np.array([[-3.0, 0, 0, -1], [0, -2, 0, -2], [0, 0, 4, 3], [0, 0, 0, 1]])
    assert expected.tolist() == found.tolist()


@given(
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.floats(0.1, 8),
    st.integers(2, 30),
    st.tuples(*[st.floats(-500, 500)] * 3),
)
def test_an_even_row_keeps_its_step_however_it_is_turned(
    angles: tuple[float, float, float], spacing: float, count: int, origin: tuple[float, ...]
) -> None:
    """Any orientation, any spacing, any origin: the step is the normal times the spacing."""
    turned = rotation(*angles)
    normal = turned[:, 2]
    positions = [np.array(origin) + normal * spacing * k for k in range(count)]
    assert np.allclose(normal * spacing, step(positions, normal), atol=1e-9)


@given(st.integers(3, 20), st.data())
def test_a_missing_slice_is_named(count: int, data: st.DataObject) -> None:
    """A slice taken out of the middle is never bridged."""
    gone = data.draw(st.integers(1, count - 1))
    heights = [2.5 * k for k in range(count + 1) if k != gone]
    assert reason_of(row(*heights)) is Reason.MISSING_SLICE


@given(st.integers(3, 20), st.data(), st.floats(0.06, 0.9))
def test_a_moved_slice_is_never_averaged_away(
    count: int, data: st.DataObject, shift: float
) -> None:
    """One slice off its place by more than a fiftieth of the spacing refuses the row."""
    which = data.draw(st.integers(0, count - 1))
    heights = [2.5 * k + (shift if k == which else 0) for k in range(count)]
    assert reason_of(row(*heights)) in {Reason.IRREGULAR_SPACING, Reason.MISSING_SLICE}


def test_a_spacing_that_changes_is_irregular() -> None:
    """Thin slices below, thick ones above: refused with both gaps."""
    with pytest.raises(Refusal) as caught:
        step(row(0, 2, 4, 9, 14), UP)
    assert Reason.IRREGULAR_SPACING is caught.value.reason
    assert {"smallest": 2.0, "largest": 5.0} == caught.value.numbers


def test_an_end_that_predicts_another_grid_is_refused() -> None:
    """Who measures the first gap only would be off by 2.8 mm at the end of 400 slices."""
    heights = [0.0, 0.632] + [0.625 * k for k in range(2, 400)]
    assert reason_of(row(*heights)) is Reason.IRREGULAR_SPACING


def test_a_tilted_row_is_told_by_its_shear() -> None:
    """Evenly sheared slices keep their shear; it is 18.5 degrees as the gantry was."""
    angle = math.radians(18.5)
    positions = [np.array([0, math.tan(angle) * 4 * k, 4.0 * k]) for k in range(9)]
    found = affine(frame(), positions[0], step(positions, UP))
    assert pytest.approx(18.5) == shear(found)


def test_an_uneven_shear_is_refused() -> None:
    """Slices that wander sideways are no grid, sheared or not."""
    positions = [np.array([0.0, 0.3 * k * k, 4.0 * k]) for k in range(6)]
    assert reason_of(positions) is Reason.TILT


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"position": None}, Reason.NO_GEOMETRY),
        ({"orientation": None}, Reason.NO_GEOMETRY),
        ({"spacing": None}, Reason.NO_GEOMETRY),
        ({"position": (math.nan, 0.0, 0.0)}, Reason.BAD_GEOMETRY),
        ({"position": (math.inf, 0.0, 0.0)}, Reason.BAD_GEOMETRY),
        ({"position": (1e9, 0.0, 0.0)}, Reason.BAD_GEOMETRY),
        ({"spacing": (0.0, 1.0)}, Reason.BAD_GEOMETRY),
        ({"spacing": (1.0, -1.0)}, Reason.BAD_GEOMETRY),
        ({"spacing": (math.nan, 1.0)}, Reason.BAD_GEOMETRY),
        ({"orientation": (0.0,) * 6}, Reason.BAD_GEOMETRY),
        ({"orientation": (1.0, 0, 0, 1.0, 0, 0)}, Reason.BAD_GEOMETRY),
        ({"orientation": (2.0, 0, 0, 0, 2.0, 0)}, Reason.BAD_GEOMETRY),
        ({"orientation": (1.0, 0, 0, 0.2, 0.98, 0)}, Reason.BAD_GEOMETRY),
    ],
)
def test_what_cannot_be_placed_is_refused(facts: dict[str, object], reason: Reason) -> None:
    """Absent is one reason, unusable another; neither is repaired."""
    with pytest.raises(Refusal) as caught:
        check(frame(**facts))
    assert reason is caught.value.reason


def test_directions_are_normalised() -> None:
    """Cosines rounded to three digits still give unit vectors."""
    found = plane((0.707, 0.707, 0.0, -0.707, 0.707, 0.0))
    assert pytest.approx(1.0) == float(np.linalg.norm(found.along_row))
    assert pytest.approx([0, 0, 1]) == found.normal.tolist()
