"""What there is, at a glance: how much of what, from which department and year, and how complete.

A description holds no value of a person: modalities and departments are terms or ``other``, of a
day the year is told, and of every column how many series have something in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from cohortkit.cohort import describe_draw as draw
from cohortkit.cohort.keys import beside_keys, keys_of
from cohortkit.cohort.steps import KEY, Counts, count, evaluated
from cohortkit.cohort.vocabulary import OTHER, TERMS

_DAYS: Final = ("study_date", "StudyDate")
_BY: Final = ("modality", "department", "year")
_WIDTH: Final = 34


@dataclass(frozen=True, slots=True, repr=False)
class Description:
    """Counts of an index or a cohort. It holds no identity, and draws itself in a notebook.

    Attributes:
        total: patients, studies, series and instances.
        modalities: a row for each ``modality`` and ``department``: ``first`` and ``last`` year,
            ``patients``, ``studies``, ``series``, ``instances``; null is not known.
        counts: a row for each ``modality``, ``department`` and ``year``: ``patients``, ``studies``,
            ``series``, ``instances``.
        columns: a row for each ``column``: its ``type``, in how many series it is ``filled``, and
            that as a ``share`` of all.
    """

    total: Counts
    modalities: pl.DataFrame
    counts: pl.DataFrame
    columns: pl.DataFrame

    def summary(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        total = self.total
        return {
            "total": {
                "patients": total.patients,
                "studies": total.studies,
                "series": total.series,
                "instances": total.instances,
            },
            "modalities": self.modalities.to_dicts(),
            "counts": self.counts.to_dicts(),
            "columns": self.columns.to_dicts(),
        }

    def _repr_html_(self) -> str:
        return draw.block(str(self.total), self.modalities, self.counts, self.columns)

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield str(self.total)
        heads = ("modality", "department", "years", "patients", "studies", "series", "instances")
        yield _line(heads)
        for modality, department, first, last, *figures in self.modalities.iter_rows():
            years = "?" if first is None else str(first) if first == last else f"{first}-{last}"
            words = (modality or "?", department or "?", years)
            yield _line((*words, *("?" if n is None else f"{n:,}" for n in figures)))
        yield ""
        full = self.columns.filter(pl.col("share") == 1)["column"].to_list()
        empty = self.columns.filter(pl.col("filled") == 0).height
        yield f"{len(full):,} columns are filled in every series, {empty:,} in none; of the others:"
        part = self.columns.filter((pl.col("share") < 1) & (pl.col("filled") > 0))
        for name, share in part.select("column", "share").iter_rows():
            yield f"  {name:<{_WIDTH}}{share:7.1%}"


def describe(rows: pl.LazyFrame) -> Description:
    """Describe series.

    Raises:
        StoreError: they lack what a cohort cannot be without.
    """
    columns = rows.collect_schema()
    day = next((name for name in _DAYS if name in columns and columns[name].is_temporal()), None)
    year = pl.lit(None, pl.Int32) if day is None else pl.col(day).dt.year().cast(pl.Int32)
    asked = [
        _term(columns, "Modality", "modality"),
        _term(columns, "department", "department"),
        year.alias("year"),
    ]
    table = beside_keys(rows, asked)
    figures = [
        pl.col("__person").n_unique().cast(pl.Int64).alias("patients"),
        pl.col("__study").n_unique().cast(pl.Int64).alias("studies"),
        pl.len().cast(pl.Int64).alias("series"),
        _sum("__number", table.schema["__number"]).alias("instances"),
    ]
    years = [pl.col("year").min().alias("first"), pl.col("year").max().alias("last")]
    kinds = table.group_by(_BY[:2]).agg(*years, *figures)
    order = ["series", *_BY[:2]]
    return Description(
        count(keys_of(rows)),
        kinds.sort(order, descending=[True, False, False], nulls_last=True),
        table.group_by(_BY).agg(figures).sort(_BY, nulls_last=True),
        _filled(rows),
    )


def _sum(name: str, dtype: pl.DataType) -> pl.Expr:
    return pl.lit(None, pl.Int64) if dtype == pl.Null else pl.col(name).sum()


def _term(columns: pl.Schema, name: str, alias: str) -> pl.Expr:
    """A coded text where it is a term; ``other`` for another, null for none."""
    if name not in columns:
        return pl.lit(None, pl.String).alias(alias)
    text = pl.col(name).cast(pl.String).str.strip_chars(" \0")
    terms = list(TERMS[name])
    known = text.str.to_uppercase().is_in(terms)
    named = pl.when(known).then(text).when(text != "").then(pl.lit(OTHER))
    return named.alias(alias)


def _filled(rows: pl.LazyFrame) -> pl.DataFrame:
    """How many rows have a value, column by column; the opaque key is none."""
    columns = {name: kind for name, kind in rows.collect_schema().items() if name != KEY}
    there = [_filled_in(name, kind) for name, kind in columns.items()]
    found = evaluated(rows.select(pl.len().alias("__all"), *there))
    whole = found["__all"][0]
    filled = [found[name][0] for name in columns]
    return pl.DataFrame(
        {
            "column": list(columns),
            "type": [str(kind) for kind in columns.values()],
            "filled": filled,
            "share": [number / whole if whole else 0.0 for number in filled],
        },
        schema={
            "column": pl.String,
            "type": pl.String,
            "filled": pl.Int64,
            "share": pl.Float64,
        },
    )


def _filled_in(name: str, kind: pl.DataType) -> pl.Expr:
    """How many rows of a column hold something."""
    value = pl.col(name)
    if isinstance(kind, pl.List):
        there = (value.list.drop_nulls().list.len() > 0).sum()
    elif isinstance(kind, pl.String):
        # what is blank, or begins so, comes before "!": few are looked at more closely
        odd = value.filter(value < "!").str.strip_chars(" \0") != ""
        there = (value >= "!").sum() + odd.sum()
    else:
        there = (value.is_not_nan() if kind.is_float() else value.is_not_null()).sum()
    return there.cast(pl.Int64).alias(name)


def _line(cells: tuple[str, ...]) -> str:
    words, figures = cells[:3], cells[3:]
    told = f"{words[0]:<12}{words[1]:<18}{words[2]:<12}"
    return (told + "".join(f"{cell:>12}" for cell in figures)).rstrip()
