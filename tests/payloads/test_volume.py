"""Volumes: the same from any order of files, exact values, bounded memory, nothing lost."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cohortkit.errors import Refusal
from cohortkit.model import Codec, FrameFacts, PixelFormat, Reason, Refused, Status, Volume
from cohortkit.payloads.values import Scaling, compact, scaling
from cohortkit.payloads.volume import assemble, volumes
from factory import Patient, Series, instance
from grids import AXIAL, CORONAL, FORM, Slice, changed, moved, series, slices
from released import Held, chest, release


def assembled(made: Sequence[Slice]) -> list[Volume | Refused]:
    return list(volumes(*series(made)))


def only(found: list[Volume | Refused]) -> Volume:
    (volume,) = (one for one in found if isinstance(one, Volume))
    return volume


def reasons(found: list[Volume | Refused]) -> list[tuple[Reason, tuple[int, ...]]]:
    return [(one.reason, one.instances) for one in found if isinstance(one, Refused)]


@given(st.integers(1, 6), st.randoms(use_true_random=False))
def test_shuffled_files_give_the_same_bytes(count: int, rng: random.Random) -> None:
    """Files in any order: the same values in the same layout, the same affine."""
    made = slices(count)
    shuffled = rng.sample(made, count)
    one, other = only(assembled(made)), only(assembled(shuffled))
    assert one.values.T.tobytes() == other.values.T.tobytes()
    assert one.affine.tobytes() == other.affine.tobytes()
    assert (one.slope, one.intercept, one.part) == (other.slope, other.intercept, other.part)


@given(st.integers(2, 6), st.data())
def test_doubled_files_give_the_same_bytes(count: int, data: st.DataObject) -> None:
    """Any slice any number of times, anywhere among the files: the volume stays what it was."""
    made = [replace(one, identity=n) for n, one in enumerate(slices(count))]
    more = data.draw(st.lists(st.sampled_from(range(count)), max_size=6))
    doubled = data.draw(st.permutations([*made, *(made[n] for n in more)]))
    first_at = {one.identity: n for n, one in reversed(list(enumerate(doubled)))}
    doubled = [replace(one, identity=first_at[one.identity]) for one in doubled]
    found = assembled(doubled)
    one, other = only(assembled(made)), only(found)
    assert one.values.T.tobytes() == other.values.T.tobytes()
    assert one.affine.tobytes() == other.affine.tobytes()
    copies = [n for item in found if isinstance(item, Refused) for n in item.instances]
    assert len(more) == len(copies)
    assert {Status.DUPLICATE} >= {item.status for item in found if isinstance(item, Refused)}


def test_axes_are_column_row_slice() -> None:
    """values[i, j, k] is column i of row j of slice k, and its place is the affine's."""
    made = slices(3)
    volume = only(assembled(made))
    assert (4, 5, 3) == volume.values.shape
    assert int(made[2].values[1, 3]) == int(volume.values[3, 1, 2])
    x, y, z = (volume.affine @ [3, 1, 2, 1])[:3]
    assert (10.0 - 3 * 0.75, -20.0 - 1 * 1.5, 4.0) == (x, y, z)


@given(
    st.lists(st.integers(0, 65535), min_size=2, max_size=2),
    st.integers(-70000, 70000),
    st.sampled_from([1.0, 2.0, 0.5]),
    st.sampled_from([np.uint16, np.int16, np.uint8]),
)
def test_no_value_is_rounded(ends: list[int], intercept: int, slope: float, kind: type) -> None:
    """Whatever the intercept: values and what is left to apply are exactly the scaled ones."""
    stored = np.array(ends).astype(kind)
    expected = stored.astype(float) * slope + intercept
    values, left = compact(stored.copy(), Scaling(slope, float(intercept)))
    assert expected.tolist() == (values.astype(float) * left.slope + left.intercept).tolist()


@given(
    bits=st.sampled_from([1, 8, 12, 15, 16]),
    signed=st.booleans(),
    intercept=st.sampled_from([0, 1, -1, -1024, 1024, -32768, 28672, 28673, 40000, -70000]),
    slope=st.sampled_from([1.0, 1.0, 2.0]),
    chance=st.randoms(use_true_random=False),
)
@example(bits=12, signed=False, intercept=28673, slope=1.0, chance=random.Random(0))
@example(bits=12, signed=False, intercept=28672, slope=1.0, chance=random.Random(0))
@example(bits=16, signed=True, intercept=-1024, slope=1.0, chance=random.Random(0))
def test_stored_bits_decide_as_the_values_do(
    bits: int,
    signed: bool,  # noqa: FBT001 - drawn
    intercept: int,
    slope: float,
    chance: random.Random,
) -> None:
    """Where Bits Stored tell the type before a value is read, it and each value are the same."""
    low = -(1 << (bits - 1)) if signed else 0
    high = low + (1 << bits) - 1
    kind = np.int16 if signed else np.uint16
    form = replace(FORM, bits_stored=bits, high_bit=bits - 1, signed=signed)
    made, all_stored = [], []
    for one in slices(2):
        some = [low, high, *(chance.randint(low, high) for _ in range(18))]
        stored = np.array(some, kind).reshape(5, 4)
        all_stored.append(stored.T)
        part = replace(one, values=stored, form=form)
        made.append(changed(part, slope=slope, intercept=float(intercept)))
    stored = np.stack(all_stored, axis=-1)

    volume = only(assembled(made))

    expected, left = compact(stored.copy(), Scaling(slope, float(intercept)))
    assert volume.values.dtype == expected.dtype
    assert np.array_equal(volume.values, expected)
    assert (volume.slope, volume.intercept) == (left.slope, left.intercept)
    assert np.array_equal(np.asarray(volume), stored.astype(float) * slope + intercept)


