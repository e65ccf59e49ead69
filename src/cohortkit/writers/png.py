"""PNG: one lossless picture a frame, with a sidecar that says what its numbers mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cohortkit import given
from cohortkit.errors import Refusal, UsageError
from cohortkit.model import (
    Artifact,
    DeidentifiedSeries,
    Display,
    Frames,
    Payload,
    PayloadKind,
    Photometric,
    Reason,
)
from cohortkit.pixels.contact import chosen, sheet, small
from cohortkit.pixels.encode import png
from cohortkit.pixels.render import center_width, looked_up, pictures, some
from cohortkit.writers import files
from cohortkit.writers.png_sidecar import Note, Tile, sheet_sidecar, sidecar

_DEPTHS = 8, 16
_WORD_BITS = 16
_WORD = 1 << _WORD_BITS


@dataclass(frozen=True, slots=True)
class Png:
    """Writes frames as PNG under ``<stem>/``: ``i0001.png``, or ``i0001_f0001.png`` … for several.

    The number is the instance's place in the order of Instance Number; ``i0001.json`` beside it
    says what the numbers mean. Colour is written as RGB of 8 bits, whatever ``bits`` says.

    Attributes:
        bits: 16: every value exact, without window or inversion; the sidecar has slope and offset
            to the modality values, and the polarity. 8: as the header says that it is to be shown.
        window: for 8 bits and CT, instead of the header's: a name (``lung``, ``bone`` …) or center
            and width in Hounsfield units. Series that are not CT keep their own.
        sheet: also ``<stem>/sheet.png``: up to 64 pictures of a series side by side, as 8 bits show
            them, and ``sheet.json``, which says of which files they are.
    """

    name: ClassVar[str] = "png"
    accepts: ClassVar[frozenset[PayloadKind]] = frozenset({PayloadKind.FRAMES})

    bits: int = 16
    window: str | tuple[float, float] | None = None
    sheet: bool = False

    def __post_init__(self) -> None:
        given.together(self._bits, self._window, self._sheet)

    def _bits(self) -> None:
        if self.bits not in _DEPTHS:
            raise UsageError("Png(bits=…) takes 8 or 16")

    def _window(self) -> None:
        if self.window is not None and self.bits != 8:  # noqa: PLR2004 - bits
            raise UsageError("Png(window=…) needs bits=8: 16 bits hold every value, unwindowed")
        center_width("Png(window=…)", self.window)

    def _sheet(self) -> None:
        given.a(bool, "Png(sheet=…)", self.sheet, "True or False")

    def write(
        self, payload: Payload, series: DeidentifiedSeries, folder: Path, stem: str
    ) -> list[Artifact]:
        """Write the frames of one instance and their sidecar.

        Raises:
            Refusal: ``values-out-of-range``: 16 bits do not hold the values exactly.
            TaskFailure: the place cannot be written.
        """
        if not isinstance(payload, Frames):
            raise Refusal(Reason.NO_PAYLOAD)
        base = f"{stem}/i{payload.number:04d}"
        files.make_folder(folder / stem)
        artifacts, notes = [], []
        for number, (picture, note) in enumerate(self._pictures(payload, series), start=1):
            name = f"{stem}/{_name(payload, number)}"
            artifacts.append(self._image(folder, name, picture, payload, number))
            notes.append(note)
        about = sidecar(payload, series, [artifact.path for artifact in artifacts], notes)
        name = f"{base}.json"
        written = files.write_text(folder / name, about)
        artifacts.append(
            Artifact(self.name, "sidecar", name, written.sha256, written.size, payload.instances)
        )
        return artifacts

    def pieces(self, payload: Payload, series: DeidentifiedSeries) -> list[Tile]:
        """The tiles of one instance for the contact sheet of its series."""
        if not (self.sheet and isinstance(payload, Frames)):
            return []
        places = chosen(payload.number, len(payload.values), len(series.facts.instances))
        made = []
        for place, (picture, note) in zip(
            places, self._eight(some(payload, places), series), strict=True
        ):
            tile = small(picture, payload.pixel_aspect)
            name = _name(payload, place + 1)
            made.append(Tile(payload.number, place, name, payload.instance, tile, note))
        return made

    def gathered(
        self, pieces: Sequence[object], series: DeidentifiedSeries, folder: Path, stem: str
    ) -> list[Artifact]:
        """Write the contact sheet of a series and what is on it.

        Raises:
            TaskFailure: the place cannot be written.
        """
        tiles = sorted((one for one in pieces if isinstance(one, Tile)), key=Tile.place)
        picture = sheet([tile.picture for tile in tiles])
        name, about = f"{stem}/sheet.png", f"{stem}/sheet.json"
        image = files.write(folder / name, [png(picture)])
        said = files.write_text(folder / about, sheet_sidecar(tiles, series))
        of = tuple(sorted({tile.instance for tile in tiles}))
        return [
            Artifact(self.name, "sheet", name, image.sha256, image.size, of, picture.shape),
            Artifact(self.name, "sidecar", about, said.sha256, said.size, of),
        ]

    def _pictures(
        self, frames: Frames, series: DeidentifiedSeries
    ) -> Iterator[tuple[NDArray[Any], Note]]:
        if self.bits == 8 or frames.photometric is Photometric.RGB:  # noqa: PLR2004 - bits
            yield from self._eight(frames, series)
        else:
            yield from exact(frames)

    def _eight(
        self, frames: Frames, series: DeidentifiedSeries
    ) -> Iterator[tuple[NDArray[np.uint8], Note]]:
        window = center_width("Png(window=…)", self.window)
        for picture, shown in pictures(frames, window if series.facts.ct else None):
            yield picture, Note(shown=shown)

    def _image(
        self, folder: Path, name: str, picture: NDArray[Any], frames: Frames, number: int
    ) -> Artifact:
        spacing = frames.spacing[number - 1] if frames.spacing else None
        written = files.write(folder / name, [png(picture, aspect=frames.pixel_aspect)])
        return Artifact(
            output=self.name,
            role="image",
            path=name,
            sha256=written.sha256,
            size=written.size,
            instances=frames.instances,
            shape=picture.shape,
            spacing=() if spacing is None else spacing,
            dtype=str(picture.dtype),
        )


def _name(frames: Frames, number: int) -> str:
    """The file of a frame, in the folder of its series."""
    base = f"i{frames.number:04d}"
    return f"{base}.png" if len(frames.values) == 1 else f"{base}_f{number:04d}.png"


def exact(frames: Frames) -> Iterator[tuple[NDArray[np.uint16], Note]]:
    """Every grey frame as uint16, with what leads back to its modality values.

    Raises:
        Refusal: ``values-out-of-range``: no uint16 holds the values exactly.
    """
    low = _lowest(frames)
    for number, stored in enumerate(frames.values):
        display = frames.displays[number] if frames.displays else Display()
        slope, intercept = frames.slopes[number], frames.intercepts[number]
        inverted = display.inverse
        if inverted is None:
            inverted = frames.photometric is Photometric.MONOCHROME1
        if display.modality is not None:
            values = looked_up(stored, display.modality).astype(np.uint16)
            yield values, Note(inverted=inverted)
            continue
        values = (stored - low if low == 0 else stored.astype(np.int64) - low).astype(np.uint16)
        yield values, Note(slope, low * slope + intercept, low, inverted)


def _lowest(frames: Frames) -> int:
    """The stored value that becomes 0: by the type and not by the picture, so that frames compare.

    Raises:
        Refusal: ``values-out-of-range``.
    """
    values, bits = frames.values, frames.bits_stored
    if values.dtype.kind in "iu" and bits <= _WORD_BITS:
        return -(1 << (bits - 1)) if frames.signed else 0
    least, most = float(values.min()), float(values.max())
    whole = values.dtype.kind in "iu" or bool((values == np.rint(values)).all())
    if whole and least >= 0 and most < _WORD:
        return 0
    if whole and least >= -_WORD // 2 and most < _WORD // 2:
        return -_WORD // 2
    raise Refusal(Reason.VALUES_OUT_OF_RANGE, least=least, most=most)
