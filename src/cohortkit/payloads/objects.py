"""Objects of a series, whole: which may leave as DICOM, and what of their pixels."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cohortkit.dicom.encode import Encoding, encoded
from cohortkit.dicom.sop_classes import lookup
from cohortkit.errors import Refusal
from cohortkit.model import (
    Codec,
    DeidentifiedSeries,
    Kind,
    Object,
    PixelForm,
    PixelFormat,
    PixelHandle,
    PixelValue,
    Reason,
    Refused,
    ReleasedHeader,
    Status,
    StoredPixels,
)
from cohortkit.model.facts import PixelType
from cohortkit.payloads.frames import numbers_of
from cohortkit.pixels import encapsulated, fragments, hidden
from cohortkit.pixels.recode import LOSSY
from cohortkit.pixels.redacted import RedactedPixels, values_of

_DOCUMENTS = "1.2.840.10008.5.1.4.1.1.104."
_UNREAD = frozenset({Kind.DOCUMENT, Kind.VIDEO, Kind.RAW})
_PICTURES = frozenset({Kind.IMAGE, Kind.WSI, Kind.SEGMENTATION})
_FLOATS = {PixelType.FLOAT: "OF", PixelType.DOUBLE: "OD"}
_WORDS = "OW", "OB"
_BYTE = 8
_DIGESTED = Encoding(implicit=False, little=True)


def assemble(series: DeidentifiedSeries) -> Iterator[Object | Refused]:
    """Each instance as an object, in the order of the instances; every one is in one item.

    Objects that share a SOP Instance UID are one object twice, or they contradict each other:
    then none of them leaves, for nothing says which the others' references mean.

    Raises:
        TaskFailure: the pixels could not be read this time.
    """
    numbers = numbers_of(series.facts)
    fates = _copies(series)
    for ordinal, header in enumerate(series.headers):
        fate = fates.get(ordinal)
        if fate is not None:
            status = Status.DUPLICATE if fate is Reason.SAME_INSTANCE else Status.REFUSED
            yield Refused(fate, (ordinal,), status)
            continue
        try:
            yield _object(series, ordinal, header, numbers[ordinal])
        except Refusal as refusal:
            yield Refused(refusal.reason, (ordinal,), numbers=refusal.numbers)


def _object(
    series: DeidentifiedSeries, ordinal: int, header: ReleasedHeader, number: int
) -> Object:
    sop = lookup(header.text("SOPClassUID") or "")
    if sop is None:
        raise Refusal(Reason.UNKNOWN_SOP_CLASS)
    if not header.text("SOPInstanceUID"):
        raise Refusal(Reason.NO_UIDS)
    if sop.kind in _UNREAD or sop.uid.startswith(_DOCUMENTS):
        raise Refusal(Reason.UNREAD_CONTENT)
    handle, form = series.pixels[ordinal], series.facts.instances[ordinal].pixels
    if handle is None:
        if sop.kind in _PICTURES:
            raise Refusal(Reason.NO_PIXELS)
        return Object(ordinal, number=number)
    if isinstance(handle, RedactedPixels):
        return _blanked(handle, ordinal, number)
    if form is None or not isinstance(handle, StoredPixels):
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    return Object(ordinal, handle.form.codec, _pixels(handle, form), number)


def _blanked(handle: RedactedPixels, ordinal: int, number: int) -> Object:
    """An object whose pixels were encoded again after parts were blanked."""
    made = handle.encoded()
    image, data = made.pixels, made.data
    length = len(data) if image.codec.native else None
    vr = "OB" if length is None else _WORDS[image.bits_allocated <= _BYTE]
    value = PixelValue(image.held_in, vr, length, lambda: iter((data,)))
    return Object(ordinal, image.codec, value, number, image, handle.pixels.codec in LOSSY)


def _pixels(handle: StoredPixels, pixels: PixelFormat) -> PixelValue:
    """The pixels without what hides in them.

    Raises:
        Refusal: ``unsupported-pixels``, ``pixel-length``, ``pixel-stream``, ``hidden-bits`` …
    """
    lies = handle.form
    said = lies.codec is Codec.OTHER or lies.codec.native is lies.encapsulated
    if said or lies.attribute is not pixels.held_in:
        raise Refusal(Reason.UNSUPPORTED_PIXELS)
    if lies.length is None:
        raise Refusal(Reason.PIXEL_LENGTH)
    if lies.encapsulated:
        return _fragments(handle, pixels)
    big = lies.codec is Codec.EXPLICIT_BIG
    length = hidden.length(pixels, lies.length)
    if big and length % 2 and pixels.bits_allocated == 8:  # noqa: PLR2004 - where is the pad byte?
        raise Refusal(Reason.UNSUPPORTED_PIXELS)

    def chunks() -> Iterator[bytes | memoryview]:
        return hidden.visible(handle.chunks(), pixels, length, big=big)

    return PixelValue(lies.attribute, _vr(lies, pixels), length + length % 2, chunks)


def _vr(lies: PixelForm, pixels: PixelFormat) -> str:
    """The file's, where it says one that can be; else the one for the size of a sample."""
    if lies.attribute in _FLOATS:
        return _FLOATS[lies.attribute]
    return lies.vr if lies.vr in _WORDS else _WORDS[pixels.bits_allocated <= _BYTE]


