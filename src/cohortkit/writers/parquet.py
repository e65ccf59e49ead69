"""Released rows as typed tables: Parquet, CSV, the data dictionary."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import polars as pl

from cohortkit.model import FORMAT
from cohortkit.payloads.columns import CONFLICTS, KEYS, SPLIT, TABLES, TOP, Column, Kind
from cohortkit.payloads.rows import Row, merged
from cohortkit.writers.sheet import Sheet

_TYPES: Mapping[Kind, pl.DataType] = {
    Kind.TEXT: pl.String(),
    Kind.INTEGER: pl.Int64(),
    Kind.NUMBER: pl.Float64(),
    Kind.DATE: pl.Date(),
    Kind.TIME: pl.Time(),
}
_MERGED = frozenset({"patients", "studies", "series"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MOST_INTEGER = 2**63 - 1


def files(
    records: Iterable[Mapping[str, Iterable[Row]]],
    treatment: Mapping[str, str],
    top: Mapping[str, Sheet],
    *,
    csv: bool,
) -> dict[str, bytes]:
    """Every file by name (see ``Tables.finish``)."""
    building = {name: Building(name) for name in TABLES}
    for rows in records:
        for name, said in rows.items():
            if name in building:
                building[name].add(said)
    made: dict[str, bytes] = {}
    entries: list[dict[str, Any]] = []
    sheets = {name: one.sheet() for name, one in building.items()}
    # a joined column may be called so as well, but then no other table has it
    split = {SPLIT.name: SPLIT} if SPLIT.name in sheets["patients"].schema else {}
    for name, one in sheets.items():
        made[f"{name}.parquet"] = one.parquet()
        if csv:
            made[f"{name}.csv"] = b"".join(_csv_lines(one))
        entries += _dictionary(name, one, split, treatment)
    for name, one in top.items():
        if csv:
            made[f"{name}.csv"] = b"".join(_csv_lines(one))
        entries += _dictionary(name, one, split, treatment)
    body = {"Format": FORMAT, "Columns": entries}
    made["data_dictionary.json"] = (json.dumps(body, indent=1) + "\n").encode("ascii")
    if csv:
        made["data_dictionary.csv"] = _csv(pl.DataFrame(entries, infer_schema_length=None))
    return made


def table(name: str, rows: Iterable[Row]) -> Sheet:
    """One table: its columns typed whatever the rows hold, its rows merged and sorted by key."""
    building = Building(name)
    building.add(rows)
    return building.sheet()


class Building:
    """A table on its way.

    Rows that come in the order of patient, study and series are packed as they come. Those that
    do not are sorted in the end, which takes them all into memory.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._key = KEYS[name][: len(KEYS["series"])]
        self._made: Sheet | None = None
        self._alike: list[Row] = []
        self._last: tuple[Any, ...] = ()
        self._mixed = False

    def add(self, rows: Iterable[Row]) -> None:
        """Some more rows."""
        if self._name == "labels":  # a row a series; all are asked for the types of their columns
            self._alike.extend(rows)
            return
        for row in rows:
            one = tuple(row[name] for name in self._key)
            if one != self._last:
                self._pass_on()
                self._mixed |= one < self._last
                self._last = one
            self._alike.append(row)

    def _pass_on(self) -> None:
        """What is known of one patient, study or series."""
        if self._alike:
            if self._made is None:
                self._made = self._empty(self._alike)
            self._made.extend(_ordered(self._name, self._alike))
            self._alike = []

    def _empty(self, rows: Iterable[Row]) -> Sheet:
        columns = {column.name: _type(column) for column in TABLES[self._name]}
        return Sheet(pl.Schema(columns | _beside(self._name, rows, columns)))

    def sheet(self) -> Sheet:
        """The whole of it."""
        if self._name == "labels":
            return _labels(self._alike, self._empty(self._alike))
        self._pass_on()
        if self._mixed and self._made is not None:
            rows = [row for frame in self._made.frames() for row in frame.to_dicts()]
            rows.sort(key=lambda row: tuple(row[name] for name in self._key))
            again = Sheet(self._made.schema)
            for _, alike in groupby(rows, lambda row: tuple(row[name] for name in self._key)):
                again.extend(_ordered(self._name, alike))
            return again
        return self._empty(()) if self._made is None else self._made


def _ordered(name: str, rows: Iterable[Row]) -> Iterable[Row]:
    """Rows of one patient, study or series: merged to one, or in the order of their key."""
    if name in _MERGED:
        return merged(rows, KEYS[name])
    return sorted(rows, key=lambda row: tuple(row[part] for part in KEYS[name]))


