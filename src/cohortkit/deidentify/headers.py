"""One header, asked by keyword without converting it: what the gates need to know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag

from cohortkit.deidentify.items import items_of
from cohortkit.deidentify.rules import effective_vr
from cohortkit.deidentify.values import SIZES, encodings_of, identifiers
from cohortkit.dicom.keywords import tag_of
from cohortkit.errors import Refusal

_REGION = "AnatomicRegionSequence"
_AROUND = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_FRAME_TYPES = (
    "CTImageFrameTypeSequence",
    "MRImageFrameTypeSequence",
    "MRSpectroscopyFrameTypeSequence",
    "PETFrameTypeSequence",
    "XAXRFFrameCharacteristicsSequence",
)
_TECHNIQUES = {
    "MRReceiveCoilSequence": "ReceiveCoilName",
    "MRTransmitCoilSequence": "TransmitCoilName",
    "CTReconstructionSequence": "ConvolutionKernel",
    "CTXRayDetailsSequence": "FilterType",
}
"""What functional groups say of coils, kernels and the like."""
_KERNEL, _LABELLED = "ConvolutionKernel", "MRArterialSpinLabelingSequence"
_REQUEST = "RequestAttributesSequence"
_PROCEDURES = (
    "ProcedureCodeSequence",
    "PerformedProtocolCodeSequence",
    "RequestedProcedureCodeSequence",
    "ScheduledProtocolCodeSequence",
)
_BURNED_IN, _VISUAL = "BurnedInAnnotation", "RecognizableVisualFeatures"
_WARNINGS = {BaseTag(0x00280301): _BURNED_IN, BaseTag(0x00280302): _VISUAL}
"""What an item may say of pixels."""
_WRITTEN = (b"\x28\x00\x01\x03", b"\x28\x00\x02\x03", b"\x00\x28\x03\x01", b"\x00\x28\x03\x02")
_Warning = tuple[str, object]
_MAY_HOLD_ITEMS = frozenset({"SQ", "UN", None})
_DEEPEST = 64
_REPEATED, _SEQUENCES = 4096, 256  # bytes of a sequence that is remembered; how many
_CODE_WORDS = ("CodeValue", "CodeMeaning", "LongCodeValue")
_DRAWN = {
    "StructureSetROISequence": ("ROIName", "ROIDescription"),
    "RTROIObservationsSequence": ("RTROIInterpretedType", "ROIObservationLabel"),
    "SegmentSequence": ("SegmentLabel", "SegmentDescription"),
}
"""What contours, segments and surfaces are called, by the sequence that lists them."""
_ROWS, _BITS_STORED = 0x00280010, 0x00280101
_COUNTS = frozenset({_ROWS, _BITS_STORED})
_PLACED = {
    "ImagePositionPatient": (0x00200032, 0x00200030, "PlanePositionSequence"),
    "ImageOrientationPatient": (0x00200037, 0x00200035, "PlaneOrientationSequence"),
    "PixelSpacing": (0x00280030, 0x00280030, "PixelMeasuresSequence"),
}
"""What a scanner's image never lacks: its tag, that of ACR-NEMA, and in functional groups."""
_DRAWN_CODES = ("SegmentedPropertyTypeCodeSequence", "RTROIIdentificationCodeSequence")


def asked_of(header: Dataset) -> Callable[[str], object | None]:
    """A way to ask a header by keyword: text, a number, a list of them, or None.

    A sequence is answered by the code values and meanings in it. Of the columns that only an
    index row has, ``image_types`` is answered by the frames of an enhanced object, ``burned_in`` by
    the header and its items wherever an item says something, and the others by None;
    ``procedures`` by what codes and requests say of the procedure, ``technique`` and ``kernels``
    by what functional groups say of coils and reconstruction, ``drawn`` by what contours, segments
    and surfaces are called, ``sounds`` by how the channels of a waveform are coded and whence
    they come, ``unmeasured`` by what an image lacks that a scanner's never does.
    """
    told = {
        _REGION: _regions,
        "image_types": _frame_types,
        "procedures": _procedures,
        "technique": _techniques,
        "kernels": _kernels,
        "drawn": _drawn,
        "sounds": _sounds,
        "unmeasured": _unmeasured,
    }
    warnings = {_VISUAL: _features, "burned_in": _burned_in}
    warned: list[list[_Warning]] = []
    encodings = encodings_of(header, ("iso8859",))

    def get(keyword: str) -> object | None:
        if keyword in told:
            return list(told[keyword](header)) or None
        if keyword in warnings:
            if not warned:
                warned.append([*_warned(header)])
            return list(warnings[keyword](header, warned[0])) or None
        found = _read(header, keyword, encodings)
        if not found:
            return None
        return found[0] if len(found) == 1 else found

    return get


