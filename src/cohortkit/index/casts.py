"""Type the columns of a foreign table by the VR of their keyword. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cohortkit.dicom.sop_classes import TABLE
from cohortkit.dicom.values import field
from cohortkit.index.columns import IDENTITY, dtype_of


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
    lost = expression.is_null()
    if wanted in {pl.List(pl.Float64()), pl.List(pl.Int64())}:
        lost = lost | expression.list.eval(pl.element().is_null()).list.any()
        expression = pl.when(~lost).then(expression)
    return Cast(keyword, expression.alias(keyword), source.is_not_null() & lost)


def _cast(source: pl.Expr, dtype: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    if dtype == wanted:
        return source
    if isinstance(wanted, pl.List):
        return _list(source, dtype, wanted)
    if dtype == pl.String():
        return _from_text(source, wanted)
    if isinstance(dtype, pl.List) and wanted == pl.String():
        return source.cast(pl.List(pl.String())).list.join("\\")
    if wanted == pl.Float64():
        return _finite(source)
    return source.cast(wanted, strict=False)


def _list(source: pl.Expr, dtype: pl.DataType, wanted: pl.List) -> pl.Expr:
    inner = wanted.inner
    assert isinstance(inner, pl.DataType)
    if dtype == pl.String():
        return source.str.split("\\").list.eval(_from_text(pl.element(), inner))
    if isinstance(dtype, pl.List | pl.Array):
        return source.cast(wanted, strict=False)
    return pl.concat_list(source.cast(inner, strict=False))


def _from_text(source: pl.Expr, wanted: pl.DataType) -> pl.Expr:
    if wanted == pl.Date():
        return _date(source)
    if wanted == pl.Time():
        return _time(source)
    if wanted == pl.Int64():
        number = _finite(source)
        whole = pl.when(number == number.floor()).then(number).cast(pl.Int64(), strict=False)
        return pl.coalesce(source.cast(pl.Int64(), strict=False), whole)
    if wanted == pl.Float64():
        return _finite(source)
    return source


def _finite(source: pl.Expr) -> pl.Expr:
    number = source.cast(pl.Float64(), strict=False)
    return pl.when(number.is_finite()).then(number)


def _date(source: pl.Expr) -> pl.Expr:
    """YYYYMMDD, YYYY-MM-DD or YYYY.MM.DD."""
    size = source.str.len_bytes()
    plain = pl.when(size == 8).then(source)  # noqa: PLR2004 - YYYYMMDD
    ten = (size == 10) & ~source.str.contains(" ", literal=True)  # noqa: PLR2004 - with dashes
    parted = pl.when(ten).then(source.str.replace_all(".", "-", literal=True))
    return pl.coalesce(
        plain.str.to_date("%Y%m%d", strict=False), parted.str.to_date("%Y-%m-%d", strict=False)
    )


def _time(source: pl.Expr) -> pl.Expr:
    plain = source.str.replace_all(":", "", literal=True)
    digits = plain.str.extract(r"^(\d{2}(?:\d{2}){0,2})(?:\.\d{1,9})?$", 1).str.pad_end(6, "0")
    # polars writes nine digits
    nano = plain.str.extract(r"^\d{6}\.(\d{1,9})$", 1).str.pad_end(9, "0").fill_null("0" * 9)
    return (digits + nano).str.strptime(pl.Time(), "%H%M%S%9f", strict=False)


def with_key(rows: pl.LazyFrame, *, unique: bool) -> pl.LazyFrame:
    """Add ``series_key``: the series UID where it is ``unique``, else with person and study.

    It is no digest, as that of a scan is: a million digests would cost more than any search.
    """
    if unique:
        return rows.with_columns(pl.col("SeriesInstanceUID").alias("series_key"))
    names = [word for word in IDENTITY if word in rows.collect_schema()]
    parts = (pl.col(word).fill_null("") for word in names)
    return rows.with_columns(pl.concat_str(parts, separator="\n").alias("series_key"))


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
