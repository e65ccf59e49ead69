"""Frames: every instance in exactly one item, one at a time, and nothing of it guessed."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_file

from cohortkit.geometry.facts import read_facts
from cohortkit.model import (
    Codec,
    Display,
    Facts,
    FrameFacts,
    Frames,
    InstanceFacts,
    Lut,
    Photometric,
    PixelFormat,
    Reason,
    Refused,
    Status,
)
from cohortkit.payloads import frames as room
from cohortkit.payloads.frames import assemble, pictures
from released import Held, chest, release, split

FORM = PixelFormat(
    rows=4,
    columns=5,
    samples=1,
    frames=1,
    bits_allocated=16,
    bits_stored=12,
    high_bit=11,
    signed=False,
    photometric=Photometric.MONOCHROME2,
    planar=0,
    codec=Codec.EXPLICIT_LITTLE,
)


def one(
    ordinal: int,
    form: PixelFormat | None = FORM,
    *,
    identity: int | None = None,
    **facts: Any,  # noqa: ANN401 - any of the facts of a frame
) -> InstanceFacts:
    identity = ordinal if identity is None else identity
    return InstanceFacts(pixels=form, frames=(FrameFacts(ordinal, 0, **facts),), identity=identity)


def stored(value: int, form: PixelFormat = FORM) -> Held:
    """Native pixels of one value."""
    count = form.frames * form.rows * form.columns
    return Held(np.full(count, value, np.uint16).tobytes())


def instances_of(items: list[Frames | Refused]) -> list[int]:
    return sorted(ordinal for item in items for ordinal in item.instances)


KINDS = ("good", "short", "none", "headless", "odd-slope", "palette", "huge", "copy")


def made(kind: str, ordinal: int) -> tuple[InstanceFacts, Held | None]:
    """An instance of every kind that there is."""
    good = stored(ordinal)
    table: dict[str, tuple[InstanceFacts, Held | None]] = {
        "good": (one(ordinal), good),
        "short": (one(ordinal), Held(b"\0\0")),
        "none": (one(ordinal, None), None),
        "headless": (one(ordinal), None),
        "odd-slope": (one(ordinal, slope=float("nan")), good),
        "palette": (one(ordinal, replace(FORM, photometric=Photometric.PALETTE)), good),
        "huge": (one(ordinal, replace(FORM, rows=65535, columns=65535, frames=99)), good),
        "copy": (one(ordinal, identity=0), stored(0)),
    }
    return table[kind]


@given(st.lists(st.sampled_from(KINDS), max_size=12))
def test_every_instance_is_in_exactly_one_item(kinds: list[str]) -> None:
    """Whatever is wrong with some, none is lost and none comes twice."""
    parts = [made(kind, ordinal) for ordinal, kind in enumerate(kinds)]
    facts = Facts(tuple(instance for instance, _ in parts))

    items = list(pictures(facts, [handle for _, handle in parts]))

    assert instances_of(items) == list(range(len(kinds)))


@pytest.mark.parametrize(
    ("kind", "reason", "status"),
    [
        ("short", Reason.PIXEL_LENGTH, Status.REFUSED),
        ("none", Reason.NO_PIXELS, Status.NOT_APPLICABLE),
        ("headless", Reason.NO_PIXELS, Status.NOT_APPLICABLE),
        ("odd-slope", Reason.UNSUPPORTED_PIXELS, Status.REFUSED),
        ("palette", Reason.UNSUPPORTED_PIXELS, Status.REFUSED),
        ("huge", Reason.TOO_LARGE, Status.REFUSED),
    ],
)
def test_refused_by_name(kind: str, reason: Reason, status: Status) -> None:
    """Each has its own reason, and no pixels is no failure."""
    instance, handle = made(kind, 0)

    (item,) = pictures(Facts((instance,)), [handle])

    assert isinstance(item, Refused)
    assert (item.reason, item.status, item.instances) == (reason, status, (0,))


def test_too_large_is_refused_unread() -> None:
    """What would not fit is refused from its header; its pixels are not even read."""

    class Bomb:
        def read(self) -> bytes:
            raise AssertionError("read")

    big = replace(FORM, rows=30000, columns=30000, frames=2)

    (item,) = pictures(Facts((one(0, big),)), [Bomb()])

    assert isinstance(item, Refused)
    assert item.reason is Reason.TOO_LARGE
    assert item.numbers["bytes"] > room.MOST_BYTES


def test_same_instance_again_is_a_duplicate() -> None:
    """Same SOP instance, same pixels: once. Other pixels, or another instance: both."""
    facts = Facts((one(0), one(1, identity=0), one(2, identity=0), one(3)))
    items = list(pictures(facts, [stored(7), stored(7), stored(8), stored(7)]))

    found = [getattr(item, "status", Status.WRITTEN) for item in items]

    assert found == [Status.WRITTEN, Status.DUPLICATE, Status.WRITTEN, Status.WRITTEN]


def test_header_of_other_frames_than_it_says() -> None:
    """Three frames described and two said: refused, not cut."""
    instance = replace(
        one(0, replace(FORM, frames=2)), frames=tuple(FrameFacts(0, n) for n in range(3))
    )

    (item,) = pictures(Facts((instance,)), [stored(1, replace(FORM, frames=2))])

    assert isinstance(item, Refused)
    assert item.reason is Reason.PIXEL_LENGTH


def test_classic_multi_frame_shares_its_facts() -> None:
    """One description, many frames: each frame has it."""
    form = replace(FORM, frames=3)
    instance = one(0, form, slope=2.0, intercept=-5.0)

    (item,) = pictures(Facts((instance,)), [stored(1, form)])

    assert isinstance(item, Frames)
    assert (item.values.shape, item.slopes, item.intercepts) == (
        (3, 4, 5),
        (2.0,) * 3,
        (-5.0,) * 3,
    )


def test_numbers_follow_instance_numbers() -> None:
    """Names sort as the images do, and hold no value of the header."""
    facts = Facts(
        tuple(one(n, instance_number=number) for n, number in enumerate((900, None, 17, 900)))
    )

    items = list(pictures(facts, [stored(n) for n in range(4)]))

    assert [item.number for item in items if isinstance(item, Frames)] == [2, 4, 1, 3]


def test_limits_are_of_the_series_without_padding() -> None:
    """Percentiles are of all instances' modality values; padding and what fails are left out."""
    padded = replace(FORM, padding=4000, padding_limit=4095)
    facts = Facts(
        (one(0, padded, intercept=-10.0), one(1, padded, intercept=-10.0), one(2, padded), one(3))
    )
    handles = [stored(100), stored(300), stored(4050), Held(b"")]

    first = next(iter(pictures(facts, handles)))

    assert isinstance(first, Frames)
    assert first.limits is not None
    assert first.limits() == (90.0, 290.0)


