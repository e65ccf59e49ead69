"""What is held back before a header is touched: names in the pixels, faces, voices, the unknown.

One function decides in the plan (asked of an index row) and in the worker (asked of a header).
Both ask by ``get(keyword)``. An index row answers two kinds of words: DICOM keywords with the
value of the series, and the lists of what its instances differ in (``image_types``, ``burned_in``,
``photometrics``, ``sop_classes``), of which the riskiest counts. A header knows the keywords only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cohortkit.deidentify.outlines import follows_skin
from cohortkit.deidentify.pages import is_page, is_page_of_a_study, is_page_type
from cohortkit.deidentify.regions import Region, is_head_kernel, region
from cohortkit.deidentify.signatures import Get, There, fitting, may_hold_pixels, refused
from cohortkit.dicom.sop_classes import lookup
from cohortkit.model import Department, Kind, Reason, Risk, SopClass
from cohortkit.recipe.model import Option, PixelRisk, Recipe

_GREY = frozenset({"", "MONOCHROME1", "MONOCHROME2"})
_NO_FACE = frozenset({Department.OPHTHALMOLOGY, Department.ENDOSCOPY, Department.PATHOLOGY})
_ROOT = "1.2.840.10008.5.1.4.1.1."
# made by projection or by sound: the classes that show no face. In all other images one may be.
_SOUND = frozenset(_ROOT + tail for tail in ("3", "3.1", "6", "6.1", "6.2", "6.3", "14.1", "14.2"))
_CONE_BEAM = frozenset(_ROOT + tail for tail in ("13.1.1", "13.1.2"))
_SURFACES = frozenset(_ROOT + tail for tail in ("66.5", "68.1", "68.2"))
"""Surface segmentations; scans of a surface, which are of faces and teeth as a rule."""
_SAYS_WHAT_IT_IS = ("SeriesDescription", "ImageComments", "DerivationDescription")
_SAYS_WHY = ("ProtocolName", "StudyDescription")
_OF_A_CAPTURE = (
    "ConversionType",
    "SecondaryCaptureDeviceID",
    "SecondaryCaptureDeviceManufacturer",
    "SecondaryCaptureDeviceManufacturerModelName",
    "SecondaryCaptureDeviceSoftwareVersions",
    "HardcopyCreationDeviceID",
    "HardcopyDeviceManufacturer",
    "DateOfSecondaryCapture",
    "VideoImageFormatAcquired",
    "DigitalImageFormatAcquired",
)
"""Attributes that only what is captured or copied has (PS3.3 C.8.6.1 and its forerunners)."""
_SCANNERS = frozenset({"", "CT", "MR", "PT", "NM", "ST"})
"""Modalities of the classes that their scanner itself draws; ST is a SPECT of old."""
_NO_PROJECTION = frozenset({"OT", "SC", "DOC", "US", "ES", "XC", "HC"})
"""Modalities that no device for radiographs has."""
_MEASURED = frozenset(
    _ROOT + tail for tail in ("2", "2.1", "2.2", "4", "4.1", "4.3", "4.4", "128", "128.1", "130")
)
"""CT, MR and PET, single and enhanced."""
_PICTURE = 8
"""Bits of a picture: too few for what scanners of these classes measure."""
_NAMES_A_PART = (
    "BodyPartExamined",
    "AnatomicRegionSequence",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
)
_MAY_NAME_A_HEAD = (
    "procedures",
    "technique",
    "RequestedProcedureDescription",
    "PerformedProcedureStepDescription",
    "SequenceName",
    "PulseSequenceName",
    "ReceiveCoilName",
    "TransmitCoilName",
    "FilterType",
    "ScanOptions",
    "ImageType",
    "image_types",
    "ImageComments",
    "drawn",
)
_KERNEL = "ConvolutionKernel"
_AUDIO = frozenset(_ROOT + tail for tail in ("9.4.1", "9.4.2"))
_HEARD = frozenset({"MB", "AB", "109110", "109111", "109112"})
"""Samples coded as a telephone does (mu-law, A-law); DCM codes for a voice and for the room."""


def burned_in_risk(
    get: Get, sop: SopClass | None, recipe: Recipe, there: There | None = None
) -> Reason | None:
    """Why the pixels may hold a name and no rule of the recipe accepts it; None if they may leave.

    They may where a rule fits that cleans them or has them verified. Under the option clean pixel
    data nothing else lets pixels out, whatever the header says of them.

    Args:
        get: answers a keyword from one header or from an index row.
        sop: the row of the SOP class, None if it is not known.
        recipe: whose pixel policy is asked.
        there: whether an attribute is there; default: where ``get`` has a value.
    """
    there = there or (lambda keyword: get(keyword) is not None)
    cleaning = Option.CLEAN_PIXEL_DATA in recipe.options
    classes = [sop, *(lookup(_text(uid)) for uid in _each(get("sop_classes")))]
    modality = _text(get("Modality")) or None
    for one in classes:
        if one is None:
            return Reason.UNKNOWN_SOP_CLASS
        if refused(get, there, one, recipe.pixels):
            return Reason.HELD_BY_RECIPE
        if fitting(get, there, one, recipe.pixels):
            continue
        if cleaning and may_hold_pixels(one):
            return Reason.BURNED_IN_RISK
        for risk in pixel_risks(get, one):
            if not recipe.pixels.accepts(risk, modality=modality, sop_class=one.uid):
                return Reason.BURNED_IN_RISK
    return None


def pixel_risks(get: Get, sop: SopClass) -> frozenset[PixelRisk]:
    """Every reason why names may be drawn into these pixels (PS3.15 E.3.1)."""
    return frozenset(_pixel_risks(get, sop))


def _pixel_risks(get: Get, sop: SopClass) -> Iterator[PixelRisk]:
    listed = get("burned_in")
    stated = {_text(v) for v in (get("BurnedInAnnotation"),) if v is not None or listed is None}
    stated |= {_text(value) for value in _each(listed)}
    if stated - {"", "NO"}:  # what is neither YES nor NO is no promise
        yield PixelRisk.STATED_YES
    if sop.risk is Risk.HIGH:
        yield PixelRisk.HIGH_RISK_CLASS
    elif sop.risk is Risk.STATED and stated != {"NO"}:
        yield PixelRisk.NOT_STATED
    modalities = {_text(value) for value in (get("Modality"), *_each(get("modalities")))}
    if sop.risk is Risk.LOW:
        yield from _signs_of_a_capture(get, sop)
        if (
            sop.kind is Kind.IMAGE
            and sop.department is not Department.ANY
            and modalities - _SCANNERS
        ):
            yield PixelRisk.HIGH_RISK_CLASS  # the class says one thing, the device another
    elif sop.risk is Risk.STATED and sop.department is not Department.RADIOTHERAPY:
        yield from _signs_of_a_capture(get, sop)  # a digitised film says NO as well
        if modalities & _NO_PROJECTION:
            yield PixelRisk.HIGH_RISK_CLASS


def _signs_of_a_capture(get: Get, sop: SopClass) -> Iterator[PixelRisk]:
    """What in the header says that it was not the scanner or detector that drew this."""
    types = [get("ImageType"), *_each(get("image_types"))]
    terms = [{t.strip() for v in _each(one) for t in _text(v).split("\\")} for one in types]
    if any("SECONDARY" in one for one in terms):  # made from pictures, whatever value 1 says
        yield PixelRisk.DERIVED_SECONDARY
    drawn = any(is_page_type(term) for one in terms for term in one)
    if sop.uid in _MEASURED:
        drawn |= 0 < _number(get("BitsStored")) <= _PICTURE
        drawn |= bool(_each(get("unmeasured")))
    drawn |= any(map(is_page, _texts(get, _SAYS_WHAT_IT_IS)))
    if drawn or any(map(is_page_of_a_study, _texts(get, _SAYS_WHY))):
        yield PixelRisk.SCREEN_SAVE
    colours = {_text(v) for v in [get("PhotometricInterpretation"), *_each(get("photometrics"))]}
    if colours - _GREY or _number(get("SamplesPerPixel")) > 1:
        yield PixelRisk.COLOUR
    if any(map(_text, map(get, _OF_A_CAPTURE))):
        yield PixelRisk.CONVERSION_TYPE


def held_back(
    get: Get, sop: SopClass | None, recipe: Recipe, there: There | None = None
) -> Reason | None:
    """Why a series may not leave; None if it may. Arguments as of ``burned_in_risk``."""
    return burned_in_risk(get, sop, recipe, there) or face_risk(get, sop, recipe) or sound(get, sop)


def sound(get: Get, sop: SopClass | None) -> Reason | None:
    """Whether a voice may be heard: it tells who speaks, and says what nobody here listens to.

    No recipe accepts it. Other waveforms pass, unless a channel of them is a voice.
    """
    audio = sop is not None and sop.uid in _AUDIO
    heard = _HEARD.intersection(_texts(get, ("sounds",)))
    return Reason.UNREAD_CONTENT if audio or heard else None


def face_risk(get: Get, sop: SopClass | None, recipe: Recipe) -> Reason | None:
    """Why a face may be seen that no rule accepts or blanks; None if the series may leave.

    A head counts, and so does a body part that nothing names: in images, and in contours, segments
    and surfaces that follow the skin. What those are called is in the header alone.
    """
    if sop is None:
        return Reason.UNKNOWN_SOP_CLASS
    shown = _shown(get, sop)
    accepted = {
        Region.HEAD: recipe.faces.accept_heads,
        Region.UNKNOWN: recipe.faces.accept_unknown,
        Region.ELSEWHERE: True,
    }
    return None if accepted[shown] or to_be_defaced(get, sop, recipe) else Reason.FACE_RISK


def to_be_defaced(get: Get, sop: SopClass | None, recipe: Recipe) -> bool:
    """Whether the series may leave only when what shows a face is blanked.

    Contours and surfaces are no pixels that could be.
    """
    faces = recipe.faces
    if sop is None or not faces.defaces or sop.kind not in {Kind.IMAGE, Kind.VIDEO}:
        return False
    shown = _shown(get, sop)
    return (shown is Region.HEAD and faces.deface_heads) or (
        shown is Region.UNKNOWN and faces.deface_unknown
    )


def _shown(get: Get, sop: SopClass) -> Region:
    """What may be seen; ELSEWHERE also of what shows nobody."""
    if _text(get("RecognizableVisualFeatures")) not in {"", "NO"}:
        return Region.HEAD
    if not _shows_bodies(sop) and not _outlines_bodies(get, sop):
        return Region.ELSEWHERE
    other = _texts(get, _MAY_NAME_A_HEAD)
    kernels = [part for text in _texts(get, (_KERNEL, "kernels")) for part in text.split("\\")]
    shown = region(_texts(get, _NAMES_A_PART), [*other, *kernels])
    if any(map(is_head_kernel, kernels)):
        return Region.HEAD
    return shown


def _shows_bodies(sop: SopClass) -> bool:
    if sop.kind not in {Kind.IMAGE, Kind.VIDEO} or sop.department in _NO_FACE or sop.uid in _SOUND:
        return False
    return sop.risk is not Risk.STATED or sop.uid in _CONE_BEAM


def _outlines_bodies(get: Get, sop: SopClass) -> bool:
    if sop.department in _NO_FACE:
        return False
    return sop.uid in _SURFACES or any(map(follows_skin, _texts(get, ("drawn",))))


def _texts(get: Get, keywords: Iterable[str]) -> list[str]:
    return [_text(value) for keyword in keywords for value in _each(get(keyword))]


def _each(value: object) -> list[object]:
    """The values, one by one; a list of nothing at all is nothing."""
    if value is None:
        return []
    return [value] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)


def _text(value: object) -> str:
    if value is not None and not isinstance(value, str) and isinstance(value, Iterable):
        return "\\".join(_text(one) for one in value)
    return "" if value is None else str(value).strip("\0 \t\n\r").upper()


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
