"""What native pixels hide: unused bits, bytes behind the last pixel; and fragments taken apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, parse_basic_offsets

from cohortkit.errors import Refusal
from cohortkit.model import Codec, Photometric, PixelFormat
from cohortkit.pixels import hidden, native
from cohortkit.pixels.fragments import frames_of, joined
from cohortkit.reasons import Reason

FORM = PixelFormat(
    rows=3,
    columns=5,
    samples=1,
    frames=2,
    bits_allocated=16,
    bits_stored=12,
    high_bit=11,
    signed=False,
    photometric=Photometric.MONOCHROME2,
    planar=0,
    codec=Codec.EXPLICIT_LITTLE,
)


def seen(data: bytes, form: PixelFormat, *, piece: int = 4096) -> bytes:
    """What is left of the bytes, given in pieces."""
    big = form.codec is Codec.EXPLICIT_BIG
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    said = hidden.length(form, len(data))
    return b"".join(bytes(one) for one in hidden.visible(pieces, form, said, big=big))


@given(
    values=st.binary(min_size=60, max_size=60),
    stored=st.integers(1, 16),
    room=st.integers(0, 15),
    signed=st.sampled_from(["signed", "unsigned"]),
    codec=st.sampled_from([Codec.EXPLICIT_LITTLE, Codec.EXPLICIT_BIG]),
    piece=st.sampled_from([2, 14, 60]),
)
def test_pixels_look_the_same_and_unused_bits_tell_nothing(
    values: bytes, stored: int, room: int, signed: str, codec: Codec, piece: int
) -> None:
    """Decoded they are the same; no bit outside of a sample is free to be chosen.

    Above a sample stand zeros, or its sign: one of the two for all samples of a piece.
    """
    high = min(15, stored - 1 + room)
    form = replace(FORM, bits_stored=stored, high_bit=high, signed=signed == "signed", codec=codec)

    clean = seen(values, form, piece=piece)

    np.testing.assert_array_equal(native.decode(values, form), native.decode(clean, form))
    order = ">" if codec is Codec.EXPLICIT_BIG else "<"
    words = np.frombuffer(clean, f"{order}u2").astype(int)
    below = high + 1 - stored
    assert not (words & ((1 << below) - 1)).any()
    above = words >> (high + 1)
    extended = np.where(words >> high & 1 == 1, (1 << (15 - high)) - 1, 0)
    for at in range(0, len(words), piece // 2):
        own = slice(at, at + piece // 2)
        zeros = not above[own].any()
        assert zeros or (form.signed and (above[own] == extended[own]).all())
    assert clean == seen(clean, form, piece=piece)


@given(values=st.lists(st.integers(-2048, 2047), min_size=30, max_size=30))
def test_pixels_that_hide_nothing_are_the_very_bytes(values: list[int]) -> None:
    """Signs may go on above the high bit, as they should: nothing is changed then."""
    data = np.array(values, "<i2").tobytes()

    assert data == seen(data, replace(FORM, signed=True))
    positive = (np.array(values, "<i2") & 0x0FFF).tobytes()
    assert positive == seen(positive, FORM)


@pytest.mark.parametrize(("more", "stays"), [(1, True), (29, True), (30, False), (90, False)])
def test_less_than_a_frame_behind_the_pixels_is_cut_off(more: int, *, stays: bool) -> None:
    """A whole frame more means that the header is wrong about the frames."""
    data = bytes(60)
    if stays:
        assert data == seen(data + b"x" * more, FORM)
        return
    with pytest.raises(Refusal) as refused:
        seen(data + b"x" * more, FORM)
    assert Reason.PIXEL_LENGTH is refused.value.reason


def test_pixels_that_are_too_few_are_refused() -> None:
    """Nothing is filled up."""
    with pytest.raises(Refusal) as refused:
        seen(bytes(58), FORM)

    assert Reason.PIXEL_LENGTH is refused.value.reason


@given(st.binary(min_size=5, max_size=5))
def test_spare_bits_of_the_last_byte_and_the_pad_byte_are_zero(data: bytes) -> None:
    """Single bits fill bytes from the low end; an odd length is filled up by zero."""
    form = replace(FORM, rows=1, columns=19, bits_allocated=1, bits_stored=1, high_bit=0)

    clean = seen(data + b"x", form)

    assert (6, data[:4], data[4] & 0x3F, 0) == (len(clean), clean[:4], clean[4], clean[5])


# ── fragments ────────────────────────────────────────────────────────────────────────────────────


@given(
    frames=st.lists(st.binary(min_size=8, max_size=40), min_size=1, max_size=5),
    pieces=st.integers(1, 4),
    table=st.sampled_from(["table", "none"]),
)
def test_fragments_come_apart_and_together(frames: list[bytes], pieces: int, table: str) -> None:
    """Each frame is what was put in; together again they are the same bytes."""
    marked = [b"\xff\xd8\xff" + one.replace(b"\xff", b"\0") for one in frames]
    data = encapsulate(marked, fragments_per_frame=pieces, has_bot=table == "table")

    taken, had = frames_of(data, len(frames))
    again = b"".join(joined(taken, table=had))

    assert [b"".join(one) for one in taken] == [one + b"\0" * (len(one) % 2) for one in marked]
    assert (table == "table") == had
    single = all(len(one) == 1 for one in taken) or len(taken) == 1
    assert not (had or single) or data == again
    offsets = parse_basic_offsets(again)
    assert offsets == [] or len(offsets) == len(frames)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xfe\xff\0\xe0\0\0",
        b"\xfe\xff\0\xe0\0\0\0\0" + b"Quisling",
        b"\xfe\xff\0\xe0\0\0\0\0\xfe\xff\0\xe0\x10\0\0\0ab",
        encapsulate([b"a", b"b", b"c"]),
    ],
    ids=["nothing", "half a tag", "text between", "cut", "three frames"],
)
def test_what_is_no_row_of_two_frames_is_refused(data: bytes) -> None:
    """Between fragments there is nothing, and their number is the header's."""
    with pytest.raises(Refusal) as refused:
        frames_of(data, 2)

    assert Reason.PIXEL_LENGTH is refused.value.reason
