"""Facts of a series: what assembly needs, read before anything in the header is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from cohortkit.geometry import classic, enhanced, nuclear, suv, vendors
from cohortkit.geometry.asked import watched
from cohortkit.geometry.display import Displays
from cohortkit.geometry.headers import integer, number, text, words
from cohortkit.model.alike import differing
from cohortkit.model.facts import (
    Codec,
    Facts,
    FrameFacts,
    InstanceFacts,
    Photometric,
    PixelFormat,
    PixelType,
)
from cohortkit.reasons import Reason

_CT = frozenset({"2", "2.1", "2.2"})
_MR = frozenset({"4", "4.1", "4.3", "4.4"})
_PT = frozenset({"128", "128.1", "130"})
_NM = frozenset({"5", "20"})
_ROOT = "1.2.840.10008.5.1.4.1.1."
_SETTINGS = (
    "FrameOfReferenceUID",
    "PatientPosition",
    "RescaleType",
    "Units",
    "ConvolutionKernel",
)
_WORDS_OF_LOSS = frozenset({"01", "1"})


def read_facts(headers: Sequence[Dataset]) -> Facts:
    """The facts of one series.

    Args:
        headers: of its instances in the order of the task's files, complete but for the pixels.
            They are only read.

    Returns:
        Numbers and enumerations; what is absent is None, what is no number is NaN.
    """
    reader = _Reader()
    read = [reader(header, ordinal) for ordinal, header in enumerate(headers)]
    kinds = {kind: n for n, kind in enumerate(sorted({k for one in read for k in one.kinds}))}
    settings = {one: n for n, one in enumerate(sorted({one.setting for one in read}))}
    times = [f.time for one in read for f in one.instance.frames if f.time is not None]
    start = min(times, default=0.0)
    identities: dict[str, int] = {}
    instances = []
    for ordinal, (header, one) in enumerate(zip(headers, read, strict=True)):
        instance = one.instance
        frames = tuple(
            replace(
                frame,
                image_type=kinds[kind],
                setting=settings[one.setting],
                time=None if frame.time is None else round(frame.time - start, 6),
            )
            for frame, kind in zip(instance.frames, one.kinds, strict=True)
        )
        identity = identities.setdefault(text(header, "SOPInstanceUID"), ordinal)
        instances.append(replace(instance, frames=frames, identity=identity))
    flags = _flags(headers, instances)
    factor = suv.factor(headers) if flags["pt"] else None
    return Facts(instances=tuple(instances), suv=factor, **flags)


@dataclass(frozen=True, slots=True)
class _Read:
    """What one header says.

    Attributes:
        kinds: for each frame, the words that say what kind of image it is.
        asked: for which elements it was asked, but by ``classic.own`` and for the display.
        plain: whether it is of one frame, which lies where ``classic.own`` says.
    """

    instance: InstanceFacts
    kinds: tuple[tuple[str, ...], ...]
    setting: tuple[tuple[str, ...], ...]
    asked: AbstractSet[int]
    plain: bool


class _Reader:
    """Reads the headers of a series; what one repeats of the header before is not read again."""

    def __init__(self) -> None:
        self._displays = Displays()
        self._held: Mapping[BaseTag, object] = {}
        self._read_as: tuple[object, ...] = ()
        self._last: _Read | None = None
        self._shown: AbstractSet[int] = frozenset()

    def __call__(self, header: Dataset, ordinal: int) -> _Read:
        held = dict(header._dict)  # noqa: SLF001 - as it lies: reading converts elements in place
        read_as = (_codec(header), header.original_encoding)
        changed = differing(held, self._held) if read_as == self._read_as else None
        made = None if changed is None else self._repeated(header, ordinal, changed)
        if made is None or changed is None or changed & self._shown:
            made = self._displayed(header, made or _read(header, ordinal))
        self._held, self._read_as, self._last = held, read_as, made
        return made

    def _repeated(self, header: Dataset, ordinal: int, changed: AbstractSet[int]) -> _Read | None:
        """What a header says that repeats the last one but for what its slice has for itself.

        None where more is other, or where the place is not its own: then it may lie elsewhere.
        """
        last = self._last
        if last is None or not last.plain or changed & last.asked:
            return None
        own, frame = classic.own(header), last.instance.frames[0]
        if own["position"] is None:
            return None
        frame = replace(frame, instance=ordinal, **own)
        return replace(last, instance=replace(last.instance, frames=(frame,)))

    def _displayed(self, header: Dataset, made: _Read) -> _Read:
        seen, asked = watched(header)
        instance = made.instance
        frames = self._displays.add(seen, instance.pixels, instance.frames)
        self._shown = asked.tags
        return replace(made, instance=replace(instance, frames=frames))


def _read(header: Dataset, ordinal: int) -> _Read:
    """All that a header says but how it is to be shown."""
    seen, asked = watched(header)
    own = classic.own(header)
    grouped = enhanced.has_groups(seen)
    if grouped:
        frames, kinds = enhanced.frames(seen, ordinal)
        no_volume = None
    else:
        frame, kind = classic.frame(seen, ordinal, own)
        frames, no_volume = nuclear.frames(seen, frame)
        kinds = [kind] * len(frames)
    plain = not grouped and len(frames) == 1 and no_volume is None and own["position"] is not None
    return _Read(
        instance=_instance(seen, tuple(frames), no_volume),
        kinds=tuple(kinds),
        setting=_setting(seen),
        asked=asked.tags,
        plain=plain,
    )


def _setting(header: Dataset) -> tuple[tuple[str, ...], ...]:
    """What two slices of one volume have in common: where, how and in which units they lie."""
    return tuple(words(header, keyword) for keyword in _SETTINGS)


def _flags(headers: Sequence[Dataset], instances: Sequence[InstanceFacts]) -> dict[str, bool]:
    classes = {text(header, "SOPClassUID").removeprefix(_ROOT) for header in headers}
    weighted = any((f.b_value or 0) > 0 for i in instances for f in i.frames)
    return {
        "diffusion": weighted,
        "ct": bool(classes) and classes <= _CT,
        "mr": bool(classes) and classes <= _MR,
        "pt": bool(classes) and classes <= _PT,
        "nm": bool(classes) and classes <= _NM,
    }


def _instance(
    header: Dataset, frames: tuple[FrameFacts, ...], no_volume: Reason | None
) -> InstanceFacts:
    pixels = _pixels(header)
    row, positive = vendors.phase_encoding(header)
    return InstanceFacts(
        pixels=pixels,
        frames=frames,
        mosaic=vendors.mosaic(header) if pixels is not None else None,
        series_number=integer(header, "SeriesNumber"),
        no_volume=no_volume,
        lossy=bool(_WORDS_OF_LOSS & set(words(header, "LossyImageCompression"))),
        phase_row=row,
        phase_positive=positive,
    )


def _pixels(header: Dataset) -> PixelFormat | None:
    """The Image Pixel module; None where the header has none.

    What is absent in it or no number is 0, which no decoder accepts.
    """
    rows, columns = integer(header, "Rows"), integer(header, "Columns")
    allocated = integer(header, "BitsAllocated")
    if rows is None and columns is None and allocated is None:
        return None
    stored, signed = integer(header, "BitsStored"), integer(header, "PixelRepresentation")
    held_in = PixelType.INTEGER
    if stored is None and signed is None:
        held_in = {32: PixelType.FLOAT, 64: PixelType.DOUBLE}.get(allocated or 0, held_in)
    stored = allocated if stored is None else stored
    high = integer(header, "HighBit")
    frames = number(header, "NumberOfFrames")
    return PixelFormat(
        rows=rows or 0,
        columns=columns or 0,
        samples=integer(header, "SamplesPerPixel") or 1,
        frames=1 if frames is None else integer(header, "NumberOfFrames") or 0,
        bits_allocated=allocated or 0,
        bits_stored=stored or 0,
        high_bit=(stored or 1) - 1 if high is None else high,
        signed=signed == 1,
        photometric=_photometric(header),
        planar=integer(header, "PlanarConfiguration") or 0,
        codec=_codec(header),
        held_in=held_in,
        padding=integer(header, "PixelPaddingValue"),
        padding_limit=integer(header, "PixelPaddingRangeLimit"),
    )


def _photometric(header: Dataset) -> Photometric:
    said = " ".join(words(header, "PhotometricInterpretation")[:1])
    if not said:
        one = (integer(header, "SamplesPerPixel") or 1) == 1
        return Photometric.MONOCHROME2 if one else Photometric.RGB
    try:
        return Photometric(said)
    except ValueError:
        return Photometric.OTHER


def _codec(header: Dataset) -> Codec:
    meta = getattr(header, "file_meta", None)
    said = "" if meta is None else text(meta, "TransferSyntaxUID")
    if not said:
        implicit, little = header.original_encoding
        if not little and little is not None:
            return Codec.EXPLICIT_BIG
        return Codec.IMPLICIT_LITTLE if implicit else Codec.EXPLICIT_LITTLE
    try:
        return Codec(said)
    except ValueError:
        return Codec.OTHER
