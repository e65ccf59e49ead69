"""Patients with studies and series of CT, MR and ultrasound, and what must become of each value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np
from leak.markers import UID_ROOT, Maker
from leak.sheet import put, write
from leak.table import Attribute
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    RLELossless,
    UltrasoundImageStorage,
)

from midi.checks import Action, Box, Check

PATIENTS, STUDIES, SLICES = 24, 2, 3
ROWS, COLUMNS = 48, 64
BOX = Box(4, 2, 40, 9)
DEVICE = ("Sonic Works", "Probe 9")
"""Maker and model of the ultrasound that draws names into the box."""

_CLASSES = {"CT": CTImageStorage, "MR": MRImageStorage, "US": UltrasoundImageStorage}
DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate")
_WORDS = {
    "AccessionNumber": "SH", "InstitutionName": "LO", "InstitutionAddress": "ST",
    "ReferringPhysicianName": "PN", "StationName": "SH", "StudyDescription": "LO",
    "SeriesDescription": "LO", "OperatorsName": "PN", "PatientName": "PN", "PatientAddress": "LO",
    "PatientComments": "LT", "DeviceSerialNumber": "LO", "ProtocolName": "LO", "StudyID": "SH",
    "ImageComments": "LT", "RequestingPhysician": "PN", "AdmissionID": "LO",
}  # fmt: skip
_PRESENT = (
    "PatientBirthDate", "PatientSex", "AccessionNumber", "ReferringPhysicianName", "StudyID",
    "StudyTime", "StudyDate",
)  # fmt: skip
_NOT_NULL = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
    "FrameOfReferenceUID", "PatientID", "PatientName", "Modality", "StudyDate",
)  # fmt: skip
_TECHNICAL: dict[str, object] = {
    "Manufacturer": "Big Scanners", "ManufacturerModelName": "Fast 64", "SoftwareVersions": "7.1",
    "PatientPosition": "HFS", "SliceThickness": "1.25", "SpacingBetweenSlices": "1.25",
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"], "PixelSpacing": ["0.75", "0.5"],
    "WindowCenter": "40", "WindowWidth": "400", "SeriesNumber": "4", "AcquisitionNumber": "2",
}  # fmt: skip
_BY_MODALITY: dict[str, dict[str, object]] = {
    "CT": {"KVP": "120", "ConvolutionKernel": "B30f", "RescaleSlope": "1",
           "RescaleIntercept": "-1024", "ExposureTime": "500", "GantryDetectorTilt": "0"},
    "MR": {"EchoTime": "4.5", "RepetitionTime": "600", "FlipAngle": "15", "SequenceName": "*tse2d1",
           "MagneticFieldStrength": "1.5", "ScanningSequence": "SE", "ImagedNucleus": "1H"},
    "US": {"Manufacturer": DEVICE[0], "ManufacturerModelName": DEVICE[1], "HeartRate": "60",
           "MechanicalIndex": "0.9", "DepthOfScanField": "120"},
}  # fmt: skip


@dataclass
class Answers:
    """The answer key.

    Attributes:
        names: of the files, by number.
        pixels: of each file its frames as they were.
        drawn: numbers of the files with a name in the box.
    """

    checks: list[Check] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    pixels: dict[int, NDArray[np.integer]] = field(default_factory=dict)
    drawn: set[int] = field(default_factory=set)

    def ask(
        self, action: Action, file: int, path: str, value: object = "", patient: int = 0
    ) -> None:
        """Enter a question."""
        told = "\\".join(map(str, value)) if isinstance(value, list) else str(value)
        self.checks.append(Check(action, file, path, told, patient))


@dataclass
class _Patient:
    """Who, and when the first study was."""

    number: int
    patient_id: str
    first: dt.date


def build(folder: Path, shifted: list[Attribute], seed: int, patients: int = PATIENTS) -> Answers:
    """Write the studies.

    Args:
        folder: an empty one.
        shifted: dates of the table that move under modified dates; a few are put into each file.
        seed: of everything that is chosen.
        patients: how many.

    Returns:
        The answer key.
    """
    folder.mkdir(parents=True, exist_ok=True)
    work = _Hospital(folder, shifted, Maker(seed), np.random.default_rng(seed))
    for number in range(1, patients + 1):
        known = {1: "0007", 2: "007", 3: "7"}.get(number)  # zeros count
        first = dt.date(1990 + number, 1 + number % 12, 1 + number)
        work.patient(_Patient(number, known or f"MRN{work.maker.stem()}", first))
    return work.answers


@dataclass
class _Hospital:
    """Makes the files, and asks of each value what must become of it."""

    folder: Path
    shifted: list[Attribute]
    maker: Maker
    noise: np.random.Generator
    answers: Answers = field(default_factory=Answers)
    files: Iterator[int] = field(default_factory=lambda: count(1))

    def patient(self, patient: _Patient) -> None:
        """All studies of one patient: a year and some days apart."""
        for study in range(STUDIES):
            day = patient.first + dt.timedelta(days=study * (365 + 7 * patient.number))
            uid, first = self._uid(), ""
            for modality in _CLASSES:
                series, frame = self._uid(), self._uid()
                for place in range(SLICES):
                    instance = self._uid()
                    first = first or instance
                    uids = {
                        "StudyInstanceUID": uid,
                        "SeriesInstanceUID": series,
                        "FrameOfReferenceUID": frame,
                        "SOPInstanceUID": instance,
                        "ReferencedImageSequence/ReferencedSOPInstanceUID": first,
                    }
                    self._file(patient, day, modality, place, uids)

    def _uid(self) -> str:
        return f"{UID_ROOT}.{self.maker.stem()}.7"

    def _file(
        self, patient: _Patient, day: dt.date, modality: str, place: int, uids: dict[str, str]
    ) -> None:
        number = next(self.files)
        name = self.answers.names[number] = f"{number:04d}.dcm"
        dataset = Dataset()
        item = Dataset()
        dataset.CTAcquisitionDetailsSequence = [item]  # in no table, so it stays and is recursed
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.SOPClassUID = _CLASSES[modality]
        dataset.Modality = modality
        dataset.InstanceNumber = str(number)
        dataset.ImagePositionPatient = ["0", "0", str(place * 1.25)]
        self._identify(number, dataset, item, patient)
        self._refer(number, dataset, uids)
        self._date(number, dataset, item, patient, day)
        self._describe(number, dataset, item, modality)
        self._draw(number, dataset, modality, place)
        write(self.folder / name, dataset, syntax=_syntax(dataset, modality, place))

    def _identify(self, file: int, dataset: Dataset, item: Dataset, patient: _Patient) -> None:
        ask = self.answers.ask
        for where, path in ((dataset, ""), (item, "CTAcquisitionDetailsSequence/")):
            where.PatientID = patient.patient_id
            ask(Action.PATIENT_ID_CONSISTENT, file, f"{path}PatientID", patient.patient_id)
            for keyword, vr in _WORDS.items():
                word = self.maker.word()
                value = f"seen by {word} here" if vr in {"ST", "LT"} else word.capitalize()
                setattr(where, keyword, f"{value}^Jo" if vr == "PN" else value)
                ask(Action.TEXT_REMOVED, file, path + keyword, word)
        word = self.maker.word()
        put(dataset, 0x00290010, "LO", "ACME 1.1")
        put(dataset, 0x00291001, "LO", f"for {word}")
        ask(Action.TEXT_REMOVED, file, "00291001", word)
        dataset.PatientBirthDate = born = self.maker.date(patient.number)
        dataset.PatientSex, dataset.StudyTime = "F", "101112.345"
        ask(Action.TEXT_REMOVED, file, "PatientBirthDate", born)
        for keyword in _PRESENT:
            ask(Action.TAG_RETAINED, file, keyword)
        for keyword in (*_NOT_NULL, "DeidentificationMethod", "PatientIdentityRemoved"):
            ask(Action.TEXT_NOT_NULL, file, keyword)

    def _refer(self, file: int, dataset: Dataset, uids: dict[str, str]) -> None:
        reference = Dataset()
        reference.ReferencedSOPClassUID = CTImageStorage
        dataset.ReferencedImageSequence = [reference]
        self.answers.ask(
            Action.TEXT_RETAINED, file, "ReferencedImageSequence/ReferencedSOPClassUID",
            CTImageStorage,
        )  # fmt: skip
        for path, uid in uids.items():
            where = reference if "/" in path else dataset
            setattr(where, path.rsplit("/", 1)[-1], uid)
            self.answers.ask(Action.UID_CHANGED, file, path, uid)
            self.answers.ask(Action.UID_CONSISTENT, file, path, uid)

    def _date(
        self, file: int, dataset: Dataset, item: Dataset, patient: _Patient, day: dt.date
    ) -> None:
        some = [self.shifted[(file * 5 + n) % len(self.shifted)] for n in range(5)]
        usual = [Attribute(keyword_tag(keyword), "DA", keyword) for keyword in DATES]
        for where, path, chosen in (
            (dataset, "", usual + some[:3]),
            (item, "CTAcquisitionDetailsSequence/", some[3:]),
        ):
            for attribute in chosen:
                value = day.strftime("%Y%m%d")
                value += "101112.25+0100" if attribute.vr == "DT" else ""
                put(where, attribute.tag, attribute.vr, value)
                for action in (Action.DATE_SHIFTED, Action.INTERVAL_KEPT):
                    self.answers.ask(action, file, path + attribute.name, value, patient.number)

    def _describe(self, file: int, dataset: Dataset, item: Dataset, modality: str) -> None:
        for keyword, value in (_TECHNICAL | _BY_MODALITY[modality]).items():
            setattr(dataset, keyword, value)
            self.answers.ask(Action.TEXT_RETAINED, file, keyword, value)
            self.answers.ask(Action.TAG_RETAINED, file, keyword)
        dataset.ImageType = ["ORIGINAL", "PRIMARY"]
        dataset.BodyPartExamined = "CHEST"
        region = Dataset()
        region.CodeValue, region.CodingSchemeDesignator = "816094009", "SCT"
        region.CodeMeaning = "Chest, Abdomen and Pelvis"
        item.AnatomicRegionSequence = [region]
        around = "CTAcquisitionDetailsSequence/AnatomicRegionSequence/"
        for keyword in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning"):
            value = region[keyword].value
            self.answers.ask(Action.TEXT_RETAINED, file, around + keyword, value)
        for keyword in ("ImageType", "BodyPartExamined", "Modality", "SOPClassUID"):
            value = dataset[keyword].value
            told = list(value) if keyword == "ImageType" else value
            self.answers.ask(Action.TEXT_RETAINED, file, keyword, told)

    def _draw(self, file: int, dataset: Dataset, modality: str, place: int) -> None:
        frames = 3 if modality == "US" and place == SLICES - 1 else 1
        colour = modality == "US" and place == 0
        most, kind = (256, np.uint8) if modality == "US" else (4096, np.uint16)
        shape = (frames, ROWS, COLUMNS, *((3,) if colour else ()))
        pixels = self.noise.integers(1, most, shape, dtype=kind)
        self.answers.pixels[file] = pixels
        if modality == "US":
            self.answers.drawn.add(file)
            self.answers.ask(Action.PIXELS_HIDDEN, file, "PixelData")
        self.answers.ask(Action.PIXELS_RETAINED, file, "PixelData")
        dataset.SamplesPerPixel = 3 if colour else 1
        dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
        if colour:
            dataset.PlanarConfiguration = 0
        if frames > 1:
            dataset.NumberOfFrames = str(frames)
        dataset.Rows, dataset.Columns = ROWS, COLUMNS
        dataset.BitsAllocated = dataset.BitsStored = kind(0).nbytes * 8
        dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
        put(dataset, 0x7FE00010, "OB" if modality == "US" else "OW", pixels.tobytes())


def keyword_tag(keyword: str) -> int:
    """The tag of a keyword."""
    return int(Tag(keyword))


def _syntax(dataset: Dataset, modality: str, place: int) -> UID:
    """Plain, but for one ultrasound of each series, which is compressed."""
    if modality != "US" or place != 1:
        return ExplicitVRLittleEndian
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.compress(RLELossless, generate_instance_uid=False)
    return RLELossless
