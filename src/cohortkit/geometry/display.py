"""How a header says that its frames are to be shown: windows, look-up tables, polarity, palette.

Read with the facts, so that no recipe can change a picture. What is there and not usable is left
out, as if it were absent: a window of no width, a table that is too short.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from cohortkit.geometry.headers import floats, items, number, words
from cohortkit.geometry.segments import expanded
from cohortkit.model.facts import (
    PLAIN,
    Codec,
    Display,
    FrameFacts,
    Lut,
    Photometric,
    PixelFormat,
    VoiFunction,
)

_COLOURS = ("Red", "Green", "Blue")
_MOST_ENTRIES = 1 << 16
_MOST_ASPECT = 100.0


class Displays:
    """Reads the displays of one series; frames and instances alike share one record."""

    def __init__(self) -> None:
        self._luts: dict[tuple[int, int, bytes], Lut] = {}
        self._known: dict[Display, Display] = {PLAIN: PLAIN}

    def add(
        self, header: Dataset, pixels: PixelFormat | None, frames: Sequence[FrameFacts]
    ) -> tuple[FrameFacts, ...]:
        """The frames with their displays.

        Args:
            header: of the instance, only read.
            pixels: its Image Pixel module; without one there is nothing to show.
            frames: the facts of its frames so far: one each, or one for all.
        """
        if pixels is None:
            return tuple(frames)
        base = Display(
            inverse=_inverse(header),
            palette=self._palette(header, pixels),
            pixel_aspect=_aspect(header),
        )
        shared = items(header, "SharedFunctionalGroupsSequence")[:1]
        groups = items(header, "PerFrameFunctionalGroupsSequence")
        if len(groups) != len(frames):
            groups = (Dataset(),) * len(frames)
        return tuple(
            self._framed(frame, base, (group, *shared, header), pixels)
            for frame, group in zip(frames, groups, strict=True)
        )

    def _framed(
        self, frame: FrameFacts, base: Display, places: tuple[Dataset, ...], pixels: PixelFormat
    ) -> FrameFacts:
        header = places[-1]
        voi_place = _macro(places, "FrameVOILUTSequence")
        window, function = _window(voi_place)
        modality = self._lut(header, "ModalityLUTSequence", pixels, signed=pixels.signed)
        negative = modality is None and _can_be_negative(frame, pixels)
        display = replace(
            base,
            window=window,
            function=function,
            voi=self._lut(voi_place, "VOILUTSequence", pixels, signed=negative),
            modality=modality,
            pixel_aspect=base.pixel_aspect if base.pixel_aspect > 0 else _ratio(frame.spacing),
        )
        return replace(frame, display=self._known.setdefault(display, display))

    def _lut(
        self, place: Dataset, keyword: str, pixels: PixelFormat, *, signed: bool
    ) -> Lut | None:
        found = items(place, keyword)
        if not found:
            return None
        return self._table(found[0], "LUTDescriptor", "LUTData", pixels, signed=signed)

    def _palette(self, header: Dataset, pixels: PixelFormat) -> tuple[Lut, Lut, Lut] | None:
        if pixels.photometric is not Photometric.PALETTE:
            return None
        tables = [
            self._table(
                header,
                f"{colour}PaletteColorLookupTableDescriptor",
                f"{colour}PaletteColorLookupTableData",
                pixels,
                signed=pixels.signed,
            )
            for colour in _COLOURS
        ]
        red, green, blue = tables
        if red is None or green is None or blue is None:
            return None
        return red, green, blue

    def _table(
        self, place: Dataset, descriptor: str, data: str, pixels: PixelFormat, *, signed: bool
    ) -> Lut | None:
        """One table; None where the descriptor or the data cannot be understood."""
        said = floats(place, descriptor)
        if said is None or len(said) != 3 or not all(map(math.isfinite, said)):  # noqa: PLR2004 - PS3.3 C.11.1.1.1
            return None
        count, first, bits = (int(value) & 0xFFFF for value in said)
        count = count or _MOST_ENTRIES
        first = first - 0x10000 if signed and first > 0x7FFF else first  # noqa: PLR2004 - 16 bits
        big = pixels.codec is Codec.EXPLICIT_BIG
        entries = _entries(place, data, count, big=big)
        if entries is None:
            entries = _segmented(place, f"Segmented{data}", count, int(said[2]), big=big)
        if entries is None or not 1 <= bits <= 16:  # noqa: PLR2004 - bits of an entry
            return None
        key = first, bits, entries.tobytes()
        if key not in self._luts:
            self._luts[key] = Lut(first=first, bits=bits, values=tuple(entries.tolist()))
        return self._luts[key]


def _entries(place: Dataset, keyword: str, count: int, *, big: bool) -> np.ndarray | None:
    """The entries of a table as 16-bit numbers, however they were packed."""
    if keyword not in place:
        return None
    try:
        value = place[keyword].value
    except (ValueError, TypeError, AttributeError, NotImplementedError, struct.error):
        return None
    if isinstance(value, bytes):
        return _unpacked(value, count, big=big)
    numbers = [value] if isinstance(value, int) else list(value or ())
    if len(numbers) < count or not all(isinstance(n, int) for n in numbers):
        return None
    return np.array([n & 0xFFFF for n in numbers[:count]], dtype="<u2")


def _segmented(
    place: Dataset, keyword: str, count: int, bits: int, *, big: bool
) -> np.ndarray | None:
    """The entries of a table that is written as segments (C.7.9.2)."""
    if tag_for_keyword(keyword) is None or keyword not in place:
        return None
    value = place[keyword].value
    if not isinstance(value, bytes):
        return None
    wide = bits > 8  # noqa: PLR2004 - bits of a byte
    form = (">u2" if big else "<u2") if wide else "u1"
    whole = value[: len(value) // 2 * 2]
    entries = expanded(np.frombuffer(whole, form).tolist(), wide=wide)
    if entries is None or len(entries) != count:
        return None
    return np.array(entries, dtype="<u2")


def _unpacked(value: bytes, count: int, *, big: bool) -> np.ndarray | None:
    """Entries of 16 bits, or of 8 where there are only that many bytes."""
    if len(value) >= 2 * count:
        return np.frombuffer(value, ">u2" if big else "<u2", count).astype("<u2")
    if len(value) >= count:
        return np.frombuffer(value, np.uint8, count).astype("<u2")
    return None


def _macro(places: tuple[Dataset, ...], keyword: str) -> Dataset:
    """Where an attribute stands: the frame's own group, the shared one, else the header."""
    for place in places[:-1]:
        found = items(place, keyword)
        if found:
            return found[0]
    return places[-1]


