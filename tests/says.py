"""What pydicom says of a value: what the fast reader is held to. Imports nothing of cohortkit."""

from __future__ import annotations

from datetime import date, time

import pydicom
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

WORDS = """
    SpecificCharacterSet ImageType SOPClassUID SOPInstanceUID StudyDate SeriesDate StudyTime
    AccessionNumber Modality ConversionType Manufacturer InstitutionName ReferringPhysicianName
    StationName StudyDescription SeriesDescription ManufacturerModelName PatientName PatientID
    IssuerOfPatientID PatientBirthDate PatientSex PatientAge ContrastBolusAgent BodyPartExamined
    ScanningSequence SequenceVariant SliceThickness KVP RepetitionTime EchoTime EchoNumbers
    SpacingBetweenSlices ProtocolName ConvolutionKernel DiffusionBValue StudyInstanceUID
    SeriesInstanceUID StudyID SeriesNumber AcquisitionNumber InstanceNumber
    ImagePositionPatient ImageOrientationPatient ImageComments SamplesPerPixel
    PhotometricInterpretation NumberOfFrames Rows Columns PixelSpacing BitsAllocated BitsStored
    PixelRepresentation BurnedInAnnotation WindowCenter RescaleIntercept RescaleSlope Units
    NumberOfSlices PresentationLUTShape SoftwareVersions
""".split()  # noqa: SIM905 - a list of sixty lines is no easier to read
NUMBERS = {"DS": float, "FD": float, "FL": float, "IS": int, "US": int, "UL": int, "SS": int}


def pydicom_says(dataset: Dataset, tag: int, vr: str, *, multiple: bool) -> object:
    """What pydicom's own conversion says, as plain values; raises where it has none."""
    element = dataset.get(tag)
    if element is None or element.is_empty:
        return None
    values = (
        list(element.value) if isinstance(element.value, MultiValue | list) else [element.value]
    )
    plain = [_plain(value, vr) for value in values]
    if multiple:
        return plain if any(value not in {None, ""} for value in plain) else None
    if len(plain) > 1:
        if vr in NUMBERS or vr in {"DA", "TM"}:
            raise ValueError
        return "\\".join(map(str, plain)) if any(plain) else None
    return plain[0] if plain[0] != "" else None


def _plain(value: object, vr: str) -> object:
    text = str(value).strip("\0 ")
    if vr in NUMBERS:
        return NUMBERS[vr](float(text)) if text else None
    if vr == "DA":
        digits = text.replace(".", "")
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) if digits else None
    if vr == "TM":
        read = pydicom.valuerep.TM(text.replace(":", ""))
        return time(read.hour, read.minute, read.second, read.microsecond) if read else None
    return str(value).rstrip("\0 ") if vr in {"ST", "LT", "UT"} else text