def _labels(rows: Iterable[Row], made: Sheet) -> Sheet:
    fitted = Sheet(made.schema)
    fitted.extend(
        {name: _fitted(row.get(name), kind) for name, kind in made.schema.items()} for row in rows
    )
    made.add(fitted.lazy().unique().sort(made.schema.names()).collect())
    return made


def _type(column: Column) -> pl.DataType:
    inner = _TYPES[column.kind]
    return pl.List(inner) if column.many else inner


def _beside(
    name: str, rows: Iterable[Row], known: Mapping[str, pl.DataType]
) -> dict[str, pl.DataType]:
    """The split, where there is one; joined columns by name, each of the narrowest type."""
    if name != "labels":
        first: Row = next(iter(rows), {})  # all rows of a release have it, or none has
        return {SPLIT.name: _type(SPLIT)} if SPLIT.name in first else {}
    kinds: dict[str, set[type]] = {}
    for row in rows:
        for column, cell in row.items():
            if column not in known:
                kinds.setdefault(column, set()).update(_kind(cell))
    return {column: _narrowest(kinds[column]) for column in sorted(kinds)}


class _Huge(int):
    """A whole number that no 64 bits hold."""


def _kind(cell: object) -> tuple[type, ...]:
    if cell is None:
        return ()
    return (_Huge if isinstance(cell, int) and abs(cell) > _MOST_INTEGER else type(cell),)


def _narrowest(kinds: frozenset[type] | set[type]) -> pl.DataType:
    if kinds and kinds <= {int, float}:
        return pl.Float64() if float in kinds else pl.Int64()
    one: dict[type, pl.DataType] = {
        bool: pl.Boolean(),
        dt.date: pl.Date(),
        dt.time: pl.Time(),
        dt.datetime: pl.Datetime("us"),
    }
    return one.get(next(iter(kinds)), pl.String()) if len(kinds) == 1 else pl.String()


def _fitted(cell: object, kind: pl.DataType) -> object:
    """As text where joined cells are of several types."""
    return str(cell) if kind == pl.String and cell is not None else cell


def _csv_lines(one: Sheet) -> Iterator[bytes]:
    """The file, piece by piece; a header line in any case."""
    yield _csv(pl.DataFrame(schema=one.schema))
    for frame in one.frames():
        yield _csv(frame, header=False)


def _csv(frame: pl.DataFrame, *, header: bool = True) -> bytes:
    """UTF-8 with a header line; absent is empty, quoted where CSV asks for it."""
    plain = frame.select(_cells(name, kind) for name, kind in frame.schema.items())
    return plain.write_csv(include_header=header, line_terminator="\n").encode("utf-8")


def _cells(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    safe = _guarded(name)
    if isinstance(kind, pl.List):
        text = column.list.eval(pl.element().cast(pl.String)).list.join("\\", ignore_nulls=True)
        return (_guard(text) if kind.inner == pl.String else text).alias(safe)
    return (_guard(column) if kind == pl.String else column).alias(safe)


def _guard(text: pl.Expr) -> pl.Expr:
    """An apostrophe before what a spreadsheet would take for a formula."""
    bare = text.str.strip_chars_start(" ")
    risky = pl.any_horizontal(bare.str.starts_with(sign) for sign in _FORMULA)
    return pl.when(risky).then(pl.concat_str(pl.lit("'"), text)).otherwise(text)


def _guarded(name: str) -> str:
    return f"'{name}" if name.lstrip(" ").startswith(_FORMULA) else name


def _dictionary(
    name: str, one: Sheet, split: Mapping[str, Column], treatment: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A row for each column of a table."""
    known = {**split, **{column.name: column for column in {**TABLES, **TOP}[name]}}
    nulls, conflicts = Counter[str](), Counter[str]()
    for frame in one.frames():
        nulls.update({column: frame[column].null_count() for column in frame.columns})
        conflicts.update(_conflicts(frame))
    return [
        {
            "Table": name,
            "Column": column,
            "Type": str(kind),
            "Unit": about.unit,
            "Keyword": about.keyword,
            "VR": about.vr,
            "Description": about.words,
            "Section": about.section,
            "Recipe": treatment.get(about.keyword, ""),
            "Rows": one.height,
            "Nulls": nulls[column],
            "Conflicts": conflicts[column],
        }
        for column, kind in one.schema.items()
        for about in [known.get(column) or Column(column, Kind.TEXT, "joined column")]
    ]


def _conflicts(frame: pl.DataFrame) -> dict[str, int]:
    """How many rows leave each column out because their sources disagree."""
    if CONFLICTS.name not in frame.columns:
        return {}
    named = frame[CONFLICTS.name].explode().drop_nulls()
    counted = named.value_counts()
    return dict(zip(counted[CONFLICTS.name], counted["count"], strict=True))
