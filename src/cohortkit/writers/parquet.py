"""Released rows as typed tables: Parquet, CSV, the data dictionary."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from cohortkit.model import FORMAT
from cohortkit.payloads.columns import CONFLICTS, KEYS, SPLIT, TABLES, Column, Kind
from cohortkit.payloads.rows import Row, merged

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
_ROWS_A_GROUP = 100_000


def files(
    rows: Mapping[str, Sequence[Row]], treatment: Mapping[str, str], *, csv: bool
) -> dict[str, bytes]:
    """Every file by name (see ``Tables.finish``)."""
    made: dict[str, bytes] = {}
    tables = {name: table(name, rows.get(name, ())) for name in TABLES}
    for name, frame in tables.items():
        made[f"{name}.parquet"] = _parquet(frame)
        if csv:
            made[f"{name}.csv"] = _csv(frame)
    entries = _dictionary(tables, treatment)
    body = {"Format": FORMAT, "Columns": entries}
    made["data_dictionary.json"] = (json.dumps(body, indent=1) + "\n").encode("ascii")
    if csv:
        made["data_dictionary.csv"] = _csv(pl.DataFrame(entries, infer_schema_length=None))
    return made


def table(name: str, rows: Iterable[Row]) -> pl.DataFrame:
    """One table: its columns typed whatever the rows hold, its rows merged and sorted by key."""
    key = KEYS[name]
    said = list(rows)
    if name in _MERGED:
        said = list(merged(said, key))
    columns = {column.name: _type(column) for column in TABLES[name]}
    columns |= _beside(name, said, columns)
    cells = {
        column: _fitted([row.get(column) for row in said], kind) for column, kind in columns.items()
    }
    frame = pl.DataFrame(cells, schema=columns)
    if name == "labels":
        return frame.unique().sort(frame.columns)
    return frame.sort(key, maintain_order=True)


def _type(column: Column) -> pl.DataType:
    inner = _TYPES[column.kind]
    return pl.List(inner) if column.many else inner


def _beside(
    name: str, rows: Sequence[Row], known: Mapping[str, pl.DataType]
) -> dict[str, pl.DataType]:
    """The split, where there is one; joined columns by name, each of the narrowest type."""
    if name != "labels":
        return {SPLIT.name: _type(SPLIT)} if any(SPLIT.name in row for row in rows) else {}
    names = sorted({column for row in rows for column in row} - known.keys())
    return {column: _narrowest([row.get(column) for row in rows]) for column in names}


def _narrowest(cells: Iterable[object]) -> pl.DataType:
    there = [cell for cell in cells if cell is not None]
    kinds = {type(cell) for cell in there}
    if any(isinstance(cell, int) and abs(cell) > _MOST_INTEGER for cell in there):
        return pl.String()
    if kinds and kinds <= {int, float}:
        return pl.Float64() if float in kinds else pl.Int64()
    one: dict[type, pl.DataType] = {
        bool: pl.Boolean(),
        dt.date: pl.Date(),
        dt.time: pl.Time(),
        dt.datetime: pl.Datetime("us"),
    }
    return one.get(kinds.pop(), pl.String()) if len(kinds) == 1 else pl.String()


def _fitted(cells: list[object], kind: pl.DataType) -> list[object]:
    """As text where joined cells are of several types."""
    if kind != pl.String:
        return cells
    return [None if cell is None else str(cell) for cell in cells]


def _parquet(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(
        out, compression="zstd", compression_level=3, statistics=True, row_group_size=_ROWS_A_GROUP
    )
    return out.getvalue()


def _csv(frame: pl.DataFrame) -> bytes:
    """UTF-8 with a header line; absent is empty, quoted where CSV asks for it."""
    plain = frame.select(_cells(name, kind) for name, kind in frame.schema.items())
    return plain.write_csv(line_terminator="\n").encode("utf-8")


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
    tables: Mapping[str, pl.DataFrame], treatment: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A row for each column of each table."""
    entries = []
    # a joined column may be called so as well, but then no other table has it
    split = {SPLIT.name: SPLIT} if SPLIT.name in tables["patients"].columns else {}
    for name, frame in tables.items():
        known = split | {column.name: column for column in TABLES[name]}
        conflicts = _conflicts(frame)
        for column, kind in frame.schema.items():
            about = known.get(column) or Column(column, Kind.TEXT, "joined column")
            entries.append(
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
                    "Rows": frame.height,
                    "Nulls": frame[column].null_count(),
                    "Conflicts": conflicts.get(column, 0),
                }
            )
    return entries


def _conflicts(frame: pl.DataFrame) -> dict[str, int]:
    """How many rows leave each column out because their sources disagree."""
    if CONFLICTS.name not in frame.columns:
        return {}
    named = frame[CONFLICTS.name].explode().drop_nulls()
    counted = named.value_counts()
    return dict(zip(counted[CONFLICTS.name], counted["count"], strict=True))
