"""Blanking: inside the rectangles black as shown, outside not a bit changed, in every encoding.

The sources are packed here, bit by bit, and the results are read back by pydicom or here again.
"""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import pixel_array
from pydicom.uid import UID

from cohortkit.errors import Refusal
from cohortkit.model import (
    Codec,
    Display,
    FrameFacts,
    InstanceFacts,
    Lut,
    Photometric,
    PixelFormat,
    Reason,
)
from cohortkit.model.facts import PixelType
from cohortkit.pixels.decode import decode
from cohortkit.pixels.recode import Encoded
from cohortkit.pixels.rectangles import Rectangle
from cohortkit.pixels.redact import Redaction, redaction
from cohortkit.pixels.redacted import RedactedPixels, values_of
from cohortkit.pixels.render import resolved
from grids import FORM
from released import Held

GREYS = (Photometric.MONOCHROME1, Photometric.MONOCHROME2)
IN_KIND = {
    Codec.RLE,
    Codec.JPEG_LS,
    Codec.JPEG_LOSSLESS,
    Codec.JPEG_LOSSLESS_SV1,
    Codec.JPEG_2000_LOSSLESS,
    Codec.HTJ2K_LOSSLESS,
    Codec.HTJ2K_LOSSLESS_RPCL,
}
SIGNED = {
    Codec.RLE,
    Codec.JPEG_2000_LOSSLESS,
    Codec.HTJ2K_LOSSLESS,
    Codec.HTJ2K_LOSSLESS_RPCL,
}
"""What knows a sign; the others take the stored bits."""
NATIVE = (Codec.IMPLICIT_LITTLE, Codec.EXPLICIT_LITTLE, Codec.EXPLICIT_BIG, Codec.DEFLATED)


def instance(form: PixelFormat, **display: object) -> InstanceFacts:
    """One instance whose frames are all shown alike."""
    frame = FrameFacts(0, 0, display=Display(**display))  # type: ignore[arg-type]
    return InstanceFacts(form, (frame,))


def inside(form: PixelFormat, what: Redaction) -> np.ndarray:
    """Which pixels turn black, pixel by pixel."""
    black = np.zeros((form.rows, form.columns), bool)
    for row in range(form.rows):
        for column in range(form.columns):
            kept = what.keep is None or any(_holds(r, row, column) for r in what.keep)
            black[row, column] = not kept or any(_holds(r, row, column) for r in what.blank)
    if form.photometric is Photometric.YBR_FULL_422:
        for column in range(0, form.columns, 2):
            black[:, column : column + 2] |= black[:, column : column + 2].any(axis=1)[:, None]
    return black


def _holds(part: Rectangle, row: int, column: int) -> bool:
    across = part.left <= column < part.left + part.width
    return across and part.top <= row < part.top + part.height


@st.composite
def rectangles(draw: st.DrawFn, form: PixelFormat) -> tuple[Rectangle, ...]:
    """Up to three rectangles inside the image."""
    found = []
    for _ in range(draw(st.integers(0, 3))):
        left = draw(st.integers(0, form.columns - 1))
        top = draw(st.integers(0, form.rows - 1))
        width = draw(st.integers(1, form.columns - left))
        found.append(Rectangle(left, top, width, draw(st.integers(1, form.rows - top))))
    return tuple(found)


@st.composite
def wanted(draw: st.DrawFn, form: PixelFormat) -> Redaction:
    """Rectangles to blank, perhaps others to keep."""
    keep = draw(st.none() | rectangles(form).filter(bool))
    return redaction(instance(form), draw(rectangles(form)), keep)


@st.composite
def grey_forms(draw: st.DrawFn) -> PixelFormat:
    """Grey pixels in words of 8, 16 and 32 bits, the value anywhere in the word."""
    allocated = draw(st.sampled_from((8, 16, 32)))
    stored = draw(st.integers(1, min(allocated, 24)))
    return replace(
        FORM,
        rows=draw(st.integers(1, 7)),
        columns=draw(st.integers(1, 9)),
        frames=draw(st.integers(1, 3)),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=draw(st.integers(stored - 1, allocated - 1)),
        signed=draw(st.booleans()),
        photometric=draw(st.sampled_from(GREYS)),
        codec=draw(st.sampled_from(NATIVE)),
    )


