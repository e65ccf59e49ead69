"""What a SOP class is. The table itself is in ``cohortkit.dicom.sop_classes``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What an object holds."""

    IMAGE = "image"
    VIDEO = "video"
    WSI = "whole-slide"
    WAVEFORM = "waveform"
    DOCUMENT = "document"
    REPORT = "report"
    SEGMENTATION = "segmentation"
    RADIOTHERAPY = "radiotherapy"
    PRESENTATION = "presentation"
    REGISTRATION = "registration"
    MEASUREMENT = "measurement"
    SURFACE = "surface"
    RAW = "raw"
    OTHER = "other"


class Department(StrEnum):
    """Where objects of this class are usually made."""

    RADIOLOGY = "radiology"
    NUCLEAR_MEDICINE = "nuclear-medicine"
    CARDIOLOGY = "cardiology"
    RADIOTHERAPY = "radiotherapy"
    OPHTHALMOLOGY = "ophthalmology"
    ENDOSCOPY = "endoscopy"
    DERMATOLOGY = "dermatology"
    PATHOLOGY = "pathology"
    SURGERY = "surgery"
    DENTISTRY = "dentistry"
    NEUROLOGY = "neurology"
    ANY = "any"


class Risk(StrEnum):
    """How likely names are drawn into the pixels of this class (PS3.15 E.3.1)."""

    LOW = "low"  # CT, MR, PT, NM: unless the header says otherwise
    STATED = "stated"  # CR, DX, RF, XA, MG: safe only if BurnedInAnnotation says NO
    HIGH = "high"  # secondary capture, ultrasound, photographs, endoscopy, ophthalmic, WSI
    NONE = "none"  # no pixels


class PayloadKind(StrEnum):
    """What a series of this class can be assembled into."""

    VOLUME = "volume"
    FRAMES = "frames"
    WAVEFORM = "waveform"
    OBJECT = "object"  # the object itself, one for each instance


@dataclass(frozen=True, slots=True)
class SopClass:
    """One row of the table of storage SOP classes.

    Attributes:
        uid: SOP Class UID (PS3.6 Table A-1).
        name: its name in the standard.
        payloads: what its series can be assembled into in this version; every one into objects.
    """

    uid: str
    name: str
    kind: Kind
    department: Department
    risk: Risk
    payloads: frozenset[PayloadKind]
    retired: bool = False
