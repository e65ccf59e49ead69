"""Whether released objects say what their record says was done to them (PS3.15 E.1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydicom.dataset import Dataset

from cohortkit.dicom.loader import read_header
from cohortkit.dicom.quiet import quiet
from cohortkit.errors import Refusal, TaskFailure
from cohortkit.model import Record, Statement
from cohortkit.verify.checks import Fault, Wrong

ROLE = "object"
_STRENGTH = ("UNMODIFIED", "MODIFIED", "REMOVED")


def unsaid(release: Path, records: Iterable[Record]) -> Iterator[Wrong]:
    """Objects that say less than was done, more than they may, or another instance in file meta."""
    for record in records:
        for one in record.artifacts:
            path = release / one.path
            if record.statement is None or one.role != ROLE or not path.is_file():
                continue
            if not _says(path, record.statement):
                yield Wrong(one.path, Fault.STATEMENT)


def _says(path: Path, statement: Statement) -> bool:
    try:
        header, _ = read_header(path)
        with quiet():
            return _agrees(header, statement)
    except (Refusal, TaskFailure, AttributeError, ValueError, TypeError, KeyError):
        return False


def _agrees(header: Dataset, statement: Statement) -> bool:
    """Codes and methods of an earlier de-identification may stand beside those of the record."""
    methods = header.get("DeidentificationMethod") or []
    methods = [methods] if isinstance(methods, str) else [str(one) for one in methods]
    items = header.get("DeidentificationMethodCodeSequence") or []
    codes = {str(item.CodeValue) for item in items}
    temporal = str(header.get("LongitudinalTemporalInformationModified"))
    return (
        header.get("PatientIdentityRemoved") == statement.identity_removed
        and set(statement.method) <= set(methods)
        and {code for code, _ in statement.codes} <= codes
        and _STRENGTH.index(temporal) >= _STRENGTH.index(statement.temporal)
        and header.get("SOPInstanceUID") == header.file_meta.MediaStorageSOPInstanceUID
    )
