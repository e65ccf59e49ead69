"""``only`` and ``exclude``: lists of identifiers as conditions of a step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from cohortkit.cohort import ids
from cohortkit.cohort.join import read_ids
from cohortkit.cohort.narrow import Plan
from cohortkit.cohort.query import unknown
from cohortkit.cohort.steps import Condition, Note, counted
from cohortkit.errors import QueryError

Ids = str | Path | Iterable[object]
"""A list of ids in Python, or the path of a file that holds one."""


def listed(
    rows: pl.DataFrame,
    whole: pl.LazyFrame,
    action: str,
    lists: Mapping[str, Ids | None],
    reason: str,
) -> tuple[Plan, pl.DataFrame]:
    """Plan a step by lists of ids.

    Args:
        rows: the cohort's series.
        whole: the index's, to tell ids that it lacks from ids that an earlier step left out.
        action: ``only`` or ``exclude``.
        lists: by keyword of the method; None was not given.
        reason: the caller's.

    Returns:
        The plan, and the table of ids that did not simply match.
    """
    given = {keyword: source for keyword, source in lists.items() if source is not None}
    if not given:
        raise QueryError(f"{action}: give patients=, accessions=, studies= or series=")
    conditions: list[Condition] = []
    notes: list[Note] = []
    missed: list[pl.DataFrame] = []
    said: list[str] = []
    for keyword, source in given.items():
        column = ids.COLUMN_OF[keyword]
        if column not in rows.columns:
            raise unknown(column, rows.columns, action)
        wanted = read_ids(keyword, source)
        if action == "only" and wanted.given.is_empty():
            raise QueryError(f"only: the list of {keyword} is empty")
        conditions.append(_condition(rows, wanted, action, reason or f"the list of {keyword}"))
        told, table = ids.report(rows, whole, wanted)
        notes += told
        missed.append(table)
        said.append(f"a list of {counted(wanted.given.height, ids.ONE_OF[keyword])}")
    return Plan(action, ", ".join(said), conditions, notes, reason), pl.concat(missed)


def _condition(rows: pl.DataFrame, wanted: ids.IdList, action: str, told: str) -> Condition:
    there = ids.listed(rows, wanted)
    unsure = f"{wanted.column} is unknown"
    listing = told.startswith("the list of ")
    if action == "only":
        return Condition(there, f"not on {told}" if listing else told, unsure)
    return Condition(~there, f"on {told}" if listing else told, unsure)
