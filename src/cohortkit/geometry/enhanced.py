"""Facts of an enhanced instance: shared and per-frame functional groups (PS3.3 C.7.6.16)."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from cohortkit.geometry import vendors
from cohortkit.geometry.headers import (
    floats,
    integer,
    items,
    number,
    orientation,
    pair,
    seconds,
    text,
    triple,
    whole,
    words,
)
from cohortkit.geometry.roles import is_derived, role_of
from cohortkit.model.facts import FrameFacts, ImageRole, Triple

_TYPES = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence")
_MOST_FRAMES = 1 << 20


def has_groups(header: Dataset) -> bool:
    """Whether the frames of this instance are described one by one."""
    return bool(items(header, "PerFrameFunctionalGroupsSequence"))


def frames(header: Dataset, ordinal: int) -> tuple[list[FrameFacts], list[tuple[str, ...]]]:
    """The frames, and for each the words that say what kind of image it is."""
    shared = items(header, "SharedFunctionalGroupsSequence")
    groups = items(header, "PerFrameFunctionalGroupsSequence")[:_MOST_FRAMES]
    common = shared[0] if shared else Dataset()
    stacks = _stack_ordinals(groups)
    read = [
        _frame(_Groups(header, common, group), ordinal, n, stacks) for n, group in enumerate(groups)
    ]
    return [frame for frame, _ in read], [kind for _, kind in read]


@dataclass(frozen=True, slots=True)
class _Groups:
    """Where a frame's attribute may stand, and in which order it is looked for."""

    header: Dataset
    shared: Dataset
    own: Dataset

    def macro(self, keyword: str) -> Dataset | None:
        """The item of a functional group: the frame's own, else the shared one."""
        for place in (self.own, self.shared):
            found = items(place, keyword)
            if found:
                return found[0]
        return None

    def numbers(self, macro: str, keyword: str) -> tuple[float, ...] | None:
        item = self.macro(macro)
        return None if item is None else floats(item, keyword)

    def number(self, macro: str, keyword: str) -> float | None:
        found = self.numbers(macro, keyword)
        return found[0] if found else None


def _frame(
    groups: _Groups, ordinal: int, n: int, stacks: dict[str, int]
) -> tuple[FrameFacts, tuple[str, ...]]:
    content = groups.macro("FrameContentSequence") or Dataset()
    kind, role, derived = _kind(groups)
    b_value, b_vector = _diffusion(groups)
    transform = groups.macro("PixelValueTransformationSequence") or Dataset()
    slope, intercept = vendors.rescale(groups.header, transform, (groups.own, groups.shared))
    vendor = vendors.philips_frame(groups.own)
    return FrameFacts(
        instance=ordinal,
        frame=n,
        position=triple(groups.numbers("PlanePositionSequence", "ImagePositionPatient")),
        orientation=orientation(
            groups.numbers("PlaneOrientationSequence", "ImageOrientationPatient")
        ),
        spacing=pair(groups.numbers("PixelMeasuresSequence", "PixelSpacing")),
        thickness=groups.number("PixelMeasuresSequence", "SliceThickness"),
        spacing_between=groups.number("PixelMeasuresSequence", "SpacingBetweenSlices"),
        slope=slope,
        intercept=intercept,
        role=role,
        derived=derived,
        instance_number=integer(groups.header, "InstanceNumber"),
        acquisition_number=integer(content, "FrameAcquisitionNumber"),
        temporal_position=integer(content, "TemporalPositionIndex"),
        echo_time=groups.number("MREchoSequence", "EffectiveEchoTime"),
        repetition_time=groups.number("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
        inversion_time=_inversion(groups),
        trigger_time=groups.number(
            "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"
        ),
        time=_time(content),
        b_value=b_value,
        b_vector=b_vector,
        stack=stacks.get(text(content, "StackID")),
        in_stack=integer(content, "InStackPositionNumber"),
        dimensions=_whole(floats(content, "DimensionIndexValues")),
        flip_angle=groups.number("MRTimingAndRelatedParametersSequence", "FlipAngle"),
        scale_slope=vendors.scale_slope(vendor) if vendor is not None else None,
    ), kind


def _whole(values: tuple[float, ...] | None) -> tuple[int, ...]:
    """Dimension indices; empty where one of them is no integer."""
    found = [whole(value) for value in values or ()]
    known = [value for value in found if value is not None]
    return tuple(known) if len(known) == len(found) else ()


def _stack_ordinals(groups: tuple[Dataset, ...]) -> dict[str, int]:
    """Each Stack ID as a number: itself where it is one."""
    names = {text(item, "StackID") for g in groups for item in items(g, "FrameContentSequence")}
    names -= {""}
    if all(name.isascii() and name.isdecimal() for name in names):
        return {name: int(name) for name in names}
    return {name: n for n, name in enumerate(sorted(names))}


def _kind(groups: _Groups) -> tuple[tuple[str, ...], ImageRole, bool]:
    image_type: tuple[str, ...] = ()
    component: tuple[str, ...] = ()
    contrast: tuple[str, ...] = ()
    for keyword in _TYPES:
        item = groups.macro(keyword)
        if item is not None:
            image_type = words(item, "FrameType")
            component = words(item, "ComplexImageComponent")
            contrast = words(item, "AcquisitionContrast")
            break
    if not image_type:
        image_type = words(groups.header, "ImageType")
    component = component or words(groups.header, "ComplexImageComponent")
    role = role_of(image_type, component)
    if "LOCALIZER" in image_type:
        role = ImageRole.LOCALIZER
    return image_type + component + contrast, role, is_derived(image_type)


def _time(content: Dataset) -> float | None:
    for keyword in ("FrameAcquisitionDateTime", "FrameReferenceDateTime"):
        stamp = text(content, keyword)
        if len(stamp) >= 14:  # noqa: PLR2004 - YYYYMMDDHHMMSS
            return seconds(stamp[:8], stamp[8:].split("+")[0].split("-")[0])
    return None


def _inversion(groups: _Groups) -> float | None:
    item = groups.macro("MRModifierSequence")
    return number(item, "InversionTimes") if item is not None else None


def _diffusion(groups: _Groups) -> tuple[float | None, Triple | None]:
    item = groups.macro("MRDiffusionSequence")
    if item is None:
        return None, None
    vector = None
    for inner in items(item, "DiffusionGradientDirectionSequence")[:1]:
        vector = triple(floats(inner, "DiffusionGradientOrientation"))
    return number(item, "DiffusionBValue"), vector
