"""Stored values: equal to pydicom's where it has a decoder, refused by name where they lie."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from rle.utils import encode_array

from cohortkit.errors import Refusal
from cohortkit.geometry.facts import read_facts
from cohortkit.model import Codec, Photometric, PixelFormat, Reason
from cohortkit.model.facts import PixelType
from cohortkit.pixels.decode import decode, missing
from grids import FORM
from released import split

NAMES = (
    "CT_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "693_J2KI.dcm",
    "JPEG2000.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "JPEGLSNearLossless_16.dcm",
    "JPEGLSNearLossless_08.dcm",
    "liver_1frame.dcm",
    "liver_expb.dcm",
    "image_dfl.dcm",
    "rtdose.dcm",
    "rtdose_rle.dcm",
    "emri_small_RLE.dcm",
    "emri_small_jpeg_2k_lossless.dcm",
    "SC_rgb.dcm",
    "SC_rgb_2frame.dcm",
    "SC_rgb_16bit.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_rle_16bit.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_small_odd.dcm",
    "SC_ybr_full_uncompressed.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "US1_J2KR.dcm",
)


def read(path: str | Path) -> tuple[bytes, PixelFormat, np.ndarray]:
    """The pixel bytes, our format, and pydicom's array with a frame axis."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        expected = pydicom.pixels.pixel_array(dataset)
    header, held = split(dataset)
    assert held is not None
    (one,) = read_facts([header]).instances
    assert one.pixels is not None
    return held.data, one.pixels, expected if one.pixels.frames > 1 else expected[np.newaxis]


@pytest.mark.parametrize("name", NAMES)
def test_as_pydicom_reads_it(name: str) -> None:
    """Real files in every encoding: shape and each value, colour as RGB."""
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.fail(f"pydicom's wheel has no {name}")
    data, pixels, expected = read(path)
    found = decode(data, pixels)
    assert expected.shape == found.shape
    close = 1 if pixels.photometric is Photometric.YBR_FULL_422 else 0
    assert int(np.abs(found.astype(float) - expected).max()) <= close


