"""The JSON beside the pictures of one instance: what their numbers mean, and what was done.

Every field is from the list in ``_body``. Terms are DICOM's where it has one. A value
that is the same for all frames stands once, else there is one for each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortkit.model import FORMAT, DeidentifiedSeries, Frames, Photometric
from cohortkit.pixels.contact import SIDE, columns_of
from cohortkit.pixels.render import Shade, Shown
from cohortkit.writers.statement import statement


@dataclass(frozen=True, slots=True)
class Note:
    """What became of one frame.

    Attributes:
        slope, offset: modality value = PNG value * slope + offset, for 16 bits.
        stored_offset: stored value = PNG value + this; None where a Modality LUT was applied.
        inverted: whether low values are to be shown bright. 16 bits are never inverted.
        shown: how 8 bits were made; None for 16.
    """

    slope: float = 1.0
    offset: float = 0.0
    stored_offset: int | None = None
    inverted: bool = False
    shown: Shown | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One picture of a contact sheet.

    Attributes:
        number: the place of its instance in the series, from 1.
        frame: from 0.
        file: the PNG that shows it whole, in the same folder.
        instance: ordinal of its instance.
        picture: made small.
        note: how it was rendered.
    """

    number: int
    frame: int
    file: str
    instance: int
    picture: NDArray[np.uint8]
    note: Note

    def place(self) -> tuple[int, int]:
        """Where it comes in the series."""
        return self.number, self.frame


def sidecar(
    frames: Frames, series: DeidentifiedSeries, files: Sequence[str], notes: Sequence[Note]
) -> str:
    """The sidecar: sorted keys, ASCII, so that the same frames give the same bytes."""
    return _told(_body(frames, series, files, notes))


def sheet_sidecar(tiles: Sequence[Tile], series: DeidentifiedSeries) -> str:
    """What a contact sheet shows, row by row."""
    notes = [tile.note for tile in tiles]
    return _told(
        {
            "Format": FORMAT,
            "Files": [tile.file for tile in tiles],
            "Columns": columns_of(len(tiles)),
            "TileSize": SIDE,
            **_rendering(notes),
            **statement(series.statement),
        }
    )


def _told(body: Mapping[str, Any]) -> str:
    told = {key: value for key, value in body.items() if value is not None}
    return json.dumps(told, indent=2, sort_keys=True, allow_nan=False) + "\n"


def _body(
    frames: Frames, series: DeidentifiedSeries, files: Sequence[str], notes: Sequence[Note]
) -> dict[str, Any]:
    header = series.headers[frames.instance]
    colour = frames.photometric is Photometric.RGB
    bits = 16 if notes[0].shown is None else 8
    return {
        "Format": FORMAT,
        "Files": [PurePosixPath(name).name for name in files],
        "Shape": [*frames.values.shape[1:]],
        "DataType": f"uint{bits}",
        "Bits": bits,
        "Modality": header.text("Modality"),
        "SOPInstanceUID": header.text("SOPInstanceUID"),
        "InstanceNumber": header.get("InstanceNumber"),
        "BitsStored": None if colour else frames.bits_stored,
        "PhotometricInterpretation": _photometric(frames, bits),
        "PixelSpacing": _once(_pair(spacing) for spacing in frames.spacing),
        "PixelAspect": frames.pixel_aspect,
        **(_values(frames, notes) if bits == 16 else _rendering(notes)),  # noqa: PLR2004 - bits
        **statement(series.statement),
    }


def _photometric(frames: Frames, bits: int) -> str:
    """Of the PNG: 8 bits are inverted where they had to be, so that high is bright."""
    if frames.photometric is Photometric.RGB:
        return "RGB"
    return str(frames.photometric) if bits == 16 else "MONOCHROME2"  # noqa: PLR2004 - bits


def _values(frames: Frames, notes: Sequence[Note]) -> dict[str, Any]:
    """What leads from the numbers of a 16-bit PNG to modality values."""
    low = notes[0].stored_offset
    padding = None
    if frames.padding is not None and low is not None:
        limit = frames.padding if frames.padding_limit is None else frames.padding_limit
        padding = [value - low for value in sorted((frames.padding, limit))]
    return {
        "Value": "modality value = PNG value * Slope + Offset",
        "Slope": _once(note.slope for note in notes),
        "Offset": _once(note.offset for note in notes),
        "StoredOffset": low,
        "Padding": padding,
        "LowValuesAreBright": _once(note.inverted for note in notes),
    }


def _rendering(notes: Sequence[Note]) -> dict[str, Any]:
    """How an 8-bit PNG was made."""
    shown = [note.shown for note in notes if note.shown is not None]
    windowed = [one for one in shown if one.window is not None]
    return {
        "GreyBy": _once(str(one.shade) for one in shown),
        "WindowCenter": _once(one.window[0] for one in windowed if one.window),
        "WindowWidth": _once(one.window[1] for one in windowed if one.window),
        "VOILUTFunction": _once(str(one.function) for one in windowed),
        "Inverted": _once(one.inverted for one in shown if one.shade is not Shade.COLOUR),
    }


def _pair(spacing: tuple[float, float] | None) -> list[float] | None:
    return None if spacing is None else list(spacing)


def _once(values: Iterable[Any]) -> Any:  # noqa: ANN401 - whatever JSON takes
    """The value of all frames; a list where they differ; None where there is none."""
    found = list(values)
    if not found:
        return None
    return found[0] if all(value == found[0] for value in found) else found
