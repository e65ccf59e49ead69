"""Facts of a series: what assembly needs, read before anything in the header is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydicom.dataset import Dataset

from cohortkit.geometry import classic, enhanced, nuclear, suv, vendors
from cohortkit.geometry.display import Displays
from cohortkit.geometry.headers import integer, number, text, words
from cohortkit.model.facts import (
    Codec,
    Facts,
    FrameFacts,
    InstanceFacts,
    Photometric,
    PixelFormat,
    PixelType,
)

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
    displays = Displays()
    read = [_instance(header, ordinal, displays) for ordinal, header in enumerate(headers)]
    kinds = {kind: n for n, kind in enumerate(sorted({k for _, ks in read for k in ks}))}
    own_settings = [_setting(header) for header in headers]
    settings = {one: n for n, one in enumerate(sorted(set(own_settings)))}
    times = [f.time for instance, _ in read for f in instance.frames if f.time is not None]
    start = min(times, default=0.0)
    identities: dict[str, int] = {}
    instances = []
    for ordinal, (header, (instance, own)) in enumerate(zip(headers, read, strict=True)):
        frames = tuple(
            replace(
                frame,
                image_type=kinds[kind],
                setting=settings[own_settings[ordinal]],
                time=None if frame.time is None else round(frame.time - start, 6),
            )
            for frame, kind in zip(instance.frames, own, strict=True)
        )
        identity = identities.setdefault(text(header, "SOPInstanceUID"), ordinal)
        instances.append(replace(instance, frames=frames, identity=identity))
    flags = _flags(headers, instances)
    factor = suv.factor(headers) if flags["pt"] else None
    return Facts(instances=tuple(instances), suv=factor, **flags)


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
    header: Dataset, ordinal: int, displays: Displays
) -> tuple[InstanceFacts, list[tuple[str, ...]]]:
    """One instance and, for each of its frames, the words that say what kind of image it is."""
    pixels = _pixels(header)
    frames: list[FrameFacts]
    kinds: list[tuple[str, ...]]
    no_volume = None
    if enhanced.has_groups(header):
        frames, kinds = enhanced.frames(header, ordinal)
    else:
        frame, kind = classic.frame(header, ordinal)
        frames, no_volume = nuclear.frames(header, frame)
        kinds = [kind] * len(frames)
    row, positive = vendors.phase_encoding(header)
    instance = InstanceFacts(
        pixels=pixels,
        frames=displays.add(header, pixels, frames),
        mosaic=vendors.mosaic(header) if pixels is not None else None,
        series_number=integer(header, "SeriesNumber"),
        no_volume=no_volume,
        lossy=bool(_WORDS_OF_LOSS & set(words(header, "LossyImageCompression"))),
        phase_row=row,
        phase_positive=positive,
    )
    return instance, kinds


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
    said = str(meta.get("TransferSyntaxUID", "") or "") if meta is not None else ""
    if not said:
        implicit, little = header.original_encoding
        if not little and little is not None:
            return Codec.EXPLICIT_BIG
        return Codec.IMPLICIT_LITTLE if implicit else Codec.EXPLICIT_LITTLE
    try:
        return Codec(said.strip(" \0"))
    except ValueError:
        return Codec.OTHER
