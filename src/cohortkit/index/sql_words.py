"""A term of a query as a condition in SQL that is true wherever the term is not false. Pure.

What the database sends is asked again here, so a condition may let too much through, and never too
little: a row whose answer is unknown has to come too, for it is counted. What cannot be said so is
not said (None), and the column is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import polars as pl

from cohortkit.model.query import Absent, AnyOf, Between, Exactly, Like, Matches, Predicate, Query

_EXACT: Final = 2**53  # from here on whole numbers and floats part
_MOST: Final = "1.7976931348623157e308"


class Held(StrEnum):
    """How a database holds the values of a column, where its own comparison can be trusted."""

    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"
    DATE = "date"
    DIGITS = "digits"  # dates as text, YYYYMMDD
    DASHES = "dashes"  # dates as text, YYYY-MM-DD
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table in a database.

    Attributes:
        name: its name there.
        keyword: its name here.
        read: the expression that is selected.
        dtype: what that gives.
        held: how it is compared there; OTHER where it is not.
        like: whether the database has LIKE for it.
    """

    name: str
    keyword: str
    read: str
    dtype: pl.DataType
    held: Held = Held.OTHER
    like: bool = False


def quoted(name: str) -> str:
    """A name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def stored(names: Iterable[str]) -> dict[str, str]:
    """A name of our own tables → its name in a database, to which case is nothing."""
    made: dict[str, str] = {}
    for name in names:
        lower = {one.lower() for one in made.values()}
        made[name] = f"{name}_as_read" if name.lower() in lower else name
    return made


def relation(table: str) -> str:
    """A table, perhaps with its schema."""
    return ".".join(quoted(part) for part in table.split("."))


def text(value: str) -> str:
    """A text; no backslash means anything in it."""
    return "'" + value.replace("'", "''") + "'"


def pushes(column: Column, wanted: pl.DataType) -> frozenset[type]:
    """The kinds of predicates that are left to the database.

    Args:
        column: as it lies there.
        wanted: its type here. Where bringing it there could lose a value, none.
    """
    fits = {
        Held.TEXT: wanted == pl.String(),
        Held.INTEGER: wanted in {pl.Int64(), pl.Int32(), pl.Int16(), pl.Float64()},
        Held.REAL: wanted in {pl.Float64(), pl.Float32()},
        Held.DATE: wanted == pl.Date(),
        Held.DIGITS: wanted == pl.Date(),
        Held.DASHES: wanted == pl.Date(),
    }
    if not fits.get(column.held, False):
        return frozenset()
    kinds: set[type] = {Exactly, AnyOf, Absent}
    if column.held is not Held.TEXT:
        return frozenset({*kinds, Between})
    return frozenset({*kinds, Like} if column.like else kinds)


def narrowing(query: Query, columns: Mapping[str, Column], types: pl.Schema) -> str:
    """The condition of a query's first term; empty where all rows are needed.

    What the terms after it leave out is counted one by one, so these are asked of the rows.

    Args:
        query: the terms, in order.
        columns: as they lie in the database.
        types: as they are here.
    """
    for keyword, asked in query.terms[:1]:
        column = columns.get(keyword)
        if column is not None and type(asked) in pushes(column, types[keyword]):
            told = judged(column, asked)
            return f"{unknown(column)} OR {told}" if told else ""
    return ""


def closing(query: Query, columns: Mapping[str, Column], types: pl.Schema) -> str:
    """The condition of all terms that can be left to the database: true wherever each is true.

    Args:
        query: the terms.
        columns: as they lie in the database.
        types: as they are here.
    """
    told = []
    for keyword, asked in query.terms:
        column = columns.get(keyword)
        if column is not None and type(asked) in pushes(column, types[keyword]):
            told.append(judged(column, asked))
    return " AND ".join(f"({one})" for one in told if one)


def unknown(column: Column) -> str:
    """Where a value is none, or may be none when it is read."""
    name = quoted(column.name)
    told = [f"{name} IS NULL"]
    match column.held:
        case Held.TEXT:
            told.append(f"{name} = ''")
        case Held.REAL:
            told.append(f"NOT ({name} BETWEEN -{_MOST} AND {_MOST})")
        case Held.DIGITS | Held.DASHES:
            month, day = (5, 7) if column.held is Held.DIGITS else (6, 9)
            told += [
                f"{name} = ''",
                f"substr({name}, 1, 4) = '0000'",
                f"substr({name}, {month}, 2) NOT BETWEEN '01' AND '12'",
                f"substr({name}, {day}, 2) NOT BETWEEN '01' AND '28'",
            ]
    return " OR ".join(told)


def judged(column: Column, asked: Predicate) -> str | None:
    """Where a term is true, and perhaps elsewhere; None where that cannot be said."""
    told = _judged(column, asked)
    return None if told is None else " OR ".join(told) or "FALSE"


def _judged(column: Column, asked: Predicate) -> list[str] | None:
    name = quoted(column.name)
    match asked:
        case Absent():
            return [unknown(column)]
        case Exactly(value):
            one = _value(column, value)
            return None if one is None else [f"{name} = {one}"]
        case AnyOf(values):
            return _any(column, values)
        case Between(low, high):
            return _between(column, low, high)
        case Like(pattern):
            can = column.like and "\0" not in pattern
            return [f"{name} LIKE {_pattern(pattern)} ESCAPE '!'"] if can else None
        case Matches():
            return None


def _any(column: Column, values: tuple[object, ...]) -> list[str] | None:
    nested = [value for value in values if isinstance(value, Like | Matches | Absent)]
    plain = [_value(column, value) for value in values if value not in nested]
    told = [_judged(column, one) for one in nested]
    if None in plain or None in told:
        return None
    listed = [f"{quoted(column.name)} IN ({', '.join(str(one) for one in plain)})"] if plain else []
    return [*listed, *(one for many in told for one in many or [])]


def _between(column: Column, low: object, high: object) -> list[str] | None:
    told = []
    for sign, side in ((">=", low), ("<=", high)):
        if side is None:
            continue
        value = _value(column, side)
        if value is None:
            return None
        told.append(f"{quoted(column.name)} {sign} {value}")
    return [f"({' AND '.join(told)})"]


def _value(column: Column, value: object) -> str | None:
    if isinstance(value, str):
        return text(value) if column.held is Held.TEXT and "\0" not in value else None
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return _date(column.held, value)
    if isinstance(value, bool) or column.held not in {Held.INTEGER, Held.REAL}:
        return None
    if isinstance(value, int | float) and abs(value) < _EXACT:
        whole = isinstance(value, int) and column.held is Held.INTEGER
        return str(value) if whole else f"CAST('{float(value)!r}' AS DOUBLE PRECISION)"
    return None


def _date(held: Held, value: dt.date) -> str | None:
    told = {
        Held.DATE: f"DATE '{value.isoformat()}'",
        Held.DASHES: f"'{value.isoformat()}'",
        Held.DIGITS: f"'{value.isoformat().replace('-', '')}'",
    }
    return told.get(held)


def _pattern(pattern: str) -> str:
    """A pattern of ``*`` and ``?`` for LIKE, in which its own signs mean themselves."""
    plain = pattern.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return text(plain.replace("*", "%").replace("?", "_"))
