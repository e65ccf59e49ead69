"""Dummy values (action D of PS3.15): valid for the VR, and the same for everyone.

A dummy keeps an object valid where the standard wants a value; it is not there to be analysed,
and `cohortkit.model.ReleasedHeader` answers None for it.
"""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

WORD = "REMOVED"

_BY_VR: dict[str, object] = {
    "AE": WORD, "AS": "000Y", "AT": 0, "CS": WORD, "DA": "19000101", "DS": "0",
    "DT": "19000101000000", "FD": 0.0, "FL": 0.0, "IS": "0", "LO": WORD, "LT": WORD,
    "OB": b"\0\0", "OD": bytes(8), "OF": bytes(4), "OL": bytes(4), "OV": bytes(8), "OW": bytes(2),
    "PN": WORD, "SH": WORD, "SL": 0, "SS": 0, "ST": WORD, "SV": 0, "TM": "000000", "UC": WORD,
    "UL": 0, "UN": b"\0\0", "UR": "urn:removed", "US": 0, "UT": WORD, "UV": 0,
}  # fmt: skip
# Enumerated values (PS3.3) that a mere word would break
_ENUMERATED = {"ReasonForTheAttributeModification": "CORRECT"}
KEYED = frozenset(
    {
        "AccessionNumber",
        "ClinicalTrialSubjectID",
        "ClinicalTrialSubjectReadingID",
        "ContainerIdentifier",
        "DetectorID",
        "DeviceSerialNumber",
        "SpecimenIdentifier",
        "StudyID",
        "XRayDetectorID",
        "XRaySourceID",
    }
)
"""Identifiers that link things: their dummy is a keyed token, the same for the same value."""

_PROCEDURE_STEP = UID("1.2.840.10008.3.1.2.3.3")


def value(keyword: str, vr: str) -> object:
    """A valid value that means nothing, for a VR that is not SQ or UI."""
    return _ENUMERATED.get(keyword, _BY_VR[vr.split(" or ", maxsplit=1)[0]])


def sequence(keyword: str, uid: str) -> Sequence:
    """One item with what the standard wants in it.

    Args:
        keyword: of the sequence.
        uid: a new UID that refers to nothing.
    """
    return Sequence([_item(keyword, uid)])


def _item(keyword: str, uid: str) -> Dataset:
    item = Dataset()
    if keyword.endswith("CodeSequence"):
        return _code()
    match keyword:
        case "ReferencedPerformedProcedureStepSequence":
            item.ReferencedSOPClassUID = _PROCEDURE_STEP
            item.ReferencedSOPInstanceUID = uid
        case "OperatorIdentificationSequence":
            item.PersonIdentificationCodeSequence = Sequence([_code()])
            item.InstitutionName = WORD
        case "VerifyingObserverSequence":
            item.VerifyingOrganization = WORD
            item.VerificationDateTime = _BY_VR["DT"]
            item.VerifyingObserverName = WORD
            item.VerifyingObserverIdentificationCodeSequence = Sequence()  # type 2
        case "ContentSequence":
            item.RelationshipType = "CONTAINS"
            item.ValueType = "TEXT"
            item.ConceptNameCodeSequence = Sequence([_code()])
            item.TextValue = WORD
        case "GraphicAnnotationSequence":
            item.GraphicLayer = WORD
        case "WaveformAnnotationSequence":
            item.ReferencedWaveformChannels = [1, 0]
            item.AnnotationGroupNumber = 0
            item.UnformattedTextValue = WORD
        case "FlowIdentifierSequence":
            item.FlowIdentifier = _BY_VR["OB"]
        case _:
            pass  # an empty item is valid in form; its content is not known here
    return item


def _code() -> Dataset:
    """A code that says so, from a private coding scheme (PS3.3 Table 8.8-1)."""
    code = Dataset()
    code.CodeValue = WORD
    code.CodingSchemeDesignator = "99COHORTKIT"
    code.CodeMeaning = WORD
    return code
