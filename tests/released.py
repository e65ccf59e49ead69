"""De-identified series made in memory, for tests of payloads and writers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset

from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.geometry.facts import read_facts
from cohortkit.model import (
    DeidentifiedSeries,
    FileRef,
    Person,
    Scalar,
    SourceInstance,
    SourceSeries,
    Task,
)
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import Label, LabelType, Recipe
from factory import Patient, Series, instance, uid

SECRET = bytes(range(32))


@dataclass(frozen=True)
class Held:
    """Pixels in memory."""

    data: bytes

    def read(self) -> bytes:
        return self.data


def split(dataset: Dataset) -> tuple[Dataset, Held | None]:
    """Header and pixels, as a source hands them over."""
    for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"):
        if keyword in dataset:
            held = Held(bytes(dataset[keyword].value))
            del dataset[keyword]
            return dataset, held
    return dataset, None


def release(
    datasets: Sequence[Dataset],
    recipe: str | Recipe = "basic",
    labels: tuple[tuple[str, Scalar | None], ...] = (),
) -> DeidentifiedSeries:
    """The datasets of one series as they may leave."""
    parts = [split(dataset) for dataset in datasets]
    headers = [header for header, _ in parts]
    first = headers[0]
    person = Person(str(first.get("IssuerOfPatientID", "")), str(first.PatientID))
    files = tuple(FileRef(f"/{n}", 1, 1, str(h.SOPInstanceUID)) for n, h in enumerate(headers))
    source = SourceSeries(
        person=person,
        instances=tuple(
            SourceInstance(header, held, file)
            for (header, held), file in zip(parts, files, strict=True)
        ),
        facts=read_facts(headers),
    )
    task = Task(
        number=0,
        series_key="k",
        person=person,
        study_instance_uid=str(first.StudyInstanceUID),
        series_instance_uid=str(first.SeriesInstanceUID),
        sop_class_uid=str(first.SOPClassUID),
        modality=str(first.Modality),
        files=files,
        labels=labels,
    )
    made = load_recipe(recipe)
    if labels:
        made = replace(made, labels=tuple(Label(name, _type(value)) for name, value in labels))
    return deidentify(source, task, made, Keyed(project="tests", secret=SECRET))


def _type(value: Scalar | None) -> LabelType:
    return LabelType.TEXT if isinstance(value, str) else LabelType.NUMBER


def chest(slices: int = 3, **extra: object) -> list[Dataset]:
    """A small CT of the chest."""
    series = Series(slices=slices, extra=dict(extra))
    return [instance(Patient(), series, index) for index in range(slices)]


__all__ = ["Held", "chest", "release", "split", "uid"]
