"""A closed range of whole days, of which one side may be open; and columns that hold days."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cohortkit.cohort.query import unknown
from cohortkit.cohort.steps import counted
from cohortkit.errors import QueryError


@dataclass(frozen=True, slots=True)
class Span:
    """From ``low`` to ``high`` days; None is open."""

    low: int | None
    high: int | None

    @classmethod
    def of(cls, action: str, days: object, least: int | None = None) -> Span:
        """Read ``days=(low, high)``.

        Args:
            action: the step, for its errors.
            days: what was given.
            least: no side may be less.

        Raises:
            QueryError: no two whole numbers, both open, or the second is less than the first.
        """
        pair = days if isinstance(days, tuple) else ()
        whole = all(side is None or type(side) is int for side in pair)
        if len(pair) != 2 or not whole or pair == (None, None):  # noqa: PLR2004 - two sides
            raise QueryError(
                f"{action}: days= is (from, to) in whole days; None leaves a side open"
            )
        low, high = pair
        if low is not None and high is not None and low > high:
            raise QueryError(f"{action}: days= ends before it begins")
        if least is not None and min(side for side in pair if side is not None) < least:
            raise QueryError(f"{action}: days= counts from {least}")
        return cls(low, high)

    def holds(self, gap: pl.Expr) -> pl.Expr:
        """Whether a number of days is in it; null where there is none."""
        low = pl.lit(value=True) if self.low is None else gap >= self.low
        high = pl.lit(value=True) if self.high is None else gap <= self.high
        return pl.when(gap.is_not_null()).then(low & high)

    def around(self) -> str:
        """In words: from a day on, before and after it."""
        if self.low is None or self.high is None:
            side, end = (self.high, "up to") if self.low is None else (self.low, "from")
            return f"{end} {_beside(side or 0)}"
        return f"from {_beside(self.low)} to {_beside(self.high)}"

    def __str__(self) -> str:
        if self.low is None:
            return f"up to {counted(self.high or 0, 'day')}"
        if self.high is None:
            return f"{counted(self.low, 'day')} or more"
        return f"{self.low:,} to {counted(self.high, 'day')}"


def _beside(days: int) -> str:
    if days == 0:
        return "that day"
    return f"{counted(abs(days), 'day')} {'before' if days < 0 else 'after'}"


def demand_date(action: str, column: str, columns: pl.Schema) -> None:
    """Refuse a column that holds no dates.

    Raises:
        UnknownKeyword: no such column.
        QueryError: it holds something else.
    """
    if not isinstance(column, str):
        raise QueryError(f"{action}: by= names a column")
    if column not in columns:
        raise unknown(column, columns.names(), f"{action}: by=")
    if not isinstance(columns[column], pl.Date | pl.Datetime):
        raise QueryError(f"{action}: {column} holds no dates")