def _fragments(handle: StoredPixels, pixels: PixelFormat) -> PixelValue:
    frames, table = encapsulated.cleaned(handle.read(), replace(pixels, codec=handle.form.codec))

    def chunks() -> Iterator[bytes]:
        return fragments.joined(frames, table=table)

    return PixelValue(pixels.held_in, "OB", None, chunks)


def _copies(series: DeidentifiedSeries) -> dict[int, Reason]:
    """What is not written of objects that share one SOP Instance UID: why, by ordinal."""
    groups: dict[int, list[int]] = defaultdict(list)
    for ordinal, instance in enumerate(series.facts.instances):
        if instance.identity is not None:
            groups[instance.identity].append(ordinal)
    fates: dict[int, Reason] = {}
    for group in groups.values():
        if len(group) == 1:
            continue
        same = any(
            len({digest(series, ordinal) for ordinal in group}) == 1
            for digest in (_stored, _decoded)  # as they lie; as they look
        )
        if same:
            fates |= dict.fromkeys(group[1:], Reason.SAME_INSTANCE)
        else:
            fates |= dict.fromkeys(group, Reason.UID_CONFLICT)
    return fates


def _stored(series: DeidentifiedSeries, ordinal: int) -> bytes:
    """A digest of the pixels as they lie; of the released header where there are none."""
    handle = series.pixels[ordinal]
    digest = hashlib.sha256()
    if handle is None:
        digest.update(encoded(series.headers[ordinal].elements(), _DIGESTED))
        return digest.digest()
    try:
        for chunk in _chunks(handle):
            digest.update(chunk)
    except Refusal:
        digest.update(b"unreadable %d" % ordinal)  # like no other
    return digest.digest()


def _chunks(handle: PixelHandle) -> Iterable[bytes]:
    if isinstance(handle, RedactedPixels):
        return (handle.encoded().data,)
    return handle.chunks() if isinstance(handle, StoredPixels) else (handle.read(),)


def _decoded(series: DeidentifiedSeries, ordinal: int) -> bytes:
    """A digest of the decoded pixels: a copy may be compressed in another way."""
    handle, pixels = series.pixels[ordinal], series.facts.instances[ordinal].pixels
    if handle is None or pixels is None:
        return b"none %d" % ordinal  # like no other
    try:
        values = values_of(handle, pixels)
    except Refusal:
        return b"unreadable %d" % ordinal
    told = f"{values.shape} {values.dtype.str}"
    return hashlib.sha256(told.encode() + values.tobytes()).digest()