def test_hounsfield_units_need_a_sign() -> None:
    """12-bit CT with an intercept of -1024 is int16, not a wrapped uint16."""
    ct = [changed(one, slope=1.0, intercept=-1024.0) for one in slices(3)]
    volume = only(assembled(ct))
    assert np.int16 == volume.values.dtype
    assert (1.0, 0.0) == (volume.slope, volume.intercept)
    assert int(ct[0].values.min()) - 1024 == int(volume.values[:, :, 0].min())


@pytest.mark.parametrize("orientation", [AXIAL, CORONAL, (0.0, 0.6, 0.8, 0.0, -0.8, 0.6)])
def test_directions_of_diffusion_are_fsl_s(orientation: tuple[float, ...]) -> None:
    """In the image's axes, the first one running backwards where the affine keeps handedness."""
    along = (0.36, 0.48, 0.8)  # of the patient, LPS
    weights = [
        changed(one, b_value=b, b_vector=along if b else None, temporal_position=t)
        for t, b in enumerate((0.0, 1000.0))
        for one in oriented(orientation, seed=t)
    ]

    volume = only(assembled(weights))

    assert volume.b_values == (0.0, 1000.0)
    assert volume.b_vectors is not None
    axes = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    assert np.linalg.det(axes) > 0
    back = axes @ (volume.b_vectors[1] * [-1, 1, 1])
    assert pytest.approx([-0.36, -0.48, 0.8]) == back.tolist()
    assert volume.b_vectors[0].tolist() == [0, 0, 0]


def oriented(orientation: tuple[float, ...], seed: int) -> list[Slice]:
    """Three slices along their normal."""
    normal = np.cross(orientation[:3], orientation[3:])
    made = []
    for k, one in enumerate(slices(3, seed=seed)):
        x, y, z = (normal * 2.0 * k).tolist()
        made.append(changed(one, orientation=orientation, position=(x, y, z)))
    return made


def test_slices_that_scale_differently_become_float() -> None:
    """One pair a slice (PET): float32 values, and nothing left to apply."""
    pet = [changed(one, slope=0.5 + k, intercept=1.0) for k, one in enumerate(slices(3))]
    volume = only(assembled(pet))
    assert np.float32 == volume.values.dtype
    expected = pet[2].values.astype(np.float64) * 2.5 + 1
    assert np.array_equal(expected.astype(np.float32).T, volume.values[:, :, 2])


@pytest.mark.parametrize("facts", [{"slope": 0.0}, {"slope": float("nan")}, {"intercept": np.inf}])
def test_a_scaling_that_is_none_is_refused(facts: dict[str, float]) -> None:
    """Zero or no number: refused, the rest unharmed."""
    broken = [changed(one, **facts) for one in slices(2)]
    other = [changed(moved(one, x=3.0), echo_time=9.0) for one in slices(2, seed=1)]
    found = assembled([*broken, *other])
    assert [(Reason.UNSUPPORTED_PIXELS, (0, 1))] == reasons(found)
    assert (2, 3) == only(found).instances


def test_philips_values_are_what_was_measured() -> None:
    """Stored over the scale slope; beside an intercept the pair leads to it too."""
    facts = FrameFacts(0, 0, slope=2.0, intercept=0.0, scale_slope=0.004)
    assert Scaling(250.0, 0.0) == scaling(facts)
    pair = scaling(replace(facts, intercept=-10.0))
    assert pytest.approx((100 * 2.0 - 10) / (2.0 * 0.004), rel=1e-5) == 100 * pair.slope + (
        pair.intercept
    )


def test_copies_are_written_once() -> None:
    """The same pixels under the same UID or the same facts: one volume, the rest duplicates."""
    made = slices(3)
    copy = replace(made[1], identity=1, series_number=7)
    found = assembled([*made, copy, made[2]])
    duplicates = [one for one in found if isinstance(one, Refused)]
    assert {3, 4} == {n for one in duplicates for n in one.instances}
    assert {Status.DUPLICATE} == {one.status for one in duplicates}
    assert (0, 1, 2) == only(found).instances


