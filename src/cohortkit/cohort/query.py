"""A search in DICOM keywords, checked against the columns of an index: terms → Query.

A value is exact, a list is *any of* (values, wildcards and None may be mixed in it), a tuple is a
closed range and only for dates, times and numbers, ``*`` and ``?`` in text are wildcards, a
compiled regular expression is searched for, None is absent. Nothing at all is everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import polars as pl

from cohortkit import given
from cohortkit.cohort.predicates import expression, verdict, verdicts
from cohortkit.cohort.values import coerce, family
from cohortkit.dicom.keywords import neighbours, tag_of, vr_of
from cohortkit.errors import QueryError, UnknownKeyword
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

__all__ = ["expression", "parse", "unknown", "verdict", "verdicts"]

_FLAGS = ((re.MULTILINE, "m"), (re.DOTALL, "s"), (re.VERBOSE, "x"))


def parse(terms: Mapping[str, object], columns: pl.Schema) -> Query:
    """Read the terms of a search.

    Raises:
        UnknownKeyword: a word that is no column; it names the columns nearest to it.
        QueryError: a value that the column cannot have; it names the keyword, not the value.
    """
    read: list[tuple[str, Predicate]] = []
    strange = [keyword for keyword in terms if keyword not in columns]

    def take(keyword: str, value: object) -> None:
        read.append((keyword, _predicate(keyword, value, columns[keyword])))

    faults = given.faults(
        partial(take, keyword, value) for keyword, value in terms.items() if keyword in columns
    )
    if strange:
        others = [*(f"{word!r} too" for word in strange[1:]), *map(str, faults)]
        more = f" ({'; '.join(others)})" if others else ""
        raise unknown(strange[0], columns.names(), f"this search{more}")
    given.demand_none(faults)
    return Query(tuple(read))


def unknown(word: str, known: Iterable[str], where: str) -> UnknownKeyword:
    """The error for a word that is no column, with the columns nearest to it."""
    if tag_of(word) is not None:
        where = f"{where} (a DICOM keyword, but there is no such column here)"
    asked = tuple(one for one in known if not one.endswith("_rule"))  # nobody means these by chance
    return UnknownKeyword(word, neighbours(word, asked), where=where)


def _predicate(keyword: str, value: object, dtype: pl.DataType) -> Predicate:
    if value is None:
        return Absent()
    if isinstance(value, re.Pattern):
        return _regex(keyword, value, dtype)
    if isinstance(value, tuple):
        return _range(keyword, value, dtype)
    if _is_list(value):
        return _any_of(keyword, value, dtype)  # type: ignore[arg-type]  # it is one
    made = coerce(keyword, value, dtype)
    if isinstance(made, str) and family(dtype) == "text" and ("*" in made or "?" in made):
        return Like(made)
    return Exactly(made)


def _is_list(value: object) -> bool:
    """A list in Python, a column of polars or pandas, an array."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


def _any_of(keyword: str, values: Iterable[object], dtype: pl.DataType) -> Predicate:
    members: list[object] = []
    for value in values:
        if isinstance(value, tuple) or _is_list(value):
            raise QueryError(f"{keyword}: a list holds single values, not ranges or lists")
        made = _predicate(keyword, value, dtype)
        member = made.value if isinstance(made, Exactly) else made
        if member not in members:
            members.append(member)
    if not members:
        raise QueryError(f"{keyword}: an empty list would match nothing")
    return AnyOf(tuple(_sorted(members)))


def _sorted(members: list[object]) -> list[object]:
    """One order for one question (a set has none)."""
    nested = (Like, Matches, Absent)
    place = {kind: at for at, kind in enumerate(nested, 1)}
    return sorted(members, key=lambda member: (place.get(type(member), 0), str(member)))


def _range(keyword: str, value: tuple[object, ...], dtype: pl.DataType) -> Predicate:
    if family(dtype) not in {"date", "time", "datetime", "number"}:
        years = " (age_years is a number)" if vr_of(keyword) == "AS" else ""
        raise QueryError(
            f"{keyword}: a tuple is a range, for dates, times and numbers only{years}; "
            "a list is any of its values"
        )
    if len(value) != 2 or value == (None, None):  # noqa: PLR2004 - a range has two sides
        raise QueryError(f"{keyword}: a range is (low, high); None leaves one side open")
    low, high = (None if side is None else coerce(keyword, side, dtype) for side in value)
    if low is not None and high is not None and _after(low, high):
        raise QueryError(f"{keyword}: the range ends before it begins")
    return Between(low, high)


def _after(low: Any, high: Any) -> bool:  # noqa: ANN401 - two values of one ordered type
    try:
        return bool(low > high)
    except TypeError:  # one with a time zone, one without
        raise QueryError("a range has both sides with a time zone, or none") from None


def _regex(keyword: str, value: re.Pattern[Any], dtype: pl.DataType) -> Predicate:
    if family(dtype) != "text" or not isinstance(value.pattern, str):
        raise QueryError(f"{keyword}: a regular expression is for text")
    if value.flags & re.ASCII:
        raise QueryError(f"{keyword}: regular expressions here know no re.ASCII")
    inline = "".join(letter for flag, letter in _FLAGS if value.flags & flag)
    pattern = f"(?{inline}){value.pattern}" if inline else value.pattern
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.PolarsError:
        raise QueryError(
            f"{keyword}: this regular expression cannot be used here: look-around and "
            "back-references are not known (it is read by Rust's regex)"
        ) from None
    return Matches(pattern, ignore_case=bool(value.flags & re.IGNORECASE))
