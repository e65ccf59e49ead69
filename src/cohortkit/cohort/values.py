"""One value of a question, checked against the type of its column and brought to that type."""

from __future__ import annotations

import datetime as dt
import math
import numbers
import re
from typing import Final

import polars as pl

from cohortkit.errors import QueryError

_DATE: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_TIME: Final = re.compile(r"(\d{2}):?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?")

_NAMES: Final = {
    "text": "text",
    "date": "a date (2022-01-31, 20220131 or datetime.date; of a year, a range of two)",
    "time": "a time (12:30, 123000 or datetime.time)",
    "datetime": "a date with a time (2022-01-31T12:30:00 or datetime.datetime)",
    "number": "a number",
    "bool": "True or False",
}


def leaf(dtype: pl.DataType) -> pl.DataType:
    """The type of one member of a multi-valued column, or the type itself."""
    while isinstance(dtype, pl.List | pl.Array):
        dtype = dtype.inner if isinstance(dtype.inner, pl.DataType) else dtype.inner()
    return dtype


def family(dtype: pl.DataType) -> str:
    """What kind of values a column holds: text, date, time, datetime, number, bool or none."""
    kind = leaf(dtype)
    if isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        return "text"
    if isinstance(kind, pl.Boolean):
        return "bool"
    if kind.is_numeric():
        return "number"
    named = {pl.Date: "date", pl.Time: "time", pl.Datetime: "datetime"}
    return next((name for cls, name in named.items() if isinstance(kind, cls)), "none")


def coerce(keyword: str, value: object, dtype: pl.DataType) -> object:
    """The value in the type of the column.

    Raises:
        QueryError: another type, or text that is no such value. It names the keyword and the
            type that was given, never the value.
    """
    kind = family(dtype)
    maker = {
        "text": _text,
        "date": _date,
        "time": _time,
        "datetime": _datetime,
        "number": _number,
        "bool": _bool,
    }.get(kind)
    if maker is None:
        raise QueryError(f"{keyword}: a column of this type ({leaf(dtype)}) cannot be searched")
    made = maker(value)
    if made is None:
        raise QueryError(f"{keyword} takes {_NAMES[kind]}, not {_described(value)}")
    return made


def _described(value: object) -> str:
    name = type(value).__name__
    if isinstance(value, str):
        return "this text" if value.strip() else "an empty text (None asks for absent)"
    return f"a value of type {name}"


def _text(value: object) -> object | None:
    return value.strip(" \0") or None if isinstance(value, str) else None


def _bool(value: object) -> object | None:
    return value if isinstance(value, bool) else None


def _number(value: object) -> object | None:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    if isinstance(value, numbers.Integral):
        return int(value)
    number = float(value)
    return None if math.isnan(number) else number


def _date(value: object) -> object | None:
    value = _whole_day(value)
    if isinstance(value, dt.date):
        return value
    found = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        return dt.date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _whole_day(value: object) -> object:
    """The date of a datetime at midnight, as pandas and NumPy have dates; None of another one.

    A date with a time is not a date: whoever asks is to say which one is meant.
    """
    plain = getattr(value, "item", None)
    if type(value).__module__ == "numpy" and plain is not None:
        value = plain()  # datetime64 of whole days is a date, else a datetime or a number
    if not isinstance(value, dt.datetime):
        return value
    return value.date() if value.time() == dt.time() and value.tzinfo is None else None


def _time(value: object) -> object | None:
    if isinstance(value, dt.time):
        return value
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        return None
    hour, minute, second, fraction = found.groups()
    micro = int((fraction or "0").ljust(6, "0"))
    try:
        return dt.time(int(hour), int(minute), int(second or 0), micro)
    except ValueError:
        return None


def _datetime(value: object) -> object | None:
    if isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str):
        return None
    try:
        return dt.datetime.fromisoformat(value.strip())
    except ValueError:
        return None
