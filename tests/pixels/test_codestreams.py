"""Codestreams without what is not picture: decoded alike, byte for byte alike where clean."""

from __future__ import annotations

import struct
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rle.rle import decode_frame, encode_frame

from cohortkit.errors import Refusal
from cohortkit.pixels import codestreams
from cohortkit.reasons import Reason

MARK = b"Quisling^Marjolein MRN-00471113"
RNG = np.random.default_rng(5)
GREY = (np.indices((48, 40)).sum(0) % 251).astype(np.uint8)
DEEP = RNG.integers(0, 4096, (48, 40), dtype=np.uint16)
COLOUR = RNG.integers(0, 256, (48, 40, 3), dtype=np.uint8)

JPEGS: dict[str, tuple[bytes, int]] = {
    "baseline": (imagecodecs.jpeg8_encode(GREY), 8),
    "progressive": (imagecodecs.jpeg8_encode(COLOUR, optimize=True), 8),
    "twelve bits": (imagecodecs.jpeg8_encode(DEEP, bitspersample=12), 12),
    "lossless": (imagecodecs.ljpeg_encode(DEEP, bitspersample=16), 16),
    "jpeg-ls": (imagecodecs.jpegls_encode(DEEP), 16),
    "jpeg-ls colour": (imagecodecs.jpegls_encode(COLOUR), 8),
}


def segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def decoded(stream: bytes) -> np.ndarray:
    if b"\xff\xf7" in stream:
        return imagecodecs.jpegls_decode(stream)
    if b"\xff\xc3" in stream[:600]:
        return imagecodecs.ljpeg_decode(stream)
    return imagecodecs.jpeg8_decode(stream)


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_is_decoded_alike_once_it_is_clean(name: str) -> None:
    """What is taken out is no picture, and the depth of a sample is what was encoded."""
    stream, bits = JPEGS[name]

    clean, found = codestreams.jpeg(stream)

    assert bits == found
    np.testing.assert_array_equal(decoded(stream), decoded(clean))
    assert (clean, bits) == codestreams.jpeg(clean)


@given(
    name=st.sampled_from(sorted(JPEGS)),
    markers=st.lists(
        st.sampled_from([*range(0xE0, 0xF0), 0xFE]), min_size=1, max_size=5, unique=True
    ),
    before=st.integers(0, 3),
    behind=st.sampled_from([b"", MARK, b"\0" + MARK, segment(0xFE, MARK)]),
)
def test_nothing_told_in_a_jpeg_survives(
    name: str, markers: list[int], before: int, behind: bytes
) -> None:
    """Comments, profiles, thumbnails, in any number, before any segment and behind the end."""
    stream, _ = JPEGS[name]
    places = [2]
    for _ in range(before):
        place = places[-1] + 2 + int.from_bytes(stream[places[-1] + 2 : places[-1] + 4], "big")
        if stream[place] != 0xFF or stream[place + 1] in {0xDA, 0xD9}:
            break
        places.append(place)
    told = b"".join(segment(marker, b"JFIF\0" * (marker == 0xE0) + MARK) for marker in markers)
    planted = stream[: places[-1]] + told + stream[places[-1] :] + behind

    clean, _ = codestreams.jpeg(planted)

    assert MARK not in clean
    np.testing.assert_array_equal(decoded(stream), decoded(clean))


def test_what_tells_decoders_the_colours_stays() -> None:
    """JFIF and Adobe segments stay, of JFIF without its thumbnail."""
    stream, _ = JPEGS["progressive"]
    body = stream[2:] if stream[2:4] != b"\xff\xe0" else stream[20:]
    jfif = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1" + MARK[:3])
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")

    clean, _ = codestreams.jpeg(b"\xff\xd8" + jfif + adobe + body)

    assert clean.startswith(b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + adobe)


def test_what_encoders_say_of_themselves_stays_and_nothing_more() -> None:
    """A comment that is the encoder's name and version is kept, so that bytes are."""
    stream, _ = JPEGS["baseline"]
    for text, stays in (
        (b"LEAD Technologies Inc. V1.01\0", True),
        (b"LEAD Technologies Inc. V1.01 " + MARK, False),
    ):
        clean, _ = codestreams.jpeg(stream[:2] + segment(0xFE, text) + stream[2:])

        assert stays == (text in clean)


