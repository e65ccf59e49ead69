"""Type the columns of a foreign table by the VR of their keyword. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cohortkit.dicom.sop_classes import TABLE
from cohortkit.dicom.values import field
from cohortkit.index.columns import dtype_of, series_key

_IDENTITY = ("IssuerOfPatientID", "PatientID", "StudyInstanceUID", "SeriesInstanceUID")


@dataclass(frozen=True, slots=True)
class Cast:
    """How one column gets its type.

    Attributes:
        expression: the typed column.
        lost: true where there was a value and there is none any more.
    """

    column: str
    expression: pl.Expr
    lost: pl.Expr


def cast_of(keyword: str, dtype: pl.DataType) -> Cast:
    """The cast of a column that is named by a DICOM keyword."""
    try:
        wanted = dtype_of(field(keyword))
    except ValueError:  # a sequence or bytes: no type to give
        return Cast(keyword, pl.col(keyword), pl.lit(value=False))
    source = pl.col(keyword)
    text = source.str.strip_chars(" \0") if dtype == pl.String() else None
    if text is not None:
        source = pl.when(text != "").then(text)
    expression = _cast(source, dtype, wanted)
    return Cast(keyword, expression.alias(keyword), source.is_not_null() & expression.is_null())


def _cast(source: pl.Expr, dtype: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    if dtype == wanted:
        return source
    if isinstance(wanted, pl.List):
        inner = wanted.inner
        assert isinstance(inner, pl.DataType)
        if dtype == pl.String():
            return source.str.split("\\").list.eval(_cast(pl.element(), pl.String(), inner))
        if isinstance(dtype, pl.List | pl.Array):
            return source.cast(wanted, strict=False)
        return pl.concat_list(source.cast(inner, strict=False))
    if dtype == pl.String() and wanted == pl.Date():
        return pl.coalesce(
            source.str.to_date(form, strict=False) for form in ("%Y%m%d", "%Y-%m-%d", "%Y.%m.%d")
        )
    if dtype == pl.String() and wanted == pl.Time():
        return _time(source)
    if isinstance(dtype, pl.List) and wanted == pl.String():
        return source.cast(pl.List(pl.String())).list.join("\\")
    if wanted == pl.Int64() and dtype == pl.String():
        number = source.cast(pl.Float64(), strict=False)
        whole = pl.when(number == number.floor()).then(number).cast(pl.Int64(), strict=False)
        return pl.coalesce(source.cast(pl.Int64(), strict=False), whole)
    return source.cast(wanted, strict=False)


def _time(source: pl.Expr) -> pl.Expr:
    plain = source.str.replace_all(":", "", literal=True)
    digits = plain.str.extract(r"^(\d{2}(?:\d{2}){0,2})(?:\.\d{1,6})?$", 1).str.pad_end(6, "0")
    micro = plain.str.extract(r"^\d{6}\.(\d{1,6})$", 1).str.pad_end(6, "0").fill_null("000000")
    return (digits + micro).str.strptime(pl.Time(), "%H%M%S%6f", strict=False)


def with_key(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add ``series_key``, made only for the rows that are asked for."""
    names = [word for word in _IDENTITY if word in rows.collect_schema()]
    key = pl.struct(names).map_batches(_keys, return_dtype=pl.String(), is_elementwise=True)
    return rows.with_columns(key.alias("series_key"))


def _keys(identity: pl.Series) -> pl.Series:
    rows = identity.struct.unnest().iter_rows(named=True)
    return pl.Series([series_key(row) for row in rows], dtype=pl.String())


def with_classes(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add what the SOP class says, where the table has a SOP Class UID."""
    if "SOPClassUID" not in rows.collect_schema():
        return rows
    uid = pl.col("SOPClassUID")
    words = {
        word: {known: str(getattr(row, word)) for known, row in TABLE.items()}
        for word in ("kind", "department", "risk")
    }
    return rows.with_columns(
        uid.replace_strict(values, default=None, return_dtype=pl.String()).alias(word)
        for word, values in words.items()
    )