@st.composite
def words(draw: st.DrawFn, form: PixelFormat) -> np.ndarray:
    """Words of a native attribute with noise in every bit, (frames, rows, columns, samples)."""
    shape = (form.frames, form.rows, form.columns, form.samples)
    seed = draw(st.integers(0, 2**32 - 1))
    return np.random.default_rng(seed).integers(0, 1 << form.bits_allocated, shape, np.int64)


def value_bits(found: np.ndarray, form: PixelFormat) -> np.ndarray:
    """The stored bits of each word, the rest masked away."""
    return found >> (form.high_bit + 1 - form.bits_stored) & ((1 << form.bits_stored) - 1)


def darkest(form: PixelFormat) -> int:
    """The bits of the grey that is shown darkest: an end of the range (PS3.3 C.7.6.3.1.2)."""
    top = (1 << form.bits_stored) - 1
    lowest, highest = (1 << (form.bits_stored - 1), top >> 1) if form.signed else (0, top)
    return highest if form.photometric is Photometric.MONOCHROME1 else lowest


@given(st.data(), grey_forms())
def test_grey_words_in_place(data: st.DataObject, form: PixelFormat) -> None:
    """Native grey of any width: inside the darkest value, outside the stored bits as they were."""
    source, what = data.draw(words(form)), data.draw(wanted(form))
    order = ">" if form.codec is Codec.EXPLICIT_BIG else "<"
    raw = source.astype(f"{order}u{form.bits_allocated // 8}").tobytes()
    raw += bytes(len(raw) % 2)
    handle = RedactedPixels(Held(raw), form, what)
    made = handle.encoded()
    count = source.size * form.bits_allocated // 8
    assert (form, len(raw)) == (made.pixels, len(made.data))
    found = np.frombuffer(made.data[:count], f"{order}u{form.bits_allocated // 8}").astype(np.int64)
    found = found.reshape(source.shape)
    black = inside(form, what)
    assert {darkest(form)} >= set(value_bits(found, form)[:, black].ravel().tolist())
    assert np.array_equal(value_bits(source, form)[:, ~black], value_bits(found, form)[:, ~black])
    above, below = found >> (form.high_bit + 1), form.high_bit + 1 - form.bits_stored
    sign = (found >> form.high_bit & 1) * form.signed
    assert np.array_equal(above, sign * ((1 << (form.bits_allocated - form.high_bit - 1)) - 1))
    assert not (found & ((1 << below) - 1)).any()
    assert np.array_equal(handle.values(), decode(made.data, form))


@given(
    st.data(),
    st.sampled_from((Photometric.RGB, Photometric.YBR_FULL)),
    st.integers(0, 1),
    st.sampled_from(NATIVE),
)
def test_colour_in_place(
    data: st.DataObject, photometric: Photometric, planar: int, codec: Codec
) -> None:
    """Native colour by pixel and by plane: inside no light, outside each byte as it was."""
    form = replace(
        FORM,
        rows=data.draw(st.integers(1, 6)),
        columns=data.draw(st.integers(1, 7)),
        frames=data.draw(st.integers(1, 3)),
        samples=3,
        bits_allocated=8,
        bits_stored=8,
        high_bit=7,
        photometric=photometric,
        planar=planar,
        codec=codec,
    )
    source, what = data.draw(words(form)).astype(np.uint8), data.draw(wanted(form))
    raw = (np.moveaxis(source, -1, 1) if planar else source).tobytes()
    raw += bytes(len(raw) % 2)
    handle = RedactedPixels(Held(raw), form, what)
    found = np.frombuffer(handle.encoded().data, np.uint8)[: source.size]
    if planar:
        found = np.moveaxis(found.reshape(form.frames, 3, form.rows, form.columns), 1, -1)
    found = found.reshape(source.shape)
    black = inside(form, what)
    dark = (0, 0, 0) if photometric is Photometric.RGB else (0, 128, 128)
    assert {dark} >= {tuple(p) for p in found[:, black].reshape(-1, 3).tolist()}
    assert np.array_equal(source[:, ~black], found[:, ~black])
    shown = values_of(handle, form)
    assert not shown[:, black].any()
    assert np.array_equal(decode(raw, form)[:, ~black], shown[:, ~black])


