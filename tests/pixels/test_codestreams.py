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


def table(kind: int, body: bytes) -> bytes:
    """A segment of a table whose values are text, as far as its form goes."""
    filled = (MARK * 20)[: 64 if kind == 0xDB else 24]
    counts = bytes([0, 0, 0, 0, len(filled)]) + bytes(11)
    return segment(kind, body + (filled if kind == 0xDB else counts + filled))


UNUSED = {
    "a quantization table that no component has": table(0xDB, b"\3"),
    "one of a place that is filled again": table(0xDB, b"\0"),
    "codes of a place that no scan names": table(0xC4, b"\x13"),
    "codes of a place that is filled again": table(0xC4, b"\0"),
    "conditioning of a coding that this is not": segment(0xCC, b"\0Q\1u"),
    "lines, which the frame has told": segment(0xDC, MARK[:2]),
    "lines, and a text": segment(0xDC, MARK),
    "a palette of JPEG-LS": segment(0xF8, b"\2\1\3" + MARK),
}
REPLACED = {
    "a restart interval": (segment(0xDD, MARK[:2]), segment(0xDD, b"\0\0")),
    "parameters of JPEG-LS": (segment(0xF8, b"\1" + MARK[:10]), segment(0xF8, b"\1" + bytes(10))),
}


@pytest.mark.parametrize("what", UNUSED)
@pytest.mark.parametrize("name", ["baseline", "twelve bits", "lossless", "jpeg-ls"])
def test_a_table_that_no_scan_uses_is_left_out(name: str, what: str) -> None:
    """Before all others, so that those of the picture take its place; these stay as they are."""
    stream, _ = JPEGS[name]

    clean, _ = codestreams.jpeg(stream[:2] + UNUSED[what] + stream[2:])

    assert codestreams.jpeg(stream)[0] == clean
    np.testing.assert_array_equal(decoded(stream), decoded(clean))


@pytest.mark.parametrize("what", REPLACED)
def test_what_another_takes_the_place_of_is_left_out(what: str) -> None:
    """The last one before a scan holds."""
    stream, _ = JPEGS["jpeg-ls"]
    first, second = REPLACED[what]

    clean, _ = codestreams.jpeg(stream[:2] + first + second + stream[2:])

    assert codestreams.jpeg(stream[:2] + second + stream[2:])[0] == clean
    np.testing.assert_array_equal(decoded(stream), decoded(clean))


def test_of_a_segment_with_several_tables_the_used_ones_stay() -> None:
    """Byte for byte, in their order."""
    stream, _ = JPEGS["baseline"]
    at = stream.index(b"\xff\xdb")
    size = int.from_bytes(stream[at + 2 : at + 4], "big")
    body = stream[at + 4 : at + 2 + size]
    more = segment(0xDB, b"\3" + (MARK * 20)[:64] + body)

    clean, _ = codestreams.jpeg(stream[:at] + more + stream[at + 2 + size :])

    assert codestreams.jpeg(stream)[0] == clean


@pytest.mark.parametrize("name", JPEGS)
@pytest.mark.parametrize("behind", [MARK, MARK + b"\0\0", MARK + b"\xff\0"])
def test_text_behind_the_last_sample_is_refused(name: str, behind: bytes) -> None:
    """No decoder comes to it, so nobody would see it."""
    stream, _ = JPEGS[name]
    assert stream.endswith(b"\xff\xd9")
    with pytest.raises(Refusal) as refused:
        codestreams.jpeg(stream[:-2] + behind.replace(b"\xff\0", b"\0") + stream[-2:])
    assert Reason.PIXEL_STREAM is refused.value.reason


