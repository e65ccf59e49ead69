"""Which attributes identify, and as what."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from cohortkit.dicom.keywords import tag_of
from cohortkit.dicom.sop_classes import is_registered
from cohortkit.model.alike import differing
from cohortkit.recipe.profile import direct_identifiers


class Kind(StrEnum):
    """What an identifying value is. A hit tells this and never the value."""

    NAME = "name"
    PATIENT_ID = "patient-id"
    IDENTIFIER = "identifier"
    BIRTH_DATE = "birth-date"
    DATE = "date"
    PHONE = "phone"
    ADDRESS = "address"
    PHYSICIAN = "physician"
    INSTITUTION = "institution"
    UID = "uid"
    DEVICE = "device"
    PATH = "path"
    DIGEST = "digest"
    TEXT = "text"


PERSONAL = frozenset(
    {Kind.NAME, Kind.PATIENT_ID, Kind.IDENTIFIER, Kind.BIRTH_DATE, Kind.PHONE, Kind.ADDRESS}
)
"""Kinds that name the patient: without one of them a search proves nothing."""

_NAMES = frozenset(
    {
        "PatientName",
        "OtherPatientNames",
        "PatientBirthName",
        "PatientMotherBirthName",
        "ResponsiblePerson",
    }
)
_PATIENT_IDS = frozenset({"PatientID", "OtherPatientIDs", "MedicalRecordLocator"})
_IDENTIFIERS = frozenset(
    {
        "AccessionNumber",
        "AdmissionID",
        "ClinicalTrialSubjectID",
        "ClinicalTrialSubjectReadingID",
        "ContainerIdentifier",
        "FillerOrderNumberImagingServiceRequest",
        "InsurancePlanIdentification",
        "IssuerOfAdmissionID",
        "IssuerOfPatientID",
        "PerformedProcedureStepID",
        "PlacerOrderNumberImagingServiceRequest",
        "RequestedProcedureID",
        "ScheduledProcedureStepID",
        "ServiceEpisodeID",
        "SpecimenIdentifier",
        "StudyID",
    }
)
_PHONES = frozenset(
    {
        "PatientTelephoneNumbers",
        "ReferringPhysicianTelephoneNumbers",
        "ConsultingPhysicianTelephoneNumbers",
        "PersonTelephoneNumbers",
        "OrderCallbackPhoneNumber",
    }
)
_ADDRESSES = frozenset({"PatientAddress", "PersonAddress", "ReferringPhysicianAddress"})
_INSTITUTIONS = frozenset({"InstitutionName", "InstitutionAddress"})
_DEVICES = frozenset(
    {
        "CassetteID",
        "DetectorID",
        "DeviceSerialNumber",
        "GantryID",
        "GeneratorID",
        "PlateID",
        "PerformedStationAETitle",
        "PerformedStationName",
        "RetrieveAETitle",
        "SourceApplicationEntityTitle",
        "StationName",
        "UniqueDeviceIdentifier",
    }
)
_TEXTS = frozenset(
    {
        "AdditionalPatientHistory",
        "ImageComments",
        "MedicalAlerts",
        "Occupation",
        "PatientComments",
        "StudyComments",
        "VisitComments",
    }
)
_BY_KEYWORD = {
    keyword: kind
    for kind, keywords in (
        (Kind.NAME, _NAMES),
        (Kind.PATIENT_ID, _PATIENT_IDS),
        (Kind.IDENTIFIER, _IDENTIFIERS),
        (Kind.PHONE, _PHONES),
        (Kind.ADDRESS, _ADDRESSES),
        (Kind.INSTITUTION, _INSTITUTIONS),
        (Kind.DEVICE, _DEVICES),
        (Kind.TEXT, _TEXTS),
        (Kind.BIRTH_DATE, frozenset({"PatientBirthDate"})),
    )
    for keyword in keywords
}
_BY_VR = {"PN": Kind.PHYSICIAN, "DA": Kind.DATE, "DT": Kind.DATE, "UI": Kind.UID}
MAKER = "Manufacturer"
"""The one attribute whose words spare a patient who is called as the maker is, and only if there
is such a maker. A code string or a model's name is no such proof: a name that somebody put there
would go out with it."""

MAKERS = frozenset(
    """
    agfa aloka analogic barco biograph bruker canon carestream dornier elekta esaote eizo fuji
    fujifilm fujinon ge gehc general electric healthcare hitachi hologic kodak konica kretz leica
    lodox lorad marconi marquette mec medical medison minolta mindray neusoft nidek nikon olympus
    pentax philips picker samsung sectra shimadzu siemens sirona sonosite storz swissray systems
    topcon toshiba trex united imaging varian villa vidar wolf zeiss ziehm
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""Words in the names of makers of imaging devices, some of which are names of people too."""

_SOFTWARE = frozenset(
    {"ImplementationClassUID", "TransferSyntaxUID", "PrivateInformationCreatorUID"}
)
_TEXT_VRS = frozenset(
    {"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)


def kind_of(keyword: str, vr: str) -> Kind | None:
    """What the values of an attribute identify, or None. A private one has no keyword."""
    if keyword in _SOFTWARE:
        return None
    return _BY_KEYWORD.get(keyword) or _BY_VR.get(vr)


def is_direct(keyword: str, vr: str) -> bool:
    """Whether an attribute identifies directly, as recipes and their claims understand it."""
    return vr == "PN" or tag_of(keyword) in direct_identifiers()


Texts = tuple[str, str, list[str]]
"""Keyword, VR, values."""


def source_texts(headers: Iterable[Dataset]) -> Iterator[Texts]:
    """The text values of every element at every depth, file meta too, registered UIDs apart.

    What a series repeats from file to file is read once.
    """
    seen: set[tuple[int, object]] = set()
    before: Mapping[BaseTag, object] = {}
    for header in headers:
        held = header._dict  # noqa: SLF001 - a Dataset would decode what is raw
        changed, before = differing(held, before), dict(held)
        meta = getattr(header, "file_meta", None)
        stack = [header] if meta is None else [header, meta]
        while stack:
            dataset = stack.pop()
            new = dataset.keys() if changed is None or dataset is not header else sorted(changed)
            for raw in [dataset._dict[tag] for tag in new]:  # noqa: SLF001 - the same
                if raw.VR not in _READ or _again(raw, seen):
                    continue
                figures = _figures(raw)
                if figures is not None:
                    yield figures
                    continue
                element = _converted(dataset, raw)
                if element is None:
                    yield _broken(raw)
                elif element.VR == "SQ":
                    stack.extend(element.value or ())
                else:
                    yield element.keyword, element.VR, _values(element)


def _figures(raw: DataElement | RawDataElement) -> Texts | None:
    """One UID, day or time of plain figures, as pydicom would read it; None where it is not so."""
    if raw.VR not in _FIGURES or not isinstance(raw, RawDataElement) or not raw.value:
        return None
    found = _PLAIN.fullmatch(raw.value)
    if found is None:
        return None
    text = found[1].decode("ascii")
    return _keyword(raw.tag), raw.VR, [] if raw.VR == "UI" and is_registered(text) else [text]


_FIGURES = frozenset({"UI", "DA", "TM"})
_PLAIN = re.compile(rb"([0-9][0-9.]*)[\0 ]?")
_keyword = lru_cache(maxsize=4096)(keyword_for_tag)


def _again(raw: DataElement | RawDataElement, seen: set[tuple[int, object]]) -> bool:
    """Whether the same bytes have been read before at this tag."""
    if not isinstance(raw.value, bytes) or len(raw.value) >= _REPEATED:
        return False
    key = (int(raw.tag), raw.value)
    repeated = key in seen
    seen.add(key)
    return repeated


_REPEATED = 1024  # bytes: longer values are not remembered


_READ = _TEXT_VRS | {None, "SQ", "UN"}
"""VRs that may turn out to be text or a sequence: implicit and unknown ones show it when read."""

_BROKEN = (
    ValueError, TypeError, KeyError, AttributeError, NotImplementedError, OverflowError,
    OSError, EOFError, BytesLengthException, struct.error,
)  # fmt: skip
"""What pydicom raises on a value that breaks the rules of its VR; of a sequence that is none, that
it cannot read a file."""


def _converted(dataset: Dataset, raw: DataElement | RawDataElement) -> DataElement | None:
    """The element as it is read, without a trace in the data set: what is raw stays raw there."""
    try:
        if not isinstance(raw, RawDataElement) or (raw.value is None and raw.length):
            return dataset[raw.tag]
        encoding = dataset.original_character_set or dataset._character_set  # noqa: SLF001 - as pydicom reads it
        return convert_raw_data_element(raw, encoding=encoding, ds=dataset)
    except _BROKEN:
        return None


def _broken(raw: DataElement | RawDataElement) -> Texts:
    """What cannot be read by its rules is taken as the bytes that it is."""
    text = raw.value.decode("latin-1") if isinstance(raw.value, bytes) else ""
    return keyword_for_tag(raw.tag), raw.VR or "LO", [text]


def _values(element: DataElement) -> list[str]:
    value = element.value
    if element.VR not in _TEXT_VRS or value is None:
        return []
    many: Iterable[object] = value if isinstance(value, MultiValue | list) else (value,)
    texts = [str(item) for item in many if item is not None]
    if element.VR == "UI":
        return [uid for uid in texts if not is_registered(uid)]
    return texts
