"""Splitting: by facts alone, whatever the order of the files; nothing absorbed, nothing lost."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.geometry.copies import suspects
from cohortkit.geometry.stacks import Stack, split
from cohortkit.model import Facts, InstanceFacts, Mosaic, Photometric, Reason, Refused, Status
from cohortkit.model.facts import ImageRole, Orientation
from grids import CORONAL, FORM, Slice, changed, moved, series, slices


def made(found: tuple[Stack | Refused, ...]) -> list[Stack]:
    return [one for one in found if isinstance(one, Stack)]


def refused(found: tuple[Stack | Refused, ...]) -> list[tuple[Reason, tuple[int, ...]]]:
    return [(one.reason, one.instances) for one in found if isinstance(one, Refused)]


def accounted(found: tuple[Stack | Refused, ...], count: int) -> bool:
    """Whether every instance is in exactly one item."""
    said = sorted(n for one in found for n in one.instances)
    return list(range(count)) == said


def split_of(made: list[Slice]) -> tuple[Stack | Refused, ...]:
    return split(series(made)[0])


def test_one_stack_of_even_slices() -> None:
    """The plain case: one volume, no suffix, slices by height."""
    found = split_of(slices(6))
    (stack,) = made(found)
    assert (4, 5, 6, 1) == stack.shape
    assert stack.part == ""
    assert (0, 1, 2, 3, 4, 5) == stack.instances
    assert accounted(found, 6)


@given(st.permutations(range(7)))
def test_order_of_files_does_not_matter(sequence: list[int]) -> None:
    """Instance numbers and file order may lie: slices are sorted along the normal."""
    plain = slices(7)
    lying = [changed(one, instance_number=n) for n, one in enumerate(plain)]
    shuffled = [lying[n] for n in sequence]
    (stack,) = made(split_of(shuffled))
    heights = [slot.facts.position[2] for slot in stack.volumes[0] if slot.facts.position]
    assert sorted(heights) == heights
    assert made(split_of(plain))[0].affine.tolist() == stack.affine.tolist()


@given(st.permutations(range(7)))
def test_directions_that_are_rounded_differently_depend_on_no_order(sequence: list[int]) -> None:
    """Slices whose directions differ in the last digits have one affine, to the last bit."""
    plain = [
        changed(one, orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 1e-5 * (n * 3 % 7)))
        for n, one in enumerate(slices(7))
    ]
    (stack,) = made(split_of([plain[n] for n in sequence]))
    assert made(split_of(plain))[0].affine.tolist() == stack.affine.tolist()


@given(st.integers(4, 12), st.data())
def test_a_removed_slice_is_refused(count: int, data: st.DataObject) -> None:
    """Whichever inner slice is gone, all the others are refused by name."""
    gone = data.draw(st.integers(1, count - 2))
    kept = [one for n, one in enumerate(slices(count)) if n != gone]
    found = split_of(kept)
    assert [(Reason.MISSING_SLICE, tuple(range(count - 1)))] == refused(found)


ELSEWHERE = (
    CORONAL,
    (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0),
    (0.0, 1.0, 0.0, -1.0, 0.0, 0.0),
    (0.9998477, 0.0174524, 0.0, -0.0174524, 0.9998477, 0.0),
    (1.0, 0.0, 0.0, 0.0, 0.9998477, 0.0174524),
)
"""Another plane; half and a quarter of a turn in the same plane; a degree in it and out of it."""


@given(st.integers(3, 9), st.sampled_from(ELSEWHERE), st.data())
def test_a_swapped_orientation_is_split_off(
    count: int, orientation: Orientation, data: st.DataObject
) -> None:
    """A slice that looks elsewhere, or lies turned, never lies in the others' volume."""
    which = data.draw(st.integers(0, count - 1))
    mixed = slices(count)
    mixed[which] = changed(mixed[which], orientation=orientation)
    found = split_of(mixed)
    assert all(which not in stack.instances or len(stack.instances) == 1 for stack in made(found))
    assert accounted(found, count)


