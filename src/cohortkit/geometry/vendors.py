"""What vendors keep in private elements and assembly needs: mosaics, scaling, diffusion, phase.

Only numbers come out of here. A private element counts only in the block that its creator
reserved.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydicom.dataset import Dataset

from cohortkit.geometry import csa
from cohortkit.geometry.headers import (
    floats,
    floats_at,
    items_at,
    number,
    private,
    raw,
    whole,
    words,
)
from cohortkit.model.facts import ImageRole, Mosaic, Triple

_SIEMENS_CSA = "SIEMENS CSA HEADER"
_SIEMENS_MR = "SIEMENS MR HEADER"
_PHILIPS_MR = "Philips MR Imaging DD 001"
_PHILIPS = "Philips Imaging DD 001"
_PHILIPS_FRAMES = "Philips MR Imaging DD 005"
_GE_PARAMETERS = "GEMS_PARM_01"
_UIH = "Image Private Header"
_MOST_TILES = 1024


def _at(
    header: Dataset, group: int, creator: str, element: int, vr: str
) -> tuple[float, ...] | None:
    tag = private(header, group, creator, element)
    return None if tag is None else floats_at(header, tag, vr)


def _csa(header: Dataset) -> Mapping[str, tuple[float, ...]]:
    tag = private(header, 0x0029, _SIEMENS_CSA, 0x10)
    return {} if tag is None else csa.numbers(raw(header, tag))


def mosaic(header: Dataset) -> Mosaic | None:
    """The mosaic that a Siemens instance is, or None. United Imaging's grids are not placed yet.

    An instance that calls itself a mosaic and does not say how many tiles it holds comes with
    no tile at all, so that it is refused.
    """
    grid = _at(header, 0x0065, _UIH, 0x50, "DS")
    if grid and grid[0] > 1:
        return Mosaic(tiles=0, normal=None)
    if "MOSAIC" not in words(header, "ImageType"):
        return None
    known = _csa(header)
    count = known.get("NumberOfImagesInMosaic") or _at(header, 0x0019, _SIEMENS_MR, 0x0A, "US")
    tiles = whole(count[0]) if count else None
    normal = known.get("SliceNormalVector", ())[:3]
    times = known.get("MosaicRefAcqTimes") or _at(header, 0x0019, _SIEMENS_MR, 0x29, "FD") or ()
    if tiles is None or not 1 <= tiles <= _MOST_TILES:
        return Mosaic(tiles=0, normal=None)
    start = min(times, default=0.0)
    return Mosaic(
        tiles=tiles,
        normal=(normal[0], normal[1], normal[2]) if len(normal) == 3 else None,  # noqa: PLR2004 - x, y, z
        slice_times=tuple(round((t - start) / 1000, 6) for t in times)
        if len(times) == tiles
        else (),
    )


def scale_slope(header: Dataset) -> float | None:
    """Philips' scale slope: display values over it are what was measured."""
    found = _at(header, 0x2005, _PHILIPS_MR, 0x0E, "FL")
    if not found or not math.isfinite(found[0]) or found[0] <= 0:
        return None
    return found[0]


def philips_frame(group: Dataset) -> Dataset | None:
    """The classic header that Philips keeps for each frame of an enhanced instance."""
    tag = private(group, 0x2005, _PHILIPS_FRAMES, 0x0F)
    found = items_at(group, 0x2005140F if tag is None else tag)
    return found[0] if found else None


def role(header: Dataset) -> ImageRole | None:
    """Magnitude, phase, real or imaginary by GE's own element, where it is there."""
    found = _at(header, 0x0043, _GE_PARAMETERS, 0x2F, "SS")
    kinds = (ImageRole.MAGNITUDE, ImageRole.PHASE, ImageRole.REAL, ImageRole.IMAGINARY)
    which = whole(found[0]) if found else None
    return kinds[which] if which is not None and 0 <= which < len(kinds) else None


def diffusion(header: Dataset) -> tuple[float | None, Triple | None]:
    """b-value (s/mm²) and gradient direction (unit vector, LPS) of a classic instance."""
    value = number(header, "DiffusionBValue")
    if value is not None:
        return value, _unit(floats(header, "DiffusionGradientOrientation"))
    found = _at(header, 0x0019, _SIEMENS_MR, 0x0C, "IS")
    if found:
        return found[0], _unit(_at(header, 0x0019, _SIEMENS_MR, 0x0E, "FD"))
    known = _csa(header)
    if known.get("B_value"):
        return known["B_value"][0], _unit(known.get("DiffusionGradientDirection"))
    found = _at(header, 0x2001, _PHILIPS, 0x03, "FL")
    if found:
        parts = [_at(header, 0x2005, _PHILIPS_MR, 0xB0 + n, "FL") for n in range(3)]
        return found[0], _unit(tuple(p[0] for p in parts if p))
    found = _at(header, 0x0043, _GE_PARAMETERS, 0x39, "IS")
    if found and math.isfinite(found[0]):
        # GE adds a billion to say that the value was typed in
        return found[0] % 1e9 if found[0] >= 1e9 else found[0], None  # noqa: PLR2004 - that billion
    return None, None


def _unit(values: tuple[float, ...] | None) -> Triple | None:
    """The direction as a unit vector; None where it is none or zero."""
    if values is None or len(values) != 3 or not all(map(math.isfinite, values)):  # noqa: PLR2004 - x, y, z
        return None
    length = math.hypot(*values)
    if length < 1e-3:  # noqa: PLR2004 - no direction
        return None
    return (values[0] / length, values[1] / length, values[2] / length)


def phase_encoding(header: Dataset) -> tuple[bool | None, bool | None]:
    """Whether the phase was encoded along a row of the image, and towards growing indices."""
    said = "".join(words(header, "InPlanePhaseEncodingDirection")[:1])
    row = {"ROW": True, "COL": False, "COLUMN": False}.get(said)
    positive = _csa(header).get("PhaseEncodingDirectionPositive")
    if positive is None or row is None:
        return row, None
    return row, positive[0] == 1