def holds(header: Dataset) -> Callable[[str], bool]:
    """A way to ask whether a header has an attribute, with or without a value."""

    def there(keyword: str) -> bool:
        tag = tag_of(keyword)
        return tag is not None and tag in header

    return there


def _read(dataset: Dataset, keyword: str, encodings: Sequence[str] | None = None) -> list[object]:
    tag = tag_of(keyword)
    element = None if tag is None else dataset._dict.get(BaseTag(tag))  # noqa: SLF001 - get_item is slow, and this is asked often
    if tag is None or element is None:
        return []
    vr = effective_vr(tag, element.VR, None)
    if vr == "SQ":
        return []
    value = element.value
    if vr.split(" or ", maxsplit=1)[0] in SIZES and isinstance(value, bytes):
        little = getattr(element, "is_little_endian", True)
        # US, the only binary VR that is asked for
        return [int.from_bytes(value[:2], "little" if little else "big")] if value else []
    if isinstance(value, int | float):
        return [value]
    read_by = encodings_of(dataset, ("iso8859",)) if encodings is None else encodings
    return [one for one in identifiers(element, read_by) if one]


def _frame_types(header: Dataset) -> Iterator[object]:
    """Frame Type of each frame that has one: frames may be captures where the object is none."""
    for group in _AROUND:
        for item in _inside(header, group):
            for name in _FRAME_TYPES:
                for kind in _inside(item, name):
                    yield "\\".join(map(str, _read(kind, "FrameType")))


def _grouped(header: Dataset) -> Iterator[tuple[str, object]]:
    for group in _AROUND:
        for item in _inside(header, group):
            for name, keyword in _TECHNIQUES.items():
                for inner in _inside(item, name):
                    yield from ((keyword, value) for value in _read(inner, keyword))


def _techniques(header: Dataset) -> Iterator[object]:
    """Words for coils and filters; what is labelled by its spins is a brain."""
    if any(_inside(item, _LABELLED) for group in _AROUND for item in _inside(header, group)):
        yield "ASL"
    yield from dict.fromkeys(value for keyword, value in _grouped(header) if keyword != _KERNEL)


def _kernels(header: Dataset) -> Iterator[object]:
    yield from dict.fromkeys(value for keyword, value in _grouped(header) if keyword == _KERNEL)


def _burned_in(header: Dataset, warned: Sequence[_Warning]) -> Iterator[object]:
    """What the header says, with what its items say; nothing where no item says anything."""
    nested = [value for keyword, value in warned if keyword == _BURNED_IN]
    if nested:
        top = _read(header, _BURNED_IN)
        yield from (*(top or [None]), *nested)


def _features(header: Dataset, warned: Sequence[_Warning]) -> Iterator[object]:
    """Whether faces can be seen, as the header says, or an item at any depth says otherwise."""
    yield from _read(header, _VISUAL)
    for keyword, value in warned:
        if keyword == _VISUAL and str(value).strip().upper() != "NO":
            yield value


def _warned(dataset: Dataset, depth: int = 0) -> Iterator[_Warning]:
    """What the items of a header say of pixels and faces, however deep they lie."""
    if depth >= _DEEPEST:
        return  # the walk refuses it
    for item in _items(dataset):
        held = item._dict  # noqa: SLF001 - as in _read
        for tag, keyword in _WARNINGS.items():
            if tag in held:
                yield from ((keyword, value) for value in _read(item, keyword))
        yield from _warned(item, depth + 1)