def _window(place: Dataset) -> tuple[tuple[float, float] | None, VoiFunction]:
    """The first window and its function (PS3.3 C.11.2.1.2), None where it is not usable."""
    said = words(place, "VOILUTFunction")[:1] or ("LINEAR",)
    if said[0] not in VoiFunction.__members__:
        return None, VoiFunction.LINEAR
    function = VoiFunction(said[0])
    center, width = number(place, "WindowCenter"), number(place, "WindowWidth")
    if center is None or width is None or not (math.isfinite(center) and math.isfinite(width)):
        return None, function
    usable = width >= 1 if function is VoiFunction.LINEAR else width > 0
    return ((center, width) if usable else None), function


def _inverse(header: Dataset) -> bool | None:
    said = words(header, "PresentationLUTShape")[:1]
    return {"INVERSE": True, "IDENTITY": False}.get(said[0]) if said else None


def _aspect(header: Dataset) -> float:
    """Height of a pixel over its width, where the header says it for all frames; else 0."""
    for keyword in ("PixelAspectRatio", "PixelSpacing", "ImagerPixelSpacing"):
        said = floats(header, keyword)
        if said is not None and len(said) == 2:  # noqa: PLR2004 - vertical, horizontal
            return _ratio((said[0], said[1]))
    return 0.0


def _ratio(sides: tuple[float, float] | None) -> float:
    """Vertical over horizontal; 1 where that is no sane number."""
    if sides is None or not all(math.isfinite(s) and s > 0 for s in sides):
        return 1.0
    ratio = sides[0] / sides[1]
    if not 1 / _MOST_ASPECT <= ratio <= _MOST_ASPECT:
        return 1.0
    return round(ratio, 6)


def _can_be_negative(frame: FrameFacts, pixels: PixelFormat) -> bool:
    """Whether modality values reach below zero, which makes a VOI LUT's first input signed."""
    slope = 1.0 if frame.slope is None else frame.slope
    intercept = 0.0 if frame.intercept is None else frame.intercept
    span = 1 << max(pixels.bits_stored - pixels.signed, 0)
    ends = (-span if pixels.signed else 0, span - 1)
    return any(end * slope + intercept < 0 for end in ends)
