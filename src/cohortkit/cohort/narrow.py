"""One step: keep the series for which every condition is true, and count the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cohortkit.cohort.keys import has_reach, keys_of, rows_at, succeeds
from cohortkit.cohort.query import unknown
from cohortkit.cohort.steps import (
    INDEX,
    Condition,
    Counts,
    Note,
    Step,
    count,
    evaluated,
    judged,
    not_evaluated,
    tally,
)
from cohortkit.errors import QueryError, StoreError
from cohortkit.model.query import Query
from cohortkit.protocols import Narrowed

_HELD = 20_000  # rows that are held in memory with all their columns


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
    close: pl.LazyFrame | None = None


def narrowed(
    rows: pl.LazyFrame, steps: tuple[Step, ...], plan: Plan
) -> tuple[pl.LazyFrame, tuple[Step, ...]]:
    """Take one step.

    Args:
        rows: the cohort's series.
        steps: what was done so far; none of it where the rows are a whole index.
        plan: the step to take.

    Raises:
        QueryError: a condition cannot be worked out, or has another answer each time.
    """
    keys = keys_of(rows)
    verdicts, places = _asked(rows, keys.height, plan)
    steps = steps or (everything(count(keys)),)
    kept, losses = tally(keys, verdicts, steps[-1].kept, plan.conditions)
    if plan.conditions:
        _demand_the_same(rows, verdicts, plan)
        rows = _kept(rows, keys, places, plan)
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


def _asked(rows: pl.LazyFrame, height: int, plan: Plan) -> tuple[list[pl.Series], pl.Series]:
    """The verdict of each condition about the rows for which all before it are true.

    Returns:
        The verdicts, and the places of the rows for which all are.
    """
    verdicts: list[pl.Series] = []
    places = pl.int_range(height, dtype=pl.UInt32(), eager=True)
    for condition in plan.conditions:
        # the terms of a search look at one row each: what is out need not be asked any more
        few = plan.query is not None and len(places) < height / 2
        asked = rows_at(rows, places) if few else rows
        verdict = judged(asked, len(places) if few else height, condition)
        verdict = verdict if few or len(places) == height else verdict.gather(places)
        verdicts.append(verdict)
        places = places.gather(verdict.arg_true())
    return verdicts, places


def _kept(rows: pl.LazyFrame, keys: pl.DataFrame, places: pl.Series, plan: Plan) -> pl.LazyFrame:
    """The rows for which all conditions are true.

    Few rows of a store are held in memory: to be found they need no more than the terms. Of many,
    and of a table's, it is known which they are, and their columns are read when asked for.
    """
    terms = [c.holds for c in plan.conditions if isinstance(c.holds, pl.Expr)]
    if len(places) > _HELD or has_reach(rows):
        kept = rows_at(rows, places)
    elif len(terms) == len(plan.conditions):
        found = evaluated((rows if plan.close is None else plan.close).filter(*terms))
        if found.height != len(places):
            raise StoreError("the index has become another one; open it again")
        kept = found.lazy()
    else:
        kept = evaluated(rows_at(rows, places)).lazy()
    succeeds(kept, rows, keys[places], places)
    return kept


def _demand_the_same(rows: pl.LazyFrame, verdicts: Sequence[pl.Series], plan: Plan) -> None:
    """Refuse an expression of somebody else that draws lots: its cohort would be no answer."""
    foreign = plan.query is None and any(isinstance(c.holds, pl.Expr) for c in plan.conditions)
    if not foreign:
        return
    again, _ = _asked(rows, keys_of(rows).height, plan)
    if not all(one.equals(other) for one, other in zip(verdicts, again, strict=True)):
        raise QueryError("a condition has another answer each time it is asked")


def everything(counts: Counts) -> Step:
    """The step before all others."""
    return Step(INDEX, "everything in the index", counts, counts)


def offered(query: Query, found: Narrowed) -> Step:
    """The step before all others, of an index that was asked for less than everything."""
    if found.whole is not None:
        return everything(Counts(*found.whole))
    here = count(keys_of(found.rows))
    asked = ", ".join(keyword for keyword, _ in query.terms)
    return Step(INDEX, f"what the index offered for {asked}", here, here)


def checked(expr: object, rows: pl.LazyFrame, action: str = "filter") -> pl.Expr:
    """An expression, once its words are columns of the rows and it says yes or no.

    Raises:
        UnknownKeyword: a word that is no column.
        QueryError: it is no condition.
    """
    if not isinstance(expr, pl.Expr):
        raise QueryError(f'{action} takes a polars expression, as in pl.col("Rows") > 256')
    if expr.meta.has_multiple_outputs():
        raise QueryError(f"{action} takes one condition, not one for each of several columns")
    columns = rows.collect_schema()
    for word in expr.meta.root_names():
        if word not in columns:
            where = action
            if not word.isidentifier():  # a value that polars took for a column
                where = f'{action} (text that is a value there is written pl.lit("…"))'
            raise unknown(word, columns.names(), where)
    try:
        kind = rows.select(expr.alias("__holds")).collect_schema()["__holds"]
    except pl.exceptions.PolarsError as fault:
        raise QueryError(f"{action}: {not_evaluated(fault)}") from None
    if kind != pl.Boolean:
        raise QueryError(f"{action} takes a condition, true or false; this gives {kind}")
    return expr