@given(st.integers(3, 9), st.data(), st.floats(0.1, 0.9))
def test_a_changed_spacing_is_refused(count: int, data: st.DataObject, shift: float) -> None:
    """A slice off its place refuses the stack: no average."""
    which = data.draw(st.integers(0, count - 1))
    mixed = slices(count)
    mixed[which] = moved(mixed[which], z=shift)
    assert made(split_of(mixed)) == []
    assert accounted(split_of(mixed), count)


@given(
    st.integers(2, 6),
    st.sampled_from(
        [
            ("echo_time", 10.0, 30.0),
            ("repetition_time", 500.0, 900.0),
            ("flip_angle", 5.0, 20.0),
            ("role", ImageRole.MAGNITUDE, ImageRole.PHASE),
            ("derived", False, True),
            ("image_type", 0, 1),
            ("echo_number", 1, 2),
            ("setting", 0, 1),
        ]
    ),
    st.randoms(use_true_random=False),
)
def test_images_of_two_kinds_become_two_volumes(
    count: int, kind: tuple[str, object, object], rng: random.Random
) -> None:
    """Two echoes, flip angles, roles or types of the same slices are never one volume."""
    name, first, second = kind
    both = [changed(one, **{name: first}) for one in slices(count)]
    both += [changed(one, **{name: second}) for one in slices(count, seed=1)]
    rng.shuffle(both)
    found = split_of(both)
    assert [count, count] == [stack.shape[2] for stack in made(found)]
    for stack in made(found):
        assert len({getattr(slot.facts, name) for slot in stack.volumes[0]}) == 1
    assert len({stack.part for stack in made(found)}) == 2
    assert accounted(found, 2 * count)


@given(
    st.integers(3, 6),
    st.sampled_from([{"setting": 1}, {"intercept": None}, {"slope": None}]),
    st.data(),
)
def test_a_slice_of_another_setting_or_without_rescaling_is_never_absorbed(
    count: int, change: dict[str, object], data: st.DataObject
) -> None:
    """Another frame of reference, position, unit or kernel, or values on another scale."""
    which = data.draw(st.integers(0, count - 1))
    mixed = slices(count, slope=1.0, intercept=-1024.0)
    mixed[which] = changed(mixed[which], **change)
    found = split_of(mixed)
    for stack in made(found):
        slots = [slot for volume in stack.volumes for slot in volume]
        for name in change:
            assert len({getattr(slot.facts, name) for slot in slots}) == 1
    assert accounted(found, count)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("temporal_position", (1, 2, 3)),
        ("time", (0.0, 2.0, 4.0)),
        ("trigger_time", (0.0, 40.0, 80.0)),
        ("acquisition_number", (1, 2, 3)),
        ("instance_number", (1, 2, 3)),
    ],
)
def test_time_makes_four_dimensions(name: str, values: tuple[float, ...]) -> None:
    """The same places at several times are one volume with time, in its order."""
    several = [
        changed(one, **{name: value})
        for value in reversed(values)
        for one in slices(4, seed=int(value))
    ]
    (stack,) = made(split_of(several))
    assert (4, 5, 4, 3) == stack.shape
    assert list(values) == [getattr(volume[0].facts, name) for volume in stack.volumes]


@pytest.mark.parametrize("name", ["time", "trigger_time"])
def test_times_that_are_each_place_s_own_are_ranked(name: str) -> None:
    """A phase of the heart begins at another moment at each place."""
    several = [
        changed(one, **{name: 40.0 * phase + 0.5 * k})
        for phase in (2, 0, 1)
        for k, one in enumerate(slices(4, seed=phase))
    ]
    (stack,) = made(split_of(several))
    assert (4, 5, 4, 3) == stack.shape
    for phase, volume in enumerate(stack.volumes):
        assert {40.0 * phase + 0.5 * k for k in range(4)} == {
            getattr(slot.facts, name) for slot in volume
        }


