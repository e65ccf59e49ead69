"""PNG files: exact values, honest sidecars, names that tell nothing."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cohortkit.errors import Refusal, TaskFailure, UsageError
from cohortkit.model import (
    DeidentifiedSeries,
    Display,
    Frames,
    Lut,
    PayloadKind,
    Photometric,
    Reason,
    Volume,
)
from cohortkit.payloads.frames import assemble
from cohortkit.writers import png as room
from cohortkit.writers import writer
from cohortkit.writers.png import Png, exact
from released import chest, release


@pytest.fixture(scope="module")
def series() -> DeidentifiedSeries:
    """A small CT as it may leave."""
    return release(chest(2))


def frames(values: NDArray[Any], **more: Any) -> Frames:  # noqa: ANN401 - any field
    """Frames of one picture, or of several."""
    stored = values[np.newaxis] if values.ndim == 2 else values
    made = Frames(
        values=stored,
        photometric=Photometric.MONOCHROME2,
        instance=0,
        slopes=(1.0,) * len(stored),
        intercepts=(0.0,) * len(stored),
        bits_stored=stored.dtype.itemsize * 8,
        signed=stored.dtype.kind == "i",
    )
    return replace(made, **more)


def written(
    folder: Path, made: Frames, series: DeidentifiedSeries, to: Png
) -> tuple[list[NDArray[Any]], dict[str, Any]]:
    """The pictures on disk and the sidecar."""
    artifacts = to.write(made, series, folder, "rstem")
    pictures = [
        imagecodecs.png_decode((folder / one.path).read_bytes())
        for one in artifacts
        if one.role == "image"
    ]
    (about,) = [one for one in artifacts if one.role == "sidecar"]
    return pictures, json.loads((folder / about.path).read_text("ascii"))


STORED = st.sampled_from([(np.uint8, 8), (np.uint16, 12), (np.uint16, 16), (np.int16, 12)])


@given(STORED, st.integers(-3000, 3000), st.sampled_from([1.0, 2.0, 0.5, -1.0]), st.data())
def test_16_bits_are_exact(
    kind: tuple[type, int], intercept: int, slope: float, data: st.DataObject
) -> None:
    """Modality value = PNG value * Slope + Offset, for every stored value there can be."""
    dtype, bits = kind
    signed = np.dtype(dtype).kind == "i"
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    few = data.draw(st.lists(st.integers(low, high), min_size=1, max_size=20))
    stored = np.array([[*few, low, high]], dtype)
    made = frames(stored, bits_stored=bits, slopes=(slope,), intercepts=(float(intercept),))

    ((picture, note),) = exact(made)

    assert picture.dtype == np.uint16
    assert note.stored_offset is not None
    np.testing.assert_array_equal(picture.astype(int) + note.stored_offset, stored)
    np.testing.assert_array_equal(
        picture * note.slope + note.offset, stored.astype(float) * slope + intercept
    )


def test_files_say_what_they_are(series: DeidentifiedSeries, tmp_path: Path) -> None:
    """Values from the file and the sidecar are Hounsfield units; nothing else is needed."""
    (made, _) = assemble(series)
    assert isinstance(made, Frames)

    (picture,), about = written(tmp_path, made, series, Png(bits=16))

    hounsfield = picture * about["Slope"] + about["Offset"]
    np.testing.assert_array_equal(hounsfield, made.values[0].astype(int) - 1024)
    assert about["PixelSpacing"] == [0.8, 0.7]
    assert about["LowValuesAreBright"] is False
    assert about["PhotometricInterpretation"] == "MONOCHROME2"
    assert about["PatientIdentityRemoved"] == "YES"
    assert about["DeidentificationRecipe"] == "basic"
    assert {code["CodeValue"] for code in about["DeidentificationMethodCodeSequence"]} == {"113100"}


def test_16_bits_are_not_inverted(series: DeidentifiedSeries, tmp_path: Path) -> None:
    """MONOCHROME1 keeps its values; the sidecar says that low is bright."""
    stored = np.array([[0, 4095]], np.uint16)
    made = frames(stored, photometric=Photometric.MONOCHROME1, bits_stored=12)

    (picture,), about = written(tmp_path, made, series, Png(bits=16))

    assert picture.tolist() == [[0, 4095]]
    assert about["LowValuesAreBright"] is True
    assert about["PhotometricInterpretation"] == "MONOCHROME1"


def test_8_bits_say_their_window(series: DeidentifiedSeries, tmp_path: Path) -> None:
    """The window that was used is in the sidecar, and what was inverted is not called so again."""
    stored = np.array([[0, 4095]], np.uint16)
    made = frames(
        stored,
        photometric=Photometric.MONOCHROME1,
        bits_stored=12,
        displays=(Display(window=(2048.0, 4096.0)),),
    )

    (picture,), about = written(tmp_path, made, series, Png(bits=8))

    assert picture.tolist() == [[255, 0]]
    wanted = {
        "GreyBy": "header window",
        "WindowCenter": 2048.0,
        "WindowWidth": 4096.0,
        "VOILUTFunction": "LINEAR",
        "Inverted": True,
        "PhotometricInterpretation": "MONOCHROME2",
        "Bits": 8,
    }
    assert {key: about[key] for key in wanted} == wanted
    assert "Offset" not in about


def test_modality_lut_is_applied_in_16_bits(series: DeidentifiedSeries, tmp_path: Path) -> None:
    """Where a table makes the modality values, they are what is written."""
    display = Display(modality=Lut(first=1, bits=16, values=(500, 60000)))
    made = frames(np.array([[0, 1, 2, 9]], np.uint16), bits_stored=12, displays=(display,))

    (picture,), about = written(tmp_path, made, series, Png(bits=16))

    assert picture.tolist() == [[500, 500, 60000, 60000]]
    assert (about["Slope"], about["Offset"]) == (1.0, 0.0)
    assert "StoredOffset" not in about


def test_padding_is_in_the_units_of_the_file(series: DeidentifiedSeries, tmp_path: Path) -> None:
    """Padding can be masked by comparing with the PNG's own numbers."""
    made = frames(np.array([[-2000, 5]], np.int16), padding=-2000)

    (picture,), about = written(tmp_path, made, series, Png())

    assert about["Padding"] == [picture[0, 0], picture[0, 0]]


