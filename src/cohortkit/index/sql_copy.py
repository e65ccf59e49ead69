"""An index into a database: cohortkit's own tables, written in one transaction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import polars as pl

from cohortkit.errors import StoreError, UsageError
from cohortkit.index.sql import ABOUT, FORMAT, INSTANCE_ROWS, SERIES, SqlIndex
from cohortkit.index.sql_place import NUL, Place, place_of
from cohortkit.index.sql_rows import each_text
from cohortkit.index.sql_session import connected
from cohortkit.index.sql_words import stored
from cohortkit.protocols import Index

_STEP: Final = 2_000  # series whose instances are written at once


def copy_to(index: Index, url: str, audit: str | Path = "") -> SqlIndex:
    """Write an index into a database, over an earlier copy, and open it there.

    Readers see the copy before or this one. Skipped files and issues are not copied.

    Args:
        index: with paths.
        url: of a database that may be written to; a file is made.
        audit: a folder in which everybody who asks the copy has to be noted.

    Raises:
        UsageError: the URL names a table: the copy has tables of its own.
        StoreError: the database cannot be written to, or the index is of an open table.
    """
    place = place_of(url)
    if place.table:
        raise UsageError("copy_to: a database, without a table: the copy has tables of its own")
    with connected(place, read_only=False) as connection:
        cursor = connection.cursor()
        series = index.series().collect()
        _write(cursor, place, SERIES, series.rename(stored(series.columns)), "replace")
        keys, mode = series["series_key"].sort(), "replace"
        for start in range(0, max(len(keys), 1), _STEP):
            some = index.instances(keys[start : start + _STEP])
            _write(cursor, place, INSTANCE_ROWS, some.rename(stored(some.columns)), mode)
            mode = "append"
        roots = json.dumps([str(root) for root in getattr(index, "roots", ())])
        about = {
            "format": [FORMAT],
            "version": [index.version],
            "roots": [roots],
            "audit": [str(audit)],
        }
        _write(cursor, place, ABOUT, pl.DataFrame(about), "replace")
        for table in (SERIES, INSTANCE_ROWS):
            cursor.execute(f'CREATE INDEX "{table}_key" ON {table} (series_key)')
        connection.commit()
        cursor.close()
    return SqlIndex.open(place.target if place.backend == "postgresql" else url)


def _write(cursor: Any, place: Place, table: str, frame: pl.DataFrame, mode: str) -> None:  # noqa: ANN401 - the driver is imported where it is used
    frame = each_text(frame, {NUL: f"{NUL}1", "\0": f"{NUL}0"})
    if place.backend == "sqlite":
        frame = frame.select(_plain(column) for column in frame)
    try:
        cursor.adbc_ingest(table, frame, mode=mode)
    except (ValueError, TypeError):
        raise StoreError("copy_to: the database cannot hold a column of this index") from None


def _plain(column: pl.Series) -> pl.Series:
    """A column in the types that SQLite has."""
    if isinstance(column.dtype, pl.List):
        inner = column.to_frame().select(pl.struct(pl.all()).struct.json_encode()).to_series()
        text = inner.str.extract(r"(?s)^[^:]*:(.*)\}$").alias(column.name)
        return text.set(column.is_null(), None)
    if column.dtype == pl.Date():
        return column.dt.to_string("%Y-%m-%d")
    if column.dtype == pl.Time():
        return column.dt.to_string("%H:%M:%S%.6f")
    if isinstance(column.dtype, pl.Datetime):
        return column.to_physical()
    return column