@pytest.mark.parametrize("ground", [b"U" * 40, b"IRa" * 20, b"xq" + b"U" * 300, b"%3" + b"m6M" * 9])
def test_a_plain_ground_is_no_text(ground: bytes) -> None:
    """One code again and again may be a letter."""
    stream, _ = JPEGS["lossless"]
    coded = stream[:-2] + b"\x01" + ground + stream[-2:]

    clean, _ = codestreams.jpeg(coded)

    assert clean == codestreams.jpeg(stream)[0][:-2] + b"\x01" + ground + stream[-2:]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s.replace(b"\xff\xc0\0\x0b", b"\xff\xc0\0\x0d", 1),
        lambda s: s[:2] + segment(0xDB, b"\0" + MARK[:20]) + s[2:],
        lambda s: s[:2] + segment(0xC4, b"\0" + b"\xff" * 16) + s[2:],
        lambda s: s[:2] + segment(0xDE, MARK) + s[2:],
        lambda s: s[:2] + segment(0xF8, b"\5" + MARK) + s[2:],
        lambda s: s[:2] + segment(0xC0, b"\x08") + s[2:],
        lambda s: s[:2] + s[s.index(b"\xff\xda") :],
    ],
    ids=["frame", "DQT", "DHT", "hierarchical", "LSE", "a cut frame", "no frame"],
)
def test_a_segment_of_another_length_than_it_says_is_refused(
    spoil: Callable[[bytes], bytes],
) -> None:
    """Nothing is guessed."""
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


def siz_end(stream: bytes) -> int:
    """Where the first segment of a JPEG 2000 stream ends."""
    return 4 + int.from_bytes(stream[4:6], "big")


@pytest.mark.parametrize("marker", [0x57, 0x63])
def test_what_tells_a_jpeg_2000_decoder_nothing_is_left_out(marker: int) -> None:
    """Lengths of packets in the main header, and where components lie."""
    stream = j2k()
    at = siz_end(stream)

    clean, _ = codestreams.jpeg2000(stream[:at] + segment(marker, b"\0" + MARK) + stream[at:])

    assert codestreams.jpeg2000(stream)[0] == clean
    np.testing.assert_array_equal(DEEP, imagecodecs.jpeg2k_decode(clean))


@pytest.mark.parametrize(
    "more",
    [
        segment(0x55, b"\0\x40" + MARK[:4]), segment(0x55, b"\0\x41" + MARK[:4]),
        segment(0x53, b"\7" + MARK), segment(0x53, b"\0" + MARK), segment(0x5D, b"\7\x41\0\0"),
        segment(0x5D, b"\0\x42" + MARK), segment(0x5E, b"\0" + MARK), segment(0x52, b"\0" + MARK),
        segment(0x50, bytes(4) + MARK), segment(0x5C, b"\x41" + MARK),
    ],
)  # fmt: skip
def test_a_segment_of_a_jpeg_2000_stream_that_does_not_fit_is_refused(more: bytes) -> None:
    """Of another length, of a component that there is not, a second one, lengths that are wrong."""
    stream = j2k()
    with pytest.raises(Refusal) as refused:
        codestreams.jpeg2000(stream[: siz_end(stream)] + more + stream[siz_end(stream) :])
    assert Reason.PIXEL_STREAM is refused.value.reason


def test_right_lengths_stay_and_wrong_ones_do_not() -> None:
    """Of tile-parts in the main header, of packets in a tile-part."""
    stream = j2k()
    low, high = stream.index(b"\xff\x90"), stream.rindex(b"\xff\xd9")
    told = segment(0x55, b"\0\x50\0" + struct.pack(">I", high - low))
    right = stream[:low] + told + stream[low:]
    assert right == codestreams.jpeg2000(right)[0]
    size = high - low - 14
    packets = bytes([size >> 14 & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size & 0x7F])
    for body, good in ((packets, True), (MARK, False), (packets[:-1], False)):
        part = segment(0x58, b"\0" + body)
        length = struct.pack(">I", high - low + len(part))
        tile = stream[low : low + 6] + length + stream[low + 10 : low + 12] + part
        whole = stream[:low] + tile + stream[low + 12 :]
        assert good == (whole == _clean_or_refused(whole))


def test_text_behind_the_packets_is_refused() -> None:
    """Inside a tile-part that says it is so long."""
    stream = j2k()
    low, high = stream.index(b"\xff\x90"), stream.rindex(b"\xff\xd9")
    length = struct.pack(">I", high - low + len(MARK))
    whole = stream[: low + 6] + length + stream[low + 10 : high] + MARK + stream[high:]
    assert b"pixel-stream" == _clean_or_refused(whole)


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
