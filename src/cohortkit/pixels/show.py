"""Looking at payloads in a notebook: three planes of a Volume, a strip of Frames.

Once this is imported, both show themselves. Pictures are PNG in data URIs: nothing is written,
nothing is fetched.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit import given
from cohortkit.errors import UsageError
from cohortkit.model import COLOUR, Frames, Payload, VoiFunction, Volume
from cohortkit.model.payloads import shown_by
from cohortkit.pixels.encode import png
from cohortkit.pixels.render import center_width, pictures, some, windowed

_MOST_SIDE = 384
_MOST_FRAMES = 8
_HEIGHT = 240
_SAMPLE = 1_000_000
_LETTERS = ("LR", "PA", "IS")
_PNG, _PNG_HEAD = b"\x89PNG\r\n\x1a\n", 33
_WIDEST = 1024
_PLANES = ("axial", "coronal", "sagittal")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its caption, its PNG, and its size on the screen in pixels."""

    caption: str
    png: bytes
    width: int
    height: int

    def html(self) -> str:
        """A figure that holds the picture itself."""
        address = base64.b64encode(self.png).decode("ascii")
        return (
            '<figure style="display:inline-block;margin:2px">'
            f'<img src="data:image/png;base64,{address}" alt="{self.caption}" '
            f'style="width:{self.width}px;height:{self.height}px">'
            f'<figcaption style="text-align:center">{self.caption}</figcaption></figure>'
        )


@dataclass(frozen=True, slots=True)
class Pictures:
    """What Jupyter shows: pictures with captions under a line of text.

    Attributes:
        title: shape, type, spacing and orientation; nothing that names anyone.
        images: what is shown, in order.
    """

    title: str
    images: tuple[Picture, ...]

    def _repr_html_(self) -> str:
        figures = "".join(image.html() for image in self.images)
        return f'<div><p style="font-family:monospace">{self.title}</p>{figures}</div>'

    def __repr__(self) -> str:
        return f"<Pictures: {self.title}>"


def show(
    payload: Payload | str | Path, window: str | tuple[float, float] | None = None
) -> Pictures:
    """Three planes of a Volume, a strip of Frames, or a file of a release.

    Args:
        payload: a Volume or a NIfTI file, shown as radiologists look at it (the patient's right
            on the left); Frames; or a PNG file, shown as it is.
        window: a name such as ``lung``, or center and width. Without one a Volume is shown
            between percentiles of its values, Frames as their header says.

    Raises:
        UsageError: an unknown window, or what is none of these.
    """
    given.a(str | tuple | None, "window", window, "a name, or center and width")
    shades = center_width("show(window=…)", window)
    if isinstance(payload, Volume):
        return _of_volume(payload, shades)
    if isinstance(payload, Frames):
        return _of_frames(payload, shades)
    if not isinstance(payload, str | Path):
        raise UsageError("show(…) takes a Volume, Frames, or a NIfTI or PNG file")
    path = given.path("show(…)", payload)
    if path.suffix != ".png":
        return _of_volume(_read(path), shades)
    if shades is not None:
        raise UsageError("show(window=…): a PNG file is shown as it is; leave the window out")
    return _of_png(path)


@shown_by
def _html(payload: Volume | Frames) -> str:
    return show(payload)._repr_html_()


def _read(path: Path) -> Volume:
    """A volume of a release, as far as it is needed to look at it."""
    import nibabel  # noqa: PLC0415 - heavy

    try:
        image: Any = nibabel.load(path)
        header = image.header
        values = np.asanyarray(image.dataobj.get_unscaled())
        slope, intercept = image.dataobj.slope, image.dataobj.inter
        placed = bool(header["sform_code"] or header["qform_code"])
    except (OSError, ValueError, KeyError, AttributeError, nibabel.filebasedimages.ImageFileError):
        raise UsageError("show(…): no NIfTI file, or one that cannot be read") from None
    if values.ndim < 3 or values.size == 0:  # noqa: PLR2004 - axes of a volume
        raise UsageError("show(…): a NIfTI file of less than three dimensions")
    while values.ndim > 4:  # noqa: PLR2004 - time; what is beyond it has no name
        values = values[..., 0]
    return Volume(values, image.affine, (), float(slope), float(intercept), placed=placed)


def _of_png(path: Path) -> Pictures:
    try:
        data = path.read_bytes()
    except OSError:
        raise UsageError("show(…): a PNG file that cannot be read") from None
    if data[:8] != _PNG or len(data) < _PNG_HEAD:
        raise UsageError("show(…): a file that is no PNG")
    wide, high = struct.unpack_from(">2I", data, 16)
    scale = min(1.0, _WIDEST / max(wide, high, 1))
    size = max(1, round(wide * scale)), max(1, round(high * scale))
    return Pictures(f"{high} x {wide} PNG", (Picture("", data, *size),))


