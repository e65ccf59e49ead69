"""A small hospital in which one patient's identities stand in every place that objects have.

Each place holds a marker of its own, unlike any other, so that finding one anywhere says where it
came from. Nothing here knows cohortkit.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

CT = "1.2.840.10008.5.1.4.1.1.2"
DX = "1.2.840.10008.5.1.4.1.1.1.1"
ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"
SR = "1.2.840.10008.5.1.4.1.1.88.33"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"
ROOT = "1.2.826.0.1.3680043.10.998"

NAME, PATIENT_ID, BIRTH = "Zaunkoenig^Philomena", "MRN-00662817", "19510623"
STUDY, ACCESSION = "20220719", "ACC-8830417"

TEXTS = {  # keyword → how the marker stands in it
    "OtherPatientNames": "{}", "PatientBirthName": "{}", "PatientMotherBirthName": "{}",
    "PatientAddress": "{} 12", "PatientTelephoneNumbers": "{}", "PatientComments": "called {}",
    "MilitaryRank": "{}", "Occupation": "{}", "AdditionalPatientHistory": "says {}",
    "MedicalAlerts": "{}", "Allergies": "{}", "PatientReligiousPreference": "{}",
    "ResponsiblePerson": "{}", "ReferringPhysicianName": "{}", "ReferringPhysicianAddress": "{}",
    "PerformingPhysicianName": "{}", "OperatorsName": "{}", "NameOfPhysiciansReadingStudy": "{}",
    "PhysiciansOfRecord": "{}", "RequestingPhysician": "{}", "InstitutionName": "{} clinic",
    "InstitutionAddress": "{}", "InstitutionalDepartmentName": "{}", "StationName": "{}",
    "DeviceSerialNumber": "{}", "StudyDescription": "Thorax {}", "SeriesDescription": "for {}",
    "ProtocolName": "{}", "StudyID": "{}", "AdmissionID": "{}",
    "RequestedProcedureDescription": "{}", "ReasonForTheRequestedProcedure": "{}",
    "ImageComments": "of {}", "DerivationDescription": "{}", "AdmittingDiagnosesDescription": "{}",
    "CurrentPatientLocation": "{}", "InsurancePlanIdentification": "{}", "RegionOfResidence": "{}",
    "PatientState": "{}", "VisitComments": "{}", "TextComments": "{}", "ContrastBolusAgent": "{}",
}  # fmt: skip
"""Attributes of the header that hold text of people's hands."""

TYPED = ("ScanOptions", "EthnicGroup", "ContentQualification", "SequenceName", "CodeMeaning")
"""Terms and codes, which stay where they are kept: here somebody typed the patient's own name."""


@dataclass
class Planted:
    """Marker → the place it was put in."""

    markers: dict[str, str] = field(default_factory=dict)

    def new(self, place: str) -> str:
        """A marker for a place: letters and a number that stand nowhere else."""
        marker = f"QVAXO{len(self.markers):03d}ZIB"
        self.markers[marker] = place
        return marker

    def known(self) -> dict[str, str]:
        """All that must not leave: the markers, and who the patient is."""
        family, given = NAME.split("^")
        return {
            **self.markers,
            **dict.fromkeys((NAME, family, given, f"{given} {family}"), "PatientName"),
            **dict.fromkeys((PATIENT_ID, "00662817", "662817"), "PatientID"),
            **dict.fromkeys((BIRTH, "23.06.1951", "1951-06-23"), "PatientBirthDate"),
            **dict.fromkeys((ACCESSION, "8830417"), "AccessionNumber"),
        }  # fmt: skip


def build(base: Path) -> Planted:
    """Lay out ``archive/`` and ``labels.csv`` in a folder."""
    planted = Planted()
    folder = base / "archive" / planted.new("folder name") / planted.new("folder name, deeper")
    folder.mkdir(parents=True)
    for number in range(4):
        name = planted.new("file name") if number == 0 else f"{number}"
        _save(folder / f"{name}.dcm", _slice(planted, number), planted, first=number == 0)
    others: tuple[Callable[[Planted], Dataset], ...] = (_xray, _ecg, _report, _document)
    for number, make in enumerate(others):
        _save(folder / f"o{number}", make(planted), planted, first=False)
    for number, keyword in enumerate(TYPED):
        _save(folder / f"t{number}", _typed(keyword, number), planted, first=False)
    (folder / f"{planted.new('name of a file that is no DICOM')}.txt").write_text(
        f"called {NAME}: {planted.new('a text file beside')}\n", "utf-8"
    )
    _somebody_else(base / "archive" / "other")
    (base / "labels.csv").write_text(
        f"PatientID,grade,note\n{PATIENT_ID},3,{planted.new('cell of the clinical table')}\n",
        "utf-8",
    )
    return planted


