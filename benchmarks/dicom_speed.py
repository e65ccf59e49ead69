"""CPU of reading, de-identifying and writing CT slices, beside a bare pydicom read and write.

    python benchmarks/dicom_speed.py [--slices 200] [--rounds 5] [--profile]

The slices are made on the spot: 512 x 512 in 16 bits, about 110 elements and 40 private ones, with
two nested sequences. In each round, one after the other in this process:

- pydicom reads every file whole and writes it again (``dcmread``, ``dcmwrite``);
- cohortkit reads the headers, reads the facts, de-identifies under ``basic``, and writes every
  object: new header, the source's pixels passed through.

CPU time of this process alone, the median over the rounds, and the ratio of the two. Said apart:
the SHA-256 of every file, which cohortkit makes and pydicom does not, and the search for the
patient before a record is published. Exits 1 if the step takes more than 0.9 of pydicom's time
without that digest, or more than 1.3 with it.
"""

from __future__ import annotations

import argparse
import cProfile
import hashlib
import pstats
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.geometry.facts import read_facts
from cohortkit.model import FileRef, Object, Person, SourceSeries, Task
from cohortkit.payloads.objects import assemble
from cohortkit.recipe.file import load_recipe
from cohortkit.run.searching import ours_of, patterns_of, scan
from cohortkit.sources.files import Files
from cohortkit.verify.memory import Memory
from cohortkit.writers import files
from cohortkit.writers.dicom import Dicom

SIDE = 512
TEXT = {
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"], "StudyDate": "20240311",
    "SeriesDate": "20240311", "AcquisitionDate": "20240311", "ContentDate": "20240311",
    "StudyTime": "101112.13", "SeriesTime": "101213.5", "AcquisitionTime": "101214.2",
    "ContentTime": "101214.3", "AccessionNumber": "A4711", "Modality": "CT",
    "Manufacturer": "ACME", "InstitutionName": "Klinikum", "InstitutionAddress": "Weg 1",
    "ReferringPhysicianName": "Doe^J", "StationName": "CT1", "StudyDescription": "Thorax",
    "SeriesDescription": "Thorax 1.0 B31f", "InstitutionalDepartmentName": "Radiologie",
    "PhysiciansOfRecord": "Roe^R", "PerformingPhysicianName": "Poe^E", "OperatorsName": "Op^E",
    "ManufacturerModelName": "Scan 64", "PatientName": "Beispiel^Berta", "PatientID": "P-4711-8",
    "PatientBirthDate": "19500102", "PatientSex": "F", "PatientAge": "074Y", "PatientSize": "1.7",
    "PatientWeight": "70", "PatientComments": "none", "ContrastBolusAgent": "APPLIED",
    "BodyPartExamined": "CHEST", "ScanOptions": "SPIRAL", "SliceThickness": "1", "KVP": "120",
    "DataCollectionDiameter": "500", "DeviceSerialNumber": "12345", "SoftwareVersions": "VA44",
    "ProtocolName": "ThoraxRoutine", "ReconstructionDiameter": "380",
    "DistanceSourceToDetector": "1085.6", "DistanceSourceToPatient": "595",
    "GantryDetectorTilt": "0", "TableHeight": "160", "RotationDirection": "CW",
    "ExposureTime": "500", "XRayTubeCurrent": "210", "Exposure": "105", "FilterType": "FLAT",
    "GeneratorPower": "25", "FocalSpots": "1.2", "DateOfLastCalibration": "20240310",
    "TimeOfLastCalibration": "070000", "ConvolutionKernel": "B31f", "PatientPosition": "HFS",
    "StudyID": "S1", "SeriesNumber": "4", "AcquisitionNumber": "2",
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"], "PositionReferenceIndicator": "",
    "ImageComments": "c", "PhotometricInterpretation": "MONOCHROME2",
    "PixelSpacing": ["0.742", "0.742"], "WindowCenter": ["40", "-600"],
    "WindowWidth": ["400", "1200"], "RescaleIntercept": "-1024", "RescaleSlope": "1",
    "RescaleType": "HU", "WindowCenterWidthExplanation": ["A", "B"],
    "RequestingPhysician": "Who^D", "RequestedProcedureDescription": "CT Thorax",
    "PerformedProcedureStepStartDate": "20240311", "PerformedProcedureStepID": "PPS1",
    "PerformedProcedureStepDescription": "Thorax", "CommentsOnThePerformedProcedureStep": "x",
}  # fmt: skip
NUMBERS = {
    "SamplesPerPixel": 1, "Rows": SIDE, "Columns": SIDE, "BitsAllocated": 16, "BitsStored": 12,
    "HighBit": 11, "PixelRepresentation": 0, "SmallestImagePixelValue": 0,
    "LargestImagePixelValue": 4095, "SpiralPitchFactor": 1.2, "TableSpeed": 23.0,
    "SingleCollimationWidth": 0.6, "TotalCollimationWidth": 19.2, "CTDIvol": 8.0,
}  # fmt: skip


def make(folder: Path, slices: int) -> list[Path]:
    """The slices of one series as files."""
    rng = np.random.default_rng(7)
    paths = []
    for number in range(slices):
        path = folder / f"{number:04d}.dcm"
        pydicom.dcmwrite(path, _slice(number, rng), enforce_file_format=True)
        paths.append(path)
    return paths