def test_limits_are_the_same_for_every_instance() -> None:
    """One series, one stretch: what lets its images be compared."""
    facts = Facts(tuple(one(n) for n in range(3)))
    items = list(pictures(facts, [stored(0), stored(50), stored(100)]))

    assert {item.limits() for item in items if isinstance(item, Frames) and item.limits} == {
        (0.0, 100.0)
    }


def test_limits_of_nothing() -> None:
    """All padding, or all NaN: limits that are numbers all the same."""
    facts = Facts((one(0, replace(FORM, padding=7)),))

    (item,) = pictures(facts, [stored(7)])

    assert isinstance(item, Frames)
    assert item.limits is not None
    assert item.limits() == (0.0, 0.0)


def test_sample_is_bounded_and_slanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large series is sampled at a stride that no row length repeats."""
    monkeypatch.setattr(room, "MOST_SAMPLES", 100)
    form = replace(FORM, rows=60, columns=60)

    step = room._step([form, form])

    assert step >= 72
    assert np.gcd(step, 60) == 1


@dataclass
class Counting:
    """Counts its reads."""

    data: bytes
    reads: list[int] = field(default_factory=list)

    def read(self) -> bytes:
        self.reads.append(1)
        return self.data


def test_pixels_are_read_once_unless_limits_are_asked() -> None:
    """Without a look at the series every instance is decoded once."""
    handles = [Counting(stored(n).data) for n in range(3)]

    list(pictures(Facts(tuple(one(n) for n in range(3))), handles))

    assert [len(handle.reads) for handle in handles] == [1, 1, 1]


def test_memory_holds_one_instance() -> None:
    """An instance is gone before the next is decoded."""
    items: Iterator[Frames | Refused] = pictures(
        Facts(tuple(one(n) for n in range(3))), [stored(n) for n in range(3)]
    )
    first = next(items)
    assert isinstance(first, Frames)
    seen = weakref.ref(first.values)
    del first
    next(items)
    gc.collect()

    assert seen() is None


def test_palette_is_resolved() -> None:
    """Indices come out as RGB of 8 bits, and are not called a palette any more."""
    lut = Lut(first=0, bits=8, values=(1, 2, 3))
    form = replace(FORM, photometric=Photometric.PALETTE)
    instance = one(0, form, display=Display(palette=(lut, lut, lut)))

    (item,) = pictures(Facts((instance,)), [stored(2)])

    assert isinstance(item, Frames)
    assert (item.photometric, item.bits_stored) == (Photometric.RGB, 8)
    assert item.values.shape == (1, 4, 5, 3)
    assert set(item.values.ravel().tolist()) == {3}


def test_no_recipe_changes_a_picture() -> None:
    """Two recipes that keep different things give the same frames and the same display."""
    made_by = {
        recipe: next(iter(assemble(release(chest(1, RescaleType="HU"), recipe))))
        for recipe in ("basic", "dates-kept")
    }

    one_way, other = made_by.values()

    assert isinstance(one_way, Frames)
    assert isinstance(other, Frames)
    np.testing.assert_array_equal(one_way.values, other.values)
    assert one_way.displays == other.displays
    assert one_way.displays[0].window == (40.0, 400.0)


REAL = {
    # file of pydicom's wheel: shape, photometric, bits stored
    "CT_small.dcm": ((1, 128, 128), Photometric.MONOCHROME2, 16),
    "emri_small.dcm": ((10, 64, 64), Photometric.MONOCHROME2, 12),
    "SC_rgb.dcm": ((1, 100, 100, 3), Photometric.RGB, 8),
    "SC_ybr_full_422_uncompressed.dcm": ((1, 100, 100, 3), Photometric.RGB, 8),
    "examples_palette.dcm": ((1, 350, 800, 3), Photometric.RGB, 8),
    "liver.dcm": ((3, 512, 512), Photometric.MONOCHROME2, 1),
    "examples_ybr_color.dcm": ((30, 240, 320, 3), Photometric.RGB, 8),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(name: str) -> None:
    """What lies in pydicom's own wheel comes out with its true shape and meaning."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    header, held = split(pydicom.dcmread(Path(path)))

    (item,) = pictures(read_facts([header]), [held])

    assert isinstance(item, Frames)
    assert (item.values.shape, item.photometric, item.bits_stored) == REAL[name]
