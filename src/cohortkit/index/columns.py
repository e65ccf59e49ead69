"""The columns of the index: which attributes, of which type, at which grain.

DICOM keywords are typed by VR: DA → Date, TM → Time, DS and floats → Float64, IS and integers →
Int64, more than one value → List, everything else → text. Bookkeeping is snake_case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import polars as pl

from cohortkit.cohort.vocabulary import OTHER, TERMS
from cohortkit.dicom.values import Field, field

_SERIES_TEXT = """
    PatientID IssuerOfPatientID OtherPatientIDs PatientName PatientBirthDate PatientSex PatientAge
    PatientSize PatientWeight PatientIdentityRemoved
    OtherPatientNames PatientBirthName PatientMotherBirthName PatientAddress PatientTelephoneNumbers
    MedicalRecordLocator ResponsiblePerson AdmissionID
    StudyInstanceUID StudyDate StudyTime AccessionNumber StudyID StudyDescription
    ReferringPhysicianName RequestingPhysician PhysiciansOfRecord PerformingPhysicianName
    NameOfPhysiciansReadingStudy OperatorsName
    SeriesInstanceUID SeriesNumber SeriesDate SeriesTime SeriesDescription ProtocolName Modality
    BodyPartExamined Laterality PatientPosition ViewPosition FrameOfReferenceUID
    Manufacturer ManufacturerModelName StationName InstitutionName InstitutionalDepartmentName
    DeviceSerialNumber SoftwareVersions
    SOPClassUID ImageType BurnedInAnnotation RecognizableVisualFeatures ConversionType
    LossyImageCompression SpecificCharacterSet
    SamplesPerPixel PhotometricInterpretation Rows Columns BitsAllocated BitsStored HighBit
    PixelRepresentation PixelSpacing ImagerPixelSpacing SliceThickness SpacingBetweenSlices
    GantryDetectorTilt RescaleType PresentationLUTShape
    KVP ConvolutionKernel XRayTubeCurrent Exposure ContrastBolusAgent
    MagneticFieldStrength EchoTime RepetitionTime InversionTime FlipAngle ScanningSequence
    SequenceVariant SequenceName ScanOptions MRAcquisitionType
    Units CorrectedImage DecayCorrection Radiopharmaceutical NumberOfSlices NumberOfTimeSlices
    ExposureTime SpiralPitchFactor CTDIvol ReconstructionDiameter DataCollectionDiameter FilterType
    EchoTrainLength NumberOfAverages PixelBandwidth ImagedNucleus ReceiveCoilName
    ReconstructionMethod AttenuationCorrectionMethod ActualFrameDuration
    TransducerType TransducerData HeartRate FrameTime CineRate
    PositionerPrimaryAngle PositionerSecondaryAngle DistanceSourceToDetector
    CompressionForce BodyPartThickness PresentationIntentType
    TotalPixelMatrixColumns TotalPixelMatrixRows CompletionFlag VerificationFlag
    SegmentationType DoseUnits DoseType DoseSummationType
"""
_INSTANCE_TEXT = """
    SOPInstanceUID InstanceNumber NumberOfFrames AcquisitionNumber AcquisitionDate AcquisitionTime
    AcquisitionDateTime ContentDate ContentTime
    ImagePositionPatient ImageOrientationPatient SliceLocation ImageLaterality
    PlanarConfiguration RescaleSlope RescaleIntercept WindowCenter WindowWidth
    EchoNumbers TriggerTime TemporalPositionIdentifier DiffusionBValue