def _header(sop_class: str, modality: str, number: int, who: str = PATIENT_ID) -> Dataset:
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.SOPClassUID, header.Modality = sop_class, modality
    header.SOPInstanceUID = (
        f"{ROOT}.{int.from_bytes(who.encode(), 'big')}.{sop_class[-4:].strip('.')}.{number + 1}"
    )
    header.StudyInstanceUID = f"{ROOT}.{int.from_bytes(who.encode(), 'big')}.1"
    header.SeriesInstanceUID = (
        f"{header.StudyInstanceUID}.{sop_class.replace('.', '')[-5:].lstrip('0')}"
    )
    header.PatientID, header.PatientName, header.PatientBirthDate = who, NAME, BIRTH
    header.PatientAge, header.PatientSex = "071Y", "F"
    header.StudyDate, header.AccessionNumber, header.StudyTime = STUDY, ACCESSION, "081422"
    header.BodyPartExamined, header.SeriesNumber, header.InstanceNumber = "CHEST", 1, number + 1
    return header


def _picture(header: Dataset, seed: int) -> None:
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.Rows, header.Columns, header.BitsAllocated = 32, 24, 16
    header.BitsStored, header.HighBit, header.PixelRepresentation = 12, 11, 0
    values = np.random.default_rng(seed).integers(0, 4096, (32, 24), dtype=np.uint16)
    header.PixelData = values.tobytes()


def _slice(planted: Planted, number: int) -> Dataset:
    header = _header(CT, "CT", number)
    header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    header.FrameOfReferenceUID = f"{ROOT}.5"
    header.ImagePositionPatient, header.ImageOrientationPatient = (
        [0, 0, 2.5 * number],
        [1, 0, 0, 0, 1, 0],
    )
    header.PixelSpacing, header.SliceThickness = [0.8, 0.7], 2.5
    header.RescaleSlope, header.RescaleIntercept, header.KVP = 1, -1024, 120
    _picture(header, number)
    if number:
        return header
    for keyword, form in TEXTS.items():
        setattr(header, keyword, form.format(planted.new(keyword)))
    _nested(planted, header)
    _private(planted, header)
    _bulk(planted, header)
    return header


def _nested(planted: Planted, header: Dataset) -> None:
    inner, outer = Dataset(), Dataset()
    inner.PersonName = planted.new("a name two levels down")
    inner.OtherPatientIDs = planted.new("an id two levels down")
    outer.ReferencedStudySequence = Sequence([inner])
    outer.RequestedProcedureID = planted.new("an id one level down")
    header.RequestAttributesSequence = Sequence([outer])
    before, record = Dataset(), Dataset()
    before.PatientName = planted.new("original attributes")
    record.ModifiedAttributesSequence = Sequence([before])
    record.SourceOfPreviousValues = planted.new("source of previous values")
    header.OriginalAttributesSequence = Sequence([record])


def _private(planted: Planted, header: Dataset) -> None:
    block = header.private_block(0x0011, planted.new("a private creator"), create=True)
    block.add_new(0x01, "LO", planted.new("private text"))
    block.add_new(0x02, "UN", planted.new("private bytes").encode() + b"\0")
    item = Dataset()
    item.PatientName = planted.new("a private sequence")
    block.add_new(0x03, "SQ", Sequence([item]))
    known = header.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    known.add_new(0x08, "CS", planted.new("a private element that is safe elsewhere"))
    header.add_new(0x00331001, "LO", planted.new("a private element without a creator"))


def _bulk(planted: Planted, header: Dataset) -> None:
    def padded(place: str) -> bytes:
        marker = planted.new(place).encode()
        return marker + b"\0" * (-len(marker) % 2)

    icon = Dataset()
    icon.add_new(0x7FE00010, "OB", padded("an icon"))
    header.IconImageSequence = Sequence([icon])
    header.add_new(0x60003000, "OW", padded("an overlay"))
    header.add_new(0x60004000, "LT", planted.new("a comment of an overlay"))
    header.add_new(0x50003000, "OW", padded("a curve"))
    header.ICCProfile = padded("an ICC profile")
    header.DataSetTrailingPadding = padded("trailing padding")
    header.add_new(0x0400_0310, "OB", padded("a certified time stamp"))


