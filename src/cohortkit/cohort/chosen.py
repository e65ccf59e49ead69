"""What a cohort is made of, and how one step is taken: the ground under its methods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

import polars as pl

from cohortkit.cohort import ids
from cohortkit.cohort.keys import keys_of, succeeds
from cohortkit.cohort.labelled import Telling
from cohortkit.cohort.named import demand_plain, says_nothing
from cohortkit.cohort.narrow import Plan, demand_line, narrowed
from cohortkit.cohort.steps import Counts, Step, evaluated
from cohortkit.errors import QueryError
from cohortkit.protocols import Index, Narrowing


@dataclass(frozen=True, repr=False, eq=False)
class Chosen:
    """Series of an index, and the steps by which they were chosen.

    Attributes:
        index: where it was chosen from.
        rows: its series with every column of the index, then the labels.
        steps: what was asked, and what each step kept and left out.
        labels: the columns that were joined, or made by a step.
        misses: ids and keys that did not simply match, by step.
    """

    index: Index
    rows: pl.LazyFrame
    steps: tuple[Step, ...]
    labels: tuple[str, ...] = ()
    misses: pl.DataFrame = field(default_factory=ids.MISSES.to_frame)

    @property
    def columns(self) -> pl.Schema:
        """Every column with its type, the labels last."""
        return self.rows.collect_schema()

    @property
    def counts(self) -> Counts:
        """Patients, studies, series and instances."""
        return self.steps[-1].kept

    def __len__(self) -> int:
        """How many series."""
        return self.counts.series

    def identified(self) -> pl.DataFrame:
        """Every column of every series. Identified."""
        return evaluated(self.rows)

    def _known(self) -> pl.LazyFrame:
        """Whoever is known here: everybody of the index, or of what it offered."""
        return self.rows if isinstance(self.index, Narrowing) else self.index.series()

    def _telling(self) -> Telling:
        """What a view may show of joined columns and of words that were asked for."""
        return Telling(self.labels, self.rows, self._known())

    def _step(self, plan: Plan) -> Self:
        self._demand_plain(plan.action, plan.reason)
        rows, steps = narrowed(self.rows, self.steps, plan)
        return replace(self, rows=rows, steps=steps)

    def _labelling(self, plan: Plan, labels: pl.DataFrame) -> Self:
        """Take a step of one condition, and put columns of the step's own beside what it keeps.

        Args:
            plan: its condition is a verdict about each row.
            labels: a row for each row before the step.
        """
        (condition,) = plan.conditions
        assert isinstance(condition.holds, pl.Series)
        kept = self._step(plan)
        beside = labels.filter(condition.holds)
        rows = pl.concat([kept.rows, beside.lazy()], how="horizontal")
        # the same series, and so the same keys; but no shorter way to them that knows the labels
        succeeds(rows, rows, keys_of(kept.rows), pl.Series(dtype=pl.UInt32))
        return replace(kept, rows=rows, labels=(*self.labels, *labels.columns))

    def _demand_free(self, action: str, labels: Iterable[str]) -> None:
        """Refuse to make a column that is there already."""
        there = [name for name in labels if name in self.columns]
        if there:
            raise QueryError(f"{action}: makes a column {there[0]}, and the cohort has one already")

    def _demand_plain(self, action: str, reason: str) -> None:
        """Refuse a reason that is no line of text, or tells of somebody: every view shows it."""
        demand_line(action, reason)
        if not says_nothing(reason):
            demand_plain({f"{action}: the reason": reason}, self._known())

    def _missed(self, misses: pl.DataFrame) -> pl.DataFrame:
        """The table of misses with those of the step that is being taken."""
        step = pl.lit(len(self.steps), pl.Int64).alias("step")
        return pl.concat([self.misses, misses.with_columns(step)])