@pytest.mark.data
def test_one_image_in_seven_transfer_syntaxes(shared_data: Path) -> None:
    """Whatever the codec, the values are those of the native file."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted((shared_data / "dcm_qa_ts" / "In").iterdir()):
            header, held = split(pydicom.dcmread(path))
            (one,) = read_facts([header]).instances
            assert one.pixels is not None
            assert held is not None
            found.append((one.pixels.codec, decode(held.data, one.pixels)))
    assert len({codec for codec, _ in found}) == 7
    for _, values in found[1:]:
        assert np.array_equal(found[0][1], values)


@pytest.mark.data
def test_lossy_twins_stay_near_the_lossless_one(shared_data: Path) -> None:
    """12-bit JPEG, which pydicom cannot read here, and near-lossless JPEG-LS."""
    folder = shared_data / "dicomParser" / "testImages" / "encapsulated" / "multi-frame"
    values = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted(folder.glob("CT0012*")):
            header, held = split(pydicom.dcmread(path))
            (one,) = read_facts([header]).instances
            assert one.pixels is not None
            assert held is not None
            values[path.name] = decode(held.data, one.pixels).astype(int)
    exact = values["CT0012.explicit_little_endian.dcm"]
    worst = {name: int(np.abs(one - exact).max()) for name, one in values.items()}
    assert {"CT0012.fragmented_no_bot_jpeg_baseline.51.dcm"} < {n for n, w in worst.items() if w}
    assert len([n for n, w in worst.items() if w]) == 2
    # its encoder raised every value, and GDCM reads the same: 1010 to 2223
    raised = values["CT0012.fragmented_no_bot_jpeg_baseline.51.dcm"]
    assert (1010, 2223) == (int(raised.min()), int(raised.max()))
    assert float(np.abs(raised - exact - np.median(raised - exact)).mean()) < 2


@given(
    st.integers(1, 16).flatmap(lambda stored: st.tuples(st.just(stored), st.integers(stored, 16))),
    st.booleans(),
    st.lists(st.integers(0, 0xFFFF), min_size=20, max_size=20),
)
def test_bits_outside_the_stored_ones_are_masked(
    bits: tuple[int, int],
    signed: bool,  # noqa: FBT001 - drawn
    words: list[int],
) -> None:
    """Overlays and noise above High Bit and below the value change nothing."""
    stored, top = bits
    form = replace(FORM, bits_stored=stored, high_bit=top - 1, signed=signed)
    found = decode(np.array(words, "<u2").tobytes(), form).ravel().tolist()
    values = [word >> (top - stored) & ((1 << stored) - 1) for word in words]
    if signed:
        values = [v - (1 << stored) if v >> (stored - 1) else v for v in values]
    assert values == found


@given(st.lists(st.integers(0, 0xFFF), min_size=20, max_size=20))
def test_packed_12_bits(values: list[int]) -> None:
    """Two pixels in three bytes come out as they went in."""
    stream = sum(value << 12 * n for n, value in enumerate(values))
    form = replace(FORM, bits_allocated=12, bits_stored=12, high_bit=11)
    assert values == decode(stream.to_bytes(30, "little"), form).ravel().tolist()


@given(st.lists(st.booleans(), min_size=40, max_size=40))
def test_packed_single_bits(values: list[bool]) -> None:
    """Frames of single bits follow each other without padding."""
    stream = sum(value << n for n, value in enumerate(values))
    form = replace(FORM, frames=2, bits_allocated=1, bits_stored=1, high_bit=0)
    found = decode(stream.to_bytes(5, "little") + b"\0", form)
    assert (2, 5, 4) == found.shape
    assert values == found.ravel().astype(bool).tolist()


@pytest.mark.parametrize("length", [0, 1, 38, 39, 41, 42, 80])
def test_native_length_must_be_the_header_s(length: int) -> None:
    """Shorter or longer than said is refused, but for nothing at all."""
    with pytest.raises(Refusal) as caught:
        decode(bytes(length), FORM)
    assert Reason.PIXEL_LENGTH is caught.value.reason


def test_the_pad_byte_is_no_excess() -> None:
    """An odd number of bytes is padded to an even one (PS3.5 8.1.1)."""
    form = replace(FORM, rows=5, columns=3, bits_allocated=8, bits_stored=8, high_bit=7)
    assert (1, 5, 3) == decode(bytes(16), form).shape


def test_htj2k() -> None:
    """High-throughput JPEG 2000, where its decoder is there."""
    import imagecodecs  # noqa: PLC0415 - heavy

    data = imagecodecs.htj2k_encode(PICTURE)
    form = replace(FORM, rows=33, columns=48, codec=Codec.HTJ2K_LOSSLESS)
    assert np.array_equal(PICTURE[np.newaxis], decode(encapsulate([bytes(data)]), form))


def encoded(values: np.ndarray, codec: Codec) -> tuple[bytes, PixelFormat]:
    import imagecodecs  # noqa: PLC0415 - heavy

    encode = {
        Codec.JPEG_LS: imagecodecs.jpegls_encode,
        Codec.JPEG_2000_LOSSLESS: imagecodecs.jpeg2k_encode,
        Codec.JPEG_LOSSLESS_SV1: imagecodecs.ljpeg_encode,
    }[codec]
    rows, columns = values.shape
    data = encode(values, codecformat="J2K") if codec is Codec.JPEG_2000_LOSSLESS else (
        encode(values, bitspersample=16) if codec is Codec.JPEG_LOSSLESS_SV1 else encode(values)
    )  # fmt: skip
    form = replace(FORM, rows=rows, columns=columns, codec=codec)
    return bytes(data), form


CODECS = (Codec.JPEG_LS, Codec.JPEG_2000_LOSSLESS, Codec.JPEG_LOSSLESS_SV1)
PICTURE = np.random.default_rng(5).integers(0, 65536, (33, 48), dtype=np.uint16)


@pytest.mark.parametrize("codec", CODECS)
def test_lossless_codecs_give_back_every_value(codec: Codec) -> None:
    """All 16 bits, at a size that is no multiple of a block."""
    data, form = encoded(PICTURE, codec)
    found = decode(encapsulate([data]), form)
    assert np.array_equal(PICTURE[np.newaxis], found)


@pytest.mark.parametrize("codec", CODECS)
def test_a_codestream_that_lies_about_its_size(codec: Codec) -> None:
    """Rows and columns of the stream must be the header's; read before memory is taken."""
    data, form = encoded(PICTURE, codec)
    with pytest.raises(Refusal) as caught:
        decode(encapsulate([data]), replace(form, rows=32))
    assert Reason.DECODE_FAILED is caught.value.reason


@pytest.mark.parametrize("codec", [*CODECS, Codec.RLE, Codec.JPEG_BASELINE, Codec.HTJ2K])
@given(noise=st.binary(min_size=2, max_size=64))
def test_noise_is_refused_and_crashes_nothing(codec: Codec, noise: bytes) -> None:
    """Whatever bytes stand there: a Refusal of ours, no foreign exception."""
    form = replace(FORM, codec=codec)
    with pytest.raises(Refusal) as caught:
        decode(encapsulate([noise + b"\0" * (len(noise) % 2)]), form)
    assert caught.value.reason in {Reason.DECODE_FAILED, Reason.PIXEL_LENGTH}
    with pytest.raises(Refusal):
        decode(noise, form)