def _of_volume(volume: Volume, window: tuple[float, float] | None) -> Pictures:
    values, steps = upright(volume)
    colour = values.dtype == COLOUR
    center, width = (0.0, 1.0) if colour else window or _percentiles(values, volume)
    middle = [size // 2 for size in values.shape]
    extents = [size * step for size, step in zip(values.shape, steps, strict=True)]
    scale = _HEIGHT / max(extents)
    cuts = (
        (values[:, :, middle[2]], steps[0], steps[1]),
        (values[:, middle[1], :], steps[0], steps[2]),
        (values[middle[0], :, :], steps[1], steps[2]),
    )
    images = []
    for caption, (cut, across, down) in zip(_PLANES, cuts, strict=True):
        seen = cut.T[::-1, ::-1]
        if colour:
            picture = np.ascontiguousarray(seen).view(np.uint8).reshape(*seen.shape, 3)
        else:
            scaled = seen.astype(np.float64) * volume.slope + volume.intercept
            grey = windowed(scaled, center, width, VoiFunction.LINEAR_EXACT)
            picture = np.rint(np.nan_to_num(grey)).astype(np.uint8)
        images.append(_picture(caption, picture, across * scale, down * scale))
    return Pictures(_told(volume), tuple(images))


def upright(volume: Volume) -> tuple[NDArray[Any], tuple[float, float, float]]:
    """The first volume with its axes turned to the nearest of R, A, S, and its steps in mm."""
    values = volume.values if volume.values.ndim == 3 else volume.values[..., 0]  # noqa: PLR2004 - no time
    steps = np.linalg.norm(volume.affine[:3, :3], axis=0)
    order, flips = _axes(volume.affine)
    turned = values.transpose(order)
    for axis, flip in enumerate(flips):
        if flip:
            turned = np.flip(turned, axis)
    return turned, (float(steps[order[0]]), float(steps[order[1]]), float(steps[order[2]]))


def _axes(affine: NDArray[np.float64]) -> tuple[tuple[int, int, int], tuple[bool, ...]]:
    """Which array axis runs along each of R, A, S, and whether against it."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    best = max(
        ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)),
        key=lambda order: sum(abs(directions[row, axis]) for row, axis in enumerate(order)),
    )
    return best, tuple(bool(directions[row, axis] < 0) for row, axis in enumerate(best))


def _percentiles(values: NDArray[Any], volume: Volume) -> tuple[float, float]:
    flat = values.reshape(-1)
    sample = flat[:: max(1, flat.size // _SAMPLE)].astype(np.float64)
    sample = sample[np.isfinite(sample)] * volume.slope + volume.intercept
    if sample.size == 0:
        return 0.0, 0.0
    low, high = np.percentile(sample, (0.5, 99.5))
    return float(low + high) / 2, float(high - low)


def _told(volume: Volume) -> str:
    order, flips = _axes(volume.affine)
    codes = [""] * 3
    for row, (axis, flip) in enumerate(zip(order, flips, strict=True)):
        codes[axis] = _LETTERS[row][0 if flip else 1]
    steps = np.linalg.norm(volume.affine[:3, :3], axis=0)
    shape = " x ".join(map(str, volume.values.shape))
    spacing = " x ".join(f"{step:.4g}" for step in steps)
    kind = "RGB" if volume.values.dtype == COLOUR else volume.values.dtype
    axes = f"axes {''.join(codes)}+" if volume.placed else "place unknown"
    return f"{shape} {kind}, {spacing} mm, {axes}"


def _of_frames(frames: Frames, window: tuple[float, float] | None) -> Pictures:
    count = len(frames.values)
    chosen = sorted({round(n * (count - 1) / (_MOST_FRAMES - 1)) for n in range(_MOST_FRAMES)})
    scale = _HEIGHT / (frames.values.shape[1] * frames.pixel_aspect)
    images = tuple(
        _picture(f"frame {n + 1}", picture, scale, scale * frames.pixel_aspect)
        for n, (picture, _) in zip(chosen, pictures(some(frames, chosen), window), strict=True)
    )
    shape = " x ".join(map(str, frames.values.shape))
    return Pictures(f"{shape} {frames.values.dtype}, {frames.photometric}", images)


def _picture(caption: str, picture: NDArray[np.uint8], across: float, down: float) -> Picture:
    """Every n-th pixel of a picture, to be shown so large that a pixel is ``across`` x ``down``."""
    step = -(-max(picture.shape[:2]) // _MOST_SIDE)
    rows, columns = picture.shape[:2]
    return Picture(
        caption,
        png(np.ascontiguousarray(picture[::step, ::step])),
        width=max(1, round(columns * across)),
        height=max(1, round(rows * down)),
    )