def test_clock_and_instance_number_at_odds_are_refused() -> None:
    """Two orders, each plausible: neither is guessed."""
    several = [
        changed(one, time=float(t), instance_number=9 - t)
        for t in range(2)
        for one in slices(3, seed=t)
    ]
    assert [(Reason.SAME_PLACE, tuple(range(6)))] == refused(split_of(several))


@given(st.integers(3, 6), st.integers(2, 4), st.sampled_from(["volume", "place"]))
def test_instance_numbers_alone_tell_time_where_they_run_in_turn(
    count: int, times: int, after: str
) -> None:
    """Volume after volume, or place after place: both are an order."""
    several = [
        changed(one, instance_number=k * times + t if after == "place" else t * count + k)
        for t in range(times)
        for k, one in enumerate(slices(count, seed=t))
    ]
    (stack,) = made(split_of(several))
    for t, volume in enumerate(stack.volumes):
        assert [t * count + k for k in range(count)] == [slot.instance for slot in volume]


def test_instance_numbers_in_no_order_are_no_time() -> None:
    """Their rank at each place would put slices of several times into one volume: refused."""
    numbers = [1, 2, 4, 6, 3, 8, 5, 7]
    several = [
        changed(one, instance_number=numbers[4 * t + k])
        for t in range(2)
        for k, one in enumerate(slices(4, seed=t))
    ]
    assert [(Reason.SAME_PLACE, tuple(range(8)))] == refused(split_of(several))


def test_b_values_are_not_mixed_by_the_clock() -> None:
    """Times that sort differently at two places must not swap weighted and unweighted slices."""
    several = []
    for k, one in enumerate(slices(4)):
        early, late = (0.0, 1000.0) if k % 2 else (1000.0, 0.0)
        several.append(changed(one, time=2.0 * k, b_value=early))
        several.append(changed(one, time=2.0 * k + 1, b_value=late))
    (stack,) = made(split_of(several))
    for volume in stack.volumes:
        assert len({slot.facts.b_value for slot in volume}) == 1


def test_nothing_tells_them_apart() -> None:
    """Two slices at one place with equal facts: refused."""
    several = slices(3) + slices(3, seed=1)
    assert [(Reason.SAME_PLACE, tuple(range(6)))] == refused(split_of(several))


def test_a_volume_with_a_hole_in_time_is_refused() -> None:
    """One slice of one time point is missing: no volume is made of the rest."""
    several = [changed(one, time=float(t)) for t in range(3) for one in slices(4, seed=t)]
    del several[5]
    assert [(Reason.MISSING_SLICE, tuple(range(11)))] == refused(split_of(several))


def test_slices_beside_each_other_are_refused() -> None:
    """Two stacks in the same planes without a stack number are no grid."""
    several = slices(3) + [moved(one, x=50.0) for one in slices(3, seed=1)]
    assert [(Reason.MIXED_STACKS, tuple(range(6)))] == refused(split_of(several))


def test_stack_numbers_part_them() -> None:
    """With a stack number they are two volumes."""
    several = [changed(one, stack=1) for one in slices(3)]
    several += [changed(moved(one, x=50.0), stack=2) for one in slices(3, seed=1)]
    assert [3, 3] == [stack.shape[2] for stack in made(split_of(several))]


def test_lone_slices_keep_their_thickness() -> None:
    """One slice is a stack of one; the writer decides what it is worth."""
    (stack,) = made(split_of(slices(1, step=6.0)))
    assert pytest.approx(6.0) == float(stack.affine[2, 2])
    bare = [changed(slices(1)[0], thickness=None)]
    assert [(Reason.SINGLE_SLICE, (0,))] == refused(split_of(bare))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"position": None}, Reason.NO_GEOMETRY),
        ({"position": (math.nan, 0.0, 0.0)}, Reason.BAD_GEOMETRY),
        ({"spacing": (0.0, 0.0)}, Reason.BAD_GEOMETRY),
    ],
)
def test_an_unplaced_slice_leaves_a_hole(change: dict[str, object], reason: Reason) -> None:
    """It is refused by its own name, and the others for the hole."""
    mixed = slices(5)
    mixed[2] = changed(mixed[2], **change)
    assert {(reason, (2,)), (Reason.MISSING_SLICE, (0, 1, 3, 4))} == set(refused(split_of(mixed)))