def _xray(planted: Planted) -> Dataset:
    header = _header(DX, "DX", 0)
    header.ImageType, header.BurnedInAnnotation = ["ORIGINAL", "PRIMARY"], "NO"
    header.PresentationLUTShape, header.PixelSpacing = "IDENTITY", [0.2, 0.2]
    header.AcquisitionDeviceProcessingDescription = planted.new("processing of an X-ray")
    _picture(header, 9)
    return header


def _typed(keyword: str, number: int) -> Dataset:
    """A radiograph with the patient's name where a term belongs, in a series of its own."""
    header = _xray(Planted())
    header.SeriesInstanceUID += f".{number + 7}"
    header.SOPInstanceUID += f".{number + 7}"
    family = NAME.split("^", maxsplit=1)[0].upper()
    if keyword == "CodeMeaning":
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99LOCAL", family
        header.AnatomicRegionSequence = Sequence([code])
    else:
        setattr(header, keyword, family)
    return header


def _ecg(planted: Planted) -> Dataset:
    header = _header(ECG, "ECG", 0)
    group, channel, note = Dataset(), Dataset(), Dataset()
    channel.ChannelLabel = planted.new("label of an ECG channel")
    channel.WaveformBitsStored = 16
    group.ChannelDefinitionSequence = Sequence([channel])
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples, group.SamplingFrequency = (
        1,
        8,
        500,
    )
    group.MultiplexGroupLabel = planted.new("label of an ECG group")
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.WaveformData = struct.pack("<8h", *range(8))
    header.WaveformSequence = Sequence([group])
    note.UnformattedTextValue = planted.new("an annotation of an ECG")
    header.WaveformAnnotationSequence = Sequence([note])
    return header


def _report(planted: Planted) -> Dataset:
    header = _header(SR, "SR", 0)
    text, name, title = Dataset(), Dataset(), Dataset()
    title.CodeValue, title.CodingSchemeDesignator, title.CodeMeaning = "121070", "DCM", "Findings"
    text.RelationshipType, text.ValueType = "CONTAINS", "TEXT"
    text.ConceptNameCodeSequence = Sequence([title])
    text.TextValue = f"seen with {planted.new('a sentence of a report')}"
    name.RelationshipType, name.ValueType = "HAS OBS CONTEXT", "PNAME"
    name.ConceptNameCodeSequence = Sequence([title])
    name.PersonName = planted.new("a person of a report")
    header.ValueType, header.ContinuityOfContent = "CONTAINER", "SEPARATE"
    header.ConceptNameCodeSequence, header.ContentSequence = (
        Sequence([title]),
        Sequence([text, name]),
    )
    header.VerifyingOrganization = planted.new("who verified a report")
    header.CompletionFlag, header.VerificationFlag = "COMPLETE", "UNVERIFIED"
    return header


def _document(planted: Planted) -> Dataset:
    header = _header(PDF, "DOC", 0)
    body = f"%PDF-1.4\n1 0 obj << /Title ({planted.new('title of a PDF')}) >> endobj\n"
    body += f"2 0 obj << >> stream\n({planted.new('text of a PDF')}) Tj\nendstream endobj\n%%EOF\n"
    header.DocumentTitle = planted.new("DocumentTitle")
    header.MIMETypeOfEncapsulatedDocument = "application/pdf"
    header.EncapsulatedDocument = body.encode() + b"\0" * (len(body) % 2)
    header.BurnedInAnnotation = "NO"
    return header


def _somebody_else(folder: Path) -> None:
    folder.mkdir()
    for number in range(3):
        header = _slice(Planted(), number + 1)
        fresh = _header(CT, "CT", number, who="MRN-00771922")
        for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID"):
            setattr(header, keyword, fresh[keyword].value)
        header.PatientName, header.PatientBirthDate = "Habermehl^Ottokar", "19490112"
        header.AccessionNumber = "ACC-8830999"
        _save(folder / f"{number}", header, Planted(), first=False)


def _save(path: Path, header: Dataset, planted: Planted, *, first: bool) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = header.SOPClassUID
    meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    preamble = b"\0" * 128
    if first:
        meta.SourceApplicationEntityTitle = planted.new("AE title of the file meta")
        meta.PrivateInformationCreatorUID = f"{ROOT}.6"
        meta.PrivateInformation = (
            planted.new("private information of the file meta").encode() + b"\0"
        )
        preamble = planted.new("the preamble").encode().ljust(128, b"\0")
    stream = io.BytesIO()
    FileDataset("", header, preamble=preamble, file_meta=meta).save_as(
        stream, enforce_file_format=True
    )
    path.write_bytes(stream.getvalue())
