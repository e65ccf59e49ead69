"""Whether released objects say what their record says was done to them (PS3.15 E.1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import is_not
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from cohortkit.dicom.loader import read_header
from cohortkit.dicom.plain import Known
from cohortkit.dicom.quiet import quiet
from cohortkit.errors import Refusal, TaskFailure
from cohortkit.model import Record, Statement
from cohortkit.verify.checks import Fault, Wrong

ROLE = "object"
_STRENGTH = ("UNMODIFIED", "MODIFIED", "REMOVED")


def unsaid(release: Path, records: Iterable[Record]) -> Iterator[Wrong]:
    """Objects that say less than was done, more than they may, or another instance in file meta."""
    for record in records:
        if record.statement is None:
            continue
        objects = _Objects(record.statement)
        for one in record.artifacts:
            path = release / one.path
            if one.role == ROLE and path.is_file() and not objects.says(path):
                yield Wrong(one.path, Fault.STATEMENT)


class _Objects:
    """The objects of one series, whose statements are mostly the same bytes, and so read once."""

    def __init__(self, statement: Statement) -> None:
        self._statement, self._known = statement, Known()
        self._before: tuple[object, ...] = ()
        self._agreed = False

    def says(self, path: Path) -> bool:
        """Whether an object says what was done to it, and which instance it is."""
        try:
            header, _ = read_header(path, self._known)
            held = tuple(header._dict.get(tag) for tag in _TAGS)  # noqa: SLF001 - raw as it is known
            with quiet():
                if not self._before or any(map(is_not, held, self._before)):
                    self._before, self._agreed = (), _agrees(header, self._statement)
                    self._before = held
                instance = header.file_meta.MediaStorageSOPInstanceUID
                return self._agreed and header.get("SOPInstanceUID") == instance
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
    )


_TAGS = tuple(map(BaseTag, (0x00120062, 0x00120063, 0x00120064, 0x00280303)))
"""What ``_agrees`` reads."""
