"""Spellings of what tells a patient, made by this file's own hands: it imports nothing of ours.

Each is a text in which the figures or letters of a value stand; whoever reads it knows the value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

WIDE = str.maketrans("0123456789", "０１２３４５６７８９")  # noqa: RUF001 - that is the point
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
BETWEEN = ("_", " ", "/", ".", "-", " / ", ". ", ",", ":", "\\", "~")


def disguised(text: str) -> Iterator[str]:
    """The text, and in figures of other kinds, and with what cannot be seen in it."""
    yield text
    yield text.translate(WIDE)
    yield text.translate(RAISED)
    yield text.translate(ARABIC)
    yield "\u200b".join(text)


def days(day: dt.date) -> Iterator[str]:
    """A whole day in figures."""
    short, year = f"{day.year % 100:02d}", str(day.year)
    for d, m in ((str(day.day), str(day.month)), (f"{day.day:02d}", f"{day.month:02d}")):
        for y in (short, year):
            for by in BETWEEN:
                yield from (by.join(parts) for parts in ((d, m, y), (m, d, y), (y, m, d)))
        yield from (d + m + year, m + d + year, year + m + d)
    yield from (f"{day:%d%m%y}", f"{day:%m%d%y}", f"{day:%y%m%d}", f"{day:%Y%j}")


def parts_of_days(day: dt.date) -> Iterator[str]:
    """A day of no year, a month of a year, a year."""
    for by in ("/", "_", " ", "-", ". "):
        yield from (f"{day.day}{by}{day.month}", f"{day:%m}{by}{day:%d}", f"{day:%m}{by}{day:%y}")
        yield from (f"{day:%m}{by}{day.year}", f"{day.year}{by}{day.month}")
    yield from (f"{day:%m%d}", f"{day:%d%m}", f"{day:%m%y}", f"{day:%y%m}")
    yield from (f"'{day:%y}", f"\u2019{day:%y}", f"W{day.year}", f"{day.year}", f"b.{day.year}")


def decimals(day: dt.date) -> Iterator[str]:
    """A day of no year as a decimal would be written; behind a term it is one."""
    yield from (f"{day.day}.{day.month}", f"{day:%d}.{day:%m}", f"{day.month}.{day.day}")


def ages(years: int) -> Iterator[str]:
    """An age, with its unit, with a sex, alone."""
    for unit in ("j", "J.", " J.", "-jährig", " Jahre", "y", "yo", " y/o", " yrs", " ans", "a"):
        yield f"{years}{unit}"
    for sex in "MFWmfw":
        yield from (f"{sex}{years}", f"{sex} {years}", f"{sex}, {years}", f"{years}{sex}")
        yield f"{sex}/{years}"
    yield from (f"{years}", f"age {years}", f"({years})", f"_{years}_", f"{years:03d}Y")


def numbers(number: str) -> Iterator[str]:
    """A number of eight figures, whole, in groups, in part."""
    for by in (" ", "-", "_", ".", "/"):
        yield number[:4] + by + number[4:]
        yield by.join(number[at : at + 2] for at in range(0, 8, 2))
        yield number[:3] + by + number[3:]
    yield from (number, f"#{number}", f"MRN{number}", number[-4:], number[:4], f"x{number[2:6]}")


def initials(letters: str) -> Iterator[str]:
    """The first letters of three names."""
    one, two, three = list(letters)
    yield from (f"{one}.{two}.{three}.", f"{one}. {two}. {three}.", f"{one} {two} {three}")
    yield from (f"{three}.{one}.{two}", f"{one}.{three}.", f"{one}_{two}_{three}")