def _items(dataset: Dataset) -> Iterator[Dataset]:
    """The items of every sequence in whose bytes such a tag stands, in either byte order."""
    for element in dataset._dict.values():  # noqa: SLF001 - as in _read
        if element.VR not in _MAY_HOLD_ITEMS:
            continue
        value = element.value
        if isinstance(value, Items):
            yield from value
        elif isinstance(value, bytes) and any(tag in value for tag in _WRITTEN):
            try:
                yield from items_of(element, encodings_of(dataset, ("iso8859",)))
            except Refusal:
                continue  # the walk refuses it if it would be kept


def _procedures(header: Dataset) -> Iterator[object]:
    """What was asked for and done, in codes and in the words of the request."""
    for request in (header, *_inside(header, _REQUEST)):
        for keyword in ("RequestedProcedureDescription", "ScheduledProcedureStepDescription"):
            yield from _read(request, keyword)
        for name in _PROCEDURES:
            for code in _inside(request, name):
                for keyword in _CODE_WORDS:
                    yield from _read(code, keyword)


def _drawn(header: Dataset) -> Iterator[object]:
    for sequence, keywords in _DRAWN.items():
        for item in _inside(header, sequence):
            for keyword in keywords:
                yield from _read(item, keyword)
            for name in _DRAWN_CODES:
                yield from _codes(item, name)


def _sounds(header: Dataset) -> Iterator[object]:
    for group in _inside(header, "WaveformSequence"):
        yield from _read(group, "WaveformSampleInterpretation")
        for channel in _inside(group, "ChannelDefinitionSequence"):
            yield from _codes(channel, "ChannelSourceSequence")


def _unmeasured(header: Dataset) -> Iterator[object]:
    """Attributes that every image of a scanner has and this one lacks; none where there is none."""
    if not _filled(header, _ROWS):
        return  # no picture that anything here would write
    if not _filled(header, _BITS_STORED):
        yield "BitsStored"
    for keyword, (tag, old, name) in _PLACED.items():
        if not (_filled(header, tag) or _filled(header, old) or _grouped_in(header, name)):
            yield keyword


def _filled(header: Dataset, tag: int) -> bool:
    """Whether anything but blanks stands there, of a number anything but 0; what, is not asked."""
    element = header._dict.get(tag)  # type: ignore[call-overload] # noqa: SLF001 - as above, a tag is a number
    value = None if element is None else element.value
    if isinstance(value, bytes):
        return any(value) if tag in _COUNTS else bool(value.strip(b" \0\\"))
    return value is not None and str(value).strip() not in {"", "[]", "0"}


def _grouped_in(header: Dataset, name: str) -> bool:
    """Whether any functional group has such a sequence with an item that says something."""
    groups = (item for group in _AROUND for item in _inside(header, group))
    return any(len(inner) > 0 for item in groups for inner in _inside(item, name))


def _regions(header: Dataset) -> Iterator[object]:
    """Codes of every anatomic region: of the object, or of its frames in functional groups."""
    yield from _codes(header)
    for group in _AROUND:
        for item in _inside(header, group):
            for anatomy in _inside(item, "FrameAnatomySequence"):
                yield from _codes(anatomy)


def _codes(dataset: Dataset, sequence: str = _REGION) -> Iterator[object]:
    for code in _inside(dataset, sequence):
        for keyword in _CODE_WORDS:
            yield from _read(code, keyword)


def _inside(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    element = dataset._dict.get(BaseTag(tag_of(keyword) or 0))  # noqa: SLF001 - as above
    if element is None:
        return ()
    encodings = encodings_of(dataset, ("iso8859",))
    try:
        if isinstance(element, RawDataElement) and len(element.value or b"") <= _REPEATED:
            return _parsed(element._replace(value_tell=0), encodings)
        return items_of(element, encodings)
    except Refusal:
        return ()  # the walk refuses it if it would be kept


@lru_cache(_SEQUENCES)
def _parsed(element: RawDataElement, encodings: tuple[str, ...]) -> Sequence[Dataset]:
    """Its items, which are only read: a series repeats most sequences in every file."""
    return items_of(element, encodings)
