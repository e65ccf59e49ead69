"""Query → polars: one three-valued verdict a term, true, false, or null for *unknown*."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Final

import polars as pl

from cohortkit.cohort.values import family, leaf
from cohortkit.model.query import (
    Absent,
    AnyOf,
    Between,
    Exactly,
    Like,
    Matches,
    Predicate,
    Query,
)

_WILD: Final = {"*": ".*", "?": "."}


def expression(query: Query, columns: pl.Schema) -> pl.Expr:
    """Whether all terms hold: true, false, or null where that cannot be known."""
    terms = verdicts(query, columns)
    return pl.all_horizontal(terms) if terms else pl.lit(value=True)


def verdicts(query: Query, columns: pl.Schema) -> list[pl.Expr]:
    """One verdict a term, in the order of the query."""
    return [verdict(keyword, asked, columns[keyword]) for keyword, asked in query.terms]


def verdict(keyword: str, asked: Predicate, dtype: pl.DataType) -> pl.Expr:
    """Whether one term holds: null where the column has no value, unless *absent* was asked.

    An empty text and a NaN are no value. A multi-valued column holds if any member does.
    """
    column = pl.col(keyword)
    if isinstance(dtype, pl.List | pl.Array):
        return _many(column, asked, dtype)
    return _judged(_value(column, dtype), asked)


def _value(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    kind = leaf(dtype)
    if family(kind) == "text":
        text = column if isinstance(kind, pl.String) else column.cast(pl.String)
        return pl.when(text != "").then(text)
    return column.fill_nan(None) if kind.is_float() else column


def _many(column: pl.Expr, asked: Predicate, dtype: pl.DataType) -> pl.Expr:
    values = column.arr.to_list() if isinstance(dtype, pl.Array) else column
    members = values.list.eval(_value(pl.element(), dtype).drop_nulls())
    some = (members.list.len() > 0).fill_null(value=False)
    plain, absent = _apart(asked)
    if plain is None:
        return ~some
    found = members.list.eval(_judged(pl.element(), plain)).list.any()
    return pl.when(some).then(found).otherwise(pl.lit(True if absent else None, pl.Boolean))


def _apart(asked: Predicate) -> tuple[Predicate | None, bool]:
    """What is asked of values, and whether *absent* is asked for too."""
    if isinstance(asked, Absent):
        return None, True
    if not isinstance(asked, AnyOf):
        return asked, False
    plain = tuple(value for value in asked.values if not isinstance(value, Absent))
    return (AnyOf(plain) if plain else None), len(plain) < len(asked.values)


def _judged(value: pl.Expr, asked: Predicate) -> pl.Expr:  # noqa: PLR0911 - one line a predicate
    match asked:
        case Absent():
            return value.is_null()
        case Exactly(wanted):
            return value == pl.lit(wanted)
        case AnyOf(wanted):
            return _any(value, wanted)
        case Between(low, None):
            return value >= pl.lit(low)
        case Between(None, high):
            return value <= pl.lit(high)
        case Between(low, high):
            return (value >= pl.lit(low)) & (value <= pl.lit(high))
        case Like(pattern):
            return value.str.contains(wildcard(pattern))
        case Matches(regex, ignore_case):
            return value.str.contains(f"(?i){regex}" if ignore_case else regex)


def _any(value: pl.Expr, wanted: tuple[object, ...]) -> pl.Expr:
    nested = (Absent, Like, Matches)
    plain = [member for member in wanted if not isinstance(member, nested)]
    judged = [_judged(value, member) for member in wanted if isinstance(member, nested)]
    if plain:
        judged.append(value.is_in(plain))
    return reduce(or_, judged)


def wildcard(pattern: str) -> str:
    """The regular expression of a text with ``*`` and ``?``."""
    inner = "".join(_WILD.get(char) or pl.escape_regex(char) for char in pattern)
    return f"(?s)^{inner}$"
