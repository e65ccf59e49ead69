"""Released table rows of a series: out of de-identified headers, by the closed list of columns."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from pydicom.datadict import tag_for_keyword

from cohortkit.model import DeidentifiedSeries, ReleasedHeader
from cohortkit.model.alike import Tags
from cohortkit.payloads.columns import AGE, CONFLICTS, INSTANCE, KEYS, TABLES, Column, Kind

Row = Mapping[str, object]

_Cells = dict[tuple[object, ...], object]

_TAGS = {
    column.keyword: tag_for_keyword(column.keyword) or 0
    for columns in TABLES.values()
    for column in columns
}
_MOST_INTEGER = 2**63 - 1
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})", re.ASCII)
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?", re.ASCII)
_AGE = re.compile(r"(\d{3})([YMWD])", re.ASCII)
_PER_YEAR = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25}


def rows(series: DeidentifiedSeries) -> dict[str, tuple[Row, ...]]:
    """The rows that one series adds to each table.

    A dummy value is null, and so is what cannot be read as its column's type. Where the files of
    the series disagree on an attribute of the patient, study or series, the cell is null and
    ``conflicts`` names the column: nothing is chosen for the reader.
    """
    names = series.names
    ids = {"patient": names.patient, "study": names.study, "series": names.series}
    statement = {
        "instances": len(series.headers),
        "basis": series.statement.basis,
        "PatientIdentityRemoved": series.statement.identity_removed,
        "LongitudinalTemporalInformationModified": series.statement.temporal,
        "DeidentificationMethod": list(series.statement.method),
    }
    made: dict[str, tuple[Row, ...]] = {}
    cells: _Cells = {}
    headers = series.headers
    changes = [None, *(one.differing(last) for last, one in pairwise(headers))]
    for table in ("patients", "studies", "series"):
        known = {**ids, **statement}
        said = _rows(headers, changes, TABLES[table], known, cells)
        made[table] = merged({id(row): row for row in said}.values(), KEYS[table])
    instances = _rows(headers, changes, TABLES["instances"], {**ids, INSTANCE.name: 0}, cells)
    again = _again(series, instances)
    made["instances"] = tuple(
        {**row, INSTANCE.name: ordinal}
        for ordinal, row in enumerate(instances)
        if ordinal not in again
    )
    made["labels"] = (_labels(series, ids),) if series.labels else ()
    return made


def left_out(series: DeidentifiedSeries, made: Mapping[str, Sequence[Row]]) -> tuple[int, ...]:
    """The instances that ``rows`` gave no row of their own, for they have one already."""
    written = {row[INSTANCE.name] for row in made["instances"]}
    return tuple(n for n in range(len(series.headers)) if n not in written)


def _again(series: DeidentifiedSeries, said: Sequence[Row]) -> frozenset[int]:
    """Instances of one SOP Instance UID of which the table would say the same twice."""
    first: dict[int, list[Row]] = {}
    again: set[int] = set()
    for ordinal, (instance, row) in enumerate(zip(series.facts.instances, said, strict=True)):
        if instance.identity is not None:
            others = first.setdefault(instance.identity, [])
            if row in others:
                again.add(ordinal)
            else:
                others.append(row)
    return frozenset(again)


def merged(said: Iterable[Row], key: Sequence[str]) -> tuple[Row, ...]:
    """One row for each key, sorted by it.

    Cells that agree stay, null agrees with everything; where two differ the cell is null and
    ``conflicts`` names its column. So the order of the rows makes no difference.
    """
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in said:
        groups.setdefault(tuple(row[name] for name in key), []).append(row)
    return tuple(_agreed(groups[one]) for one in sorted(groups, key=repr))


def _agreed(group: Sequence[Row]) -> Row:
    if len(group) == 1:
        return group[0]
    row: dict[str, object] = {}
    conflicts: set[str] = set()
    for name in group[0]:
        cells = [one.get(name) for one in group]
        if name == CONFLICTS.name:
            conflicts.update(str(item) for cell in cells if isinstance(cell, list) for item in cell)
            continue
        known = {repr(cell): cell for cell in cells if cell is not None}
        row[name] = next(iter(known.values())) if len(known) == 1 else None
        if len(known) > 1:
            conflicts.add(name)
    for name in conflicts & row.keys():
        row[name] = None
    if CONFLICTS.name in group[0]:
        row[CONFLICTS.name] = sorted(conflicts)
    return row


def _rows(
    headers: Sequence[ReleasedHeader],
    changes: Sequence[Tags | None],
    columns: Sequence[Column],
    known: Mapping[str, object],
    cells: _Cells,
) -> list[Row]:
    """A row for each header: that of the one before, but for the cells of what changed."""
    asked = [column for column in columns if column.name not in known]
    blank = {column.name: known.get(column.name) for column in columns}
    made: list[Row] = []
    for header, changed in zip(headers, changes, strict=True):
        anew = asked if changed is None else [one for one in asked if _TAGS[one.keyword] in changed]
        row = made[-1] if made else blank
        made.append(
            {**row, **{one.name: _cell(header, one, cells) for one in anew}} if anew else row
        )
    return made


def _cell(header: ReleasedHeader, column: Column, cells: _Cells) -> object:
    """A cell; of what the headers of a series share it is made once."""
    if column is CONFLICTS:
        return []
    stored = header.stored(_TAGS[column.keyword])
    if stored is None:
        return _made(header, column)
    key = (column.name, *stored)
    if key not in cells:
        cells[key] = _made(header, column)
    return cells[key]


def _made(header: ReleasedHeader, column: Column) -> object:
    value = _value(header, column.keyword)
    if column is AGE:
        return _years(value)
    if column.many:
        members = value if isinstance(value, list) else [value]
        cells = [_typed(member, column.kind) for member in members]
        return None if all(cell is None for cell in cells) else cells
    if isinstance(value, list) and column.kind is Kind.TEXT:
        value = "\\".join(map(str, value))
    return None if isinstance(value, list) else _typed(value, column.kind)


def _value(header: ReleasedHeader, keyword: str) -> Any:  # noqa: ANN401 - whatever DICOM holds
    """The value; None where pydicom cannot convert it."""
    try:
        return header.get(keyword)
    except (ValueError, TypeError, OverflowError, NotImplementedError):
        return None


def _typed(value: Any, kind: Kind) -> object | None:  # noqa: ANN401 - whatever DICOM holds
    """The value as its column's type; None where it is not one."""
    if value is None or isinstance(value, bytes):
        return None
    match kind:
        case Kind.TEXT:
            return str(value).strip(" \0") or None
        case Kind.DATE:
            return _date(str(value))
        case Kind.TIME:
            return _time(str(value))
        case Kind.INTEGER | Kind.NUMBER:
            return _number(value, kind)


def _number(value: Any, kind: Kind) -> float | int | None:  # noqa: ANN401 - whatever DICOM holds
    try:
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if not math.isfinite(number):
        return None
    if kind is Kind.NUMBER:
        return number
    whole = number == int(number) and abs(number) < _MOST_INTEGER
    return int(value) if whole else None


def _date(text: str) -> dt.date | None:
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return None
    try:
        return dt.date(*map(int, found.groups()))
    except ValueError:
        return None


def _time(text: str) -> dt.time | None:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute, second, fraction = (part or "0" for part in found.groups())
    try:
        return dt.time(int(hour), int(minute), int(second), int(fraction.ljust(6, "0")))
    except ValueError:
        return None


def _years(value: object) -> float | None:
    """Years of an Age String (PS3.5 6.2, AS)."""
    found = _AGE.fullmatch(str(value or "").strip())
    if found is None:
        return None
    return round(int(found[1]) / _PER_YEAR[found[2]], 4)


def _labels(series: DeidentifiedSeries, ids: Mapping[str, object]) -> Row:
    """Joined columns; one that is called like an id does not hide it."""
    named = {f"label_{name}" if name in ids else name: value for name, value in series.labels}
    return {**ids, **named}