@pytest.mark.parametrize(
    "values",
    [
        np.array([[0, 1 << 16]], np.uint32),
        np.array([[-1, 40000]], np.int32),
        np.array([[0.5]], np.float32),
        np.array([[np.nan]], np.float32),
        np.array([[np.inf]], np.float64),
        np.array([[1e20]], np.float64),
    ],
)
def test_what_16_bits_cannot_hold_is_refused(
    values: NDArray[Any], series: DeidentifiedSeries, tmp_path: Path
) -> None:
    """Never rounded, never clipped: refused by name, and nothing is on the disk."""
    with pytest.raises(Refusal) as caught:
        Png(bits=16).write(frames(values), series, tmp_path, "rstem")

    assert caught.value.reason is Reason.VALUES_OUT_OF_RANGE
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "values",
    [
        np.array([[0, 65535]], np.uint32),
        np.array([[-32768, 32767]], np.int32),
        np.array([[3.0, 40000.0]], np.float32),
    ],
)
def test_wide_types_that_hold_small_whole_numbers(values: NDArray[Any]) -> None:
    """32-bit and float values are exact where they are whole and fit."""
    ((picture, note),) = exact(frames(values))

    np.testing.assert_array_equal(picture * note.slope + note.offset, values.astype(float))


def test_names(series: DeidentifiedSeries, tmp_path: Path) -> None:
    """Names begin with the stem, sort by number and frame, and artifacts say what lies there."""
    values = np.arange(2 * 3 * 4, dtype=np.uint16).reshape(2, 3, 4)
    made = frames(values, number=12, spacing=((0.5, 0.25), None))

    artifacts = Png().write(made, series, tmp_path, "rstem")

    assert [one.path for one in artifacts] == [
        "rstem/i0012_f0001.png",
        "rstem/i0012_f0002.png",
        "rstem/i0012.json",
    ]
    assert [(one.shape, one.spacing, one.dtype) for one in artifacts[:2]] == [
        ((3, 4), (0.5, 0.25), "uint16"),
        ((3, 4), (), "uint16"),
    ]
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*")) == sorted(
        one.path for one in artifacts
    )


def test_frames_that_differ_are_listed(series: DeidentifiedSeries, tmp_path: Path) -> None:
    """What is the same for all frames stands once; what differs stands for each."""
    made = frames(
        np.zeros((2, 2, 2), np.uint16), slopes=(1.0, 2.0), intercepts=(-5.0, -5.0), bits_stored=12
    )

    _, about = written(tmp_path, made, series, Png())

    assert (about["Slope"], about["Offset"]) == ([1.0, 2.0], -5.0)


