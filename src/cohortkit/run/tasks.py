"""From rows of an index to tasks: one a series, its files in a stable order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from cohortkit.deidentify.people import People
from cohortkit.errors import StoreError
from cohortkit.model import FileRef, Person, Scalar, Task
from cohortkit.protocols import Index
from cohortkit.run.over_89 import people_over_89
from cohortkit.run.persons import Row, known_of, person_of, text

_AT_ONCE: Final = 500
"""Series whose instances are asked for at a time: a row of an index holds a hundred attributes."""

_BUFFER: Final = 64
_ASKED: Final = (
    "series_key",
    "IssuerOfPatientID",
    "PatientID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPClassUID",
    "Modality",
)


def files_of(index: Index, keys: pl.Series) -> dict[str, list[tuple[FileRef, str]]]:
    """The files of each series, with the SOP class of each, sorted by SOP Instance UID and path.

    Raises:
        StoreError: the index does not say where the files are.
    """
    found: dict[str, list[tuple[FileRef, str]]] = {}
    classes: dict[str, str] = {}  # so that each is there once
    for start in range(0, max(1, len(keys)), _AT_ONCE):
        for key, path, size, mtime, uid, sop in _instances(index, keys[start : start + _AT_ONCE]):
            ref = FileRef(text(path), int(size or 0), int(mtime or 0), text(uid))
            found.setdefault(key, []).append((ref, classes.setdefault(text(sop), text(sop))))
    return found


def _instances(index: Index, keys: pl.Series) -> Iterator[tuple[Any, ...]]:
    frame = index.instances(keys)
    if "path" not in frame.columns or (frame.height and frame["path"].null_count()):
        raise StoreError(
            "this index does not say where the files are (no column path), so nothing can be "
            "exported from it; scan the archive"
        )
    wanted = ["series_key", "path", "size", "mtime_ns", "SOPInstanceUID", "SOPClassUID"]
    columns = [
        pl.col(name) if name in frame.columns else pl.lit(None).alias(name) for name in wanted
    ]
    return frame.select(columns).sort("series_key", "SOPInstanceUID", "path").iter_rows()


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of an index, made as they are asked for: as dictionaries they take ten times as much."""

    frame: pl.DataFrame

    def __iter__(self) -> Iterator[Row]:
        return self.frame.iter_rows(named=True, buffer_size=_BUFFER)

    def __len__(self) -> int:
        return self.frame.height


@dataclass(frozen=True, slots=True)
class Built:
    """The tasks, and the row of the index that each is made from."""

    tasks: tuple[Task, ...]
    rows: Rows


def build(
    index: Index,
    series: pl.DataFrame,
    default_issuer: str,
    labels: Iterable[str] = (),
    people: People | None = None,
) -> Built:
    """One task for each person, study and series, in the order of their identifiers.

    Rows that name one series of one person twice (an issuer that is absent in some files and is
    the default, or ids that are merged) become one task.

    Raises:
        StoreError: the index does not say where the files are.
    """
    merges = people or People()
    old = people_over_89(index, default_issuer, merges) if series.height else frozenset()
    known = known_of(index, series, default_issuer, merges)
    files = files_of(index, series["series_key"])
    names = tuple(labels)
    asked = [one for one in (*_ASKED, *names) if one in series.columns]
    groups: dict[tuple[str, str, str, str], list[tuple[int, Row]]] = {}
    for place, row in enumerate(series.select(asked).iter_rows(named=True)):
        person = merges.one(person_of(row, default_issuer))
        study, one = text(row.get("StudyInstanceUID")), text(row.get("SeriesInstanceUID"))
        groups.setdefault((person.issuer, person.patient_id, study, one), []).append((place, row))
    tasks, places = [], []
    for number, (who, same) in enumerate(sorted(groups.items(), key=lambda item: item[0])):
        same.sort(key=lambda one: text(one[1]["series_key"]))
        refs = [ref for _, row in same for ref in files.pop(text(row["series_key"]), ())]
        first, head = same[0]
        person = Person(who[0], who[1])
        own = person_of(head, default_issuer)  # as the files say it, where ids are merged
        said = (own.issuer, own.patient_id, who[2], who[3])
        made = _task(number, said, head, refs, names)
        over_89 = None if old is None else person in old
        tasks.append(replace(made, over_89=over_89, known=known.get(person, ())))
        places.append(first)
    return Built(tuple(tasks), Rows(series[places]))


def _task(
    number: int,
    who: tuple[str, str, str, str],
    row: Row,
    refs: list[tuple[FileRef, str]],
    labels: tuple[str, ...],
) -> Task:
    refs.sort(key=lambda item: (item[0].sop_instance_uid, item[0].path))
    return Task(
        number=number,
        series_key=text(row["series_key"]),
        person=Person(who[0], who[1]),
        study_instance_uid=who[2],
        series_instance_uid=who[3],
        sop_class_uid=text(row.get("SOPClassUID")) or (refs[0][1] if refs else ""),
        modality=text(row.get("Modality")),
        files=tuple(ref for ref, _ in refs),
        labels=tuple((name, _scalar(row.get(name))) for name in labels),
    )


def _scalar(value: object) -> Scalar | None:
    return value if value is None or isinstance(value, Scalar) else str(value)