def test_colour_and_what_has_no_pixels() -> None:
    """Colour is refused as such; an object without pixels does not apply."""
    facts, _ = series(slices(3))
    rgb = replace(FORM, samples=3, photometric=Photometric.RGB, bits_allocated=8)
    more = (
        replace(facts.instances[0], pixels=rgb),
        replace(facts.instances[1], pixels=None),
        facts.instances[2],
    )
    found = split(Facts(instances=more))
    assert {(Reason.NOT_GREY, (0,)), (Reason.NO_PAYLOAD, (1,))} == set(refused(found))
    nothing = next(one for one in found if isinstance(one, Refused) and one.instances == (1,))
    assert Status.NOT_APPLICABLE is nothing.status


def mosaic(tiles: int, normal: tuple[float, float, float] | None, **facts: object) -> Facts:
    """One mosaic of four tiles a side, 2 x 2 pixels each."""
    (one,) = slices(1, spacing_between=3.0)
    frame = replace(one.facts, **facts)  # type: ignore[arg-type]  # any facts
    pixels = replace(FORM, rows=8, columns=8)
    held = Mosaic(tiles=tiles, normal=normal)
    return Facts(instances=(InstanceFacts(pixels=pixels, frames=(frame,), mosaic=held),))


def test_tiles_of_a_mosaic_are_placed() -> None:
    """Ten tiles on a 4 x 4 grid: the corner lies half the difference inwards, k ascends."""
    (stack,) = made(split(mosaic(10, (0.0, 0.0, 1.0))))
    assert (2, 2, 10, 1) == stack.shape
    assert [10.0 - 0.75 * 3, -20.0 - 1.5 * 3, 0.0] == stack.affine[:3, 3].tolist()
    windows = [slot.tile for slot in stack.volumes[0]]
    assert [(0, 0), (0, 2), (0, 4), (0, 6), (2, 0)] == [(w.row, w.column) for w in windows if w][:5]


def test_a_mosaic_that_runs_downwards_is_turned_and_not_mirrored() -> None:
    """Tiles against the image's normal: the last tile is the lowest slice."""
    (stack,) = made(split(mosaic(10, (0.0, 0.0, -1.0))))
    assert pytest.approx(-27.0) == float(stack.affine[2, 3])
    first = stack.volumes[0][0].tile
    assert first is not None
    assert (4, 2) == (first.row, first.column)


@pytest.mark.parametrize(
    "facts",
    [
        mosaic(0, (0.0, 0.0, 1.0)),
        mosaic(10, None),
        mosaic(10, (1.0, 0.0, 0.0)),
        mosaic(5, (0.0, 0.0, 1.0)),  # three tiles a side do not divide eight pixels
        mosaic(10, (0.0, 0.0, 1.0), spacing_between=None),
        mosaic(10, (0.0, 0.0, 1.0), spacing_between=math.nan),
    ],
)
def test_a_mosaic_that_cannot_be_placed_is_refused(facts: Facts) -> None:
    """No number of tiles, no normal, another normal, no spacing: never guessed."""
    assert [(Reason.UNKNOWN_MOSAIC, (0,))] == refused(split(facts))


def test_suspects_are_named_by_facts_alone() -> None:
    """The same UID, or the same facts in all: both are looked at; different facts are not."""
    plain = slices(4)
    facts, _ = series([*plain, replace(plain[1], identity=1), moved(plain[3], z=9.0)])
    assert ((1, 4),) == suspects(facts)
