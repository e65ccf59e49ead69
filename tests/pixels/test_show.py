"""Looking: the patient's right on the left, the head up, and nothing that names anyone."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from nibabel.orientations import aff2axcodes
from numpy.typing import NDArray

from cohortkit.errors import UsageError
from cohortkit.model import COLOUR, Display, Frames, Photometric, Volume
from cohortkit.pixels.encode import png
from cohortkit.pixels.show import Pictures, show, upright
from cohortkit.writers.nifti import _packed, file_of


def volume(affine: NDArray[np.float64], shape: tuple[int, ...] = (20, 24, 10)) -> Volume:
    """Brightest at the patient's right, anterior, superior corner."""
    steps = np.array(list(itertools.product(*map(range, shape))))
    world = steps @ affine[:3, :3].T
    values = world - world.min(axis=0)
    values = (values / values.max(axis=0)).prod(axis=1).reshape(shape)
    return Volume((values * 1000).astype(np.int16), affine, (0,))


def affines() -> list[NDArray[np.float64]]:
    """Every way that three axes can run along the patient's, with unequal steps."""
    made = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            affine = np.eye(4)
            affine[:3, :3] = 0
            for axis, (row, sign) in enumerate(zip(order, signs, strict=True)):
                affine[row, axis] = sign * (1.0, 0.5, 3.0)[axis]
            made.append(affine)
    return made


def pixels(shown: Pictures) -> list[NDArray[np.uint8]]:
    return [imagecodecs.png_decode(picture.png) for picture in shown.images]


@pytest.mark.parametrize("affine", affines())
def test_right_is_left_and_up_is_up(affine: NDArray[np.float64]) -> None:
    """However the array lies: axial and coronal have right on the left; front and head are up."""
    axial, coronal, sagittal = pixels(show(volume(affine)))

    assert axial[0, 0] == axial.max() > axial[-1, -1]  # right, anterior
    assert coronal[0, 0] == coronal.max() > coronal[-1, -1]  # right, superior
    assert sagittal[0, 0] == sagittal.max() > sagittal[-1, -1]  # anterior, superior


@pytest.mark.parametrize("affine", affines())
def test_title_says_the_axes_as_nibabel_does(affine: NDArray[np.float64]) -> None:
    """The letters are nibabel's."""
    assert f"axes {''.join(aff2axcodes(affine))}+" in show(volume(affine)).title


@pytest.mark.parametrize("affine", affines())
def test_planes_have_one_scale(affine: NDArray[np.float64]) -> None:
    """A millimetre is as long in every plane and direction."""
    made = volume(affine)
    turned, steps = upright(made)
    x, y, z = (size * step for size, step in zip(turned.shape, steps, strict=True))
    scale = 240 / max(x, y, z)

    sizes = [(picture.width, picture.height) for picture in show(made).images]

    wanted = [(x, y), (x, z), (y, z)]
    for (width, height), (across, down) in zip(sizes, wanted, strict=True):
        assert width == pytest.approx(across * scale, abs=1)
        assert height == pytest.approx(down * scale, abs=1)


def test_first_of_a_4d_volume() -> None:
    """A volume over time shows its first time."""
    still = volume(np.eye(4))
    moving = Volume(np.stack([still.values, still.values * 0], axis=-1), np.eye(4), (0,))

    assert [p.tolist() for p in pixels(show(moving))] == [p.tolist() for p in pixels(show(still))]


def test_large_pictures_are_thinned() -> None:
    """A notebook stays small: no picture has more than 384 pixels a side."""
    made = Volume(np.zeros((1000, 2000, 2), np.int16), np.eye(4), (0,))

    assert max(side for picture in pixels(show(made)) for side in picture.shape) <= 384
    assert len(show(made)._repr_html_()) < 200_000


def test_frames_are_a_strip() -> None:
    """Eight frames of many, from the first to the last, as their header says."""
    values = np.arange(30, dtype=np.uint8).reshape(30, 1, 1) * np.ones((30, 4, 4), np.uint8)
    made = Frames(
        values=values,
        photometric=Photometric.MONOCHROME1,
        instance=0,
        slopes=(1.0,) * 30,
        intercepts=(0.0,) * 30,
        bits_stored=8,
        signed=False,
        displays=(Display(window=(128.0, 256.0)),) * 30,
    )

    shown = show(made)

    assert [picture.caption for picture in shown.images][:: len(shown.images) - 1] == [
        "frame 1",
        "frame 30",
    ]
    assert len(shown.images) == 8
    assert [int(p[0, 0]) for p in pixels(shown)][:: len(shown.images) - 1] == [255, 226]