@given(st.data())
def test_subsampled_colour_turns_black_in_pairs(data: st.DataObject) -> None:
    """YBR_FULL_422: two pixels share their colour, so a rectangle grows to whole pairs."""
    form = replace(
        FORM,
        rows=data.draw(st.integers(1, 6)),
        columns=data.draw(st.integers(1, 7)),
        frames=data.draw(st.integers(1, 3)),
        samples=3,
        bits_allocated=8,
        bits_stored=8,
        high_bit=7,
        photometric=Photometric.YBR_FULL_422,
    )
    what = data.draw(wanted(form))
    shape = (form.frames, form.rows, (form.columns + 1) // 2, 4)
    source = data.draw(words(replace(form, columns=shape[2] * 2)))[..., 0].astype(np.uint8)
    source = np.repeat(source, 2, axis=2).reshape(shape)
    handle = RedactedPixels(Held(source.tobytes()), form, what)
    made = handle.encoded()
    found = np.frombuffer(made.data, np.uint8).reshape(shape)
    black = inside(form, what)
    pairs = black[:, ::2]
    assert {(0, 0, 128, 128)} >= {tuple(p) for p in found[:, pairs].reshape(-1, 4).tolist()}
    assert np.array_equal(source[:, ~pairs], found[:, ~pairs])
    shown = handle.values()
    assert not shown[:, black].any()
    assert np.array_equal(decode(source.tobytes(), form)[:, ~black], shown[:, ~black])


@given(st.data(), st.sampled_from(GREYS))
def test_single_bits_and_packed_12_bits(data: st.DataObject, photometric: Photometric) -> None:
    """Pixels that share bytes: neighbours in the same byte stay."""
    bits = data.draw(st.sampled_from((1, 12)))
    form = replace(
        FORM,
        rows=data.draw(st.integers(1, 6)),
        columns=data.draw(st.integers(1, 7)),
        frames=data.draw(st.integers(1, 3)),
        bits_allocated=bits,
        bits_stored=bits,
        high_bit=bits - 1,
        photometric=photometric,
    )
    source, what = data.draw(words(form))[..., 0], data.draw(wanted(form))
    count = source.size
    stream = sum(int(v) << bits * n for n, v in enumerate(source.ravel()))
    raw = stream.to_bytes((count * bits + 7) // 8, "little")
    raw += bytes(len(raw) % 2)
    made = RedactedPixels(Held(raw), form, what).encoded()
    back = int.from_bytes(made.data, "little")
    found = np.array([back >> bits * n & ((1 << bits) - 1) for n in range(count)])
    found = found.reshape(source.shape)
    black = inside(form, what)
    assert len(raw) == len(made.data)
    assert {darkest(form)} >= set(found[:, black].ravel().tolist())
    assert np.array_equal(source[:, ~black], found[:, ~black])


# ── compressed ───────────────────────────────────────────────────────────────────────────────────


def compressed(values: np.ndarray, form: PixelFormat) -> bytes:
    """Frames in the encoding of the format, by the codecs' own libraries."""
    import imagecodecs  # noqa: PLC0415 - heavy
    from rle.utils import encode_pixel_data  # noqa: PLC0415 - heavy

    def one(frame: np.ndarray) -> bytes:
        if form.codec is Codec.RLE:
            told = {"rows": form.rows, "columns": form.columns, "samples_per_pixel": form.samples}
            return encode_pixel_data(
                frame.tobytes(), byteorder="<", bits_allocated=form.bits_allocated, **told
            )
        if form.codec in {Codec.JPEG_LS, Codec.JPEG_LS_NEAR}:
            return imagecodecs.jpegls_encode(frame, 0 if form.codec is Codec.JPEG_LS else 2)
        if form.codec in {Codec.JPEG_LOSSLESS, Codec.JPEG_LOSSLESS_SV1}:
            return imagecodecs.jpeg8_encode(
                frame, lossless=True, predictor=1, bitspersample=form.bits_stored
            )
        if form.codec is Codec.JPEG_BASELINE:
            return imagecodecs.jpeg8_encode(frame, 90)
        if form.codec in {Codec.HTJ2K, Codec.HTJ2K_LOSSLESS, Codec.HTJ2K_LOSSLESS_RPCL}:
            return imagecodecs.htj2k_encode(frame, reversible=True)
        lossless = form.codec is Codec.JPEG_2000_LOSSLESS
        return imagecodecs.jpeg2k_encode(
            frame,
            0 if lossless else 40,
            codecformat="J2K",
            reversible=lossless,
            mct=form.photometric in {Photometric.YBR_RCT, Photometric.YBR_ICT},
            bitspersample=form.bits_stored,
        )

    return encapsulate([bytes(one(np.ascontiguousarray(frame))) for frame in values])


def as_dataset(made: Encoded) -> Dataset:
    """What was encoded, as an object that another reader takes."""
    form = made.pixels
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(form.codec.value)
    dataset.Rows, dataset.Columns = form.rows, form.columns
    dataset.NumberOfFrames = form.frames
    dataset.SamplesPerPixel = form.samples
    dataset.BitsAllocated, dataset.BitsStored = form.bits_allocated, form.bits_stored
    dataset.HighBit, dataset.PixelRepresentation = form.high_bit, int(form.signed)
    dataset.PhotometricInterpretation = form.photometric.value
    if form.samples > 1:
        dataset.PlanarConfiguration = form.planar
    dataset.PixelData = made.data
    dataset["PixelData"].VR = "OB" if form.bits_allocated <= 8 else "OW"
    dataset["PixelData"].is_undefined_length = not form.codec.native
    return dataset


@st.composite
def compressible(draw: st.DrawFn) -> tuple[PixelFormat, np.ndarray]:
    """A picture that a lossless codec takes."""
    codec = draw(st.sampled_from(sorted(IN_KIND, key=lambda c: c.value)))
    colour = draw(st.booleans())
    bits = 8 if colour else draw(st.integers(2, 16))
    allocated = 8 if bits <= 8 else 16
    coloured = (Photometric.RGB, Photometric.YBR_FULL)
    if codec in {Codec.JPEG_2000_LOSSLESS, Codec.HTJ2K_LOSSLESS}:
        coloured = (*coloured, Photometric.YBR_RCT)
    form = replace(
        FORM,
        rows=draw(st.integers(1, 9)),
        columns=draw(st.integers(1, 9)),
        frames=draw(st.integers(1, 3)),
        samples=3 if colour else 1,
        bits_allocated=allocated,
        bits_stored=bits,
        high_bit=bits - 1,
        photometric=draw(st.sampled_from(coloured if colour else GREYS)),
        planar=0,
        codec=codec,
    )
    shape = (form.frames, form.rows, form.columns, 3)[: 4 if colour else 3]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return form, rng.integers(0, 1 << bits, shape).astype(f"u{allocated // 8}")


def elsewhere(made: Encoded) -> np.ndarray:
    """The samples as another library reads them: pydicom, or OpenJPEG where it has no reader."""
    import imagecodecs  # noqa: PLC0415 - heavy

    if made.pixels.codec not in {Codec.HTJ2K_LOSSLESS, Codec.HTJ2K_LOSSLESS_RPCL}:
        return pixel_array(as_dataset(made), raw=True)
    frames = generate_frames(made.data, number_of_frames=made.pixels.frames)
    return np.stack([imagecodecs.jpeg2k_decode(frame) for frame in frames])


@given(st.data(), compressible())
def test_lossless_is_encoded_in_kind(
    data: st.DataObject, made: tuple[PixelFormat, np.ndarray]
) -> None:
    """RLE, JPEG-LS, JPEG lossless, JPEG 2000, HTJ2K: same syntax, outside each sample as it was."""
    form, source = made
    what = data.draw(wanted(form))
    handle = RedactedPixels(Held(compressed(source, form)), form, what)
    result = handle.encoded()
    assert form == result.pixels
    # samples as stored: RGB is what a reader does not convert
    plain = form if form.samples == 1 else replace(form, photometric=Photometric.RGB)
    if form.photometric is Photometric.YBR_RCT:
        plain = form
    found = decode(result.data, plain)
    black = inside(form, what)
    dark: object = [0, 128, 128] if form.photometric is Photometric.YBR_FULL else [0, 0, 0]
    dark = darkest(form) if form.samples == 1 else dark
    assert (found[:, black] == np.array(dark)).all()
    assert np.array_equal(source[:, ~black], found[:, ~black])
    if form.codec not in {Codec.JPEG_LOSSLESS, Codec.JPEG_LOSSLESS_SV1}:
        assert np.array_equal(found, elsewhere(result).reshape(found.shape))


@pytest.mark.parametrize("codec", sorted(IN_KIND, key=lambda c: c.value))
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_signed_values_are_encoded_in_kind(codec: Codec, bits: int) -> None:
    """Negative values come back as they were, and black is the lowest of them."""
    form = replace(
        FORM, rows=6, columns=8, bits_stored=bits, high_bit=bits - 1, signed=True, codec=codec
    )
    rng = np.random.default_rng(bits)
    source = rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), (1, 6, 8)).astype(np.int16)
    word = source
    if codec not in SIGNED:
        word = (source.view(np.uint16) & ((1 << bits) - 1)).astype("u1" if bits == 8 else "u2")
    what = redaction(instance(form), (Rectangle(2, 1, 3, 2),))
    found = RedactedPixels(Held(compressed(word, form)), form, what).encoded()
    expected = source.copy()
    expected[:, 1:3, 2:5] = -(1 << (bits - 1))
    assert form == found.pixels
    assert np.array_equal(expected, decode(found.data, form))


