"""Which columns of an index may be shown unasked: an allow-list, so that a new column is hidden.

What the Basic Profile of PS3.15 (Table E.1-1) removes or replaces is left out of every default
view: names, identifiers, dates, ages, places, devices by serial number, and every description,
which is free text. What is left is what the machine says of itself and of the picture, and of that
the terms that are known (`vocabulary`): a column of any text, or of any number, is left out too.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

_TECHNICAL: Final = (
    "Modality BodyPartExamined Laterality ImageLaterality ViewPosition PatientPosition "
    "Manufacturer SOPClassUID TransferSyntaxUID ImageType "
    "BurnedInAnnotation RecognizableVisualFeatures ConversionType PresentationIntentType "
    "PhotometricInterpretation SamplesPerPixel Rows Columns NumberOfFrames BitsAllocated "
    "BitsStored HighBit PixelRepresentation PixelSpacing ImagerPixelSpacing SliceThickness "
    "SpacingBetweenSlices ImageOrientationPatient LossyImageCompression "
    "ConvolutionKernel KVP XRayTubeCurrent Exposure ExposureTime GantryDetectorTilt "
    "ReconstructionDiameter DataCollectionDiameter FilterType ScanOptions SpiralPitchFactor "
    "MagneticFieldStrength EchoTime RepetitionTime InversionTime FlipAngle EchoTrainLength "
    "NumberOfAverages ScanningSequence SequenceVariant MRAcquisitionType "
    "EchoNumbers ImagedNucleus PixelBandwidth DiffusionBValue InPlanePhaseEncodingDirection "
    "Units CountsSource DecayCorrection CorrectedImage "
    "TemporalPositionIdentifier NumberOfTemporalPositions "
    "NumberOfSeriesRelatedInstances NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances "
    "NumberOfPatientRelatedStudies ModalitiesInStudy SOPClassesInStudy"
)

TECHNICAL: Final = frozenset(_TECHNICAL.split())
"""DICOM keywords that the Basic Profile leaves alone; a test holds them to Table E.1-1, and each
that is text to a vocabulary."""

_BOOKKEEPING: Final = (
    "kind department risk size modalities image_types burned_in photometrics sop_classes "
    "transfer_syntaxes"
)

BOOKKEEPING: Final = frozenset(_BOOKKEEPING.split())
"""Columns of the index's own making."""

DATES: Final = frozenset(
    {"StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate"}
)
"""Dates of which a question may tell the year (the year of an examination names nobody)."""

DESCRIPTIONS: Final = frozenset(
    {
        "StudyDescription",
        "SeriesDescription",
        "ProtocolName",
        "RequestedProcedureDescription",
        "PerformedProcedureStepDescription",
        "ContrastBolusAgent",
    }
)
"""Free text, of which a question may tell the pattern that was asked for."""

ASKABLE: Final = TECHNICAL | BOOKKEEPING | {"PatientSex"}
"""Columns of which a question may tell a value that is a term: it fits many patients."""

_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "series_key": "a digest of identifiers",
        "PatientID": "names the person",
        "IssuerOfPatientID": "names the place that named the person",
        "PatientName": "names the person",
        "PatientBirthDate": "a date of the person",
        "PatientBirthTime": "a date of the person",
        "PatientSex": "a characteristic of the person",
        "PatientAge": "a characteristic of the person",
        "AccessionNumber": "names an order of the person",
        "StudyID": "names an examination",
        "InstitutionName": "a place",
        "StationName": "a device by name",
        "DeviceSerialNumber": "a device by number",
        "ManufacturerModelName": "free text",
        "SequenceName": "free text",
        "SeriesNumber": "a number that may be anybody's",
        "AcquisitionNumber": "a number that may be anybody's",
    }
)

_TELLTALE: Final = re.compile(
    r"(^|_)(mrn|nhs|ssn|npi|name|surname|forename|dob|birth\w*|dod|death|date\w*|time|e?mail|"
    r"phone|tel|fax|address|street|zip|post\w*|accession\w*|patient|person|subject|id|ids|uid|"
    r"uids|key|note|notes|comment\w*|report|text|free\w*|remark\w*|url|path|file\w*)($|_)"
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")


def shown(column: str, dtype: pl.DataType | None = None, labels: Container[str] = ()) -> bool:
    """Whether a column may stand in a view that nobody asked to be identified.

    A joined label is shown unless it is a date or a time, or its name speaks of an identifier, a
    contact or free text (``mrn``, ``birth_date``, ``report_text``).
    """
    if column in labels:
        return not (dtype is not None and dtype.is_temporal()) and not telltale(column)
    return column in TECHNICAL or column in BOOKKEEPING


def askable(column: str, dtype: pl.DataType | None = None, labels: Container[str] = ()) -> bool:
    """Whether the question may be told with the value that was asked for."""
    return column in ASKABLE or (column in labels and shown(column, dtype, labels))


def telltale(column: str) -> bool:
    """Whether a label's name speaks of an identifier, a contact, a date or free text."""
    words = "_".join(part.lower() for part in _CAMEL.split(column) if part)
    return _TELLTALE.search(words) is not None


def why_hidden(column: str, labels: Container[str] = ()) -> str:
    """Why a column is left out of default views, in a few words; empty where it is shown."""
    if shown(column, None, labels):
        return ""
    if column in _REASONS:
        return _REASONS[column]
    if column.endswith(("UID", "UIDs")):
        return "names one object in the world"
    if column in DESCRIPTIONS or column.endswith("Description"):
        return "free text"
    if column.endswith(("Date", "Time", "DateTime")):
        return "a date or time of the person"
    return "not known to be free of identity"
