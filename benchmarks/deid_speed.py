"""The de-identification step beside deid's, on a series of CT, in turns, in CPU time.

Two steps of this side are measured: ``ck.compat.deid_apply``, which does what deid does, and the
step of an export, which does the whole basic profile, keyed, and the recipe's lines on top of it.
Goals: each 15 times as fast as deid under its default recipe (73 lines), 30 times under PS3.15
written as a recipe; and memory that stays flat over ten thousand instances. Exit code 1 where a
goal is missed.

    python benchmarks/deid_speed.py [rounds] [instances]
"""

from __future__ import annotations

import io
import resource
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import pydicom
from deid.config import DeidRecipe
from deid_side import DEFAULT, deid_itself, length, standard_recipe
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

import cohortkit as ck
from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.geometry.facts import read_facts
from cohortkit.model import FileRef, Person, SourceInstance, SourceSeries, Task

GOALS = {"default": 15.0, "ps315": 30.0}
SLICES = 20
GROWTH = 5.0
"""MiB that ten thousand instances may add."""
ITEM = {"entity_id": "E-1", "item_id": "I-1", "entity_timestamp": "19000101"}
VARIABLES = {**ITEM, "item_timestamp": "19000101"}
HOSPITAL = {
    "BodyPartExamined": "CHEST",  # else an export refuses it: it might show a face
    "AccessionNumber": "A-7719",
    "AcquisitionDate": "20200229",
    "AcquisitionTime": "101112",
    "AdditionalPatientHistory": "none",
    "AdmittingDiagnosesDescription": "none",
    "CurrentPatientLocation": "Ward 7",
    "DeviceSerialNumber": "SN-7719",
    "FillerOrderNumberImagingServiceRequest": "F-7719",
    "IssuerOfPatientID": "HOSPITAL",
    "NameOfPhysiciansReadingStudy": "Reader^Rita",
    "OperatorsName": "Operator^Olga",
    "OtherPatientIDs": "OLD-7719",
    "PatientAddress": "Weidenstrasse 17",
    "PatientBirthDate": "19480229",
    "PatientComments": "none",
    "PatientMotherBirthName": "Mother^Maria",
    "PatientTelephoneNumbers": "08193 71",
    "PerformedProcedureStepDescription": "CT chest",
    "PerformedProcedureStepEndDate": "20200229",
    "PerformedProcedureStepEndTime": "102000",
    "PerformedProcedureStepID": "P-7719",
    "PerformedProcedureStepStartDate": "20200229",
    "PerformedProcedureStepStartTime": "101000",
    "PerformedStationName": "CT1",
    "PerformingPhysicianName": "Performer^Paul",
    "PhysiciansOfRecord": "Record^Rosa",
    "ProtocolName": "Chest",
    "ReferringPhysicianName": "Referrer^Ralf",
    "RequestedProcedureDescription": "CT chest",
    "RequestedProcedureID": "R-7719",
    "RequestingPhysician": "Requester^Ruth",
    "RequestingService": "Ward 7",
    "ScheduledProcedureStepDescription": "CT chest",
    "ScheduledProcedureStepID": "S-7719",
    "SeriesDate": "20200229",
    "SeriesDescription": "Chest 5.0",
    "SeriesTime": "101112",
    "StationName": "CT1",
    "StudyDescription": "CT chest",
}
"""What a hospital writes beside what the scanner does; nobody's."""

Step = Callable[[Sequence[Dataset]], Callable[[], object]]
"""Takes the headers of a series that were just read, and gives what is to be timed."""


def slices() -> list[bytes]:
    """CT objects as an archive holds them: 300 elements each, private ones and a person's."""
    path = get_testdata_file("CT_small.dcm", download=False)
    assert isinstance(path, str)  # pydicom ships it
    ds = pydicom.dcmread(path)
    for keyword, value in HOSPITAL.items():
        setattr(ds, keyword, value)
    made = []
    for number in range(SLICES):
        ds.SOPInstanceUID = f"1.2.3.4.{number}"
        ds.InstanceNumber = number
        ds.ContentTime = f"1011{number:02}"
        ds.SliceLocation = 2.5 * number
        ds.ImagePositionPatient = [-158.1, -179.0, 2.5 * number]
        out = io.BytesIO()
        ds.save_as(out)
        made.append(out.getvalue())
    return made