@pytest.mark.parametrize(
    ("codec", "photometric"),
    [
        (Codec.JPEG_BASELINE, Photometric.MONOCHROME2),
        (Codec.JPEG_BASELINE, Photometric.YBR_FULL_422),
        (Codec.JPEG_LS_NEAR, Photometric.MONOCHROME1),
        (Codec.JPEG_2000, Photometric.YBR_ICT),
        (Codec.HTJ2K, Photometric.MONOCHROME2),
    ],
)
@pytest.mark.parametrize(
    "into", [Codec.EXPLICIT_LITTLE, Codec.RLE, Codec.JPEG_LS, Codec.JPEG_2000_LOSSLESS]
)
def test_the_rest_is_encoded_as_the_recipe_says(
    codec: Codec, photometric: Photometric, into: Codec
) -> None:
    """What was lossy loses nothing more: outside are the values that it decoded to."""
    colour = photometric not in GREYS
    form = replace(
        FORM,
        rows=16,
        columns=21,
        frames=2,
        samples=3 if colour else 1,
        bits_allocated=8,
        bits_stored=8,
        high_bit=7,
        photometric=photometric,
        codec=codec,
    )
    shape = (2, 16, 21, 3)[: 4 if colour else 3]
    source = np.random.default_rng(5).integers(0, 256, shape).astype(np.uint8)
    raw = compressed(source, form)
    before = decode(raw, form)
    what = redaction(instance(form), (Rectangle(3, 2, 7, 5),))
    made = RedactedPixels(Held(raw), form, what, into).encoded()
    assert into is made.pixels.codec
    assert (Photometric.RGB if colour else photometric) is made.pixels.photometric
    black = inside(form, what)
    for found in (decode(made.data, made.pixels), pixel_array(as_dataset(made))):
        dark = 0 if colour or photometric is Photometric.MONOCHROME2 else 255
        assert (found[:, black] == dark).all()
        assert np.array_equal(before[:, ~black], found[:, ~black])


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", range(2, 17))
@pytest.mark.parametrize("codec", [Codec.JPEG_LS, Codec.HTJ2K_LOSSLESS, Codec.HTJ2K_LOSSLESS_RPCL])
def test_a_stream_says_how_many_bits_are_stored(
    codec: Codec,
    bits: int,
    signed: bool,  # noqa: FBT001 - a table
) -> None:
    """The precision in the stream is Bits Stored (PS3.5 8.2), as other decoders read it too."""
    import imagecodecs  # noqa: PLC0415 - heavy

    form = replace(
        FORM, rows=40, columns=48, bits_stored=bits, high_bit=bits - 1, signed=signed, codec=codec
    )
    low = -(1 << (bits - 1)) if signed else 0
    ramp = np.linspace(low, low + (1 << bits) - 1, 40 * 48).reshape(1, 40, 48)
    source = ramp.astype(np.int16 if signed else np.uint16)
    word = source if signed and codec in SIGNED else source.view(np.uint16) & ((1 << bits) - 1)
    what = redaction(instance(form), (Rectangle(2, 1, 3, 2),))
    made = RedactedPixels(Held(compressed(word, form)), form, what).encoded()
    (frame,) = generate_frames(made.data, number_of_frames=1)
    if codec is Codec.JPEG_LS:
        said = frame[frame.index(b"\xff\xf7") + 4]
        other = imagecodecs.jpegls_decode(frame)
    else:
        said = (frame[42] & 0x7F) + 1
        assert signed is bool(frame[42] & 0x80)
        assert 2 == frame[frame.index(b"\xff\x52") + 5], "the order is RPCL"
        assert b"OpenJPH" not in frame
        other = imagecodecs.jpeg2k_decode(frame)
    assert bits == said
    expected = source[0].copy()
    expected[1:3, 2:5] = low
    mask = (1 << bits) - 1
    assert np.array_equal(expected.astype(int) & mask, other.astype(int) & mask)
    assert np.array_equal(expected, decode(made.data, form)[0])


