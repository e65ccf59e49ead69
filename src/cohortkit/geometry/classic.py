"""Facts of an instance without functional groups: one frame, all at the top of the header."""

from __future__ import annotations

from pydicom.dataset import Dataset

from cohortkit.geometry import vendors
from cohortkit.geometry.headers import floats, integer, number, seconds, text, words
from cohortkit.geometry.roles import is_derived, role_of
from cohortkit.model.facts import FrameFacts, ImageRole, Orientation, Triple

_NOTHING = (float("nan"),) * 6


def frame(header: Dataset, ordinal: int) -> tuple[FrameFacts, tuple[str, ...]]:
    """The frame, and the words that say what kind of image it is."""
    kind = words(header, "ImageType")
    b_value, b_vector = vendors.diffusion(header)
    role = vendors.role(header) or role_of(kind, ())
    return FrameFacts(
        instance=ordinal,
        frame=0,
        position=triple(floats(header, "ImagePositionPatient")),
        orientation=orientation(floats(header, "ImageOrientationPatient")),
        spacing=pair(floats(header, "PixelSpacing")),
        thickness=number(header, "SliceThickness"),
        spacing_between=number(header, "SpacingBetweenSlices"),
        slope=number(header, "RescaleSlope"),
        intercept=number(header, "RescaleIntercept"),
        role=ImageRole.LOCALIZER if "LOCALIZER" in kind else role,
        derived=is_derived(kind),
        instance_number=integer(header, "InstanceNumber"),
        acquisition_number=integer(header, "AcquisitionNumber"),
        temporal_position=integer(header, "TemporalPositionIdentifier"),
        echo_number=integer(header, "EchoNumbers"),
        echo_time=number(header, "EchoTime"),
        repetition_time=number(header, "RepetitionTime"),
        inversion_time=number(header, "InversionTime"),
        trigger_time=number(header, "TriggerTime"),
        time=_time(header),
        b_value=b_value,
        b_vector=b_vector,
        in_stack=integer(header, "InStackPositionNumber"),
        tilt=number(header, "GantryDetectorTilt"),
        flip_angle=number(header, "FlipAngle"),
        scale_slope=vendors.scale_slope(header),
    ), kind


def _time(header: Dataset) -> float | None:
    """When the frame was acquired; seconds, to be counted from the series' first."""
    stamp = text(header, "AcquisitionDateTime")
    if len(stamp) >= 14:  # noqa: PLR2004 - YYYYMMDDHHMMSS
        return seconds(stamp[:8], stamp[8:].split("+")[0].split("-")[0])
    clock = text(header, "AcquisitionTime")
    return seconds(text(header, "AcquisitionDate"), clock) if clock else None


def triple(values: tuple[float, ...] | None) -> Triple | None:
    """Three numbers; NaN for each where their count is another."""
    if values is None:
        return None
    first, second, third = values if len(values) == 3 else _NOTHING[:3]  # noqa: PLR2004 - x, y, z
    return first, second, third


def pair(values: tuple[float, ...] | None) -> tuple[float, float] | None:
    """Two numbers; NaN for each where their count is another."""
    if values is None:
        return None
    first, second = values if len(values) == 2 else _NOTHING[:2]  # noqa: PLR2004 - rows, columns
    return first, second


def orientation(values: tuple[float, ...] | None) -> Orientation | None:
    """Six numbers; NaN for each where their count is another."""
    if values is None:
        return None
    a, b, c, d, e, f = values if len(values) == 6 else _NOTHING  # noqa: PLR2004 - two directions
    return a, b, c, d, e, f
