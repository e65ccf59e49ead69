"""The columns of the released tables: what each is called, holds, and where DICOM says so.

A closed list: what stands here may be a column, nothing else. Names are DICOM keywords where an
attribute is behind them, else snake_case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from pydicom.datadict import dictionary_description, dictionary_VM, dictionary_VR


class Kind(StrEnum):
    """What a cell holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"


_KINDS = {
    **dict.fromkeys(("IS", "US", "SS", "UL", "SL", "US or SS"), Kind.INTEGER),
    **dict.fromkeys(("DS", "FL", "FD"), Kind.NUMBER),
    "DA": Kind.DATE,
    "TM": Kind.TIME,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: as in the table.
        kind: of a cell, or of the members of a list.
        words: what it is.
        keyword: the attribute behind it; empty where there is none.
        many: whether a cell is a list.
        unit: of a number, as DICOM says it.
        section: where the standard, or cohortkit, defines it.
    """

    name: str
    kind: Kind
    words: str
    keyword: str = ""
    many: bool = False
    unit: str = ""
    section: str = "cohortkit"

    @property
    def vr(self) -> str:
        """Value representation of the attribute behind it (PS3.6)."""
        return dictionary_VR(self.keyword) if self.keyword else ""


_UNITS = {
    "PatientSize": "m",
    "PatientWeight": "kg",
    "PixelSpacing": "mm",
    "ImagerPixelSpacing": "mm",
    "ImagePositionPatient": "mm",
    "SliceThickness": "mm",
    "SpacingBetweenSlices": "mm",
    "SliceLocation": "mm",
    "ReconstructionDiameter": "mm",
    "GantryDetectorTilt": "degrees",
    "TableHeight": "mm",
    "SingleCollimationWidth": "mm",
    "TotalCollimationWidth": "mm",
    "DistanceSourceToDetector": "mm",
    "DistanceSourceToPatient": "mm",
    "BodyPartThickness": "mm",
    "CompressionForce": "N",
    "KVP": "kV",
    "XRayTubeCurrent": "mA",
    "ExposureTime": "ms",
    "Exposure": "mAs",
    "CTDIvol": "mGy",
    "RepetitionTime": "ms",
    "EchoTime": "ms",
    "InversionTime": "ms",
    "TriggerTime": "ms",
    "FrameTime": "ms",
    "MagneticFieldStrength": "T",
    "ImagingFrequency": "MHz",
    "FlipAngle": "degrees",
    "PixelBandwidth": "Hz/pixel",
    "DiffusionBValue": "s/mm²",
    "PercentSampling": "%",
    "PercentPhaseFieldOfView": "%",
}


def _of(section: str, *keywords: str) -> tuple[Column, ...]:
    """Columns of attributes that one section of PS3.3 defines."""
    return tuple(
        Column(
            name=keyword,
            kind=_KINDS.get(dictionary_VR(keyword), Kind.TEXT),
            words=dictionary_description(keyword),
            keyword=keyword,
            many=dictionary_VM(keyword) != "1",
            unit=_UNITS.get(keyword, ""),
            section=f"PS3.3 {section}",
        )
        for keyword in keywords
    )


PATIENT = Column("patient", Kind.TEXT, "pseudonym of the patient, as in file paths")
STUDY = Column("study", Kind.TEXT, "pseudonym of the study, as in file paths")
SERIES = Column("series", Kind.TEXT, "pseudonym of the series, as in file names")
INSTANCE = Column("instance", Kind.INTEGER, "ordinal of the instance in its series, from 0")
CONFLICTS = Column(
    "conflicts",
    Kind.TEXT,
    "columns that are null in this row because its files say different things",
    many=True,
)
AGE = Column(
    "age_years",
    Kind.NUMBER,
    "Patient's Age in years of 365.25 days",
    keyword="PatientAge",
    unit="years",
    section="PS3.3 C.7.2.2",
)

_PATIENTS = (
    PATIENT,
    *_of("C.7.1.1", "PatientID", "PatientSex", "PatientBirthDate", "EthnicGroup"),
    CONFLICTS,
)

_STUDIES = (
    PATIENT,
    STUDY,
    *_of("C.7.2.1", "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"),
    *_of("C.7.2.1", "StudyDescription"),
    *_of("C.7.2.2", "PatientAge"),
    AGE,
    *_of("C.7.2.2", "PatientSize", "PatientWeight"),
    *_of("C.2.4", "PregnancyStatus", "SmokingStatus"),
    CONFLICTS,
)

_SERIES = (
    PATIENT,
    STUDY,
    SERIES,
    *_of("C.7.3.1", "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDate", "SeriesTime"),
    *_of("C.7.3.1", "SeriesDescription", "ProtocolName", "BodyPartExamined", "Laterality"),
    *_of("C.7.3.1", "PatientPosition"),
    *_of("C.7.4.1", "FrameOfReferenceUID"),
    *_of("C.7.5.1", "Manufacturer", "ManufacturerModelName", "SoftwareVersions"),
    Column("instances", Kind.INTEGER, "how many instances the series has here"),
    *_of("C.12.1", "PatientIdentityRemoved", "LongitudinalTemporalInformationModified"),
    *_of("C.7.1.1", "DeidentificationMethod"),
    Column("basis", Kind.TEXT, "legal basis of the recipe"),
    CONFLICTS,
)

_INSTANCES = (
    PATIENT,
    STUDY,
    SERIES,
    INSTANCE,
    *_of("C.12.1", "SOPInstanceUID", "SOPClassUID", "InstanceNumber"),
    *_of("C.7.6.1", "ImageType", "AcquisitionNumber", "AcquisitionDate", "AcquisitionTime"),
    *_of("C.7.6.1", "ContentDate", "ContentTime", "BurnedInAnnotation", "LossyImageCompression"),
    *_of("C.7.6.1", "LossyImageCompressionRatio", "PresentationLUTShape"),
    *_of("C.7.6.3", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation"),
    *_of("C.7.6.3", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *_of("C.7.5.1", "PixelPaddingValue"),
    *_of("C.7.6.6", "NumberOfFrames"),
    *_of("C.7.6.5", "FrameTime"),
    *_of("C.7.6.2", "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient"),
    *_of("C.7.6.2", "SliceThickness", "SpacingBetweenSlices", "SliceLocation"),
    *_of("C.7.6.4", "ContrastBolusAgent", "ContrastBolusRoute"),
    *_of("C.11.1", "RescaleSlope", "RescaleIntercept", "RescaleType"),
    *_of("C.11.2", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *_of("C.8.2.1", "KVP", "XRayTubeCurrent", "ExposureTime", "Exposure", "ConvolutionKernel"),
    *_of("C.8.2.1", "FilterType", "ReconstructionDiameter", "GantryDetectorTilt", "TableHeight"),
    *_of("C.8.2.1", "SpiralPitchFactor", "SingleCollimationWidth", "TotalCollimationWidth"),
    *_of("C.8.2.1", "CTDIvol"),
    *_of("C.8.3.1", "ScanningSequence", "SequenceVariant", "ScanOptions", "MRAcquisitionType"),
    *_of("C.8.3.1", "RepetitionTime", "EchoTime", "EchoNumbers", "EchoTrainLength"),
    *_of("C.8.3.1", "InversionTime", "TriggerTime", "MagneticFieldStrength", "ImagingFrequency"),
    *_of("C.8.3.1", "ImagedNucleus", "FlipAngle", "NumberOfAverages", "PercentSampling"),
    *_of("C.8.3.1", "PercentPhaseFieldOfView", "PixelBandwidth", "AcquisitionMatrix"),
    *_of("C.8.3.1", "InPlanePhaseEncodingDirection", "TemporalPositionIdentifier"),
    *_of("C.8.13.5.9", "DiffusionBValue"),
    *_of("C.8.9.1", "Units", "CountsSource", "DecayCorrection", "AttenuationCorrectionMethod"),
    *_of("C.8.9.1", "ReconstructionMethod"),
    *_of("C.8.11", "ViewPosition", "ImagerPixelSpacing", "ImageLaterality"),
    *_of("C.8.11", "PresentationIntentType", "DistanceSourceToDetector"),
    *_of("C.8.11", "DistanceSourceToPatient", "BodyPartThickness", "CompressionForce"),
)

_LABELS = (PATIENT, STUDY, SERIES)

SPLIT = Column("split", Kind.TEXT, "part of the data set that the patient is in")
"""Behind the columns of every table, where the cohort asked for a split."""

TABLES: Mapping[str, tuple[Column, ...]] = MappingProxyType(
    {
        "patients": _PATIENTS,
        "studies": _STUDIES,
        "series": _SERIES,
        "instances": _INSTANCES,
        "labels": _LABELS,
    }
)
"""Every table's columns in their order; ``labels`` has the joined columns after these."""

_WHERE = tuple(
    Column(name, Kind.TEXT, words)
    for name, words in (
        ("patient", "pseudonym of the patient; absent where none could be made"),
        ("study", "pseudonym of the study"),
        ("series", "pseudonym of the series"),
        ("output", "kind of output"),
    )
)
_TASK = Column("task", Kind.TEXT, "keyed name of the task, which did one series")
TOP: Mapping[str, tuple[Column, ...]] = MappingProxyType(
    {
        "tasks": (
            *_WHERE,
            Column("status", Kind.TEXT, "what became of these instances"),
            Column("reason", Kind.TEXT, "why, by its name on the closed list"),
            Column("explanation", Kind.TEXT, "why, in plain words"),
            Column("instances", Kind.INTEGER, "how many instances"),
            Column("numbers", Kind.TEXT, "figures that explain the reason, as JSON"),
            _TASK,
        ),
        "files": (
            *_WHERE,
            Column("path", Kind.TEXT, "the file, relative to the release"),
            Column("role", Kind.TEXT, "what the file is to its output"),
            Column("shape", Kind.INTEGER, "voxels or pixels along each axis", many=True),
            Column("spacing", Kind.NUMBER, "distance of voxels", many=True, unit="mm"),
            Column("dtype", Kind.TEXT, "number type of the values"),
            Column("instances", Kind.INTEGER, "how many instances it was made of"),
            Column("size", Kind.INTEGER, "size of the file", unit="byte"),
            Column("sha256", Kind.TEXT, "digest of the file"),
            Column("defaced", Kind.TEXT, "YES where what may show a face was blanked"),
            _TASK,
        ),
    }
)
"""The tables at the top of a release, which every export has."""

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "patients": ("patient",),
        "studies": ("patient", "study"),
        "series": ("patient", "study", "series"),
        "instances": ("patient", "study", "series", "instance"),
        "labels": ("patient", "study", "series"),
    }
)
"""What names a row, and sorts the table."""