@pytest.mark.parametrize("bits", [6, 7, 13, 14])
def test_noise_that_grows_is_lossless_all_the_same(bits: int) -> None:
    """A picture that JPEG-LS makes larger: every sample outside is as it was."""
    form = replace(
        FORM, rows=5, columns=7, bits_stored=bits, high_bit=bits - 1, codec=Codec.JPEG_LS
    )
    source = np.random.default_rng(bits).integers(0, 1 << bits, (1, 5, 7)).astype(np.uint16)
    what = redaction(instance(form), (Rectangle(2, 1, 3, 2),))
    made = RedactedPixels(Held(compressed(source, form)), form, what).encoded()
    found = decode(made.data, form)
    assert np.array_equal(source[:, ~inside(form, what)], found[:, ~inside(form, what)])


def test_a_jpeg_ls_stream_begins_with_its_frame() -> None:
    """No SPIFF, JFIF or Adobe segment says of the colour what the header may contradict."""
    for codec in (Codec.JPEG_LS, Codec.JPEG_LOSSLESS_SV1):
        form = replace(FORM, rows=4, columns=4, codec=codec)
        source = np.arange(16, dtype=np.uint16).reshape(1, 4, 4)
        what = redaction(instance(form), (Rectangle(0, 0, 1, 1),))
        made = RedactedPixels(Held(compressed(source, form)), form, what).encoded()
        start = made.data.index(b"\xff\xd8")
        assert made.data[start + 3] in {0xF7, 0xC3}, codec
        assert made.data[start + 2] == 0xFF


