"""Objects on their way through the library: from files to de-identified series to files again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydicom.dataset import Dataset

from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.dicom.loader import read_header
from cohortkit.dicom.quiet import quiet
from cohortkit.geometry.facts import read_facts
from cohortkit.model import DeidentifiedSeries, FileRef, Object, Person, Refused, SourceSeries, Task
from cohortkit.payloads.objects import assemble
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import Recipe
from cohortkit.sources.files import Files
from cohortkit.writers.dicom import Dicom
from released import SECRET


def task_of(paths: Sequence[Path]) -> Task:
    """What an index would ask for, of files of one series."""
    headers = [read_header(path)[0] for path in paths]
    with quiet():
        uids = [str(header.get("SOPInstanceUID", "")) for header in headers]
        first = headers[0]
        person = Person(str(first.get("IssuerOfPatientID", "")), str(first.get("PatientID", "")))
    return Task(
        number=0,
        series_key="k",
        person=person,
        study_instance_uid=str(first.get("StudyInstanceUID", "")),
        series_instance_uid=str(first.get("SeriesInstanceUID", "")),
        sop_class_uid=str(first.get("SOPClassUID", "")),
        modality=str(first.get("Modality", "")),
        files=tuple(
            FileRef(str(path), path.stat().st_size, path.stat().st_mtime_ns, uid)
            for path, uid in zip(paths, uids, strict=True)
        ),
    )


def deidentified(
    *paths: Path, recipe: str | Recipe = "basic", secret: bytes = SECRET
) -> DeidentifiedSeries:
    """The files of one series as they may leave."""
    task = task_of(paths)
    instances = Files().fetch(task)
    source = SourceSeries(task.person, instances, read_facts([one.header for one in instances]))
    return deidentify(source, task, load_recipe(recipe), Keyed(project="tests", secret=secret))


def written(series: DeidentifiedSeries, folder: Path) -> tuple[list[Path], list[Refused]]:
    """The objects of a series on disk, and what was refused."""
    made: list[Path] = []
    refused: list[Refused] = []
    for payload in assemble(series):
        if isinstance(payload, Object):
            made += [folder / one.path for one in Dicom().write(payload, series, folder, "r1")]
        else:
            refused.append(payload)
    return made, refused


def once(path: Path, recipe: str | Recipe = "basic", secret: bytes = SECRET) -> Path:
    """One file through all of it; it has to be written."""
    series = deidentified(path, recipe=recipe, secret=secret)
    made, refused = written(series, path.parent / "out")
    assert [one.reason for one in refused] == []
    return made[0]


def header_of(series: DeidentifiedSeries, number: int = 0) -> Dataset:
    """The released data set, which the library hands to nobody."""
    return series.headers[number]._dataset
