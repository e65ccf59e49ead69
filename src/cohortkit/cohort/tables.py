"""Tables that people bring: text cells typed without loss, labels checked, keys made comparable.

Pure; the reading of files is in ``join``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from cohortkit.cohort.query import unknown
from cohortkit.errors import QueryError

IDENTIFIERS: Final = (
    "PatientID",
    "IssuerOfPatientID",
    "AccessionNumber",
    "StudyInstanceUID",
    "StudyID",
    "SeriesInstanceUID",
)
"""What a table may be joined on."""

_PSEUDONYMS: Final = frozenset({"patient", "study", "series"})
_INTEGER: Final = r"^-?(0|[1-9][0-9]{0,17})$"
_NUMBER: Final = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$"
_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_BOOL: Final = r"^(?i:true|false)$"


def typed(table: pl.DataFrame, keep: Sequence[str]) -> pl.DataFrame:
    """Give text columns their types where nothing is lost by it; ``keep`` stay text.

    ``007`` stays text, as does a column in which one cell is no number.
    """
    return table.with_columns(
        _typed(column) for column in table if column.name not in keep and column.dtype == pl.String
    )


def _typed(text: pl.Series) -> pl.Series:
    cells = text.str.strip_chars()
    cells = cells.set(cells == "", None)
    if cells.null_count() == cells.len():
        return cells
    if _all(cells, _INTEGER):
        return cells.cast(pl.Int64)
    if _all(cells, _NUMBER):
        return cells.cast(pl.Float64)
    if _all(cells, _BOOL):
        return cells.str.to_lowercase() == "true"
    if _all(cells, _DATE):
        dates = cells.str.to_date("%Y-%m-%d", strict=False)
        return dates if dates.null_count() == cells.null_count() else cells
    return cells


def _all(cells: pl.Series, pattern: str) -> bool:
    return bool(cells.str.contains(pattern).all())


def checked_on(on: str | Sequence[str], columns: pl.Schema, table: pl.Schema) -> tuple[str, ...]:
    """The columns to join on.

    Raises:
        UnknownKeyword: the cohort or the table lacks one.
        QueryError: none, one twice, or one that identifies nothing.
    """
    names = (on,) if isinstance(on, str) else tuple(on)
    if not names or len(set(names)) < len(names):
        raise QueryError("join: on= is one or more identifier columns, each once")
    for name in names:
        if name not in columns:
            raise unknown(name, columns.names(), "join (the cohort)")
        if name not in IDENTIFIERS:
            raise QueryError(f"join: {name} identifies nothing; use {', '.join(IDENTIFIERS)}")
        if name not in table:
            raise unknown(name, table.names(), "join (the columns of the table)")
    if names == ("IssuerOfPatientID",):
        raise QueryError("join: an issuer alone identifies nobody")
    return names


def checked_labels(table: pl.DataFrame, on: Sequence[str], columns: pl.Schema) -> pl.DataFrame:
    """The table with plain columns: one value a cell, NaN as absent, keys as text.

    Raises:
        QueryError: a column that the cohort has already, a cell of several values, or a key
            that is a number.
    """
    for name in on:
        if not isinstance(table.schema[name], pl.String | pl.Categorical | pl.Enum | pl.Null):
            raise QueryError(
                f"join: {name} is not text in the table; a number has lost its leading zeros, "
                "so read that column as text"
            )
    labels = [name for name in table.columns if name not in on]
    for name in labels:
        if name in columns:
            raise QueryError(
                f"join: the cohort has a column {name!r} already: add it to on=, rename it or "
                "leave it out of the table"
            )
        if name.casefold() in _PSEUDONYMS:
            raise QueryError(
                f"join: {name!r} is what a released table calls its pseudonyms; rename the column"
            )
        if not name.strip() or name.startswith("__"):
            raise QueryError("join: a column of the table has no usable name")
    return table.with_columns(
        *(pl.col(name).cast(pl.String) for name in on), *(_plain(table[name]) for name in labels)
    )


def _plain(label: pl.Series) -> pl.Series:
    kind = label.dtype
    if isinstance(kind, pl.Categorical | pl.Enum | pl.Null):
        return label.cast(pl.String)
    if isinstance(kind, pl.Decimal):
        return label.cast(pl.Float64)
    if kind.is_float():
        return label.fill_nan(None)
    if isinstance(kind, pl.String | pl.Boolean | pl.Date | pl.Time | pl.Datetime):
        return label
    if kind.is_integer():
        return label
    raise QueryError(f"join: the column {label.name!r} does not hold one plain value a cell")


def key(name: str) -> pl.Expr:
    """A key as it is compared: text without blanks around it; absent is empty."""
    return pl.col(name).cast(pl.String).str.strip_chars(" \t\0").fill_null("").alias(f"__{name}")


def usable(on: Sequence[str]) -> pl.Expr:
    """Whether a row has its key: an issuer may be absent, nothing else."""
    return pl.all_horizontal(
        pl.col(f"__{name}") != "" for name in on if name != "IssuerOfPatientID"
    )
