"""Every frame of a series is blanked where the method says, or the series is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cohortkit.deidentify import engine
from cohortkit.errors import Refusal
from cohortkit.model import Codec, Facts, PixelHandle, Reason
from cohortkit.payloads.faceless import faceless
from cohortkit.pixels.rectangles import Rectangle
from cohortkit.pixels.redact import Redaction
from cohortkit.pixels.redacted import RedactedPixels, values_of
from cohortkit.recipe.model import FacePolicy
from grids import FORM, Slice, series, slices

NATIVE = Codec.EXPLICIT_LITTLE
asked: list[tuple[np.ndarray, str]] = []


def corner(values: np.ndarray, affine: np.ndarray, modality: str, /) -> np.ndarray:
    """The first column of the first row of each slice."""
    assert (4, 4) == affine.shape
    assert not values.flags.writeable
    asked.append((values, modality))
    gone = np.zeros(values.shape, bool)
    gone[0, -1] = True
    return gone


def unsure(values: np.ndarray, affine: np.ndarray, modality: str, /) -> np.ndarray | None:
    """Sure of a head only where the first voxel is bright."""
    return corner(values, affine, modality) if values.max() > 60_000 else None


def blanked(
    made: list[Slice], by: Callable[..., np.ndarray | None] = corner, **kind: bool
) -> tuple[list[np.ndarray], list[np.ndarray], tuple[PixelHandle | None, ...]]:
    """The frames as they were and as they leave."""
    facts, pixels = series(made)
    facts = replace(facts, **kind)
    asked.clear()
    handles = faceless(facts, pixels, FacePolicy(deface_heads=True, defacer=by), NATIVE)
    left = [values_of(one, FORM)[0] for one in handles if one is not None]
    return [one.values for one in made], left, handles


def only(was: list[np.ndarray], left: list[np.ndarray], fill: int) -> None:
    """The corner has the fill, and all else is what it was."""
    for before, after in zip(was, left, strict=True):
        row = int(np.flatnonzero((before != after).any(axis=1))[0])
        assert row in {0, FORM.rows - 1}
        expected = before.copy()
        expected[row, 0] = fill
        assert np.array_equal(expected, after)


def reason(made: list[Slice], by: Callable[..., object], **kind: bool) -> Reason:
    with pytest.raises(Refusal) as refused:
        blanked(made, by, **kind)  # type: ignore[arg-type]  # wrong on purpose
    return refused.value.reason


def test_what_the_method_names_is_blanked_and_nothing_else() -> None:
    """In each slice the voxel that it named, with the value of no signal."""
    was, left, _ = blanked(slices(4), mr=True)
    only(was, left, 0)
    assert ["MR"] == [modality for _, modality in asked]


@pytest.mark.parametrize(("intercept", "fill"), [(-1024.0, 24), (-8000.0, 7000), (0.0, 0)])
def test_ct_is_blanked_with_air(intercept: float, fill: int) -> None:
    """-1000 HU, or the nearest that the stored type holds; and the method is asked in HU."""
    was, left, _ = blanked(slices(3, slope=1.0, intercept=intercept), ct=True)
    only(was, left, fill)
    ((values, modality),) = asked
    assert "CT" == modality
    assert values.max() == max(one.max() for one in was) + intercept


def test_encoded_and_decoded_are_the_same() -> None:
    """What DICOM gets is what volumes and pictures get."""
    _, left, handles = blanked(slices(2), mr=True)
    for one, frame in zip(handles, left, strict=True):
        assert isinstance(one, RedactedPixels)
        assert frame.tobytes() == one.encoded().data
        assert np.count_nonzero(one.gone(0)) == 1
        with pytest.raises(TypeError):
            one.read()


def test_blanked_rectangles_stay_blanked() -> None:
    """A rule for a device and the face go together."""
    made = slices(3)
    facts, pixels = series(made)
    what = Redaction((Rectangle(1, 1, 2, 2),), None, 0)
    ruled = [RedactedPixels(one, FORM, what) for one in pixels if one is not None]
    left = faceless(
        replace(facts, mr=True), ruled, FacePolicy(deface_heads=True, defacer=corner), NATIVE
    )
    for one in left:
        assert one is not None
        values = values_of(one, FORM)[0]
        assert not values[1:3, 1:3].any()
        assert 0 in {values[0, 0], values[-1, 0]}


def test_over_time_the_greatest_value_is_asked() -> None:
    """One question for all times, and all times are blanked alike."""
    first, second = (
        [replace(one, facts=replace(one.facts, temporal_position=t)) for one in slices(3, seed=t)]
        for t in (1, 2)
    )
    was, left, _ = blanked([*first, *second], mr=True)
    only(was, left, 0)
    ((values, _),) = asked
    assert values.max() == max(one.max() for one in was)


def echoes(*, moved: float = 0.0) -> list[Slice]:
    """Two volumes of one series, of which the first alone is bright."""
    bright, dark = slices(3, echo_time=10.0), slices(3, seed=9, echo_time=20.0)
    bright[0].values[2, 2] = 65_000
    x, y, z = -10.0, 20.0, 0.0
    dark = [
        replace(one, facts=replace(one.facts, position=(x + moved, y, z + 2.0 * n)))
        for n, one in enumerate(dark)
    ]
    return [*bright, *dark]


def test_volumes_on_one_grid_lend_each_other_the_answer() -> None:
    """Where one shows no skin, what is blanked in the other is blanked in it."""
    was, left, _ = blanked(echoes(), unsure, mr=True)
    only(was, left, 0)
    assert Reason.FACE_NOT_FOUND is reason(echoes(moved=3.0), unsure, mr=True)


def test_copies_are_blanked_as_their_originals() -> None:
    """The same slice again leaves nothing more."""
    made = slices(3)
    was, left, _ = blanked([*made, replace(made[1], identity=1)], mr=True)
    only(was, left, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda *_: None,
        lambda values, *_: np.zeros(values.shape, bool),
        lambda values, *_: np.ones(values.shape, np.uint8),
        lambda values, *_: np.ones(values.shape[:2], bool),
    ],
    ids=["unsure", "nothing", "no mask", "another shape"],
)
def test_what_is_no_answer_refuses_the_series(wrong: Callable[..., object]) -> None:
    """A method that names nothing, or not what was asked, lets nothing out."""
    assert Reason.FACE_NOT_FOUND is reason(slices(3), wrong, mr=True)


def test_one_frame_in_no_volume_refuses_all() -> None:
    """A slice that is missing, or a frame without a place: the whole series is held back."""
    gap = slices(5)
    del gap[2]
    assert Reason.FACE_NOT_FOUND is reason(gap, corner, mr=True)
    lost = slices(4)
    lost[1] = replace(lost[1], facts=replace(lost[1].facts, position=None))
    assert Reason.FACE_NOT_FOUND is reason(lost, corner, mr=True)


def test_without_a_way_to_blank_nothing_is_deidentified() -> None:
    """deidentify() takes neither no function nor handles that are not blanked for done."""
    facts, pixels = series(slices(2))
    for deface in (None, lambda _, handles: handles, lambda _facts, _handles: ()):
        with pytest.raises(Refusal) as refused:
            engine._defaced(facts, tuple(pixels), deface)
        assert Reason.FACE_RISK is refused.value.reason
    assert isinstance(facts, Facts)