def test_other_pixels_under_the_same_uid_are_refused() -> None:
    """A UID used twice, with other pixels, and nothing that tells them apart."""
    made = slices(3)
    other = replace(made[1], values=made[1].values + 1, identity=1)
    assert [(Reason.SAME_PLACE, (0, 1, 2, 3))] == reasons(assembled([*made, other]))


def test_pixels_cut_short_refuse_the_volume_and_nothing_else() -> None:
    """One truncated slice: its volume is refused by name, the other echo is written."""
    first = [changed(one, echo_time=5.0) for one in slices(3)]
    second = [changed(one, echo_time=9.0) for one in slices(3, seed=1)]
    facts, held = series([*first, *second])
    assert held[1] is not None
    held[1] = Held(held[1].data[:-6])
    found = list(volumes(facts, held))
    assert [(Reason.PIXEL_LENGTH, (0, 1, 2))] == reasons(found)
    assert (3, 4, 5) == only(found).instances


def test_absent_pixels_refuse_the_volume() -> None:
    """A header without its pixels leaves a hole, which is refused."""
    facts, held = series(slices(3))
    held[1] = None
    assert [(Reason.NO_PIXELS, (0, 1, 2))] == reasons(list(volumes(facts, held)))


@pytest.mark.parametrize(
    "form",
    [
        replace(FORM, rows=60000, columns=60000),
        replace(FORM, rows=65535, columns=65535, codec=Codec.JPEG_2000),
    ],
)
def test_absurd_sizes_take_no_memory(form: PixelFormat) -> None:
    """A hundred gigabytes by the header: refused before anything is allocated."""
    huge = [replace(one, form=form) for one in slices(2)]
    found = assembled(huge)
    assert {Reason.TOO_LARGE, Reason.PIXEL_LENGTH} >= {reason for reason, _ in reasons(found)}
    assert [] == [one for one in found if isinstance(one, Volume)]


@pytest.mark.parametrize("frames", [0, 1 << 31])
def test_absurd_frame_counts_take_no_memory(frames: int) -> None:
    """No frame, or two billion of them, in a header that places one."""
    facts, held = series([replace(slices(1)[0], form=replace(FORM, frames=frames))])
    (found,) = volumes(facts, held)
    assert isinstance(found, Refused)


def test_facts_alone_make_the_volume() -> None:
    """The same volume whatever the recipe does to the headers."""
    plain = Series(slices=4, modality="CT")
    made = [
        next(iter(assemble(release([instance(Patient(), plain, n) for n in range(4)], recipe))))
        for recipe in (
            "basic",
            "brain-mr",
            "chest-ct",
            "dates-kept",
            "patient-characteristics-kept",
        )
    ]
    first = made[0]
    assert isinstance(first, Volume)
    for other in made[1:]:
        assert isinstance(other, Volume)
        assert first.values.tobytes() == other.values.tobytes()
        assert first.affine.tobytes() == other.affine.tobytes()


def test_one_volume_at_a_time() -> None:
    """Nothing is decoded before it is asked for."""
    read: list[int] = []

    class Counting(Held):
        def read(self) -> bytes:
            read.append(1)
            return super().read()

    both = [changed(one, echo_time=t) for t in (1.0, 2.0) for one in slices(3, seed=int(t))]
    facts, held = series(both)
    lazy = volumes(facts, [Counting(one.data) for one in held if one is not None])
    next(lazy)
    assert len(read) == 3


def test_an_enhanced_instance_in_two_volumes() -> None:
    """Frames of two echoes in one instance: two volumes, each its own frames."""
    made = [changed(one, echo_time=t) for t in (1.0, 2.0) for one in slices(2, seed=int(t))]
    frames = tuple(replace(one.facts, instance=0, frame=n) for n, one in enumerate(made))
    facts, _ = series(made[:1])
    whole = replace(facts.instances[0], frames=frames, pixels=replace(FORM, frames=4))
    data = b"".join(one.values.tobytes() for one in made)
    found = list(volumes(replace(facts, instances=(whole,)), [Held(data)]))
    assert ["_e1", "_e2"] == [one.part for one in found if isinstance(one, Volume)]
    second = found[1]
    assert isinstance(second, Volume)
    assert np.array_equal(made[3].values.T, second.values[:, :, 1])


def test_chest_has_no_recipe_in_it() -> None:
    """A released chest CT assembles to three slices of Hounsfield units."""
    (volume,) = assemble(release(chest(3)))
    assert isinstance(volume, Volume)
    assert (10, 12, 3) == volume.values.shape


def test_wrong_decoder_use_is_no_crash() -> None:
    """A refusal in one volume does not end the iteration."""
    facts, held = series(slices(2))
    bad = replace(facts.instances[0].pixels or FORM, codec=Codec.OTHER)
    broken = tuple(replace(one, pixels=bad) for one in facts.instances)
    found = list(volumes(replace(facts, instances=broken), held))
    assert [(Reason.NO_DECODER, (0, 1))] == reasons(found)
    with pytest.raises(Refusal):
        raise Refusal(reasons(found)[0][0])
