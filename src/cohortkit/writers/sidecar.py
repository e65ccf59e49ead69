"""The JSON beside a volume: allow-listed figures and code strings, in BIDS terms and units.

No time of day, no date, no UID, no description. What the recipe removed is not here either: the
code strings come from the released header, the figures from it or from the assembly.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from types import MappingProxyType

from cohortkit.model import FORMAT, DeidentifiedSeries, ReleasedHeader, Volume
from cohortkit.model.facts import SUV_FACTOR
from cohortkit.writers.statement import statement

VERSION = "0.1.0"

SUV_POLICY = "suv=body-weight"
_MILLI = 1e-3
_NUMBERS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        # BIDS or DICOM name: DICOM keyword, factor to the unit
        "MagneticFieldStrength": ("MagneticFieldStrength", 1),  # tesla
        "ImagingFrequency": ("ImagingFrequency", 1),  # MHz
        "EchoTime": ("EchoTime", _MILLI),  # seconds, as all times here
        "RepetitionTime": ("RepetitionTime", _MILLI),
        "InversionTime": ("InversionTime", _MILLI),
        "FlipAngle": ("FlipAngle", 1),  # degrees
        "EchoTrainLength": ("EchoTrainLength", 1),
        "PixelBandwidth": ("PixelBandwidth", 1),  # Hz a pixel
        "NumberOfAverages": ("NumberOfAverages", 1),
        "PercentSampling": ("PercentSampling", 1),
        "PercentPhaseFOV": ("PercentPhaseFieldOfView", 1),
        "PhaseEncodingSteps": ("NumberOfPhaseEncodingSteps", 1),
        "SAR": ("SAR", 1),  # W/kg
        "SliceThickness": ("SliceThickness", 1),  # mm
        "SpacingBetweenSlices": ("SpacingBetweenSlices", 1),
        "KVP": ("KVP", 1),  # kV
        "XRayTubeCurrent": ("XRayTubeCurrent", 1),  # mA
        "Exposure": ("Exposure", 1),  # mAs
        "ExposureTime": ("ExposureTime", _MILLI),
        "GantryDetectorTilt": ("GantryDetectorTilt", 1),  # degrees
        "SpiralPitchFactor": ("SpiralPitchFactor", 1),
        "CTDIvol": ("CTDIvol", 1),  # mGy
        "ReconstructionDiameter": ("ReconstructionDiameter", 1),  # mm
        "FrameDuration": ("ActualFrameDuration", _MILLI),
        "DecayFactor": ("DecayFactor", 1),
        "DoseCalibrationFactor": ("DoseCalibrationFactor", 1),
    }
)

_CODES: Mapping[str, str] = MappingProxyType(
    {
        # name here: DICOM keyword, of value representation CS, or of the technical allow-list
        "Modality": "Modality",
        "Manufacturer": "Manufacturer",
        "ManufacturersModelName": "ManufacturerModelName",
        "PatientPosition": "PatientPosition",
        "BodyPartExamined": "BodyPartExamined",
        "ScanningSequence": "ScanningSequence",
        "SequenceVariant": "SequenceVariant",
        "ScanOptions": "ScanOptions",
        "MRAcquisitionType": "MRAcquisitionType",
        "InPlanePhaseEncodingDirectionDICOM": "InPlanePhaseEncodingDirection",
        "ConvolutionKernel": "ConvolutionKernel",
        "Units": "Units",
        "DecayCorrection": "DecayCorrection",
    }
)
_LISTS: Mapping[str, str] = MappingProxyType({"ImageType": "ImageType"})


def sidecar(volume: Volume, series: DeidentifiedSeries) -> str:
    """The sidecar of one volume, keys sorted, so that the same volume gives the same bytes."""
    header = series.headers[volume.header]
    found: dict[str, object] = {
        **_assembled(volume, series.withheld),
        **_figures(header),
        **_code_strings(header),
        **_uptake(volume, series),
        **_timing(volume, series),
        **_accepted(volume),
        **statement(series.statement),
        "Format": FORMAT,
        "ConversionSoftware": "cohortkit",
        "ConversionSoftwareVersion": VERSION,
    }
    return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=True) + "\n"


def _assembled(volume: Volume, withheld: frozenset[str]) -> dict[str, object]:
    return {
        name: _plain(value)
        for name, value in volume.numbers.items()
        if math.isfinite(value) and name not in withheld
    }


def _uptake(volume: Volume, series: DeidentifiedSeries) -> dict[str, object]:
    """What values in the source's units are multiplied with to be SUV by body weight (g/ml)."""
    factor = series.facts.suv
    if factor is None:
        return {}
    done = any(one.policy == SUV_POLICY for one in volume.accepted)
    units = {"Units": "GML", "SUVType": "BW"} if done else {}
    return {SUV_FACTOR: _plain(factor), **units}


def _accepted(volume: Volume) -> dict[str, object]:
    """The geometry policies without which the volume would have been refused."""
    found = [one for one in volume.accepted if one.policy != SUV_POLICY]
    if not found:
        return {}
    return {
        "GeometryPolicies": [
            {
                "Policy": one.policy,
                **({} if one.reason is None else {"Reason": str(one.reason)}),
                **{name: _plain(value) for name, value in one.numbers.items()},
            }
            for one in found
        ]
    }


def _figures(header: ReleasedHeader) -> dict[str, object]:
    made: dict[str, object] = {}
    for name, (keyword, factor) in _NUMBERS.items():
        value = header.number(keyword)
        if value is not None and math.isfinite(value):
            made[name] = _plain(value * factor)
    return made


def _code_strings(header: ReleasedHeader) -> dict[str, object]:
    made: dict[str, object] = {}
    for name, keyword in _CODES.items():
        text = header.text(keyword)
        if text:
            made[name] = text
    for name, keyword in _LISTS.items():
        text = header.text(keyword)
        if text:
            made[name] = text.split("\\")
    return made


def _timing(volume: Volume, series: DeidentifiedSeries) -> dict[str, object]:
    """Slice timing, repetition and phase encoding, on the axes of the written array."""
    made: dict[str, object] = {}
    if "RepetitionTime" in series.withheld:
        pass
    elif volume.repetition is not None:
        made["RepetitionTime"] = _plain(volume.repetition)
    elif volume.times:
        made["VolumeTiming"] = [_plain(time - volume.times[0]) for time in volume.times]
    if volume.slice_times:
        made["SliceTiming"] = [_plain(time) for time in volume.slice_times]
        axis, same = _axis(volume, 3)
        if (axis, same) != ("k", True):
            made["SliceEncodingDirection"] = axis if same else f"{axis}-"
    source = series.facts.instances[volume.header]
    if source.phase_row is not None:
        axis, same = _axis(volume, 1 if source.phase_row else 2)
        if source.phase_positive is None:
            made["PhaseEncodingAxis"] = axis
        else:
            made["PhaseEncodingDirection"] = axis if source.phase_positive is same else f"{axis}-"
    return made


def _axis(volume: Volume, source: int) -> tuple[str, bool]:
    """What an axis of the source image (1 to 3) is called in the file; whether it runs that way."""
    n = next(n for n, axis in enumerate(volume.axes) if abs(axis) == source)
    return "ijk"[n], volume.axes[n] > 0


def _plain(value: float) -> float | int:
    """A number as short as it is exact to nine digits."""
    rounded = float(f"{value:.9g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1 << 53 else rounded
