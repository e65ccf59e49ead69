"""Ages (AS, PS3.5 6.2): 90 and over is 90, for a person in every study or in none."""

from __future__ import annotations

import re
from typing import Final

from cohortkit.traces.aged import OLDEST

CAPPED: Final = "090Y"

_AGE = re.compile(r"(\d{1,3})([DWMY])", re.ASCII)
_YEARS: Final = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}


def cap(value: str, *, over_89: bool | None, whole_years: bool = False) -> str | None:
    """An age that may leave; None if it is no age.

    Args:
        value: an Age String.
        over_89: the person reaches 90 in some study. Then no study may tell the true age: with
            the interval between two studies it would tell it for the others. None: nobody knows,
            and no age leaves.
        whole_years: true dates stay. Then an age in days is a birth date, and years must do.
    """
    match = _AGE.fullmatch(value.strip("\0 "))
    if match is None or over_89 is None:
        return None
    number, unit = int(match[1]), match[2]
    if over_89 or number * _YEARS[unit] >= OLDEST:
        return CAPPED
    if whole_years:
        number, unit = int(number * _YEARS[unit]), "Y"
    return f"{number:03d}{unit}"
