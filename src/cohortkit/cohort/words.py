"""A question in words that name nobody; and a question as it is written in a shell."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from typing import Final

import polars as pl

from cohortkit.cohort.identity import DATES, DESCRIPTIONS, askable, shown
from cohortkit.model.query import (
    Absent,
    AnyOf,
    Between,
    Exactly,
    Like,
    Matches,
    Predicate,
)

_LONG: Final = 200
_MANY: Final = 8


def term(keyword: str, asked: Predicate, dtype: pl.DataType, labels: Collection[str] = ()) -> str:
    """One term of a search: with its values where they may be told, else with counts.

    Dates of examinations are told by the year, descriptions by the pattern that was asked for.
    """
    if askable(keyword, dtype, labels):
        return f"{keyword} {_told(asked)}"
    if keyword in DATES and isinstance(asked, Between):
        return f"{keyword} {_years(asked)}"
    if keyword in DESCRIPTIONS and isinstance(asked, Like | Matches):
        return f"{keyword} {_told(asked)}"
    return f"{keyword} {_counted(asked)}"


def _told(asked: Predicate) -> str:
    match asked:
        case Absent():
            return "is absent"
        case Exactly(value):
            return f"is {value}"
        case Like(pattern):
            return f"is like {pattern}"
        case Matches(regex, _):
            return f"matches /{regex}/"
        case AnyOf(values):
            return _one_of(values)
        case Between(low, high):
            return _between(str(low), str(high), low is None, high is None)


def _one_of(values: tuple[object, ...]) -> str:
    if len(values) > _MANY:
        return f"is one of {len(values)} values"
    nested = (Absent, Like, Matches)
    told = [_told(v).removeprefix("is ") if isinstance(v, nested) else str(v) for v in values]
    return f"is {' or '.join(told)}"


def _between(low: str, high: str, no_low: bool, no_high: bool) -> str:  # noqa: FBT001 - private
    if no_low:
        return f"up to {high}"
    return f"from {low}" if no_high else f"from {low} to {high}"


def _years(asked: Between) -> str:
    low, high = asked.low, asked.high
    first = low.year if isinstance(low, dt.date) else None
    last = high.year if isinstance(high, dt.date) else None
    if first is None or last is None:
        return f"up to a day in {last}" if first is None else f"from a day in {first}"
    if low == dt.date(first, 1, 1) and high == dt.date(last, 12, 31):
        return f"in {first}" if first == last else f"in the years {first} to {last}"
    if first == last:
        return f"between two days in {first}"
    return f"from a day in {first} to a day in {last}"


def _counted(asked: Predicate) -> str:
    match asked:
        case Absent():
            return "is absent"
        case Exactly():
            return "is one given value"
        case Like() | Matches():
            return "is like a given pattern"
        case AnyOf(values):
            return f"is one of {len(values)} given values"
        case Between():
            return "is in a given range"


def condition(expr: pl.Expr, columns: pl.Schema, labels: Collection[str] = ()) -> str:
    """A filter in words: as it is written where all its columns may be told, else their names."""
    roots = sorted(set(expr.meta.root_names()))
    plain = all(
        shown(root, columns.get(root), labels) or askable(root, columns.get(root), labels)
        for root in roots
    )
    text = _tidy(str(expr)) if roots and plain else ""
    if not text or len(text) > _LONG:
        return f"a condition on {', '.join(roots)}" if roots else "a condition"
    return text


def _tidy(text: str) -> str:
    """Polars' own form of an expression, with less of its scaffolding."""
    text = re.sub(r'col\("([^"]*)"\)', r"\1", text)
    text = re.sub(r"dyn (?:int|float): |lit\((?:dyn )?", "", text)
    for _ in range(4):
        text = re.sub(r"\((\w+)\)", r"\1", text)
        text = re.sub(r"^\[(.*)\]$", r"\1", text) if _whole(text) else text
    return text


def _whole(text: str) -> bool:
    """Whether one pair of brackets encloses all of a text."""
    depth = 0
    for place, char in enumerate(text):
        depth += {"[": 1, "]": -1}.get(char, 0)
        if depth == 0:
            return place == len(text) - 1 and len(text) > 1
    return False