def _slice(number: int, rng: np.random.Generator) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    for keyword, value in {**TEXT, **NUMBERS}.items():
        setattr(dataset, keyword, value)
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, f"1.2.276.99.1.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.276.99.2", "1.2.276.99.3"
    dataset.FrameOfReferenceUID = "1.2.276.99.4"
    dataset.InstanceNumber = number + 1
    dataset.ImagePositionPatient = ["-190", "-190", str(number)]
    dataset.SliceLocation = str(number)
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "T-D3000", "SRT", "Chest"
    request = Dataset()
    request.ScheduledProcedureStepDescription, request.RequestedProcedureID = "Thorax", "R1"
    request.RequestedProcedureCodeSequence = Sequence([code])
    dataset.RequestAttributesSequence = Sequence([request])
    dataset.ProcedureCodeSequence = Sequence([code])
    for group, creator in ((0x0009, "ACME HEADER"), (0x0019, "ACME CT"), (0x0029, "ACME CSA")):
        block = dataset.private_block(group, creator, create=True)
        for element in range(13):
            block.add_new(element, "LO", f"value {element}")
    dataset.PixelData = rng.integers(0, 4096, (SIDE, SIDE), dtype=np.uint16).tobytes()
    return dataset


def bare(paths: list[Path], out: Path) -> None:
    """What pydicom does when it is asked for nothing."""
    for path in paths:
        pydicom.dcmwrite(out / path.name, pydicom.dcmread(path))


def task_of(paths: list[Path]) -> Task:
    """What an index would ask for."""
    refs = tuple(
        FileRef(str(path), found.st_size, found.st_mtime_ns, f"1.2.276.99.1.{number}")
        for number, path in enumerate(paths)
        for found in (path.stat(),)
    )
    person = Person("", "P-4711-8")
    return Task(0, "k", person, "1.2.276.99.2", "1.2.276.99.3", CTImageStorage, "CT", refs)


def ours(task: Task, out: Path) -> Callable[[], None]:
    """The step of cohortkit, and what it costs to prove it."""
    recipe, key = load_recipe("basic"), Keyed("speed", bytes(range(32)))
    to = Dicom()

    def step() -> None:
        instances = Files().fetch(task, out)
        facts = read_facts([one.header for one in instances])
        series = deidentify(SourceSeries(task.person, instances, facts), task, recipe, key)
        for payload in assemble(series):
            assert isinstance(payload, Object), payload
            to.write(payload, series, out, "r")

    return step


def searched(task: Task, out: Path) -> Callable[[], None]:
    """The search of what was written."""
    recipe, key = load_recipe("basic"), Keyed("speed", bytes(range(32)))
    instances = Files().fetch(task, out)
    headers = [one.header for one in instances]
    facts = read_facts(headers)
    series = deidentify(SourceSeries(task.person, instances, facts), task, recipe, key)

    def step() -> None:
        patterns = patterns_of(headers, task, series.kept, series.statement)
        words = ours_of(series.statement, series.names, ["dicom"])
        seen = Memory()
        for path in sorted((out / "r").iterdir()):
            assert not scan(patterns, out, f"r/{path.name}", words, seen).hits

    return step


class _NoDigest:
    """Stands in for SHA-256 where its cost is to be left out."""

    def update(self, _data: object) -> None:
        """Nothing."""

    def hexdigest(self) -> str:
        """Nothing."""
        return ""


def cpu(work: Callable[[], None]) -> float:
    """CPU seconds of this process."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main() -> int:
    """Measure, tell, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--profile", action="store_true", help="where the time goes, and nothing else"
    )
    given = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="dicom-speed-"))
    try:
        (base / "in").mkdir()
        (base / "bare").mkdir()
        paths = make(base / "in", given.slices)
        return _measured(paths, base, given.rounds, profile=given.profile)
    finally:
        shutil.rmtree(base)


def _measured(paths: list[Path], base: Path, rounds: int, *, profile: bool) -> int:
    task = task_of(paths)
    step = ours(task, base / "ours")
    step()
    if profile:
        profiler = cProfile.Profile()
        profiler.runcall(step)
        pstats.Stats(profiler).sort_stats("tottime").print_stats(30)
        return 0
    search = searched(task, base / "ours")
    plain = hashlib.sha256
    times: dict[str, list[float]] = {"pydicom": [], "step": [], "with digest": [], "search": []}
    for _ in range(rounds):
        times["pydicom"].append(cpu(lambda: bare(paths, base / "bare")))
        times["with digest"].append(cpu(step))
        files.hashlib.sha256 = _NoDigest  # type: ignore[assignment]
        times["step"].append(cpu(step))
        files.hashlib.sha256 = plain  # type: ignore[assignment]
        times["search"].append(cpu(search))
    each = {name: 1000 * median(found) / len(paths) for name, found in times.items()}
    ratio = {name: each[name] / each["pydicom"] for name in each}
    print(f"{len(paths)} slices of {paths[0].stat().st_size / 1e6:.2f} MB, {rounds} rounds, CPU")
    for name, words in (
        ("pydicom", "pydicom: read, write"),
        ("step", "cohortkit: read, de-identify, write"),
        ("with digest", "the same with the SHA-256 of each file"),
        ("search", "besides: the search for the patient"),
    ):
        print(f"  {words:40} {each[name]:6.2f} ms a slice, {ratio[name]:5.2f} x pydicom")
    return 0 if ratio["step"] <= 0.9 and ratio["with digest"] <= 1.3 else 1


if __name__ == "__main__":
    sys.exit(main())
