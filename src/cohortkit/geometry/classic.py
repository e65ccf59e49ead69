"""Facts of an instance without functional groups: one frame, all at the top of the header."""

from __future__ import annotations

from typing import TypedDict

from pydicom.dataset import Dataset

from cohortkit.geometry import vendors
from cohortkit.geometry.headers import (
    floats,
    integer,
    number,
    orientation,
    pair,
    seconds,
    text,
    triple,
    words,
)
from cohortkit.geometry.roles import is_derived, role_of
from cohortkit.model.facts import FrameFacts, ImageRole, Triple


class Own(TypedDict):
    """What each slice of a series has for itself."""

    position: Triple | None
    instance_number: int | None
    acquisition_number: int | None
    time: float | None
    in_stack: int | None


def frame(header: Dataset, ordinal: int, own: Own) -> tuple[FrameFacts, tuple[str, ...]]:
    """The frame, and the words that say what kind of image it is.

    Args:
        header: its instance's.
        ordinal: of the instance.
        own: of the same header.
    """
    kind = words(header, "ImageType")
    slope, intercept = vendors.rescale(header, header, (header,))
    b_value, b_vector = vendors.diffusion(header)
    role = vendors.role(header) or role_of(kind, ())
    return FrameFacts(
        instance=ordinal,
        frame=0,
        orientation=orientation(floats(header, "ImageOrientationPatient")),
        spacing=pair(floats(header, "PixelSpacing")),
        thickness=number(header, "SliceThickness"),
        spacing_between=number(header, "SpacingBetweenSlices"),
        slope=slope,
        intercept=intercept,
        role=ImageRole.LOCALIZER if "LOCALIZER" in kind else role,
        derived=is_derived(kind),
        temporal_position=integer(header, "TemporalPositionIdentifier"),
        echo_number=integer(header, "EchoNumbers"),
        echo_time=number(header, "EchoTime"),
        repetition_time=number(header, "RepetitionTime"),
        inversion_time=number(header, "InversionTime"),
        trigger_time=number(header, "TriggerTime"),
        b_value=b_value,
        b_vector=b_vector,
        tilt=number(header, "GantryDetectorTilt"),
        flip_angle=number(header, "FlipAngle"),
        scale_slope=vendors.scale_slope(header),
        **own,
    ), kind


def own(header: Dataset) -> Own:
    """What each slice of a series has for itself."""
    return {
        "position": triple(floats(header, "ImagePositionPatient")),
        "instance_number": integer(header, "InstanceNumber"),
        "acquisition_number": integer(header, "AcquisitionNumber"),
        "time": _time(header),
        "in_stack": integer(header, "InStackPositionNumber"),
    }


def _time(header: Dataset) -> float | None:
    """When the frame was acquired; seconds, to be counted from the series' first."""
    stamp = text(header, "AcquisitionDateTime")
    if len(stamp) >= 14:  # noqa: PLR2004 - YYYYMMDDHHMMSS
        return seconds(stamp[:8], stamp[8:].split("+")[0].split("-")[0])
    clock = text(header, "AcquisitionTime")
    return seconds(text(header, "AcquisitionDate"), clock) if clock else None
