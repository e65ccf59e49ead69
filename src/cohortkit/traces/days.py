"""A known day in the forms that people and programs write. Pure; folded, as all spellings are."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from functools import lru_cache

from cohortkit.traces.months import NAMES, ROMAN

PLACEHOLDERS = frozenset({"19000101"})
"""What stands for a date that nobody knows, in archives and in the dummies of a released object:
searched for, it would be found in every one of them."""

_TIGHT = ("/", "-", ".")
_WIDE = (*_TIGHT, " ", "_", ". ", " / ", " - ", ":")
_NAMED = (
    "{d}. {n} {y}", "{d} {n}, {y}", "{d} {n}. {y}", "{d} de {n} de {y}",
    "{d} of {n} {y}", "{d}{th} {n} {y}", "{d}{th} {n}, {y}", "{d}{th} of {n} {y}",
    "{d}{th} of {n}, {y}", "{n} {d}, {y}", "{n}. {d}, {y}", "{n} {d}{th}, {y}",
    "{n} {d}{th} {y}", "{n}, {d} {y}", "{y}, {n} {d}",
)  # fmt: skip
_MOST = 4096
_DAY = 8
_WRITTEN = re.compile(
    r"(\d{4})[-.]?(0[1-9]|1[0-2])[-.]?(0[1-9]|[12]\d|3[01])(?:\d{0,6})?", re.ASCII
)
_LONGEST = 14
_UNITS = ((18, 10**9), (15, 10**6), (12, 10**3), (9, 1))  # digits, parts of a second
_FIRST_SECOND, _LAST_SECOND = 10**8, 4 * 10**9  # 1973 or before 1966, to 2096
_HOURS = 14  # from UTC to the farthest of its zones
_ELEVENTH, _THIRTEENTH = 11, 13


def day_of(raw: str) -> dt.date | None:
    """The day of a DA, or of a DT; None where there is none, or a placeholder for one."""
    digits = raw.replace(".", "").replace("-", "").strip()[:_DAY]
    if len(digits) != _DAY or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        day = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return None if digits in PLACEHOLDERS else day


def date_forms(raw: str) -> frozenset[str]:
    """A date (DA, or the date of a DT) in all its forms; none for what is no date.

    A day that is in no calendar (31 February) was somebody's all the same, as it is written.
    """
    day = day_of(raw)
    return _impossible(raw) if day is None else _forms(day)


def _impossible(raw: str) -> frozenset[str]:
    found = _WRITTEN.fullmatch(raw.strip()[:_LONGEST])
    if found is None or "".join(found.groups()) in PLACEHOLDERS or found[1] == "0000":
        return frozenset()
    year, month, day = found.groups()
    figures = (f"{year}{s}{month}{s}{day}" for s in ("", "-", "/"))
    return frozenset((*figures, *(f"{day}{s}{month}{s}{year}" for s in (".", "/"))))


@lru_cache(maxsize=_MOST)
def _forms(day: dt.date) -> frozenset[str]:
    return frozenset((*_figures(day), *_worded(day), *_counted(day)))


def _figures(day: dt.date) -> Iterator[str]:
    """In figures: the year first, or last and in two digits as well; day or month first."""
    year = f"{day.year:04d}"
    padded = (f"{day.day:02d}", f"{day.month:02d}")
    for d in {padded[0], str(day.day)}:
        for m in {padded[1], str(day.month)}:
            for s in _WIDE:
                yield from (f"{year}{s}{m}{s}{d}", f"{d}{s}{m}{s}{year}", f"{m}{s}{d}{s}{year}")
            for s in _TIGHT:
                yield from (f"{d}{s}{m}{s}{year[2:]}", f"{m}{s}{d}{s}{year[2:]}")
            yield f"{year}年{m}月{d}日"
            yield f"{year}년 {m}월 {d}일"
    d, m = padded
    yield from (f"{year[2:]}{s}{m}{s}{d}" for s in _TIGHT)
    for y in (year, year[2:]):
        yield from (f"{y}{m}{d}", f"{d}{m}{y}", f"{m}{d}{y}")


def _worded(day: dt.date) -> Iterator[str]:
    """With the name of the month, or its Roman figure."""
    year, month = f"{day.year:04d}", day.month - 1
    for d in {f"{day.day:02d}", str(day.day)}:
        for name in NAMES[month]:
            for form in _NAMED:
                yield form.format(d=d, n=name, y=year, th=_ordinal(day.day))
        for name in NAMES[month]:
            for s in ("-", "/", ".", "_", "", " "):
                yield from (f"{d}{s}{name}{s}{year}", f"{name}{s}{d}{s}{year}")
            for s in ("-", " ", ""):
                yield from (f"{year}{s}{name}{s}{d}", f"{d}{s}{name}{s}{year[2:]}")
        yield from (f"{d}{s}{ROMAN[month]}{s}{year}" for s in ("-", "/", ".", ". ", " "))


def _counted(day: dt.date) -> Iterator[str]:
    """By week and by day of the year (ISO 8601)."""
    year, week, weekday = day.isocalendar()
    yield from (f"{year}-w{week:02d}-{weekday}", f"{year}w{week:02d}{weekday}")
    number = day.timetuple().tm_yday
    yield from (f"{day.year:04d}-{number:03d}", f"{day.year:04d}{number:03d}")


def _ordinal(number: int) -> str:
    if _ELEVENTH <= number <= _THIRTEENTH:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def epoch_days(number: int) -> Iterator[dt.date]:
    """The days on which a number of seconds since 1970 may be, here or elsewhere on earth.

    Of milliseconds, microseconds and nanoseconds too, told by the number of digits.
    """
    digits = len(str(abs(number)))
    unit = next((unit for least, unit in _UNITS if digits >= least), 0)
    if unit == 0:
        return
    seconds = number // unit
    if abs(seconds) < _FIRST_SECOND or abs(seconds) > _LAST_SECOND:
        return
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
    for hours in (-_HOURS, 0, _HOURS):
        yield (moment + dt.timedelta(hours=hours)).date()
