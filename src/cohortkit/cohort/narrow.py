"""One step: keep the series for which every condition is true, and count the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cohortkit.cohort.query import unknown
from cohortkit.cohort.steps import (
    INDEX,
    Condition,
    Counts,
    Note,
    Step,
    count,
    evaluated,
    not_evaluated,
    spine,
    tally,
)
from cohortkit.errors import QueryError
from cohortkit.model.query import Query


@dataclass(frozen=True, slots=True)
class Plan:
    """What a step is going to do; its fields are those of the ``Step`` it becomes."""

    action: str
    words: str
    conditions: Sequence[Condition] = ()
    notes: Sequence[Note] = ()
    reason: str = ""
    query: Query | None = None
    detail: str = ""


def narrowed(
    rows: pl.LazyFrame, steps: tuple[Step, ...], plan: Plan
) -> tuple[pl.LazyFrame, tuple[Step, ...]]:
    """Take one step.

    Args:
        rows: the cohort's series.
        steps: what was done so far; none of it where the rows are a whole index.
        plan: the step to take.

    Raises:
        QueryError: a condition cannot be worked out, or has another answer each time; a reason
            that is no line of text.
    """
    demand_line(plan.action, plan.reason)
    judged = spine(rows, rows.collect_schema(), plan.conditions)
    steps = steps or (everything(count(judged)),)
    kept, losses = tally(judged, steps[-1].kept, plan.conditions)
    if plan.conditions:
        narrow = _kept(rows, judged, plan.conditions)
        if narrow.height != kept.series:
            raise QueryError("a condition has another answer each time it is asked")
        rows = narrow.lazy()
    step = Step(
        action=plan.action,
        words=plan.words,
        before=steps[-1].kept,
        kept=kept,
        losses=losses,
        notes=tuple(plan.notes),
        reason=plan.reason,
        query=plan.query,
        detail=plan.detail,
    )
    return rows, (*steps, step)


def demand_line(action: str, reason: object) -> None:
    """Refuse a reason that is no line of text.

    Raises:
        QueryError: it is not.
    """
    if not (isinstance(reason, str) and reason.isprintable()):
        raise QueryError(f"{action}: a reason is one line of text")


def _kept(
    rows: pl.LazyFrame, judged: pl.DataFrame, conditions: Sequence[Condition]
) -> pl.DataFrame:
    """The rows for which all conditions are true.

    Expressions are given to polars, so that a store opens only the rows it must; what was judged
    row by row in memory is taken as it was judged.
    """
    asked = [condition.holds for condition in conditions if isinstance(condition.holds, pl.Expr)]
    if len(asked) == len(conditions):
        return evaluated(rows.filter(*asked))
    verdicts = [f"__{place}" for place in range(len(conditions))]
    mask = judged.select(pl.all_horizontal(verdicts)).to_series()
    return evaluated(rows).filter(mask)


def everything(counts: Counts) -> Step:
    """The step before all others."""
    return Step(INDEX, "everything in the index", counts, counts)


def checked(expr: object, rows: pl.LazyFrame) -> pl.Expr:
    """A filter's expression, once its words are columns of the rows and it says yes or no.

    Raises:
        UnknownKeyword: a word that is no column.
        QueryError: it is no condition.
    """
    if not isinstance(expr, pl.Expr):
        raise QueryError('filter takes a polars expression, as in pl.col("Rows") > 256')
    if expr.meta.has_multiple_outputs():
        raise QueryError("filter takes one condition, not one for each of several columns")
    columns = rows.collect_schema()
    for word in expr.meta.root_names():
        if word not in columns:
            where = "filter"
            if not word.isidentifier():  # a value that polars took for a column
                where = 'filter (text that is a value there is written pl.lit("…"))'
            raise unknown(word, columns.names(), where)
    try:
        kind = rows.select(expr.alias("__holds")).collect_schema()["__holds"]
    except pl.exceptions.PolarsError as fault:
        raise QueryError(f"filter: {not_evaluated(fault)}") from None
    if kind != pl.Boolean:
        raise QueryError(f"filter takes a condition, true or false; this gives {kind}")
    return expr
