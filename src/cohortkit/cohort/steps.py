"""What each step of a cohort kept and left out, counted at four levels.

At every level, in = kept + did not match + unknown. A patient or study of which some series is
kept counts as kept; of the others, one with a series whose answer is unknown counts as unknown.
A person is (issuer, Patient ID); a study is of one person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from cohortkit.errors import QueryError, StoreError
from cohortkit.model.query import Query

KEY: Final = "series_key"
INDEX: Final = "index"
_PLAIN: Final = frozenset({INDEX, "first_per"})  # actions whose words say all
COUNT: Final = "NumberOfSeriesRelatedInstances"
_PERSON: Final = ("__issuer", "__patient")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many; ``instances`` is None where the index does not count them."""

    patients: int = 0
    studies: int = 0
    series: int = 0
    instances: int | None = 0

    def __sub__(self, other: Counts) -> Counts:
        """Level by level."""
        mine, theirs = self.instances, other.instances
        return Counts(
            self.patients - other.patients,
            self.studies - other.studies,
            self.series - other.series,
            None if mine is None or theirs is None else mine - theirs,
        )

    def __str__(self) -> str:
        told = [
            counted(self.patients, "patient"),
            counted(self.studies, "study"),
            counted(self.series, "series"),
        ]
        if self.instances is not None:
            told.append(counted(self.instances, "instance"))
        return ", ".join(told)


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 study, 1,200 studies."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """More than one: studies, series, patients."""
    return {"study": "studies", "series": "series"}.get(noun, f"{noun}s")


@dataclass(frozen=True, slots=True)
class Loss:
    """What one condition left out.

    Attributes:
        out: why, in words, for what did not match.
        unsure: why, in words, for what could not be known.
    """

    out: str
    unsure: str
    not_matched: Counts
    unknown: Counts


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for a series to go on, and the words for those of which it does not.

    Attributes:
        holds: three-valued, null is unknown; an expression, or one verdict a row.
    """

    holds: pl.Expr | pl.Series
    out: str
    unsure: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something a step counted that left nothing out, such as ids that were not found."""

    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step. Its words name nobody; ``query`` and ``detail`` may, and go into no view.

    Attributes:
        action: the method: ``search``, ``filter``, ``first_per`` …
        words: what was asked.
        reason: why, in the caller's words.
        before, kept: what came in and what went on.
        losses: what was left out, one condition after the other.
        notes: further counts.
        query: the terms of a search.
        detail: what else the cohort file records.
    """

    action: str
    words: str
    before: Counts
    kept: Counts
    losses: tuple[Loss, ...] = ()
    notes: tuple[Note, ...] = ()
    reason: str = ""
    query: Query | None = field(default=None, repr=False)
    detail: str = field(default="", repr=False)

    def __str__(self) -> str:
        told = self.words if self.action in _PLAIN else f"{self.action}: {self.words}"
        return f"{told} ({self.reason})" if self.reason else told


def person(columns: pl.Schema) -> tuple[pl.Expr, pl.Expr]:
    """(issuer, Patient ID), absent as empty text, under the names that this module counts by."""
    issuer = (
        pl.col("IssuerOfPatientID").cast(pl.String).fill_null("")
        if "IssuerOfPatientID" in columns
        else pl.lit("")
    )
    return (
        issuer.str.strip_chars(" \0").alias(_PERSON[0]),
        pl.col("PatientID").cast(pl.String).fill_null("").str.strip_chars(" \0").alias(_PERSON[1]),
    )


def judged(rows: pl.LazyFrame, height: int, condition: Condition) -> pl.Series:
    """The verdict of a condition about each row.

    Raises:
        QueryError: it cannot be worked out.
        StoreError: the rows are more or fewer than ``height``.
    """
    verdict = _verdict(condition.holds).alias("__holds")
    every_row = pl.int_range(pl.len(), dtype=pl.UInt32()).alias("__")  # a verdict may be one value
    found = evaluated(rows.select(every_row, verdict))
    if found.height != height:
        raise StoreError("the index has become another one; open it again")
    return found["__holds"]


def _verdict(holds: pl.Expr | pl.Series) -> pl.Expr:
    return holds if isinstance(holds, pl.Expr) else pl.lit(holds)


def evaluated(rows: pl.LazyFrame) -> pl.DataFrame:
    """Collect, with polars' errors turned into ours: theirs quote values.

    Raises:
        QueryError: the expressions cannot be worked out on these columns.
        StoreError: what the index was opened from is not there any more.
    """
    try:
        return rows.collect()
    except OSError:
        raise StoreError("the index is gone, or has become another one; open it again") from None
    except pl.exceptions.PolarsError as fault:
        raise QueryError(not_evaluated(fault)) from None
    except Exception as fault:  # noqa: BLE001 - a function inside an expression may raise anything
        raise QueryError(f"a function in this raises {type(fault).__name__}") from None


def not_evaluated(fault: Exception) -> str:
    """What to say of an expression that polars rejects, without what polars says of values."""
    return (
        f"this cannot be worked out on the index ({type(fault).__name__}): compare dates with "
        "datetime.date, numbers with numbers, text with text"
    )


def count(rows: pl.DataFrame) -> Counts:
    """Count rows by their keys."""
    number = rows["__number"]
    return Counts(
        patients=int(np.count_nonzero(_ticked(rows["__person"]))),
        studies=int(np.count_nonzero(_ticked(rows["__study"]))),
        series=rows.height,
        instances=None if number.dtype == pl.Null else int(number.sum()),
    )


def _ticked(numbers: pl.Series, size: int = 0) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of the numbers from 0 there are; not one is looked for among the others."""
    greatest = numbers.max()
    ticked = np.zeros(max(size, greatest + 1 if isinstance(greatest, int) else 0), np.bool_)
    ticked[numbers.to_numpy()] = True
    return ticked


def tally(
    keys: pl.DataFrame,
    verdicts: Sequence[pl.Series],
    before: Counts,
    conditions: Sequence[Condition],
) -> tuple[Counts, tuple[Loss, ...]]:
    """Count what goes on and what each condition leaves out, one after the other.

    Args:
        keys: of the rows before the first condition.
        verdicts: of each condition, about the rows for which all before it are true.
        before: the counts of all rows.
        conditions: in order.
    """
    losses = []
    for verdict, condition in zip(verdicts, conditions, strict=True):
        kept, doubtful = keys.filter(verdict), keys.filter(verdict.is_null())
        after = count(kept)
        unknown = _beside(doubtful, kept)
        losses.append(Loss(condition.out, condition.unsure, before - after - unknown, unknown))
        keys, before = kept, after
    return before, tuple(losses)


def _beside(rows: pl.DataFrame, kept: pl.DataFrame) -> Counts:
    """Count rows; of their patients and studies only those of which nothing is kept."""

    def only_here(name: str) -> int:
        mine = _ticked(rows[name])
        others = _ticked(kept[name], len(mine))[: len(mine)]
        return int(np.count_nonzero(mine & ~others))

    instances = None if rows["__number"].dtype == pl.Null else int(rows["__number"].sum())
    return Counts(only_here("__person"), only_here("__study"), rows.height, instances)
