"""The study or series nearest to a day that a table has for its patient or order. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from cohortkit.cohort import tables
from cohortkit.cohort.choose import columns as named
from cohortkit.cohort.choose import demand_level, without_ties
from cohortkit.cohort.join import Joined, Many, Table, match, read_table
from cohortkit.cohort.keys import PLACE, beside_keys
from cohortkit.cohort.query import unknown
from cohortkit.cohort.spans import Span, demand_date
from cohortkit.cohort.steps import Condition, evaluated
from cohortkit.errors import QueryError

_KEY: Final = "__key"
_DAY: Final = "__day"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked.

    Attributes:
        on: the identifiers that table and cohort share.
        date: the table's column of dates.
        by: the cohort's.
        span: days from that to this.
        level: ``study`` or ``series``.
        many: what to do with a key of several dates.
    """

    on: str | Sequence[str]
    date: str
    by: str
    span: Span
    level: str
    many: Many


def nearest(
    rows: pl.LazyFrame, table: Table, wanted: Wanted, reason: str
) -> tuple[list[Condition], Joined]:
    """What each series has to fulfil, and how the table met the cohort.

    First its key has to be in the table, then its study within the window, then no other nearer;
    ties go by Study, then Series Instance UID. Unknown is a key that is absent or of several
    patients, and a day that is absent, here or in the table.

    Raises:
        UnknownKeyword: the index or the table has no such column.
        QueryError: the table cannot be joined, or a column holds no dates.
    """
    demand_level("nearest", wanted.level)
    columns = rows.collect_schema()
    demand_date("nearest", wanted.by, columns)
    keys = named(wanted.on, "nearest: on=")
    read = read_table(table, keys)
    tables.checked_on(keys, columns, read.schema)
    dates = read.select(*keys, _dates(read, wanted.date))
    owner = dict.fromkeys((*keys, "PatientID", "IssuerOfPatientID"))
    mine = evaluated(rows.select(word for word in owner if word in columns))
    joined = match(mine, dates, keys, wanted.many)
    key = pl.concat_str([tables.key(name) for name in keys], separator="\0").alias(_KEY)
    day = pl.col(wanted.by).cast(pl.Date).alias(_DAY)
    found = beside_keys(rows, [day, key]).with_columns(
        joined.labels.to_series().alias("__date"), joined.matched.alias("__matched")
    )
    within, first = _judged(rows, found, wanted)
    days, table_day = f"{wanted.span.around()}", wanted.date
    return [
        Condition(
            joined.matched,
            reason or "no row in the table",
            f"{' + '.join(keys)} is unknown or of several patients",
        ),
        Condition(
            within,
            reason or f"its day is not {days}",
            f"{wanted.by} or {table_day} is absent",
        ),
        Condition(first, reason or f"another {wanted.level} is nearer to {table_day}", ""),
    ], joined


def _judged(rows: pl.LazyFrame, found: pl.DataFrame, wanted: Wanted) -> tuple[pl.Series, pl.Series]:
    """Of each row whether its study is within the window, and whether none is nearer."""
    unit = "__study" if wanted.level == "study" else PLACE
    here = found.filter(pl.col("__matched").fill_null(value=False))
    gap = (pl.col(_DAY).min() - pl.col("__date").first()).dt.total_days().alias("__gap")
    units = here.group_by(_KEY, unit).agg(gap, pl.col(PLACE).first().alias("__head"))
    units = units.with_columns(pl.col("__head").alias(PLACE))
    units = units.with_columns(wanted.span.holds(pl.col("__gap")).alias("__within"))
    inside = units.filter("__within")
    apart = pl.col("__gap").abs()
    close = without_ties(rows, inside.filter(apart == apart.min().over(_KEY)), _KEY, wanted.level)
    first = close.select(_KEY, unit, pl.lit(value=True).alias("__first"))
    told = units.join(first, on=[_KEY, unit], how="left").select(
        _KEY, unit, "__within", pl.col("__first").fill_null(value=False)
    )
    beside = found.select(_KEY, unit).join(told, on=[_KEY, unit], how="left", maintain_order="left")
    return beside["__within"], beside["__first"]


def _dates(table: pl.DataFrame, name: object) -> pl.Series:
    """The table's column of days.

    Raises:
        UnknownKeyword: no such column.
        QueryError: it holds no dates.
    """
    if not isinstance(name, str):
        raise QueryError("nearest: date= names a column of the table")
    if name not in table.columns:
        raise unknown(name, table.columns, "nearest: date= (the columns of the table)")
    values = table[name]
    if isinstance(values.dtype, pl.Datetime):
        return values.dt.date()
    if isinstance(values.dtype, pl.String):  # SQLite and pandas have dates as text
        values = tables.typed(values.to_frame(), ())[name]
    if not isinstance(values.dtype, pl.Date | pl.Null) and values.null_count() < len(values):
        raise QueryError(f"nearest: {name!r} holds no dates; a CSV has them as 2024-01-31")
    return values.cast(pl.Date)
