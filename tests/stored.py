"""Objects by pydicom that name nobody but whom a test wants, and the patterns of somebody."""

from __future__ import annotations

import io

import pydicom
from pydicom.dataset import FileDataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cohortkit.model import Person, Task
from cohortkit.verify import Patterns, collect
from factory import Patient, Series, instance

NAME, NUMBER = "Quisling^Marjolein", "MRN-00471113"


def patterns(*, shifted: bool = False, **values: object) -> Patterns:
    """Of the factory's patient."""
    header = instance(Patient(), Series(), 0)
    for keyword, value in values.items():
        setattr(header, keyword, value)
    person = Person("", str(header.PatientID))
    task = Task(0, "k", person, "2.25.11", "2.25.12", "", "CT", ())
    return collect([header], task, frozenset(), shifted=shifted)


def clean(**values: object) -> FileDataset:
    """An object that names nobody."""
    dataset = FileDataset("", {}, preamble=bytes(128))
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "2.25.77"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def stored(dataset: FileDataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """The bytes of its file, by pydicom."""
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    pydicom.dcmwrite(
        buffer,
        dataset,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
        enforce_file_format=True,
    )
    return buffer.getvalue()
