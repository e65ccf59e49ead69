"""A CT series for the clock: 512 x 512 slices with about 110 elements and 40 private ones."""

from __future__ import annotations

import random
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from leak.markers import UID_ROOT
from leak.sheet import put
from leak.table import NUMBER_VRS, TEXT_VRS, Attribute, Table

SIDE = 512
_ELEMENTS, _PRIVATE = 110, 40
_HOLDERS = ("ReferencedStudySequence", "RequestAttributesSequence", "ProcedureCodeSequence")


def build(folder: Path, standard: Path, slices: int, seed: int = 1) -> None:
    """Write the series: no marker in it, for it is only timed."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    common = _common(Table(standard), chance)
    noise = b"".join(chance.randrange(4096).to_bytes(2, "little") for _ in range(SIDE * SIDE))
    for number in range(1, slices + 1):
        dataset = _slice(common, number)
        turn = number * 2 * SIDE
        put(dataset, 0x7FE00010, "OW", noise[turn:] + noise[:turn])
        dcmwrite(folder / f"{number:04d}.dcm", dataset, enforce_file_format=True)


def _slice(common: Dataset, number: int) -> Dataset:
    dataset = Dataset(common)
    dataset.SOPInstanceUID = f"{UID_ROOT}.3.{number}"
    dataset.InstanceNumber = str(number)
    dataset.ImagePositionPatient = ["-250.0", "-250.0", str(number * 1.25)]
    dataset.SliceLocation = str(number * 1.25)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    return dataset


def _common(table: Table, chance: random.Random) -> Dataset:
    dataset = Dataset()
    for keyword, value in _USUAL.items():
        setattr(dataset, keyword, value)
    for keyword in _HOLDERS:
        item = Dataset()
        item.ReferencedSOPInstanceUID = f"{UID_ROOT}.3.1.{len(keyword)}"
        item.CodeMeaning = "Thorax"
        setattr(dataset, keyword, [item])
    more = [
        one for one in table.outside + table.listed if one.count == 1 and one.tag not in dataset
    ]
    chance.shuffle(more)
    for one in more:
        if len(dataset) >= _ELEMENTS:
            break
        _usual(dataset, one, chance)
    for n in range(_PRIVATE // 2):
        for group in (0x0019, 0x0043):
            put(
                dataset,
                group << 16 | 0x10,
                "LO",
                "GEMS_ACQU_01" if group == 0x19 else "GEMS_PARM_01",
            )
            put(dataset, group << 16 | 0x1000 + n, "DS" if n % 2 else "LO", str(n))
    return dataset


def _usual(dataset: Dataset, one: Attribute, chance: random.Random) -> None:
    if one.vr in TEXT_VRS:
        put(dataset, one.tag, one.vr, f"VALUE {chance.randrange(100)}")
    elif one.vr in NUMBER_VRS and one.vr != "AT":
        put(dataset, one.tag, one.vr, str(chance.randrange(99)) if one.vr in {"DS", "IS"} else 7)


_USUAL: dict[str, object] = {
    "SpecificCharacterSet": "ISO_IR 100",
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
    "InstanceCreationDate": "20200102",
    "InstanceCreationTime": "101112",
    "SOPClassUID": CTImageStorage,
    "StudyDate": "20200102",
    "SeriesDate": "20200102",
    "AcquisitionDate": "20200102",
    "ContentDate": "20200102",
    "StudyTime": "101112",
    "SeriesTime": "101113",
    "AcquisitionTime": "101114",
    "ContentTime": "101115",
    "AccessionNumber": "A1234567",
    "Modality": "CT",
    "Manufacturer": "GE MEDICAL SYSTEMS",
    "InstitutionName": "General Hospital",
    "ReferringPhysicianName": "Sent^By",
    "StationName": "CT01",
    "StudyDescription": "CT Chest",
    "SeriesDescription": "Lung 1.25",
    "OperatorsName": "Done^By",
    "ManufacturerModelName": "LightSpeed VCT",
    "PatientName": "Timed^Person",
    "PatientID": "T7654321",
    "PatientBirthDate": "19500101",
    "PatientSex": "M",
    "PatientAge": "070Y",
    "BodyPartExamined": "CHEST",
    "SliceThickness": "1.25",
    "KVP": "120",
    "DataCollectionDiameter": "500",
    "SoftwareVersions": "07MW18.4",
    "ProtocolName": "Chest",
    "ReconstructionDiameter": "360",
    "ExposureTime": "500",
    "XRayTubeCurrent": "300",
    "ConvolutionKernel": "LUNG",
    "PatientPosition": "FFS",
    "StudyInstanceUID": f"{UID_ROOT}.3.0.1",
    "SeriesInstanceUID": f"{UID_ROOT}.3.0.2",
    "StudyID": "S77",
    "SeriesNumber": "3",
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
    "FrameOfReferenceUID": f"{UID_ROOT}.3.0.3",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "Rows": SIDE,
    "Columns": SIDE,
    "PixelSpacing": ["0.7", "0.7"],
    "BitsAllocated": 16,
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 0,
    "WindowCenter": "40",
    "WindowWidth": "400",
    "RescaleIntercept": "-1024",
    "RescaleSlope": "1",
}
