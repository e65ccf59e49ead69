"""8-bit pictures: the header's own window, its formulas to the letter, inverted once or never."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import apply_voi_lut

from cohortkit.errors import Refusal
from cohortkit.model import Display, Frames, Lut, Photometric, Reason, VoiFunction
from cohortkit.pixels.render import Shade, looked_up, pictures, resolved, windowed

FUNCTIONS = tuple(VoiFunction)


def frames(
    values: NDArray[np.generic],
    display: Display | None = None,
    photometric: Photometric = Photometric.MONOCHROME2,
    **more: object,
) -> Frames:
    """Frames of stored values, 12 bits unless told otherwise."""
    stored = np.atleast_3d(values) if values.ndim == 3 else np.asarray(values)[np.newaxis]
    count = len(stored)
    made = Frames(
        values=stored,
        photometric=photometric,
        instance=0,
        slopes=(1.0,) * count,
        intercepts=(0.0,) * count,
        bits_stored=12,
        signed=False,
        displays=(display or Display(),) * count,
    )
    return replace(made, **more)


def grey(made: Frames, window: tuple[float, float] | None = None) -> NDArray[np.uint8]:
    """The first picture."""
    return next(pictures(made, window))[0]


def standard(x: float, center: float, width: float, function: VoiFunction) -> float:
    """PS3.3 C.11.2.1.2.1 and C.11.2.1.3, word for word, for 0 to 255."""
    low, high = 0.0, 255.0
    if function is VoiFunction.SIGMOID:
        return (high - low) / (1 + math.exp(-4 * (x - center) / width)) + low
    if function is VoiFunction.LINEAR:
        first, last = center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2
    else:
        first, last = center - width / 2, center + width / 2
    if x <= first:
        return low
    if x > last:
        return high
    if function is VoiFunction.LINEAR:
        return ((x - (center - 0.5)) / (width - 1) + 0.5) * (high - low) + low
    return (x - center) / width * (high - low) + (high - low) / 2 + low


@given(
    st.integers(-4000, 4000),
    st.floats(-2000, 2000),
    st.floats(1, 5000),
    st.sampled_from(FUNCTIONS),
)
def test_windows_are_the_standards(
    x: int, center: float, width: float, function: VoiFunction
) -> None:
    """Every window function gives what its formula in the standard says."""
    got = windowed(np.array([float(x)]), center, width, function)[0]

    power = -4 * (x - center) / width
    if function is VoiFunction.SIGMOID and power > 700:
        assert got == pytest.approx(0, abs=1e-6)
        return
    wanted = standard(x, center, width, function)
    near_a_step = width - 1 < 1e-6 and abs(x - (center - 0.5)) < 1e-3
    assert near_a_step or got == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("center", "width", "function", "table"),
    [
        # PS3.3 C.11.2.1.2.1, its own examples for an 8-bit output
        (2048, 4096, VoiFunction.LINEAR, {0: 0, 4095: 255}),
        (2048, 1, VoiFunction.LINEAR, {2047: 0, 2048: 255}),
        (0, 100, VoiFunction.LINEAR, {-50: 0, 49: 255}),
        (0, 1, VoiFunction.LINEAR, {-1: 0, 0: 255}),
        (0, 100, VoiFunction.LINEAR_EXACT, {-50: 0, 50: 255, 0: 127.5}),
    ],
)
def test_the_standards_own_examples(
    center: float, width: float, function: VoiFunction, table: dict[int, float]
) -> None:
    """The worked examples of the standard come out."""
    got = windowed(np.array(list(table), float), center, width, function)

    assert got.tolist() == pytest.approx(list(table.values()))


@given(
    st.lists(st.integers(0, 4095), min_size=1, max_size=30),
    st.floats(-500, 4500),
    st.floats(1.5, 5000),
    st.sampled_from(FUNCTIONS),
)
def test_pydicom_renders_the_same(
    stored: list[int], center: float, width: float, function: VoiFunction
) -> None:
    """An independent implementation agrees within rounding."""
    values = np.array([stored], np.uint16)
    header = Dataset()
    header.PhotometricInterpretation = "MONOCHROME2"
    header.PixelRepresentation, header.BitsStored = 0, 12
    header.WindowCenter, header.WindowWidth = f"{center:.6f}", f"{width:.6f}"
    header.VOILUTFunction = str(function)
    display = Display(window=(float(f"{center:.6f}"), float(f"{width:.6f}")), function=function)

    with np.errstate(over="ignore"):
        theirs = apply_voi_lut(values, header) * 255 / 4095

    assert np.abs(grey(frames(values, display)).astype(float) - theirs).max() <= 0.5 + 1e-6


POLARITIES = [
    (Photometric.MONOCHROME2, None, False),
    (Photometric.MONOCHROME2, False, False),
    (Photometric.MONOCHROME2, True, True),
    (Photometric.MONOCHROME1, None, True),
    (Photometric.MONOCHROME1, True, True),
    (Photometric.MONOCHROME1, False, False),
]


@pytest.mark.parametrize(("photometric", "inverse", "inverted"), POLARITIES)
def test_inverted_once_or_never(
    photometric: Photometric,
    inverse: bool | None,  # noqa: FBT001 - a row of the table
    inverted: bool,  # noqa: FBT001 - the same
) -> None:
    """Presentation LUT Shape decides; MONOCHROME1 only where it is absent; never both."""
    values = np.array([[0, 4095]], np.uint16)
    display = Display(window=(2048, 4096), inverse=inverse)

    picture, shown = next(pictures(frames(values, display, photometric)))

    assert picture.tolist() == ([[255, 0]] if inverted else [[0, 255]])
    assert shown.inverted is inverted


def test_lut_before_window_before_percentiles() -> None:
    """The first VOI LUT wins over a window, a window over the series, and a caller over all."""
    values = np.array([[0, 1000]], np.uint16)
    lut = Lut(first=0, bits=8, values=(7, 9))
    both = frames(values, Display(window=(500, 1000), voi=lut), limits=lambda: (0.0, 1.0))

    used = [
        next(pictures(made, window))[1].shade
        for made, window in (
            (both, None),
            (replace(both, displays=(Display(window=(500, 1000)),)), None),
            (replace(both, displays=(Display(),)), None),
            (both, (40.0, 400.0)),
        )
    ]

    assert used == [Shade.LUT, Shade.HEADER, Shade.SERIES, Shade.GIVEN]
    assert grey(both).tolist() == [[7, 9]]


def test_without_a_window_the_series_decides() -> None:
    """Two images between the same limits compare; neither is stretched to its own range."""
    limits = lambda: (0.0, 1000.0)  # noqa: E731 - a stand-in
    dark = grey(frames(np.full((2, 2), 200, np.uint16), limits=limits))
    bright = grey(frames(np.full((2, 2), 800, np.uint16), limits=limits))

    assert (dark[0, 0], bright[0, 0]) == (51, 204)


def test_without_limits_it_is_refused() -> None:
    """No window and no limits of a series: refused, never guessed from the image."""
    with pytest.raises(Refusal) as caught:
        grey(frames(np.zeros((2, 2), np.uint16)))

    assert caught.value.reason is Reason.UNSUPPORTED_PIXELS


@given(st.integers(1, 16), st.data())
def test_table_and_formula_agree(bits: int, data: st.DataObject) -> None:
    """The look-up table that makes it fast gives what pixel by pixel gives."""
    signed = data.draw(st.booleans())
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    few = data.draw(st.lists(st.integers(low, high), min_size=1, max_size=9))
    one = np.array([few], np.int16 if signed else np.uint16)
    many = np.tile(one, (1 + (1 << bits) // len(few), 1))
    shared = {
        "display": Display(window=(float(low + high) / 2, float(high - low + 1))),
        "bits_stored": bits,
        "signed": signed,
        "slopes": (0.5,),
        "intercepts": (-3.0,),
    }

    slow, fast = grey(frames(one, **shared)), grey(frames(many, **shared))

    np.testing.assert_array_equal(fast[:1], slow)


def test_modality_lut_stands_for_slope() -> None:
    """A Modality LUT maps stored values before the window; beyond its ends its ends."""
    lut = Lut(first=2, bits=8, values=(10, 20, 200))
    display = Display(modality=lut, window=(128.0, 256.0))
    values = np.array([[0, 2, 3, 4, 4095]], np.uint16)

    assert grey(frames(values, display)).tolist() == [[10, 10, 20, 200, 200]]


@given(st.integers(-300, 300), st.lists(st.integers(0, 255), min_size=1, max_size=20), st.data())
def test_table_lookup_clamps(first: int, entries: list[int], data: st.DataObject) -> None:
    """Below the first input the first entry, beyond the last the last (C.11.2.1.1)."""
    lut = Lut(first=first, bits=8, values=tuple(entries))
    x = data.draw(st.integers(-1000, 1000))

    wanted = entries[min(max(x - first, 0), len(entries) - 1)]
    assert looked_up(np.array([x]), lut).tolist() == [wanted]


def test_frames_have_their_own_windows() -> None:
    """Each frame of a multi-frame is shown by its own slope and window."""
    values = np.full((2, 1, 1), 100, np.uint16)
    made = replace(
        frames(values),
        values=values,
        slopes=(1.0, 2.0),
        intercepts=(0.0, 0.0),
        displays=(Display(window=(100.5, 201)), Display(window=(100.5, 201))),
    )

    assert [picture.item() for picture, _ in pictures(made)] == [128, 255]


def test_nothing_that_is_no_number_breaks_a_picture() -> None:
    """NaN is black; infinities are the ends."""
    values = np.array([[np.nan, -np.inf, np.inf, 0.5]], np.float32)
    display = Display(window=(0.5, 1.0), function=VoiFunction.LINEAR_EXACT)

    made = frames(values, display, bits_stored=32)

    assert grey(made).tolist() == [[0, 0, 255, 128]]


def test_colour_passes() -> None:
    """RGB of 8 bits is as it was, of 16 its high bytes; nothing is windowed or inverted."""
    eight = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    made = replace(
        frames(eight[0, ..., 0]), values=eight, photometric=Photometric.RGB, bits_stored=8
    )
    wide = replace(made, values=eight.astype(np.uint16) << 8, bits_stored=16)

    for one in (made, wide):
        picture, shown = next(pictures(one, (40.0, 400.0)))
        np.testing.assert_array_equal(picture, eight[0])
        assert shown.shade is Shade.COLOUR


@pytest.mark.parametrize(("bits", "shift"), [(8, 0), (16, 8)])
def test_palette(bits: int, shift: int) -> None:
    """Indices become the palette's colours; beyond its ends its ends."""
    palette = tuple(
        Lut(first=10, bits=bits, values=tuple(v << shift for v in entries))
        for entries in ((255, 0, 0), (0, 255, 0), (0, 0, 255))
    )
    indices = np.array([[0, 10, 11, 12, 200]], np.uint8)

    got = resolved(indices, palette)  # type: ignore[arg-type]  # three of them

    red, green, blue = [255, 0, 0], [0, 255, 0], [0, 0, 255]
    assert got.tolist() == [[red, red, green, blue, blue]]


def test_palette_that_says_16_bits_and_holds_8() -> None:
    """A common fault: entries of 8 bits under a descriptor of 16 are not shifted to black."""
    lut = Lut(first=0, bits=16, values=(0, 128, 255))

    got = resolved(np.array([[0, 1, 2]], np.uint8), (lut, lut, lut))

    assert got[0, :, 0].tolist() == [0, 128, 255]
