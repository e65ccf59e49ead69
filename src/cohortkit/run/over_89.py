"""Who reaches the age of 90 in what the index holds, by what a release would let anyone reckon.

45 CFR 164.514(b)(2)(i)(C) takes all elements of dates that tell an age over 89. An age and the
interval to a later study tell it as well as an age does, so the whole index is asked, the cohort
and what it leaves out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from cohortkit.deidentify.people import People
from cohortkit.index.ages import YEAR, years
from cohortkit.model import Person
from cohortkit.protocols import Index
from cohortkit.run.persons import person_of
from cohortkit.traces.aged import OLDEST

_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "latest_date")
_AGES = frozenset({"PatientAge", "PatientBirthDate"})
_WHO = ("IssuerOfPatientID", "PatientID")
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one person; days are counted from 1970.

    Attributes:
        oldest: greatest age that is stated, years.
        born: earliest birth date that is stated.
        latest: last day on which the person was seen.
        implied: earliest birth that an age and its date leave possible.
        surely: earliest of the days before which an age and its date put the birth for sure.
    """

    oldest: float | None
    born: float | None
    latest: float | None
    implied: float | None
    surely: float | None

    def __or__(self, other: _Known) -> _Known:
        return _Known(
            _most(max, self.oldest, other.oldest),
            _most(min, self.born, other.born),
            _most(max, self.latest, other.latest),
            _most(min, self.implied, other.implied),
            _most(min, self.surely, other.surely),
        )

    @property
    def over_89(self) -> bool:
        """Whether it is so, or cannot be told not to be."""
        if self.oldest is not None and self.oldest >= OLDEST:
            return True
        if self.latest is None:
            return False
        if self.surely is not None and self.latest - self.surely >= OLDEST * YEAR:
            return True  # also where a birth date says otherwise: one of the two is wrong
        if self.born is not None:
            return _years(self.born, self.latest) >= OLDEST
        return self.implied is not None and self.latest - self.implied > OLDEST * YEAR


def people_over_89(
    index: Index, default_issuer: str, people: People | None = None
) -> frozenset[Person] | None:
    """Who may be 90 or older on some day that the index knows of; None where it knows no ages.

    By Patient's Age; by an age and the time since; by the days from birth to the last study; and
    where no birth date is known the age is taken as high as it may be (who is 88 may be 89
    tomorrow).
    """
    frame = index.series()
    names = frame.collect_schema().names()
    if "PatientID" not in names or not _AGES & set(names):
        return None
    merges = people or People()
    known: dict[Person, _Known] = {}
    for row in _gathered(frame, names).iter_rows(named=True):
        person = merges.one(person_of(row, default_issuer))
        new = _Known(row["oldest"], row["born"], row["latest"], row["implied"], row["surely"])
        known[person] = known[person] | new if person in known else new
    return frozenset(person for person, one in known.items() if one.over_89)


def _gathered(frame: pl.LazyFrame, names: Iterable[str]) -> pl.DataFrame:
    """One row for each spelling of a person."""
    there = set(names)
    dates = [_day(name) for name in _DATES if name in there]
    seen = pl.max_horizontal(dates) if dates else pl.lit(None, pl.Int32)
    stated = pl.coalesce(dates) if dates else seen  # the age is that of the study, not of a copy
    age = years("PatientAge") if "PatientAge" in there else pl.lit(None, pl.Float64)
    born = _day("PatientBirthDate") if "PatientBirthDate" in there else pl.lit(None, pl.Int32)
    who = [name for name in _WHO if name in there]
    return (
        frame.select(
            *who,
            age.alias("oldest"),
            born.alias("born"),
            seen.alias("latest"),
            (stated - (age + 1).floor() * YEAR).alias("implied"),
            (stated - age.floor() * YEAR).alias("surely"),
        )
        .group_by(who)
        .agg(
            pl.col("oldest").max(),
            pl.col("born").min(),
            pl.col("latest").max(),
            pl.col("implied").min(),
            pl.col("surely").min(),
        )
        .collect()
    )


def _day(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Date, strict=False).cast(pl.Int32)


def _years(born: float, seen: float) -> int:
    """Full years, by the calendar."""
    first, last = (_EPOCH + dt.timedelta(days=day) for day in (born, seen))
    return last.year - first.year - ((last.month, last.day) < (first.month, first.day))


def _most(
    choose: Callable[[Iterable[float]], float], one: float | None, other: float | None
) -> float | None:
    there = [value for value in (one, other) if value is not None]
    return choose(there) if there else None