def test_colour_has_8_bits_whatever_was_asked(series: DeidentifiedSeries, tmp_path: Path) -> None:
    """RGB is written as RGB of 8 bits, and the sidecar says so."""
    values = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    made = frames(values, photometric=Photometric.RGB)

    (picture,), about = written(tmp_path, made, series, Png(bits=16))

    np.testing.assert_array_equal(picture, values[0])
    assert (about["Bits"], about["PhotometricInterpretation"]) == (8, "RGB")


def test_same_bytes_each_time(series: DeidentifiedSeries, tmp_path: Path) -> None:
    """The same series gives the same files, byte for byte."""
    runs = []
    for run in ("a", "b"):
        folder = tmp_path / run
        folder.mkdir()
        for made in assemble(release(chest(2))):
            assert isinstance(made, Frames)
            Png(bits=8).write(made, series, folder, "r")
        runs.append({p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()})

    assert runs[0] == runs[1]


def test_anisotropic_pixels_are_said_in_the_file(
    series: DeidentifiedSeries, tmp_path: Path
) -> None:
    """A viewer that honours pHYs shows the right shape."""
    made = frames(np.zeros((2, 2), np.uint16), pixel_aspect=2.0)

    Png().write(made, series, tmp_path, "r")
    data = (tmp_path / "r/i0001.png").read_bytes()

    at = data.index(b"pHYs") + 4
    assert struct.unpack(">IIB", data[at : at + 9]) == (2, 1, 0)


def test_named_window_is_for_ct_alone(series: DeidentifiedSeries, tmp_path: Path) -> None:
    """A lung window in Hounsfield units has no meaning in MR, which keeps its own."""
    own = (Display(window=(100.0, 200.0)),)
    made = frames(np.zeros((2, 2), np.uint16), displays=own)
    magnetic = release(chest(1))
    object.__setattr__(magnetic, "facts", replace(magnetic.facts, ct=False, mr=True))

    _, in_ct = written(tmp_path, made, series, Png(bits=8, window="lung"))
    _, in_mr = written(tmp_path, made, magnetic, Png(bits=8, window="lung"))

    assert (in_ct["WindowCenter"], in_mr["WindowCenter"]) == (-600.0, 100.0)


@pytest.mark.parametrize(
    "options",
    [
        {"bits": 12},
        {"bits": 16, "window": "lung"},
        {"bits": 8, "window": "lungs"},
        {"bits": 8, "window": (40.0, 0.0)},
        {"bits": 8, "window": (float("nan"), 400.0)},
    ],
)
def test_wrong_options_are_told_at_once(options: dict[str, Any]) -> None:
    """Wrong use is an error before anything is read."""
    with pytest.raises(UsageError):
        Png(**options)


def test_it_is_found_by_its_name() -> None:
    """``to="png"`` is this writer, which takes frames."""
    assert writer("png") == Png()
    assert Png.accepts == frozenset({PayloadKind.FRAMES})


def test_a_volume_is_refused(series: DeidentifiedSeries, tmp_path: Path) -> None:
    """What is not frames is refused by name."""
    volume = Volume(np.zeros((2, 2, 2), np.int16), np.eye(4), (0,))

    with pytest.raises(Refusal) as caught:
        Png().write(volume, series, tmp_path, "r")

    assert caught.value.reason is Reason.NO_PAYLOAD


def test_a_place_that_cannot_be_written(series: DeidentifiedSeries, tmp_path: Path) -> None:
    """A file where a folder should be: a failure by name, and no path in its message."""
    (tmp_path / "r").write_text("in the way")

    with pytest.raises(TaskFailure) as caught:
        Png().write(frames(np.zeros((2, 2), np.uint16)), series, tmp_path, "r")

    assert caught.value.reason is Reason.WRITE_ERROR
    assert str(tmp_path) not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_clipped_value_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exactness above can fail: a writer that lets negatives wrap does not read back."""
    monkeypatch.setattr(room, "_lowest", lambda _frames: 0)
    stored = np.array([[-3]], np.int16)

    ((picture, note),) = exact(frames(stored))

    assert picture.item() * note.slope + note.offset != -3
