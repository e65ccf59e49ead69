"""Small archives made for tests: real encodings, planted identities, no real patient.

Every identity that ``Patient`` holds is planted in many places of every file, so that a test can
look for it afterwards without knowing where the library might have put it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
SC = "1.2.840.10008.5.1.4.1.1.7"


@dataclass(frozen=True)
class Patient:
    """Who is planted. The defaults are long enough to be searched for as bytes."""

    patient_id: str = "MRN-00471113"
    name: str = "Quisling^Marjolein"
    birth_date: str = "19480229"
    study_date: str = "20210317"
    accession: str = "ACC-7719023"
    physician: str = "Oberholzer^Balthasar"
    institution: str = "Krankenhaus Sankt Ottilien"
    address: str = "Weidenstrasse 17, Oberdorf"
    phone: str = "+49 8193 71 0"
    issuer: str = "OTTILIEN-ADT"
    age: str = "073Y"
    sex: str = "F"

    def planted(self) -> tuple[str, ...]:
        """Every identifying value, as planted."""
        return (
            self.patient_id,
            self.name,
            self.birth_date,
            self.study_date,
            self.accession,
            self.physician,
            self.institution,
            self.address,
            self.phone,
            self.issuer,
        )


@dataclass(frozen=True)
class Series:
    """What is made: a stack of axial slices, unless told otherwise."""

    sop_class: str = CT
    modality: str = "CT"
    body_part: str = "CHEST"
    slices: int = 4
    rows: int = 12
    columns: int = 10
    spacing: tuple[float, float] = (0.8, 0.7)
    step: float = 2.5
    number: int = 1
    study: int = 1
    seed: int = 0
    extra: dict[str, object] = field(default_factory=dict)


def uid(*parts: object) -> str:
    """A UID that tells nothing and repeats for the same parts."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return f"1.2.826.0.1.3680043.10.999.{int.from_bytes(digest[:12], 'big')}"


def write_series(folder: Path, patient: Patient, series: Series) -> list[Path]:
    """Write the files of one series; names say nothing of the patient."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index in range(series.slices):
        dataset = instance(patient, series, index)
        path = folder / f"{series.study}-{series.number}-{index:03d}"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def instance(patient: Patient, series: Series, index: int) -> FileDataset:
    """One slice with every identity planted: top level, nested twice, private, file meta."""
    who = (patient.issuer, patient.patient_id)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = series.sop_class
    meta.MediaStorageSOPInstanceUID = uid(who, series.study, series.number, index)
    meta.SourceApplicationEntityTitle = "OTTILIEN_AE"
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    _identity(dataset, patient)
    dataset.SOPClassUID = series.sop_class
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = uid(who, series.study)
    dataset.SeriesInstanceUID = uid(who, series.study, series.number)
    dataset.FrameOfReferenceUID = uid(who, series.study, "frame")
    dataset.Modality = series.modality
    dataset.BodyPartExamined = series.body_part
    dataset.SeriesNumber = series.number
    dataset.InstanceNumber = index + 1
    _geometry(dataset, series, index)
    _pixels(dataset, series, index)
    for keyword, value in series.extra.items():
        setattr(dataset, keyword, value)
    return dataset


def _identity(dataset: Dataset, patient: Patient) -> None:
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientID = patient.patient_id
    dataset.IssuerOfPatientID = patient.issuer
    dataset.PatientName = patient.name
    dataset.PatientBirthDate = patient.birth_date
    dataset.PatientAge = patient.age
    dataset.PatientSex = patient.sex
    dataset.PatientAddress = patient.address
    dataset.PatientTelephoneNumbers = patient.phone
    dataset.PatientComments = f"called {patient.name} on {patient.phone}"
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = patient.study_date
    dataset.StudyTime = "081422.123000"
    dataset.AccessionNumber = patient.accession
    dataset.ReferringPhysicianName = patient.physician
    dataset.InstitutionName = patient.institution
    dataset.InstitutionAddress = patient.address
    dataset.StudyDescription = f"control {patient.name}"
    dataset.SeriesDescription = f"thorax {patient.patient_id}"
    dataset.ProtocolName = f"thorax for {patient.physician}"
    dataset.Manufacturer = "ACME"
    inner = Dataset()
    inner.PersonName = patient.physician
    inner.InstitutionName = patient.institution
    outer = Dataset()
    outer.RequestedProcedureDescription = f"for {patient.name}"
    outer.AccessionNumber = patient.accession
    outer.ReferencedStudySequence = Sequence([inner])
    dataset.RequestAttributesSequence = Sequence([outer])
    block = dataset.private_block(0x0011, "OTTILIEN PRIVATE", create=True)
    block.add_new(0x01, "LO", patient.name)
    block.add_new(0x02, "UN", patient.patient_id.encode())


def _geometry(dataset: Dataset, series: Series, index: int) -> None:
    dataset.ImagePositionPatient = [-12.5, 33.0, -100.0 + series.step * index]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = list(series.spacing)
    dataset.SliceThickness = series.step
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    if series.modality == "CT":
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
        dataset.KVP = 120


def pixels(series: Series, index: int) -> np.ndarray:
    """The stored values of one slice."""
    rng = np.random.default_rng((series.seed, series.number, index))
    return rng.integers(0, 4096, (series.rows, series.columns), dtype=np.uint16)


def _pixels(dataset: Dataset, series: Series, index: int) -> None:
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = series.rows, series.columns
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    dataset.PixelData = pixels(series, index).tobytes()