BROKEN: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("no start", lambda s: s[2:]),
    ("no end", lambda s: s[:-2]),
    ("an unknown marker", lambda s: s[:2] + segment(0x02, MARK) + s[2:]),
    ("text between", lambda s: s[:2] + MARK + s[2:]),
    ("a length beyond the end", lambda s: s[:2] + b"\xff\xfe\xff\xff" + s[2:]),
    ("a length of nothing", lambda s: s[:2] + b"\xff\xfe\0\0" + s[2:]),
    ("nothing", lambda _: b""),
]


@pytest.mark.parametrize("spoil", [b for _, b in BROKEN], ids=[name for name, _ in BROKEN])
def test_a_jpeg_that_is_not_understood_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    """What is no row of known segments from start to end may hold text anywhere."""
    with pytest.raises(Refusal) as refused:
        codestreams.jpeg(spoil(JPEGS["baseline"][0]))

    assert Reason.PIXEL_STREAM is refused.value.reason


# ── JPEG 2000 ────────────────────────────────────────────────────────────────────────────────────


def j2k(values: np.ndarray = DEEP) -> bytes:
    return imagecodecs.jpeg2k_encode(values, codecformat="j2k", bitspersample=12)


def test_a_jpeg_2000_stream_loses_its_comments_and_nothing_else() -> None:
    """The main header's comments go, also binary ones; the encoder's own name may stay."""
    stream = j2k()
    planted = stream[:2]
    at = 2
    size = 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    planted += stream[at : at + size]
    planted += segment(0x64, b"\0\1" + MARK) + segment(0x64, b"\0\0" + MARK) + stream[at + size :]

    clean, bits = codestreams.jpeg2000(planted)

    assert clean == codestreams.jpeg2000(stream)[0]
    assert (MARK not in clean, bits) == (True, 12)
    np.testing.assert_array_equal(DEEP, imagecodecs.jpeg2k_decode(clean))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[:-2] + MARK,
        lambda s: s + MARK,
        lambda s: s[:2] + segment(0x30, MARK) + s[2:],
        lambda s: s.replace(b"\xff\x93", segment(0x64, b"\0\1" + MARK) + b"\xff\x93", 1),
        lambda s: b"\0\0\0\x0cjP  \r\n\x87\n" + s,
        lambda s: s[:30],
    ],
    ids=["for the end", "behind", "unknown marker", "in a tile", "JP2", "cut"],
)
def test_a_jpeg_2000_stream_with_more_in_it_is_clean_or_refused(
    spoil: Callable[[bytes], bytes],
) -> None:
    """No way out for the text."""
    assert MARK not in _clean_or_refused(spoil(j2k()))


def _clean_or_refused(stream: bytes) -> bytes:
    try:
        return codestreams.jpeg2000(stream)[0]
    except Refusal as refusal:
        return str(refusal.reason).encode()


# ── RLE ──────────────────────────────────────────────────────────────────────────────────────────


@given(
    values=st.binary(min_size=60, max_size=60),
    tail=st.sampled_from([b"", b"\0", MARK, b"\x80" * 5 + MARK]),
    unused=st.binary(min_size=4, max_size=4),
)
def test_an_rle_frame_ends_where_its_pixels_do(values: bytes, tail: bytes, unused: bytes) -> None:
    """Behind the last pixel, and where the table has no segment, nothing is left."""
    frame = encode_frame(values, 6, 5, 1, 16, "<")
    planted = frame[:12] + unused * 13 + frame[64:] + tail

    clean = codestreams.rle(planted, 30, 2)

    assert clean[:64] == frame[:64]
    assert (MARK not in clean, len(clean) % 2) == (True, 0)
    assert values == bytes(decode_frame(clean, 30, 16, "<"))


@pytest.mark.parametrize("wrong", [b"\x03" + bytes(63), b"\x02" + bytes(63), b"\x02\0\0\0\x40"])
def test_an_rle_frame_that_is_not_understood_is_refused(wrong: bytes) -> None:
    """Another number of segments, no segments, or a cut."""
    with pytest.raises(Refusal) as refused:
        codestreams.rle(wrong, 30, 2)

    assert Reason.PIXEL_STREAM is refused.value.reason