"""

SERIES_KEYWORDS: Final = tuple(_SERIES_TEXT.split())
"""Attributes that a series row repeats."""

FIELDS: Final[tuple[Field, ...]] = tuple(
    field(word) for word in (*SERIES_KEYWORDS, *_INSTANCE_TEXT.split())
)
"""What the scan reads from each file."""

_INTEGERS = frozenset({"IS", "US", "SS", "UL", "SL"})
_FLOATS = frozenset({"DS", "FL", "FD"})


def dtype_of(wanted: Field) -> pl.DataType:
    """The column type of an attribute."""
    inner: pl.DataType = pl.String()
    if wanted.vr in _INTEGERS:
        inner = pl.Int64()
    elif wanted.vr in _FLOATS:
        inner = pl.Float64()
    elif wanted.vr == "DA":
        inner = pl.Date()
    elif wanted.vr == "TM":
        inner = pl.Time()
    return pl.List(inner) if wanted.multiple else inner


LISTING: Final = pl.Schema({"path": pl.String(), "size": pl.Int64(), "mtime_ns": pl.Int64()})
"""One row a file: path relative to the archive, bytes, time of last change."""

READ: Final = pl.Schema(
    {
        "series_key": pl.String(),
        **LISTING,
        "digest": pl.String(),
        "kind": pl.String(),
        "department": pl.String(),
        "risk": pl.String(),
        "TransferSyntaxUID": pl.String(),
        **{wanted.keyword: dtype_of(wanted) for wanted in FIELDS},
    }
)
"""What the reading of a file gives, where it holds an object."""

RUN: Final = pl.Schema(
    {"source": pl.String(), "load_run": pl.Int64(), "valid_from": pl.Datetime("us", "UTC")}
)
"""From which archive, by which scan and since when: of each row."""

INSTANCES: Final = pl.Schema({**READ, **RUN})
"""One row a file that holds an object."""

HISTORY: Final = pl.Schema(
    {
        **LISTING,
        "series_key": pl.String(),
        "SOPInstanceUID": pl.String(),
        **RUN,
        "valid_to": pl.Datetime("us", "UTC"),
        "deleted": pl.Boolean(),
    }
)
"""One row an instance that was indexed and is so no more; not ``deleted`` where the file has
changed or was moved."""

SCHEMA: Final = 2
"""The number of this set of tables; a store of another number is made anew by the next scan, which
reads every file again: what is not indexed of a person is not searched for in what leaves."""

SKIPPED: Final = pl.Schema({**LISTING, "reason": pl.String(), "digest": pl.String()})
"""One row a file that is not indexed."""

ISSUES: Final = pl.Schema(
    {
        "path": pl.String(),
        "SOPInstanceUID": pl.String(),
        "keyword": pl.String(),
        "problem": pl.String(),
        "value": pl.String(),
    }
)
"""One row a value that could not be parsed, and is null among the instances."""

LISTS: Final = {
    "modalities": "Modality",
    "image_types": "ImageType",
    "burned_in": "BurnedInAnnotation",
    "photometrics": "PhotometricInterpretation",
    "sop_classes": "SOPClassUID",
    "transfer_syntaxes": "TransferSyntaxUID",
}
"""Series columns that hold every distinct value of the instances, null among them."""

SORTED_BY: Final = (
    "PatientID",
    "StudyDate",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "path",
)
"""Order of the rows inside a part of the store."""

MODALITIES: Final = TERMS["Modality"]
"""The terms for Modality, retired ones too (PS3.3 C.7.3.1.1.1). Another text may be a name."""


def label_of(column: str = "Modality") -> pl.Expr:
    """Modality where it is a term, else ``other``."""
    known = pl.col(column).is_in(list(MODALITIES))
    return pl.when(known).then(pl.col(column)).otherwise(pl.lit(OTHER))


IDENTITY: Final = ("IssuerOfPatientID", "PatientID", "StudyInstanceUID", "SeriesInstanceUID")
"""What tells one series from another."""


def series_key(row: Mapping[str, object]) -> str:
    """The opaque key of a series: a digest of person, study and series.

    The issuer and Patient ID are part of it: one series UID under two patients is two series.
    """
    parts = [str(row.get(word) or "").strip("\0 ") for word in IDENTITY]
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
