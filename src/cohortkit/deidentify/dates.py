"""Dates, times and date-times (PS3.5 6.2): valid ones, moved by whole days; nothing else.

A time of day does not change when whole days are added. What is not a date is never passed on.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})|(\d{4})\.(\d{2})\.(\d{2})", re.ASCII)
_CLOCK = r"([01]\d|2[0-3])(?:([0-5]\d)(?:([0-5]\d|60)(?:\.\d{1,6})?)?)?"
_TIME = re.compile(_CLOCK, re.ASCII)
_OLD_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d|60)(?:\.\d{1,6})?)?", re.ASCII)
_DATETIME = re.compile(
    rf"(?P<year>\d{{4}})(?:(?P<month>\d{{2}})(?:(?P<day>\d{{2}})(?P<clock>{_CLOCK})?)?)?"
    r"(?P<zone>[+-](?:0\d|1[0-4])[0-5]\d)?",
    re.ASCII,  # the digits of other scripts are no digits here
)
_MIDDLE_MONTH, _MIDDLE_DAY = 7, 15
_DAY, _HOUR = 8, 10  # figures of what is written to the day, and to the hour


def shift_da(value: str, days: int) -> str | None:
    """A date (DA) moved by whole days; None if it is no date or leaves the calendar."""
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups() if part is not None)
    moved = _moved(year, month, day, days)
    return None if moved is None else f"{moved:%Y%m%d}".zfill(8)


def shift_dt(value: str, days: int) -> str | None:
    """A date-time (DT) moved by whole days: its precision, clock and zone stay.

    A value of a year or of a month alone is moved from its middle, so that it stays as near to
    the moved whole dates as its precision allows.
    """
    match = _DATETIME.fullmatch(value)
    if match is None:
        return None
    year, month, day = match["year"], match["month"], match["day"]
    moved = _moved(
        int(year), int(month or _MIDDLE_MONTH), int(day or (_MIDDLE_DAY if month else 2)), days
    )
    if moved is None:
        return None
    digits = f"{moved:%Y%m%d}".zfill(8)[: 8 if day else 6 if month else 4]
    return digits + (match["clock"] or "") + (match["zone"] or "")


def valid_tm(value: str, days: int = 0) -> str | None:  # noqa: ARG001 - moved as dates are
    """A time (TM) as it is; None if it is none. The old form with colons comes out in the new."""
    if _TIME.fullmatch(value):
        return value
    return value.replace(":", "") if _OLD_TIME.fullmatch(value) else None


BY_VR: dict[str, Callable[[str, int], str | None]] = {
    "DA": shift_da,
    "DT": shift_dt,
    "TM": valid_tm,
}


def shift(values: list[str], vr: str, days: int) -> list[str] | None:
    """Every value of an element moved by whole days; None if one of them is not understood."""
    moved = [BY_VR[vr](one, days) if one else "" for one in values]
    good = [one for one in moved if one is not None]
    return good if len(good) == len(moved) else None


def form_of(values: list[str]) -> str:
    """The VR of values that read as days, where nobody said what they are; empty for others."""
    if not values:
        return ""
    for vr, least in (("DA", _DAY), ("DT", _HOUR)):
        good = [len(one) >= least and BY_VR[vr](one, 0) is not None for one in values]
        if all(good):
            return vr
    return ""


def _moved(year: int, month: int, day: int, days: int) -> dt.date | None:
    try:
        return dt.date(year, month, day) + dt.timedelta(days=days)
    except (ValueError, OverflowError):
        return None
