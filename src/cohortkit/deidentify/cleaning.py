"""The pixels of one instance as its recipe cleans them, before anyone reads them."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from cohortkit.deidentify.headers import asked_of, holds
from cohortkit.deidentify.items import items_of
from cohortkit.deidentify.signatures import fitting
from cohortkit.deidentify.values import encodings_of
from cohortkit.dicom.sop_classes import lookup
from cohortkit.errors import Refusal
from cohortkit.geometry.headers import integer
from cohortkit.model import (
    Codec,
    Facts,
    PixelFormat,
    PixelHandle,
    PixelWork,
    Reason,
    SourceInstance,
)
from cohortkit.pixels.rectangles import Rectangle
from cohortkit.pixels.redact import check, redaction
from cohortkit.pixels.redacted import RedactedPixels
from cohortkit.recipe.model import Area, Deed, PixelPolicy, PixelRule, Recompress

_REGIONS = Tag("SequenceOfUltrasoundRegions")
_GRAPHICS = 5  # Region Spatial Format: drawn by the device, so text (PS3.3 C.8.5.5.1.1)
_CORNERS = (
    "RegionLocationMinX0",
    "RegionLocationMinY0",
    "RegionLocationMaxX1",
    "RegionLocationMaxY1",
)
INTO = {
    Recompress.NATIVE: Codec.EXPLICIT_LITTLE,
    Recompress.RLE: Codec.RLE,
    Recompress.JPEG_LS: Codec.JPEG_LS,
    Recompress.JPEG_2000: Codec.JPEG_2000_LOSSLESS,
}


def cleaned(
    instance: SourceInstance, facts: Facts, ordinal: int, policy: PixelPolicy
) -> tuple[PixelHandle | None, PixelWork | None]:
    """A handle that gives only what may be seen, and what was done.

    Args:
        instance: header and pixels of the source.
        facts: of its series.
        ordinal: its place there.
        policy: whose rules are asked.

    Raises:
        Refusal: ``redaction-outside``, ``no-regions``, ``nothing-blanked``,
            ``unsupported-pixels``, ``not-understood``: a rule fits and cannot be done.
    """
    header, handle = instance.header, instance.pixels
    if handle is None or not policy.rules:
        return handle, None
    get = asked_of(header)
    sop = lookup(str(get("SOPClassUID") or ""))
    if sop is None:
        return handle, None
    rules = fitting(get, holds(header), sop, policy)
    doing = [rule for rule in rules if rule.deed is not Deed.VERIFIED]
    if not doing:
        return handle, PixelWork.VERIFIED if rules else None
    own = facts.instances[ordinal]
    form = own.pixels
    if form is None:
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    blank = [part for rule in doing for part in _parts(rule, Deed.BLANK, header, form)]
    keep = [part for rule in doing for part in _parts(rule, Deed.KEEP, header, form)]
    limited = any(rule.deed is Deed.KEEP or rule.area is Area.ALL for rule in doing)
    what = redaction(own, tuple(set(blank)), tuple(set(keep)) if limited else None)
    check(form, what)
    return RedactedPixels(handle, form, what, INTO[policy.recompress]), PixelWork.BLANKED


def _parts(rule: PixelRule, deed: Deed, header: Dataset, form: PixelFormat) -> Iterator[Rectangle]:
    if rule.deed is not deed or rule.area is Area.ALL:
        return
    if rule.area is Area.REGIONS:
        yield from _regions(header, form.rows, form.columns)
        return
    for part in rule.rectangles:
        if not rule.clipped:
            yield part
            continue
        left = part.clipped(form.rows, form.columns)
        if left.width and left.height:
            yield left


def _regions(header: Dataset, rows: int, columns: int) -> list[Rectangle]:
    """The ultrasound regions but for those of graphics (PS3.3 C.8.5.5), corners included.

    Raises:
        Refusal: ``no-regions``: there is none, or one is empty or reaches beyond the image;
            ``not-understood``.
    """
    if _REGIONS not in header:
        raise Refusal(Reason.NO_REGIONS)
    items = items_of(header.get_item(_REGIONS), encodings_of(header, ("iso8859",)))
    found = []
    for item in items:
        if integer(item, "RegionSpatialFormat") == _GRAPHICS:
            continue
        corners = [integer(item, keyword) for keyword in _CORNERS]
        if None in corners:
            raise Refusal(Reason.NO_REGIONS)
        left, top, right, bottom = (corner or 0 for corner in corners)
        region = Rectangle(left, top, right - left + 1, bottom - top + 1)
        if right == left or bottom == top or not region.within(rows, columns):
            raise Refusal(Reason.NO_REGIONS, rows=rows, columns=columns)
        found.append(region)
    if not found:
        raise Refusal(Reason.NO_REGIONS)
    return found
