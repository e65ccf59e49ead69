"""PNG bytes: lossless, the same each time, and nothing in them but pixels."""

from __future__ import annotations

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from cohortkit.pixels import encode
from cohortkit.pixels.encode import png

SIDES = st.integers(1, 40)


@st.composite
def images(draw: st.DrawFn) -> NDArray[np.generic]:
    """Any picture there can be, the smallest first."""
    shape: tuple[int, ...] = (draw(SIDES), draw(SIDES))
    if draw(st.booleans()):
        shape = (*shape, 3)
    return draw(hnp.arrays(draw(st.sampled_from([np.uint8, np.uint16])), shape))


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and content of every chunk, their checksums tried."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert (
            zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0]
        )
        found.append((kind, body))
        at += 12 + size
    return found


@given(images())
def test_what_is_written_reads_back(picture: NDArray[np.generic]) -> None:
    """Libpng, in imagecodecs, reads the same values back, for every shape and type."""
    read = imagecodecs.png_decode(png(picture))

    assert read.dtype == picture.dtype
    np.testing.assert_array_equal(read, picture)


@given(images())
def test_pillow_reads_it_back(picture: NDArray[np.generic]) -> None:
    """Pillow reads the same values back; it has no 16-bit colour."""
    if picture.ndim == 3 and picture.dtype == np.uint16:
        return
    with Image.open(io.BytesIO(png(picture))) as image:
        read = np.asarray(image)
        info = dict(image.info)

    np.testing.assert_array_equal(read, picture)
    assert info == {}


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (1, 1, 3), (1, 9, 3), (9, 1, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_edges(shape: tuple[int, ...], dtype: type) -> None:
    """A pixel, a row, a column: the filters have nothing above or to the left."""
    picture = np.arange(1, np.prod(shape) + 1, dtype=dtype).reshape(shape) * 29

    np.testing.assert_array_equal(imagecodecs.png_decode(png(picture)), picture)


def test_views_are_read_as_they_look() -> None:
    """A transposed or reversed view is written as it looks, not as it lies in memory."""
    base = np.arange(48, dtype=np.uint16).reshape(6, 8)

    for picture in (base.T, base[::-1], base[:, ::2], base.astype(">u2")):
        np.testing.assert_array_equal(imagecodecs.png_decode(png(picture)), picture)


@given(images())
def test_nothing_but_pixels(picture: NDArray[np.generic]) -> None:
    """No time, no text, no profile: three chunks."""
    assert [kind for kind, _ in chunks(png(picture))] == [b"IHDR", b"IDAT", b"IEND"]


def test_same_bytes_each_time() -> None:
    """The same picture gives the same bytes; these ones are frozen."""
    picture = (np.arange(64 * 64, dtype=np.uint32) * 2654435761 >> 20).astype(np.uint16)
    picture = picture.reshape(64, 64)

    assert png(picture) == png(picture.copy())
    assert zlib.crc32(png(np.zeros((2, 2), np.uint8))) == zlib.crc32(
        png(np.zeros((2, 2), np.uint8, order="F"))
    )


@pytest.mark.parametrize(("aspect", "across", "down"), [(2.0, 2, 1), (0.5, 1, 2), (1.2, 6, 5)])
def test_pixel_aspect_is_said(aspect: float, across: int, down: int) -> None:
    """A pixel twice as high as wide has twice as many of them in a length across."""
    found = dict(chunks(png(np.zeros((4, 4), np.uint8), aspect=aspect)))

    assert struct.unpack(">IIB", found[b"pHYs"]) == (across, down, 0)


@pytest.mark.parametrize("aspect", [0.0, -1.0, float("nan"), float("inf"), 1e-9, 1e12])
def test_aspect_that_is_no_aspect(aspect: float) -> None:
    """What cannot be said is an error, not a wrong shape."""
    with pytest.raises(ValueError, match="aspect"):
        png(np.zeros((4, 4), np.uint8), aspect=aspect)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((2, 2), np.int16),
        np.zeros((2, 2), np.float32),
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((2, 2, 2, 3), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros((4, 0, 3), np.uint8),
    ],
)
def test_what_is_no_picture(picture: NDArray[np.generic]) -> None:
    """Another type or shape is an error, never a cast."""
    with pytest.raises(ValueError, match="PNG"):
        png(picture)


def test_a_broken_filter_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The round trip can fail: differences taken the wrong way round do not read back."""
    picture = np.arange(16, dtype=np.uint8).reshape(4, 4) * 7
    monkeypatch.setattr(encode, "_UP", 1)

    assert not np.array_equal(imagecodecs.png_decode(png(picture)), picture)