@st.composite
def frames_in_rle(draw: st.DrawFn) -> tuple[NDArray[np.integer], bytes, PixelFormat]:
    """A picture of one or three samples in 8, 16 or 32 bits, and pylibjpeg-rle's frame of it."""
    samples = draw(st.sampled_from([1, 3]))
    bits = draw(st.sampled_from([8, 16, 32] if samples == 1 else [8, 16]))
    rows, columns = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    shape = (rows, columns) if samples == 1 else (rows, columns, samples)
    most = draw(st.sampled_from([2, 300, 1 << bits]))
    values = np.random.default_rng(draw(st.integers(0, 999))).integers(0, most, shape)
    values = (values % (1 << bits)).astype(f"u{bits // 8}")
    kind = Photometric.MONOCHROME2 if samples == 1 else Photometric.RGB
    form = replace(FORM, rows=rows, columns=columns, samples=samples, photometric=kind)
    form = replace(form, bits_allocated=bits, bits_stored=bits, high_bit=bits - 1, codec=Codec.RLE)
    (frame,) = encode_array(
        values,
        rows=rows,
        columns=columns,
        bits_allocated=bits,
        samples_per_pixel=samples,
        number_of_frames=1,
    )
    return values, bytes(frame), form


@given(frames_in_rle(), st.integers(0, 5))
def test_rle_gives_back_every_value(
    frame: tuple[NDArray[np.integer], bytes, PixelFormat], behind: int
) -> None:
    """Also where more bytes follow than the one that makes a segment even."""
    values, data, form = frame

    found = decode(encapsulate([data + b"\0" * behind]), form)

    assert found.dtype == values.dtype
    assert np.array_equal(values[np.newaxis], found)


@given(frames_in_rle(), st.data())
def test_damaged_rle_is_another_picture_or_refused(
    frame: tuple[NDArray[np.integer], bytes, PixelFormat], chance: st.DataObject
) -> None:
    """A Refusal, and no exception of a decoder: some derive from what nobody catches."""
    values, data, form = frame
    damaged = bytearray(data[: chance.draw(st.integers(1, len(data)))])
    damaged[chance.draw(st.integers(0, len(damaged) - 1))] ^= 1 << chance.draw(st.integers(0, 7))
    shape, reason = (1, *values.shape), None
    try:
        shape = decode(encapsulate([bytes(damaged)]), form).shape
    except Refusal as refusal:
        reason = refusal.reason

    assert reason in {None, Reason.DECODE_FAILED, Reason.PIXEL_LENGTH}
    assert shape == (1, *values.shape)


@pytest.mark.parametrize("count", [1, 3])
def test_another_number_of_frames_is_refused(count: int) -> None:
    """Two frames said, one or three found."""
    data, form = encoded(PICTURE, Codec.JPEG_LS)
    with pytest.raises(Refusal) as caught:
        decode(encapsulate([data] * count), replace(form, frames=2))
    assert Reason.PIXEL_LENGTH is caught.value.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rows": 0}, Reason.UNSUPPORTED_PIXELS),
        ({"frames": 0}, Reason.UNSUPPORTED_PIXELS),
        ({"bits_allocated": 24}, Reason.UNSUPPORTED_PIXELS),
        ({"bits_stored": 17}, Reason.UNSUPPORTED_PIXELS),
        ({"high_bit": 16}, Reason.UNSUPPORTED_PIXELS),
        ({"high_bit": 3}, Reason.UNSUPPORTED_PIXELS),
        ({"samples": 3}, Reason.UNSUPPORTED_PIXELS),
        ({"samples": 2}, Reason.UNSUPPORTED_PIXELS),
        ({"photometric": Photometric.OTHER}, Reason.UNSUPPORTED_PIXELS),
        ({"held_in": PixelType.FLOAT}, Reason.UNSUPPORTED_PIXELS),
        ({"rows": 65535, "columns": 65535, "frames": 9}, Reason.TOO_LARGE),
        ({"frames": 1 << 40}, Reason.TOO_LARGE),
        ({"codec": Codec.OTHER}, Reason.NO_DECODER),
    ],
)
def test_what_cannot_be_is_refused_from_the_header(
    changes: dict[str, object], reason: Reason
) -> None:
    """Before a byte is looked at."""
    with pytest.raises(Refusal) as caught:
        decode(b"", replace(FORM, **changes))  # type: ignore[arg-type]  # any fields
    assert reason is caught.value.reason


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
def test_floats_come_as_they_are(kind: str) -> None:
    """Float and double float pixel data, NaN and all."""
    values = np.linspace(-1, 1, 20).astype(kind)
    values[3] = np.nan
    bits = values.itemsize * 8
    held = PixelType.FLOAT if bits == 32 else PixelType.DOUBLE
    form = replace(FORM, held_in=held, bits_allocated=bits, bits_stored=bits, high_bit=bits - 1)
    assert values.tobytes() == decode(values.tobytes(), form).tobytes()


def test_what_is_missing_is_said() -> None:
    """Every known codec is there in this environment; an unknown one is told in words."""
    assert [] == [codec for codec in Codec if codec is not Codec.OTHER and missing(codec)]
    assert missing(Codec.OTHER)
