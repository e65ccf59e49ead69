"""Displays: the first usable of each thing a header says, and nothing that is not usable."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut
from pydicom.sequence import Sequence

from cohortkit.geometry.facts import read_facts
from cohortkit.geometry.segments import expanded
from cohortkit.model import Display, Frames, Lut, VoiFunction
from cohortkit.payloads.frames import pictures
from factory import Patient, Series, instance
from released import split


def header(**attributes: Any) -> Dataset:  # noqa: ANN401 - any DICOM value
    """A CT slice without pixels; None takes an attribute away."""
    made, _ = split(instance(Patient(), Series(), 0))
    del made.WindowCenter, made.WindowWidth
    for keyword, value in attributes.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return made


def display(**attributes: Any) -> Display:  # noqa: ANN401 - any DICOM value
    facts = read_facts([header(**attributes)])
    return facts.instances[0].frames[0].display


def table(descriptor: list[int], data: bytes | list[int]) -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", descriptor)
    item.add_new("LUTData", "OW" if isinstance(data, bytes) else "US", data)
    return Sequence([item])


@pytest.mark.parametrize(
    ("said", "window", "function"),
    [
        ({"WindowCenter": 40, "WindowWidth": 400}, (40.0, 400.0), VoiFunction.LINEAR),
        ({"WindowCenter": [40, 9], "WindowWidth": [400, 9]}, (40.0, 400.0), VoiFunction.LINEAR),
        ({"WindowCenter": 40, "WindowWidth": 0.5}, None, VoiFunction.LINEAR),
        ({"WindowCenter": 40, "WindowWidth": -3}, None, VoiFunction.LINEAR),
        ({"WindowCenter": 40}, None, VoiFunction.LINEAR),
        ({}, None, VoiFunction.LINEAR),
        (
            {"WindowCenter": 1, "WindowWidth": 0.5, "VOILUTFunction": "LINEAR_EXACT"},
            (1.0, 0.5),
            VoiFunction.LINEAR_EXACT,
        ),
        (
            {"WindowCenter": 1, "WindowWidth": 9, "VOILUTFunction": "SIGMOID"},
            (1.0, 9.0),
            VoiFunction.SIGMOID,
        ),
        (
            {"WindowCenter": 1, "WindowWidth": 9, "VOILUTFunction": "CURVY"},
            None,
            VoiFunction.LINEAR,
        ),
    ],
)
def test_first_usable_window(
    said: dict[str, Any], window: tuple[float, float] | None, function: VoiFunction
) -> None:
    """A window that the standard does not allow is as if it were absent."""
    made = display(**said)

    assert (made.window, made.function) == (window, function)


@pytest.mark.parametrize(
    ("said", "inverse"), [("INVERSE", True), ("IDENTITY", False), ("IDENTITY ", False), ("X", None)]
)
def test_polarity(said: str, inverse: bool | None) -> None:  # noqa: FBT001 - a row of the table
    """Presentation LUT Shape as said; another word is as if it were absent."""
    assert display(PresentationLUTShape=said).inverse is inverse


@pytest.mark.parametrize(
    ("data", "descriptor", "wanted"),
    [
        (struct.pack("<3H", 1, 2, 300), [3, 5, 12], Lut(5, 12, (1, 2, 300))),
        ([1, 2, 300], [3, 5, 12], Lut(5, 12, (1, 2, 300))),
        (b"\x01\x02\x03\x00", [3, 0, 8], Lut(0, 8, (1, 2, 3))),
        (struct.pack("<3H", 1, 2, 3), [3, 0xFFF6, 8], Lut(-10, 8, (1, 2, 3))),
    ],
)
def test_voi_table(data: bytes | list[int], descriptor: list[int], wanted: Lut) -> None:
    """Entries however packed; the first input is signed where modality values can be negative."""
    assert display(VOILUTSequence=table(descriptor, data)).voi == wanted


def test_first_input_is_unsigned_where_nothing_is_negative() -> None:
    """Without a negative intercept 0xFFF6 is 65526 and not -10."""
    made = display(
        RescaleIntercept=0, VOILUTSequence=table([3, 0xFFF6, 8], struct.pack("<3H", 1, 2, 3))
    )

    assert made.voi == Lut(65526, 8, (1, 2, 3))


def test_modality_table() -> None:
    """A Modality LUT is read with the facts."""
    made = display(ModalityLUTSequence=table([2, 0, 16], struct.pack("<2H", 7, 65535)))

    assert made.modality == Lut(0, 16, (7, 65535))


def test_a_count_of_zero_is_65536() -> None:
    """PS3.3 C.11.1.1.1: 65536 entries do not fit a US and are written as 0."""
    made = display(VOILUTSequence=table([0, 0, 16], bytes(2 * 65536)))

    assert made.voi is not None
    assert len(made.voi.values) == 65536


@pytest.mark.parametrize(
    ("descriptor", "data"),
    [
        ([3, 0, 16], b"\0\0"),
        ([3, 0, 0], bytes(6)),
        ([3, 0, 17], bytes(6)),
        ([3, 0], bytes(6)),
        ([300, 0, 16], [1, 2]),
    ],
)
def test_table_that_is_not_one(descriptor: list[int], data: bytes | list[int]) -> None:
    """Too short, no bits, no descriptor: absent, and nothing raised."""
    assert display(VOILUTSequence=table(descriptor, data)).voi is None


@pytest.mark.parametrize(
    ("said", "aspect"),
    [
        ({"PixelAspectRatio": [2, 1]}, 2.0),
        ({"PixelSpacing": [0.8, 0.4]}, 2.0),
        ({"PixelAspectRatio": [1, 2], "PixelSpacing": [0.8, 0.4]}, 0.5),
        ({"PixelAspectRatio": [1, 0]}, 1.0),
        ({"PixelSpacing": [1, 1000]}, 1.0),
        ({"PixelSpacing": None, "ImagerPixelSpacing": [0.1, 0.2]}, 0.5),
        ({"PixelSpacing": None}, 1.0),
    ],
)
def test_pixel_aspect(said: dict[str, Any], aspect: float) -> None:
    """Height over width; what is no sane ratio is square."""
    assert display(**said).pixel_aspect == aspect


def test_alike_displays_are_one() -> None:
    """A thousand slices with one table hold it once."""
    data = struct.pack("<3H", 1, 2, 3)
    facts = read_facts([header(VOILUTSequence=table([3, 0, 8], data)) for _ in range(3)])
    first, *others = [i.frames[0].display for i in facts.instances]

    assert all(other is first for other in others)


def test_enhanced_frames_have_their_own() -> None:
    """Windows of an enhanced object stand in its functional groups."""
    made = header(NumberOfFrames=3)
    groups = []
    for number in range(3):
        voi, group = Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = 10 * number, 100
        group.FrameVOILUTSequence = Sequence([voi])
        groups.append(group)
    made.PerFrameFunctionalGroupsSequence = Sequence(groups)

    frames = read_facts([made]).instances[0].frames

    assert [f.display.window for f in frames] == [(0.0, 100.0), (10.0, 100.0), (20.0, 100.0)]


def test_real_segmented_palette_is_pydicoms() -> None:
    """A real palette that is written as segments comes out as pydicom writes it out."""
    paths = importlib.util.find_spec("data_store")
    assert paths is not None
    assert paths.submodule_search_locations is not None
    (root,) = paths.submodule_search_locations
    path = Path(root) / "data" / "gdcm-US-ALOKA-16.dcm"
    theirs = pydicom.dcmread(path)
    made, held = split(pydicom.dcmread(path))

    (item,) = pictures(read_facts([made]), [held])

    assert isinstance(item, Frames)
    wanted = apply_color_lut(theirs.pixel_array, theirs) >> 8
    np.testing.assert_array_equal(item.values[0], wanted)


WORDS = st.integers(0, 0xFFFF)
PIECES = st.lists(
    st.one_of(
        st.tuples(st.just(0), st.lists(WORDS, max_size=6)),
        st.tuples(st.just(1), st.integers(1, 9), WORDS),
    ),
    max_size=6,
)


@given(st.lists(WORDS, min_size=1, max_size=6), PIECES)
def test_segments_are_written_out(first: list[int], pieces: list[Any]) -> None:
    """Discrete segments are as they are; a line ends where it says and has as many entries."""
    data, count = [0, len(first), *first], len(first)
    for piece in pieces:
        if piece[0] == 0:
            data += [0, len(piece[1]), *piece[1]]
            count += len(piece[1])
        else:
            data += [1, piece[1], piece[2]]
            count += piece[1]

    made = expanded(data, wide=True)

    assert made is not None
    assert made[: len(first)] == first
    assert len(made) == count
    if pieces and pieces[-1][0] == 1:
        assert made[-1] == pieces[-1][2]


def test_a_segment_again() -> None:
    """An indirect segment repeats an earlier one by its byte offset."""
    assert expanded([0, 2, 5, 9, 2, 1, 0, 0], wide=True) == [5, 9, 5, 9]
    assert expanded([0, 2, 5, 9, 2, 1, 0, 0, 0, 0], wide=False) == [5, 9, 5, 9]


@pytest.mark.parametrize(
    "data",
    [
        [3, 1, 0],
        [0, 5, 1],
        [0],
        [1, 4, 9],
        [2, 1, 0, 0],
        [0, 1, 5, 2, 1, 6, 0],
        [0, 1, 5, 2, 1, 100, 0],
        [0, 1, 5, 2, 9, 0],
        [0, 1, 7, *([1, 0xFFFF, 7] * 3)],
    ],
)
def test_segments_that_are_broken(data: list[int]) -> None:
    """An unknown opcode, an end too soon, a reference to itself, a bomb: None, never a loop."""
    assert expanded(data, wide=True) is None


@given(st.lists(st.integers(0, 255), max_size=60), st.booleans())
def test_no_bytes_break_it(data: list[int], wide: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    """Whatever lies there, it ends, bounded."""
    made = expanded(data, wide=wide)

    assert made is None or len(made) <= 1 << 16