# ── what black is ────────────────────────────────────────────────────────────────────────────────


@given(st.permutations(range(6)), st.integers(0, 3), st.booleans())
def test_black_of_a_palette_is_its_darkest_colour(
    order: list[int],
    first: int,
    deep: bool,  # noqa: FBT001 - drawn
) -> None:
    """PALETTE COLOR: the index that is shown darkest, whatever stands at 0."""
    bits = 16 if deep else 8
    steps = tuple(v * (9000 if deep else 40) for v in order)
    palette = tuple(Lut(first, bits, steps) for _ in range(3))
    form = replace(
        FORM, bits_allocated=8, bits_stored=8, high_bit=7, photometric=Photometric.PALETTE
    )
    what = redaction(instance(form, palette=palette), (Rectangle(0, 0, 2, 2),))
    assert first + order.index(0) == what.black
    source = np.full((1, 5, 4), first + order.index(5), np.uint8)
    shown = resolved(RedactedPixels(Held(source.tobytes()), form, what).values(), palette)
    assert not shown[:, :2, :2].any()
    assert shown[:, 2:].all()


@pytest.mark.parametrize("photometric", GREYS)
@pytest.mark.parametrize("inverse", [None, True, False])
@pytest.mark.parametrize("slope", [2.0, -2.0])
def test_black_is_what_is_shown_black(
    photometric: Photometric,
    inverse: bool | None,  # noqa: FBT001 - one of the cases
    slope: float,
) -> None:
    """Presentation LUT Shape goes before the photometric; a falling slope turns the scale."""
    form = replace(FORM, photometric=photometric, bits_stored=12, high_bit=11)
    frame = FrameFacts(0, 0, slope=slope, display=Display(inverse=inverse))
    what = redaction(InstanceFacts(form, (frame,)), (Rectangle(0, 0, 1, 1),))
    dark_is_high = photometric is Photometric.MONOCHROME1 if inverse is None else inverse
    assert (4095 if dark_is_high ^ (slope < 0) else 0) == what.black


