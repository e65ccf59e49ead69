"""What vendors keep in private elements and assembly needs: mosaics, scaling, diffusion, phase.

Only numbers come out of here. A private element counts only in the block that its creator
reserved. What diffusion's private vectors refer to is each vendor's own choice: Siemens and
Philips name them in patient coordinates, United Imaging along the axes of the image, GE along
frequency, phase and slice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from pydicom.dataset import Dataset

from cohortkit.errors import Refusal
from cohortkit.geometry import csa
from cohortkit.geometry.affine import plane
from cohortkit.geometry.headers import (
    floats,
    floats_at,
    items,
    items_at,
    number,
    orientation,
    private,
    raw,
    seconds,
    text,
    triple,
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
_GE_ACQUISITION = "GEMS_ACQU_01"
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
    """The mosaic that an instance is, or None: Siemens' or United Imaging's grid.

    An instance that calls itself a mosaic and does not say how many tiles it holds comes with
    no tile at all, so that it is refused.
    """
    grid = _at(header, 0x0065, _UIH, 0x50, "DS")
    if grid and grid[0] > 1:
        return _grid(header, whole(grid[0]))
    if "MOSAIC" not in words(header, "ImageType"):
        return None
    known = _csa(header)
    count = known.get("NumberOfImagesInMosaic") or _at(header, 0x0019, _SIEMENS_MR, 0x0A, "US")
    tiles = whole(count[0]) if count else None
    normal = known.get("SliceNormalVector", ())[:3]
    times = known.get("MosaicRefAcqTimes") or _at(header, 0x0019, _SIEMENS_MR, 0x29, "FD") or ()
    if tiles is None or not 1 <= tiles <= _MOST_TILES:
        return Mosaic(tiles=0, normal=None)
    return Mosaic(
        tiles=tiles,
        normal=(normal[0], normal[1], normal[2]) if len(normal) == 3 else None,  # noqa: PLR2004 - x, y, z
        slice_times=_from_first([t / 1000 for t in times], tiles),
    )


def _from_first(times: Sequence[float], tiles: int) -> tuple[float, ...]:
    """Seconds from the earliest; empty where not every tile has one."""
    if len(times) != tiles:
        return ()
    return tuple(round(t - min(times), 6) for t in times)


def _grid(header: Dataset, tiles: int | None) -> Mosaic:
    """United Imaging's grid, which states the place of every tile in a sequence."""
    tag = private(header, 0x0065, _UIH, 0x51)
    frames = () if tag is None else items_at(header, tag)
    positions = [triple(floats(frame, "ImagePositionPatient")) for frame in frames]
    known = tuple(p for p in positions if p is not None and all(map(math.isfinite, p)))
    if tiles is None or not len(known) == len(frames) == tiles <= _MOST_TILES:
        return Mosaic(tiles=0, normal=None)
    clocks = [
        seconds(text(f, "AcquisitionDate"), text(f, "AcquisitionTime"))
        for f in frames
        if text(f, "AcquisitionTime")
    ]
    times = [clock for clock in clocks if clock is not None]
    return Mosaic(tiles, None, _from_first(times, tiles), known)


def scale_slope(header: Dataset) -> float | None:
    """Philips' scale slope: display values over it are what was measured."""
    found = _at(header, 0x2005, _PHILIPS_MR, 0x0E, "FL")
    if not found or not math.isfinite(found[0]) or found[0] <= 0:
        return None
    return found[0]


def rescale(
    header: Dataset, transform: Dataset, mappings: Sequence[Dataset]
) -> tuple[float | None, float | None]:
    """Rescale Slope and Intercept; of Philips without them, the real-world pair.

    What others map to real-world values is what a viewer computes (SUV, ADC).

    Args:
        header: of the instance.
        transform: where the rescale pair would stand.
        mappings: where a real-world mapping may stand; the first that has one counts, if it is
            a single line.
    """
    slope, intercept = number(transform, "RescaleSlope"), number(transform, "RescaleIntercept")
    if (slope, intercept) != (None, None) or not _is_philips(header):
        return slope, intercept
    for place in mappings:
        found = items(place, "RealWorldValueMappingSequence")
        if len(found) == 1:
            (one,) = found
            return number(one, "RealWorldValueSlope"), number(one, "RealWorldValueIntercept")
    return None, None


def _is_philips(header: Dataset) -> bool:
    return any(word.startswith("PHILIPS") for word in words(header, "Manufacturer"))


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
        along = _unit(floats(header, "DiffusionGradientOrientation"))
        return value, along or _of_uih(header) or _of_ge(header)
    found = _at(header, 0x0065, _UIH, 0x09, "FD")
    if found:
        return found[0], _of_uih(header)
    return _private_diffusion(header)


def _private_diffusion(header: Dataset) -> tuple[float | None, Triple | None]:
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
        value = found[0] % 1e9 if found[0] >= 1e9 else found[0]  # noqa: PLR2004 - that billion
        return value, _of_ge(header)
    return None, None


def _of_uih(header: Dataset) -> Triple | None:
    """United Imaging's direction: along the axes of the image."""
    return _of_image(header, _at(header, 0x0065, _UIH, 0x37, "FD"))


def _of_ge(header: Dataset) -> Triple | None:
    """GE's direction: along frequency, phase and slice, so that it hangs on the phase encoding."""
    parts = [_at(header, 0x0019, _GE_ACQUISITION, 0xBB + n, "DS") for n in range(3)]
    known = [part[0] for part in parts if part]
    row, _ = phase_encoding(header)
    if len(known) != 3 or row is None:  # noqa: PLR2004 - frequency, phase, slice
        return None
    frequency, phase, slices = known
    return _of_image(header, (-phase, frequency, slices) if row else (-frequency, -phase, slices))


def _of_image(header: Dataset, along: tuple[float, ...] | None) -> Triple | None:
    """A direction along row, column and normal, in patient coordinates."""
    unit, lies = _unit(along), orientation(floats(header, "ImageOrientationPatient"))
    if unit is None or lies is None:
        return None
    try:
        axes = plane(lies)
    except Refusal:  # which the frame will meet by itself
        return None
    turned = np.array([axes.along_row, axes.along_column, axes.normal]).T @ np.array(unit)
    return _unit(tuple(turned.tolist()))


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
    for group in items(header, "SharedFunctionalGroupsSequence")[:1]:
        for geometry in items(group, "MRFOVGeometrySequence")[:1]:
            said = "".join(words(geometry, "InPlanePhaseEncodingDirection")[:1])
    row = {"ROW": True, "COL": False, "COLUMN": False}.get(said)
    positive = _csa(header).get("PhaseEncodingDirectionPositive")
    if positive is None or row is None:
        return row, None
    return row, positive[0] == 1