def export_step(recipe: ck.Recipe) -> Step:
    """The step of an export, for a series: what its slices share is judged once."""
    key = Keyed("speed", bytes(32))

    def step(headers: Sequence[Dataset]) -> Callable[[], object]:
        ds = headers[0]
        person = Person(HOSPITAL["IssuerOfPatientID"], ds.PatientID)
        uids = ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPClassUID
        task = Task(0, "k", person, *uids, ds.Modality, ())
        instances = tuple(SourceInstance(o, None, FileRef("x", 1, 1, "x")) for o in headers)
        series = SourceSeries(person, instances, read_facts(headers))
        return lambda: deidentify(series, task, recipe, key)

    return step


def each(change: Callable[[Dataset], object]) -> Step:
    """A step that is done to one header after the other."""
    return lambda headers: lambda: [change(ds) for ds in headers]


def milliseconds(step: Step, series: Sequence[bytes]) -> float:
    """CPU time a slice of one step on headers that were just read."""
    read = [pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True) for data in series]
    timed = step(read)
    start = time.process_time()
    timed()
    return (time.process_time() - start) * 1000 / len(series)


def in_turns(steps: dict[str, Step], data: Sequence[bytes], rounds: int) -> dict[str, float]:
    """The median of each step; the first round, in which things are compiled, is left out."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            times[name].append(milliseconds(step, data))
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def growth(step: Step, data: Sequence[bytes], instances: int) -> float:
    """MiB by which the process grows over so many instances, after the first five hundred."""
    for _ in range(500 // len(data)):
        milliseconds(step, data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(instances // len(data)):
        milliseconds(step, data)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main(rounds: int, instances: int) -> int:
    """Print medians, ratios and growth."""
    warnings.simplefilter("ignore")
    data, missed = slices(), 0
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "ps315.dicom"
        table.write_text(standard_recipe(), "utf-8")
        for name, path in (("default", DEFAULT), ("ps315", table)):
            missed += _one(name, path, data, rounds, instances)
    return int(missed > 0)


def _one(name: str, path: Path, data: Sequence[bytes], rounds: int, instances: int) -> int:
    theirs, script = DeidRecipe(str(path)), ck.compat.deid_recipe(path)
    ours = {
        "deid_apply": each(lambda ds: ck.compat.deid_apply(ds, script, item=ITEM)),
        "export step": export_step(on_basic(path)),
    }
    deids = {"deid": each(lambda ds: deid_itself(ds, theirs, ITEM, remove_private=False))}
    medians = in_turns({**deids, **ours}, data, rounds)
    print(f"{path.name}, {length(path)} lines: deid {medians['deid']:.2f} ms")
    missed = 0
    for step, run in ours.items():
        ratio, more = medians["deid"] / medians[step], growth(run, data, instances)
        missed += (ratio < GOALS[name]) + (more > GROWTH)
        print(
            f"  {step:12} {medians[step]:.2f} ms, {ratio:.1f}x (goal {GOALS[name]:.0f}x); "
            f"{more:+.1f} MiB over {instances} instances (goal {GROWTH:.0f})"
        )
    return missed


def on_basic(path: Path) -> ck.Recipe:
    """The recipe on top of the basic profile."""
    if path != DEFAULT:
        return ck.load_recipe(path)
    # Its default has faults, which are told by name; the same lines without the faulty ones:
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "default.dicom"
        text = path.read_text("utf-8").partition("%header")[2]
        lines = [one for one in text.splitlines() if one.strip()]
        while True:
            sound.write_text("\n".join(["FORMAT dicom", "%header", *lines]) + "\n", "utf-8")
            try:
                return ck.load_recipe(sound, variables=VARIABLES)
            except ck.errors.RecipeError as error:
                wrong = {int(fault.split(":")[0].split()[1]) for fault in error.faults}
                lines = [one for n, one in enumerate(lines, 3) if n not in wrong]


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*words, *(10, 10_000)[len(words) :]))