def test_black_through_a_falling_table() -> None:
    """A VOI LUT or Modality LUT that falls turns the scale around, two of them turn it back."""
    falling = Lut(0, 8, (255, 128, 0))
    for tables, black in (({"voi"}, 65535), ({"modality"}, 65535), ({"voi", "modality"}, 0)):
        shown = instance(FORM, **dict.fromkeys(tables, falling))
        assert black == redaction(shown, (Rectangle(0, 0, 1, 1),)).black


# ── refused ──────────────────────────────────────────────────────────────────────────────────────


@given(
    st.tuples(*(st.integers(-3, 9) for _ in range(4))).map(lambda t: Rectangle(*t)),
    st.booleans(),
)
def test_a_rectangle_outside_is_refused_by_name(
    part: Rectangle,
    keeps: bool,  # noqa: FBT001 - drawn
) -> None:
    """Empty, negative, or one pixel beyond the image: nothing is blanked in its place."""
    fits = part.left >= 0 and part.top >= 0 and part.width > 0 and part.height > 0
    assume(not (fits and part.left + part.width <= 4 and part.top + part.height <= 5))
    what = redaction(instance(FORM), () if keeps else (part,), (part,) if keeps else None)
    handle = RedactedPixels(Held(bytes(40)), FORM, what)
    for ask in (handle.values, handle.encoded):
        with pytest.raises(Refusal) as refused:
            ask()
        assert Reason.REDACTION_OUTSIDE is refused.value.reason


@pytest.mark.parametrize(
    "form",
    [
        replace(FORM, held_in=PixelType.FLOAT, bits_allocated=32, bits_stored=32, high_bit=31),
        replace(FORM, photometric=Photometric.PALETTE),
        replace(FORM, bits_stored=0),
    ],
)
def test_pixels_without_a_black_are_refused(form: PixelFormat) -> None:
    """Floats, a palette that is not there, no bits."""
    with pytest.raises(Refusal) as refused:
        redaction(instance(form), (Rectangle(0, 0, 1, 1),))
    assert Reason.UNSUPPORTED_PIXELS is refused.value.reason


def test_frames_shown_in_opposite_ways_are_refused() -> None:
    """No one value is black in all of them."""
    frames = (FrameFacts(0, 0, slope=1.0), FrameFacts(0, 1, slope=-1.0))
    form = replace(FORM, frames=2)
    with pytest.raises(Refusal) as refused:
        redaction(InstanceFacts(form, frames), (Rectangle(0, 0, 1, 1),))
    assert Reason.UNSUPPORTED_PIXELS is refused.value.reason


def test_the_handle_gives_no_byte_of_its_source() -> None:
    """Whoever reads the handle as if nothing had happened gets nothing."""
    what = redaction(instance(FORM), (Rectangle(0, 0, 1, 1),))
    handle = RedactedPixels(Held(b"Quisling" * 5), FORM, what)
    assert not {"chunks", "form"} & set(dir(handle))  # by which a writer would pass it on
    with pytest.raises(TypeError, match="blanked"):
        handle.read()
    out = io.StringIO()
    print(handle, handle.encoded(), file=out)
    assert "Quisling" not in out.getvalue()