def test_it_shows_itself_and_fetches_nothing() -> None:
    """HTML with the pictures inside: no link, no script, no file."""
    html = show(volume(np.eye(4)))._repr_html_()

    assert html.count("data:image/png;base64,") == 3
    assert not any(word in html for word in ("http", "<script", "file:"))


def test_values_that_are_no_numbers() -> None:
    """NaN everywhere is black, not an exception."""
    made = Volume(np.full((3, 3, 3), np.nan, np.float32), np.eye(4), (0,))

    assert {int(p.max()) for p in pixels(show(made))} == {0}


def test_unknown_window() -> None:
    """A window that nobody knows is told with those that are known."""
    with pytest.raises(UsageError, match="lung"):
        show(volume(np.eye(4)), "lungs")


@pytest.mark.parametrize("window", [(40, 0), (40, -5), (float("nan"), 400), (40,), ("a", 1)])
def test_a_window_that_there_cannot_be(window: tuple[float, float]) -> None:
    """As in Png(window=…): a center and a width of 1 or more."""
    with pytest.raises(UsageError, match="center and width"):
        show(volume(np.eye(4)), window)


def test_a_picture_has_no_window_any_more(tmp_path: Path) -> None:
    """What cannot be done is said, and not left out."""
    (tmp_path / "one.png").write_bytes(png(np.zeros((2, 2), np.uint8)))
    with pytest.raises(UsageError, match="as it is"):
        show(tmp_path / "one.png", "lung")


def strip(count: int = 2) -> Frames:
    """A few grey frames."""
    values = np.zeros((count, 4, 4), np.uint8)
    numbers = {"slopes": (1.0,) * count, "intercepts": (0.0,) * count}
    return Frames(
        values=values,
        photometric=Photometric.MONOCHROME2,
        instance=0,
        bits_stored=8,
        signed=False,
        limits=lambda: (0.0, 1.0),
        **numbers,
    )


@pytest.mark.parametrize(("payload", "images"), [(volume(np.eye(4)), 3), (strip(), 2)])
def test_payloads_show_themselves(payload: Volume | Frames, images: int) -> None:
    """A notebook that ends in a volume or in frames shows what ``show`` makes of it."""
    shown = payload._repr_html_()

    assert shown == show(payload)._repr_html_()
    assert shown.count("<img") == images


def test_a_volume_in_colour() -> None:
    """Its planes are in its colours, red at the patient's right."""
    values = np.zeros((4, 4, 4), COLOUR)
    values["R"][0], values["B"][3] = 200, 100

    made = show(Volume(values, np.eye(4), (0,)))

    axial = pixels(made)[0]
    assert axial.shape == (4, 4, 3)
    assert (axial[0, 3].tolist(), axial[0, 0].tolist()) == ([200, 0, 0], [0, 0, 100])
    assert " RGB, " in made.title


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz"])
def test_a_released_volume_is_shown_from_its_file(name: str, tmp_path: Path) -> None:
    """As the volume that was written, scaled as it says."""
    affine = affines()[9]
    made = replace(volume(affine), slope=2.0, intercept=-1024.0)
    chunks = _packed(made, 1) if name.endswith("gz") else file_of(made)
    (tmp_path / name).write_bytes(b"".join(chunks))

    assert show(tmp_path / name) == show(made)
    assert show(str(tmp_path / name), (0.0, 100.0)) == show(made, (0.0, 100.0))


def test_a_volume_that_lies_nowhere_says_so() -> None:
    """No letter claims to know an axis."""
    made = replace(volume(np.eye(4)), placed=False)

    assert show(made).title.endswith("place unknown")


def test_a_released_picture_is_shown_as_it_is(tmp_path: Path) -> None:
    """Large ones are only shown smaller."""
    data = png(np.zeros((20, 2048), np.uint8))
    (tmp_path / "sheet.png").write_bytes(data)

    (picture,) = show(tmp_path / "sheet.png").images

    assert (picture.png, picture.width, picture.height) == (data, 1024, 10)


@pytest.mark.parametrize("name", ["no.nii", "text.nii", "text.nii.gz", "no.png", "text.png"])
def test_what_is_no_such_file_is_told_without_its_name(name: str, tmp_path: Path) -> None:
    """Wrong use, in plain words; a path may hold a value."""
    path = tmp_path / name
    if name.startswith("text"):
        path.write_text("no picture")

    with pytest.raises(UsageError, match="show") as caught:
        show(path)

    assert name not in str(caught.value)


def test_what_cannot_be_shown() -> None:
    """Neither payload nor file."""
    with pytest.raises(UsageError, match="Volume, Frames"):
        show(np.zeros((3, 3)))  # type: ignore[arg-type]  # which is the point
